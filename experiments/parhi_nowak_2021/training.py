"""Networks trained on the path norm and on weight decay, beside the certified optimum of the convex problem."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.style import figure_style, label_decades, new_figure

PENALTIES = ("path norm", "weight decay")


def problem_of(dimension: int, order: int, count: int, fraction: float) -> rs.Problem:
    """A few noisy data of a wave, fitted with this fraction of λ_max."""
    rng = np.random.default_rng([2021, dimension, order, count])
    x = rng.uniform(-1, 1, (count, dimension))
    y = np.sin(3 * x.sum(axis=1) / dimension**0.5) + 0.1 * rng.standard_normal(count)
    problem = rs.Problem(rs.Samples(x), y, regularizer=rs.RadonTV(order), strength=1.0)
    return problem.with_strength(fraction * problem.strength_max)


def parts(
    cases: list[list[int]], count: int, fraction: float, width: int, steps: int, seeds: int
) -> list[dict[str, Any]]:
    common = {"count": count, "fraction": fraction, "width": width, "steps": steps, "seeds": seeds}
    return [
        {"dimension": dimension, "order": order, "penalty": penalty, **common}
        for dimension, order in cases
        for penalty in PENALTIES
    ]


def solve(
    dimension: int, order: int, penalty: str, count: int, fraction: float, width: int, steps: int, seeds: int
) -> dict[str, Any]:
    problem = problem_of(dimension, order, count, fraction)
    certified = rs.solve(problem, rs.ColumnGeneration(gap=1e-8), progress=False)
    bound, optimum = certified.certificate.bound, certified.objective
    trained = rs.train(
        problem,
        width=width,
        penalty=penalty,
        steps=steps,
        seeds=seeds,
        seed=2021,
        dual=certified.dual,
        progress=False,
    )
    # Of the optimum, scaled to balance: the penalty of its neurons.
    network = certified.spline.to_network(balanced=True)
    lengths = np.linalg.norm(network.hidden_weights, axis=1) ** (order - 1)
    loss = certified.certificate.loss
    decay = loss + problem.dual_limit * 0.5 * float(np.sum(network.output_weights**2 + lengths**2))
    path = loss + problem.dual_limit * float(np.sum(np.abs(network.output_weights) * lengths))
    return {
        "above": (trained.objectives - bound) / bound,
        "penalised_above": (trained.trajectory.trained_objectives[:, -1] - bound) / bound,
        "steps": trained.trajectory.steps,
        "along": (trained.trajectory.trained_objectives - bound) / bound,
        "balanced": max(abs(decay / optimum - 1), abs(path / optimum - 1)),
        "gap": certified.certificate.relative_gap,
        "proven": certified.certificate.proven,
        "neurons": certified.spline.width,
    }


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    numbers = {
        "least_above_bound": float(min(min(row["above"].min(), row["penalised_above"].min()) for row in found)),
        "balanced_difference": float(max(row["balanced"] for row in found)),
        "largest_gap": float(max(row["gap"] for row in found)),
        "without_proof": float(sum(not row["proven"] for row in found)),
    }
    for penalty in PENALTIES:
        own = [row for part, row in zip(parts, found, strict=True) if part["penalty"] == penalty]
        key = penalty.replace(" ", "_")
        numbers[f"{key}_best_above"] = float(max(row["penalised_above"].min() for row in own))
        numbers[f"{key}_median_above"] = float(max(np.median(row["penalised_above"]) for row in own))
    arrays: dict[str, np.ndarray] = {"steps": found[0]["steps"]}
    for part, row in zip(parts, found, strict=True):
        name = f"d = {part['dimension']}, order {part['order']}, {part['penalty']}"
        numbers[f"{name} best above"] = float(row["penalised_above"].min())
        arrays[name] = row["along"]
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    names = [name for name in arrays if name != "steps"]
    cases = list(dict.fromkeys(name.rsplit(", ", 1)[0] for name in names))
    with figure_style():
        figure = new_figure(columns=2, height=2.6)
        axes = figure.subplots(1, len(cases), sharey=True, squeeze=False)[0]
        for ax, case in zip(axes, cases, strict=True):
            for penalty, colour in zip(PENALTIES, ("C0", "C1"), strict=True):
                along = np.maximum(arrays[f"{case}, {penalty}"], 1e-10)
                ax.semilogy(arrays["steps"], along.T, color=colour, linewidth=0.5, alpha=0.7)
                ax.plot([], [], color=colour, label=penalty)
            ax.set(xlabel="steps", title=case, ylim=(1e-9, 1e2))
            ax.axhline(1e-3, color="0.7", linewidth=0.6)
        axes[0].set_ylabel("objective above the bound, relatively")
        axes[0].legend()
        label_decades(figure)
    return figure


TRAINING = Experiment(
    paper="parhi_nowak_2021",
    name="training",
    title="loss plus path norm, or weight decay of order m, of trained networks above the proven bound",
    quick={"cases": [[1, 2], [1, 4], [2, 3]], "count": 14, "fraction": 0.05, "width": 28, "steps": 3000,
           "seeds": 6},
    full={"cases": [[1, 2], [1, 3], [1, 4], [2, 2], [2, 3], [2, 4]], "count": 20, "fraction": 0.03, "width": 60,
          "steps": 30_000, "seeds": 32},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)  # fmt: skip
