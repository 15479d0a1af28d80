"""The restricted problem of a smooth loss and several outputs: Newton's method on an active set."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ridgesplines.norms import sizes
from ridgesplines.problem import Problem
from ridgesplines.solvers.restricted.stored import StoredProblem

# The violation of ‖φ_k·z‖ ≤ λ that is let pass, relative to λ.
_TOLERANCE = 1e-11
# How many columns at least become active at once, and how often one does in one solve before it does so by rounding.
_ENTRIES_AT_ONCE, _ENTRIES = 4, 8
# A Newton step that promises less than this fraction of F is judged by the gradient.
_HIDDEN = 1e-11
_STEPS = 10_000
_LEAST_DAMPING = 1e-13


class RestrictedGroups(StoredProblem):
    """A smooth loss and Σ_k ‖v_k‖₂ over rows v_k of V (K, D), with a free polynomial Q C.

        F(C, V) = Σ s ℓ(y, Q C + Φ V) + λ Σ_k ‖v_k‖₂

    While no active row meets zero F is smooth in the active rows and C, and Newton's method with a line search applies;
    a row that would cross zero is set to zero and leaves. Once Newton's method has converged, the inactive columns that
    violate ‖φ_k·z‖ ≤ λ most enter along their gradients. F never rises.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._strength = problem.dual_limit
        self._basis = problem.free.basis
        self._polynomial = self._basis.T @ problem.best_polynomial[0]
        # The rows that are not zero, in the order in which they became active.
        self._active: list[int] = []

    @property
    def active(self) -> np.ndarray:
        """The rows that are not zero."""
        return np.array(self._active, dtype=int)

    @property
    def fit(self) -> np.ndarray:
        """Q C + Φ V."""
        return self._basis @ self._polynomial + self._columns[:, self._active] @ self._coefficients[self._active]

    @property
    def dual(self) -> np.ndarray:
        """−s ℓ'."""
        return -self._problem.weights * self._problem.loss.derivative(self._problem.targets, self.fit)

    def keep(self, kept: np.ndarray) -> None:
        """See `RestrictedProblem.keep`."""
        position = np.cumsum(kept) - 1
        self._active = [int(position[k]) for k in self._active]
        super().keep(kept)

    def restart(self, coefficients: np.ndarray, fit: np.ndarray) -> None:
        """See `RestrictedProblem.restart`."""
        self._coefficients = coefficients
        self._active = np.flatnonzero(sizes(coefficients)).tolist()
        self._polynomial = self._basis.T @ (fit - self._columns @ coefficients)

    def solve(self) -> bool:
        """Minimise F over the present columns; whether a step was made."""
        steps = self._descend()
        entered = np.zeros(len(self._coefficients), dtype=int)
        while steps < _STEPS:
            self.check_deadline()
            pull = self._columns.T @ self.dual
            excess = sizes(pull) / self._strength - 1.0
            excess[self._active] = 0.0
            excess[entered >= _ENTRIES] = 0.0
            norms = np.linalg.norm(self._columns, axis=0)
            entering = np.argsort(-excess / norms)[: max(_ENTRIES_AT_ONCE, len(self._active) // 3)]
            entering = entering[excess[entering] > _TOLERANCE]
            if not len(entering):
                break
            for k in entering:
                entered[k] += 1
                self._enter(int(k), pull[k], 1.0 / len(entering))
            steps += self._descend() + 1
        return steps > 0

    def _objective(self) -> float:
        return self._problem.objective_of(self._coefficients[self._active], self.fit)

    def _curvature(self) -> np.ndarray:
        return self._problem.weights * self._problem.loss.curvature(self._problem.targets, self.fit)

    def _enter(self, column: int, pull: np.ndarray, fraction: float) -> None:
        """Make `column` active with a row along its gradient, a `fraction` of the minimiser in that direction alone."""
        size = float(np.linalg.norm(pull))
        direction = pull / size
        bend = float(self._columns[:, column] ** 2 @ self._curvature() @ direction**2)
        length = (
            (size - self._strength) / bend
            if bend > 0
            else 1e-3 * max(float(np.abs(self._coefficients).max(initial=0)), 1.0)
        )
        base = self._objective()
        self._active.append(column)
        length *= fraction
        for _ in range(60):
            self._coefficients[column] = length * direction
            # A fall that rounding hides is taken on trust.
            if self._objective() <= base + 1e-15 * abs(base):
                return
            length *= 0.25
        self._coefficients[column] = 0.0
        self._active.remove(column)

    def _descend(self) -> int:
        """Newton's method on the active rows and the polynomial; the number of steps."""
        if not len(self._gradient()):
            return 0
        present = self._objective()
        damping = _LEAST_DAMPING
        for step in range(_STEPS):
            gradient, hessian = self._gradient(), self._hessian()
            scale = np.maximum(np.diagonal(hessian), 1e-12 * np.diagonal(hessian).max(initial=0.0))
            scale = scale + np.finfo(float).tiny
            try:
                factor = cho_factor(hessian + np.diag(damping * scale), check_finite=False)
            except LinAlgError:
                if damping > 1.0:
                    return step
                damping *= 100
                continue
            move = -cho_solve(factor, gradient, check_finite=False)
            if not -float(gradient @ move) > _HIDDEN * abs(present):
                if not self._polish(move, gradient, scale):
                    return step
                present = self._objective()
                continue
            found = self._line_search(move, gradient, present)
            if found is None:
                if damping > 1.0:
                    return step
                damping *= 100
                continue
            present, length = found
            # Where the loss is linear nothing but the damping keeps a step short.
            damping = max(0.1 * damping, _LEAST_DAMPING) if length > 0.5 else min(10 * damping, 1.0)
        return _STEPS

    def _polish(self, move: np.ndarray, gradient: np.ndarray, scale: np.ndarray) -> bool:
        """A full Newton step whose gain in F rounding hides, if it makes the gradient smaller; whether it did."""
        steps = move.reshape(self._problem.outputs, -1).T
        free, active = self._basis.shape[1], self.active
        size = float(np.sum(gradient**2 / scale))
        before = self._coefficients[active].copy(), self._polynomial.copy()
        if (np.einsum("kd,kd->k", before[0], before[0] + steps[free:]) <= 0).any() or not size > 0:
            return False
        self._coefficients[active] += steps[free:]
        self._polynomial = self._polynomial + steps[:free]
        if float(np.sum(self._gradient() ** 2 / scale)) < 0.25 * size:
            return True
        self._coefficients[active], self._polynomial = before
        return False

    def _matrix(self) -> np.ndarray:
        """Q and the active columns."""
        return np.concatenate([self._basis, self._columns[:, self._active]], axis=1)

    def _gradient(self) -> np.ndarray:
        """∂F in (C, V_A), flattened output by output."""
        gradient = -(self._matrix().T @ self.dual)
        rows = self._coefficients[self._active]
        gradient[self._basis.shape[1] :] += self._strength * rows / sizes(rows)[:, None]
        return gradient.T.ravel()

    def _hessian(self) -> np.ndarray:
        """∂²F in the order of the gradient."""
        matrix, curvature = self._matrix(), self._curvature()
        size, outputs, free = matrix.shape[1], self._problem.outputs, self._basis.shape[1]
        rows = self._coefficients[self._active]
        norms = sizes(rows)
        units = rows / norms[:, None]
        hessian = np.zeros((outputs, size, outputs, size))
        for output in range(outputs):
            hessian[output, :, output] = matrix.T @ (curvature[:, output, None] * matrix)
        if outputs > 1:
            # The Hessian of ‖v‖ is (1 − u uᵀ) / ‖v‖ with u = v / ‖v‖.
            bends = self._strength * (np.eye(outputs) - units[:, :, None] * units[:, None, :]) / norms[:, None, None]
            neurons = np.arange(free, size)
            for k, bend in zip(neurons, bends, strict=True):
                hessian[:, k, :, k] += bend
        return hessian.reshape(size * outputs, size * outputs)

    def _line_search(self, move: np.ndarray, gradient: np.ndarray, present: float) -> tuple[float, float] | None:
        """Go along `move` as far as F falls, setting rows that would cross zero to zero.

        The new F and the fraction of `move` that was gone, or None if F does not fall.
        """
        free = self._basis.shape[1]
        steps = move.reshape(self._problem.outputs, -1).T
        active = self.active
        base, polynomial = self._coefficients[active].copy(), self._polynomial.copy()
        along = np.einsum("kd,kd->k", base, base + steps[free:])
        slope = float(gradient @ move)
        with np.errstate(divide="ignore", invalid="ignore"):
            towards = np.einsum("kd,kd->k", base, steps[free:])
            reach = np.where(towards < 0, -np.einsum("kd,kd->k", base, base) / towards, np.inf)
        first = float(reach.min(initial=np.inf))
        lengths = [1.0]
        if first < 1.0:
            lengths.append(first)
        lengths += [0.5**i * min(first, 1.0) for i in range(1, 40)]
        for length in lengths:
            rows = base + length * steps[free:]
            crossed = (reach <= length) if length < 1.0 else (along <= 0)
            rows[crossed] = 0.0
            self._coefficients[active] = rows
            self._polynomial = polynomial + length * steps[:free]
            new = self._objective()
            if new <= present + 1e-4 * min(length, 1.0) * slope or (crossed.any() and new < present):
                self._active = [int(k) for k in active[~crossed]]
                return new, length
        self._coefficients[active], self._polynomial = base, polynomial
        return None
