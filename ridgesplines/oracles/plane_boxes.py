"""Compiled bounds of the smooth planar profile over boxes of (direction, bias), and ascents between them.

Everywhere p(θ, b) = Σ_n z_n h_n^k / k! over the data with h_n = x_n·u(θ) − b > 0, u(θ) = (cos θ, sin θ), k = m − 1 ∈
{2, 3}. One file, because compiled functions may call those of their own file only.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.oracles.compilation import compiled


@compiled
def bound_boxes(points, masses, degree, boxes, start, stop, bounds, roundings, values):  # pragma: no cover - compiled
    """Bounds of |p| over the boxes `start` to `stop`, and p at their centres.

    About the centre of a box (half-widths α, β) h moves by η = s σ − c κ − τ, where c = x·u, s = x·u', σ = sin δ,
    κ = 1 − cos δ = σ²/2 + O(σ⁴) and |τ| ≤ β. Data that stay active make a polynomial in (σ, κ, τ), whose coefficients
    are sums with the signs of z, so that their cancellation is kept: its part of second order in (σ, τ) is maximised
    exactly, and the rest is bounded term by term. A datum active in a part of the box only, h ∈ [−E, D], enters with a
    polynomial above z ρ(h): for z > 0 it is z (D / (D + E))^k (h + E)^k / k!, and for z < 0 the tangent at the centre.
    The error is of third order in the size of the box, but for data that change activity in it.

    Rounding: with H = h + (the most that h rises in the box), Σ |z| H^k / k! bounds the sum of the absolute values of
    all terms of the polynomial over the box, each the outcome of fewer than N + 40 operations; and the heights
    themselves are off by 8 ε at most, where p changes by Σ |z| H^(k−1) / (k−1)! times that. Twice both are reported.
    Data whose activity this leaves open count as active in a part of the box.

    Args:
        points: x, (n, 2), of norms at most 1.
        masses: z, (n,).
        degree: k, 2 or 3.
        boxes: (M, 4) rows (θ, b, α, β) with α ≤ 1.
        start: the first box.
        stop: one after the last.
        bounds: (M,) output, in exact arithmetic.
        roundings: (M,) output, what rounding may have taken off the bounds.
        values: (M,) output.
    """
    unit = 2.220446049250313e-16
    sure, above, below = np.empty(20), np.empty(20), np.empty(20)
    for i in range(start, stop):
        u1, u2, b = np.cos(boxes[i, 0]), np.sin(boxes[i, 0]), boxes[i, 1]
        sine, bend, beta = np.sin(boxes[i, 2]), 2.0 * np.sin(0.5 * boxes[i, 2]) ** 2, boxes[i, 3]
        sure[:], above[:], below[:] = 0.0, 0.0, 0.0
        value, touched, size, slope = 0.0, False, 0.0, 0.0
        for n in range(points.shape[0]):
            c = points[n, 0] * u1 + points[n, 1] * u2
            s = points[n, 1] * u1 - points[n, 0] * u2
            h, z = c - b, masses[n]
            reach = abs(s) * sine + abs(c) * bend + beta + 64.0 * unit
            if h <= -reach:
                continue
            slope += abs(z) * (h + reach) ** (degree - 1)
            size += abs(z) * (h + reach) ** degree
            if h >= reach:
                if degree == 2:
                    _add(sure, 0.5 * z * h * h, z * h, z, 0.0, c, s)
                else:
                    _add(sure, z * h * h * h / 6.0, 0.5 * z * h * h, z * h, z, c, s)
                continue
            touched = True
            top, share = max(h, 0.0), (h + reach) / (2.0 * reach)
            if degree == 2:
                value += 0.5 * z * top * top
                mass = abs(z) * share * share
                _add(above if z > 0.0 else below, 0.5 * mass * reach * reach, mass * reach, mass, 0.0, c, s)
                _add(below if z > 0.0 else above, -0.5 * abs(z) * top * top, -abs(z) * top, 0.0, 0.0, c, s)
            else:
                value += z * top * top * top / 6.0
                mass = abs(z) * share * share * share
                square = mass * reach * reach
                _add(above if z > 0.0 else below, square * reach / 6.0, 0.5 * square, mass * reach, mass, c, s)
                square = abs(z) * top * top
                _add(below if z > 0.0 else above, -square * top / 6.0, -0.5 * square, 0.0, 0.0, c, s)
        values[i] = value + sure[0]
        factorial = 2.0 if degree == 2 else 6.0
        roundings[i] = 2.0 * unit * ((points.shape[0] + 40) * size / factorial + 8.0 * slope / (degree - 1))
        if touched:
            for j in range(20):
                above[j] += sure[j]
                below[j] -= sure[j]
            bounds[i] = max(_highest(above, sine, bend, beta), _highest(below, sine, bend, beta), 0.0)
        else:
            for j in range(20):
                below[j] = -sure[j]
            bounds[i] = max(_highest(sure, sine, bend, beta), _highest(below, sine, bend, beta), 0.0)


@compiled
def _add(sums, value, first, second, third, c, s):  # pragma: no cover - compiled
    """Add one datum's Taylor terms in η: `value`, and the derivatives times the products of s, c and 1."""
    sums[0] += value
    sums[1] += first * s
    sums[2] += first * c
    sums[3] += first
    sums[4] += second * s * s
    sums[5] += second * s * c
    sums[6] += second * c * c
    sums[7] += second * s
    sums[8] += second * c
    sums[9] += second
    if third != 0.0:
        sums[10] += third * s * s * s
        sums[11] += third * s * s * c
        sums[12] += third * s * s
        sums[13] += third * s * c * c
        sums[14] += third * s * c
        sums[15] += third * s
        sums[16] += third * c * c * c
        sums[17] += third * c * c
        sums[18] += third * c
        sums[19] += third


@compiled
def _highest(a, sine, bend, beta):  # pragma: no cover - compiled
    """The maximum over |σ| ≤ `sine`, |τ| ≤ `beta` of the part of second order, plus a bound of the rest."""
    rest = 0.25 * abs(a[2]) * sine**4 + 0.5 * abs(a[6]) * bend * bend
    rest += abs(a[5]) * sine * bend + abs(a[8]) * bend * beta
    rest += (abs(a[10]) * sine**3 + abs(a[16]) * bend**3 + abs(a[19]) * beta**3) / 6.0
    rest += 0.5 * sine * sine * (abs(a[11]) * bend + abs(a[12]) * beta)
    rest += 0.5 * bend * bend * (abs(a[13]) * sine + abs(a[17]) * beta)
    rest += 0.5 * beta * beta * (abs(a[15]) * sine + abs(a[18]) * bend) + abs(a[14]) * sine * bend * beta
    g, e = a[1], -a[3]
    ss, st, tt = a[4] - a[2], -a[7], a[9]
    highest = -np.inf
    # Along the four edges: the higher end, or the vertex of a concave parabola.
    for side in range(2):
        sign = 1.0 if side == 0 else -1.0
        edge = sign * beta * e + 0.5 * tt * beta * beta
        slope = g + sign * beta * st
        highest = max(highest, edge + _parabola(slope, ss, sine))
        edge = sign * sine * g + 0.5 * ss * sine * sine
        slope = e + sign * sine * st
        highest = max(highest, edge + _parabola(slope, tt, beta))
    determinant = ss * tt - st * st
    if ss < 0.0 and determinant > 0.0:
        sigma = (st * e - tt * g) / determinant
        tau = (st * g - ss * e) / determinant
        if abs(sigma) <= sine and abs(tau) <= beta:
            highest = max(highest, 0.5 * (g * sigma + e * tau))
    return a[0] + highest + rest


@compiled
def _parabola(slope, bend, reach):  # pragma: no cover - compiled
    """The maximum of slope t + bend t²/2 over |t| ≤ reach."""
    if bend < 0.0 and abs(slope) < -bend * reach:
        return -0.5 * slope * slope / bend
    return abs(slope) * reach + 0.5 * bend * reach * reach


@compiled
def scan_directions(points, masses, degree, angles, start, stop, found, counts):  # pragma: no cover - compiled
    """The local maxima of |p(θ, ·)| for the directions `start` to `stop` of `angles`.

    Args:
        points: (n, 2).
        masses: (n,).
        degree: k.
        angles: (T,).
        start: the first direction.
        stop: one after the last.
        found: (T, 2n, 2) output: the bias and p.
        counts: (T,) output: how many.
    """
    for i in range(start, stop):
        heights = points @ np.array([np.cos(angles[i]), np.sin(angles[i])])
        order = np.argsort(heights)
        q0, q1, q2, q3 = 0.0, 0.0, 0.0, 0.0
        counts[i] = 0
        for position in range(order.shape[0] - 1, 0, -1):
            right = heights[order[position]]
            step = right - heights[order[position - 1]]
            if degree == 2:
                q2 += masses[order[position]]
            else:
                q3 += masses[order[position]]
            root = np.sqrt(max(q2 * q2 - 2.0 * q1 * q3, 0.0))
            s = q2 + root if q2 >= 0.0 else q2 - root
            for which in range(2):
                t = -1.0
                if which == 0 and s != 0.0:
                    t = -2.0 * q1 / s
                if which == 1 and q3 != 0.0:
                    t = -s / q3
                if 0.0 <= t < step:
                    value = q0 + t * (q1 + t * (0.5 * q2 + t * q3 / 6.0))
                    if value * (q2 + q3 * t) < 0.0:
                        found[i, counts[i], 0], found[i, counts[i], 1] = right - t, value
                        counts[i] += 1
            q0 += step * (q1 + step * (0.5 * q2 + step * q3 / 6.0))
            q1 += step * (q2 + 0.5 * step * q3)
            q2 += step * q3


@compiled
def _derivatives(points, masses, degree, theta, b, out):  # pragma: no cover - compiled
    """p, p_θ, p_b, p_θθ, p_θb, p_bb into `out`."""
    u1, u2 = np.cos(theta), np.sin(theta)
    out[:] = 0.0
    for n in range(points.shape[0]):
        c = points[n, 0] * u1 + points[n, 1] * u2
        h = c - b
        if h <= 0.0:
            continue
        s = points[n, 1] * u1 - points[n, 0] * u2
        z = masses[n]
        first, second = (z * h, z) if degree == 2 else (0.5 * z * h * h, z * h)
        out[0] += first * h / degree
        out[1] += first * s
        out[2] -= first
        out[3] += second * s * s - first * c
        out[4] -= second * s
        out[5] += second


@compiled
def promising(points, masses, degree, starts, spacing, start, stop, near):  # pragma: no cover - compiled
    """Whether a local maximum of |p|, seen from each of `starts`, lies within one `spacing` of the directions.

    The starts (M, 2) are maxima over b, so p along the ridge through them has curvature p_θθ − p_θb² / p_bb.
    """
    out = np.empty(6)
    for i in range(start, stop):
        _derivatives(points, masses, degree, starts[i, 0], starts[i, 1], out)
        curvature = out[3] - (out[4] * out[4] / out[5] if out[5] != 0.0 else 0.0)
        near[i] = out[0] * curvature < 0.0 and abs(out[1]) <= spacing * abs(curvature)


@compiled
def climb(points, masses, degree, places, start, stop):  # pragma: no cover - compiled
    """Newton ascents of |p| from the rows (θ, b) `start` to `stop` of `places`, in place; every step is monotone."""
    out, trial = np.empty(6), np.empty(6)
    for i in range(start, stop):
        theta, b = places[i, 0], places[i, 1]
        _derivatives(points, masses, degree, theta, b, out)
        for _ in range(40):
            sign = 1.0 if out[0] > 0.0 else -1.0
            g, e = sign * out[1], sign * out[2]
            # Each eigenvalue's sign is turned to concave, so that the step ascends at saddles as well.
            mean, half = 0.5 * sign * (out[3] + out[5]), 0.5 * sign * (out[3] - out[5])
            cross = sign * out[4]
            radius = np.sqrt(half * half + cross * cross)
            large, small = mean + radius, mean - radius
            angle = 0.5 * np.arctan2(cross, half)
            v1, v2 = np.cos(angle), np.sin(angle)
            floor = 1e-12 * (abs(large) + abs(small)) + 1e-300
            along = (g * v1 + e * v2) / max(abs(large), floor)
            across = (e * v1 - g * v2) / max(abs(small), floor)
            length = np.sqrt(along * along + across * across)
            if length < 1e-15:
                break
            shrink = min(1.0, 0.25 / length)
            d1, d2 = shrink * (along * v1 - across * v2), shrink * (along * v2 + across * v1)
            improved = False
            for _ in range(30):
                _derivatives(points, masses, degree, theta + d1, b + d2, trial)
                if abs(trial[0]) > abs(out[0]):
                    improved = True
                    break
                d1, d2 = 0.25 * d1, 0.25 * d2
            if not improved:
                break
            theta, b = theta + d1, b + d2
            gain = abs(trial[0]) - abs(out[0])
            out[:] = trial
            if gain <= 1e-16 * abs(out[0]):
                break
        places[i, 0], places[i, 1] = theta, b
