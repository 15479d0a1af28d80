"""Choosing the strength λ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold

from ridgesplines.measurements import Samples
from ridgesplines.polynomials import monomial_count
from ridgesplines.problem import Problem
from ridgesplines.progress import Progress
from ridgesplines.regularizers import RadonTV, Regularizer
from ridgesplines.solvers.column_generation import ColumnGeneration
from ridgesplines.spline import RidgeSpline

# Stop the path when the error has been this much above the best for so many strengths in a row.
_WORSE, _PATIENCE = 1.01, 3


@dataclass(frozen=True, eq=False)
class StrengthSelection:
    """Cross-validation errors over a path of strengths.

    Attributes:
        strengths: falling, from the λ_max of all data; as far as the path was followed.
        errors: the mean squared error on held-out data, per strength, averaged over data.
        standard_errors: of `errors`, over folds.
        strength: the one with the least error.
        folds: how many parts the data were cut into.
        interrupted: whether Ctrl-C cut the path short.
    """

    strengths: np.ndarray
    errors: np.ndarray
    standard_errors: np.ndarray
    strength: float
    folds: int
    interrupted: bool


def select_strength(
    measurements: Samples,
    targets: np.ndarray,
    *,
    regularizer: Regularizer | None = None,
    folds: int = 5,
    count: int = 30,
    ratio: float = 1e-4,
    gap: float = 1e-3,
    seed: int = 0,
    progress: bool | None = None,
) -> StrengthSelection:
    """Choose λ for the squared loss by cross-validation over a geometric path, warm started from λ_max down.

    A training part of n of N data is fitted with λ n/N, because the loss is a sum over the data. The path ends early
    once the error has risen well above its minimum.

    Args:
        measurements: `Samples(x)`, x (N, d).
        targets: (N,).
        regularizer: `RadonTV()` by default.
        folds: parts to hold out in turn, at least 2.
        count: the number of strengths, from λ_max to `ratio` · λ_max.
        ratio: the smallest strength over λ_max.
        gap: the relative gap of the fits; they are compared, not kept.
        seed: of the random parts.
        progress: show a line of progress; None shows it on a terminal.

    Returns:
        A `StrengthSelection`; on Ctrl-C, of the strengths tried by then.

    Raises:
        ValueError: if a number is out of range or the data are too few to hold a part out, or as `Problem` does.
        KeyboardInterrupt: if interrupted before the first strength was done.
    """
    regularizer = RadonTV() if regularizer is None else regularizer
    whole = Problem(measurements, targets, regularizer=regularizer, strength=1.0)
    if folds < 2 or folds > whole.measurements.count:
        raise ValueError(f"folds must be between 2 and the number of data, {measurements.count}, got {folds}.")
    smallest = measurements.count - -(-measurements.count // folds)
    if smallest < (free := monomial_count(measurements.dimension, regularizer.degree)):
        raise ValueError(
            f"{measurements.count} data are too few to hold out one part in {folds}: {free} must remain in dimension "
            f"{measurements.dimension}; give a strength instead."
        )
    if count < 2 or not 0 < ratio < 1:
        raise ValueError(f"count must be at least 2 and ratio between 0 and 1, got {count} and {ratio}.")
    x, y = measurements.points, whole.targets
    top = whole.strength_max
    if not top > 0:
        raise ValueError("the targets are a polynomial of the inputs up to rounding: every strength fits them exactly.")
    strengths = top * np.geomspace(1.0, ratio, count)
    parts = list(KFold(folds, shuffle=True, random_state=seed).split(x))
    sizes = np.array([len(test) for _, test in parts])
    squares: list[list[float]] = []
    means = np.zeros(0)
    starts: list[RidgeSpline | None] = [None] * folds
    interrupted = False
    with Progress(progress) as show:
        try:
            for i, strength in enumerate(strengths):
                row = []
                for j, (train, test) in enumerate(parts):
                    part = f"part {j + 1} of {folds}"
                    show(f"choosing the strength: {i + 1} of at most {count} (λ = {strength:.3g}), {part}")
                    scaled = strength * len(train) / len(x)
                    problem = Problem(Samples(x[train]), y[train], regularizer=regularizer, strength=scaled)
                    spline = ColumnGeneration(gap=gap, start=starts[j]).approximate(problem)
                    starts[j] = spline
                    row.append(float(np.mean((spline(x[test]) - y[test]) ** 2)))
                squares.append(row)
                means = np.array(squares) @ sizes / sizes.sum()
                if len(means) > _PATIENCE and (means[-_PATIENCE:] > _WORSE * means.min()).all():
                    break
        except KeyboardInterrupt:
            if not squares:
                raise
            interrupted = True
    return StrengthSelection(
        strengths=strengths[: len(means)],
        errors=means,
        standard_errors=np.std(squares, axis=1, ddof=1)[: len(means)] / np.sqrt(folds),
        strength=float(strengths[int(np.argmin(means))]),
        folds=folds,
        interrupted=interrupted,
    )
