"""parhi_nowak_2023: how fast the mean squared errors of certified fits and of kernel ridge regression fall with N."""

from __future__ import annotations

from typing import Any

import numpy as np

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.infinite_width.kink import kernel_fits, ridge_splines
from experiments.infinite_width.rates import fitted_rate
from experiments.parhi_nowak_2023.draw import draw
from experiments.parhi_nowak_2023.largest import LARGEST
from experiments.parhi_nowak_2023.targets import (
    draw_data,
    hard_width,
    linear_rate,
    network_rate,
    points_of_ball,
)

METHODS = ("ridge spline", "kernel")
_WHERE = {1: "line", 2: "plane"}


def parts(
    kind: str,
    counts: dict[str, list[int]],
    seeds: int,
    noise: float,
    scale: float,
    strengths: list[float],
    nuggets: list[float],
    gap: float,
) -> list[dict[str, Any]]:
    """One part for each dimension, N and seed; largest N first, so that processes end together."""
    shared = {"kind": kind, "noise": noise, "scale": scale, "strengths": strengths, "nuggets": nuggets, "gap": gap}
    return [
        {"dimension": dimension, "count": count, "seed": seed, **shared}
        for dimension, where in _WHERE.items()
        for count in sorted(counts.get(where, []), reverse=True)
        for seed in range(seeds)
    ]


def solve(
    kind: str,
    dimension: int,
    count: int,
    seed: int,
    noise: float,
    scale: float,
    strengths: list[float],
    nuggets: list[float],
    gap: float,
) -> dict[str, Any]:
    """Mean squared errors over the ball, of each method for its best strength of a grid: the oracle's choice.

    Certified fits for λ = s · noise · √N, kernel ridge regression (uniform directions and biases) for nuggets, with
    affine functions free in both. The target depends on the seed, and not on N where it is one kink.
    """
    target, x, y = draw_data(kind, count, dimension, scale, noise, seed)
    grid = points_of_ball(400 if dimension == 1 else 800, dimension)
    truth = target(grid)
    solutions = ridge_splines(x, y, gap, strengths, noise)
    fits = np.stack([np.asarray(solution.spline(grid)) for solution in solutions])
    kernel = kernel_fits(rs.kernels.UniformKernel(), x, y, grid, nuggets)
    errors = [np.mean((found - truth) ** 2, axis=1) for found in (fits, kernel)]
    best = [int(np.argmin(found)) for found in errors]
    return {
        "errors": np.array([found[i] for found, i in zip(errors, best, strict=True)]),
        "at_end": float(best[0] in (0, len(strengths) - 1)),
        "kernel_at_end": float(best[1] in (0, len(nuggets) - 1)),
        "gap": max(solution.certificate.relative_gap for solution in solutions),
        "proven": float(all(solution.certificate.proven for solution in solutions)),
        "neurons": solutions[best[0]].spline.width,
        "seconds": sum(solution.seconds for solution in solutions),
    }


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    """Fitted slopes of log error over log N, in standard errors over the seeds from theory and from each other."""
    numbers: dict[str, float] = {
        "proven": min(r["proven"] for r in found),
        "largest_gap": max(r["gap"] for r in found),
        "longest_seconds": max(r["seconds"] for r in found),
        "best_at_end": float(np.mean([r["at_end"] for r in found])),
        "kernel_best_at_end": float(np.mean([r["kernel_at_end"] for r in found])),
    }
    arrays: dict[str, np.ndarray] = {}
    for dimension in sorted({part["dimension"] for part in parts}):
        where = _WHERE[dimension]
        own = [(part, r) for part, r in zip(parts, found, strict=True) if part["dimension"] == dimension]
        counts = np.array(sorted({part["count"] for part, _ in own}))
        seeds = sorted({part["seed"] for part, _ in own})
        errors = np.empty((2, len(seeds), len(counts)))
        for part, r in own:
            errors[:, seeds.index(part["seed"]), np.searchsorted(counts, part["count"])] = r["errors"]
        rates = [fitted_rate(counts, values) for values in errors]
        # Of one seed both methods have the same data: their difference is known better than either.
        slower = fitted_rate(counts, errors[1] / errors[0])
        above = np.log(errors[1, :, -1] / errors[0, :, -1])
        numbers |= {
            f"{where}_slope": rates[0].slope,
            f"{where}_slope_error": rates[0].error,
            f"{where}_kernel_slope": rates[1].slope,
            f"{where}_kernel_slope_error": rates[1].error,
            f"{where}_theory": network_rate(dimension),
            f"{where}_linear_theory": linear_rate(dimension),
            f"{where}_above_theory": (rates[0].slope - network_rate(dimension)) / rates[0].error,
            f"{where}_off_theory": abs(rates[0].slope - network_rate(dimension)) / rates[0].error,
            f"{where}_slower": slower.slope / slower.error,
            f"{where}_kernel_ratio": float(np.exp(above.mean())),
            f"{where}_kernel_above": float(above.mean() / (above.std(ddof=1) / np.sqrt(len(seeds)))),
        }
        arrays |= {f"{where}/counts": counts, f"{where}/errors": errors}
        arrays[f"{where}/rates"] = np.array([[rate.slope, rate.error] for rate in rates])
        arrays[f"{where}/theory"] = np.array([network_rate(dimension), linear_rate(dimension)])
        if own[0][0]["kind"] == "hard":
            arrays[f"{where}/widths"] = np.array([hard_width(n, dimension, own[0][0]["scale"]) for n in counts])
    return Outcome(numbers, arrays)


_STRENGTHS = [float(10.0**power) for power in np.arange(-2.5, 0.3, 0.5)]
_NUGGETS = [float(10.0**power) for power in np.arange(-4.0, 1.1, 0.5)]
_FINE_STRENGTHS = [float(10.0**power) for power in np.arange(-2.5, 0.3, 0.25)]
_FINE_NUGGETS = [float(10.0**power) for power in np.arange(-5.0, 1.6, 0.25)]
_QUICK = {"seeds": 10, "noise": 0.2, "scale": 3.0, "strengths": _STRENGTHS, "nuggets": _NUGGETS, "gap": 1e-4}
_FULL = {"seeds": 20, "noise": 0.2, "scale": 3.0, "strengths": _FINE_STRENGTHS, "nuggets": _FINE_NUGGETS, "gap": 1e-4}
_COUNTS = [50, 100, 200, 400, 800, 1600, 3200]

EXPERIMENTS = [
    Experiment(
        paper="parhi_nowak_2023",
        name="kink",
        title="errors over N for a target of one neuron: certified fits and kernel ridge regression",
        quick={"kind": "kink", "counts": {"line": [50, 100, 200, 400, 800], "plane": [50, 100, 200]}, **_QUICK},
        full={"kind": "kink", "counts": {"line": _COUNTS, "plane": _COUNTS}, **_FULL},
        parts=parts,
        solve=solve,
        gather=gather,
        draw=draw,
    ),
    Experiment(
        paper="parhi_nowak_2023",
        name="hard",
        title="errors over N for targets that grow with N, the hardest of one RTV²",
        quick={"kind": "hard", "counts": {"line": [50, 100, 200, 400, 800]}, **_QUICK},
        full={"kind": "hard", "counts": {"line": _COUNTS, "plane": _COUNTS[:-1]}, **_FULL},
        parts=parts,
        solve=solve,
        gather=gather,
        draw=draw,
    ),
    LARGEST,
]
