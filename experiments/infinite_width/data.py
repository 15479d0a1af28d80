"""The data sets, scaled into the unit ball, where the kernels live."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import ridgesplines as rs

# Within the domain |x| ≤ 1 of the uniform kernel.
_RADIUS = 0.9


class Scaled(NamedTuple):
    """Inputs (N, d) in the ball of radius 0.9, targets (N,) of mean 0 and variance 1, and a grid (n, d) among them."""

    x: np.ndarray
    y: np.ndarray
    grid: np.ndarray


def load(name: str) -> Scaled:
    """`motorcycle` (133 × 1) or `elevation` (400 × 2)."""
    x, y = rs.datasets.motorcycle() if name == "motorcycle" else rs.datasets.elevation()
    low, high = x.min(axis=0), x.max(axis=0)
    x = x - (low + high) / 2
    x = x * (_RADIUS / np.linalg.norm(x, axis=1).max())
    steps = 200 if x.shape[1] == 1 else 30
    axes = [np.linspace(a, b, steps) for a, b in zip(x.min(axis=0), x.max(axis=0), strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, x.shape[1])
    return Scaled(x, (y - y.mean()) / y.std(), grid)
