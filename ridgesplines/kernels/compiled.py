"""Sums of the uniform and the Gaussian kernel to three dimensions: one root for each pair, on all cores."""

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
    sources, targets, sums = _rows(centres, coefficients, x)
    oriented = coefficients.ndim > 1
    in_threads(lambda start, stop: _cubic(sources, targets, sums, start, stop, gradients, oriented), count)

    moment = math.gamma(dimension / 2) / (math.sqrt(math.pi) * math.gamma((dimension + 3) / 2))
    total, mean = sources[3].sum(), sources[:dimension] @ sources[3] + sources[4 : 4 + dimension].sum(axis=1)
    result = (moment / (24 * radius)) * sums[: dimension + 1 if gradients else 1].T
    result[:, 0] += radius**2 / 6 * total + x @ mean / (2 * dimension)
    if gradients:
        result[:, 1:] += mean / (2 * dimension)
    return result


def gaussian_sum(
    weight_variance: float,
    bias_variance: float,
    centres: np.ndarray,
    coefficients: np.ndarray,
    x: np.ndarray,
    *,
    gradients: bool,
) -> np.ndarray:
    """What `kernels.hermite_sum` says, (n, d + 1), for `GaussianKernel(2, …)` and d ≤ 3; without gradients (n, 1).

    With X = [s z; t], Y = [s x; t], C their wedge and θ their angle, each centre's part is, by 2π, α C + (π − θ) G·Y
    for α = c + s g·X/|X|² and G = c X + s g: one root and one arc tangent.
    """
    count, dimension = x.shape
    scale = math.sqrt(weight_variance)
    sources, targets, sums = _rows(scale * centres, coefficients, scale * x)
    sources[4:] *= scale
    in_threads(lambda start, stop: _wedges(sources, targets, bias_variance, sums, start, stop, gradients), count)
    result = sums[: dimension + 1 if gradients else 1].T / (2 * math.pi)
    result[:, 1:] *= scale
    return result


def _rows(centres: np.ndarray, coefficients: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres with c and g as seven rows, points as three, zeros where there is no such coordinate; room for sums."""
    dimension = x.shape[1]
    sources, targets = np.zeros((7, len(centres))), np.zeros((3, len(x)))
    sources[:dimension] = centres.T
    rows = coefficients.reshape(len(centres), -1) if len(centres) else np.zeros((0, 1))
    sources[3] = rows[:, 0]
    sources[4 : 3 + rows.shape[1]] = rows[:, 1:].T
    targets[:dimension] = x.T
    return sources, targets, np.zeros((4, len(x)))


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


@compiled_sums
def _wedges(sources, targets, level, sums, start, stop, gradients):  # type: ignore[no-untyped-def]
    """Σ_j α C + (π − θ) G·Y and its gradient, at the targets from `start` to `stop`; `level` is t²."""
    zx, zy, zz, c = sources[0], sources[1], sources[2], sources[3]
    gx, gy, gz = sources[4], sources[5], sources[6]
    for i in range(start, stop):
        x, y, z = targets[0, i], targets[1, i], targets[2, i]
        here = x * x + y * y + z * z + level
        by_here = 1 / here if here > 0 else 0.0
        value, sx, sy, sz = 0.0, 0.0, 0.0, 0.0
        for j in range(len(c)):
            px, py, pz = zx[j], zy[j], zz[j]
            rx, ry, rz = x - px, y - py, z - pz
            there = px * px + py * py + pz * pz + level
            by_there = 1 / there if there > 0 else 0.0
            along = gx[j] * px + gy[j] * py + gz[j] * pz
            dot = px * x + py * y + pz * z + level
            # No digits cancel in the cross product of a point and a difference.
            wx, wy, wz = py * rz - pz * ry, pz * rx - px * rz, px * ry - py * rx
            wedge = math.sqrt(level * (rx * rx + ry * ry + rz * rz) + wx * wx + wy * wy + wz * wz)
            rest = math.atan2(wedge, -dot)
            pull = gx[j] * x + gy[j] * y + gz[j] * z
            value += (c[j] + along * by_there) * wedge + rest * (c[j] * dot + pull)
            if gradients:
                # Where the points coincide, what is divided is 0, and so are the quotients.
                inverse = 1 / max(wedge, 1e-300)
                step = gx[j] * rx + gy[j] * ry + gz[j] * rz
                ahead, behind = x * rx + y * ry + z * rz, px * rx + py * ry + pz * rz
                of_target = (pull * ahead * by_here - step) * inverse + c[j] * wedge * by_here
                of_source = (step - along * behind * by_there) * inverse + c[j] * rest
                sx += of_target * x + of_source * px + rest * gx[j]
                sy += of_target * y + of_source * py + rest * gy[j]
                sz += of_target * z + of_source * pz + rest * gz[j]
        sums[0, i], sums[1, i], sums[2, i], sums[3, i] = value, sx, sy, sz
