"""Pictures of classifiers: the boundary is where f vanishes, and rings are on the data that hold it."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines import plotting
from ridgesplines.plotting_classes import plot_classes

mpl.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plotting.plt.close("all")


def solved(loss: rs.Loss, dimension: int = 2, strength: float | None = None):
    x = np.random.default_rng(dimension).uniform(-1, 1, (30, dimension))
    y = np.where(x[:, -1] > 2 * np.abs(x[:, 0]) - 0.7, 1.0, -1.0) if dimension > 1 else np.sign(np.abs(x[:, 0]) - 0.5)
    problem = rs.Problem(rs.Samples(x), y, loss, strength=strength)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-8))
    return problem, solution


def drawn(problem, solution):
    points, labels = problem.measurements.points, problem.targets
    return plot_classes(solution.spline, points, labels, solution.certificate)


@pytest.mark.parametrize(
    ("loss", "strength"), [(rs.HardMargin(), None), (rs.HingeLoss(), 0.1), (rs.LogisticLoss(), 0.1)], ids=repr
)
def test_the_boundary_and_the_margins_are_level_lines_and_rings_are_on_support_points(loss, strength):
    problem, solution = solved(loss, 2, strength)
    ax = drawn(problem, solution)
    levels = [c for c in ax.collections if isinstance(c, mpl.contour.QuadContourSet)]
    assert [list(c.levels) for c in levels] == [[0.0], [-1.0, 1.0]]
    for contour in levels:
        for level, path in zip(contour.levels, contour.get_paths(), strict=True):
            # Between the points of the grid, a hundredth apart or less, f is nearly linear.
            np.testing.assert_allclose(solution.spline(path.vertices), level, atol=0.02 * solution.spline.radon_tv())
    rings = ax.collections[-1]
    margins = problem.targets * solution.spline(problem.measurements.points)
    count = len(rings.get_offsets())
    name = ax.get_legend_handles_labels()[1][-1]
    if strength is not None and isinstance(loss, rs.LogisticLoss):
        assert count == 30
        assert name == "all data, by |z|"
        return
    # Whoever has a dual variable is on its margin, or on the wrong side; whoever is beyond it has none.
    for place in np.asarray(rings.get_offsets()):
        (row,) = np.flatnonzero((problem.measurements.points == place).all(axis=1))
        assert margins[row] <= 1 + 1e-6
    assert 0 < count <= (margins <= 1 + 1e-6).sum()
    assert name == f"{count} support points, by |z|"


def test_on_the_line_f_is_drawn_with_its_data_and_levels():
    problem, solution = solved(rs.HingeLoss(), 1, 0.1)
    ax = drawn(problem, solution)
    heights = [line.get_ydata()[0] for line in ax.get_lines()[:3]]
    assert heights == [0.0, 1.0, -1.0]
    for label, scattered in zip((1, -1), ax.collections, strict=False):
        x, f = np.asarray(scattered.get_offsets()).T
        assert len(x) == (problem.targets == label).sum()
        np.testing.assert_allclose(f, solution.spline(x[:, None]), atol=1e-12)


def test_fits_of_labels_are_drawn_so_and_others_are_not(tmp_path):
    for dimension in (1, 2):
        figure = plotting.plot_fit(*solved(rs.HingeLoss(), dimension, 0.1))
        assert "f = ±1" in figure.axes[0].get_legend_handles_labels()[1]
        figure.savefig(tmp_path / "fit.png", dpi=40)
    figure = plotting.plot_fit(*solved(rs.SquaredLoss(), 2, 0.1))
    assert "f = ±1" not in figure.axes[0].get_legend_handles_labels()[1]


def test_a_classifier_that_is_constant_has_a_picture():
    x = np.random.default_rng(0).uniform(-1, 1, (10, 2))
    problem = rs.Problem(rs.Samples(x), np.ones(10), rs.HingeLoss(), strength=1.0)
    ax = drawn(problem, rs.solve(problem))
    assert not [c for c in ax.collections if isinstance(c, mpl.contour.QuadContourSet)]


def test_what_has_no_picture_is_refused():
    problem, solution = solved(rs.HingeLoss(), 3, 0.1)
    with pytest.raises(ValueError, match="3 inputs has no picture"):
        drawn(problem, solution)
    problem, solution = solved(rs.HingeLoss(), 2, 0.1)
    with pytest.raises(ValueError, match="for 30 data, but there are 29"):
        plot_classes(solution.spline, problem.measurements.points[1:], problem.targets[1:], solution.certificate)
