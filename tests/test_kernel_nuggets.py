"""Nuggets chosen from the data: simulated data, other libraries' densities, points left out one by one, units."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from helpers import seeds
from hypothesis import given, settings
from scipy.optimize import minimize
from scipy.stats import chi2, multivariate_normal

import ridgesplines as rs
from ridgesplines import kernel_nuggets
from ridgesplines.kernels import GaussianKernel, PolyharmonicKernel, UniformKernel
from ridgesplines.nugget_scales import Block, nuggets_by_point


def ball(count: int, dimension: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((count, dimension))
    return 0.9 * points * rng.uniform(0.3, 1, (count, 1)) / np.linalg.norm(points, axis=1, keepdims=True)


def simulated(
    count: int, seed: int, value_nugget: float, gradient_nugget: float | None, variance: float = 4.0
) -> rs.KernelProblem:
    """Data drawn from the model, with σ² = `variance`; without gradients if their nugget is None."""
    points, kernel = ball(count, 2, seed), UniformKernel()
    size = 1 if gradient_nugget is None else 3
    model = rs.KernelProblem(points, 0, points if size > 1 else None, kernel=kernel)
    matrix = model.with_nuggets(value_nugget, gradient_nugget or 0.0).matrix()
    factor = np.linalg.cholesky(matrix + 1e-13 * np.eye(len(matrix)))
    data = variance**0.5 * (factor @ np.random.default_rng(seed).standard_normal(len(matrix))).reshape(count, size)
    return rs.KernelProblem(points, data[:, 0], data[:, 1:] if size > 1 else None, kernel=kernel)


def minus_log_likelihood(problem: rs.KernelProblem, logs: np.ndarray, variance: float | None = None) -> float:
    """By SciPy's normal density; with the best variance if none is given."""
    matrix = problem.with_nuggets(*np.append(np.exp(logs), 0.0)[:2]).matrix()
    data = problem.data.ravel()
    if variance is None:
        variance = float(data @ np.linalg.solve(matrix, data)) / len(data)
    return -float(multivariate_normal(cov=variance * matrix, allow_singular=True).logpdf(data))


def noisy_ellipse(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points within 0.02 of an ellipse, and its normals, off by 0.1."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((count, 2))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    normals = directions / [0.8, 0.5]
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = directions * [0.8, 0.5] + 0.02 * rng.standard_normal((count, 2))
    return points, normals + 0.1 * rng.standard_normal((count, 2))


@pytest.mark.parametrize("gradient_nugget", [None, 1e-2])
def test_the_score_is_scipys_density_at_its_minimum(gradient_nugget):
    problem = simulated(40, 1, 1e-4, gradient_nugget)
    choice = rs.choose_nuggets(problem)
    assert choice.criterion == "likelihood"
    assert (choice.blocks, choice.points) == (1, 40)
    logs = np.log([choice.value_nugget, choice.gradient_nugget][: 1 if gradient_nugget is None else 2])
    # SciPy's density uses eigenvalues: the digits of the condition number, some 1e5, are lost.
    assert choice.score == pytest.approx(minus_log_likelihood(problem, logs), abs=1e-6)
    assert choice.score == pytest.approx(minus_log_likelihood(problem, logs, choice.variance), abs=1e-6)
    found = minimize(lambda at: minus_log_likelihood(problem, at), logs, method="Nelder-Mead")
    # The search stops where the likelihood has no more to say.
    assert choice.score <= found.fun + 0.05
    np.testing.assert_allclose(logs, found.x, atol=0.3)
    # The standard errors are those of the curvature's expectation, which is near the curvature.
    steps = 0.2 * choice.standard_errors[: len(logs)]
    for k, step in enumerate(np.diag(steps)):
        up, down = (minus_log_likelihood(problem, found.x + sign * step) for sign in (1, -1))
        curvature = (up + down - 2 * found.fun) / steps[k] ** 2
        assert curvature * choice.standard_errors[k] ** 2 > 0.3


@pytest.mark.parametrize(
    ("value_nugget", "gradient_nugget"), [pytest.param(1e-4, 1e-2, marks=pytest.mark.long), (1e-3, 1e-3), (1e-3, None)]
)
def test_the_nuggets_that_data_were_drawn_with_come_out_within_the_uncertainty(value_nugget, gradient_nugget):
    true = np.log([value_nugget] if gradient_nugget is None else [value_nugget, gradient_nugget])
    drops, deviations = [], []
    for seed in range(8):
        problem = simulated(100, seed, value_nugget, gradient_nugget)
        choice = rs.choose_nuggets(problem)
        logs = np.log([choice.value_nugget, choice.gradient_nugget][: len(true)])
        drops.append(2 * (minus_log_likelihood(problem, true) - choice.score))
        deviations.append((logs - true) / choice.standard_errors[: len(true)])
    # Wilks: twice the drop of the logarithmic likelihood is χ² distributed; a sum of eight, at one in 10,000.
    assert sum(drops) < chi2(8 * len(true)).ppf(1 - 1e-4)
    assert min(drops) > -0.1
    assert np.abs(np.mean(deviations, axis=0)).max() < 4 / 8**0.5


@pytest.mark.parametrize("seed", [0, 1])
def test_without_noise_the_fit_stays_an_interpolation(seed):
    problem = simulated(80, seed, 0.0, 0.0)
    choice = rs.choose_nuggets(problem)
    assert choice.value_nugget < 1e-7
    solution = rs.solve_kernel(choice.problem)
    size = np.abs(problem.values).max()
    assert solution.value_misfit < 1e-3 * size
    directions = ball(80, 2, seed)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    circle = rs.choose_nuggets(rs.KernelProblem(0.8 * directions, 0, directions, kernel=UniformKernel()))
    assert circle.criterion == "distance"
    assert rs.solve_kernel(circle.problem).value_misfit < 1e-4


def test_the_errors_are_those_of_points_left_out_one_by_one():
    points, normals = noisy_ellipse(12, 0)
    problem = rs.KernelProblem(points, 0.3, normals, kernel=GaussianKernel())
    choice = rs.choose_nuggets(problem)
    assert choice.criterion == "distance"
    nuggets = np.array([choice.value_nugget, choice.gradient_nugget, choice.length_nugget])
    uniform = problem.with_nuggets(*nuggets_by_point(problem, nuggets, np.ones(12)))
    distances, chords = [], []
    for i in range(12):
        rest = uniform.at(np.delete(np.arange(12), i))
        value, slope = rs.solve_kernel(rest).spline.value_and_gradient(points[i])
        steep = np.linalg.norm(slope)
        distances.append(float(abs(value - 0.3) / steep))
        chords.append(np.linalg.norm(slope / steep - normals[i] / np.linalg.norm(normals[i])))
    expected = np.mean(distances), np.sqrt(np.mean(np.square(chords)))
    assert choice.missed == pytest.approx(expected, rel=1e-6)
    assert choice.score == pytest.approx(np.prod(expected), rel=1e-6)
    assert f"distance {expected[0]:.1e}" in str(choice)
    # No node of the surface is better, which for few points is that of all.
    assert choice.score <= choice.surface.min() * 1.001
    assert np.isnan(choice.standard_errors).all()
    # One by one, as the criterion has them.
    block = Block(problem, np.arange(12))
    missed = block.missed(nuggets[block.kinds])
    assert missed is not None
    np.testing.assert_allclose(missed[0], distances, rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(missed[1]), chords, rtol=1e-6)


def test_nuggets_along_the_gradients_and_by_point():
    points, normals = noisy_ellipse(30, 0)
    problem = rs.KernelProblem(points, 0.0, normals, kernel=UniformKernel())
    scales = np.linspace(0.5, 2, 30)
    values, matrices = nuggets_by_point(problem, np.array([1e-4, 1e-2, 0.5]), scales)
    np.testing.assert_allclose(values, 1e-4 * scales)
    units = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    across = units[:, ::-1] * [1, -1]
    for directions, nugget in ((units, 0.5), (across, 1e-2)):
        product = np.einsum("nij,nj->ni", matrices, directions)
        np.testing.assert_allclose(product, nugget * scales[:, None] * directions, rtol=0, atol=1e-12)


def ellipse_with_a_wave(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A curve with ripples on its right half only: noisy points and normals, and whether they are on the left."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(-np.pi, np.pi, count))
    right = np.abs(angle) < np.pi / 2
    radius = 0.7 + 0.06 * np.where(right, np.cos(9 * angle), 0.0)
    slope = -0.54 * np.where(right, np.sin(9 * angle), 0.0)
    outward, along = (
        np.column_stack(pair) for pair in ((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle)))
    )
    normals = outward - (slope / radius)[:, None] * along
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = radius[:, None] * outward + 0.015 * rng.standard_normal((count, 2))
    return points, normals + 0.1 * rng.standard_normal((count, 2)), ~right


def test_scales_are_larger_where_the_curve_is_smooth():
    points, normals, smooth = ellipse_with_a_wave(300, 0)
    choice = rs.choose_nuggets(rs.KernelProblem(points, 0, normals, kernel=UniformKernel()), dense_points=120)
    assert choice.scales.shape == (300,)
    # The neighbours of many points are of both halves.
    assert np.median(choice.scales[smooth]) > 1.5 * np.median(choice.scales[~smooth])
    np.testing.assert_allclose(choice.problem.value_nugget, choice.scales * choice.value_nugget, rtol=1e-12)
    assert "by point" in str(choice)


def test_the_scales_follow_the_units_of_the_data():
    points, normals, _ = ellipse_with_a_wave(70, 0)
    first = rs.choose_nuggets(rs.KernelProblem(points, 0, normals, kernel=UniformKernel()))
    second = rs.choose_nuggets(rs.KernelProblem(8 * points, 0, normals, kernel=UniformKernel(radius=8.0)))
    # Powers of two: but for roundings the arithmetic is the same.
    np.testing.assert_allclose(second.scales, first.scales, rtol=1e-3)
    assert second.value_nugget == pytest.approx(64 * first.value_nugget, rel=1e-3)
    assert second.length_nugget == pytest.approx(first.length_nugget, rel=1e-3)


def test_ctrl_c_in_the_scales_keeps_the_nuggets(monkeypatch):
    points, normals = noisy_ellipse(40, 0)
    problem = rs.KernelProblem(points, 0, normals, kernel=UniformKernel())
    whole = rs.choose_nuggets(problem)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(kernel_nuggets, "chosen_scales", interrupted)
    part = rs.choose_nuggets(problem)
    assert part.interrupted
    assert not whole.interrupted
    assert (part.value_nugget, part.length_nugget) == (whole.value_nugget, whole.length_nugget)
    assert (part.scales == 1).all()


def test_chosen_nuggets_bring_noisy_points_nearer_to_the_curve_than_none():
    angle = np.linspace(0, 2 * np.pi, 400)
    better = []
    for seed in range(3):
        points, normals = noisy_ellipse(80, seed)
        errors = []
        for nugget in (0.0, "automatic"):
            f, solution = rs.surfaces.fit_oriented(points, normals, value_nugget=nugget, gradient_nugget=nugget)
            assert (solution.nuggets[0] > 0) == (nugget == "automatic")
            on = np.column_stack([0.8 * np.cos(angle), 0.5 * np.sin(angle)])
            errors.append(np.mean(np.abs(f(on)) / np.linalg.norm(f.gradient(on), axis=1)))
        better.append(errors[1] / errors[0])
    # Four in ten of the noise's effect at most remain: 0.02 / √(80 points over the degrees of freedom).
    assert np.mean(better) < 0.8


@pytest.mark.long
def test_chosen_nuggets_are_nearly_the_best_of_a_grid():
    angle = np.linspace(0, 2 * np.pi, 400)
    on = np.column_stack([0.8 * np.cos(angle), 0.5 * np.sin(angle)])
    ratios = []
    for seed in range(4):
        points, normals = noisy_ellipse(80, seed)
        choice = rs.choose_nuggets(rs.KernelProblem(points, 0, normals, kernel=UniformKernel()))

        def error(problem: rs.KernelProblem) -> float:
            values, slopes = rs.solve_kernel(problem).spline.value_and_gradient(on)
            return float(np.mean(np.abs(values) / np.linalg.norm(slopes, axis=1)))

        grid = [(10.0**i, 10.0**j) for i in range(-6, 0) for j in range(-4, 1)]
        best = min(error(choice.problem.with_nuggets(*nuggets)) for nuggets in grid)
        ratios.append(error(choice.problem) / best)
    # The best of thirty knows the curve; 80 noisy points tell a nugget to a factor of a few.
    assert np.mean(ratios) < 1.3
    assert max(ratios) < 2, ratios


@settings(max_examples=3, deadline=None)
@given(seed=seeds)
def test_the_choice_follows_the_units_of_the_data(seed):
    problem = simulated(30, seed % 1000, 1e-4, 1e-2)
    length, unit = 8.0, 2.0**-5
    scaled = rs.KernelProblem(
        length * problem.points,
        unit * length * problem.values,
        unit * problem.gradients,
        kernel=UniformKernel(radius=length),
    )
    first, second = rs.choose_nuggets(problem), rs.choose_nuggets(scaled)
    # The numbers are powers of two: the arithmetic is the same but for roundings in the search.
    assert second.value_nugget == pytest.approx(length**2 * first.value_nugget, rel=1e-3)
    assert second.gradient_nugget == pytest.approx(first.gradient_nugget, rel=1e-3)
    assert second.variance == pytest.approx(unit**2 * first.variance, rel=1e-3)


def test_blocks_of_many_points_agree_with_all_data_within_the_uncertainty():
    problem = simulated(300, 3, 1e-4, 1e-2)
    whole, parts = rs.choose_nuggets(problem), rs.choose_nuggets(problem, dense_points=75)
    assert (parts.blocks, parts.points) == (4, 300)
    assert "in 4 blocks" in str(parts)
    for name in ("value_nugget", "gradient_nugget"):
        k = ("value_nugget", "gradient_nugget").index(name)
        difference = abs(np.log(getattr(parts, name) / getattr(whole, name)))
        assert difference < 4 * np.hypot(whole.standard_errors[k], parts.standard_errors[k])
    again = rs.choose_nuggets(problem, dense_points=75)
    assert again.value_nugget == parts.value_nugget


def test_points_given_twice_with_different_data():
    points, normals = noisy_ellipse(40, 0)
    twice, both = np.repeat(points, 2, axis=0), np.concatenate([normals, -0.5 * normals])
    both = both.reshape(2, 40, 2).transpose(1, 0, 2).reshape(80, 2)
    problem = rs.KernelProblem(twice, 0, both, kernel=UniformKernel(), value_nugget=1.0, gradient_nugget=1.0)
    choice = rs.choose_nuggets(problem)
    assert choice.value_nugget > 0
    assert choice.gradient_nugget > 0
    assert len(choice.problem.points) == 80


@pytest.mark.parametrize("gradient_nugget", [None, 1e-2])
@pytest.mark.parametrize("criterion", ["likelihood", "distance"])
def test_the_surface_is_drawn_with_the_choice_on_it(gradient_nugget, criterion):
    if gradient_nugget is None and criterion == "distance":
        return
    choice = rs.choose_nuggets(simulated(30, 0, 1e-4, gradient_nugget), criterion)
    figure, ax = plt.subplots()
    assert rs.plotting_kernels.plot_nuggets(choice, ax=ax) is ax
    xs = np.concatenate([np.atleast_1d(line.get_xdata()) for line in ax.lines])
    assert np.isclose(xs, choice.value_nugget).any()
    plt.close(figure)
    plt.close(rs.plotting_kernels.plot_nuggets(choice).figure)


@pytest.mark.parametrize("criterion", ["likelihood", "distance"])
def test_ctrl_c_keeps_the_best_nuggets_so_far(monkeypatch, criterion):
    problem = simulated(80, 2, 1e-3, 1e-2)
    name = {"likelihood": "score_and_slope", "distance": "missed"}[criterion]
    kind = kernel_nuggets._Likelihood if criterion == "likelihood" else kernel_nuggets._Distance
    evaluate, calls, last = getattr(kind, name), [], [0]

    def interrupted(self, *arguments, **options):
        calls.append(1)
        if len(calls) == last[0]:
            raise KeyboardInterrupt
        return evaluate(self, *arguments, **options)

    monkeypatch.setattr(kind, name, interrupted)
    whole = rs.choose_nuggets(problem, criterion, dense_points=80)
    assert not whole.interrupted
    # First come the 169 nodes of the surface, of small blocks; after them come those of all data.
    used = len(calls)
    for stop, blocks in ((used // 3, 5), (used - 2, 1)):
        calls.clear()
        last[0] = stop
        part = rs.choose_nuggets(problem, criterion, dense_points=80)
        assert part.interrupted
        assert part.blocks == blocks
        assert part.score >= whole.score or blocks > 1
        assert str(part).endswith("; interrupted: the best so far")
        finite = np.isfinite(part.surface)
        assert finite.any()
        if blocks > 1:
            assert not finite.all()
            row, column = np.unravel_index(np.argmin(part.surface), part.surface.shape)
            # The least of the range stands for none.
            assert part.value_nugget == pytest.approx(part.grid_values[row] if row else 0)
            # Of level sets, only where there is none of the values either.
            none = column == 0 and (criterion == "likelihood" or row == 0)
            assert part.gradient_nugget == pytest.approx(0 if none else part.grid_gradients[column])
    calls.clear()
    last[0] = 1
    with pytest.raises(KeyboardInterrupt):
        rs.choose_nuggets(problem, criterion)


def test_senseless_arguments():
    problem = simulated(10, 0, 1e-4, None)
    points, normals = noisy_ellipse(10, 0)
    with pytest.raises(TypeError, match="problem must be a KernelProblem, got ndarray"):
        rs.choose_nuggets(points)
    with pytest.raises(ValueError, match="choose_nuggets has no free polynomials, but free_degree is 1"):
        rs.choose_nuggets(rs.KernelProblem(points, 1.0, kernel=PolyharmonicKernel(3)))
    with pytest.raises(ValueError, match="values and gradients are all zero"):
        rs.choose_nuggets(rs.KernelProblem(points, 0.0, kernel=UniformKernel()))
    with pytest.raises(ValueError, match='criterion must be "likelihood", "distance" or None'):
        rs.choose_nuggets(problem, "evidence")
    with pytest.raises(ValueError, match='"distance" needs gradients'):
        rs.choose_nuggets(problem, "distance")
    with pytest.raises(ValueError, match="dense_points must be at least 1, got 0"):
        rs.choose_nuggets(problem, dense_points=0)
    with pytest.raises(ValueError, match='must both be "automatic", or both numbers, got'):
        rs.surfaces.fit_oriented(points, normals, value_nugget="automatic")
