"""All strengths at once: the exact path of the squared loss on the line."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ridgesplines.archive import assembling, read_archive, write_archive
from ridgesplines.arrays import finite_array
from ridgesplines.certificate import Certificate
from ridgesplines.checks import check_gap
from ridgesplines.losses import SquaredLoss
from ridgesplines.path import RegularizationPath, path_end
from ridgesplines.problem import Problem, check_problem
from ridgesplines.problem_files import problem_from_archive, problem_to_archive
from ridgesplines.progress import Progress
from ridgesplines.solution import Solution, Status
from ridgesplines.solvers.line import LineSpline
from ridgesplines.solvers.line.homotopy import Breakpoints, Segments, follow_path

# Of what was found, what a file keeps.
_ARRAYS = ("strengths", "starts", "places", "signs", "anew")


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
        spline, certificate = self._segments.certified(self._segments.at(base, slope, strength), problem)
        if certificate.relative_gap > self.gap:
            return LineSpline(gap=self.gap).solve(problem, progress=False)
        return Solution(spline, certificate, Status.CONVERGED, (), time.perf_counter() - began)

    def sample(self, strengths: Sequence[float] | np.ndarray) -> RegularizationPath:
        """The path at some strengths, in any order, as `regularization_path` returns it: to draw and to compare."""
        values = np.unique(finite_array("strengths", strengths, dimensions=(1,)))[::-1]
        return RegularizationPath(values, tuple(self.at(float(value)) for value in values))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the problem and the breakpoints to one `.npz` file; returns its path.

        No certificate is kept, with its N numbers for each breakpoint: opening the file proves them anew.

        Raises:
            ValueError: if the problem has parts of one's own, which no file holds, or the file cannot be written.
        """
        own, described = problem_to_archive(self.problem)
        if not own:
            raise ValueError(f"{self.problem!r} has parts that no file holds; save a sample of the path instead.")
        arrays = {name: getattr(self._found, name) for name in _ARRAYS}
        facts = {"kind": "ExactPath", "problem": described, "gap": self.gap, "interrupted": self.interrupted}
        return write_archive(path, own | arrays, facts)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ExactPath:
        """Read what `save` wrote, and certify each breakpoint anew, which takes about as long as following the path.

        Raises:
            ValueError: if the file is missing, damaged, of another kind or of a newer format version.
        """
        arrays, metadata = read_archive(path, ("ExactPath",))
        with assembling(path, "exact path"):
            problem = problem_from_archive(arrays, metadata["problem"])
            gap, interrupted = float(metadata["gap"]), bool(metadata["interrupted"])
            if problem is None or not _serves(problem):
                raise ValueError(f"there is no exact path of {problem!r}.")
            check_gap(gap)
            parts = {name: arrays[name] for name in _ARRAYS}
            found = Breakpoints(certificates=(), interrupted=interrupted, **parts)
            _check_breakpoints(found, len((segments := Segments(problem)).points))
            path_of = _assembled(problem, found, gap, segments)
            with Progress() as show:
                certificates = []
                for i, strength in enumerate(found.strengths):
                    show(f"breakpoint {i + 1} of {len(found.strengths)} certified anew")
                    certificates.append(path_of.at(float(strength)).certificate)
            return replace(path_of, certificates=tuple(certificates))

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
    if not _serves(problem):
        raise ValueError(
            f"the exact path is known for the squared loss, RadonTV(order=2) and one input, got {problem!r}; "
            "regularization_path follows any other, strength by strength."
        )
    smallest = path_end(problem, ratio)
    with Progress(progress) as show:

        def report(count: int, strength: float, knots: int) -> None:
            show(f"breakpoint {count}: λ = {strength:.3g} (down to {smallest:.3g}), {knots} knots")

        found = follow_path(problem, smallest, gap, report)
    return _assembled(problem, found, gap, Segments(problem))


def _serves(problem: Problem) -> bool:
    one_input = problem.measurements.dimension == 1
    return isinstance(problem.loss, SquaredLoss) and one_input and LineSpline.serves(problem)


def _assembled(problem: Problem, found: Breakpoints, gap: float, segments: Segments) -> ExactPath:
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
        segments,
    )


def _check_breakpoints(found: Breakpoints, points: int) -> None:
    """Refuse what no walk along the path of so many points leaves behind."""
    strengths, starts, places, signs = found.strengths, found.starts, found.places, found.signs
    count = len(strengths)
    whole = all(array.dtype.kind == "i" for array in (starts, places, signs)) and found.anew.dtype.kind == "b"
    shapes = (array.shape for array in (strengths, starts, places, signs, found.anew))
    if not whole or tuple(shapes) != ((count,), (count + 1,), (len(places),), (len(places),), (count,)) or not count:
        raise ValueError("the breakpoints and their changes do not belong together.")
    falling = np.isfinite(strengths).all() and (np.diff(strengths) <= 0).all() and strengths[-1] > 0
    ordered = starts[0] == 0 and (np.diff(starts) >= 0).all() and starts[-1] == len(places)
    if not (falling and ordered and ((places >= 0) & (places < points)).all() and np.isin(signs, (-1, 0, 1)).all()):
        raise ValueError("the strengths do not fall, or a change is at none of the points.")
