"""The exact supremum of a smooth piecewise polynomial profile on the line, orders 3 and 4."""

from __future__ import annotations

import math

import numpy as np

from ridgesplines.norms import sizes
from ridgesplines.oracles.protocol import Neurons, Supremum

_LONG = np.longdouble
_LONG_UNIT = np.finfo(_LONG).eps
_UNIT = np.finfo(float).eps
# Pieces of a profile with several outputs are halved until their bound is within this factor of the value: with 2⁻⁴⁶
# the proof costs two dozen halvings of the few pieces that come near the supremum.
_SLACK = 2.0**-46
_NODES = 8


def smooth_supremum(knots: np.ndarray, masses: np.ndarray, count: int, order: int) -> Supremum:
    """The supremum of ‖p(b)‖ over all b, p(b) = Σ_j masses_j (x_j − b)₊^k / k! with k = m − 1 ∈ {2, 3}, in O(n).

    Between neighbouring knots p is a polynomial of degree k, whose derivatives at the knots are found by Taylor steps
    from the right. By orthogonality p may be written from the left as well, with the flipped neuron; each piece takes
    whichever has the smaller terms, so that rounding stays small at both ends.

    Rounding: a derivative of p at a knot is a polynomial in the masses and steps with positive coefficients, each term
    of which passes through at most (k + 2) (count + 8) operations in extended precision (unit u; where the platform has
    none, u is that of double precision). So p is known up to that many u times S, the same sum over ‖masses‖, at the
    far end of the piece. The computed extremes of a piece are those of one whose coefficients differ by at most 16 u
    relative to S (both roots of a computed quadratic are the exact roots of a near one, also where its discriminant
    cancels), which costs 64 u S at most. `upper` adds these, and the conversion to double precision.

    Args:
        knots: x, (n,), increasing.
        masses: (n,) or (n, D) in extended precision, orthogonal to the polynomials of degree < m.
        count: N, how many terms were summed into the masses.
        order: m, 3 or 4.
    """
    outputs = masses.shape[1:]
    masses = masses.reshape(len(masses), -1)
    degree, n = order - 1, len(knots)
    if n < 2:
        return Supremum.of(Neurons.none(1), np.zeros((0, *outputs)))
    knots = knots.astype(_LONG)
    steps = np.diff(knots)
    right, right_size = _taylor(steps, masses, degree)
    left, left_size = _taylor(steps[::-1], masses[::-1], degree)
    flipped = left_size[::-1] < right_size
    taylor = np.where(flipped[:, None], left[:, ::-1], right)
    starts, signs = np.where(flipped, knots[:-1], knots[1:]), np.where(flipped, -1.0, 1.0)
    piece, t = _extremes(taylor, steps)
    values = _horner(taylor[:, piece], t)
    # The highest knot completes the proof where rounding lost an extreme at a knot to both of its pieces.
    ends = np.stack([taylor[0], _horner(taylor, steps)])
    far, highest = np.unravel_index(np.argmax(_norms(ends)), ends.shape[:2])
    if _norms(ends[far, highest]) > _norms(values).max(initial=0):
        piece, t = np.append(piece, highest), np.append(t, steps[highest] * far)
        values = np.append(values, ends[far, highest][None], axis=0)
    kept = np.flatnonzero(_norms(values) > 0)
    piece, t, values = piece[kept], t[kept], values[kept].astype(float)
    biases = signs[piece] * (starts[piece] - signs[piece] * t)
    neurons = Neurons(signs[piece][:, None], biases.astype(float))
    size = float(np.minimum(right_size, left_size[::-1]).max())
    margin = 1.01 * ((degree + 2) * (count + 8) + 64) * float(_LONG_UNIT) * size
    value = float(sizes(values).max(initial=0.0))
    margin += 4 * _UNIT * value
    if outputs:
        margin += _excess(taylor, steps, value)
    return Supremum.of(neurons, values.reshape(-1, *outputs), margin)


def _norms(values: np.ndarray) -> np.ndarray:
    """Euclidean norms along the last axis, in the precision given."""
    return np.sqrt(np.sum(values * values, axis=-1))


def _taylor(steps: np.ndarray, masses: np.ndarray, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """The derivatives of each piece at its right end, towards the left, and its terms' sizes at its left end.

    Piece i lies between knots i and i + 1, and is Σ_s q_s[i] t^s / s! at the distance t from knot i + 1. The sizes are
    the sums over ‖masses‖ instead.
    """
    coefficients = np.empty((degree + 1, len(steps), masses.shape[1] + 1), dtype=_LONG)
    tails = np.concatenate([masses, _norms(masses)[:, None]], axis=1)
    coefficients[degree] = np.cumsum(tails[:0:-1], axis=0)[::-1]
    ends = coefficients[degree]
    for r in range(degree - 1, -1, -1):
        rises = np.zeros_like(ends)
        for s in range(r + 1, degree + 1):
            rises += steps[:, None] ** (s - r) / math.factorial(s - r) * coefficients[s]
        ends = np.cumsum(rises[::-1], axis=0)[::-1]
        coefficients[r, :-1], coefficients[r, -1] = ends[1:], 0
    return coefficients[..., :-1], ends[:, -1]


def _horner(taylor: np.ndarray, t: np.ndarray, derivative: int = 0) -> np.ndarray:
    """The given derivative of each piece (k + 1, n, D) at t (n,): (n, D)."""
    degree = len(taylor) - 1
    value = taylor[degree]
    for s in range(degree - 1, derivative - 1, -1):
        value = taylor[s] + value * (t / (s - derivative + 1))[:, None]
    return value


def _extremes(taylor: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The local maxima of ‖p‖ inside the pieces: the index of the piece, and the distance t from its start."""
    if taylor.shape[2] > 1:
        return _vector_extremes(taylor, steps)
    q0, q1, q2 = taylor[:3, :, 0]
    q3 = taylor[3, :, 0] if len(taylor) == 4 else np.zeros_like(q2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # The stable roots of q1 + q2 t + q3 t²/2; a negative discriminant by rounding is a double root.
        s = q2 + np.copysign(np.sqrt(np.maximum(q2 * q2 - 2 * q1 * q3, 0)), q2)
        roots = np.stack([-2 * q1 / s, -s / q3])
        inside = (roots >= 0) & (roots < steps)
        roots = np.where(inside, roots, 0)
    bent = (q2 + q3 * roots) * (q0 + roots * (q1 + roots * (q2 / 2 + roots * q3 / 6)))
    which, piece = np.nonzero(inside & (bent <= 0))
    return piece, roots[which, piece]


def _vector_extremes(taylor: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `_extremes`, for several outputs: bisection of the slope of ‖p‖² between nodes where it turns down."""

    def slope(piece: np.ndarray, t: np.ndarray) -> np.ndarray:
        chosen = taylor[:, piece]
        return np.sum(_horner(chosen, t) * _horner(chosen, t, 1), axis=1)

    pieces = np.arange(len(steps))
    slopes = np.stack([slope(pieces, steps * (node / _NODES)) for node in range(_NODES + 1)])
    node, piece = np.nonzero((slopes[:-1] > 0) & (slopes[1:] <= 0))
    low, high = steps[piece] * (node / _NODES), steps[piece] * ((node + 1) / _NODES)
    for _ in range(70):
        middle = (low + high) / 2
        rising = slope(piece, middle) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    return piece, (low + high) / 2


def _excess(taylor: np.ndarray, steps: np.ndarray, value: float) -> float:
    """How far ‖p‖ can exceed `value`: a norm is convex, so a piece stays below the norms of its Bézier points."""
    degree = len(taylor) - 1
    monomial = [taylor[s] * (steps**s / math.factorial(s))[:, None] for s in range(degree + 1)]
    nets = np.stack(
        [
            sum((_LONG(math.comb(i, s)) / math.comb(degree, s) * monomial[s] for s in range(1, i + 1)), monomial[0])
            for i in range(degree + 1)
        ]
    )
    limit = value * (1 + _SLACK)
    for _ in range(64):
        nets = nets[:, _norms(nets).max(axis=0) > limit]
        if nets.shape[1] == 0:
            return limit - value
        # De Casteljau: averages of neighbours are the Bézier points of both halves.
        first, last, row = [nets[0]], [nets[-1]], nets
        for _ in range(degree):
            row = (row[:-1] + row[1:]) / 2
            first.append(row[0])
            last.append(row[-1])
        nets = np.concatenate([np.stack(first), np.stack(last[::-1])], axis=1)
        if nets.shape[1] > 2**18:
            break
    return float(_norms(nets).max()) - value
