"""Points from coarse to fine: an order in which each prefix is spread out, and the nearest earlier points in it."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

# Points nearer than this power of two of the diameter are one level.
_BITS = 40


def without_near_duplicates(points: np.ndarray, fraction: float) -> np.ndarray:
    """The indices, ascending, of points (N, d) of which no two are nearer than `fraction` of the median spacing."""
    if fraction == 0 or len(points) < 2:
        return np.arange(len(points))
    tree = KDTree(points)
    spacing = np.median(tree.query(points, k=2)[0][:, 1])
    close = tree.query_pairs(fraction * float(spacing), output_type="ndarray")
    return np.delete(np.arange(len(points)), _later(close, len(points)))


def coarse_to_fine(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """An order (N,) of the points (N, d) that are spread out in each prefix: farthest points first, nearly.

    For radii that fall by √2, all points farther than the radius from those before, and from each other: the maximin
    order but for its order within such a level, in O(N log N) instead of O(N²).
    """
    rng = np.random.default_rng(seed)
    count = len(points)
    radius = float(np.linalg.norm(points.max(axis=0) - points.min(axis=0)))
    smallest = radius * 2.0**-_BITS
    order = [rng.integers(count, size=1)]
    rest = np.delete(np.arange(count), order[0])
    distance = np.linalg.norm(points[rest] - points[order[0]], axis=1)
    while len(rest) and radius > smallest:
        radius /= 2**0.5
        while True:
            far = np.flatnonzero(distance > radius)
            if not len(far):
                break
            # One point of each cell, the farthest, and of those that are near each other again the farthest.
            far = far[np.argsort(-distance[far], kind="stable")]
            cells = np.floor(points[rest[far]] / radius + rng.uniform(0, 1, points.shape[1]))
            first = np.sort(np.unique(cells, axis=0, return_index=True)[1])
            chosen = far[first]
            tree = KDTree(points[rest[chosen]])
            close = tree.query_pairs(radius, output_type="ndarray")
            chosen = np.delete(chosen, _later(close, len(chosen)))
            order.append(rng.permutation(rest[chosen]))
            rest, distance = np.delete(rest, chosen), np.delete(distance, chosen)
            nearest = KDTree(points[order[-1]]).query(points[rest])[0]
            distance = np.minimum(distance, nearest)
    return np.concatenate([*order, rng.permutation(rest)])


def _later(pairs: np.ndarray, count: int) -> np.ndarray:
    """The indices to drop so that no pair (i, j), i < j, is left: from the first on, each drops its later partners."""
    dropped = np.zeros(count, dtype=bool)
    for first, second in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
        if not dropped[first]:
            dropped[second] = True
    return np.flatnonzero(dropped)


def nearest_earlier(points: np.ndarray, count: int, begin: int = 0) -> np.ndarray:
    """For each of the ordered points (N, d) from `begin` on the nearest ones before it.

    Indices (N − begin, `count`), −1 for none.
    """
    total = len(points)
    neighbours = np.full((total - begin, count), -1, dtype=np.int64)
    start = max(1, begin)
    while start < total:
        stop = min(total, max(2 * count, start + start // 2))
        tree = KDTree(points[:stop])
        waiting = np.arange(start, stop)
        asked = min(stop, 2 * count + 1)
        while len(waiting):
            found = np.asarray(tree.query(points[waiting], k=asked)[1]).reshape(len(waiting), asked)
            earlier = found < waiting[:, None]
            rank = np.cumsum(earlier, axis=1)
            done = (rank[:, -1] >= np.minimum(count, waiting)) | (asked == stop)
            for column in range(count):
                at = earlier & (rank == column + 1)
                has = at.any(axis=1) & done
                neighbours[waiting[has] - begin, column] = found[has, np.argmax(at[has], axis=1)]
            waiting = waiting[~done]
            asked = min(stop, 2 * asked)
        start = stop
    return neighbours
