"""The restricted problem of any loss, as a conic program that cvxpy writes and Clarabel solves."""

from __future__ import annotations

import warnings

import cvxpy
import numpy as np

from ridgesplines.losses import PiecewiseLinearLoss
from ridgesplines.oracles.protocol import sizes
from ridgesplines.problem import Problem
from ridgesplines.solvers.restricted.protocol import RestrictedProblem

_ADMISSIBLE = 1e-8
# Coefficients below this fraction of the largest are zeros of an interior point.
_NEGLIGIBLE = 1e-9


class RestrictedConic(RestrictedProblem):
    """Any loss with a cvxpy form, and the regularizer's cvxpy form; solved from scratch each time.

    A constraint is replaced by a finite slope M that grows until nothing is outside: an exact penalty.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._basis = problem.free.basis
        self._unit = float(np.abs(problem.dual_targets).max()) or 1.0
        self._columns = np.zeros((len(problem.targets), 0))
        self._scales = np.zeros(0)
        self._coefficients = np.zeros((0, *problem.targets.shape[1:]))
        self._fit, self._dual = problem.best_polynomial
        self._penalty: float | None = None
        if not problem.loss.needs_strength:
            supremum = problem.oracle.approximate(self._dual).value
            self._penalty = 10.0 * (float(np.abs(self._dual).max()) / supremum if supremum > 0 else 1.0)
        self._outside = np.inf
        self._changed = True

    @property
    def columns(self) -> np.ndarray:
        """Φ less its polynomial part."""
        return self._columns

    @property
    def coefficients(self) -> np.ndarray:
        """v."""
        return self._coefficients

    @property
    def active(self) -> np.ndarray:
        """Where v is not zero."""
        return np.flatnonzero(sizes(self._coefficients))

    @property
    def fit(self) -> np.ndarray:
        """Φ v + q."""
        return self._fit

    @property
    def dual(self) -> np.ndarray:
        """The multipliers of the fit."""
        return self._dual

    @property
    def misfit(self) -> float:
        """The largest distance outside the interval of a constraint."""
        return 0.0 if self._penalty is None else self._outside

    @property
    def admissible(self) -> bool:
        """Whether that is rounding."""
        return self.misfit <= _ADMISSIBLE

    def add(self, columns: np.ndarray) -> None:
        """See `RestrictedProblem.add`."""
        columns = self._problem.free.project_off(columns)
        self._columns = np.concatenate([self._columns, columns], axis=1)
        self._scales = np.append(self._scales, np.abs(columns).max(axis=0))
        added = np.zeros((columns.shape[1], *self._coefficients.shape[1:]))
        self._coefficients = np.concatenate([self._coefficients, added])
        self._changed = True

    def keep(self, kept: np.ndarray) -> None:
        """See `RestrictedProblem.keep`."""
        self._columns, self._scales = self._columns[:, kept], self._scales[kept]
        self._coefficients = self._coefficients[kept]

    def solve(self) -> bool:
        """Solve, if anything changed since the last time."""
        if not self._changed:
            return False
        self._changed = False
        problem = self._problem
        shape = problem.targets.shape
        # The fit in units of the targets; columns to order one.
        fit = cvxpy.Variable(shape)
        free = cvxpy.Variable((self._basis.shape[1], *shape[1:]))
        total = np.sqrt(shape[0]) * self._basis @ free
        cost: cvxpy.Expression = cvxpy.Constant(0.0)
        rows = None
        if len(self._scales):
            rows = cvxpy.Variable(self._coefficients.shape)
            total = total + (self._columns / self._scales) @ rows
            scales = self._scales if rows.ndim == 1 else self._scales[:, None]
            cost = problem.regularizer.cvxpy_expression(cvxpy.multiply(self._unit / scales, rows))
        link = total == fit
        targets = problem.dual_targets
        if self._penalty is None:
            loss, constraints = problem.loss.cvxpy_expression(targets, self._unit * fit, problem.weights)
        else:
            assert isinstance(problem.loss, PiecewiseLinearLoss)
            lower, upper = problem.loss.interval(targets)
            loss, constraints = cvxpy.Constant(0.0), []
            for end, sign in ((lower, 1.0), (upper, -1.0)):
                ends = np.isfinite(end)
                distance = cvxpy.pos(sign * (end[ends] / self._unit - fit[ends]))
                loss = loss + self._penalty * self._unit * cvxpy.sum(distance)
        objective = cvxpy.Minimize((loss + problem.dual_limit * cost) / self._unit)
        program = cvxpy.Problem(objective, [link, *constraints])
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
            values = (values.T * (self._unit / self._scales)).T
            values[sizes(values) <= _NEGLIGIBLE * sizes(values).max(initial=0.0)] = 0.0
            self._coefficients = values
        predictions = self._columns @ self._coefficients
        predictions += self._unit * np.sqrt(shape[0]) * self._basis @ np.asarray(free.value)
        self._fit = problem.targets - targets + predictions
        self._dual = -np.asarray(link.dual_value)
        if self._penalty is not None:
            assert isinstance(problem.loss, PiecewiseLinearLoss)
            lower, upper = problem.loss.interval(targets)
            outside = np.maximum(lower - predictions, predictions - upper)
            self._outside = max(float(outside.max()), 0.0) / self._unit
        return True

    def satisfied(self, violation: float) -> bool:
        """An interior point leaves more behind than an active set."""
        return violation <= 1e-9

    def advance(self) -> bool:
        """Make the slope of violated constraints ten times larger."""
        if self._penalty is None or self.admissible:
            return False
        self._penalty *= 10.0
        self._changed = True
        return True
