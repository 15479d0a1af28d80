"""Solve the three data sets, and the interpolation of one, and write solutions and times."""

from __future__ import annotations

import json
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import ridgesplines as rs
from ridgesplines.archive import write_text
from ridgesplines.datasets import DATASETS, Dataset
from ridgesplines.scaling import Scaling


@dataclass(frozen=True)
class Fit:
    """One row of the table.

    Attributes:
        key: names the files.
        dataset: a key of `DATASETS`.
        interpolate: whether to interpolate rather than choose a strength.
        standardize: whether to solve in standardised units.
    """

    key: str
    dataset: str
    interpolate: bool = False
    standardize: bool = False


FITS = (
    Fit("motorcycle", "motorcycle"),
    Fit("elevation", "elevation"),
    Fit("elevation_interpolated", "elevation", interpolate=True),
    Fit("diabetes", "diabetes", standardize=True),
)


def problem_of(fit: Fit, strength: float | None) -> tuple[rs.Problem, Dataset]:
    """The problem that `fit` solves, and its data in their own units."""
    data = DATASETS[fit.dataset]()
    x, y = Scaling.standard(data.x, data.y).apply(data.x, data.y) if fit.standardize else (data.x, data.y)
    loss = rs.Interpolation() if fit.interpolate else rs.SquaredLoss()
    return rs.Problem(rs.Samples(x), y, loss=loss, strength=strength), data


def run(folder: Path) -> None:
    """Solve all, writing one `.npz` per fit and `times.json`, and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    print(
        "| data | N × d | λ | neurons (bound) | objective | relative gap | certificate | choosing λ (s) | solving (s) |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for fit in FITS:
        began = time.perf_counter()
        strength = None
        if not fit.interpolate:
            problem, _ = problem_of(fit, 1.0)
            strength = rs.select_strength(problem.measurements, problem.targets).strength
        chosen = time.perf_counter() - began
        problem, _ = problem_of(fit, strength)
        solution = rs.solve(problem)
        solution.save(folder / f"{fit.key}.npz")
        certificate = solution.certificate
        rows.append(
            {
                "key": fit.key,
                "count": problem.measurements.count,
                "dimension": problem.measurements.dimension,
                "strength": strength,
                "neurons": certificate.width,
                "representer_bound": problem.representer_bound,
                "objective": certificate.objective,
                "bound": certificate.bound,
                "relative_gap": certificate.relative_gap,
                "kind": certificate.kind,
                "misfit": certificate.misfit,
                "seconds_choosing": chosen,
                "seconds_solving": solution.seconds,
            }
        )
        row = rows[-1]
        what = (
            fit.dataset + (", standardised" if fit.standardize else "") + (", interpolated" if fit.interpolate else "")
        )
        print(
            f"| {what} | {row['count']} × {row['dimension']} | {'–' if strength is None else f'{strength:.4g}'} "
            f"| {row['neurons']} ({row['representer_bound']}) | {row['objective']:.7g} | {row['relative_gap']:.1e} "
            f"| {row['kind']} | {'–' if fit.interpolate else f'{chosen:.1f}'} | {solution.seconds:.2f} |",
            flush=True,
        )
    versions = {"ridgesplines": rs.__version__, "python": platform.python_version()}
    write_text(folder / "times.json", json.dumps({"versions": versions, "rows": rows}, indent=2))
