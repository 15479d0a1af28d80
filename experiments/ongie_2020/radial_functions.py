"""RTV² of radial functions: by quadrature, by networks drawn at random and by interpolants, beside the closed form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.ongie_2020.radial import Bump, Gaussian, RadialFunction, radial_density, radial_tv
from experiments.statistics import rate_of_means
from experiments.style import figure_style, label_decades, new_figure

# Relative: what quadrature settles to.
TOLERANCE = 3e-4
FUNCTIONS: dict[str, RadialFunction] = {
    "gaussian": Gaussian(),
    "narrow gaussian": Gaussian(0.5),
    "bump 1": Bump(1),
    "bump 2": Bump(2),
    "bump 3": Bump(3),
    "bump 4": Bump(4),
    "bump 5": Bump(5),
}


def parts(cases: list[list[Any]]) -> list[dict[str, Any]]:
    return [{"name": name, "dimension": dimension} for name, dimension in cases]


def solve(name: str, dimension: int) -> dict[str, Any]:
    function = FUNCTIONS[name]
    result = rs.radon_tv(function, dimension=dimension, tolerance=TOLERANCE, progress=False)
    finite = not isinstance(function, Bump) or function.power >= (dimension + 1) / 2
    closed = radial_tv(function, dimension) if finite else math.inf
    found: dict[str, Any] = {"value": result.value, "error": result.error, "closed": closed}
    if dimension == 3 and isinstance(function, Gaussian):
        offsets = np.linspace(-4 * function.width, 4 * function.width, 201)
        direction = np.array([[0.6, 0.0, 0.8]])
        # Of one direction, of 4π of them; and of half of the sphere, which is all.
        found["density"] = rs.radon_density(function, direction, offsets)[0] * 2 * np.pi
        found["closed_density"] = radial_density(function, offsets, dimension)
        found["offsets"] = offsets
    return found


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    infinite = [row["value"] == math.inf for row in found if row["closed"] == math.inf]
    kept = [(part, row) for part, row in zip(parts, found, strict=True) if row["closed"] < math.inf]
    parts, found = [part for part, _ in kept], [row for _, row in kept]
    closed, values, errors = (np.array([row[name] for row in found]) for name in ("closed", "value", "error"))
    relative = np.abs(values / closed - 1)
    smooth = np.array(["gaussian" in part["name"] for part in parts])
    dimensions = np.array([part["dimension"] for part in parts])
    numbers = {
        f"gaussian_error_{dimension}": float(relative[smooth & (dimensions == dimension)].max())
        for dimension in sorted(set(dimensions[smooth].tolist()))
    }
    numbers["bump_error"] = float(relative[~smooth].max())
    off = np.abs(values - closed)
    numbers["error_over_estimate"] = float((off / errors)[~smooth].max())
    numbers["error_over_allowance"] = float((off / (errors + TOLERANCE * closed))[~smooth].max())
    if infinite:
        numbers["share_of_infinite_ones_found"] = float(np.mean(infinite))
    arrays = {"dimensions": dimensions, "closed": closed, "values": values}
    for part, row in zip(parts, found, strict=True):
        key = f"{part['name']} {part['dimension']}"
        numbers[f"{key} closed"] = float(row["closed"])
        numbers[f"{key} quadrature"] = float(row["value"])
        if "density" in row:
            size = np.abs(row["closed_density"]).max()
            numbers["density_error"] = max(
                numbers.get("density_error", 0.0),
                float(np.abs(row["density"] - row["closed_density"]).max() / size),
            )
            arrays |= {name: row[name] for name in ("offsets", "density", "closed_density")}
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    with figure_style():
        figure = new_figure(columns=2, height=2.7)
        left, right = figure.subplots(1, 2)
        closed, values = arrays["closed"], arrays["values"]
        ends = [0.8 * closed.min(), 1.25 * closed.max()]
        left.loglog(ends, ends, color="0.7", linewidth=0.8)
        for dimension in sorted(set(arrays["dimensions"].tolist())):
            rows = arrays["dimensions"] == dimension
            left.loglog(closed[rows], values[rows], "o", label=f"d = {dimension}")
        left.set(xlabel="RTV², closed form", ylabel="RTV², quadrature")
        left.legend()
        right.axhline(0.0, color="0.7", linewidth=0.8)
        right.plot(arrays["offsets"], arrays["closed_density"], color="C0", label="closed form")
        right.plot(arrays["offsets"][::5], arrays["density"][::5], ".", color="C1", label="quadrature")
        right.set(xlabel="offset b", ylabel="density of neurons", title="a Gaussian of three inputs")
        right.legend()
        label_decades(figure)
    return figure


RADIAL_FUNCTIONS = Experiment(
    paper="ongie_2020",
    name="radial_functions",
    title="RTV² of smooth radial functions by quadrature, beside the closed form in odd dimension",
    quick={"cases": [["gaussian", 1], ["bump 2", 1], ["bump 3", 1], ["gaussian", 3], ["bump 4", 3]]},
    full={"cases": [[name, dimension] for dimension in (1, 3) for name in FUNCTIONS]},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)


def random_network(function: RadialFunction, dimension: int, width: int, rng: np.random.Generator) -> rs.RidgeSpline:
    """A network of `width` neurons drawn from the density of a radial function: equal |v|, RTV² that of the function.

    It tends to the function, up to an affine one, as the width grows.
    """
    reach = function.reach(dimension)
    offsets = np.linspace(-reach, reach, 20_001)
    density = radial_density(function, offsets, dimension)
    mass = np.abs(density)
    total = np.concatenate([[0.0], np.cumsum(0.5 * (mass[1:] + mass[:-1]))])
    biases = np.interp(rng.uniform(0, total[-1], width), total, offsets)
    directions = rng.standard_normal((width, dimension))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    signs = np.sign(radial_density(function, biases, dimension))
    return rs.RidgeSpline(directions, biases, signs * radial_tv(function, dimension) / width)


def network_parts(dimensions: list[int], widths: list[int], seeds: int) -> list[dict[str, Any]]:
    return [{"dimension": d, "widths": widths, "seed": seed} for d in dimensions for seed in range(seeds)]


def network_solve(dimension: int, widths: list[int], seed: int) -> dict[str, Any]:
    function = Gaussian()
    points = np.random.default_rng([2020, dimension]).standard_normal((1000, dimension))
    values = function(points)
    affine = np.column_stack([np.ones(len(points)), points])
    errors, seminorms = [], []
    for width in widths:
        rng = np.random.default_rng([2020, dimension, width, seed])
        network = random_network(function, dimension, width, rng)
        rest = values - network(points)
        rest = rest - affine @ np.linalg.lstsq(affine, rest, rcond=None)[0]
        errors.append(np.sqrt(np.mean(rest**2)) / np.std(values))
        seminorms.append(network.radon_tv())
    return {"errors": np.array(errors), "seminorms": np.array(seminorms), "closed": radial_tv(function, dimension)}


def network_gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    widths = np.array(parts[0]["widths"], dtype=float)
    numbers: dict[str, float] = {
        "seminorm_error": float(max(np.abs(row["seminorms"] / row["closed"] - 1).max() for row in found))
    }
    arrays = {"widths": widths}
    for dimension in dict.fromkeys(part["dimension"] for part in parts):
        rows = [row["errors"] for part, row in zip(parts, found, strict=True) if part["dimension"] == dimension]
        # Neurons are independent: the mean square error is that of one over the width, exactly.
        rate = rate_of_means(widths, np.array(rows) ** 2)
        numbers |= {
            f"rate_{dimension}": rate.slope / 2,
            f"rate_error_{dimension}": rate.error / 2,
            f"rate_deviation_{dimension}": abs(rate.slope + 1) / rate.error,
            f"least_error_{dimension}": float(np.mean(np.array(rows)[:, -1])),
        }
        arrays[f"errors_{dimension}"] = np.array(rows)
    numbers["largest_rate_deviation"] = max(v for k, v in numbers.items() if k.startswith("rate_deviation"))
    return Outcome(numbers, arrays)


def network_draw(outcome: Outcome) -> Figure:
    widths = outcome.arrays["widths"]
    with figure_style():
        figure = new_figure(columns=1, height=2.7)
        ax = figure.subplots()
        for i, (name, errors) in enumerate((k, v) for k, v in outcome.arrays.items() if k != "widths"):
            dimension = name.removeprefix("errors_")
            ax.loglog(widths, errors.T, color=f"C{i}", linewidth=0.4, alpha=0.6)
            slope, error = (outcome.numbers[f"{kind}_{dimension}"] for kind in ("rate", "rate_error"))
            label = f"d = {dimension}: slope {slope:.3f} ± {error:.3f}"
            ax.loglog(widths, errors.mean(axis=0), "o-", color=f"C{i}", label=label)
        ax.set(xlabel="neurons drawn from the density", ylabel="error, relative to the spread of f")
        ax.legend()
        label_decades(figure)
    return figure


RANDOM_NETWORKS = Experiment(
    paper="ongie_2020",
    name="random_networks",
    title="networks of the closed form's RTV², drawn from its density, tend to a Gaussian of 1 to 7 inputs",
    quick={"dimensions": [1, 3, 5], "widths": [100, 400, 1600, 6400], "seeds": 20},
    full={"dimensions": [1, 3, 5, 7], "widths": [100, 400, 1600, 6400, 25_600, 102_400], "seeds": 40},
    parts=network_parts,
    solve=network_solve,
    gather=network_gather,
    draw=network_draw,
)
