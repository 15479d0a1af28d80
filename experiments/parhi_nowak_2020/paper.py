"""Networks on the line under the regularizer that matches their activation tend to locally adaptive splines."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.style import COLOURS, new_figure
from experiments.trained_versus_certified.run import CASES

# The motorcycle data, order 2 and order 4.
_CASES = {2: CASES[0], 4: CASES[1]}
_NAMES = {2: "linear", 4: "cubic"}
MATCHED, MISMATCHED = "weight decay", "plain weight decay"
_GRID_STEPS = 400


def parts(orders: list[int], widths: list[int], seeds: int, steps: int) -> list[dict[str, Any]]:
    trained = [
        dict(order=order, width=width, penalty=MATCHED, seeds=seeds, steps=steps)
        for order in orders
        for width in widths
    ]
    # For order 2 both are one.
    others = [dict(order=order, width=widths[-1], penalty=MISMATCHED, seeds=seeds, steps=steps) for order in orders]
    return trained + [part for part in others if part["order"] > 2]


def train(order: int, width: int, penalty: str, seeds: int, steps: int) -> dict[str, Any]:
    """Networks of one width beside the spline, the certified optimum over all networks."""
    case = _CASES[order]
    problem = case.make()
    certified = rs.solve(problem, rs.ColumnGeneration(gap=case.gap))
    trained = rs.train(
        problem, width=width, penalty=penalty, seeds=seeds, steps=steps, dual=certified.dual, progress=False
    )
    x, bound = problem.points, certified.certificate.bound
    grid = np.linspace(x.min(), x.max(), _GRID_STEPS)[:, None]
    fits, spline = np.stack([np.asarray(f(grid)) for f in trained.splines]), np.asarray(certified.spline(grid))
    at_data = np.stack([np.asarray(f(x)) - np.asarray(certified.spline(x)) for f in trained.splines])
    # Half the square of a difference in the data is in the squared loss: J(f) − J(f*) ≥ ½ ‖f(x) − f*(x)‖².
    own = np.sqrt(2 * max(certified.objective - bound, 0.0))
    allowed = np.sqrt(2 * np.maximum(trained.objectives - bound, 0.0)) + own
    best = int(np.argmin(trained.objectives))
    return dict(
        gaps=(trained.objectives - bound) / bound,
        distances=np.sqrt(np.mean((fits - spline) ** 2, axis=1)) / problem.targets.std(),
        ratios=np.linalg.norm(at_data, axis=1) / allowed,
        exact=certified.certificate.kind == "exact",
        spline_gap=certified.certificate.relative_gap,
        knots=certified.spline.width,
        allowed_knots=problem.representer_bound,
        neurons=trained.widths,
        grid=grid[:, 0],
        spline=spline,
        best=fits[best],
        x=x[:, 0],
        y=problem.targets,
    )


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    numbers: dict[str, float] = {
        "least_gap": float(min(one["gaps"].min() for one in found)),
        "not_exact": sum(not one["exact"] for one in found),
        "largest_ratio_to_convexity": float(max(one["ratios"].max() for one in found)),
        "knots_beyond_theorem": max(one["knots"] - one["allowed_knots"] for one in found),
    }
    arrays: dict[str, np.ndarray] = {}
    for order in dict.fromkeys(part["order"] for part in parts):
        matched = {
            part["width"]: one
            for part, one in zip(parts, found, strict=True)
            if (part["order"], part["penalty"]) == (order, MATCHED)
        }
        other = [
            one
            for part, one in zip(parts, found, strict=True)
            if (part["order"], part["penalty"]) == (order, MISMATCHED)
        ]
        name = _NAMES[order]
        narrow, wide = matched[min(matched)], matched[max(matched)]
        numbers |= {
            f"knots_{name}": wide["knots"],
            f"distance_{name}": float(np.median(wide["distances"])),
            f"gap_{name}": float(np.median(wide["gaps"])),
            f"distance_wide_to_narrow_{name}": float(np.median(wide["distances"]) / np.median(narrow["distances"])),
            f"neurons_{name}": float(np.median(wide["neurons"])),
        }
        arrays |= {
            f"{key}_{name}": wide[key] for key in ("grid", "spline", "best", "x", "y")
        } | {f"widths_{name}": np.array(list(matched))}  # fmt: skip
        arrays[f"distances_{name}"] = np.stack([one["distances"] for one in matched.values()])
        if other:
            arrays[f"mismatched_{name}"] = other[0]["best"]
            ratio = np.median(other[0]["distances"]) / np.median(wide["distances"])
            numbers[f"distance_mismatched_to_matched_{name}"] = float(ratio)
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    names = [name for name in _NAMES.values() if f"grid_{name}" in outcome.arrays]
    figure = new_figure(height=2.5)
    *fits, rates = figure.subplots(1, len(names) + 1)
    arrays = outcome.arrays
    for ax, name, colour in zip(fits, names, COLOURS, strict=False):
        ax.plot(arrays[f"x_{name}"], arrays[f"y_{name}"], ".", color="0.6", markersize=3)
        ax.plot(arrays[f"grid_{name}"], arrays[f"spline_{name}"], color="black", label=f"{name} spline")
        label = f"network, width {arrays[f'widths_{name}'][-1]}"
        ax.plot(arrays[f"grid_{name}"], arrays[f"best_{name}"], "--", color=colour, label=label)
        if f"mismatched_{name}" in arrays:
            ax.plot(
                arrays[f"grid_{name}"], arrays[f"mismatched_{name}"], ":", color=COLOURS[3], label="plain weight decay"
            )
        order = next(order for order, other in _NAMES.items() if other == name)
        ax.set(title=f"$\\rho_{order}$, {outcome.numbers[f'knots_{name}']:.0f} knots", xlabel="$t$ (ms)")
        ax.legend(loc="upper left", handlelength=1.6)
        ax.set_ylim(top=1.9 * np.max(arrays[f"y_{name}"]))
        widths, distances = arrays[f"widths_{name}"], arrays[f"distances_{name}"]
        rates.plot(widths, distances, ".", color=colour, alpha=0.4)
        rates.plot(widths, np.median(distances, axis=1), "o-", color=colour, label=f"{name}, median of seeds")
        rates.set_xscale("log")
        rates.set_xticks(widths, labels=[str(width) for width in widths])
        rates.xaxis.set_minor_locator(NullLocator())
    fits[0].set_ylabel("acceleration ($g$)")
    rates.set(yscale="log", xlabel="width", title="distance to the spline / deviation of data")
    rates.legend()
    return figure


EXPERIMENTS = (
    Experiment(
        "parhi_nowak_2020",
        "activations",
        "networks of orders 2 and 4 on the line beside the linear and the cubic locally adaptive spline",
        quick=dict(orders=[2, 4], widths=[10, 160], seeds=4, steps=2000),
        full=dict(orders=[2, 4], widths=[10, 40, 160, 640], seeds=16, steps=20_000),
        parts=parts,
        solve=train,
        gather=gather,
        draw=draw,
    ),
)
