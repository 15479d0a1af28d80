"""Points that coincide act as one, with the sum of their duals."""

from __future__ import annotations

import numpy as np

from ridgesplines.arrays import unique_rows

_UNIT = np.finfo(float).eps


class DistinctPoints:
    """The different ones among `points` (N, d), sorted, and what a dual vector amounts to at them.

    Attributes:
        points: (K, d).
        repeats: how many points, at most, coincide with another.
    """

    def __init__(self, points: np.ndarray) -> None:
        self.points, self._group, counts = unique_rows(points)
        self.repeats = int(counts.max(initial=1)) - 1
        self._repeated = counts[self._group] > 1
        self._diameter = float(np.linalg.norm(np.ptp(points, axis=0))) if len(points) else 0.0

    def __len__(self) -> int:
        return len(self.points)

    def masses(self, dual: np.ndarray) -> np.ndarray:
        """The sums of `dual` (N,) or (N, D) over coincident points: (K,) or (K, D)."""
        if dual.ndim == 1:
            return np.bincount(self._group, dual, minlength=len(self.points))
        columns = [np.bincount(self._group, column, minlength=len(self.points)) for column in dual.T]
        return np.column_stack(columns) if columns else np.zeros((len(self.points), 0))

    def precise_masses(self, dual: np.ndarray) -> np.ndarray:
        """`masses` in extended precision, where the platform has it."""
        ranked = np.argsort(self._group, kind="stable")
        starts = np.searchsorted(self._group[ranked], np.arange(len(self.points)))
        return np.add.reduceat(dual[ranked].astype(np.longdouble), starts, axis=0)

    def precise_rounding(self, dual: np.ndarray) -> float:
        """A bound of the sum of the errors of `precise_masses` of `dual` (N,)."""
        terms = np.abs(dual[self._repeated])
        return float(np.finfo(np.longdouble).eps * len(terms) * terms.sum())

    def rounding(self, dual: np.ndarray, reach: float | None = None) -> float:
        """By how much the rounding of `masses` changes |p_z| at most; duals of coincident points may cancel.

        `reach` is the largest |σ(w·x_n − b)| that counts, by default the diameter of the points.
        """
        terms = np.abs(dual[self._repeated])
        columns = terms.sum() if dual.ndim == 1 else np.linalg.norm(terms.sum(axis=0))
        return self.repeats * _UNIT * (self._diameter if reach is None else reach) * float(columns)
