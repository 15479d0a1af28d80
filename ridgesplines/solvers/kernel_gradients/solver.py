"""The solver."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.checks import check_count, check_number
from ridgesplines.kernel_problem import KernelProblem, check_kernel_problem, nugget_product
from ridgesplines.kernel_solution import KernelSolution, KernelStatus, measured
from ridgesplines.kernel_spline import KernelSpline
from ridgesplines.kernels import RangeSplit, hermite_sum, split_serves, value_sum
from ridgesplines.progress import Progress
from ridgesplines.solvers.kernel_gradients.factor import InverseCholesky
from ridgesplines.solvers.kernel_gradients.ordering import without_near_duplicates

# Points to which sums over all pairs are about as fast as those split by range, and exact.
_ALL_PAIRS = 10_000
# Of the sums that are split by range.
_ACCURACY = 3e-5


@dataclass(frozen=True)
class ConjugateGradients:
    """Solve a `KernelProblem` iteratively, in memory that grows with the number of points only.

    Conjugate gradients in double precision, preconditioned by a sparse inverse Cholesky factor. Each iteration sums
    over all pairs of points without a matrix: for `UniformKernel` of order 2 in the plane and in space split by range,
    in nearly linear time, for other kernels in O(N²) operations, to some 10,000 points. The number of iterations hardly
    grows. For kernels that are positive definite by themselves, without free polynomials.

    Args:
        neighbours: m, of the finest three quarters of the points in the preconditioner, more for coarser ones: it takes
            about (1.2 m + 1)(d + 1)² numbers of four bytes a point.
        tolerance: stop where ‖r‖ ≤ tolerance · ‖b‖, over all values and gradients.
        iterations: the most to make.
        thinning: points nearer to another than this fraction of the median spacing are left out of the fit, if values
            are interpolated: they tell almost nothing new, and spoil the condition. 0 keeps all.
        seed: of the order of the points.
        accuracy: of the sums, as in `kernels.RangeSplit`; 0 sums over all pairs; None sums over all pairs to 10,000
            points, and then by `RangeSplit` where it serves the kernel. What it costs is `KernelSolution.sum_errors`.

    Raises:
        ValueError: for numbers out of range.
    """

    neighbours: int = 16
    tolerance: float = 1e-5
    iterations: int = 200
    thinning: float = 0.1
    seed: int = 0
    accuracy: float | None = None

    def __post_init__(self) -> None:
        check_count("neighbours", self.neighbours)
        check_count("iterations", self.iterations)
        check_number("tolerance", self.tolerance, "between 0 and 1", lambda value: 0 < value < 1)
        if self.accuracy is not None:
            check_number("accuracy", self.accuracy, "at least 0 and less than 1, or None", lambda value: 0 <= value < 1)
        check_number("thinning", self.thinning, "at least 0 and less than 1", lambda value: 0 <= value < 1)

    def solve(self, problem: KernelProblem, *, progress: bool | None = None) -> KernelSolution:
        """The solution, with its errors; Ctrl-C stops with the best so far.

        Args:
            problem: the problem.
            progress: show a line of progress; None shows it on a terminal.

        Raises:
            ValueError: if polynomials are free.
        """
        check_kernel_problem(problem)
        if problem.free_degree >= 0:
            raise ValueError(
                f"ConjugateGradients has no free polynomials, but free_degree is {problem.free_degree}; use "
                "rs.DenseCholesky(), or a kernel that is positive definite by itself, as rs.kernels.UniformKernel() is."
            )
        seconds = {}
        fraction = self.thinning if not np.all(problem.value_nugget) else 0.0
        kept = without_near_duplicates(problem.points, fraction)
        points, right = np.ascontiguousarray(problem.points[kept]), problem.data[kept]
        nuggets = problem.nuggets[kept]
        with Progress(progress) as show:
            start = time.perf_counter()
            split = self._split(problem, points)
            seconds["sums"] = time.perf_counter() - start
            start = time.perf_counter()
            precondition = InverseCholesky(problem, points, nuggets, self.neighbours, self.seed, show)
            seconds["preconditioner"] = time.perf_counter() - start

            def apply(vector: np.ndarray) -> np.ndarray:
                if split is not None and problem.size == 1:
                    sums = split(vector).values(points)[:, None]
                elif split is not None:
                    sums = split(vector).values_and_gradients(points)
                elif problem.size == 1:
                    sums = value_sum(problem.kernel, points, vector[:, 0].copy(), points)[:, None]
                else:
                    sums = hermite_sum(problem.kernel, points, vector, points)
                return sums + nugget_product(nuggets, vector)

            start = time.perf_counter()
            run = _Run(right)
            try:
                status = self._iterate(run, apply, precondition, show)
            except KeyboardInterrupt:
                status = KernelStatus.INTERRUPTED
            seconds["iterations"] = time.perf_counter() - start
            coefficients = run.best[:, 0] if problem.size == 1 else run.best
            spline = KernelSpline(problem.kernel, points, coefficients)
            residuals = np.array(run.residuals)
            show("measuring the errors")
            fitted, errors = None, (0.0, 0.0)
            if split is not None:
                total, x = split(coefficients), problem.points
                fitted = total.values(x)[:, None] if problem.size == 1 else total.values_and_gradients(x)
                errors = split.error(coefficients)
            return measured(
                problem, spline, status, kept=kept, iterations=len(residuals), residuals=residuals, seconds=seconds,
                fitted=fitted, sum_errors=errors if problem.size > 1 else (errors[0], 0.0),
            )  # fmt: skip

    def _split(self, problem: KernelProblem, points: np.ndarray) -> RangeSplit | None:
        """Sums split by range, if they are to be."""
        served = split_serves(problem.kernel, points.shape[1])
        if self.accuracy == 0 or (self.accuracy is None and (not served or len(points) <= _ALL_PAIRS)):
            return None
        low, high = problem.points.min(axis=0), problem.points.max(axis=0)
        kernel: Any = problem.kernel
        return RangeSplit(kernel, points, low, high, accuracy=_ACCURACY if self.accuracy is None else self.accuracy)

    def _iterate(self, run: _Run, apply, precondition, show) -> KernelStatus:  # type: ignore[no-untyped-def]
        scale = float(np.linalg.norm(run.residual))
        if scale == 0:
            return KernelStatus.CONVERGED
        direction = preconditioned = precondition(run.residual)
        product = float(np.vdot(run.residual, preconditioned))
        for iteration in range(1, self.iterations + 1):
            image = apply(direction)
            step = product / float(np.vdot(direction, image))
            run.advance(step * direction, step * image, scale)
            show(f"iteration {iteration}: relative residual {run.residuals[-1]:.1e}, to {self.tolerance:.0e}")
            if run.residuals[-1] <= self.tolerance:
                return KernelStatus.CONVERGED
            preconditioned = precondition(run.residual)
            previous, product = product, float(np.vdot(run.residual, preconditioned))
            direction = preconditioned + (product / previous) * direction
        return KernelStatus.ITERATION_LIMIT


class _Run:
    """The iterate, its residual, and the iterate of least residual."""

    def __init__(self, right: np.ndarray) -> None:
        self.iterate = np.zeros_like(right)
        self.best = self.iterate
        self.residual = right.copy()
        self.residuals: list[float] = []

    def advance(self, step: np.ndarray, image: np.ndarray, scale: float) -> None:
        self.iterate = self.iterate + step
        self.residual = self.residual - image
        size = float(np.linalg.norm(self.residual)) / scale
        if not self.residuals or size <= min(self.residuals):
            self.best = self.iterate
        self.residuals.append(size)
