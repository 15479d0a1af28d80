"""From the last iterate of an interior point to a spline with few knots: which bounds are met, and the fit on those."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.losses import Loss
from ridgesplines.solvers.line.sweeps import GAINS, factorize, sweep


@dataclass(frozen=True)
class BrokenLine:
    """A broken line by its values and slope changes at all points.

    Attributes:
        values: t, (n,).
        kinks: a, (n,), zero where it does not bend and at both ends.
        slope: the first slope.
    """

    values: np.ndarray
    kinks: np.ndarray
    slope: float


def minimise(
    points: np.ndarray, curvature: np.ndarray, pull: np.ndarray, price: np.ndarray, bend: np.ndarray
) -> BrokenLine:
    """min Σ ½ q t² − l t + Σ ½ w a² − e a over broken lines; see `sweeps`."""
    count = len(points)
    gains, work = np.zeros((count, GAINS)), np.zeros((count, 2))
    values, kinks = np.zeros(count), np.zeros(count)
    factorize(np.diff(points), curvature, price, gains)
    slope = sweep(np.diff(points), gains, pull, bend, values, kinks, work)
    return BrokenLine(values, kinks, slope)


def project(line: BrokenLine, points: np.ndarray, weights: np.ndarray, active: np.ndarray) -> BrokenLine:
    """The line nearest to `line` that bends at `active` points only: least squares of the values with `weights`.

    Where those do not determine it, the slope changes stay near what they were.
    """
    # Small beside the least that a value weighs over the whole line.
    extent = points[-1] - points[0]
    light = 1e-12 * float(weights.max(initial=0.0)) * extent**2 or 1.0
    price = np.where(active, light, np.inf)
    # In terms of what is missing, so that it rounds like the difference.
    start = BrokenLine(*_integral(points, line.values[0], line.slope, np.where(active, line.kinks, 0.0)))
    missing = line.values - start.values
    for _ in range(2):
        change = minimise(points, weights, weights * missing, price, np.zeros(len(points)))
        start = BrokenLine(start.values + change.values, start.kinks + change.kinks, start.slope + change.slope)
        missing = missing - change.values
    return start


def _integral(
    points: np.ndarray, start: float, slope: float, kinks: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    slopes = slope + np.cumsum(kinks)[:-1]
    return start + np.append(0.0, np.cumsum(slopes * np.diff(points))), kinks, slope


def fit_smooth(
    line: BrokenLine,
    points: np.ndarray,
    group: np.ndarray,
    loss: Loss,
    targets: np.ndarray,
    weights: np.ndarray,
    limit: float,
    signs: np.ndarray,
) -> BrokenLine:
    """Newton's method for Σ s ℓ(y, t) + λ Σ sign_k a_k over broken lines with kinks where `signs` is not zero.

    With the signs and kinks of the optimum this is the optimum: a linear system for the squared loss.
    """
    count = len(points)
    best, decrease = line, np.inf
    for _ in range(30):
        t = line.values[group]
        slope = np.bincount(group, weights * loss.derivative(targets, t), minlength=count)
        curvature = np.bincount(group, weights * loss.curvature(targets, t), minlength=count)
        # A proximal term where the loss is flat: it moves the way to the optimum, not the optimum.
        flat = not curvature.min() > 0
        light = 1e-9 * float(curvature.max()) * (points[-1] - points[0]) ** 2 if flat else 0.0
        if flat:
            curvature = curvature + 1e-12 * curvature.max()
        price = np.where(signs != 0, light, np.inf)
        change = minimise(points, curvature, -slope, price, -limit * signs)
        # Newton's decrement: the slope along the step.
        size = -float(slope @ change.values + limit * (signs @ change.kinks))
        line = BrokenLine(line.values + change.values, line.kinks + change.kinks, line.slope + change.slope)
        if not np.isfinite(line.values).all() or not size < 4 * decrease:
            return best
        best = line
        if size <= 1e-20 * abs(limit * float(signs @ line.kinks)):
            break
        decrease = size
    return best
