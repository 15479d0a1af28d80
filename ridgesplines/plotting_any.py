"""One call for every picture: what is drawn how, in one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ridgesplines.breakpoints import ExactPath
from ridgesplines.certificate import Certificate
from ridgesplines.comparison import Comparison
from ridgesplines.discrepancy import DiscrepancySelection
from ridgesplines.kernel_nuggets import NuggetChoice
from ridgesplines.kernel_solution import KernelSolution
from ridgesplines.kernel_spline import KernelSpline
from ridgesplines.losses import LabelLoss
from ridgesplines.measurements import Measurement
from ridgesplines.path import RegularizationPath, StrengthSelection
from ridgesplines.plotting import (
    plot_agreement,
    plot_directions,
    plot_dual_profile,
    plot_fit,
    plot_path,
    plot_solution_set,
    plot_spline,
    plot_trace,
)
from ridgesplines.plotting_classes import plot_classes
from ridgesplines.plotting_comparison import plot_gaps
from ridgesplines.plotting_kernels import plot_kernel_spline, plot_nuggets
from ridgesplines.plotting_measurements import plot_measurements
from ridgesplines.plotting_parts import Labels, axes_or_new, several_axes
from ridgesplines.plotting_radon import plot_radon_measure
from ridgesplines.plotting_selection import plot_selection
from ridgesplines.plotting_training import plot_grid, plot_training
from ridgesplines.problem import Problem
from ridgesplines.radon.measure import RadonMeasure
from ridgesplines.selection import StrengthScores
from ridgesplines.solution import Solution, TraceRow
from ridgesplines.solvers.solution_set import SolutionSet
from ridgesplines.solvers.training import TrainingGrid, TrainingResult
from ridgesplines.spline import RidgeSpline
from ridgesplines.surfaces.drawing import plot_curves
from ridgesplines.surfaces.implicit import ImplicitFunction
from ridgesplines.surfaces.reconstruction import Reconstruction
from ridgesplines.surfaces.rendering import plot_mesh

# Strengths of an exact path that are drawn.
_STRENGTHS = 200


def plot(thing: Any, *, ax: Any = None, **options: Any) -> Axes | np.ndarray:
    """The picture of whatever the package returns.

    A spline over its data (`x=`, `y=`) or where it bends, a solution beside its certificate, a certificate as its dual
    profile, paths over λ, traces over time, trainings over steps, comparisons by gap, neurons in the Radon domain,
    kernels' functions, sets of solutions, what chose λ or nuggets, measurements, and reconstructed surfaces.

    Args:
        thing: a `RidgeSpline`, `Solution`, `Certificate`, `RegularizationPath`, `ExactPath`, a solution's trace,
            `Comparison`, `TrainingResult`, `TrainingGrid`, `RadonMeasure`, `KernelSpline`, `KernelSolution`,
            `SolutionSet`, `StrengthSelection`, `StrengthScores`, `DiscrepancySelection`, `NuggetChoice`, `Problem`, any
            `Measurement`, `surfaces.ImplicitFunction` or `surfaces.Reconstruction`.
        ax: where to draw; of pictures with several panels, as many Axes. By default those of a new figure.
        options: of the function that draws it, see `plotting` and its neighbours: `labels`, `x`, `y`, ….

    Returns:
        The Axes, or an array of the Axes of each panel; nothing is shown. The figure is `ax.figure`, or
        `axes[0].figure`.

    Raises:
        TypeError: if `thing` is of a kind that has no picture, or an option is unknown.
        ValueError: if this one has none, in too many dimensions for instance.
    """
    if isinstance(thing, tuple | list) and thing and all(isinstance(row, TraceRow) for row in thing):
        return plot_trace(thing, ax=ax, **options)
    # What is derived from a kind is drawn like it, unless it has an entry of its own.
    for kind in type(thing).__mro__:
        if kind in PICTURES:
            return PICTURES[kind](thing, ax=ax, **options)
    got = f"the class {thing.__name__}" if isinstance(thing, type) else type(thing).__name__
    known = ", ".join(kind.__name__ for kind in PICTURES)
    raise TypeError(f"plot draws no {got}; it draws {known}, and the trace of a solution.")


def _plot_spline(spline: RidgeSpline, *, ax: Any = None, **options: Any) -> Axes | np.ndarray:
    if spline.dimension > 2:
        if options.get("x") is not None and options.get("y") is not None:
            return plot_agreement(spline, ax=ax, **options)
        return plot_directions(spline, ax=ax, **options)
    if spline.dimension == 1 or spline.coefficients.ndim == 1:
        return plot_spline(spline, ax=ax, **options)
    # In the plane, a panel for each output.
    y = options.pop("y", None)
    count = spline.outputs
    axes = several_axes(ax, count, ncols=count, figsize=(5.5 * count, 4.6))
    for j, panel in enumerate(axes):
        polynomial = spline.polynomial.coefficients[:, j]
        own = RidgeSpline(spline.weights, spline.biases, spline.coefficients[:, j], polynomial, spline.order)
        plot_spline(own, y=None if y is None else y[:, j], ax=panel, **options)
        panel.set_title(f"output {j + 1}", fontsize="medium")
    return np.array(axes)


def _plot_solution(solution: Solution, *, ax: Any = None, **options: Any) -> Axes | np.ndarray:
    """Beside its certificate if there is room, and if the problem is known."""
    problem, spline = solution.problem, solution.spline
    if problem is None:
        return _plot_spline(spline, ax=ax, **options)
    if not problem.sampled:
        return _plot_spline(spline, ax=ax, x=problem.measurements.supports()[0], **options)
    one = spline.coefficients.ndim == 1
    if ax is None and one:
        return np.array(plot_fit(problem, solution, **options).axes[:2])
    if isinstance(problem.loss, LabelLoss) and spline.dimension <= 2 and one:
        return plot_classes(spline, problem.points, problem.targets, solution.certificate, ax=ax, **options)
    data = {"x": problem.points, "y": problem.targets}
    return _plot_spline(spline, ax=ax, **(data | options if one or spline.dimension <= 2 else options))


def _plot_certificate(certificate: Certificate, *, ax: Axes | None = None, **options: Any) -> Axes:
    problem = options.pop("problem", certificate.problem)
    if problem is None:
        raise ValueError("a certificate that does not know its problem needs it to be drawn: plot(…, problem=problem).")
    return plot_dual_profile(problem, certificate, ax=ax, **options)


def _plot_problem(problem: Problem, *, ax: Axes | None = None, **options: Any) -> Axes:
    if problem.measurements.dimension == 1 and problem.sampled:
        labels = options.pop("labels", None) or Labels.plain(1)
        ax = axes_or_new(ax)
        ax.plot(problem.points[:, 0], problem.targets, "o", markersize=3.5, alpha=0.6, **options)
        ax.set(xlabel=labels.inputs[0], ylabel=labels.target)
        return ax
    values = problem.targets if problem.targets.ndim == 1 else problem.targets[:, 0]
    return plot_measurements(problem.measurements, values, ax=ax, **options)


def _plot_path(path: RegularizationPath, *, ax: Any = None) -> np.ndarray:
    figure = plot_path(path, None if ax is None else several_axes(ax, 3))
    return np.array(figure.axes[:3] if ax is None else several_axes(ax, 3))


def _plot_exact_path(path: ExactPath, *, ax: Any = None) -> np.ndarray:
    top, bottom = float(path.strengths[0]), float(path.strengths[-1])
    strengths = path.strengths if len(path) <= _STRENGTHS else np.geomspace(top, bottom, _STRENGTHS)
    return _plot_path(path.sample(np.maximum(strengths, bottom)), ax=ax)


def _plot_comparison(comparison: Comparison, *, ax: Any = None) -> np.ndarray:
    panels = 3 if any(row.test_error is not None for row in comparison.rows) else 2
    figure = plot_gaps(comparison, None if ax is None else several_axes(ax, panels))
    return np.array(figure.axes[:panels] if ax is None else several_axes(ax, panels))


def _plot_radon_measure(measure: RadonMeasure, *, ax: Axes | None = None, **options: Any) -> Axes:
    spline = RidgeSpline(measure.directions, measure.offsets, measure.masses, None, measure.order)
    return plot_radon_measure(spline, ax=ax, **options)


def _plot_implicit(function: ImplicitFunction, *, ax: Axes | None = None, **options: Any) -> Axes:
    # The zero set is that of the function on the ball that the points were scaled to.
    # Either kind of spline has what is drawn, centres and values.
    spline: Any = function.spline
    drawn = plot_kernel_spline(spline, ax=ax, **options)
    drawn.set_title(f"scaled by {function.scale:.4g} about {np.round(function.centre, 6).tolist()}", fontsize="medium")
    return drawn


def _plot_reconstruction(made: Reconstruction, *, ax: Any = None, **options: Any) -> Axes:
    if made.vertices.shape[1] == 2:
        return plot_curves(made, ax=ax, **options)
    return plot_mesh(made.vertices, made.faces, ax=ax, **options)


# The place to register a new kind: what draws it, as a function of the thing, `ax` and its options.
PICTURES: dict[type, Callable[..., Axes | np.ndarray]] = {
    RidgeSpline: _plot_spline,
    Solution: _plot_solution,
    Certificate: _plot_certificate,
    RegularizationPath: _plot_path,
    ExactPath: _plot_exact_path,
    Comparison: _plot_comparison,
    TrainingResult: plot_training,
    TrainingGrid: plot_grid,
    RadonMeasure: _plot_radon_measure,
    KernelSpline: plot_kernel_spline,
    KernelSolution: plot_kernel_spline,
    SolutionSet: plot_solution_set,
    StrengthSelection: plot_selection,
    StrengthScores: plot_selection,
    DiscrepancySelection: plot_selection,
    NuggetChoice: plot_nuggets,
    Problem: _plot_problem,
    Measurement: plot_measurements,
    ImplicitFunction: _plot_implicit,
    Reconstruction: _plot_reconstruction,
}
