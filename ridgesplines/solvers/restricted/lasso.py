"""An active set for the lasso."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import qr_delete, qr_insert  # pyright: ignore[reportAttributeAccessIssue]  # absent in the stubs
from scipy.linalg.lapack import dtrtrs  # pyright: ignore[reportAttributeAccessIssue]  # likewise

# A column counts as dependent on the active ones when its remainder is below this fraction of its norm.
_DEPENDENT = 1e-10
# A column that enters this often in one solve does so by rounding.
_ENTRIES = 8


class ActiveSetLasso:
    """A primal active set for min ½ ‖y + λ c − Φ v‖² + λ ‖v‖₁ that keeps its factorisation between solves.

    With `nonnegative`, subject to v ≥ 0.

    The active columns are always linearly independent, so that a solution has at most rank(Φ) non-zeros: the
    representer theorem's bound comes out by itself. Each step solves the problem on the active columns with fixed
    signs (by an updated QR factorisation), moves there until a coefficient meets zero and drops that one, or, arrived,
    lets in the column that violates its optimality condition most. The objective falls at every step. A column that
    depends on the active ones is exchanged along the direction that leaves the fit unchanged.

    The dual vector is put together from its parts, (1 − Q Qᵀ) (y / λ + c) + Q R⁻ᵀ sign v with Φ_A = Q R, because the
    residual y + λ c − Φ v loses all its digits to cancellation as λ falls.

    Attributes:
        targets: y, (N,).
        centre: c, (N,); zero at first, may be changed between solves.
        strength: λ; may be changed between solves.
        coefficients: v, (K,).
        dual: (y + λ c − Φ v) / λ, (N,): its products with the columns are sign v where v ≠ 0 and within ±1 elsewhere,
            or at most 1 where v ≥ 0.
    """

    def __init__(self, targets: np.ndarray, strength: float, nonnegative: bool = False) -> None:
        self.targets = targets
        self.strength = strength
        self.columns = np.zeros((len(targets), 0), order="F")
        self.coefficients = np.zeros(0)
        self.centre = np.zeros_like(targets)
        self.dual = targets / strength
        self._nonnegative = nonnegative
        self._norms = np.zeros(0)
        self._active: list[int] = []
        self._orthonormal = np.zeros((len(targets), 0), order="F")
        self._triangle = np.zeros((0, 0))

    @property
    def active(self) -> np.ndarray:
        """The indices of the columns with non-zero coefficients."""
        return np.array(self._active, dtype=int)

    def add(self, columns: np.ndarray) -> None:
        """Append columns (N, k) with coefficients zero."""
        self.columns = np.asfortranarray(np.concatenate([self.columns, columns], axis=1))
        self._norms = np.append(self._norms, np.linalg.norm(columns, axis=0))
        self.coefficients = np.append(self.coefficients, np.zeros(columns.shape[1]))

    def keep(self, kept: np.ndarray) -> None:
        """Forget the columns where the boolean mask `kept` is false; active ones must stay."""
        position = np.cumsum(kept) - 1
        self._active = [int(position[j]) for j in self._active]
        self.columns = np.asfortranarray(self.columns[:, kept])
        self._norms = self._norms[kept]
        self.coefficients = self.coefficients[kept]

    def start(self, coefficients: np.ndarray) -> None:
        """Begin from `coefficients` (K,); those of columns that depend on others are set to zero."""
        self.coefficients = coefficients.copy()
        active = np.flatnonzero(coefficients)
        if not len(active):
            return
        triangle = np.linalg.qr(self.columns[:, active] / self._norms[active], mode="r")
        independent = np.zeros(len(active), dtype=bool)
        independent[: len(triangle)] = np.abs(np.diagonal(triangle)) > 10 * _DEPENDENT
        self.coefficients[active[~independent]] = 0.0
        self._active = active[independent].tolist()
        self._orthonormal, self._triangle = np.linalg.qr(self.columns[:, self._active])

    def solve(self, tolerance: float = 1e-11, check: Callable[[], object] | None = None) -> int:
        """Minimise over the present columns, from the present coefficients; returns the number of steps.

        `tolerance` is the violation of the conditions on φ_k·dual that is let pass; `check` is called at each step and
        may raise.
        """
        steps = 0
        limit = 100 + 20 * (len(self.targets) + self.columns.shape[1])
        entered = np.zeros(self.columns.shape[1], dtype=int)
        self._descend()
        while steps < limit:
            if check is not None:
                check()
            correlations = self.columns.T @ self.dual
            excess = (correlations if self._nonnegative else np.abs(correlations)) - 1.0
            # Active columns have no excess but by rounding: what they show is the noise.
            noise = 4 * float((np.abs(excess[self._active]) / self._norms[self._active]).max(initial=0.0))
            violating = excess > tolerance + noise * self._norms
            violating[self._active] = False
            violating[entered >= _ENTRIES] = False
            if not violating.any():
                break
            # The steepest column in the scale of its own norm gains most.
            entering = int(np.argmax(np.where(violating, excess / self._norms, -np.inf)))
            entered[entering] = entered[entering] + 1
            if self._enter(entering, float(np.sign(correlations[entering]))):
                self._descend()
            else:
                entered[entering] = _ENTRIES
            steps += 1
        return steps

    def _enter(self, entering: int, sign: float) -> bool:
        """Make a column active, in exchange for others while it depends on them; False if rounding forbids it."""
        column = self.columns[:, entering]
        while True:
            projections, remainder = self._split(column)
            full = len(self._active) == len(self.targets)
            if not full and np.linalg.norm(remainder) > _DEPENDENT * self._norms[entering]:
                break
            if not self._active:
                return False
            # φ = Φ_A α: along (−sign α, sign) the fit stays and the penalty falls, until a coefficient meets zero.
            direction = -sign * _solve_triangular(self._triangle, projections)
            direction[np.abs(direction) <= _DEPENDENT * np.abs(direction).max()] = 0.0
            present = self.coefficients[self._active]
            with np.errstate(divide="ignore", invalid="ignore"):
                reach = np.where(present * direction < 0, -present / direction, np.inf)
            leaving = int(np.argmin(reach))
            if not np.isfinite(reach[leaving]):
                return False
            self.coefficients[self._active] = present + reach[leaving] * direction
            self.coefficients[entering] += sign * reach[leaving]
            self._leave(leaving)
        if self.coefficients[entering] == 0.0:
            # Only its sign matters until the next step gives it a size.
            self.coefficients[entering] = sign * np.finfo(float).tiny
        self._append(column)
        self._active.append(entering)
        return True

    def _split(self, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The coordinates of `column` in the orthonormal basis of the active ones, and what is orthogonal to them."""
        projections = self._orthonormal.T @ column
        remainder = column - self._orthonormal @ projections
        correction = self._orthonormal.T @ remainder
        return projections + correction, remainder - self._orthonormal @ correction

    def _append(self, column: np.ndarray) -> None:
        """Append `column`, which is independent of the active ones, to the factorisation."""
        size = len(self._active)
        if not size:
            length = np.linalg.norm(column)
            self._orthonormal, self._triangle = np.asfortranarray(column[:, None] / length), np.array([[length]])
            return
        self._orthonormal, self._triangle = qr_insert(
            self._orthonormal, self._triangle, column, size, which="col", check_finite=False
        )

    def _leave(self, position: int) -> None:
        """Make the active column at `position` inactive."""
        self.coefficients[self._active.pop(position)] = 0.0
        if size := len(self._active):
            orthonormal, triangle = qr_delete(
                self._orthonormal, self._triangle, position, which="col", check_finite=False
            )
            # Of a square factorisation the update keeps the complement too.
            self._orthonormal, self._triangle = orthonormal[:, :size], triangle[:size]
        else:
            self._orthonormal = np.zeros((len(self.targets), 0), order="F")
            self._triangle = np.zeros((0, 0))

    def _descend(self) -> None:
        """Minimise over the active columns, dropping those whose coefficients meet zero on the way."""
        targets = self.targets + self.strength * self.centre
        while self._active:
            present = self.coefficients[self._active]
            signs = np.sign(present)
            pull = _solve_triangular(self._triangle, signs, transposed=True)
            goal = _solve_triangular(self._triangle, self._orthonormal.T @ targets - self.strength * pull)
            if not (goal * signs <= 0).any():
                # A step of refinement: the factorisation has been updated many times.
                residual = targets - self.columns[:, self._active] @ goal
                slope = self._orthonormal.T @ residual - self.strength * pull
                goal += _solve_triangular(self._triangle, slope)
            crossing = goal * signs <= 0
            if not crossing.any():
                self.coefficients[self._active] = goal
                break
            with np.errstate(divide="ignore", invalid="ignore"):
                reach = np.where(crossing, present / (present - goal), np.inf)
            leaving = int(np.argmin(reach))
            self.coefficients[self._active] = present + reach[leaving] * (goal - present)
            self._leave(leaving)
        else:
            pull = np.zeros(0)
        missed, centre = self._off(np.column_stack([self.targets, self.centre])).T
        if np.linalg.norm(missed) <= 64 * np.finfo(float).eps * np.linalg.norm(self.targets):
            missed[:] = 0.0
        self.dual = self._orthonormal @ pull + centre + missed / self.strength

    def _off(self, vectors: np.ndarray) -> np.ndarray:
        """`vectors` (N, k) less their projections on the active columns."""
        remainder = vectors - self._orthonormal @ (self._orthonormal.T @ vectors)
        return remainder - self._orthonormal @ (self._orthonormal.T @ remainder)


def _solve_triangular(triangle: np.ndarray, right: np.ndarray, *, transposed: bool = False) -> np.ndarray:
    """R⁻¹ b, or R⁻ᵀ b. LAPACK itself: its wrapper would cost more than the solve."""
    solution, info = dtrtrs(triangle, right, trans=int(transposed))
    if info:
        raise np.linalg.LinAlgError("the active columns became dependent.")
    return solution
