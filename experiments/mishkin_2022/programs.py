"""The convex programs of given activation patterns: with the cones of ReLU networks, or without (gated networks)."""

from __future__ import annotations

from typing import Any

import cvxpy
import numpy as np

_TOLERANCES = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-10)


def relu_program(inputs: np.ndarray, targets: np.ndarray, strength: float, patterns: np.ndarray) -> float:
    """min ½ ‖Σ_i D_i X (v_i − w_i) − y‖² + λ Σ_i (‖v_i‖ + ‖w_i‖) over v_i, w_i in the cone (2 D_i − 1) X u ≥ 0.

    The least objective of ReLU networks whose neurons have only these activation patterns.

    Args:
        inputs: X, (N, r), a column of ones in it if there are biases.
        targets: y, (N,).
        strength: λ.
        patterns: D, (P, N) of bool.

    Source: pilanci_ergen_2020; mishkin_2022 for sampled patterns.
    """
    signed = [cvxpy.Variable((inputs.shape[1], len(patterns))) for _ in range(2)]
    signs = np.where(patterns, 1.0, -1.0).T
    cones = [cvxpy.multiply(signs, inputs @ variable) >= 0 for variable in signed]
    fit = cvxpy.sum(cvxpy.multiply(patterns.T.astype(float), inputs @ (signed[0] - signed[1])), axis=1)
    return _least(fit, targets, strength, signed, cones)


def gated_program(inputs: np.ndarray, targets: np.ndarray, strength: float, patterns: np.ndarray) -> float:
    """`relu_program` without its cones: min ½ ‖Σ_i D_i X u_i − y‖² + λ Σ_i ‖u_i‖, never more.

    The least objective of gated networks, whose neurons are linear where their gate is open.

    Source: mishkin_2022.
    """
    variable = cvxpy.Variable((inputs.shape[1], len(patterns)))
    fit = cvxpy.sum(cvxpy.multiply(patterns.T.astype(float), inputs @ variable), axis=1)
    return _least(fit, targets, strength, [variable], [])


def _least(fit: Any, targets: np.ndarray, strength: float, groups: list[cvxpy.Variable], cones: list) -> float:
    cost = sum(cvxpy.sum(cvxpy.norm(group, 2, axis=0)) for group in groups)
    program = cvxpy.Problem(cvxpy.Minimize(0.5 * cvxpy.sum_squares(fit - targets) + strength * cost), cones)
    program.solve(solver="CLARABEL", **_TOLERANCES)
    value: Any = program.value
    if value is None:
        raise np.linalg.LinAlgError(f"Clarabel found no solution ({program.status}).")
    return float(value)


def patterns_of(inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The activation patterns of neurons (K, r), (at most K, N) of bool; data on a hyperplane count as active."""
    heights = inputs @ weights.T
    rounding = 1e-9 * np.linalg.norm(inputs, axis=1)[:, None] * np.linalg.norm(weights, axis=1)
    return np.unique((heights >= -rounding).T, axis=0)
