"""Compiled bounds of the profile of order 2 over cones of directions, pivot by pivot.

One file, because compiled functions may call those of their own file only.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.oracles.compilation import compiled

# Of turning; counted in the rounding errors.
_ROUNDS = 6


@compiled
def bound_cones(points, masses, cones, limit, start, stop, bounds, roundings, values):  # pragma: no cover - compiled
    """Bounds of |p| over the (pivot, cone) pairs `start` to `stop`, where it may be the largest over the bias.

    A cone is a box of directions w with w_f = 1 and |w_k − c_k| ≤ r_k for the other k; with u_j = x_j − x_n for the
    pivot n, |p| = g(w) / ‖w‖ there, g(w) = Σ_j m_j (w·u_j)₊, m = ±z with the sign for which m_n < 0. (At the pivot that
    maximises p over the bias, p turns from rising to falling, so −m_n ≥ Σ_j m_j over the active j ≥ 0: a pivot has one
    sign only, and a cone where these sums stay outside is dropped.)

    Where w·u_j ranges over [−l, h], l, h > 0, its hinge lies below λ (w·u_j + l), λ = h / (l + h), which serves for
    m_j > 0; and above λ w·u_j for any λ ∈ [0, 1], which serves for m_j < 0. So g(w) ≤ a·w + s, with s = Σ λ_j l_j m_j
    over the m_j > 0. The maximum of (a·w + s) / ‖w‖ over the cone is at most that of (a·w + s) / (e·w), e the unit
    vector along the centre, which is attained at a corner and found by Dinkelbach's iteration; and at most
    ‖a‖ + s / min ‖w‖. Where the first λ_j = h / (l + h) for m_j < 0 leave the bound above `limit`, they are moved to
    turn a towards the centre: a maximum of |p| sits on kinks with m_j < 0 (others are convex), where some λ turn it
    there exactly, and the bound is of second order in the size of the cone.

    Rounding: every sum has at most 8 N terms of d products, turns included, that are bounded over the cone by
    |m_j| Σ_k |u_jk| max |w_k|. Data that may touch the hyperplane in the cone, up to rounding, count as on both sides.

    Args:
        points: x, (N, d).
        masses: z, (N,).
        cones: (M, 2 + 2d) rows (n, k, c, r), c_f = 1 and r_f = 0; k is an output: the coordinate to split.
        limit: bounds below this need not be sharp.
        start: the first pair.
        stop: one after the last.
        bounds: (M,) output, in exact arithmetic; 0 where the pair is dropped.
        roundings: (M,) output, what rounding may have taken off the bounds.
        values: (M,) output: |p| at the centre and the pivot.
    """
    unit = 2.220446049250313e-16
    count, dimension = points.shape
    total = 0.0
    for j in range(count):
        total += abs(masses[j])
    slack = 4.0 * count * unit * total
    a, e, spread = np.empty(dimension), np.empty(dimension), np.empty(dimension)
    bent, shares, levels = np.empty(count, dtype=np.int64), np.empty(count), np.empty(count)
    for i in range(start, stop):
        pivot = int(cones[i, 0])
        c, r = cones[i, 2 : 2 + dimension], cones[i, 2 + dimension :]
        sign = 1.0 if masses[pivot] < 0.0 else -1.0
        bounds[i], roundings[i], values[i] = 0.0, 0.0, 0.0
        if masses[pivot] == 0.0:
            continue
        a[:], spread[:] = 0.0, 0.0
        constant, size, value, least, most, bends = 0.0, 0.0, 0.0, 0.0, 0.0, 0
        for j in range(count):
            t, reach, scale = 0.0, 0.0, 0.0
            for k in range(dimension):
                u = points[j, k] - points[pivot, k]
                t += u * c[k]
                reach += abs(u) * r[k]
                scale += abs(u * c[k])
            m = sign * masses[j]
            size += abs(m) * (scale + reach)
            blur = 1e-13 * scale
            if t + reach < -blur or j == pivot:
                continue
            if t > 0.0:
                value += m * t
            share = 1.0
            if t > reach + blur:
                least += m
                most += m
            else:
                share = min(max(0.5 * (t + reach) / max(reach, blur), 0.0), 1.0)
                if m > 0.0:
                    constant += m * share * max(reach - t, 0.0)
                    most += m
                else:
                    least += m
                    bent[bends], shares[bends], levels[bends] = j, share, t
                    bends += 1
            for k in range(dimension):
                u = points[j, k] - points[pivot, k]
                a[k] += share * m * u
                if t <= reach + blur:
                    spread[k] += abs(m * u)
        if most < -slack or least > abs(masses[pivot]) + slack:
            continue
        norm, nearest = 0.0, 0.0
        for k in range(dimension):
            norm += c[k] * c[k]
            nearest += max(abs(c[k]) - r[k], 0.0) ** 2
        norm, nearest = np.sqrt(norm), np.sqrt(nearest)
        values[i] = value / norm
        for k in range(dimension):
            e[k] = c[k] / norm
        bound = _highest(a, constant, c, r, e, norm, nearest)
        if bound > limit and bends > 0:
            _turn(points, masses, pivot, sign, a, c, r, e, norm, bent[:bends], shares, levels)
            bound = min(bound, _highest(a, constant, c, r, e, norm, nearest))
        bounds[i] = max(bound, 0.0)
        square = np.sqrt(a @ a)
        roundings[i] = 2.0 * unit * (8 * count + 8 * dimension + 40) * size / nearest
        widest = -1.0
        for k in range(dimension):
            score = r[k] * (spread[k] + r[k] * square)
            if score > widest:
                widest, cones[i, 1] = score, float(k)


@compiled
def _highest(a, constant, c, r, e, norm, nearest):  # pragma: no cover - compiled
    """A bound of (a·w + constant) / ‖w‖ over the cone."""
    base, lowest = constant, norm
    for k in range(a.shape[0]):
        base += a[k] * c[k]
        lowest -= abs(e[k]) * r[k]
    ratio, bound = base / norm, np.inf
    for _ in range(12):
        # The corner where the numerator most exceeds `ratio` times the denominator.
        over, numerator, denominator = base - ratio * norm, base, norm
        for k in range(a.shape[0]):
            difference = a[k] - ratio * e[k]
            over += abs(difference) * r[k]
            step = r[k] if difference > 0.0 else -r[k]
            numerator += a[k] * step
            denominator += e[k] * step
        bound = ratio + max(over, 0.0) / lowest
        if numerator <= ratio * denominator * (1.0 + 1e-15):
            break
        ratio = numerator / denominator
    return min(bound, np.sqrt(a @ a) + constant / nearest)


@compiled
def _turn(points, masses, pivot, sign, a, c, r, e, norm, bent, shares, levels):  # pragma: no cover - compiled
    """Choose the slopes of the hinges `bent` to lower the bound; changes a and the shares.

    Coordinate descent on a·c + ‖q‖, the height at the centre and the rise towards the sides, q = r (a − (a·e) e), where
    the norm is the minimum over τ of (‖q‖² / τ + τ) / 2.
    """
    dimension = a.shape[0]
    q, v = np.empty(dimension), np.empty(dimension)
    for _ in range(_ROUNDS):
        slope = a @ e
        tau = 0.0
        for k in range(dimension):
            q[k] = r[k] * (a[k] - slope * e[k])
            tau += q[k] * q[k]
        tau = np.sqrt(tau)
        if tau == 0.0:
            return
        for position in range(bent.shape[0]):
            j = bent[position]
            m = sign * masses[j]
            along, square = m * levels[position], 0.0
            for k in range(dimension):
                v[k] = r[k] * m * (points[j, k] - points[pivot, k] - levels[position] / norm * e[k])
                square += v[k] * v[k]
                along += q[k] * v[k] / tau
            if square == 0.0:
                continue
            share = min(max(shares[position] - along * tau / square, 0.0), 1.0)
            change = share - shares[position]
            shares[position] = share
            for k in range(dimension):
                q[k] += change * v[k]
                a[k] += change * m * (points[j, k] - points[pivot, k])
