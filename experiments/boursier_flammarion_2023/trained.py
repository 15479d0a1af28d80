"""Networks trained with weight decay on all weights, with the biases among them and without."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.boursier_flammarion_2023.sparsest import PENALISED
from experiments.experiment import Experiment, Outcome
from experiments.style import figure_style, new_figure

_REGULARIZERS = {"penalised": PENALISED, "free": rs.RadonTV()}


def bends() -> tuple[np.ndarray, np.ndarray]:
    """Six data of a function with a kink up and one down, both between data: free biases leave them undetermined."""
    x = np.array([-1.0, -0.6, -0.2, 0.2, 0.6, 1.0])
    return x, 3.0 * np.maximum(x + 0.42, 0.0) - 3.5 * np.maximum(x - 0.38, 0.0)


def parts(width: int, steps: int, seeds: int, strength: float) -> list[dict[str, Any]]:
    common = {"width": width, "steps": steps, "seeds": seeds, "strength": strength}
    return [{"biases": name, **common} for name in _REGULARIZERS]


def solve(biases: str, width: int, steps: int, seeds: int, strength: float) -> dict[str, Any]:
    x, y = bends()
    problem = rs.Problem(rs.Samples(x[:, None]), y, regularizer=_REGULARIZERS[biases], strength=strength)
    certified = rs.solve(problem, rs.ColumnGeneration(gap=1e-8), progress=False)
    trained = rs.train(
        problem,
        width=width,
        penalty="weight decay",
        steps=steps,
        seeds=seeds,
        seed=2023,
        dual=certified.dual,
        progress=False,
    )
    fine = np.linspace(-1.1, 1.1, 300)
    return {
        "gaps": (trained.objectives - certified.certificate.bound) / certified.certificate.bound,
        "distinct": trained.trajectory.distinct[:, -1],
        "curves": np.array([spline(fine) for spline in trained.splines]),
        "certified": certified.spline(fine),
        "certified_kinks": rs.merge_neurons(problem, certified.spline).width,
        "certified_gap": certified.certificate.relative_gap,
        "fine": fine,
    }


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    by_name = {part["biases"]: row for part, row in zip(parts, found, strict=True)}
    numbers: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {"fine": found[0]["fine"]}
    size = float(np.ptp(by_name["penalised"]["certified"]))
    for name, row in by_name.items():
        # Between data, where the values are not given, over the seeds.
        middle = np.median(row["curves"], axis=0)
        numbers |= {
            f"{name}_least_gap": float(row["gaps"].min()),
            f"{name}_median_gap": float(np.median(row["gaps"])),
            f"{name}_median_kinks": float(np.median(row["distinct"])),
            f"{name}_certified_kinks": float(row["certified_kinks"]),
            f"{name}_spread": float(np.median(np.abs(row["curves"] - middle).max(axis=1)) / size),
        }
        arrays |= {f"{name}_curves": row["curves"], f"{name}_certified": row["certified"]}
    numbers["least_gap"] = min(numbers["penalised_least_gap"], numbers["free_least_gap"])
    numbers["certified_gap"] = float(max(row["certified_gap"] for row in found))
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    arrays, (x, y) = outcome.arrays, bends()
    with figure_style():
        figure = new_figure(columns=2, height=2.6)
        axes = figure.subplots(1, 2, sharey=True)
        for ax, name, title in zip(axes, ("free", "penalised"), ("free biases", "penalised biases"), strict=True):
            ax.plot(arrays["fine"], arrays[f"{name}_curves"].T, color="C1", linewidth=0.6, alpha=0.7)
            ax.plot([], [], color="C1", label="trained, one line a seed")
            ax.plot(arrays["fine"], arrays[f"{name}_certified"], color="C0", label="certified optimum")
            ax.plot(x, y, ".", color="black", markersize=6, label="data")
            kinks = outcome.numbers[f"{name}_median_kinks"]
            ax.set(xlabel="x", title=f"{title}: {kinks:g} kinks in the median")
        axes[1].legend()
    return figure


TRAINED = Experiment(
    paper="boursier_flammarion_2023",
    name="trained",
    title="networks trained with weight decay, with penalised and with free biases, beside the certified optima",
    quick={"width": 30, "steps": 6000, "seeds": 8, "strength": 3e-3},
    full={"width": 60, "steps": 40_000, "seeds": 32, "strength": 1e-3},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)
