"""Train the features, reconstruct unseen bodies with and without them, and write what comes out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import ridgesplines as rs
from experiments.neural_kernel.field import FeatureNetwork, fit
from experiments.neural_kernel.shapes import Solid, draw_body, draw_part
from experiments.neural_kernel.training import BODIES, STEPS, train
from ridgesplines.archive import write_text
from ridgesplines.progress import Progress
from ridgesplines.surfaces import Mesh, distance_to_mesh, occupancy_agreement, repair_signs, sample_mesh
from ridgesplines.surfaces.grid import Grid
from ridgesplines.surfaces.implicit import oriented_problem
from ridgesplines.surfaces.reconstruction import surface_mesher

# Method = points, normals, x ↦ values at x, negative inside.
Method = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

LEARNED, FIXED = "learned features", "the kernel alone"
COUNTS = (100, 200, 300)
# Of the grid's longest side, and how far it goes beyond the points, as a part of that side.
_RESOLUTION = 32
_MARGIN = 0.06
_SAMPLES = 3000


@dataclass(frozen=True)
class Bodies:
    """Bodies that no training sees.

    Attributes:
        name: of the kind.
        draw: one body.
        stream: of random numbers; training has another.
        count: how many.
    """

    name: str
    draw: Callable[[np.random.Generator], Solid]
    stream: int
    count: int

    def cloud(self, number: int) -> tuple[Solid, np.ndarray, np.ndarray]:
        """A body, and points with normals: 100, 200 and 300 of them in turn."""
        rng = np.random.default_rng([number, self.stream])
        body = self.draw(rng)
        points, normals = body.sample(COUNTS[number % len(COUNTS)], rng)
        assert normals is not None
        return body, points, normals


# The test's bodies are looked at once, by `evaluate`; choices are made on others, by `validate`.
TEST = (Bodies("parts", draw_part, 2, 120), Bodies("smooth bodies", draw_body, 3, 24))
VALIDATION = Bodies("parts for validation", draw_part, 50, 24)


class Errors(NamedTuple):
    """Of one reconstruction: the part of the grid with the wrong sign, 1 − IoU there, and the Chamfer distance."""

    wrong: float
    outside: float
    chamfer: float


def kernel_alone(
    points: np.ndarray, normals: np.ndarray, x: np.ndarray, repair: bool = True, **settings: Any
) -> np.ndarray:
    """What `rs.surfaces.reconstruct` makes of the cloud, with the repair of the signs far from it or without.

    `settings` are those of `rs.surfaces.fit_oriented`.
    """
    problem, centre, scale, *_ = oriented_problem(points, normals, **settings)
    solution = rs.solve_kernel(problem, progress=False)
    if repair:
        solution = repair_signs(problem, solution, (points - centre) / scale, normals)[0]
    return scale * np.asarray(solution.spline((x - centre) / scale))


def learned(network: FeatureNetwork, points: np.ndarray, normals: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The values of the kernel with features; no signs are repaired."""
    return fit(network, points, normals)(x)


def grid_of(points: np.ndarray) -> Grid:
    """The grid around the points, of zeros."""
    low, high = points.min(axis=0), points.max(axis=0)
    side = (high - low).max()
    spacing = (1 + 2 * _MARGIN) * side / _RESOLUTION
    steps = np.ceil((high - low + 2 * _MARGIN * side) / spacing).astype(int)
    return Grid(np.zeros(steps + 1), (low + high) / 2 - spacing * steps / 2, spacing, 1.0)


def vertices_of(grid: Grid) -> np.ndarray:
    """The places of the grid's values, (n, 3)."""
    return grid.origin + grid.spacing * np.indices(grid.values.shape).reshape(3, -1).T


def mesh_of(grid: Grid, values: np.ndarray) -> Mesh:
    """The zero set of values at the grid's vertices."""
    return Mesh(*surface_mesher()(Grid(values.reshape(grid.values.shape), grid.origin, grid.spacing, 1.0)))


def errors_of(body: Solid, grid: Grid, values: np.ndarray, surface: np.ndarray, seed: int) -> Errors:
    """The errors of values at the grid's vertices; `surface` are points of the body's.

    The Chamfer distance is the mean of the mean distances from the mesh to the body, as its value says, and from the
    surface's points to the mesh.
    """
    inside, truth = values < 0, body.distance(vertices_of(grid)) < 0
    mesh = mesh_of(grid, values)
    forward = np.abs(body.distance(sample_mesh(*mesh, _SAMPLES, seed)[0]))
    backward = distance_to_mesh(*mesh, surface)[0]
    chamfer = float(forward.mean() + backward.mean()) / 2
    return Errors(float(np.mean(inside != truth)), 1 - occupancy_agreement(inside, truth), chamfer)


def compare(methods: dict[str, Method], bodies: Bodies, first: int = 0) -> dict[str, np.ndarray]:
    """The errors of each method on the bodies from number `first` on, (bodies, 3); up to where Ctrl-C came."""
    found: dict[str, list[Errors]] = {name: [] for name in methods}
    done = 0
    with Progress() as show:
        try:
            for number in range(first, bodies.count):
                body, points, normals = bodies.cloud(number)
                grid = grid_of(points)
                surface = body.sample(_SAMPLES, np.random.default_rng([number, bodies.stream, 1])).points
                for name, method in methods.items():
                    show(f"{bodies.name}, {number + 1} of {bodies.count}: {name}")
                    values = method(points, normals, vertices_of(grid))
                    found[name].append(errors_of(body, grid, values, surface, number))
                done += 1
        except KeyboardInterrupt:
            print(f"interrupted after {done} of {bodies.count - first} bodies; these are kept", file=sys.stderr)
    return {name: np.asarray(errors[:done]) for name, errors in found.items()}


def run(folder: Path, steps: int = STEPS, bodies: int = BODIES) -> None:
    """Write `network.npz` and the losses, then what `evaluate_all` writes."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.process_time()
    trained = train(steps, bodies)
    seconds = time.process_time() - began
    trained.network.save(folder / "network.npz")
    write_text(folder / "losses.json", json.dumps(trained.losses.tolist()))
    print(f"{len(trained.losses)} steps on {bodies} bodies, {seconds:.0f} s of processor time")
    evaluate_all(folder)


def evaluate_all(folder: Path, kinds: tuple[Bodies, ...] = TEST) -> dict[str, dict[str, np.ndarray]]:
    """Print the errors of the saved network and of the kernel alone on each kind of bodies, and write `table.json`."""
    network = FeatureNetwork.load(folder / "network.npz")
    methods: dict[str, Method] = {
        LEARNED: partial(learned, network),
        FIXED: kernel_alone,
    }
    found = {}
    for bodies in kinds:
        found[bodies.name] = compare(methods, bodies)
        print_table(found[bodies.name], bodies.name)
    text = json.dumps({kind: {name: e.tolist() for name, e in errors.items()} for kind, errors in found.items()})
    write_text(folder / "table.json", text)
    return found


# What the kernel alone is tried with on the bodies for validation; the first is that of the test.
ALONE: dict[str, dict[str, Any]] = {
    FIXED: {},
    "signs not repaired": {"repair": False},
    "gradient nugget 1e-4": {"gradient_nugget": 1e-4},
    "gradient nugget 1e-3": {"gradient_nugget": 1e-3},
    "nuggets 1e-7 and 1e-3": {"value_nugget": 1e-7, "gradient_nugget": 1e-3},
    "Gaussian kernel": {"kernel": rs.kernels.GaussianKernel()},
}


def validate(folder: Path) -> dict[str, np.ndarray]:
    """The errors of the saved network and of the kernel alone, as `ALONE` says, on bodies that are not the test's."""
    network = FeatureNetwork.load(folder / "network.npz")
    methods: dict[str, Method] = {LEARNED: partial(learned, network)}
    methods |= {name: partial(kernel_alone, **settings) for name, settings in ALONE.items()}
    errors = compare(methods, VALIDATION)
    print_table(errors, VALIDATION.name)
    return errors


def print_table(errors: dict[str, np.ndarray], name: str) -> None:
    """Means over bodies, and paired differences to the learned features with their standard errors."""
    count = len(errors[LEARNED])
    print(f"| {count} {name} | signs wrong | 1 − IoU | Chamfer × 1000 | more than learned: signs | 1 − IoU | Chamfer |")
    print("|---|---|---|---|---|---|---|")
    scale = np.array([1.0, 1.0, 1000.0])
    for method, rows in errors.items():
        means = scale * rows.mean(axis=0)
        more, error = paired(rows, errors[LEARNED])
        beside = (
            "– | – | –"
            if method == LEARNED
            else " | ".join(
                f"{a:.{p}f} ± {b:.{p}f}" for a, b, p in zip(scale * more, scale * error, (5, 4, 2), strict=True)
            )
        )
        print(f"| {method} | {means[0]:.5f} | {means[1]:.4f} | {means[2]:.2f} | {beside} |")


def paired(rows: np.ndarray, beside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of `rows` − `beside` over the first axis, and their standard errors."""
    more = rows - beside
    return more.mean(axis=0), more.std(axis=0, ddof=1) / np.sqrt(len(more))
