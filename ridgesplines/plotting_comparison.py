"""Pictures of comparisons: what each solver found, and how good it is."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ridgesplines.comparison import Comparison, ComparisonRow
from ridgesplines.plotting import plot_map, plot_spline
from ridgesplines.plotting_parts import BLUE, GREY, ORANGE, Labels, figure_of, several_axes

# A gap of zero is drawn as rounding.
_ROUNDING = 1e-16


def plot_comparison(comparison: Comparison, *, labels: Labels | None = None) -> Figure:
    """One panel per row of a comparison: each function over its data, as `plot_spline` draws it, with its numbers.

    Args:
        comparison: of problems in one or two inputs.
        labels: of the axes.

    Raises:
        ValueError: if no row has a solution, or one has more than two inputs.
    """
    rows = [row for row in comparison.rows if row.function is not None]
    if not rows:
        raise ValueError("the comparison has no solution to draw.")
    across = min(3, len(rows))
    down = -(-len(rows) // across)
    size = (4.2 * across, 3.4 * down)
    figure, axes = plt.subplots(down, across, figsize=size, squeeze=False, layout="constrained")
    for ax in axes.ravel()[len(rows) :]:
        ax.set_axis_off()
    for ax, row in zip(axes.ravel(), rows, strict=False):
        points, targets = row.problem.points, row.problem.targets
        numbers = "no network"
        if row.solution is not None:
            certificate = row.solution.certificate
            numbers = f"{certificate.width} neurons, cost {certificate.regularization:.4g} ({certificate.kind})"
            plot_spline(row.solution.spline, points, targets, labels=labels, ax=ax)
        else:
            _plot_function(ax, row, points, targets, labels)
        ax.set_title(f"{_name(row)}\n{numbers}", fontsize="medium")
    return figure


def _plot_function(
    ax: Axes, row: ComparisonRow, points: np.ndarray, targets: np.ndarray, labels: Labels | None
) -> None:
    assert row.function is not None
    dimension = points.shape[1]
    if dimension == 2:
        plot_map(row.function, points, targets, labels=labels, ax=ax)
        return
    if dimension > 2:
        raise ValueError(f"a function of {dimension} inputs has no picture of this kind; see plot_gaps.")
    labels = Labels.plain(1) if labels is None else labels
    grid = np.linspace(points.min(), points.max(), 1001)
    ax.plot(points[:, 0], targets, "o", color=GREY, markersize=3.5, alpha=0.6, label="data", zorder=1)
    ax.plot(grid, row.function(grid), color=BLUE, linewidth=2, label="kernel", zorder=2)
    ax.set(xlabel=labels.inputs[0], ylabel=labels.target)
    ax.legend(frameon=False, loc="best")


def plot_gaps(comparison: Comparison, axes: Sequence[Axes] | None = None) -> Figure:
    """The numbers of a comparison, a line for each row: gaps to the bound, neurons, and test errors if there are any.

    Every seed of a training has a dot, so that their spread shows. Neurons are counted as they stand and merged.

    Args:
        comparison: of any problems.
        axes: where to draw: two, or three if there are test errors; by default those of a new figure, side by side.

    Raises:
        ValueError: if no row has a solution, or there are more or fewer axes.
    """
    rows = [row for row in comparison.rows if row.function is not None]
    if not rows:
        raise ValueError("the comparison has no solution to draw.")
    tested = any(row.test_error is not None for row in rows)
    panels = 3 if tested else 2
    size = (4.0 * panels + 1.0, 1.2 + 0.5 * len(rows))
    axes = several_axes(axes, panels, ncols=panels, figsize=size, sharey=True)
    heights = np.arange(len(rows))
    _draw_gaps(axes[0], rows)
    for raw, color, word in ((True, GREY, "as they stand"), (False, BLUE, "merged")):
        widths = [(row.raw_width if raw else row.solution.spline.width) if row.solution else np.nan for row in rows]
        shift = -0.18 if raw else 0.18
        axes[1].barh(heights + shift, np.array(widths, dtype=float), 0.34, color=color, label=word)
    for height, row in enumerate(rows):
        if row.solution is None:
            axes[1].text(0, height, " no network of finite width", va="center", fontsize="small", color=GREY)
    axes[1].set(xlabel="neurons")
    axes[1].margins(x=0.12)
    axes[1].legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(0, 1.17), ncols=2)
    if tested:
        errors = [np.nan if row.test_error is None else row.test_error for row in rows]
        bars = axes[2].barh(heights, errors, 0.5, color=ORANGE)
        axes[2].bar_label(bars, fmt=" %.3g", fontsize="small")
        axes[2].set(xlabel="test error")
        axes[2].margins(x=0.2)
    axes[0].set_yticks(heights, [_name(row) for row in rows])
    for ax in axes:
        ax.set_ylim(len(rows) - 0.5, -0.5)
    return figure_of(axes[0])


def _draw_gaps(ax: Axes, rows: list[ComparisonRow]) -> None:
    places = [(max(float(gap), _ROUNDING), height) for height, row in enumerate(rows) for gap in row.relative_gaps]
    if places:
        ax.scatter(*np.array(places).T, s=26, facecolors="none", edgecolors=BLUE, linewidths=1.0, zorder=2)
        ax.set_xscale("log")
        ax.autoscale_view()
    for height, row in enumerate(rows):
        if not len(row.relative_gaps):
            ax.text(0.03, height, "cost not known", va="center", fontsize="small", color=GREY,
                    transform=ax.get_yaxis_transform())  # fmt: skip
    proven = all(row.kind in ("exact", "bounded") for row in rows)
    ax.set(xlabel=f"relative gap to the {'proven' if proven else 'estimated'} bound")
    ax.grid(axis="x", color=GREY, alpha=0.2)


def _name(row: ComparisonRow) -> str:
    return ", ".join(part for part in (row.name, row.solver) if part)
