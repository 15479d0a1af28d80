"""plot and plot_interactive: every kind has its picture, and the rest a sentence."""

from __future__ import annotations

import functools
import sys

import matplotlib as mpl
import numpy as np
import pytest
from helpers import random_spline
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

import ridgesplines as rs
from ridgesplines import plotting_any
from ridgesplines.plotting_any import PICTURES

mpl.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def problem(dimension: int = 1, outputs: int | None = None, **options) -> rs.Problem:
    random = np.random.default_rng(dimension)
    x = random.uniform(-1, 1, (25, dimension))
    y = np.abs(x).sum(axis=1)
    y = y if outputs is None else np.column_stack([y * (k + 1) for k in range(outputs)])
    return rs.Problem(rs.Samples(x), y, **({"strength": 0.05} | options))


@functools.cache
def grid() -> rs.TrainingGrid:
    return rs.train_grid(problem(), [2, 3], [0.1, 0.2], steps=4, seeds=2, records=2, progress=False)


def circle() -> tuple[np.ndarray, np.ndarray]:
    angles = 2 * np.pi * np.arange(12) / 12
    normals = np.column_stack([np.cos(angles), np.sin(angles)])
    return 2 * normals, normals


def kernel_solution(dimension: int = 2) -> rs.KernelSolution:
    points = np.random.default_rng(0).uniform(-1, 1, (12, dimension))
    return rs.solve_kernel(rs.KernelProblem(points, points[:, 0], kernel=rs.kernels.GaussianKernel()))


THINGS = {
    # how it comes about, the kind that draws it, how many panels
    "spline": (lambda: rs.solve(problem()).spline, rs.RidgeSpline, 1),
    "spline in the plane": (lambda: rs.solve(problem(2)).spline, rs.RidgeSpline, 1),
    "spline without neurons in the plane": (lambda: rs.solve(problem(2, strength=1e6)).spline, rs.RidgeSpline, 1),
    "spline in space": (lambda: rs.solve(problem(3)).spline, rs.RidgeSpline, 1),
    "spline of two outputs": (lambda: rs.solve(problem(1, 2)).spline, rs.RidgeSpline, 1),
    "spline of two outputs in the plane": (
        lambda: random_spline(np.random.default_rng(0), outputs=2),
        rs.RidgeSpline,
        2,
    ),
    "solution": (lambda: rs.solve(problem()), rs.Solution, 2),
    "solution in the plane": (lambda: rs.solve(problem(2)), rs.Solution, 2),
    "solution in space": (lambda: rs.solve(problem(3)), rs.Solution, 2),
    "solution of two outputs": (lambda: rs.solve(problem(1, 2)), rs.Solution, 1),
    "solution for integrals": (
        lambda: rs.solve(rs.Problem(rs.BoxAverages.around(np.arange(6.0), 0.5), np.arange(6.0) % 2, strength=0.1)),
        rs.Solution,
        1,
    ),
    "certificate": (lambda: rs.solve(problem()).certificate, rs.Certificate, 1),
    "path": (lambda: rs.regularization_path(problem(), count=4), rs.RegularizationPath, 3),
    "exact path": (lambda: rs.exact_path(problem(), ratio=0.1), rs.ExactPath, 3),
    "trace": (lambda: rs.solve(problem()).trace, tuple, 1),
    "comparison": (lambda: rs.compare(problem(), {"a": rs.LineSpline(), "b": rs.KernelRegression()}), rs.Comparison, 2),
    "training": (lambda: grid().results[0][0], rs.TrainingResult, 1),
    "grid": (grid, rs.TrainingGrid, 1),
    "measure": (lambda: rs.radon_measure(rs.solve(problem(2)).spline), rs.RadonMeasure, 1),
    "kernel spline": (lambda: kernel_solution().spline, rs.KernelSpline, 1),
    "kernel solution": (lambda: kernel_solution(1), rs.KernelSolution, 1),
    "solution set": (lambda: rs.solution_set(p := problem(), rs.solve(p)), rs.SolutionSet, 1),
    "selection": (
        lambda: rs.select_strength(problem().measurements, problem().targets, count=4, folds=3),
        rs.StrengthSelection,
        1,
    ),
    "scores": (
        lambda: rs.generalized_cross_validation(p := problem(), rs.regularization_path(p, count=4)),
        rs.StrengthScores,
        1,
    ),
    "discrepancy": (
        lambda: rs.discrepancy_strength(problem().measurements, problem().targets, noise_norm=0.5),
        rs.DiscrepancySelection,
        1,
    ),
    "nuggets": (
        lambda: rs.choose_nuggets(
            rs.KernelProblem(circle()[0], 0, circle()[1], kernel=rs.kernels.UniformKernel(radius=3.0))
        ),
        rs.NuggetChoice,
        1,
    ),
    "problem": (problem, rs.Problem, 1),
    "problem in the plane": (lambda: problem(2), rs.Problem, 1),
    "measurement": (lambda: problem(2).measurements, rs.Samples, 1),
    "implicit function": (lambda: rs.surfaces.fit_oriented(*circle())[0], rs.surfaces.ImplicitFunction, 1),
    "reconstruction": (lambda: rs.surfaces.reconstruct(*circle(), resolution=24), rs.surfaces.Reconstruction, 1),
}


@pytest.mark.parametrize("name", THINGS)
def test_every_kind_has_a_picture_on_axes_new_or_given(name, tmp_path, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *arguments, **options: pytest.fail("plot must show nothing"))
    make, kind, panels = THINGS[name]
    thing = make()
    assert isinstance(thing, kind)
    drawn = rs.plot(thing)
    axes = np.ravel(drawn)
    assert isinstance(drawn, Axes) == (panels == 1)
    assert len(axes) == panels
    assert all(isinstance(ax, Axes) for ax in axes)
    for ax in axes:
        # Lines, images, contours or text: no panel is empty.
        assert ax.lines or ax.collections or ax.images or ax.patches or ax.texts
    figure = axes[0].get_figure(root=True)
    figure.savefig(tmp_path / "new.png", dpi=40)
    assert (tmp_path / "new.png").stat().st_size > 1500
    before = plt.get_fignums()
    # A solution on one axes is its function alone.
    count = 1 if isinstance(thing, rs.Solution) else panels
    own = np.ravel(np.array(plt.subplots(1, count)[1], dtype=object))
    again = rs.plot(thing, ax=own[0] if count == 1 else own)
    assert [id(ax) for ax in np.ravel(again)] == [id(ax) for ax in own]
    assert len(plt.get_fignums()) == len(before) + 1


def test_every_registered_kind_is_in_the_table_above():
    drawn = {kind for _, kind, _ in THINGS.values()}
    assert {kind for kind in PICTURES if not any(issubclass(other, kind) for other in drawn)} == set()


@pytest.mark.parametrize("thing", [3, "fit.npz", None, [], rs.RidgeSpline, np.zeros(3)])
def test_what_has_no_picture_is_told_what_has(thing):
    with pytest.raises(
        TypeError, match=r"plot draws no .*; it draws RidgeSpline, Solution, .*Reconstruction, and the tr"
    ):
        rs.plot(thing)
    with pytest.raises(TypeError, match="plot_interactive draws a RegularizationPath, a Solution or a RidgeSpline"):
        rs.plot_interactive(thing)


def test_what_is_no_axes_is_refused():
    for thing in (rs.RidgeSpline([[1.0]], [0.5], [2.0]), rs.solve(problem())):
        with pytest.raises(TypeError, match="ax must be Axes of Matplotlib, got int; or leave it out"):
            rs.plot(thing, ax=3)


def test_axes_of_another_number_are_refused():
    path = rs.regularization_path(problem(), count=3)
    with pytest.raises(ValueError, match="ax must be 3 Axes, one for each panel, got 1"):
        rs.plot(path, ax=plt.subplots()[1])
    with pytest.raises(TypeError, match="colour"):
        rs.plot(path, colour="red")


def test_a_new_kind_is_registered_in_one_place(monkeypatch):
    class Recipe:
        pass

    class OwnRecipe(Recipe):
        pass

    def draw(recipe, *, ax=None, **options):
        return plt.subplots()[1]

    monkeypatch.setitem(plotting_any.PICTURES, Recipe, draw)
    assert isinstance(rs.plot(OwnRecipe()), Axes)


def test_a_certificate_without_its_problem_asks_for_it():
    own = problem()
    solution = rs.solve(own)
    certificate = rs.Certificate(**{**vars(solution.certificate), "problem": None})
    with pytest.raises(ValueError, match="problem=problem"):
        rs.plot(certificate)
    line = rs.plot(certificate, problem=own).get_lines()[0]
    # The dual profile stays within ±λ.
    assert np.abs(line.get_ydata()).max() <= 0.05 * (1 + 1e-9)


def test_a_path_slides_over_its_strengths():
    pytest.importorskip("plotly", reason="needs the extra report")
    path = rs.regularization_path(problem(), count=5)
    figure = rs.plot_interactive(path)
    (slider,) = figure.layout.sliders
    assert [float(step.label) for step in slider.steps] == pytest.approx(path.strengths, rel=1e-3)
    for i, (step, solution) in enumerate(zip(slider.steps, path, strict=True)):
        visible = [trace for trace, shown in zip(figure.data, step.args[0]["visible"], strict=True) if shown]
        data, curve, knots = visible
        assert len(data.x) == 25
        np.testing.assert_allclose(curve.y, solution.spline(np.asarray(curve.x)))
        assert len(knots.x) == solution.spline.width, i
    assert sum(trace.visible is not False for trace in figure.data) == 3


def test_a_spline_in_the_plane_is_a_surface():
    pytest.importorskip("plotly", reason="needs the extra report")
    solution = rs.solve(problem(2))
    data, surface = rs.plot_interactive(solution).data
    assert data.type == "scatter3d"
    mesh = np.stack(np.meshgrid(surface.x, surface.y), axis=-1).reshape(-1, 2)
    np.testing.assert_allclose(np.ravel(surface.z), solution.spline(mesh))
    assert len(rs.plot_interactive(solution.spline).data) == 1
    with pytest.raises(ValueError, match="got 3 inputs and 1 outputs"):
        rs.plot_interactive(rs.solve(problem(3)))
    with pytest.raises(ValueError, match="x and y belong together"):
        rs.plot_interactive(solution, x=[[0.0, 0.0]])


def test_without_plotly_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly", None)
    with pytest.raises(ImportError, match=r"pip install 'ridgesplines\[report\]'"):
        rs.plot_interactive(rs.RidgeSpline([[1.0]], [0.0], [1.0]))
