"""Pictures of classifiers: the boundary between two classes, its margins, and the data that hold it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.transforms import ScaledTranslation

from ridgesplines.certificate import Certificate
from ridgesplines.plotting_parts import BLUE, GREY, ORANGE, RED, Labels, axes_or_new, draw_hyperplanes, margins
from ridgesplines.spline import RidgeSpline

# Data whose dual is below this fraction of the largest do not hold the boundary.
_IDLE = 1e-6
_COLOURS = LinearSegmentedColormap.from_list("classes", [ORANGE, "white", BLUE])
# The colours end where f is this far from the boundary.
_FAR = 2.0
_GRID = 301
# The height of the label of an axis and its ticks, in points.
_LABEL = 34


def plot_classes(
    spline: RidgeSpline,
    x: np.ndarray,
    y: np.ndarray,
    certificate: Certificate | None = None,
    *,
    labels: Labels | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Two classes and what parts them: the boundary f = 0, the margins f = ±1, and the neurons.

    With a certificate, rings mark the data whose dual variable z_n is not zero, by its size: the support points, which
    alone decide the optimum. Under `HingeLoss` and `HardMargin` these lie on the margins or on the wrong side of them;
    under `LogisticLoss` all data are, more or less.

    Args:
        spline: of one or two inputs, with one output; its knots or hyperplanes are drawn.
        x: the inputs, (N, d).
        y: the labels ±1, (N,).
        certificate: of the spline.
        labels: of the axes.
        ax: where to draw.

    Raises:
        ValueError: if the spline has more than two inputs, or the certificate is for another number of data.
    """
    if spline.dimension > 2:
        raise ValueError(f"a classifier of {spline.dimension} inputs has no picture of this kind; 1 or 2 have.")
    if certificate is not None and certificate.dual.shape != y.shape:
        raise ValueError(f"the certificate is for {len(certificate.dual)} data, but there are {len(y)}.")
    labels = Labels.plain(spline.dimension) if labels is None else labels
    ax, spline = axes_or_new(ax), spline.canonical()
    draw = _draw_line if spline.dimension == 1 else _draw_plane
    places = draw(ax, spline, x, labels)
    for label, colour, marker in ((1, BLUE, "o"), (-1, ORANGE, "s")):
        own = places[y == label]
        name = f"{labels.target} = {'+' if label > 0 else '−'}1"
        ax.scatter(*own.T, s=28, c=colour, marker=marker, edgecolors="white", linewidths=0.6, zorder=4, label=name)
    if certificate is not None:
        sizes = np.abs(certificate.dual)
        holds = sizes > _IDLE * sizes.max(initial=0.0)
        if holds.any():
            areas = 35 + 185 * sizes[holds] / sizes.max()
            count = int(holds.sum())
            name = f"{count} support point{'' if count == 1 else 's'}, by |z|"
            name = "all data, by |z|" if count == len(y) else name
            ax.scatter(
                *places[holds].T, s=areas, facecolors="none", edgecolors=RED, linewidths=1.3, zorder=5, label=name
            )
    # Below the picture, which is full, and its label.
    below = ax.transAxes + ScaledTranslation(0, -_LABEL / 72, ax.figure.dpi_scale_trans)  # type: ignore[union-attr]
    ax.legend(
        loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=below, ncols=4, fontsize="x-small", frameon=False,
        borderaxespad=0.0, handlelength=1.6, columnspacing=1.0,
    )  # fmt: skip
    return ax


def _draw_plane(ax: Axes, spline: RidgeSpline, x: np.ndarray, labels: Labels) -> np.ndarray:
    limits = _wide(x[:, 0]), _wide(x[:, 1])
    first, second = (np.linspace(*ends, _GRID) for ends in limits)
    mesh = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
    values = np.asarray(spline(mesh)).reshape(_GRID, _GRID)
    ends = (*limits[0], *limits[1])
    ax.imshow(
        np.clip(values, -_FAR, _FAR), extent=ends, origin="lower", cmap=_COLOURS, vmin=-_FAR, vmax=_FAR, alpha=0.55,
        aspect="auto", interpolation="bilinear", zorder=0,
    )  # fmt: skip
    for levels, style, width, name in (([0.0], "-", 2.0, "f = 0"), ([-1.0, 1.0], "--", 1.1, "f = ±1")):
        crossed = [level for level in levels if values.min() < level < values.max()]
        if crossed:
            ax.contour(
                first, second, values, levels=crossed, colors="black", linestyles=style, linewidths=width, zorder=3
            )
        ax.plot([], [], color="black", linestyle=style, linewidth=width, label=name)
    draw_hyperplanes(ax, spline, limits)
    ax.set(xlabel=labels.inputs[0], ylabel=labels.inputs[1], xlim=limits[0], ylim=limits[1])
    return x


def _draw_line(ax: Axes, spline: RidgeSpline, x: np.ndarray, labels: Labels) -> np.ndarray:
    low, high = _wide(x[:, 0])
    knots = spline.biases[(spline.biases > low) & (spline.biases < high)]
    grid = np.sort(np.concatenate([np.linspace(low, high, 1001), knots]))
    ax.axhline(0.0, color="black", linewidth=1.2, label="f = 0")
    for level in (1.0, -1.0):
        ax.axhline(level, color="black", linewidth=0.9, linestyle="--", label="f = ±1" if level > 0 else None)
    ax.plot(grid, spline(grid), color=GREY, linewidth=2, label="f", zorder=2)
    ax.plot(knots, spline(knots), "D", color="black", markersize=4, label="knots", zorder=3)
    ax.set(xlabel=labels.inputs[0], ylabel="f", xlim=(low, high))
    return np.column_stack([x[:, 0], np.asarray(spline(x)).reshape(len(x))])


def _wide(values: np.ndarray) -> tuple[float, float]:
    low, high = margins(values)
    return low - 0.04 * (high - low), high + 0.04 * (high - low)
