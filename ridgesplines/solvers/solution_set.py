"""All solutions of a problem on the line: where they are forced, where they are free, and the sparsest of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ridgesplines.arrays import finite_array
from ridgesplines.losses import Interpolation, LogisticLoss, SquaredLoss
from ridgesplines.problem import Problem, check_samples
from ridgesplines.regularizers import RadonTV
from ridgesplines.solution import Solution
from ridgesplines.spline import RidgeSpline

# Slope changes at a datum that cancel to this fraction of themselves have cancelled.
_CANCELLED = 1e-12


@dataclass(frozen=True, eq=False)
class SolutionSet:
    """All functions on the line with given values at the data and the least RTV² that those values allow.

    All of them are equal but where two neighbouring data both have a slope change of one sign: between such data they
    lie within a triangle, under (over) the chord and over (under) the two lines that come in from the sides. Each point
    of the triangle is reached by a solution.

    Attributes:
        points: the different data, ascending, (n,).
        values: those of all solutions there, (n,).
        changes: the slope changes of the function that connects the dots, (n,); zero at both ends.
        slope: its first slope.
        complete: whether this is the whole set of solutions of the problem. It is where all solutions have the same
            values at the data (`Interpolation`, and strictly convex losses: `SquaredLoss`, `LogisticLoss`); otherwise
            the problem may have solutions with other values.

    Source: debarre_2022.
    """

    points: np.ndarray
    values: np.ndarray
    changes: np.ndarray
    slope: float
    complete: bool

    @cached_property
    def free(self) -> np.ndarray:
        """Whether the solutions differ between datum k and datum k + 1, (n − 1,)."""
        return self.changes[:-1] * self.changes[1:] > 0

    @property
    def free_intervals(self) -> np.ndarray:
        """The ends of the intervals within which the solutions differ, (F, 2)."""
        return np.column_stack([self.points[:-1][self.free], self.points[1:][self.free]])

    @property
    def unique(self) -> bool:
        """Whether there is one function only; a statement about the problem where the set is `complete`."""
        return not self.free.any()

    def envelope(self, x: Any) -> tuple[np.ndarray, np.ndarray]:
        """The least and the largest value at `x` (m,) or (m, 1) among the solutions, (m,) each; both are attained.

        Raises:
            ValueError: if `x` has another shape or entries that are not finite.
        """
        x = finite_array("x", x, dimensions=(1, 2))
        if x.ndim == 2 and x.shape[1] != 1:
            raise ValueError(f"x must have shape (m,) or (m, 1), got {x.shape}.")
        x = x.reshape(len(x))
        middle = np.asarray(self.canonical(x))
        if len(self.points) < 2:
            return middle, middle
        piece = np.clip(np.searchsorted(self.points, x, side="right") - 1, 0, len(self.points) - 2)
        left, right = self.changes[piece], self.changes[piece + 1]
        # How far the lines that come in from the sides are from the chord; the nearer one limits.
        depth = np.minimum(np.abs(left) * (x - self.points[piece]), np.abs(right) * (self.points[piece + 1] - x))
        depth = np.where(self.free[piece], np.maximum(depth, 0.0), 0.0)
        return middle - np.where(left > 0, depth, 0.0), middle + np.where(left < 0, depth, 0.0)

    @cached_property
    def canonical(self) -> RidgeSpline:
        """The one that connects the dots: all its knots are data."""
        knots = np.flatnonzero(self.changes)
        return self._spline(self.points[knots], self.changes[knots])

    @cached_property
    def sparsest(self) -> RidgeSpline:
        """One with the fewest knots: ⌈p/2⌉ for each maximal run of p neighbouring slope changes of one sign.

        Two neighbouring kinks of one sign become one, where the outer lines cross; O(n).
        """
        signs = np.sign(self.changes)
        starts = np.append(True, signs[1:] != signs[:-1])
        indices = np.arange(len(signs))
        place = indices - np.maximum.accumulate(np.where(starts, indices, 0))
        firsts = np.flatnonzero((place % 2 == 0) & (signs != 0))
        # The ends have no slope change, so that there is always a next one.
        paired = signs[firsts + 1] == signs[firsts]
        here = self.changes[firsts]
        there = np.where(paired, self.changes[firsts + 1], 0.0)
        spacing = self.points[firsts + 1] - self.points[firsts]
        return self._spline(self.points[firsts] + spacing * (there / (here + there)), here + there)

    def _spline(self, knots: np.ndarray, changes: np.ndarray) -> RidgeSpline:
        constant = self.values[0] - self.slope * self.points[0]
        return RidgeSpline(np.ones((len(knots), 1)), knots, changes, np.array([constant, self.slope]))

    def __repr__(self) -> str:
        return (
            f"SolutionSet({len(self.points)} points, {int(self.free.sum())} intervals where solutions differ, "
            f"{len(self.sparsest.biases)} to {len(self.canonical.biases)} knots, unique={self.unique}, "
            f"complete={self.complete})"
        )


def solution_set(problem: Problem, solution: Solution | RidgeSpline) -> SolutionSet:
    """All solutions of a problem of order 2 on the line, from one of them.

    Args:
        problem: min Σ_n s_n ℓ(y_n, f(x_n)) + λ RTV²(f), or under a constraint; one input and one output.
        solution: what solves it. For any other spline, this is the set of the functions of least RTV² with its values
            at the data.

    Returns:
        A `SolutionSet`: envelope, canonical and sparsest solution, and whether it is unique.

    Raises:
        TypeError: if `solution` is neither a `Solution` nor a `RidgeSpline`.
        ValueError: if the problem has several inputs or outputs or another order, or the spline does not fit it.

    Source: debarre_2022.
    """
    spline = solution.spline if isinstance(solution, Solution) else solution
    spline = problem.fitting(spline)
    check_samples(problem, "solution_set")
    if problem.measurements.dimension != 1 or problem.targets.ndim != 1:
        raise ValueError(
            f"all solutions are known for one input and one output, got {problem.measurements.dimension} inputs and "
            f"{problem.outputs} outputs; sparsify makes a spline of any dimension sparse."
        )
    if not isinstance(problem.regularizer, RadonTV) or problem.regularizer.order != 2:
        raise ValueError(f"all solutions are known for RadonTV(order=2), got {problem.regularizer!r}.")
    points = np.unique(problem.points[:, 0])
    value, slope, changes = _connected(spline, points)
    slopes = slope + np.cumsum(changes)[:-1]
    values = value + np.append(0.0, np.cumsum(slopes * np.diff(points)))
    complete = isinstance(problem.loss, SquaredLoss | LogisticLoss | Interpolation)
    return SolutionSet(points, values, changes, slope, complete)


def sparsest(problem: Problem, solution: Solution | RidgeSpline) -> RidgeSpline:
    """The solution with the fewest knots, on the line, in O(N): `solution_set(problem, solution).sparsest`.

    Exactly Σ ⌈p/2⌉ knots over the maximal runs of p neighbouring slope changes of one sign, the fewest of all functions
    with these values at the data and the least RTV². Where the loss is not strictly convex, solutions with other values
    may be sparser still. In more dimensions see `sparsify`.

    Args and errors as for `solution_set`.

    Source: debarre_2022.
    """
    return solution_set(problem, solution).sparsest


def _connected(spline: RidgeSpline, points: np.ndarray) -> tuple[float, float, np.ndarray]:
    """First value, first slope and slope changes (n,) of the function that connects the spline's values at `points`.

    A kink v between two data is shared between them as its distance to the other; nothing is subtracted, so that
    zeros are zeros.
    """
    if not (np.asarray(spline.weights) == 1).all():
        spline = spline.canonical(tolerance=0.0)
    knots, jumps = np.asarray(spline.biases), np.asarray(spline.coefficients)
    constant, slope = (float(value) for value in np.asarray(spline.polynomial.coefficients))
    count = len(points)
    before = knots <= points[0]
    slope += float(jumps[before].sum())
    value = constant + slope * points[0] - float(jumps[before] @ knots[before])
    inside = ~before & (knots < points[-1])
    knots, jumps = knots[inside], jumps[inside]
    piece = np.searchsorted(points, knots, side="right") - 1
    share = (points[np.minimum(piece + 1, count - 1)] - knots) / np.diff(points)[piece] if count > 1 else knots
    ends = np.concatenate([piece, piece + 1])
    parts = np.concatenate([jumps * share, jumps * (1 - share)])
    changes = np.bincount(ends, parts, minlength=count)[:count]
    masses = np.bincount(ends, np.abs(parts), minlength=count)[:count]
    changes[np.abs(changes) <= _CANCELLED * masses] = 0.0
    slope += float(changes[0]) if count > 1 else 0.0
    changes[[0, -1]] = 0.0
    return value, slope, changes
