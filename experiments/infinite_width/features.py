"""Random-feature ridge regression of growing width beside the solution with the kernel that is its limit."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np

import ridgesplines as rs
from experiments.infinite_width.data import load
from experiments.infinite_width.rates import fitted_rate, root_mean_square
from ridgesplines.archive import write_archive, write_text
from ridgesplines.kernels import NetworkKernel
from ridgesplines.progress import Progress

KERNELS: dict[str, NetworkKernel] = {
    "Gaussian": rs.kernels.GaussianKernel(),
    "uniform": rs.kernels.UniformKernel(),
}
DATA = ("motorcycle", "elevation")
WIDTHS = (100, 1000, 10_000, 100_000)
SEEDS = 12


def run(
    folder: Path, widths: tuple[int, ...] = WIDTHS, seeds: int = SEEDS, data: tuple[str, ...] = DATA
) -> list[dict[str, object]]:
    """Write `features.json` and the fits of the first seed, and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    print("| data | neurons | nugget | " + " | ".join(f"K = {width}" for width in widths) + " | slope | seconds |")
    print("|---|" + "---|" * (len(widths) + 4))
    for name in data:
        x, y, grid = load(name)
        for title, kernel in KERNELS.items():
            began = time.perf_counter()
            # Any positive nugget makes a problem of coincident points that contradict each other.
            choice = rs.choose_nuggets(rs.KernelProblem(x, y, kernel=kernel, value_nugget=1.0))
            nugget = choice.value_nugget
            limit = np.asarray(rs.solve_kernel(choice.problem).spline(grid))
            distances = np.empty((seeds, len(widths)))
            fits = np.empty((len(widths), len(grid)))
            with Progress() as show:
                for j, width in enumerate(widths):
                    for seed in range(seeds):
                        show(f"{name}, {title}, width {width}: seed {seed + 1} of {seeds}")
                        neurons = rs.kernels.random_features(kernel, width, x.shape[1], seed=1000 * j + seed)
                        fit = np.asarray(neurons.ridge_regression(x, y, nugget)(grid))
                        distances[seed, j] = root_mean_square(fit - limit)
                        if seed == 0:
                            fits[j] = fit
            rate = fitted_rate(np.asarray(widths), distances)
            # Where the features' errors are large beside the nugget, the distance is not yet linear in them.
            tail = fitted_rate(np.asarray(widths[1:]), distances[:, 1:])
            seconds = time.perf_counter() - began
            rows.append(
                {
                    "data": name,
                    "neurons": title,
                    "nugget": nugget,
                    "widths": list(widths),
                    "distances": distances.tolist(),
                    "slope": rate.slope,
                    "error": rate.error,
                    "tail_slope": tail.slope,
                    "tail_error": tail.error,
                    "seconds": seconds,
                }
            )
            arrays = {"grid": grid, "x": x, "y": y, "limit": limit, "fits": fits, "widths": np.asarray(widths)}
            write_archive(folder / f"features_{name}_{title}.npz", arrays, {"kind": "RandomFeatureFits"})
            means = " | ".join(f"{value:.2e}" for value in np.sqrt(np.mean(distances**2, axis=0)))
            print(
                f"| {name} | {title} | {nugget:.1e} | {means} | {rate}; from K = {widths[1]}: {tail} | {seconds:.0f} |"
            )
    text = json.dumps({"rows": rows}, indent=2)
    write_text(folder / "features.json", text)
    return rows
