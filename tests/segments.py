"""A measurement in closed form for tests: averages over segments of R^d, which for d = 1 are intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from helpers import EPS

from ridgesplines import Measurement, RidgeSpline
from ridgesplines.activations import Activation, TruncatedPower
from ridgesplines.arrays import Array, namespace
from ridgesplines.oracles import Neurons
from ridgesplines.polynomials import PolynomialFit, monomials


@dataclass(frozen=True, eq=False)
class SegmentAverages(Measurement):
    """The averages of f over the segments from `starts` (N, d) to `ends` (N, d)."""

    starts: np.ndarray
    ends: np.ndarray

    @classmethod
    def about(cls, points: np.ndarray, length: float, seed: int = 0) -> SegmentAverages:
        """Segments of one length in random directions, with their midpoints at `points` (N, d)."""
        directions = np.random.default_rng(seed).standard_normal(points.shape)
        half = 0.5 * length * directions / np.linalg.norm(directions, axis=1, keepdims=True)
        return cls(points - half, points + half)

    @property
    def averaging(self) -> bool:
        return True

    @property
    def masses(self) -> np.ndarray:
        return np.ones(self.count)

    @property
    def centres(self) -> np.ndarray:
        return (self.starts + self.ends) / 2

    @property
    def radii(self) -> np.ndarray:
        return np.linalg.norm(self.ends - self.starts, axis=1) / 2 * (1 + 8 * EPS)

    @property
    def identities(self) -> np.ndarray:
        return np.hstack([self.starts, self.ends])

    @property
    def places(self) -> np.ndarray:
        return self.identities.reshape(-1, self.dimension)

    def select(self, rows: np.ndarray) -> SegmentAverages:
        return SegmentAverages(self.starts[rows], self.ends[rows])

    def of_neurons(self, neurons: Neurons, activation: Activation) -> Array:
        """The divided difference of ρ_(m+1) between the heights of both ends, without cancellation."""
        order = activation.order
        xp = namespace(neurons.weights, neurons.biases)
        first, last = (ends @ neurons.weights.T - neurons.biases for ends in (self.starts, self.ends))
        low, high = xp.minimum(first, last), xp.maximum(first, last)
        top, bottom = xp.maximum(high, 0.0), xp.maximum(low, 0.0)
        whole = sum(top**i * bottom ** (order - 1 - i) for i in range(order)) / math.factorial(order)
        across = (low <= 0) & (high > 0)
        part = top**order / (math.factorial(order) * xp.where(across, high - low, 1.0))
        return xp.where(across, part, xp.where(high > 0, whole, 0.0))

    def rounding(self, neurons: Neurons, activation: Activation) -> np.ndarray:
        """Heights are off by d + 3 roundings of their terms, and m terms of the quotient by 3 m of the largest."""
        order = activation.order
        reach = np.linalg.norm(self.centres, axis=1) + self.radii
        heights = reach[:, None] * np.linalg.norm(neurons.weights, axis=1) + np.abs(neurons.biases)
        return (3 * order + order * (self.dimension + 3)) * EPS * heights ** (order - 1) / math.factorial(order - 1)

    def of_monomials(self, degree: int, centre: np.ndarray, axes: np.ndarray) -> np.ndarray:
        nodes, shares = self._nodes()
        return sum(s * monomials((x - centre) @ axes.T, degree) for s, x in zip(shares, nodes, strict=True))

    def __call__(self, spline: RidgeSpline) -> np.ndarray:
        nodes, shares = self._nodes()
        neurons = Neurons(np.asarray(spline.weights), np.asarray(spline.biases))
        values = np.einsum("q,qn...->n...", shares, np.array([spline.polynomial(x) for x in nodes]))
        return values + self.of_neurons(neurons, TruncatedPower(spline.order)) @ spline.coefficients

    def fit_polynomials(self, degree: int) -> PolynomialFit:
        """Least squares on the averaged monomials, in coordinates of order one."""
        nodes, _ = self._nodes()
        centre = nodes.mean(axis=(0, 1))
        axes = np.eye(self.dimension) / np.sqrt(np.mean((nodes - centre) ** 2, axis=(0, 1)))[:, None]
        measured = self.of_monomials(degree, centre, axes)
        left, values, right = np.linalg.svd(measured, full_matrices=False)
        rank = int(np.sum(values > 1e-12 * values[0]))
        solve = (right[:rank].T / values[:rank]) @ left[:, :rank].T
        return PolynomialFit(left[:, :rank], degree, 1e-13, centre, axes, solve)

    def _nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """Gauss' nodes (Q, N, d) and weights (Q,): exact for the polynomials of degree ≤ 5."""
        nodes, weights = np.polynomial.legendre.leggauss(3)
        middle, half = (self.ends + self.starts) / 2, (self.ends - self.starts) / 2
        return middle + nodes[:, None, None] * half, weights / 2

    def __repr__(self) -> str:
        return f"SegmentAverages({self.count} in dimension {self.dimension})"
