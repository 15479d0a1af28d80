"""Winding numbers, distances, errors between meshes, normals, sign repair, far sheets, pictures."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers import icosphere, rotation, seeds, unit_rows
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import solve

import ridgesplines as rs
from ridgesplines import kernel_nuggets
from ridgesplines.solvers import kernel_gradients
from ridgesplines.surfaces import grid, reconstruction, sign_repair
from ridgesplines.surfaces.implicit import oriented_problem
from ridgesplines.surfaces.meshes import components, is_watertight


def torus(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points of a torus around the third axis, nearly uniform, with outward normals."""
    rng = np.random.default_rng(seed)
    u, v = rng.uniform(0, 2 * np.pi, (2, 4 * count))
    kept = rng.uniform(0, 1.4, 4 * count) < 1 + 0.4 * np.cos(v)
    u, v = u[kept][:count], v[kept][:count]
    normals = np.column_stack([np.cos(u) * np.cos(v), np.sin(u) * np.cos(v), np.sin(v)])
    return np.column_stack([np.cos(u), np.sin(u), 0 * u]) + 0.4 * normals, normals


def plate(count: int, thickness: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Few points of a thin ellipsoid: the function of least norm balloons there."""
    axes = np.array([1, 0.7, thickness])
    directions = unit_rows(np.random.default_rng(seed), count, 3)
    normals = directions / axes
    return axes * directions, normals / np.linalg.norm(normals, axis=1, keepdims=True)


# Winding numbers and distances


def test_far_triangles_count_together_at_a_small_error():
    vertices, faces = icosphere(1000)
    x = np.random.default_rng(1).uniform(-1.5, 1.5, (400, 3)) + 5
    vertices = vertices + 5
    exact = rs.surfaces.winding_number(vertices, faces, x)
    errors = [np.abs(rs.surfaces.winding_number(vertices, faces, x, separation=s) - exact).mean() for s in (1.5, 3, 6)]
    # The expansion's rest falls with the square of the separation.
    assert errors[0] < 0.02
    assert errors[1] < errors[0] / 2
    assert errors[2] < errors[1] / 2
    np.testing.assert_allclose(rs.surfaces.winding_number(vertices, faces, x, separation=1e9), exact, atol=1e-12)


@given(seeds)
def test_winding_numbers_move_with_the_mesh(seed):
    rng = np.random.default_rng(seed)
    vertices, faces = rng.standard_normal((6, 3)), np.array([[0, 1, 2], [3, 1, 4], [5, 0, 3]])
    x = rng.standard_normal((5, 3))
    turn, shift = rotation(rng, 3), rng.standard_normal(3)
    turn *= np.sign(np.linalg.det(turn))
    before = rs.surfaces.winding_number(vertices, faces, x)
    after = rs.surfaces.winding_number(3 * vertices @ turn.T + shift, faces, 3 * x @ turn.T + shift)
    np.testing.assert_allclose(after, before, atol=1e-9)


def test_oriented_points_wind_around_what_they_enclose():
    points, normals = torus(2000)
    x = np.random.default_rng(2).uniform(-1.5, 1.5, (1000, 3))
    depth = 0.4 - np.hypot(np.hypot(x[:, 0], x[:, 1]) - 1, x[:, 2])
    # Nearer than the points are to each other, 0.1, it is noise.
    far = np.abs(depth) > 0.15
    winding = rs.surfaces.cloud_winding_number(points, 3 * normals, x[far])
    np.testing.assert_allclose(winding, depth[far] > 0, atol=0.15)
    everything = rs.surfaces.cloud_winding_number(points, normals, x[far], separation=1e9)
    np.testing.assert_allclose(winding, everything, atol=0.04)


def test_points_of_a_circle_wind_once():
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    units = np.column_stack([np.cos(angle), np.sin(angle)])
    x = 1.6 * unit_rows(np.random.default_rng(0), 50, 2)
    winding = rs.surfaces.cloud_winding_number(units + 3, units, np.concatenate([x, x / 3]) + 3)
    # A chord is shorter than its arc by a part of 1/6 (8 · 2π/60 / 2 / 2)².
    np.testing.assert_allclose(winding, np.repeat([0, 1], 50), atol=0.02)


def test_distances_to_triangles_agree_with_another_library():
    trimesh = pytest.importorskip("trimesh", reason="the extra `surfaces`")
    rng = np.random.default_rng(3)
    vertices, faces = rng.standard_normal((90, 3)), np.arange(90).reshape(30, 3)
    # Some have no area.
    vertices[faces[:3, 1]] = vertices[faces[:3, 0]]
    vertices[faces[3, 2]] = (vertices[faces[3, 0]] + vertices[faces[3, 1]]) / 2
    x = 2 * rng.standard_normal((200, 3))
    distances, nearest = rs.surfaces.distance_to_mesh(vertices, faces, x)
    for point, distance, face in zip(x, distances, nearest, strict=True):
        closest = trimesh.triangles.closest_point(vertices[faces[4:]], np.tile(point, (26, 1)))
        generic = np.linalg.norm(closest - point, axis=1).min()
        # The degenerate ones are segments.
        ends = vertices[faces[:4]]
        along = ends[:, [1, 2, 0]] - ends
        t = np.clip(np.sum((point - ends) * along, -1) / np.maximum(np.sum(along**2, -1), 1e-300), 0, 1)
        flat = np.linalg.norm(ends + t[..., None] * along - point, axis=-1).min()
        assert distance == pytest.approx(min(generic, flat), abs=1e-12)
        # Older versions of it divide by the area.
        if face >= 4:
            own = trimesh.triangles.closest_point(vertices[faces[[face]]], point[None])[0]
            assert np.linalg.norm(own - point) == pytest.approx(distance, abs=1e-12)


# Errors between meshes


def test_errors_between_concentric_spheres():
    vertices, faces = icosphere(3000)
    larger, _ = icosphere(3000)
    larger = 1.1 * larger
    errors = rs.surfaces.mesh_errors(vertices, faces, larger, faces, threshold=0.09, samples=4000, probes=40_000)
    # A triangulated sphere is inside of it by the square of an edge's half length, 0.04.
    assert errors.chamfer == pytest.approx(0.1, abs=2e-3)
    assert errors.hausdorff_95 == pytest.approx(0.1, abs=3e-3)
    assert errors.f_score == 0
    assert errors.normal_consistency == pytest.approx(1, abs=2e-3)
    # 40,000 points in a box, of which a fifth is in the ratio: five standard deviations are 0.02.
    assert errors.iou == pytest.approx(1.1**-3, abs=0.02)
    samples, normals = rs.surfaces.sample_mesh(larger, faces, 20_000)
    beside = rs.surfaces.mesh_errors(vertices, faces, samples, threshold=0.2, reference_normals=normals, samples=4000)
    assert beside.chamfer == pytest.approx(errors.chamfer, abs=2e-3)
    assert beside.f_score == 1
    assert beside.normal_consistency == pytest.approx(1, abs=5e-3)
    assert np.isnan(beside.iou)


def test_a_mesh_beside_itself():
    vertices, faces = icosphere(200)
    errors = rs.surfaces.mesh_errors(vertices, faces, vertices, faces, threshold=1e-6, samples=500, probes=2000)
    assert errors.chamfer < 1e-12
    assert errors.f_score == errors.iou == 1
    assert errors.normal_consistency == pytest.approx(1, abs=1e-12)
    half = faces[: len(faces) // 2]
    assert rs.surfaces.mesh_errors(vertices, half, vertices, faces, threshold=1e-6, samples=500, probes=2000).iou < 1


def test_senseless_meshes():
    vertices, faces = icosphere(20)
    with pytest.raises(ValueError, match=r"reference must be points \(m, 3\)"):
        rs.surfaces.mesh_errors(vertices, faces, vertices[:, :2], threshold=1.0)
    with pytest.raises(ValueError, match="threshold must be a positive number"):
        rs.surfaces.mesh_errors(vertices, faces, vertices, faces, threshold=0.0)
    with pytest.raises(ValueError, match="reference_normals must have the shape of reference"):
        rs.surfaces.mesh_errors(vertices, faces, vertices, threshold=1.0, reference_normals=vertices[:3])
    with pytest.raises(ValueError, match="x must have 3 columns and the mesh faces"):
        rs.surfaces.distance_to_mesh(vertices, faces[:0], vertices)
    with pytest.raises(ValueError, match="separation must be at least 1"):
        rs.surfaces.winding_number(vertices, faces, vertices, separation=0.5)
    with pytest.raises(ValueError, match=r"points and normals must be \(N, 2\) or \(N, 3\) alike"):
        rs.surfaces.cloud_winding_number(vertices, vertices[:3], vertices)


# Normals


@pytest.mark.parametrize("seed", [0, 1])
def test_normals_of_a_torus_point_outward(seed):
    points, normals = torus(1500, seed)
    turn = rotation(np.random.default_rng(seed), 3)
    found = rs.surfaces.estimate_normals(7 + points @ turn.T)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-12)
    cosines = np.sum(found * (normals @ turn.T), axis=1)
    assert cosines.min() > 0.8
    assert cosines.mean() > 0.99


def test_normals_of_two_ellipses_of_few_points():
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    points = np.concatenate([circle * [2, 1], 0.5 * circle + 8, circle[:3] * [2, 1]])
    found = rs.surfaces.estimate_normals(points, neighbours=2)
    exact = np.concatenate([circle * [0.5, 1], circle, circle[:3] * [0.5, 1]])
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    # The direction of a chord, by symmetry exact on the circle and where the ellipse is symmetric.
    assert np.sum(found * exact, axis=1).min() > 0.97
    np.testing.assert_allclose(found[24:48], circle, atol=1e-9)
    np.testing.assert_array_equal(found[48:], found[:3])


def test_the_two_sides_of_a_thin_plate_are_told_apart():
    # Two sheets twice as far apart as the points on each: at the rims the neighbours are on both.
    square = np.stack(np.meshgrid(*2 * [np.linspace(0, 1, 20)]), axis=-1).reshape(-1, 2)
    square = square + 0.003 * np.random.default_rng(4).standard_normal(square.shape)
    points = np.concatenate([np.column_stack([square, np.full(400, height)]) for height in (0, 0.1)])
    found = rs.surfaces.estimate_normals(points, neighbours=8)
    upright = np.abs(found[:, 2]) > 0.8
    assert upright.mean() > 0.8
    np.testing.assert_array_equal(np.sign(found[upright, 2]), np.repeat([-1, 1], 400)[upright])


def test_senseless_points_for_normals():
    with pytest.raises(ValueError, match="points must be at least 4 different ones, got 3"):
        rs.surfaces.estimate_normals(np.eye(3)[[0, 1, 2, 2]])
    with pytest.raises(ValueError, match="points must have 2 or 3 columns"):
        rs.surfaces.estimate_normals(np.eye(5))
    with pytest.raises(ValueError, match="neighbours must be at least 3 in 3 dimensions, got 2"):
        rs.surfaces.estimate_normals(torus(20)[0], neighbours=2)
    with pytest.raises(TypeError, match="neighbours must be a whole number"):
        rs.surfaces.estimate_normals(torus(20)[0], neighbours=2.5)


# Sign repair


@pytest.mark.parametrize(("count", "thickness", "seed"), [(40, 0.02, 0), (80, 0.05, 1)])
def test_the_sign_is_repaired_where_the_function_balloons(count, thickness, seed):
    points, normals = plate(count, thickness, seed)
    problem, *_ = oriented_problem(points, normals)
    solution = rs.solve_kernel(problem)
    repaired, repair = rs.surfaces.repair_signs(problem, solution, problem.points, normals)
    assert repair.rounds == 1
    assert repair.disagreeing[0] == len(repair.points) > 0
    assert repair.disagreeing[-1] == 0
    # The values asked for, to the part of the smallest that the iteration stops at.
    np.testing.assert_allclose(repaired.spline(repair.points), repair.values, atol=0.021 * np.abs(repair.values).min())
    assert (solution.spline(repair.points) * repair.values < 0).all()
    # Distances to the cloud, mostly with the sign of the thin ellipsoid: the winding number of so few points is noisy.
    axes = np.array([1, 0.7, thickness])
    scale = np.abs(points).max() / np.abs(problem.points).max()
    assert (np.linalg.norm(scale * repair.points / axes, axis=1) > 1).mean() >= 0.5
    distances = np.linalg.norm(repair.points[:, None] - problem.points[None], axis=-1).min(axis=1)
    np.testing.assert_allclose(np.abs(repair.values), distances)
    # The data hold on.
    assert repaired.value_misfit < 1e-5
    assert repaired.gradient_misfit < 1e-3
    assert f"{len(repair.points)} values in 1 round" in str(repair)


@pytest.mark.parametrize("nuggets", [(0.0, 0.0), (1e-6, 1e-3)])
@pytest.mark.parametrize("oriented", [True, False])
def test_repair_is_the_least_norm_under_all_data(monkeypatch, nuggets, oriented):
    """Against one dense system of the old and the new data."""
    monkeypatch.setattr(sign_repair, "_TOLERANCE", 1e-7)
    points, normals = plate(80, 0.05, 1)
    problem, *_ = oriented_problem(points, normals)
    if oriented:
        problem = rs.KernelProblem(
            problem.points, 0, normals, kernel=problem.kernel, value_nugget=nuggets[0], gradient_nugget=nuggets[1]
        )
    else:
        problem = rs.finite_difference_problem(
            problem.points, normals, step=1e-2, kernel=problem.kernel, value_nugget=nuggets[0]
        )
    solution = rs.solve_kernel(problem)
    where = np.array([[0.2, 0.1, 0.15], [-0.3, 0.2, -0.2], [0.0, -0.3, 0.3]])
    values = np.array([0.1, 0.15, 0.3])
    spline = sign_repair._with_values(problem, solution, where, values, None, lambda message: None)
    size, kernel = problem.size, problem.kernel
    every = kernel.hermite if oriented else kernel
    rows = len(problem.points) * size
    matrix = np.asarray(every(problem.points, problem.points)) + np.diag(
        np.diagonal(problem.nuggets, axis1=1, axis2=2).ravel()
    )
    side = np.asarray(every(where, problem.points))[::size]
    block = np.block([[matrix, side.T], [side, np.asarray(kernel(where, where)) + 1e-9 * np.eye(3)]])
    found = solve(block, np.concatenate([problem.data.ravel(), values]), assume_a="sym")
    dense = np.zeros((len(where), size))
    dense[:, 0] = found[rows:]
    coefficients = np.concatenate([found[:rows].reshape(-1, size), dense])
    exact = rs.KernelSpline(
        kernel, np.concatenate([problem.points, where]), coefficients if oriented else coefficients[:, 0]
    )
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (50, 3))
    # The condition is some 1e10, and the tolerance of the correction's iterations 1e-9.
    np.testing.assert_allclose(spline(x), exact(x), atol=1e-5)


def test_normals_that_point_inward_are_repaired_alike():
    points, normals = plate(80, 0.05, 1)
    problem, *_ = oriented_problem(points, normals)
    inward, *_ = oriented_problem(points, -normals)
    first = rs.surfaces.repair_signs(problem, rs.solve_kernel(problem), problem.points, normals)[1]
    second = rs.surfaces.repair_signs(inward, rs.solve_kernel(inward), inward.points, -normals)[1]
    np.testing.assert_array_equal(second.points, first.points)
    np.testing.assert_allclose(second.values, -first.values)


def test_what_is_repaired_has_the_slope_of_the_function():
    """f's unit is that of the gradients: where nuggets free their lengths, slopes are small, and so are values."""
    points, normals = plate(80, 0.05, 1)
    problem, *_ = oriented_problem(points, normals)
    small = rs.KernelProblem(problem.points, 0, 1e-3 * normals, kernel=problem.kernel)
    one, first = rs.surfaces.repair_signs(problem, rs.solve_kernel(problem), problem.points, normals)
    other, second = rs.surfaces.repair_signs(small, rs.solve_kernel(small), problem.points, normals)
    np.testing.assert_array_equal(second.points, first.points)
    np.testing.assert_allclose(second.values, 1e-3 * first.values, rtol=1e-6)
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (50, 3))
    # The iterations on the new values stop at a part of the values; the nugget of these is no part of them.
    np.testing.assert_allclose(other.spline(x), 1e-3 * one.spline(x), atol=1e-6)


# Ctrl-C


def test_ctrl_c_in_the_fit_leaves_a_mesh_of_the_best_iterate(monkeypatch):
    pytest.importorskip("skimage", reason="the extra `surfaces`")
    calls = []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return rs.kernels.hermite_sum(*arguments)

    monkeypatch.setattr(kernel_gradients.solver, "hermite_sum", interrupted)
    made = rs.surfaces.reconstruct(*torus(200), solver=rs.ConjugateGradients(tolerance=1e-12), resolution=24)
    assert made.interrupted == ("fit",)
    assert made.solution.status is rs.KernelStatus.INTERRUPTED
    assert made.repair is None
    assert made.watertight
    assert "interrupted in the fit: the best so far" in str(made)


def test_ctrl_c_in_the_choice_of_nuggets_leaves_a_mesh_with_the_best_so_far(monkeypatch):
    pytest.importorskip("skimage", reason="the extra `surfaces`")
    score, calls = kernel_nuggets._Distance.score, []

    def interrupted(self, logs):
        calls.append(1)
        # Behind the 169 nodes of the surface.
        if len(calls) == 172:
            raise KeyboardInterrupt
        return score(self, logs)

    monkeypatch.setattr(kernel_nuggets._Distance, "score", interrupted)
    nuggets = {"value_nugget": "automatic", "gradient_nugget": "automatic"}
    made = rs.surfaces.reconstruct(*torus(150), **nuggets, resolution=24)
    assert made.interrupted == ("choice of nuggets",)
    assert made.repair is None
    assert made.watertight
    assert "interrupted in the choice of nuggets: the best so far" in str(made)


@pytest.mark.parametrize("stage", ["probes", "solution"])
def test_ctrl_c_in_the_repair_leaves_the_function_as_it_was(monkeypatch, stage):
    pytest.importorskip("skimage", reason="the extra `surfaces`")
    points, normals = plate(80, 0.05, 1)
    before = rs.surfaces.reconstruct(points, normals, resolution=24, sign_repair=False)

    def interrupted(*arguments, **options):
        if stage == "probes":
            raise KeyboardInterrupt
        # Solvers keep what they have instead.
        return dataclasses.replace(before.solution, status=rs.KernelStatus.INTERRUPTED)

    monkeypatch.setattr(sign_repair, "cloud_winding_number" if stage == "probes" else "solve_kernel", interrupted)
    made = rs.surfaces.reconstruct(points, normals, resolution=24)
    assert made.interrupted == ("sign repair",)
    assert made.repair is not None
    assert made.repair.interrupted
    assert made.repair.rounds == len(made.repair.points) == 0
    np.testing.assert_array_equal(made.vertices, before.vertices)
    assert str(made.repair).endswith("; interrupted")
    assert ("none repaired" in str(made.repair)) == (stage == "solution")


def test_ctrl_c_on_the_grid_leaves_the_rest_coarse(monkeypatch):
    monkeypatch.setattr(grid, "_BATCH", 500)
    points, normals = torus(200)
    f, _ = rs.surfaces.fit_oriented(points, normals)
    whole = grid.evaluate_near_zero(f, points, 24, 0.05)
    assert not whole.interrupted
    reached = []

    def show(message: str) -> None:
        if message.startswith("evaluating the grid"):
            reached.append(message)
            if len(reached) == 3:
                raise KeyboardInterrupt

    part = grid.evaluate_near_zero(f, points, 24, 0.05, show)
    assert part.interrupted
    assert part.evaluated == 1000 / part.values.size < whole.evaluated
    same = part.values == whole.values
    # Interpolation along the edges of a block is off by curvature: not one vertex in a thousand agrees by chance.
    assert 1000 <= same.sum() < 1000 + (1 - whole.evaluated) * same.size + 100
    # Whether with gradients or without, sums of coefficients of about 1e3 round alike.
    np.testing.assert_allclose(part.values[::4, ::4, ::4], whole.values[::4, ::4, ::4], atol=1e-11)
    assert part.values.min() < 0 < part.values.max()


def test_ctrl_c_before_there_is_a_function_is_no_result(monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(reconstruction, "solve_kernel", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rs.surfaces.reconstruct(*torus(50), resolution=24)


def test_normals_at_random_are_not_repaired():
    points, _ = torus(200)
    normals = unit_rows(np.random.default_rng(0), 200, 3)
    problem, *_ = oriented_problem(points, normals)
    solution = rs.solve_kernel(problem)
    same, repair = rs.surfaces.repair_signs(problem, solution, problem.points, normals)
    assert repair.rounds == 0
    assert same is solution
    assert "too many to repair: check the normals" in str(repair)


def test_a_round_that_does_harm_is_taken_back(monkeypatch):
    points, normals = plate(80, 0.05, 1)
    problem, *_ = oriented_problem(points, normals)
    solution = rs.solve_kernel(problem)

    def turned(problem, solution, *arguments):
        spline = solution.spline
        return rs.KernelSpline(spline.kernel, spline.centres, -spline.coefficients)

    monkeypatch.setattr(sign_repair, "_with_values", turned)
    same, repair = rs.surfaces.repair_signs(problem, solution, problem.points, normals)
    assert same is solution
    assert repair.rounds == len(repair.points) == len(repair.values) == 0
    assert 0 < repair.disagreeing[0] < repair.disagreeing[1] == repair.probes - repair.disagreeing[0]
    assert f"values left {repair.disagreeing[1]}, and were taken back" in str(repair)


def test_a_good_fit_is_left_alone():
    points, normals = torus(300)
    surface = rs.surfaces.reconstruct(points, normals, resolution=24)
    assert surface.repair is not None
    assert surface.repair.rounds == 0
    assert surface.repair.probes > 100
    assert "have the sign" in str(surface.repair)
    plain = rs.surfaces.reconstruct(points, normals, resolution=24, sign_repair=False)
    assert plain.repair is None
    np.testing.assert_array_equal(surface.vertices, plain.vertices)


def test_repair_with_iterations_and_with_free_polynomials():
    points, normals = plate(80, 0.05, 1)
    for kernel, solver in (
        (None, rs.ConjugateGradients(tolerance=1e-8, thinning=0)),
        (rs.kernels.PolyharmonicKernel(3), None),
    ):
        problem, *_ = oriented_problem(points, normals, kernel=kernel)
        solution = rs.solve_kernel(problem, solver)
        repaired, repair = rs.surfaces.repair_signs(problem, solution, problem.points, normals, solver=solver)
        assert repair.rounds >= 1
        assert repair.disagreeing[-1] == 0
        assert repaired.value_misfit < 1e-5


@pytest.mark.long
def test_real_ghosts_are_repaired(shared):
    pytest.importorskip("trimesh", reason="the extra `surfaces`")
    path = shared / "data" / "meshes" / "armadillo.ply"
    if not path.is_file():
        pytest.skip("needs armadillo.ply beside the repository")
    mesh = rs.surfaces.read_mesh(path)
    points, normals = rs.surfaces.sample_mesh(*mesh, 1000, 2)
    before, after = (
        rs.surfaces.reconstruct(points, normals, resolution=48, sign_repair=on, trim=None if on else np.inf)
        for on in (False, True)
    )
    assert after.watertight
    assert after.repair is not None
    assert after.repair.disagreeing == (3, 0)
    errors = [
        rs.surfaces.mesh_errors(s.vertices, s.faces, *mesh, threshold=1.0, samples=4000, probes=20_000)
        for s in (before, after)
    ]
    assert errors[1].chamfer < 0.95 * errors[0].chamfer
    assert errors[1].iou > errors[0].iou


# Far sheets


def test_sheets_far_from_all_points_are_left_out():
    vertices, faces = icosphere(200)
    both = np.concatenate([vertices, 0.2 * vertices + 3])
    shapes = np.concatenate([faces, faces + len(vertices)])
    assert set(components(len(both), shapes)) == {0, 1}
    kept, triangles, trimmed = reconstruction._trimmed(both, shapes, vertices, None, 0.1)
    assert trimmed == 1
    np.testing.assert_array_equal(kept, vertices)
    np.testing.assert_array_equal(triangles, faces)
    assert is_watertight(triangles)
    assert not is_watertight(triangles[1:])
    for trim, points in ((5.0, vertices), (np.inf, vertices), (None, both)):
        assert reconstruction._trimmed(both, shapes, points, trim, 0.1)[2] == 0
    with pytest.raises(ValueError, match="trim must be a positive number or None"):
        rs.surfaces.reconstruct(*torus(20), trim=0.0)


def test_the_result_says_what_was_repaired_and_left_out():
    points, normals = plate(80, 0.05, 1)
    surface = rs.surfaces.reconstruct(points, normals, resolution=32)
    assert "sign repair: 2 values in 1 round" in str(surface)
    assert "2 far sheets left out" in str(dataclasses.replace(surface, trimmed=2))


# Pictures


def test_a_sphere_is_a_shaded_disc():
    import matplotlib.pyplot as plt

    vertices, faces = icosphere(2000)
    ax = rs.surfaces.plot_mesh(vertices, faces, points=[[0, 0, 0.0], [0, 1.0, 0], [0, -1.0, 0]], elevation=90, size=200)
    image = np.asarray(ax.images[0].get_array())
    pixel = 2 * 1.06 / 200
    assert image[..., 3].sum() * pixel**2 == pytest.approx(np.pi, rel=0.01)
    y, x = np.mgrid[1 : -1 : image.shape[0] * 1j, -1 : 1 : image.shape[1] * 1j]
    light = image[..., 0][image[..., 3] > 0.5]
    radius = np.hypot(x, y)[image[..., 3] > 0.5]
    assert light[radius < 0.3].mean() > 1.3 * light[radius > 0.85].mean()
    # From above one of the poles is seen; the other and the middle are hidden.
    assert len(ax.lines[0].get_xydata()) == 1
    plt.close(ax.figure)
    inside_out = rs.surfaces.plot_mesh(vertices, faces[:, ::-1], size=100)
    image = np.asarray(inside_out.images[0].get_array())
    # The back of triangles is red.
    middle = image[image.shape[0] // 2, image.shape[1] // 2]
    assert middle[0] > 1.5 * middle[1]
    plt.close(inside_out.figure)


@pytest.mark.parametrize("up", ["x", "y", "z"])
def test_the_upward_axis_is_upward(up):
    import matplotlib.pyplot as plt

    vertices, faces = icosphere(100)
    axis = "xyz".index(up)
    points = np.zeros((2, 3))
    points[:, axis] = [2.0, -2.0]
    frame = np.concatenate([points, np.eye(3), -np.eye(3)])
    ax = rs.surfaces.plot_mesh(vertices, faces, points=points, up=up, elevation=0, azimuth=30, frame=frame, size=80)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0, 2], [0, -2]], atol=1e-12)
    plt.close(ax.figure)


@given(st.floats(-180, 180), st.floats(-89, 89), st.sampled_from("xyz"))
def test_cameras_are_rotations(azimuth, elevation, up):
    from ridgesplines.surfaces.rendering import _camera

    camera = _camera(azimuth, elevation, up)
    np.testing.assert_allclose(camera @ camera.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(camera) == pytest.approx(1)


def test_senseless_pictures():
    vertices, faces = icosphere(20)
    with pytest.raises(ValueError, match="up must be one of x, y, z, got 'w'"):
        rs.surfaces.plot_mesh(vertices, faces, up="w")
    with pytest.raises(ValueError, match="azimuth must be a number of degrees"):
        rs.surfaces.plot_mesh(vertices, faces, azimuth=np.nan)
    with pytest.raises(ValueError, match="there is nothing to show"):
        rs.surfaces.plot_mesh(vertices, faces[:0])
