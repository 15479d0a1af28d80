"""The restricted problem of a smooth loss and one output: proximal Newton steps, each of them a lasso."""

from __future__ import annotations

import numpy as np

from ridgesplines.problem import Problem
from ridgesplines.solvers.restricted.lasso import ActiveSetLasso
from ridgesplines.solvers.restricted.stored import StoredProblem

# Curvatures count as at least this fraction of the largest, so that a lasso has a solution where the loss is linear.
_FLOOR = 1e-4
_STEPS = 200
# Columns correlated by less than this fraction of λ are left out of a step; the next one looks at them again.
_NEAR = 0.8


class RestrictedSmooth(StoredProblem):
    """F(v, c) = Σ s ℓ(y, Φ v + Q c) + λ ‖v‖₁ for a smooth loss.

    About the present predictions the loss is replaced by its second-order expansion, which makes a weighted lasso; its
    solution gives the direction of a line search. F falls at every step, and near the solution the steps are Newton's.

    Source: Lee, Sun & Saunders 2014 (proximal Newton-type methods).
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._strength = problem.dual_limit
        self._fit = problem.best_polynomial[0]

    @property
    def dual(self) -> np.ndarray:
        """−s ℓ'."""
        return -self._problem.weights * self._problem.loss.derivative(self._problem.targets, self._fit)

    def restart(self, coefficients: np.ndarray, fit: np.ndarray) -> None:
        """See `RestrictedProblem.restart`."""
        self._coefficients, self._fit = coefficients, fit

    def solve(self) -> bool:
        """Minimise F over the present columns; whether it fell."""
        fell = False
        for _ in range(_STEPS):
            self.check_deadline()
            if not self._step():
                break
            fell = True
        return fell

    def _step(self) -> bool:
        """One proximal Newton step; whether F fell by more than rounding."""
        problem, loss = self._problem, self._problem.loss
        slope = loss.derivative(problem.targets, self._fit)
        curvature = loss.curvature(problem.targets, self._fit)
        curvature = np.maximum(curvature, _FLOOR * curvature.max()) + np.finfo(float).tiny
        roots = np.sqrt(problem.weights * curvature)
        basis = np.linalg.qr(roots[:, None] * problem.free.basis)[0]

        def off(columns: np.ndarray) -> np.ndarray:
            remainder = columns - basis @ (basis.T @ columns)
            return remainder - basis @ (basis.T @ remainder)

        near = self.correlations() >= _NEAR * self._strength
        working = np.flatnonzero(near | (self._coefficients != 0))
        targets = roots * (self._fit - slope / curvature)
        lasso = ActiveSetLasso(off(targets), self._strength, problem.regularizer.nonnegative)
        lasso.add(off(roots[:, None] * self._columns[:, working]))
        lasso.start(self._coefficients[working])
        lasso.solve(check=self.check_deadline)
        goal = np.zeros_like(self._coefficients)
        goal[working] = lasso.coefficients
        neurons = self._columns @ goal
        fit = neurons + basis @ (basis.T @ (targets - roots * neurons)) / roots
        move, turn = goal - self._coefficients, fit - self._fit
        length = self._line_search(move, turn)
        if length == 0.0:
            return False
        before = problem.objective_of(self._coefficients, self._fit)
        coefficients = goal if length == 1.0 else self._coefficients + length * move
        new = self._fit + length * turn
        after = problem.objective_of(coefficients, new)
        if after > before:
            return False
        self._coefficients, self._fit = coefficients, new
        return before - after > 1e-15 * before

    def _line_search(self, move: np.ndarray, turn: np.ndarray) -> float:
        """The minimiser of the convex function F along (`move`, `turn`) on [0, 1], to a few digits."""
        problem = self._problem

        def slope(length: float) -> float:
            force = problem.weights * problem.loss.derivative(problem.targets, self._fit + length * turn)
            point = self._coefficients + length * move
            # The derivative from the left, but at the start.
            signs = np.where(point != 0, np.sign(point), np.sign(move) * (1 if length == 0 else -1))
            return float(force @ turn + self._strength * (signs @ move))

        start, end = slope(0.0), slope(1.0)
        if not start < 0:
            return 0.0
        # A full step that overshoots a little is Newton's.
        if end <= 0.1 * abs(start):
            return 1.0
        low, high = 0.0, 1.0
        for _ in range(40):
            middle = 0.5 * (low + high)
            if slope(middle) < 0:
                low = middle
            else:
                high = middle
            if high - low <= 1e-3 * high:
                break
        return low
