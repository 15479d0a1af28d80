"""Kinks of the interpolant of least norm with penalised biases, beside the fewest that any interpolant has."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.debarre_2022.runs import sign_runs
from experiments.experiment import Experiment, Outcome
from experiments.kumar_haupt_2020.fewest import fewest_knots
from experiments.style import figure_style, new_figure

PENALISED = rs.AtomicNorm(bias="joint")
# The theorem: no six neighbouring data in convex or concave position, that is, at most this many changes of one sign.
LONGEST_RUN = 3


def random_data(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Uniform points in [−1, 1], ascending, and standard normal targets."""
    rng = np.random.default_rng([2023, count, seed])
    return np.sort(rng.uniform(-1, 1, count)), rng.standard_normal(count)


def convex_data(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Equally spaced points of a parabola: all slope changes have one sign."""
    x = np.linspace(-1, 1, count)
    return x, x**2


def interpolant(x: np.ndarray, y: np.ndarray) -> tuple[rs.RidgeSpline, rs.Certificate]:
    """The interpolant of least norm with penalised biases, one neuron for all that part the data alike; certified.

    Two neurons of one sign that part the data alike cost more than one in their place, strictly, but where a gap is
    left between objective and bound a solver may leave two.
    """
    problem = rs.Problem(rs.Samples(x[:, None]), y, rs.Interpolation(), PENALISED)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-8), progress=False)
    merged = rs.merge_neurons(problem, solution.spline).canonical()
    return merged, rs.certify(problem, merged, dual=solution.dual)


def parts(counts: list[int], seeds: int, convex: list[int]) -> list[dict[str, Any]]:
    random = [{"kind": "random", "count": count, "seed": seed} for count in counts for seed in range(seeds)]
    return random + [{"kind": "convex", "count": count, "seed": 0} for count in convex]


def solve(kind: str, count: int, seed: int) -> dict[str, Any]:
    x, y = random_data(count, seed) if kind == "random" else convex_data(count)
    spline, certificate = interpolant(x, y)
    knots = np.sort(np.asarray(spline.biases))
    # Intervals closed on the left, as a kink at a datum belongs to one of its neighbours.
    between = np.bincount(np.clip(np.searchsorted(x, knots + 1e-9, side="right"), 0, count), minlength=1)
    return {
        "longest": int(sign_runs(x, y).max(initial=0)),
        "kinks": spline.width,
        "fewest": fewest_knots(x, y),
        "connected": int(len(x) - 2),
        "between": int(between.max()),
        "gap": certificate.relative_gap,
        "proven": certificate.kind == "exact",
    }


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    longest, kinks, fewest, connected = (
        np.array([row[name] for row in found]) for name in ("longest", "kinks", "fewest", "connected")
    )
    random = np.array([part["kind"] == "random" for part in parts])
    within = longest <= LONGEST_RUN
    excess = kinks - fewest
    numbers = {
        "data_sets_within": float(within.sum()),
        "data_sets_outside": float((~within).sum()),
        "most_excess_within": float(excess[within].max(initial=0)),
        "least_excess": float(excess.min()),
        "most_excess_outside": float(excess[~within].max(initial=0)),
        "share_of_excess_outside": float((excess[~within] > 0).mean()) if (~within).any() else 0.0,
        "most_kinks_between_data": float(max(row["between"] for row in found)),
        "kinks_over_connected": float(kinks[random].sum() / connected[random].sum()),
        "largest_gap": float(max(row["gap"] for row in found)),
        "without_proof": float(sum(not row["proven"] for row in found)),
    }
    arrays = {"longest": longest, "kinks": kinks, "fewest": fewest, "connected": connected}
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    kinks, fewest, longest = (outcome.arrays[name] for name in ("kinks", "fewest", "longest"))
    within = longest <= LONGEST_RUN
    with figure_style():
        figure = new_figure(columns=2, height=2.8)
        left, right = figure.subplots(1, 2)
        most = max(kinks.max(), fewest.max()) + 1
        left.plot([0, most], [0, most], color="0.7", linewidth=0.8)
        left.scatter(fewest, outcome.arrays["connected"], s=8, marker="^", color="0.75", label="free biases, connected")
        left.scatter(fewest[within], kinks[within], s=12, label="penalised, within the theorem")
        left.scatter(fewest[~within], kinks[~within], s=14, marker="x", label="penalised, outside of it")
        left.set(xlabel="fewest knots of any interpolant", ylabel="kinks of the least norm")
        left.legend()
        runs = np.arange(longest.min(), longest.max() + 1)
        shares = [np.mean(kinks[longest == run] == fewest[longest == run]) for run in runs if (longest == run).any()]
        seen = [run for run in runs if (longest == run).any()]
        bars = right.bar(seen, shares, color=["C0" if run <= LONGEST_RUN else "C1" for run in seen])
        right.bar_label(bars, [f"of {np.sum(longest == run)}" for run in seen], fontsize=6)
        right.set(xlabel="most neighbouring slope changes of one sign", ylabel="share that is sparsest", ylim=(0, 1.12))
        right.set_xticks(seen)
    return figure


SPARSEST = Experiment(
    paper="boursier_flammarion_2023",
    name="sparsest",
    title="kinks of the interpolant of least norm with penalised biases, and the fewest of any interpolant",
    quick={"counts": [6, 10, 20, 40], "seeds": 12, "convex": [6, 8, 12]},
    full={"counts": [6, 8, 10, 15, 20, 40, 80, 160], "seeds": 60, "convex": [6, 7, 8, 9, 10, 12, 16, 20]},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)
