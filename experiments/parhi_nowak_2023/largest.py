"""One certified fit in the plane for larger and larger N: seconds, gap and error."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments.experiment import Experiment, Outcome
from experiments.infinite_width.kink import ridge_splines
from experiments.parhi_nowak_2023.targets import draw_data, network_rate, points_of_ball
from experiments.style import COLOURS, figure_style, new_figure

_WARM = 100


def parts(counts: list[int], noise: float, strength: float, gap: float, seed: int) -> list[dict[str, Any]]:
    """One part for each N."""
    return [{"count": n, "noise": noise, "strength": strength, "gap": gap, "seed": seed} for n in counts]


def solve(count: int, noise: float, strength: float, gap: float, seed: int) -> dict[str, Any]:
    """The fit for λ = s · noise · √N of a target of one neuron, the same for all N."""
    target, x, y = draw_data("kink", count, 2, 1.0, noise, seed)
    # Compiled functions take seconds the first time, which are no part of the cost of N.
    ridge_splines(x[:_WARM], y[:_WARM], gap, [strength], noise)
    began, spent = time.perf_counter(), time.process_time()
    (solution,) = ridge_splines(x, y, gap, [strength], noise)
    seconds, spent = time.perf_counter() - began, time.process_time() - spent
    grid = points_of_ball(800, 2)
    return {
        "seconds": seconds,
        "processor_seconds": spent,
        "gap": solution.certificate.relative_gap,
        "exact": float(solution.certificate.kind == "exact"),
        "neurons": solution.spline.width,
        "error": float(np.mean((np.asarray(solution.spline(grid)) - target(grid)) ** 2)),
    }


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    """The largest N, what it took, and how the cost grows."""
    counts = np.array([part["count"] for part in parts])
    rows = {name: np.array([r[name] for r in found], dtype=float) for name in found[0]}
    growth = np.polyfit(np.log(counts), np.log(rows["processor_seconds"]), 1)[0] if len(counts) > 1 else 0.0
    last = int(np.argmax(counts))
    numbers = {
        "largest_count": float(counts[last]),
        "seconds_of_largest": float(rows["seconds"][last]),
        "processor_seconds_of_largest": float(rows["processor_seconds"][last]),
        "growth_of_processor_seconds": float(growth),
        "largest_gap": float(rows["gap"].max()),
        "not_exact": float((rows["exact"] < 1).sum()),
        "error_of_largest": float(rows["error"][last]),
    }
    return Outcome(numbers, {"counts": counts, **rows})


def draw(outcome: Outcome) -> Figure:
    """Processor seconds and errors over N."""
    counts = outcome.arrays["counts"]
    with figure_style():
        figure = new_figure(columns=2, height=2.6)
        left, right = figure.subplots(1, 2)
        left.loglog(counts, outcome.arrays["processor_seconds"], "o-", color=COLOURS[0])
        growth = outcome.numbers["growth_of_processor_seconds"]
        left.set(xlabel="N", ylabel="processor seconds", title=f"one certified fit in the plane: N^{growth:.2f}")
        right.loglog(counts, outcome.arrays["error"], "o-", color=COLOURS[0], label="certified ridge spline, one seed")
        guide = outcome.arrays["error"][0] * (counts / counts[0]) ** network_rate(2)
        right.loglog(counts, guide, ":", color="black", label=f"rate of theory, {network_rate(2):.2f}")
        right.set(xlabel="N", ylabel="mean squared error")
        right.legend()
        for axes in (left, right):
            axes.set_xticks(counts, [f"{count:,}" for count in counts])
            axes.minorticks_off()
    return figure


LARGEST = Experiment(
    paper="parhi_nowak_2023",
    name="largest",
    title="one certified fit in the plane for larger and larger N: seconds, gap and error",
    quick={"counts": [100, 200, 400], "noise": 0.2, "strength": 0.1, "gap": 1e-4, "seed": 0},
    full={
        "counts": [1600, 3200, 6400, 12_800, 25_600, 51_200],
        "noise": 0.2,
        "strength": 0.1,
        "gap": 1e-4,
        "seed": 0,
    },
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)
