"""Standardised inputs and targets, and the way back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ridgesplines.spline import RidgeSpline


@dataclass(frozen=True)
class Scaling:
    """The change of variables x' = (x − centre) / spread in each input, and the same for the target.

    Attributes:
        centre: of each input.
        spread: of each input, positive.
        target_centre: of the target.
        target_spread: of the target, positive.
    """

    centre: tuple[float, ...]
    spread: tuple[float, ...]
    target_centre: float
    target_spread: float

    @classmethod
    def standard(cls, x: np.ndarray, y: np.ndarray) -> Scaling:
        """Means and standard deviations of x (N, d) and y (N,); a constant column keeps its unit."""
        spread, target_spread = x.std(axis=0), float(y.std())
        return cls(
            tuple(x.mean(axis=0).tolist()),
            tuple(np.where(spread > 0, spread, 1.0).tolist()),
            float(y.mean()),
            target_spread if target_spread > 0 else 1.0,
        )

    def apply(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standardised inputs (N, d) and targets (N,)."""
        return (x - np.array(self.centre)) / np.array(self.spread), (y - self.target_centre) / self.target_spread

    def undo(self, spline: RidgeSpline) -> RidgeSpline:
        """The spline in original units that belongs to `spline` in standardised ones."""
        centre, spread = np.array(self.centre), np.array(self.spread)
        return _shift(spline.compose(np.diag(1 / spread), -centre / spread) * self.target_spread, self.target_centre)

    def redo(self, spline: RidgeSpline) -> RidgeSpline:
        """The spline in standardised units that belongs to `spline` in original ones."""
        moved = spline.compose(np.diag(np.array(self.spread)), np.array(self.centre))
        return _shift(moved, -self.target_centre) / self.target_spread

    def to_json(self) -> dict[str, Any]:
        """The numbers by name, as files store them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Scaling:
        """What `to_json` gave.

        Raises:
            ValueError: if it is damaged.
        """
        try:
            centre, spread = (tuple(float(value) for value in values[name]) for name in ("centre", "spread"))
            return cls(centre, spread, float(values["target_centre"]), float(values["target_spread"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("the saved scaling of the units is damaged.") from error

    def revert(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (N, d) and targets (N,) in original units; undoes `apply`."""
        return x * np.array(self.spread) + np.array(self.centre), y * self.target_spread + self.target_centre


def _shift(spline: RidgeSpline, constant: float) -> RidgeSpline:
    coefficients = np.array(spline.polynomial.coefficients)
    coefficients[0] += constant
    return RidgeSpline(spline.weights, spline.biases, spline.coefficients, coefficients, spline.order)
