"""What a tilt costs: a function with more and more of a linear one added."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.savarese_2019.closed_forms import function_cost, interpolation_cost, programmed_cost
from experiments.style import figure_style, new_figure

CONSTANT = rs.AtomicNorm(skip="constant")
_SOLVER = rs.ColumnGeneration(gap=1e-9)


def random_spline(count: int, seed: int, tilt: float) -> rs.RidgeSpline:
    """Knots and slope changes drawn at random, with f'(−∞) + f'(∞) = 2 `tilt`."""
    rng = np.random.default_rng([2019, count, seed])
    knots, changes = np.sort(rng.uniform(-1, 1, count)), rng.standard_normal(count)
    return rs.RidgeSpline(np.ones((count, 1)), knots, changes, [rng.standard_normal(), tilt - 0.5 * changes.sum()])


def parts(count: int, seeds: int, tilts: list[float]) -> list[dict[str, Any]]:
    return [{"count": count, "seed": seed, "tilt": tilt} for seed in range(seeds) for tilt in tilts]


def solve(count: int, seed: int, tilt: float) -> dict[str, Any]:
    spline = random_spline(count, seed, tilt)
    knots = np.asarray(spline.biases)
    # All that f is: its knots, and a point beyond them on either side.
    x = np.concatenate([[-1.5], knots, [1.5]])
    y = np.asarray(spline(x))
    bending = float(np.abs(spline.coefficients).sum())
    points = rs.Samples(x[:, None])
    constant, affine = (
        rs.solve(rs.Problem(points, y, rs.Interpolation(), regularizer), _SOLVER, progress=False)
        for regularizer in (CONSTANT, rs.RadonTV())
    )
    fine = np.linspace(-1.8, 1.8, 300)
    return {
        "bending": bending,
        "formula": function_cost(bending, 2 * tilt),
        "cost": CONSTANT.cost(spline),
        "affine_cost": rs.AtomicNorm().cost(spline),
        # Without neurons outside of the knots, a network through these data is f everywhere.
        "programmed": programmed_cost(x, y, knots),
        "interpolation_formula": interpolation_cost(x, y),
        "interpolation": constant.objective,
        "interpolation_programmed": programmed_cost(x, y, x),
        "affine_interpolation": affine.objective,
        "gap": max(constant.certificate.relative_gap, affine.certificate.relative_gap),
        "proven": constant.certificate.kind == affine.certificate.kind == "exact",
        "fine": fine,
        "constant_curve": constant.spline(fine),
        "affine_curve": affine.spline(fine),
        "x": x,
        "y": y,
    }


def _error(found: list[dict[str, Any]], name: str, other: str) -> float:
    return float(max(abs(row[name] - row[other]) / row[other] for row in found))


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    numbers = {
        "cost_error": _error(found, "cost", "formula"),
        "programmed_cost_error": _error(found, "programmed", "formula"),
        "affine_cost_error": _error(found, "affine_cost", "bending"),
        "interpolation_error": _error(found, "interpolation", "interpolation_formula"),
        "programmed_interpolation_error": _error(found, "interpolation_programmed", "interpolation_formula"),
        "affine_interpolation_error": _error(found, "affine_interpolation", "bending"),
        "largest_gap": float(max(row["gap"] for row in found)),
        "without_proof": float(sum(not row["proven"] for row in found)),
        "tilts_that_cost": float(sum(row["formula"] > row["bending"] for row in found)),
    }
    first = [i for i, part in enumerate(parts) if part["seed"] == parts[0]["seed"]]
    shown = found[first[-1]]
    arrays = {name: np.array([found[i][name] for i in first]) for name in ("cost", "affine_cost", "interpolation")}
    arrays["tilts"] = np.array([parts[i]["tilt"] for i in first])
    arrays["bending"] = np.array([found[i]["bending"] for i in first])
    arrays |= {name: np.asarray(shown[name]) for name in ("fine", "constant_curve", "affine_curve", "x", "y")}
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    with figure_style():
        figure = new_figure(columns=2, height=2.7)
        left, right = figure.subplots(1, 2)
        bending, tilts = float(arrays["bending"][0]), arrays["tilts"]
        fine = np.linspace(tilts.min(), tilts.max(), 401)
        left.axhline(bending, color="C0", linewidth=0.8)
        left.plot(fine, np.maximum(bending, 2 * np.abs(fine)), color="C1", linewidth=0.8)
        left.plot(fine, np.maximum(bending, bending / 2 + np.abs(fine)), color="C2", linewidth=0.8)
        left.plot(tilts, arrays["affine_cost"], "o", color="C0", label="R(f), affine functions free: ∫|f''|")
        left.plot(tilts, arrays["cost"], "o", color="C1", label="R(f), constants free: max(∫|f''|, |f'(−∞) + f'(∞)|)")
        left.plot(tilts, arrays["interpolation"], "s", color="C2", label="the same, least of the interpolants")
        left.set(xlabel="½ (f'(−∞) + f'(∞))", ylabel="cost", ylim=(0, 1.5 * arrays["cost"].max()))
        left.legend(loc="upper center")
        tilt = float(tilts[-1])
        right.plot(arrays["fine"], arrays["affine_curve"] - tilt * arrays["fine"], color="C0", label="affine free")
        right.plot(
            arrays["fine"], arrays["constant_curve"] - tilt * arrays["fine"], "--", color="C2", label="constants free"
        )
        right.plot(arrays["x"], arrays["y"] - tilt * arrays["x"], ".", color="black", markersize=5, label="data")
        right.set(xlabel="x", ylabel=f"f(x) − {tilt:g} x", title="interpolants of least cost, largest tilt")
        right.legend()
    return figure


TILTS = Experiment(
    paper="savarese_2019",
    name="tilts",
    title="what piecewise linear functions cost with and without free affine functions, and their interpolants",
    quick={"count": 6, "seeds": 4, "tilts": [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0]},
    full={"count": 10, "seeds": 40, "tilts": [float(tilt) for tilt in np.linspace(-8, 8, 33)]},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)
