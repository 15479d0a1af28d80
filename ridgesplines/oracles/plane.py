"""The exact supremum in the plane, order 2."""

from __future__ import annotations

import numpy as np

from ridgesplines.oracles.coincident import DistinctPoints
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum
from ridgesplines.oracles.sweeps import fill_orders, sweep_pivots, sweep_pivots_outputs
from ridgesplines.oracles.threads import in_threads

_UNIT = np.finfo(float).eps
# The sorted directions of all pivots do not depend on the dual vector; they are kept up to this many bytes.
_CACHE_BYTES = 2**28


class PlaneOracle:
    """The exact supremum of |p_z| for points in the plane (N, 2) and order 2, in O(N²) after one O(N² log N) sort.

    For fixed w the profile is piecewise linear in b with kinks at w·x_n and zero outside their range, so some pivot n
    has b = w·x_n at the supremum, and a sweep of the half circle of w per pivot finds it. All pivots are swept, in
    threads; memory is O(N) per thread besides the sorted directions, which are kept while they fit in 256 MiB.

    Rounding: `upper` exceeds `value` by a proven bound of the sweep's errors (see `sweep_half_circle`).
    """

    kind: CertificateKind = "exact"

    def __init__(self, points: np.ndarray) -> None:
        self._distinct = DistinctPoints(points)
        self._points = self._distinct.points
        count = len(self._points)
        itemsize = np.min_scalar_type(max(count, 1)).itemsize
        cached = count * max(count - 1, 0) * itemsize <= _CACHE_BYTES
        self._orders = np.zeros((count if cached else 0, max(count - 1, 0)), dtype=np.min_scalar_type(max(count, 1)))
        if cached and count > 1:
            in_threads(lambda start, stop: fill_orders(self._points, start, stop, self._orders), count)

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        count = len(self._points)
        if count < 2:
            return Supremum.of(Neurons.none(2), np.zeros((0, *dual.shape[1:])))
        masses = self._distinct.masses(dual)
        points, orders, sizes = self._points, self._orders, np.zeros(count)
        pivots = np.arange(count)
        if masses.ndim == 1:
            best = np.zeros((count, 2, 4))
            in_threads(lambda start, stop: sweep_pivots(points, masses, orders, start, stop, best, sizes), count)
            found, pivots = best.reshape(-1, 4), pivots.repeat(2)
            values, signs = found[:, 0], np.sign(found[:, 0])
        else:
            found, values, signs = np.zeros((count, 4)), np.zeros(masses.shape), np.zeros(count)
            in_threads(
                lambda start, stop: sweep_pivots_outputs(points, masses, orders, start, stop, found, values, sizes),
                count,
            )
        margin = 34 * _UNIT * float(sizes.max()) + self._distinct.rounding(dual)
        partners = found[:, 3].astype(int)
        first = np.where(partners >= 0, np.minimum(pivots, partners), pivots)
        second = np.where(partners >= 0, np.maximum(pivots, partners), pivots)
        weights = self._unit_normals(first, second, found[:, 1:3])
        biases = np.einsum("kd,kd->k", weights, self._points[first])
        # The same hyperplane comes out of both of its points: keep one.
        keys = np.column_stack([first, np.where(partners >= 0, second, -1 - first), signs])
        _, chosen = np.unique(keys, axis=0, return_index=True)
        return Supremum.of(Neurons(weights[chosen], biases[chosen]), values[chosen], margin)

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: the supremum is cheap."""
        return self.supremum(dual, hints)

    def _unit_normals(self, first: np.ndarray, second: np.ndarray, fallback: np.ndarray) -> np.ndarray:
        """The unit normals of the lines through two points, the same for both of their pivots; else `fallback`."""
        differences = self._points[second] - self._points[first]
        normals = np.column_stack([-differences[:, 1], differences[:, 0]])
        lengths = np.linalg.norm(normals, axis=1, keepdims=True)
        return np.where(first[:, None] != second[:, None], normals / np.where(lengths > 0, lengths, 1.0), fallback)
