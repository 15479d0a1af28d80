"""Interpolants of least RTV² on finer and finer grids: of a pyramid they grow without bound, of a smooth bump not."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.ongie_2020.radial import Bump, radial_tv
from experiments.style import figure_style, label_decades, new_figure

# Data are the nodes of grids on the square of this half-width, each grid within the next.
HALF_WIDTH = 1.5


def pyramid(x: np.ndarray) -> np.ndarray:
    """max(0, 1 − |x|_1): piecewise linear, of compact support."""
    return np.maximum(0.0, 1.0 - np.abs(x).sum(axis=1))


FUNCTIONS = {"pyramid": pyramid, "bump": Bump(3)}


def grid(count: int, dimension: int) -> np.ndarray:
    """`count` nodes along each axis."""
    axis = np.linspace(-HALF_WIDTH, HALF_WIDTH, count)
    return np.stack(np.meshgrid(*[axis] * dimension, indexing="ij"), axis=-1).reshape(-1, dimension)


def parts(counts: list[int], line_counts: list[int], resolution: int) -> list[dict[str, Any]]:
    grids = [{"name": name, "dimension": 2, "count": count} for name in FUNCTIONS for count in counts]
    lines = [{"name": name, "dimension": 1, "count": count} for name in FUNCTIONS for count in line_counts]
    # A count of zero: the function itself.
    whole = [{"name": name, "dimension": 2, "count": 0} for name in FUNCTIONS]
    return [part | {"resolution": resolution} for part in (*grids, *lines, *whole)]


def solve(name: str, dimension: int, count: int, resolution: int) -> dict[str, Any]:
    function = FUNCTIONS[name]
    if count == 0:
        result = rs.radon_tv(
            function, dimension=dimension, region=1.0, resolution=resolution, tolerance=2e-3, progress=False
        )
        return {
            "value": result.value,
            "error": result.error,
            "widths": np.array(result.widths),
            "values": np.array(result.values),
        }
    points = grid(count, dimension)
    problem = rs.Problem(rs.Samples(points), function(points), rs.Interpolation())
    solution = rs.solve(problem, progress=False)
    found: dict[str, Any] = {
        "value": solution.objective,
        "bound": solution.certificate.bound,
        "gap": solution.certificate.relative_gap,
        "proven": solution.certificate.kind == "exact",
        "neurons": solution.spline.width,
    }
    if dimension == 2:
        found["picture"] = np.asarray(solution.spline(grid(121, 2))).reshape(121, 121)
        # Away from the grid: how far the interpolant is from the function.
        fresh = np.random.default_rng(2020).uniform(-1, 1, (2000, 2))
        found["distance"] = float(np.sqrt(np.mean((solution.spline(fresh) - function(fresh)) ** 2)))
    return found


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    table = {(part["name"], part["dimension"], part["count"]): row for part, row in zip(parts, found, strict=True)}
    counts = [part["count"] for part in parts if part["dimension"] == 2 and part["count"] and part["name"] == "bump"]
    steps = 2 * HALF_WIDTH / (np.array(counts) - 1.0)
    numbers: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {"steps": steps}
    for name in FUNCTIONS:
        values = np.array([table[name, 2, count]["value"] for count in counts])
        numbers |= {f"{name}_{count}": float(value) for count, value in zip(counts, values, strict=True)}
        # What halving the step adds.
        halvings = np.diff(values) / np.diff(np.log2(1 / steps))
        numbers[f"{name}_last_halving"] = float(halvings[-1])
        numbers[f"{name}_last_halving_over_first"] = float(halvings[-1] / halvings[0])
        numbers[f"{name}_distance"] = float(table[name, 2, counts[-1]]["distance"])
        arrays[name] = values
        whole = table[name, 2, 0]
        numbers[f"{name}_seminorm"] = float(whole["value"])
        blurred = whole["values"]
        arrays |= {f"{name}_widths": whole["widths"], f"{name}_blurred": blurred}
        lines = np.array([row["value"] for (own, dimension, _), row in table.items() if (own, dimension) == (name, 1)])
        exact = 4.0 if name == "pyramid" else radial_tv(Bump(3), 1)
        numbers[f"{name}_line_over_exact"] = float(lines.max() / exact)
        numbers[f"{name}_line_missing"] = float(1 - lines[-1] / exact)
    blurred = arrays["pyramid_blurred"]
    numbers["pyramid_blurred_last_halving_over_first"] = float((blurred[-1] - blurred[-2]) / (blurred[1] - blurred[0]))
    seminorm, error = table["bump", 2, 0]["value"], table["bump", 2, 0]["error"]
    numbers["bump_over_seminorm"] = float(max(row["bound"] for row in _planar(table, "bump")) / seminorm)
    numbers["bump_seminorm_error"] = float(error / seminorm)
    numbers["pyramid_over_seminorm_of_bump"] = float(table["pyramid", 2, counts[-1]]["bound"] / seminorm)
    planar = [*_planar(table, "bump"), *_planar(table, "pyramid")]
    numbers["largest_gap"] = float(max(row["gap"] for row in planar))
    numbers["without_proof"] = float(sum(not row["proven"] for row in planar))
    arrays["picture"] = table["pyramid", 2, counts[-1]]["picture"]
    return Outcome(numbers, arrays)


def _planar(table: dict[Any, dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [row for (own, dimension, count), row in table.items() if own == name and dimension == 2 and count]


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    with figure_style():
        figure = new_figure(columns=2, height=2.9)
        left, right = figure.subplots(1, 2, width_ratios=[1, 1.4])
        picture = left.imshow(
            arrays["picture"].T, origin="lower", extent=(-HALF_WIDTH, HALF_WIDTH) * 2, cmap="viridis", aspect="equal"
        )
        figure.colorbar(picture, ax=left, shrink=0.8)
        left.set(title="interpolant of the pyramid, finest grid", xlabel="x1", ylabel="x2")
        for colour, name in (("C1", "pyramid"), ("C0", "bump")):
            right.semilogx(arrays["steps"], arrays[name], "o-", color=colour, label=f"{name}: least RTV² on the grid")
        right.axhline(outcome.numbers["bump_seminorm"], color="C0", linestyle="--", label="bump: RTV²")
        widths, blurred = arrays["pyramid_widths"], arrays["pyramid_blurred"]
        right.semilogx(widths, blurred, "s:", color="C1", label="pyramid, blurred by so much: RTV²")
        right.invert_xaxis()
        right.set(xlabel="step of the grid, width of the blur", ylabel="RTV²", ylim=(0, None))
        right.legend()
        label_decades(figure)
    return figure


PYRAMIDS = Experiment(
    paper="ongie_2020",
    name="pyramids",
    title="the least RTV² that interpolates a pyramid and a smooth bump on finer and finer grids",
    quick={"counts": [7, 13, 19], "line_counts": [7, 25, 97], "resolution": 128},
    full={"counts": [7, 13, 19, 25], "line_counts": [7, 25, 97, 385], "resolution": 256},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)
