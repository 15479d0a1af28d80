"""How far interpolants of nearly the least norm are apart, with penalised biases and with free ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import linprog

import ridgesplines as rs
from experiments.boursier_flammarion_2023.sparsest import interpolant, random_data
from experiments.debarre_2022.runs import sign_runs
from experiments.experiment import Experiment, Outcome
from experiments.style import figure_style, label_decades, new_figure

# The linear programs are solved to this; excesses are far above it.
_SOLVED = 1e-9
# A spread of at most this part of its triangle's has begun to close.
_CLOSING = 0.9


def spread(
    x: np.ndarray, y: np.ndarray, knots: np.ndarray, prices: np.ndarray, budget: float, where: np.ndarray
) -> np.ndarray:
    """The largest minus the least value at each point of `where` (M,) among interpolants that cost at most `budget`.

    Of functions c_0 + c_1 x + Σ_k v_k max(x − knots_k, 0) with Σ_k prices_k |v_k| ≤ budget: two linear programs each.

    Args:
        x: the data, (N,).
        y: the targets, (N,).
        knots: where slopes may change, (K,).
        prices: of a slope change by 1, (K,).
        budget: at least the cost of one interpolant of this kind.
        where: (M,).
    """

    def values(points: np.ndarray) -> np.ndarray:
        neurons = np.maximum(points[:, None] - knots, 0.0)
        return np.column_stack([np.ones(len(points)), points, neurons, -neurons])

    bounds = [(None, None)] * 2 + [(0, None)] * (2 * len(knots))
    cost = np.concatenate([[0.0, 0.0], prices, prices])[None]
    options = {"primal_feasibility_tolerance": _SOLVED, "dual_feasibility_tolerance": _SOLVED}
    ends = []
    for row in values(where):
        extremes = []
        for sign in (1.0, -1.0):
            program = linprog(sign * row, cost, [budget], values(x), y, bounds, method="highs-ds", options=options)
            if program.status != 0:
                raise RuntimeError(f"HiGHS did not solve the linear program of a spread: {program.message}")
            extremes.append(sign * program.fun)
        ends.append(extremes[1] - extremes[0])
    return np.array(ends)


def parts(count: int, seeds: int, knots: int, excesses: list[float]) -> list[dict[str, Any]]:
    return [{"count": count, "seed": seed, "knots": knots, "excesses": excesses} for seed in range(seeds)]


def solve(count: int, seed: int, knots: int, excesses: list[float]) -> dict[str, Any]:
    x, y = random_data(count, seed)
    penalised, certificate = interpolant(x, y)
    free = rs.solution_set(
        rs.Problem(rs.Samples(x[:, None]), y, rs.Interpolation()),
        rs.solve(rs.Problem(rs.Samples(x[:, None]), y, rs.Interpolation()), progress=False),
    )
    # The knots of the optimum and those of a sparsest solution are among those tried, so that both are attained, and
    # others closer and closer to them: nearly optimal functions move knots by little.
    own = np.concatenate([penalised.biases, free.sparsest.biases, x])
    steps = np.geomspace(1e-6, 0.1, 16)
    near = (own[:, None] + np.concatenate([-steps, steps])).ravel()
    tried = np.concatenate([own, near[(near > x[0]) & (near < x[-1])], np.linspace(x[0], x[-1], knots)])
    tried = np.unique(tried)
    where = free.free_intervals.mean(axis=1)
    result: dict[str, Any] = {
        "longest": int(sign_runs(x, y).max(initial=0)),
        "x": x,
        "y": y,
        "intervals": len(where),
        "gap": certificate.relative_gap,
    }
    low, high = free.envelope(where)
    result["envelope"] = high - low
    for name, prices, least in (
        ("penalised", np.sqrt(1 + tried**2), certificate.objective),
        ("free", np.ones(len(tried)), float(np.abs(free.changes).sum())),
    ):
        rows = [spread(x, y, tried, prices, least * (1 + excess), where) for excess in excesses]
        result[name] = np.array(rows)
    fine = np.linspace(x[0], x[-1], 400)
    result |= {"fine": fine, "curve": penalised(fine), "kinks": np.sort(penalised.biases)}
    result |= {"kink_values": penalised(np.sort(penalised.biases)), "canonical": free.canonical(fine)}
    result["low"], result["high"] = free.envelope(fine)
    return result


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    excesses = np.array(parts[0]["excesses"])
    seen = [row for row in found if row["intervals"]]
    envelope = np.concatenate([row["envelope"] for row in seen])
    penalised, free = (np.concatenate([row[name] for row in seen], axis=1) / envelope for name in ("penalised", "free"))
    # Between the two smallest excesses. Where these are not small beside what the extremes of a triangle cost more, the
    # spread is still that of the triangle, and tells nothing of how it closes.
    closing = penalised[-2] <= _CLOSING
    exponents = np.log(penalised[-2] / penalised[-1])[closing] / np.log(excesses[-2] / excesses[-1])
    # With free biases the spread is affine in small excesses: the line through the last two at excess 0.
    limit = free[-1] - excesses[-1] * (free[-2] - free[-1]) / (excesses[-2] - excesses[-1])
    numbers = {
        "intervals": float(len(envelope)),
        "free_spread_above_envelope": float((limit - 1).max()),
        "free_spread_below_envelope": float((1 - limit).max()),
        "free_spread_at_smallest_excess": float(free[-1].max()),
        "penalised_spread": float(penalised[-1].max()),
        "closing_share": float(closing.mean()),
        "least_exponent": float(exponents.min()),
        "median_exponent": float(np.median(exponents)),
        "smallest_excess": float(excesses[-1]),
        "largest_gap": float(max(row["gap"] for row in found)),
    }
    # The set that shows most: as many free intervals as any.
    shown = max(seen, key=lambda row: row["intervals"])
    names = ("x", "y", "fine", "curve", "kinks", "kink_values", "canonical", "low", "high")
    arrays = {name: np.asarray(shown[name]) for name in names}
    return Outcome(numbers, arrays | {"excesses": excesses, "penalised": penalised, "free": free})


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    with figure_style():
        figure = new_figure(columns=2, height=2.8)
        left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
        left.fill_between(
            arrays["fine"], arrays["low"], arrays["high"], color="C1", alpha=0.4, linewidth=0, label="free biases: all"
        )
        left.plot(arrays["fine"], arrays["canonical"], color="C1", linewidth=0.8, label="free biases: connected")
        left.plot(arrays["fine"], arrays["curve"], color="C0", label="penalised biases: the only one")
        left.plot(arrays["kinks"], arrays["kink_values"], "o", color="C0", markerfacecolor="white", label="its kinks")
        left.plot(arrays["x"], arrays["y"], ".", color="black", markersize=5, label="data")
        left.set(xlabel="x", ylabel="f(x)", title="interpolants of least norm")
        left.legend()
        right.loglog(arrays["excesses"], arrays["penalised"], color="C0", linewidth=0.6, alpha=0.7)
        right.loglog(arrays["excesses"], arrays["free"], color="C1", linewidth=0.6, alpha=0.7)
        middle = np.exp(np.mean(np.log(arrays["penalised"]), axis=1))
        guide = middle[0] * (arrays["excesses"] / arrays["excesses"][0]) ** 0.5
        right.loglog(arrays["excesses"], guide, "--", color="black", label="ε^(1/2)")
        right.plot([], [], color="C0", label="penalised biases")
        right.plot([], [], color="C1", label="free biases")
        right.set(xlabel="ε: cost over the least, minus 1", ylabel="spread of values / that of free biases")
        right.legend()
        label_decades(figure)
    return figure


UNIQUENESS = Experiment(
    paper="boursier_flammarion_2023",
    name="uniqueness",
    title="how far interpolants are apart whose norm is within ε of the least, with penalised and with free biases",
    quick={"count": 10, "seeds": 3, "knots": 201, "excesses": [1e-3, 1e-5, 1e-6, 1e-7]},
    full={"count": 12, "seeds": 12, "knots": 2001, "excesses": [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 3e-7, 1e-7]},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)
