"""Averages of truncated powers over intervals, parallelograms and parallelepipeds, without cancellation.

All of them are E ρ_m(t + h_1 U_1 + … + h_r U_r) with U_i independent and uniform on [−1, 1]: the neuron's level t at
the centre, and how far it rises from there along each half axis. The textbook's divided differences of ρ_(m+r) over the
corners cancel for small h_i; here a difference is taken only along the largest h_i, and only where the kink lies
inside. There the larger of its two terms is at least three times the other for r = 2, and twice for r = 3 (averages of
ρ_(m+1) are convex, and |t| < r h_1), so that relative errors grow by no more than factors of 2 and 3; for r = 1, and
beyond the kink, all terms are nonnegative. Counting operations, orders up to 4: 7 ε of the average for r = 1, 17 for
r = 2, 57 for r = 3, besides rounding of the level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ridgesplines.activations import TruncatedPower
from ridgesplines.arrays import Array, namespace
from ridgesplines.measurements.uniform_loops import HIGHEST_ORDER, average_each

# In JAX half widths below this count as none: derivatives divide by their squares, which must not vanish.
_THIN = 1e-100


def uniform_average(levels: Array, halves: Sequence[Array], order: int) -> Array:
    """E ρ_m(t + Σ_i h_i U_i), with U_i independent and uniform on [−1, 1], accurate to 57 ε of itself.

    "Of itself" for the t and h that come in: where t = w·x − b was rounded, that moves the kink. JAX in, JAX out, and
    differentiable; at h = 0 the derivative in h is 0, as the average is even in h.

    Args:
        levels: t, of any shape.
        halves: h_i, of that shape and any sign: none, one, two or three.
        order: m ≥ 1.
    """
    xp = namespace(levels, *halves)
    if xp is np and halves and order <= HIGHEST_ORDER:
        shape = np.broadcast_shapes(np.shape(levels), *map(np.shape, halves))
        flat = [np.ascontiguousarray(np.broadcast_to(part, shape), dtype=float).ravel() for part in (levels, *halves)]
        values = np.empty(len(flat[0]))
        # Half widths that do not count are not read.
        first, second, third = (flat[1:] * 3)[:3]
        average_each(flat[0], first, second, third, len(halves), order, values)
        return values.reshape(shape)
    halves = _descending([xp.abs(half) for half in halves])
    return _average(levels, halves, order)


def _descending(halves: list[Array]) -> list[Array]:
    """The same numbers, entry by entry, the largest first."""
    halves = list(halves)
    for end in range(len(halves) - 1, 0, -1):
        for i in range(end):
            first, second = halves[i], halves[i + 1]
            halves[i], halves[i + 1] = namespace(first).maximum(first, second), namespace(first).minimum(first, second)
    return halves


def _average(levels: Array, halves: list[Array], order: int) -> Array:
    """The average for h_1 ≥ h_2 ≥ … ≥ 0."""
    xp = namespace(levels, *halves)
    if not halves:
        return TruncatedPower(order)(levels)
    if len(halves) == 1:
        return _interval_average(levels, halves[0], order)
    largest, others = halves[0], halves[1:]
    inside = (xp.abs(levels) < sum(halves)) & (largest > (0.0 if xp is np else _THIN))
    # Where this branch is not taken, its numbers must be harmless: JAX differentiates both.
    level, step = xp.where(inside, levels, 0.0), xp.where(inside, largest, 1.0)
    rest = [xp.where(inside, half, 0.0) for half in others]
    upper, lower = (_average(level + sign * step, rest, order + 1) for sign in (1.0, -1.0))
    return xp.where(
        inside,
        (upper - lower) / (2.0 * step),
        xp.where(levels > 0, _beyond(xp.where(inside, 1.0, levels), halves, order), 0.0),
    )


def _interval_average(level: Array, half: Array, order: int) -> Array:
    """[ρ_(m+1)(t + h) − ρ_(m+1)(t − h)] / 2h, as a sum of nonnegative terms."""
    xp = namespace(level, half)
    upper, lower = level + half, level - half
    crossing = (upper > 0) & (lower < 0) & (half > (0.0 if xp is np else _THIN))
    positive = xp.where(crossing, upper / (2.0 * xp.where(crossing, half, 1.0)), xp.where(level > 0, 1.0, 0.0))
    upper, lower = xp.maximum(upper, 0.0), xp.maximum(lower, 0.0)
    total, power = xp.ones_like(upper), xp.ones_like(upper)
    for _ in range(order - 1):
        power = power * upper
        total = total * lower + power
    return positive * total / math.factorial(order)


def _beyond(levels: Array, halves: list[Array], order: int) -> Array:
    """E (t + Σ_i h_i U_i)^(m−1) / (m−1)!: the average where the kink is not inside."""
    # The even moments over their factorials are the coefficients of Π_i sinh(h_i s) / (h_i s).
    xp, degree = namespace(levels, *halves), order - 1
    moments = [xp.ones_like(levels)] + [xp.zeros_like(levels)] * (degree // 2)
    for half in halves:
        series = [half ** (2 * j) / math.factorial(2 * j + 1) for j in range(degree // 2 + 1)]
        moments = [sum(moments[i] * series[j - i] for i in range(j + 1)) for j in range(degree // 2 + 1)]
    return sum(levels ** (degree - 2 * j) / math.factorial(degree - 2 * j) * moment for j, moment in enumerate(moments))
