"""Many strengths λ: the path of solutions, and choosing one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import KFold

from ridgesplines.archive import assembling, by_owner, read_archive, write_archive
from ridgesplines.arrays import finite_array
from ridgesplines.certificate import same_problem
from ridgesplines.measurements import Measurement
from ridgesplines.norms import sizes
from ridgesplines.polynomials import monomial_count
from ridgesplines.problem import Problem, check_problem, unseen_polynomial
from ridgesplines.problem_files import problem_from_archive, problem_to_archive
from ridgesplines.progress import Progress
from ridgesplines.regularizers import Regularizer
from ridgesplines.solution import Solution, Status
from ridgesplines.solving import solver_for
from ridgesplines.spline import RidgeSpline

# Stop the path when the error has been this much above the best for so many strengths in a row.
_WORSE, _PATIENCE = 1.01, 3
# As many prepared problems may be held at once.
_KEPT = 10


@dataclass(frozen=True, eq=False)
class RegularizationPath:
    """The solutions of one problem for falling strengths, each with its certificate; a sequence of `Solution`s.

    As λ falls the loss falls and R grows, and the optimum min J, a minimum of affine functions of λ, is concave and
    does not grow; the solutions keep to that up to their gaps.

    Attributes:
        strengths: λ, (S,), falling; as far as the path was followed.
        solutions: one for each strength.
        interrupted: whether Ctrl-C cut the path short.
        details: further facts that a caller attached (the command line keeps the columns and units here); JSON types.
    """

    strengths: np.ndarray
    solutions: tuple[Solution, ...]
    interrupted: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def problem(self) -> Problem | None:
        """What was solved, with the first strength; None where that is not known, see `Certificate.problem`."""
        return self.solutions[0].problem if self.solutions else None

    def __len__(self) -> int:
        return len(self.solutions)

    def __getitem__(self, index: int) -> Solution:
        return self.solutions[index]

    def __iter__(self) -> Iterator[Solution]:
        return iter(self.solutions)

    def at(self, strength: float) -> Solution:
        """The solution for the strength nearest to `strength`, in ratio."""
        if not 0 < strength < np.inf:
            raise ValueError(f"strength must be positive and finite, got {strength!r}.")
        return self.solutions[int(np.argmin(np.abs(np.log(self.strengths / strength))))]

    @property
    def objectives(self) -> np.ndarray:
        """J, (S,)."""
        return self._certified("objective")

    @property
    def bounds(self) -> np.ndarray:
        """The lower bounds of the optima, (S,)."""
        return self._certified("bound")

    @property
    def losses(self) -> np.ndarray:
        """The loss parts of J, (S,)."""
        return self._certified("loss")

    @property
    def regularizations(self) -> np.ndarray:
        """R without λ, (S,)."""
        return self._certified("regularization")

    @property
    def widths(self) -> np.ndarray:
        """The numbers of neurons, (S,), integers."""
        return self._certified("width")

    @property
    def relative_gaps(self) -> np.ndarray:
        """The certified relative gaps, (S,)."""
        return self._certified("relative_gap")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the certificates, S of them."""
        return tuple(solution.certificate.kind for solution in self.solutions)

    def _certified(self, name: str) -> np.ndarray:
        return np.array([getattr(solution.certificate, name) for solution in self.solutions])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one `.npz` file; returns its path."""
        arrays, headers = {"strengths": self.strengths}, []
        shared = same_problem(solution.certificate for solution in self.solutions)
        for i, solution in enumerate(self.solutions):
            parts, metadata = solution.to_archive(with_problem=shared is None)
            arrays |= {f"{i}.{name}": part for name, part in parts.items()}
            headers.append(metadata)
        metadata = {
            "kind": "RegularizationPath",
            "interrupted": self.interrupted,
            "solutions": headers,
            "details": self.details,
        }
        if shared is not None:
            own, metadata["problem"] = problem_to_archive(shared)
            arrays |= own
        return write_archive(path, arrays, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> RegularizationPath:
        """Read what `save` wrote.

        Raises:
            ValueError: if the file is missing, damaged, of another kind or of a newer format version.
        """
        arrays, metadata = read_archive(path, ("RegularizationPath",))
        parts = by_owner(arrays)
        with assembling(path, "path"):
            strengths, headers, details = arrays["strengths"], metadata["solutions"], metadata.get("details", {})
            if strengths.shape != (len(headers),) or not isinstance(details, dict):
                raise ValueError("there is not one strength for each solution, or the details are no dictionary.")
            shared = problem_from_archive(arrays, metadata.get("problem"))
            problems = [None if shared is None else shared.unprepared(float(strength)) for strength in strengths]
            solutions = tuple(
                Solution.from_archive(parts[str(i)], header, problem)
                for i, (header, problem) in enumerate(zip(headers, problems, strict=True))
            )
            return cls(strengths, solutions, bool(metadata["interrupted"]), details)

    def __repr__(self) -> str:
        if not len(self):
            return "RegularizationPath(no strength)"
        span = f"λ from {self.strengths[0]:.3g} to {self.strengths[-1]:.3g}"
        worst = f"relative gaps up to {self.relative_gaps.max():.1e}"
        return f"RegularizationPath({len(self)} solutions, {span}, {worst}{', interrupted' * self.interrupted})"


def regularization_path(
    problem: Problem,
    strengths: Sequence[float] | np.ndarray | None = None,
    *,
    count: int = 30,
    ratio: float = 1e-3,
    gap: float = 1e-6,
    progress: bool | None = None,
) -> RegularizationPath:
    """Solve one problem for many strengths λ, each to a certified gap, from the largest down.

    On the line, order 2, by `LineSpline`; elsewhere by column generation, warm started from the strength before.

    Args:
        problem: the problem; its own strength does not count.
        strengths: positive, in any order; they are sorted to fall, repeated ones once. By default `count` of them,
            geometric from λ_max (`problem.strength_max`), where the first neuron appears, to `ratio` · λ_max.
        count: the number of strengths.
        ratio: the smallest strength over λ_max.
        gap: the relative gap of each solution.
        progress: show a line of progress; None shows it on a terminal.

    Returns:
        A `RegularizationPath`; on Ctrl-C, of the strengths done by then.

    Raises:
        TypeError: if `problem` is no `Problem`, or the strengths are no numbers.
        ValueError: if the problem has no strength, or a number is out of range.
        KeyboardInterrupt: if interrupted before the first strength was done.
    """
    check_problem(problem)
    if problem.strength is None:
        raise ValueError(f"{problem.loss!r} has no strength to vary; a path needs a loss such as SquaredLoss().")
    if strengths is None:
        values = _falling(problem, count, ratio)
    else:
        values = np.unique(finite_array("strengths", strengths, dimensions=(1,)))[::-1]
        if not len(values) or not values[-1] > 0:
            raise ValueError(f"strengths must be positive, at least one, got {strengths!r}.")
    solutions: list[Solution] = []
    # The last solution's neurons. Maximisers of its dual profile above the next λ, too, would save an iteration per
    # strength, but finding them takes the call of the oracle that an iteration is.
    start: RidgeSpline | None = None
    interrupted = False
    with Progress(progress) as show:
        for i, strength in enumerate(values):
            show(f"path: {i + 1} of {len(values)} (λ = {strength:.3g}), {0 if start is None else start.width} neurons")
            try:
                solver = solver_for(problem, gap=gap, start=start)
                solution = solver.solve(problem.with_strength(strength), progress=False)
                if solution.status is Status.INTERRUPTED:
                    raise KeyboardInterrupt
            except KeyboardInterrupt:
                if not solutions:
                    raise
                interrupted = True
                break
            solutions.append(solution)
            start = solution.spline
    return RegularizationPath(values[: len(solutions)], tuple(solutions), interrupted)


def path_end(problem: Problem, ratio: float) -> float:
    """`ratio` · λ_max.

    Raises:
        ValueError: if the ratio is out of range, or there is nothing to smooth.
    """
    if not 0 < ratio < 1:
        raise ValueError(f"ratio must be between 0 and 1, got {ratio!r}.")
    if not (top := problem.strength_max) > 0:
        raise ValueError("the targets are a polynomial of the inputs up to rounding: every strength fits them exactly.")
    return ratio * top


def _falling(problem: Problem, count: int, ratio: float) -> np.ndarray:
    """`count` strengths, geometric, from λ_max of `problem` to `ratio` times that."""
    if count < 2 or not 0 < ratio < 1:
        raise ValueError(f"count must be at least 2 and ratio between 0 and 1, got {count} and {ratio}.")
    return path_end(problem, ratio) / ratio * np.geomspace(1.0, ratio, count)


def _checked_parts(folds: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to fit and rows to hold out, in pairs."""
    wanted = "folds must be a whole number, or two pairs at least of rows to fit and rows to hold out"
    if isinstance(folds, str) or not isinstance(folds, Sequence):
        raise TypeError(f"{wanted}, got {folds!r}.")
    pairs: list[Any] = list(folds)
    if len(pairs) < 2 or not all(isinstance(pair, Sequence) and len(pair) == 2 for pair in pairs):
        raise ValueError(f"{wanted}, got {len(pairs)} entries.")
    parts = [(np.asarray(train), np.asarray(test)) for train, test in pairs]
    if not all(part.ndim == 1 and part.size for pair in parts for part in pair):
        raise ValueError(f"{wanted}, each a list of row numbers that is not empty, got {folds!r}.")
    return parts


def _check_determined(measurements: Measurement, parts: list[tuple[np.ndarray, np.ndarray]], degree: int) -> None:
    """Refuse parts without which measurements, no samples, do not see some free polynomial."""
    free = monomial_count(measurements.dimension, degree)
    for j, (train, _) in enumerate(parts):
        left = measurements.select(train)
        if left.fit_polynomials(degree).basis.shape[1] < free:
            raise ValueError(
                f"without part {j + 1} of {len(parts)} the measurements do not determine the polynomials of degree "
                f"{degree}, which cost nothing: f = {unseen_polynomial(left, degree)} is measured as 0; pass folds as "
                "pairs of rows such that every fit keeps some that see it, or give a strength instead."
            )


def _fit(problem: Problem, gap: float, start: RidgeSpline | None) -> RidgeSpline:
    """A solution to compare and throw away."""
    return solver_for(problem, gap=gap, start=start).approximate(problem)


@dataclass(frozen=True, eq=False)
class StrengthSelection:
    """Cross-validation errors over a path of strengths.

    Attributes:
        strengths: falling, from the λ_max of all data; as far as the path was followed.
        errors: the mean squared error on held-out data, per strength, averaged over data.
        standard_errors: of `errors`, over folds.
        strength: the one with the least error.
        folds: how many parts the data were cut into.
        interrupted: whether Ctrl-C cut the path short.
    """

    strengths: np.ndarray
    errors: np.ndarray
    standard_errors: np.ndarray
    strength: float
    folds: int
    interrupted: bool


def select_strength(
    measurements: Measurement,
    targets: np.ndarray,
    *,
    regularizer: Regularizer | None = None,
    sample_weights: Any = None,
    folds: int | Sequence[tuple[Any, Any]] = 5,
    count: int = 30,
    ratio: float = 1e-4,
    gap: float = 1e-3,
    seed: int = 0,
    progress: bool | None = None,
) -> StrengthSelection:
    """Choose λ for the squared loss by cross-validation over a geometric path from λ_max down.

    A training part of n of N data is fitted with λ n/N, n and N counting weights, because the loss is a sum over the
    data. The path ends early once the error has risen well above its minimum.

    Args:
        measurements: `Samples(x)`, x (N, d), or any other.
        targets: (N,), or (N, D), whose squared errors are added.
        regularizer: `RadonTV()` by default, `VectorRadonTV()` for targets (N, D).
        sample_weights: (N,), positive: how much each datum counts, in the fits and in the errors; 1 by default.
        folds: parts to hold out in turn, at least 2; or the rows of each fit and the rows held out from it, in pairs.
        count: the number of strengths, from λ_max to `ratio` · λ_max.
        ratio: the smallest strength over λ_max.
        gap: the relative gap of the fits; they are compared, not kept.
        seed: of the random parts.
        progress: show a line of progress; None shows it on a terminal.

    Returns:
        A `StrengthSelection`; on Ctrl-C, of the strengths tried by then.

    Raises:
        ValueError: if a number is out of range, the data are too few to hold a part out, what is left without some part
            does not determine the free polynomials, or as `Problem` does.
        KeyboardInterrupt: if interrupted before the first strength was done.
    """
    whole = Problem(measurements, targets, regularizer=regularizer, strength=1.0, sample_weights=sample_weights)
    regularizer = whole.regularizer
    y, weights = whole.targets, whole.weights.ravel()
    if isinstance(folds, int | np.integer):
        if folds < 2 or folds > whole.measurements.count:
            raise ValueError(f"folds must be between 2 and the number of data, {measurements.count}, got {folds}.")
        parts = list(KFold(folds, shuffle=True, random_state=seed).split(y))
    else:
        parts = _checked_parts(folds)
    smallest = min(len(train) for train, _ in parts)
    if smallest < (free := monomial_count(measurements.dimension, regularizer.degree)):
        raise ValueError(
            f"{measurements.count} data are too few to hold out one part in {len(parts)}: {free} must remain in "
            f"dimension {measurements.dimension}; give a strength instead."
        )
    if not whole.sampled:
        _check_determined(measurements, parts, regularizer.degree)
    strengths = _falling(whole, count, ratio)

    def training(train: np.ndarray) -> Problem:
        own = None if whole.sample_weights is None else weights[train]
        return Problem(measurements.select(train), y[train], regularizer=regularizer, strength=1.0, sample_weights=own)

    held_out = [measurements.select(test) for _, test in parts]
    # Those of few parts are kept over all strengths, so that each is prepared once; many would take too much memory.
    kept = [training(train) for train, _ in parts] if len(parts) <= _KEPT else None
    shares = np.array([weights[test].sum() for _, test in parts]) / weights.sum()
    squares: list[list[float]] = []
    means = np.zeros(0)
    starts: list[RidgeSpline | None] = [None] * len(parts)
    interrupted = False
    with Progress(progress) as show:
        try:
            for i, strength in enumerate(strengths):
                row = []
                for j, (train, test) in enumerate(parts):
                    part = f"part {j + 1} of {len(parts)}"
                    show(f"choosing the strength: {i + 1} of at most {count} (λ = {strength:.3g}), {part}")
                    problem = training(train) if kept is None else kept[j]
                    problem = problem.with_strength(strength * weights[train].sum() / weights.sum())
                    spline = starts[j] = _fit(problem, gap, starts[j])
                    missed = sizes(held_out[j](spline) - y[test])
                    row.append(float(np.average(missed**2, weights=weights[test])))
                squares.append(row)
                means = np.array(squares) @ shares
                if len(means) > _PATIENCE and (means[-_PATIENCE:] > _WORSE * means.min()).all():
                    break
        except KeyboardInterrupt:
            if not squares:
                raise
            interrupted = True
    return StrengthSelection(
        strengths=strengths[: len(means)],
        errors=means,
        standard_errors=np.std(squares, axis=1, ddof=1)[: len(means)] / np.sqrt(len(parts)),
        strength=float(strengths[int(np.argmin(means))]),
        folds=len(parts),
        interrupted=interrupted,
    )
