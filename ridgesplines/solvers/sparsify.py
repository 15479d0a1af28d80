"""Carathéodory's theorem at work: no more neurons than the representer theorem needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import qr, solve_triangular

from ridgesplines.norms import sizes
from ridgesplines.oracles import Neurons
from ridgesplines.problem import Problem
from ridgesplines.spline import RidgeSpline

# A column counts as dependent on others when its remainder is below this fraction of its norm.
_DEPENDENT = 1e-10
# Entries of a direction below this fraction of the largest are rounding.
_NEGLIGIBLE = 1e-10
# A correction may raise the cost by this fraction.
_DEARER = 1e-9
_UNIT = np.finfo(float).eps


def sparsify(problem: Problem, spline: RidgeSpline) -> RidgeSpline:
    """A spline with the same measurements, no larger regularizer and at most `problem.representer_bound` neurons.

    Multiply the coefficients by β_k ≥ 0, one each, and let the free polynomials take up the rest: that the measurements
    stay is a linear system in β, and R = Σ β_k ‖v_k‖ is linear. While the columns of that system are dependent there
    is a direction that changes neither the measurements nor raises R: go along it until a β_k meets zero, and drop that
    neuron. The columns left over are independent, so they are no more than D (N − dim of the free polynomials), N
    counting different measurements; for one output the result is extreme among the splines of its measurements and R.

    The loss sees measurements only, so that this makes a solution of any problem sparse and never spoils one.

    Args:
        problem: whose measurements and regularizer count; the loss, targets and strength do not.
        spline: of the order, dimension and outputs of the problem, of any width.

    Returns:
        The sparse spline, canonical where flipping neurons costs nothing; `spline` if no neuron can be dropped.

    Raises:
        TypeError: if `spline` is no `RidgeSpline`.
        ValueError: if it does not fit the problem.

    Source: parhi_nowak_2021, the representer theorem; Carathéodory 1907 for the argument.
    """
    spline, predictions = problem.measure(spline)
    neurons, coefficients, _ = problem.regularizer.represent(spline)
    columns = _Columns(problem, neurons, coefficients)
    kept, factors = columns.reduce(columns.coordinates(predictions))
    if len(kept) == len(neurons):
        return spline.canonical() if problem.regularizer.degree == spline.order - 1 else spline
    neurons, coefficients = neurons[kept], (coefficients[kept].T * factors).T
    return problem.spline(neurons, coefficients, predictions - problem.measure_neurons(neurons) @ coefficients)


class _Columns:
    """The unit columns C_k ~ φ_k v_kᵀ, flattened, of the measured neurons less their polynomial part.

    In coordinates of the measurements modulo polynomials, one for each different measurement, so that there are never
    more independent columns than the representer theorem says. β is in units of the columns: β_k ≥ 0, cost c·β.
    """

    def __init__(self, problem: Problem, neurons: Neurons, coefficients: np.ndarray) -> None:
        self._problem = problem
        self._first = np.unique(problem.measurements.groups, return_index=True)[1]
        basis = problem.free.basis[self._first]
        self._complement = np.linalg.qr(basis, mode="complete")[0][:, basis.shape[1] :]
        raw = problem.measure_neurons(neurons)
        measured = self.coordinates(raw)
        rows = coefficients.reshape(len(coefficients), problem.outputs)
        columns = (measured[:, None, :] * rows.T).reshape(len(measured) * problem.outputs, len(rows))
        self._norms = np.linalg.norm(columns, axis=0)
        noise = 64 * _UNIT * np.linalg.norm(raw, axis=0) * sizes(coefficients)
        # Neurons whose hyperplanes do not part the data are polynomials there.
        self._useful = np.flatnonzero(self._norms > noise)
        self._columns = np.zeros_like(columns, order="F")
        self._columns[:, self._useful] = columns[:, self._useful] / self._norms[self._useful]
        self._prices = np.zeros(len(rows))
        self._prices[self._useful] = sizes(coefficients)[self._useful] / self._norms[self._useful]

    def coordinates(self, values: np.ndarray) -> np.ndarray:
        """Measurements (N, K) modulo polynomials, (N' − dim, K)."""
        return self._complement.T @ self._problem.free.project_off(values)[self._first]

    def reduce(self, goal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The indices of the neurons to keep, and the factors of their coefficients, that reach the coordinates `goal`.

        A chunk of neurons at a time joins those known to be independent, the dearest first.
        """
        goal = goal.ravel()
        sums = self._norms.copy()
        queue = self._useful[np.argsort(-(self._prices * sums)[self._useful], kind="stable")]
        count = len(goal)
        kept, position = queue[:count], count
        while True:
            kept, dropped = self._purify(kept, sums)
            if position < len(queue):
                chunk = max(64, count // 4)
                kept, position = np.append(kept, queue[position : position + chunk]), position + chunk
            elif not dropped:
                break
        kept = np.sort(kept)
        return kept, self._corrected(kept, sums[kept], goal) / self._norms[kept]

    def _purify(self, present: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, bool]:
        """Make the columns `present` independent, changing `sums` = β in place; those left, and whether any went."""
        if not len(present):
            return present, False
        found: Any = qr(self._columns[:, present], mode="r", pivoting=True, check_finite=False)
        triangle, order = found
        diagonal = np.abs(np.diagonal(triangle))
        rank = int(np.sum(diagonal > _DEPENDENT))
        if rank == len(present):
            return present, False
        basic, others = present[order[:rank]], present[order[rank:]]
        # C_others = C_basic T: a simplex tableau.
        tableau = np.asfortranarray(solve_triangular(triangle[:rank, :rank], triangle[:rank, rank:]))
        for last in range(len(others) - 1, -1, -1):
            leaving = self._leave(tableau[:, last], basic, others[last], sums)
            if leaving is None:
                continue
            basic[leaving] = others[last]
            pivot = tableau[leaving, : last + 1] / tableau[leaving, last]
            tableau[leaving, : last + 1] = 0.0
            tableau[:, :last] -= np.outer(tableau[:, last], pivot[:last])
            tableau[leaving, :last] = pivot[:last]
        return basic[sums[basic] > 0], True

    def _leave(self, direction: np.ndarray, basic: np.ndarray, other: int, sums: np.ndarray) -> int | None:
        """Move along the dependence of `other` on `basic` until a β meets zero: the basic one, or None for `other`."""
        direction = np.where(np.abs(direction) > _NEGLIGIBLE * np.abs(direction).max(initial=0.0), direction, 0.0)
        # Where `other` grows by 1 the basic ones grow by −direction.
        growing = self._prices[other] - self._prices[basic] @ direction <= 0
        fall = direction if growing else -direction
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(fall > 0, sums[basic] / fall, np.inf)
        shortest = float(reach.min(initial=np.inf))
        if not growing and sums[other] <= shortest:
            sums[basic] += sums[other] * direction
            sums[other] = 0.0
            return None
        # Of those that meet zero together, the one that can be exchanged most stably.
        leaving = int(np.argmax(np.where(reach <= shortest * (1 + 1e-12), fall, -np.inf)))
        sums[basic] = np.maximum(sums[basic] - shortest * fall, 0.0)
        sums[other] += shortest if growing else -shortest
        sums[basic[leaving]] = 0.0
        return leaving

    def _corrected(self, kept: np.ndarray, sums: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """β less what rounding made of it, in least squares, unless that costs more."""
        columns, prices = self._columns[:, kept], self._prices[kept]
        if not len(kept):
            return sums
        orthonormal, triangle = np.linalg.qr(columns)
        missed = np.linalg.norm(goal - columns @ sums)
        for _ in range(3):
            new = sums + solve_triangular(triangle, orthonormal.T @ (goal - columns @ sums))
            after = np.linalg.norm(goal - columns @ new)
            if after >= missed or prices @ np.abs(new) > (1 + _DEARER) * (prices @ np.abs(sums)):
                break
            sums, missed = new, after
        return sums
