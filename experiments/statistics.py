"""Slopes of averages over seeds, with standard errors."""

from __future__ import annotations

import numpy as np

from experiments.infinite_width.rates import Rate


def rate_of_means(sizes: np.ndarray, values: np.ndarray) -> Rate:
    """The slope of log mean value over log size, and its standard error by the jackknife.

    The logarithm is taken of the mean over the seeds, not the other way round: where the mean is a power of the size,
    this has its exponent, whatever the distribution of the values is, and that may change with the size.

    Args:
        sizes: (L,).
        values: positive, (seeds, L), rows independent of each other.
    """
    count = len(values)
    total = values.sum(axis=0)

    def slope(means: np.ndarray) -> np.ndarray:
        return np.polyfit(np.log(sizes), np.log(means).T, 1)[0]

    left_out = slope((total - values) / (count - 1))
    error = np.sqrt((count - 1) * np.mean((left_out - left_out.mean()) ** 2))
    return Rate(float(slope(total[None] / count)[0]), float(error))
