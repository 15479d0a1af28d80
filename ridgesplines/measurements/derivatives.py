"""Directional derivatives at points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.activations import Activation, TruncatedPower
from ridgesplines.arrays import Array
from ridgesplines.measurements.protocol import Measurement, checked_points, for_each_point
from ridgesplines.norms import lengths
from ridgesplines.oracles.functionals import Bends, Kinks
from ridgesplines.oracles.protocol import Neurons
from ridgesplines.polynomials import monomial_gradients

_UNIT = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Derivatives(Measurement):
    """The directional derivatives u_1·∇f(x_1), …, u_N·∇f(x_N); values and derivatives are mixed by `Stack`.

    They serve splines of order 3 and 4. That of a neuron of order 2 jumps where its kink crosses the point, so that it
    is not continuous in w and b, and no neuron may attain the supremum that a certificate asks for.

    Args:
        points: (N, d), or (N,) for points on the line; finite.
        directions: u, (N, d), or one (d,) for all points; not zero, and not scaled to length 1.

    Raises:
        TypeError: if they are not numbers.
        ValueError: if they are empty, not finite, of shapes that do not fit, or a direction is zero.
    """

    ROUNDING: ClassVar[float] = 4.0

    # Not `points`: who reads those takes the data for samples.
    locations: np.ndarray
    directions: np.ndarray

    def __init__(self, points: Any, directions: Any) -> None:
        points = checked_points("points", points)
        directions = for_each_point("directions", directions, points)
        nowhere = np.flatnonzero(~directions.any(axis=1))
        if len(nowhere):
            raise ValueError(f"directions must not be zero, but that at index {nowhere[0]} is; drop it.")
        object.__setattr__(self, "locations", points)
        object.__setattr__(self, "directions", directions)

    @property
    def centres(self) -> np.ndarray:
        """The points."""
        return self.locations

    @property
    def radii(self) -> np.ndarray:
        """Zero."""
        return np.zeros(self.count)

    @property
    def masses(self) -> np.ndarray:
        """‖u_n‖: the derivative of no function is larger than that times its steepest slope."""
        return lengths(self.directions, 2)

    @property
    def averaging(self) -> bool:
        """False."""
        return False

    @property
    def least_order(self) -> int:
        """3."""
        return 3

    @property
    def identities(self) -> np.ndarray:
        """Points and directions tell derivatives apart."""
        return self._identities(direction=self.directions)

    @property
    def places(self) -> np.ndarray:
        """The points and their surroundings in their directions, as far away as the points are from each other."""
        spread = math.sqrt(np.mean(np.sum((self.locations - self.locations.mean(axis=0)) ** 2, axis=1)))
        size = max(spread, 1e-6 * float(np.abs(self.locations).max())) or 1.0
        steps = size * self.directions / self.masses[:, None]
        return np.concatenate([self.locations - steps, self.locations + steps])

    def of_neurons(self, neurons: Neurons, activation: Activation) -> Array:
        """(w_k·u_n) σ'(w_k·x_n − b_k): (N, K).

        Raises:
            ValueError: if the neurons are of order 2 or below.
        """
        if activation.order < 3:
            raise ValueError(
                f"the derivative of a neuron of order {activation.order} is not continuous in the neuron, so that "
                "suprema are not attained; derivatives need order 3 or 4."
            )
        slopes = activation.derivative(self.locations @ neurons.weights.T - neurons.biases)
        return (self.directions @ neurons.weights.T) * slopes

    def of_monomials(self, degree: int, centre: np.ndarray, axes: np.ndarray) -> np.ndarray:
        """The derivatives of the monomials along u."""
        gradients = monomial_gradients((self.locations.astype(axes.dtype) - centre) @ axes.T, degree)
        return np.einsum("npr,nr->np", gradients, self.directions.astype(axes.dtype) @ axes.T)

    def rounding(self, neurons: Neurons, activation: Activation) -> np.ndarray:
        """A bound, (N, K), of the absolute errors of `of_neurons` for neurons of order m ≥ 3.

        (`ROUNDING` + (m − 1)(d + 4)) ε ‖u_n‖ ‖w_k‖ height^(m−2) / (m−2)!: the units of a derivative.

        Raises:
            ValueError: if the neurons are of order 2 or below.
        """
        degree = activation.homogeneity - 1
        if activation.order < 3:
            raise ValueError(f"derivatives need neurons of order 3 or 4, got order {activation.order}.")
        units = self.ROUNDING + (degree + 1) * (self.dimension + 4)
        sizes = self.masses[:, None] * lengths(np.asarray(neurons.weights), 2)
        return units * _UNIT * sizes * self.heights(neurons) ** degree / math.factorial(degree)

    @property
    def has_bends(self) -> bool:
        """True."""
        return True

    def bends(self, values: np.ndarray, neurons: Neurons, order: int) -> Bends:
        """See `Functionals.bends`: ν is s c with s = w·u, linear in (w, b), and c = ρ_(m−1)(w·x − b) ≥ 0, convex.

        Where s + M ≥ 0 throughout, (s + M) c + ½ (μ s)² + ½ (c/μ)² is half the square of μ (s + M) + c/μ, which is
        nonnegative and convex, but for a linear function: U = M c + ½ (μ s)² + ½ (c/μ)², and V is the same with
        −s + M ≥ 0. M is the least such, and μ > 0 balances both squares. Where s keeps its sign and the kink is
        outside, all bends are of second order in the size of the parallelogram.
        """
        degree = order - 2
        shape = values.shape
        flat = Neurons(neurons.weights.reshape(-1, self.dimension), neurons.biases.ravel())
        slopes = (self.directions @ flat.weights.T).reshape(shape)
        # At the centre or a corner.
        longest = np.sqrt(np.max(np.sum(neurons.weights**2, axis=2), axis=0))
        off = (self.dimension + 4) * _UNIT * self.masses[:, None] * longest
        levels = (self.locations @ flat.weights.T - flat.biases).reshape(shape)
        bases = TruncatedPower(order - 1)(levels)
        errors = ((self.ROUNDING + (degree + 1) * (self.dimension + 4)) * _UNIT / math.factorial(degree)) * np.max(
            self.heights(flat).reshape(shape) ** degree, axis=1
        )
        first, second, middle = bases[:, 1::2], bases[:, 2::2], bases[:, :1]
        bent = np.maximum(first - 2.0 * middle + second, 0.0)
        largest = bases.max(axis=1)
        # Rounding is added here, because the square root magnifies it.
        square = np.maximum(0.5 * (first**2 - 2.0 * middle**2 + second**2), 0.0)
        square += (4.0 * (largest + errors) * (errors + _UNIT * largest))[:, None]
        root = np.sqrt(square.max(axis=1, keepdims=True))
        # (μ s)² and (c/μ)² bend alike for the pair of corners where c² bends most.
        turn = 0.5 * np.abs(slopes[:, 1::2] - slopes[:, 2::2]).max(axis=1, keepdims=True) + off[:, None]
        product = turn * (root + square / np.where(root > 0, root, 1.0))
        lowest, highest = (end(slopes, axis=1) for end in (np.min, np.max))
        lift, fall = (np.maximum(end + off, 0.0) for end in (-lowest, highest))
        kinks = None
        if order == 3:
            kinks = Kinks.within(levels, lift, fall)
            bent = np.where(kinks.crossing[:, None], 0.0, bent)
        return Bends(lift[:, None] * bent + product, fall[:, None] * bent + product, kinks)

    def limits(self, height: float, order: int) -> np.ndarray:
        """See `Measurement.limits`: ‖u_n‖ height^(m−2) / (m−2)!."""
        return self.masses * height ** (order - 2) / math.factorial(order - 2)

    def select(self, rows: Any) -> Derivatives:
        """The derivatives of these rows."""
        chosen = self._indices(rows)
        return Derivatives(self.locations[chosen], self.directions[chosen])

    def __repr__(self) -> str:
        return f"Derivatives({self.count} directions at points in dimension {self.dimension})"
