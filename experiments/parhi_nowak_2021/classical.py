"""On the line: the locally adaptive splines of orders 2, 3 and 4, by programs that know nothing of ridge splines."""

from __future__ import annotations

import math
import warnings
from typing import Any

import cvxpy
import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.style import figure_style, label_decades, new_figure

_GAP = 1e-9


def data(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points in [0, 1], ascending, and a wave that gets faster, with noise."""
    rng = np.random.default_rng([2021, count, seed])
    x = np.sort(rng.uniform(0, 1, count))
    return x, np.sin(2 * np.pi * (x + 0.3) ** 2 * 2) + 0.15 * rng.standard_normal(count)


def spline_by_program(
    x: np.ndarray, y: np.ndarray, order: int, strength: float, knots: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """min ½ Σ (f(x_n) − y_n)² + λ TV(f^(m−1)) over splines of order m with these knots, by cvxpy and Clarabel.

    Args:
        x: the data, (N,).
        y: the targets, (N,).
        order: m.
        strength: λ.
        knots: (K,).

    Returns:
        The jumps of the (m−1)-th derivative (K,), the coefficients of 1, x, … x^(m−1), and the objective that they
        have, which is attained whatever the solver's tolerance.
    """
    degree = order - 1
    neurons = np.maximum(x[:, None] - knots, 0.0) ** degree / math.factorial(degree)
    powers = x[:, None] ** np.arange(order)
    jumps, coefficients = cvxpy.Variable(len(knots)), cvxpy.Variable(order)
    rest = cvxpy.Variable(len(x))
    objective = 0.5 * cvxpy.sum_squares(rest) + strength * cvxpy.norm1(jumps)
    program = cvxpy.Problem(cvxpy.Minimize(objective), [rest == neurons @ jumps + powers @ coefficients - y])
    with warnings.catch_warnings():
        # Clarabel stops where rounding stops it, and the objective is that of what it found.
        warnings.filterwarnings("ignore", "Solution may be inaccurate")
        program.solve(solver=cvxpy.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    found, free = np.asarray(jumps.value), np.asarray(coefficients.value)
    attained = 0.5 * np.sum((neurons @ found + powers @ free - y) ** 2) + strength * np.abs(found).sum()
    return found, free, float(attained)


def parts(count: int, seeds: int, fraction: float, knots: list[int]) -> list[dict[str, Any]]:
    return [
        {"count": count, "seed": seed, "order": order, "fraction": fraction, "knots": knots}
        for order in (2, 3, 4)
        for seed in range(seeds)
    ]


def solve(count: int, seed: int, order: int, fraction: float, knots: list[int]) -> dict[str, Any]:
    x, y = data(count, seed)
    points, regularizer = rs.Samples(x[:, None]), rs.RadonTV(order)
    problem = rs.Problem(points, y, regularizer=regularizer, strength=1.0)
    problem = problem.with_strength(fraction * problem.strength_max)
    strength = problem.dual_limit
    solution = rs.solve(problem, rs.ColumnGeneration(gap=_GAP), progress=False)
    fine = np.linspace(x[0], x[-1], 500)
    found: dict[str, Any] = {"gap": solution.certificate.relative_gap, "proven": solution.certificate.kind == "exact"}
    found |= {"x": x, "y": y, "fine": fine, "curve": solution.spline(fine), "kinks": solution.spline.biases}
    residual = np.abs(solution.spline(x) - y)
    excesses, allowances, distances = [], [], []
    for number in knots:
        # Of order 2 the knots of the optimum are among the data.
        tried = np.union1d(np.linspace(0, 1, number + 1), x)
        jumps, free, attained = spline_by_program(x, y, order, strength, tried)
        excesses.append((attained - solution.objective) / solution.objective)
        # A knot may be shared by the two nearest ones tried: at the same cost, that moves values by at most an eighth
        # of the squared step times the second derivative of the neuron, which is 1 at most.
        moved = 0.0 if order == 2 else solution.certificate.regularization / (8 * number**2)
        allowances.append((residual.sum() * moved + 0.5 * count * moved**2) / solution.objective)
        curve = np.maximum(fine[:, None] - tried, 0.0) ** (order - 1) / math.factorial(order - 1) @ jumps
        curve = curve + fine[:, None] ** np.arange(order) @ free
        distances.append(np.abs(curve - solution.spline(fine)).max() / np.ptp(y))
        found["program_curve"] = curve
    found |= {"excesses": np.array(excesses), "allowances": np.array(allowances), "distances": np.array(distances)}
    if order == 2:
        line = rs.solve(problem, rs.LineSpline(gap=_GAP), progress=False)
        found["line_difference"] = abs(line.objective / solution.objective - 1)
        interpolant = rs.solve(rs.Problem(points, y, rs.Interpolation()), rs.ColumnGeneration(gap=_GAP), progress=False)
        changes = float(np.abs(np.diff(np.diff(y) / np.diff(x))).sum())
        found["interpolation"] = abs(interpolant.objective / changes - 1)
    return found


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    # What Clarabel leaves open.
    solved = 1e-9
    numbers = {
        "excess_over_allowance": float(
            max((np.maximum(row["excesses"] - solved, 0) / (row["allowances"] + 1e-300)).max() for row in found)
        ),
        "least_excess": float(min(row["excesses"].min() for row in found)),
        "largest_excess": float(max(row["excesses"][-1] for row in found)),
        "line_spline_difference": float(max(row.get("line_difference", 0.0) for row in found)),
        "interpolation_error": float(max(row.get("interpolation", 0.0) for row in found)),
        "largest_gap": float(max(row["gap"] for row in found)),
        "without_proof": float(sum(not row["proven"] for row in found)),
    }
    arrays: dict[str, np.ndarray] = {"knots": np.array(parts[0]["knots"], dtype=float)}
    for order in (2, 3, 4):
        rows = [row for part, row in zip(parts, found, strict=True) if part["order"] == order]
        numbers[f"excess_{order}"] = float(max(row["excesses"][-1] for row in rows))
        # Of order 2 there are many solutions.
        numbers[f"distance_{order}"] = float(max(row["distances"][-1] for row in rows))
        for name in ("x", "y", "fine", "curve", "kinks", "program_curve"):
            arrays[f"{name}_{order}"] = np.asarray(rows[0][name])
        arrays[f"excesses_{order}"] = np.array([row["excesses"] for row in rows])
        arrays[f"allowances_{order}"] = np.array([row["allowances"] for row in rows])
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    with figure_style():
        figure = new_figure(columns=2, height=2.7)
        axes = figure.subplots(1, 4, width_ratios=[1, 1, 1, 1.1])
        for ax, order in zip(axes, (2, 3, 4), strict=False):
            ax.plot(arrays[f"x_{order}"], arrays[f"y_{order}"], ".", color="0.7", markersize=2.5)
            ax.plot(arrays[f"fine_{order}"], arrays[f"program_curve_{order}"], color="C1", linewidth=2.4, alpha=0.6)
            ax.plot(arrays[f"fine_{order}"], arrays[f"curve_{order}"], color="C0", linewidth=0.9)
            ax.plot(arrays[f"kinks_{order}"], np.full(len(arrays[f"kinks_{order}"]), ax.get_ylim()[0]), "|", color="C0")
            ax.set(xlabel="x", title="order 2: many solutions" if order == 2 else f"order {order}", yticks=[])
        axes[0].plot([], [], color="C0", label="ridge spline, its knots")
        axes[0].plot([], [], color="C1", linewidth=2.4, alpha=0.6, label="program")
        axes[0].legend(loc="lower left", fontsize=6)
        for order, colour in ((3, "C0"), (4, "C1")):
            excess = np.maximum(arrays[f"excesses_{order}"], 1e-12).T
            axes[3].loglog(arrays["knots"], excess, "o-", color=colour, linewidth=0.7)
            axes[3].loglog(arrays["knots"], arrays[f"allowances_{order}"].T, "--", color=colour, linewidth=0.7)
            axes[3].plot([], [], "o-", color=colour, label=f"order {order}")
        axes[3].plot([], [], "--", color="0.5", label="allowed")
        axes[3].set(xlabel="knots of the program", title="its objective above the optimum")
        axes[3].legend()
        label_decades(figure)
    return figure


CLASSICAL_SPLINES = Experiment(
    paper="parhi_nowak_2021",
    name="classical_splines",
    title="one input: certified ridge splines beside convex programs over classical splines with many knots",
    quick={"count": 30, "seeds": 2, "fraction": 0.01, "knots": [50, 100, 200, 400]},
    full={"count": 60, "seeds": 10, "fraction": 0.003, "knots": [50, 100, 200, 400, 800, 1600]},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)
