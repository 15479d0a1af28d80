"""Fit a smooth target from samples, and the elevation data, and measure seminorms of the target and of others."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np

import ridgesplines as rs
from ridgesplines.archive import write_text

COUNT = 400
# Inputs are uniform in the square of this half-width, where all but the tails of the target are.
HALF_WIDTH = 1.2
STRENGTHS = {"target": 3e-3, "elevation": 120.4}


def target(x: np.ndarray) -> np.ndarray:
    """A ridge that ends, and a dent beside it."""
    ridge = np.exp(-((x[:, 0] - 0.25) ** 2) / 0.08 - x[:, 1] ** 2 / 0.3)
    return ridge - 0.7 * np.exp(-((x[:, 0] + 0.5) ** 2 + (x[:, 1] + 0.3) ** 2) / 0.1)


def pyramid(x: np.ndarray) -> np.ndarray:
    """max(0, 1 − |x|_1), which no network of finite norm computes in the plane."""
    return np.maximum(0.0, 1.0 - np.abs(x).sum(axis=1))


def data_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of a fit."""
    if name == "elevation":
        x, y = rs.datasets.elevation(count=COUNT)
        return x, y
    x = np.random.default_rng(0).uniform(-HALF_WIDTH, HALF_WIDTH, (COUNT, 2))
    return x, target(x)


def run(folder: Path) -> None:
    """Write both solutions and `seminorms.json`, and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, strength in STRENGTHS.items():
        x, y = data_of(name)
        solution = rs.solve(rs.Problem(rs.Samples(x), y, strength=strength))
        solution.save(folder / f"{name}.npz")
        print(f"{name}: {solution.spline.width} neurons, RTV {solution.spline.radon_tv():.6g}; {solution.certificate}")
    rows = []
    print("| function | d | RTV² | seconds |")
    print("|---|---|---|---|")
    for name, function, dimension in (
        ("target", target, 2),
        *((f"exp(−|x|²/2), d = {d}", lambda x: np.exp(-0.5 * np.sum(x**2, axis=1)), d) for d in (1, 2, 3)),
        ("max(0, 1 − |x|_1)", pyramid, 2),
    ):
        began = time.perf_counter()
        result = rs.radon_tv(function, dimension=dimension)
        seconds = time.perf_counter() - began
        value = f"{result.value:.6g} ± {result.error:.1g}" if not result.diverges else str(result).split(": ")[1]
        print(f"| {name} | {dimension} | {value} | {seconds:.1f} |", flush=True)
        # JSON has no infinity: a value that diverges is null.
        finite = None if result.diverges else result.value
        rows.append({"function": name, "dimension": dimension, "value": finite, "seconds": seconds})
    write_text(folder / "seminorms.json", json.dumps({"rows": rows}, indent=2))
