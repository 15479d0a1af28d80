"""The cheapest network of a function whose affine part is not free."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import linprog

from ridgesplines.oracles import Neurons
from ridgesplines.spline import RidgeSpline, merge_hyperplanes

if TYPE_CHECKING:
    from ridgesplines.regularizers.protocol import Regularizer

# An affine part this small, beside the cost of the network, is rounding.
_ROUNDING = 1e-12
# Shares of a neuron this near to the ends of their interval, relative to it, are at the end.
_AT_END = 1e-6


class Representation(NamedTuple):
    """A network Σ_k v_k σ(w_k·x − b_k) that is a function up to free polynomials.

    Attributes:
        neurons: of gauge 1.
        coefficients: v, (K,) or (K, D).
        cost: Σ_k ‖v_k‖, or infinite if some neuron is not admissible or the polynomial of the function is out of reach.
    """

    neurons: Neurons
    coefficients: np.ndarray
    cost: float


def represent_affine(regularizer: Regularizer, spline: RidgeSpline, tolerance: float) -> Representation:
    """`Regularizer.represent` where constants, or all polynomials, are not free, for order 2 and one output.

    With t = w·x − b, σ(t) = (1 − β)/2 |t| + (1 + β)/2 t. So neurons v₊ σ(t) and v₋ σ(−t) on one hyperplane bend f
    by e = v₊ + v₋, which f decides, and tilt it by o = v₊ − v₋, which costs nothing while |o| ≤ |e|, for they cost
    max(|e|, |o|). Let θ_k = (w_k, −b_k), and (1 + β)/2 τ the affine part of f beyond the |t|; then the rest
    r = τ − Σ o_k θ_k costs gauge(r), by pairs of neurons with e = 0: r·x = [σ(r·x) − σ(−r·x)] / (1 + β). Constants may
    also come from a neuron with w = 0, if admissible. The cost is the least over these: a convex program in o.

    Args:
        regularizer: of degree −1 (nothing is free) or 0 (constants are).
        spline: the function.
        tolerance: see `RidgeSpline.canonical`.
    """
    slope = regularizer.activation.slope
    weights, biases = np.asarray(spline.weights, dtype=float), np.asarray(spline.biases, dtype=float)
    bends = np.asarray(spline.coefficients, dtype=float).reshape(len(biases)) / (1 - slope)
    affine = np.asarray(spline.polynomial.coefficients, dtype=float).reshape(-1).copy()
    norms = np.linalg.norm(weights, axis=1)
    # In a unit in which squares neither vanish nor overflow; a power of two, so that it changes no digit.
    largest = max(float((np.abs(bends) * norms).max(initial=0.0)), float(np.abs(affine).max(initial=0.0)))
    unit = 2.0 ** math.floor(math.log2(largest)) if 0 < largest < math.inf else 1.0
    bends, affine = bends / unit, affine / unit
    flat = norms == 0
    # What neurons with w = 0 are: the ReLU of −b.
    affine[0] += (1 - slope) * np.maximum(-biases[flat], 0.0) @ bends[flat]
    weights, biases, bends = weights[~flat] / norms[~flat, None], biases[~flat] / norms[~flat], bends[~flat]
    bends = bends * norms[~flat]
    leading = np.argmax(np.abs(weights) > tolerance, axis=1)
    signs = np.sign(weights[np.arange(len(weights)), leading])
    oriented = np.column_stack([bends, signs * bends])
    weights, biases, shares = merge_hyperplanes(weights * signs[:, None], biases * signs, oriented, tolerance)
    neurons, shares = regularizer.normalize(Neurons(weights, biases), shares)
    if not regularizer.admits(neurons):
        return Representation(neurons, unit * shares[:, 0], math.inf)
    bends, tilts = shares.T
    lifted = np.column_stack([neurons.weights, -neurons.biases])
    # The affine part beyond that of the neurons as they are oriented, which for a network of this kind is rounding.
    affine = 2 / (1 + slope) * np.append(affine[1:], affine[0])
    rest = affine - 2 * slope / (1 + slope) * (tilts @ lifted)
    rest[np.abs(rest) <= _ROUNDING * (np.abs(affine) + np.abs(tilts) @ np.abs(lifted))] = 0.0
    if regularizer.degree == 0:
        rest[-1] = 0.0
    constant = 0.0
    if rest.any() or (np.abs(tilts) > np.abs(bends) * (1 + _ROUNDING)).any():
        share_out = _share_out_exactly if regularizer.nonnegative else _share_out
        tilts, rest, constant = share_out(regularizer, lifted, bends, tilts, rest)
    positive, negative = 0.5 * (bends + tilts), 0.5 * (bends - tilts)
    neurons = neurons + Neurons(-neurons.weights, -neurons.biases)
    coefficients = np.concatenate([positive, negative])
    neurons, coefficients = neurons[coefficients != 0], coefficients[coefficients != 0]
    if rest.any():
        # (1 + β) t = σ(t) − σ(−t).
        straight, masses = regularizer.split(Neurons(rest[None, :-1], -rest[-1:]))
        neurons += straight + Neurons(-straight.weights, -straight.biases)
        coefficients = np.concatenate([coefficients, 0.5 * masses, -0.5 * masses])
    if constant:
        pole, mass = _pole(len(rest) - 1), 0.5 * (1 + slope) * constant
        if mass < 0 and regularizer.nonnegative and slope:
            # σ(−1) = −β.
            pole, mass = Neurons(pole.weights, -pole.biases), -mass / slope
        pole, mass = regularizer.normalize(pole, np.array([mass]))
        neurons, coefficients = neurons + pole, np.append(coefficients, mass)
    admissible = regularizer.admits(neurons) and not (regularizer.nonnegative and (coefficients < 0).any())
    coefficients = unit * coefficients
    return Representation(neurons, coefficients, float(np.abs(coefficients).sum()) if admissible else math.inf)


def _share_out(
    regularizer: Regularizer, lifted: np.ndarray, bends: np.ndarray, tilts: np.ndarray, rest: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """The cheapest tilts |o_k| ≤ |e_k|, what they leave of Σ_k tilts_k θ_k + `rest`, and the constant beside that."""
    import cvxpy  # heavy, and most functions need no program

    goal = rest + tilts @ lifted
    unit = float(np.abs(goal).max(initial=0.0)) or 1.0
    columns = (lifted * np.abs(bends)[:, None]).T / unit
    shares, shift = cvxpy.Variable(max(len(bends), 1)), cvxpy.Variable()
    left = goal / unit - columns @ shares if len(bends) else cvxpy.Constant(goal / unit)
    constraints: list[cvxpy.Constraint] = [cvxpy.abs(shares) <= 1]
    price = 0.0
    if regularizer.degree < 0:
        pole = _pole(len(rest) - 1)
        if regularizer.admits(pole):
            price = 0.5 * (1 + regularizer.activation.slope) * float(regularizer.gauge(pole)[0])
        else:
            constraints.append(shift == 0)
    cost = regularizer.cvxpy_gauge(left[:-1], shift - left[-1]) + price * cvxpy.abs(shift)
    program = cvxpy.Problem(cvxpy.Minimize(cost), constraints)
    with warnings.catch_warnings():
        # Whatever the shares are, what they leave is computed from them.
        warnings.filterwarnings("ignore", "Solution may be inaccurate")
        program.solve(solver=cvxpy.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    if shares.value is None or shift.value is None:
        raise np.linalg.LinAlgError(f"the affine part could not be shared out: Clarabel says {program.status}.")
    found = np.clip(np.asarray(shares.value), -1.0, 1.0)[: len(bends)]
    moved = float(np.asarray(shift.value))
    moved = moved if abs(moved) > _AT_END else 0.0
    inside = np.abs(found) < 1 - _AT_END
    found[~inside] = np.sign(found[~inside])
    left = goal / unit - columns @ found - moved * np.eye(len(rest))[-1]
    if inside.any():
        # What is nothing but for the rounding of the program can be nothing.
        step = np.linalg.lstsq(columns[:, inside], left, rcond=None)[0]
        better = found.copy()
        better[inside] = np.clip(found[inside] + step, -1.0, 1.0)
        after = goal / unit - columns @ better - moved * np.eye(len(rest))[-1]
        if np.abs(after).max() <= _ROUNDING * (1 + np.abs(columns) @ np.ones(len(bends))).max():
            found, left = better, np.zeros_like(after)
    if regularizer.degree == 0:
        left[-1], moved = 0.0, 0.0
    return np.abs(bends) * found, unit * left, unit * moved


def _share_out_exactly(
    regularizer: Regularizer, lifted: np.ndarray, bends: np.ndarray, tilts: np.ndarray, rest: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """`_share_out` for coefficients v_k ≥ 0, of which no pair makes a linear part: nothing but a constant may be left.

    As much of what should be left as there is if no tilts leave that.
    """
    goal, count = rest + tilts @ lifted, len(bends)
    unit = float(np.abs(goal).max(initial=0.0)) or 1.0
    columns = (lifted * np.abs(bends)[:, None]).T / unit
    constants = np.eye(len(rest))[:, -1:] @ [[1.0, -1.0]]
    prices, most = np.zeros(2), np.full(2, np.inf)
    if regularizer.degree < 0:
        slope, admitted = regularizer.activation.slope, regularizer.admits(_pole(len(rest) - 1))
        prices = np.array([1.0, 1 / slope if slope else 0.0])
        most = np.where([admitted, admitted and slope > 0], np.inf, 0.0)
    program = linprog(
        np.append(np.zeros(count), prices),
        A_eq=np.column_stack([columns, constants]),
        b_eq=goal / unit,
        bounds=[(-1.0, 1.0)] * count + [(0.0, end) for end in most],
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if program.x is None:
        return tilts, rest, 0.0
    found, shift = program.x[:count], float(program.x[count] - program.x[count + 1])
    inside = np.append(np.abs(found) < 1 - _AT_END, regularizer.degree == 0 or abs(shift) > _AT_END)
    values = np.append(np.where(inside[:-1], found, np.sign(found)), shift if inside[-1] else 0.0)
    matrix = np.column_stack([columns, constants[:, 0]])
    values[inside] += np.linalg.lstsq(matrix[:, inside], goal / unit - matrix @ values, rcond=None)[0]
    left = goal / unit - matrix @ values
    if np.abs(left).max() <= _ROUNDING * (1 + np.abs(matrix).sum(axis=1).max()):
        left[:] = 0.0
    shares = np.clip(values[:-1], -1.0, 1.0)
    return np.abs(bends) * shares, unit * left, 0.0 if regularizer.degree == 0 else unit * float(values[-1])


def _pole(dimension: int) -> Neurons:
    """The neuron that is a constant."""
    return Neurons(np.zeros((1, dimension)), -np.ones(1))
