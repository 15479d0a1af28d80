"""Train the features, reconstruct unseen bodies with and without them, and write what comes out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

import ridgesplines as rs
from experiments.neural_kernel.field import FeatureNetwork, evaluate
from experiments.neural_kernel.shapes import Body, draw_body
from experiments.neural_kernel.training import BODIES, STEPS, train
from ridgesplines.archive import write_text
from ridgesplines.progress import Progress
from ridgesplines.surfaces import Mesh, distance_to_mesh, occupancy_agreement, sample_mesh
from ridgesplines.surfaces.grid import Grid
from ridgesplines.surfaces.reconstruction import surface_mesher

# Method = points, normals, x ↦ values at x, negative inside.
Method = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

LEARNED, FIXED, HERMITE = "learned features", "the kernel as it is", "values and gradients, uniform kernel"
COUNTS = (100, 200, 300)
SHAPES = 24
# Of the bodies that no training sees.
_SEED = 2
_RESOLUTION = 32
_SAMPLES = 3000


class Errors(NamedTuple):
    """Of one reconstruction in [−1, 1]³: the part of the grid with the right sign, IoU there, Chamfer distance."""

    sign_accuracy: float
    iou: float
    chamfer: float


def hermite(points: np.ndarray, normals: np.ndarray, x: np.ndarray) -> np.ndarray:
    """What `rs.surfaces.fit_oriented` makes of the cloud."""
    return np.asarray(rs.surfaces.fit_oriented(points, normals)[0](x))


def grid_points() -> np.ndarray:
    """The grid of the cube, (n, 3)."""
    axis = np.linspace(-1, 1, _RESOLUTION + 1)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)


def mesh_of(values: np.ndarray) -> Mesh:
    """The zero set of values on the grid."""
    side = _RESOLUTION + 1
    grid = Grid(values.reshape(side, side, side), np.full(3, -1.0), 2 / _RESOLUTION, 1.0)
    return Mesh(*surface_mesher()(grid))


def errors_of(body: Body, values: np.ndarray, seed: int) -> Errors:
    """The errors of values on the grid.

    The distance from the mesh to the body is |value| of the body, to first order where it is a rounded union.
    """
    inside, truth = values < 0, body.distance(grid_points()) < 0
    iou = occupancy_agreement(inside, truth)
    mesh = mesh_of(values)
    forward = np.abs(body.distance(sample_mesh(*mesh, _SAMPLES, seed)[0]))
    surface = body.sample(_SAMPLES, np.random.default_rng([seed, 4])).points
    backward = distance_to_mesh(*mesh, surface)[0]
    return Errors(float(np.mean(inside == truth)), iou, float(forward.mean() + backward.mean()) / 2)


def unseen(number: int) -> tuple[Body, np.ndarray, np.ndarray]:
    """A body that training does not see, and a cloud of it."""
    rng = np.random.default_rng([number, _SEED])
    body = draw_body(rng)
    points, normals = body.sample(COUNTS[number % len(COUNTS)], rng)
    assert normals is not None
    return body, points, normals


def compare(methods: dict[str, Method], shapes: int = SHAPES) -> dict[str, np.ndarray]:
    """The errors of each method on unseen bodies, (shapes, 3)."""
    found: dict[str, list[Errors]] = {name: [] for name in methods}
    with Progress() as show:
        for number in range(shapes):
            body, points, normals = unseen(number)
            for name, method in methods.items():
                show(f"unseen body {number + 1} of {shapes}: {name}")
                found[name].append(errors_of(body, method(points, normals, grid_points()), number))
    return {name: np.asarray(errors) for name, errors in found.items()}


def run(folder: Path, steps: int = STEPS, bodies: int = BODIES, shapes: int = SHAPES) -> dict[str, np.ndarray]:
    """Write `network.npz`, the losses, and the errors in `table.json`; print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.process_time()
    trained = train(steps, bodies)
    seconds = time.process_time() - began
    trained.network.save(folder / "network.npz")
    write_text(folder / "losses.json", json.dumps(trained.losses.tolist()))
    print(f"{steps} steps on {bodies} bodies, {seconds:.0f} s of processor time")
    return evaluate_all(folder, shapes)


def evaluate_all(folder: Path, shapes: int = SHAPES) -> dict[str, np.ndarray]:
    """The part of `run` after training, with the saved network."""
    network = FeatureNetwork.load(folder / "network.npz")
    methods: dict[str, Method] = {LEARNED: partial(evaluate, network), FIXED: partial(evaluate, None), HERMITE: hermite}
    errors = compare(methods, shapes)
    print(
        f"| {shapes} unseen bodies | sign wrong | 1 − IoU | Chamfer × 1000 | Chamfer, less the learned one's × 1000 |"
    )
    print("|---|---|---|---|---|")
    rows = []
    for name, found in errors.items():
        wrong, outside, chamfer = 1 - found[:, 0], 1 - found[:, 1], found[:, 2]
        # (mean, standard error) of paired differences.
        paired = {
            key: (float(np.mean(more)), float(np.std(more, ddof=1) / np.sqrt(shapes)))
            for key, more in (
                ("1 - IoU", outside - (1 - errors[LEARNED][:, 1])),
                ("chamfer", chamfer - errors[LEARNED][:, 2]),
            )
        }
        rows.append({"method": name, "errors": found.tolist(), "more_than_learned": paired})
        difference, error = paired["chamfer"]
        beside = "–" if name == LEARNED else f"{1e3 * difference:.2f} ± {1e3 * error:.2f}"
        print(f"| {name} | {wrong.mean():.5f} | {outside.mean():.4f} | {1e3 * chamfer.mean():.2f} | {beside} |")
    text = json.dumps({"rows": rows}, indent=2)
    write_text(folder / "table.json", text)
    return errors


def probe(folder: Path, shapes: int = SHAPES, count: int = 200) -> np.ndarray:
    """The quick comparison: signs at 4096 random places of the cube, with the saved network and without it.

    Returns the parts with the wrong sign and 1 − IoU, (shapes, learned or fixed, 2); writes `probes.json`.
    """
    network = FeatureNetwork.load(folder / "network.npz")
    found = np.empty((shapes, 2, 2))
    with Progress() as show:
        for number in range(shapes):
            show(f"unseen body {number + 1} of {shapes}")
            rng = np.random.default_rng([number, _SEED])
            body = draw_body(rng)
            points, normals = body.sample(count, rng)
            assert normals is not None
            x = rng.uniform(-1, 1, (4096, 3))
            truth = body.distance(x) < 0
            for j, features in enumerate((network, None)):
                inside = evaluate(features, points, normals, x) < 0
                found[number, j] = np.mean(inside != truth), 1 - occupancy_agreement(inside, truth)
    means, more = found.mean(axis=0), found[:, 1] - found[:, 0]
    errors = more.std(axis=0, ddof=1) / np.sqrt(shapes)
    print(f"{shapes} unseen bodies of {count} points: sign wrong, 1 − IoU")
    for j, name in enumerate((LEARNED, FIXED)):
        print(f"{name}: {means[j, 0]:.5f}, {means[j, 1]:.4f}")
    for j, name in enumerate(("sign wrong", "1 − IoU")):
        print(f"{name} without features, more than with them: {more[:, j].mean():.5f} ± {errors[j]:.5f}")
    write_text(folder / "probes.json", json.dumps(found.tolist()))
    return found
