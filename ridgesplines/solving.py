"""One verb for every problem: pick a solver, solve, certify."""

from __future__ import annotations

from typing import Protocol

from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.solvers.column_generation import ColumnGeneration


class Solver(Protocol):
    """Anything that turns a `Problem` into a certified `Solution`."""

    def solve(self, problem: Problem, *, progress: bool | None = None) -> Solution:
        """The solution; `progress` None shows a line of progress on a terminal."""
        ...


def solve(problem: Problem, solver: Solver | None = None, *, progress: bool | None = None) -> Solution:
    """The best network of any width for `problem`, with the proof of how good it is.

    Args:
        problem: see `Problem`.
        solver: `ColumnGeneration()` by default: relative gap 1e-6, no time limit.
        progress: show a line of progress on standard error; None shows it on a terminal.

    Returns:
        A `Solution`; after Ctrl-C or at a limit the best so far, with an honest status and certificate.
    """
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a Problem, got {type(problem).__name__}.")
    return (ColumnGeneration() if solver is None else solver).solve(problem, progress=progress)
