"""Sparse interpolation by atomic norms: the convex program, the certified optimum, and networks that are trained."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.kumar_haupt_2020.fewest import fewest_knots
from experiments.kumar_haupt_2020.run import SOLVER
from experiments.kumar_haupt_2020.sets import CLASSIFIERS, COUNT, SETS, classes_of, points, problem_of
from experiments.style import COLOURS, new_figure

PAPER = "kumar_haupt_2020"
_SETS = {which.key: which for which in SETS}
_GRID = np.linspace(-1.05, 1.05, 301)[:, None]
# Of the squared loss for the networks that are trained: interpolation itself is no problem for gradients.
_STRENGTH = 0.01


def constraint_parts(keys: list[str], dimensions: list[int]) -> list[dict[str, Any]]:
    return [dict(key=key, dimension=dimension) for dimension in dimensions for key in keys]


def interpolate(key: str, dimension: int) -> dict[str, Any]:
    """One constraint set on 12 data: the convex program of all activation patterns beside the certified optimum."""
    try:
        problem = problem_of(_SETS[key], dimension)
    except ValueError:
        # No network of the kind interpolates, which is found out before anything is solved.
        return dict(refused=True)
    certified = rs.solve(problem, SOLVER)
    program = rs.solve(problem, rs.ConvexProgram())
    merged = rs.merge_neurons(problem, certified.spline)
    certificate = rs.certify(problem, merged, dual=certified.dual)
    found = dict(
        refused=False,
        difference=abs(program.objective / certified.objective - 1),
        gap=certificate.relative_gap,
        exact=certificate.kind == "exact",
        neurons=certified.spline.width,
        merged=merged.width,
        allowed=problem.representer_bound,
        norm=certified.objective,
        weights=merged.weights,
        biases=merged.biases,
    )
    if dimension == 1:
        found |= dict(fewest=fewest_knots(problem.points[:, 0], problem.targets), fit=merged(_GRID))
    return found


def gather_constraints(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    solved = [(part, one) for part, one in zip(parts, found, strict=True) if not one["refused"]]
    norms = {(part["key"], part["dimension"]): one for part, one in solved}
    numbers: dict[str, float] = {
        "problems": len(solved),
        "refused": len(found) - len(solved),
        "largest_difference": max(one["difference"] for _, one in solved),
        "largest_gap": max(one["gap"] for _, one in solved),
        "not_exact": sum(not one["exact"] for _, one in solved),
        "neurons_beyond_theorem": max(one["merged"] - one["allowed"] for _, one in solved),
    }
    arrays: dict[str, np.ndarray] = {}
    for (key, dimension), one in norms.items():
        for name in ("neurons", "merged", "norm"):
            numbers[f"{name}_{key}_{dimension}"] = one[name]
        if dimension == 1:
            numbers[f"fewest_{key}"] = one["fewest"]
            arrays[f"fit_{key}"] = one["fit"]
        else:
            arrays[f"weights_{key}"], arrays[f"biases_{key}"] = one["weights"], one["biases"]
    tv = norms.get(("radon_tv", 1))
    if tv is not None:
        numbers["knots_beyond_fewest"] = tv["merged"] - tv["fewest"]
    return Outcome(numbers, arrays)


_SHOWN = ("radon_tv", "joint_affine", "joint", "joint_l1")
_SHORT = {
    "radon_tv": "ℓ2, free biases", "l1": "ℓ1, free biases", "linf": "ℓ∞, free biases", "constant": "constants free",
    "leaky": "slope 0.5", "joint_affine": "(w, b), affine free", "joint": "(w, b)", "joint_l1": "(w, b), ℓ1",
    "joint_leaky": "(w, b), slope 0.1", "bounded": "|b| ≤ 1.5 ‖w‖", "no_bias": "no biases", "nonnegative": "v ≥ 0",
}  # fmt: skip


def draw_constraints(outcome: Outcome) -> Figure:
    figure = new_figure(height=2.7)
    line, plane, counts = figure.subplots(1, 3, width_ratios=(1, 0.85, 1.15))
    x = points(1)
    shown = [key for key in _SHOWN if f"fit_{key}" in outcome.arrays]
    for key, colour in zip(shown, COLOURS, strict=False):
        line.plot(_GRID[:, 0], outcome.arrays[f"fit_{key}"], color=colour, label=_SHORT[key])
    line.plot(x[:, 0], np.sin(4 * x[:, 0]) + np.cos(3 * x[:, 0]), "ko", label="data")
    line.set(xlabel="$x$", ylabel="$f(x)$", title="least atomic norms on the line", ylim=(-2.3, 3.4))
    line.legend(loc="upper left")
    x, reach = points(2), np.array([-3.0, 3.0])
    for key, colour in zip(shown, COLOURS, strict=False):
        for k, (w, b) in enumerate(
            zip(outcome.arrays.get(f"weights_{key}", ()), outcome.arrays.get(f"biases_{key}", ()), strict=True)
        ):
            along = b / (w @ w) * w + np.outer(reach, [-w[1], w[0]]) / np.linalg.norm(w)
            plane.plot(*along.T, color=colour, linewidth=0.8, label=_SHORT[key] if k == 0 else None)
        if key == shown[1]:
            break
    plane.plot(*x.T, "ko")
    plane.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal", title="neurons in the plane", xticks=(-1, 0, 1),
              yticks=(-1, 0, 1))  # fmt: skip
    keys = [key for key in _SETS if f"merged_{key}_2" in outcome.numbers]
    rows = np.arange(len(keys))
    for dimension, offset, colour in ((1, -0.18, COLOURS[0]), (2, 0.18, COLOURS[1])):
        merged = [outcome.numbers.get(f"merged_{key}_{dimension}", np.nan) for key in keys]
        solved = [outcome.numbers.get(f"neurons_{key}_{dimension}", np.nan) for key in keys]
        name = "line" if dimension == 1 else "plane"
        counts.barh(rows + offset, merged, 0.34, color=colour, label=f"{name}, merged")
        counts.plot(solved, rows + offset, "|", color="black", markersize=6, label="solver" if dimension == 1 else None)
    counts.set_yticks(rows, [_SHORT[key] for key in keys])
    counts.invert_yaxis()
    counts.set(xlabel=f"neurons for {COUNT} data", title="neurons of the optimum")
    counts.legend(loc="upper center", bbox_to_anchor=(0.3, -0.16), ncols=3, columnspacing=0.8, handlelength=1)
    return figure


def training_parts(
    keys: list[str], dimensions: list[int], widths: list[int], seeds: int, steps: int
) -> list[dict[str, Any]]:
    return [
        dict(key=key, dimension=dimension, width=width, seeds=seeds, steps=steps)
        for dimension in dimensions
        for key in keys
        for width in widths
    ]


def train_networks(key: str, dimension: int, width: int, seeds: int, steps: int) -> dict[str, Any]:
    """Networks under weight decay beside the certified optimum of the same cost; nearly interpolation."""
    x = points(dimension)
    y = np.sin(4 * x[:, 0]) + np.cos(3 * x[:, -1])
    problem = rs.Problem(rs.Samples(x), y, regularizer=_SETS[key].regularizer, strength=_STRENGTH)
    certified = rs.solve(problem, SOLVER)
    trained = rs.train(
        problem, width=width, penalty="weight decay", seeds=seeds, steps=steps, dual=certified.dual, progress=False
    )
    bound = certified.certificate.bound
    return dict(
        certified=rs.merge_neurons(problem, certified.spline).width,
        exact=certified.certificate.kind == "exact",
        gaps=(trained.objectives - bound) / bound,
        neurons=trained.widths,
    )


def gather_training(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    # Narrower networks than the data may need are other problems.
    wide = [(part, one) for part, one in zip(parts, found, strict=True) if part["width"] >= COUNT]
    numbers = {
        "least_gap": float(min(one["gaps"].min() for one in found)),
        "not_exact": sum(not one["exact"] for one in found),
        "least_ratio_of_neurons": float(min(np.median(one["neurons"]) / one["certified"] for _, one in wide)),
    }
    arrays: dict[str, np.ndarray] = {}
    for part, one in zip(parts, found, strict=True):
        name = f"{part['key']}_{part['dimension']}_{part['width']}"
        numbers[f"certified_{part['key']}_{part['dimension']}"] = one["certified"]
        numbers[f"median_neurons_{name}"] = float(np.median(one["neurons"]))
        numbers[f"median_gap_{name}"] = float(np.median(one["gaps"]))
        arrays[f"neurons_{name}"], arrays[f"gaps_{name}"] = one["neurons"], one["gaps"]
    return Outcome(numbers, arrays)


def draw_training(outcome: Outcome) -> Figure:
    figure = new_figure(height=2.6)
    cases = sorted({name.removeprefix("gaps_").rsplit("_", 1)[0] for name in outcome.arrays if name.startswith("gaps")})
    neurons, gaps = figure.subplots(1, 2)
    for ax in (neurons, gaps):
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
    for case, colour in zip(cases, COLOURS, strict=False):
        key, dimension = case.rsplit("_", 1)
        widths = sorted(int(name.rsplit("_", 1)[1]) for name in outcome.arrays if name.startswith(f"gaps_{case}_"))
        label = f"{_SHORT[key]}, {'line' if dimension == '1' else 'plane'}"
        for ax, name in ((neurons, "neurons"), (gaps, "gaps")):
            values = np.array([outcome.arrays[f"{name}_{case}_{width}"] for width in widths], dtype=float)
            # An objective equal to the bound, to all digits, has its place on a logarithmic axis, too.
            values = np.maximum(values, 1e-12) if name == "gaps" else values
            ax.plot(widths, values, ".", color=colour, alpha=0.4, markersize=3)
            ax.plot(widths, np.median(values, axis=1), "o-", color=colour, label=label)
        neurons.set_xticks(widths, labels=[str(width) for width in widths], minor=False)
        gaps.set_xticks(widths, labels=[str(width) for width in widths], minor=False)
        neurons.axhline(outcome.numbers[f"certified_{case}"], color=colour, linestyle="--", linewidth=0.9)
    neurons.set(ylim=(0, None), xlabel="width", ylabel="neurons, merged",
                title="weight decay (dashed: the convex optimum)")  # fmt: skip
    gaps.set(yscale="log", xlabel="width", ylabel="above the proven bound", title="objectives")
    gaps.legend()
    return figure


def margin_parts(counts: list[int], seeds: list[int]) -> list[dict[str, Any]]:
    return [dict(count=count, seed=seed) for count in counts for seed in seeds]


def tell_apart(count: int, seed: int) -> dict[str, Any]:
    """Two classes under y f(x) ≥ 1, by column generation and by the convex program."""
    problem = classes_of(CLASSIFIERS[0], count, seed)
    certified = rs.solve(problem, SOLVER)
    program = rs.solve(problem, rs.ConvexProgram())
    margins = problem.targets * certified.spline(problem.points)
    side = np.linspace(-1, 1, 81)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return dict(
        # Where an affine function tells the classes apart, both are 0.
        difference=abs(program.objective - certified.objective) / (certified.objective or 1.0),
        gap=certified.certificate.relative_gap,
        exact=certified.certificate.kind == "exact",
        shortfall=float(np.max(1 - margins)),
        wrong=int(np.sum(margins <= 0)),
        neurons=certified.spline.width,
        beyond=certified.spline.width - problem.representer_bound,
        points=problem.points,
        labels=problem.targets,
        values=certified.spline(grid).reshape(81, 81),
    )


def gather_margins(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    numbers = {
        "largest_difference": max(one["difference"] for one in found),
        "largest_gap": max(one["gap"] for one in found),
        "not_exact": sum(not one["exact"] for one in found),
        "largest_shortfall": max(one["shortfall"] for one in found),
        "misclassified": sum(one["wrong"] for one in found),
        "neurons_beyond_theorem": max(one["beyond"] for one in found),
    }
    numbers |= {
        f"neurons_{part['count']}_{part['seed']}": one["neurons"] for part, one in zip(parts, found, strict=True)
    }
    # The largest of the first seed.
    last = max(range(len(parts)), key=lambda k: (parts[k]["count"], -parts[k]["seed"]))
    return Outcome(numbers, {name: found[last][name] for name in ("points", "labels", "values")})


def draw_margins(outcome: Outcome) -> Figure:
    figure = new_figure(1, height=3.0)
    ax = figure.subplots()
    side, labels = np.linspace(-1, 1, 81), outcome.arrays["labels"]
    ax.contour(side, side, outcome.arrays["values"], (-1, 0, 1), colors="black", linewidths=(0.7, 1.4, 0.7))
    ax.plot([], [], color="black", linewidth=1.4, label="$f = 0$")
    ax.plot([], [], color="black", linewidth=0.7, label="$|f| = 1$")
    for label, marker, colour in ((1, "o", COLOURS[0]), (-1, "s", COLOURS[1])):
        ax.plot(*outcome.arrays["points"][labels == label].T, marker, color=colour, label=f"$y = {label}$")
    ax.set(aspect="equal", title="least norm with $y f(x) \\geq 1$", xlabel="$x_1$", ylabel="$x_2$")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


EXPERIMENTS = (
    Experiment(
        PAPER,
        "constraint_sets",
        "least atomic norms under twelve constraint sets: the convex program and the certified optimum",
        quick=dict(keys=["radon_tv", "joint_affine", "joint", "joint_l1", "bounded", "no_bias"], dimensions=[1, 2]),
        full=dict(keys=list(_SETS), dimensions=[1, 2]),
        parts=constraint_parts,
        solve=interpolate,
        gather=gather_constraints,
        draw=draw_constraints,
        brief=True,
    ),
    Experiment(
        PAPER,
        "trained_networks",
        "neurons and objectives of networks trained under weight decay beside those of the convex optimum",
        quick=dict(keys=["radon_tv"], dimensions=[1, 2], widths=[12, 48], seeds=8, steps=2000),
        full=dict(keys=["radon_tv", "joint"], dimensions=[1, 2], widths=[6, 12, 24, 48, 96], seeds=32, steps=10_000),
        parts=training_parts,
        solve=train_networks,
        gather=gather_training,
        draw=draw_training,
    ),
    Experiment(
        PAPER,
        "margins",
        "two classes in the plane told apart with a margin, by the least norm",
        quick=dict(counts=[20, 30], seeds=[27, 28]),
        full=dict(counts=[20, 40, 60], seeds=[27, 28, 29, 30, 31]),
        parts=margin_parts,
        solve=tell_apart,
        gather=gather_margins,
        draw=draw_margins,
        brief=True,
    ),
)
