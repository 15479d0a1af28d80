"""Losses that are free within an interval and grow linearly, or at once to infinity, outside it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.arrays import namespace
from ridgesplines.losses.protocol import LabelLoss, Loss

_UNIT = np.finfo(float).eps


class PiecewiseLinearLoss(Loss):
    """Σ_n below_n (lower_n − t_n)₊ + above_n (t_n − upper_n)₊ with an interval [lower, upper] that depends on y_n.

    Everything about such a loss follows from `interval` and `slopes`. A slope of infinity is a constraint; an end of
    the interval may be infinite, and its slope then does not matter. The dual objective of one datum is lower · z for
    0 ≤ z ≤ below and upper · z for −above ≤ z ≤ 0.
    """

    @abstractmethod
    def interval(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The ends of the interval where ℓ = 0: −∞ ≤ lower ≤ upper ≤ ∞, one of them finite."""

    @abstractmethod
    def slopes(self) -> tuple[float, float]:
        """The slopes (below, above), each in (0, ∞]."""

    @property
    def needs_strength(self) -> bool:
        """False for constraints: both slopes infinite."""
        return bool(np.isfinite(self.slopes()).any())

    @property
    def translation_invariant(self) -> bool:
        """True, but for labels."""
        return True

    def allowance(self, targets: np.ndarray) -> float:
        """How far outside the interval counts as inside; 0 unless the loss is a constraint."""
        return 0.0

    def value(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Slope times distance to the interval; for constraints 0 or infinity."""
        xp = namespace(targets, predictions)
        total = xp.zeros_like(predictions)
        allowance = self.allowance(targets)
        for slope, distance in zip(self.slopes(), self._distances(targets, predictions), strict=True):
            outside = distance > allowance
            # Not slope times zero inside, which for a constraint is no number.
            total = total + xp.where(outside, slope, 0.0) * xp.where(outside, distance, 1.0)
        return total

    def derivative(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """−below, 0 or above."""
        (below, above), (under, over) = self.slopes(), self._distances(targets, predictions)
        slope = np.zeros_like(predictions)
        if self.needs_strength:
            slope[under > 0], slope[over > 0] = -below, above
        return slope

    def subdifferential(
        self, targets: np.ndarray, predictions: np.ndarray, tolerance: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """From −below or 0 to 0 or above, by where t is; outside a constraint, what its end would have."""
        (below, above), (under, over) = self.slopes(), self._distances(targets, predictions)
        if not self.needs_strength:
            lower, upper = self.interval(targets)
            # Either side of an equation pulls, however far off.
            under, over = (np.where(lower == upper, 0.0, np.minimum(end, 0.0)) for end in (under, over))
        least = np.where(under >= -tolerance, -below, np.where(over > tolerance, above, 0.0))
        largest = np.where(over >= -tolerance, above, np.where(under > tolerance, -below, 0.0))
        return least, largest

    def conjugate(self, targets: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """lower · u for u < 0, upper · u for u > 0."""
        least, largest = self.conjugate_domain(targets)
        lower, upper = self.interval(targets)
        with np.errstate(invalid="ignore"):
            inside = np.where(slopes < 0, lower * slopes, np.where(slopes > 0, upper * slopes, 0.0))
        return np.where((slopes >= least) & (slopes <= largest), inside, np.inf)

    def conjugate_domain(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[−below, above], where the interval ends."""
        below, above = self.slopes()
        lower, upper = self.interval(targets)
        return np.where(np.isfinite(lower), -below, 0.0), np.where(np.isfinite(upper), above, 0.0)

    def conjugate_derivative(self, targets: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """The end of the interval that u pulls to, and a finite one for u = 0."""
        lower, upper = self.interval(targets)
        return np.where((slopes < 0) | ((slopes == 0) & np.isfinite(lower)), lower, upper)

    def cvxpy_expression(
        self, targets: np.ndarray, predictions: Any, weights: np.ndarray | float = 1.0
    ) -> tuple[Any, list[Any]]:
        """Positive parts for finite slopes, constraints for infinite ones."""
        import cvxpy  # heavy, and only the reference programs need it

        lower, upper = self.interval(targets)
        below, above = self.slopes()
        weights = np.broadcast_to(weights, targets.shape)
        total, constraints = cvxpy.Constant(0.0), []
        if np.array_equal(lower, upper) and np.isinf([below, above]).all():
            return total, [predictions == lower]
        for end, slope, sign in ((lower, below, 1.0), (upper, above, -1.0)):
            ends = np.isfinite(end)
            if not ends.any():
                continue
            distance = sign * (end[ends] - predictions[ends])
            if np.isinf(slope):
                constraints.append(distance <= 0)
            else:
                total = total + slope * cvxpy.sum(cvxpy.multiply(weights[ends], cvxpy.pos(distance)))
        return total, constraints

    def _distances(self, targets: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Signed distances below the lower end and above the upper one."""
        lower, upper = self.interval(targets)
        return lower - predictions, predictions - upper


@dataclass(frozen=True)
class AbsoluteLoss(PiecewiseLinearLoss):
    """Σ_n |t_n − y_n|: the fit runs exactly through some data and ignores how far off the others are."""

    def interval(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The targets."""
        return targets, targets

    def slopes(self) -> tuple[float, float]:
        """1 and 1."""
        return 1.0, 1.0


@dataclass(frozen=True)
class QuantileLoss(PiecewiseLinearLoss):
    """Σ_n q (y_n − t_n)₊ + (1 − q) (t_n − y_n)₊: the fit leaves about the fraction q of the data below it.

    Args:
        level: q, between 0 and 1; one half is half the absolute loss.

    Source: Koenker & Bassett 1978.
    """

    level: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"level must be a fraction between 0 and 1, got {self.level!r}.")

    def interval(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The targets."""
        return targets, targets

    def slopes(self) -> tuple[float, float]:
        """q and 1 − q."""
        return self.level, 1.0 - self.level


@dataclass(frozen=True)
class EpsilonInsensitiveLoss(PiecewiseLinearLoss):
    """Σ_n max(|t_n − y_n| − ε, 0), the loss of support vector regression: errors up to ε cost nothing.

    Args:
        tolerance: ε ≥ 0, in the units of the targets.
    """

    tolerance: float = 0.1

    def __post_init__(self) -> None:
        _check_tolerance(self.tolerance)

    def interval(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """y ± ε."""
        return targets - self.tolerance, targets + self.tolerance

    def slopes(self) -> tuple[float, float]:
        """1 and 1."""
        return 1.0, 1.0


class _Margin(LabelLoss, PiecewiseLinearLoss):
    """Free where y_n t_n ≥ 1, for labels y = ±1."""

    def interval(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[1, ∞) for the label +1, (−∞, −1] for −1."""
        xp = namespace(targets)
        return xp.where(targets > 0, 1.0, -np.inf), xp.where(targets > 0, np.inf, -1.0)


@dataclass(frozen=True)
class HingeLoss(_Margin):
    """Σ_n max(1 − y_n t_n, 0) for labels y = ±1, the loss of support vector machines."""

    def slopes(self) -> tuple[float, float]:
        """1 and 1."""
        return 1.0, 1.0


class _Constraint(PiecewiseLinearLoss):
    """t_n within an interval: the loss is zero there and infinite outside. Needs no strength."""

    def slopes(self) -> tuple[float, float]:
        """Infinite."""
        return np.inf, np.inf


@dataclass(frozen=True)
class Interpolation(_Constraint):
    """The constraint t_n = y_n: the loss is zero on the data and infinite elsewhere. Its dual objective is z·y.

    Args:
        tolerance: how far an interpolant may be off by rounding, as a fraction of the range of the targets.
    """

    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < 1:
            raise ValueError(f"tolerance must be in [0, 1), a fraction of the targets' range, got {self.tolerance}.")

    def allowance(self, targets: np.ndarray) -> float:
        """The largest |t_n − y_n| that counts as interpolation, never below the rounding of the targets."""
        return max(self.tolerance * float(np.ptp(targets)), 64 * _UNIT * float(np.abs(targets).max()))

    def interval(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The targets."""
        return targets, targets


@dataclass(frozen=True)
class IntervalConstraint(_Constraint):
    """The constraint |t_n − y_n| ≤ ε: interpolation within a tolerance, of bounded noise or rounded data.

    Args:
        tolerance: ε ≥ 0, in the units of the targets.
    """

    tolerance: float

    def __post_init__(self) -> None:
        _check_tolerance(self.tolerance)

    def allowance(self, targets: np.ndarray) -> float:
        """A fraction of 1e-8 of the targets' range, for rounding."""
        return max(1e-8 * float(np.ptp(targets)), 64 * _UNIT * float(np.abs(targets).max() + self.tolerance))

    def interval(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """y ± ε."""
        return targets - self.tolerance, targets + self.tolerance


@dataclass(frozen=True)
class HardMargin(_Margin, _Constraint):
    """The constraint y_n t_n ≥ 1 for labels y = ±1: the hard margin of support vector machines."""

    def allowance(self, targets: np.ndarray) -> float:
        """1e-8 of the margin, for rounding."""
        return 1e-8


def _check_tolerance(tolerance: float) -> None:
    if not 0 <= tolerance < np.inf:
        raise ValueError(f"tolerance must be a number ≥ 0, in the targets' units, got {tolerance!r}.")
