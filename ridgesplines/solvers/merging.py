"""Neurons that part the data alike are one neuron."""

from __future__ import annotations

import numpy as np

from ridgesplines.oracles import Neurons
from ridgesplines.problem import Problem, check_samples
from ridgesplines.spline import RidgeSpline

_UNIT = np.finfo(float).eps
# Heights below this many roundings of their terms are touches.
_TOUCHING = 16
# More comparisons, of a neuron with a cell at a datum, are not made: equal patterns are merged then, no others.
_MOST_COMPARISONS = 10**10


def merge_neurons(problem: Problem, spline: RidgeSpline) -> RidgeSpline:
    """A spline with the same measurements and no larger regularizer whose neurons part the data differently.

    A cell is a set of neurons (w, b) whose hyperplanes leave each datum on one side, or touch it. There ν(σ(w·• − b))
    is linear in (w, b) and the gauge convex, so that neurons of one cell, with coefficients of one sign, are no better
    than their sum; where affine functions are free a neuron may be flipped into the cell. A neuron that touches data is
    in several cells and joins the first that will have it: on the line, from left to right, so that no fewer cells hold
    all knots. Sums whose biases are not admissible are not made.

    Column generation has two neurons or more, near to each other, where the best one of a cell is not held by data:
    penalised biases leave such. One remains, and the gap falls a little. `sparsify` keeps hyperplanes; this moves them.

    Args:
        problem: whose measurements and regularizer count; the loss, targets and strength do not.
        spline: of the dimension of the problem.

    Returns:
        The spline; `spline` as it is if there is nothing to merge, for orders above 2 and for several outputs.

    Raises:
        TypeError: if `spline` is no `RidgeSpline`.
        ValueError: if it does not fit the problem.

    Source: pilanci_ergen_2020, one neuron of either sign per activation pattern.
    """
    check_samples(problem, "merge_neurons")
    spline, predictions = problem.measure(spline)
    regularizer, points = problem.regularizer, problem.points
    if regularizer.order != 2 or problem.targets.ndim != 1 or spline.width < 2:
        return spline
    neurons, coefficients, cost = regularizer.represent(spline)
    if not np.isfinite(cost):
        return spline
    order = np.lexsort([neurons.biases, *neurons.weights.T[::-1]])
    neurons, coefficients = neurons[order], coefficients[order]
    heights = neurons.weights @ points.T - neurons.biases[:, None]
    terms = np.abs(neurons.weights) @ np.abs(points).T + np.abs(neurons.biases)[:, None]
    sides = np.sign(np.where(np.abs(heights) > _TOUCHING * _UNIT * terms, heights, 0.0))
    cells = _cells(np.unique(sides, axis=1), np.sign(coefficients), regularizer.degree == 1)
    if len(cells) == len(neurons):
        return spline
    parts = [_sum(problem, neurons[rows], coefficients[rows], turns) for rows, turns in cells]
    weights, biases, masses = (np.concatenate(column) for column in zip(*parts, strict=True))
    neurons = Neurons(weights, biases)
    return problem.spline(neurons, masses, predictions - problem.measure_neurons(neurons) @ masses)


def _sum(
    problem: Problem, neurons: Neurons, coefficients: np.ndarray, turns: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The one neuron that those of a cell are together, weights (1, d), bias and coefficient, or they as they are."""
    if len(neurons) > 1:
        masses = np.abs(coefficients) * turns
        total = Neurons((masses @ neurons.weights)[None], np.array([masses @ neurons.biases]))
        if total.weights.any():
            one, mass = problem.regularizer.normalize(total, np.sign(coefficients[:1]))
            if problem.regularizer.admits(one):
                return one.weights, one.biases, mass
    return neurons.weights, neurons.biases, coefficients


def _cells(sides: np.ndarray, signs: np.ndarray, flips: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    """Which rows of `sides` (K, N) share a cell, and their orientations there: −1 for a flipped one."""
    members: list[list[tuple[int, float]]] = []
    common, owners = np.zeros_like(sides), np.zeros(len(sides))
    known: dict[bytes, int] = {}
    thrifty = len(sides) ** 2 * sides.shape[1] > _MOST_COMPARISONS
    for row, (side, sign) in enumerate(zip(sides, signs, strict=True)):
        found, turn, count = -1, 1.0, len(members)
        if thrifty:
            turn = float(side[np.argmax(side != 0)] or 1.0) if flips else 1.0
            found = known.setdefault(np.append(turn * side + 0.0, sign).tobytes(), count)
            found = found if found < count else -1
        else:
            for turn in (1.0, -1.0) if flips else (1.0,):
                # No datum on opposite sides: the sum of the products is that of their sizes.
                fits = common[:count] @ (turn * side) == np.abs(common[:count]) @ np.abs(side)
                fits &= owners[:count] == sign
                if fits.any():
                    found = int(np.argmax(fits))
                    break
            else:
                turn = 1.0
        if found < 0:
            found = count
            members.append([])
            owners[found] = sign
        members[found].append((row, turn))
        common[found] = np.where(side != 0, turn * side, common[found])
    return [(np.array([row for row, _ in cell]), np.array([turn for _, turn in cell])) for cell in members]
