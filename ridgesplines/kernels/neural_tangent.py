"""The neural tangent kernel of the shallow ReLU network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from ridgesplines.arrays import Array
from ridgesplines.kernels.gaussian import lifted_jet
from ridgesplines.kernels.pairs import Lift, outer
from ridgesplines.kernels.protocol import Jet, Kernel, check_parameter


@dataclass(frozen=True)
class NeuralTangentKernel(Kernel):
    """K(x, y) = E relu(w·X) relu(w·Y) + v X·Y E 1(w·X > 0) 1(w·Y > 0), with X = [s x; t] and w standard normal.

    The kernel by which gradient descent moves an infinitely wide shallow ReLU network f(x) = K^(−1/2) Σ_k v_k
    relu(w_k·x − b_k): the first term is that of the output weights, the second that of the hidden layer. The kink of
    the second at x = y makes gradients unbounded: they are no data for this kernel.

    Args:
        weight_variance: s².
        bias_variance: t²: of the biases, which are trained, too; zero for none.
        hidden_share: v, the variance of the output weights: 1 trains both layers alike, 0 the output weights only.

    Raises:
        ValueError: for negative arguments.

    Source: jacot_2018. The kernel "neural-spline" of williams_2021's code is twice this, with s = t = 1.
    """

    weight_variance: Any = 1.0
    bias_variance: Any = 1.0
    hidden_share: Any = 1.0

    def __post_init__(self) -> None:
        check_parameter("weight_variance", self.weight_variance)
        check_parameter("bias_variance", self.bias_variance, zero=True)
        check_parameter("hidden_share", self.hidden_share, zero=True)

    @property
    def takes_gradients(self) -> bool:
        """False: the kernel has a kink at x = y."""
        return False

    def jet(self, x: Array, y: Array) -> Jet:
        """Value and derivatives: see `Kernel.jet`."""
        lift = Lift.of(x, y, self.weight_variance, self.bias_variance)
        outer_layer = lifted_jet(lift, 1, self.weight_variance)
        step = lifted_jet(lift, 0, self.weight_variance)
        scale, u, share = jnp.sqrt(self.weight_variance), lift.dot, self.hidden_share
        x_, y_ = jnp.broadcast_arrays(lift.x, lift.y)
        identity = jnp.eye(x_.shape[-1], dtype=x_.dtype)
        # The product rule for u · step, with ∂u/∂x = s · (s y).
        mixed = (
            scale**2 * step.value[..., None, None] * identity
            + scale * (outer(step.x_gradient, x_) + outer(y_, step.y_gradient))
            + u[..., None, None] * step.mixed
        )
        return Jet(
            outer_layer.value + share * u * step.value,
            outer_layer.x_gradient + share * (scale * step.value[..., None] * y_ + u[..., None] * step.x_gradient),
            outer_layer.y_gradient + share * (scale * step.value[..., None] * x_ + u[..., None] * step.y_gradient),
            outer_layer.mixed + share * mixed,
        )
