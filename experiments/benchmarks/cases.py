"""What is measured: a case is one problem, oracle or program of one size, and makes its records for the table."""

from __future__ import annotations

import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import ridgesplines as rs
from experiments.benchmarks import search_quality
from ridgesplines.oracles import BranchAndBoundOracle, Oracle, Supremum, choose_oracle
from ridgesplines.polynomials import PolynomialFit

SEED = 0
NOISE = 0.1
# Measured several times if it takes less than this, in seconds.
ONCE = 30.0
REPEATS = 3

Record = dict[str, Any]


def sample(count: int, dimension: int, outputs: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Uniform points in [−1, 1]^d, and a bump and a wave with noise there: (N, d) and (N,) or (N, D)."""
    rng = np.random.default_rng([SEED, count, dimension, outputs])
    points = rng.uniform(-1, 1, (count, dimension))
    frequencies = np.append([3.0, 1.0], np.zeros(max(0, dimension - 2)))[:dimension]
    columns = []
    for output in range(max(1, outputs)):
        turned = np.roll(points, output, axis=1) * (1 + output / 4)
        columns.append(np.exp(-2 * np.sum(turned**2, axis=1)) + 0.5 * np.sin(turned @ frequencies))
    clean = np.column_stack(columns) if outputs else columns[0]
    return points, clean + NOISE * rng.standard_normal(clean.shape)


@dataclass(frozen=True)
class Case(ABC):
    """One measurement.

    Attributes:
        series: which line of the figure it belongs to.
        size: N.
    """

    series: str
    size: int

    @abstractmethod
    def records(self, limit: float, repeats: int = REPEATS) -> list[Record]:
        """One record per line of the table, each run being given `limit` seconds."""


@dataclass(frozen=True)
class TimedCase(Case):
    """One whose run is timed: the median of several runs, or one if it takes long; a tiny one before compiles."""

    @abstractmethod
    def prepare(self) -> Any:
        """What the run needs; not timed."""

    @abstractmethod
    def run(self, prepared: Any, limit: float) -> Any:
        """What is timed."""

    @abstractmethod
    def report(self, prepared: Any, outcome: Any) -> Record:
        """The facts about the last run."""

    def seconds(self, outcome: Any, wall: float) -> float:
        """What counts as the run's seconds."""
        return wall

    @property
    def tiny(self) -> TimedCase:
        """The same, as small as may be."""
        return replace(self, size=min(self.size, 20))

    def records(self, limit: float, repeats: int = REPEATS) -> list[Record]:
        """A tiny run, then one run or as many as `repeats`."""
        tiny = self.tiny
        tiny.run(tiny.prepare(), limit)
        prepared = self.prepare()
        times: list[float] = []
        outcome = None
        while not times or (len(times) < repeats and max(times) < ONCE):
            began = time.perf_counter()
            outcome = self.run(prepared, limit)
            times.append(self.seconds(outcome, time.perf_counter() - began))
        known = {"series": self.series, "size": self.size, "seconds": statistics.median(times), "times": times}
        return [known | self.report(prepared, outcome)]


@dataclass(frozen=True)
class SolveCase(TimedCase):
    """`rs.solve`, from the arrays to the certificate.

    Attributes:
        dimension: d.
        loss: of the problem.
        scale: λ = scale · √N; None under a constraint.
        labels: whether the targets are the signs of the data.
        order: m.
        outputs: D, or 0 for targets (N,).
        gap: the relative gap to stop at.
    """

    dimension: int = 2
    loss: rs.Loss = field(default_factory=rs.SquaredLoss)
    scale: float | None = None
    labels: bool = False
    order: int = 2
    outputs: int = 0
    gap: float = 1e-6

    @property
    def strength(self) -> float | None:
        """λ."""
        return None if self.scale is None else self.scale * np.sqrt(self.size)

    def prepare(self) -> tuple[np.ndarray, np.ndarray]:
        """Points and targets."""
        points, targets = sample(self.size, self.dimension, self.outputs)
        return points, np.where(targets > np.median(targets), 1.0, -1.0) if self.labels else targets

    def run(self, prepared: tuple[np.ndarray, np.ndarray], limit: float) -> rs.Solution:
        """Build the problem and solve it."""
        points, targets = prepared
        regularizer = rs.VectorRadonTV(self.order) if self.outputs else rs.RadonTV(self.order)
        problem = rs.Problem(rs.Samples(points), targets, self.loss, regularizer, self.strength)
        solution = rs.solve(problem, self.solver(limit), progress=False)
        if solution.status is rs.Status.INTERRUPTED:
            raise KeyboardInterrupt
        return solution

    def solver(self, limit: float) -> rs.Solver:
        """What solves it, in at most `limit` seconds."""
        return rs.ColumnGeneration(self.gap, limit)

    def report(self, prepared: tuple[np.ndarray, np.ndarray], outcome: rs.Solution) -> Record:
        """Objective, bound and the rest of the certificate."""
        certificate = outcome.certificate
        return {
            "strength": self.strength,
            "objective": certificate.objective,
            "bound": certificate.bound,
            "relative_gap": certificate.relative_gap,
            "kind": certificate.kind,
            "neurons": certificate.width,
            "iterations": len(outcome.trace),
            "status": outcome.status.name.lower().replace("_", " "),
        }


@dataclass(frozen=True)
class ProgramCase(TimedCase):
    """The exact convex program, on the data of the `SolveCase` of the same size: Clarabel's own seconds.

    Attributes:
        scale: λ = scale · √N; None interpolates.
    """

    scale: float | None = None

    def prepare(self) -> tuple[np.ndarray, np.ndarray]:
        """Points and targets."""
        return sample(self.size, 2)

    @property
    def strength(self) -> float | None:
        """λ."""
        return None if self.scale is None else self.scale * np.sqrt(self.size)

    def run(self, prepared: tuple[np.ndarray, np.ndarray], limit: float) -> rs.Solution | None:
        """Build the program and solve it; None if Clarabel fails."""
        loss = rs.Interpolation() if self.scale is None else rs.SquaredLoss()
        problem = rs.Problem(rs.Samples(prepared[0]), prepared[1], loss, strength=self.strength)
        # Clarabel's default tolerance.
        options = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-8) | {"time_limit": limit}
        try:
            return rs.ConvexProgram(most=100_000, options=options).solve(problem, progress=False)
        except np.linalg.LinAlgError:
            return None

    def seconds(self, outcome: rs.Solution | None, wall: float) -> float:
        """Without the patterns, the compilation by cvxpy, which could be done better, and the certificate."""
        return np.nan if outcome is None else outcome.details["solver_seconds"]

    @property
    def tiny(self) -> ProgramCase:
        """A dozen data have few patterns."""
        return replace(self, size=min(self.size, 12))

    def report(self, prepared: tuple[np.ndarray, np.ndarray], outcome: rs.Solution | None) -> Record:
        """Objective, gap and status; how many patterns."""
        if outcome is None:
            return {"strength": self.strength, "status": "failed"}
        details = outcome.details
        return {
            "strength": self.strength,
            "preparing": outcome.seconds - details["solver_seconds"],
            "objective": outcome.objective,
            "relative_gap": outcome.certificate.relative_gap,
            "patterns": details["groups"],
            "iterations": details["solver_iterations"],
            "status": details["solver_status"],
        }


@dataclass(frozen=True)
class OracleCase(TimedCase):
    """One supremum of a Gaussian dual vector at uniform points.

    Attributes:
        dimension: d.
        order: m.
        branching: whether it is by branch and bound rather than by the oracle that `choose_oracle` chooses.
    """

    dimension: int = 2
    order: int = 2
    branching: bool = False

    def prepare(self) -> tuple[list[Oracle], np.ndarray, Callable[[float], Oracle], list[float]]:
        """The dual vector, and how to make the oracle."""
        points, _ = sample(self.size, self.dimension)
        noise = np.random.default_rng([SEED, self.size]).standard_normal(self.size)
        dual = PolynomialFit.at(points, self.order - 1).project_off(noise)

        def make(limit: float) -> Oracle:
            if self.branching:
                return BranchAndBoundOracle(points, time_limit=min(limit, 120.0))
            return choose_oracle(points, self.order)

        return [], dual, make, []

    def run(self, prepared: Any, limit: float) -> tuple[Supremum, float]:
        """The supremum alone, and its seconds; the oracle is made anew."""
        oracles, dual, make, preparing = prepared
        began = time.perf_counter()
        oracle = make(limit)
        preparing.append(time.perf_counter() - began)
        oracles[:] = [oracle]
        began = time.perf_counter()
        answer = oracle.supremum(dual)
        return answer, time.perf_counter() - began

    def seconds(self, outcome: tuple[Supremum, float], wall: float) -> float:
        """Without making the oracle (sorting), which is done once per problem."""
        return outcome[1]

    def report(self, prepared: Any, outcome: tuple[Supremum, float]) -> Record:
        """The value, and how far above it the bound is."""
        oracles, _, _, preparing = prepared
        answer = outcome[0]
        return {
            "preparing": statistics.median(preparing),
            "value": answer.value,
            "excess": answer.upper / answer.value - 1 if answer.value else 0.0,
            "kind": oracles[0].kind,
        }


@dataclass(frozen=True)
class SearchCase(Case):
    """How often the searches find the supremum of one family of problems, by `search_quality`.

    Attributes:
        family: of `search_quality.FAMILIES`.
        problems: how many.
    """

    family: search_quality.Family
    problems: int

    @classmethod
    def of(cls, family: search_quality.Family, problems: int) -> SearchCase:
        """The case of a family."""
        outputs = f", {family.outputs} outputs" if family.outputs else ""
        return cls(
            f"order {family.order}, d = {family.dimension}{outputs}, {family.name}", family.count, family, problems
        )

    def records(self, limit: float, repeats: int = REPEATS) -> list[Record]:
        """One per search."""
        return [
            {
                "series": self.series,
                "size": self.size,
                "search": search,
                "problems": self.problems,
                "seconds": seconds,
                "found": rate,
                "shortfall": max(worst, 0.0),
            }
            for search, rate, worst, seconds in search_quality.measure(self.family, self.problems)
        ]
