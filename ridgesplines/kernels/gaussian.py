"""The kernel of infinitely many neurons with Gaussian weights and biases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from ridgesplines.arrays import Array
from ridgesplines.kernels.pairs import Lift, outer, ratio
from ridgesplines.kernels.protocol import Jet, NetworkKernel, check_parameter, static


@dataclass(frozen=True)
class GaussianKernel(NetworkKernel):
    """K(x, y) = E ρ_m(w·x − b) ρ_m(w·y − b) over Gaussian w ~ N(0, s² I) and b ~ N(0, t²).

    The covariance of the outputs of an infinitely wide shallow network with random neurons, ρ_m(z) = max(z, 0)^(m−1) /
    (m−1)!. With m = 2 it is the arc-cosine kernel of degree 1 on [x; 1], with m = 1 (the step) that of degree 0, with
    m = 3 and 4 those of degree 2 and 3, divided by (m−1)!².

    Args:
        order: m, 1, 2, 3 or 4. With m = 1 gradients are no data: the kernel has a kink at x = y.
        weight_variance: s².
        bias_variance: t², zero for neurons without biases (then K has a kink at x = 0).

    Raises:
        ValueError: for other orders or variances.

    Source: williams_2021; Cho and Saul (2009), Kernel Methods for Deep Learning.
    """

    order: int = static(2)
    weight_variance: Any = 1.0
    bias_variance: Any = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.order, bool) or self.order not in (1, 2, 3, 4):
            raise ValueError(f"order must be 1 (step), 2 (ReLU), 3 or 4, got {self.order!r}.")
        check_parameter("weight_variance", self.weight_variance)
        check_parameter("bias_variance", self.bias_variance, zero=True)

    @property
    def takes_gradients(self) -> bool:
        """True from order 2 on."""
        return self.order >= 2

    def jet(self, x: Array, y: Array) -> Jet:
        """Value and derivatives: see `Kernel.jet`."""
        lift = Lift.of(x, y, self.weight_variance, self.bias_variance)
        return lifted_jet(lift, self.order - 1, self.weight_variance)

    def draw_neurons(self, rng: np.random.Generator, count: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
        """Random weights (count, d) and biases (count,) of which K is the expectation."""
        weights = np.sqrt(float(self.weight_variance)) * rng.standard_normal((count, dimension))
        return weights, np.sqrt(float(self.bias_variance)) * rng.standard_normal(count)


def lifted_jet(lift: Lift, degree: int, weight_variance: Array) -> Jet:
    """The jet of G_n = E ρ(w·X) ρ(w·Y), with ρ of degree n = `degree` and w standard normal, in terms of x and y.

    At fixed |X| and |Y| the derivative of G_n in X·Y is G_(n−1), and G_n is homogeneous of degree n in either point.
    With T_n = n G_n − (X·Y) G_(n−1), of which no digits cancel in the forms below:

        ∂G_n/∂X = G_(n−1) Y + T_n X / |X|²,
        ∂²G_n/∂X∂Y = G_(n−1) I + G_(n−2) (X Yᵀ + Y Xᵀ) + T_(n−1) (X Xᵀ / |X|² + Y Yᵀ / |Y|²).
    """
    g, t = _moments(lift, degree)
    scale = jnp.sqrt(weight_variance)
    x, y = jnp.broadcast_arrays(lift.x, lift.y)
    identity = jnp.eye(x.shape[-1], dtype=x.dtype)
    inverse_x, inverse_y = ratio(1.0, lift.x_square), ratio(1.0, lift.y_square)
    slope, tangent = g[degree - 1], t[degree]
    x_gradient = scale * (slope[..., None] * y + (tangent * inverse_x)[..., None] * x)
    y_gradient = scale * (slope[..., None] * x + (tangent * inverse_y)[..., None] * y)
    if degree >= 2:
        mixed = (
            slope[..., None, None] * identity
            + g[degree - 2][..., None, None] * (outer(x, y) + outer(y, x))
            + (t[degree - 1] * inverse_x)[..., None, None] * outer(x, x)
            + (t[degree - 1] * inverse_y)[..., None, None] * outer(y, y)
        )
    else:
        # The terms with 1 / |X ∧ Y| cancel; in the frame of the bisectors they are gone.
        sum_, difference = lift.bisectors()
        if degree == 1:
            sine = ratio(lift.wedge, jnp.sqrt(lift.x_square * lift.y_square)) / (2 * jnp.pi)
            mixed = slope[..., None, None] * identity
            mixed = mixed + sine[..., None, None] * (outer(sum_, sum_) - outer(difference, difference))
        else:
            mixed = slope[..., None, None] * (identity - outer(sum_, sum_) - outer(difference, difference))
    return Jet(g[degree], x_gradient, y_gradient, scale**2 * mixed)


def _moments(lift: Lift, degree: int) -> tuple[dict[int, Array], dict[int, Array]]:
    """G_n for `degree` and the two below it, T_n for `degree` and the one below it, where they are finite."""
    u, wedge, rest = lift.dot, lift.wedge, lift.rest
    size = lift.x_square * lift.y_square  # |X|² |Y|²
    g = {0: rest / (2 * jnp.pi), 1: (wedge + rest * u) / (2 * jnp.pi), -1: ratio(1 / (2 * jnp.pi), wedge)}
    t = {0: -u * g[-1], 1: wedge / (2 * jnp.pi)}
    if degree >= 2:
        g[2] = (3 * wedge * u + rest * (size + 2 * u**2)) / (8 * jnp.pi)
        t[2] = (wedge * u + rest * size) / (4 * jnp.pi)
    if degree >= 3:
        g[3] = (wedge * (4 * size + 11 * u**2) + rest * u * (9 * size + 6 * u**2)) / (72 * jnp.pi)
        t[3] = (wedge * (2 * size + u**2) + 3 * rest * size * u) / (12 * jnp.pi)
    return g, t
