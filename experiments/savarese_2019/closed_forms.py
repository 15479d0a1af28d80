"""What functions of one input cost, by formula and by a linear program that knows nothing of ridge splines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import linprog
from scipy.special import expit


def function_cost(bending: float, slopes: float) -> float:
    """max(∫ |f''|, |f'(−∞) + f'(∞)|): the least Σ |v_k| ‖w_k‖ of networks of f, constants and biases free.

    Source: savarese_2019.
    """
    return max(bending, abs(slopes))


def interpolation_cost(x: np.ndarray, y: np.ndarray) -> float:
    """The least of that over all interpolants of data (N,), ascending.

    With the slope changes T of the function that connects the dots, in all, and its outer slopes S, in sum, an
    interpolant that also bends by δ outside of the data costs max(T + δ, |S| − δ), and nothing else helps:
    max(T, (T + |S|) / 2).
    """
    chords = np.diff(y) / np.diff(x)
    bending, outer = float(np.abs(np.diff(chords)).sum()), float(abs(chords[0] + chords[-1]))
    return max(bending, 0.5 * (bending + outer))


def programmed_cost(x: np.ndarray, y: np.ndarray, knots: np.ndarray) -> float:
    """The least Σ |v_k| of networks Σ_k v_k max(±(x − knots_k), 0) + c through data (N,): a linear program."""
    heights = x[:, None] - knots
    columns = np.concatenate([np.maximum(heights, 0.0), np.maximum(-heights, 0.0)], axis=1)
    matrix = np.column_stack([columns, -columns, np.ones(len(x))])
    cost = np.append(np.ones(2 * columns.shape[1]), 0.0)
    bounds = [(0, None)] * (len(cost) - 1) + [(None, None)]
    program = linprog(cost, A_eq=matrix, b_eq=y, bounds=bounds, method="highs-ds")
    if program.status != 0:
        raise RuntimeError(f"HiGHS did not solve the linear program of a cost: {program.message}")
    return float(program.fun)


def _hill(x: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * x**2)


# Smooth functions by name: values, ∫ |f''|, and f'(−∞) + f'(∞).
SMOOTH: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float, float]] = {
    "hill": (_hill, 4 * float(np.exp(-0.5)), 0.0),
    "tilted hill": (lambda x: _hill(x) + 2 * x, 4 * float(np.exp(-0.5)), 4.0),
    "softplus": (lambda x: np.logaddexp(0.0, x), 1.0, 1.0),
    "step": (lambda x: expit(2 * x), 1.0, 0.0),
    "rounded corner": (lambda x: np.sqrt(1 + x**2), 2.0, 0.0),
}
