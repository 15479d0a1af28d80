"""Losses: how far measurements may be from the data, and at what price. All are sums over the data, never means."""

from ridgesplines.losses.logistic import LogisticLoss
from ridgesplines.losses.piecewise_linear import (
    AbsoluteLoss,
    EpsilonInsensitiveLoss,
    HardMargin,
    HingeLoss,
    Interpolation,
    IntervalConstraint,
    PiecewiseLinearLoss,
    QuantileLoss,
)
from ridgesplines.losses.protocol import LabelLoss, Loss
from ridgesplines.losses.quadratic import HuberLoss, SquaredHingeLoss, SquaredLoss

__all__ = [
    "AbsoluteLoss",
    "EpsilonInsensitiveLoss",
    "HardMargin",
    "HingeLoss",
    "HuberLoss",
    "Interpolation",
    "IntervalConstraint",
    "LabelLoss",
    "LogisticLoss",
    "Loss",
    "PiecewiseLinearLoss",
    "QuantileLoss",
    "SquaredHingeLoss",
    "SquaredLoss",
]
