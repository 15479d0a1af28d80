"""The implicit function of oriented points, in the units of the points."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ridgesplines.archive import read_archive, write_archive
from ridgesplines.arrays import Array, finite_array
from ridgesplines.checks import is_one_of
from ridgesplines.kernel_nuggets import NuggetChoice, choose_nuggets
from ridgesplines.kernel_problem import KernelProblem
from ridgesplines.kernel_solution import KernelSolution
from ridgesplines.kernel_solving import KernelSolver, solve_kernel
from ridgesplines.kernel_spline import KernelSpline
from ridgesplines.kernels import Kernel, UniformKernel
from ridgesplines.progress import Progress
from ridgesplines.surfaces.chunks import PartitionSolution, check_chunk, chosen_chunk, solve_in_chunks
from ridgesplines.surfaces.edges import EdgeChoice, with_chosen_normals
from ridgesplines.surfaces.partition import BoxedPartition, PartitionedSpline

# The cloud fills the unit ball to this radius: within the domain of the uniform kernel, with room for the surface.
_RADIUS = 0.9
# Normals shorter than this have no direction.
_SHORTEST = 1e-12
# Points are flat if their least extent is below this part of the largest.
_FLAT = 1e-9
# Points evaluated at once.
_BATCH = 2**17
# What a file may hold as g, by the kind that it states; files of older versions state none.
_SPLINES: dict[str, type[KernelSpline] | type[PartitionedSpline]] = {
    "KernelSpline": KernelSpline,
    "PartitionedSpline": PartitionedSpline,
}


@dataclass(frozen=True, eq=False)
class ImplicitFunction:
    """f(x) = s g((x − c) / s), negative inside and with |∇f| about 1 at the surface: nearly the signed distance there.

    Attributes:
        spline: g; a `PartitionedSpline` where the points were fitted in chunks.
        centre: c, (d,).
        scale: s.
    """

    spline: KernelSpline | PartitionedSpline
    centre: np.ndarray
    scale: float

    def __call__(self, x: Array) -> Array:
        """Values (n,) at points (n, d); shapes and array types as for `KernelSpline`."""
        return self.scale * self.spline((x - self.centre) / self.scale)

    def gradient(self, x: Array) -> Array:
        """The gradient (n, d) at points (n, d)."""
        return self.spline.gradient((x - self.centre) / self.scale)

    def at_many(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (n,) and gradients (n, d) at many points (n, d), by sums split by range where that pays."""
        scaled = (x - self.centre) / self.scale
        ready = self.spline.in_box(scaled.min(axis=0), scaled.max(axis=0))
        values, gradients = np.empty(len(x)), np.empty(scaled.shape)
        # What is evaluated together is near the same few boxes.
        order = np.arange(len(x))
        if isinstance(ready, BoxedPartition):
            order = np.argsort(ready.part(scaled), kind="stable")
        for start in range(0, len(x), _BATCH):
            some = order[start : start + _BATCH]
            values[some], gradients[some] = ready.value_and_gradient(scaled[some])
        return self.scale * values, gradients

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the function to one `.npz` file; returns its path."""
        arrays, metadata = self.spline.to_arrays()
        arrays |= {"centre": self.centre, "scale": np.array(self.scale)}
        return write_archive(path, arrays, {**metadata, "kind": "ImplicitFunction", "spline": metadata["kind"]})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ImplicitFunction:
        """Read what `save` wrote.

        Raises:
            ValueError: if the file is missing, damaged, of another kind or of a newer format version.
        """
        arrays, metadata = read_archive(path, ("ImplicitFunction",))
        kind = metadata.get("spline", "KernelSpline")
        if not is_one_of(kind, _SPLINES):
            raise ValueError(f"{path} holds an ImplicitFunction of a kind that is not known, {kind!r}.")
        spline = _SPLINES[kind].from_arrays(arrays, metadata, str(path))
        centre, scale = (arrays.get(name, np.array("")) for name in ("centre", "scale"))
        numbers = centre.dtype.kind == "f" and scale.dtype.kind == "f"
        if not numbers or centre.shape != (spline.dimension,) or scale.shape != ():
            raise ValueError(f"{path} does not hold a whole ImplicitFunction.")
        return cls(spline, centre, float(scale))


def fit_oriented(
    points: Any,
    normals: Any,
    *,
    kernel: Kernel | None = None,
    solver: KernelSolver | None = None,
    value_nugget: float | Literal["automatic"] = 0.0,
    gradient_nugget: float | Literal["automatic"] = 0.0,
    chunk: int | None = None,
    progress: bool | None = None,
) -> tuple[ImplicitFunction, KernelSolution | PartitionSolution]:
    """The function of least norm that vanishes at oriented points and has their normals as gradients.

    As it is: `reconstruct` also repairs its sign far from the points.

    Args:
        points: (N, d), d = 2 or 3, in any units.
        normals: (N, d), outward; of any length but zero.
        kernel: on the unit ball, into which the points are scaled; `UniformKernel()` by default.
        solver: see `solve_kernel`.
        value_nugget: see `KernelProblem`, in units of the unit ball; "automatic" for both chooses them by
            `choose_nuggets`, for noisy points and normals: smoothing by place, not everywhere the same, and normals
            averaged within faces where the shape has edges, see `EdgeChoice`.
        gradient_nugget: likewise, of the gradients.
        chunk: see `reconstruct`.
        progress: show a line of progress; None shows it on a terminal.

    Raises:
        TypeError: if `chunk` is no whole number.
        ValueError: if it is too small or the solver not for chunks; for less than d + 1 points, points on one line or
            plane, normals that are absent or zero, entries that are not finite, and points that coincide with different
            normals.

    Source: williams_2021, with gradients instead of finite differences.
    """
    check_chunk(chunk, solver)
    problem, centre, scale, *_ = oriented_problem(
        points, normals, kernel=kernel, value_nugget=value_nugget, gradient_nugget=gradient_nugget, progress=progress
    )
    size = chosen_chunk(chunk, problem, solver)
    if size is None:
        solution = solve_kernel(problem, solver, progress=progress)
    else:
        solution = solve_in_chunks(problem, size, solver, sign_repair=False, progress=progress)
    return ImplicitFunction(solution.spline, centre, scale), solution


class OrientedProblem(NamedTuple):
    """What `fit_oriented` solves.

    Attributes:
        problem: values and gradients in the unit ball.
        centre: of the ball that the points are moved from, (d,).
        scale: its radius.
        choice: how the nuggets were chosen, if that was left to the data.
        edges: whether the normals were averaged within faces; None if that was not looked at.
    """

    problem: KernelProblem
    centre: np.ndarray
    scale: float
    choice: NuggetChoice | None
    edges: EdgeChoice | None


def oriented_problem(
    points: Any,
    normals: Any,
    *,
    kernel: Kernel | None = None,
    value_nugget: float | Literal["automatic"] = 0.0,
    gradient_nugget: float | Literal["automatic"] = 0.0,
    progress: bool | None = None,
) -> OrientedProblem:
    """The problem of oriented points, with what was left to the data chosen: the arguments of `fit_oriented`."""
    points = finite_array("points", points, dimensions=(2,))
    count, dimension = points.shape
    if dimension not in (2, 3):
        raise ValueError(f"points must have 2 or 3 columns, got shape {points.shape}.")
    if normals is None:
        raise ValueError(
            "normals are needed, one for each point; estimate them from the neighbours of each point by "
            "rs.surfaces.estimate_normals(points)."
        )
    normals = finite_array("normals", normals, dimensions=(2,))
    if normals.shape != points.shape:
        raise ValueError(f"normals must have the shape of the points, {points.shape}, got {normals.shape}.")
    if count <= dimension:
        raise ValueError(f"points must be at least {dimension + 1}, got {count}.")
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    if (lengths < _SHORTEST).any():
        raise ValueError(
            f"normals must not be zero, but {int(np.sum(lengths < _SHORTEST))} are (the first at index "
            f"{int(np.argmax(lengths[:, 0] < _SHORTEST))}); drop these points."
        )
    extents = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    if extents[-1] <= _FLAT * extents[0]:
        where = "line" if dimension == 2 else "plane"
        raise ValueError(f"points all lie in one {where}: they bound nothing; give points from all sides.")
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    scale = float(np.linalg.norm(points - centre, axis=1).max()) / _RADIUS
    automatic = "automatic" in (value_nugget, gradient_nugget)
    if automatic and value_nugget != gradient_nugget:
        raise ValueError(
            'value_nugget and gradient_nugget must both be "automatic", or both numbers, got '
            f"{value_nugget!r} and {gradient_nugget!r}; what suits one depends on the other."
        )
    problem = KernelProblem(
        (points - centre) / scale,
        0,
        normals / lengths,
        kernel=UniformKernel() if kernel is None else kernel,
        # Any positive numbers allow for points that coincide with different normals.
        value_nugget=1.0 if value_nugget == "automatic" else value_nugget,
        gradient_nugget=1.0 if gradient_nugget == "automatic" else gradient_nugget,
    )
    if not automatic:
        return OrientedProblem(problem, centre, scale, None, None)
    choice = choose_nuggets(problem, progress=progress)
    problem, edges = choice.problem, None
    try:
        with Progress(progress) as show:
            problem, edges = with_chosen_normals(choice, show)
    except KeyboardInterrupt:
        choice = replace(choice, interrupted=True)
    return OrientedProblem(problem, centre, scale, choice, edges)
