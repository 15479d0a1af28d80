"""Where a fit has the wrong sign far from its points: values put there, by winding numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import KDTree

from ridgesplines.kernel_problem import KernelProblem, nugget_product
from ridgesplines.kernel_solution import KernelSolution, KernelStatus
from ridgesplines.kernel_solving import KernelSolver, solve_kernel
from ridgesplines.kernel_spline import KernelSpline
from ridgesplines.kernels import hermite_sum, value_sum
from ridgesplines.polynomials import Polynomial
from ridgesplines.solvers.kernel_gradients import ConjugateGradients
from ridgesplines.surfaces.winding import cloud_winding_number, neighbour_radius

# Of the probes, in units of the ball that the points are scaled to, by dimension: finer than what a ghost measures.
_SPACING = {2: 0.03, 3: 0.06}
# Probes nearer than the distance to this neighbour say nothing: the points speak for themselves there.
_NEIGHBOURS = 8
# How sure the winding number must be: beyond a half by this.
_SURE = 0.25
# Of the values put in: so small that they hold, so large that the equations stay well conditioned.
_NUGGET = 1e-9
# Where more than this part of the probes is wrong, the normals are, not the fit.
_MANY = 1 / 3
# Values put in at once at most: their equations take one solution of the problem for each step.
_MOST = 200
# Errors at the new values to stop at, as a part of the distances asked for: only the signs count.
_TOLERANCE = 0.02
_STEPS = 25
# Of the slopes at the points: so many tell their median.
_MOST_SLOPES = 1000


@dataclass(frozen=True, eq=False)
class SignRepair:
    """What the repair did.

    Attributes:
        rounds: how often values were added; 0 where all signs agreed, or where what was added did harm.
        points: where, (k, d), in the units of the problem.
        values: which, (k,): the distance to the cloud, negative inside, times the slope of f at the points.
        disagreeing: probes of the wrong sign before, and after each round that was looked at again.
        probes: how many were looked at.
        interrupted: whether Ctrl-C cut it short: what an unfinished round would have added is not there.
    """

    rounds: int
    points: np.ndarray
    values: np.ndarray
    disagreeing: tuple[int, ...]
    probes: int
    interrupted: bool = False

    def __str__(self) -> str:
        return f"{self._findings()}{'; interrupted' if self.interrupted else ''}"

    def _findings(self) -> str:
        if not self.disagreeing:
            return "no signs compared"
        if not self.disagreeing[0]:
            return f"all {self.probes} probes have the sign of their winding number"
        before, after = self.disagreeing[0], self.disagreeing[-1]
        if not self.rounds and len(self.disagreeing) > 1:
            return f"{before} of {self.probes} probes have the wrong sign; values left {after}, and were taken back"
        if not self.rounds and self.interrupted:
            return f"{before} of {self.probes} probes have the wrong sign, none repaired"
        if not self.rounds:
            return f"{before} of {self.probes} probes have the wrong sign, too many to repair: check the normals"
        rounds = "1 round" if self.rounds == 1 else f"{self.rounds} rounds"
        return f"{len(self.points)} values in {rounds}; probes of the wrong sign: {before} before, {after} after"


def repair_signs(
    problem: KernelProblem,
    solution: KernelSolution,
    points: np.ndarray,
    normals: np.ndarray,
    *,
    solver: KernelSolver | None = None,
    rounds: int = 3,
    show: Callable[[str], None] = lambda message: None,
) -> tuple[KernelSolution, SignRepair]:
    """The solution with the right sign far from the points: where it balloons, values are added to the data.

    Between thin or sparsely sampled parts the function of least norm may have the wrong sign, and its zero set ghosts.
    At probes on a lattice, farther from the points than these are from each other, the winding number of the oriented
    points says what is inside (where they are dense enough to tell: a heuristic). Where it is sure, and the sign of f
    is another, f is asked to be ± the distance to the points, times the median |∇f| there; the least norm under the old
    and the new data is found again, by one solution of the problem for each step of conjugate gradients on the new
    values' equations. Nothing happens where all signs agree, and a round that leaves more of them wrong, as where
    probes are so near to the points that a rough tolerance does not tell the new values' equations, is taken back.
    Ctrl-C keeps the solution of the last round that was finished.

    Args:
        problem: in the unit ball.
        solution: of it.
        points: of the cloud, (N, d), in the problem's units.
        normals: (N, d), outward.
        solver: what solved the problem, for the corrections; None for what fits.
        rounds: how often to look again.
        show: is told how far the work is.
    """
    disagreeing: list[int] = []
    where, values = np.zeros((0, points.shape[1])), np.zeros(0)
    before = solution, where, values
    probes, start, done, interrupted = where, solution, 0, False
    try:
        show("winding numbers of the points")
        probes, distances, side = _sure_probes(points, normals)
        for repaired in range(rounds + 1):
            show(f"comparing signs at {len(probes)} probes")
            found = np.asarray(solution.spline(probes))
            wrong = np.flatnonzero(found * side < 0)
            disagreeing.append(len(wrong))
            if repaired and len(wrong) > disagreeing[-2]:
                (solution, where, values), done = before, done - 1
                break
            if not len(wrong) or repaired == rounds or len(wrong) > _MANY * len(probes):
                break
            if not repaired:
                distances = distances * _slope(start.spline, points)
            chosen = _spread(probes, distances, wrong)
            more = np.concatenate([where, probes[chosen]]), np.concatenate([values, (side * distances)[chosen]])
            spline = _with_values(problem, start, *more, solver, show)
            repaired_solution = _measured_again(problem, replace(start, spline=spline), len(start.spline.centres))
            before = solution, where, values
            (where, values), solution, done = more, repaired_solution, done + 1
    except KeyboardInterrupt:
        interrupted = True
    return solution, SignRepair(done, where, values, tuple(disagreeing), len(probes), interrupted)


def _sure_probes(points: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the winding number is sure, the distance to the cloud there, and the sign that f should have."""
    radii = neighbour_radius(points, _NEIGHBOURS)
    probes, distances = _probes(points, radii)
    winding = cloud_winding_number(points, normals, probes, neighbours=_NEIGHBOURS)
    # Normals that point inward, by the volume that they enclose, bound the rest of space: f is negative there.
    arms = points - points.mean(axis=0)
    units = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    if radii ** (points.shape[1] - 1) @ np.sum(arms * units, axis=1) < 0:
        winding = winding + 1
    sure = np.abs(winding - 0.5) > _SURE
    return probes[sure], distances[sure], np.where(winding[sure] > 0.5, -1.0, 1.0)


def _probes(points: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lattice points in a box around the cloud, farther from it than its spacing there, and how far."""
    spacing = _SPACING[points.shape[1]]
    low, high = points.min(axis=0) - 2 * spacing, points.max(axis=0) + 2 * spacing
    axes = [np.arange(a, b + spacing, spacing) for a, b in zip(low, high, strict=True)]
    lattice = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    distances, nearest = KDTree(points).query(lattice)
    far = distances > radii[nearest]
    return lattice[far], distances[far]


def _slope(spline: KernelSpline, points: np.ndarray) -> float:
    """The median length of the gradient at the points: less than 1 where nuggets free the lengths of gradients."""
    some = points[:: -(-len(points) // _MOST_SLOPES)]
    return float(np.median(np.linalg.norm(spline.gradient(some), axis=1)))


def _spread(probes: np.ndarray, distances: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """The wrong probes; of too many some that are far from each other, the deepest first."""
    if len(wrong) <= _MOST:
        return wrong
    chosen = [int(wrong[np.argmax(distances[wrong])])]
    nearest = np.full(len(wrong), np.inf)
    while len(chosen) < _MOST:
        nearest = np.minimum(nearest, np.linalg.norm(probes[wrong] - probes[chosen[-1]], axis=1))
        chosen.append(int(wrong[np.argmax(nearest)]))
    return np.array(chosen)


def _with_values(
    problem: KernelProblem,
    solution: KernelSolution,
    where: np.ndarray,
    values: np.ndarray,
    solver: KernelSolver | None,
    show: Callable[[str], None],
) -> KernelSpline:
    """The function of least norm under the problem's data and values at further points.

    What K(·, q) leaves when the problem's solution for its own data is taken off is a function that is zero on the
    data; these functions' values at the points q are the matrix of the equations (the Schur complement).
    """
    direct = solution.status is KernelStatus.DIRECT and problem.free_degree < 0
    # Iterations take a tenth of another factorization, and to this tolerance solve the same equations.
    chosen = ConjugateGradients(tolerance=1e-9, thinning=0.0) if direct and solver is None else solver
    spline = solution.spline
    residual = values - np.asarray(spline(where))
    goal = _TOLERANCE * float(np.abs(values).min())
    direction, square = residual, float(residual @ residual)
    weights, taken = np.zeros(len(where)), None
    for step in range(_STEPS):
        show(f"{len(where)} values of the right sign: step {step + 1}, largest error {np.abs(residual).max():.1e}")
        bumps = hermite_sum(problem.kernel, where, direction, problem.points)
        same = problem.with_data(bumps[:, 0], None if problem.gradients is None else bumps[:, 1:])
        solved = solve_kernel(same, chosen, progress=False)
        if solved.status is KernelStatus.INTERRUPTED:
            raise KeyboardInterrupt
        shadow = solved.spline
        left = value_sum(problem.kernel, where, direction, where) - np.asarray(shadow(where))
        image = left + _NUGGET * direction
        curvature = float(direction @ image)
        if not curvature > 0:
            break
        length = square / curvature
        weights = weights + length * direction
        taken = _sum(taken, shadow, length)
        residual = residual - length * image
        if np.abs(residual).max() <= goal:
            break
        previous, square = square, float(residual @ residual)
        direction = residual + (square / previous) * direction
    if taken is None:
        return spline
    coefficients = weights
    if problem.gradients is not None:
        coefficients = np.concatenate([weights[:, None], np.zeros_like(where)], axis=1)
    return _sum(_sum(spline, taken, -1.0), KernelSpline(problem.kernel, where, coefficients), 1.0)


def _sum(first: KernelSpline | None, second: KernelSpline, factor: float) -> KernelSpline:
    """first + factor · second; with their centres once if they are the same."""
    coefficients, polynomial = factor * second.coefficients, second.polynomial
    polynomial = Polynomial(factor * polynomial.coefficients, polynomial.dimension, polynomial.degree)
    if first is None:
        return KernelSpline(second.kernel, second.centres, coefficients, polynomial)
    if polynomial.degree < 0:
        polynomial = first.polynomial
    elif first.polynomial.degree >= 0:
        both = first.polynomial.coefficients + polynomial.coefficients
        polynomial = Polynomial(both, polynomial.dimension, polynomial.degree)
    if np.array_equal(first.centres, second.centres):
        return KernelSpline(first.kernel, first.centres, first.coefficients + coefficients, polynomial)
    return KernelSpline(
        first.kernel,
        np.concatenate([first.centres, second.centres]),
        np.concatenate([first.coefficients, coefficients]),
        polynomial,
    )


def _measured_again(problem: KernelProblem, solution: KernelSolution, count: int) -> KernelSolution:
    """The solution with the errors of its function on the data; the first `count` centres are points of the problem."""
    spline = solution.spline
    if problem.gradients is None:
        fitted = np.asarray(spline(problem.points))[:, None]
    else:
        values, gradients = spline.value_and_gradient(problem.points)
        fitted = np.concatenate([values[:, None], gradients], axis=1)
    misfit = problem.data - fitted
    kept = np.arange(count)
    if count < len(problem.points):
        kept = KDTree(problem.points).query(spline.centres[:count])[1]
    residual = misfit[kept] - nugget_product(problem.nuggets[kept], np.asarray(spline.coefficients)[:count])
    return replace(
        solution,
        value_misfit=float(np.abs(misfit[:, 0]).max()),
        gradient_misfit=float(np.linalg.norm(misfit[:, 1:], axis=1).max()),
        value_residual=float(np.abs(residual[:, 0]).max()),
        gradient_residual=float(np.linalg.norm(residual[:, 1:], axis=1).max()),
    )
