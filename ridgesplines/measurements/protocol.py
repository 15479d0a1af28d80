"""What a measurement is."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ridgesplines.activations import Activation, TruncatedPower
from ridgesplines.arrays import Array, finite_array, unique_rows
from ridgesplines.norms import lengths
from ridgesplines.oracles.functionals import Bends
from ridgesplines.oracles.protocol import Neurons
from ridgesplines.polynomials import PolynomialFit
from ridgesplines.spline import RidgeSpline

# How many numbers are held at once when a spline is measured: 32 MiB of doubles.
_BLOCK = 2**22
_UNIT = float(np.finfo(float).eps)


class Measurement(ABC):
    """N linear functionals ν_1, …, ν_N of functions on R^d: what the data are values of.

    The law: measuring a spline equals the sum of its measured neurons and its measured polynomial.

    Source: parhi_nowak_2021, whose representer theorem is about such functionals; mathematics of each in its class.
    """

    # The rounding of a neuron's measurement apart from that of w·x − b, in the units of `rounding`.
    ROUNDING: ClassVar[float]

    @property
    @abstractmethod
    def centres(self) -> np.ndarray:
        """Where each functional looks, (N, d): the middle of its support."""

    @property
    @abstractmethod
    def radii(self) -> np.ndarray:
        """(N,): the radius of a ball about its centre that holds the support of each functional."""

    @property
    @abstractmethod
    def masses(self) -> np.ndarray:
        """(N,): the total mass of each |ν_n|: 1 for samples and averages, the length for a line integral."""

    @property
    @abstractmethod
    def averaging(self) -> bool:
        """Whether every functional is a nonnegative measure."""

    @property
    @abstractmethod
    def identities(self) -> np.ndarray:
        """(N, 2 + 4d): mass, centre, blur, box, segment and direction of each functional; equal rows are equal ν_n."""

    @property
    @abstractmethod
    def places(self) -> np.ndarray:
        """(M, d): points as far apart as what the functionals see; they choose the coordinates for polynomials."""

    @abstractmethod
    def of_neurons(self, neurons: Neurons, activation: Activation) -> Array:
        """ν_n(σ(w_k·x − b_k)): (N, K). NumPy in, NumPy out; JAX in, JAX out, differentiable in w and b.

        Raises:
            ValueError: if the neurons are of an order below `least_order`.
            TypeError: if the functionals are not known of this activation.
        """

    @abstractmethod
    def of_monomials(self, degree: int, centre: np.ndarray, axes: np.ndarray) -> np.ndarray:
        """The measured monomials of degree ≤ `degree` in the coordinates t = A (x − centre), (N, P).

        Args:
            degree: of the monomials; −1 for none.
            centre: (d,).
            axes: A, (r, d), in double or extended precision, which is that of the answer.
        """

    @abstractmethod
    def select(self, rows: Any) -> Measurement:
        """The functionals of these rows only, of the same kind: `rows` are indices, a mask or a slice.

        Raises:
            ValueError: if `rows` select nothing, or what is not there.
        """

    @property
    def count(self) -> int:
        """N, equal functionals counted as often as they occur."""
        return len(self.centres)

    @property
    def dimension(self) -> int:
        """The number of inputs, d."""
        return self.centres.shape[1]

    @property
    def least_order(self) -> int:
        """The lowest order m of neurons whose measurements are continuous in w and b."""
        return 2

    @cached_property
    def groups(self) -> np.ndarray:
        """(N,): equal numbers for equal functionals."""
        return unique_rows(self.identities)[1]

    @property
    def distinct(self) -> int:
        """The number of different functionals, which bounds the width of a solution."""
        return int(self.groups.max()) + 1

    def kinds(self) -> list[tuple[Measurement, np.ndarray]]:
        """The measurements of one kind each that it consists of, and which rows theirs are: itself, all rows."""
        return [(self, np.arange(self.count))]

    def supports(self) -> tuple[np.ndarray, np.ndarray]:
        """Balls that hold the support of each functional: centres (N, d) and radii (N,)."""
        return self.centres, self.radii

    def __call__(self, spline: RidgeSpline) -> np.ndarray:
        """ν(f): (N,) or (N, D).

        Raises:
            ValueError: if the spline has another number of inputs, or an order below `least_order`.
        """
        if spline.dimension != self.dimension:
            raise ValueError(f"the spline must have {self.dimension} inputs, as {self!r}, got {spline.dimension}.")
        activation, degree = TruncatedPower(spline.order), spline.order - 1
        weights, biases = np.asarray(spline.weights), np.asarray(spline.biases)
        coefficients = np.asarray(spline.coefficients)
        polynomial = self.of_monomials(degree, np.zeros(self.dimension), np.eye(self.dimension))
        values = polynomial @ np.asarray(spline.polynomial.coefficients)
        size = max(1, _BLOCK // self.count)
        for i in range(0, spline.width, size):
            block = slice(i, i + size)
            values = values + self.of_neurons(Neurons(weights[block], biases[block]), activation) @ coefficients[block]
        return values

    def fit_polynomials(self, degree: int) -> PolynomialFit:
        """Least squares on the measured polynomials of degree ≤ `degree`; −1 stands for no polynomial but zero."""
        # An affine function has the average that it has at the centre.
        centres = self.centres if self.averaging else None
        return PolynomialFit.of(self.of_monomials, self.places, degree, centres=centres)

    def heights(self, neurons: Neurons) -> np.ndarray:
        """‖w_k‖ (‖centre_n‖ + radius_n) + |b_k|, (N, K): no |w·x − b| on the support is larger, but for rounding."""
        reach = lengths(self.centres, 2) + self.radii
        return reach[:, None] * lengths(np.asarray(neurons.weights), 2) + np.abs(np.asarray(neurons.biases))

    def rounding(self, neurons: Neurons, activation: Activation) -> np.ndarray:
        """A bound, (N, K), of the absolute errors of `of_neurons` for neurons of order m ≥ 2.

        (`ROUNDING` + m (d + 4)) ε mass_n height^(m−1) / (m−1)!, with `heights`: first the operations of the kind's
        formula, counted (for blurs: measured against extended precision, with a margin of more than ten), then what
        rounding of w·x − b, of the centres and of the masses does. Underflow apart.

        Raises:
            ValueError: if the neurons are steps, whose samples have no such bound.
        """
        degree = activation.homogeneity
        if activation.order < 2:
            raise ValueError("a step that is off by rounding is off by 1: there is no bound for neurons of order 1.")
        units = self.ROUNDING + activation.order * (self.dimension + 4)
        return units * _UNIT * self.masses[:, None] * self.heights(neurons) ** degree / math.factorial(degree)

    @property
    def has_bends(self) -> bool:
        """Whether `bends` are known, on which proven bounds rest: of averages, and of kinds that say so."""
        return self.averaging

    def bends(self, values: np.ndarray, neurons: Neurons, order: int) -> Bends:
        """See `Functionals.bends`: averages are convex, so that U = 0 and V = ν.

        Raises:
            NotImplementedError: if the functionals are no averages.
        """
        if not self.averaging:
            raise NotImplementedError(f"{type(self).__name__} knows no bends; see has_bends.")
        falling = np.maximum(values[:, 1::2] - 2.0 * values[:, :1] + values[:, 2::2], 0.0)
        return Bends(np.zeros_like(falling), falling)

    def limits(self, height: float, order: int) -> np.ndarray:
        """(N,): what no |ν_n(ρ_m(w·x − b))| exceeds where ‖w‖ = 1 and w·x − b ≤ `height` on the support."""
        return self.masses * height ** (order - 1) / math.factorial(order - 1)

    def _indices(self, rows: Any) -> np.ndarray:
        """The indices that `rows` select."""
        try:
            chosen = np.atleast_1d(np.arange(self.count)[rows])
        except IndexError as error:
            raise ValueError(
                f"rows must be a slice, a mask or indices below {self.count}, the number of measurements ({error})."
            ) from error
        if chosen.ndim != 1 or not len(chosen):
            raise ValueError(f"rows must select at least one of the {self.count} measurements, in one axis.")
        return chosen

    def _identities(self, **parts: np.ndarray) -> np.ndarray:
        """The rows of `identities`, of the parts that this kind has; the others are zero."""
        shapes = {"blur": 1, "box": self.dimension, "segment": self.dimension, "direction": self.dimension}
        columns = [parts.get(name, np.zeros((self.count, size))) for name, size in shapes.items()]
        return np.hstack([self.masses[:, None], self.centres, *columns])


def checked_points(name: str, value: Any) -> np.ndarray:
    """`value` as read-only points (N, d); (N,) is N points on the line.

    Raises:
        TypeError: if they are not numbers.
        ValueError: if they are empty, not finite, or not an array of one or two axes.
    """
    array = finite_array(name, value, dimensions=(1, 2))
    array = array[:, None] if array.ndim == 1 else array
    if array.size == 0:
        raise ValueError(f"{name} must hold at least one point of one coordinate, got shape {array.shape}.")
    array.setflags(write=False)
    return array


def for_each_point(name: str, value: Any, points: np.ndarray) -> np.ndarray:
    """`value` as a read-only array of the shape of `points` (N, d): that, one row (d,) for all, or one number for all.

    On the line (N,) is one number for each.
    """
    array = finite_array(name, value, dimensions=(0, 1, 2))
    if array.ndim == 1 and points.shape[1] == 1 and len(array) == len(points):
        array = array[:, None]
    try:
        array = np.array(np.broadcast_to(array, points.shape))
    except ValueError as error:
        raise ValueError(
            f"{name} must have one row for each of the {len(points)} points of {points.shape[1]} coordinates, or one "
            f"for all, got shape {array.shape}."
        ) from error
    array.setflags(write=False)
    return array


def same_shape(first: str, second: str, left: np.ndarray, right: np.ndarray) -> None:
    """Refuse two arrays of points of different shapes."""
    if left.shape != right.shape:
        raise ValueError(f"{first} and {second} must have one shape (N, d), got {left.shape} and {right.shape}.")
