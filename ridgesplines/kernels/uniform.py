"""The kernel of infinitely many neurons with uniform directions and uniform biases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from ridgesplines.arrays import Array
from ridgesplines.kernels.pairs import distance, dot, outer, radial_jet
from ridgesplines.kernels.protocol import Jet, NetworkKernel, check_parameter, static


@dataclass(frozen=True)
class UniformKernel(NetworkKernel):
    """K(x, y) = E ρ_m(w·x − b) ρ_m(w·y − b) over w uniform on the unit sphere and b uniform in [−k, k].

    For |x|, |y| ≤ k this is a polynomial and a multiple of |x − y|^(2m−1): with m = 2

        K(x, y) = k²/6 + x·y/(2d) + μ |x − y|³ / (24k),  μ = E|w_1|³ = Γ(d/2) / (√π Γ((d+3)/2)).

    So its interpolants are polyharmonic splines, in one dimension cubic ones, with a price on the polynomial part that
    vanishes as k grows. Outside the ball the formula continues, but is no kernel: fit within, evaluate anywhere.

    Args:
        order: m, 2, 3 or 4.
        radius: k; all points of a fit must lie within |x| ≤ k.

    Raises:
        ValueError: for other orders or radii.

    Source: williams_2021; the orders 3 and 4 by the same integral.
    """

    order: int = static(2)
    radius: Any = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.order, bool) or self.order not in (2, 3, 4):
            raise ValueError(f"order must be 2 (ReLU), 3 or 4, got {self.order!r}.")
        check_parameter("radius", self.radius)

    def check_points(self, points: np.ndarray) -> None:
        """Refuse points outside the ball |x| ≤ k.

        Raises:
            ValueError: with the largest norm.
        """
        largest = float(np.sqrt(np.sum(points**2, axis=1)).max(initial=0.0))
        if largest > float(self.radius) * (1 + 1e-12):
            raise ValueError(
                f"points must lie within |x| ≤ radius = {float(self.radius):g} of the UniformKernel, got |x| = "
                f"{largest:g}; shift and scale them, or choose a larger radius."
            )

    def jet(self, x: Array, y: Array) -> Jet:
        """Value and derivatives: see `Kernel.jet`."""
        dimension = x.shape[-1]
        factor = spike(self.order, dimension) / self.radius
        r, power = distance(x, y), 2 * self.order - 1
        slope = factor * power * r ** (power - 2)
        radial = radial_jet(x, y, (factor * r**power, slope, (power - 2) * slope))
        polynomial = _polynomial_jet(x, y, _POLYNOMIALS[self.order], self.radius)
        return Jet(*(a + b for a, b in zip(radial, polynomial, strict=True)))

    def draw_neurons(self, rng: np.random.Generator, count: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
        """Random weights (count, d) and biases (count,) of which K is the expectation."""
        weights = rng.standard_normal((count, dimension))
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        return weights, rng.uniform(-float(self.radius), float(self.radius), count)


def spike(order: int, dimension: int) -> float:
    """The coefficient of |x − y|^(2m−1) / k in the kernel of order m."""
    degree, power = order - 1, 2 * order - 1
    # E|w_1|^power, for w uniform on the sphere of R^d, and the integral of (1 − v²)^(m−1) over [0, 1].
    moment = math.gamma(dimension / 2) * math.gamma(order) / (math.sqrt(math.pi) * math.gamma((dimension + power) / 2))
    integral = math.sqrt(math.pi) / 2 * math.gamma(order) / math.gamma(order + 0.5)
    return (-1) ** order * moment * integral / 2**power / (2 * math.factorial(degree) ** 2)


class _Term(NamedTuple):
    """coefficient · k^radius_power · (|x|²)^x_power (|y|²)^y_power (x·y)^dot_power / (d (d+2) …, `factors` of them)."""

    coefficient: float
    radius_power: int
    x_power: int
    y_power: int
    dot_power: int
    factors: int


# The polynomial parts: the integral over biases, even in w, with the moments of w.
_POLYNOMIALS = {
    2: (_Term(1 / 6, 2, 0, 0, 0, 0), _Term(1 / 2, 0, 0, 0, 1, 1)),
    3: (
        _Term(1 / 40, 4, 0, 0, 0, 0),
        _Term(1 / 24, 2, 1, 0, 0, 1),
        _Term(1 / 24, 2, 0, 1, 0, 1),
        _Term(1 / 6, 2, 0, 0, 1, 1),
        _Term(1 / 8, 0, 1, 1, 0, 2),
        _Term(1 / 4, 0, 0, 0, 2, 2),
    ),
    4: (
        _Term(1 / 504, 6, 0, 0, 0, 0),
        _Term(1 / 120, 4, 1, 0, 0, 1),
        _Term(1 / 120, 4, 0, 1, 0, 1),
        _Term(1 / 40, 4, 0, 0, 1, 1),
        _Term(1 / 24, 2, 1, 0, 1, 2),
        _Term(1 / 24, 2, 0, 1, 1, 2),
        _Term(1 / 24, 2, 1, 1, 0, 2),
        _Term(1 / 12, 2, 0, 0, 2, 2),
        _Term(1 / 8, 0, 1, 1, 1, 3),
        _Term(1 / 12, 0, 0, 0, 3, 3),
    ),
}


def _polynomial_jet(x: Array, y: Array, terms: tuple[_Term, ...], radius: Array) -> Jet:
    """The jet of a polynomial in |x|², |y|² and x·y; the powers of |x|² and |y|² are at most 1."""
    dimension = x.shape[-1]
    a, b, u = dot(x, x)[..., None], dot(y, y)[..., None], dot(x, y)[..., None]
    x, y = jnp.broadcast_arrays(x, y)
    identity = jnp.eye(dimension, dtype=x.dtype)
    value, x_gradient, y_gradient, mixed = 0.0 * u[..., 0], jnp.zeros_like(x), jnp.zeros_like(y), 0.0 * outer(x, y)
    for term in terms:
        p, q, n = term.x_power, term.y_power, term.dot_power
        factor = term.coefficient / math.prod(dimension + 2 * i for i in range(term.factors))
        factor = factor * radius**term.radius_power
        power = factor * u**n
        first = factor * n * u ** max(n - 1, 0)
        second = (factor * n * (n - 1) * u ** max(n - 2, 0) * a**p * b**q)[..., None]
        value = value + (power * a**p * b**q)[..., 0]
        x_gradient = x_gradient + 2 * p * power * b**q * x + first * a**p * b**q * y
        y_gradient = y_gradient + 2 * q * power * a**p * y + first * a**p * b**q * x
        mixed = mixed + (first * a**p * b**q)[..., None] * identity + second * outer(y, x)
        mixed = mixed + (4 * p * q * power)[..., None] * outer(x, y)
        mixed = (
            mixed + (2 * p * first * b**q)[..., None] * outer(x, x) + (2 * q * first * a**p)[..., None] * outer(y, y)
        )
    return Jet(value, x_gradient, y_gradient, mixed)
