"""What the restricted problems that store their own columns and coefficients share."""

from __future__ import annotations

import numpy as np

from ridgesplines.norms import sizes
from ridgesplines.problem import Problem
from ridgesplines.solvers.restricted.protocol import RestrictedProblem


class StoredProblem(RestrictedProblem):
    """A restricted problem that holds Φ and v, and its fit and its dual vector unless it makes them on demand."""

    _fit: np.ndarray
    _dual: np.ndarray

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._columns = np.zeros((len(problem.targets), 0))
        self._coefficients = np.zeros((0, *problem.targets.shape[1:]))

    @property
    def columns(self) -> np.ndarray:
        """Φ, as far as `add` leaves it as it is."""
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

    def add(self, columns: np.ndarray) -> None:
        """See `RestrictedProblem.add`."""
        self._columns = np.concatenate([self._columns, columns], axis=1)
        added = np.zeros((columns.shape[1], *self._coefficients.shape[1:]))
        self._coefficients = np.concatenate([self._coefficients, added])

    def keep(self, kept: np.ndarray) -> None:
        """See `RestrictedProblem.keep`."""
        self._columns, self._coefficients = self._columns[:, kept], self._coefficients[kept]


def first_slope(problem: Problem) -> float:
    """A slope for an exact penalty of constraints to begin with: large beside the multipliers of a fit by a neuron."""
    largest = float(np.abs(problem.dual_targets).max())
    targets = problem.free.project_off(problem.dual_targets)
    # Of targets that a free polynomial fits, the projection leaves rounding.
    if not np.abs(targets).max() > 64 * np.finfo(float).eps * largest:
        return 10.0
    supremum = problem.oracle.approximate(targets).value
    return 10.0 * largest / supremum if supremum > 0 else 10.0
