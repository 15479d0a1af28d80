"""The activations of neurons."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ridgesplines.arrays import namespace


class Activation(Protocol):
    """A scalar function σ with σ(s t) = s^k σ(t) for s > 0."""

    def __call__(self, t: Any) -> Any:
        """Values at `t`, a NumPy or JAX array of any shape."""
        ...

    @property
    def order(self) -> int:
        """m, the order of the ridge splines that networks of this activation are."""
        ...

    @property
    def homogeneity(self) -> int:
        """k."""
        ...

    @property
    def slope(self) -> float:
        """σ'(t) for t < 0."""
        ...

    @property
    def derivative(self) -> Callable[[Any], Any]:
        """σ', a function of arrays; at a kink the value from the left."""
        ...


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
    def slope(self) -> float:
        """0 on the negative axis."""
        return 0.0

    @property
    def derivative(self) -> TruncatedPower:
        """ρ_m' = ρ_(m−1) (for m = 2 the step, with value 0 at the kink)."""
        return TruncatedPower(self.order - 1)

    @property
    def antiderivative(self) -> TruncatedPower:
        """The antiderivative ρ_(m+1), which vanishes on the negative axis."""
        return TruncatedPower(self.order + 1)


@dataclass(frozen=True)
class LeakyReLU:
    """The leaky ReLU σ(t) = max(t, 0) + β min(t, 0) of slope β ∈ [0, 1), which is the ReLU for β = 0.

    It is (1 − β) max(t, 0) + β t: a ReLU and a linear part, so that its networks are ridge splines of order 2.
    """

    slope: float

    def __post_init__(self) -> None:
        if not 0 <= self.slope < 1:
            raise ValueError(f"slope must be at least 0 and less than 1, got {self.slope!r}.")

    def __call__(self, t: Any) -> Any:
        """Values at `t`, a NumPy or JAX array of any shape."""
        xp = namespace(t)
        return xp.where(t > 0, t, self.slope * t)

    @property
    def order(self) -> int:
        """2."""
        return 2

    @property
    def homogeneity(self) -> int:
        """1."""
        return 1

    @property
    def derivative(self) -> Callable[[Any], Any]:
        """1 for t > 0 and β elsewhere."""
        return lambda t: namespace(t).where(t > 0, 1.0, self.slope)
