"""All strengths at once: the exact path of the squared loss on the line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ridgesplines.arrays import finite_array
from ridgesplines.certificate import Certificate, certify
from ridgesplines.checks import check_gap
from ridgesplines.losses import SquaredLoss
from ridgesplines.path import RegularizationPath, path_end
from ridgesplines.problem import Problem, check_problem
from ridgesplines.progress import Progress
from ridgesplines.solution import Solution, Status
from ridgesplines.solvers.line import LineSpline
from ridgesplines.solvers.line.homotopy import Breakpoints, Segments, follow_path
from ridgesplines.solvers.line.solver import spline_of


@dataclass(frozen=True, eq=False)
class ExactPath:
    """The solutions of one problem for all strengths λ ≥ strengths[−1], by the breakpoints of the path.

    Between two breakpoints the knots and their signs stay, the solution is affine in λ, and the loss quadratic.

    Attributes:
        problem: what was solved; its own strength does not count.
        strengths: the breakpoints, falling from λ_max, where the first knot comes in, (B,); the last is the end of the
            path.
        certificates: of the solutions there, B of them.
        degrees_of_freedom: the number of knots plus two from strengths[i − 1] down to strengths[i], (B,): what the
            values of the solution have of them, see `degrees_of_freedom`.
        anew: whether the path was lost to rounding above strengths[i], and begun anew there, (B,): an event in the
            millionth part of λ above may be missing.
        gap: the relative gap that each certificate was asked for.
        interrupted: whether Ctrl-C cut the path short.

    Source: Tibshirani & Taylor 2011.
    """

    problem: Problem
    strengths: np.ndarray
    certificates: tuple[Certificate, ...]
    degrees_of_freedom: np.ndarray
    anew: np.ndarray
    gap: float
    interrupted: bool
    _found: Breakpoints = field(repr=False)
    _segments: Segments = field(repr=False)

    def __len__(self) -> int:
        return len(self.strengths)

    @property
    def losses(self) -> np.ndarray:
        """½ Σ s (f(x_n) − y_n)² at the breakpoints, (B,)."""
        return np.array([certificate.loss for certificate in self.certificates])

    @property
    def regularizations(self) -> np.ndarray:
        """R without λ at the breakpoints, (B,)."""
        return np.array([certificate.regularization for certificate in self.certificates])

    @property
    def relative_gaps(self) -> np.ndarray:
        """The certified relative gaps at the breakpoints, (B,)."""
        return np.array([certificate.relative_gap for certificate in self.certificates])

    @property
    def complete(self) -> bool:
        """Whether the path was followed from event to event without a break, and every certificate is as asked."""
        return not self.anew.any() and not self.interrupted and bool((self.relative_gaps <= self.gap).all())

    def at(self, strength: float) -> Solution:
        """The solution for one λ, certified: from its segment in O(N), or by `LineSpline` where that is no solution.

        Raises:
            ValueError: if λ is not positive, or below the end of the path.
        """
        if not 0 < strength < np.inf:
            raise ValueError(f"strength must be positive and finite, got {strength!r}.")
        if strength < self.strengths[-1] * (1 - 1e-12):
            raise ValueError(f"the path ends at λ = {self.strengths[-1]:g}, got {strength:g}; follow it further down.")
        began = time.perf_counter()
        problem = self.problem.with_strength(strength)
        # The changes at the breakpoints not below λ.
        passed = int(np.searchsorted(-self.strengths, -strength, side="left"))
        changes = slice(0, int(self._found.starts[passed]))
        signs = np.zeros(len(self._segments.points))
        # The latest change of a point counts.
        signs[self._found.places[changes]] = self._found.signs[changes]
        base, slope, *_ = self._segments(signs)
        line, terms = self._segments.at(base, slope, strength), self._segments.terms
        dual = problem.weights * (problem.targets - line.values[terms.group])
        certificate = certify(problem, spline := spline_of(terms, line), dual)
        if certificate.relative_gap > self.gap:
            return LineSpline(gap=self.gap).solve(problem, progress=False)
        return Solution(spline, certificate, Status.CONVERGED, (), time.perf_counter() - began)

    def sample(self, strengths: Sequence[float] | np.ndarray) -> RegularizationPath:
        """The path at some strengths, in any order, as `regularization_path` returns it: to draw and to save."""
        values = np.unique(finite_array("strengths", strengths, dimensions=(1,)))[::-1]
        return RegularizationPath(values, tuple(self.at(float(value)) for value in values))

    def __repr__(self) -> str:
        return (
            f"ExactPath({len(self)} breakpoints, λ from {self.strengths[0]:.3g} to {self.strengths[-1]:.3g}, up to "
            f"{int(self.degrees_of_freedom.max()) - 2} knots, relative gaps up to {self.relative_gaps.max():.1e}"
            f"{', interrupted' * self.interrupted})"
        )


def exact_path(problem: Problem, *, ratio: float = 1e-3, gap: float = 1e-8, progress: bool | None = None) -> ExactPath:
    """All solutions of the squared loss on the line as λ falls from λ_max to `ratio` · λ_max: where each knot appears.

    As λ falls the solution is piecewise affine in λ, with a breakpoint where a knot comes in or goes; each breakpoint
    is found from the one before in O(N), and certified. There are about as many as data, more for small ratios.

    Args:
        problem: the squared loss, `RadonTV` of order 2, one input; its own strength does not count.
        ratio: the last strength over λ_max.
        gap: the relative gap that each certificate may show at most.
        progress: show a line of progress; None shows it on a terminal.

    Returns:
        An `ExactPath`; on Ctrl-C, down to where it was followed by then.

    Raises:
        TypeError: if `problem` is no `Problem`.
        ValueError: if the problem is not one of those, the targets are affine, or a number is out of range.
        KeyboardInterrupt: if interrupted before the first breakpoint.

    Source: Tibshirani & Taylor 2011, the path of the generalised lasso.
    """
    check_problem(problem)
    check_gap(gap)
    one_input = problem.measurements.dimension == 1
    if not (isinstance(problem.loss, SquaredLoss) and one_input and LineSpline.serves(problem)):
        raise ValueError(
            f"the exact path is known for the squared loss, RadonTV(order=2) and one input, got {problem!r}; "
            "regularization_path follows any other, strength by strength."
        )
    smallest = path_end(problem, ratio)
    with Progress(progress) as show:

        def report(count: int, strength: float, knots: int) -> None:
            show(f"breakpoint {count}: λ = {strength:.3g} (down to {smallest:.3g}), {knots} knots")

        found = follow_path(problem, smallest, gap, report)
    # Down to a breakpoint the changes at it have not happened yet.
    widths, present = np.zeros(len(found.strengths), int), np.zeros(len(problem.targets), np.int8)
    for i, changes in enumerate(map(slice, found.starts[:-1], found.starts[1:])):
        widths[i] = np.count_nonzero(present)
        present[found.places[changes]] = found.signs[changes]
    return ExactPath(
        problem,
        found.strengths,
        found.certificates,
        widths + 2,
        found.anew,
        gap,
        found.interrupted,
        found,
        Segments(problem),
    )
