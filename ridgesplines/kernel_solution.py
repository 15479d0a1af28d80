"""What the solvers of kernel problems return: the function, and how well it solves the equations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from ridgesplines.kernel_problem import KernelProblem, nugget_product
from ridgesplines.kernel_spline import KernelSpline


class KernelStatus(Enum):
    """How a solver of kernel problems ended; the value is the sentence to show."""

    DIRECT = "solved directly"
    CONVERGED = "converged to the tolerance asked for"
    ITERATION_LIMIT = "stopped at the iteration limit"
    INTERRUPTED = "interrupted; this is the best so far"


@dataclass(frozen=True, eq=False)
class KernelSolution:
    """The solution of a `KernelProblem`, with its errors measured on the data.

    Attributes:
        spline: the function.
        value_misfit: max_n |f(x_n) − y_n|. With nuggets it is not meant to vanish.
        gradient_misfit: max_n |∇f(x_n) − g_n|; 0 without gradients.
        value_residual: the largest error of the equations' rows for values, nuggets included.
        gradient_residual: the largest for gradients, by point.
        status: how the solver ended.
        iterations: of conjugate gradients; 0 for a direct solution.
        residuals: ‖r‖ / ‖b‖ after each iteration, as the iteration measures it.
        jitter: what had to be added to the diagonal for the factorization, because the matrix is singular to working
            precision; 0 mostly.
        dropped: how many points were left out because another is nearly the same; they count in the misfits.
        seconds: time by stage.
        sum_errors: the largest errors of values and gradients, as the solver summed them, at a sample of 200 points:
            misfits and residuals are known to this. 0 where all sums are exact.
        nuggets: of values and gradients, as the problem had them, see `KernelProblem.typical_nuggets`.
    """

    spline: KernelSpline
    value_misfit: float
    gradient_misfit: float
    value_residual: float
    gradient_residual: float
    status: KernelStatus
    iterations: int
    residuals: np.ndarray
    jitter: float
    dropped: int
    seconds: dict[str, float]
    sum_errors: tuple[float, float] = (0.0, 0.0)
    nuggets: tuple[float, float] = (0.0, 0.0)

    def __str__(self) -> str:
        errors = f"misfit {self.value_misfit:.1e} at values"
        if self.spline.coefficients.ndim == 2:
            errors += f" and {self.gradient_misfit:.1e} at gradients"
        work = f", {self.iterations} iterations" if self.iterations else ""
        extra = f", jitter {self.jitter:.1e}" if self.jitter else ""
        extra += f", {self.dropped} near-duplicate points left out" if self.dropped else ""
        if any(self.nuggets):
            extra += f", nuggets {self.nuggets[0]:.1e} and {self.nuggets[1]:.1e}"
        if any(self.sum_errors):
            extra += f", sums to {self.sum_errors[0]:.1e} and {self.sum_errors[1]:.1e}"
        return f"{self.spline}: {errors}, {self.status.value}{work}{extra}"


def measured(
    problem: KernelProblem,
    spline: KernelSpline,
    status: KernelStatus,
    *,
    kept: np.ndarray | None = None,
    iterations: int = 0,
    residuals: np.ndarray | None = None,
    jitter: float = 0.0,
    seconds: dict[str, float] | None = None,
    fitted: np.ndarray | None = None,
    sum_errors: tuple[float, float] = (0.0, 0.0),
) -> KernelSolution:
    """The solution with its errors, by one more evaluation at all data.

    Args:
        problem: the problem.
        spline: its centres are the problem's points, or those at `kept`, in this order.
        status: how the solver ended.
        kept: indices of the points used; None for all.
        iterations: see `KernelSolution`, like the rest.
        residuals: ditto.
        jitter: ditto.
        seconds: ditto.
        fitted: values and gradients at all data, (N, size), if they are known.
        sum_errors: see `KernelSolution`.
    """
    if fitted is not None:
        pass
    elif problem.gradients is None:
        fitted = np.asarray(spline(problem.points))[:, None]
    else:
        values, gradients = spline.value_and_gradient(problem.points)
        fitted = np.concatenate([values[:, None], gradients], axis=1)
    misfit = problem.data - fitted
    kept = np.arange(len(misfit)) if kept is None else kept
    residual = misfit[kept] - nugget_product(problem.nuggets[kept], np.asarray(spline.coefficients))
    return KernelSolution(
        spline,
        float(np.abs(misfit[:, 0]).max()),
        float(np.linalg.norm(misfit[:, 1:], axis=1).max()),
        float(np.abs(residual[:, 0]).max()),
        float(np.linalg.norm(residual[:, 1:], axis=1).max()),
        status,
        iterations,
        np.zeros(0) if residuals is None else residuals,
        jitter,
        len(misfit) - len(kept),
        seconds or {},
        sum_errors,
        problem.typical_nuggets,
    )
