"""The functions to be estimated, of bounded RTV² on the unit ball, their data, and errors over the ball."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# RTV² of every target.
SIZE = 4.0


def network_rate(dimension: int) -> float:
    """−(d + 3) / (2d + 3): the exponent of N in the mean squared error of certified fits, up to logarithms.

    Source: parhi_nowak_2023, the upper bound, and the lower bound for every method.
    """
    return -(dimension + 3) / (2 * dimension + 3)


def linear_rate(dimension: int) -> float:
    """−3 / (d + 3): no linear method, kernels among them, has a smaller exponent for all functions of the class.

    Source: parhi_nowak_2023.
    """
    return -3 / (dimension + 3)


def hard_width(count: int, dimension: int, scale: float) -> int:
    """`scale` · N^(d / (2d + 3)), rounded: so many neurons make a function hardest to estimate from N data.

    With random signs such functions of one RTV² have squares of about K^(−(d+3)/d); where N data with noise can no
    longer tell the K signs, which is where that meets K / N, the error left is N^(−(d+3)/(2d+3)).
    """
    return max(1, round(scale * count ** (dimension / (2 * dimension + 3))))


def neurons(rng: np.random.Generator, kind: str, count: int, dimension: int, scale: float) -> tuple[np.ndarray, ...]:
    """Weights (K, d), biases (K,) and coefficients (K,), Σ |v| = SIZE.

    Args:
        rng: of random numbers.
        kind: "kink", one neuron across the middle of the ball, the same for every N; or "hard", as many as make N data
            insufficient, with random signs, directions and offsets spread evenly.
        count: N.
        dimension: d.
        scale: of the number of hard neurons.
    """
    if kind == "kink":
        direction = rng.standard_normal(dimension)
        return direction[None] / np.linalg.norm(direction), rng.uniform(-0.3, 0.3, 1), np.array([SIZE])
    width = hard_width(count, dimension, scale)
    if dimension == 1:
        weights, biases = np.ones((width, 1)), -1 + 2 * (np.arange(width) + rng.uniform()) / width
    else:
        # A lattice of the golden ratio is even over angles and offsets.
        places = (np.arange(width) * (np.sqrt(5) - 1) / 2 + rng.uniform()) % 1
        angles = np.pi * places
        weights = np.column_stack([np.cos(angles), np.sin(angles)])
        biases = 0.8 * (-1 + 2 * (rng.permutation(width) + rng.uniform(size=width)) / width)
    return weights, biases, SIZE / width * rng.choice([-1.0, 1.0], width)


def draw_target(
    rng: np.random.Generator, kind: str, count: int, dimension: int, scale: float
) -> Callable[[np.ndarray], np.ndarray]:
    """The target as a function of points (n, d): see `neurons`."""
    weights, biases, coefficients = neurons(rng, kind, count, dimension, scale)
    return lambda x: np.maximum(x @ weights.T - biases, 0) @ coefficients


def draw_data(
    kind: str, count: int, dimension: int, scale: float, noise: float, seed: int
) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray, np.ndarray]:
    """The target of a seed, see `draw_target`, and N points of the ball (N, d) with its noisy values there (N,)."""
    target = draw_target(np.random.default_rng(seed), kind, count, dimension, scale)
    rng = np.random.default_rng([seed, count, dimension])
    x = uniform_in_ball(rng, count, dimension)
    return target, x, target(x) + noise * rng.standard_normal(count)


def uniform_in_ball(rng: np.random.Generator, count: int, dimension: int) -> np.ndarray:
    """Points uniform in the unit ball, (n, d)."""
    points = rng.standard_normal((count, dimension))
    return points * (rng.uniform(size=count) ** (1 / dimension) / np.linalg.norm(points, axis=1))[:, None]


def points_of_ball(count: int, dimension: int) -> np.ndarray:
    """Points to average over the unit ball with, about `count` of them: midpoints on the line, a spiral in the disc."""
    places = (np.arange(count) + 0.5) / count
    if dimension == 1:
        return (2 * places - 1)[:, None]
    angles = np.arange(count) * np.pi * (3 - np.sqrt(5))
    return np.sqrt(places)[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
