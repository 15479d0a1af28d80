"""The restricted problem of column generation: a loss and a norm over the neurons found so far."""

from __future__ import annotations

from ridgesplines.losses import PiecewiseLinearLoss, SquaredLoss
from ridgesplines.problem import Problem
from ridgesplines.solvers.restricted.completion import Completion, Snapshot, complete
from ridgesplines.solvers.restricted.conic import RestrictedConic
from ridgesplines.solvers.restricted.constraint import RestrictedConstraint
from ridgesplines.solvers.restricted.lasso import ActiveSetLasso
from ridgesplines.solvers.restricted.linear import RestrictedLinear
from ridgesplines.solvers.restricted.newton import RestrictedGroups
from ridgesplines.solvers.restricted.protocol import OutOfTime, RestrictedProblem
from ridgesplines.solvers.restricted.proximal import RestrictedSmooth
from ridgesplines.solvers.restricted.squared import RestrictedSquared

__all__ = ["ActiveSetLasso", "Completion", "OutOfTime", "RestrictedProblem", "Snapshot", "complete", "restrict"]


def restrict(problem: Problem) -> RestrictedProblem:
    """The restricted form of `problem`: the fastest that serves its loss; a conic program serves every loss."""
    single = problem.targets.ndim == 1
    match problem.loss:
        case SquaredLoss() if single:
            return RestrictedSquared(problem)
        case PiecewiseLinearLoss() as loss if single:
            return RestrictedLinear(problem, loss) if loss.needs_strength else RestrictedConstraint(problem, loss)
        case loss if loss.smooth:
            return RestrictedSmooth(problem) if single else RestrictedGroups(problem)
    return RestrictedConic(problem)
