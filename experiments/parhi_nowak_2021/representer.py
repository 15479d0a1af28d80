"""Neurons of certified optima beside the bound of the representer theorem."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.style import figure_style, new_figure


def data(dimension: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Uniform points in a cube, (N, d), and a wave across it with noise."""
    rng = np.random.default_rng([2021, dimension, count, seed])
    x = rng.uniform(-1, 1, (count, dimension))
    return x, np.sin(3 * x.sum(axis=1) / dimension**0.5) + 0.3 * rng.standard_normal(count)


def parts(cases: list[list[int]], fractions: list[float], seeds: int) -> list[dict[str, Any]]:
    found = []
    for dimension, order, count in cases:
        # Zero stands for interpolation, of order 2 only: of others the restricted problems are badly conditioned.
        for fraction in [*fractions, *([0.0] if order == 2 else [])]:
            case = {"dimension": dimension, "order": order, "count": count, "fraction": fraction}
            found += [case | {"seed": seed} for seed in range(seeds)]
    return found


def solve(dimension: int, order: int, count: int, fraction: float, seed: int) -> dict[str, Any]:
    x, y = data(dimension, count, seed)
    points, regularizer = rs.Samples(x), rs.RadonTV(order)
    if fraction == 0:
        problem = rs.Problem(points, y, rs.Interpolation(), regularizer)
    else:
        problem = rs.Problem(points, y, regularizer=regularizer, strength=1.0)
        problem = problem.with_strength(fraction * problem.strength_max)
    solution = rs.solve(problem, rs.ColumnGeneration(), progress=False)
    return {
        "neurons": solution.spline.width,
        "bound": problem.representer_bound,
        "gap": solution.certificate.relative_gap,
        "kind": solution.certificate.kind,
    }


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    neurons, bounds, gaps = (np.array([row[name] for row in found]) for name in ("neurons", "bound", "gap"))
    proven = np.array([row["kind"] != "heuristic" for row in found])
    dimensions, orders, fractions = (
        np.array([part[name] for part in parts]) for name in ("dimension", "order", "fraction")
    )
    interpolation = fractions == 0
    numbers = {
        "problems": float(len(found)),
        "most_neurons_above_bound": float((neurons - bounds).max()),
        "proofs": float(proven.sum()),
        # In space, orders 3 and 4, the supremum is searched for.
        "unproven_where_proofs_are_known": float(np.sum(~proven & ~((dimensions == 3) & (orders > 2)))),
        "largest_proven_gap": float(gaps[proven].max()),
        "largest_estimated_gap": float(gaps[~proven].max(initial=0.0)),
        "interpolants_below_bound": float(np.sum((neurons < bounds) & interpolation)),
    }
    arrays = {"neurons": neurons, "bounds": bounds, "dimensions": dimensions, "orders": orders}
    return Outcome(numbers, arrays | {"proven": proven, "interpolation": interpolation})


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    neurons, bounds = arrays["neurons"], arrays["bounds"]
    with figure_style():
        figure = new_figure(columns=2, height=2.8)
        for ax, order in zip(figure.subplots(1, 3, sharey=True), (2, 3, 4), strict=True):
            own = arrays["orders"] == order
            most = 1.08 * max(bounds.max(), 1)
            ax.fill_between([0, most], [0, most], [most, most], color="0.93", linewidth=0)
            ax.plot([0, most], [0, most], color="0.6", linewidth=0.8)
            for dimension, colour in ((1, "C0"), (2, "C1"), (3, "C2")):
                for interpolated, marker in ((False, "o"), (True, "^")):
                    rows = own & (arrays["dimensions"] == dimension) & (arrays["interpolation"] == interpolated)
                    if rows.any():
                        face = colour if arrays["proven"][rows].all() else "none"
                        label = f"d = {dimension}" + (", interpolated" if interpolated else "")
                        ax.plot(bounds[rows], neurons[rows], marker, color=colour, markerfacecolor=face, label=label)
            ax.set(xlabel="N − dim of the free polynomials", title=f"order {order}", xlim=(0, most), ylim=(0, most))
            ax.legend()
        figure.axes[0].set_ylabel("neurons of the certified optimum")
    return figure


REPRESENTER = Experiment(
    paper="parhi_nowak_2021",
    name="representer",
    title="neurons of certified optima beside N − dim of the free polynomials, orders 2 to 4, one to three inputs",
    quick={
        "cases": [[1, 2, 30], [1, 3, 30], [1, 4, 30], [2, 2, 40], [2, 3, 30], [2, 4, 30], [3, 2, 30], [3, 3, 30],
                  [3, 4, 40]],
        "fractions": [0.1, 0.01],
        "seeds": 1,
    },
    full={
        "cases": [[1, 2, 40], [1, 2, 160], [1, 3, 40], [1, 3, 100], [1, 4, 40], [1, 4, 100], [2, 2, 60], [2, 2, 200],
                  [2, 3, 60], [2, 3, 100], [2, 4, 60], [2, 4, 100], [3, 2, 50], [3, 2, 100], [3, 3, 50], [3, 4, 60]],
        "fractions": [0.3, 0.1, 0.03, 0.01, 0.003],
        "seeds": 5,
    },
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)  # fmt: skip
