"""Losses with pieces of degree two: squared, Huber, squared hinge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.arrays import namespace
from ridgesplines.losses.protocol import LabelLoss, SmoothLoss


class _QuadraticLoss(SmoothLoss):
    """½ (t − y)² where the slope t − y is in the domain of the conjugate, and a linear function beyond."""

    def conjugate(self, targets: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """u y + ½ u² in the domain."""
        least, largest = self.conjugate_domain(targets)
        return np.where((least <= slopes) & (slopes <= largest), slopes * targets + 0.5 * slopes**2, np.inf)

    def conjugate_derivative(self, targets: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """y + u."""
        return targets + slopes


@dataclass(frozen=True)
class SquaredLoss(_QuadraticLoss):
    """½ Σ_n (t_n − y_n)². Its dual objective is z·y − ½ ‖z‖², and z is the residual y − t."""

    @property
    def translation_invariant(self) -> bool:
        """True."""
        return True

    def value(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """½ (t − y)²."""
        return 0.5 * (predictions - targets) ** 2

    def derivative(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """t − y."""
        return predictions - targets

    def curvature(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """1."""
        return np.ones_like(predictions)

    def conjugate_domain(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All numbers."""
        return np.full_like(targets, -np.inf), np.full_like(targets, np.inf)

    def cvxpy_expression(
        self, targets: np.ndarray, predictions: Any, weights: np.ndarray | float = 1.0
    ) -> tuple[Any, list[Any]]:
        """½ sum_squares, no constraint."""
        import cvxpy  # heavy, and only the reference programs need it

        return 0.5 * cvxpy.sum_squares(cvxpy.multiply(np.sqrt(weights), predictions - targets)), []


@dataclass(frozen=True)
class HuberLoss(_QuadraticLoss):
    """Σ_n h(t_n − y_n), h(r) = ½ r² up to |r| = δ and δ |r| − ½ δ² beyond: outliers pull with a bounded force.

    Args:
        threshold: δ > 0, in the units of the targets.
    """

    threshold: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.threshold < np.inf:
            raise ValueError(f"threshold must be positive and finite, in the targets' units, got {self.threshold!r}.")

    @property
    def translation_invariant(self) -> bool:
        """True."""
        return True

    def value(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """½ r² or δ |r| − ½ δ²."""
        xp = namespace(targets, predictions)
        distance = xp.abs(predictions - targets)
        near = xp.minimum(distance, self.threshold)
        return near * (distance - 0.5 * near)

    def derivative(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """t − y, cut off at ±δ."""
        return np.clip(predictions - targets, -self.threshold, self.threshold)

    def curvature(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """1 within the threshold, 0 beyond."""
        return (np.abs(predictions - targets) <= self.threshold).astype(float)

    def conjugate_domain(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[−δ, δ]."""
        return np.full_like(targets, -self.threshold), np.full_like(targets, self.threshold)

    def cvxpy_expression(
        self, targets: np.ndarray, predictions: Any, weights: np.ndarray | float = 1.0
    ) -> tuple[Any, list[Any]]:
        """Half of cvxpy's huber, no constraint."""
        import cvxpy  # heavy, and only the reference programs need it

        # cvxpy's stubs say int, its documentation any constant.
        huber = cvxpy.huber(predictions - targets, self.threshold)  # pyright: ignore[reportArgumentType]
        return 0.5 * cvxpy.sum(cvxpy.multiply(weights, huber)), []


@dataclass(frozen=True)
class SquaredHingeLoss(LabelLoss, _QuadraticLoss):
    """½ Σ_n max(1 − y_n t_n, 0)² for labels y = ±1: a smooth price for margins below 1."""

    def value(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """½ (1 − y t)₊²."""
        return 0.5 * namespace(targets, predictions).maximum(1.0 - targets * predictions, 0.0) ** 2

    def derivative(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """−y (1 − y t)₊."""
        return -targets * np.maximum(1.0 - targets * predictions, 0.0)

    def curvature(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """1 where the margin is at most 1, else 0."""
        return (targets * predictions <= 1.0).astype(float)

    def conjugate_domain(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """u y ≤ 0."""
        return np.where(targets > 0, -np.inf, 0.0), np.where(targets > 0, 0.0, np.inf)

    def cvxpy_expression(
        self, targets: np.ndarray, predictions: Any, weights: np.ndarray | float = 1.0
    ) -> tuple[Any, list[Any]]:
        """Half the sum of squared positive parts, no constraint."""
        import cvxpy  # heavy, and only the reference programs need it

        short = cvxpy.pos(1.0 - cvxpy.multiply(targets, predictions))
        return 0.5 * cvxpy.sum_squares(cvxpy.multiply(np.sqrt(weights), short)), []
