"""Side by side: one or several problems, one or several solvers, one table and one figure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ridgesplines.arrays import finite_array
from ridgesplines.comparison import Comparison, ComparisonRow
from ridgesplines.problem import Problem
from ridgesplines.progress import Progress
from ridgesplines.solution import Status
from ridgesplines.solvers.column_generation import ColumnGeneration
from ridgesplines.solvers.kernel_regression import KernelRegression
from ridgesplines.solvers.merging import merge_neurons
from ridgesplines.solvers.sparsify import sparsify
from ridgesplines.solvers.training import NetworkTraining
from ridgesplines.solving import Solver

# Points that functions are compared at.
_PROBES = 1000


def compare(
    problems: Problem | Mapping[str, Problem],
    solvers: Solver | KernelRegression | Mapping[str, Solver | KernelRegression] | None = None,
    *,
    test: tuple[Any, Any] | None = None,
    progress: bool | None = None,
) -> Comparison:
    """Solve each problem with each solver, and set the certified results side by side.

    One data set under several regularizers, for instance, `{"path norm": Problem(…), "bounded biases": Problem(…)}`,
    or one problem by several solvers: `{"certified": ColumnGeneration(), "cvxpy": ConvexProgram(), "trained":
    NetworkTraining(width=200, seeds=32), "kernel": KernelRegression()}`. A solver that refuses a problem, or fails,
    leaves a row that says why. Of a training all seeds are kept: the best one has the row's numbers, beside the median
    and the spread, largest less least, of all objectives; it is certified by the dual vector of the rows before it.
    Gaps are to the best bound that any row of the problem has. What is no network, or has no known cost, has dashes.

    Args:
        problems: one, or several by name.
        solvers: one, or several by name; `ColumnGeneration()` by default.
        test: inputs (M, d) and targets (M,) or (M, D) that errors are taken on.
        progress: show a line of progress; None shows it on a terminal.

    Returns:
        A `Comparison`, on Ctrl-C of the rows done by then; `plotting_comparison` draws it: `plot_comparison` the
        functions, `plot_gaps` the numbers.

    Raises:
        TypeError: if there is something else among the problems or the solvers.
        ValueError: if there is none, or the test data do not fit a problem.
        KeyboardInterrupt: if interrupted before the first row was done.
    """
    questions = problems if isinstance(problems, Mapping) else {"": problems}
    methods = solvers if isinstance(solvers, Mapping) else {"": ColumnGeneration() if solvers is None else solvers}
    if not questions or not methods:
        raise ValueError("there must be one problem and one solver at least.")
    for name, problem in questions.items():
        if not isinstance(problem, Problem):
            raise TypeError(f"problems must be Problems, got {type(problem).__name__} for {name!r}.")
    for name, solver in methods.items():
        if isinstance(solver, type) or not hasattr(solver, "solve"):
            got = solver.__name__ if isinstance(solver, type) else type(solver).__name__
            raise TypeError(f"solvers must be instances with a method solve, got {got} for {name!r}.")
    examples = {name: None if test is None else _test_data(test, problem) for name, problem in questions.items()}
    rows: list[ComparisonRow] = []
    with Progress(progress) as show:
        for name, problem in questions.items():
            for method, solver in methods.items():
                shown = method or type(solver).__name__
                show(f"comparing: {name} {shown}, {len(rows) + 1} of {len(questions) * len(methods)}")
                try:
                    rows.append(_row(name, shown, problem, solver, [row for row in rows if row.name == name]))
                except KeyboardInterrupt:
                    if not rows:
                        raise
                    return _beside(rows, examples)
                solution = rows[-1].solution
                if solution is not None and solution.status is Status.INTERRUPTED:
                    return _beside(rows, examples)
    return _beside(rows, examples)


def _row(
    name: str, method: str, problem: Problem, solver: Solver | KernelRegression, before: list[ComparisonRow]
) -> ComparisonRow:
    began = time.perf_counter()
    solution = training = kernel = None
    try:
        if isinstance(solver, NetworkTraining):
            known = _reference(before)
            if solver.dual is None and known is not None and known.solution is not None:
                solver = replace(solver, dual=known.solution.dual)
            training = solver.train(problem, progress=False)
            solution = training.best
        elif isinstance(solver, KernelRegression):
            kernel = solver.solve(problem, progress=False)
        else:
            solution = solver.solve(problem, progress=False)
    except (ValueError, NotImplementedError, np.linalg.LinAlgError) as error:
        return ComparisonRow(name, method, problem, None, None, time.perf_counter() - began, str(error))
    seconds = time.perf_counter() - began
    sparse = None
    if solution is not None:
        sparse = sparsify(problem, merge_neurons(problem, solution.spline) if problem.sampled else solution.spline)
    return ComparisonRow(name, method, problem, solution, sparse, seconds, training=training, kernel=kernel)


def _reference(rows: list[ComparisonRow]) -> ComparisonRow | None:
    """The row whose bound counts: the best proven one; of estimates, which may be too high, that of the best row."""
    known = [(row, row.solution.certificate) for row in rows if row.solution is not None]
    proven = [(row, certificate) for row, certificate in known if certificate.proven]
    if proven:
        return max(proven, key=lambda pair: pair[1].bound)[0]
    return min(known, key=lambda pair: pair[1].objective)[0] if known else None


def _beside(rows: list[ComparisonRow], examples: dict[str, Any]) -> Comparison:
    """With what rows have in common with others of their problem."""
    finished = []
    for row in rows:
        others = [other for other in rows if other.name == row.name]
        reference = _reference(others)
        solved = [other for other in others if other.solution is not None and other.training is None]
        optimum = min(solved, key=lambda other: other.objectives[0], default=None)
        if reference is not None and reference.solution is not None:
            certificate = reference.solution.certificate
            row = replace(row, bound=float(certificate.bound), kind=certificate.kind)
        if row.function is None:
            finished.append(row)
            continue
        if optimum is not None and optimum.function is not None and optimum.solver != row.solver:
            probes = _probes(row.problem.measurements.supports()[0])
            apart = row.function(probes) - optimum.function(probes)
            spread = float(np.std(row.problem.targets)) or 1.0
            row = replace(row, distance=float(np.sqrt(np.mean(apart**2))) / spread)
        if examples[row.name] is not None:
            row = replace(row, test_error=_error(row, *examples[row.name]))
        finished.append(row)
    return Comparison(tuple(finished))


def _probes(points: np.ndarray) -> np.ndarray:
    """Points of the convex hull, in any dimension, each between two random data."""
    random = np.random.default_rng(0)
    first, second = points[random.integers(0, len(points), (2, _PROBES))]
    return first + random.random((_PROBES, 1)) * (second - first)


def _error(row: ComparisonRow, x: np.ndarray, y: np.ndarray) -> float:
    assert row.function is not None
    values = row.function(x)
    if not row.problem.loss.translation_invariant:
        return float(np.mean(values * y <= 0))
    return float(np.sqrt(np.mean((values - y) ** 2)))


def _test_data(test: Any, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(test, (tuple, list)) or len(test) != 2:
        raise ValueError("test must be a pair of inputs and targets.")
    x = finite_array("the test inputs", test[0], dimensions=(1, 2))
    x = x[:, None] if x.ndim == 1 else x
    y = finite_array("the test targets", test[1], dimensions=(1, 2))
    shape = (len(x), *problem.targets.shape[1:])
    if x.shape[1] != problem.measurements.dimension or y.shape != shape:
        raise ValueError(
            f"the test data must be inputs (M, {problem.measurements.dimension}) and targets "
            f"(M{''.join(f', {n}' for n in shape[1:])}), got {x.shape} and {y.shape}."
        )
    return x, y
