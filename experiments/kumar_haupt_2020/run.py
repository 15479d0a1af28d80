"""Interpolate under each constraint set, count neurons, tell classes apart, and write what comes out."""

from __future__ import annotations

import csv
import io
import json
import platform
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

import ridgesplines as rs
from experiments.kumar_haupt_2020.fewest import fewest_knots
from experiments.kumar_haupt_2020.sets import CLASSIFIERS, SETS, Classifier, ConstraintSet, classes_of, problem_of
from ridgesplines.archive import write_text

# On the way to fewer neurons, tighter than the default: what is split between two neurons is told apart.
SOLVER = rs.ColumnGeneration(gap=1e-8)
WHERE = {1: "line", 2: "plane"}


@dataclass(frozen=True)
class TableRow:
    """What one constraint set made of one data set.

    Attributes:
        where: "line" or "plane".
        constraints: the title of the set.
        neurons: of the certified solution as column generation leaves it.
        sparsified: after `sparsify`: never more than the representer theorem says.
        merged: after `merge_neurons` and `sparsify`.
        reweighted: after `reweight`, a heuristic; None if it failed.
        above: relative, how far the cost of that is above the least one.
        fewest: on the line, the fewest knots of any interpolant whatever it costs; None in the plane.
        norm: the atomic norm.
        relative_gap: of the merged solution.
        kind: of the certificate.
        seconds: of column generation.
    """

    where: str
    constraints: str
    neurons: int
    sparsified: int
    merged: int
    reweighted: int | None
    above: float | None
    fewest: int | None
    norm: float
    relative_gap: float
    kind: str
    seconds: float

    def markdown(self) -> str:
        """Its row of the table."""
        again = "–" if self.reweighted is None or self.above is None else f"{self.reweighted} ({self.above:.0e})"
        fewest = "–" if self.fewest is None else str(self.fewest)
        return (
            f"| {self.where}: {_escaped(self.constraints)} | {self.neurons} | {self.sparsified} | {self.merged} "
            f"| {again} | {fewest} | {self.norm:.6g} | {self.relative_gap:.0e} | {self.kind} | {self.seconds:.2f} |"
        )


HEADER = (
    "| data: constraints | neurons | sparsified | merged | reweighted (norm above the least) | fewest knots "
    "| atomic norm | relative gap | certificate | seconds |\n|---|---|---|---|---|---|---|---|---|---|"
)


def run(
    folder: Path,
    sets: tuple[ConstraintSet, ...] = SETS,
    classifiers: tuple[Classifier, ...] = CLASSIFIERS,
    dimensions: tuple[int, ...] = (1, 2),
) -> list[TableRow]:
    """Write a solution for each constraint set and data set, `table.md`, `.csv` and `.json`; print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, refused = [], {}
    print(HEADER)
    for dimension in dimensions:
        problems = {}
        for which in sets:
            try:
                problems[which] = problem_of(which, dimension)
            except ValueError as error:
                # Refused before it is solved: no network of the kind interpolates.
                refused[f"{WHERE[dimension]}: {which.title}"] = str(error)
        comparison = rs.compare({which.title: problem for which, problem in problems.items()}, SOLVER)
        for which, problem in problems.items():
            row, saved = table_row(which, dimension, problem, comparison[which.title])
            saved.save(folder / f"{which.key}_{WHERE[dimension]}.npz")
            rows.append(row)
            print(row.markdown(), flush=True)
    for name, reason in refused.items():
        print(f"{name}: {reason}")
    for classifier in classifiers:
        _tell_apart(classifier, folder)
    _write(folder, rows, refused)
    return rows


def table_row(
    which: ConstraintSet, dimension: int, problem: rs.Problem, found: rs.ComparisonRow
) -> tuple[TableRow, rs.Solution]:
    """The row of one set, and its solution with the fewest neurons of the least norm."""
    if found.solution is None or found.sparse is None:
        raise ValueError(f"{which.title}: {found.refusal}")
    solution = found.solution
    certificate = rs.certify(problem, found.sparse, dual=solution.dual)
    try:
        again = rs.reweight(problem)
        reweighted, above = again.spline.width, max(again.objective / certificate.bound - 1, 0.0)
    except np.linalg.LinAlgError:
        reweighted, above = None, None
    row = TableRow(
        where=WHERE[dimension],
        constraints=which.title,
        neurons=solution.spline.width,
        sparsified=rs.sparsify(problem, solution.spline).width,
        merged=found.sparse.width,
        reweighted=reweighted,
        above=above,
        fewest=fewest_knots(problem.points[:, 0], problem.targets) if dimension == 1 else None,
        norm=certificate.regularization,
        relative_gap=certificate.relative_gap,
        kind=certificate.kind,
        seconds=found.seconds,
    )
    return row, rs.Solution(found.sparse, certificate, solution.status, solution.trace, solution.seconds)


def _tell_apart(which: Classifier, folder: Path) -> None:
    problem = classes_of(which)
    solution = rs.solve(problem, SOLVER)
    merged = rs.merge_neurons(problem, solution.spline)
    certificate = rs.certify(problem, merged, dual=solution.dual)
    kept = rs.Solution(merged, certificate, solution.status, solution.trace, solution.seconds)
    kept.save(folder / f"{which.key}.npz")
    wrong = int(np.sum(problem.targets * merged(problem.points) <= 0))
    print(f"{which.title}: {merged.width} neurons, {wrong} of {len(problem.targets)} data misclassified, {certificate}")


def _write(folder: Path, rows: list[TableRow], refused: dict[str, str]) -> None:
    text = "\n".join([HEADER, *(row.markdown() for row in rows)]) + "\n"
    write_text(folder / "table.md", text)
    stream = io.StringIO()
    names = [field.name for field in fields(TableRow)]
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([getattr(row, name) for name in names] for row in rows)
    write_text(folder / "table.csv", stream.getvalue())
    facts = {
        "versions": {"ridgesplines": rs.__version__, "python": platform.python_version()},
        "rows": [{name: getattr(row, name) for name in names} for row in rows],
        "refused": refused,
    }
    write_text(folder / "table.json", json.dumps(facts, indent=2))


def _escaped(text: str) -> str:
    return text.replace("|", r"\|")


def run_line(file: Path, folder: Path) -> list[dict[str, object]]:
    """The knots of the interpolant with penalised biases beside the fewest, for the cases of a JSON file; prints them.

    Args:
        file: a list of objects with `name`, `x` and `y`, and, to compare with, `sparsest_knots`.
        folder: where to write `line.json`.
    """
    if not file.is_file():
        raise ValueError(f"there is no file {file}; give a JSON list of objects with name, x and y.")
    rows = []
    print("| data | column generation | merged | fewest knots | longest run of one curvature | gap | agree |")
    print("|---|---|---|---|---|---|---|")
    for case in json.loads(file.read_text(encoding="utf-8")):
        x, y = np.array(case["x"], dtype=float), np.array(case["y"], dtype=float)
        problem = rs.Problem(rs.Samples(x[:, None]), y, rs.Interpolation(), rs.AtomicNorm(bias="joint", skip="affine"))
        began = time.perf_counter()
        solution = rs.solve(problem, SOLVER)
        merged = rs.merge_neurons(problem, solution.spline)
        certificate = rs.certify(problem, merged, dual=solution.dual)
        fewest = fewest_knots(x, y)
        stored = case.get("sparsest_knots", fewest)
        if stored != fewest:
            raise ValueError(f"{case['name']}: {file} says {stored} knots at least, the recursion {fewest}.")
        row = {
            "name": case["name"],
            "neurons": solution.spline.width,
            "merged": merged.width,
            "fewest": fewest,
            "longest_run": longest_run(x, y),
            "relative_gap": certificate.relative_gap,
            "kind": certificate.kind,
            "seconds": time.perf_counter() - began,
        }
        rows.append(row)
        print(
            f"| {row['name']} | {row['neurons']} | {row['merged']} | {fewest} | {row['longest_run']} "
            f"| {certificate.relative_gap:.0e} ({certificate.kind}) | {'yes' if merged.width == fewest else 'no'} |",
            flush=True,
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "line.json", json.dumps(rows, indent=2))
    return rows


def longest_run(x: np.ndarray, y: np.ndarray) -> int:
    """How many neighbouring slope changes of one sign there are at most."""
    signs = np.sign(np.diff(np.diff(y) / np.diff(x)))
    ends = np.flatnonzero(np.append(True, np.append(signs[1:] != signs[:-1], True)))
    return int(np.diff(ends).max(initial=0))
