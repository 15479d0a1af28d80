"""Certify the optimum of several problems, train networks on them in several ways, and write what comes out."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import ridgesplines as rs
from ridgesplines.archive import write_text
from ridgesplines.scaling import Scaling


@dataclass(frozen=True)
class Case:
    """One problem.

    Attributes:
        key: names the files.
        title: names the row.
        make: the problem.
        gap: the certified relative gap to ask for.
    """

    key: str
    title: str
    make: Callable[[], rs.Problem]
    gap: float = 1e-6


def _motorcycle() -> rs.Problem:
    x, y = rs.datasets.motorcycle()
    return rs.Problem(rs.Samples(x), y, strength=84.0)


def _elevation() -> rs.Problem:
    x, y = rs.datasets.elevation(count=100)
    return rs.Problem(rs.Samples(x), y, strength=300.0)


def _cubic() -> rs.Problem:
    x, y = rs.datasets.motorcycle()
    return rs.Problem(rs.Samples(x), y, regularizer=rs.RadonTV(4), strength=100.0)


def _logistic() -> rs.Problem:
    x, y = rs.datasets.elevation(count=100)
    return rs.Problem(rs.Samples(x), np.where(y > np.median(y), 1.0, -1.0), loss=rs.LogisticLoss(), strength=1.0)


def _diabetes() -> rs.Problem:
    data = rs.datasets.diabetes()
    x, y = Scaling.standard(data.x, data.y).apply(data.x, data.y)
    return rs.Problem(rs.Samples(x), y, strength=13.0)


CASES = (
    Case("motorcycle", "motorcycle (d = 1)", _motorcycle),
    Case("cubic", "motorcycle, order 4", _cubic),
    Case("elevation", "elevation (d = 2)", _elevation),
    Case("logistic", "elevation, logistic", _logistic),
    Case("diabetes", "diabetes (d = 10)", _diabetes, 1e-4),
)
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("path norm, Adam", dict(penalty="path norm")),
    ("path norm, proximal", dict(penalty="path norm", optimizer="proximal")),
    ("weight decay, Adam", dict(penalty="weight decay")),
    ("plain weight decay, Adam", dict(penalty="plain weight decay")),
    ("path norm, L-BFGS", dict(penalty="path norm", optimizer="lbfgs")),
    ("weight decay, SGD", dict(penalty="weight decay", optimizer="sgd")),
)
STEPS, SEEDS = 5000, 4


def options_of(way: str, settings: dict[str, Any], width: int, steps: int) -> dict[str, Any]:
    """Those of `rs.train`; L-BFGS does more with a step."""
    shorter = steps // 5 if settings.get("optimizer") == "lbfgs" else steps
    return settings | dict(width=width, steps=shorter, seeds=SEEDS, keep_neurons=way == "path norm, proximal")


def run(folder: Path, cases: tuple[Case, ...] = CASES, steps: int = STEPS) -> None:
    """Write the solution and the trained networks of each case, and `table.json`; print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    print("| problem (width) | training | best | median | worst relative gap | neurons (certified) | seconds |")
    print("|---|---|---|---|---|---|---|")
    for case in cases:
        problem = case.make()
        solution = rs.solve(problem, rs.ColumnGeneration(gap=case.gap))
        solution.save(folder / f"{case.key}.npz")
        width = 4 * max(solution.spline.width, 5)
        for number, (way, settings) in enumerate(WAYS):
            if settings["penalty"] == "plain weight decay" and problem.regularizer.order == 2:
                continue  # the same as weight decay
            result = rs.train(problem, dual=solution.dual, **options_of(way, settings, width, steps))
            result.save(folder / f"{case.key}_{number}.npz")
            bound = max(solution.certificate.bound, result.best.certificate.bound)
            gaps = (result.objectives - bound) / result.objectives
            row = {
                "case": case.key,
                "training": way,
                "width": width,
                "gaps": gaps.tolist(),
                "neurons": result.widths.tolist(),
                "certified_neurons": solution.spline.width,
                "bound": bound,
                "kind": solution.certificate.kind,
                "seconds": result.seconds,
            }
            rows.append(row)
            print(
                f"| {case.title} ({width}) | {way} | {gaps.min():.1e} | {np.median(gaps):.1e} | {gaps.max():.1e} "
                f"| {min(row['neurons'])} to {max(row['neurons'])} ({solution.spline.width}) | {result.seconds:.1f} |",
                flush=True,
            )
    versions = {"ridgesplines": rs.__version__, "python": platform.python_version()}
    facts = {"versions": versions, "steps": steps, "seeds": SEEDS, "rows": rows}
    write_text(folder / "table.json", json.dumps(facts, indent=2))
