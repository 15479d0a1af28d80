"""The restricted problem of interpolation, from a nearby dual vector on: the proximal point method."""

from __future__ import annotations

import numpy as np

from ridgesplines.problem import Problem
from ridgesplines.solvers.restricted.interior import InteriorPoint
from ridgesplines.solvers.restricted.lasso import ActiveSetLasso
from ridgesplines.solvers.restricted.squared import LassoForm

# A fit this close to the data (relative to the largest target) interpolates.
_INTERPOLATES = 1e-11
_DECAY = 0.5


class RestrictedInterpolation(LassoForm):
    """min ‖v‖₁ subject to Φ v + q = y, exactly.

    The dual problem max z·y subject to |φ_k·z| ≤ 1 is approached by z ← argmax z·y − (λ/2) ‖z − z_c‖² under the same
    constraint, with the centre z_c the previous solution: a lasso with strength λ and targets y + λ z_c. The data are
    met to rounding after finitely many centres, because the problem is piecewise linear.

    Source: the method of multipliers (Rockafellar 1976); for the ℓ1 norm, Bregman iteration (Yin et al. 2008).
    """

    tolerance = 1e-8
    rough = 1e-5  # the gap at which to begin

    def __init__(self, problem: Problem, strength: float) -> None:
        super().__init__(problem)
        targets = problem.dual_targets
        self._scale = float(np.abs(targets).max()) or 1.0
        self._least = 1e-6 * strength or 1.0
        self.lasso = ActiveSetLasso(targets, self._least, problem.regularizer.nonnegative)

    def begin(self, interior: InteriorPoint) -> None:
        """Take over columns, dual vector and the larger coefficients."""
        self.lasso.add(interior.columns)
        self.lasso.centre = interior.dual
        active = interior.active
        largest = active[np.argsort(-interior.masses[active])][: len(self.lasso.targets)]
        start = np.zeros(interior.columns.shape[1])
        start[largest] = interior.coefficients[largest]
        self.lasso.start(start)

    @property
    def dual(self) -> np.ndarray:
        """That of the lasso."""
        return self.lasso.dual

    @property
    def admissible(self) -> bool:
        """Whether the data are met to a relative 1e-11."""
        return self._misfit <= _INTERPOLATES

    @property
    def _misfit(self) -> float:
        """The largest deviation from the data, beside the targets, or the terms where these cancel to the targets."""
        active = self.lasso.active
        columns, coefficients = self.lasso.columns[:, active], self.lasso.coefficients[active]
        deviation = float(np.abs(self.lasso.targets - columns @ coefficients).max())
        size = float((np.abs(columns) @ np.abs(coefficients)).max())
        return deviation / (self._scale + 64 * np.finfo(float).eps / _INTERPOLATES * size)

    def advance(self) -> bool:
        """Centre at the present z. False once the data are met and the centre is at rest."""
        centre = self.dual
        moved = np.abs(centre - self.lasso.centre).max() > 1e-12 * np.abs(centre).max()
        if not self.admissible:
            # Few data are missed by now: longer steps of the centre pick them up.
            self.lasso.strength = max(self.lasso.strength * _DECAY, 1e-6 * self._least)
        self.lasso.centre = centre
        return bool(moved) or not self.admissible
