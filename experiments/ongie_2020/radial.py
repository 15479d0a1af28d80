"""RTV² of radial functions in odd dimension, in closed form.

R f of a radial f is one function g of the offset, the same for all directions, and in odd dimension Λ^(d−1) is
± ∂^(d−1): RTV²(f) = c_d |S^(d−1)| TV(∂^d g), with c_d = 1 / (2 (2π)^(d−1)). Every g here is such that ∂^d g has
finitely many extremes in closed form, between which it is monotone.

Source: ongie_2020; the Radon transforms are textbook integrals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.polynomial import Polynomial
from numpy.polynomial.hermite_e import HermiteE


class RadialFunction(Protocol):
    """A radial function of d inputs, d odd."""

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Values at points (M, d)."""
        ...

    def profile(self, offsets: np.ndarray, dimension: int, order: int) -> np.ndarray:
        """The derivative of this order of R f by the offset, (B,)."""
        ...

    def extremes(self, dimension: int) -> np.ndarray:
        """Offsets between which the derivative of order d of R f is monotone, ascending."""
        ...

    def reach(self, dimension: int) -> float:
        """Offsets beyond this count for nothing in double precision."""
        ...


@dataclass(frozen=True)
class Gaussian:
    """exp(−‖x‖² / (2 s²)), s = `width`."""

    width: float = 1.0

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """See `RadialFunction`."""
        return np.exp(-0.5 * np.sum(points**2, axis=1) / self.width**2)

    def profile(self, offsets: np.ndarray, dimension: int, order: int) -> np.ndarray:
        """(2π s²)^((d−1)/2) times the derivative of exp(−b² / (2 s²)): a Hermite polynomial times that."""
        mass = (2 * np.pi * self.width**2) ** ((dimension - 1) / 2)
        t = offsets / self.width
        return mass * (-1 / self.width) ** order * HermiteE.basis(order)(t) * np.exp(-0.5 * t**2)

    def extremes(self, dimension: int) -> np.ndarray:
        """The roots of the next derivative."""
        return self.width * np.sort(np.real(HermiteE.basis(dimension + 1).roots()))

    def reach(self, dimension: int) -> float:
        """12 widths: exp(−72)."""
        return 12 * self.width


@dataclass(frozen=True)
class Bump:
    """max(0, 1 − ‖x‖²)^k, k = `power`: RTV² is finite for k ≥ (d + 1) / 2 only, where it has masses for equality."""

    power: int

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """See `RadialFunction`."""
        return np.maximum(0.0, 1 - np.sum(points**2, axis=1)) ** self.power

    def profile(self, offsets: np.ndarray, dimension: int, order: int) -> np.ndarray:
        """π^((d−1)/2) Γ(k + 1) / Γ(k + (d + 1)/2) times the derivative of (1 − b²)^(k + (d−1)/2), 0 outside."""
        half = (dimension - 1) // 2
        mass = np.pi**half * math.gamma(self.power + 1) / math.gamma(self.power + half + 1)
        derivative = (Polynomial([1.0, 0.0, -1.0]) ** (self.power + half)).deriv(order)
        return np.where(np.abs(offsets) <= 1, mass * derivative(offsets), 0.0)

    def extremes(self, dimension: int) -> np.ndarray:
        """±1, where the derivative may jump, and the roots of the next one between."""
        power = self.power + (dimension - 1) // 2
        if power < dimension:
            raise ValueError(f"power must be at least (d + 1) / 2 = {(dimension + 1) / 2:g}, got {self.power}.")
        roots = (Polynomial([1.0, 0.0, -1.0]) ** power).deriv(dimension + 1).roots()
        inside = np.real(roots[(np.abs(np.imag(roots)) < 1e-6) & (np.abs(np.real(roots)) < 1)])
        return np.concatenate([[-1.0], np.sort(inside), [1.0]])

    def reach(self, dimension: int) -> float:
        """1."""
        return 1.0


def filter_constant(dimension: int) -> float:
    """c_d |S^(d−1)|: from the total variation of ∂^d R f to RTV² of a radial f."""
    sphere = 2 * np.pi ** (dimension / 2) / math.gamma(dimension / 2)
    return sphere / (2 * (2 * np.pi) ** (dimension - 1))


def radial_tv(function: RadialFunction, dimension: int) -> float:
    """RTV² of a radial function of an odd number of inputs.

    Raises:
        ValueError: if the dimension is even, where Λ is no derivative, or RTV² is infinite.
    """
    if dimension % 2 == 0:
        raise ValueError(f"dimension must be odd, got {dimension}: in even dimension Λ^(d−1) is no derivative.")
    values = function.profile(function.extremes(dimension), dimension, dimension)
    return filter_constant(dimension) * float(np.abs(np.diff(values, prepend=0.0, append=0.0)).sum())


def radial_density(function: RadialFunction, offsets: np.ndarray, dimension: int) -> np.ndarray:
    """The density of RTV² over the offset, all directions together: its absolute value has the integral RTV²(f).

    Without the masses that a `Bump` has at ±1 for the least power.
    """
    sign = (-1) ** ((dimension - 1) // 2)
    return sign * filter_constant(dimension) * function.profile(offsets, dimension, dimension + 1)
