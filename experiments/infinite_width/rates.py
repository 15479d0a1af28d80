"""How fast distances fall with the width."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Rate(NamedTuple):
    """The slope of log distance over log width, and its standard error over the seeds."""

    slope: float
    error: float

    def __str__(self) -> str:
        return f"{self.slope:.3f} ± {self.error:.3f}"


def fitted_rate(widths: np.ndarray, distances: np.ndarray) -> Rate:
    """One line through each row of `distances` (seeds, widths): the mean of their slopes and its standard error."""
    slopes = np.polyfit(np.log(widths), np.log(distances).T, 1)[0]
    return Rate(float(slopes.mean()), float(slopes.std(ddof=1) / np.sqrt(len(slopes))))


def root_mean_square(values: np.ndarray) -> float:
    """√ of the mean of squares."""
    return float(np.sqrt(np.mean(values**2)))
