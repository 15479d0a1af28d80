"""Sums and multiples of kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.arrays import Array
from ridgesplines.kernels.protocol import Jet, Kernel, check_parameter


@dataclass(frozen=True)
class SumKernel(Kernel):
    """K(x, y) = first(x, y) + second(x, y); its functions are sums of functions of either.

    Args:
        first: a kernel.
        second: a kernel.
    """

    first: Kernel
    second: Kernel

    @property
    def takes_gradients(self) -> bool:
        """Whether both do."""
        return self.first.takes_gradients and self.second.takes_gradients

    @property
    def null_degree(self) -> int:
        """The larger of the two."""
        return max(self.first.null_degree, self.second.null_degree)

    def check_points(self, points: np.ndarray) -> None:
        """Refuse what either refuses.

        Raises:
            ValueError: naming the domain.
        """
        self.first.check_points(points)
        self.second.check_points(points)

    def jet(self, x: Array, y: Array) -> Jet:
        """Value and derivatives: see `Kernel.jet`."""
        return Jet(*(a + b for a, b in zip(self.first.jet(x, y), self.second.jet(x, y), strict=True)))


@dataclass(frozen=True)
class ScaledKernel(Kernel):
    """K(x, y) = factor · kernel(x, y).

    Args:
        kernel: a kernel.
        factor: a positive number.

    Raises:
        ValueError: if the factor is not positive.
    """

    kernel: Kernel
    factor: Any

    def __post_init__(self) -> None:
        check_parameter("factor", self.factor)

    @property
    def takes_gradients(self) -> bool:
        """Whether the kernel does."""
        return self.kernel.takes_gradients

    @property
    def null_degree(self) -> int:
        """That of the kernel."""
        return self.kernel.null_degree

    def check_points(self, points: np.ndarray) -> None:
        """Refuse what the kernel refuses.

        Raises:
            ValueError: naming the domain.
        """
        self.kernel.check_points(points)

    def jet(self, x: Array, y: Array) -> Jet:
        """Value and derivatives: see `Kernel.jet`."""
        return Jet(*(self.factor * part for part in self.kernel.jet(x, y)))
