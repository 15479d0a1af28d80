"""A primal-dual interior point on the line."""

from __future__ import annotations

import numpy as np

from ridgesplines.solvers.line.polish import BrokenLine
from ridgesplines.solvers.line.smooth import SmoothTerms
from ridgesplines.solvers.line.steps import center, complementarity, directions, move, right_sides, sides, weigh
from ridgesplines.solvers.line.sweeps import GAINS, factorize, sweep
from ridgesplines.solvers.line.terms import LineTerms

# What part of the way to the boundary a step may go.
_FRACTION = 0.995
# The first barrier, as a multiple of the objective at the start shared among the bounds; under constraints larger.
_BARRIER, _BARRIER_CONSTRAINED = 10.0, 100.0
# Rounding moves the dual variable of a value that a term without softness holds, by ε t / κ. Such a term is solved as
# if its full dual variable moved the value by this fraction of the values' size: about the variable before, so that it
# makes no difference in the end.
_RIGID = 1e-6


class InteriorPoint:
    """min Σ_i sup_z [z (y_i − t) − ½ κ_i z²] + Σ_k sup_u u a_k over broken lines with values t and slope changes a.

    z_i is within the bounds of the terms, u_k within `least` and `largest`: ±λ make λ |a_k|, one infinite bound admits
    one sign only, two none. Mehrotra's predictor and corrector; each Newton system is solved by `sweeps` in O(N),
    without loss of digits at any spacing. The slope changes are unknowns of their own: differences of values would not
    say which of a million slope changes are zero.

    The start need not satisfy the terms that are constraints; their parts are then `room` at least, and `objective` is
    a guess of that of the optimum, from above.

    Attributes:
        values: t, (n,).
        slope: the first slope.
        parts: of the terms, (M, 5); see `steps`, also for the next two.
        bends: of the slope changes, (n, 5).
        gap: the sum of the complementary products: the duality gap, once the equations hold.
        lengths: of the last step, primal and dual.
        curvature: q of the last step, (n,): how firmly each value is held.
    """

    def __init__(
        self,
        terms: LineTerms,
        line: BrokenLine,
        least: np.ndarray,
        largest: np.ndarray,
        objective: float,
        room: float = 0.0,
        smooth: SmoothTerms | None = None,
    ) -> None:
        self._terms, self._smooth = terms, smooth
        count = len(terms.points)
        self._spacing = np.diff(terms.points)
        self.values, self.slope = line.values.copy(), line.slope
        self.parts, self._part_steps = np.zeros((len(terms.centres), 5)), np.zeros((len(terms.centres), 8))
        self.bends, self._bend_steps = np.zeros((count, 5)), np.zeros((count, 8))
        self._gains, self._work = np.zeros((count, GAINS)), np.zeros((count, 2))
        self.lengths, self.curvature = np.zeros(2), np.ones(count)
        bounds = (terms.lower, terms.upper, least[1:-1], largest[1:-1])
        self._pairs = max(1, sum(int(np.isfinite(bound).sum()) for bound in bounds))
        # Without curvature primal and dual do not share a variable, and each may go as far as it can.
        self._separate = terms.constrained
        size = max(float(np.ptp(line.values)), float(np.abs(line.values).max()), 1e-300)
        self._rigid, self._least = _RIGID * size, self._dual_sizes(least, largest)
        barrier = (_BARRIER_CONSTRAINED if room else _BARRIER) * max(objective, 1e-300) / self._pairs
        center(
            line.values,
            line.kinks,
            barrier,
            room,
            least,
            largest,
            terms.starts,
            terms.centres,
            terms.softness,
            terms.lower,
            terms.upper,
            self.parts,
            self.bends,
        )
        self.gap = self._products(0.0, 0.0)

    @property
    def bending(self) -> float:
        """Σ |a|."""
        return float(np.abs(self.kinks).sum())

    @property
    def line(self) -> BrokenLine:
        """The present one."""
        return BrokenLine(self.values, self.kinks, self.slope)

    def _dual_sizes(self, least: np.ndarray, largest: np.ndarray) -> np.ndarray:
        """How large the dual variable of a value can be: within its bounds, and the change of the slope of u."""
        terms = self._terms
        bounds = [np.abs(bound[np.isfinite(bound)]).max(initial=0.0) for bound in (least, largest)]
        steep = np.zeros(len(terms.points))
        steep[1:] += 2 * (max(bounds) or 1.0) / self._spacing
        steep[:-1] += 2 * (max(bounds) or 1.0) / self._spacing
        widest = np.zeros(len(terms.points))
        for bound in (terms.lower, terms.upper):
            np.maximum.at(widest, terms.owner, np.abs(bound))
        return np.clip(steep, 1e-300, np.maximum(widest, 1e-300))

    @property
    def kinks(self) -> np.ndarray:
        """a, (n,), zero at both ends."""
        return self.bends[:, 0] - self.bends[:, 1]

    def step(self) -> None:
        """One step."""
        terms, smooth, count = self._terms, self._smooth, len(self.values)
        curvature, pull = (np.zeros(count), np.zeros(count)) if smooth is None else smooth.system(self.values)
        price = np.full(count, np.inf)
        weigh(self._rigid, self._least, terms.starts, terms.softness, self.parts, self.bends, curvature, price)
        self.curvature = curvature
        factorize(self._spacing, curvature, price, self._gains)
        value_steps, kink_steps, bend = np.zeros(count), np.zeros(count), np.zeros(count)

        def solve(target: float, corrected: bool) -> tuple[float, float, float]:
            linear = pull.copy()
            right_sides(
                target,
                corrected,
                self._rigid,
                self._least,
                self._spacing,
                self.values,
                terms.starts,
                terms.centres,
                terms.softness,
                self.parts,
                self.bends,
                self._part_steps,
                self._bend_steps,
                price,
                linear,
                bend,
            )
            slope = sweep(self._spacing, self._gains, linear, bend, value_steps, kink_steps, self._work)
            directions(
                self._rigid,
                self._least,
                value_steps,
                kink_steps,
                terms.starts,
                terms.softness,
                self.parts,
                self.bends,
                price,
                self._part_steps,
                self._bend_steps,
                self.lengths,
            )
            primal, dual = np.minimum(self.lengths * (_FRACTION if corrected else 1.0), 1.0)
            if smooth is not None:
                dual = min(dual, smooth.reach(value_steps))
            if not self._separate:
                primal = dual = min(primal, dual)
            return primal, dual, slope

        primal, dual, _ = solve(0.0, False)
        after = self._products(primal, dual)
        shrink = (max(after, 0.0) / self.gap) ** 3 if self.gap > 0 else 0.0
        primal, dual, slope = solve(self.gap / self._pairs * shrink, True)
        self.lengths = np.array([primal, dual])
        move(primal, dual, self.parts, self._part_steps)
        move(primal, dual, self.bends[1:-1], self._bend_steps[1:-1])
        if smooth is not None:
            smooth.move(dual)
        self.values = self.values + primal * value_steps
        self.slope += primal * slope
        self.gap = self._products(0.0, 0.0)

    def integrate(self) -> None:
        """Take the values from the slope changes anew.

        Both are carried along; from slopes far steeper than those of the optimum their rounding sets them apart.
        """
        slopes = self.slope + np.cumsum(self.kinks)[:-1]
        self.values = np.append(self.values[0], self.values[0] + np.cumsum(slopes * self._spacing))

    def sides(self) -> tuple[np.ndarray, np.ndarray]:
        """At which bound the z of each term (M,) and the u of each slope change (n,) end: 1 upper, −1 lower, 0 none."""
        primal, dual = self.lengths
        of_parts, of_bends = np.zeros(len(self.parts), np.int8), np.zeros(len(self.bends), np.int8)
        sides(self.parts, self._part_steps, primal, dual, of_parts)
        sides(self.bends[1:-1], self._bend_steps[1:-1], primal, dual, of_bends[1:-1])
        return of_parts, of_bends

    def _products(self, primal: float, dual: float) -> float:
        return complementarity(primal, dual, self.parts, self.bends, self._part_steps, self._bend_steps)
