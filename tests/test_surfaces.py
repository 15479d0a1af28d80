"""Reconstruction from oriented points, the grid near the surface, and how shapes are compared."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from helpers import icosphere

import ridgesplines as rs
from ridgesplines.surfaces import grid as grids

CENTRE = np.array([10.0, -3.0, 2.0])
AXES = np.array([4.0, 3.0, 2.0])


def ellipsoid(count: int, seed: int = 0, dimension: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Points of an ellipsoid (an ellipse) away from the origin, with normals that are not of unit length."""
    directions = np.random.default_rng(seed).standard_normal((count, dimension))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return CENTRE[:dimension] + AXES[:dimension] * directions, directions / AXES[:dimension]


def level(points: np.ndarray) -> np.ndarray:
    """1 on the ellipsoid."""
    dimension = points.shape[1]
    return np.linalg.norm((points - CENTRE[:dimension]) / AXES[:dimension], axis=1)


def test_curves_in_the_plane():
    points, normals = ellipsoid(40, dimension=2)
    curve = rs.surfaces.reconstruct(points, normals, resolution=100)
    assert curve.faces.shape[1] == 2
    assert curve.watertight
    np.testing.assert_allclose(level(curve.vertices), 1, atol=2e-3)
    assert curve.solution.value_misfit < 1e-9
    assert curve.angle < 1e-3
    # Each vertex is on the zero set, up to the square of the spacing that linear interpolation costs.
    assert np.abs(curve.function(curve.vertices)).max() < curve.spacing**2
    assert "closed" in str(curve)


def test_the_function_is_nearly_a_distance_and_reopens(tmp_path):
    points, normals = ellipsoid(150)
    f, solution = rs.surfaces.fit_oriented(points, normals)
    assert solution.gradient_misfit < 1e-6
    np.testing.assert_allclose(f(points), 0, atol=1e-7)
    unit = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    np.testing.assert_allclose(f.gradient(points), unit, atol=1e-6)
    assert f(CENTRE) < 0 < f(CENTRE + AXES)
    outward = points + 0.05 * unit
    np.testing.assert_allclose(f(outward), 0.05, rtol=0.1)
    reopened = rs.surfaces.ImplicitFunction.load(f.save(tmp_path / "f"))
    np.testing.assert_array_equal(reopened(outward), f(outward))
    path = rs.archive.write_archive(tmp_path / "half", *solution.spline.to_arrays())
    with pytest.raises(ValueError, match="holds a KernelSpline, but a ImplicitFunction is needed"):
        rs.surfaces.ImplicitFunction.load(path)


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_grid_is_exact_where_the_function_changes_sign(dimension):
    points, normals = ellipsoid(60, dimension=dimension)
    f, _ = rs.surfaces.fit_oriented(points, normals)
    grid = grids.evaluate_near_zero(f, points, 64, 0.1)
    index = np.stack(np.meshgrid(*map(np.arange, grid.values.shape), indexing="ij"), axis=-1)
    full = f((grid.origin + grid.spacing * index).reshape(-1, dimension)).reshape(grid.values.shape)
    np.testing.assert_array_equal(np.sign(grid.values), np.sign(full))
    for axis in range(dimension):
        ahead, behind = (np.delete(full, k, axis) for k in (0, -1))
        crossing = ahead * behind < 0
        assert crossing.any()
        for k, side in ((0, ahead), (-1, behind)):
            np.testing.assert_allclose(np.delete(grid.values, k, axis)[crossing], side[crossing], atol=1e-9)
    assert grid.evaluated < 0.7
    low, high = grid.origin, grid.origin + grid.spacing * (np.array(grid.values.shape) - 1)
    assert (low < points.min(axis=0)).all()
    assert (high > points.max(axis=0)).all()


def test_surfaces_in_space():
    pytest.importorskip("skimage", reason="the extra `surfaces`")
    points, normals = ellipsoid(200)
    surface = rs.surfaces.reconstruct(points, normals, resolution=48)
    assert surface.watertight
    np.testing.assert_allclose(level(surface.vertices), 1, atol=0.02)
    samples, _ = rs.surfaces.sample_mesh(surface.vertices, surface.faces, 2000)
    np.testing.assert_allclose(level(samples), 1, atol=0.03)
    np.testing.assert_allclose(rs.surfaces.winding_number(surface.vertices, surface.faces, CENTRE[None]), 1, atol=1e-6)


def test_meshes_are_in_the_units_of_the_points_and_turned_outward(monkeypatch):
    """With a stand-in for marching cubes that knows one octahedron, in grid steps and inside out."""
    points, normals = ellipsoid(60)
    corners = np.concatenate([np.eye(3), -np.eye(3)])
    faces = np.array([[i, j, k] for i in (0, 3) for j in (1, 4) for k in (2, 5)])
    inside_out = [f[::-1] if np.linalg.det(corners[f]) > 0 else f for f in faces]

    def marching_cubes(values, level, **options):
        assert level == 0.0
        size = (np.array(values.shape) - 1) / 2
        return (size + corners).astype(np.float32), np.array(inside_out, dtype=np.int32), None, None

    measure = types.ModuleType("skimage.measure")
    measure.marching_cubes = marching_cubes  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "skimage", types.ModuleType("skimage"))
    monkeypatch.setitem(sys.modules, "skimage.measure", measure)
    surface = rs.surfaces.reconstruct(points, normals, resolution=16)
    assert surface.watertight
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    np.testing.assert_allclose(surface.vertices, middle + surface.spacing * corners, atol=1e-5)
    winding = rs.surfaces.winding_number(surface.vertices, surface.faces, middle[None])
    np.testing.assert_allclose(winding, 1, atol=1e-6)
    assert "8 triangles, closed" in str(surface)


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.measure", None)
    with pytest.raises(ImportError, match=r'pip install "ridgesplines\[surfaces\]"'):
        rs.surfaces.reconstruct(*ellipsoid(10))


# How shapes are compared


def test_winding_numbers_and_samples_of_a_sphere():
    vertices, faces = icosphere()
    x = np.random.default_rng(0).uniform(-1.2, 1.2, (500, 3))
    radius = np.linalg.norm(x, axis=1)
    x, radius = x[np.abs(radius - 1) > 0.03], radius[np.abs(radius - 1) > 0.03]
    winding = rs.surfaces.winding_number(vertices, faces, x)
    np.testing.assert_allclose(winding, radius < 1, atol=1e-10)
    np.testing.assert_allclose(rs.surfaces.winding_number(vertices, faces[:, ::-1], x), -winding, atol=1e-10)
    samples, normals = rs.surfaces.sample_mesh(vertices, faces, 3000)
    np.testing.assert_allclose(np.linalg.norm(samples, axis=1), 1, atol=0.03)
    np.testing.assert_allclose(np.sum(samples * normals, axis=1), 1, atol=0.03)
    # Uniform by area: each octant has an eighth, 375 ± 18.
    assert np.abs(np.bincount((samples > 0) @ [1, 2, 4]) - 375).max() < 5 * 18
    np.testing.assert_array_equal(samples, rs.surfaces.sample_mesh(vertices, faces, 3000)[0])


def test_errors_between_parallel_segments():
    t = np.linspace(0, 1, 2001)
    first, second = np.column_stack([t, 0 * t]), np.column_stack([t, 0 * t + 0.1])
    up = np.tile([0.0, 1.0], (2001, 1))
    errors = rs.surfaces.shape_errors(first, second, threshold=0.2, normals=up, reference_normals=-up)
    assert errors.chamfer == pytest.approx(0.1)
    assert errors.hausdorff_95 == pytest.approx(0.1)
    assert errors.f_score == 1
    assert errors.normal_consistency == pytest.approx(1)
    assert rs.surfaces.shape_errors(first, second, threshold=0.05).f_score == 0
    # A half as long: all of it is on the other, of which half is within 0.1 beyond a fifth.
    half = first[:1001]
    errors = rs.surfaces.shape_errors(half, first, threshold=0.1)
    assert errors.chamfer == pytest.approx(0.25 / 2 / 2, rel=1e-2)
    assert errors.hausdorff_95 == pytest.approx(0.45, rel=1e-2)
    assert errors.f_score == pytest.approx(2 * 0.6 / 1.6, rel=1e-2)
    assert np.isnan(errors.normal_consistency)


def test_occupancy():
    assert rs.surfaces.occupancy_agreement([True, True, False, False], [True, False, True, False]) == 1 / 3
    with pytest.raises(ValueError, match="one shape and points inside"):
        rs.surfaces.occupancy_agreement([False], [False])


# Senseless data

POINTS, NORMALS = ellipsoid(12)
FLAT = POINTS * [1, 1, 0]


@pytest.mark.parametrize(
    ("points", "normals", "message"),
    [
        (POINTS, None, "normals are needed, one for each point; estimate them"),
        (POINTS, NORMALS[:5], r"normals must have the shape of the points, \(12, 3\), got \(5, 3\)"),
        (POINTS, NORMALS * (np.arange(12) != 4)[:, None], "must not be zero, but 1 are .the first at index 4"),
        (POINTS * np.nan, NORMALS, "points must be finite"),
        (POINTS, NORMALS * np.inf, "normals must be finite"),
        (POINTS[:3], NORMALS[:3], "points must be at least 4, got 3"),
        (FLAT, NORMALS, "points all lie in one plane"),
        (POINTS[:, :1], NORMALS[:, :1], "points must have 2 or 3 columns"),
        (POINTS[[0, 1, 2, 3, 4, 0]], NORMALS[:6], "points 0 and 5 coincide, but their values or gradients differ"),
    ],
)
def test_senseless_points(points, normals, message):
    with pytest.raises(ValueError, match=message):
        rs.surfaces.fit_oriented(points, normals)


def test_senseless_options():
    with pytest.raises(ValueError, match=r"resolution must be at most 629 for a grid in 3 dimensions .* got 5000"):
        rs.surfaces.reconstruct(POINTS, NORMALS, resolution=5000)
    with pytest.raises(ValueError, match="margin must be at least 0"):
        rs.surfaces.reconstruct(POINTS, NORMALS, margin=-1)
    with pytest.raises(TypeError, match="resolution must be a whole number"):
        rs.surfaces.reconstruct(POINTS, NORMALS, resolution=1.5)
    with pytest.raises(ValueError, match="the mesh has no area"):
        rs.surfaces.sample_mesh(np.zeros((3, 3)), np.array([[0, 1, 2]]), 5)
    with pytest.raises(ValueError, match=r"faces must name vertices 0 … 2, got 0 … 3"):
        rs.surfaces.sample_mesh(np.eye(3), np.array([[0, 1, 3]]), 5)
    with pytest.raises(ValueError, match=r"vertices must be \(V, 3\) and faces"):
        rs.surfaces.winding_number(np.eye(3), np.zeros((1, 3)), np.eye(3))
    with pytest.raises(ValueError, match="equally many columns"):
        rs.surfaces.shape_errors(np.zeros((2, 2)), np.zeros((2, 3)), threshold=1.0)


def test_curves_are_drawn_on_axes_that_are_given_or_new(monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, "show", lambda: pytest.fail("shown"))
    points, normals = ellipsoid(20, dimension=2)
    curve = rs.surfaces.reconstruct(points, normals, resolution=40)
    figure, ax = plt.subplots()
    assert rs.surfaces.plot_curves(curve, points, normals, ax=ax) is ax
    drawn = np.concatenate(ax.collections[1].get_segments())
    np.testing.assert_allclose(level(drawn), 1, atol=0.02)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), points)
    plt.close(figure)
    plt.close(rs.surfaces.plot_curves(curve).figure)
