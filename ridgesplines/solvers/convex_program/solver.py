"""The solver."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import cvxpy
import numpy as np

from ridgesplines.arrangement import activation_patterns, most_patterns, sampled_patterns
from ridgesplines.arrays import finite_array
from ridgesplines.certificate import certify
from ridgesplines.checks import check_count, check_gap, is_one_of
from ridgesplines.oracles import Neurons
from ridgesplines.problem import Problem, check_problem, check_samples
from ridgesplines.progress import Progress
from ridgesplines.solution import Solution, Status, TraceRow
from ridgesplines.solvers.convex_program.forms import NeuronForm, PatternForm, candidate_neurons
from ridgesplines.solvers.convex_program.program import CompiledProgram, Outcome
from ridgesplines.solvers.sparsify import sparsify

_Name = Literal["arrangement", "dictionary", "knots"]
# What Clarabel is asked for, in turn, until the certified gap is small enough.
_TOLERANCES = tuple(dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), t) for t in (1e-10, 1e-10, 1e-12, 1e-8))
# Finding this many times as many patterns as may be used, where points are in special position, takes seconds.
_DISCARDED = 20


@dataclass(frozen=True)
class ConvexProgram:
    """Solve a `Problem` as one finite convex program, by cvxpy; for few data, and to check other solvers against.

    * "arrangement": all networks, one neuron of either sign per activation pattern of the data. The optimum is that
      over all networks of all widths, for every regularizer of order 2 with a convex gauge and one output. There are
      2 Σ_{k<r} C(N − 1, k) patterns, r = d + 1 (d without biases): a few thousand are the most that is practical.
    * "dictionary": networks of given neurons, or of a grid of neurons through the data (`candidate_neurons`). The
      optimum is an upper bound of that over all networks. Any order, any number of outputs.
    * "knots": d = 1, knots at the data. Exact for free biases and order 2; otherwise an upper bound.

    What the solver returns is certified like everything else: its dual variables give the bound. The details of the
    solution hold what cvxpy says of the solver's work, and the number of `groups`: of patterns used, or neurons.

    Args:
        form: see above.
        neurons: of the dictionary; by default the grid.
        patterns: use only those of so many random neurons: then the optimum is an upper bound. None finds all.
        seed: of random neurons.
        most: refuse to make a program of more patterns, or neurons, than this.
        solver: any conic solver that cvxpy has installed.
        options: passed on to it; Clarabel is asked for 1e-10 by default, and tries others if that falls short.
        gap: the relative gap from which on the solution counts as converged.

    Raises:
        ValueError: for unknown names and senseless numbers.

    Source: pilanci_ergen_2020, generalised to gauges, free polynomials and the leaky ReLU; kumar_haupt_2020.
    """

    form: _Name = "arrangement"
    neurons: Neurons | None = None
    patterns: int | None = None
    seed: int = 0
    most: int = 5000
    solver: str = "CLARABEL"
    options: Mapping[str, Any] = field(default_factory=dict)
    gap: float = 1e-6

    def __post_init__(self) -> None:
        if not is_one_of(self.form, get_args(_Name)):
            raise ValueError(f'form must be "arrangement", "dictionary" or "knots", got {self.form!r}.')
        if self.neurons is not None and not isinstance(self.neurons, Neurons):
            raise TypeError(f"neurons must be Neurons(weights, biases), got {type(self.neurons).__name__}.")
        if self.neurons is not None and self.form != "dictionary":
            raise ValueError(f'neurons are for form="dictionary", got form={self.form!r}.')
        if self.patterns is not None:
            check_count("patterns", self.patterns)
        if self.patterns is not None and self.form != "arrangement":
            raise ValueError(f'patterns are for form="arrangement", got form={self.form!r}.')
        check_gap(self.gap)
        check_count("most", self.most)
        if self.solver not in cvxpy.installed_solvers():
            known = ", ".join(sorted(cvxpy.installed_solvers()))
            raise ValueError(f"solver must be one that cvxpy has installed ({known}), got {self.solver!r}.")

    def solve(self, problem: Problem, *, progress: bool | None = None) -> Solution:
        """The solution of `problem`, with its certificate.

        Args:
            problem: the problem.
            progress: show a line of progress; None shows it on a terminal.

        Raises:
            ValueError: if the form does not serve the problem, there are too many patterns, or nothing in the
                dictionary meets a constraint.
            numpy.linalg.LinAlgError: if the solver fails.
        """
        check_problem(problem)
        began = time.perf_counter()
        with Progress(progress) as show:
            program = self._compile(problem, show)
            return self._solve(problem, program, show, began)

    def solve_path(
        self, problem: Problem, strengths: Sequence[float] | np.ndarray, *, progress: bool | None = None
    ) -> tuple[Solution, ...]:
        """The solutions for several strengths λ, in their order, of a program that is compiled once.

        Args:
            problem: of a loss with a strength; its own does not count.
            strengths: positive.
            progress: see `solve`.

        Raises:
            ValueError: if the problem has no strength, and as `solve` does.
        """
        check_problem(problem)
        values = finite_array("strengths", strengths, dimensions=(1,))
        problems = [problem.with_strength(value) for value in values.tolist()]
        if not problems:
            return ()

        def solutions() -> Iterator[Solution]:
            began = time.perf_counter()
            with Progress(progress) as show:
                program = self._compile(problem, show)
                for other in problems:
                    yield self._solve(other, program, show, began)
                    began = time.perf_counter()

        return tuple(solutions())

    def _compile(self, problem: Problem, show: Progress) -> CompiledProgram:
        show("finding the activation patterns" if self.form == "arrangement" else "measuring the neurons")
        form = self._pattern_form(problem) if self.form == "arrangement" else self._neuron_form(problem)
        show("compiling the convex program")
        return CompiledProgram(problem, form)

    def _pattern_form(self, problem: Problem) -> PatternForm:
        check_samples(problem, 'ConvexProgram(form="arrangement")')
        regularizer, points = problem.regularizer, problem.points
        if regularizer.order != 2 or problem.outputs != 1:
            raise ValueError(
                'form="arrangement" serves order 2 and one output, got '
                f'order {regularizer.order} and {problem.outputs}; use ColumnGeneration(), or form="dictionary".'
            )
        corners = regularizer.bias_corners(points)
        pole = corners[0] if corners is not None and len(corners) == 1 else None
        together = points if corners is None or pole is not None else np.concatenate([corners, points])
        if self.patterns is not None:
            return PatternForm(problem, sampled_patterns(together, pole, self.patterns, self.seed), corners)
        count = most_patterns(together, pole)
        exactly = "as many as"
        if count <= _DISCARDED * self.most:
            patterns = activation_patterns(together, pole)
            if len(patterns) <= self.most:
                return PatternForm(problem, patterns, corners)
            count, exactly = len(patterns), ""
        shown = " ".join(f"{exactly} {count}".split())
        raise ValueError(
            f"the data have {shown} activation patterns, more than the {self.most} of `most`; use ColumnGeneration(), "
            "which needs none, or sample some: patterns=1000."
        )

    def _neuron_form(self, problem: Problem) -> NeuronForm:
        dimension = problem.measurements.dimension
        if self.form == "knots" and dimension != 1:
            raise ValueError(f'form="knots" is for data on the line, got dimension {dimension}.')
        neurons = self.neurons
        if neurons is None:
            check_samples(problem, "ConvexProgram without neurons of your own")
            neurons = candidate_neurons(problem, seed=self.seed)
        elif neurons.weights.shape[1] != dimension:
            raise ValueError(f"neurons must have dimension {dimension}, got {neurons.weights.shape[1]}.")
        elif not problem.regularizer.admits(neurons):
            raise ValueError(f"neurons must have biases that {problem.regularizer!r} admits; see its admit().")
        if len(neurons) > self.most:
            raise ValueError(f"{len(neurons)} neurons are more than the {self.most} of `most`; use ColumnGeneration().")
        return NeuronForm(problem, neurons)

    def _solve(self, problem: Problem, program: CompiledProgram, show: Progress, began: float) -> Solution:
        show(f"solving the convex program by {self.solver}")
        chosen = self.solver != cvxpy.CLARABEL or any(name.startswith("tol_") for name in self.options)
        tolerances = ({},) if chosen else _TOLERANCES
        best: Solution | None = None
        unit: float | None = None
        for number, tolerance in enumerate(tolerances, 1):
            try:
                outcome = program.solve(problem.dual_limit, self.solver, tolerance | dict(self.options), unit)
            except np.linalg.LinAlgError:
                if best is None and number == len(tolerances):
                    raise
                continue
            solution = solution_of(problem, outcome, self.gap, began)
            if best is None or solution.certificate.relative_gap < best.certificate.relative_gap:
                best = solution
            if best.status is Status.CONVERGED:
                break
            # The gap is a fraction of the objective, so that this is the unit to ask for it in.
            unit = float(best.objective) if problem.resolution < best.objective < np.inf else None
        assert best is not None
        return best


def solution_of(problem: Problem, outcome: Outcome, gap: float, began: float) -> Solution:
    """The certified solution of what a program found, as sparse as the representer theorem promises."""
    spline = problem.spline(outcome.neurons, outcome.coefficients, outcome.polynomial)
    if spline.width > problem.representer_bound:
        spline = sparsify(problem, spline)
    certificate = certify(problem, spline, outcome.dual)
    status = Status.CONVERGED if certificate.relative_gap <= gap else Status.STALLED
    seconds = time.perf_counter() - began
    row = TraceRow(
        outcome.details["solver_iterations"],
        certificate.objective,
        certificate.bound,
        certificate.relative_gap,
        certificate.width,
        seconds,
    )
    return Solution(spline, certificate, status, (row,), seconds, outcome.details)
