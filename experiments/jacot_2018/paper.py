"""Wide networks under small steps beside their tangent kernel, and both regimes on a target with one kink."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.infinite_width import kink
from experiments.infinite_width.data import load
from experiments.infinite_width.rates import fitted_rate, root_mean_square
from experiments.infinite_width.trained import step_size, tangent_flow, trained
from experiments.style import COLOURS, new_figure

PAPER = "jacot_2018"
SPLINE, NETWORK, TANGENT = "certified ridge spline", "trained, weight decay", "tangent kernel"


def width_parts(widths: list[int], times: list[float], seeds: int) -> list[dict[str, Any]]:
    return [
        dict(width=width, time=time, seeds=[1000 * j + seed for seed in range(seeds)])
        for time in times
        for j, width in enumerate(widths)
    ]


def train_beside_the_flow(width: int, time: float, seeds: list[int]) -> dict[str, Any]:
    """Both layers under gradient descent on the motorcycle data, beside infinite width after the same steps."""
    x, y, grid = load("motorcycle")
    rate, steps = step_size(x, time)
    limit = tangent_flow(x, y, grid, rate, steps)
    runs = [trained(width, seed, x, y, grid, rate, steps) for seed in seeds]
    return dict(
        distances=np.array([root_mean_square(run.fit - limit) for run in runs]),
        moved=np.array([run.moved for run in runs]),
        fit=runs[0].fit,
        limit=limit,
        grid=grid[:, 0],
        x=x[:, 0],
        y=y,
    )


def gather_widths(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    widths = np.array(sorted({part["width"] for part in parts}))
    times = sorted({part["time"] for part in parts})
    by_part = {(part["time"], part["width"]): one for part, one in zip(parts, found, strict=True)}
    numbers: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {"widths": widths, "times": np.array(times)}
    for k, time in enumerate(times):
        distances, moved = (
            np.stack([by_part[time, width][name] for width in widths], axis=1) for name in ("distances", "moved")
        )
        rate, movement = fitted_rate(widths, distances), fitted_rate(widths, moved)
        arrays |= {f"distances_{k}": distances, f"moved_{k}": moved}
        numbers |= {
            f"slope_{time:g}": rate.slope,
            f"error_{time:g}": rate.error,
            f"slope_of_movement_{time:g}": movement.slope,
            f"distance_{time:g}": root_mean_square(distances[:, -1]),
        }
        if k == 0:
            numbers |= {
                "errors_from_theory": abs(rate.slope + 0.5) / rate.error,
                "movement_from_theory": abs(movement.slope + 0.5),
                "wide_to_narrow": root_mean_square(distances[:, -1]) / root_mean_square(distances[:, 0]),
            }
    shown = by_part[times[0], int(widths[-1])]
    arrays |= {name: shown[name] for name in ("fit", "limit", "grid", "x", "y")}
    arrays["narrow"] = by_part[times[0], int(widths[0])]["fit"]
    return Outcome(numbers, arrays)


def _widths(ax: Axes, values: np.ndarray) -> None:
    ax.set(xscale="log", yscale="log")
    ax.set_xticks(values, labels=[f"{value:,}" for value in values])
    ax.xaxis.set_minor_locator(NullLocator())


def draw_widths(outcome: Outcome) -> Figure:
    figure, arrays = new_figure(height=2.5), outcome.arrays
    fits, rates, moved = figure.subplots(1, 3)
    fits.plot(arrays["x"], arrays["y"], ".", color="0.65", markersize=3)
    fits.plot(arrays["grid"], arrays["narrow"], color=COLOURS[1], label=f"width {arrays['widths'][0]:,}")
    fits.plot(arrays["grid"], arrays["fit"], color=COLOURS[0], label=f"width {arrays['widths'][-1]:,}")
    fits.plot(arrays["grid"], arrays["limit"], "k--", linewidth=1, label="tangent kernel")
    fits.set(title=f"after the time {arrays['times'][0]:g}", xlabel="$x$", ylabel="$f(x)$")
    fits.legend()
    for k, (time, colour) in enumerate(zip(arrays["times"], COLOURS, strict=False)):
        for ax, name in ((rates, "distances"), (moved, "moved")):
            values = arrays[f"{name}_{k}"]
            ax.plot(arrays["widths"], values.T, ".", color=colour, alpha=0.35, markersize=3)
            mean = np.sqrt(np.mean(values**2, axis=0))
            slope = outcome.numbers[f"slope{'_of_movement' if name == 'moved' else ''}_{time:g}"]
            ax.plot(arrays["widths"], mean, "o-", color=colour, label=f"time {time:g}: slope {slope:.2f}")
    for ax, title in ((rates, "distance to the limit"), (moved, "movement of hidden weights")):
        _widths(ax, arrays["widths"])
        ax.set(title=title, xlabel="width")
        ax.legend()
    return figure


def kink_parts(counts: list[int], seeds: int, width: int, steps: int) -> list[dict[str, Any]]:
    return [
        dict(count=count, seed=1000 * j + seed, width=width, steps=steps)
        for j, count in enumerate(counts)
        for seed in range(seeds)
    ]


def fit_kink(count: int, seed: int, width: int, steps: int) -> dict[str, Any]:
    """2 |w·x − b| with noise in the plane: each method with the best of its strengths for the true function."""
    x, y = kink.draw_data(count, seed)
    grid = kink.grid_points()
    truth = kink.target(grid)

    def best(fits: np.ndarray) -> int:
        return int(np.argmin([root_mean_square(fit - truth) for fit in fits]))

    solutions = kink.ridge_splines(x, y, 1e-5)
    splines = np.stack([np.asarray(solution.spline(grid)) for solution in solutions])
    kernels = kink.kernel_fits(kink.KERNELS["tangent"], x, y, grid)
    chosen = best(splines)
    solution = solutions[chosen]
    problem = rs.Problem(rs.Samples(x), y, strength=kink.STRENGTHS[chosen] * kink.NOISE * count**0.5)
    networks = rs.train(
        problem, width=width, penalty="weight decay", seeds=2, seed=seed, steps=steps, dual=solution.dual,
        progress=False,
    )  # fmt: skip
    fits = {
        SPLINE: splines[chosen],
        NETWORK: np.asarray(networks.best.spline(grid)),
        TANGENT: kernels[best(kernels)],
    }
    return dict(
        errors=np.array([root_mean_square(fit - truth) for fit in fits.values()]),
        fits=np.stack(list(fits.values())),
        neurons=solution.spline.width,
        gap=solution.certificate.relative_gap,
        exact=solution.certificate.kind == "exact",
        network_gap=float(networks.relative_gaps.min()),
    )


def gather_kink(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    counts = sorted({part["count"] for part in parts})
    errors = np.stack(
        [[one["errors"] for part, one in zip(parts, found, strict=True) if part["count"] == n] for n in counts], axis=1
    )
    spline, network, tangent = np.moveaxis(errors, -1, 0)  # each (seeds, counts)
    ratios = np.log(tangent[:, -1] / spline[:, -1])
    slopes = {name: fitted_rate(np.array(counts), e) for name, e in (("spline", spline), ("tangent", tangent))}
    last = max(range(len(parts)), key=lambda k: (parts[k]["count"], -parts[k]["seed"]))
    numbers = {
        "tangent_to_spline": float(np.exp(ratios.mean())),
        "tangent_to_spline_in_errors": float(ratios.mean() / (ratios.std(ddof=1) / np.sqrt(len(ratios)))),
        "tangent_to_network": float(np.exp(np.mean(np.log(tangent[:, -1] / network[:, -1])))),
        "slope_spline": slopes["spline"].slope,
        "slope_spline_error": slopes["spline"].error,
        "slope_tangent": slopes["tangent"].slope,
        "slope_tangent_error": slopes["tangent"].error,
        "largest_gap": max(one["gap"] for one in found),
        "not_exact": sum(not one["exact"] for one in found),
        "least_network_gap": min(one["network_gap"] for one in found),
        "median_neurons": float(np.median([one["neurons"] for one in found])),
    }
    arrays = {"counts": np.array(counts), "errors": errors, "fits": found[last]["fits"]}
    return Outcome(numbers, arrays)


def draw_kink(outcome: Outcome) -> Figure:
    figure = new_figure(height=2.4)
    *maps, rates = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.25))
    truth = kink.target(kink.grid_points())
    side = round(len(truth) ** 0.5)
    difference = [fit - truth for fit in outcome.arrays["fits"]]
    reach = float(np.max(np.abs(difference)))
    names = (SPLINE, NETWORK, TANGENT)
    for ax, name, field in zip(maps, names, difference, strict=True):
        shown = ax.imshow(field.reshape(side, side).T, cmap="RdBu_r", vmin=-reach, vmax=reach, origin="lower")
        ax.set_title(name)
        ax.set_xticks([])
        ax.set_yticks([])
    figure.colorbar(shown, ax=maps, location="bottom", shrink=0.6, label="error of the fit", pad=0.04)
    counts = outcome.arrays["counts"]
    for k, (name, colour) in enumerate(zip(names, COLOURS, strict=False)):
        errors = outcome.arrays["errors"][:, :, k]
        rates.plot(counts, errors.T, ".", color=colour, alpha=0.35, markersize=3)
        rates.plot(counts, np.exp(np.mean(np.log(errors), axis=0)), "o-", color=colour, label=name)
    _widths(rates, counts)
    rates.set(xlabel="data $N$", title="root mean square error")
    rates.legend()
    return figure


EXPERIMENTS = (
    Experiment(
        PAPER,
        "wide_networks",
        "networks under plain gradient descent beside the flow with the tangent kernel, as the width grows",
        quick=dict(widths=[100, 1000, 4000], times=[0.1], seeds=8),
        full=dict(widths=[50, 200, 1000, 3000, 10_000], times=[0.2, 1.0, 5.0], seeds=10),
        parts=width_parts,
        solve=train_beside_the_flow,
        gather=gather_widths,
        draw=draw_widths,
    ),
    Experiment(
        PAPER,
        "one_kink",
        "a target with one kink along a line of the plane: tangent kernel, trained networks, certified ridge spline",
        quick=dict(counts=[50, 200], seeds=4, width=32, steps=1000),
        full=dict(counts=[50, 100, 200, 400, 800], seeds=10, width=64, steps=5000),
        parts=kink_parts,
        solve=fit_kink,
        gather=gather_kink,
        draw=draw_kink,
    ),
)
