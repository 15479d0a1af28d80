"""Pictures of curves through oriented points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ridgesplines.surfaces.reconstruction import Reconstruction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Grid steps of the level sets along the longer side of the picture.
_STEPS = 200


def plot_curves(reconstruction: Reconstruction, points: Any = None, normals: Any = None, *, ax: Any = None) -> Axes:
    """Draw plane curves over the level sets of their function, with the points and normals that they came from.

    Args:
        reconstruction: in the plane.
        points: (N, 2), drawn if given.
        normals: (N, 2), drawn if given with the points.
        ax: matplotlib Axes to draw on; new ones by default.

    Raises:
        ValueError: for surfaces.
    """
    import matplotlib.pyplot as plt
    from matplotlib.collections import LineCollection
    from matplotlib.ticker import MaxNLocator

    vertices = reconstruction.vertices
    if vertices.shape[1] != 2:
        raise ValueError("plot_curves draws curves in the plane; write a surface's vertices and faces to a viewer.")
    ax = plt.subplots(layout="constrained")[1] if ax is None else ax
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    margin = 0.15 * (high - low).max()
    low, high = low - margin, high + margin
    counts = np.maximum(2, np.ceil(_STEPS * (high - low) / (high - low).max())).astype(int)
    axes = [np.linspace(low[i], high[i], counts[i]) for i in range(2)]
    grid = np.stack(np.meshgrid(*axes), axis=-1)
    values = np.asarray(reconstruction.function(grid.reshape(-1, 2))).reshape(grid.shape[:2])
    size = float(np.abs(values).max())
    levels = MaxNLocator(20, symmetric=True).tick_values(-size, size)
    filled = ax.contourf(*axes, values, levels=levels, cmap="RdBu_r", alpha=0.7)
    label = "$f$, nearly the signed distance near the curve"
    ax.figure.colorbar(filled, ax=ax, label=label, ticks=MaxNLocator(8, symmetric=True))
    ax.add_collection(LineCollection(list(vertices[reconstruction.faces]), colors="black", linewidths=1.5, zorder=3))
    if points is not None:
        points = np.asarray(points, dtype=float)
        ax.plot(*points.T, "o", color="black", markersize=3.5, zorder=4)
        if normals is not None:
            units = np.asarray(normals, dtype=float)
            units = units / np.linalg.norm(units, axis=1, keepdims=True)
            arrows = {"angles": "xy", "scale_units": "xy", "scale": 1.0, "width": 0.003, "zorder": 4}
            ax.quiver(*points.T, *(0.5 * margin * units).T, color="dimgray", **arrows)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    return ax
