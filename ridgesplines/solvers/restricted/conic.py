"""The restricted problem of any loss, as a conic program that cvxpy writes and Clarabel solves."""

from __future__ import annotations

import warnings

import cvxpy
import numpy as np

from ridgesplines.losses import PiecewiseLinearLoss
from ridgesplines.norms import sizes
from ridgesplines.problem import Problem
from ridgesplines.solvers.restricted.stored import StoredProblem, first_slope

_ADMISSIBLE = 1e-8
_UNFINISHED = 1e-2
# Coefficients below this fraction of the largest are zeros of an interior point.
_NEGLIGIBLE = 1e-9


class RestrictedConic(StoredProblem):
    """Any loss with a cvxpy form, and the regularizer's cvxpy form; solved from scratch each time.

    A constraint is replaced by a finite slope M that grows until nothing is outside: an exact penalty.
    """

    # An interior point leaves more behind than an active set.
    tolerance = 1e-9

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._fit, self._dual = problem.best_polynomial
        self._basis = problem.free.basis
        self._unit = float(np.abs(problem.dual_targets).max()) or 1.0
        self._interval: tuple[np.ndarray, np.ndarray] | None = None
        # The slope M and the largest distance outside the interval, of a constraint.
        self._penalty, self._outside = 0.0, 0.0
        if isinstance(problem.loss, PiecewiseLinearLoss) and not problem.loss.needs_strength:
            self._interval = problem.loss.interval(problem.dual_targets)
            self._penalty, self._outside = first_slope(problem), np.inf
        self._changed = True

    @property
    def admissible(self) -> bool:
        """Whether no more than rounding is outside the interval of a constraint."""
        return self._outside <= _ADMISSIBLE

    def add(self, columns: np.ndarray) -> None:
        """Append columns less their polynomial part."""
        super().add(self._problem.free.project_off(columns))
        self._changed = True

    def solve(self) -> bool:
        """Solve, if anything changed since the last time."""
        if not self._changed:
            return False
        self._changed = False
        problem = self._problem
        shape = problem.targets.shape
        # The fit in units of the targets; columns to order one.
        fit = cvxpy.Variable(shape)
        total: cvxpy.Expression = cvxpy.Constant(np.zeros(shape))
        cost: cvxpy.Expression = cvxpy.Constant(0.0)
        signs: list[cvxpy.Constraint] = []
        # cvxpy has no variables without entries.
        free, rows, scales = None, None, np.abs(self._columns).max(axis=0)
        if self._basis.shape[1]:
            free = cvxpy.Variable((self._basis.shape[1], *shape[1:]))
            total = total + np.sqrt(shape[0]) * self._basis @ free
        if len(scales):
            rows = cvxpy.Variable(self._coefficients.shape)
            total = total + (self._columns / scales) @ rows
            units = self._unit / (scales if rows.ndim == 1 else scales[:, None])
            cost = problem.regularizer.cvxpy_expression(cvxpy.multiply(units, rows))
            if problem.regularizer.nonnegative:
                signs = [rows >= 0]
        link = total == fit
        targets = problem.dual_targets
        if self._interval is None:
            loss, constraints = problem.loss.cvxpy_expression(targets, self._unit * fit, problem.weights)
        else:
            loss, constraints = cvxpy.Constant(0.0), []
            for end, sign in zip(self._interval, (1.0, -1.0), strict=True):
                ends = np.isfinite(end)
                distance = cvxpy.pos(sign * (end[ends] / self._unit - fit[ends]))
                loss = loss + self._penalty * self._unit * cvxpy.sum(distance)
        # In units of the last dual vector, too, which may be large under a constraint.
        price = 1.0 if self._interval is None else float(np.abs(self._dual).max()) or 1.0
        objective = cvxpy.Minimize((loss + problem.dual_limit * cost) / (self._unit * price))
        program = cvxpy.Problem(objective, [link, *constraints, *signs])
        try:
            with warnings.catch_warnings():
                # An inaccurate solution costs some of the gap, which the certificate tells.
                warnings.filterwarnings("ignore", message="Solution may be inaccurate")
                program.solve(
                    solver=cvxpy.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11, max_threads=1
                )
        except cvxpy.SolverError as error:
            raise np.linalg.LinAlgError(f"Clarabel stopped: {error}") from error
        if fit.value is None or link.dual_value is None:
            raise np.linalg.LinAlgError(f"Clarabel stopped: {program.status}.")
        if rows is not None:
            values = np.asarray(rows.value)
            values = (values.T * (self._unit / scales)).T
            if problem.regularizer.nonnegative:
                values = np.maximum(values, 0.0)
            values[sizes(values) <= _NEGLIGIBLE * sizes(values).max(initial=0.0)] = 0.0
            self._coefficients = values
        predictions = self._columns @ self._coefficients
        if free is not None:
            predictions += self._unit * np.sqrt(shape[0]) * self._basis @ np.asarray(free.value)
        self._fit = problem.targets - targets + predictions
        self._dual = -price * np.asarray(link.dual_value)
        if self._interval is not None:
            lower, upper = self._interval
            outside = np.maximum(lower - predictions, predictions - upper)
            self._outside = max(float(outside.max()), 0.0) / self._unit
            if self.admissible:
                # No larger than it needs to be, for the accuracy of the next solution.
                self._penalty = min(self._penalty, 10.0 * float(np.abs(self._dual).max())) or self._penalty
        return True

    @property
    def _too_gentle(self) -> bool:
        """Whether what is outside calls for a larger slope; beside a slope far above all multipliers, it is noise."""
        return not self.admissible and self._penalty <= 1e3 * float(np.abs(self._dual).max())

    def satisfied(self, violation: float) -> bool:
        """Roughly is enough while the slope is to grow anyway, by orders of magnitude perhaps."""
        return violation <= (_UNFINISHED if self._too_gentle else self.tolerance)

    def advance(self) -> bool:
        """Make the slope of violated constraints ten times larger."""
        if not self._too_gentle:
            return False
        self._penalty *= 10.0
        self._changed = True
        return True
