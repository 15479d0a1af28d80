"""A problem on the line as terms of one kind: data, sorted and merged, whatever the loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.losses import HuberLoss, PiecewiseLinearLoss, SquaredHingeLoss, SquaredLoss
from ridgesplines.problem import Problem

# Intervals narrower than this fraction of the targets' size are points.
_NARROW = 1e-13


@dataclass(frozen=True, eq=False)
class LineTerms:
    """The loss as a function of the values t at the different points of the line, in ascending order.

    Each term i belongs to one point and is sup_z z (y_i − t) − ½ κ_i z² over lower_i ≤ z ≤ upper_i: squared loss is
    κ = 1 without bounds, the absolute loss κ = 0 with bounds ±1, Huber's both, a constraint κ = 0 with one infinite
    bound. Losses of another form (logistic) keep their data as they are, in `smooth_rows`, and are known by their
    derivatives. The dual vector of the data is the sum of these z.

    Attributes:
        points: the different points, (n,).
        group: the point of each datum, (N,).
        starts: the terms of point k are those from starts[k] to starts[k + 1], (n + 1,).
        centres: y, (M,).
        softness: κ, (M,).
        lower, upper: (M,).
        rows_below, rows_above: the datum that each term comes from, (M,), for z ≥ 0 and for z ≤ 0: they differ where
            constraints at one point were merged.
        smooth: whether the loss is known by its derivatives instead; there are then no terms.
    """

    points: np.ndarray
    group: np.ndarray
    starts: np.ndarray
    centres: np.ndarray
    softness: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    rows_below: np.ndarray
    rows_above: np.ndarray
    smooth: bool

    @classmethod
    def of(cls, problem: Problem) -> LineTerms:
        """The terms of `problem`."""
        x = problem.points[:, 0]
        points, group = np.unique(x, return_inverse=True)
        loss, y, weights = problem.loss, problem.targets, problem.weights
        if isinstance(loss, SquaredLoss):
            mass = np.bincount(group, weights)
            # About their mean, data at one point are one datum with all their weight.
            mean = np.bincount(group, weights * y) / mass
            infinite = np.full(len(points), np.inf)
            first = np.unique(group, return_index=True)[1]
            return cls._sorted(points, group, np.arange(len(points)), mean, 1 / mass, -infinite, infinite, first, first)
        if isinstance(loss, HuberLoss | SquaredHingeLoss):
            rows = np.arange(len(y))
            return cls._sorted(points, group, group, y, 1 / weights, *problem.dual_domain, rows, rows)
        if isinstance(loss, PiecewiseLinearLoss):
            return cls._piecewise_linear(problem, loss, points, group)
        nothing, none = np.zeros(0), np.zeros(0, int)
        starts = np.zeros(len(points) + 1, int)
        return cls(points, group, starts, nothing, nothing, nothing, nothing, none, none, smooth=True)

    @classmethod
    def _piecewise_linear(
        cls, problem: Problem, loss: PiecewiseLinearLoss, points: np.ndarray, group: np.ndarray
    ) -> LineTerms:
        low, high = loss.interval(problem.targets)
        below, above = loss.slopes()
        owner, weights, rows_below = group, problem.weights, np.arange(len(group))
        rows_above = rows_below
        if not loss.needs_strength:
            # Constraints at one point are one: their intersection.
            owner, weights = np.arange(len(points)), np.ones(len(points))
            rows_below = np.lexsort((-low, group))[np.searchsorted(np.sort(group), owner)]
            rows_above = np.lexsort((high, group))[np.searchsorted(np.sort(group), owner)]
            most, least = low[rows_below], high[rows_above]
            low, high = np.minimum(most, least), np.maximum(most, least)
        size = float(np.abs(problem.targets).max())
        with np.errstate(invalid="ignore"):
            narrow = high - low <= _NARROW * size
        middle = np.where(narrow, 0.5 * (np.where(narrow, low, 0.0) + np.where(narrow, high, 0.0)), 0.0)
        from_below, from_above = ~narrow & np.isfinite(low), ~narrow & np.isfinite(high)
        parts = (
            (narrow, middle, -above, below),
            (from_below, low, 0.0, below),
            (from_above, high, -above, 0.0),
        )
        chosen = [
            (
                owner[rows],
                centres[rows],
                lower * weights[rows],
                upper * weights[rows],
                rows_below[rows],
                rows_above[rows],
            )
            for rows, centres, lower, upper in parts
        ]
        owners, centres, lower, upper, rows_below, rows_above = (
            np.concatenate(columns) for columns in zip(*chosen, strict=True)
        )
        softness = np.zeros(len(owners))
        return cls._sorted(points, group, owners, centres, softness, lower, upper, rows_below, rows_above)

    @classmethod
    def _sorted(
        cls,
        points: np.ndarray,
        group: np.ndarray,
        owner: np.ndarray,
        centres: np.ndarray,
        softness: np.ndarray,
        lower: np.ndarray,
        upper: np.ndarray,
        rows_below: np.ndarray,
        rows_above: np.ndarray,
    ) -> LineTerms:
        """Terms in any order, `owner` being the point of each."""
        order = np.argsort(owner, kind="stable")
        return cls(
            points,
            group,
            starts=np.searchsorted(owner[order], np.arange(len(points) + 1)),
            centres=centres[order],
            softness=softness[order],
            lower=lower[order],
            upper=upper[order],
            rows_below=rows_below[order],
            rows_above=rows_above[order],
            smooth=False,
        )

    @property
    def owner(self) -> np.ndarray:
        """The point of each term, (M,)."""
        return np.repeat(np.arange(len(self.points)), np.diff(self.starts))

    @property
    def equations(self) -> bool:
        """Whether each value is prescribed."""
        free = (self.softness == 0) & np.isinf(self.lower) & np.isinf(self.upper)
        return len(free) == len(self.points) and bool(free.all()) and bool((np.diff(self.starts) == 1).all())

    @property
    def intervals(self) -> tuple[np.ndarray, np.ndarray]:
        """Under constraints, the least and the largest admissible value at each point, (n,)."""
        low, high = np.full(len(self.points), -np.inf), np.full(len(self.points), np.inf)
        # z ≥ 0 keeps t above, z ≤ 0 below.
        np.maximum.at(low, self.owner, np.where(self.upper > 0, self.centres, -np.inf))
        np.minimum.at(high, self.owner, np.where(self.lower < 0, self.centres, np.inf))
        return low, high

    @classmethod
    def within(cls, points: np.ndarray, low: np.ndarray, high: np.ndarray) -> LineTerms:
        """The constraints low ≤ t ≤ high, (n,), equations where both are equal."""
        count = np.arange(len(points))
        equal = low == high
        below, above = ~equal & np.isfinite(low), ~equal & np.isfinite(high)
        infinite = np.full(len(points), np.inf)
        columns = (
            (count[equal], low[equal], -infinite[equal], infinite[equal]),
            (count[below], low[below], np.zeros(below.sum()), infinite[below]),
            (count[above], high[above], -infinite[above], np.zeros(above.sum())),
        )
        owner, centres, lower, upper = (np.concatenate(column) for column in zip(*columns, strict=True))
        return cls._sorted(points, count, owner, centres, np.zeros(len(owner)), lower, upper, owner, owner)

    def dual(self, z: np.ndarray) -> np.ndarray:
        """The dual vector of the data (N,) from that of the terms (M,)."""
        return np.bincount(np.where(z >= 0, self.rows_below, self.rows_above), z, minlength=len(self.group))

    @property
    def constrained(self) -> bool:
        """Whether some values of t are not admissible."""
        return bool((np.isinf(self.lower) | np.isinf(self.upper))[self.softness == 0].any())
