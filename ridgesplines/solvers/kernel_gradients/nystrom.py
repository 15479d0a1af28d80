"""Kernel problems with fewer centres than points."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.sparse.linalg import LinearOperator, cg

from ridgesplines.checks import check_count, check_number
from ridgesplines.kernel_problem import KernelProblem, check_kernel_problem, nugget_product
from ridgesplines.kernel_solution import KernelSolution, KernelStatus, measured
from ridgesplines.kernel_spline import KernelSpline
from ridgesplines.kernels import hermite_sum, value_sum
from ridgesplines.progress import Progress
from ridgesplines.solvers.kernel_gradients.ordering import coarse_to_fine

_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class NystromGradients:
    """Solve a `KernelProblem` over functions with few centres: min Σ |f − data|²/nugget + ‖f‖² over M of the points.

    With K_MM the matrix of values and gradients at the centres, K_NM that at all points and D the nuggets, the
    coefficients solve (K_MM + K_MN D⁻¹ K_NM) c = K_MN D⁻¹ b: by conjugate gradients, with the preconditioner that
    takes the centres for a fair sample of the points, K_MM + (N/M) K_MM D⁻¹ K_MM. Memory for a matrix of the centres,
    O(N M) operations an iteration. With M = N it is the solution of `DenseCholesky`. The solution's residuals are those
    of these equations, as values and gradients of a function at the centres; misfits are measured at all points.

    Args:
        centres: M, chosen from coarse to fine; all points if there are fewer.
        tolerance: of the preconditioned residual, relative.
        iterations: the most to make.
        seed: of the choice.
        memory: refuse a matrix of the centres of more bytes than this.

    Raises:
        ValueError: for numbers out of range.

    Source: Rudi, Carratino and Rosasco (2017), FALKON, with values and gradients together.
    """

    centres: int = 1000
    tolerance: float = 1e-6
    iterations: int = 200
    seed: int = 0
    memory: float = 4e9

    def __post_init__(self) -> None:
        check_count("centres", self.centres)
        check_count("iterations", self.iterations)
        check_number("tolerance", self.tolerance, "between 0 and 1", lambda value: 0 < value < 1)
        check_number("memory", self.memory, "a positive number of bytes", lambda value: value > 0)

    def solve(self, problem: KernelProblem, *, progress: bool | None = None) -> KernelSolution:
        """The solution, with its errors; Ctrl-C stops with the iterate so far.

        Args:
            problem: the problem; its nuggets must be positive.
            progress: show a line of progress; None shows it on a terminal.

        Raises:
            ValueError: if polynomials are free, a nugget is zero, or the matrix would not fit.
        """
        check_kernel_problem(problem)
        if problem.free_degree >= 0:
            raise ValueError(
                f"NystromGradients has no free polynomials, but free_degree is {problem.free_degree}; use "
                "rs.DenseCholesky(), or a kernel that is positive definite by itself, as rs.kernels.UniformKernel() is."
            )
        if (np.linalg.eigvalsh(problem.nuggets) <= 0).any():
            raise ValueError(
                "NystromGradients needs a positive value_nugget and gradient_nugget, because few centres cannot "
                "interpolate all points; rs.choose_nuggets finds them, and rs.ConjugateGradients() interpolates."
            )
        count, size = len(problem.points), problem.size
        chosen = coarse_to_fine(problem.points, self.seed)[: self.centres]
        rows = len(chosen) * size
        if 16.0 * rows**2 > self.memory:
            raise ValueError(
                f"two matrices for {len(chosen)} centres need {16e-9 * rows**2:.1f} GB, more than memory="
                f"{self.memory:.3g} bytes, which {int((self.memory / 16) ** 0.5 / size)} centres would fit."
            )
        points, centres = problem.points, np.ascontiguousarray(problem.points[chosen])
        seconds = {}
        with Progress(progress) as show:
            show(f"factorizing the matrix of {rows} rows")
            start = time.perf_counter()
            inverses = np.linalg.inv(problem.nuggets)
            lower, jitter = _factored(problem.at(chosen).matrix(nuggets=False))
            weighted = (inverses[chosen] @ lower.reshape(len(chosen), size, rows)).reshape(rows, rows)
            inner = lower.T @ weighted * (count / len(chosen))
            inner[np.diag_indices(rows)] += 1
            outer: Any = cholesky(inner, lower=True, overwrite_a=True, check_finite=False)
            seconds["preconditioner"] = time.perf_counter() - start

            def sums(at: np.ndarray, coefficients: np.ndarray, x: np.ndarray) -> np.ndarray:
                if size == 1:
                    return value_sum(problem.kernel, at, coefficients[:, 0].copy(), x)[:, None]
                return hermite_sum(problem.kernel, at, coefficients, x)

            def fitting(unit: np.ndarray) -> np.ndarray:
                return solve_triangular(lower, unit, lower=True, trans=1).reshape(-1, size)

            def apply(unit: np.ndarray) -> np.ndarray:
                fitted = sums(centres, fitting(unit), points)
                back = sums(points, nugget_product(inverses, fitted), centres)
                return unit + solve_triangular(lower, back.ravel(), lower=True)

            def precondition(residual: np.ndarray) -> np.ndarray:
                return solve_triangular(outer, solve_triangular(outer, residual, lower=True), lower=True, trans=1)

            start = time.perf_counter()
            right = solve_triangular(
                lower, sums(points, nugget_product(inverses, problem.data), centres).ravel(), lower=True
            )
            run = [np.zeros_like(right)]

            def advanced(unit: np.ndarray) -> None:
                run.append(unit.copy())
                del run[:-1]
                steps.append(0.0)
                show(f"iteration {len(steps)} of at most {self.iterations}")

            steps: list[float] = []
            operators: Any = [
                LinearOperator((rows, rows), matvec=each, dtype=float)  # type: ignore[call-arg] # the stubs err
                for each in (apply, precondition)
            ]
            try:
                unit, info = cg(
                    operators[0], right, M=operators[1], rtol=self.tolerance, maxiter=self.iterations, callback=advanced
                )
                status = KernelStatus.CONVERGED if info == 0 else KernelStatus.ITERATION_LIMIT
            except KeyboardInterrupt:
                unit, status = run[-1], KernelStatus.INTERRUPTED
            seconds["iterations"] = time.perf_counter() - start
            coefficients = fitting(unit)
            spline = KernelSpline(problem.kernel, centres, coefficients[:, 0] if size == 1 else coefficients)
            fitted = sums(centres, coefficients, points)
            rest = sums(points, nugget_product(inverses, problem.data - fitted), centres) - fitted[chosen]
            solution = measured(
                problem, spline, status, kept=chosen, iterations=len(steps), jitter=jitter, seconds=seconds,
                fitted=fitted,
            )  # fmt: skip
        return replace(
            solution,
            value_residual=float(np.abs(rest[:, 0]).max()),
            gradient_residual=float(np.linalg.norm(rest[:, 1:], axis=1).max()),
            dropped=0,
        )


def _factored(matrix: np.ndarray) -> tuple[np.ndarray, float]:
    """The Cholesky factor of a matrix, and what had to be added to its diagonal."""
    size = float(np.mean(np.diagonal(matrix)))
    jitter = 0.0
    while True:
        try:
            shifted = matrix.copy(order="F")
            shifted[np.diag_indices(len(matrix))] += jitter
            factor: Any = cholesky(shifted, lower=True, overwrite_a=True, check_finite=False)
            return factor, jitter
        except LinAlgError:
            jitter = max(10 * jitter, 4 * _EPS * size)
            if jitter > 1e-4 * size:
                raise
