"""Smooth functions as infinite networks: the cost of finer and finer finite ones, and of bounded biases."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.savarese_2019.closed_forms import SMOOTH, function_cost
from experiments.savarese_2019.tilts import CONSTANT, random_spline
from experiments.style import figure_style, label_decades, new_figure

# Knots t = tan(θ) at equal angles reach to ±1e4, beyond which slopes change by 1e-8.
_REACH = np.arctan(1e4)


def connected(name: str, count: int) -> rs.RidgeSpline:
    """The function that connects `count` values of a smooth one, and goes on with its outer slopes."""
    knots = np.tan(np.linspace(-_REACH, _REACH, count))
    values = SMOOTH[name][0](knots)
    chords = np.diff(values) / np.diff(knots)
    changes = np.diff(chords)
    polynomial = [values[0] - chords[0] * knots[0], chords[0]]
    return rs.RidgeSpline(np.ones((count - 2, 1)), knots[1:-1], changes, polynomial)


def parts(counts: list[int]) -> list[dict[str, Any]]:
    return [{"name": name, "counts": counts} for name in SMOOTH]


def solve(name: str, counts: list[int]) -> dict[str, Any]:
    splines = [connected(name, count) for count in counts]
    return {
        "costs": np.array([CONSTANT.cost(spline) for spline in splines]),
        "affine_costs": np.array([rs.AtomicNorm().cost(spline) for spline in splines]),
    }


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    counts = np.array(parts[0]["counts"], dtype=float)
    steps = 2 * _REACH / (counts - 1)
    errors, affine_errors = [], []
    for part, row in zip(parts, found, strict=True):
        _, bending, slopes = SMOOTH[part["name"]]
        errors.append(np.abs(row["costs"] / function_cost(bending, slopes) - 1))
        affine_errors.append(np.abs(row["affine_costs"] / bending - 1))
    # Chords miss the extremes of f' by the square of the spacing, times a third derivative of about 1, over 24.
    numbers = {
        "cost_error": float(max(error[-1] for error in errors)),
        "affine_cost_error": float(max(error[-1] for error in affine_errors)),
        "cost_error_over_squared_step": float(max((error / steps**2).max() for error in errors)),
        "affine_cost_error_over_squared_step": float(max((error / steps**2).max() for error in affine_errors)),
    }
    return Outcome(numbers, {"counts": counts, "errors": np.array(errors), "affine_errors": np.array(affine_errors)})


def draw(outcome: Outcome) -> Figure:
    with figure_style():
        figure = new_figure(columns=2, height=2.7)
        left, right = figure.subplots(1, 2, sharey=True)
        for ax, name, title in (
            (left, "affine_errors", "affine functions free: ∫|f''|"),
            (right, "errors", "constants free: max(∫|f''|, |f'(−∞) + f'(∞)|)"),
        ):
            for label, error in zip(SMOOTH, outcome.arrays[name], strict=True):
                ax.loglog(outcome.arrays["counts"], np.maximum(error, 1e-16), "o-", label=label)
            ax.set(xlabel="knots of the network", title=title)
        left.set_ylabel("relative error of the network's cost")
        left.legend()
        label_decades(figure)
    return figure


SMOOTH_FUNCTIONS = Experiment(
    paper="savarese_2019",
    name="smooth_functions",
    title="the cost of finite networks that tend to smooth functions, beside the formula",
    quick={"counts": [101, 201, 401, 801]},
    full={"counts": [101, 201, 401, 801, 1601, 3201, 6401]},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)


def bounded_parts(count: int, seeds: int, bounds: list[float]) -> list[dict[str, Any]]:
    return [{"count": count, "seed": seed, "bounds": bounds} for seed in range(seeds)]


def bounded_solve(count: int, seed: int, bounds: list[float]) -> dict[str, Any]:
    spline = random_spline(count, seed, 1.0)
    x = np.linspace(-1, 1, 2 * count)
    y = np.asarray(spline(x)) + 5.0
    points, solver = rs.Samples(x[:, None]), rs.ColumnGeneration(gap=1e-10)
    constant = rs.solve(rs.Problem(points, y, rs.Interpolation(), CONSTANT), solver, progress=False)
    neurons, coefficients, _ = CONSTANT.represent(constant.spline)
    network = np.maximum(x[:, None] @ neurons.weights.T - neurons.biases, 0.0) @ coefficients
    bounded = [
        rs.solve(rs.Problem(points, y, rs.Interpolation(), rs.AtomicNorm(bias=bound, skip="none")), solver)
        for bound in bounds
    ]
    return {
        "least": constant.objective,
        "bound": constant.certificate.bound,
        "constant": float(np.mean(y - network)),
        "costs": np.array([solution.objective for solution in bounded]),
        "gap": max(solution.certificate.relative_gap for solution in [constant, *bounded]),
    }


def bounded_gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    bounds = np.array(parts[0]["bounds"])
    # A constant c is two neurons at the bounds, of cost |c| / B: no more can a bound B cost.
    excess = np.array([row["costs"] - row["least"] for row in found])
    allowed = np.array([np.abs(row["constant"]) / bounds for row in found])
    slopes = np.polyfit(np.log(bounds), np.log(np.maximum(excess, 1e-300)).T, 1)[0]
    numbers = {
        "excess_over_allowed": float((excess / allowed).max()),
        "least_excess": float(min((row["costs"] / row["bound"] - 1).min() for row in found)),
        "median_exponent": float(np.median(slopes)),
        "largest_gap": float(max(row["gap"] for row in found)),
    }
    return Outcome(numbers, {"bounds": bounds, "excess": excess, "allowed": allowed})


def bounded_draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    with figure_style():
        figure = new_figure(columns=1, height=2.7)
        ax = figure.subplots()
        ax.loglog(arrays["bounds"], arrays["excess"].T, "o-", color="C0", linewidth=0.7)
        ax.loglog(arrays["bounds"], arrays["allowed"].T, "--", color="0.6", linewidth=0.7)
        ax.plot([], [], "o-", color="C0", label="nothing free, biases at most B")
        ax.plot([], [], "--", color="0.6", label="|c| / B, what a constant costs there")
        ax.set(xlabel="B", ylabel="cost above that with constants free")
        ax.legend()
        label_decades(figure)
    return figure


BOUNDED_BIASES = Experiment(
    paper="savarese_2019",
    name="bounded_biases",
    title="nothing free: the least cost under a growing bound of the biases tends to that with constants free",
    quick={"count": 5, "seeds": 4, "bounds": [2.0, 8.0, 32.0, 128.0]},
    full={"count": 8, "seeds": 20, "bounds": [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0]},
    parts=bounded_parts,
    solve=bounded_solve,
    gather=bounded_gather,
    draw=bounded_draw,
)
