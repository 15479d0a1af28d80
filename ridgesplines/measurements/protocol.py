"""What a measurement is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import numpy as np

from ridgesplines.activations import Activation
from ridgesplines.arrays import Array
from ridgesplines.oracles.protocol import Neurons
from ridgesplines.polynomials import PolynomialFit
from ridgesplines.spline import RidgeSpline


class Measurement(ABC):
    """N linear functionals ν_1, …, ν_N of functions on R^d.

    The law: measuring a spline equals the sum of its measured neurons and its measured polynomial.
    """

    @property
    @abstractmethod
    def count(self) -> int:
        """N."""

    @cached_property
    @abstractmethod
    def groups(self) -> np.ndarray:
        """(N,): equal numbers for equal functionals."""

    @property
    @abstractmethod
    def distinct(self) -> int:
        """The number of different functionals among them, which bounds the width of a solution."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """d."""

    @property
    @abstractmethod
    def averaging(self) -> bool:
        """Whether every functional is a nonnegative measure."""

    @property
    @abstractmethod
    def masses(self) -> np.ndarray:
        """(N,): the total mass of each |ν_n|."""

    @property
    def least_order(self) -> int:
        """The lowest order m of neurons whose measurements are continuous in w and b."""
        return 2

    @abstractmethod
    def supports(self) -> tuple[np.ndarray, np.ndarray]:
        """Balls that hold the support of each functional: centres (N, d) and radii (N,)."""

    @abstractmethod
    def __call__(self, spline: RidgeSpline) -> np.ndarray:
        """ν(f): (N,) or (N, D)."""

    @abstractmethod
    def of_neurons(self, neurons: Neurons, activation: Activation) -> Array:
        """ν_n(σ(w_k·x − b_k)): (N, K). NumPy in, NumPy out; JAX in, JAX out, differentiable in w and b."""

    @abstractmethod
    def rounding(self, neurons: Neurons, activation: Activation) -> np.ndarray:
        """A bound, (N, K), of the absolute errors of `of_neurons` for neurons of order m ≥ 2."""

    @abstractmethod
    def fit_polynomials(self, degree: int) -> PolynomialFit:
        """Least squares on the measured polynomials of degree ≤ `degree`; −1 stands for no polynomial but zero."""

    @abstractmethod
    def select(self, rows: Any) -> Measurement:
        """The functionals of these rows only, of the same kind."""
