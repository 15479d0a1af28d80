"""Sample meshes, reconstruct them by each method, measure, and write what comes out."""

from __future__ import annotations

import csv
import io
import json
import platform
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

import ridgesplines as rs
from experiments.experiment import DATA_BESIDE, Unavailable
from experiments.williams_2021.methods import (
    AUTOMATIC,
    DEFAULT,
    FINE,
    FINEST,
    LARGE_METHODS,
    LARGE_TUNED,
    LARGEST_METHODS,
    LARGEST_TUNED,
    METHODS,
    NOISE_TUNED,
    NOISY_METHODS,
    TUNED,
    UNIFORM,
    Method,
)
from ridgesplines.archive import write_text
from ridgesplines.surfaces.meshes import is_watertight

BESIDE = DATA_BESIDE
SHAPES = ("spot", "bunny", "armadillo", "fandisk")
CLOUDS = ("oni", "ball", "dragon_fullres_40k")
SEEDS = 3
COUNT = 1000
# Of the F-score, in units of the ball.
THRESHOLD = 0.01
# Of the ball that holds the points, in its units.
_DIAMETER = 1.8


@dataclass(frozen=True)
class Goal:
    """That one method's figures are small beside those of another on the same clouds.

    Attributes:
        ours: a method.
        theirs: the other one.
        most: the ratio that is asked for.
        worst: of the worst cloud, instead of the means.
        figure: "chamfer", "faces" or "processor".
    """

    ours: str
    theirs: str
    most: float
    worst: bool = False
    figure: str = "chamfer"

    def __str__(self) -> str:
        return f"{'worst cloud' if self.worst else 'mean'}, {self.figure}, {self.ours} / {self.theirs}"

    def reached(self, rows: list[TableRow]) -> float | None:
        """The ratio; None unless both methods have the same clouds."""
        ours, theirs = (
            {(row.shape, row.seed): float(getattr(row, self.figure)) for row in rows if row.method == method}
            for method in (self.ours, self.theirs)
        )
        if not ours or ours.keys() != theirs.keys():
            return None
        if self.worst:
            return max(ours[key] / theirs[key] for key in ours)
        return sum(ours.values()) / sum(theirs.values())


@dataclass(frozen=True)
class Study:
    """Which clouds are reconstructed by which methods.

    Attributes:
        name: of the files that are written.
        methods: to compare.
        goals: for them.
        shapes: meshes beside the repository.
        seeds: how many clouds of each.
        count: points of a cloud.
        noise: deviation of the points, as a part of the diameter of the ball that holds them.
        turned: deviation of each component of the unit normals.
    """

    name: str
    methods: dict[str, Method]
    goals: tuple[Goal, ...] = ()
    shapes: tuple[str, ...] = SHAPES
    seeds: int = SEEDS
    count: int = COUNT
    noise: float = 0.0
    turned: float = 0.0

    def cloud(self, reference: rs.surfaces.Mesh, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
        """Points and normals, and what is 1 in the units of the table."""
        points, normals = rs.surfaces.sample_mesh(*reference, self.count, seed)
        scale = float(np.linalg.norm(points - (points.min(axis=0) + points.max(axis=0)) / 2, axis=1).max()) / 0.9
        # Other random numbers than those that chose the points.
        rng = np.random.default_rng([seed, 1])
        points = points + self.noise * _DIAMETER * scale * rng.standard_normal(points.shape)
        normals = normals + self.turned * rng.standard_normal(normals.shape)
        return points, normals / np.linalg.norm(normals, axis=1, keepdims=True), scale


CLEAN = Study(
    "table",
    METHODS,
    (Goal(UNIFORM, TUNED, 0.8), Goal(UNIFORM, DEFAULT, 0.4), Goal(UNIFORM, TUNED, 1.05, worst=True)),
)
NOISY = Study(
    "noise",
    NOISY_METHODS,
    (
        Goal(AUTOMATIC, TUNED, 0.75),
        Goal(AUTOMATIC, TUNED, 1.0, worst=True),
        Goal(AUTOMATIC, DEFAULT, 0.75),
        Goal(AUTOMATIC, NOISE_TUNED, 0.75),
        Goal(AUTOMATIC, NOISE_TUNED, 1.0, worst=True),
    ),
    noise=0.005,
    turned=0.1,
)
LARGE = Study(
    "size",
    LARGE_METHODS,
    (
        Goal(FINE, LARGE_TUNED, 0.75),
        Goal(FINE, LARGE_TUNED, 1.0, worst=True),
        Goal(FINE, LARGE_TUNED, 1.0, figure="faces"),
        Goal(FINE, LARGE_TUNED, 1.0, worst=True, figure="faces"),
        Goal(FINE, LARGE_TUNED, 1.0, figure="processor"),
    ),
    shapes=(*SHAPES, "dragon_60kfaces"),
    seeds=1,
    count=20_000,
)
LARGEST = Study(
    "largest",
    LARGEST_METHODS,
    (Goal(FINEST, LARGEST_TUNED, 1.0, worst=True),),
    shapes=("bunny", "armadillo", "dragon_60kfaces"),
    seeds=1,
    count=100_000,
)
STUDIES = {"run": CLEAN, "noise": NOISY, "size": LARGE, "largest": LARGEST}


@dataclass(frozen=True)
class TableRow:
    """What one method made of one cloud; distances in units of the ball that holds the points to radius 0.9.

    Attributes:
        shape: the mesh that was sampled.
        seed: of the samples.
        method: see `METHODS`.
        chamfer: see `MeshErrors`, like the next four.
        hausdorff_95: ditto.
        f_score: at `THRESHOLD`.
        iou: ditto.
        normal_consistency: ditto.
        watertight: whether the mesh has no boundary.
        faces: triangles.
        seconds: from points to mesh.
        processor: seconds of all processors for that: what a busy machine changes less.
        note: what the method says of itself.
    """

    shape: str
    seed: int
    method: str
    chamfer: float
    hausdorff_95: float
    f_score: float
    iou: float
    normal_consistency: float
    watertight: bool
    faces: int
    seconds: float
    processor: float
    note: str


HEADER = (
    "| shape | method | Chamfer × 1000 | 95% Hausdorff × 1000 | F-score | IoU | normals | watertight | faces "
    "| seconds | of processors |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def markdown(shape: str, method: str, rows: list[TableRow]) -> str:
    """The means of some rows as one row of the table."""

    def mean(name: str) -> float:
        return float(np.mean([getattr(row, name) for row in rows]))

    closed = sum(row.watertight for row in rows)
    return (
        f"| {shape} | {method} | {1e3 * mean('chamfer'):.3f} | {1e3 * mean('hausdorff_95'):.2f} "
        f"| {mean('f_score'):.4f} | {mean('iou'):.4f} | {mean('normal_consistency'):.4f} "
        f"| {closed} of {len(rows)} | {mean('faces'):.0f} | {mean('seconds'):.1f} "
        f"| {mean('processor'):.1f} |"
    )


def run(folder: Path, study: Study = CLEAN) -> list[TableRow]:
    """Write a table as `.md`, `.csv` and `.json`, and the meshes of the first seed; print it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[TableRow] = []
    skipped: dict[str, str] = {}
    closing: list[str] = []
    print(HEADER)
    for name, method in study.methods.items():
        for shape in study.shapes:
            if name in skipped or shape in skipped:
                continue
            try:
                reference = rs.surfaces.read_mesh(reference_file(shape))
            except Unavailable as error:
                skipped[shape] = str(error)
                print(f"| {shape} | skipped: {error} |")
                continue
            try:
                if not rows:
                    # Compiled functions take seconds the first time, which are no part of the cost.
                    method(*study.cloud(reference, 0)[:2])
                made = [_row(folder, study, shape, seed, name, method, reference) for seed in range(study.seeds)]
            except Unavailable as error:
                skipped[name] = str(error)
                print(f"| {shape} | {name}, skipped: {error} |")
                continue
            rows += made
            print(markdown(shape, name, made), flush=True)
        # After each method, so that an interruption keeps what there is.
        closing = _write(folder, study, rows, skipped)
    print("\n".join(closing))
    return rows


def goals(study: Study, rows: list[TableRow]) -> dict[Goal, float]:
    """What a study reached of its goals, as far as it has all clouds of both methods."""
    reached = {goal: goal.reached(rows) for goal in study.goals}
    return {goal: ratio for goal, ratio in reached.items() if ratio is not None}


def reference_file(shape: str) -> Path:
    """The mesh that clouds of a shape are drawn from.

    Raises:
        Unavailable: if it does not lie beside the repository.
    """
    file = BESIDE / "meshes" / f"{shape}.ply"
    if not file.is_file():
        raise Unavailable(f"there is no {file.name} in the folder of meshes beside the repository")
    return file


def _row(
    folder: Path, study: Study, shape: str, seed: int, name: str, method: Method, reference: rs.surfaces.Mesh
) -> TableRow:
    points, normals, scale = study.cloud(reference, seed)
    began, worked = time.perf_counter(), time.process_time()
    made = method(points, normals)
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    errors = rs.surfaces.mesh_errors(*made.mesh, *reference, threshold=THRESHOLD * scale)
    if seed == 0:
        rs.surfaces.write_mesh(mesh_file(folder, shape, name, study), *made.mesh)
    return TableRow(
        shape=shape,
        seed=seed,
        method=name,
        chamfer=errors.chamfer / scale,
        hausdorff_95=errors.hausdorff_95 / scale,
        f_score=errors.f_score,
        iou=errors.iou,
        normal_consistency=errors.normal_consistency,
        watertight=is_watertight(made.mesh.faces),
        faces=len(made.mesh.faces),
        seconds=seconds,
        processor=processor,
        note=made.note,
    )


def mesh_file(folder: Path, shape: str, method: str, study: Study = CLEAN) -> Path:
    """Where the mesh of the first seed is."""
    prefix = "" if study.name == CLEAN.name else f"{study.name}_"
    return folder / f"{prefix}{shape}_{method.lower().replace(', ', '_').replace(' ', '_')}.npz"


def _write(folder: Path, study: Study, rows: list[TableRow], skipped: dict[str, str]) -> list[str]:
    """Write the tables; returns the lines on all shapes together."""
    shapes = dict.fromkeys(row.shape for row in rows)
    methods = dict.fromkeys(row.method for row in rows)
    lines = [HEADER]
    for shape in shapes:
        for method in methods:
            group = [row for row in rows if row.shape == shape and row.method == method]
            lines += [markdown(shape, method, group)] if group else []
    closing = [markdown("all", method, [row for row in rows if row.method == method]) for method in methods]
    reached = goals(study, rows)
    for goal, ratio in reached.items():
        closing.append(f"\n{goal}: {ratio:.3f}, goal at most {goal.most}: {'met' if ratio <= goal.most else 'missed'}")
    closing += [f"\n{row.shape}, seed {row.seed}, {row.method}: {row.note}" for row in rows if row.note]
    lines += closing
    text = "\n".join(lines) + "\n"
    write_text(folder / f"{study.name}.md", text)
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [field.name for field in fields(TableRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    write_text(folder / f"{study.name}.csv", stream.getvalue())
    facts = {
        "versions": {"ridgesplines": rs.__version__, "python": platform.python_version()},
        "rows": [asdict(row) for row in rows],
        "goals": {str(goal): ratio for goal, ratio in reached.items()},
        "skipped": skipped,
    }
    write_text(folder / f"{study.name}.json", json.dumps(facts, indent=2))
    return closing


def run_clouds(
    folder: Path, clouds: tuple[str, ...] = CLOUDS, methods: tuple[str, ...] = (UNIFORM, DEFAULT, TUNED)
) -> list[dict[str, object]]:
    """Fit clouds as they are, and say how far their points are from the meshes; writes `clouds.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[dict[str, object]] = []
    print("| cloud | points | method | mean distance of the points × 1000 | largest | watertight | faces | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for cloud in clouds:
        file = BESIDE / "oriented_points" / f"{cloud}.ply"
        if not file.is_file():
            print(f"| {cloud} | skipped: there is no {file.name} in the folder of clouds beside the repository |")
            continue
        points, normals = rs.surfaces.read_cloud(file)
        assert normals is not None
        scale = float(np.linalg.norm(points - (points.min(axis=0) + points.max(axis=0)) / 2, axis=1).max()) / 0.9
        for name in methods:
            began = time.perf_counter()
            try:
                made = METHODS[name](points, normals)
            except Unavailable as error:
                print(f"| {cloud} | {len(points)} | {name}, skipped: {error} |")
                continue
            seconds = time.perf_counter() - began
            distances = rs.surfaces.distance_to_mesh(*made.mesh, points)[0] / scale
            row: dict[str, object] = {
                "cloud": cloud,
                "points": len(points),
                "method": name,
                "mean": float(distances.mean()),
                "largest": float(distances.max()),
                "watertight": is_watertight(made.mesh.faces),
                "faces": len(made.mesh.faces),
                "seconds": seconds,
                "note": made.note,
            }
            found.append(row)
            rs.surfaces.write_mesh(mesh_file(folder, cloud, name), *made.mesh)
            print(
                f"| {cloud} | {len(points)} | {name} | {1e3 * distances.mean():.4f} | {1e3 * distances.max():.2f} "
                f"| {'yes' if row['watertight'] else 'no'} | {row['faces']} | {seconds:.1f} | {made.note}",
                flush=True,
            )
    write_text(folder / "clouds.json", json.dumps(found, indent=2))
    return found
