"""Pictures of the Radon domain in the plane: the neurons of a fit, and the density of a smooth function beneath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ridgesplines.arrays import finite_array
from ridgesplines.plotting_parts import BLUE, RED, axes_or_new
from ridgesplines.radon.grid import GridFunction, Region
from ridgesplines.radon.measure import radon_density, radon_measure
from ridgesplines.solution import Solution
from ridgesplines.spline import RidgeSpline

# Steps of the density's image along both axes.
_GRID = 241
# Points² that the largest neuron takes.
_AREA = 160.0


def plot_radon_measure(
    spline: RidgeSpline | Solution,
    *,
    target: Callable[[np.ndarray], np.ndarray] | GridFunction | None = None,
    region: Region | None = None,
    reach: float | None = None,
    centre: Any = (0.0, 0.0),
    ax: Axes | None = None,
) -> Axes:
    """The neurons of a spline in the plane over the angle and the offset of their lines, area by |v|, colour by sign.

    Beneath, the density of a smooth function, if there is one: that of a fit's target, which its neurons sample. Both
    are on the half of the cylinder with angles from 0° to 180°, as in `plotting.plot_dual_profile`.

    Args:
        spline: or a solution that holds one; of two inputs and one output.
        target: a smooth function in the plane that decays, see `radon_density`.
        region: of the target.
        reach: the largest offset to show, from the centre; by default that of the farthest neuron.
        centre: offsets are measured from lines through this point.
        ax: where to draw.

    Raises:
        ValueError: if the spline has more or fewer inputs than two, or several outputs.
    """
    spline = spline.spline if isinstance(spline, Solution) else spline
    if spline.dimension != 2 or spline.outputs != 1:
        raise ValueError(
            f"spline must have two inputs and one output to be drawn in the cylinder, got {spline.dimension} inputs "
            f"and {spline.outputs} outputs."
        )
    middle = finite_array("centre", centre, dimensions=(1,))
    if middle.shape != (2,):
        raise ValueError(f"centre must be a point in the plane, got shape {middle.shape}.")
    measure = radon_measure(spline.compose(np.eye(2), middle)).upright()
    masses = measure.masses.reshape(len(measure.offsets))
    if reach is None:
        reach = 1.05 * float(np.abs(measure.offsets).max(initial=0.0)) or 1.0
    ax = axes_or_new(ax)
    if target is not None:
        _draw_density(ax, target, region, spline.order, middle, reach)
    largest = float(np.abs(masses).max(initial=0.0)) or 1.0
    angles = np.degrees(measure.angles)
    for sign, colour, text in ((1, RED, "neuron, v > 0"), (-1, BLUE, "neuron, v < 0")):
        own = sign * masses > 0
        area = _AREA * np.abs(masses[own]) / largest
        ax.scatter(
            angles[own], measure.offsets[own], s=area, color=colour, edgecolors="white", linewidths=0.6, alpha=0.9,
            label=f"{text} ({int(own.sum())})", zorder=3, clip_on=True,
        )  # fmt: skip
    ax.set(xlabel="angle of w (degrees)", ylabel="offset of the line", xlim=(0, 180), ylim=(-reach, reach))
    ax.set_xticks(range(0, 181, 45))
    legend = ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize="small", frameon=False)
    for handle in legend.legend_handles:
        if handle is not None and hasattr(handle, "set_sizes"):
            handle.set_sizes([30])  # type: ignore[union-attr] # those of scatter have it
    return ax


def _draw_density(
    ax: Axes, target: Callable[[np.ndarray], np.ndarray] | GridFunction, region: Region | None, order: int,
    middle: np.ndarray, reach: float,
) -> None:  # fmt: skip
    angles = np.linspace(0, np.pi, _GRID)
    # Offsets from the centre are those from the origin, less w·centre: another shift for each angle.
    shifts = np.column_stack([np.cos(angles), np.sin(angles)]) @ middle
    offsets = np.linspace(-reach - np.abs(shifts).max(), reach + np.abs(shifts).max(), 2 * _GRID)
    wide = radon_density(target, angles, offsets, order, region=region)
    shown = np.linspace(-reach, reach, _GRID)
    density = np.array([np.interp(shown + shift, offsets, row) for shift, row in zip(shifts, wide, strict=True)])
    limit = float(np.abs(density).max()) or 1.0
    image = ax.pcolormesh(
        np.degrees(angles), shown, density.T, cmap="RdBu_r", vmin=-limit, vmax=limit, shading="nearest", alpha=0.7,
        rasterized=True, zorder=1,
    )  # fmt: skip
    ax.figure.colorbar(image, ax=ax, label="density of the target", shrink=0.9)
