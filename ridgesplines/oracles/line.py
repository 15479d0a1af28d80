"""The exact supremum on the line."""

from __future__ import annotations

import numpy as np

from ridgesplines.oracles.pieces import smooth_supremum
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum

_UNIT = np.finfo(float).eps


class LineOracle:
    """The exact supremum of |p_z| for points on the line (N, 1) and orders 2, 3 and 4, in O(N) per dual vector.

    b ↦ p_z(b) = Σ_n z_n ρ_m(x_n − b) is zero outside the range of the data. For order 2 it is piecewise linear with
    kinks at the data, so the supremum is attained at a datum. For orders 3 and 4 it is piecewise quadratic or cubic and
    smooth, and the candidates are the roots of its derivative (see `smooth_supremum`, also for the rounding). Flipping
    a neuron changes it by a polynomial of degree < m only, to which z is orthogonal: one orientation is enough.

    Rounding, order 2: between neighbouring data p_z is a running sum of N terms, whose error is at most (N + 2) ε times
    the same sum over absolute values; `upper` adds that.
    """

    kind: CertificateKind = "exact"

    def __init__(self, points: np.ndarray, order: int = 2) -> None:
        if order not in (2, 3, 4):
            raise ValueError(f"the supremum on the line is solved for orders 2, 3 and 4, got order={order!r}.")
        self._order = order
        self._sorted, self._group = np.unique(points[:, 0], return_inverse=True)

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        if self._order > 2:
            ranked = np.argsort(self._group, kind="stable")
            starts = np.searchsorted(self._group[ranked], np.arange(len(self._sorted)))
            masses = np.add.reduceat(dual[ranked].astype(np.longdouble), starts, axis=0)
            return smooth_supremum(self._sorted, masses, len(dual), self._order)
        masses = np.bincount(self._group, dual, minlength=len(self._sorted))
        values = _profile_at_data(self._sorted, masses)
        sizes = _profile_at_data(self._sorted, np.bincount(self._group, np.abs(dual), minlength=len(self._sorted)))
        margin = (len(dual) + 2) * _UNIT * float(sizes.max(initial=0.0))
        height = np.abs(values)
        peaks = np.flatnonzero(
            (height > 0) & (height >= np.append(height[1:], 0.0)) & (height >= np.append(0.0, height[:-1]))
        )
        neurons = Neurons(np.ones((len(peaks), 1)), self._sorted[peaks])
        return Supremum.of(neurons, values[peaks], margin)


def _profile_at_data(points: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Σ_j masses_j (x_j − x_k)₊ for every k, by the recursion p_k = p_(k+1) + (x_(k+1) − x_k) Σ_(j>k) masses_j."""
    tails = np.cumsum(masses[::-1])[::-1][1:]
    return np.append(np.cumsum((np.diff(points) * tails)[::-1])[::-1], 0.0)
