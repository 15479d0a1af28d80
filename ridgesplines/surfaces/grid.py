"""A function on a grid, evaluated near its zero set only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import zoom

from ridgesplines.surfaces.implicit import ImplicitFunction
from ridgesplines.surfaces.partition import BoxedPartition

# Grid steps of a block: large enough that there are few, small enough to be thin.
_STEPS = 4
# A block is left out if its corners have one sign and are farther from 0 than this times what their slopes reach.
_REACH = 1.2
# Vertices evaluated at once.
_BATCH = 2**15
# Bytes that a grid may take: its values, and once more for the mesh.
MEMORY = 4e9


@dataclass(frozen=True)
class Grid:
    """Values of a function at the vertices origin + spacing · (i, j, …).

    Attributes:
        values: one axis for each input.
        origin: of the first vertex, (d,).
        spacing: the same along each axis.
        evaluated: the part of the vertices at which the function was evaluated; the others are interpolated.
        interrupted: whether Ctrl-C came before all vertices near the zero set were evaluated.
    """

    values: np.ndarray
    origin: np.ndarray
    spacing: float
    evaluated: float
    interrupted: bool = False


def evaluate_near_zero(
    f: ImplicitFunction,
    points: np.ndarray,
    resolution: int,
    margin: float,
    show: Callable[[str], None] = lambda message: None,
) -> Grid:
    """`f` on a grid around `points`: exact in blocks near its zero set, elsewhere interpolated from their corners.

    A block counts as near if its corners differ in sign, or are nearer to 0 than their slopes reach, or if it holds a
    point. Parts of the zero set that neither points nor corners show may be missed. Once the corners are done, Ctrl-C
    leaves the vertices that were not reached interpolated.

    Args:
        f: the function.
        points: (N, d).
        resolution: steps along the longest side.
        margin: what the box is longer than the points, as a part of its longest side, on each side.
        show: is told how far the work is.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    longest = float((high - low).max()) * (1 + 2 * margin)
    spacing = longest / resolution
    blocks = np.ceil((high - low + 2 * margin * float((high - low).max())) / (spacing * _STEPS) - 1e-9).astype(int)
    origin = (low + high) / 2 - blocks * _STEPS * spacing / 2
    dimension = len(low)

    show("evaluating the corners of the grid's blocks")
    corner_index = np.stack(np.meshgrid(*(np.arange(n + 1) for n in blocks), indexing="ij"), axis=-1)
    corners = origin + corner_index.reshape(-1, dimension) * (_STEPS * spacing)
    spline = f.spline.in_box((corners[0] - f.centre) / f.scale, (corners[-1] - f.centre) / f.scale)
    values, gradients = spline.value_and_gradient((corners - f.centre) / f.scale)
    coarse = (f.scale * values).reshape(blocks + 1)
    slopes = np.linalg.norm(gradients, axis=1).reshape(blocks + 1)
    low_corner, high_corner = _over_corners(coarse, np.minimum), _over_corners(coarse, np.maximum)
    reach = _REACH * _over_corners(slopes, np.maximum) * _STEPS * spacing * dimension**0.5 / 2
    near = (low_corner <= reach) & (high_corner >= -reach)
    held = np.clip(((points - origin) / (spacing * _STEPS)).astype(int), 0, blocks - 1)
    near[tuple(held.T)] = True

    grid: np.ndarray = zoom(  # type: ignore[assignment] # the stubs know arrays of any kind
        coarse, (blocks * _STEPS + 1) / (blocks + 1), order=1, grid_mode=False
    )
    mask = np.zeros(grid.shape, dtype=bool)
    for block in np.argwhere(near):
        mask[tuple(slice(s, s + _STEPS + 1) for s in block * _STEPS)] = True
    vertices = np.argwhere(mask)
    if isinstance(spline, BoxedPartition):
        # What is evaluated together is near the same few boxes.
        parts = [
            spline.part((origin + spacing * vertices[start : start + _BATCH] - f.centre) / f.scale)
            for start in range(0, len(vertices), _BATCH)
        ]
        vertices = vertices[np.argsort(np.concatenate(parts), kind="stable")]
    done = 0
    try:
        while done < len(vertices):
            show(f"evaluating the grid: {done} of {len(vertices)} vertices")
            some = vertices[done : done + _BATCH]
            grid[tuple(some.T)] = f.scale * spline((origin + spacing * some - f.centre) / f.scale)
            done += len(some)
    except KeyboardInterrupt:
        pass
    return Grid(grid, origin, spacing, done / mask.size, done < len(vertices))


def _over_corners(values: np.ndarray, combine: np.ufunc) -> np.ndarray:
    """`combine` over the 2^d corners of each block."""
    for axis in range(values.ndim):
        values = combine(np.delete(values, -1, axis), np.delete(values, 0, axis))
    return values
