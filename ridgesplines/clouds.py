"""Clouds of points: boxes that hold equally many, and how far the points are apart."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree


def equal_boxes(points: np.ndarray, most: int) -> list[np.ndarray]:
    """Indices of points (N, d), ascending, by boxes of at most `most`, equally many to within one.

    As few boxes as there can be, cut by halves across the longest side of the points in them.
    """
    waiting, done = [(np.arange(len(points)), -(-len(points) // most))], []
    while waiting:
        part, pieces = waiting.pop()
        if pieces == 1:
            done.append(np.sort(part))
            continue
        axis = int(np.argmax(np.ptp(points[part], axis=0)))
        ordered = part[np.argsort(points[part, axis], kind="stable")]
        middle = len(part) * (pieces // 2) // pieces
        waiting += [(ordered[middle:], pieces - pieces // 2), (ordered[:middle], pieces // 2)]
    return done


def median_spacing(points: np.ndarray) -> float:
    """The median distance of points (N, d), those that coincide taken once, from their nearest neighbours."""
    points = np.unique(points, axis=0)
    return float(np.median(KDTree(points).query(points, k=2)[0][:, 1]))
