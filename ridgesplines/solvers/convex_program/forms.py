"""The variables of a finite convex program: a network in the cones of activation patterns, or of given neurons."""

from __future__ import annotations

import itertools
import math
from typing import Any, Protocol

import cvxpy
import numpy as np
import scipy.sparse
from scipy.spatial import ConvexHull, QhullError

from ridgesplines.oracles import Neurons
from ridgesplines.problem import Problem

# The convex hull of this few points has most of them as corners.
_FEW = 8
# A bias beyond its bound by this fraction is there by the rounding of a solver.
_ROUNDING = 1e-6


class Form(Protocol):
    """Networks over which a convex program minimises.

    Attributes:
        fit: what the network measures at the data, a cvxpy expression of the shape of the targets.
        cost: R of the network, less the factor `unit`.
        unit: see `cost`.
        constraints: which networks there are.
        groups: the number of activation patterns, or of neurons.
    """

    fit: Any
    cost: Any
    unit: float
    constraints: list[Any]
    groups: int

    def network(self) -> tuple[Neurons, np.ndarray]:
        """Neurons and coefficients, in true units, of the values that a solver has given to the variables."""
        ...


def target_unit(problem: Problem) -> float:
    """A size of the targets, less the best free polynomial where the loss does not see it; programs are made in it."""
    return float(np.abs(problem.dual_targets).max()) or 1.0


class PatternForm:
    """One neuron of either sign per activation pattern, in the cone of neurons that activate the data so.

    Within a cone the network is linear in (w, b), and the gauge convex: two neurons of one sign there are no better
    than their sum. So the network of one group (w, b) per cone and sign, at the price Σ gauge, is every network.

    Left out are patterns that can be done without: under free affine functions, where all data are on one side, and
    one of a pattern and its complement, which are the same neuron up to an affine function; without those, but unless
    coefficients must not be negative, neurons that no datum activates, which are β times others.

    Args:
        problem: of order 2, with one output.
        patterns: (P, M + N) of bool: the corners of `Regularizer.bias_corners`, if several, and the data.
        corners: what that gave.
    """

    def __init__(self, problem: Problem, patterns: np.ndarray, corners: np.ndarray | None) -> None:
        points, regularizer = problem.points, problem.regularizer
        count, dimension = points.shape
        self._regularizer, self._dimension = regularizer, dimension
        pole = corners[0] if corners is not None and len(corners) == 1 else None
        fixed = corners if corners is not None and pole is None else np.zeros((0, dimension))
        patterns = patterns[_needed(problem, patterns, len(fixed))]
        self.groups = len(patterns)
        centre = points.mean(axis=0) if pole is None else pole
        size = float(np.abs(points - centre).max()) or 1.0
        slope = regularizer.activation.slope
        all_points = np.concatenate([fixed, points])
        heights = (all_points - centre) / size
        if pole is None:
            heights = np.column_stack([heights, -np.ones(len(heights))])
        self.unit, self.constraints = target_unit(problem) / size, []
        self._groups: list[tuple[float, Any, Any]] = []
        self.fit, self.cost = cvxpy.Constant(np.zeros(count)), cvxpy.Constant(0.0)
        if not self.groups:
            return
        width = heights.shape[1]
        gains = np.where(patterns[:, len(fixed) :], 1.0, slope)
        measured = scipy.sparse.csr_array(np.einsum("pn,nk->npk", gains, heights[len(fixed) :]).reshape(count, -1))
        cones = _cones(patterns, all_points, heights, hulls=pole is None)
        costs = []
        for sign in (1.0,) if regularizer.nonnegative else (1.0, -1.0):
            variable = cvxpy.Variable(self.groups * width)
            self.constraints.append(cones @ variable >= 0)
            self.fit = self.fit + sign * (measured @ variable)
            table = cvxpy.reshape(variable, (self.groups, width), order="C")
            # In units of 1 / size for w, and of 1 for b times that.
            weights, biases = table[:, :dimension], table[:, :dimension] @ centre
            if pole is None:
                biases = biases + size * table[:, dimension]
            costs.append(cvxpy.sum(regularizer.cvxpy_gauges(weights, biases)))
            self._groups.append((sign, weights, biases))
        self.cost = cvxpy.sum(cvxpy.hstack(costs))

    def network(self) -> tuple[Neurons, np.ndarray]:
        """See `Form.network`: neurons of gauge 1 and admissible biases."""
        parts, coefficients = [Neurons.none(self._dimension)], [np.zeros(0)]
        for sign, weights, biases in self._groups:
            neurons = Neurons(np.asarray(weights.value), np.asarray(biases.value))
            neurons, masses = self._admissible(neurons)
            parts.append(neurons)
            coefficients.append(sign * self.unit * masses)
        weights, biases = (np.concatenate([getattr(p, name) for p in parts]) for name in ("weights", "biases"))
        return Neurons(weights, biases), np.concatenate(coefficients)

    def _admissible(self, neurons: Neurons) -> tuple[Neurons, np.ndarray]:
        """Neurons of gauge 1 and masses; biases are clipped where solvers round, else split."""
        regularizer = self._regularizer
        gauges = np.asarray(regularizer.gauge(neurons))
        clipped = regularizer.admit(neurons)
        moved = np.abs(clipped.biases - neurons.biases)
        beyond = moved > _ROUNDING * np.abs(neurons.biases)
        plain = ~beyond & (gauges > 0)
        unit, masses = regularizer.normalize(clipped[plain], np.ones(int(plain.sum())))
        for row in np.flatnonzero(beyond):
            more, shares = regularizer.split(neurons[row : row + 1])
            unit, masses = unit + more, np.append(masses, shares)
        return unit, masses


class NeuronForm:
    """The coefficients of given neurons, or (K, D) of them for D outputs.

    Args:
        problem: any.
        neurons: K admissible neurons.
        favours: a cvxpy parameter, (K,) or (K, 1), that the cost of each neuron is divided by; None for 1.
    """

    def __init__(self, problem: Problem, neurons: Neurons, favours: Any = None) -> None:
        regularizer = problem.regularizer
        self.neurons, _ = regularizer.normalize(neurons, np.ones(len(neurons)))
        columns = problem.measure_neurons(self.neurons)
        size = float(np.abs(columns).max(initial=0.0)) or 1.0
        self.unit, self.constraints = target_unit(problem) / size, []
        self._coefficients: Any = None
        self.groups = len(neurons)
        self.fit, self.cost = cvxpy.Constant(np.zeros(problem.targets.shape)), cvxpy.Constant(0.0)
        if not self.groups:
            return
        variable = cvxpy.Variable((len(neurons), *problem.targets.shape[1:]))
        self._coefficients = variable if favours is None else cvxpy.multiply(favours, variable)
        self.fit = (columns / size) @ self._coefficients
        self.cost = regularizer.cvxpy_expression(variable)
        if regularizer.nonnegative:
            self.constraints.append(variable >= 0)

    def network(self) -> tuple[Neurons, np.ndarray]:
        """See `Form.network`."""
        if self._coefficients is None:
            return self.neurons, np.zeros(0)
        return self.neurons, self.unit * np.asarray(self._coefficients.value)


def candidate_neurons(problem: Problem, directions: int = 32, seed: int = 0) -> Neurons:
    """Admissible neurons on a grid through the data: `directions`, each through every datum, in both orientations.

    On the line the only direction is 1, so that the grid is that of `form="knots"`; in the plane they are spread
    evenly, and all lines through two data are added, where most neurons of solutions sit; in higher dimensions they are
    random.
    Biases that are out of bounds are moved to the nearest that are not; neurons that measure alike are given once.

    Args:
        problem: any.
        directions: how many, in dimension two or more.
        seed: of random directions.
    """
    points = np.unique(problem.points, axis=0)
    dimension = points.shape[1]
    if dimension == 1:
        weights = np.ones((1, 1))
    elif dimension == 2:
        angles = np.pi * np.arange(directions) / directions
        weights = np.column_stack([np.cos(angles), np.sin(angles)])
    else:
        weights = np.random.default_rng(seed).standard_normal((directions, dimension))
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    through = np.tile(points, (len(weights), 1))
    weights = np.repeat(weights, len(points), axis=0)
    if dimension == 2:
        pairs = np.array(list(itertools.combinations(range(len(points)), 2)), dtype=int).reshape(-1, 2)
        along = points[pairs[:, 1]] - points[pairs[:, 0]]
        normals = np.column_stack([-along[:, 1], along[:, 0]]) / np.linalg.norm(along, axis=1, keepdims=True)
        weights, through = np.concatenate([weights, normals]), np.concatenate([through, points[pairs[:, 0]]])
    neurons = Neurons(weights, np.einsum("kd,kd->k", weights, through))
    # Where biases are bound or have a price, those that no datum, or every datum, activates.
    pole = Neurons(np.zeros((1, dimension)), -np.ones(1))
    if problem.regularizer.admits(pole) and problem.regularizer.gauge(pole)[0] > 0:
        neurons += pole
    farthest = Neurons(weights, np.full(len(weights), -(np.finfo(float).max ** 0.5)))
    nearest = problem.regularizer.admit(farthest)
    neurons += nearest[nearest.biases != farthest.biases]
    if problem.regularizer.degree < problem.regularizer.order - 1:
        # Otherwise the other orientation is the same neuron up to a free polynomial.
        neurons += Neurons(-neurons.weights, -neurons.biases)
    both = problem.regularizer.admit(neurons)
    both, _ = problem.regularizer.normalize(both, np.ones(len(both)))
    columns = problem.measure_neurons(both)
    size = float(np.abs(columns).max(initial=0.0)) or 1.0
    # Neurons that measure nothing serve nobody; equal up to rounding is equal.
    different = np.unique(np.round(columns.T / size, 12), axis=0, return_index=True)[1]
    used = np.abs(columns).max(axis=0, initial=0.0) > 1e-12 * size
    return both[np.sort(different[used[different]])]


def _needed(problem: Problem, patterns: np.ndarray, fixed: int) -> np.ndarray:
    """Which patterns (P,) have neurons that are admissible and of use; the first `fixed` columns are corners."""
    data, regularizer = patterns[:, fixed:], problem.regularizer
    needed = np.ones(len(patterns), dtype=bool)
    if fixed:
        # Hyperplanes that meet the hull of the corners leave some on either side.
        needed &= patterns[:, :fixed].any(axis=1) & ~patterns[:, :fixed].all(axis=1)
    if regularizer.degree == 1:
        needed &= data.any(axis=1) & ~data.all(axis=1) & patterns[:, 0]
    elif not (regularizer.nonnegative and regularizer.activation.slope):
        needed &= data.any(axis=1)
    return needed


def _cones(patterns: np.ndarray, points: np.ndarray, heights: np.ndarray, hulls: bool) -> scipy.sparse.csr_array:
    """The matrix of all groups' parameters whose product must be ≥ 0, each datum being on its side.

    A half space holds points if it holds the corners of their convex hull, so where `hulls` only these are asked for.
    """
    width = heights.shape[1]
    first = np.unique(points, axis=0, return_index=True)[1]
    rows, columns, entries, height = [], [], [], 0
    for index, pattern in enumerate(patterns):
        for sign in (1.0, -1.0):
            side = first[pattern[first] == (sign > 0)]
            used = side[_hull(points[side])] if hulls else side
            rows.append(np.repeat(height + np.arange(len(used)), width))
            columns.append(np.tile(width * index + np.arange(width), len(used)))
            entries.append(sign * heights[used].ravel())
            height += len(used)
    indices = np.concatenate(rows), np.concatenate(columns)
    matrix = scipy.sparse.coo_array((np.concatenate(entries), indices), shape=(height, width * len(patterns)))
    return scipy.sparse.csr_array(matrix)


def _hull(points: np.ndarray) -> np.ndarray:
    """The rows of `points` (N, d) that span their convex hull; all where that is not worth it or has no volume."""
    if points.shape[1] == 1:
        return np.unique([np.argmin(points), np.argmax(points)]) if len(points) else np.arange(0)
    if len(points) <= max(_FEW, math.factorial(points.shape[1])):
        return np.arange(len(points))
    try:
        return ConvexHull(points).vertices
    except QhullError:
        return np.arange(len(points))
