"""What averages over segments, boxes and Gaussians share."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from ridgesplines.activations import Activation, LeakyReLU, TruncatedPower
from ridgesplines.arrays import Array, namespace
from ridgesplines.measurements.protocol import Measurement
from ridgesplines.oracles.protocol import Neurons
from ridgesplines.polynomials import monomials

# How many numbers of one kind are held at once when neurons are measured: 8 MiB of doubles.
_BLOCK = 2**20


class Averages(Measurement):
    """Averages (times a mass) over centre + Σ_i a_i Z_i, with half axes a_i and independent Z_i, alike and symmetric.

    A neuron is then averaged along a line, w·a_i by axis; a subclass says how. Symmetric of third degree, so that the
    averages of polynomials up to degree 3 are those over the 2r points centre ± √(r var Z) a_i.
    """

    # var Z_i, as numerator and denominator.
    VARIANCE: ClassVar[tuple[int, int]]

    @property
    @abstractmethod
    def half_axes(self) -> np.ndarray:
        """a_i, (N, r, d)."""

    @abstractmethod
    def _average(self, levels: Array, weights: Array, order: int) -> Array:
        """The averages (N, K) of ρ_m(w_k·x − b_k), whose `levels` at the centres are w_k·centre_n − b_k."""

    @property
    def averaging(self) -> bool:
        """True."""
        return True

    @property
    def masses(self) -> np.ndarray:
        """One."""
        return np.ones(self.count)

    @property
    def places(self) -> np.ndarray:
        """The points over which polynomials are averaged."""
        return np.concatenate([self.centres + step for step in self._steps(np.dtype(float))])

    def _steps(self, dtype: np.dtype) -> list[np.ndarray]:
        """From the centres to the 2r points over which polynomials of degree 3 are averaged: (N, d) each."""
        numerator, denominator = self.VARIANCE
        rank = self.half_axes.shape[1]
        scale = np.sqrt(dtype.type(rank * numerator) / dtype.type(denominator))
        return [sign * scale * self.half_axes[:, i].astype(dtype) for i in range(rank) for sign in (-1, 1)]

    def of_neurons(self, neurons: Neurons, activation: Activation) -> Array:
        """ν_n(σ(w_k·x − b_k)), (N, K), for truncated powers of any order and the leaky ReLU.

        Raises:
            TypeError: if the activation is another.
        """
        if not isinstance(activation, TruncatedPower | LeakyReLU):
            raise TypeError(f"averages are known of TruncatedPower and LeakyReLU neurons, got {activation!r}.")
        weights, biases = neurons.weights, neurons.biases
        size = max(1, _BLOCK // self.count)
        if namespace(weights, biases) is not np or len(weights) <= size:
            return self._of_block(weights, biases, activation)
        values = np.empty((self.count, len(weights)))
        for i in range(0, len(weights), size):
            block = slice(i, i + size)
            values[:, block] = self._of_block(weights[block], biases[block], activation)
        return values

    def _of_block(self, weights: Array, biases: Array, activation: TruncatedPower | LeakyReLU) -> Array:
        levels = self.centres @ weights.T - biases
        values = self._average(levels, weights, activation.order)
        if activation.slope:
            # max(t, 0) + β min(t, 0) = (1 − β) max(t, 0) + β t, and t has the average that it has at the centre.
            values = (1.0 - activation.slope) * values + activation.slope * levels
        return self.masses[:, None] * values

    def of_monomials(self, degree: int, centre: np.ndarray, axes: np.ndarray) -> np.ndarray:
        """The averaged monomials, exact up to degree 3.

        Raises:
            ValueError: if the degree is higher.
        """
        if degree > 3:
            raise ValueError(f"polynomials are averaged up to degree 3, got {degree}.")
        middle, steps = self.centres.astype(axes.dtype) - centre, self._steps(axes.dtype)
        total = sum(monomials((middle + step) @ axes.T, degree) for step in steps)
        return self.masses.astype(axes.dtype)[:, None] * total / len(steps)
