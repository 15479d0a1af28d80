"""Point samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ridgesplines.activations import Activation
from ridgesplines.arrays import Array, unique_rows
from ridgesplines.measurements.protocol import Measurement, checked_points
from ridgesplines.oracles.functionals import Bends, Kinks
from ridgesplines.oracles.protocol import Neurons
from ridgesplines.polynomials import monomials
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

    ROUNDING: ClassVar[float] = 4.0

    points: np.ndarray

    def __init__(self, points: Any) -> None:
        object.__setattr__(self, "points", checked_points("points", points))

    @property
    def centres(self) -> np.ndarray:
        """The points."""
        return self.points

    @property
    def radii(self) -> np.ndarray:
        """Zero."""
        return np.zeros(self.count)

    @property
    def masses(self) -> np.ndarray:
        """One."""
        return np.ones(self.count)

    @property
    def averaging(self) -> bool:
        """True."""
        return True

    @property
    def identities(self) -> np.ndarray:
        """The points tell samples apart."""
        return self._identities()

    @cached_property
    def groups(self) -> np.ndarray:
        """(N,): equal numbers for equal points."""
        return unique_rows(self.points)[1]

    @property
    def places(self) -> np.ndarray:
        """The points."""
        return self.points

    def __call__(self, spline: RidgeSpline) -> np.ndarray:
        """The spline's values at the points: (N,) or (N, D)."""
        return np.asarray(spline(self.points))

    def of_neurons(self, neurons: Neurons, activation: Activation) -> Array:
        """σ(w_k·x_n − b_k): (N, K)."""
        return activation(self.points @ neurons.weights.T - neurons.biases)

    def bends(self, values: np.ndarray, neurons: Neurons, order: int) -> Bends:
        """See `Functionals.bends`: samples of a ReLU have kinks."""
        bends = super().bends(values, neurons, order)
        if order > 2:
            return bends
        shape = neurons.weights.shape
        levels = (self.points @ neurons.weights.reshape(-1, shape[2]).T).reshape(values.shape) - neurons.biases
        kinks = Kinks.within(levels, np.zeros((len(values), shape[1])), np.ones((len(values), shape[1])))
        return Bends(bends.rising, np.where(kinks.crossing[:, None], 0.0, bends.falling), kinks)

    def of_monomials(self, degree: int, centre: np.ndarray, axes: np.ndarray) -> np.ndarray:
        """The monomials at the points."""
        return monomials((self.points.astype(axes.dtype) - centre) @ axes.T, degree)

    def select(self, rows: Any) -> Samples:
        """The samples at these points."""
        return Samples(self.points[self._indices(rows)])

    def __repr__(self) -> str:
        return f"Samples({self.count} points in dimension {self.dimension})"
