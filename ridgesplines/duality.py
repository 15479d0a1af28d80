"""Dual vectors: the nearest one that is feasible, and the multiple of it that bounds best."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_UNIT = float(np.finfo(float).eps)


def project_dual(dual: np.ndarray, basis: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """The point nearest to `dual` (N,) that is orthogonal to `basis` and within [lower, upper].

    min ½ ‖z − dual‖² subject to Qᵀ z = 0 and lower ≤ z ≤ upper, where lower ≤ 0 ≤ upper may be infinite. The optimum
    is z(c) = clip(dual − Q c), whose r multipliers c minimise a convex, piecewise quadratic function: Newton's method
    finds them in finitely many steps. Where rounding stops it short, the answer is zero, which is always feasible.

    Args:
        dual: (N,).
        basis: Q, (N, r), orthonormal columns.
        lower: (N,), ≤ 0.
        upper: (N,), ≥ 0.
    """
    if np.isinf(lower).all() and np.isinf(upper).all():
        remainder = dual - basis @ (basis.T @ dual)
        return remainder - basis @ (basis.T @ remainder)
    size = float(np.abs(dual).max(initial=0.0)) or 1.0
    multipliers = np.zeros(basis.shape[1])

    def at(c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        z = np.clip(dual - basis @ c, lower, upper)
        return z, basis.T @ z

    def height(c: np.ndarray, z: np.ndarray) -> float:
        # The negative of the dual function of the projection, to be minimised.
        return -float(0.5 * np.sum((z - dual) ** 2) + (basis @ c) @ z)

    present, slope = at(multipliers)
    best = height(multipliers, present)
    for _ in range(100):
        if np.linalg.norm(slope) <= 4 * _UNIT * np.sqrt(len(dual)) * size:
            break
        shifted = dual - basis @ multipliers
        free = basis[(shifted > lower) & (shifted < upper)]
        step = np.linalg.solve(free.T @ free + 1e-14 * np.eye(basis.shape[1]), slope)
        length = 1.0
        while length > 1e-12:
            candidate = multipliers + length * step
            z, new_slope = at(candidate)
            new = height(candidate, z)
            if new <= best - 1e-4 * length * float(slope @ step) or np.linalg.norm(new_slope) < 0.5 * np.linalg.norm(
                slope
            ):
                break
            length *= 0.5
        else:
            break
        multipliers, present, slope, best = candidate, z, new_slope, new
    if np.linalg.norm(slope) > 1e-12 * np.linalg.norm(present):
        return np.zeros_like(dual)
    return present


def best_scale(slope: Callable[[float], float], limit: float) -> float:
    """The s in [0, limit] that maximises a concave function with derivative `slope`; the limit may be infinite."""
    if not slope(0.0) > 0:
        return 0.0
    high = limit
    if np.isinf(high):
        high = 1.0
        while slope(high) > 0:
            high *= 2.0
            if high > 1e300:
                return high
    elif slope(high) >= 0:
        return high
    low = 0.0
    below, above = slope(low), slope(high)
    for _ in range(200):
        if high - low <= 2 * _UNIT * high:
            break
        # The secant is exact for quadratics; every other step halves, for the rest.
        secant = low + (high - low) * below / (below - above) if np.isfinite(above) and np.isfinite(below) else np.nan
        for middle in (secant, 0.5 * (low + high)):
            if not low < middle < high:
                continue
            value = slope(middle)
            if value == 0:
                return middle
            if value > 0:
                low, below = middle, value
            else:
                high, above = middle, value
    return low
