"""From oriented points to a mesh, or to curves in the plane."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.spatial import KDTree

from ridgesplines.arrays import finite_array
from ridgesplines.checks import check_count, check_number
from ridgesplines.kernel_problem import KernelProblem
from ridgesplines.kernel_solution import KernelSolution, KernelStatus
from ridgesplines.kernel_solving import KernelSolver, solve_kernel
from ridgesplines.kernels import Kernel
from ridgesplines.progress import Progress
from ridgesplines.surfaces.chunks import PartitionSolution, check_chunk, chosen_chunk, solve_in_chunks
from ridgesplines.surfaces.edges import EdgeChoice
from ridgesplines.surfaces.grid import MEMORY, Grid, evaluate_near_zero
from ridgesplines.surfaces.implicit import ImplicitFunction, oriented_problem
from ridgesplines.surfaces.meshes import components, is_watertight
from ridgesplines.surfaces.sign_repair import SignRepair, repair_signs
from ridgesplines.surfaces.winding import neighbour_radius

# Triangles that are looked at to tell which side is outside.
_SAMPLE = 200


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A surface, or curves in the plane, through oriented points.

    Attributes:
        function: f, negative inside, zero at the points.
        vertices: of the zero set, (V, d).
        faces: triangles (F, 3), counterclockwise seen from outside; in the plane segments (F, 2).
        solution: of the kernel problem, in chunks if these were asked for or needed: its errors are in units of the
            ball that the points are scaled to.
        angle: the largest angle between ∇f and the normals at the points, in degrees.
        spacing: of the grid.
        evaluated: the part of the grid's vertices at which f was evaluated.
        seconds: time by stage.
        repair: what was done for the sign far from the points; None if it was not looked at. In chunks it is that of
            the coarse function, which is what there is far from the points.
        trimmed: how many connected parts were left out, because they are far from all points.
        interrupted: the stages that Ctrl-C cut short, "choice of nuggets", "fit", "sign repair", "chunks" or "grid":
            the mesh is that of the best nuggets and function so far, without the repair that was not finished, of the
            coarse function where chunks are not solved, and coarse where the grid was not reached.
        edges: whether noisy normals were averaged within faces before the fit, so that edges are sharper; None where
            nuggets were given.
    """

    function: ImplicitFunction
    vertices: np.ndarray
    faces: np.ndarray
    solution: KernelSolution | PartitionSolution
    angle: float
    spacing: float
    evaluated: float
    seconds: dict[str, float]
    repair: SignRepair | None = None
    trimmed: int = 0
    interrupted: tuple[str, ...] = ()
    edges: EdgeChoice | None = None

    @property
    def watertight(self) -> bool:
        """Whether the mesh has no boundary: each edge is in two triangles, each vertex of a curve in two segments."""
        return is_watertight(self.faces)

    def __str__(self) -> str:
        kind = "triangles" if self.faces.shape[1] == 3 else "segments"
        closed = "closed" if self.watertight else "open"
        extra = "" if self.repair is None or not self.repair.rounds else f"; sign repair: {self.repair}"
        if isinstance(self.solution, PartitionSolution):
            extra = f"; {self.solution.solved} of {len(self.solution.chunks)} chunks solved" + extra
        extra += f"; {self.edges}" if self.edges is not None else ""
        extra += f"; {self.trimmed} far {'sheet' if self.trimmed == 1 else 'sheets'} left out" if self.trimmed else ""
        extra += (
            f"; interrupted in the {' and the '.join(self.interrupted)}: the best so far" if self.interrupted else ""
        )
        return (
            f"{len(self.vertices)} vertices, {len(self.faces)} {kind}, {closed}; |f| at the points at most "
            f"{self.solution.value_misfit * self.function.scale:.1e}, angle to the normals at most {self.angle:.1e}°"
            f"{extra}; " + ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in self.seconds.items())
        )


def reconstruct(
    points: Any,
    normals: Any,
    *,
    kernel: Kernel | None = None,
    solver: KernelSolver | None = None,
    value_nugget: float | Literal["automatic"] = 0.0,
    gradient_nugget: float | Literal["automatic"] = 0.0,
    chunk: int | None = None,
    resolution: int = 128,
    margin: float = 0.05,
    sign_repair: bool = True,
    trim: float | None = None,
    progress: bool | None = None,
) -> Reconstruction:
    """The surface through oriented points (d = 3), or the curves (d = 2): the zero set of a kernel spline.

    Far from the points the sign of the function is compared with the points' winding number and repaired where it is
    wrong (`SignRepair`); then sheets of the zero set that are far from all points are left out. Surfaces need
    scikit-image, the extra `surfaces`; curves do not. Ctrl-C keeps the best so far, as soon as there is a function and
    its coarse grid: see `Reconstruction.interrupted`.

    Args:
        points: (N, d).
        normals: (N, d), outward; of any length but zero: only their directions count.
        kernel: on the unit ball, into which the points are scaled; `UniformKernel()` by default.
        solver: of the linear equations, see `solve_kernel`.
        value_nugget: how far the function may be from zero at noisy points, see `KernelProblem`; 0 passes through them,
            "automatic", for both nuggets, chooses them for each point by `choose_nuggets`: more where the surface is
            smooth, less where it has details. Noisy normals are averaged within faces, not across edges, where points
            left out are met better so: see `EdgeChoice`.
        gradient_nugget: likewise how far its gradients may be from the normals.
        chunk: solve in chunks of about this many points, in the memory of one and the results, and blend, see
            `PartitionedSpline`; at least 100. None solves one system to 200,000 points (20,000 with kernels whose sums
            take O(N²) operations), and takes chunks of 30,000 for more.
        resolution: grid steps along the longest side of the box.
        margin: what the box is longer than the points on each side, as a part of their longest side.
        sign_repair: whether to repair the sign.
        trim: connected parts of the zero set with no vertex within this distance of a point are left out; by default
            two steps of the grid, and at least twice the median distance between neighbouring points. Infinity
            keeps all.
        progress: show a line of progress; None shows it on a terminal.

    Raises:
        TypeError: if `chunk` or `resolution` is no whole number.
        ValueError: as `fit_oriented`, if the chunk is too small or the solver not for chunks, and if the grid would not
            fit into memory or f has no zero on it.
        ImportError: for surfaces without scikit-image.
        KeyboardInterrupt: if interrupted before there was anything to keep.

    Source: williams_2021.
    """
    check_grid(resolution, margin, np.shape(points)[1] if np.ndim(points) == 2 else 3)
    check_chunk(chunk, solver)
    if trim is not None:
        check_number("trim", trim, "a positive number or None", lambda value: value > 0)
    if np.ndim(points) != 2 or np.shape(points)[1] != 2:
        surface_mesher()
    start = time.perf_counter()
    problem, centre, scale, choice, edges = oriented_problem(
        points, normals, kernel=kernel, value_nugget=value_nugget, gradient_nugget=gradient_nugget, progress=progress
    )
    points, normals = np.asarray(points, dtype=float), np.asarray(normals, dtype=float)
    interrupted = ["choice of nuggets"] if choice is not None and choice.interrupted else []
    seconds = {"fit": time.perf_counter() - start}
    size = chosen_chunk(chunk, problem, solver)
    # After an interruption only what leads to a mesh is done.
    sign_repair = sign_repair and not interrupted
    if size is None:
        solution, repair, stopped, took = _solved(
            problem, (points - centre) / scale, normals, solver, sign_repair, progress
        )
    else:
        solution = solve_in_chunks(problem, size, solver, sign_repair=sign_repair, progress=progress)
        repair, stopped, took = solution.repair, solution.interrupted, solution.seconds
    seconds = took | {"fit": seconds["fit"] + took["fit"]}
    interrupted += [] if stopped is None else [stopped]
    f = ImplicitFunction(solution.spline, centre, scale)
    zero_set = mesh_zero_set(f, points, resolution=resolution, margin=margin, progress=progress)
    vertices, faces, trimmed = _trimmed(zero_set.vertices, zero_set.faces, points, trim, zero_set.spacing)
    slopes = f.at_many(points)[1]
    cosines = np.sum(slopes * normals, axis=1) / (np.linalg.norm(slopes, axis=1) * np.linalg.norm(normals, axis=1))
    angle = float(np.degrees(np.arccos(np.clip(cosines, -1, 1).min())))
    return Reconstruction(
        f, vertices, faces, solution, angle, zero_set.spacing, zero_set.evaluated, seconds | zero_set.seconds,
        repair, trimmed, (*interrupted, *(["grid"] if zero_set.interrupted else [])), edges,
    )  # fmt: skip


def _solved(
    problem: KernelProblem,
    points: np.ndarray,
    normals: np.ndarray,
    solver: KernelSolver | None,
    sign_repair: bool,
    progress: bool | None,
) -> tuple[KernelSolution, SignRepair | None, str | None, dict[str, float]]:
    """One system's solution with its sign repaired, what was done for that, where Ctrl-C came, and seconds by stage."""
    start = time.perf_counter()
    solution = solve_kernel(problem, solver, progress=progress)
    seconds = {"fit": time.perf_counter() - start}
    if solution.status is KernelStatus.INTERRUPTED:
        return solution, None, "fit", seconds
    if not sign_repair:
        return solution, None, None, seconds
    start = time.perf_counter()
    with Progress(progress) as show:
        solution, repair = repair_signs(problem, solution, points, normals, solver=solver, show=show)
    seconds["sign repair"] = time.perf_counter() - start
    return solution, repair, "sign repair" if repair.interrupted else None, seconds


@dataclass(frozen=True, eq=False)
class ZeroSet:
    """Where a function is zero near points.

    Attributes:
        vertices: (V, d).
        faces: triangles (F, 3), counterclockwise seen from where the function is larger, or segments (F, 2).
        spacing: of the grid.
        evaluated: the part of the grid's vertices at which the function was evaluated.
        seconds: time by stage.
        interrupted: whether Ctrl-C came before the whole grid was evaluated: the rest is interpolated from every fourth
            vertex.
    """

    vertices: np.ndarray
    faces: np.ndarray
    spacing: float
    evaluated: float
    seconds: dict[str, float]
    interrupted: bool = False


def mesh_zero_set(
    f: ImplicitFunction, points: Any, *, resolution: int = 128, margin: float = 0.05, progress: bool | None = None
) -> ZeroSet:
    """The zero set of an implicit function in a box around points, as triangles or segments.

    Args:
        f: the function.
        points: (N, d): the function is evaluated near its zero set, and near them.
        resolution: grid steps along the longest side of the box.
        margin: what the box is longer than the points on each side, as a part of their longest side.
        progress: show a line of progress; None shows it on a terminal.

    Raises:
        ValueError: if the grid would not fit into memory or f has no zero on it.
        ImportError: for surfaces without scikit-image.
        KeyboardInterrupt: if interrupted before the coarse grid was evaluated.
    """
    points = finite_array("points", points, dimensions=(2,))
    dimension = len(f.centre)
    if points.shape[1] != dimension or not len(points):
        raise ValueError(f"points must be rows of {dimension} numbers, as f takes them, got shape {points.shape}.")
    check_grid(resolution, margin, dimension)
    mesher = surface_mesher() if dimension == 3 else _curves
    seconds = {}
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
    return ZeroSet(vertices, faces, grid.spacing, grid.evaluated, seconds, grid.interrupted)


def check_grid(resolution: Any, margin: Any, dimension: int) -> None:
    """Refuse a grid that would not fit into memory.

    Raises:
        TypeError: if the resolution is no whole number.
        ValueError: if it is too large, or the margin negative.
    """
    check_count("resolution", resolution)
    check_number("margin", margin, "at least 0", lambda value: 0 <= value < np.inf)
    if 16.0 * resolution**dimension > MEMORY:
        fits = int((MEMORY / 16) ** (1 / dimension))
        raise ValueError(
            f"resolution must be at most {fits} for a grid in {dimension} dimensions to fit into {MEMORY / 1e9:g} GB, "
            f"got {resolution}."
        )


def _trimmed(
    vertices: np.ndarray, faces: np.ndarray, points: np.ndarray, trim: float | None, spacing: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """The mesh without the connected parts that are farther than `trim` from all points, and how many these are."""
    if trim is None:
        trim = 2 * max(spacing, float(np.median(neighbour_radius(points, 1))))
    if trim == np.inf:
        return vertices, faces, 0
    part = components(len(vertices), faces)
    distances = KDTree(points).query(vertices)[0]
    nearest = np.full(part.max() + 1, np.inf)
    np.minimum.at(nearest, part, distances)
    keep = nearest[part] <= trim
    if keep.all() or not keep.any():
        return vertices, faces, 0
    index = np.cumsum(keep) - 1
    return vertices[keep], index[faces[keep[faces[:, 0]]]], int(np.sum(nearest > trim))


def surface_mesher() -> Any:
    """Marching cubes of a `Grid`.

    Raises:
        ImportError: naming the extra, where scikit-image is not installed.
    """
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
