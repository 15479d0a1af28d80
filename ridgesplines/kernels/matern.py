"""The Matérn kernels of half-integer smoothness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from ridgesplines.arrays import Array
from ridgesplines.kernels.pairs import distance, radial_jet, ratio
from ridgesplines.kernels.protocol import Jet, Kernel, check_parameter, static


@dataclass(frozen=True)
class MaternKernel(Kernel):
    """K(x, y) = e^(−z) times a polynomial of degree ν − 1/2 in z = √(2ν) |x − y| / ℓ, with K(x, x) = 1.

    Its Hilbert space is the Sobolev space of order ν + d/2. ν = 3/2 is as smooth as the kernels of ReLU neurons.

    Args:
        smoothness: ν, 0.5, 1.5, 2.5 or 3.5. With 0.5 gradients are no data: the kernel has a kink at x = y.
        length_scale: ℓ.

    Raises:
        ValueError: for other smoothness or a length scale that is not positive.

    Source: Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, section 4.2.
    """

    smoothness: float = static(1.5)
    length_scale: Any = 1.0

    def __post_init__(self) -> None:
        if self.smoothness not in (0.5, 1.5, 2.5, 3.5):
            raise ValueError(f"smoothness must be 0.5, 1.5, 2.5 or 3.5, got {self.smoothness!r}.")
        check_parameter("length_scale", self.length_scale)

    @property
    def takes_gradients(self) -> bool:
        """True from ν = 3/2 on."""
        return self.smoothness > 1

    def jet(self, x: Array, y: Array) -> Jet:
        """Value and derivatives: see `Kernel.jet`."""
        rate = (2 * self.smoothness) ** 0.5 / self.length_scale
        r = distance(x, y)
        z = rate * r
        decay = jnp.exp(-z)
        # φ, φ′/z and φ″ − φ′/z as functions of z.
        if self.smoothness == 0.5:
            profile = decay, -ratio(decay, z), decay + ratio(decay, z)
        elif self.smoothness == 1.5:
            profile = (1 + z) * decay, -decay, z * decay
        elif self.smoothness == 2.5:
            profile = (1 + z + z**2 / 3) * decay, -(1 + z) / 3 * decay, z**2 / 3 * decay
        else:
            profile = (
                (1 + z + 2 * z**2 / 5 + z**3 / 15) * decay,
                -(3 + 3 * z + z**2) / 15 * decay,
                z**2 * (1 + z) / 15 * decay,
            )
        return radial_jet(x, y, (profile[0], rate**2 * profile[1], rate**2 * profile[2]))
