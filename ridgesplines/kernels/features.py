"""Finite networks with random neurons, whose kernels are on average those of infinitely wide ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ridgesplines.activations import TruncatedPower
from ridgesplines.arrays import Array, finite_array, namespace
from ridgesplines.checks import check_count, check_number
from ridgesplines.kernels.combination import ScaledKernel
from ridgesplines.kernels.protocol import Kernel, NetworkKernel
from ridgesplines.spline import RidgeSpline

# Entries of the matrix of features that are held at once: 64 MiB of doubles.
_BLOCK = 2**23


@dataclass(frozen=True, eq=False)
class RandomFeatures:
    """The random neurons φ_k(x) = c ρ_m(w_k·x − b_k) / √K: Σ_k φ_k(x) φ_k(y) has a kernel as its expectation.

    Attributes:
        weights: w, (K, d).
        biases: b, (K,).
        order: m.
        amplitude: c, 1 but for multiples of a kernel.
    """

    weights: np.ndarray
    biases: np.ndarray
    order: int
    amplitude: float = 1.0

    @property
    def width(self) -> int:
        """The number of features, K."""
        return len(self.biases)

    @property
    def dimension(self) -> int:
        """The number of inputs, d."""
        return self.weights.shape[1]

    def __call__(self, x: Array) -> Array:
        """The features φ_k(x_n), (n, K), at points (n, d): NumPy in, NumPy out; JAX in, JAX out."""
        xp = namespace(x)
        return self._factor * TruncatedPower(self.order)(xp.asarray(x) @ self.weights.T - self.biases)

    def spline(self, coefficients: Array) -> RidgeSpline:
        """The network Σ_k a_k φ_k(x) with output weights a (K,) or (K, D).

        Raises:
            ValueError: for steps (order 1), which are no ridge splines, and for coefficients of another shape.
        """
        if self.order == 1:
            raise ValueError("a network of steps (order 1) is no RidgeSpline; use the features themselves.")
        return RidgeSpline(self.weights, self.biases, self._factor * coefficients, None, self.order)

    def ridge_regression(self, x: Array, y: Array, nugget: float) -> RidgeSpline:
        """The network with the least Σ_n (f(x_n) − y_n)² / `nugget` + ‖a‖²: only its output weights a are fitted.

        As the width grows it tends to the solution of `KernelProblem(x, y, kernel=…, value_nugget=nugget)`, at the rate
        K^(−1/2). Features are held block by block: O(N² K) operations, and memory for N² numbers.

        Args:
            x: (N, d), or (N,) for d = 1.
            y: (N,).
            nugget: positive.

        Raises:
            TypeError: for what is no array of numbers.
            ValueError: if shapes do not fit, or the nugget is not positive.

        Source: Rahimi and Recht (2007), Random Features for Large-Scale Kernel Machines.
        """
        check_number("nugget", nugget, "a positive number", lambda value: 0 < value < np.inf)
        x, y = finite_array("x", x, dimensions=(1, 2)), finite_array("y", y, dimensions=(1,))
        x = x[:, None] if x.ndim == 1 else x
        if x.shape != (len(y), self.dimension):
            raise ValueError(
                f"x must be (N, {self.dimension}) and y (N,) with one N, got shapes {x.shape} and {y.shape}."
            )
        step = max(1, _BLOCK // max(1, len(y)))
        blocks = [slice(start, start + step) for start in range(0, self.width, step)]
        gram = nugget * np.eye(len(y))
        for block in blocks:
            features = self._some(x, block)
            gram += features @ features.T
        dual = cho_solve(cho_factor(gram, lower=True), y)
        return self.spline(np.concatenate([self._some(x, block).T @ dual for block in blocks]))

    @property
    def _factor(self) -> float:
        return self.amplitude / math.sqrt(self.width)

    def _some(self, x: np.ndarray, block: slice) -> np.ndarray:
        """Columns of the matrix of features."""
        return self._factor * TruncatedPower(self.order)(x @ self.weights[block].T - self.biases[block])


def random_features(kernel: Kernel, width: int, dimension: int, seed: int = 0) -> RandomFeatures:
    """Draw `width` random neurons on R^dimension whose kernel is on average `kernel`.

    Args:
        kernel: a `NetworkKernel` (`GaussianKernel` of orders 1 to 4, `UniformKernel` of orders 2 to 4), or a multiple
            of one.
        width: K.
        dimension: d.
        seed: of the draw; the same seed gives the same neurons.

    Raises:
        TypeError: for kernels that are not those of random neurons, and if a number is none.
        ValueError: for numbers out of range.

    Source: williams_2021; Rahimi and Recht (2007), Random Features for Large-Scale Kernel Machines.
    """
    check_count("width", width)
    check_count("dimension", dimension)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed must be a whole number, got {seed!r}.")
    if seed < 0:
        raise ValueError(f"seed must be zero or a positive whole number, got {seed!r}.")
    square = 1.0
    while isinstance(kernel, ScaledKernel):
        square *= float(kernel.factor)
        kernel = kernel.kernel
    if not isinstance(kernel, NetworkKernel):
        raise TypeError(
            "kernel must be one of random neurons, for instance rs.kernels.GaussianKernel(), or a multiple of one, got "
            f"{kernel!r}."
        )
    weights, biases = kernel.draw_neurons(np.random.default_rng(seed), int(width), int(dimension))
    return RandomFeatures(weights, biases, kernel.order, math.sqrt(square))
