"""Six problems and 32 seeds: is the best seed above the proven bound always, and how near to it?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import ridgesplines as rs
from ridgesplines.archive import write_text

SEEDS = 32
# Networks are this many times as wide as the certified optimum.
WIDER = 4


@dataclass(frozen=True)
class Case:
    """A bump and a wave with noise at N uniform points in [−1, 1]^d, or labels of which every fifth is wrong.

    Attributes:
        dimension: d.
        order: m.
        logistic: whether the loss is logistic; otherwise squared.
        strength: λ.
        count: N.
        gap: the certified relative gap to ask for.
        steps: of training.
        learning_rate: of training, or None for the default of the optimiser.
    """

    dimension: int
    order: int
    logistic: bool
    strength: float
    count: int
    gap: float = 1e-6
    steps: int = 5000
    learning_rate: float | None = None

    @property
    def title(self) -> str:
        """The row's name."""
        return f"d = {self.dimension}, order {self.order}, {'logistic' if self.logistic else 'squared'}"

    def make(self) -> rs.Problem:
        """The problem."""
        rng = np.random.default_rng(0)
        x = rng.uniform(-1, 1, (self.count, self.dimension))
        y = np.exp(-2 * np.sum(x**2, axis=1)) + np.sin(3 * x[:, 0]) + 0.1 * rng.standard_normal(self.count)
        if self.logistic:
            # No polynomial of low degree separates them.
            y = np.where(y > np.median(y), 1.0, -1.0) * np.where(np.arange(self.count) % 5, 1, -1)
        loss = rs.LogisticLoss() if self.logistic else rs.SquaredLoss()
        return rs.Problem(rs.Samples(x), y, loss, rs.RadonTV(self.order), self.strength)


CASES = (
    Case(1, 2, False, 0.1, 30),
    # Its networks grow to a seminorm of thousands, which takes long.
    Case(1, 4, True, 1e-4, 30, steps=50_000, learning_rate=0.1),
    Case(2, 2, True, 0.2, 30),
    Case(2, 4, False, 1e-3, 40),
    Case(10, 2, True, 1.0, 100, 1e-4),
    Case(10, 4, False, 0.03, 400, 1e-4),
)
WAYS: dict[str, dict[str, Any]] = {
    "path norm, Adam": dict(penalty="path norm"),
    "path norm, proximal": dict(penalty="path norm", optimizer="proximal"),
    "weight decay, Adam": dict(penalty="weight decay"),
    "plain weight decay, Adam": dict(penalty="plain weight decay"),
}


@dataclass(frozen=True)
class Outcome:
    """How 32 seeds of one way of training ended on one problem.

    Attributes:
        case: the title of the problem.
        way: of training.
        width: K.
        certified: neurons of the certified optimum.
        kind: of its certificate.
        bound: of the optimum.
        gaps: (objective − bound) / objective of each seed.
        neurons: of each seed, merged.
        hyperplanes: of each seed's active neurons in the end, nearly equal ones counted once.
        seconds: of all seeds.
    """

    case: str
    way: str
    width: int
    certified: int
    kind: str
    bound: float
    gaps: list[float]
    neurons: list[int]
    hyperplanes: list[int]
    seconds: float

    def line(self) -> str:
        """The row of the table."""
        low, middle, high = (f"{np.quantile(self.gaps, q):.1e}" for q in (0, 0.5, 1))
        neurons, hyperplanes = (
            f"{min(counts)} / {np.median(counts):.0f} / {max(counts)}" for counts in (self.neurons, self.hyperplanes)
        )
        return (
            f"| {self.case} ({self.width}) | {self.way} | {low} | {middle} | {high} | {neurons} ({self.certified}) "
            f"| {hyperplanes} | {self.seconds:.0f} |"
        )


HEAD = (
    "| problem (width) | training | best | median | worst gap | neurons, least / median / most (certified) "
    "| active hyperplanes | s |"
)


def outcomes(case: Case, seeds: int = SEEDS, steps: int | None = None, wider: float = WIDER) -> Iterator[Outcome]:
    """Train in each way; `steps` None for those of the case."""
    problem = case.make()
    solution = rs.solve(problem, rs.ColumnGeneration(gap=case.gap, time_limit=120))
    width = max(round(wider * solution.spline.width), 4)
    for way, settings in WAYS.items():
        if settings["penalty"] == "plain weight decay" and case.order == 2:
            continue  # the same as weight decay
        result = rs.train(
            problem,
            width=width,
            steps=steps or case.steps,
            learning_rate=case.learning_rate,
            seeds=seeds,
            dual=solution.dual,
            **settings,
        )
        bound = solution.certificate.bound
        gaps = (result.objectives - bound) / result.objectives
        yield Outcome(
            case.title,
            way,
            width,
            solution.spline.width,
            solution.certificate.kind,
            bound,
            gaps.tolist(),
            result.widths.tolist(),
            result.trajectory.distinct[:, -1].tolist(),
            result.seconds,
        )


def run(folder: Path, cases: tuple[Case, ...] = CASES, seeds: int = SEEDS, steps: int | None = None) -> list[Outcome]:
    """Print the table, and write it to `seeds.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    print(HEAD)
    print("|---" * 8 + "|")
    for case in cases:
        for outcome in outcomes(case, seeds, steps):
            found.append(outcome)
            print(outcome.line(), flush=True)
    rows = [asdict(outcome) for outcome in found]
    write_text(folder / "seeds.json", json.dumps({"seeds": seeds, "steps": steps, "rows": rows}, indent=2))
    return found
