"""Point samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ridgesplines.activations import Activation
from ridgesplines.arrays import Array, finite_array, unique_rows
from ridgesplines.measurements.protocol import Measurement
from ridgesplines.oracles.protocol import Neurons
from ridgesplines.polynomials import PolynomialFit
from ridgesplines.spline import RidgeSpline


@dataclass(frozen=True, eq=False)
class Samples(Measurement):
    """The samples f(x_1), …, f(x_N) at points of R^d.

    Args:
        points: (N, d), or (N,) for points on the line; finite. Repeated points are fine.

    Raises:
        TypeError: if the points are not numbers.
        ValueError: if they are empty, not finite, or not an array of one or two axes.
    """

    points: np.ndarray

    def __init__(self, points: Any) -> None:
        array = finite_array("points", points, dimensions=(1, 2))
        array = array[:, None] if array.ndim == 1 else array
        if array.size == 0:
            raise ValueError(f"points must hold at least one point of one coordinate, got shape {array.shape}.")
        array.setflags(write=False)
        object.__setattr__(self, "points", array)

    @property
    def count(self) -> int:
        """N, repeated points counted as often as they occur."""
        return self.points.shape[0]

    @property
    def dimension(self) -> int:
        """d."""
        return self.points.shape[1]

    @cached_property
    def groups(self) -> np.ndarray:
        """(N,): equal numbers for equal points."""
        return unique_rows(self.points)[1]

    @property
    def distinct(self) -> int:
        """The number of different points."""
        return int(self.groups.max()) + 1

    @property
    def averaging(self) -> bool:
        """True."""
        return True

    @property
    def masses(self) -> np.ndarray:
        """1 each."""
        return np.ones(self.count)

    def supports(self) -> tuple[np.ndarray, np.ndarray]:
        """The points, with radius 0."""
        return self.points, np.zeros(self.count)

    def select(self, rows: Any) -> Samples:
        """The samples of these rows."""
        return Samples(self.points[rows])

    def __call__(self, spline: RidgeSpline) -> np.ndarray:
        """The spline's values at the points: (N,) or (N, D)."""
        return np.asarray(spline(self.points))

    def of_neurons(self, neurons: Neurons, activation: Activation) -> Array:
        """σ(w_k·x_n − b_k): (N, K)."""
        return activation(self.points @ neurons.weights.T - neurons.biases)

    def rounding(self, neurons: Neurons, activation: Activation) -> np.ndarray:
        """(m − 1) (d + 3) ε (‖w‖ ‖x‖ + |b|)^(m−1) / (m−1)!, for orders m ≥ 2."""
        degree = activation.homogeneity
        lengths = np.linalg.norm(neurons.weights, axis=1)
        heights = np.linalg.norm(self.points, axis=1)[:, None] * lengths + np.abs(neurons.biases)
        units = degree * (self.dimension + 3) * float(np.finfo(float).eps)
        return units * heights**degree / math.factorial(degree)

    def fit_polynomials(self, degree: int) -> PolynomialFit:
        """Least squares on the polynomials of degree ≤ `degree` at the points."""
        return PolynomialFit.at(self.points, degree)

    def __repr__(self) -> str:
        return f"Samples({self.count} points in dimension {self.dimension})"
