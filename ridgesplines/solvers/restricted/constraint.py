"""The restricted problem of a constraint: an interior point method until the gap is small, then an exact one."""

from __future__ import annotations

import contextlib

import numpy as np

from ridgesplines.losses import Interpolation, PiecewiseLinearLoss
from ridgesplines.problem import Problem
from ridgesplines.solvers.restricted.interior import InteriorPoint
from ridgesplines.solvers.restricted.linear import RestrictedLinear
from ridgesplines.solvers.restricted.multipliers import RestrictedInterpolation
from ridgesplines.solvers.restricted.protocol import RestrictedProblem

# How often in a row the interior point method may fail to halve the violation.
_PATIENCE = 8


class RestrictedInterior(RestrictedProblem):
    """min ‖v‖₁ subject to lower ≤ Φ v + q ≤ upper, to a tolerance that falls to `rough`.

    It finds the neurons in few iterations of column generation, but meets the constraints only roughly.
    """

    def __init__(self, problem: Problem, loss: PiecewiseLinearLoss, dual: np.ndarray, rough: float) -> None:
        super().__init__(problem)
        self._rough = rough
        lower, upper = loss.interval(problem.dual_targets)
        self.method = InteriorPoint(lower, upper, 2.0 * dual, problem.free.basis, problem.regularizer.nonnegative)
        self.tolerance = 0.1
        self._lowest, self._waited = np.inf, 0

    @property
    def columns(self) -> np.ndarray:
        """Φ less its polynomial part."""
        return self.method.columns

    @property
    def coefficients(self) -> np.ndarray:
        """v."""
        return self.method.coefficients

    @property
    def active(self) -> np.ndarray:
        """What is not negligible."""
        return self.method.active

    @property
    def fit(self) -> np.ndarray:
        """Φ v + q."""
        return self._problem.targets - self._problem.dual_targets + self.method.fit

    @property
    def dual(self) -> np.ndarray:
        """z."""
        return self.method.dual

    @property
    def admissible(self) -> bool:
        """Never."""
        return False

    @property
    def batch(self) -> int:
        """An interior point takes them all."""
        return 2 * len(self._problem.targets)

    @property
    def crowd(self) -> int:
        """Every column costs an interior point as much."""
        return 200 + 4 * len(self._problem.targets)

    def add(self, columns: np.ndarray) -> None:
        """Append columns less their polynomial part."""
        self.method.add(self._problem.free.project_off(columns))

    def keep(self, kept: np.ndarray) -> None:
        """See `RestrictedProblem.keep`."""
        self.method.keep(kept)

    def solve(self) -> bool:
        """Minimise; whether a step was made."""
        return self.method.solve(self.tolerance, self.check_deadline) > 0

    def satisfied(self, violation: float) -> bool:
        """Where little is violated, or where columns no longer help.

        Then they are there already, and only rounding violates their conditions. The less is violated the more tightly
        the next problem is to be solved.
        """
        if violation <= 0.5 * self._lowest:
            self._lowest, self._waited = violation, 0
        self._waited += 1
        self.tolerance = min(self.tolerance, max(0.1 * violation, self._rough))
        return violation <= self._rough or self._waited > _PATIENCE

    def advance(self) -> bool:
        """Solve more tightly."""
        if self.method.binding:
            self.method.raise_price()
            return True
        if self._lowest <= self._rough or self.tolerance <= self._rough:
            return False
        self.tolerance *= 0.1
        self._lowest, self._waited = np.inf, 0
        return True


class RestrictedConstraint(RestrictedProblem):
    """A constraint, first by `RestrictedInterior`, then by a method that ends at an exact solution of few neurons."""

    def __init__(self, problem: Problem, loss: PiecewiseLinearLoss) -> None:
        super().__init__(problem)
        targets = problem.free.project_off(problem.dual_targets)
        # What λ_max would be for the squared loss.
        strength = problem.oracle.approximate(targets).value
        self._exact: RestrictedInterpolation | RestrictedLinear
        if isinstance(loss, Interpolation):
            self._exact = RestrictedInterpolation(problem, strength)
        else:
            self._exact = RestrictedLinear(problem, loss)
        self._interior = RestrictedInterior(problem, loss, targets / (strength or 1.0), self._exact.rough)
        self._present: RestrictedProblem = self._interior
        if isinstance(self._exact, RestrictedLinear):
            # Where polynomials do, there is no gap for the interior point to close.
            with contextlib.suppress(np.linalg.LinAlgError):
                self._exact.solve()
                if self._exact.admissible:
                    self._present = self._exact

    @property
    def columns(self) -> np.ndarray:
        """Φ less its polynomial part."""
        return self._present.columns

    @property
    def coefficients(self) -> np.ndarray:
        """v."""
        return self._present.coefficients

    @property
    def active(self) -> np.ndarray:
        """Those of the method at work."""
        return self._present.active

    @property
    def fit(self) -> np.ndarray | None:
        """That of the method at work."""
        return self._present.fit

    @property
    def dual(self) -> np.ndarray:
        """That of the method at work."""
        return self._present.dual

    @property
    def admissible(self) -> bool:
        """Whether the exact method is there."""
        return self._present.admissible

    @property
    def batch(self) -> int:
        """As the method at work likes."""
        return self._present.batch

    @property
    def crowd(self) -> int:
        """As the method at work bears."""
        return self._present.crowd

    def add(self, columns: np.ndarray) -> None:
        """See `RestrictedProblem.add`."""
        self._present.add(columns)

    def keep(self, kept: np.ndarray) -> None:
        """See `RestrictedProblem.keep`."""
        self._present.keep(kept)

    def solve(self) -> bool:
        """Minimise; whether a step was made."""
        self._present.deadline = self.deadline
        return self._present.solve()

    def satisfied(self, violation: float) -> bool:
        """As the method at work says."""
        return self._present.satisfied(violation)

    def advance(self) -> bool:
        """Let the method at work do so, or go on from the interior point to the exact one."""
        if self._present.advance():
            return True
        if self._present is self._exact:
            return False
        if isinstance(self._exact, RestrictedLinear):
            # The more tightly, the clearer it is which coefficients are zero and which data are at an end.
            self._interior.method.solve(1e-10, self.check_deadline)
        self._exact.begin(self._interior.method)
        self._present = self._exact
        return True
