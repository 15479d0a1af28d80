"""Large clouds in chunks: the blend of a coarse function and its corrections, beside one system of all points."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers import seeds, unit_rows
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import KDTree

import ridgesplines as rs
from ridgesplines.archive import read_archive, write_archive
from ridgesplines.surfaces import chunks, grid, implicit, sign_repair
from ridgesplines.surfaces.implicit import oriented_problem
from ridgesplines.surfaces.meshes import components
from ridgesplines.surfaces.partition import PartitionedSpline

KERNEL = rs.kernels.UniformKernel()
# Compiled once for systems of all sizes, which a factorization is not.
EXACT = rs.ConjugateGradients(tolerance=1e-9, thinning=0.0)
CURVE = rs.ConjugateGradients(tolerance=1e-8)


def bumps(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random points of a wavy sphere, away from the origin, with its normals."""
    u = unit_rows(np.random.default_rng(seed), count, 3)
    radius, waves = 1 + 0.15 * np.sin(5 * u[:, 0]) * np.cos(4 * u[:, 1]), np.zeros_like(u)
    waves[:, 0] = 0.75 * np.cos(5 * u[:, 0]) * np.cos(4 * u[:, 1])
    waves[:, 1] = -0.6 * np.sin(5 * u[:, 0]) * np.sin(4 * u[:, 1])
    # The gradient of |x| − r(x / |x|).
    normals = u - (waves - np.sum(waves * u, axis=1, keepdims=True) * u) / radius[:, None]
    return 3 + 2 * radius[:, None] * u, normals


def away(x: np.ndarray) -> np.ndarray:
    """How far points are from that surface, along the ray from its middle."""
    x = (x - 3) / 2
    size = np.linalg.norm(x, axis=1)
    u = x / size[:, None]
    return 2 * np.abs(size - 1 - 0.15 * np.sin(5 * u[:, 0]) * np.cos(4 * u[:, 1]))


def spline(rng: np.random.Generator, count: int, dimension: int) -> rs.KernelSpline:
    centres = rng.uniform(-0.5, 0.5, (count, dimension))
    return rs.KernelSpline(KERNEL, centres, rng.standard_normal((count, dimension + 1)))


def partition(rng: np.random.Generator, dimension: int = 3) -> PartitionedSpline:
    """Three boxes, two of which overlap, one of them without a correction."""
    low = np.array([[-0.4] * dimension, [0.0] * dimension, [-0.4] * (dimension - 1) + [0.1]])
    high = low + np.array([[0.5], [0.4], [0.3]])
    corrections = [spline(rng, 8, dimension), None, spline(rng, 9, dimension)]
    return PartitionedSpline(spline(rng, 5, dimension), corrections, low, high, np.array([0.1, 0.2, 0.15]))


# The blend


@pytest.mark.parametrize("dimension", [2, 3])
def test_values_are_those_of_the_formula(dimension):
    rng = np.random.default_rng(dimension)
    f = partition(rng, dimension)
    x = rng.uniform(-0.8, 0.8, (300, dimension))
    weights = np.ones((3, len(x)))
    for i in range(3):
        for axis in range(dimension):
            outside = np.maximum(np.maximum(f.low[i, axis] - x[:, axis], x[:, axis] - f.high[i, axis]), 0)
            t = np.clip(1 - outside / f.borders[i], 0, 1)
            # The distribution function of the beta distribution (3, 3).
            weights[i] *= 10 * t**3 - 15 * t**4 + 6 * t**5
    assert ((weights > 0) & (weights < 1)).any(axis=1).all()
    whole = weights.sum(axis=0) + np.prod(1 - weights, axis=0)
    assert whole.min() >= 1 - 1e-15
    added = sum(weights[i] * f.corrections[i](x) for i in (0, 2))
    np.testing.assert_allclose(f(x), f.coarse(x) + added / whole, atol=1e-12)
    values, gradients = f.value_and_gradient(x)
    np.testing.assert_allclose(values, f(x), atol=1e-14)
    step = 1e-5
    for axis in range(dimension):
        ahead = step * np.eye(dimension)[axis]
        # Second-order differences, of functions whose third derivatives are some hundreds at most.
        np.testing.assert_allclose(gradients[:, axis], (f(x + ahead) - f(x - ahead)) / (2 * step), atol=1e-6)
    np.testing.assert_array_equal(f.gradient(x), gradients)
    assert f(x[0]) == pytest.approx(values[0], abs=1e-14)
    np.testing.assert_allclose(f.gradient(x[0]), gradients[0], atol=1e-13)


@given(seeds, st.integers(2, 3), st.integers(1, 6))
def test_one_correction_for_all_boxes_is_added_within_them(seed, dimension, count):
    rng = np.random.default_rng(seed)
    low = rng.uniform(-1, 1, (count, dimension))
    high = low + rng.uniform(0, 1, (count, dimension))
    f_0, g = spline(rng, 3, dimension), spline(rng, 4, dimension)
    f = PartitionedSpline(f_0, [g] * count, low, high, rng.uniform(0.01, 1, count))
    i = rng.integers(count, size=20)
    inside = low[i] + rng.uniform(0, 1, (20, dimension)) * (high - low)[i]
    np.testing.assert_allclose(f(inside), f_0(inside) + g(inside), atol=1e-11)
    np.testing.assert_allclose(f.gradient(inside), f_0.gradient(inside) + g.gradient(inside), atol=1e-9)
    far = rng.uniform(3.1, 4, (20, dimension))
    np.testing.assert_array_equal(f(far), f_0(far))
    # Between them the blend is between f_0 and f_0 + g.
    anywhere = rng.uniform(-2, 3, (50, dimension))
    part = (f(anywhere) - f_0(anywhere)) / g(anywhere)
    assert (part > -1e-9).all()
    assert (part < 1 + 1e-9).all()


def jump(f: PartitionedSpline, step: float) -> float:
    """The largest difference of second derivatives beyond and before planes where the first weight changes its form."""
    largest = 0.0
    for axis in range(3):
        for plane in (f.low[0, axis] - f.borders[0], f.low[0, axis], f.high[0, axis], f.high[0, axis] + f.borders[0]):
            # Through the first box, and beside the others.
            at = np.array([-0.15, -0.13, -0.11])
            at[axis] = plane
            slopes = f.gradient(at + step * np.arange(-3, 4)[:, None] * np.eye(3)[axis])
            before, after = slopes[2] - slopes[0], slopes[6] - slopes[4]
            largest = max(largest, float(np.abs(after - before).max()) / (2 * step))
    return largest


def test_second_derivatives_are_continuous_across_borders(monkeypatch):
    from ridgesplines.surfaces import partition as module

    f = partition(np.random.default_rng(3))
    coarse, fine = jump(f, 1e-3), jump(f, 1e-4)
    # Continuous, and once more differentiable on each side: the difference falls with the step.
    assert fine < 0.15 * coarse
    # With one derivative less it does not.

    def rough(t):
        t = np.clip(t, 0, 1)
        return t**2 * (3 - 2 * t), 6 * t * (1 - t)

    monkeypatch.setattr(module, "_ramp", rough)
    assert jump(f, 1e-4) > 0.5 * jump(f, 1e-3) > 10 * fine


def test_many_points_are_evaluated_alike(monkeypatch):
    from ridgesplines import kernel_spline
    from ridgesplines.surfaces import partition as module

    f = partition(np.random.default_rng(4))
    x = np.random.default_rng(5).uniform(-0.7, 0.7, (500, 3))
    ready = f.in_box(x.min(axis=0), x.max(axis=0))
    np.testing.assert_array_equal(ready(x), f(x))
    part = ready.part(x)
    assert set(part) == {0, 1, 2, 3}
    for i in range(3):
        assert set(f.reached(i, x)) >= set(np.flatnonzero(part == i))
    # Sums split by range, and less room than there are corrections.
    monkeypatch.setattr(kernel_spline, "_ALL_PAIRS", 1)
    monkeypatch.setattr(module, "_READY", 1)
    ready = f.in_box(x.min(axis=0), x.max(axis=0))
    values, gradients = f.value_and_gradient(x)
    for _ in range(2):
        fast, slopes = ready.value_and_gradient(x)
        # The accuracy of 3e-5 of the root of the squares of some twenty terms, (R² |g| / 32) at a range R of one.
        np.testing.assert_allclose(fast, values, atol=1e-5)
        np.testing.assert_allclose(slopes, gradients, atol=1e-4)


def test_jax_arrays_come_back_as_such():
    import jax.numpy as jnp

    f = partition(np.random.default_rng(6))
    x = np.zeros((4, 3))
    assert isinstance(f(jnp.asarray(x)), jnp.ndarray)
    np.testing.assert_array_equal(f(jnp.asarray(x)), f(x))
    with pytest.raises(ValueError, match=r"x must have shape \(n, 3\) or \(3,\), got \(4, 2\)"):
        f(x[:, :2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"low": np.zeros((2, 3))}, r"low and high must have shape \(3, 3\) and borders \(3,\)"),
        ({"borders": np.array([0.1, 0.0, 0.1])}, "borders must be positive"),
        ({"high": np.full((3, 3), -9.0)}, "low must be finite and nowhere above high"),
        (
            {"corrections": [None, None, spline(np.random.default_rng(0), 2, 2)]},
            r"corrections must be functions on R\^3",
        ),
    ],
)
def test_parts_that_do_not_fit(change, message):
    f = partition(np.random.default_rng(7))
    parts = {name: getattr(f, name) for name in ("coarse", "corrections", "low", "high", "borders")}
    with pytest.raises(ValueError, match=message):
        PartitionedSpline(**(parts | change))


# In chunks beside one system


@pytest.fixture(scope="module")
def cloud() -> tuple[np.ndarray, np.ndarray]:
    return bumps(3000)


@pytest.fixture(scope="module")
def one(cloud):
    pytest.importorskip("skimage", reason="the extra `surfaces`")
    return rs.surfaces.reconstruct(*cloud, solver=EXACT, resolution=64)


@pytest.fixture(scope="module")
def made(cloud):
    pytest.importorskip("skimage", reason="the extra `surfaces`")
    return rs.surfaces.reconstruct(*cloud, solver=EXACT, resolution=64, chunk=500)


def test_the_surface_is_that_of_one_system(one, made):
    assert isinstance(made.solution, rs.surfaces.PartitionSolution)
    assert len(made.solution.chunks) == made.solution.solved == 6
    assert (made.solution.chunks > 500).all()
    assert (made.solution.chunks <= 2.5 * 500).all()
    assert made.watertight
    assert set(components(len(made.vertices), made.faces)) == {0}
    errors = []
    for surface in (one, made):
        samples, _ = rs.surfaces.sample_mesh(surface.vertices, surface.faces, 5000)
        errors.append(away(samples).mean())
    # Most of both is that of a grid of 64 steps.
    assert errors[1] < 1.02 * errors[0]
    between = rs.surfaces.mesh_errors(
        made.vertices, made.faces, one.vertices, one.faces, threshold=0.01, samples=3000, probes=5000
    )
    assert between.chamfer < 0.2 * errors[0]
    assert between.iou > 0.999
    # Between the points, without a grid.
    fresh, _ = bumps(2000, 1)
    distances = []
    for surface in (one, made):
        values, slopes = surface.function.at_many(fresh)
        distances.append(np.mean(np.abs(values) / np.linalg.norm(slopes, axis=1)))
    assert distances[1] < 1.1 * distances[0]


def test_all_points_are_met(cloud, made):
    points, normals = cloud
    f = made.function
    # The tolerance of 1e-9 is that of the norm of all data, of which there are some 3000.
    assert made.solution.status is rs.KernelStatus.CONVERGED
    np.testing.assert_allclose(f(points), 0, atol=1e-7)
    unit = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    np.testing.assert_allclose(f.gradient(points), unit, atol=1e-5)
    assert made.solution.value_misfit == pytest.approx(np.abs(f(points)).max() / f.scale, rel=1e-3, abs=1e-11)
    assert made.angle < 0.01
    assert "6 of 6 chunks solved" in str(made)
    assert "6 chunks, of" in str(made.solution)
    assert f(np.full((1, 3), 3.0)) < 0 < f(np.full((1, 3), 6.5))
    assert made.repair is not None
    assert made.repair.disagreeing == (0,)
    values, slopes = f.at_many(points[:100])
    # Sums with and without gradients round differently, coefficients of some 1e4.
    np.testing.assert_allclose(values, f(points[:100]), atol=1e-10)
    np.testing.assert_allclose(slopes, f.gradient(points[:100]), atol=1e-9)


def test_the_same_twice(cloud, made):
    f, solution = rs.surfaces.fit_oriented(*cloud, solver=EXACT, chunk=500)
    x = np.random.default_rng(0).uniform(1, 5, (300, 3))
    np.testing.assert_array_equal(f(x), made.function(x))
    np.testing.assert_array_equal(solution.chunks, made.solution.chunks)
    assert solution.repair is None


def test_saved_and_opened(made, tmp_path):
    opened = rs.load(made.function.save(tmp_path / "f"))
    assert type(opened) is rs.surfaces.ImplicitFunction
    assert isinstance(opened.spline, PartitionedSpline)
    x = np.random.default_rng(0).uniform(1, 5, (300, 3))
    np.testing.assert_array_equal(opened(x), made.function(x))
    np.testing.assert_array_equal(opened.gradient(x), made.function.gradient(x))
    assert repr(opened.spline) == repr(made.function.spline)
    points = made.function.spline.centres * opened.scale + opened.centre
    zero_set = rs.surfaces.mesh_zero_set(opened, points, resolution=24)
    assert len(zero_set.faces) > 1000
    assert len(points) == 500 + made.solution.chunks.sum()


@pytest.mark.parametrize(
    "change",
    [
        {"counts": np.array([1, 2, 3])},
        {"counts": np.array([1.0])},
        {"borders": np.zeros(6)},
        {"low": np.zeros((6, 2))},
        {"centres": np.full((5, 3), np.nan)},
        {"polynomials": np.zeros((6, 4))},
        {"high": None},
        {"coarse.centres": None},
        {"correction_degree": "two"},
        {"spline": "Solution"},
        {"spline": ["KernelSpline"]},
    ],
)
def test_files_that_do_not_hold_a_whole_one(made, tmp_path, change):
    arrays, metadata = read_archive(made.function.save(tmp_path / "whole"), ("ImplicitFunction",))
    for name, value in change.items():
        held = metadata if name in metadata else arrays
        assert name in held
        held[name] = value
        if value is None:
            del held[name]
    path = write_archive(tmp_path / "damaged", arrays, metadata)
    with pytest.raises(ValueError, match="damaged"):
        rs.load(path)


def test_the_grid_is_that_of_the_function(made, cloud):
    made_again = grid.evaluate_near_zero(made.function, cloud[0], 24, 0.05)
    index = np.stack(np.meshgrid(*map(np.arange, made_again.values.shape), indexing="ij"), axis=-1)
    full = made.function((made_again.origin + made_again.spacing * index).reshape(-1, 3))
    full = full.reshape(made_again.values.shape)
    np.testing.assert_array_equal(np.sign(made_again.values), np.sign(full))
    # Sums with and without gradients round differently, coefficients of some 1e4.
    assert np.isclose(made_again.values, full, atol=1e-9).mean() >= made_again.evaluated


# Factorizations compile the kernel's matrix anew for each size.
@pytest.mark.parametrize("kernel", [KERNEL, pytest.param(rs.kernels.PolyharmonicKernel(3), marks=pytest.mark.long)])
def test_curves_in_the_plane_of_any_kernel(kernel, tmp_path):
    import matplotlib.pyplot as plt

    angle = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    radius = 1 + 0.2 * np.cos(6 * angle)
    slope = -1.2 * np.sin(6 * angle)
    out = np.column_stack([np.cos(angle), np.sin(angle)])
    along = np.column_stack([-out[:, 1], out[:, 0]])
    points, normals = radius[:, None] * out, radius[:, None] * out - slope[:, None] * along
    solver = CURVE if kernel.null_degree < 0 else None
    curve = rs.surfaces.reconstruct(points, normals, kernel=kernel, solver=solver, chunk=120, resolution=150)
    assert curve.watertight
    assert len(curve.solution.chunks) == 2
    assert set(components(len(curve.vertices), curve.faces)) == {0}
    at = np.arctan2(curve.vertices[:, 1], curve.vertices[:, 0])
    # The square of a grid step over the radius of curvature, a tenth.
    np.testing.assert_allclose(np.linalg.norm(curve.vertices, axis=1), 1 + 0.2 * np.cos(6 * at), atol=5e-3)
    assert curve.solution.value_misfit < 1e-6
    f = curve.function
    assert (f.spline.corrections[0].polynomial.degree >= 0) == (kernel.null_degree >= 0)
    np.testing.assert_array_equal(rs.load(f.save(tmp_path / "f"))(points + 0.1), f(points + 0.1))
    ax = rs.plot(f)
    assert len(ax.lines[0].get_xydata()) == 120 + curve.solution.chunks.sum()
    plt.close(ax.figure)


def test_noisy_points_get_one_pair_of_nuggets(monkeypatch):
    rng = np.random.default_rng(10)
    points = unit_rows(rng, 1600, 2)
    normals = points + 0.1 * rng.standard_normal(points.shape)
    points = points + 0.01 * rng.standard_normal(points.shape)
    found, choose, errors, first = [], implicit.choose_nuggets, [], None

    def once(problem, **options):
        # Before chunks are cut: the search is the same for both, and takes nearly all the time.
        if not found:
            found.append(choose(problem, **options))
        return found[0]

    monkeypatch.setattr(implicit, "choose_nuggets", once)
    for chunk in (None, 400):
        curve = rs.surfaces.reconstruct(
            points, normals, solver=CURVE, value_nugget="automatic", gradient_nugget="automatic", chunk=chunk,
            resolution=100,
        )  # fmt: skip
        errors.append(np.sqrt(np.mean((np.linalg.norm(curve.vertices, axis=1) - 1) ** 2)))
        assert curve.watertight
        assert curve.solution.nuggets[0] > 0
        first = curve.solution.nuggets if first is None else first
        assert curve.solution.nuggets == first
    # A few times less than the points' deviation.
    assert errors[0] < 0.003
    # The ends of four chunks are smoothed from one side only.
    assert errors[1] < 1.25 * errors[0]


def test_where_points_are_dense_systems_stay_small():
    rng = np.random.default_rng(13)
    sphere, some = unit_rows(rng, 400, 3), unit_rows(rng, 60_000, 3)
    dense = some[some[:, 2] > 0.96][:1200]
    points = np.concatenate([sphere, dense])
    f, solution = rs.surfaces.fit_oriented(points, points, solver=EXACT, chunk=200)
    assert (solution.chunks <= 2.5 * 200 + 3).all()
    assert np.ptp(f.spline.borders) > 0
    np.testing.assert_allclose(f(points), 0, atol=1e-6)
    fresh = unit_rows(rng, 500, 3)
    assert np.abs(f(fresh)).max() < 0.02


def test_points_that_coincide_end_no_loop():
    points = unit_rows(np.random.default_rng(16), 130, 2)
    # One point a thousand times, and the others twice, as noisy measurements may.
    points = np.concatenate([points, points, np.tile(points[:1], (1000, 1))])
    nuggets = {"value_nugget": 1e-6, "gradient_nugget": 1e-3}
    f, solution = rs.surfaces.fit_oriented(points, points, solver=CURVE, chunk=150, **nuggets)
    assert solution.solved == len(solution.chunks)
    assert np.abs(f(points)).max() < 0.01
    assert len(chunks._thinned(points, 140)) <= 140


def test_points_are_thinned_evenly():
    points, _ = bumps(20_000)
    sample = chunks._thinned(points, 300)
    assert len(sample) == len(set(sample)) == 300
    assert (np.diff(sample) > 0).all()
    nearest = KDTree(points[sample]).query(points[sample], k=2)[0][:, 1]
    farthest = KDTree(points[sample]).query(points)[0].max()
    # Balls of half the least distance do not overlap; those of the largest cover. A random sample has less than 0.02.
    assert nearest.min() / farthest > 0.4
    assert len(chunks._thinned(points[:250], 300)) == 250


# Which way is chosen


def test_large_clouds_are_solved_in_chunks_by_themselves(monkeypatch):
    points = unit_rows(np.random.default_rng(14), 500, 2)
    problem, *_ = oriented_problem(points, points)
    assert chunks.chosen_chunk(None, problem, None) is None
    assert chunks.chosen_chunk(500, problem, None) is None
    assert chunks.chosen_chunk(499, problem, None) == 499
    monkeypatch.setattr(chunks, "_ONE_SYSTEM", 499)
    monkeypatch.setattr(chunks, "CHUNK", 200)
    assert chunks.chosen_chunk(None, problem, None) == 200
    # With few centres for all points, or where only a factorization serves, nothing is to be cut.
    assert chunks.chosen_chunk(None, problem, rs.NystromGradients(centres=50)) is None
    plain, *_ = oriented_problem(points, points, kernel=rs.kernels.PolyharmonicKernel(3))
    assert chunks.chosen_chunk(None, plain, None) is None
    slow, *_ = oriented_problem(points, points, kernel=rs.kernels.GaussianKernel())
    assert chunks.chosen_chunk(None, slow, None) is None
    monkeypatch.setattr(chunks, "_ONE_SLOW_SYSTEM", 499)
    assert chunks.chosen_chunk(None, slow, None) == 200
    curve = rs.surfaces.reconstruct(points, points, resolution=40)
    assert isinstance(curve.solution, rs.surfaces.PartitionSolution)
    assert curve.watertight


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"chunk": 99}, ValueError, "chunk must be at least 100 points, or None, got 99: fewer tell no coarse shape"),
        ({"chunk": 0}, ValueError, "chunk must be at least 1, got 0"),
        ({"chunk": 1000.5}, TypeError, "chunk must be a whole number, got 1000.5"),
        ({"chunk": "all"}, TypeError, "chunk must be a whole number, got 'all'"),
        ({"chunk": True}, TypeError, "chunk must be a whole number, got True"),
        (
            {"chunk": 200, "solver": rs.NystromGradients(centres=50)},
            ValueError,
            "but NystromGradients has few centres for all points; leave out chunk",
        ),
    ],
)
@pytest.mark.parametrize("verb", [rs.surfaces.reconstruct, rs.surfaces.fit_oriented])
def test_senseless_chunks(verb, options, kind, message):
    with pytest.raises(kind, match=message):
        verb(*bumps(300), **options)


# Ctrl-C


@pytest.mark.parametrize("how", ["raised", "kept"])
def test_ctrl_c_in_a_chunk_leaves_the_coarse_function_there(monkeypatch, how, tmp_path):
    points, normals = circle()
    solve, calls = chunks.solve_kernel, []

    def interrupted(problem, solver=None, **options):
        calls.append(len(problem.points))
        if len(calls) == 4:
            if how == "raised":
                raise KeyboardInterrupt
            # As iterative solvers do.
            return dataclasses.replace(solve(problem, solver), status=rs.KernelStatus.INTERRUPTED)
        return solve(problem, solver, **options)

    whole = rs.surfaces.reconstruct(points, normals, solver=CURVE, chunk=150, resolution=60)
    monkeypatch.setattr(chunks, "solve_kernel", interrupted)
    curve = rs.surfaces.reconstruct(points, normals, solver=CURVE, chunk=150, resolution=60)
    assert len(calls) == 4
    assert curve.interrupted == ("chunks",)
    assert curve.solution.status is rs.KernelStatus.INTERRUPTED
    assert curve.solution.solved == 2
    assert curve.watertight
    f = curve.function.spline
    assert [each is not None for each in f.corrections] == [True, True, False, False]
    scaled = (points - curve.function.centre) / curve.function.scale
    near = [set(f.reached(i, scaled)) for i in range(4)]
    untouched = sorted((near[2] | near[3]) - near[0] - near[1])
    np.testing.assert_array_equal(f(scaled[untouched]), f.coarse(scaled[untouched]))
    solved = sorted((near[0] | near[1]) - near[2] - near[3])
    np.testing.assert_allclose(curve.function(points[solved]), whole.function(points[solved]), atol=1e-9)
    assert "2 of 4 chunks solved" in str(curve)
    assert "interrupted in the chunks: the best so far" in str(curve)
    assert "2 of 4 chunks, of" in str(curve.solution)
    opened = rs.load(curve.function.save(tmp_path / "f"))
    np.testing.assert_array_equal(opened(points), curve.function(points))


def circle() -> tuple[np.ndarray, np.ndarray]:
    """600 random points of a circle, with normals."""
    points = unit_rows(np.random.default_rng(15), 600, 2)
    return points, points


@pytest.mark.parametrize("stage", ["fit", "sign repair"])
def test_ctrl_c_before_the_chunks_leaves_the_coarse_function(monkeypatch, stage):
    points, normals = circle()
    solve = chunks.solve_kernel

    def stopped(problem, solver=None, **options):
        return dataclasses.replace(solve(problem, solver, **options), status=rs.KernelStatus.INTERRUPTED)

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    if stage == "fit":
        monkeypatch.setattr(chunks, "solve_kernel", stopped)
    else:
        monkeypatch.setattr(sign_repair, "cloud_winding_number", interrupted)
    curve = rs.surfaces.reconstruct(points, normals, solver=CURVE, chunk=150, resolution=60)
    assert curve.interrupted == (stage,)
    assert curve.solution.solved == 0
    assert curve.watertight
    x = np.random.default_rng(0).uniform(-0.9, 0.9, (50, 2))
    np.testing.assert_array_equal(curve.function.spline(x), curve.function.spline.coarse(x))


def test_ctrl_c_before_there_is_a_function_is_no_result(monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(chunks, "solve_kernel", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rs.surfaces.reconstruct(*circle(), chunk=150)


def test_progress_says_which_chunk(monkeypatch):
    said = []

    class Told(chunks.Progress):
        def __call__(self, message):
            said.append(message)

    monkeypatch.setattr(chunks, "Progress", Told)
    rs.surfaces.fit_oriented(*circle(), solver=CURVE, chunk=150)
    numbered = [message for message in said if message.startswith("chunk ")]
    assert len(numbered) == 4
    assert numbered[2].startswith("chunk 3 of 4: ")
    assert numbered[2].endswith(" points")


@pytest.mark.long
@pytest.mark.parametrize("shape", ["armadillo", "dragon_60kfaces"])
def test_scans_in_chunks(shared, shape):
    pytest.importorskip("trimesh", reason="the extra `surfaces`")
    path = shared / "data" / "meshes" / f"{shape}.ply"
    if not path.is_file():
        pytest.skip(f"needs {shape}.ply beside the repository")
    mesh = rs.surfaces.read_mesh(path)
    points, normals = rs.surfaces.sample_mesh(*mesh, 20_000, 0)
    errors = []
    for chunk in (None, 3000):
        surface = rs.surfaces.reconstruct(points, normals, resolution=160, chunk=chunk)
        assert surface.trimmed == 0
        found = rs.surfaces.mesh_errors(
            surface.vertices, surface.faces, *mesh, threshold=1.0, samples=20_000, probes=50_000
        )
        errors.append(found)
    assert errors[1].chamfer < 1.05 * errors[0].chamfer
    assert errors[1].iou > errors[0].iou - 1e-3
