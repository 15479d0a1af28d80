"""Pictures of fits, dual profiles and traces. Every function takes `ax` or makes a figure, and never shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from ridgesplines.certificate import Certificate
from ridgesplines.losses import LabelLoss
from ridgesplines.norms import sizes
from ridgesplines.oracles import Neurons, profile
from ridgesplines.path import RegularizationPath
from ridgesplines.plotting_classes import plot_classes
from ridgesplines.plotting_parts import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    Labels,
    axes_or_new,
    draw_hyperplanes,
    margins,
    region_of,
)
from ridgesplines.problem import Problem, check_samples
from ridgesplines.solution import Solution, TraceRow
from ridgesplines.solvers.solution_set import SolutionSet
from ridgesplines.spline import RidgeSpline

# Hyperplanes of two solutions that agree to this are one.
_SAME = 1e-9


def plot_spline(
    spline: RidgeSpline,
    x: np.ndarray | None = None,
    y: np.ndarray | None = None,
    *,
    labels: Labels | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The spline over its data: a curve with its knots (d = 1) or contours with its hyperplanes (d = 2).

    Args:
        spline: of one or two inputs, with one output; on the line, of several outputs too, a curve each.
        x: the inputs, (N, d); without them the picture shows where the spline bends.
        y: the targets, (N,), or (N, D); without them no data are drawn.
        labels: of the axes.
        ax: where to draw.

    Raises:
        ValueError: if the spline has more than two inputs, which `plot_directions` serves, or several outputs in the
            plane.
    """
    labels = Labels.plain(spline.dimension) if labels is None else labels
    if spline.dimension == 2 and spline.coefficients.ndim == 2:
        raise ValueError(f"a spline in the plane has one picture for each of its {spline.outputs} outputs; take one.")
    ax = axes_or_new(ax)
    if x is None and spline.dimension <= 2:
        x, y = region_of(spline.canonical()), None
    if spline.dimension == 1 and x is not None:
        return _plot_curve(ax, spline.canonical(), x, y, labels)
    if spline.dimension == 2 and x is not None:
        return _plot_contours(ax, spline.canonical(), x, y, labels)
    raise ValueError(f"a spline of {spline.dimension} inputs has no picture of this kind; see plot_directions.")


def _plot_curve(ax: Axes, spline: RidgeSpline, x: np.ndarray, y: np.ndarray | None, labels: Labels) -> Axes:
    low, high = margins(x[:, 0])
    knots = spline.biases[(spline.biases > low) & (spline.biases < high)]
    grid = np.sort(np.concatenate([np.linspace(low, high, 1001), knots]))
    kinks = f"{len(knots)} knot{'' if len(knots) == 1 else 's'}"
    columns = [None] if spline.coefficients.ndim == 1 else range(spline.outputs)
    for column in columns:
        several, at = ("", slice(None)) if column is None else (f", output {column + 1}", (slice(None), column))
        colour = BLUE if column is None else f"C{column}"
        if y is not None:
            own = GREY if column is None else colour
            data = "data" if not column else None
            ax.plot(x[:, 0], y[at], "o", color=own, markersize=3.5, alpha=0.6, label=data, zorder=1)
        ax.plot(grid, spline(grid)[at], color=colour, linewidth=2, label=f"ridge spline{several}", zorder=2)
        own = RED if column is None else colour
        ax.plot(knots, spline(knots)[at], "D", color=own, markersize=5, label=None if column else kinks, zorder=3)
    ax.set(xlabel=labels.inputs[0], ylabel=labels.target, xlim=(low, high))
    ax.legend(frameon=False, loc="best")
    return ax


def plot_solution_set(
    solutions: SolutionSet, y: np.ndarray | None = None, *, labels: Labels | None = None, ax: Axes | None = None
) -> Axes:
    """All solutions on the line: the band between the least and the largest of them, the canonical and a sparsest one.

    Args:
        solutions: what `solution_set` returned.
        y: the targets at `solutions.points`, (n,), if they are to be drawn.
        labels: of the axes.
        ax: where to draw.
    """
    labels = Labels.plain(1) if labels is None else labels
    ax = axes_or_new(ax)
    low, high = margins(solutions.points)
    canonical, sparsest = solutions.canonical, solutions.sparsest
    # Between two knots of any of them everything is straight.
    grid = np.sort(np.concatenate([np.linspace(low, high, 1001), canonical.biases, sparsest.biases]))
    least, largest = solutions.envelope(grid)
    if y is not None:
        ax.plot(solutions.points, y, "o", color=GREY, markersize=3.5, alpha=0.6, label="data", zorder=1)
    title = "all solutions" if solutions.complete else "all solutions with these values"
    ax.fill_between(grid, least, largest, color=ORANGE, alpha=0.6, linewidth=0, label=title, zorder=1)
    for spline, color, word, marker in ((canonical, BLUE, "canonical", "D"), (sparsest, RED, "sparsest", "o")):
        ax.plot(grid, spline(grid), color=color, linewidth=1.2, zorder=2)
        knots = spline.biases
        label = f"{word}: {len(knots)} knot{'' if len(knots) == 1 else 's'}"
        ax.plot(knots, spline(knots), marker, color=color, markersize=4, label=label, zorder=3)
    ax.set(xlabel=labels.inputs[0], ylabel=labels.target, xlim=(low, high))
    ax.legend(frameon=False, loc="best")
    return ax


def _plot_contours(ax: Axes, spline: RidgeSpline, x: np.ndarray, y: np.ndarray | None, labels: Labels) -> Axes:
    plot_map(spline, x, y, labels=labels, ax=ax)
    draw_hyperplanes(ax, spline, (margins(x[:, 0]), margins(x[:, 1])))
    if spline.width:
        ax.legend(loc="upper right", fontsize="small", framealpha=0.9)
    return ax


def plot_map(
    function: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    y: np.ndarray | None = None,
    *,
    labels: Labels | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Any function of two inputs over its data, as contours.

    Args:
        function: from inputs (n, 2) to values (n,).
        x: the inputs, (N, 2); without targets, points of the region to show.
        y: the targets, (N,).
        labels: of the axes.
        ax: where to draw.
    """
    labels = Labels.plain(2) if labels is None else labels
    ax = axes_or_new(ax)
    (low1, high1), (low2, high2) = margins(x[:, 0]), margins(x[:, 1])
    grid1, grid2 = np.linspace(low1, high1, 241), np.linspace(low2, high2, 241)
    mesh = np.stack(np.meshgrid(grid1, grid2), axis=-1).reshape(-1, 2)
    values = np.asarray(function(mesh)).reshape(241, 241)
    # Outside the data's range a fit extrapolates linearly; the colours are for the inside.
    shown = values if y is None else y
    limits = float(shown.min()), float(shown.max())
    values = np.clip(values, *limits)
    levels = MaxNLocator(14).tick_values(*limits) if limits[0] < limits[1] else 14
    filled = ax.contourf(grid1, grid2, values, levels=levels, cmap="viridis")
    if y is not None:
        kind: dict[str, Any] = {"cmap": "viridis", "vmin": limits[0], "vmax": limits[1], "edgecolors": "white"}
        ax.scatter(x[:, 0], x[:, 1], c=y, s=12, linewidths=0.5, zorder=3, **kind)
    ax.figure.colorbar(filled, ax=ax, label=labels.target, shrink=0.9)
    ax.set(xlabel=labels.inputs[0], ylabel=labels.inputs[1], xlim=(low1, high1), ylim=(low2, high2))
    return ax


def plot_dual_profile(
    problem: Problem, certificate: Certificate, spline: RidgeSpline | None = None, *, ax: Axes | None = None
) -> Axes:
    """The certificate: the dual profile p_z over all neurons, which stays within ±λ and touches where neurons sit.

    Args:
        problem: in one or two inputs.
        certificate: of a spline for it.
        spline: whose neurons to mark.
        ax: where to draw.

    Raises:
        ValueError: if the problem has more than two inputs.
    """
    check_samples(problem, "plot_dual_profile")
    ax = axes_or_new(ax)
    match problem.measurements.dimension:
        case 1:
            return _plot_profile_line(ax, problem, certificate, spline)
        case 2:
            return _plot_profile_plane(ax, problem, certificate, spline)
    raise ValueError(f"the dual profile of {problem.measurements.dimension} inputs has no picture; 1 or 2 have.")


def _plot_profile_line(ax: Axes, problem: Problem, certificate: Certificate, spline: RidgeSpline | None) -> Axes:
    points, limit = problem.points, problem.dual_limit
    low, high = margins(points[:, 0])
    knots = np.array([]) if spline is None else np.asarray(spline.canonical().biases)
    grid = np.unique(np.concatenate([np.linspace(low, high, 801), points[:, 0], knots]))
    kind = problem.regularizer.order, problem.regularizer.activation.slope
    values = profile(points, certificate.dual, Neurons(np.ones((len(grid), 1)), grid), *kind)
    ax.axhspan(-limit, limit, color=ORANGE, alpha=0.18, linewidth=0, label="±λ" if problem.strength else "±1")
    ax.plot(grid, values, color=GREEN, linewidth=1.5, label="dual profile p")
    if len(knots):
        touching = profile(points, certificate.dual, Neurons(np.ones((len(knots), 1)), knots), *kind)
        ax.plot(knots, touching, "D", color=RED, markersize=5, label="at the knots")
    ax.set(xlabel="bias b: where a knot may sit", ylabel="p(b)", xlim=(low, high))
    ax.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.98), ncols=3, fontsize="small")
    return ax


def _plot_profile_plane(ax: Axes, problem: Problem, certificate: Certificate, spline: RidgeSpline | None) -> Axes:
    points, limit = problem.points, problem.dual_limit
    centre = points.mean(axis=0)
    centred = points - centre
    reach = float(np.linalg.norm(centred, axis=1).max()) or 1.0
    angles, offsets = np.linspace(0, np.pi, 361), np.linspace(-reach, reach, 301)
    kind = problem.regularizer.order, problem.regularizer.activation.slope
    values = np.empty((len(offsets), len(angles)))
    for j, angle in enumerate(angles):
        weights = np.tile([np.cos(angle), np.sin(angle)], (len(offsets), 1))
        values[:, j] = profile(centred, certificate.dual, Neurons(weights, offsets), *kind)
    image = ax.pcolormesh(
        np.degrees(angles), offsets, values / limit, cmap="RdBu_r", vmin=-1, vmax=1, shading="nearest", rasterized=True
    )
    if spline is not None and spline.width:
        marks = spline.canonical()
        # Angles in [0°, 180°): the other orientation of the same hyperplane.
        angle = np.arctan2(marks.weights[:, 1], marks.weights[:, 0])
        offset = marks.biases - marks.weights @ centre
        offset, angle = np.where(angle < 0, -offset, offset), np.degrees(np.where(angle < 0, angle + np.pi, angle))
        size = 8 + 60 * np.abs(marks.coefficients) / np.abs(marks.coefficients).max()
        ax.scatter(angle, offset, s=size, facecolors="none", edgecolors="black", linewidths=1.0, label="neuron, by |v|")
        ax.legend(loc="upper right", fontsize="small", framealpha=0.9)
    ax.figure.colorbar(image, ax=ax, label="dual profile p / λ" if problem.strength else "dual profile p", shrink=0.9)
    ax.set(xlabel="angle of w (degrees)", ylabel="offset of the hyperplane from the centre of the data")
    ax.set_xticks(range(0, 181, 45))
    return ax


def plot_directions(
    spline: RidgeSpline, *, labels: Labels | None = None, most: int = 20, ax: Axes | None = None
) -> Axes:
    """The largest neurons of a spline of many inputs: a row each with its unit weights and its coefficient.

    Args:
        spline: of one output.
        labels: of the inputs.
        most: how many neurons to show.
        ax: where to draw.
    """
    labels = Labels.plain(spline.dimension) if labels is None else labels
    ax = axes_or_new(ax)
    spline = spline.canonical()
    order = np.argsort(-np.abs(spline.coefficients))[:most]
    if not len(order):
        ax.text(0.5, 0.5, "no neuron: the fit is affine", ha="center", va="center", transform=ax.transAxes)
        ax.set_axis_off()
        return ax
    image = ax.imshow(spline.weights[order], cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    ax.set_xticks(range(spline.dimension), labels.inputs, rotation=45, ha="right")
    ax.set_yticks(range(len(order)), [f"{spline.coefficients[k]:+.3g}" for k in order])
    ax.set(ylabel="coefficient v")
    ax.set_title(f"weights w of {len(order)} of {spline.width} neurons", fontsize="medium")
    ax.figure.colorbar(image, ax=ax, label="weight", shrink=0.9)
    return ax


def plot_agreement(
    spline: RidgeSpline, x: np.ndarray, y: np.ndarray, *, labels: Labels | None = None, ax: Axes | None = None
) -> Axes:
    """Fitted against observed targets, for splines of any number of inputs."""
    labels = Labels.plain(spline.dimension) if labels is None else labels
    ax = axes_or_new(ax)
    fitted = spline(x)
    limits = [min(y.min(), fitted.min()), max(y.max(), fitted.max())]
    ax.plot(limits, limits, color=GREY, linewidth=1, linestyle="--", label="perfect fit")
    ax.plot(fitted, y, "o", color=BLUE, markersize=3.5, alpha=0.6, label="data")
    ax.set(xlabel=f"fitted {labels.target}", ylabel=f"observed {labels.target}")
    ax.legend(frameon=False, loc="upper left")
    return ax


def plot_trace(solution: Solution | Sequence[TraceRow], *, ax: Axes | None = None) -> Axes:
    """Objective and bound against time: where the bound is proven, the optimum lies between the two curves.

    Args:
        solution: or its trace alone, which does not say whether the bounds are proven.
        ax: where to draw.

    Raises:
        ValueError: if the trace is empty.
    """
    certificate = solution.certificate if isinstance(solution, Solution) else None
    trace = solution.trace if isinstance(solution, Solution) else tuple(solution)
    if not trace:
        raise ValueError("the trace is empty: there is no iteration to draw.")
    ax = axes_or_new(ax)
    seconds, objective, bound = (
        np.array([getattr(row, f) for row in trace]) for f in ("seconds", "objective", "bound")
    )
    word, between = "bound", "gap"
    if certificate is not None:
        word = "proven bound" if certificate.proven else "estimated bound"
        between = "the optimum is in here" if certificate.proven else "estimated gap"
    ax.plot(seconds, objective, color=BLUE, linewidth=2, marker=".", label="objective")
    ax.plot(seconds, bound, color=ORANGE, linewidth=2, marker=".", label=word)
    ax.fill_between(seconds, bound, objective, color=GREY, alpha=0.15, label=between)
    # Early objectives can be far off; the eye wants the neighbourhood of the optimum.
    final = float(objective[-1]) if certificate is None else certificate.objective
    final = final if np.isfinite(final) else float(objective.min(initial=1.0))
    ax.set_ylim(max(0.0, final * 0.2), final * 1.8 if final > 0 else 1.0)
    ax.set(xlabel="time (s)", ylabel="objective")
    if certificate is not None:
        ax.set_title(f"relative gap {certificate.relative_gap:.1e} ({certificate.kind})", fontsize="medium")
    ax.legend(frameon=False, loc="best")
    return ax


def plot_path(path: RegularizationPath, axes: Sequence[Axes] | None = None) -> Figure:
    """A path over falling λ: the neurons' coefficients, how many there are, and the loss, R and the certified gap.

    A neuron is followed from one strength to the next as long as its hyperplane stays; where it moves, one line ends at
    zero and another begins. Of several outputs the sizes ‖v‖ are drawn.

    Args:
        path: of one strength at least.
        axes: three, where to draw; by default those of a new figure, below one another.

    Raises:
        ValueError: if the path is empty, or `axes` are not three.
    """
    if not len(path):
        raise ValueError("the path has no solution to draw.")
    if axes is None:
        axes = plt.subplots(3, 1, figsize=(7.5, 8), height_ratios=[2, 1, 1.3], sharex=True, layout="constrained")[1]
    assert axes is not None
    if len(axes) != 3:
        raise ValueError(f"axes must be three, got {len(axes)}.")
    upper, middle, lower = axes
    strengths = path.strengths
    planes, heights = _followed(path)
    several = path[0].spline.coefficients.ndim == 2
    # Absent neurons have no line, but each line begins and ends at zero.
    present = np.pad(heights != 0, ((0, 0), (1, 1)))
    drawn = np.where(present[:, :-2] | present[:, 1:-1] | present[:, 2:], heights, np.nan)
    segments = [np.column_stack([strengths, row]) for row in drawn]
    colours = [RED if row[np.argmax(np.abs(row))] > 0 else "black" for row in heights]
    lives = np.sum(heights != 0, axis=1)
    # Lines of one strength only are spikes: faint, so that the lasting ones stand out.
    widths, alphas = np.where(lives > 1, 1.2, 0.6), np.where(lives > 1, 0.7, 0.3)
    if segments:
        upper.add_collection(LineCollection(segments, colors=colours, linewidths=widths, alpha=alphas.tolist()))
    upper.axhline(0.0, color=GREY, linewidth=0.8)
    upper.autoscale_view()
    upper.set(ylabel="size of the coefficient, ‖v‖" if several else "coefficient v")
    upper.set_title(f"{len(path)} strengths, {len(planes)} different neurons", fontsize="medium")

    middle.step(strengths, path.widths, where="mid", color=BLUE, linewidth=2)
    middle.set(ylabel="neurons", ylim=(0, None))
    middle.yaxis.set_major_locator(MaxNLocator(integer=True))
    gaps = path.relative_gaps
    proven = all(solution.certificate.proven for solution in path)
    _beside(middle, strengths, np.where(gaps > 0, gaps, np.nan), f"{'certified' if proven else 'estimated'} gap")

    lower.plot(strengths, path.losses, color=BLUE, linewidth=2)
    lower.set(xlabel="strength λ", ylim=(0, None))
    lower.set_ylabel("loss", color=BLUE)
    right = lower.twinx()
    right.plot(strengths, path.regularizations, color=ORANGE, linewidth=2)
    right.set_ylim(0, None)
    right.set_ylabel("R", color=ORANGE)
    for ax in axes:
        ax.set_xscale("log")
        if len(path) > 1:
            ax.set_xlim(strengths[0] * 1.05, strengths[-1] / 1.05)
    made: Any = upper.figure
    return made


def _beside(ax: Axes, strengths: np.ndarray, gaps: np.ndarray, label: str) -> None:
    """Relative gaps, faint, on an axis of their own."""
    right = ax.twinx()
    right.plot(strengths, gaps, color=GREY, linewidth=1, marker=".", markersize=3, alpha=0.5)
    right.set(yscale="log")
    right.set_ylabel(f"relative {label}", color=GREY)


def _followed(path: RegularizationPath) -> tuple[np.ndarray, np.ndarray]:
    """The hyperplanes (K, d + 1) that occur along a path, and the coefficients (K, S) there, zero where they do not."""
    splines = [solution.spline.canonical() for solution in path]
    planes = np.concatenate([np.column_stack([s.weights, s.biases]) for s in splines])
    owners = np.repeat(np.arange(len(splines)), [s.width for s in splines])
    values = [sizes(s.coefficients) if s.coefficients.ndim == 2 else np.asarray(s.coefficients) for s in splines]
    scale = max(1.0, float(np.abs(planes[:, -1]).max(initial=0.0)))
    tree = KDTree(np.column_stack([planes[:, :-1], planes[:, -1] / scale]))
    pairs = tree.query_pairs(_SAME, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(planes), len(planes)))
    count, group = connected_components(graph, directed=False)
    heights = np.zeros((count, len(splines)))
    np.add.at(heights, (group, owners), np.concatenate(values))
    return planes[np.unique(group, return_index=True)[1]], heights


def plot_fit(
    problem: Problem,
    solution: Solution,
    *,
    spline: RidgeSpline | None = None,
    x: np.ndarray | None = None,
    y: np.ndarray | None = None,
    labels: Labels | None = None,
) -> Figure:
    """The fit beside its certificate: for d = 1 curve over dual profile, for d = 2 map and dual profile.

    Classes are drawn with the boundary between them and its margins, see `plotting_classes`. For d > 2, fitted against
    observed values, and the weights of the largest neurons.

    Args:
        problem: as solved.
        solution: its solution.
        spline: the solution's spline in the units to show it in, if not those of the problem.
        x: likewise the inputs.
        y: likewise the targets.
        labels: of the axes.
    """
    shown = solution.spline if spline is None else spline
    x, y = problem.points if x is None else x, problem.targets if y is None else y
    certificate = solution.certificate
    word = "proven" if certificate.proven else "estimated"
    title = (
        f"{shown.width} neuron{'' if shown.width == 1 else 's'}, {word} to be within a relative "
        f"{certificate.relative_gap:.1e} of the best network ({certificate.kind})"
    )
    if shown.dimension == 1:
        figure, axes = plt.subplots(2, 1, figsize=(7.5, 6), height_ratios=[2, 1], layout="constrained")
    else:
        figure, axes = plt.subplots(1, 2, figsize=(12.5, 5.2), layout="constrained")
    upper, lower = axes
    if shown.dimension <= 2:
        if isinstance(problem.loss, LabelLoss):
            plot_classes(shown, x, y, certificate, labels=labels, ax=upper)
        else:
            plot_spline(shown, x, y, labels=labels, ax=upper)
        plot_dual_profile(problem, certificate, solution.spline, ax=lower)
        if spline is not None:
            lower.set_title("in standardised units", fontsize="small", loc="left")
    else:
        plot_agreement(shown, x, y, labels=labels, ax=upper)
        plot_directions(shown, labels=labels, ax=lower)
    figure.suptitle(title, fontsize="medium")
    return figure
