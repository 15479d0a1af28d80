"""Networks of growing width trained by plain gradient descent beside their limit, the flow with the tangent kernel."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import ridgesplines as rs
from experiments.infinite_width.data import load
from experiments.infinite_width.rates import fitted_rate, root_mean_square
from ridgesplines.archive import write_archive, write_text
from ridgesplines.progress import Progress

WIDTHS = (50, 200, 1000, 3000, 10_000)
# When the flow is stopped, and how many seeds are trained as long as that. The longer, the farther the neurons move,
# and the wider a network has to be for that not to matter.
TIMES = ((0.2, 10), (1.0, 10), (5.0, 3))
# Steps are such a fraction of the reciprocal of the largest curvature; the limit takes the same steps.
_FRACTION = 0.5
_CHUNKS = 20


class Parameters(NamedTuple):
    """Those of f(x) = K^(−1/2) Σ_k v_k relu(w_k·x − b_k)."""

    weights: jax.Array
    biases: jax.Array
    outputs: jax.Array


class Moved(NamedTuple):
    """A trained network on the grid, and how far its hidden weights went, relative to where they were."""

    fit: np.ndarray
    moved: float


def values(parameters: Parameters, x: jax.Array) -> jax.Array:
    """f at points (n, d)."""
    hidden = jax.nn.relu(x @ parameters.weights.T - parameters.biases)
    return hidden @ parameters.outputs / jnp.sqrt(parameters.outputs.shape[0])


def initial(width: int, dimension: int, seed: int) -> Parameters:
    """Standard normal parameters, every hidden neuron twice with opposite outputs: f = 0 at the start."""
    rng = np.random.default_rng(seed)
    weights, biases = rs.kernels.GaussianKernel().draw_neurons(rng, width // 2, dimension)
    outputs = rng.standard_normal(width // 2)
    twice = (np.concatenate([weights, weights]), np.concatenate([biases, biases]), np.concatenate([outputs, -outputs]))
    return Parameters(*(jnp.asarray(part) for part in twice))


@partial(jax.jit, static_argnames="steps")
def descend(parameters: Parameters, x: jax.Array, y: jax.Array, rate: float, steps: int) -> Parameters:
    """Steps of gradient descent on ½ Σ_n (f(x_n) − y_n)²."""

    def step(_: int, p: Parameters) -> Parameters:
        gradient = jax.grad(lambda q: 0.5 * jnp.sum((values(q, x) - y) ** 2))(p)
        return jax.tree_util.tree_map(lambda a, g: a - rate * g, p, gradient)

    return jax.lax.fori_loop(0, steps, step, parameters)


def step_size(x: np.ndarray, time_: float) -> tuple[float, int]:
    """The rate of gradient descent and the number of its steps that make the time, a multiple of `_CHUNKS`."""
    largest = float(np.linalg.eigvalsh(rs.kernels.NeuralTangentKernel()(x, x))[-1])
    steps = int(np.ceil(time_ * largest / _FRACTION / _CHUNKS)) * _CHUNKS
    return time_ / steps, steps


def tangent_flow(x: np.ndarray, y: np.ndarray, grid: np.ndarray, rate: float, steps: int) -> np.ndarray:
    """The infinitely wide network after as many steps: f = K(·, x) K⁻¹ (I − (I − rate K)^steps) y on the grid."""
    kernel = rs.kernels.NeuralTangentKernel()
    eigenvalues, vectors = np.linalg.eigh(kernel(x, x))
    eigenvalues = np.maximum(eigenvalues, 0.0)
    small = rate * eigenvalues < 1e-12
    # (1 − (1 − rate t)^steps) / t, whose limit at t = 0 is rate · steps.
    safe = np.where(small, 1.0, eigenvalues)
    gains = np.where(small, rate * steps, -np.expm1(steps * np.log1p(-rate * safe)) / safe)
    return kernel(grid, x) @ (vectors @ (gains * (vectors.T @ y)))


def trained(width: int, seed: int, x: np.ndarray, y: np.ndarray, grid: np.ndarray, rate: float, steps: int) -> Moved:
    """A network after so many steps."""
    start = parameters = initial(width, x.shape[1], seed)
    # In chunks, between which Ctrl-C is heard.
    for _ in range(_CHUNKS):
        parameters = descend(parameters, jnp.asarray(x), jnp.asarray(y), rate, steps // _CHUNKS)
    change = jnp.linalg.norm(parameters.weights - start.weights) / jnp.linalg.norm(start.weights)
    return Moved(np.asarray(values(parameters, jnp.asarray(grid))), float(change))


def run(
    folder: Path,
    widths: tuple[int, ...] = WIDTHS,
    times: tuple[tuple[float, int], ...] = TIMES,
    name: str = "motorcycle",
) -> list[dict[str, object]]:
    """Write `trained.json` and the fits of the first seeds, and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    x, y, grid = load(name)
    rows: list[dict[str, object]] = []
    print(f"{name}: distance to the flow with the tangent kernel (how far hidden weights moved)")
    print(
        "| time (steps) | seeds | "
        + " | ".join(f"K = {width}" for width in widths)
        + " | slope | to ridge regression |"
    )
    print("|---|" + "---|" * (len(widths) + 3))
    for time_, seeds in times:
        began = time.perf_counter()
        rate, steps = step_size(x, time_)
        limit = tangent_flow(x, y, grid, rate, steps)
        # Stopping at time T is a regularization much like a nugget of 1 / T.
        problem = rs.KernelProblem(x, y, kernel=rs.kernels.NeuralTangentKernel(), value_nugget=1 / time_)
        ridge = np.asarray(rs.solve_kernel(problem).spline(grid))
        distances, moves = np.empty((seeds, len(widths))), np.empty((seeds, len(widths)))
        fits = np.empty((len(widths), len(grid)))
        with Progress() as show:
            for j, width in enumerate(widths):
                for seed in range(seeds):
                    show(f"time {time_:g}, width {width}: seed {seed + 1} of {seeds}")
                    fit, moves[seed, j] = trained(width, 1000 * j + seed, x, y, grid, rate, steps)
                    distances[seed, j] = root_mean_square(fit - limit)
                    if seed == 0:
                        fits[j] = fit
        slope, tail = (fitted_rate(np.asarray(widths[k:]), distances[:, k:]) for k in (0, len(widths) // 2))
        rows.append(
            {
                "data": name,
                "widths": list(widths),
                "time": time_,
                "steps": steps,
                "distances": distances.tolist(),
                "moved": moves.tolist(),
                "slope": slope.slope,
                "error": slope.error,
                "tail_slope": tail.slope,
                "tail_error": tail.error,
                "ridge": root_mean_square(ridge - limit),
                "limit_misfit": root_mean_square(y - tangent_flow(x, y, x, rate, steps)),
                "seconds": time.perf_counter() - began,
            }
        )
        cells = [
            f"{root_mean_square(distances[:, j]):.2e} ({100 * moves[:, j].mean():.1f}%)" for j in range(len(widths))
        ]
        slopes = f"{slope}; from K = {widths[len(widths) // 2]}: {tail}"
        print(
            f"| {time_:g} ({steps}) | {seeds} | {' | '.join(cells)} | {slopes} | {rows[-1]['ridge']:.2e} |", flush=True
        )
        arrays = {"grid": grid, "x": x, "y": y, "limit": limit, "fits": fits, "widths": np.asarray(widths)}
        write_archive(folder / f"trained_{time_:g}.npz", arrays, {"kind": "TrainedFits"})
    text = json.dumps({"rows": rows}, indent=2)
    write_text(folder / "trained.json", text)
    return rows
