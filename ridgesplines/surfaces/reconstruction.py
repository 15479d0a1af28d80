"""From oriented points to a mesh, or to curves in the plane."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ridgesplines.checks import check_count, check_number
from ridgesplines.kernel_solution import KernelSolution
from ridgesplines.kernel_solving import KernelSolver
from ridgesplines.kernels import Kernel
from ridgesplines.progress import Progress
from ridgesplines.surfaces.grid import MEMORY, Grid, evaluate_near_zero
from ridgesplines.surfaces.implicit import ImplicitFunction, fit_oriented

# Triangles that are looked at to tell which side is outside.
_SAMPLE = 200


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A surface, or curves in the plane, through oriented points.

    Attributes:
        function: f, negative inside, zero at the points.
        vertices: of the zero set, (V, d).
        faces: triangles (F, 3), counterclockwise seen from outside; in the plane segments (F, 2).
        solution: of the kernel problem: its errors are in units of the ball that the points are scaled to.
        angle: the largest angle between ∇f and the normals at the points, in degrees.
        spacing: of the grid.
        evaluated: the part of the grid's vertices at which f was evaluated.
        seconds: time by stage.
    """

    function: ImplicitFunction
    vertices: np.ndarray
    faces: np.ndarray
    solution: KernelSolution
    angle: float
    spacing: float
    evaluated: float
    seconds: dict[str, float]

    @property
    def watertight(self) -> bool:
        """Whether the mesh has no boundary: each edge is in two triangles, each vertex of a curve in two segments."""
        size = self.faces.shape[1]
        if size == 2:
            return bool(len(self.faces)) and bool((np.bincount(self.faces.ravel()) == 2).all())
        edges = np.sort(np.concatenate([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]]), axis=1)
        return bool(len(edges)) and bool((np.unique(edges, axis=0, return_counts=True)[1] == 2).all())

    def __str__(self) -> str:
        kind = "triangles" if self.faces.shape[1] == 3 else "segments"
        closed = "closed" if self.watertight else "open"
        return (
            f"{len(self.vertices)} vertices, {len(self.faces)} {kind}, {closed}; |f| at the points at most "
            f"{self.solution.value_misfit * self.function.scale:.1e}, angle to the normals at most {self.angle:.1e}°; "
            + ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in self.seconds.items())
        )


def reconstruct(
    points: Any,
    normals: Any,
    *,
    kernel: Kernel | None = None,
    solver: KernelSolver | None = None,
    value_nugget: float | Literal["automatic"] = 0.0,
    gradient_nugget: float | Literal["automatic"] = 0.0,
    resolution: int = 128,
    margin: float = 0.05,
    progress: bool | None = None,
) -> Reconstruction:
    """The surface through oriented points (d = 3), or the curves (d = 2): the zero set of a kernel spline.

    Surfaces need scikit-image, the extra `surfaces`; curves do not.

    Args:
        points: (N, d).
        normals: (N, d), outward.
        kernel: see `fit_oriented`, like the next three.
        solver: ditto.
        value_nugget: ditto.
        gradient_nugget: ditto.
        resolution: grid steps along the longest side of the box.
        margin: what the box is longer than the points on each side, as a part of their longest side.
        progress: show a line of progress; None shows it on a terminal.

    Raises:
        ValueError: as `fit_oriented`, and if the grid would not fit into memory or f has no zero on it.
        ImportError: for surfaces without scikit-image.

    Source: williams_2021.
    """
    check_count("resolution", resolution)
    check_number("margin", margin, "at least 0", lambda value: 0 <= value < np.inf)
    dimension = np.shape(points)[1] if np.ndim(points) == 2 else 3
    if 16.0 * resolution**dimension > MEMORY:
        fits = int((MEMORY / 16) ** (1 / dimension))
        raise ValueError(
            f"resolution must be at most {fits} for a grid in {dimension} dimensions to fit into {MEMORY / 1e9:g} GB, "
            f"got {resolution}."
        )
    mesher = _surface_mesher() if dimension == 3 else _curves
    start = time.perf_counter()
    f, solution = fit_oriented(
        points, normals, kernel=kernel, solver=solver, value_nugget=value_nugget, gradient_nugget=gradient_nugget,
        progress=progress,
    )  # fmt: skip
    seconds = {"fit": time.perf_counter() - start}
    points, normals = np.asarray(points, dtype=float), np.asarray(normals, dtype=float)
    with Progress(progress) as show:
        start = time.perf_counter()
        grid = evaluate_near_zero(f, points, resolution, margin, show)
        seconds["grid"] = time.perf_counter() - start
        if not (grid.values.min() < 0 < grid.values.max()):
            raise ValueError(
                "the function has one sign on the whole grid, so that there is nothing to mesh; check that the normals "
                "point outward everywhere, or choose a larger resolution or margin."
            )
        show("meshing")
        start = time.perf_counter()
        vertices, faces = mesher(grid)
        if dimension == 3:
            faces = _outward(f, vertices, faces)
        seconds["mesh"] = time.perf_counter() - start
    slopes = f.gradient(points)
    cosines = np.sum(slopes * normals, axis=1) / (np.linalg.norm(slopes, axis=1) * np.linalg.norm(normals, axis=1))
    angle = float(np.degrees(np.arccos(np.clip(cosines, -1, 1).min())))
    return Reconstruction(f, vertices, faces, solution, angle, grid.spacing, grid.evaluated, seconds)


def _surface_mesher() -> Any:
    try:
        from skimage.measure import marching_cubes  # type: ignore[import-not-found] # the extra `surfaces`
    except ImportError as error:
        raise ImportError(
            'surfaces need scikit-image: pip install "ridgesplines[surfaces]"; rs.surfaces.fit_oriented gives the '
            "function without a mesh."
        ) from error

    def mesh(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
        vertices, faces, _, _ = marching_cubes(grid.values, 0.0, allow_degenerate=False)
        return grid.origin + grid.spacing * vertices.astype(float), faces.astype(np.int64)

    return mesh


def _outward(f: ImplicitFunction, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """`faces` turned so that most of a sample are counterclockwise seen from where f is larger."""
    some = faces[:: max(1, len(faces) // _SAMPLE)]
    a, b, c = (vertices[some[:, i]] for i in range(3))
    along = np.sum(np.cross(b - a, c - a) * f.gradient((a + b + c) / 3), axis=1)
    return faces if along.sum() >= 0 else faces[:, ::-1]


def _curves(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    from contourpy import contour_generator

    axes = [grid.origin[i] + grid.spacing * np.arange(n) for i, n in enumerate(grid.values.shape)]
    lines: list[np.ndarray] = contour_generator(*axes, grid.values.T).lines(0.0)  # type: ignore[assignment]
    vertices, segments, count = [], [], 0
    for line in lines:
        closed = len(line) > 2 and (line[0] == line[-1]).all()
        line = line[:-1] if closed else line
        index = count + np.arange(len(line))
        segments.append(np.column_stack([index, np.roll(index, -1)])[: len(line) - (not closed)])
        vertices.append(line)
        count += len(line)
    return np.concatenate(vertices), np.concatenate(segments)
