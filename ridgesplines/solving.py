"""One verb for every problem: pick a solver, solve, certify."""

from __future__ import annotations

from typing import Protocol

from ridgesplines.problem import Problem, check_problem
from ridgesplines.solution import Solution
from ridgesplines.solvers.column_generation import ColumnGeneration
from ridgesplines.solvers.line import LineSpline
from ridgesplines.spline import RidgeSpline


class Solver(Protocol):
    """Anything that turns a `Problem` into a certified `Solution`."""

    def solve(self, problem: Problem, *, progress: bool | None = None) -> Solution:
        """The solution; `progress` None shows a line of progress on a terminal."""
        ...


def solve(problem: Problem, solver: Solver | None = None, *, progress: bool | None = None) -> Solution:
    """The best network of any width for `problem`, with the proof of how good it is.

    Args:
        problem: see `Problem`.
        solver: by default, with a relative gap of 1e-6 and no time limit, `LineSpline()` for points on a line, one
            output and order 2, and `ColumnGeneration()` for everything else.
        progress: show a line of progress on standard error; None shows it on a terminal.

    Returns:
        A `Solution`; after Ctrl-C or at a limit the best so far, with an honest status and certificate.
    """
    check_problem(problem)
    return (solver or solver_for(problem)).solve(problem, progress=progress)


def solver_for(
    problem: Problem, *, gap: float = 1e-6, time_limit: float | None = None, start: RidgeSpline | None = None
) -> LineSpline | ColumnGeneration:
    """The solver that suits `problem`: `LineSpline` where it serves, `ColumnGeneration` elsewhere, begun at `start`."""
    if LineSpline.serves(problem):
        # Interior points do not begin well at a solution, which is on the boundary.
        return LineSpline(gap=gap, time_limit=time_limit)
    return ColumnGeneration(gap=gap, time_limit=time_limit, start=start)
