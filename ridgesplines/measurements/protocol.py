"""What a measurement is."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ridgesplines.activations import Activation
from ridgesplines.oracles.protocol import Neurons
from ridgesplines.polynomials import PolynomialFit
from ridgesplines.spline import RidgeSpline


class Measurement(Protocol):
    """N linear functionals ν_1, …, ν_N of functions on R^d.

    The law: measuring a spline equals the sum of its measured neurons and its measured polynomial.
    """

    @property
    def count(self) -> int:
        """N."""
        ...

    @property
    def distinct(self) -> int:
        """The number of different functionals among them, which bounds the width of a solution."""
        ...

    @property
    def dimension(self) -> int:
        """d."""
        ...

    def __call__(self, spline: RidgeSpline) -> np.ndarray:
        """ν(f): (N,) or (N, D)."""
        ...

    def of_neurons(self, neurons: Neurons, activation: Activation) -> np.ndarray:
        """ν_n(σ(w_k·x − b_k)): (N, K)."""
        ...

    def fit_polynomials(self, degree: int) -> PolynomialFit:
        """Least squares on the measured polynomials of degree ≤ `degree`; −1 stands for no polynomial but zero."""
        ...
