"""The Rademacher complexity of networks of bounded norm, computed exactly, and what it says of certified fits."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.statistics import rate_of_means
from experiments.style import figure_style, label_decades, new_figure

# Networks without skip connection, ‖w‖ = 1 and |b| ≤ 1: hyperplanes that meet the unit ball, where the data are. With
# free affine functions the class {R(f) ≤ C} would not be bounded.
CLASS = rs.AtomicNorm(bias=1.0, skip="none")
_NOISE = 0.2


def ball(dimension: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Uniform points in the unit ball, (N, d)."""
    x = rng.standard_normal((count, dimension))
    radii = rng.uniform(size=(count, 1)) ** (1 / dimension)
    return x * radii / np.linalg.norm(x, axis=1, keepdims=True)


def target(x: np.ndarray) -> np.ndarray:
    """A network of three neurons of the class, of cost 3 at most."""
    directions = np.array([[1.0, 0.0], [-0.6, 0.8], [0.6, 0.8]])
    return np.maximum(x @ directions.T - np.array([0.1, -0.2, 0.3]), 0.0) @ np.array([1.0, -1.0, 1.0])


def parts(cases: list[list[Any]], fitted: list[int], fits: int) -> list[dict[str, Any]]:
    signs = [
        {"kind": "signs", "dimension": dimension, "count": count, "seed": seed}
        for dimension, counts, seeds in cases
        for count in counts
        for seed in range(seeds)
    ]
    return signs + [
        {"kind": "fit", "dimension": 2, "count": count, "seed": seed} for count in fitted for seed in range(fits)
    ]


def solve(kind: str, dimension: int, count: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([2021, dimension, count, seed, kind == "fit"])
    x = ball(dimension, count, rng)
    if kind == "signs":
        signs = rng.choice([-1.0, 1.0], count)
        oracle = CLASS.oracle(x)
        answer = oracle.supremum(signs)
        # By contraction sup_f Σ ε f(x) ≤ 2 sup |Σ ε (w·x − b)| in the mean, and that is at most this.
        linear = 2 * (np.sqrt(np.sum(x**2)) + np.sqrt(count))
        return {
            "complexity": answer.value / count,
            "contraction": linear / count,
            "rounding": (answer.upper - answer.value) / answer.value,
            "exact": oracle.kind == "exact",
        }
    y = target(x) + _NOISE * rng.standard_normal(count)
    # λ of the size of the noise's dual profile, so that about the noise is left.
    strength = 0.5 * _NOISE * np.sqrt(count)
    problem = rs.Problem(rs.Samples(x), y, regularizer=CLASS, strength=strength)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-5), progress=False)
    fresh = ball(2, 20_000, rng)
    fresh_y = target(fresh) + _NOISE * rng.standard_normal(len(fresh))
    return {
        "cost": solution.certificate.regularization,
        "gap": solution.certificate.relative_gap,
        "exact": solution.certificate.kind == "exact",
        "neurons": solution.spline.width,
        "train": float(np.mean(np.abs(solution.spline(x) - y))),
        "test": float(np.mean(np.abs(solution.spline(fresh) - fresh_y))),
        "distance": float(np.sqrt(np.mean((solution.spline(fresh) - target(fresh)) ** 2))),
    }


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    def rows(kind: str, dimension: int, count: int) -> list[dict[str, Any]]:
        wanted = (kind, dimension, count)
        return [
            row
            for part, row in zip(parts, found, strict=True)
            if (part["kind"], part["dimension"], part["count"]) == wanted
        ]

    def column(kind: str, dimension: int, counts: list[int], name: str) -> np.ndarray:
        return np.array([[row[name] for row in rows(kind, dimension, count)] for count in counts]).T

    signs = [part for part in parts if part["kind"] == "signs"]
    numbers: dict[str, float] = {"without_proof": float(sum(not row["exact"] for row in found))}
    arrays: dict[str, np.ndarray] = {}
    for dimension in dict.fromkeys(part["dimension"] for part in signs):
        counts = sorted({part["count"] for part in signs if part["dimension"] == dimension})
        arrays[f"counts_{dimension}"] = np.array(counts, dtype=float)
        values = column("signs", dimension, counts, "complexity")
        rate = rate_of_means(arrays[f"counts_{dimension}"], values)
        ratio = values.mean(axis=0) / column("signs", dimension, counts, "contraction").mean(axis=0)
        numbers |= {
            f"rate_{dimension}": rate.slope,
            f"rate_error_{dimension}": rate.error,
            f"rate_deviation_{dimension}": abs(rate.slope + 0.5) / rate.error,
            f"over_contraction_bound_{dimension}": float(ratio.max()),
            # Of C = 1, times √N: tends to the supremum of a Gaussian process.
            f"complexity_times_root_{dimension}": float(values.mean(axis=0)[-1] * counts[-1] ** 0.5),
        }
        arrays[f"complexity_{dimension}"] = values
    numbers["largest_rate_deviation"] = max(v for k, v in numbers.items() if k.startswith("rate_deviation"))
    numbers["over_contraction_bound"] = max(v for k, v in numbers.items() if k.startswith("over_contraction"))
    fitted = sorted({part["count"] for part in parts if part["kind"] == "fit"})
    costs, train, test, distance = (column("fit", 2, fitted, name) for name in ("cost", "train", "test", "distance"))
    known = np.array([np.mean([row["complexity"] for row in rows("signs", 2, count)]) for count in fitted])
    # For every class {R(f) ≤ C} and a loss of slope 1, the mean of sup (test − training error) is at most twice this;
    # C is the largest cost of any of the fits.
    allowed = 2 * costs.max() * known
    overfit = (test - train).mean(axis=0)
    rate = rate_of_means(np.array(fitted, dtype=float), distance**2)
    numbers |= {
        "overfit_over_allowed": float((overfit / allowed).max()),
        "largest_cost": float(costs.max()),
        "largest_gap": float(max(row["gap"] for part, row in zip(parts, found, strict=True) if part["kind"] == "fit")),
        "squared_distance_rate": rate.slope,
        "squared_distance_rate_error": rate.error,
    }
    arrays |= {"fitted": np.array(fitted, dtype=float), "overfit": test - train, "allowed": allowed}
    return Outcome(numbers, arrays | {"distance": distance})


def draw(outcome: Outcome) -> Figure:
    arrays, numbers = outcome.arrays, outcome.numbers
    with figure_style():
        figure = new_figure(columns=2, height=2.8)
        left, right = figure.subplots(1, 2)
        for i, name in enumerate(name for name in arrays if name.startswith("complexity_")):
            dimension = name.removeprefix("complexity_")
            values, counts = arrays[name], arrays[f"counts_{dimension}"]
            slope, error = numbers[f"rate_{dimension}"], numbers[f"rate_error_{dimension}"]
            deviations = values.std(axis=0, ddof=1) / np.sqrt(len(values))
            label = f"d = {dimension}: slope {slope:.3f} ± {error:.3f}"
            left.errorbar(counts, values.mean(axis=0), 2 * deviations, fmt="o", color=f"C{i}", label=label)
            middle = np.exp(np.mean(np.log(values.mean(axis=0) * np.sqrt(counts))))
            left.plot(counts, middle / np.sqrt(counts), "--", color=f"C{i}", linewidth=0.8)
        left.set(xscale="log", yscale="log", xlabel="N", title="Rademacher complexity of {R(f) ≤ 1}, and N^(−1/2)")
        left.legend()
        fitted = arrays["fitted"]
        right.loglog(fitted, arrays["allowed"], "--", color="C1", label="twice the complexity, C of the fits")
        right.loglog(
            fitted, np.maximum(arrays["overfit"].mean(axis=0), 1e-6), "o-", color="C1", label="test − training error"
        )
        right.loglog(
            fitted,
            np.sqrt((arrays["distance"] ** 2).mean(axis=0)),
            "s-",
            color="C0",
            label="RMS error against the truth",
        )
        right.set(xlabel="N", title="certified fits of a network of three neurons, d = 2")
        right.legend()
        label_decades(figure)
        for ax in figure.axes:
            ax.set_xticks(fitted, [f"{count:g}" for count in fitted])
    return figure


COMPLEXITY = Experiment(
    paper="parhi_nowak_2021",
    name="complexity",
    title="exact Rademacher complexities of networks of bounded norm, and test errors of certified fits",
    quick={
        "cases": [[1, [32, 64, 128, 256], 150], [2, [32, 64, 128, 256], 150]],
        "fitted": [32, 64, 128, 256],
        "fits": 4,
    },
    # In space the supremum is exact up to 250 points.
    full={
        "cases": [
            [1, [32, 64, 128, 256, 512, 1024], 3000],
            [2, [32, 64, 128, 256, 512], 1500],
            [3, [30, 60, 120], 200],
        ],
        "fitted": [32, 64, 128, 256, 512],
        "fits": 20,
    },
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)
