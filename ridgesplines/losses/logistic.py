"""The logistic loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import entr, expit

from ridgesplines.arrays import namespace
from ridgesplines.losses.protocol import LabelLoss, SmoothLoss


@dataclass(frozen=True)
class LogisticLoss(LabelLoss, SmoothLoss):
    """Σ_n log(1 + exp(−y_n t_n)) for labels y = ±1: t is the log odds of the label +1.

    Its dual variable is z = y p with p = 1 / (1 + exp(y t)), the probability that the model gives to the wrong label.
    """

    def value(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """log(1 + exp(−y t)), without overflow."""
        return namespace(targets, predictions).logaddexp(0.0, -targets * predictions)

    def derivative(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """−y / (1 + exp(y t))."""
        return -targets * expit(-targets * predictions)

    def curvature(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """p (1 − p)."""
        return expit(predictions) * expit(-predictions)

    def conjugate(self, targets: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """p log p + (1 − p) log(1 − p) with p = −y u in [0, 1]."""
        p = -targets * slopes
        # scipy's entr is −∞ below zero, which is the constraint.
        return -(entr(p) + entr(1.0 - p))

    def conjugate_domain(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """−y u in [0, 1]."""
        return np.where(targets > 0, -1.0, 0.0), np.where(targets > 0, 0.0, 1.0)

    def conjugate_derivative(self, targets: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """y log((1 − p) / p)."""
        p = -targets * slopes
        with np.errstate(divide="ignore"):
            return targets * (np.log1p(-p) - np.log(p))

    def cvxpy_expression(
        self, targets: np.ndarray, predictions: Any, weights: np.ndarray | float = 1.0
    ) -> tuple[Any, list[Any]]:
        """The sum of cvxpy's logistic, no constraint."""
        import cvxpy  # heavy, and only the reference programs need it

        return cvxpy.sum(cvxpy.multiply(weights, cvxpy.logistic(-cvxpy.multiply(targets, predictions)))), []
