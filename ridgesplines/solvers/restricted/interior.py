"""An interior point method for the least ℓ1 norm under constraints, restarted as columns are added."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.blas import dsyrk  # pyright: ignore[reportAttributeAccessIssue]  # absent in the stubs

# Where a restart finds a slack, or anything else that is positive, near zero, it is moved this far into the interior.
_SLACK, _MASS = 1e-2, 1e-3
_STEPS = 40
# What the normal equations may leave of the constraints, relative, when the products are small.
_ROUNDING = 1e-7


class _Point(NamedTuple):
    """An iterate, or a step from one.

    Slacks, forces, masses and distances are positive; the products of slacks and masses, and those of forces and
    distances, vanish at a solution.
    """

    dual: np.ndarray
    slacks: np.ndarray
    forces: np.ndarray
    masses: np.ndarray
    fit: np.ndarray
    distances: np.ndarray

    @property
    def product(self) -> float:
        return float(self.masses @ self.slacks + np.sum(self.forces * self.distances))

    def lengths(self, step: _Point, fraction: float = 1.0) -> tuple[float, float]:
        """How far along `step` primal and dual variables may go, at most 1: a `fraction` of the way to the bounds."""
        primal = min(_reach(self.masses, step.masses), _reach(self.distances, step.distances))
        dual = min(_reach(self.slacks, step.slacks), _reach(self.forces, step.forces))
        return min(1.0, fraction * primal), min(1.0, fraction * dual)

    def moved(self, step: _Point, primal: float, dual: float) -> _Point:
        """The iterate after these fractions of `step`."""
        lengths = (dual, dual, dual, primal, primal, primal)
        return _Point(*(value + length * move for value, length, move in zip(self, lengths, step, strict=True)))


def _reach(values: np.ndarray, changes: np.ndarray) -> float:
    """The largest s for which `values` + s · `changes` stays non-negative."""
    falling = changes < 0
    return float(np.min(-values[falling] / changes[falling], initial=np.inf))


class InteriorPoint:
    """min ‖v‖₁ subject to lower ≤ Φ v + q ≤ upper, q in the span of `basis`, to a rough tolerance; and its dual.

    The dual is max Σ lower z₊ − upper z₋ subject to |φ_k·z| ≤ 1 and z orthogonal to `basis`. With `nonnegative`, v ≥ 0
    and φ_k·z ≤ 1. Columns are orthogonal to `basis`.

    Mehrotra's predictor-corrector method on v = v⁺ − v⁻ and the fit t, which stays strictly inside its intervals; an
    interval that is one point is an equation. A dual vector from the interior, near the centre of those that are nearly
    optimal, makes far better new columns than a vertex: column generation takes a dozen iterations where the simplex
    method's vertices take hundreds. Each step factors one N × N matrix, to which an interval adds to the diagonal.

    Data that the columns cannot meet are met by errors at the price P each, which bounds |z_n| by P.

    Source: Mehrotra 1992; Gondzio, González-Brevis & Munari 2013 (column generation by interior points).
    """

    def __init__(
        self, lower: np.ndarray, upper: np.ndarray, dual: np.ndarray, basis: np.ndarray, nonnegative: bool = False
    ) -> None:
        self.dual = dual
        self.columns = np.zeros((len(dual), 0), order="F")
        self.basis = basis
        # The signs of the parts of v.
        self._signs = np.array([[1.0]]) if nonnegative else np.array([[1.0], [-1.0]])
        self._ends = np.stack([lower, upper])
        self.bounded = np.isfinite(self._ends) & (lower < upper)
        largest = float(np.abs(self._ends[np.isfinite(self._ends)]).max())
        self.size = largest or 1.0
        self.price = 1e5 * (float(np.abs(dual).max()) or 1.0)
        self._highest = 1e12 * self.price
        # Parts of v, and those of the errors in units that make their price 1.
        self._share = largest * self.price
        self._masses = np.zeros((len(self._signs), 0))
        self._errors = np.full((2, len(dual)), self._share)
        # In the middle of an interval, or as far from its only end as that from zero.
        least = np.where(np.isfinite(lower), lower, upper - 2 * self.size)
        most = np.where(np.isfinite(upper), upper, lower + 2 * self.size)
        self._fit = 0.5 * (least + most)
        # The multipliers of the ends: z is their difference.
        size = float(np.abs(dual).mean()) or 1.0
        self._forces = np.where(self.bounded, np.maximum(np.stack([dual, -dual]), 0.0) + size, 0.0)

    @property
    def coefficients(self) -> np.ndarray:
        """v, none of them zero."""
        return (self._signs * self._masses).sum(axis=0)

    @property
    def masses(self) -> np.ndarray:
        """v⁺ + v⁻, what is not negligible of which may be active."""
        return self._masses.sum(axis=0)

    @property
    def active(self) -> np.ndarray:
        """The indices of what is not negligible."""
        return np.flatnonzero(self.masses > 1e-3 * self.masses.max(initial=0.0))

    @property
    def fit(self) -> np.ndarray:
        """Φ v + q of the active v with the q that comes nearest to the t inside the intervals."""
        active = self.active
        neurons = self.columns[:, active] @ self.coefficients[active]
        return neurons + self.basis @ (self.basis.T @ (self._fit - neurons))

    def partition(self) -> tuple[np.ndarray, np.ndarray]:
        """What a vertex nearby has: the indices of its coefficients, and which ends its fit is at, (2, N) booleans.

        Of each two numbers whose product vanishes at a solution the smaller one, in its unit, is taken to be zero.
        """
        slacks = 1.0 - (self._signs * (self.columns.T @ self.dual)).max(axis=0)
        # The free polynomials alone may satisfy the constraints: then there is no neuron.
        coefficients = np.flatnonzero(self.masses / (self.masses.max(initial=0.0) or 1.0) > slacks)
        forces = self._forces / (self._forces.max() or 1.0)
        return coefficients, self.bounded & (forces > self._distances(self._fit) / self.size)

    def add(self, columns: np.ndarray) -> None:
        """Append columns (N, k)."""
        self.columns = np.asfortranarray(np.concatenate([self.columns, columns], axis=1))
        share = self._masses.mean() if self._masses.size else self._share
        added = np.full((len(self._signs), columns.shape[1]), share)
        self._masses = np.concatenate([self._masses, added], axis=1)

    def keep(self, kept: np.ndarray) -> None:
        """Forget the columns where the boolean mask `kept` is false."""
        self.columns, self._masses = np.asfortranarray(self.columns[:, kept]), self._masses[:, kept]

    @property
    def binding(self) -> bool:
        """Whether the price of errors holds z back."""
        return bool(np.abs(self.dual).max(initial=0.0) > 0.5 * self.price)

    def raise_price(self) -> None:
        """Make errors ten times as dear.

        Raises:
            LinAlgError: if they are too dear already for the constraints to have a solution at all.
        """
        if self.price >= self._highest:
            raise LinAlgError("no network meets the constraints, or none that numbers can tell.")
        # The same errors at the new price.
        self._errors *= 10.0
        self.price *= 10.0

    def solve(self, tolerance: float, check: Callable[[], object] | None = None) -> int:
        """Iterate until the gap is below `tolerance` beside the norm, from what was reached before; the steps made.

        `check` is called at each of them and may raise.
        """
        if not self.columns.shape[1]:
            return 0
        point = self._start()
        pairs = point.masses.size + int(self.bounded.sum())
        steps = 0
        while steps < _STEPS:
            if check is not None:
                check()
            newton = _Newton(self, point)
            product = point.product
            # Far below the tolerance, rounding is all that is left to miss.
            allowed = tolerance if newton.missed <= max(1e-2 * tolerance, _ROUNDING) else 1e-3 * tolerance
            if product <= allowed * float(point.masses.sum()) or not newton.factor():
                break
            step = newton.step(np.zeros_like(point.masses), np.zeros_like(point.forces))
            reached = point.moved(step, *point.lengths(step)).product
            centre = (reached / product) ** 3 * product / pairs
            step = newton.step(centre - step.masses * step.slacks, centre - step.distances * step.forces)
            lengths = point.lengths(step, 0.99)
            if max(lengths) < 1e-8:
                break
            point = point.moved(step, *lengths)
            steps += 1
        self.dual, self._fit, self._forces = point.dual, point.fit, point.forces
        self._masses, self._errors = self.parts(point.masses)
        return steps

    def _start(self) -> _Point:
        """What was reached before, moved off the bounds."""
        # A dual vector that new columns make infeasible costs many more steps than a smaller one that is feasible.
        scale = (1.0 - _SLACK) / max(float(self.correlations(self.dual).max()), 1.0 - _SLACK)
        dual, forces = scale * self.dual, scale * self._forces
        forces = np.where(self.bounded, np.maximum(forces, _MASS * forces.max()), 0.0)
        masses = [np.maximum(part, _MASS * part.max()).ravel() for part in (self._masses, self._errors)]
        lower, upper = np.where(self.bounded, self._ends, np.array([[-np.inf], [np.inf]]))
        room = _MASS * np.minimum(self.size, self._distances(self._fit).sum(axis=0))
        fit = np.clip(self._fit, lower + room, upper - room)
        slacks = np.maximum(1.0 - self.correlations(dual), _SLACK)
        return _Point(dual, slacks, forces, np.concatenate(masses), fit, self._distances(fit))

    def _distances(self, fit: np.ndarray) -> np.ndarray:
        """From the ends of the intervals inwards, (2, N); 1 where there is none."""
        lower, upper = self._ends
        return np.where(self.bounded, np.stack([fit - lower, upper - fit]), 1.0)

    def correlations(self, dual: np.ndarray) -> np.ndarray:
        """The products of `dual` with all variables: the parts of v, then those of the errors."""
        errors = np.stack([dual, -dual]) / self.price
        return np.concatenate([(self._signs * (self.columns.T @ dual)).ravel(), errors.ravel()])

    def measured(self, masses: np.ndarray) -> np.ndarray:
        """Φ v and the errors."""
        parts, (above, below) = self.parts(masses)
        return self.columns @ (self._signs * parts).sum(axis=0) + (above - below) / self.price

    def parts(self, masses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The parts of v and those of the errors, a row for each sign."""
        size = self._masses.size
        return masses[:size].reshape(self._masses.shape), masses[size:].reshape(self._errors.shape)

    def off(self, vector: np.ndarray) -> np.ndarray:
        """`vector` less its part in the span of the basis."""
        remainder = vector - self.basis @ (self.basis.T @ vector)
        return remainder - self.basis @ (self.basis.T @ remainder)


class _Newton:
    """The Newton equations at a point.

    Steps in masses and forces that follow from the products that are wanted leave one equation for the step in z:
    (Φ W Φᵀ + E + G) dz + q = r with dz orthogonal to the basis, where W and E are the ratios of masses to slacks and
    G_n, zero for an equation, is how far the fit gives way to z_n.

    Attributes:
        missed: how far the point is from satisfying the equations, each in its unit.
    """

    def __init__(self, method: InteriorPoint, point: _Point) -> None:
        self._method, self._point = method, point
        self._defect = 1.0 - method.correlations(point.dual) - point.slacks
        self._missing = point.fit - method.measured(point.masses)
        unequal = np.where(method.bounded.any(axis=0), point.dual - point.forces[0] + point.forces[1], 0.0)
        self.missed = max(
            float(np.abs(method.off(self._missing)).max()) / method.size,
            float(np.abs(self._defect).max()),
            float(np.abs(unequal).max()) / (float(np.abs(point.dual).max()) or 1.0),
        )

    def factor(self) -> bool:
        """Prepare `step`; False if rounding has made the matrix indefinite."""
        method, point = self._method, self._point
        basis = method.basis
        ratios, errors = (part.sum(axis=0) for part in method.parts(point.masses / point.slacks))
        matrix = dsyrk(1.0, method.columns * np.sqrt(ratios), lower=1)
        # Along the basis, where the solution does not go, the columns leave nothing.
        matrix += np.mean(np.diagonal(matrix)) * (basis @ basis.T)
        stiffness = (point.forces / point.distances).sum(axis=0)
        self._give = np.divide(1.0, stiffness, out=np.zeros_like(stiffness), where=stiffness > 0)
        self._loose = self._give > np.diagonal(matrix)
        matrix[np.diag_indices(len(matrix))] += errors / method.price**2 + self._give
        try:
            self._factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
        except LinAlgError:
            return False
        self._along = cho_solve(self._factor, basis, check_finite=False)
        return True

    def step(self, products: np.ndarray, ends: np.ndarray) -> _Point:
        """The step for masses · slacks = `products` and forces · distances = `ends`, to first order."""
        method, (dual, slacks, forces, masses, _, distances) = self._method, self._point
        push = (products - masses * self._defect) / slacks - masses
        pull = ends / distances
        lift = self._give * (pull[0] - pull[1] - dual)
        turn = cho_solve(self._factor, self._missing - method.measured(push) + lift, check_finite=False)
        multipliers = np.linalg.solve(method.basis.T @ self._along, method.basis.T @ turn)
        turn = method.off(turn - self._along @ multipliers)
        opened = self._defect - method.correlations(turn)
        grown = (products - masses * opened) / slacks - masses
        # Of two expressions of one step the one with the smaller terms, which rounds less.
        remainder = method.measured(grown) - self._missing + method.basis @ multipliers
        move = np.where(self._loose, remainder, lift - self._give * turn)
        inwards = np.where(method.bounded, np.stack([move, -move]), 0.0)
        stronger = np.where(method.bounded, (ends - forces * inwards) / distances - forces, 0.0)
        return _Point(turn, opened, stronger, grown, move, inwards)
