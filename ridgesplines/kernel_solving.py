"""One verb: the function of least norm through, or near, the data of a kernel problem."""

from __future__ import annotations

from typing import Protocol

from ridgesplines.kernel_problem import KernelProblem, check_kernel_problem
from ridgesplines.kernel_solution import KernelSolution
from ridgesplines.solvers.kernel_cholesky import DenseCholesky
from ridgesplines.solvers.kernel_gradients import ConjugateGradients

# The largest matrix that is factorized where one may choose: half a gigabyte, some seconds.
_DIRECT_ROWS = 8000


class KernelSolver(Protocol):
    """Anything that turns a `KernelProblem` into a `KernelSolution`."""

    def solve(self, problem: KernelProblem, *, progress: bool | None = None) -> KernelSolution:
        """The solution; `progress` None shows a line of progress on a terminal."""
        ...


def solve_kernel(
    problem: KernelProblem, solver: KernelSolver | None = None, *, progress: bool | None = None
) -> KernelSolution:
    """The function of least norm in a kernel's Hilbert space for `problem`, with its errors on the data.

    Args:
        problem: see `KernelProblem`.
        solver: by default `DenseCholesky()` to 8000 equations (2000 points with normals in space) and where polynomials
            are free, `ConjugateGradients()` above.
        progress: show a line of progress on standard error; None shows it on a terminal.

    Raises:
        TypeError: if `problem` is no `KernelProblem`.
        ValueError: if the solver does not serve the problem: it says why.
    """
    check_kernel_problem(problem)
    if solver is None:
        direct = problem.free_degree >= 0 or len(problem.points) * problem.size <= _DIRECT_ROWS
        solver = DenseCholesky() if direct else ConjugateGradients()
    return solver.solve(problem, progress=progress)
