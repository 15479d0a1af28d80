"""The restricted problem of the squared loss, a lasso, and what it shares with others that are one."""

from __future__ import annotations

import numpy as np

from ridgesplines.problem import Problem
from ridgesplines.solvers.restricted.lasso import ActiveSetLasso
from ridgesplines.solvers.restricted.protocol import RestrictedProblem


class LassoForm(RestrictedProblem):
    """What the squared loss and interpolation share: a lasso with the free polynomials projected off."""

    lasso: ActiveSetLasso

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)

    @property
    def columns(self) -> np.ndarray:
        """Φ less its polynomial part."""
        return self.lasso.columns

    @property
    def coefficients(self) -> np.ndarray:
        """v."""
        return self.lasso.coefficients

    @property
    def active(self) -> np.ndarray:
        """Those of the lasso."""
        return self.lasso.active

    @property
    def fit(self) -> np.ndarray | None:
        """None: the polynomial is the best in least squares."""
        return None

    def add(self, columns: np.ndarray) -> None:
        """Append columns less their polynomial part."""
        self.lasso.add(self._problem.free.project_off(columns))

    def keep(self, kept: np.ndarray) -> None:
        """See `RestrictedProblem.keep`."""
        self.lasso.keep(kept)

    def solve(self) -> bool:
        """Minimise; whether a step was made."""
        return self.lasso.solve(check=self.check_deadline) > 0


class RestrictedSquared(LassoForm):
    """The squared loss, the lasso itself.

    With sample weights s, the lasso of data and columns times √s, less the polynomials times √s.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._roots: np.ndarray | None = None
        targets = problem.dual_targets
        if problem.sample_weights is not None:
            self._roots = np.sqrt(problem.sample_weights)
            self._basis = np.linalg.qr(self._roots[:, None] * problem.free.basis)[0]
            targets = self._weighted(targets)
        self.lasso = ActiveSetLasso(targets, problem.dual_limit, problem.regularizer.nonnegative)
        self._raw = np.zeros((len(targets), 0))

    def _weighted(self, columns: np.ndarray) -> np.ndarray:
        assert self._roots is not None
        scaled = (columns.T * self._roots).T
        remainder = scaled - self._basis @ (self._basis.T @ scaled)
        return remainder - self._basis @ (self._basis.T @ remainder)

    @property
    def columns(self) -> np.ndarray:
        """Φ, up to free polynomials."""
        return self.lasso.columns if self._roots is None else self._raw

    @property
    def fit(self) -> np.ndarray | None:
        """With the polynomial that is the best in weighted least squares."""
        if self._roots is None:
            return None
        neurons = self._raw @ self.coefficients
        remainder = self._roots * (self._problem.targets - neurons)
        return neurons + self._basis @ (self._basis.T @ remainder) / self._roots

    @property
    def crowd(self) -> int:
        """Fewer than elsewhere: the steps of a lasso are so cheap that idle columns are most of their cost."""
        return 500 + 2 * len(self.active)

    @property
    def dual(self) -> np.ndarray:
        """The residual, times the weights."""
        dual = self.lasso.strength * self.lasso.dual
        return dual if self._roots is None else self._roots * dual

    def add(self, columns: np.ndarray) -> None:
        """See `RestrictedProblem.add`."""
        if self._roots is None:
            super().add(columns)
        else:
            self._raw = np.concatenate([self._raw, columns], axis=1)
            self.lasso.add(self._weighted(columns))

    def restart(self, coefficients: np.ndarray, fit: np.ndarray) -> None:
        """See `RestrictedProblem.restart`; the polynomial is the best anyway."""
        self.lasso.start(coefficients)

    def keep(self, kept: np.ndarray) -> None:
        """See `RestrictedProblem.keep`."""
        super().keep(kept)
        if self._roots is not None:
            self._raw = self._raw[:, kept]
