"""Runs of neighbouring slope changes of one sign, and the knots that they ask for."""

from __future__ import annotations

import numpy as np


def sign_runs(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The lengths of the maximal runs of neighbouring slope changes of one sign of the function that connects the dots.

    A slope change of zero ends a run and is in none.

    Args:
        x: different points, ascending, (n,).
        values: there, (n,).
    """
    signs = np.sign(np.diff(np.diff(values) / np.diff(x)))
    starts = np.flatnonzero(np.append(True, signs[1:] != signs[:-1])) if len(signs) else np.zeros(0, dtype=int)
    lengths = np.diff(np.append(starts, len(signs)))
    return lengths[signs[starts] != 0]


def knots_by_formula(x: np.ndarray, values: np.ndarray) -> int:
    """Σ ⌈p/2⌉ over the runs: the fewest knots of an interpolant of least TV(f').

    Source: debarre_2022.
    """
    return int(np.sum((sign_runs(x, values) + 1) // 2))
