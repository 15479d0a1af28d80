"""The sums of the uniform kernel in space, the plane and on the line: one square root for each pair, on all cores."""

from __future__ import annotations

import math

import numpy as np

from ridgesplines.oracles.compilation import compiled_sums
from ridgesplines.oracles.threads import in_threads


def uniform_sum(
    radius: float, centres: np.ndarray, coefficients: np.ndarray, x: np.ndarray, *, gradients: bool
) -> np.ndarray:
    """What `kernels.hermite_sum` says, (n, d + 1), for `UniformKernel(2, radius)` and d ≤ 3; without gradients (n, 1).

    The expansion costs one pass over the centres: its values and gradients are combinations of |r| and 1/|r|.
    """
    count, dimension = x.shape
    size = coefficients.size // max(1, len(centres))
    sources = np.zeros((7, len(centres)))
    sources[:dimension] = centres.T
    sources[3] = coefficients.reshape(len(centres), size)[:, 0]
    if size > 1:
        sources[4 : 4 + dimension] = coefficients[:, 1:].T
    targets = np.zeros((3, count))
    targets[:dimension] = x.T
    sums = np.zeros((4, count))
    in_threads(lambda start, stop: _cubic(sources, targets, sums, start, stop, gradients, size > 1), count)

    moment = math.gamma(dimension / 2) / (math.sqrt(math.pi) * math.gamma((dimension + 3) / 2))
    total, mean = sources[3].sum(), sources[:dimension] @ sources[3] + sources[4 : 4 + dimension].sum(axis=1)
    result = (moment / (24 * radius)) * sums[: dimension + 1 if gradients else 1].T
    result[:, 0] += radius**2 / 6 * total + x @ mean / (2 * dimension)
    if gradients:
        result[:, 1:] += mean / (2 * dimension)
    return result


@compiled_sums
def _cubic(sources, targets, sums, start, stop, gradients, oriented):  # type: ignore[no-untyped-def]
    """Σ_j c |r|³ + 3 |r| g·(z − x) and its gradient, at the targets from `start` to `stop`."""
    zx, zy, zz, c = sources[0], sources[1], sources[2], sources[3]
    gx, gy, gz = sources[4], sources[5], sources[6]
    for i in range(start, stop):
        x, y, z = targets[0, i], targets[1, i], targets[2, i]
        value = 0.0
        if not gradients:
            if oriented:
                for j in range(len(c)):
                    rx, ry, rz = zx[j] - x, zy[j] - y, zz[j] - z
                    square = rx * rx + ry * ry + rz * rz
                    value += math.sqrt(square) * (c[j] * square + 3 * (gx[j] * rx + gy[j] * ry + gz[j] * rz))
            else:
                for j in range(len(c)):
                    rx, ry, rz = zx[j] - x, zy[j] - y, zz[j] - z
                    square = rx * rx + ry * ry + rz * rz
                    value += math.sqrt(square) * c[j] * square
            sums[0, i] = value
            continue
        sx, sy, sz = 0.0, 0.0, 0.0
        for j in range(len(c)):
            rx, ry, rz = zx[j] - x, zy[j] - y, zz[j] - z
            square = rx * rx + ry * ry + rz * rz
            r = math.sqrt(square)
            # Where the points coincide, g·r is 0, and so is the quotient.
            slope = 3 * (gx[j] * rx + gy[j] * ry + gz[j] * rz)
            quotient = slope / max(r, 1e-300)
            value += r * (c[j] * square + slope)
            along = quotient + 3 * c[j] * r
            sx -= along * rx + 3 * r * gx[j]
            sy -= along * ry + 3 * r * gy[j]
            sz -= along * rz + 3 * r * gz[j]
        sums[0, i], sums[1, i], sums[2, i], sums[3, i] = value, sx, sy, sz
