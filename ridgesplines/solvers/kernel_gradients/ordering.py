"""Points from coarse to fine: an order in which each prefix is spread out, and the nearest earlier points in it."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

# More levels than a double has bits cannot tell points apart.
_LEVELS = 60


def without_near_duplicates(points: np.ndarray, fraction: float) -> np.ndarray:
    """The indices, ascending, of points (N, d) of which no two are nearer than `fraction` of the median spacing."""
    if fraction == 0 or len(points) < 2:
        return np.arange(len(points))
    tree = KDTree(points)
    spacing = np.median(tree.query(points, k=2)[0][:, 1])
    close = tree.query_pairs(fraction * float(spacing), output_type="ndarray")
    dropped = np.zeros(len(points), dtype=bool)
    for first, second in close[np.lexsort((close[:, 1], close[:, 0]))]:
        if not dropped[first]:
            dropped[second] = True
    return np.flatnonzero(~dropped)


def coarse_to_fine(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """An order (N,) of the points (N, d): one for each cell of a grid, then of a grid half as wide, and so on.

    Nearly the maximin order, which takes O(N²), in O(N log N).
    """
    rng = np.random.default_rng(seed)
    count, dimension = points.shape
    shuffled = rng.permutation(count)
    points = points[shuffled]
    low = points.min(axis=0)
    width = float((points.max(axis=0) - low).max())
    taken = np.zeros(count, dtype=bool)
    order: list[np.ndarray] = []
    for level in range(_LEVELS):
        rest = np.flatnonzero(~taken)
        if not len(rest) or width == 0:
            break
        cell = width / 2**level
        cells = np.floor((points - low) / cell + rng.uniform(0, 1, dimension)).astype(np.int64)
        _, label = np.unique(cells, axis=0, return_inverse=True)
        label = label.ravel()
        occupied = np.zeros(label.max() + 1, dtype=bool)
        occupied[label[taken]] = True
        candidates = rest[~occupied[label[rest]]]
        _, first = np.unique(label[candidates], return_index=True)
        chosen = rng.permutation(candidates[first])
        taken[chosen] = True
        order.append(chosen)
    order.append(np.flatnonzero(~taken))
    return shuffled[np.concatenate(order)]


def nearest_earlier(points: np.ndarray, count: int) -> np.ndarray:
    """For each of the ordered points (N, d) the nearest ones before it: indices (N, `count`), −1 for none."""
    total = len(points)
    neighbours = np.full((total, count), -1, dtype=np.int64)
    start = 1
    while start < total:
        stop = min(total, max(2 * count, start + start // 2))
        tree = KDTree(points[:stop])
        waiting = np.arange(start, stop)
        asked = min(stop, 2 * count + 1)
        while len(waiting):
            found = tree.query(points[waiting], k=np.arange(1, asked + 1))[1]
            earlier = found < waiting[:, None]
            rank = np.cumsum(earlier, axis=1)
            done = (rank[:, -1] >= np.minimum(count, waiting)) | (asked == stop)
            for column in range(count):
                at = earlier & (rank == column + 1)
                has = at.any(axis=1) & done
                neighbours[waiting[has], column] = found[has, np.argmax(at[has], axis=1)]
            waiting = waiting[~done]
            asked = min(stop, 2 * asked)
        start = stop
    return neighbours
