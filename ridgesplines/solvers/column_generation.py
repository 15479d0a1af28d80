"""Column generation: the main solver."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field, replace

import numpy as np
from threadpoolctl import threadpool_limits

from ridgesplines.certificate import THOROUGH, certify, relative_gap
from ridgesplines.checks import check_count, check_gap, check_seconds
from ridgesplines.losses import PiecewiseLinearLoss
from ridgesplines.norms import sizes
from ridgesplines.oracles import Neurons, Supremum
from ridgesplines.problem import Problem, check_problem
from ridgesplines.progress import PREPARING, Progress
from ridgesplines.solution import Solution, Status, TraceRow
from ridgesplines.solvers.restricted import Completion, OutOfTime, RestrictedProblem, Snapshot, complete, restrict
from ridgesplines.solvers.sliding import slide
from ridgesplines.solvers.sparsify import sparsify
from ridgesplines.spline import RidgeSpline

# How many iterations may pass in which nothing changes, and in which the gap does not fall by a hundredth.
_PATIENCE, _LONG_PATIENCE = 5, 60
# What share of the time spent may be spent again to make an admissible spline of the neurons known by then.
_OVERTIME = 0.2
# How many local maximisers of the last profile a search starts from again.
_REMEMBERED = 64

# Data that are missed by less, beside the largest, are met.
_MET = 1e-10

# Sliding that gains less than this fraction of what new neurons have just gained is left alone for some iterations.
_WORTH_SLIDING, _REST = 0.1, 3


@dataclass(frozen=True)
class ColumnGeneration:
    """Solve a `Problem` to a certified gap, by adding neurons where the dual profile exceeds λ.

    Repeat: solve the problem restricted to the present neurons; ask the oracle for the supremum of the dual profile
    over all neurons, which gives a lower bound of the optimum; stop when the gap is small; add the neurons that violate
    |p_z| ≤ λ. Also known as the fully corrective conditional gradient method. Where no exact supremum is
    known, and the loss is smooth, the active neurons are also moved together (`slide`) before each call of the oracle.

    Args:
        gap: the relative gap, (objective − bound) / objective, to stop at.
        time_limit: seconds, or None. The last iteration, the final certificate and, under `Interpolation`, making an
            interpolant of the neurons found by then run over it.
        iteration_limit: the largest number of iterations.
        neurons_per_iteration: how many violating neurons are added at once; by default as many as suit the loss, and
            not fewer than are active.
        start: neurons to begin with: a spline of a similar problem, whose width then falls or grows as needed.

    Source: parhi_nowak_2021 (the problem has a finite solution); Bredies & Pikkarainen 2013 (the method).
    """

    gap: float = 1e-6
    time_limit: float | None = None
    iteration_limit: int = 10_000
    neurons_per_iteration: int | None = None
    start: RidgeSpline | None = None

    def __post_init__(self) -> None:
        check_gap(self.gap)
        check_seconds("time_limit", self.time_limit)
        check_count("iteration_limit", self.iteration_limit)
        if self.neurons_per_iteration is not None:
            check_count("neurons_per_iteration", self.neurons_per_iteration)

    def solve(self, problem: Problem, *, progress: bool | None = None) -> Solution:
        """The solution of `problem`, with its certificate; on Ctrl-C, the best so far.

        Args:
            problem: the problem.
            progress: show a line of progress; None shows it on a terminal.
        """
        check_problem(problem)
        solution = self._solve(problem, progress)
        left = None if self.time_limit is None else self.time_limit - solution.seconds
        if solution.status is not Status.STALLED or problem.loss.needs_strength or (left is not None and left <= 0):
            return solution
        # Constraints can lead to vertices that no pivot leaves; the sparse network that was found there is a way out.
        again = replace(self, start=solution.spline, time_limit=left)._solve(problem, progress)
        if again.certificate.relative_gap > solution.certificate.relative_gap:
            return solution
        later = (
            row._replace(iteration=row.iteration + len(solution.trace), seconds=row.seconds + solution.seconds)
            for row in again.trace
        )
        return replace(again, trace=(*solution.trace, *later), seconds=solution.seconds + again.seconds)

    def _solve(self, problem: Problem, progress: bool | None) -> Solution:
        began = time.perf_counter()
        run = _Run(problem, self, began, thorough=True)
        with Progress(progress) as show, _one_thread():
            try:
                status = run.iterate(show)
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
            try:
                spline, dual = run.best()
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
                spline, dual = run.spline(), run.dual
            certificate = certify(problem, spline, dual)
        if status is Status.CONVERGED and certificate.relative_gap > self.gap:
            status = Status.STALLED
        elif status in (Status.TIME_LIMIT, Status.STALLED) and certificate.proven:
            # What was made admissible at the end may have closed the gap.
            status = Status.CONVERGED if certificate.relative_gap <= self.gap else status
        return Solution(spline, certificate, status, tuple(run.trace), time.perf_counter() - began)

    def approximate(self, problem: Problem) -> RidgeSpline:
        """The spline alone, without the final certificate and, under a heuristic oracle, without the harder look.

        For the many problems of a cross-validation, whose answers are compared and thrown away.
        """
        run = _Run(problem, self, time.perf_counter(), thorough=False)
        with _one_thread():
            run.iterate(Progress(False))
            return run.best()[0]


def _one_thread() -> contextlib.AbstractContextManager:
    """Linear algebra in one thread: thousands of operations on small matrices lose more than they gain by several.

    Interpolating 400 points in the plane takes 6 s on one thread and 14 s on two; beside other work on the machine,
    which the threads then wait for, many times as long. The oracles have threads of their own.
    """
    return threadpool_limits(limits=1, user_api="blas")


@dataclass
class _Run:
    """The state of one run. `snapshot` is replaced as a whole, so that an interrupt always finds a complete one."""

    problem: Problem
    options: ColumnGeneration
    began: float
    thorough: bool
    trace: list[TraceRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        # The best bound proven; the latest one that an oracle's cheap search suggests, and the highest of those.
        self.bound, self.estimate, self.highest = 0.0, 0.0, 0.0
        self.remaining, self.waited = np.inf, 0
        # For how many iterations more no sliding is tried.
        self.resting = 0
        self.dual = np.zeros_like(self.problem.targets)
        self.objective = np.inf
        nothing = np.zeros((0, *self.problem.targets.shape[1:]))
        self.snapshot: Snapshot = (Neurons.none(self.problem.measurements.dimension), nothing, None)
        # The columns of the restricted problem, and the problem itself once it can be gone on with.
        self.neurons = self.snapshot[0]
        self.restricted: RestrictedProblem | None = None
        self.completion = None if self.problem.loss.needs_strength else complete(self.problem)
        self.complete = self.completion is None

    def iterate(self, show: Progress) -> Status:
        """Iterate until a stopping rule holds; an interrupt passes through."""
        show(PREPARING)
        restricted = restrict(self.problem)
        status = Status.TIME_LIMIT
        try:
            status = self._iterate(restricted, show)
        except OutOfTime:
            pass
        except np.linalg.LinAlgError:
            return Status.STALLED
        # Only a restricted problem that was not interrupted can be gone on with.
        self.restricted = restricted
        return status

    def _iterate(self, restricted: RestrictedProblem, show: Progress) -> Status:
        problem, options = self.problem, self.options
        if options.start is not None and options.start.width:
            self._add(restricted, problem.regularizer.represent(options.start).neurons)
        heuristic = problem.oracle.kind == "heuristic"
        found = Neurons.none(problem.measurements.dimension)
        stalled = 0
        for iteration in range(1, options.iteration_limit + 1):
            steps = restricted.solve()
            steps |= self._slide(restricted)
            active = restricted.active
            present = self.neurons[active]
            dual = problem.feasible_dual(restricted.dual)
            answer = problem.oracle.approximate(dual, present + found)
            better = self._take_objective(
                (present, restricted.coefficients[active], restricted.fit), restricted.admissible
            )
            quick = np.isinf(answer.upper)
            if quick or heuristic:
                found = answer.neurons[:_REMEMBERED]
                better |= self._take_estimate(dual, answer)
            violation = answer.value / problem.dual_limit - 1
            near = (quick or heuristic) and self.estimated_gap <= options.gap
            if self.thorough and ((quick and restricted.admissible and restricted.satisfied(violation)) or near):
                # Violations are cheaper to search for; where none is left to speak of, the supremum is worth its price.
                # A search that finds no violation proves nothing: look harder before believing it.
                hints = present + answer.neurons[:_REMEMBERED]
                if heuristic:
                    answer = problem.oracle.supremum(dual, hints)
                    self._take_estimate(dual, answer)
                if not heuristic or self.estimated_gap <= options.gap:
                    answer = problem.oracle.supremum(dual, hints, effort=THOROUGH)
            elif quick and not self.thorough:
                answer = replace(answer, upper=answer.value)
            better |= self._take_bound(dual, answer)
            gap = self._record(iteration)
            shown = f"estimated gap {self.estimated_gap:.1e}" if quick else f"bound {self.bound:.6g}, gap {gap:.1e}"
            show(f"iteration {iteration}: objective {self.objective:.6g}, {shown}, {len(active)} neurons")
            if gap <= options.gap and (self.complete or self._completed()):
                return Status.CONVERGED
            if options.time_limit is not None:
                # Whatever the limit, there is a first iteration.
                restricted.deadline = self.began + options.time_limit
                if time.perf_counter() >= restricted.deadline:
                    return Status.TIME_LIMIT
            violation = answer.value / problem.dual_limit - 1
            if restricted.satisfied(violation):
                stalled = 0 if restricted.advance() or better or steps else stalled + 1
            else:
                stalled = 0 if better or steps else stalled + 1
                violating = answer.sizes > problem.dual_limit * (1 + 0.5 * min(violation, 1e-9))
                self._drop(restricted)
                batch = options.neurons_per_iteration or max(restricted.batch, len(active))
                self._add(restricted, answer.neurons[violating][:batch])
            if stalled > _PATIENCE or (self.complete and not heuristic and not self._progresses()):
                return Status.STALLED
        return Status.ITERATION_LIMIT

    def _completed(self) -> bool:
        """Whether to be content with a network that had to be completed; then it counts as complete.

        Only where suprema are dear, as bounded ones are, and if the network meets the constraints when it is sparse.
        """
        problem = self.problem
        if problem.oracle.kind != "bounded" or not isinstance(problem.loss, PiecewiseLinearLoss):
            return False
        spline = sparsify(problem, self.spline())
        lower, upper = problem.loss.interval(problem.targets)
        fit = problem.measure(spline)[1]
        missed = float(np.maximum(lower - fit, fit - upper).max())
        self.complete = missed <= _MET * float(np.abs(problem.targets).max())
        return self.complete

    def _add(self, restricted: RestrictedProblem, new: Neurons) -> None:
        restricted.add(self.problem.measure_neurons(new))
        self.neurons += new

    def _slide(self, restricted: RestrictedProblem) -> bool:
        """Move the active neurons together and solve with them where they are then; whether that gained anything."""
        problem, active = self.problem, restricted.active
        sought = problem.oracle.kind != "exact" and problem.loss.smooth and problem.loss.needs_strength
        if not sought or not len(active) or self.resting:
            self.resting = max(0, self.resting - 1)
            return False
        coefficients, fit = restricted.coefficients, restricted.fit
        if fit is None:
            # The columns are then less their polynomial part.
            fit = problem.best_polynomial[0] + restricted.columns[:, active] @ coefficients[active]
        before = problem.objective_of(coefficients, fit)
        neurons, moved, fit = slide(problem, self.neurons[active], coefficients[active], fit)
        gain = before - problem.objective_of(moved, fit)
        if gain < _WORTH_SLIDING * (self.objective - before):
            self.resting = _REST
        if not gain > 0:
            return False
        self._add(restricted, neurons)
        restricted.restart(np.concatenate([np.zeros_like(coefficients), moved]), fit)
        restricted.solve()
        return True

    def _drop(self, restricted: RestrictedProblem) -> None:
        """Forget the less promising half of the idle neurons once they are many."""
        active = restricted.active
        if len(self.neurons) < restricted.crowd:
            return
        correlations = restricted.correlations()
        kept = correlations >= np.median(correlations)
        kept[active] = True
        restricted.keep(kept)
        self.neurons = self.neurons[kept]

    @property
    def gap(self) -> float:
        return relative_gap(self.objective, self.bound, self.problem.resolution)

    @property
    def estimated_gap(self) -> float:
        return relative_gap(self.objective, self.estimate, self.problem.resolution)

    def _progresses(self) -> bool:
        """Whether the gap has fallen by a hundredth within the last iterations; rounding can make steps for ever."""
        remaining = self.objective - max(self.bound, self.highest)
        if not remaining >= 0.99 * self.remaining:
            self.remaining, self.waited = remaining, 0
        self.waited += 1
        return self.waited <= _LONG_PATIENCE

    def _record(self, iteration: int) -> float:
        """Trace the iteration; returns the gap."""
        seconds = time.perf_counter() - self.began
        width = len(self.snapshot[1])
        self.trace.append(TraceRow(iteration, self.objective, self.bound, self.gap, width, seconds))
        return self.gap

    def _take_bound(self, dual: np.ndarray, answer: Supremum) -> bool:
        """Take the bound of `dual` if it is the best so far; whether it was better.

        A bound by a heuristic oracle may be too high, so the latest one counts there, not the highest.
        """
        bound, _ = self.problem.bound(dual, answer.upper)
        better = bound > self.bound
        if better or (np.isfinite(answer.upper) and self.problem.oracle.kind == "heuristic"):
            self.bound, self.dual = bound, dual
        return better

    def _take_estimate(self, dual: np.ndarray, answer: Supremum) -> bool:
        """Take what the bound of `dual` is if nothing larger than `answer` exists; whether it was better.

        The dual is the one to be proven in the end if the run is stopped before it proves any.
        """
        self.estimate, _ = self.problem.bound(dual, answer.value)
        better = self.estimate > self.highest
        if better:
            self.highest = self.estimate
            if self.bound == 0.0:
                self.dual = dual
        return better

    def _take_objective(self, present: Snapshot, admissible: bool) -> bool:
        """Take `present` as the best so far if it is; whether it was better."""
        problem = self.problem
        neurons, coefficients, fit = present
        if self.completion is not None and not admissible:
            completed = self.completion(neurons, coefficients, fit)
            if completed is None:
                return False
            neurons, coefficients, fit = completed
        objective = problem.dual_limit * float(sizes(coefficients).sum())
        if self.completion is None and fit is None:
            # Differences round less without the polynomials.
            missed = problem.free.project_off(problem.dual_targets - problem.measure_neurons(neurons) @ coefficients)
            objective += float(np.sum(problem.loss.value(missed, np.zeros_like(missed))))
        elif fit is not None and self.completion is None:
            objective += problem.loss_value(fit)
        # One that is admissible by itself is preferred to a completed one, whatever their objectives are.
        better = objective < self.objective or (admissible and not self.complete)
        if better:
            self.objective = objective
            self.snapshot = neurons, coefficients, fit
            self.complete |= admissible
        return better

    def best(self) -> tuple[RidgeSpline, np.ndarray]:
        """The best spline so far, made as sparse as the representer theorem promises, and the best dual."""
        if not self.complete and self.completion is not None:
            self._make_admissible(self.completion)
        spline = self.spline()
        # Active sets end at sparse solutions by themselves; conic programs and completed fits do not.
        return sparsify(self.problem, spline) if spline.width > self.problem.representer_bound else spline, self.dual

    def spline(self) -> RidgeSpline:
        """That of the snapshot."""
        neurons, coefficients, fit = self.snapshot
        polynomial = None if fit is None else fit - self.problem.measure_neurons(neurons) @ coefficients
        return self.problem.spline(neurons, coefficients, polynomial)

    def _make_admissible(self, completion: Completion) -> None:
        """Make the snapshot the best admissible spline with the neurons known by now and those that complete any."""
        problem = self.problem
        nothing = Neurons.none(problem.measurements.dimension)
        completed = completion(nothing, np.zeros((0, *problem.targets.shape[1:])), problem.best_polynomial[0])
        if completed is None:
            return
        self._take_objective(completed, True)
        self.complete = False
        restricted = self.restricted
        if restricted is None:
            restricted, known, self.neurons = restrict(problem), self.neurons, nothing
            self._add(restricted, known)
        self._add(restricted, completed[0])
        if self.restricted is None or self.options.time_limit is not None:
            restricted.deadline = time.perf_counter() + max(1.0, _OVERTIME * (time.perf_counter() - self.began))
        with contextlib.suppress(np.linalg.LinAlgError, OutOfTime):
            for _ in range(100):
                restricted.solve()
                if restricted.admissible:
                    active = restricted.active
                    self._take_objective((self.neurons[active], restricted.coefficients[active], restricted.fit), True)
                    break
                restricted.advance()
        self._record(len(self.trace) + 1)
