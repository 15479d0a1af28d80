"""The kernel of polyharmonic splines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from ridgesplines.arrays import Array
from ridgesplines.kernels.pairs import distance, radial_jet
from ridgesplines.kernels.protocol import Jet, Kernel, check_parameter, static


@dataclass(frozen=True)
class PolyharmonicKernel(Kernel):
    """φ(|x − y|) with φ(r) = ± r^p for odd p and ± r^p log(r / ℓ) for even p.

    Positive definite where polynomials of degree `null_degree` = ⌊p/2⌋ are free; the sign is the one that makes it so.
    p = 3 is the cubic spline on the line and the triharmonic spline in space, p = 2 the thin plate spline in the plane.

    Args:
        power: p, from 1 to 8. With p = 1 gradients are no data: the kernel has a kink at x = y; with p = 2 neither.
        scale: ℓ, the unit of length in the logarithm; changing it changes φ by a polynomial, and no fit.

    Raises:
        ValueError: for other powers.

    Source: Duchon (1977); Wendland (2005), Scattered Data Approximation, chapter 8.
    """

    power: int = static(3)
    scale: Any = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.power, bool) or self.power not in range(1, 9):
            raise ValueError(f"power must be a whole number from 1 to 8, got {self.power!r}.")
        check_parameter("scale", self.scale)

    @property
    def takes_gradients(self) -> bool:
        """True from p = 3 on."""
        return self.power >= 3

    @property
    def null_degree(self) -> int:
        """⌊p/2⌋."""
        return self.power // 2

    def jet(self, x: Array, y: Array) -> Jet:
        """Value and derivatives: see `Kernel.jet`."""
        r, p = distance(x, y), self.power
        if p % 2:
            sign = (-1.0) ** ((p + 1) // 2)
            lower = r ** (p - 2) if p > 1 else jnp.where(r > 0, 1 / jnp.where(r > 0, r, 1.0), 0.0)
            return radial_jet(x, y, (sign * r**p, sign * p * lower, sign * p * (p - 2) * lower))
        sign = (-1.0) ** (p // 2 + 1)
        log = jnp.where(r > 0, jnp.log(jnp.where(r > 0, r, 1.0) / self.scale), 0.0)
        lower = sign * r ** (p - 2)
        return radial_jet(x, y, (sign * r**p * log, lower * (p * log + 1), lower * (p * (p - 2) * log + 2 * p - 2)))
