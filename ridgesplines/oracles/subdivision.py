"""A proven bound of the supremum in the plane, orders 3 and 4."""

from __future__ import annotations

import numpy as np

from ridgesplines.activations import TruncatedPower
from ridgesplines.oracles.branching import branch_and_bound
from ridgesplines.oracles.coincident import DistinctPoints
from ridgesplines.oracles.plane_boxes import bound_boxes, climb, promising, scan_directions
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum
from ridgesplines.oracles.threads import in_threads

_UNIT = np.finfo(float).eps
# The first boxes: 32 directions by 8 biases.
_DIRECTIONS, _BIASES = 32, 8
_OVERLAP = 1e-14


class SubdivisionOracle:
    """A proven bound of sup |p_z| for points in the plane (N, 2), orders 3 and 4, by subdividing (direction, bias).

    The points are centred, and flipping a neuron changes p_z by a polynomial to which z is orthogonal only, so biases
    b ≥ 0 are enough: they have the fewer active data, whose heights stay below the points' distance to the centre.

    The value comes first: the exact local maxima over b in each of many directions, and Newton ascents from the
    promising ones. Then boxes of (θ, b) are put aside where a bound of |p_z| (see `bound_boxes`) stays below the value,
    up to `tolerance`, and halved elsewhere. The bounds' error is of third order in the size of the box, so a few boxes
    around each near-maximum remain at each size, and it costs O(N) per box.

    Rounding: `bound_boxes` reports what it may have cost each bound, and `upper` includes it.

    Args:
        points: (N, 2).
        order: m, 3 or 4.
        tolerance: how far `upper` may be above `value`, relative, besides rounding.
        time_limit: seconds after which `upper` is the bound reached: still proven, but looser.
    """

    kind: CertificateKind = "bounded"

    def __init__(self, points: np.ndarray, order: int, tolerance: float = 1e-8, time_limit: float = 60.0) -> None:
        if order not in (3, 4):
            raise ValueError(f"SubdivisionOracle serves orders 3 and 4, got order={order!r}; PlaneOracle serves 2.")
        self._degree = order - 1
        self._tolerance = tolerance
        self._time_limit = time_limit
        self._grouped = DistinctPoints(points)
        self._centre = (points.min(axis=0) + points.max(axis=0)) / 2
        centred = self._grouped.points - self._centre
        radius = float(np.linalg.norm(centred, axis=1).max())
        # A power of two scales without rounding; the slack keeps norms below 1 whatever rounding does.
        self._scale = 2.0 ** np.ceil(np.log2(radius * (1 + 1e-12))) if radius > 0 else 1.0
        self._points = centred / self._scale

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`; a dual vector of several outputs is refused."""
        masses, lost = self._masses(dual)
        if not masses.any():
            return Supremum.of(Neurons.none(2), np.zeros(0))
        places, values = self._search(masses, hints, effort)
        found = [places]

        def refine(boxes: np.ndarray, value: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
            parts = _halves(boxes)
            bounds, roundings, centre = np.empty(len(parts)), np.empty(len(parts)), np.empty(len(parts))
            in_threads(
                lambda start, stop: bound_boxes(
                    self._points, masses, self._degree, parts, start, stop, bounds, roundings, centre
                ),
                len(parts),
            )
            starts = parts[np.argsort(-np.abs(centre))[:8], :2].copy()
            climb(self._points, masses, self._degree, starts, 0, len(starts))
            heights = np.abs(self._values(masses, starts))
            found.append(starts[heights > value * (1 + 1e-12)])
            return parts, bounds, roundings, max(value, float(heights.max()))

        floor = _UNIT * float(np.abs(masses) @ TruncatedPower(self._degree + 1)(np.linalg.norm(self._points, axis=1)))
        value = float(np.abs(values).max(initial=0.0))
        proof = branch_and_bound(_first_boxes(), refine, value, self._tolerance, floor, self._time_limit)
        answer = self._answer(*self._distinct(masses, np.concatenate(found)))
        # Heights above hyperplanes with b ≥ 0 are at most 1.
        upper = (proof.upper + lost) * self._scale**self._degree
        return Supremum(answer.value, max(upper, answer.value), answer.neurons, answer.values)

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """The value and the neurons without the proof, at a fraction of the cost: `upper` is infinite."""
        masses, _ = self._masses(dual)
        answer = self._answer(*self._search(masses, hints, effort))
        return Supremum(answer.value, np.inf, answer.neurons, answer.values)

    def _masses(self, dual: np.ndarray) -> tuple[np.ndarray, float]:
        if dual.ndim != 1:
            raise ValueError(
                f"SubdivisionOracle bounds the profile of one output, got a dual vector of shape {dual.shape}; "
                "solve one problem for each output."
            )
        return self._grouped.precise_masses(dual).astype(float), self._grouped.precise_rounding(dual)

    def _search(self, masses: np.ndarray, hints: Neurons | None, effort: int) -> tuple[np.ndarray, np.ndarray]:
        """Local maxima of |p|, best first: (θ, b) in the scaled frame, and p there."""
        count = effort * max(64, int(16 * np.sqrt(len(masses))))
        angles = np.pi * np.arange(count) / count
        extremes, counts = np.empty((count, 2 * len(masses), 2)), np.zeros(count, dtype=np.int64)
        in_threads(
            lambda i, j: scan_directions(self._points, masses, self._degree, angles, i, j, extremes, counts), count
        )
        which, place = np.nonzero(np.arange(extremes.shape[1]) < counts[:, None])
        starts = np.column_stack([angles[which], extremes[which, place, 0]])
        heights = np.abs(extremes[which, place, 1])
        high = heights >= 0.3 * heights.max(initial=0.0)
        starts, heights = starts[high], heights[high]
        near = np.zeros(len(starts), dtype=np.bool_)
        in_threads(
            lambda i, j: promising(self._points, masses, self._degree, starts, np.pi / count, i, j, near), len(starts)
        )
        order = np.argsort(-heights, kind="stable")
        places = np.concatenate([starts[order[near[order]]][: 1024 * effort], starts[order][: 16 * effort]])
        if hints is not None:
            theta = np.arctan2(hints.weights[:, 1], hints.weights[:, 0])
            biases = (hints.biases - hints.weights @ self._centre) / self._scale
            places = np.concatenate([places, np.column_stack([theta, biases])])
        in_threads(lambda i, j: climb(self._points, masses, self._degree, places, i, j), len(places))
        return self._distinct(masses, places)

    def _distinct(self, masses: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One of each hyperplane, best first, with p there."""
        # The orientation with the fewer active data, for a smaller rounding error.
        flipped = places[:, 1] < 0
        places = np.where(flipped[:, None], np.column_stack([places[:, 0] + np.pi, -places[:, 1]]), places)
        values = self._values(masses, places)
        order = np.argsort(-np.abs(values), kind="stable")
        order = order[values[order] != 0]
        keys = np.column_stack([np.cos(places[order, 0]), np.sin(places[order, 0]), places[order, 1]])
        _, first = np.unique(np.round(keys, 6) + 0.0, axis=0, return_index=True)
        order = order[np.sort(first)]
        return places[order], values[order]

    def _values(self, masses: np.ndarray, places: np.ndarray) -> np.ndarray:
        directions = np.column_stack([np.cos(places[:, 0]), np.sin(places[:, 0])])
        return TruncatedPower(self._degree + 1)(directions @ self._points.T - places[:, 1:]) @ masses

    def _answer(self, places: np.ndarray, values: np.ndarray) -> Supremum:
        weights = np.column_stack([np.cos(places[:, 0]), np.sin(places[:, 0])])
        biases = self._scale * places[:, 1] + weights @ self._centre
        return Supremum.of(Neurons(weights, biases), self._scale**self._degree * values)


def _first_boxes() -> np.ndarray:
    """Boxes (θ, b, α, β) that cover all directions and 0 ≤ b ≤ 1; they overlap by more than their centres round."""
    alpha, beta = np.pi / _DIRECTIONS, 0.5 / _BIASES
    thetas = alpha * (2 * np.arange(_DIRECTIONS) + 1)
    biases = beta * (2 * np.arange(_BIASES) + 1)
    grid = np.stack(np.meshgrid(thetas, biases, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.column_stack([grid, np.full(len(grid), alpha + _OVERLAP), np.full(len(grid), beta + _OVERLAP)])


def _halves(boxes: np.ndarray) -> np.ndarray:
    """Both halves of each box (θ, b, α, β), across its longer side."""
    axis = (boxes[:, 3] > boxes[:, 2]).astype(int)
    rows = np.arange(len(boxes))
    widths = boxes[rows, 2 + axis] / 2
    parts = np.concatenate([boxes, boxes])
    parts[np.arange(len(parts)), 2 + np.tile(axis, 2)] = np.tile(widths, 2) + _OVERLAP
    parts[rows, axis] -= widths
    parts[len(boxes) + rows, axis] += widths
    return parts
