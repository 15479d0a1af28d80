"""The picture of what is measured in the plane: points, arrows, rays, pixels and blurs."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection, EllipseCollection, LineCollection, PatchCollection
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle

from ridgesplines.arrays import finite_array
from ridgesplines.measurements import (
    BlurredSamples,
    BoxAverages,
    Derivatives,
    LineIntegrals,
    Measurement,
    Samples,
)
from ridgesplines.plotting_parts import BLUE, GREY, Labels, axes_or_new, margins

# More rays than this need to be thinner and paler to be told apart.
_CROWD = 60


def plot_measurements(
    measurement: Measurement, values: Any = None, *, labels: Labels | None = None, ax: Axes | None = None
) -> Axes:
    """Where the functionals of a measurement in the plane look, coloured by their values where these are given.

    Samples are dots; derivatives arrows along u; line integrals their segments; box averages their boxes; blurred
    samples dots in a circle of one standard deviation.

    Args:
        measurement: in the plane; a `Stack` draws all of its kinds.
        values: (N,), as measured; a colour bar names them by the target's label.
        labels: of the axes.
        ax: where to draw.

    Raises:
        ValueError: if the measurement is not in the plane, or there is not one value for each functional.
        TypeError: if the measurement is of a kind that has no picture.
    """
    if measurement.dimension != 2:
        raise ValueError(f"measurements are drawn in the plane, got dimension {measurement.dimension}.")
    colours = None if values is None else finite_array("values", values, dimensions=(1,))
    if colours is not None and len(colours) != measurement.count:
        raise ValueError(
            f"values must have one entry for each of the {measurement.count} measurements, got {len(colours)}."
        )
    labels, ax = Labels.plain(2) if labels is None else labels, axes_or_new(ax)
    scale = None if colours is None else Normalize(float(colours.min()), float(colours.max()))
    for kind, rows in measurement.kinds():
        for collection in _collections(ax, kind, BLUE if colours is None else None):
            ax.add_collection(collection)
            if colours is not None:
                collection.set(array=colours[rows], cmap="viridis", norm=scale)
    if colours is not None:
        ax.figure.colorbar(ax.collections[0], ax=ax, label=labels.target, shrink=0.9)
    reach = np.vstack([_reach(kind) for kind, _ in measurement.kinds()])
    ax.set(xlabel=labels.inputs[0], ylabel=labels.inputs[1], aspect="equal")
    ax.set(xlim=margins(reach[:, 0]), ylim=margins(reach[:, 1]))
    return ax


def _collections(ax: Axes, measurement: Measurement, line: str | None) -> list[Collection]:
    """What stands for one kind of measurements, an entry for each; without a colour of lines values decide that."""
    match measurement:
        case Samples(points=points):
            return [_dots(ax, points)]
        case BlurredSamples(locations=points, width=width):
            circles = EllipseCollection(
                2 * width, 2 * width, np.zeros(len(width)), units="xy", offsets=points, transOffset=ax.transData,
                facecolors="none", edgecolors=BLUE, linewidths=0.8, alpha=0.6,
            )  # fmt: skip
            return [_dots(ax, points), circles]
        case Derivatives(locations=points, directions=directions):
            arrows = ax.quiver(*points.T, *directions.T, color=BLUE, width=0.004, pivot="tail")
            arrows.remove()
            return [arrows]
        case LineIntegrals(starts=starts, ends=ends):
            share = min(1.0, _CROWD / len(starts))
            rays = np.stack([starts, ends], axis=1)
            return [
                LineCollection(
                    list(rays), colors=line, capstyle="butt", linewidths=0.5 + 0.7 * share, alpha=0.4 + 0.5 * share
                )
            ]
        case BoxAverages(lower=lower, upper=upper):
            boxes = [Rectangle((a[0], a[1]), *(b - a)) for a, b in zip(lower, upper, strict=True)]
            return [PatchCollection(boxes, facecolor="#0072B222", edgecolor=GREY, linewidths=0.4)]
    raise TypeError(f"there is no picture of {measurement!r}.")


def _dots(ax: Axes, points: np.ndarray) -> Collection:
    dots = ax.scatter(*points.T, s=14, color=BLUE, edgecolors="white", linewidths=0.4, zorder=3)
    dots.remove()
    return dots


def _reach(measurement: Measurement) -> np.ndarray:
    """Points that a picture of one kind must hold, (M, 2)."""
    match measurement:
        case LineIntegrals(starts=first, ends=second) | BoxAverages(lower=first, upper=second):
            return np.vstack([first, second])
        case BlurredSamples(locations=points, width=width):
            return np.vstack([points - width[:, None], points + width[:, None]])
    return measurement.centres
