"""The line, where the fit is a cubic spline, and closed curves in the plane."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from scipy.interpolate import CubicSpline
from scipy.spatial import KDTree

import ridgesplines as rs
from experiments.experiment import Outcome
from experiments.infinite_width.rates import fitted_rate
from experiments.style import COLOURS, new_figure
from experiments.williams_2021.generated import flower

_GRID = np.linspace(-0.95, 0.95, 401)[:, None]
# Points of a true curve, 0.0006 of its radius apart.
_DENSE = 20_000
_DEPTH = 0.25


def line_parts(counts: list[int], seeds: int, radii: list[float]) -> list[dict[str, Any]]:
    return [dict(count=count, seed=seed, radii=radii) for count in counts for seed in range(seeds)]


def interpolate_on_the_line(count: int, seed: int, radii: list[float]) -> dict[str, Any]:
    """Random values at random places, by SciPy's natural cubic spline and by kernels; errors relative to its range."""
    rng = np.random.default_rng([seed, count])
    # Apart by a third of the mean at least, or condition numbers drown the digits that are compared.
    x = np.linspace(-0.9, 0.9, count) + rng.uniform(-1, 1, count) * 0.6 / (count - 1)
    y = rng.standard_normal(count)
    inside = np.clip(_GRID, x[0], x[-1])
    natural = CubicSpline(x, y, bc_type="natural")(inside[:, 0])

    def error(problem: rs.KernelProblem) -> float:
        fit = np.asarray(rs.solve_kernel(problem, rs.DenseCholesky()).spline(inside))
        return float(np.abs(fit - natural).max() / np.ptp(natural))

    free = rs.KernelProblem(x[:, None], y, kernel=rs.kernels.UniformKernel(), free_degree=1)
    with_prior = [
        error(rs.KernelProblem(x[:, None], y, kernel=rs.kernels.UniformKernel(radius=radius))) for radius in radii
    ]
    nearest = rs.solve_kernel(
        rs.KernelProblem(x[:, None], y, kernel=rs.kernels.UniformKernel(radius=radii[0])), rs.DenseCholesky()
    )
    return dict(
        free=error(free), errors=np.array(with_prior), x=x, y=y, natural=natural, grid=inside[:, 0],
        fit=np.asarray(nearest.spline(inside)),
    )  # fmt: skip


def gather_line(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    radii = np.array(parts[0]["radii"])
    errors = np.stack([one["errors"] for one in found])
    rate = fitted_rate(radii, errors)
    numbers = {
        "largest_difference": max(one["free"] for one in found),
        # The condition number of the kernel's matrix grows like the fourth power of the number of data.
        "largest_difference_in_rounding": max(
            one["free"] / (part["count"] ** 4 * np.finfo(float).eps) for part, one in zip(parts, found, strict=True)
        ),
        "largest_difference_at_largest_radius": float(errors[:, -1].max()),
        "slope_in_radius": rate.slope,
        "slope_in_radius_error": rate.error,
    }
    arrays = {name: found[0][name] for name in ("x", "y", "natural", "grid", "fit")}
    return Outcome(numbers, arrays | {"radii": radii, "errors": errors})


def draw_line(outcome: Outcome) -> Figure:
    figure, arrays = new_figure(height=2.3), outcome.arrays
    fits, rates = figure.subplots(1, 2)
    fits.plot(arrays["grid"], arrays["natural"], color="black", label="natural cubic spline")
    fits.plot(
        arrays["grid"], arrays["fit"], "--", color=COLOURS[1], label=f"uniform kernel, radius {arrays['radii'][0]:g}"
    )
    fits.plot(arrays["x"], arrays["y"], "ko")
    fits.set(xlabel="$x$", ylabel="$f(x)$", title="random values")
    fits.legend()
    rates.plot(arrays["radii"], arrays["errors"].T, ".", color=COLOURS[0], alpha=0.4)
    rates.plot(arrays["radii"], np.exp(np.log(arrays["errors"]).mean(axis=0)), "o-", color=COLOURS[0], label="kernel")
    rates.axhline(outcome.numbers["largest_difference"], color=COLOURS[2], linestyle="--", label="affine part free")
    rates.set(
        xscale="log", yscale="log", xlabel="radius of the biases", title="largest difference / range of the spline"
    )
    rates.set_xticks(arrays["radii"], labels=[f"{radius:g}" for radius in arrays["radii"]])
    rates.xaxis.set_minor_locator(NullLocator())
    rates.legend()
    return figure


def curve_parts(counts: list[int], petals: list[int], resolution: int) -> list[dict[str, Any]]:
    return [dict(count=count, petals=some, resolution=resolution) for some in petals for count in counts]


def fit_curve(count: int, petals: int, resolution: int) -> dict[str, Any]:
    """A closed curve through points with normals, at equal angles."""
    points, normals = flower(2 * np.pi * np.arange(count) / count + 0.1, petals, _DEPTH)
    made = rs.surfaces.reconstruct(points, normals, resolution=resolution)
    truth, _ = flower(2 * np.pi * np.arange(_DENSE) / _DENSE, petals, _DEPTH)
    # Vertices alone are sparse beside the dense points of the truth: segments are cut into pieces.
    ends = made.vertices[made.faces]
    along = np.linspace(0, 1, 20)[:, None, None]
    pieces = (ends[:, 0] * (1 - along) + ends[:, 1] * along).reshape(-1, 2)
    away = KDTree(truth).query(pieces)[0].max()
    back = KDTree(pieces).query(truth)[0].max()
    return dict(
        error=float(max(away, back)) / 2,
        closed=made.watertight,
        misfit=float(made.solution.value_misfit),
        segments=ends,
        points=points,
        normals=normals,
    )


def gather_curves(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    by_part = {(part["petals"], part["count"]): one for part, one in zip(parts, found, strict=True)}
    counts, petals = (sorted({part[name] for part in parts}) for name in ("count", "petals"))
    errors = np.array([[by_part[some, count]["error"] for count in counts] for some in petals])
    numbers = {
        "not_closed": sum(not one["closed"] for one in found),
        "largest_error": float(errors[:, -1].max()),
        # Fifteen points tell a circle to the accuracy of the grid already.
        "largest_ratio_of_errors": float((errors[:, -1] / errors[:, 0])[np.array(petals) > 0].max()),
        "largest_misfit": max(one["misfit"] for one in found),
    }
    arrays: dict[str, np.ndarray] = {"errors": errors, "counts": np.array(counts), "petals": np.array(petals)}
    for name in ("segments", "points", "normals"):
        # Few points show best what is between them.
        arrays |= {f"{name}_{some}": by_part[some, counts[min(1, len(counts) - 1)]][name] for some in petals}
    return Outcome(numbers, arrays)


def draw_curves(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    shown = arrays["petals"][-3:]
    figure = new_figure(height=2.2)
    *shapes, rates = figure.subplots(1, len(shown) + 1, width_ratios=[1] * len(shown) + [1.4])
    for ax, petals, colour in zip(shapes, shown, COLOURS, strict=False):
        for segment in arrays[f"segments_{petals}"]:
            ax.plot(*segment.T, color=colour)
        points, normals = arrays[f"points_{petals}"], arrays[f"normals_{petals}"]
        ax.plot(*points.T, "ko", markersize=2.5)
        ax.quiver(*points.T, *normals.T, color="0.4", width=0.006, scale=9)
        ax.set(aspect="equal", xlim=(-1.6, 1.6), ylim=(-1.6, 1.6))
        ax.set_axis_off()
    for petals, errors, colour in zip(arrays["petals"], arrays["errors"], (*COLOURS[-1:], *COLOURS), strict=False):
        known = list(shown)
        colour = COLOURS[known.index(petals)] if petals in known else colour
        rates.plot(arrays["counts"], errors, "o-", color=colour, label=f"{petals} petals" if petals else "circle")
    rates.set(xscale="log", yscale="log", xlabel="points", title="largest distance / diameter")
    rates.set_xticks(arrays["counts"], labels=[str(count) for count in arrays["counts"]])
    rates.xaxis.set_minor_locator(NullLocator())
    rates.legend()
    return figure
