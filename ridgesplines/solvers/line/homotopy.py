"""The whole path of the squared loss on the line: its breakpoints, between which the solution is linear in λ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ridgesplines.certificate import Certificate, certify
from ridgesplines.problem import Problem
from ridgesplines.solvers.line.polish import BrokenLine
from ridgesplines.solvers.line.solver import LineSpline, spline_of
from ridgesplines.solvers.line.sweeps import GAINS, factorize, profile, sweep
from ridgesplines.solvers.line.terms import LineTerms
from ridgesplines.spline import RidgeSpline

# Events this near to the last one, in ratio, happen with it.
_TIE = 1e-12
# How many events may happen at one strength for each knot, before another way is looked for.
_TIED = 4
# No point, and its sign before.
_NOTHING: tuple[int | None, int] = (None, 0)
# How far down a solver is asked to begin anew where the path is lost.
_BELOW = 1e-6


@dataclass(frozen=True, eq=False)
class Breakpoints:
    """What `follow_path` found.

    Attributes:
        strengths: λ, (B,), falling: the first knot comes in at strengths[0], and the last one is where the path ends.
        certificates: of the solutions there, B of them.
        starts: the changes at strengths[i] are those from starts[i] to starts[i + 1], (B + 1,).
        places: the points whose slope changes begin or end to be other than zero, (C,), indices.
        signs: their signs from there on, (C,).
        anew: whether the path was lost just above strengths[i] and begun anew there by a solver, (B,).
        interrupted: whether Ctrl-C cut it short.
    """

    strengths: np.ndarray
    certificates: tuple[Certificate, ...]
    starts: np.ndarray
    places: np.ndarray
    signs: np.ndarray
    anew: np.ndarray
    interrupted: bool


class Segments:
    """The solutions with given knots and signs, as affine functions of λ: t = t_0 + λ t_1.

    Args:
        problem: one that `LineSpline` serves, with the squared loss.
    """

    def __init__(self, problem: Problem) -> None:
        self.terms = terms = LineTerms.of(problem)
        self.points = terms.points
        self._spacing = np.diff(terms.points)
        self._mass = 1 / terms.softness
        # Targets less the best affine function round less.
        first = np.unique(terms.group, return_index=True)[1]
        fit = (problem.targets - problem.dual_targets)[first]
        self._level = BrokenLine(fit, np.zeros(len(fit)), float(problem.free(problem.targets).coefficients[1]))
        self._targets = terms.centres - fit

    def __call__(self, signs: np.ndarray) -> tuple[BrokenLine, BrokenLine, np.ndarray, np.ndarray]:
        """t_0 and t_1, and the profile p = p_0 + λ p_1 at the points, (n,) each, for `signs` (n,)."""
        price = np.where(signs != 0, 0.0, np.inf)
        gains = np.zeros((len(signs), GAINS))
        factorize(self._spacing, self._mass, price, gains)
        base = self._line(gains, self._mass * self._targets, np.zeros(len(signs)))
        slope = self._line(gains, np.zeros(len(signs)), -signs.astype(float))
        duals = self._mass * (self._targets - base.values), -self._mass * slope.values
        return base, slope, profile(self._spacing, duals[0]), profile(self._spacing, duals[1])

    def at(self, base: BrokenLine, slope: BrokenLine, strength: float) -> BrokenLine:
        """The solution for one λ."""
        return BrokenLine(
            self._level.values + (base.values + strength * slope.values),
            base.kinks + strength * slope.kinks,
            self._level.slope + (base.slope + strength * slope.slope),
        )

    def certified(self, line: BrokenLine, problem: Problem) -> tuple[RidgeSpline, Certificate]:
        """What `at` gave for the strength of `problem`, as a spline, with its certificate."""
        dual = problem.weights * (problem.targets - line.values[self.terms.group])
        return (spline := spline_of(self.terms, line)), certify(problem, spline, dual)

    def _line(self, gains: np.ndarray, pull: np.ndarray, bend: np.ndarray) -> BrokenLine:
        values, kinks = np.zeros(len(pull)), np.zeros(len(pull))
        slope = sweep(self._spacing, gains, pull, bend, values, kinks, np.zeros((len(pull), 2)))
        return BrokenLine(values, kinks, slope)


def follow_path(
    problem: Problem, smallest: float, gap: float, report: Callable[[int, float, int], None]
) -> Breakpoints:
    """All breakpoints of min ½ Σ s (t − y)² + λ Σ |a| from λ_max down to `smallest`, certified one by one.

    Between two breakpoints the knots and their signs stay, and the solution and its dual profile are affine in λ. The
    next one is where a profile value reaches ±λ, and a knot comes in, or where a slope change reaches zero, and its
    knot goes. Each segment is computed from its knots alone, in O(n), so that rounding does not build up. Where a
    certificate shows a gap above `gap`, or events at one λ would not end, the path begins anew a little further down
    with the knots that `LineSpline` finds.

    Args:
        problem: one that `LineSpline` serves, with the squared loss; its own strength does not count.
        smallest: the least λ, positive.
        gap: the relative gap that each certificate may have.
        report: called with the number of breakpoints so far, λ and the number of knots.

    Source: Tibshirani & Taylor 2011 (the path of the generalised lasso); Osborne, Presnell & Turlach 2000 (homotopy).
    """
    follower = _Follower(problem, smallest, gap)
    interrupted = False
    try:
        follower.run(report)
    except KeyboardInterrupt:
        if not follower.certificates:
            raise
        interrupted = True
    return follower.result(interrupted)


class _Follower:
    """The state of one walk."""

    def __init__(self, problem: Problem, smallest: float, gap: float) -> None:
        self._problem, self._smallest, self._gap = problem, smallest, gap
        self._segments = Segments(problem)
        self._signs = np.zeros(len(self._segments.points), np.int8)
        self._strengths: list[float] = []
        self.certificates: list[Certificate] = []
        self._changes: list[tuple[np.ndarray, np.ndarray]] = []
        self._anew: list[bool] = []

    def run(self, report: Callable[[int, float, int], None]) -> None:
        """From λ_max to the end."""
        strength, fixed, tied = np.inf, _NOTHING, 0
        while True:
            base, slope, level, tilt = self._segments(self._signs)
            event, place, sign = self._next(base, slope, level, tilt, strength, fixed)
            tied = tied + 1 if event >= strength * (1 - _TIE) else 0
            here = min(max(event, self._smallest), strength)
            line = self._segments.at(base, slope, here)
            certificate = self._segments.certified(line, self._problem.with_strength(here))[1]
            if certificate.relative_gap > self._gap or tied > _TIED * (2 + np.count_nonzero(self._signs)):
                strength = self._begin_anew(min(strength, here))
                fixed, tied = _NOTHING, 0
            else:
                changed = np.array([place] if event > self._smallest else [], dtype=int)
                former = int(self._signs[place])
                self._record(here, certificate, changed, np.full(len(changed), sign, np.int8), False)
                strength, fixed = here, (place, former)
            report(len(self._strengths), strength, int(np.count_nonzero(line.kinks)))
            if strength <= self._smallest:
                return

    def _next(
        self,
        base: BrokenLine,
        slope: BrokenLine,
        level: np.ndarray,
        tilt: np.ndarray,
        strength: float,
        fixed: tuple[int | None, int],
    ) -> tuple[float, int, int]:
        """λ of the next event (0 for none), where, and the sign that the slope change has after it."""
        signs = self._signs
        inside = np.ones(len(signs), bool)
        inside[[0, -1]] = False
        side = np.where(level > 0, 1, -1)
        # What has just changed does not change back; a knot that went may come back with the other sign.
        place, sign = fixed
        if place is not None and (signs[place] != 0 or side[place] == sign):
            inside[place] = False
        idle, active = inside & (signs == 0), inside & (signs != 0)
        events = np.zeros(len(signs))
        # |p_0 + λ p_1| = λ on the side of p_0: the other one would have been met at a larger λ.
        closing = 1 - side * tilt
        rising = idle & (closing > 0) & (level != 0)
        np.divide(np.abs(level), closing, out=events, where=rising)
        falling = active & (signs * slope.kinks > 0)
        np.divide(-base.kinks, slope.kinks, out=events, where=falling)
        events = np.where(events <= strength * (1 + 1e-9), events, strength)
        place = int(np.argmax(events))
        if not events[place] > 0:
            return 0.0, place, 0
        return float(min(events[place], strength)), place, 0 if active[place] else int(side[place])

    def _begin_anew(self, strength: float) -> float:
        """Ask the solver a little below `strength`; returns where."""
        strength = max(strength * (1 - _BELOW), self._smallest)
        solution = LineSpline(gap=self._gap).solve(self._problem.with_strength(strength), progress=False)
        signs = np.zeros_like(self._signs)
        signs[np.searchsorted(self._segments.points, solution.spline.biases)] = np.sign(solution.spline.coefficients)
        changed = np.flatnonzero(signs != self._signs)
        self._record(strength, solution.certificate, changed, signs[changed], True)
        return strength

    def _record(
        self, strength: float, certificate: Certificate, places: np.ndarray, signs: np.ndarray, anew: bool
    ) -> None:
        self._signs = self._signs.copy()
        self._signs[places] = signs
        self._strengths.append(strength)
        self._changes.append((places, signs))
        self._anew.append(anew)
        self.certificates.append(certificate)

    def result(self, interrupted: bool) -> Breakpoints:
        """What is complete."""
        count = len(self.certificates)
        changes = self._changes[:count]
        return Breakpoints(
            np.array(self._strengths[:count]),
            tuple(self.certificates),
            np.cumsum([0, *(len(places) for places, _ in changes)]),
            np.concatenate([places for places, _ in changes]),
            np.concatenate([signs for _, signs in changes]),
            np.array(self._anew[:count]),
            interrupted,
        )
