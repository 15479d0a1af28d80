"""Kernel problems of many points solved in chunks: memory for one chunk at a time, one smooth function at last."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.checks import check_count
from ridgesplines.clouds import equal_boxes, median_spacing
from ridgesplines.kernel_problem import KernelProblem
from ridgesplines.kernel_solution import KernelSolution, KernelStatus
from ridgesplines.kernel_solving import KernelSolver, solve_kernel
from ridgesplines.kernel_spline import BoxedSpline, KernelSpline
from ridgesplines.kernels import split_serves
from ridgesplines.progress import Progress
from ridgesplines.solvers.kernel_gradients import NystromGradients
from ridgesplines.solvers.kernel_gradients.ordering import coarse_to_fine
from ridgesplines.surfaces.partition import PartitionedSpline
from ridgesplines.surfaces.sign_repair import SignRepair, repair_signs

# Points of a chunk where nothing is said, and how many are one system then: with sums in nearly linear time, and not.
CHUNK = 30_000
_ONE_SYSTEM, _ONE_SLOW_SYSTEM = 200_000, 20_000
# So few points do not tell a coarse shape.
_LEAST = 100
# In units of the coarse sample's spacing, beyond the box that holds a chunk's points: to where its weight is 1, to
# where it is positive, and to where points are data of its system.
_FULL, _REACH, _DATA = 0.25, 0.75, 1.0
# A chunk's system has at most this many times the points of its box: where they are dense, the margins are less.
_MOST = 2.5
# Of the points that the coarse sample is chosen from, at least: as many times its number.
_POOL = 4
# Of cells and of margins, by √2 each: to a millionth.
_HALVINGS = 40


@dataclass(frozen=True, eq=False)
class PartitionSolution:
    """The solution of a `KernelProblem` in chunks, with its errors measured on the data.

    Attributes:
        spline: the function.
        value_misfit: max_n |f(x_n) − y_n|, as `KernelSolution` has it.
        gradient_misfit: max_n |∇f(x_n) − g_n|.
        status: the worst of all systems.
        iterations: the most of a system.
        dropped: points left out of systems because another is nearly the same, counted in each.
        nuggets: of values and gradients; where they differ by point, the medians.
        coarse: points of the coarse system.
        chunks: points of each chunk's system, (K,).
        solved: how many of the systems were solved; fewer than K after Ctrl-C.
        seconds: time by stage.
        repair: of the coarse function's sign; None if it was not looked at.
        interrupted: where Ctrl-C came, "fit" (of the coarse function), "sign repair" or "chunks"; None if it did not.
    """

    spline: PartitionedSpline
    value_misfit: float
    gradient_misfit: float
    status: KernelStatus
    iterations: int
    dropped: int
    nuggets: tuple[float, float]
    coarse: int
    chunks: np.ndarray
    solved: int
    seconds: dict[str, float]
    repair: SignRepair | None = None
    interrupted: str | None = None

    def __str__(self) -> str:
        solved = f"{self.solved} of " if self.solved < len(self.chunks) else ""
        most = f", of {self.chunks.max()} points at most" if len(self.chunks) else ""
        return (
            f"{solved}{len(self.chunks)} chunks{most}, about a coarse function of {self.coarse}: misfit "
            f"{self.value_misfit:.1e} at values and {self.gradient_misfit:.1e} at gradients, {self.status.value}"
        )


def chosen_chunk(chunk: int | None, problem: KernelProblem, solver: KernelSolver | None) -> int | None:
    """The points of a chunk where a problem is to be solved in chunks; None for one system.

    Args:
        chunk: as `check_chunk` lets it pass.
        problem: to be solved.
        solver: by which.
    """
    count = len(problem.points)
    if chunk is None:
        fast = split_serves(problem.kernel, problem.points.shape[1])
        most = _ONE_SYSTEM if fast else _ONE_SLOW_SYSTEM
        return CHUNK if count > most and not isinstance(solver, NystromGradients) and problem.free_degree < 0 else None
    return chunk if chunk < count else None


def check_chunk(chunk: Any, solver: Any) -> None:
    """Refuse what is no size of chunks, or with a solver that is not for them; None is one.

    Raises:
        TypeError: if `chunk` is neither None nor a whole number.
        ValueError: if it is too small, or the solver takes few centres for all points.
    """
    if chunk is None:
        return
    check_count("chunk", chunk)
    if chunk < _LEAST:
        raise ValueError(f"chunk must be at least {_LEAST} points, or None, got {chunk}: fewer tell no coarse shape.")
    if isinstance(solver, NystromGradients):
        raise ValueError(
            "chunk is for solvers with a centre at each point, but NystromGradients has few centres for all points; "
            "leave out chunk, or take rs.ConjugateGradients()."
        )


def solve_in_chunks(
    problem: KernelProblem,
    chunk: int,
    solver: KernelSolver | None = None,
    *,
    sign_repair: bool = True,
    progress: bool | None = None,
) -> PartitionSolution:
    """The least norm for a problem of oriented points, in two levels: coarse, and corrections of it chunk by chunk.

    A function f_0 of least norm meets the data of an evenly thinned sample, about as many points as a chunk has. The
    points are cut into boxes of as many each, by halves along the longest side; for each box a function of least norm
    meets what f_0 leaves of the data of all points in it and somewhat beyond. `PartitionedSpline` adds these to f_0,
    blended: it meets all data, and far from them it is f_0, whose sign is repaired if asked for.

    One system is held at a time. Ctrl-C keeps what there is: f_0 alone where chunks are not solved.

    Args:
        problem: values and gradients, in the unit ball.
        chunk: about how many points a box has, at least 100 and fewer than all.
        solver: of each system, see `solve_kernel`.
        sign_repair: whether to repair the sign of f_0.
        progress: show a line of progress; None shows it on a terminal.
    """
    assert problem.gradients is not None
    seconds = {}
    start = time.perf_counter()
    with Progress(progress) as show:
        show("thinning the points")
        sample = _thinned(problem.points, chunk)
    coarse = problem.at(sample)
    solution = solve_kernel(coarse, solver, progress=progress)
    seconds["fit"] = time.perf_counter() - start
    interrupted = "fit" if solution.status is KernelStatus.INTERRUPTED else None
    repair = None
    if sign_repair and not interrupted:
        start = time.perf_counter()
        with Progress(progress) as show:
            # The sample's own winding numbers: values at probes nearer to it than its spacing spoil the equations.
            normals = problem.gradients[sample]
            solution, repair = repair_signs(coarse, solution, coarse.points, normals, solver=solver, show=show)
        seconds["sign repair"] = time.perf_counter() - start
        interrupted = "sign repair" if repair.interrupted else None
    start = time.perf_counter()
    parts = equal_boxes(problem.points, chunk)
    low, high = (np.array([get(problem.points[part], axis=0) for part in parts]) for get in (np.min, np.max))
    found: KernelSolution | None
    spacing = median_spacing(coarse.points)
    margins, counts = np.full(len(parts), spacing), np.zeros(len(parts), dtype=np.int64)
    corrections: list[KernelSpline | None] = [None] * len(parts)
    solutions = [solution]
    with Progress(progress) as show:
        corners = problem.points.min(axis=0), problem.points.max(axis=0)
        f_0 = solution.spline.in_box(*corners)
        for i, part in enumerate(parts):
            margins[i], data = _data(problem.points, low[i], high[i], spacing, _MOST * len(part))
            counts[i] = len(data)
            if interrupted is not None:
                continue
            show(f"chunk {i + 1} of {len(parts)}: {len(data)} points")
            try:
                found = solve_kernel(_remainder(problem, f_0, data), solver, progress=False)
            except KeyboardInterrupt:
                found = None
            # What an interrupted system has reached may be farther from its solution than nothing.
            if found is None or found.status is KernelStatus.INTERRUPTED:
                interrupted = "chunks"
            else:
                solutions.append(found)
                corrections[i] = found.spline
        beyond = margins[:, None]
        spline = PartitionedSpline(
            solution.spline, corrections, low - _FULL * beyond, high + _FULL * beyond, (_REACH - _FULL) * margins
        )
        show("measuring the errors")
        ready, misfit = spline.in_box(*corners), np.zeros(2)
        try:
            # Chunk by chunk, as they are evaluated fastest and in the least memory.
            for part in parts:
                values, gradients = ready.value_and_gradient(problem.points[part])
                wrong = np.linalg.norm(problem.gradients[part] - gradients, axis=1)
                misfit = np.maximum(misfit, [np.abs(problem.values[part] - values).max(), wrong.max()])
        except KeyboardInterrupt:
            interrupted = "chunks"
    seconds["chunks"] = time.perf_counter() - start
    order = (KernelStatus.DIRECT, KernelStatus.CONVERGED, KernelStatus.ITERATION_LIMIT, KernelStatus.INTERRUPTED)
    status = (
        KernelStatus.INTERRUPTED if interrupted is not None else max((s.status for s in solutions), key=order.index)
    )
    return PartitionSolution(
        spline,
        float(misfit[0]),
        float(misfit[1]),
        status,
        max(each.iterations for each in solutions),
        sum(each.dropped for each in solutions),
        problem.typical_nuggets,
        len(sample),
        counts,
        len(solutions) - 1,
        seconds,
        repair,
        interrupted,
    )


def _remainder(problem: KernelProblem, function: BoxedSpline, data: np.ndarray) -> KernelProblem:
    """The problem of some points for what a function leaves of their data."""
    part = problem.at(data)
    assert part.gradients is not None
    values, gradients = function.value_and_gradient(part.points)
    return part.with_data(part.values - values, part.gradients - gradients)


def _thinned(points: np.ndarray, count: int) -> np.ndarray:
    """The indices, ascending, of an even sample of `count` points: those farthest from each other, nearly."""
    pool = np.arange(len(points))
    low, size = points.min(axis=0), float(np.ptp(points, axis=0).max())
    # One point of each cell, for the first cells that are small enough; where points coincide none may be.
    for _ in range(_HALVINGS):
        if len(points) <= 2 * _POOL * count:
            break
        size /= 2**0.5
        rows = np.floor((points - low) / size).astype(np.int64)
        sides = rows.max(axis=0) + 1
        cells, pool = np.unique(np.ravel_multi_index(tuple(rows.T), tuple(sides)), return_index=True)
        if len(cells) >= _POOL * count:
            break
    return np.sort(pool[coarse_to_fine(points[pool])[:count]])


def _data(
    points: np.ndarray, low: np.ndarray, high: np.ndarray, margin: float, most: float
) -> tuple[float, np.ndarray]:
    """The margin of a box, and the indices of the points within `_DATA` of it: less where there are too many."""
    data = np.zeros(0, dtype=np.int64)
    for _ in range(_HALVINGS):
        reach = _DATA * margin
        data = np.flatnonzero(((points >= low - reach) & (points <= high + reach)).all(axis=1))
        if len(data) <= most:
            break
        margin /= 2**0.5
    return margin, data
