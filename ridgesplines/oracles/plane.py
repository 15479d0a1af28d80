"""The exact supremum in the plane, order 2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.oracles.coincident import DistinctPoints
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum, sizes
from ridgesplines.oracles.sweeps import fill_orders, sweep_pivots, sweep_pivots_outputs
from ridgesplines.oracles.threads import in_threads

_UNIT = np.finfo(float).eps
# The sorted directions of all pivots do not depend on the dual vector; they are kept up to this many bytes.
_CACHE_BYTES = 2**28


# To so many points `approximate` is the supremum; of more, so many are pivots, and so many of the best lines followed.
_CHEAP, _TRIED, _FOLLOWED = 2000, 200, 50


@dataclass(frozen=True)
class _Swept:
    """Lines found: through `pivots` and `partners` (−1 for none), with `directions` and profiles `values`.

    Attributes:
        size: the largest sum of absolute terms, for the rounding.
    """

    pivots: np.ndarray
    partners: np.ndarray
    directions: np.ndarray
    values: np.ndarray
    size: float

    def __add__(self, other: _Swept) -> _Swept:
        return _Swept(
            np.concatenate([self.pivots, other.pivots]),
            np.concatenate([self.partners, other.partners]),
            np.concatenate([self.directions, other.directions]),
            np.concatenate([self.values, other.values]),
            max(self.size, other.size),
        )


class PlaneOracle:
    """The exact supremum of |p_z| for points in the plane (N, 2) and order 2, in O(N²) after one O(N² log N) sort.

    For fixed w the profile is piecewise linear in b with kinks at w·x_n and zero outside their range, so some pivot n
    has b = w·x_n at the supremum, and a sweep of the half circle of w per pivot finds it. All pivots are swept, in
    threads; memory is O(N) per thread besides the sorted directions, which are kept while they fit in 256 MiB.

    Of more than 2000 points `approximate` sweeps some pivots only, in O(N log N). That nearly always finds the
    supremum; column generation has it proven once or twice, at the end.

    Rounding: `upper` exceeds `value` by a proven bound of the sweep's errors (see `sweep_half_circle`).
    """

    kind: CertificateKind = "exact"

    def __init__(self, points: np.ndarray) -> None:
        self._distinct = DistinctPoints(points)
        self._points = self._distinct.points
        self._orders = np.zeros((0, 0), dtype=np.min_scalar_type(max(len(self._points), 1)))

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        count = len(self._points)
        if count < 2:
            return Supremum.of(Neurons.none(2), np.zeros((0, *dual.shape[1:])))
        self._sort(count)
        swept = self._sweep(self._distinct.masses(dual), np.arange(count))
        return self._answer(swept, 34 * _UNIT * swept.size + self._distinct.rounding(dual))

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: of many points some are pivots, and those that come next on the best lines found.

        A line that is best at both of its points is a local maximum.
        """
        count = len(self._points)
        if count <= _CHEAP:
            return self.supremum(dual)
        masses = self._distinct.masses(dual)
        pivots = np.linspace(0, count - 1, _TRIED).astype(int)
        if hints is not None and len(hints):
            sides = np.abs(self._points @ hints.weights[:_TRIED].T - hints.biases[:_TRIED])
            pivots = np.union1d(pivots, np.argmin(sides, axis=0))
        swept, seen = self._sweep(masses, pivots), pivots
        while True:
            best = np.argsort(-sizes(swept.values), kind="stable")[:_FOLLOWED]
            partners = np.setdiff1d(swept.partners[best], [*seen, -1])
            if not len(partners):
                return self._answer(swept, np.inf)
            swept, seen = swept + self._sweep(masses, partners), np.concatenate([seen, partners])

    def _sort(self, count: int) -> None:
        """Keep the sorted directions of all pivots, if they fit and are not there yet."""
        if not len(self._orders) and count * (count - 1) * self._orders.itemsize <= _CACHE_BYTES:
            orders = np.zeros((count, count - 1), dtype=self._orders.dtype)
            in_threads(lambda start, stop: fill_orders(self._points, start, stop, orders), count)
            self._orders = orders

    def _sweep(self, masses: np.ndarray, pivots: np.ndarray) -> _Swept:
        """The best lines through `pivots`: of the highest and the lowest profile, or one of several outputs."""
        points, orders, reach, count = self._points, self._orders, np.zeros(len(pivots)), len(pivots)
        if masses.ndim == 1:
            best = np.zeros((count, 2, 4))
            in_threads(
                lambda start, stop: sweep_pivots(points, masses, orders, pivots, start, stop, best, reach), count
            )
            found, pivots = best.reshape(-1, 4), pivots.repeat(2)
            values = found[:, 0]
        else:
            found, values = np.zeros((count, 4)), np.zeros((count, masses.shape[1]))
            in_threads(
                lambda start, stop: sweep_pivots_outputs(
                    points, masses, orders, pivots, start, stop, found, values, reach
                ),
                count,
            )
        return _Swept(pivots, found[:, 3].astype(int), found[:, 1:3], values, float(reach.max()))

    def _answer(self, swept: _Swept, margin: float) -> Supremum:
        pivots, partners, values = swept.pivots, swept.partners, swept.values
        signs = np.sign(values) if values.ndim == 1 else np.zeros(len(values))
        first = np.where(partners >= 0, np.minimum(pivots, partners), pivots)
        second = np.where(partners >= 0, np.maximum(pivots, partners), pivots)
        weights = self._unit_normals(first, second, swept.directions)
        biases = np.einsum("kd,kd->k", weights, self._points[first])
        # The same hyperplane comes out of both of its points: keep one.
        keys = np.column_stack([first, np.where(partners >= 0, second, -1 - first), signs])
        _, chosen = np.unique(keys, axis=0, return_index=True)
        return Supremum.of(Neurons(weights[chosen], biases[chosen]), values[chosen], margin)

    def _unit_normals(self, first: np.ndarray, second: np.ndarray, fallback: np.ndarray) -> np.ndarray:
        """The unit normals of the lines through two points, the same for both of their pivots; else `fallback`."""
        differences = self._points[second] - self._points[first]
        normals = np.column_stack([-differences[:, 1], differences[:, 0]])
        lengths = np.linalg.norm(normals, axis=1, keepdims=True)
        return np.where(first[:, None] != second[:, None], normals / np.where(lengths > 0, lengths, 1.0), fallback)
