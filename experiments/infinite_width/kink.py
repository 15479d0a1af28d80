"""A target with one kink along a line of the plane: the certified ridge spline beside kernels.

Each method takes the best of its strengths for the true function, so that no rule for choosing them decides.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import ridgesplines as rs
from experiments.infinite_width.rates import fitted_rate, root_mean_square
from ridgesplines.archive import write_archive, write_text
from ridgesplines.kernels import Kernel
from ridgesplines.progress import Progress

COUNTS = (50, 100, 200, 400, 800)
SEEDS = 5
NOISE = 0.1
KERNELS: dict[str, Kernel] = {
    "uniform": rs.kernels.UniformKernel(),
    "Gaussian": rs.kernels.GaussianKernel(),
    "tangent": rs.kernels.NeuralTangentKernel(),
}
RIDGE_SPLINE = "ridge spline"
STRENGTHS = tuple(10.0 ** np.arange(-2.0, 0.1, 0.5))
NUGGETS = tuple(10.0 ** np.arange(-4.0, 0.1, 0.5))
_HALF_WIDTH = 0.6
_DIRECTION, _OFFSET = np.array([np.cos(0.4), np.sin(0.4)]), 0.1


def target(x: np.ndarray) -> np.ndarray:
    """2 |w·x − b|: a neuron and an affine function."""
    return 2 * np.abs(x @ _DIRECTION - _OFFSET)


def draw_data(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of the square, uniform, and values of the target with noise."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-_HALF_WIDTH, _HALF_WIDTH, (count, 2))
    return x, target(x) + NOISE * rng.standard_normal(count)


def grid_points(steps: int = 40) -> np.ndarray:
    """A grid of the square, (steps², 2)."""
    axis = np.linspace(-_HALF_WIDTH, _HALF_WIDTH, steps)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


def kernel_fits(
    kernel: Kernel, x: np.ndarray, y: np.ndarray, grid: np.ndarray, nuggets: Sequence[float] = NUGGETS
) -> np.ndarray:
    """Kernel ridge regression with a free constant and slope, as the ridge spline has, for each nugget: (…, n)."""
    problems = (rs.KernelProblem(x, y, kernel=kernel, value_nugget=nugget, free_degree=1) for nugget in nuggets)
    return np.stack([np.asarray(rs.solve_kernel(problem, rs.DenseCholesky()).spline(grid)) for problem in problems])


def ridge_splines(
    x: np.ndarray, y: np.ndarray, gap: float, strengths: Sequence[float] = STRENGTHS, noise: float = NOISE
) -> list[rs.Solution]:
    """The certified solutions for each strength, which grows with √N as the noise's part of the dual does."""
    problem = rs.Problem(rs.Samples(x), y, strength=1.0)
    solver = rs.ColumnGeneration(gap=gap)
    return [rs.solve(problem.with_strength(s * noise * len(y) ** 0.5), solver) for s in strengths]


def run(
    folder: Path, counts: tuple[int, ...] = COUNTS, seeds: int = SEEDS, gap: float = 1e-5
) -> list[dict[str, object]]:
    """Write `kink.json` and the fits of the first seed at the largest N, and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    grid = grid_points()
    truth = target(grid)
    methods = (RIDGE_SPLINE, *KERNELS)
    errors = {method: np.empty((seeds, len(counts))) for method in methods}
    neurons = np.empty((seeds, len(counts)), dtype=int)
    gaps, kinds = [], set()
    shown: dict[str, np.ndarray] = {}
    began = time.perf_counter()
    with Progress() as show:
        for j, count in enumerate(counts):
            for seed in range(seeds):
                show(f"N = {count}: seed {seed + 1} of {seeds}")
                x, y = draw_data(count, 1000 * j + seed)
                solutions = ridge_splines(x, y, gap)
                fits = {RIDGE_SPLINE: np.stack([np.asarray(solution.spline(grid)) for solution in solutions])}
                fits |= {name: kernel_fits(kernel, x, y, grid) for name, kernel in KERNELS.items()}
                for method, candidates in fits.items():
                    found = [root_mean_square(fit - truth) for fit in candidates]
                    best = int(np.argmin(found))
                    errors[method][seed, j] = found[best]
                    if seed == 0:
                        shown[method] = candidates[best]
                    if method == RIDGE_SPLINE:
                        neurons[seed, j] = solutions[best].spline.width
                        gaps.append(solutions[best].certificate.relative_gap)
                        kinds.add(solutions[best].certificate.kind)
    rows: list[dict[str, object]] = []
    print(
        f"errors of the best strength of each method, {seeds} seeds, noise {NOISE}, {time.perf_counter() - began:.0f} s"
    )
    print(
        "| method | " + " | ".join(f"N = {count}" for count in counts) + " | slope | ridge spline's error is less by |"
    )
    print("|---|" + "---|" * (len(counts) + 2))
    for method in methods:
        rate = fitted_rate(np.asarray(counts), errors[method])
        difference = errors[method][:, -1] - errors[RIDGE_SPLINE][:, -1]
        paired = float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(seeds))
        rows.append(
            {
                "method": method,
                "counts": list(counts),
                "errors": errors[method].tolist(),
                "slope": rate.slope,
                "error": rate.error,
                "paired": paired,
            }
        )
        cells = " | ".join(f"{value:.4f}" for value in errors[method].mean(axis=0))
        beside = "–" if method == RIDGE_SPLINE else f"{paired[0]:.4f} ± {paired[1]:.4f} at N = {counts[-1]}"
        print(f"| {method} | {cells} | {rate} | {beside} |")
    print(
        f"neurons {np.median(neurons, axis=0).astype(int).tolist()}; gaps at most {max(gaps):.1e}, {', '.join(kinds)}"
    )
    facts = {"rows": rows, "neurons": neurons.tolist(), "largest_gap": max(gaps), "kinds": sorted(kinds)}
    write_text(folder / "kink.json", json.dumps(facts, indent=2))
    arrays = {"grid": grid, "truth": truth, **{f"fit {method}": fit for method, fit in shown.items()}}
    write_archive(folder / "kink.npz", arrays, {"kind": "KinkFits"})
    return rows
