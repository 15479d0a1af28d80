"""Fewer neurons than the convex problem asks for: a heuristic."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import cvxpy
import numpy as np

from ridgesplines.certificate import certify
from ridgesplines.norms import sizes
from ridgesplines.oracles import Neurons
from ridgesplines.problem import Problem, check_problem, check_samples
from ridgesplines.solution import Solution
from ridgesplines.solvers.column_generation import ColumnGeneration
from ridgesplines.solvers.convex_program import CompiledProgram, NeuronForm, candidate_neurons, solution_of
from ridgesplines.solvers.merging import merge_neurons
from ridgesplines.solvers.sparsify import sparsify


def reweight(problem: Problem, *, neurons: Neurons | None = None, rounds: int = 8, floor: float = 1e-3) -> Solution:
    """A spline of fewer neurons that fits as well or costs little more: a heuristic, with a certificate that says so.

    Over fixed candidate neurons, solve the problem again and again with each neuron's cost times c / (|v_k| + ε),
    ε = `floor` · max |v|, and c such that what there is costs as much as before: what was small becomes dear. That
    majorises the concave Σ log(|v_k| + ε), and leads to a local optimum of it at best; which one depends on where it
    begins. The neurons of each round, and without `neurons` those of the certified solution, are merged and made sparse
    (`merge_neurons`, `sparsify`), and the result of the fewest is returned; its certificate is that of `problem` as it
    stands, so that the gap is what the sparsity costs.

    Args:
        problem: any that `ConvexProgram(form="dictionary")` serves.
        neurons: the candidates; by default those of a certified solution, merged or not, and of a grid in the data.
        rounds: how many times to reweight, at least 1.
        floor: ε over the largest coefficient.

    Raises:
        TypeError: if `problem` is no `Problem`.
        ValueError: if a number is out of range, or the candidates cannot meet a constraint.

    Source: Candès, Wakin & Boyd 2008; kumar_haupt_2020 for neurons.
    """
    check_problem(problem)
    check_samples(problem, "reweight")
    if rounds < 1 or not 0 < floor < 1:
        raise ValueError(f"rounds must be at least 1 and floor between 0 and 1, got {rounds!r} and {floor!r}.")
    began = time.perf_counter()
    dual: np.ndarray | None = None
    best: Solution | None = None
    candidates = neurons
    if candidates is None:
        known = ColumnGeneration().solve(problem, progress=False)
        best = _sparser(problem, known)
        candidates, dual = candidate_neurons(problem), known.dual
        for spline in (known.spline, best.spline):
            candidates += problem.regularizer.represent(spline).neurons
    shape = (len(candidates),) if problem.outputs == 1 else (len(candidates), 1)
    favours = cvxpy.Parameter(shape, nonneg=True, value=np.ones(shape))
    form = NeuronForm(problem, candidates, favours)
    program = CompiledProgram(problem, form)
    tolerances: dict[str, Any] = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-9)
    for _ in range(rounds + 1):
        try:
            outcome = program.solve(problem.dual_limit, cvxpy.CLARABEL, tolerances)
        except np.linalg.LinAlgError:
            # What costs ever more and what costs ever less can be too much for the solver together.
            if best is None:
                raise
            break
        # Only the first dual vector, without weights, is one of the problem.
        dual = outcome.dual if dual is None else dual
        solution = _sparser(problem, solution_of(problem, outcome._replace(dual=dual), 1e-6, began))
        if best is None or (solution.spline.width, solution.objective) < (best.spline.width, best.objective):
            best = solution
        masses = sizes(form.network()[1])
        smallest = floor * float(masses.max(initial=0.0))
        if not smallest:
            break
        dearness = masses.sum() / (masses / (masses + smallest)).sum() / (masses + smallest)
        favours.value = (1 / dearness).reshape(shape)
    assert best is not None
    return replace(best, seconds=time.perf_counter() - began, details=best.details | {"heuristic": "reweighting"})


def _sparser(problem: Problem, solution: Solution) -> Solution:
    """The solution, merged and made sparse where that leaves fewer neurons."""
    spline = sparsify(problem, merge_neurons(problem, solution.spline))
    if spline.width >= solution.spline.width:
        return solution
    return replace(solution, spline=spline, certificate=certify(problem, spline, solution.dual))
