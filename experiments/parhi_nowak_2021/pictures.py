"""Ridge splines of orders 2, 3 and 4 in the plane: one neuron of each, and the certified fit of the same data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.style import figure_style, new_figure


def nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Equally spaced coordinates in [−1, 1], and all points of the square that have them, (count², 2)."""
    axis = np.linspace(-1, 1, count)
    return axis, np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


def surface(x: np.ndarray) -> np.ndarray:
    """A smooth surface with a fold."""
    return np.sin(2.5 * x[:, 0]) * np.exp(-(x[:, 1] ** 2)) + np.abs(0.6 * x[:, 0] + 0.8 * x[:, 1] - 0.1)


def parts(count: int, fraction: float, grid: int) -> list[dict[str, Any]]:
    return [{"order": order, "count": count, "fraction": fraction, "grid": grid} for order in (2, 3, 4)]


def solve(order: int, count: int, fraction: float, grid: int) -> dict[str, Any]:
    rng = np.random.default_rng(2021)
    x = rng.uniform(-1, 1, (count, 2))
    y = surface(x) + 0.05 * rng.standard_normal(count)
    problem = rs.Problem(rs.Samples(x), y, regularizer=rs.RadonTV(order), strength=1.0)
    problem = problem.with_strength(fraction * problem.strength_max)
    solution = rs.solve(problem, progress=False)
    axis, points = nodes(grid)
    neuron = rs.RidgeSpline(np.array([[0.8, 0.6]]), np.array([0.1]), np.array([1.0]), order=order)
    spline = solution.spline
    return {
        "neuron": np.asarray(neuron(points)).reshape(grid, grid),
        "fit": np.asarray(spline(points)).reshape(grid, grid),
        "weights": spline.weights,
        "biases": spline.biases,
        "coefficients": spline.coefficients,
        "gap": solution.certificate.relative_gap,
        "proven": solution.certificate.proven,
        "neurons": spline.width,
        "room": problem.representer_bound - spline.width,
        "axis": axis,
    }


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    numbers = {
        "largest_gap": float(max(row["gap"] for row in found)),
        "without_proof": float(sum(not row["proven"] for row in found)),
        "least_room": float(min(row["room"] for row in found)),
    }
    arrays: dict[str, np.ndarray] = {"axis": found[0]["axis"]}
    for part, row in zip(parts, found, strict=True):
        numbers[f"neurons_{part['order']}"] = float(row["neurons"])
        for name in ("neuron", "fit", "weights", "biases", "coefficients"):
            arrays[f"{name}_{part['order']}"] = np.asarray(row[name])
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    axis = arrays["axis"]
    first, second = np.meshgrid(axis, axis, indexing="ij")
    with figure_style():
        figure = new_figure(columns=2, height=5.2)
        for i, order in enumerate((2, 3, 4)):
            for row, name in enumerate(("neuron", "fit")):
                ax: Any = figure.add_subplot(2, 3, 3 * row + i + 1, projection="3d")
                ax.plot_surface(
                    first, second, arrays[f"{name}_{order}"], cmap="viridis", linewidth=0.15, edgecolor="0.3",
                    rcount=30, ccount=30,
                )  # fmt: skip
                if name == "neuron":
                    power = "" if order == 2 else f"^{order - 1} / {math.factorial(order - 1)}"
                    ax.set_title(f"order {order}: max(w·x − b, 0){power}")
                else:
                    ax.set_title(f"certified fit, {int(outcome.numbers[f'neurons_{order}'])} neurons")
                    _floor(ax, arrays, order)
                ax.set(xlabel="x1", ylabel="x2", zticks=[], xticks=[-1, 0, 1], yticks=[-1, 0, 1])
                ax.view_init(elev=28, azim=-120)
    return figure


def _floor(ax: Any, arrays: dict[str, np.ndarray], order: int) -> None:
    """The lines of the neurons under the surface, within the square."""
    bottom = float(arrays[f"fit_{order}"].min()) - 0.8
    ax.set_zlim(bottom, None)
    along = np.linspace(-2, 2, 401)
    names = (arrays[f"{name}_{order}"] for name in ("weights", "biases", "coefficients"))
    for w, b, v in zip(*names, strict=True):
        line = b * w + along[:, None] * np.array([-w[1], w[0]])
        line = line[(np.abs(line) <= 1).all(axis=1)]
        if len(line):
            ax.plot(line[[0, -1], 0], line[[0, -1], 1], bottom, color="C1" if v > 0 else "black", linewidth=0.8)


PICTURES = Experiment(
    paper="parhi_nowak_2021",
    name="pictures",
    title="ridge splines of orders 2, 3 and 4 in the plane: a neuron and a certified fit of each",
    quick={"count": 60, "fraction": 0.02, "grid": 61},
    full={"count": 200, "fraction": 0.005, "grid": 121},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)
