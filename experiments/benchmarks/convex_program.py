"""The exact finite convex program of all activation patterns, by cvxpy and Clarabel; it uses nothing of ridgesplines.

Pilanci & Ergen (2020), for RTV² in the plane: one neuron u·x − b of either sign per activation pattern, in the cone of
the pattern, at the price ‖u‖₂ and with a free bias. Affine functions are free, so that a pattern and its complement are
the same neuron up to an affine function.
"""

from __future__ import annotations

from dataclasses import dataclass

import cvxpy
import numpy as np
import scipy.sparse
from scipy.spatial import ConvexHull, QhullError


def activation_patterns(points: np.ndarray) -> np.ndarray:
    """The patterns 1[w·x_n ≥ b] in the plane, up to complement, (P, N) of bool: the ways in which a line parts points.

    A line that parts them can be moved until it passes through two different points. The points off that line are then
    parted as before, and those on it, by turning it a little about a place between them, into a beginning and an end.
    """
    count = len(points)
    found = {np.packbits(np.ones(count, bool)).tobytes()}
    reach = float(np.ptp(points, axis=0).max(initial=0.0))
    for pivot in range(count):
        along = points[pivot + 1 :] - points[pivot]
        lengths = np.linalg.norm(along, axis=1)
        along = along[lengths > 0] / lengths[lengths > 0, None]
        offsets = points - points[pivot]
        distances = np.outer(along[:, 0], offsets[:, 1]) - np.outer(along[:, 1], offsets[:, 0])
        on_line = np.abs(distances) <= 1e-12 * reach
        places = along @ offsets.T
        above = distances > 0
        for row in range(len(along)):
            on = np.flatnonzero(on_line[row])
            stops = np.unique(places[row, on])
            beginning = places[row, on][None, :] < np.append(stops - 1e-12 * reach, np.inf)[:, None]
            sides = np.repeat(above[row][None, :], 2 * len(beginning), axis=0)
            sides[:, on] = np.concatenate([beginning, ~beginning])
            sides ^= ~sides[:, :1]
            found.update(side.tobytes() for side in np.packbits(sides, axis=1))
    packed = np.frombuffer(b"".join(sorted(found)), dtype=np.uint8).reshape(len(found), -1)
    return np.unpackbits(packed, axis=1, count=count).astype(bool)


def corners(points: np.ndarray) -> np.ndarray:
    """The rows of `points` (N, 2) that span its convex hull; all where there is no area."""
    if len(points) <= 3:
        return np.arange(len(points))
    try:
        return ConvexHull(points).vertices
    except QhullError:
        return np.arange(len(points))


@dataclass(frozen=True)
class Optimum:
    """What Clarabel found: the `objective`, its `status`, its own `seconds`, and how many patterns there were."""

    objective: float
    status: str
    seconds: float
    iterations: int
    patterns: int


class ConvexProgram:
    """min ½ Σ (f(x_n) − y_n)² + λ RTV²(f) in the plane over all networks; λ None interpolates.

    A pattern holds on the half planes that contain its points, and these contain them if they contain the corners of
    their convex hull, so only those are constrained: the same cones, at a fifth of the rows and less.

    Args:
        points: (N, 2).
        targets: (N,).
        strength: λ, or None.
    """

    def __init__(self, points: np.ndarray, targets: np.ndarray, strength: float | None) -> None:
        patterns = activation_patterns(points)
        self.patterns = len(patterns)
        count = len(points)
        lifted = np.column_stack([points, -np.ones(count)])
        # Each pattern has three variables (u, b); its measurements are those of its active data.
        measured = scipy.sparse.csr_matrix(np.einsum("pn,nk->npk", patterns, lifted).reshape(count, -1))
        rows, columns, entries = [], [], []
        height = 0
        for index, pattern in enumerate(patterns):
            for side, sign in ((np.flatnonzero(pattern), 1.0), (np.flatnonzero(~pattern), -1.0)):
                used = side[corners(points[side])] if len(side) else side
                rows.append(np.repeat(height + np.arange(len(used)), 3))
                columns.append(np.tile(3 * index + np.arange(3), len(used)))
                entries.append(sign * lifted[used].ravel())
                height += len(used)
        shape = (height, 3 * self.patterns)
        cones = scipy.sparse.csr_matrix(
            (np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), shape=shape
        )
        affine = cvxpy.Variable(3)
        fit, costs, constraints = np.column_stack([points, np.ones(count)]) @ affine, [], []
        for sign in (1.0, -1.0):
            neurons = cvxpy.Variable(3 * self.patterns)
            fit = fit + sign * (measured @ neurons)
            constraints.append(cones @ neurons >= 0)
            slopes = cvxpy.reshape(neurons, (self.patterns, 3), order="C")[:, :2]
            costs.append(cvxpy.sum(cvxpy.norm(slopes, 2, axis=1)))
        cost = costs[0] + costs[1]
        if strength is None:
            self._program = cvxpy.Problem(cvxpy.Minimize(cost), [*constraints, fit == targets])
        else:
            misfit = 0.5 * cvxpy.sum_squares(fit - targets)
            self._program = cvxpy.Problem(cvxpy.Minimize(misfit + strength * cost), constraints)

    def solve(self, tolerance: float = 1e-8, time_limit: float = np.inf) -> Optimum:
        """By Clarabel, whose default tolerance is 1e-8."""
        options = {"tol_gap_abs": tolerance, "tol_gap_rel": tolerance, "tol_feas": tolerance, "time_limit": time_limit}
        try:
            self._program.solve(solver=cvxpy.CLARABEL, **options)
        except cvxpy.SolverError:
            return Optimum(np.nan, "failed", np.nan, 0, self.patterns)
        statistics = self._program.solver_stats
        assert statistics is not None
        value = np.nan if self._program.value is None else float(self._program.value)  # type: ignore[arg-type]
        seconds, iterations = float(statistics.solve_time or 0.0), int(statistics.num_iters or 0)
        return Optimum(value, str(self._program.status), seconds, iterations, self.patterns)
