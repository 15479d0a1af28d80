"""The exact supremum on the line."""

from __future__ import annotations

import math

import numpy as np

from ridgesplines.norms import sizes
from ridgesplines.oracles.coincident import DistinctPoints
from ridgesplines.oracles.pieces import smooth_supremum
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum

_UNIT = np.finfo(float).eps


class LineOracle:
    """The exact supremum of |p_z| for points on the line (N, 1) and orders 2, 3 and 4, in O(N) per dual vector.

    b ↦ p_z(b) = Σ_n z_n ρ_m(x_n − b) is zero outside the range of the data. For order 2 it is piecewise linear with
    kinks at the data, so the supremum is attained at a datum; of several outputs, the norm is convex between the data,
    and again it is. For orders 3 and 4 it is piecewise quadratic or cubic and smooth, and the candidates are the roots
    of its derivative (see `smooth_supremum`, also for the rounding). Flipping a neuron changes it by a polynomial of
    degree < m only, to which z is orthogonal: one orientation is enough.

    Rounding, order 2: p_z at the data is a running sum of running sums. Made in blocks, each has an error of at most
    (2 √N + 4) ε times the same sum over absolute values, with the ε of extended precision (where the platform has it);
    then comes that of rounding to double precision. `upper` adds both.
    """

    kind: CertificateKind = "exact"

    def __init__(self, points: np.ndarray, order: int = 2) -> None:
        if order not in (2, 3, 4):
            raise ValueError(f"the supremum on the line is solved for orders 2, 3 and 4, got order={order!r}.")
        self._order = order
        self._distinct = DistinctPoints(points)
        self._sorted = self._distinct.points[:, 0]

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        if self._order > 2:
            return smooth_supremum(self._sorted, self._distinct.precise_masses(dual), len(dual), self._order)
        precise = _profile_at_data(self._sorted.astype(np.longdouble), self._distinct.precise_masses(dual))
        values = precise.astype(float)
        reach = _profile_at_data(self._sorted, self._distinct.masses(np.abs(dual)))
        largest = float(sizes(reach).max(initial=0.0))
        # Points that coincide are summed one by one.
        terms = 4 * math.isqrt(len(dual)) + 16 + self._distinct.repeats
        margin = terms * float(np.finfo(np.longdouble).eps) * largest
        margin += 4 * _UNIT * float(sizes(values).max(initial=0.0))
        height = sizes(values)
        peaks = np.flatnonzero(
            (height > 0) & (height >= np.append(height[1:], 0.0)) & (height >= np.append(0.0, height[:-1]))
        )
        neurons = Neurons(np.ones((len(peaks), 1)), self._sorted[peaks])
        return Supremum.of(neurons, values[peaks], margin)

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: the supremum is cheap."""
        return self.supremum(dual, hints)


def _profile_at_data(points: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Σ_j masses_j (x_j − x_k)₊ for every k, by the recursion p_k = p_(k+1) + (x_(k+1) − x_k) Σ_(j>k) masses_j."""
    tails = _running_sums(masses[::-1])[::-1][1:]
    values = np.zeros_like(masses)
    values[:-1] = _running_sums((np.diff(points) * tails.T).T[::-1])[::-1]
    return values


def _running_sums(terms: np.ndarray) -> np.ndarray:
    """Cumulative sums along the first axis, as sums in a block plus sums of blocks: 2 √N additions make each."""
    count, size = len(terms), max(1, math.isqrt(len(terms)))
    blocks = -(-count // size)
    padded = np.zeros((blocks * size, *terms.shape[1:]), dtype=terms.dtype)
    padded[:count] = terms
    sums = np.cumsum(padded.reshape(blocks, size, *terms.shape[1:]), axis=1)
    sums[1:] += np.cumsum(sums[:-1, -1], axis=0)[:, None]
    return sums.reshape(padded.shape)[:count]
