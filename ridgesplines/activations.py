"""The activation of a ridge spline's neurons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ridgesplines.arrays import namespace


@dataclass(frozen=True)
class TruncatedPower:
    """The truncated power ρ_m(t) = max(t, 0)^(m−1) / (m−1)! of order m ≥ 1.

    m = 2 is the ReLU, m = 4 the truncated cubic; m = 1 is the step (0 at t = 0), the derivative of the ReLU.
    It is positively homogeneous of degree m − 1, and its m-th derivative is a Dirac impulse.
    """

    order: int

    def __post_init__(self) -> None:
        if not isinstance(self.order, int) or self.order < 1:
            raise ValueError(f"order must be an integer of at least 1, got {self.order!r}.")

    def __call__(self, t: Any) -> Any:
        """Values at `t`, a NumPy or JAX array of any shape."""
        xp = namespace(t)
        if self.order == 1:
            return xp.where(t > 0, 1.0, 0.0)
        positive = xp.maximum(t, 0.0)
        return positive if self.order == 2 else positive ** (self.order - 1) / math.factorial(self.order - 1)

    @property
    def homogeneity(self) -> int:
        """The k with ρ(s t) = s^k ρ(t) for s > 0."""
        return self.order - 1

    @property
    def derivative(self) -> TruncatedPower:
        """ρ_m' = ρ_(m−1) (for m = 2 the step, with value 0 at the kink)."""
        return TruncatedPower(self.order - 1)

    @property
    def antiderivative(self) -> TruncatedPower:
        """The antiderivative ρ_(m+1), which vanishes on the negative axis."""
        return TruncatedPower(self.order + 1)
