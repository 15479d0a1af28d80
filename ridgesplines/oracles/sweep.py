"""The compiled heart of the exact suprema: the maximum of a profile over a half circle of directions."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def sort_directions(differences, keys):  # pragma: no cover - compiled
    """Sort the directions of `differences` (n, 2) by their angle modulo π; fills `keys`, returns the order."""
    for j in range(differences.shape[0]):
        x, y = differences[j, 0], differences[j, 1]
        if y < 0.0 or (y == 0.0 and x < 0.0):
            x, y = -x, -y
        # Monotone in the angle on [0, π), with full relative precision near both ends.
        keys[j] = -x / (abs(x) + y)
    return np.argsort(keys)


@njit(nogil=True, cache=True)
def sweep_half_circle(differences, masses, order, best):  # pragma: no cover - compiled
    """The largest and the smallest value of g(w) = Σ_j masses_j (w·u_j)₊ over unit w in the plane, up to w → −w.

    The directions w(t) = (−sin t, cos t), t ∈ [0, π), meet the kink of u_j where t is the angle of u_j modulo π.
    Between two kinks g(w) = a·w, whose extremes over the arc are ±‖a‖ where ±a/‖a‖ lies in it, and otherwise at an end.

    Args:
        differences: u, (n, 2), none of them zero.
        masses: (n,), with Σ_j masses_j u_j = 0 (so that g(−w) = g(w)).
        order: from `sort_directions`.
        best: (2, 4) output: for the largest and the smallest value its (value, w1, w2, j), where j is the kink that
            attains it, or −1 inside an arc.

    Returns:
        Σ_j |masses_j| ‖u_j‖. The error of the values is at most 32 ε times that: the sums are compensated, and a kink
        sorted wrongly by rounding changes g by no more than its own rounding.
    """
    best[0, 0], best[1, 0] = -np.inf, np.inf
    a1, a2, c1, c2, size = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(differences.shape[0]):
        x, y = differences[j, 0], differences[j, 1]
        size += abs(masses[j]) * np.sqrt(x * x + y * y)
        if y > 0.0 or (y == 0.0 and x > 0.0):
            a1, c1 = _add(a1, c1, masses[j] * x)
            a2, c2 = _add(a2, c2, masses[j] * y)
    start1, start2 = 1.0, 0.0
    x, y, positive = 0.0, 0.0, True
    for position in range(order.shape[0] + 1):
        if position < order.shape[0]:
            j = order[position]
            x, y = differences[j, 0], differences[j, 1]
            norm = np.sqrt(x * x + y * y)
            positive = y > 0.0 or (y == 0.0 and x > 0.0)
            end1, end2 = (x / norm, y / norm) if positive else (-x / norm, -y / norm)
        else:
            j, end1, end2 = -1, -1.0, 0.0
        s1, s2 = a1 + c1, a2 + c2
        falls_at_start, falls_at_end = s1 * start1 + s2 * start2, s1 * end1 + s2 * end2
        if falls_at_start * falls_at_end < 0.0:
            length = np.sqrt(s1 * s1 + s2 * s2)
            if falls_at_start < 0.0:
                if length > best[0, 0]:
                    best[0, 0], best[0, 1], best[0, 2], best[0, 3] = length, s1 / length, s2 / length, -1.0
            elif -length < best[1, 0]:
                best[1, 0], best[1, 1], best[1, 2], best[1, 3] = -length, -s1 / length, -s2 / length, -1.0
        if j >= 0:
            value = -s1 * end2 + s2 * end1
            if value > best[0, 0]:
                best[0, 0], best[0, 1], best[0, 2], best[0, 3] = value, -end2, end1, float(j)
            if value < best[1, 0]:
                best[1, 0], best[1, 1], best[1, 2], best[1, 3] = value, -end2, end1, float(j)
            mass = -masses[j] if positive else masses[j]
            a1, c1 = _add(a1, c1, mass * x)
            a2, c2 = _add(a2, c2, mass * y)
            start1, start2 = end1, end2
    return size


@njit(nogil=True, cache=True)
def _add(total, correction, term):  # pragma: no cover - compiled
    """Neumaier's compensated sum: (total, correction) after adding `term`."""
    new = total + term
    if abs(total) >= abs(term):
        correction += (total - new) + term
    else:
        correction += (term - new) + total
    return new, correction
