"""A proven bound of the supremum in any dimension, order 2, for few points."""

from __future__ import annotations

import numpy as np

from ridgesplines.oracles.branching import branch_and_bound
from ridgesplines.oracles.coincident import DistinctPoints
from ridgesplines.oracles.cones import bound_cones
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum
from ridgesplines.oracles.search import SearchOracle
from ridgesplines.oracles.threads import in_threads

_UNIT = np.finfo(float).eps


class BranchAndBoundOracle:
    """A proven bound of sup |p_z| for points (N, d), order 2, by splitting cones of directions.

    For fixed w the profile is piecewise linear in b with kinks at the data, so at the supremum b = w·x_n for some pivot
    n. Pairs of a pivot and a cone are put aside where a bound of |p_z| (see `bound_cones`) stays below the value that
    the search found, and split elsewhere, the highest first. The cost grows exponentially with d: this is for a few
    dozen points in four or five dimensions; where time runs out `upper` is the bound reached.

    Rounding: `bound_cones` reports what it may have cost each bound, and `upper` includes it.

    Args:
        points: (N, d), d ≥ 2.
        tolerance: how far `upper` may be above `value`, relative, besides rounding.
        time_limit: in seconds, for each supremum.
        starts: of the search for the value.
        seed: of that search.
    """

    kind: CertificateKind = "bounded"

    def __init__(
        self,
        points: np.ndarray,
        tolerance: float = 1e-7,
        time_limit: float = 30.0,
        starts: int = 128,
        seed: int = 0,
    ) -> None:
        if points.ndim != 2 or points.shape[1] < 2:
            raise ValueError(f"points must be (N, d) with d ≥ 2, got shape {points.shape}; LineOracle serves the line.")
        self._tolerance, self._time_limit = tolerance, time_limit
        self._search = SearchOracle(points, starts, seed)
        self._again = SearchOracle(points, 1, seed)
        self._distinct = DistinctPoints(points)
        self._points = self._distinct.points

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`; a dual vector of several outputs is refused, `effort` is the search's."""
        if dual.ndim != 1:
            raise ValueError(
                f"BranchAndBoundOracle bounds the profile of one output, got a dual vector of shape {dual.shape}; "
                "solve one problem for each output."
            )
        masses, lost = self._distinct.precise_masses(dual).astype(float), self._distinct.precise_rounding(dual)
        found = [self._search.supremum(dual, hints, effort)]
        if not masses.any():
            return found[0]

        def refine(cones: np.ndarray, value: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
            parts = _halves(cones)
            bounds, roundings, centre = np.empty(len(parts)), np.empty(len(parts)), np.empty(len(parts))
            in_threads(
                lambda start, stop: bound_cones(
                    self._points, masses, parts, value, start, stop, bounds, roundings, centre
                ),
                len(parts),
            )
            highest = int(np.argmax(centre))
            if centre[highest] > value * (1 + 1e-12):
                dimension = self._points.shape[1]
                weights = parts[[highest], 2 : 2 + dimension] / np.linalg.norm(parts[highest, 2 : 2 + dimension])
                biases = weights @ self._points[int(parts[highest, 0])]
                found.append(self._again.supremum(dual, Neurons(weights, biases)))
                value = max(value, found[-1].value)
            kept = bounds > 0
            return parts[kept], bounds[kept], roundings[kept], value

        sizes = np.linalg.norm(self._points - self._points.mean(axis=0), axis=1)
        # Off the orthogonality of z, p_z beyond the last datum may be as large as this without any pivot being a peak.
        floor = 2 * (len(dual) + 64) * _UNIT * float(np.abs(masses) @ (sizes + sizes.max()))
        proof = branch_and_bound(
            self._first_cones(), refine, found[0].value, self._tolerance, floor / 64, self._time_limit
        )
        best = max(found, key=lambda answer: answer.value)
        upper = max(proof.upper, best.value, floor) + 2 * lost * float(sizes.max())
        return Supremum(best.value, upper, best.neurons, best.values)

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: the search alone."""
        answer = self._search.supremum(dual, hints)
        return Supremum(answer.value, np.inf, answer.neurons, answer.values)

    def _first_cones(self) -> np.ndarray:
        """Every pivot with every face of the cube [−1, 1]^d on its positive half, in the form that splits first."""
        count, dimension = self._points.shape
        faces = np.eye(dimension)
        cones = np.zeros((dimension, count, 2 + 2 * dimension))
        cones[:, :, 0] = np.arange(count)
        cones[:, :, 1] = (np.arange(dimension) == 0)[:, None]
        cones[:, :, 2 : 2 + dimension] = faces[:, None]
        cones[:, :, 2 + dimension :] = 1 - faces[:, None]
        return cones.reshape(-1, 2 + 2 * dimension)


def _halves(cones: np.ndarray) -> np.ndarray:
    """Both halves of each cone, across the coordinate it names; dyadic numbers, so without rounding."""
    dimension = (cones.shape[1] - 2) // 2
    rows, axis = np.arange(len(cones)), cones[:, 1].astype(int)
    parts = np.concatenate([cones, cones])
    widths = cones[rows, 2 + dimension + axis] / 2
    parts[np.arange(len(parts)), 2 + dimension + np.tile(axis, 2)] = np.tile(widths, 2)
    parts[rows, 2 + axis] -= widths
    parts[len(cones) + rows, 2 + axis] += widths
    return parts
