"""Dual vectors: the nearest one that is feasible, and the multiple of it that bounds best."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_UNIT = float(np.finfo(float).eps)
# The largest number of Newton steps of a projection; a few suffice.
_STEPS = 100


def project_dual(dual: np.ndarray, basis: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """The point nearest to `dual` (N,) that is orthogonal to `basis` and within [lower, upper].

    min ½ ‖z − dual‖² subject to Qᵀ z = 0 and lower ≤ z ≤ upper, where lower ≤ 0 ≤ upper may be infinite. The optimum
    is z(c) = clip(dual − Q c), whose r multipliers c minimise a convex, piecewise quadratic function: Newton's method
    with an exact line search finds them in finitely many steps. What rounding leaves of Qᵀ z, the entries inside the
    box then take up. Where that is not possible, the answer is zero, which is always feasible.

    Args:
        dual: (N,).
        basis: Q, (N, r), orthonormal columns.
        lower: (N,), ≤ 0.
        upper: (N,), ≥ 0.
    """
    if np.isinf(lower).all() and np.isinf(upper).all():
        remainder = dual - basis @ (basis.T @ dual)
        return _if_orthogonal(remainder - basis @ (basis.T @ remainder), basis)
    shifted = np.array(dual, dtype=float)
    for _ in range(_STEPS):
        present = np.clip(shifted, lower, upper)
        slope = basis.T @ present
        if np.linalg.norm(slope) <= 4 * _UNIT * np.sqrt(len(dual)) * np.abs(shifted).max(initial=0.0):
            break
        free = basis[(shifted > lower) & (shifted < upper)]
        # Where no entry inside the box resists, the step is long, and the line search ends it.
        move = basis @ np.linalg.solve(free.T @ free + 1e-14 * np.eye(basis.shape[1]), slope)
        length = _first_root(shifted, move, lower, upper)
        if length * np.abs(move).max() <= _UNIT * np.abs(shifted).max():
            break
        shifted = shifted - length * move
    present = np.clip(shifted, lower, upper)
    size = np.linalg.norm(present)
    for _ in range(5):
        defect = basis.T @ present
        inside = (present > lower) & (present < upper)
        if not inside.any() or np.linalg.norm(defect) <= 2 * _UNIT * np.linalg.norm(present):
            break
        present[inside] -= np.linalg.lstsq(basis[inside].T, defect, rcond=None)[0]
        present = np.clip(present, lower, upper)
    if np.linalg.norm(present) <= 1e-3 * size:
        # It was next to nothing but rounding.
        return np.zeros_like(present)
    return _if_orthogonal(present, basis)


def _if_orthogonal(dual: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """`dual`, or zero if it is not orthogonal to `basis`, up to rounding."""
    return dual if np.linalg.norm(basis.T @ dual) <= 1e-12 * np.linalg.norm(dual) else np.zeros_like(dual)


def _first_root(shifted: np.ndarray, move: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """The least s > 0 with move · clip(shifted − s move) ≤ 0, a falling and piecewise linear function of s."""

    def fall(s: float) -> float:
        return float(move @ np.clip(shifted - s * move, lower, upper))

    moving = move != 0
    with np.errstate(invalid="ignore", over="ignore"):
        kinks = np.concatenate([(shifted - end)[moving] / move[moving] for end in (lower, upper)])
    kinks = np.sort(kinks[np.isfinite(kinks) & (kinks > 0)])
    first, last = -1, len(kinks)
    while last - first > 1:
        middle = (first + last) // 2
        if fall(float(kinks[middle])) > 0:
            first = middle
        else:
            last = middle
    # The function is linear from kink to kink, and beyond the last one.
    start = float(kinks[first]) if first >= 0 else 0.0
    end = float(kinks[last]) if last < len(kinks) else start + 1.0 + abs(start)
    high, low = fall(start), fall(end)
    if not high > low:
        return start
    root = start + (end - start) * high / (high - low)
    return min(root, end) if last < len(kinks) else root


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


def pairwise_sum(terms: np.ndarray) -> np.ndarray:
    """Σ terms (N,), by halves: an error of at most log₂ N + 1 roundings of Σ |terms|."""
    while len(terms) > 1:
        half = len(terms) // 2
        rest = terms[2 * half :]
        terms = np.append(terms[:half] + terms[half : 2 * half], rest)
    return terms[0] if len(terms) else np.zeros((), dtype=terms.dtype)
