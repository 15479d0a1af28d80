"""What is measured on the line: the exact solver, ℓ1 trend filtering in cvxpy, and the sparsest solution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import ridgesplines as rs
from experiments.benchmarks.cases import NOISE, Record, SolveCase, TimedCase, sample


@dataclass(frozen=True)
class LineCase(SolveCase):
    """`LineSpline`, from the arrays to the certificate.

    Attributes:
        even: whether the points are evenly spaced rather than random; spacings then do not differ by 1e6 and more.
    """

    dimension: int = 1
    even: bool = False

    def prepare(self) -> tuple[np.ndarray, np.ndarray]:
        """Points and targets."""
        if not self.even:
            return super().prepare()
        x = np.linspace(-1, 1, self.size)
        noise = np.random.default_rng(self.size).standard_normal(self.size)
        return x[:, None], np.exp(-2 * x**2) + 0.5 * np.sin(3 * x) + NOISE * noise

    def solver(self, limit: float) -> rs.Solver:
        """The solver of the line."""
        return rs.LineSpline(time_limit=limit)


@dataclass(frozen=True)
class TrendFilterCase(LineCase):
    """The same problem as ℓ1 trend filtering in cvxpy, solved by Clarabel: its own seconds."""

    def run(self, prepared: tuple[np.ndarray, np.ndarray], limit: float) -> Any:
        """Build the program and solve it."""
        import cvxpy  # heavy, and only this row needs it

        assert self.strength is not None
        points, targets = prepared
        order = np.argsort(points[:, 0])
        x, y = points[order, 0], targets[order]
        values = cvxpy.Variable(len(x))
        # In units of the mean spacing, or the entries are of the size of N.
        unit = float(x[-1] - x[0]) / (len(x) - 1)
        slopes = cvxpy.multiply(cvxpy.diff(values), unit / np.diff(x))
        objective = 0.5 * cvxpy.sum_squares(values - y) + self.strength / unit * cvxpy.norm1(cvxpy.diff(slopes))
        program = cvxpy.Problem(cvxpy.Minimize(objective))
        program.solve(solver=cvxpy.CLARABEL, time_limit=limit)
        return program

    def seconds(self, outcome: Any, wall: float) -> float:
        """Without the compilation by cvxpy."""
        return outcome.solver_stats.solve_time

    def report(self, prepared: tuple[np.ndarray, np.ndarray], outcome: Any) -> Record:
        """Objective and status."""
        return {
            "strength": self.strength,
            "objective": float(outcome.value),
            "iterations": outcome.solver_stats.num_iters,
            "status": outcome.status,
        }


@dataclass(frozen=True)
class SparsestCase(TimedCase):
    """The sparsest interpolant of N data, from the function that connects the dots."""

    def prepare(self) -> tuple[rs.Problem, rs.RidgeSpline]:
        """The problem, and the interpolant."""
        points, targets = sample(self.size, 1)
        problem = rs.Problem(rs.Samples(points), targets, rs.Interpolation())
        return problem, rs.solve(problem, rs.LineSpline()).spline

    def run(self, prepared: tuple[rs.Problem, rs.RidgeSpline], limit: float) -> rs.RidgeSpline:
        """The sparsest."""
        return rs.sparsest(*prepared)

    def report(self, prepared: tuple[rs.Problem, rs.RidgeSpline], outcome: rs.RidgeSpline) -> Record:
        """How many knots."""
        return {"neurons": outcome.width}
