"""The compiled loop of `uniform_average`: the same formulas, number by number.

One file, because compiled functions may call those of their own file only.
"""

from __future__ import annotations

import math

from ridgesplines.oracles.compilation import compiled

# Two half widths raise the order by two on the way, and `_beyond` knows moments for orders up to 8.
HIGHEST_ORDER = 6


@compiled
def average_each(levels, first, second, third, axes, order, values):  # pragma: no cover - compiled
    """Fill `values` (n,) with E ρ_m(t + Σ_i h_i U_i) for the first `axes` of the half widths, 1 to 3 of them.

    Args:
        levels: t, (n,).
        first: h_1, (n,), of any sign.
        second: h_2; not read for one axis.
        third: h_3; not read for two axes.
        axes: how many half widths count.
        order: m ≤ `HIGHEST_ORDER`.
        values: output.
    """
    for i in range(levels.shape[0]):
        t, a = levels[i], abs(first[i])
        b = abs(second[i]) if axes > 1 else 0.0
        c = abs(third[i]) if axes > 2 else 0.0
        if a < b:
            a, b = b, a
        if b < c:
            b, c = c, b
        if a < b:
            a, b = b, a
        reach = a + b + c
        if t >= reach and t > 0.0:
            values[i] = _beyond(t, a, b, c, order)
        elif abs(t) < reach:
            # In units near the largest, so that powers of small numbers do not underflow on the way.
            exponent = math.frexp(reach)[1]
            t, a = math.ldexp(t, -exponent), math.ldexp(a, -exponent)
            if axes == 1:
                value = _over_interval(t, a, order)
            elif axes == 2:
                value = _over_two(t, a, math.ldexp(b, -exponent), order)
            else:
                value = _over_three(t, a, math.ldexp(b, -exponent), math.ldexp(c, -exponent), order)
            values[i] = math.ldexp(value, (order - 1) * exponent)
        else:
            values[i] = 0.0


@compiled
def _over_three(t, a, b, c, order):  # pragma: no cover - compiled
    if abs(t) < a + b + c and a > 0.0:
        return (_over_two(t + a, b, c, order + 1) - _over_two(t - a, b, c, order + 1)) / (2.0 * a)
    return _beyond(t, a, b, c, order) if t > 0.0 else 0.0


@compiled
def _over_two(t, a, b, order):  # pragma: no cover - compiled
    if abs(t) < a + b and a > 0.0:
        return (_over_interval(t + a, b, order + 1) - _over_interval(t - a, b, order + 1)) / (2.0 * a)
    return _beyond(t, a, b, 0.0, order) if t > 0.0 else 0.0


@compiled
def _over_interval(t, a, order):  # pragma: no cover - compiled
    """As a sum of nonnegative terms."""
    upper, lower = t + a, t - a
    share = 1.0 if t > 0.0 else 0.0
    if upper > 0.0 and lower < 0.0 and a > 0.0:
        share = upper / (2.0 * a)
    upper, lower = max(upper, 0.0), max(lower, 0.0)
    total, power, factorial = 1.0, 1.0, 1.0
    for i in range(order - 1):
        power *= upper
        total = total * lower + power
        factorial *= i + 2
    return share * total / factorial


@compiled
def _beyond(t, a, b, c, order):  # pragma: no cover - compiled
    """E (t + Σ_i h_i U_i)^(m−1) / (m−1)!, all terms nonnegative; orders up to 8."""
    first, second, third = 0.0, 0.0, 0.0
    for half in (a, b, c):
        square = half * half
        one = square / 6.0
        two = square * square / 120.0
        third += second * one + first * two + square * square * square / 5040.0
        second += first * one + two
        first += one
    degree = order - 1
    value = 0.0
    for k in range(degree, -1, -1):
        rest = degree - k
        if rest == 0:
            moment = 1.0
        elif rest == 2:
            moment = first
        elif rest == 4:
            moment = second
        elif rest == 6:
            moment = third
        else:
            continue
        power = 1.0
        for i in range(k):
            power *= t / (i + 1)
        value += power * moment
    return value
