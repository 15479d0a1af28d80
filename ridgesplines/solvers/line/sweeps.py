"""Compiled passes over the line: one Newton system of the interior point, solved by dynamic programming in O(N).

The unknowns are the values t_n and slopes s_n of a broken line: t_(n+1) = t_n + h_n s_n, s_n = s_(n−1) + a_n. A system
is min Σ_n ½ q_n t_n² − l_n t_n + Σ_n ½ w_n a_n² − e_n a_n. From right to left, the least cost of what lies ahead
is ½ W (t + c s)² − ξ (t + c s) + ½ V s² − η s, and each of W, c, V follows from those before by sums, products and
quotients of numbers that are not negative. Nothing cancels, so that the factors are accurate, each number relative to
itself, whatever the spacings and the weights are. A banded Cholesky factorisation of the second differences, whose
condition grows like N⁴, loses all digits where this loses none.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.oracles.compilation import compiled

# The columns of the factors of one datum: W, c and V there; 1 / (w + V + W c²); what a kink leaves of ξ, and takes of η
# from it; what it leaves of η, and takes of e; what a datum adds to η by ξ, and takes by l.
GAINS = 10


@compiled
def factorize(spacing: np.ndarray, curvature: np.ndarray, price: np.ndarray, gains: np.ndarray) -> None:
    """Fill `gains` (n, 10) from h (n − 1,), q ≥ 0 (n,) and w in [0, ∞] (n,); w_0 and w_(n−1) do not count.

    A w of infinity is no kink: a = 0.
    """
    count = len(curvature)
    total, lever, spread = 0.0, 0.0, 0.0
    for n in range(count - 1, -1, -1):
        if n < count - 1:
            lever += spacing[n]
        q = curvature[n]
        row = gains[n]
        both = total + q
        if both > 0.0:
            row[8] = lever * q / both
            row[9] = lever * total / both
            spread += lever * lever * (total * q / both)
            lever *= total / both
        else:
            row[8], row[9] = 0.0, 0.0
        total = both
        row[0], row[1], row[2] = total, lever, spread
        w = price[n]
        if n == 0 or n == count - 1 or np.isinf(w):
            row[3], row[4], row[5], row[6], row[7] = 0.0, 1.0, 0.0, 1.0, 0.0
            continue
        near = w + spread
        whole = near + total * lever * lever
        if near > 0.0:
            keep, stay, share = near / whole, w / near, spread / near
        elif whole > 0.0:
            keep, stay, share = 0.0, 0.0, 0.0
        else:
            keep, stay, share = 1.0, 0.0, 0.0
        row[3] = 1.0 / whole if whole > 0.0 else 0.0
        row[4] = keep
        row[5] = total * lever / whole if whole > 0.0 else 0.0
        row[6] = stay
        row[7] = share
        total *= keep
        lever *= stay
        spread *= stay


@compiled
def sweep(
    spacing: np.ndarray,
    gains: np.ndarray,
    pull: np.ndarray,
    bend: np.ndarray,
    values: np.ndarray,
    kinks: np.ndarray,
    work: np.ndarray,
) -> float:
    """The minimiser for the linear terms l (n,) and e (n,): fills t (n,) and a (n,), and returns the first slope.

    `work` (n, 2) is overwritten.
    """
    count = len(pull)
    level, tilt = 0.0, 0.0
    for n in range(count - 1, -1, -1):
        row = gains[n]
        tilt += level * row[8] - pull[n] * row[9]
        level += pull[n]
        work[n, 0], work[n, 1] = level, tilt
        if 0 < n < count - 1 and row[3] > 0.0:
            e = bend[n]
            level = level * row[4] - (e + tilt) * row[5]
            tilt = tilt * row[6] - e * row[7]
    row = gains[0]
    slope = work[0, 1] / row[2] if row[2] > 0.0 else 0.0
    value = (work[0, 0] / row[0] if row[0] > 0.0 else 0.0) - row[1] * slope
    start = slope
    values[0], kinks[0] = value, 0.0
    for n in range(1, count):
        value += spacing[n - 1] * slope
        values[n], kinks[n] = value, 0.0
        row = gains[n]
        if n < count - 1 and row[3] > 0.0:
            change = (
                bend[n] + work[n, 1] - row[2] * slope + row[1] * (work[n, 0] - row[0] * (value + row[1] * slope))
            ) * row[3]
            kinks[n] = change
            slope += change
    return start


@compiled
def profile(spacing: np.ndarray, dual: np.ndarray) -> np.ndarray:
    """p_z at the points, (n,), of a z (n,) that is orthogonal to the affine functions: Σ_j z_j (x_j − x_k)₊."""
    values = np.zeros(len(dual))
    tail = 0.0
    for n in range(len(dual) - 1, 0, -1):
        tail += dual[n]
        values[n - 1] = values[n] + spacing[n - 1] * tail
    return values
