"""A proven bound of the supremum for ℓ1 and ℓ∞ gauges in any dimension, for few points."""

from __future__ import annotations

import heapq
import itertools
import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import linprog

from ridgesplines.activations import LeakyReLU
from ridgesplines.oracles.atomic import Biases
from ridgesplines.oracles.coincident import DistinctPoints
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Oracle, Supremum, profile

_UNIT = np.finfo(float).eps
_TOLERANCES = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
# Of the cones of an ℓ1 ball, 2^(d−1), no more dimensions are looked through.
_MOST_DIMENSIONS = 10
# A neuron shorter than this, in a ball of radius 1, is what a linear program leaves of zero.
_NOTHING = 1e-6


@dataclass(order=True)
class _Node:
    """A part of the neurons: those on the `sides` (0: either) of the hyperplanes θ ⟂ u_k, within a cone.

    Ordered by the highest bound.
    """

    rank: float
    number: int
    rounding: float = field(compare=False)
    part: int = field(compare=False)
    cone: np.ndarray = field(compare=False)
    sides: np.ndarray = field(compare=False)
    branch: int = field(compare=False)


class SignBranchingOracle:
    """A proven bound of sup |p_z| for leaky ReLU neurons of ‖w‖_p = 1, or ‖(w, b)‖_p = 1, p = 1 or ∞, in any dimension.

    As `AtomicOracle` says, it is the largest value of functions E(θ) = ½ Σ_k m_k |θ·u_k|, θ = w or (w, b), over a
    polytope K: the ball of the gauge, or ‖w‖_p ≤ 1 and |b| ≤ B, where B is the bound of the biases, or reaches all
    data where they are free (beyond them p_z is linear in b, so that no corner of K adds anything). A bound within the
    data is not convex; there are as many parts of K as pairs of opposite facets of the ball, on each of which it is.

    The terms m_k < 0 are concave, those with m_k > 0 are made linear by the side of θ ⟂ u_k. A node of the tree has
    sides for some of these; on the others |θ·u_k| ≤ max over K. That leaves a linear program. Its dual says: for
    numbers c_k ≥ ½ m_k along the side, |c_k| ≤ ½ |m_k| for concave terms, and multipliers y ≥ 0 of the cone, E on the
    node is at most the support function of K at Σ_k c_k u_k + Σ y_i g_i, plus the terms without a side. HiGHS suggests
    c and y; the bound is evaluated here, for numbers that are made to satisfy their signs, so that nothing depends on
    its tolerances.

    The cost may double with each m_k > 0, which half of the points and one more have: this is for a dozen or two.

    Rounding: the sums of a bound have N + 1 terms and those of the cone; it is allowed for by 8 (N + D + 32) ε times
    the same sums over absolute values.

    Args:
        points: (N, d).
        norm: p, 1 or infinite.
        biases: which are admissible, and whether they are penalised.
        slope: β ∈ [0, 1).
        nonnegative: whether the supremum is that of p_z instead of |p_z|.
        search: finds the value that the bound is compared with.
        tolerance: how far `upper` may be above `value`, relative, besides rounding.
        time_limit: in seconds, for each supremum; where it runs out `upper` is the bound reached.

    Raises:
        ValueError: for p = 2, or a bound of the biases within data of many dimensions and p = 1.
    """

    kind: CertificateKind = "bounded"

    def __init__(
        self,
        points: np.ndarray,
        norm: float,
        biases: Biases,
        slope: float,
        nonnegative: bool,
        search: Oracle,
        tolerance: float = 1e-9,
        time_limit: float = 30.0,
    ) -> None:
        if norm not in (1, math.inf):
            raise ValueError(f"SignBranchingOracle serves p = 1 and infinity, got {norm!r}.")
        self._distinct, self._search = DistinctPoints(points), search
        self._norm, self._biases, self._nonnegative = norm, biases, nonnegative
        self._activation, self._tolerance, self._time_limit = LeakyReLU(slope), tolerance, time_limit
        points = self._distinct.points
        count, dimension = points.shape
        self._centre = np.zeros(dimension)
        self._joint = biases.penalised or biases.bound == 0
        self._unit, cones = 1.0, [np.zeros((0, dimension + (biases.bound > 0)))]
        if biases.penalised:
            self._rows = np.column_stack([points, -np.ones(count)])
        elif biases.bound == 0:
            self._rows = points
        else:
            if biases.bound == math.inf:
                self._centre = 0.5 * (points.min(axis=0) + points.max(axis=0))
            farthest = float(_dual(points - self._centre, norm).max()) * (1 + 8 * _UNIT)
            self._unit = farthest if biases.bound == math.inf else biases.bound
            # In units of the largest bias.
            self._rows = np.column_stack([points - self._centre, np.full(count, -(self._unit or 1.0))])
            if self._unit < farthest:
                cones = _cones(dimension, norm)
        self._cones = cones
        # What rounding the centred points may have moved them by.
        self._moved = 2 * _UNIT * float(_dual(np.abs(points) + np.abs(self._centre), norm).max(initial=0.0))

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`; a dual vector of several outputs is refused, `effort` is the search's."""
        if dual.ndim != 1:
            raise ValueError(
                f"SignBranchingOracle bounds the profile of one output, got a dual vector of shape {dual.shape}."
            )
        found = self._search.supremum(dual, hints, effort)
        masses = self._distinct.masses(dual)
        if not masses.any():
            return found
        known = [found.neurons]
        upper, rounding = self._prove(masses, found.value, known)
        neurons = known[0]
        for more in known[1:]:
            neurons += more
        values = profile(self._distinct.points, masses, neurons, slope=self._activation.slope)
        if self._nonnegative:
            neurons, values = neurons[values > 0], values[values > 0]
        answer = Supremum.of(neurons, values)
        reach = float(_support(np.abs(self._rows), self._norm, self._joint).max())
        margin = rounding + self._distinct.rounding(dual, reach) + self._moved * float(np.abs(masses).sum())
        return Supremum(answer.value, max(upper, answer.value) + margin, answer.neurons, answer.values)

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: the search alone."""
        answer = self._search.approximate(dual, hints)
        return Supremum(answer.value, np.inf, answer.neurons, answer.values)

    def _prove(self, masses: np.ndarray, value: float, known: list[Neurons]) -> tuple[float, float]:
        """The highest bound that is left, and the rounding of bounds; neurons above `value` are added to `known`."""
        deadline = time.monotonic() + self._time_limit
        slope = self._activation.slope
        drift = np.asarray(self._rows.astype(np.longdouble).T @ masses, dtype=float)
        rows = np.concatenate([self._rows, drift[None]])
        functions = [
            _Function(rows, 0.5 * np.append(sign * (1 - slope) * masses, 1 + slope), self._norm, self._joint)
            for sign in ((1.0,) if self._nonnegative else (1.0, -1.0))
        ]
        numbers = itertools.count()
        closed, rounding, heap = value, 0.0, []

        def visit(part: int, cone: np.ndarray, sides: np.ndarray) -> None:
            nonlocal value, closed, rounding
            bound, error, theta, branch = functions[part].bound(cone, sides)
            neurons = self._neurons(theta)
            heights = profile(self._distinct.points, masses, neurons, slope=slope)
            height = float((heights if self._nonnegative else np.abs(heights)).max(initial=0.0))
            if height > value:
                value = height
                known.append(neurons)
            rounding = max(rounding, error)
            if branch < 0 or bound <= value * (1 + self._tolerance):
                closed = max(closed, bound)
            else:
                heapq.heappush(heap, _Node(-bound, next(numbers), error, part, cone, sides, branch))

        for part, cone in itertools.product(range(len(functions)), self._cones):
            visit(part, cone, np.zeros(len(rows)))
        while heap and -heap[0].rank > value * (1 + self._tolerance):
            if time.monotonic() > deadline:
                break
            node = heapq.heappop(heap)
            # E is even: without a cone, the first side may be either.
            first = not len(node.cone) and not node.sides.any()
            for side in (1.0,) if first else (1.0, -1.0):
                sides = node.sides.copy()
                sides[node.branch] = side
                visit(node.part, node.cone, sides)
        return max([closed, *(-node.rank for node in heap)]), rounding

    def _neurons(self, theta: np.ndarray) -> Neurons:
        """The admissible neurons ±θ of gauge 1, which E does not tell apart; none for θ = 0."""
        weight = theta[: len(self._centre)]
        size = _length(theta if self._biases.penalised else weight, self._norm)
        if size < _NOTHING:
            return Neurons.none(len(weight))
        weight, bias = weight / size, 0.0
        if self._biases.penalised:
            bias = float(theta[-1] / size)
        elif self._biases.bound:
            bias = float(theta[-1] / size * self._unit + weight @ self._centre)
            bias = min(max(bias, -self._biases.bound), self._biases.bound)
        return Neurons(np.stack([weight, -weight]), np.array([bias, -bias]))


class _Function:
    """E(θ) = Σ_k m_k |θ·u_k| over K, its bounds on parts of K by linear programs."""

    def __init__(self, rows: np.ndarray, masses: np.ndarray, norm: float, joint: bool) -> None:
        self._rows, self._masses, self._norm, self._joint = rows, masses, norm, joint
        self._most = _support(np.abs(rows), norm, joint)
        self._convex = (masses > 0) & (self._most > 0)
        self._concave = (masses < 0) & (self._most > 0)
        # Linear programs in units of the rows and the masses.
        self._unit = float(np.abs(masses).max()) or 1.0
        self._sizes = np.where(self._most > 0, self._most, 1.0)

    def bound(self, cone: np.ndarray, sides: np.ndarray) -> tuple[float, float, np.ndarray, int]:
        """A bound on a part of K, its rounding error, the θ of the linear program, and which side to ask for, or −1."""
        chosen = sides != 0
        open_ = self._convex & ~chosen
        theta, alongs, across, multipliers = self._program(cone, sides)
        coefficients = np.zeros(len(sides))
        coefficients[chosen] = sides[chosen] * (self._masses[chosen] + np.maximum(alongs, 0.0))
        limits = np.abs(self._masses[self._concave])
        coefficients[self._concave] = np.clip(across, -limits, limits)
        multipliers = np.maximum(multipliers, 0.0)
        total = coefficients @ self._rows + multipliers @ cone
        bound = float(_support(total[None], self._norm, self._joint)[0] + self._masses[open_] @ self._most[open_])
        terms = np.abs(coefficients) @ self._most + self._masses[open_] @ self._most[open_]
        terms += multipliers @ _support(np.abs(cone), self._norm, self._joint)
        rounding = 8 * (len(sides) + len(cone) + self._rows.shape[1] + 32) * _UNIT * float(terms)
        missing = np.where(open_, self._masses * (self._most - np.abs(self._rows @ theta)), -1.0)
        branch = int(np.argmax(missing)) if open_.any() else -1
        return bound, rounding, theta, branch

    def _program(self, cone: np.ndarray, sides: np.ndarray) -> tuple[np.ndarray, ...]:
        """θ that is best for the linear program, and what its multipliers suggest: for sides, concave terms, the cone.

        Variables: θ⁺, θ⁻ ≥ 0 and heights t_k ≥ |θ·u_k| of the concave terms.
        """
        rows, width = self._rows / self._sizes[:, None], self._rows.shape[1]
        masses = self._masses * self._sizes
        unit = float(np.abs(masses).max()) or 1.0
        chosen, heights = np.flatnonzero(sides), np.flatnonzero(self._concave)
        goal = (sides[chosen] * masses[chosen]) @ rows[chosen]
        below = np.eye(len(heights))
        ball = np.ones((1, width))
        ends = (0.0, None)
        if self._norm == math.inf:
            ball, ends = np.zeros((0, width)), (0.0, 1.0)
        elif not self._joint:
            ball[0, -1] = 0.0
        blocks = [
            np.hstack([_both(-sides[chosen, None] * rows[chosen]), np.zeros((len(chosen), len(heights)))]),
            np.hstack([_both(rows[heights]), -below]),
            np.hstack([_both(-rows[heights]), -below]),
            np.hstack([_both(-cone), np.zeros((len(cone), len(heights)))]),
            np.hstack([ball, ball, np.zeros((len(ball), len(heights)))]),
        ]
        matrix = np.concatenate(blocks)
        right = np.zeros(len(matrix))
        right[len(matrix) - len(ball) :] = 1.0
        bounds = [ends] * (2 * width) + [(0.0, None)] * len(heights)
        if self._norm == 1 and not self._joint:
            bounds[width - 1] = bounds[2 * width - 1] = (0.0, 1.0)
        prices = np.concatenate([-goal, goal, np.abs(masses[heights])]) / unit
        found: Any = linprog(prices, A_ub=matrix, b_ub=right, bounds=bounds, method="highs", options=_TOLERANCES)
        if found.x is None:
            # Zero multipliers are a bound, too.
            nothing = np.zeros(len(heights))
            return np.zeros(width), np.zeros(len(chosen)), nothing, np.zeros(len(cone))
        theta = found.x[:width] - found.x[width : 2 * width]
        steep = -unit * found.ineqlin.marginals
        edges = np.cumsum([len(block) for block in blocks])
        alongs = steep[: edges[0]] / self._sizes[chosen]
        across = -(steep[edges[0] : edges[1]] - steep[edges[1] : edges[2]]) / self._sizes[heights]
        return theta, alongs, across, steep[edges[2] : edges[3]]


def _both(rows: np.ndarray) -> np.ndarray:
    return np.hstack([rows, -rows])


def _length(vector: np.ndarray, norm: float) -> float:
    return float(np.abs(vector).sum() if norm == 1 else np.abs(vector).max(initial=0.0))


def _dual(rows: np.ndarray, norm: float) -> np.ndarray:
    """The dual norm of each row."""
    return np.abs(rows).max(axis=1, initial=0.0) if norm == 1 else np.abs(rows).sum(axis=1)


def _support(rows: np.ndarray, norm: float, joint: bool) -> np.ndarray:
    """The largest row·θ over K, for each row: over a ball, or over ‖w‖_p ≤ 1 and |b| ≤ 1."""
    return _dual(rows, norm) if joint else _dual(rows[:, :-1], norm) + np.abs(rows[:, -1])


def _cones(dimension: int, norm: float) -> list[np.ndarray]:
    """Rows g with g·(w, b) ≥ 0: the cones of the facets of the ball, up to sign, and |b| ≤ ‖w‖_p there."""
    if norm == 1 and dimension > _MOST_DIMENSIONS:
        raise ValueError(
            f"a bound of the biases within the data makes 2^{dimension - 1} parts for weight_norm 1; at most "
            f"{_MOST_DIMENSIONS} dimensions are served."
        )
    cones = []
    if norm == 1:
        for rest in itertools.product((1.0, -1.0), repeat=dimension - 1):
            signs = np.array([1.0, *rest])
            cones.append((np.diag(signs), signs))
    else:
        for axis in range(dimension):
            others = np.delete(np.eye(dimension), axis, axis=0)
            facet = np.eye(dimension)[axis]
            cones.append((np.concatenate([facet - others, facet + others]), facet))
    return [
        np.concatenate(
            [np.column_stack([faces, np.zeros(len(faces))]), np.append(along, 1.0)[None], np.append(along, -1.0)[None]]
        )
        for faces, along in cones
    ]
