"""One compiled convex program, which is solved for any strength."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any, NamedTuple

import cvxpy
import numpy as np
from scipy.optimize import lsq_linear

from ridgesplines.losses import PiecewiseLinearLoss
from ridgesplines.norms import sizes
from ridgesplines.oracles import Neurons
from ridgesplines.problem import Problem
from ridgesplines.solvers.convex_program.forms import Form, target_unit

# Neurons below this fraction of the total cost are what an interior point leaves of zero.
_NEGLIGIBLE = 1e-8
# Predictions this near to a kink of the loss, in units of the targets, are at it.
_AT_KINK = 1e-5


class Outcome(NamedTuple):
    """What a convex program found.

    Attributes:
        neurons: of the network.
        coefficients: of its neurons.
        polynomial: the measurements of its free polynomial.
        dual: z.
        details: what the solver says of its work.
    """

    neurons: Neurons
    coefficients: np.ndarray
    polynomial: np.ndarray
    dual: np.ndarray
    details: dict[str, Any]


class CompiledProgram:
    """min Σ_n s_n ℓ(y_n, ν_n(f)) + λ R(f) over the networks of a form, with λ a parameter.

    Everything is in units of the targets and of the data, and the objective in a unit that may be chosen, by default
    the loss of the best free polynomial, so that the tolerances of solvers, which are absolute in part, mean the same
    at every scale.

    Args:
        problem: whose strength does not count.
        form: of the network.
    """

    def __init__(self, problem: Problem, form: Form) -> None:
        self._problem, self._form = problem, form
        self._target_unit = target_unit(problem)
        basis = np.sqrt(len(problem.targets)) * problem.free.basis
        tail = problem.targets.shape[1:]
        self._predictions = cvxpy.Variable(problem.targets.shape)
        fit = form.fit
        if basis.shape[1]:
            fit = fit + basis @ cvxpy.Variable((basis.shape[1], *tail))
        # Σ z_n (fit − prediction)_n: what a change of a prediction is worth is its dual variable.
        self._link = fit == self._predictions
        targets = problem.dual_targets
        predicted = self._target_unit * self._predictions
        loss, constraints = problem.loss.cvxpy_expression(targets, predicted, problem.weights)
        self._unit = form.unit
        if problem.loss.needs_strength:
            best = problem.loss_value(problem.best_polynomial[0])
            self._unit = best if 0 < best < np.inf else 1.0
        self._scale, self._price = cvxpy.Parameter(nonneg=True), cvxpy.Parameter(nonneg=True)
        objective = self._scale * loss + self._price * form.cost
        self._program = cvxpy.Problem(cvxpy.Minimize(objective), [self._link, *constraints, *form.constraints])

    def solve(self, strength: float, solver: str, options: dict[str, Any], unit: float | None = None) -> Outcome:
        """The solution for λ = `strength`, 1 under a constraint, as accurate as the solver and its options make it.

        The `unit` is that of the objective.

        Raises:
            ValueError: if no network of this form meets the constraints.
            numpy.linalg.LinAlgError: if the solver finds nothing.
        """
        unit = self._unit if unit is None else unit
        self._scale.value, self._price.value = 1 / unit, strength * self._form.unit / unit
        with warnings.catch_warnings(), contextlib.suppress(cvxpy.SolverError):
            # What is a little inaccurate is certified like everything else.
            warnings.filterwarnings("ignore", "Solution may be inaccurate")
            self._program.solve(solver=solver, **options)
        infeasible = self._program.status in (cvxpy.INFEASIBLE, cvxpy.INFEASIBLE_INACCURATE)
        if infeasible and not self._problem.loss.needs_strength:
            raise ValueError(
                f"no network of this form meets {self._problem.loss!r}; give more neurons or patterns, or a loss with "
                "a strength."
            )
        if infeasible or self._predictions.value is None or self._link.dual_value is None:
            raise np.linalg.LinAlgError(f"{solver} found no solution ({self._program.status or 'it failed'}).")
        return self._outcome(solver, unit)

    def _outcome(self, solver: str, unit: float) -> Outcome:
        problem = self._problem
        network = self._form.network()
        masses = sizes(network[1])
        kept = masses > _NEGLIGIBLE * max(masses.sum(), 0.01 * self._form.unit)
        neurons, coefficients = network[0][kept], network[1][kept]
        predictions = self._target_unit * np.asarray(self._predictions.value)
        if problem.loss.translation_invariant:
            predictions = predictions + (problem.targets - problem.dual_targets)
        if isinstance(problem.loss, PiecewiseLinearLoss):
            main = neurons, coefficients
            if problem.loss.needs_strength:
                (neurons, coefficients), predictions = _at_kinks(problem, main, network, predictions, self._target_unit)
            else:
                predictions = np.clip(predictions, *problem.loss.interval(problem.targets))
                neurons, coefficients = _meeting(problem, main, network, predictions)
        polynomial = predictions - problem.measure_neurons(neurons) @ coefficients
        dual = -unit / self._target_unit * np.asarray(self._link.dual_value)
        statistics = self._program.solver_stats
        details = {
            "solver": solver,
            "solver_status": str(self._program.status),
            "solver_seconds": float(getattr(statistics, "solve_time", None) or 0.0),
            "solver_iterations": int(getattr(statistics, "num_iters", None) or 0),
            "groups": self._form.groups,
        }
        return Outcome(neurons, coefficients, polynomial, dual, details)


def _at_kinks(
    problem: Problem,
    main: tuple[Neurons, np.ndarray],
    every: tuple[Neurons, np.ndarray],
    predictions: np.ndarray,
    unit: float,
) -> tuple[tuple[Neurons, np.ndarray], np.ndarray]:
    """The network and its predictions, those at a kink of the loss but for a solver's tolerance moved onto it.

    Beside a kink the loss is of the first order in the tolerance: much, where little loss is left. Kept if it is
    better.
    """
    goal = predictions
    for end in problem.loss.interval(problem.targets):  # type: ignore[attr-defined]
        goal = np.where(np.abs(predictions - end) <= _AT_KINK * unit, end, goal)
    candidates = [(main, predictions), (_meeting(problem, main, every, goal), goal)]

    def objective(candidate: tuple[tuple[Neurons, np.ndarray], np.ndarray]) -> float:
        (neurons, coefficients), aim = candidate
        missed = problem.free.project_off(aim - problem.measure_neurons(neurons) @ coefficients)
        return problem.objective_of(coefficients, aim - missed)

    return min(candidates, key=objective)


def _meeting(
    problem: Problem, main: tuple[Neurons, np.ndarray], every: tuple[Neurons, np.ndarray], goal: np.ndarray
) -> tuple[Neurons, np.ndarray]:
    """A network that meets the predictions `goal` to rounding, where the one of a solver does to its tolerance.

    The coefficients of the `main` neurons change as little as may be, in proportion; where these cannot, those of
    `every` neuron, of which some may be next to nothing.
    """
    allowance = 0.01 * problem.loss.allowance(problem.targets)  # type: ignore[attr-defined]
    allowance = max(allowance, 64 * np.finfo(float).eps * float(np.abs(goal).max()))
    if np.abs(problem.free.project_off(goal)).max() <= allowance:
        return main[0][:0], main[1][:0]
    best, least = main, (np.inf, np.inf)
    for neurons, coefficients in (main, every):
        if not len(coefficients):
            continue
        masses = sizes(coefficients)
        masses = masses + _NEGLIGIBLE * masses.sum()
        columns = problem.free.project_off(problem.measure_neurons(neurons))
        missed = problem.free.project_off(goal - columns @ coefficients)
        change = (masses * np.linalg.lstsq(columns * masses, missed, rcond=None)[0].T).T
        if problem.regularizer.nonnegative and (coefficients + change < 0).any():
            change = masses * lsq_linear(columns * masses, missed, (-coefficients / masses, np.inf), tol=1e-14).x
        after = float(np.abs(missed - columns @ change).max())
        found = neurons, coefficients + change
        # Those that meet the goal count by their cost, and before all that do not.
        rank = max(after, allowance), float(sizes(found[1]).sum())
        if rank < least:
            best, least = found, rank
    return best
