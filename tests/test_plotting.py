"""Pictures: they hold what they claim to show."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines import plotting

mpl.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plotting.plt.close("all")


def solved(dimension: int, strength: float = 0.5):
    random = np.random.default_rng(dimension)
    x = random.uniform(-1, 1, (30, dimension))
    problem = rs.Problem(rs.Samples(x), np.abs(x).sum(axis=1) + 0.1 * random.normal(size=30), strength=strength)
    return problem, rs.solve(problem)


def test_the_profile_on_the_line_touches_the_band_at_the_knots():
    problem, solution = solved(1, 0.05)
    axes = plotting.plot_dual_profile(problem, solution.certificate, solution.spline)
    profile_line, knots = axes.get_lines()
    values = np.asarray(profile_line.get_ydata())
    assert np.abs(values).max() <= 0.05 * (1 + 1e-9)
    heights = np.asarray(knots.get_ydata())
    assert len(heights) == solution.spline.width > 0
    np.testing.assert_allclose(heights, 0.05 * np.sign(solution.spline.coefficients), rtol=1e-5)


def test_the_marks_in_the_plane_sit_where_the_profile_is_extreme():
    problem, solution = solved(2, 0.05)
    axes = plotting.plot_dual_profile(problem, solution.certificate, solution.spline)
    mesh, marks = axes.collections
    angles, offsets = np.asarray(marks.get_offsets()).T
    assert len(angles) == solution.spline.width > 0
    assert angles.min() >= 0
    assert angles.max() < 180
    centre = problem.measurements.points.mean(axis=0)
    weights = np.column_stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))])
    neurons = rs.oracles.Neurons(weights, offsets + weights @ centre)
    values = rs.oracles.profile(problem.measurements.points, solution.dual, neurons)
    np.testing.assert_allclose(np.abs(values), 0.05, rtol=1e-4)
    assert np.abs(mesh.get_array()).max() <= 1 + 1e-9


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("strength", [0.05, 1e6])
def test_a_fit_has_a_picture_in_every_dimension_with_and_without_neurons(dimension, strength, tmp_path):
    problem, solution = solved(dimension, strength)
    plotting.plot_fit(problem, solution).savefig(tmp_path / "fit.png", dpi=40)
    assert (tmp_path / "fit.png").stat().st_size > 2000


def test_all_solutions_are_a_band_around_both_of_the_drawn_ones(tmp_path):
    rng = np.random.default_rng(0)
    problem = rs.Problem(rs.Samples(np.arange(12.0)), rng.standard_normal(12), rs.Interpolation())
    solutions = rs.solution_set(problem, rs.solve(problem))
    axes = plotting.plot_solution_set(solutions, problem.targets)
    axes.figure.savefig(tmp_path / "band.png", dpi=40)
    texts = axes.get_legend_handles_labels()[1]
    assert f"sparsest: {solutions.sparsest.width} knots" in texts
    assert "all solutions" in texts
    (band,) = axes.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() < problem.targets.min() or heights.max() > problem.targets.max()


def test_the_trace_encloses_the_optimum():
    _, solution = solved(2, 0.05)
    objective, bound = (np.asarray(line.get_ydata()) for line in plotting.plot_trace(solution).get_lines())
    assert (np.diff(objective) <= 0).all()
    assert (np.diff(bound) >= 0).all()
    assert (bound <= objective).all()


def test_given_axes_are_used():
    _, axes = plotting.plt.subplots()
    problem, solution = solved(1)
    drawn = plotting.plot_spline(solution.spline, problem.measurements.points, problem.targets, ax=axes)
    assert drawn is axes


def test_many_inputs_have_no_map():
    problem, solution = solved(3)
    with pytest.raises(ValueError, match="plot_directions"):
        plotting.plot_spline(solution.spline, problem.measurements.points, problem.targets)
    with pytest.raises(ValueError, match="1 or 2"):
        plotting.plot_dual_profile(problem, solution.certificate)


@pytest.mark.parametrize(("dimension", "claim"), [(3, True), (4, False)])
def test_a_trace_claims_the_optimum_only_where_the_bound_is_proven(dimension, claim):
    _, solution = solved(dimension, 0.05)
    _, texts = plotting.plot_trace(solution).get_legend_handles_labels()
    assert ("the optimum is in here" in texts) == claim
    assert ("proven bound" in texts) == claim


def test_a_spline_that_misses_the_data_still_has_a_trace(tmp_path):
    problem, solution = solved(1, 0.05)
    interpolation = rs.Problem(problem.measurements, problem.targets, loss=rs.Interpolation())
    missed = rs.Solution(solution.spline, rs.certify(interpolation, solution.spline), rs.Status.STALLED, solution.trace)
    assert missed.objective == np.inf
    plotting.plot_trace(missed).figure.savefig(tmp_path / "trace.png", dpi=40)
    plotting.plot_fit(interpolation, missed).savefig(tmp_path / "fit.png", dpi=40)


def test_hyperplanes_are_drawn_where_they_are():
    problem, solution = solved(2, 0.05)
    axes = plotting.plot_spline(solution.spline, problem.measurements.points, problem.targets)
    (lines,) = [c for c in axes.collections if isinstance(c, mpl.collections.LineCollection)]
    ends = np.array(lines.get_segments())
    spline = solution.spline
    offsets = np.einsum("ked,kd->ke", ends, spline.weights) - spline.biases[:, None]
    # Segments are a few data ranges long.
    np.testing.assert_allclose(offsets, 0, atol=1e-13)
    assert np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).min() > 2


def test_a_path_shows_each_neuron_at_its_coefficients_and_nothing_else():
    problem, _ = solved(2)
    path = rs.regularization_path(problem, count=8, ratio=0.05)
    figure = plotting.plot_path(path)
    upper, middle, lower = figure.axes[:3]
    (lines,) = upper.collections
    drawn = {i: [] for i in range(8)}
    for segment in lines.get_segments():
        for strength, value in np.asarray(segment):
            if value and np.isfinite(value):
                drawn[int(np.argmin(np.abs(path.strengths - strength)))].append(value)
    for i, solution in enumerate(path):
        np.testing.assert_allclose(sorted(drawn[i]), np.sort(solution.spline.coefficients), rtol=1e-12)
    assert 0 < len(lines.get_segments()) < path.widths.sum()  # some neurons last
    np.testing.assert_array_equal(middle.lines[0].get_ydata(), path.widths)
    np.testing.assert_array_equal(lower.lines[0].get_ydata(), path.losses)
    assert upper.get_xlim()[0] > upper.get_xlim()[1]  # λ falls to the right
    assert "certified" in figure.axes[3].get_ylabel()


def test_a_path_of_several_outputs_of_one_strength_or_without_neurons_has_a_picture(tmp_path):
    problem, _ = solved(1)
    y = np.column_stack([problem.targets, problem.targets**2])
    several = rs.Problem(problem.measurements, y, strength=1.0)
    for case, strengths in ((several, [0.1, 0.01]), (problem, [0.1]), (problem, [1e5, 1e6])):
        plotting.plot_path(rs.regularization_path(case, strengths)).savefig(tmp_path / "path.png", dpi=40)


def test_a_path_is_drawn_where_asked_and_refused_where_it_cannot_be():
    problem, _ = solved(1)
    path = rs.regularization_path(problem, [0.1])
    _, axes = plotting.plt.subplots(1, 3)
    assert plotting.plot_path(path, axes) is axes[0].figure
    with pytest.raises(ValueError, match="axes must be three, got 2"):
        plotting.plot_path(path, axes[:2])
    with pytest.raises(ValueError, match="no solution"):
        plotting.plot_path(rs.RegularizationPath(np.zeros(0), ()))


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("dimension", [1, 2])
def test_the_profile_drawn_is_that_of_the_order_and_touches_the_limit(order, dimension):
    rng = np.random.default_rng(order)
    x = rng.uniform(-1, 1, (30, dimension))
    problem = rs.Problem(rs.Samples(x), np.sin(4 * x[:, 0]), regularizer=rs.RadonTV(order), strength=1e-4)
    solution = rs.solve(problem)
    ax = plotting.plot_dual_profile(problem, solution.certificate)
    if dimension == 1:
        heights = np.asarray(ax.get_lines()[0].get_ydata()) / problem.strength
    else:
        heights = np.asarray(ax.collections[0].get_array())
    # A grid in the plane misses the top by a little.
    assert np.abs(heights).max() == pytest.approx(1.0, abs=1e-3 if dimension == 1 else 0.05)
    plotting.plt.close("all")
