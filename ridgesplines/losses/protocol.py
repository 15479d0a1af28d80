"""What a loss is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np


class Loss(ABC):
    """A convex loss Σ_n ℓ(y_n, t_n) of predictions t for targets y.

    Methods act on each entry of arrays of one shape, (N,) or (N, D), and return arrays of that shape; `Problem` sums
    and weights. Infinite values are constraints.

    The laws: ℓ(y, ·) is convex, closed and ≥ 0; `conjugate`(y, u) = sup_t u t − ℓ(y, t), infinite outside
    `conjugate_domain`, which holds 0; `conjugate_derivative` attains that supremum; `derivative` lies between the two
    ends of `subdifferential`, which are minus the dual variables that are optimal at t; `cvxpy_expression` has the
    value of the sum.
    """

    @property
    def needs_strength(self) -> bool:
        """Whether the problem is loss + λ × regularizer (True) or regularizer subject to the data (False)."""
        return True

    @property
    @abstractmethod
    def translation_invariant(self) -> bool:
        """Whether ℓ(y, t) depends on t − y only."""

    @property
    def smooth(self) -> bool:
        """Whether ℓ has a continuous derivative and `curvature`."""
        return False

    def check_targets(self, targets: np.ndarray) -> None:
        """Raise ValueError for targets that the loss has no meaning for; all real numbers are fine by default."""
        return

    @abstractmethod
    def value(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """ℓ(y_n, t_n); NumPy gives NumPy, JAX gives JAX, and is differentiable."""

    @abstractmethod
    def derivative(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """∂_t ℓ(y_n, t_n), or some subgradient where there are several; zero inside a constraint."""

    def subdifferential(
        self, targets: np.ndarray, predictions: np.ndarray, tolerance: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """The least and the largest subgradient among all t within `tolerance` of t_n where ℓ has kinks."""
        slope = self.derivative(targets, predictions)
        return slope, slope

    def curvature(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """∂²_t ℓ(y_n, t_n) of a smooth loss, from either side where it jumps.

        Raises:
            TypeError: for a loss that has none.
        """
        raise TypeError(f"{self!r} has no second derivative.")

    @abstractmethod
    def conjugate(self, targets: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """ℓ*(u_n) = sup_t u_n t − ℓ(y_n, t) for slopes u; the dual objective is −Σ_n ℓ*(−z_n)."""

    @abstractmethod
    def conjugate_domain(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The least and the largest slope where ℓ* is finite."""

    @abstractmethod
    def conjugate_derivative(self, targets: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """A t that attains sup_t u_n t − ℓ(y_n, t), for slopes in the domain; infinite where none does."""

    @abstractmethod
    def cvxpy_expression(
        self, targets: np.ndarray, predictions: Any, weights: np.ndarray | float = 1.0
    ) -> tuple[Any, list[Any]]:
        """Σ_n s_n ℓ(y_n, t_n) of a cvxpy expression `predictions`, as (objective term, constraints).

        `weights` s are positive: a number, or an array that multiplies elementwise.
        """


class LabelLoss(Loss):
    """A loss of labels y = ±1."""

    @property
    def translation_invariant(self) -> bool:
        """False."""
        return False

    def check_targets(self, targets: np.ndarray) -> None:
        """Labels are −1 and +1."""
        wrong = np.unique(targets[np.abs(targets) != 1])
        if len(wrong):
            remedy = "; use 2 y − 1" if set(np.unique(targets)) <= {0.0, 1.0} else ""
            shown = ", ".join(f"{value:g}" for value in wrong[:3]) + (", …" if len(wrong) > 3 else "")
            raise ValueError(f"targets must be the labels −1 and +1 under {self!r}, got {shown}{remedy}.")


class SmoothLoss(Loss):
    """A loss with a continuous derivative and a second one."""

    @property
    def smooth(self) -> bool:
        """True."""
        return True

    @abstractmethod
    def curvature(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """∂²_t ℓ(y_n, t_n), from either side where it jumps."""
