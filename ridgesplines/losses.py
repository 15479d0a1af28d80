"""Losses: how far measurements may be from the data, and at what price. All are sums over the data, never means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

_UNIT = np.finfo(float).eps


class Loss(ABC):
    """A convex loss Σ_n ℓ(y_n, t_n) of predictions t for targets y.

    The laws: ℓ is convex in t; Fenchel–Young, `value(y, t)` − `dual_value(z, y)` ≥ −z·t for all t and z, with equality
    for z = `dual(y, t)` where the loss is differentiable; `cvxpy_expression` has the value of `value`.
    """

    @property
    @abstractmethod
    def needs_strength(self) -> bool:
        """Whether the problem is loss + strength × regularizer (True) or regularizer subject to the data (False)."""

    @property
    @abstractmethod
    def translation_invariant(self) -> bool:
        """Whether ℓ(y, t) depends on t − y only."""

    @abstractmethod
    def value(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Σ_n ℓ(y_n, t_n); infinite where a constraint is violated."""

    @abstractmethod
    def dual(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray | None:
        """z_n = −∂_t ℓ(y_n, t_n), or None where the loss has no derivative to offer."""

    @abstractmethod
    def dual_value(self, dual: np.ndarray, targets: np.ndarray) -> float:
        """−Σ_n ℓ_n*(−z_n): the dual objective."""

    @abstractmethod
    def dual_rounding(self, dual: np.ndarray, targets: np.ndarray, defect: float = 0.0) -> float:
        """A bound of the error of `dual_value` by rounding, and by an error of `dual` of norm up to `defect`."""

    @abstractmethod
    def best_scale(self, dual: np.ndarray, targets: np.ndarray, limit: float) -> float:
        """The s in [0, limit] that maximises `dual_value(s z, y)`."""

    @abstractmethod
    def cvxpy_expression(self, targets: np.ndarray, predictions: Any) -> tuple[Any, list[Any]]:
        """The loss of a cvxpy expression `predictions` as (objective term, constraints)."""


@dataclass(frozen=True)
class SquaredLoss(Loss):
    """½ Σ_n (t_n − y_n)². Its dual objective is z·y − ½ ‖z‖², and z is the residual y − t."""

    @property
    def needs_strength(self) -> bool:
        """True."""
        return True

    @property
    def translation_invariant(self) -> bool:
        """True."""
        return True

    def value(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """½ ‖t − y‖²."""
        return 0.5 * float(np.sum((predictions - targets) ** 2))

    def dual(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """The residual y − t."""
        return targets - predictions

    def dual_value(self, dual: np.ndarray, targets: np.ndarray) -> float:
        """z·y − ½ ‖z‖²."""
        return float(dual @ targets - 0.5 * (dual @ dual))

    def dual_rounding(self, dual: np.ndarray, targets: np.ndarray, defect: float = 0.0) -> float:
        """N ε (Σ |z_n y_n| + ½ ‖z‖²), and the defect times ‖y‖ + ‖z‖."""
        rounding = len(dual) * _UNIT * float(np.abs(dual) @ np.abs(targets) + 0.5 * (dual @ dual))
        return rounding + defect * float(np.linalg.norm(targets) + np.linalg.norm(dual) + defect)

    def best_scale(self, dual: np.ndarray, targets: np.ndarray, limit: float) -> float:
        """The projection of z·y / ‖z‖² on [0, limit]."""
        square = float(dual @ dual)
        return min(max(float(dual @ targets) / square, 0.0), limit) if square > 0 else min(1.0, limit)

    def cvxpy_expression(self, targets: np.ndarray, predictions: Any) -> tuple[Any, list[Any]]:
        """½ sum_squares, no constraint."""
        import cvxpy  # heavy, and only the reference programs need it

        return 0.5 * cvxpy.sum_squares(predictions - targets), []


@dataclass(frozen=True)
class Interpolation(Loss):
    """The constraint t_n = y_n: the loss is zero on the data and infinite elsewhere. Its dual objective is z·y.

    Args:
        tolerance: how far an interpolant may be off, as a fraction of the range of the targets.
    """

    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < 1:
            raise ValueError(f"tolerance must be in [0, 1), a fraction of the targets' range, got {self.tolerance}.")

    @property
    def needs_strength(self) -> bool:
        """False."""
        return False

    @property
    def translation_invariant(self) -> bool:
        """True."""
        return True

    def allowance(self, targets: np.ndarray) -> float:
        """The largest |t_n − y_n| that counts as interpolation, never below the rounding of the targets."""
        return max(self.tolerance * float(np.ptp(targets)), 64 * np.finfo(float).eps * float(np.abs(targets).max()))

    def value(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """0 within the tolerance, otherwise infinity."""
        return 0.0 if float(np.abs(predictions - targets).max()) <= self.allowance(targets) else np.inf

    def dual(self, targets: np.ndarray, predictions: np.ndarray) -> None:
        """None: a constraint has no derivative, its multipliers come from elsewhere."""
        return None

    def dual_value(self, dual: np.ndarray, targets: np.ndarray) -> float:
        """z·y."""
        return float(dual @ targets)

    def dual_rounding(self, dual: np.ndarray, targets: np.ndarray, defect: float = 0.0) -> float:
        """N ε Σ |z_n y_n|, and the defect times ‖y‖."""
        return len(dual) * _UNIT * float(np.abs(dual) @ np.abs(targets)) + defect * float(np.linalg.norm(targets))

    def best_scale(self, dual: np.ndarray, targets: np.ndarray, limit: float) -> float:
        """The limit if z·y > 0, otherwise 0."""
        return limit if dual @ targets > 0 and np.isfinite(limit) else 0.0

    def cvxpy_expression(self, targets: np.ndarray, predictions: Any) -> tuple[Any, list[Any]]:
        """Zero, with the constraint that predictions equal targets."""
        import cvxpy  # heavy, and only the reference programs need it

        return cvxpy.Constant(0.0), [predictions == targets]
