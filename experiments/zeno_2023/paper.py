"""zeno_2023: the closed forms of minimum-norm denoisers beside certified interpolants."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.zeno_2023.closed_forms import (
    ball_samples,
    equilateral_denoiser,
    line_denoiser,
    posterior_mean,
    rays_denoiser,
)
from experiments.zeno_2023.draw import TITLES, draw_geometry, draw_line

_RADIUS = 0.15


class Setting(NamedTuple):
    """Clean points (N, d), the directions (L, d) of the closed form, and the closed form."""

    clean: np.ndarray
    directions: np.ndarray
    closed_form: rs.RidgeSpline


def setting(name: str) -> Setting:
    """One of the geometries of the paper, turned so that nothing is parallel to an axis."""
    angles = {
        "rays": 0.2 + np.arange(3) * 2 * np.pi / 3,
        "equilateral_triangle": 0.2 + np.arange(3) * 2 * np.pi / 3,
        "obtuse_triangle": np.array([0.3, 2.2]),
    }
    tetrahedron = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
    distances = {
        "rays": [[1.0, 1.7], [0.8], [1.2]],
        "obtuse_triangle": [[1.0], [1.5]],
        "equilateral_triangle": [[1.0]] * 3,
        "obtuse_tetrahedron": [[1.0], [0.9], [1.1]],
        "rays_in_space": [[1.0, 1.8], [0.9], [1.1], [1.3]],
    }[name]
    if name in angles:
        directions = np.column_stack([np.cos(angles[name]), np.sin(angles[name])])
    else:
        directions = tetrahedron[: len(distances)]
    apex = np.linspace(0.1, -0.2, directions.shape[1])
    if name == "equilateral_triangle":
        closed = equilateral_denoiser(apex, directions, distances[0][0], _RADIUS)
    else:
        closed = rays_denoiser(apex, directions, distances, _RADIUS)
    on_rays = [apex + t * u for u, along in zip(directions, distances, strict=True) for t in along]
    return Setting(np.array(on_rays if name == "equilateral_triangle" else [apex, *on_rays]), directions, closed)


def misalignment(spline: rs.RidgeSpline, directions: np.ndarray) -> float:
    """The mean over the neurons, by cost, of 1 − max_l cos∠(w, u_l) cos∠(v, u_l): 0 if all lie along the rays.

    For obtuse rays Σ_l max(w·u_l, 0)² ≤ ‖w‖², so that neurons off the rays waste cost, to first order this fraction.
    """
    weights, values = np.asarray(spline.weights), np.asarray(spline.coefficients)
    sizes = np.linalg.norm(weights, axis=1) * np.linalg.norm(values, axis=1)
    along = np.abs((weights @ directions.T) * (values @ directions.T)).max(axis=1)
    return float(np.maximum(sizes - along, 0.0).sum() / sizes.sum())


def geometry_parts(names: list[str], samples: int, gap: float, seed: int) -> list[dict[str, Any]]:
    """One part for each geometry."""
    return [{"name": name, "samples": samples, "gap": gap, "seed": seed} for name in names]


def solve_geometry(name: str, samples: int, gap: float, seed: int) -> dict[str, Any]:
    """The certified interpolant of samples of the balls, and the certificate of the closed form for these.

    The distance, over the size of the simplex, is in units of √gap, and the misalignment in units of the gap: a neuron
    turned by δ costs δ² more.
    """
    clean, directions, closed = setting(name)
    rng = np.random.default_rng(seed)
    x = np.concatenate([ball_samples(rng, point, directions, _RADIUS, samples) for point in clean])
    y = np.repeat(clean, len(x) // len(clean), axis=0)
    problem = rs.Problem(rs.Samples(x), y, rs.Interpolation(), rs.VectorRadonTV())
    solution = rs.solve(problem, rs.ColumnGeneration(gap=gap))
    certificate = rs.certify(problem, closed, dual=solution.dual)
    inside = rng.dirichlet(np.ones(len(clean)), 2000) @ clean
    size = float(np.ptp(clean, axis=0).max())
    spline, relative_gap = solution.spline, solution.certificate.relative_gap
    distance = np.linalg.norm(np.asarray(closed(inside)) - np.asarray(spline(inside)), axis=1).max() / size
    masses = np.linalg.norm(spline.coefficients, axis=1) * np.linalg.norm(spline.weights, axis=1)
    return {
        "count": len(x),
        "cost": certificate.objective,
        "excess": certificate.objective / certificate.bound - 1,
        "misfit": certificate.misfit,
        "gap": relative_gap,
        "distance": float(distance) / np.sqrt(relative_gap),
        "misalignment": misalignment(spline, directions) / relative_gap,
        "proven": float(certificate.proven),
        "seconds": solution.seconds,
        "clean": clean,
        "x": x,
        "weights": np.asarray(spline.weights),
        "biases": np.asarray(spline.biases),
        "masses": masses,
        "closed_weights": np.asarray(closed.weights),
        "closed_biases": np.asarray(closed.biases),
        **_arrows(spline, clean),
    }


def _arrows(spline: rs.RidgeSpline, clean: np.ndarray) -> dict[str, np.ndarray]:
    if clean.shape[1] != 2:
        return {}
    low, high = clean.min(axis=0) - 0.35, clean.max(axis=0) + 0.35
    axes = [np.linspace(a, b, 15) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    return {"grid": grid, "denoised": np.asarray(spline(grid))}


_FACTS = ("count", "cost", "excess", "misfit", "gap", "distance", "misalignment", "proven", "seconds")


def gather_geometry(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    """The numbers of each geometry, and what the planar ones look like."""
    numbers, arrays = {}, {}
    for part, result in zip(parts, found, strict=True):
        for key, value in result.items():
            if key in _FACTS:
                numbers[f"{part['name']}_{key}"] = float(value)
            else:
                arrays[f"{part['name']}/{key}"] = value
    return Outcome(numbers, arrays)


def line_parts(count: int, samples: int, noise: float, levels: list[float], seed: int) -> list[dict[str, Any]]:
    """One part."""
    return [{"count": count, "samples": samples, "noise": noise, "levels": levels, "seed": seed}]


def solve_line(count: int, samples: int, noise: float, levels: list[float], seed: int) -> dict[str, Any]:
    """The certified interpolant of noisy samples on the line, the closed form, and mean square errors by quadrature.

    The errors are for a uniform density over the range of the clean points; for noise of each level the denoiser is the
    closed form for samples with that noise.
    """
    rng = np.random.default_rng(seed)
    clean = np.arange(count) + rng.uniform(-0.25, 0.25, count)
    noisy = clean[:, None] + noise * rng.standard_normal((count, samples))
    closed = line_denoiser(clean, noisy.min(axis=1), noisy.max(axis=1))
    problem = rs.Problem(rs.Samples(noisy.reshape(-1, 1)), np.repeat(clean, samples), rs.Interpolation())
    solution = rs.solve(problem)
    certificate = rs.certify(problem, closed, dual=solution.dual)
    grid = np.linspace(clean[0] - 0.5, clean[-1] + 0.5, 1001)[:, None]
    between = grid[(grid[:, 0] >= noisy.min()) & (grid[:, 0] <= noisy.max())]
    errors = []
    for level in levels:
        trained = clean[:, None] + level * rng.standard_normal((count, samples))
        errors.append(mean_square_errors(clean, line_denoiser(clean, trained.min(axis=1), trained.max(axis=1)), level))
    return {
        "excess": certificate.objective / certificate.bound - 1,
        "misfit": certificate.misfit,
        "distance": float(np.abs(np.asarray(closed(between)) - np.asarray(solution.spline(between))).max()),
        "proven": float(certificate.proven),
        "levels": np.array(levels),
        "network_errors": np.array([pair[0] for pair in errors]),
        "posterior_errors": np.array([pair[1] for pair in errors]),
        "grid": grid[:, 0],
        "denoised": np.asarray(solution.spline(grid)),
        "closed_form": np.asarray(closed(grid)),
        "posterior": posterior_mean(grid[:, 0], clean, noise),
        "noisy": noisy,
        "clean": clean,
    }


def mean_square_errors(clean: np.ndarray, denoiser: rs.RidgeSpline, noise: float) -> tuple[float, float]:
    """E |f(x + noise) − x|², x uniform over the range of `clean`, for the denoiser and for the posterior mean."""
    low, high = float(clean[0]), float(clean[-1])

    def error(denoised: Callable[[float], float], kinks: np.ndarray) -> float:
        # Over the noisy value y: its density is that of a uniform one blurred, the moments of x given y are those of a
        # truncated normal.
        def at(y: float) -> float:
            a, b = (low - y) / noise, (high - y) / noise
            mass = norm.cdf(b) - norm.cdf(a)
            first = norm.pdf(a) - norm.pdf(b)
            second = mass + a * norm.pdf(a) - b * norm.pdf(b)
            off = denoised(y) - y
            return float((off**2 * mass - 2 * off * noise * first + noise**2 * second) / (high - low))

        first, last = low - 8 * noise, high + 8 * noise
        ends = np.unique(np.clip(np.concatenate([[first, last], clean, kinks]), first, last))
        pieces = (quad(at, a, b, epsabs=1e-11, epsrel=1e-8)[0] for a, b in itertools.pairwise(ends))
        return float(sum(pieces))

    # The posterior mean jumps from one clean point to the next within about noise² / distance of the middle.
    middles = 0.5 * (clean[1:] + clean[:-1])
    jumps = np.concatenate([middles + s * noise**2 for s in (-8.0, -1.0, 0.0, 1.0, 8.0)])
    knots, slopes = np.asarray(denoiser.biases), np.asarray(denoiser.coefficients)
    start = float(denoiser.polynomial.coefficients[0])
    by_network = error(lambda y: start + float(slopes @ np.maximum(y - knots, 0)), knots)
    return by_network, error(lambda y: float(posterior_mean(np.array([y]), clean, noise)[0]), jumps)


def gather_line(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    """Numbers and curves."""
    (result,) = found
    numbers = {key: float(result[key]) for key in ("excess", "misfit", "distance", "proven")}
    ratios = result["network_errors"] / result["posterior_errors"]
    numbers["error_ratio"] = float(ratios[np.argmin(result["levels"])])
    arrays = {key: np.asarray(value) for key, value in result.items() if key not in numbers}
    return Outcome(numbers, arrays)


EXPERIMENTS = [
    Experiment(
        paper="zeno_2023",
        name="line",
        title="the minimum-norm denoiser on the line, beside the certified interpolant and the posterior mean",
        quick={"count": 5, "samples": 20, "noise": 0.08, "levels": [0.01, 0.02, 0.04, 0.08], "seed": 0},
        full={
            "count": 12,
            "samples": 200,
            "noise": 0.05,
            "levels": [float(level) for level in np.geomspace(0.005, 0.07, 9)],
            "seed": 0,
        },
        parts=line_parts,
        solve=solve_line,
        gather=gather_line,
        draw=draw_line,
    ),
    Experiment(
        paper="zeno_2023",
        name="geometry",
        title="minimum-norm denoisers on rays and simplices, beside certified interpolants",
        quick={
            "names": ["rays", "obtuse_triangle", "equilateral_triangle", "obtuse_tetrahedron"],
            "samples": 1,
            "gap": 1e-6,
            "seed": 0,
        },
        full={"names": list(TITLES), "samples": 6, "gap": 1e-6, "seed": 0},
        parts=geometry_parts,
        solve=solve_geometry,
        gather=gather_geometry,
        draw=draw_geometry,
    ),
]
