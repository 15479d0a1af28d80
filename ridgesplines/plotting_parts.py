"""What the pictures share: colours, labels, axes and the lines of neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from ridgesplines.spline import RidgeSpline

# Okabe and Ito's colours, told apart by colour-blind readers.
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"


@dataclass(frozen=True)
class Labels:
    """Names for the axes, units included.

    Attributes:
        inputs: one per input.
        target: of the target.
    """

    inputs: tuple[str, ...]
    target: str

    @classmethod
    def plain(cls, dimension: int) -> Labels:
        """x (or x1, x2, …) and y."""
        return cls(("x",) if dimension == 1 else tuple(f"x{i + 1}" for i in range(dimension)), "y")


def axes_or_new(ax: Axes | None) -> Axes:
    """`ax`, or the axes of a new figure.

    Raises:
        TypeError: if it is no Axes.
    """
    if ax is not None:
        return _checked_axes(ax)
    made: Any = plt.subplots(layout="constrained")[1]
    return made


def _checked_axes(ax: Any) -> Axes:
    if not isinstance(ax, Axes):
        raise TypeError(f"ax must be Axes of Matplotlib, got {type(ax).__name__}; or leave it out.")
    return ax


def margins(values: np.ndarray) -> tuple[float, float]:
    """The range of the values and a little more."""
    low, high = float(values.min()), float(values.max())
    margin = 0.02 * (high - low) or 1.0
    return low - margin, high + margin


def region_of(spline: RidgeSpline) -> np.ndarray:
    """Two corners, (2, d), of a box in which a canonical spline of one or two inputs bends, for want of data."""
    if spline.dimension == 1:
        knots = np.asarray(spline.biases)
        low, high = (float(knots.min()), float(knots.max())) if len(knots) else (-1.0, 1.0)
        margin = 0.25 * (high - low) or 1.0
        return np.array([[low - margin], [high + margin]])
    # The points of the hyperplanes that are nearest to the origin, and so the middles of what is to be seen of them.
    feet = np.concatenate([spline.biases[:, None] * spline.weights, np.zeros((1, 2))])
    centre = feet[:-1].mean(axis=0) if len(feet) > 1 else feet[0]
    reach = 1.5 * float(np.abs(feet - centre).max()) or 1.0
    return np.array([centre - reach, centre + reach])


def figure_of(ax: Axes) -> Figure:
    """The figure that holds `ax`, whole."""
    made: Any = ax.get_figure(root=True)
    return made


def several_axes(axes: Any, count: int, **options: Any) -> list[Axes]:
    """`count` axes: those given, or those of a new figure made with `options` of `plt.subplots`.

    Raises:
        TypeError: if one is no Axes.
        ValueError: if there are more or fewer.
    """
    if axes is None:
        made: Any = plt.subplots(layout="constrained", **options)[1]
        return list(np.ravel(made))
    given = [_checked_axes(ax) for ax in np.ravel(np.array(axes, dtype=object))]
    if len(given) != count:
        raise ValueError(f"ax must be {count} Axes, one for each panel, got {len(given)}; or leave it out.")
    return given


def draw_hyperplanes(ax: Axes, spline: RidgeSpline, limits: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """The lines of the neurons of a spline in the plane, as wide as their |v|, with entries for a legend.

    Args:
        ax: where to draw.
        spline: canonical.
        limits: of both axes.
    """
    if not spline.width:
        return
    (low1, high1), (low2, high2) = limits
    # Each hyperplane from the point nearest the middle of the picture, to both sides and beyond its edges.
    along = np.column_stack([-spline.weights[:, 1], spline.weights[:, 0]])
    middle = np.array([low1 + high1, low2 + high2]) / 2
    feet = spline.biases[:, None] * spline.weights + (along @ middle)[:, None] * along
    ends = np.hypot(high1 - low1, high2 - low2) * along
    segments = np.stack([feet - ends, feet + ends], axis=1)
    sizes = np.abs(spline.coefficients)
    widths = 0.1 + 2.7 * sizes / sizes.max()
    colours = np.where(spline.coefficients > 0, RED, "black")
    ax.add_collection(LineCollection(list(segments), linewidths=widths, colors=colours.tolist(), alpha=0.4, zorder=2))
    for colour, text in ((RED, "neuron, v > 0"), ("black", "neuron, v < 0")):
        ax.plot([], [], color=colour, linewidth=1.5, label=text)
