"""Making any fit admissible, so that an interrupted run has a spline to return and every iteration an objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.linalg import qr

from ridgesplines.losses import PiecewiseLinearLoss
from ridgesplines.oracles import Neurons
from ridgesplines.problem import Problem

# What may be missing of what neurons are to make up, relative to it.
_MISSING = 1e-9

# Neurons, their coefficients, and what the spline measures, or None for the best polynomial in least squares.
Snapshot = tuple[Neurons, np.ndarray, np.ndarray | None]


class Completion(ABC):
    """Appends neurons to a spline that misses some data, so that it satisfies the constraint.

    `_points` are the different ones of the samples, or the centres of different measurements.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        if problem.sampled:
            self._points, self._first, group = np.unique(problem.points, axis=0, return_index=True, return_inverse=True)
        else:
            self._first, group = np.unique(problem.measurements.groups, return_index=True, return_inverse=True)[1:]
            self._points = problem.measurements.supports()[0][self._first]
        assert isinstance(problem.loss, PiecewiseLinearLoss)
        # Data at one point share the interval that satisfies them all.
        lower, upper = problem.loss.interval(problem.targets)
        most = np.full((len(self._points), *lower.shape[1:]), -np.inf)
        least = -most
        np.maximum.at(most, group.ravel(), lower)
        np.minimum.at(least, group.ravel(), upper)
        self._lower, self._upper = np.minimum(most, least)[group.ravel()], np.maximum(most, least)[group.ravel()]

    def __call__(self, neurons: Neurons, coefficients: np.ndarray, fit: np.ndarray | None) -> Snapshot | None:
        """`neurons` and `coefficients` with those of the missing part appended, and the completed fit; None if unknown.

        `fit` is what the spline measures, or None for the best polynomial in least squares.
        """
        if fit is None:
            missing = self._problem.targets - self._problem.measure_neurons(neurons) @ coefficients
        else:
            missing = np.clip(fit, self._lower, self._upper) - fit
            fit = fit + missing
        made = self._make(missing)
        if made is None:
            return None
        return neurons + made[0], np.concatenate([coefficients, made[1]]), fit

    @abstractmethod
    def _make(self, values: np.ndarray) -> tuple[Neurons, np.ndarray] | None:
        """Neurons of gauge 1 and coefficients of a function with these values at the data, up to free polynomials."""


class AlongALine(Completion):
    """Where all polynomials are free: a spline of the problem's order in w·x for one w, by connecting the dots."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        directions = np.random.default_rng(0).standard_normal((64, self._points.shape[1]))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        # The direction that keeps the points farthest apart makes the gentlest slopes.
        spacing = np.diff(np.sort(self._points @ directions.T, axis=0), axis=0).min(axis=0, initial=np.inf)
        self._direction = directions[int(np.argmax(spacing))]
        positions = self._points @ self._direction
        self._order = np.argsort(positions)
        self._positions = positions[self._order]

    def _make(self, values: np.ndarray) -> tuple[Neurons, np.ndarray] | None:
        values = values[self._first][self._order]
        regularizer = self._problem.regularizer
        degree = regularizer.order - 1
        knots, jumps = np.zeros(0), np.zeros((0, *values.shape[1:]))
        if len(values) > degree + 1:
            spline = make_interp_spline(self._positions, values, k=degree)
            knots = spline.t[degree + 1 : -degree - 1]
            # The highest derivative is constant between knots.
            ends = spline.t[degree:-degree]
            jumps = np.diff(spline.derivative(degree)(0.5 * (ends[1:] + ends[:-1])), axis=0)
        neurons = Neurons(np.tile(self._direction, (len(knots), 1)), knots)
        return regularizer.normalize(neurons, jumps / (1 - regularizer.activation.slope))


class OfRandomNeurons(Completion):
    """For any regularizer: as many random admissible neurons as there are different data, well chosen."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        random, regularizer = np.random.default_rng(0), problem.regularizer
        count, dimension = self._points.shape
        weights = random.standard_normal((8 * count, dimension))
        through = self._points[random.integers(count, size=len(weights))]
        neurons = regularizer.admit(Neurons(weights, np.einsum("kd,kd->k", weights, through)))
        self._neurons = regularizer.normalize(neurons, np.ones(len(neurons)))[0]
        columns = problem.free.project_off(problem.measure_neurons(self._neurons))
        found: Any = qr(columns, mode="r", pivoting=True)
        triangle, order = found
        diagonal = np.abs(np.diagonal(triangle))
        chosen = order[: np.sum(diagonal > 1e-12 * diagonal.max(initial=0.0))]
        self._neurons, self._columns = self._neurons[chosen], columns[:, chosen]

    def _make(self, values: np.ndarray) -> tuple[Neurons, np.ndarray] | None:
        goal = self._problem.free.project_off(values)
        coefficients = np.linalg.lstsq(self._columns, goal, rcond=None)[0]
        missed = np.abs(self._columns @ coefficients - goal).max(initial=0.0)
        if missed > _MISSING * np.abs(values).max(initial=0.0):
            return None
        if self._problem.regularizer.nonnegative and (coefficients < 0).any():
            return None
        return self._neurons, coefficients


def complete(problem: Problem) -> Completion:
    """The completion that fits the regularizer of `problem`."""
    regularizer = problem.regularizer
    biases = Neurons(np.ones((1, problem.measurements.dimension)), np.full(1, 1e300))
    unbounded = bool(np.all(np.asarray(regularizer.admit(biases).biases) == biases.biases))
    if problem.sampled and regularizer.degree == regularizer.order - 1 and unbounded and not regularizer.nonnegative:
        return AlongALine(problem)
    return OfRandomNeurons(problem)
