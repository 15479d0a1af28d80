"""Compiled passes over the data: what an interior-point step needs beside the solution of its Newton system.

Columns of a term: the parts p, m ≥ 0 of y − t = κ z + p − m, their bounds' distances upper − z and z − lower, and z.
Columns of a kink: the same with a = a⁺ − a⁻ in place of y − t, u in place of z, and κ = 0; where both bounds of u are
infinitely far the kink is absent: a = 0. An absent bound's part is zero. Steps have the same columns, and then what the
two products and the equation are off by.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.oracles.compilation import compiled


@compiled
def _centered(
    gap: float, softness: float, lower: float, upper: float, barrier: float, room: float, row: np.ndarray
) -> None:
    """Fill a row with gap = κ z + p − m, nearly, and products of `barrier`; p or m is at least `room` where κ = 0."""
    low, high = np.isfinite(lower), np.isfinite(upper)
    row[0], row[1], row[2], row[3], row[4] = 0.0, 0.0, np.inf, np.inf, 0.0
    if low and high:
        width = upper - lower
        r = gap * width / (4.0 * barrier + softness * width * width)
        v = 2.0 * r / (1.0 + np.sqrt(1.0 + 4.0 * r * r))
        # The smaller distance without cancellation: 1 − v² = v / r.
        near = 0.5 * width * (1.0 - abs(v)) if abs(r) < 1.0 else 0.5 * width * abs(v / r) / (1.0 + abs(v))
        far = 0.5 * width * (1.0 + abs(v))
        row[2], row[3] = (near, far) if v > 0.0 else (far, near)
        row[4] = upper - near if v > 0.0 else lower + near
        row[0], row[1] = barrier / row[2], barrier / row[3]
        if softness == 0.0:
            if gap > 0.0:
                row[0] = row[1] + gap
            else:
                row[1] = row[0] - gap
    elif low or high:
        side = 1.0 if low else -1.0
        shift = side * (gap - softness * (lower if low else upper))
        if softness == 0.0:
            shift = min(shift, -room)
        root = np.sqrt(shift * shift + 4.0 * softness * barrier)
        distance = (shift + root) / (2.0 * softness) if shift > 0.0 else 2.0 * barrier / (root - shift)
        if low:
            row[3], row[1], row[4] = distance, barrier / distance, lower + distance
        else:
            row[2], row[0], row[4] = distance, barrier / distance, upper - distance
    elif softness > 0.0:
        row[4] = gap / softness


@compiled
def center(
    values: np.ndarray,
    kinks: np.ndarray,
    barrier: float,
    room: float,
    least: np.ndarray,
    largest: np.ndarray,
    starts: np.ndarray,
    centres: np.ndarray,
    softness: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    parts: np.ndarray,
    bends: np.ndarray,
) -> None:
    """Fill `parts` and `bends` with products near `barrier` at t = `values` and a = `kinks`; least ≤ u ≤ largest."""
    count = len(values)
    for n in range(count):
        if 0 < n < count - 1:
            _centered(kinks[n], 0.0, least[n], largest[n], barrier, 0.0, bends[n])
        for i in range(starts[n], starts[n + 1]):
            _centered(centres[i] - values[n], softness[i], lower[i], upper[i], barrier, room, parts[i])


@compiled
def _yielding(softness: float, row: np.ndarray, rigid: float, least: float) -> float:
    """By how much p − m + κ z grows with z along the central path; for κ = 0 at least what moves t by `rigid`.

    `least` is the size that z is taken to have at least.
    """
    found = softness + row[0] / row[2] + row[1] / row[3]
    return found if softness > 0.0 else max(found, rigid / max(abs(row[4]), least))


@compiled
def weigh(
    rigid: float,
    least: np.ndarray,
    starts: np.ndarray,
    softness: np.ndarray,
    parts: np.ndarray,
    bends: np.ndarray,
    curvature: np.ndarray,
    price: np.ndarray,
) -> None:
    """Add the terms' share to q (n,) and fill w (n,); see `_yielding` for `rigid` and `least` (n,)."""
    count = len(curvature)
    for n in range(count):
        for i in range(starts[n], starts[n + 1]):
            curvature[n] += 1.0 / _yielding(softness[i], parts[i], rigid, least[n])
        if 0 < n < count - 1:
            ratio = bends[n, 0] / bends[n, 2] + bends[n, 1] / bends[n, 3]
            price[n] = 1.0 / ratio if ratio > 0.0 else np.inf


@compiled
def _missing(target: float, corrected: bool, row: np.ndarray, step: np.ndarray) -> float:
    """Leave in `step` what the products lack, over the distances; the difference of the two."""
    up = target - row[0] * row[2] if np.isfinite(row[2]) else 0.0
    down = target - row[1] * row[3] if np.isfinite(row[3]) else 0.0
    if corrected:
        up -= step[0] * step[2]
        down -= step[1] * step[3]
    step[5] = up / row[2]
    step[6] = down / row[3]
    return step[5] - step[6]


@compiled
def right_sides(
    target: float,
    corrected: bool,
    rigid: float,
    least: np.ndarray,
    spacing: np.ndarray,
    values: np.ndarray,
    starts: np.ndarray,
    centres: np.ndarray,
    softness: np.ndarray,
    parts: np.ndarray,
    bends: np.ndarray,
    part_steps: np.ndarray,
    bend_steps: np.ndarray,
    price: np.ndarray,
    pull: np.ndarray,
    bend: np.ndarray,
) -> None:
    """Add to l (n,) and fill e (n,) for products that should become `target`.

    With `corrected` they allow for the products of the steps that are there. What is missing stays in the steps, for
    `directions`.
    """
    count = len(values)
    left, here = 0.0, 0.0
    for n in range(count):
        after = bends[n + 1, 4] if n + 1 < count - 1 else 0.0
        right = (after - here) / spacing[n] if n < count - 1 else 0.0
        # Aᵀ u is the change of the slope of u; the sum of the duals z should equal it.
        total = left - right
        for i in range(starts[n], starts[n + 1]):
            row, step = parts[i], part_steps[i]
            off = softness[i] * row[4] + row[0] - row[1] - centres[i] + values[n]
            off += _missing(target, corrected, row, step)
            step[7] = off
            total += row[4] - off / _yielding(softness[i], row, rigid, least[n])
        pull[n] += total
        bend[n] = 0.0
        if 0 < n < count - 1 and np.isfinite(price[n]):
            bend[n] = price[n] * _missing(target, corrected, bends[n], bend_steps[n])
        left, here = right, after


@compiled
def _stepped(move: float, row: np.ndarray, step: np.ndarray, lengths: np.ndarray) -> None:
    """Fill the step of a row whose z moves by `move`, and shorten the primal and dual `lengths` to its boundaries."""
    step[4] = move
    step[2], step[3] = -move, move
    step[0] = step[5] + row[0] * move / row[2]
    step[1] = step[6] - row[1] * move / row[3]
    for c in range(2):
        if step[c] < 0.0 and row[c] > 0.0:
            lengths[0] = min(lengths[0], -row[c] / step[c])
        if step[c + 2] < 0.0 and np.isfinite(row[c + 2]):
            lengths[1] = min(lengths[1], -row[c + 2] / step[c + 2])


@compiled
def directions(
    rigid: float,
    least: np.ndarray,
    value_steps: np.ndarray,
    kink_steps: np.ndarray,
    starts: np.ndarray,
    softness: np.ndarray,
    parts: np.ndarray,
    bends: np.ndarray,
    price: np.ndarray,
    part_steps: np.ndarray,
    bend_steps: np.ndarray,
    lengths: np.ndarray,
) -> None:
    """Fill the steps of parts and bends from Δt and Δa, and the `lengths` (primal, dual) that reach a boundary."""
    count = len(value_steps)
    lengths[0], lengths[1] = 1e30, 1e30
    for n in range(count):
        for i in range(starts[n], starts[n + 1]):
            step = part_steps[i]
            move = -(value_steps[n] + step[7]) / _yielding(softness[i], parts[i], rigid, least[n])
            _stepped(move, parts[i], step, lengths)
        if 0 < n < count - 1 and np.isfinite(price[n]):
            step = bend_steps[n]
            _stepped(price[n] * (kink_steps[n] - step[5] + step[6]), bends[n], step, lengths)


@compiled
def _products(primal: float, dual: float, rows: np.ndarray, steps: np.ndarray) -> float:
    total = 0.0
    for i in range(len(rows)):
        for c in range(2):
            if np.isfinite(rows[i, c + 2]):
                total += (rows[i, c] + primal * steps[i, c]) * (rows[i, c + 2] + dual * steps[i, c + 2])
    return total


@compiled
def complementarity(
    primal: float, dual: float, parts: np.ndarray, bends: np.ndarray, part_steps: np.ndarray, bend_steps: np.ndarray
) -> float:
    """The sum of all products after steps of these lengths."""
    return _products(primal, dual, parts, part_steps) + _products(primal, dual, bends[1:-1], bend_steps[1:-1])


@compiled
def move(primal: float, dual: float, rows: np.ndarray, steps: np.ndarray) -> None:
    """Go these lengths along the steps."""
    for i in range(len(rows)):
        for c in range(2):
            rows[i, c] += primal * steps[i, c]
            rows[i, c + 2] += dual * steps[i, c + 2]
        rows[i, 4] += dual * steps[i, 4]


@compiled
def follow(
    points: np.ndarray, values: np.ndarray, active: np.ndarray, noise: float, start: float, slope: float
) -> np.ndarray:
    """The slope changes (n,) of start + slope x + Σ_k a_k (x − x_k)₊ that meets `values` at ends and `active` points.

    Each slope change makes good what rounding the ones before has cost, so that errors do not pile up: the values that
    the rounded numbers stand for are followed in twice the precision. Points missed by `noise` or less make no kink.
    """
    count = len(points)
    kinks = np.zeros(count)
    high, low = _product(slope, points[0])
    high, low = _sum(start, 0.0, high, low)
    rise, rest = slope, 0.0
    here = 0
    while here < count - 1:
        there = here + 1
        while there < count - 1 and not active[there]:
            there += 1
        # The step as a sum of two numbers: its own rounding counts where slopes are steep.
        step, missing = _two_sum(points[there], -points[here])
        main, tail = _product(rise, step)
        up, up_tail = _sum(high, low, main, tail + rest * step + rise * missing)
        error = (values[there] - up) - up_tail
        if abs(error) > noise and here > 0:
            kink = error / step
            kinks[here] = kink
            rise, rest = _sum(rise, rest, kink, 0.0)
            main, tail = _product(kink, step)
            up, up_tail = _sum(up, up_tail, main, tail + kink * missing)
        high, low, here = up, up_tail, there
    return kinks


@compiled
def _two_sum(a: float, b: float) -> tuple[float, float]:
    total = a + b
    other = total - a
    return total, (a - (total - other)) + (b - other)


@compiled
def _sum(a: float, a_tail: float, b: float, b_tail: float) -> tuple[float, float]:
    total, rest = _two_sum(a, b)
    rest += a_tail + b_tail
    return _two_sum(total, rest)


@compiled
def _product(a: float, b: float) -> tuple[float, float]:
    product = a * b
    # Veltkamp's splitting: exact without a fused multiply-add.
    big = 134217729.0 * a
    a_high = big - (big - a)
    a_low = a - a_high
    big = 134217729.0 * b
    b_high = big - (big - b)
    b_low = b - b_high
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


@compiled
def sides(rows: np.ndarray, steps: np.ndarray, primal: float, dual: float, found: np.ndarray) -> None:
    """Which bound each row of z (or u) ends at: 1 the upper, −1 the lower, 0 none; by what the last step shrank more.

    On the way to the optimum either a part or its bound's distance goes to zero, each at its own scale; the ratio of
    new to old tells which without asking for the scale.
    """
    for i in range(len(rows)):
        found[i] = 0
        for c in range(2):
            part, distance = rows[i, c], rows[i, c + 2]
            if np.isfinite(distance):
                before, far = part - primal * steps[i, c], distance - dual * steps[i, c + 2]
                if part * far > distance * before:
                    found[i] = 1 - 2 * c
