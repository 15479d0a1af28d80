"""The exact solution on the line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ridgesplines.certificate import certify, relative_gap
from ridgesplines.checks import check_count, check_gap, check_seconds
from ridgesplines.losses import PiecewiseLinearLoss, SquaredLoss
from ridgesplines.losses.protocol import LabelLoss
from ridgesplines.problem import Problem, check_problem
from ridgesplines.progress import Progress
from ridgesplines.regularizers import RadonTV, VectorRadonTV
from ridgesplines.solution import Solution, Status, TraceRow
from ridgesplines.solvers.line.coarse import solve_condensed
from ridgesplines.solvers.line.collinear import CollinearProblem
from ridgesplines.solvers.line.interior import InteriorPoint
from ridgesplines.solvers.line.polish import BrokenLine, fit_smooth, minimise, project
from ridgesplines.solvers.line.smooth import SmoothTerms
from ridgesplines.solvers.line.steps import follow
from ridgesplines.solvers.line.terms import LineTerms
from ridgesplines.solvers.line.vertex import vertex
from ridgesplines.spline import RidgeSpline

_UNIT = float(np.finfo(float).eps)
# The interior point goes on until its own gap is this fraction of the objective, so that knots can be told from others,
_TIGHT = 1e-13
# or until it has not shrunk for so many iterations.
_PATIENCE = 6
# From so many data on the squared loss is tried with few candidates for knots.
_MANY = 5000
# From this gap on the iterates are of the size of the optimum, and their steps tell knots from others.
_NEAR = 1e-4
# Up to so many data a proven bound is made in every iteration, for the trace.
_TRACED = 20_000
# How often knots whose slope changes come out with the wrong sign are dropped.
_ROUNDS = 8


@dataclass(frozen=True)
class LineSpline:
    """Solve a `Problem` of order 2 on the line, with one output, exactly, in O(N) per iteration, for every loss.

    The points have one input, or lie on a line of R^d.

    Knots at the data suffice on the line, so that the problem is a convex program in the N values and the N − 2 slope
    changes of a broken line: min Σ_n s_n ℓ(y_n, t_n) + λ Σ_n |a_n|. It is solved by a primal-dual interior point whose
    Newton systems are solved by dynamic programming, without loss of digits however unequal the spacings are; then the
    knots that remain are told from the others and the spline is fitted anew on them. The interpolant of least RTV
    connects the dots, with a dual profile of ±1 at the kinks. Memory grows like N.

    How small a gap can be proven, a dual vector of doubles limits: about 1e-16 (the line's length over the least
    spacing) where λ is so small that the closest data are interpolated, and far less above that.

    Args:
        gap: the relative gap, (objective − bound) / objective, that counts as converged.
        time_limit: seconds, or None. The last iteration and the final certificate run over it.
        iteration_limit: the largest number of interior-point iterations.

    Source: debarre_2022 (knots at the data; the dual); Kim, Koh, Boyd & Gorinevsky 2009 (ℓ1 trend filtering).
    """

    gap: float = 1e-6
    time_limit: float | None = None
    iteration_limit: int = 300

    def __post_init__(self) -> None:
        check_gap(self.gap)
        check_seconds("time_limit", self.time_limit)
        check_count("iteration_limit", self.iteration_limit)

    @staticmethod
    def serves(problem: Problem) -> bool:
        """Whether it is one of those: points on a line, one output, `RadonTV` of order 2, a loss of the package."""
        return _missing(problem) is None

    def solve(self, problem: Problem, *, progress: bool | None = None) -> Solution:
        """The solution of `problem`, with its certificate; on Ctrl-C, the best so far.

        Args:
            problem: the problem.
            progress: show a line of progress; None shows it on a terminal.

        Raises:
            ValueError: if the problem is not one that it serves.
        """
        began = time.perf_counter()
        collinear = _collinear(problem)
        on_line = problem if collinear is None else collinear.problem
        run = _Run(on_line, self, began, traced=len(problem.targets) <= _TRACED)
        with Progress(progress) as show:
            try:
                status = run.iterate(show)
                show("certifying")
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
            spline, dual = run.best()
            spline = spline if collinear is None else collinear.lift(spline)
            certificate = certify(problem, spline, dual)
        if status is Status.CONVERGED and certificate.relative_gap > self.gap:
            status = Status.STALLED
        seconds = time.perf_counter() - began
        gap = certificate.relative_gap
        run.trace.append(
            TraceRow(len(run.trace) + 1, certificate.objective, certificate.bound, gap, spline.width, seconds)
        )
        return Solution(spline, certificate, status, tuple(run.trace), seconds)

    def approximate(self, problem: Problem) -> RidgeSpline:
        """The spline alone, without bounds and certificate.

        For the many problems of a cross-validation, whose answers are compared and thrown away.
        """
        collinear = _collinear(problem)
        run = _Run(problem if collinear is None else collinear.problem, self, time.perf_counter(), traced=False)
        run.iterate(Progress(False))
        spline, _ = run.best()
        return spline if collinear is None else collinear.lift(spline)


def _collinear(problem: Problem) -> CollinearProblem | None:
    """The problem on the line where that is not `problem` itself.

    Raises:
        TypeError: if `problem` is none.
        ValueError: if it is not one that `LineSpline` serves.
    """
    check_problem(problem)
    if (missing := _missing(problem)) is not None:
        raise ValueError(f"LineSpline solves problems of order 2 with points on a line, but {missing}; use rs.solve.")
    return CollinearProblem.of(problem) if problem.measurements.dimension > 1 else None


def _missing(problem: Problem) -> str | None:
    """What keeps a problem from being solved here."""
    if not problem.sampled:
        return f"this one has {problem.measurements!r}"
    if type(problem.regularizer) not in (RadonTV, VectorRadonTV) or problem.regularizer.order != 2:
        return f"this one has the regularizer {problem.regularizer!r}"
    if problem.targets.ndim != 1:
        return f"this one has targets of shape {problem.targets.shape}"
    if not (problem.loss.smooth or isinstance(problem.loss, PiecewiseLinearLoss)):
        return f"{problem.loss!r} is neither smooth nor piecewise linear"
    if problem.measurements.dimension > 1 and CollinearProblem.of(problem) is None:
        return f"this one has {problem.measurements.dimension} inputs and points that are not on one line"
    return None


class _Run:
    """The state of one run."""

    def __init__(self, problem: Problem, options: LineSpline, began: float, traced: bool) -> None:
        self._problem, self._options, self._began, self._traced = problem, options, began, traced
        self.trace: list[TraceRow] = []
        self.bound = 0.0
        self.objective = np.inf
        self._terms = terms = LineTerms.of(problem)
        self._line = _start(problem, terms)
        self._interior: InteriorPoint | None = None
        self._sides: tuple[np.ndarray, np.ndarray] | None = None
        self._finished: tuple[BrokenLine, np.ndarray] | None = None

    def iterate(self, show: Progress) -> Status:
        """Iterate until a stopping rule holds; an interrupt passes through."""
        problem, terms = self._problem, self._terms
        show("sorting the data (and compiling, once per installation)")
        objective = self._objective(self._line)
        if objective <= problem.resolution:
            # A free polynomial fits perfectly.
            self._finished = self._line, np.zeros(len(problem.targets))
            return Status.CONVERGED
        if terms.equations:
            self._finished = _connect(terms)
            return Status.CONVERGED
        if len(terms.points) >= _MANY and isinstance(problem.loss, SquaredLoss):
            status = self._condense(objective, show)
            if status is not None:
                return status
        limit = np.full(len(terms.points), problem.dual_limit)
        room = 0.0
        if terms.constrained:
            # As steep as connecting the dots, and as wide as what the start misses.
            objective = problem.dual_limit * float(np.abs(_inside(terms).kinks).sum())
            low, high = terms.intervals
            room = 3.0 * float(np.maximum(low - self._line.values, self._line.values - high).max())
        smooth = SmoothTerms(problem, terms.group, self._line.values) if terms.smooth else None
        self._interior = interior = InteriorPoint(terms, self._line, -limit, limit, objective, room, smooth)
        status = self._follow(interior, show)
        if status is not Status.TIME_LIMIT:
            show("fitting on the knots")
            self._finished = self._polish(interior), self._dual(interior)
        return status

    def _condense(self, objective: float, show: Progress) -> Status | None:
        """The squared loss with many data and few knots; None if there are many knots."""
        problem, terms = self._problem, self._terms

        def report(turn: int, candidates: int, excess: float, line: BrokenLine) -> None:
            self._line = line
            show(f"round {turn}: {candidates} candidates for knots, the profile exceeds λ by a factor of {excess:.6g}")
            if self._options.time_limit is not None and time.perf_counter() >= self._began + self._options.time_limit:
                raise TimeoutError

        try:
            found = solve_condensed(terms, problem.dual_limit, objective, report)
        except TimeoutError:
            return Status.TIME_LIMIT
        if found is None:
            return None
        line, signs = found
        curvature, pull = 1 / terms.softness, terms.centres / terms.softness
        price = np.where(signs != 0, 0.0, np.inf)
        fitted = minimise(terms.points, curvature, pull, price, -problem.dual_limit * signs)
        line = fitted if not (fitted.kinks * signs < 0).any() else line
        self._finished = line, self._gradient(line.values)
        return Status.CONVERGED

    def _follow(self, interior: InteriorPoint, show: Progress) -> Status:
        """The interior point to its end."""
        options, lowest, waited = self._options, np.inf, 0
        least, before = 1e-10 * interior.gap, np.inf
        for iteration in range(1, options.iteration_limit + 1):
            interior.step()
            objective = self._objective(interior.line)
            size = max(objective if np.isfinite(objective) else self._problem.dual_limit * interior.bending, least)
            if interior.gap > _NEAR * size:
                interior.integrate()
            if interior.gap <= _NEAR * size and interior.lengths.min() > 0.5:
                self._sides = interior.sides()
            self._record(interior, objective)
            show(
                f"iteration {iteration}: objective {objective:.6g}, gap within the iteration {interior.gap / size:.1e}"
            )
            # Losses that are known by their derivatives converge beside the gap, not as part of it.
            settled = not self._terms.smooth or abs(objective - before) <= 10 * _TIGHT * size
            before = objective
            if settled and interior.gap <= max(_TIGHT * size, 1e-3 * self._problem.resolution):
                return Status.CONVERGED
            if options.time_limit is not None and time.perf_counter() >= self._began + options.time_limit:
                return Status.TIME_LIMIT
            waited = 0 if interior.gap < 0.9 * lowest or not settled else waited + 1
            lowest = min(lowest, interior.gap)
            if waited > (_PATIENCE if interior.gap <= 1e-8 * size else 5 * _PATIENCE) or not np.isfinite(interior.gap):
                # Rounding ends it; the certificate says how near to the optimum.
                return Status.CONVERGED
        return Status.ITERATION_LIMIT

    def _objective(self, line: BrokenLine) -> float:
        return self._problem.objective_of(line.kinks, line.values[self._terms.group])

    def _dual(self, interior: InteriorPoint) -> np.ndarray:
        """Of an iterate: minus the slopes of a smooth loss, and the multipliers of one with kinks."""
        problem = self._problem
        if problem.loss.smooth:
            return self._gradient(interior.values)
        return self._terms.dual(interior.parts[:, 4])

    def _gradient(self, values: np.ndarray) -> np.ndarray:
        problem = self._problem
        return -problem.weights * problem.loss.derivative(problem.targets, values[self._terms.group])

    def _record(self, interior: InteriorPoint, objective: float) -> None:
        problem = self._problem
        if self._traced:
            self.bound = max(self.bound, self._bound(self._dual(interior)))
        self.objective = min(self.objective, objective)
        sizes = np.abs(interior.kinks)
        width = int((sizes > 1e-9 * sizes.max(initial=0.0)).sum())
        gap = relative_gap(self.objective, self.bound, problem.resolution)
        seconds = time.perf_counter() - self._began
        self.trace.append(TraceRow(len(self.trace) + 1, self.objective, self.bound, gap, width, seconds))

    def _polish(self, interior: InteriorPoint) -> BrokenLine:
        """The spline on the knots that remain, or the iterate where that is no better."""
        best = interior.line
        if self._sides is None:
            return best
        price = self._objective(best)
        allowed = price + 1e-10 * abs(price) + self._problem.resolution
        for line in self._candidates(interior, *self._sides):
            # Later ones are sparser, or rounded less.
            if self._objective(line) <= allowed:
                best = line
        return best

    def _candidates(self, interior: InteriorPoint, of_terms: np.ndarray, signs: np.ndarray) -> Iterator[BrokenLine]:
        """Splines with fewer knots, better and better."""
        problem, terms = self._problem, self._terms
        fitted, signs = _projected(interior.line, terms.points, interior.curvature, signs)
        yield fitted
        if not terms.smooth:
            held = np.bincount(terms.owner[of_terms == 0], minlength=len(terms.points)) > 0
            if (signs != 0).sum() + 2 > held.sum():
                # More slope changes than values that hold them: solutions abound, and a vertex has fewer.
                fitted, signs = vertex(terms, fitted, signs, of_terms, held)
                yield fitted
        if not problem.loss.smooth:
            return
        for _ in range(_ROUNDS):
            better = fit_smooth(
                fitted,
                terms.points,
                terms.group,
                problem.loss,
                problem.targets,
                problem.weights,
                problem.dual_limit,
                signs,
            )
            wrong = better.kinks * signs < 0
            if not wrong.any():
                yield better
                return
            fitted, signs = _projected(fitted, terms.points, interior.curvature, np.where(wrong, 0, signs))

    def best(self) -> tuple[RidgeSpline, np.ndarray]:
        """The spline and the dual of the end, or of where the run was stopped."""
        problem, interior = self._problem, self._interior
        if self._finished is not None:
            line, dual = self._finished
        elif interior is not None:
            line, dual = interior.line, self._dual(interior)
        else:
            line, dual = self._line, np.zeros(len(problem.targets))
        if problem.loss.smooth:
            duals = [self._gradient(line.values)]
            if interior is not None and not self._terms.smooth:
                # Where the loss is flat its slope says little about the small dual variables.
                duals.append(self._terms.dual(interior.parts[:, 4]))
            dual = max(duals, key=self._bound) if len(duals) > 1 else duals[0]
        spline = spline_of(self._terms, line)
        if self._terms.constrained and self._finished is None and not np.isfinite(problem.objective(spline)):
            # Iterates satisfy the constraints in the end only.
            spline = spline_of(self._terms, _inside(self._terms))
        return spline, dual

    def _bound(self, dual: np.ndarray) -> float:
        dual = self._problem.feasible_dual(dual)
        return self._problem.bound(dual, self._problem.oracle.supremum(dual).upper)[0]


def _projected(
    line: BrokenLine, points: np.ndarray, weights: np.ndarray, signs: np.ndarray
) -> tuple[BrokenLine, np.ndarray]:
    """The nearest broken line with slope changes of these signs, or of fewer, and its signs."""
    fitted = line
    for _ in range(_ROUNDS):
        fitted = project(line, points, weights, signs != 0)
        wrong = (fitted.kinks * signs <= 0) & (signs != 0)
        if not wrong.any():
            break
        signs = np.where(wrong, 0, signs)
    return fitted, np.sign(fitted.kinks)


def _start(problem: Problem, terms: LineTerms) -> BrokenLine:
    """The best affine function in least squares; one that parts the labels, if there is one and that costs nothing."""
    points = terms.points
    parting = _parting(problem, points) if isinstance(problem.loss, LabelLoss) else None
    if parting is not None and problem.loss_value(parting.values[terms.group]) <= problem.resolution:
        return parting
    first = int(np.argmin(problem.points[:, 0]))
    fit = problem.targets - problem.free.project_off(problem.targets)
    slope = float(problem.free(problem.targets).coefficients[1])
    return BrokenLine(fit[first] + slope * (points - points[0]), np.zeros(len(points)), slope)


def _parting(problem: Problem, points: np.ndarray) -> BrokenLine | None:
    """An affine function that is beyond ±1 at all labels ±1, if there is one."""
    x, labels = problem.points[:, 0], problem.targets
    if (labels == labels[0]).all():
        return BrokenLine(np.full(len(points), 2.0 * labels[0]), np.zeros(len(points)), 0.0)
    for sign in (1.0, -1.0):
        below, above = float(x[sign * labels < 0].max()), float(x[sign * labels > 0].min())
        if below < above:
            slope = sign * 4.0 / (above - below)
            values = slope * (points - 0.5 * (below + above))
            return BrokenLine(values, np.zeros(len(points)), slope)
    return None


def _inside(terms: LineTerms) -> BrokenLine:
    """A function that satisfies the constraints, with some room."""
    low, high = terms.intervals
    values = np.where(np.isinf(low), high - 1.0, np.where(np.isinf(high), low + 1.0, 0.0))
    both = np.isfinite(low) & np.isfinite(high)
    values[both] = 0.5 * (low[both] + high[both])
    slopes = np.diff(values) / np.diff(terms.points)
    kinks = np.zeros(len(values))
    kinks[1:-1] = np.diff(slopes)
    return BrokenLine(values, kinks, float(slopes[0]) if len(slopes) else 0.0)


def _connect(terms: LineTerms) -> tuple[BrokenLine, np.ndarray]:
    """The interpolant that connects the dots, and its dual in closed form.

    The profile is ±1 at the kinks, by their signs, zero at the ends, and linear between; the dual vector is the change
    of its slope.
    """
    points, values = terms.points, terms.centres
    line = _followed(terms, BrokenLine(values, np.ones(len(points)), 0.0), 4 * _UNIT * float(np.abs(values).max()))
    nodes = np.flatnonzero(line.kinks)
    nodes = np.concatenate([[0], nodes, [len(points) - 1]])
    profile = np.sign(line.kinks[nodes])
    z = np.zeros(len(points))
    if len(nodes) > 2:
        slopes = np.diff(profile) / np.diff(points[nodes])
        z[nodes] = np.diff(np.concatenate([[0.0], slopes, [0.0]]))
    return line, terms.dual(z)


def _followed(terms: LineTerms, line: BrokenLine, noise: float) -> BrokenLine:
    """`line` with slope changes that, rounded as they are, meet its values."""
    points, values = terms.points, line.values
    if len(points) < 2:
        return line
    nodes = np.append(0, np.flatnonzero(line.kinks[1:-1])[:1] + 1)
    nodes = nodes if len(nodes) > 1 else np.array([0, len(points) - 1])
    slope = float(np.diff(values[nodes])[0] / np.diff(points[nodes])[0])
    start = float(values[0] - slope * points[0])
    return BrokenLine(values, follow(points, values, line.kinks != 0, noise, start, slope), slope)


def spline_of(terms: LineTerms, line: BrokenLine) -> RidgeSpline:
    """The broken line as a ridge spline."""
    if terms.constrained:
        line = _followed(terms, line, 0.0)
    knots = np.flatnonzero(line.kinks)
    constant = line.values[0] - line.slope * terms.points[0]
    return RidgeSpline(
        np.ones((len(knots), 1)), terms.points[knots], line.kinks[knots], np.array([constant, line.slope])
    )
