"""An interior point method for the least ℓ1 norm of coefficients that meet the data, restarted as columns are added."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.blas import dsyrk  # pyright: ignore[reportAttributeAccessIssue]  # absent in the stubs

# Where a restart finds a slack or a coefficient near zero, it is moved this far into the interior.
_SLACK, _MASS = 1e-2, 1e-3
_STEPS = 40


class InteriorPoint:
    """min ‖v‖₁ subject to Φ v = y, and its dual max y·z subject to |φ_k·z| ≤ 1, to a rough tolerance.

    Targets, columns and z are orthogonal to `basis`.

    Mehrotra's predictor-corrector method on v = v⁺ − v⁻. A dual vector from the interior, near the centre of those that
    are nearly optimal, makes far better new columns than a vertex: column generation takes a dozen iterations where
    the simplex method's vertices take hundreds. Each step factors one N × N matrix.

    Data that the columns cannot meet are met by errors at the price P each, which bounds |z_n| by P.

    Source: Mehrotra 1992; Gondzio, González-Brevis & Munari 2013 (column generation by interior points).
    """

    def __init__(self, targets: np.ndarray, dual: np.ndarray, basis: np.ndarray) -> None:
        self.dual = dual
        self.columns = np.zeros((len(targets), 0), order="F")
        self._targets = targets
        self._basis = basis
        self._price = 1e5 * (float(np.abs(dual).max()) or 1.0)
        size = float(np.abs(targets).max()) * self._price
        # v⁺ and v⁻ of the errors, in units that make their price 1.
        self._errors = np.full((2, len(targets)), size)
        self._masses = np.zeros((2, 0))

    @property
    def coefficients(self) -> np.ndarray:
        """v, none of them zero."""
        return self._masses[0] - self._masses[1]

    @property
    def masses(self) -> np.ndarray:
        """v⁺ + v⁻, what is not negligible of which may be active."""
        return self._masses.sum(axis=0)

    def add(self, columns: np.ndarray) -> None:
        """Append columns (N, k)."""
        self.columns = np.asfortranarray(np.concatenate([self.columns, columns], axis=1))
        share = self._masses.mean() if self._masses.size else float(np.abs(self._targets).mean() * self._price)
        self._masses = np.concatenate([self._masses, np.full((2, columns.shape[1]), share)], axis=1)

    def keep(self, kept: np.ndarray) -> None:
        """Forget the columns where the boolean mask `kept` is false."""
        self.columns, self._masses = np.asfortranarray(self.columns[:, kept]), self._masses[:, kept]

    @property
    def binding(self) -> bool:
        """Whether the price of errors holds z back."""
        return bool(np.abs(self.dual).max(initial=0.0) > 0.5 * self._price)

    def raise_price(self) -> None:
        """Make errors ten times as dear."""
        # The same errors at the new price.
        self._errors *= 10.0
        self._price *= 10.0

    def _correlations(self, dual: np.ndarray) -> np.ndarray:
        return np.concatenate([self.columns.T @ dual, dual / self._price])

    def _measured(self, masses: np.ndarray) -> np.ndarray:
        count = self.columns.shape[1]
        return self.columns @ masses[:count] + self._off(masses[count:]) / self._price

    def _off(self, vectors: np.ndarray) -> np.ndarray:
        return vectors - self._basis @ (self._basis.T @ vectors)

    def solve(self, tolerance: float, check: Callable[[], object] | None = None) -> int:
        """Iterate until the gap is below `tolerance` beside the norm, from what was reached before; the iterations.

        `check` is called at each of them and may raise.
        """
        if not self.columns.shape[1]:
            return 0
        targets, dual, count = self._targets, self.dual, self.columns.shape[1]
        signs = np.array([[1.0], [-1.0]])
        masses = np.concatenate([self._masses, self._errors], axis=1)
        masses = np.maximum(masses, _MASS * masses.max(axis=1, keepdims=True))
        slacks = np.maximum(1.0 - signs * self._correlations(dual), _SLACK)
        size = float(np.abs(targets).max()) or 1.0
        steps = 0
        while steps < _STEPS:
            steps += 1
            if check is not None:
                check()
            defect = 1.0 - signs * self._correlations(dual) - slacks
            missed = targets - self._measured(masses[0] - masses[1])
            product = float(np.sum(masses * slacks))
            total = float(masses.sum())
            met = np.abs(missed).max() <= 1e-2 * tolerance * size and np.abs(defect).max() <= 1e-9
            if product <= tolerance * total and met:
                break
            ratio = (masses / slacks).sum(axis=0)
            scaled = self.columns * np.sqrt(ratio[:count])
            matrix = dsyrk(1.0, scaled, lower=1)
            diagonal = ratio[count:] / self._price**2
            matrix[np.diag_indices(len(targets))] += diagonal
            # The errors, too, less what lies along the basis; along it, the identity.
            cross = diagonal[:, None] * self._basis
            corner = self._basis.T @ cross + np.mean(np.diagonal(matrix)) * np.eye(self._basis.shape[1])
            update = cross @ self._basis.T
            matrix += self._basis @ corner @ self._basis.T - update - update.T
            try:
                factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
            except LinAlgError:
                break

            def direction(goal: np.ndarray, factor=factor, defect=defect, missed=missed, masses=masses, slacks=slacks):
                # The Newton step for masses · slacks = goal.
                push = (goal - masses * defect) / slacks - masses
                turn = self._off(cho_solve(factor, missed - self._measured(push[0] - push[1]), check_finite=False))
                open_ = defect - signs * self._correlations(turn)
                return turn, open_, (goal - masses * open_) / slacks - masses

            mean = product / masses.size
            _, open_, grown = direction(np.zeros_like(masses))
            reached = np.sum((masses + _reach(masses, grown) * grown) * (slacks + _reach(slacks, open_) * open_))
            centring = (float(reached) / product) ** 3
            turn, open_, grown = direction(centring * mean - grown * open_)
            primal, other = 0.99 * _reach(masses, grown, 1 / 0.99), 0.99 * _reach(slacks, open_, 1 / 0.99)
            if max(primal, other) < 1e-8:
                break
            masses = masses + primal * grown
            slacks, dual = slacks + other * open_, dual + other * turn
        self.dual = dual
        self._masses, self._errors = masses[:, :count], masses[:, count:]
        return steps


def _reach(values: np.ndarray, changes: np.ndarray, limit: float = 1.0) -> float:
    """The largest s up to `limit` for which `values` + s · `changes` stays non-negative."""
    falling = changes < 0
    return float(min(limit, np.min(-values[falling] / changes[falling], initial=limit)))
