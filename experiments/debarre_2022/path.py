"""The path over λ: knots of the canonical and of the sparsest solution for every strength."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.debarre_2022.runs import knots_by_formula
from experiments.experiment import Experiment, Outcome
from experiments.style import figure_style, label_decades, new_figure

# Relative; the sum of squares of a fit depends on its values to second order, so that these agree to 1e-5 at least.
_GAP = 1e-10


def data(name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets, (N,) each: "motorcycle", or a function of four knots with noise."""
    if name == "motorcycle":
        x, y = rs.datasets.motorcycle()
        return x[:, 0], y
    rng = np.random.default_rng([2022, count])
    x = np.sort(rng.uniform(0, 1, count))
    clean = rs.RidgeSpline(np.ones((4, 1)), [0.15, 0.4, 0.62, 0.85], [12.0, -20.0, 18.0, -14.0], [0.0, -4.0])
    return x, np.asarray(clean(x)) + 0.1 * rng.standard_normal(count)


def parts(cases: list[list[Any]], strengths: int, ratio: float) -> list[dict[str, Any]]:
    return [{"name": name, "count": count, "strengths": strengths, "ratio": ratio} for name, count in cases]


def solve(name: str, count: int, strengths: int, ratio: float) -> dict[str, Any]:
    x, y = data(name, count)
    problem = rs.Problem(rs.Samples(x[:, None]), y, strength=1.0)
    path = rs.exact_path(problem, ratio=ratio, progress=False)
    score = rs.generalized_cross_validation(problem, path)
    tried = np.geomspace(path.strengths[0] * (1 - 1e-9), path.strengths[-1] * (1 + 1e-9), strengths)
    found: dict[str, list[float]] = {
        key: [] for key in ("canonical", "sparsest", "formula", "loss", "seminorm", "gap", "solver", "misfit")
    }
    points = np.unique(x)
    for strength in tried:
        solution = path.at(float(strength))
        solutions = rs.solution_set(problem, solution)
        sparse, canonical = solutions.sparsest, solutions.canonical
        again = rs.solve(problem.with_strength(float(strength)), rs.LineSpline(gap=_GAP), progress=False)
        certificate = rs.certify(problem.with_strength(float(strength)), sparse, dual=solution.dual)
        found["canonical"].append(canonical.width)
        found["sparsest"].append(sparse.width)
        # The formula wants to know which changes are zero, which values at the data tell up to rounding only.
        found["formula"].append(_formula(solutions))
        found["loss"].append(solution.certificate.loss)
        size = canonical.radon_tv()
        found["seminorm"].append(abs(sparse.radon_tv() - size) / size if size else 0.0)
        found["gap"].append(certificate.relative_gap)
        found["solver"].append(abs(again.objective / solution.objective - 1))
        found["misfit"].append(float(np.abs(sparse(points) - solutions.values).max() / np.ptp(y)))
    # Between neighbouring breakpoints the solution is affine in λ.
    affine = 0.0
    for high, low in zip(path.strengths[:-1], path.strengths[1:], strict=True):
        if high / low - 1 > 1e-6:
            ends = 0.5 * (path.at(float(high)).spline(points) + path.at(float(low)).spline(points))
            middle = path.at(float(0.5 * (high + low))).spline(points)
            affine = max(affine, float(np.abs(middle - ends).max() / np.ptp(y)))
    chosen = rs.solution_set(problem, path.at(score.strength))
    fine = np.linspace(x[0], x[-1], 600)
    return {
        **{key: np.array(values) for key, values in found.items()},
        "tried": tried,
        "breakpoints": path.strengths,
        "breakpoint_gap": float(path.relative_gaps.max()),
        "complete": path.complete,
        "affine": affine,
        "chosen": score.strength,
        "x": x,
        "y": y,
        "fine": fine,
        "curve": chosen.sparsest(fine),
        "sparse_knots": chosen.sparsest.biases,
        "sparse_values": chosen.sparsest(chosen.sparsest.biases),
        "canonical_knots": chosen.canonical.biases,
        "canonical_values": chosen.canonical(chosen.canonical.biases),
    }


def _formula(solutions: rs.SolutionSet) -> int:
    """`knots_by_formula` of a function with the signs of the slope changes of the set, at equally spaced points."""
    values = np.append(0.0, np.cumsum(np.cumsum(np.sign(solutions.changes))))
    return knots_by_formula(np.arange(len(values), dtype=float), values)


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    def most(name: str) -> float:
        return float(max(np.max(row[name]) for row in found))

    numbers = {
        "breakpoints": float(sum(len(row["breakpoints"]) for row in found)),
        "breakpoint_gap": most("breakpoint_gap"),
        "incomplete_paths": float(sum(not row["complete"] for row in found)),
        "sparsest_gap": most("gap"),
        "solver_difference": most("solver"),
        "not_affine_by": most("affine"),
        "seminorm_difference": most("seminorm"),
        "misfit": most("misfit"),
        "most_knots_above_canonical": float(max((row["sparsest"] - row["canonical"]).max() for row in found)),
        "formula_missed_by": float(max(np.abs(row["sparsest"] - row["formula"]).max() for row in found)),
        "strengths_with_fewer_knots": float(np.mean([np.mean(row["sparsest"] < row["canonical"]) for row in found])),
    }
    for part, row in zip(parts, found, strict=True):
        numbers[f"{part['name']}_canonical_knots"] = float(len(row["canonical_knots"]))
        numbers[f"{part['name']}_sparsest_knots"] = float(len(row["sparse_knots"]))
        numbers[f"{part['name']}_chosen_strength"] = float(row["chosen"])
    first = found[0]
    names = ("tried", "canonical", "sparsest", "loss", "x", "y", "fine", "curve", "breakpoints")
    names += ("sparse_knots", "sparse_values", "canonical_knots", "canonical_values")
    arrays = {name: np.asarray(first[name]) for name in names}
    return Outcome(numbers, arrays | {"chosen": np.array(first["chosen"])})


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    with figure_style():
        figure = new_figure(columns=2, height=2.9)
        left, right = figure.subplots(1, 2)
        left.plot(arrays["x"], arrays["y"], ".", color="0.7", markersize=2.5, label="data")
        left.plot(arrays["fine"], arrays["curve"], color="C0", label="the sparsest solution")
        left.plot(
            arrays["canonical_knots"], arrays["canonical_values"], "s", color="C1", markerfacecolor="none",
            label=f"{len(arrays['canonical_knots'])} knots of the canonical one",
        )  # fmt: skip
        left.plot(
            arrays["sparse_knots"], arrays["sparse_values"], "o", color="C0", markersize=2.5,
            label=f"its {len(arrays['sparse_knots'])} knots",
        )  # fmt: skip
        left.set(xlabel="x", ylabel="f(x)", title=f"λ = {float(arrays['chosen']):.3g}, by cross-validation")
        left.legend()
        right.step(arrays["tried"], arrays["canonical"], where="mid", color="C1", label="knots, canonical")
        right.step(arrays["tried"], arrays["sparsest"], where="mid", color="C0", label="knots, sparsest")
        right.plot(arrays["breakpoints"], np.zeros(len(arrays["breakpoints"])), "|", color="0.5", label="breakpoints")
        right.axvline(float(arrays["chosen"]), color="0.8", linewidth=0.8)
        right.set(xscale="log", xlabel="λ", ylabel="knots")
        other = right.twinx()
        other.loglog(arrays["tried"], arrays["loss"], ":", color="C2")
        other.set_ylabel("loss", color="C2")
        right.plot([], [], ":", color="C2", label="loss")
        right.legend(loc="upper right")
        label_decades(figure)
    return figure


PATH = Experiment(
    paper="debarre_2022",
    name="path",
    title="canonical and sparsest solutions along the exact path over λ",
    quick={"cases": [["motorcycle", 0], ["planted", 80]], "strengths": 30, "ratio": 1e-3},
    full={"cases": [["motorcycle", 0], ["planted", 80], ["planted", 400]], "strengths": 200, "ratio": 1e-4},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)
