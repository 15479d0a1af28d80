"""Finite networks with random hidden neurons beside the kernel that is their limit."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Outcome
from experiments.infinite_width.data import load
from experiments.infinite_width.features import KERNELS
from experiments.infinite_width.rates import fitted_rate, root_mean_square
from experiments.style import COLOURS, new_figure


def parts(data: list[str], widths: list[int], seeds: int) -> list[dict[str, Any]]:
    return [
        dict(data=name, neurons=neurons, width=width, seeds=[1000 * j + seed for seed in range(seeds)])
        for name in data
        for neurons in KERNELS
        for j, width in enumerate(widths)
    ]


def fit_features(data: str, neurons: str, width: int, seeds: list[int]) -> dict[str, Any]:
    """Ridge regression of the output layer, with the nugget of the greatest marginal likelihood under the kernel."""
    kernel = KERNELS[neurons]
    x, y, grid = load(data)
    choice = rs.choose_nuggets(rs.KernelProblem(x, y, kernel=kernel, value_nugget=1.0))
    nugget = choice.value_nugget
    limit = np.asarray(rs.solve_kernel(choice.problem).spline(grid))
    networks = (rs.kernels.random_features(kernel, width, x.shape[1], seed=seed) for seed in seeds)
    fits = (np.asarray(network.ridge_regression(x, y, nugget)(grid)) for network in networks)
    return dict(distances=np.array([root_mean_square(fit - limit) for fit in fits]), nugget=nugget)


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    series: dict[str, dict[int, np.ndarray]] = {}
    for part, one in zip(parts, found, strict=True):
        series.setdefault(f"{part['data']}_{part['neurons']}", {})[part["width"]] = one["distances"]
    numbers: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, by_width in series.items():
        widths, distances = np.array(sorted(by_width)), np.stack([by_width[k] for k in sorted(by_width)], axis=1)
        rate = fitted_rate(widths, distances)
        numbers |= {f"slope_{name}": rate.slope, f"error_{name}": rate.error}
        numbers[f"distance_{name}"] = root_mean_square(distances[:, -1])
        arrays |= {f"distances_{name}": distances, "widths": widths}
    slopes = [value for name, value in numbers.items() if name.startswith("slope_")]
    numbers["largest_deviation_of_slopes"] = max(abs(slope + 0.5) for slope in slopes)
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    figure = new_figure(1, height=2.6)
    ax = figure.subplots()
    widths = outcome.arrays["widths"]
    names = [name.removeprefix("distances_") for name in outcome.arrays if name.startswith("distances_")]
    for name, colour in zip(names, COLOURS, strict=False):
        distances = outcome.arrays[f"distances_{name}"]
        mean = np.sqrt(np.mean(distances**2, axis=0))
        label = f"{name.replace('_', ', ')}: {outcome.numbers[f'slope_{name}']:.3f}"
        ax.plot(widths, distances.T, ".", color=colour, alpha=0.35, markersize=3)
        ax.plot(widths, mean, "o-", color=colour, label=label)
    first = outcome.arrays[f"distances_{names[0]}"][:, 0].max()
    ax.plot(widths, 1.5 * first * (widths / widths[0]) ** -0.5, ":", color="0.4", label="$K^{-1/2}$")
    ax.set(xscale="log", yscale="log", xlabel="width $K$", ylabel="distance to the kernel's fit")
    ax.legend()
    return figure
