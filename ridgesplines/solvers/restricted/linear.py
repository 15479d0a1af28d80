"""The restricted problem of a piecewise linear loss: a linear program, kept warm in HiGHS's simplex method."""

from __future__ import annotations

import time

import highspy
import numpy as np

from ridgesplines.losses import PiecewiseLinearLoss
from ridgesplines.problem import Problem
from ridgesplines.solvers.restricted.interior import InteriorPoint
from ridgesplines.solvers.restricted.protocol import OutOfTime
from ridgesplines.solvers.restricted.stored import StoredProblem, first_slope

# The largest violation of a constraint, beside the targets, that counts as rounding.
_ADMISSIBLE = 1e-9
# How many columns are priced into the program at once.
_PRICED = 50


class RestrictedLinear(StoredProblem):
    """Σ s (below (lower − t)₊ + above (t − upper)₊) + λ ‖v‖₁ as a linear program.

    Its variables are the polynomial's coordinates, v = v⁺ − v⁻ and the distances below and above the interval; columns
    are put into the program when |φ_k·z| exceeds λ. A constraint is a finite slope M that grows until nothing is
    outside the interval: an exact penalty. Targets, columns and costs are scaled to order one, because the simplex
    method's tolerances are absolute.
    """

    # Constraints that are violated want a larger slope only once no neuron helps.
    tolerance = 1e-9
    rough = 3e-7  # the gap at which to `begin`

    def __init__(self, problem: Problem, loss: PiecewiseLinearLoss) -> None:
        super().__init__(problem)
        self._loss = loss
        self._basis = problem.free.basis
        # Where differences are all that counts, the intervals are about the targets less their polynomial part.
        lower, upper = loss.interval(problem.dual_targets)
        ends = np.abs(np.concatenate([lower[np.isfinite(lower)], upper[np.isfinite(upper)]]))
        self._unit = float(ends.max(initial=0.0)) or 1.0
        count = len(lower)
        self._scales = np.zeros(0)
        self._dual = np.zeros(count)
        self._outside = np.inf
        self._begun = False
        self._strength = problem.dual_limit
        self._constrained = np.isinf(loss.slopes())
        self._penalty = first_slope(problem) if self._constrained.any() else 0.0
        self._highest = 1e15 * self._penalty
        # (column, sign) of each variable of the program beyond the first ones.
        self._variables: list[tuple[int, float]] = []
        self._program = self._make(lower / self._unit, upper / self._unit)

    def _slopes(self) -> np.ndarray:
        """The slopes below and above each interval, (2, N)."""
        slopes = np.where(self._constrained, self._penalty, self._loss.slopes())
        return np.outer(slopes, self._problem.weights)

    def _make(self, lower: np.ndarray, upper: np.ndarray) -> highspy.Highs:
        program = highspy.Highs()
        program.setOptionValue("output_flag", False)
        program.setOptionValue("threads", 1)
        program.setOptionValue("primal_feasibility_tolerance", 1e-10)
        program.setOptionValue("dual_feasibility_tolerance", 1e-10)
        count, free = self._basis.shape
        infinity = highspy.kHighsInf
        program.addRows(
            count,
            np.where(np.isfinite(lower), lower, -infinity),
            np.where(np.isfinite(upper), upper, infinity),
            0,
            np.zeros(count, dtype=np.int32),
            np.zeros(0, dtype=np.int32),
            np.zeros(0),
        )
        self._cost_unit = float(self._slopes().max())
        below, above = self._slopes() / self._cost_unit
        self._add_columns(program, np.sqrt(count) * self._basis, np.zeros(free), -infinity)
        rows = np.arange(count, dtype=np.int32)
        for slopes, sign, end in ((below, 1.0, lower), (above, -1.0, upper)):
            limit = np.where(np.isfinite(end), infinity, 0.0)
            program.addCols(count, slopes, np.zeros(count), limit, count, rows, rows, np.full(count, sign))
        self._first = free + 2 * count
        return program

    @staticmethod
    def _add_columns(program: highspy.Highs, columns: np.ndarray, costs: np.ndarray, least: float) -> None:
        count, width = columns.shape
        starts = np.arange(0, width * count, count, dtype=np.int32)
        rows = np.tile(np.arange(count, dtype=np.int32), width)
        limits = np.full(width, highspy.kHighsInf)
        program.addCols(
            width, costs, np.full(width, least), limits, width * count, starts, rows, columns.T.ravel().astype(float)
        )

    @property
    def admissible(self) -> bool:
        """Whether no more than rounding is outside the interval, where that is a constraint."""
        return self._outside <= _ADMISSIBLE

    def add(self, columns: np.ndarray) -> None:
        """Append columns less their polynomial part; they enter the program when they are of use."""
        columns = self._problem.free.project_off(columns)
        super().add(columns)
        self._scales = np.append(self._scales, np.abs(columns).max(axis=0))

    def keep(self, kept: np.ndarray) -> None:
        """See `RestrictedProblem.keep`."""
        position = np.cumsum(kept) - 1
        gone = [self._first + i for i, (k, _) in enumerate(self._variables) if not kept[k]]
        if gone:
            self._program.deleteCols(len(gone), np.array(gone, dtype=np.int32))
        self._variables = [(int(position[k]), sign) for k, sign in self._variables if kept[k]]
        self._scales = self._scales[kept]
        super().keep(kept)

    def solve(self) -> bool:
        """Solve, pricing columns in until none is of use; whether any was."""
        self._run()
        if self._begun:
            # Where the interior point left off the gap may be small enough already.
            self._begun = False
            return True
        rounds = 0
        present = set(self._variables)
        while rounds < 1000:
            signs = np.sign(self._columns.T @ self._dual)
            excess = self.correlations() - self._strength
            candidates = np.flatnonzero(excess > 1e-9 * self._strength)
            new = [(int(k), float(signs[k])) for k in candidates[np.argsort(-excess[candidates])]]
            new = [pair for pair in new if pair not in present][:_PRICED]
            if not new:
                break
            present |= set(new)
            self._price_in(np.array([k for k, _ in new]), np.array([sign for _, sign in new]))
            self._run()
            rounds += 1
        return rounds > 0

    def _price_in(self, chosen: np.ndarray, signs: np.ndarray) -> None:
        """Put columns into the program."""
        scales = self._scales[chosen]
        # A variable is v times the scale of its column over that of the targets.
        costs = self._strength / scales / self._cost_unit
        self._add_columns(self._program, self._columns[:, chosen] * (signs / scales), costs, 0.0)
        self._variables += zip(chosen.tolist(), signs.tolist(), strict=True)

    def _run(self) -> None:
        if self._status() != highspy.HighsModelStatus.kOptimal:
            # Once more from scratch: a warm start can end in rounding.
            self._program.clearSolver()
            status = self._status()
            if status != highspy.HighsModelStatus.kOptimal:
                raise np.linalg.LinAlgError(f"HiGHS stopped: {status}.")
        solution = self._program.getSolution()
        values = np.array(solution.col_value)
        count, free = self._basis.shape
        self._dual = np.array(solution.row_dual) * self._cost_unit
        self._coefficients = np.zeros(self._columns.shape[1])
        for value, (k, sign) in zip(values[self._first :], self._variables, strict=True):
            self._coefficients[k] += sign * value * self._unit / self._scales[k]
        self._fit = self._problem.targets - self._problem.dual_targets + self._columns @ self._coefficients
        self._fit += np.sqrt(count) * self._basis @ values[:free] * self._unit
        slacks = values[free : self._first].reshape(2, count)
        self._outside = float(slacks[self._constrained].max(initial=0.0))

    def _status(self) -> highspy.HighsModelStatus:
        """How a run of HiGHS ends.

        Raises:
            OutOfTime: if the deadline passes before.
        """
        self.check_deadline()
        # HiGHS's clock runs on from one program to the next.
        limit = min(self.deadline - time.perf_counter(), 1e9)
        self._program.setOptionValue("time_limit", self._program.getRunTime() + limit)
        self._program.run()
        status = self._program.getModelStatus()
        if status == highspy.HighsModelStatus.kTimeLimit:
            raise OutOfTime
        return status

    def begin(self, interior: InteriorPoint) -> None:
        """Take over the columns, and the basis that the interior point tends to."""
        super().add(interior.columns)
        self._scales = np.append(self._scales, np.abs(interior.columns).max(axis=0))
        self._penalty = max(self._penalty, 10.0 * float(np.abs(interior.dual).max()))
        self._highest = max(self._highest, 1e15 * self._penalty)
        self._price_penalty()
        active, (lower, upper) = interior.partition()
        self._price_in(active, np.sign(interior.coefficients[active]))
        status = highspy.HighsBasisStatus
        count, free = self._basis.shape
        basis = highspy.HighsBasis()
        basis.col_status = [status.kBasic] * free + [status.kLower] * (2 * count) + [status.kBasic] * len(active)
        basis.row_status = [
            status.kLower if low else status.kUpper if high else status.kBasic
            for low, high in zip(lower, upper, strict=True)
        ]
        self._program.setBasis(basis)
        self._begun = True

    def advance(self) -> bool:
        """Make the slope of violated constraints ten times larger.

        Raises:
            LinAlgError: if it is so large already that the constraints cannot have a solution at all.
        """
        if self.admissible:
            return False
        if self._penalty >= self._highest:
            raise np.linalg.LinAlgError("no network satisfies the constraints, or none that numbers can tell.")
        self._penalty *= 10.0
        self._price_penalty()
        return True

    def _price_penalty(self) -> None:
        free = self._basis.shape[1]
        costs = self._slopes().ravel() / self._cost_unit
        indices = np.arange(free, self._first, dtype=np.int32)
        self._program.changeColsCost(len(indices), indices, costs)
