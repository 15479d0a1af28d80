"""Norms of rows, in NumPy and JAX."""

from __future__ import annotations

import math

from ridgesplines.arrays import Array, namespace

# For each p the one of the dual norm.
DUAL_NORMS: dict[float, float] = {1: math.inf, 2: 2, math.inf: 1}


def sizes(values: Array) -> Array:
    """|v_k| of each row of (K,) or (K, D): the absolute value, or the Euclidean norm."""
    return namespace(values).abs(values) if values.ndim == 1 else lengths(values, 2)


def lengths(rows: Array, norm: float) -> Array:
    """‖·‖_p of each row of (K, d), p = 1, 2 or infinite."""
    xp = namespace(rows)
    if norm == 2:
        return xp.sqrt(xp.sum(rows**2, axis=1))
    return xp.sum(xp.abs(rows), axis=1) if norm == 1 else xp.max(xp.abs(rows), axis=1)


def dual_lengths(rows: Array, norm: float) -> Array:
    """max w·x over ‖w‖_p = 1, for each row x."""
    return lengths(rows, DUAL_NORMS[norm])
