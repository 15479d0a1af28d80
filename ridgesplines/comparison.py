"""Side by side: one or several problems, one or several solvers, one table and one figure."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.problem import Problem
from ridgesplines.progress import Progress
from ridgesplines.solution import Solution, Status
from ridgesplines.solvers.column_generation import ColumnGeneration
from ridgesplines.solvers.merging import merge_neurons
from ridgesplines.solvers.sparsify import sparsify
from ridgesplines.solving import Solver
from ridgesplines.spline import RidgeSpline

# The columns of words.
_LEFT = ("problem", "solver", "certificate", "refused")


@dataclass(frozen=True, eq=False)
class ComparisonRow:
    """One problem solved by one solver.

    Attributes:
        name: of the problem; empty if there is one only.
        solver: its name.
        problem: what was solved.
        solution: what came out; None if the solver refused or failed.
        sparse: the solution made as sparse as `merge_neurons` and `sparsify` make it.
        seconds: wall time of the solver.
        refusal: why there is no solution; empty if there is one.
    """

    name: str
    solver: str
    problem: Problem
    solution: Solution | None
    sparse: RidgeSpline | None
    seconds: float
    refusal: str = ""

    def cells(self) -> dict[str, str]:
        """The cells of its row of the table, by column."""
        common = {"problem": self.name, "solver": self.solver}
        if self.solution is None or self.sparse is None:
            return common | {"refused": self.refusal}
        certificate = self.solution.certificate
        return common | {
            "objective": f"{certificate.objective:.7g}",
            "relative gap": f"{certificate.relative_gap:.1e}",
            "certificate": certificate.kind,
            "cost": f"{certificate.regularization:.6g}",
            "neurons": str(self.solution.spline.width),
            "sparsified": str(self.sparse.width),
            "seconds": f"{self.seconds:.2f}",
        }


COLUMNS = (
    "problem", "solver", "objective", "relative gap", "certificate", "cost", "neurons", "sparsified", "seconds",
    "refused",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found: rows in the order of the problems, and of the solvers within each.

    Attributes:
        rows: one per problem and solver.
    """

    rows: tuple[ComparisonRow, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: int | str | tuple[str, str]) -> ComparisonRow:
        """The row of a number, of a problem's or a solver's name if that says which, or of both names."""
        if isinstance(key, int):
            return self.rows[key]
        found = [row for row in self.rows if key in (row.name, row.solver, (row.name, row.solver))]
        if len(found) != 1:
            known = ", ".join(f"({row.name!r}, {row.solver!r})" for row in self.rows)
            raise KeyError(f"{key!r} names {len(found)} rows; there are {known}.")
        return found[0]

    def _table(self) -> tuple[list[str], list[list[str]]]:
        cells = [row.cells() for row in self.rows]
        columns = [name for name in COLUMNS if any(row.get(name) for row in cells)]
        return columns, [[row.get(name, "") for name in columns] for row in cells]

    def __rich__(self) -> Any:
        """A table for rich: `rich.print(comparison)`."""
        from rich.table import Table  # only when there is something to show

        columns, rows = self._table()
        table = Table()
        for name in columns:
            table.add_column(name, justify="left" if name in _LEFT else "right")
        for row in rows:
            table.add_row(*row)
        return table

    def __str__(self) -> str:
        columns, rows = self._table()
        widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [columns, *rows]
        ]
        return "\n".join(line.rstrip() for line in lines)

    def to_csv(self) -> str:
        """The table as comma-separated values, numbers in full precision."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        names = ("problem", "solver", "objective", "bound", "relative_gap", "certificate", "loss", "cost", "neurons")
        writer.writerow([*names, "sparsified", "seconds", "status", "refusal"])
        for row in self.rows:
            facts: list[Any] = [""] * 8
            if row.solution is not None and row.sparse is not None:
                c = row.solution.certificate
                facts = [float(c.objective), float(c.bound), float(c.relative_gap), c.kind, float(c.loss)]
                facts += [float(c.regularization), row.solution.spline.width, row.sparse.width]
            status = "" if row.solution is None else row.solution.status.name
            writer.writerow([row.name, row.solver, *facts, row.seconds, status, row.refusal])
        return stream.getvalue()

    def to_latex(self) -> str:
        """The table as a LaTeX tabular of the package booktabs."""
        columns, rows = self._table()
        kinds = "".join("l" if name in _LEFT else "r" for name in columns)
        lines = [rf"\begin{{tabular}}{{{kinds}}}", r"\toprule", " & ".join(columns) + r" \\", r"\midrule"]
        lines += [" & ".join(map(_escaped, row)) + r" \\" for row in rows]
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _escaped(text: str) -> str:
    for character in "\\&%$#_{}":
        text = text.replace(character, r"\textbackslash " if character == "\\" else "\\" + character)
    return text


def compare(
    problems: Problem | Mapping[str, Problem],
    solvers: Solver | Mapping[str, Solver] | None = None,
    *,
    progress: bool | None = None,
) -> Comparison:
    """Solve each problem with each solver, and set the certified results side by side.

    One data set under several regularizers, for instance, `{"path norm": Problem(…), "bounded biases": Problem(…)}`,
    or one problem by several solvers. A solver that refuses a problem, or fails, leaves a row that says why.

    Args:
        problems: one, or several by name.
        solvers: one, or several by name; `ColumnGeneration()` by default.
        progress: show a line of progress; None shows it on a terminal.

    Returns:
        A `Comparison`; `plotting.plot_comparison` draws it.

    Raises:
        TypeError: if there is something else among the problems or the solvers.
        ValueError: if there is none.
    """
    questions = problems if isinstance(problems, Mapping) else {"": problems}
    methods = solvers if isinstance(solvers, Mapping) else {"": ColumnGeneration() if solvers is None else solvers}
    if not questions or not methods:
        raise ValueError("there must be one problem and one solver at least.")
    for name, problem in questions.items():
        if not isinstance(problem, Problem):
            raise TypeError(f"problems must be Problems, got {type(problem).__name__} for {name!r}.")
    for name, solver in methods.items():
        if isinstance(solver, type) or not hasattr(solver, "solve"):
            got = solver.__name__ if isinstance(solver, type) else type(solver).__name__
            raise TypeError(f"solvers must be instances with a method solve, got {got} for {name!r}.")
    rows = []
    with Progress(progress) as show:
        for name, problem in questions.items():
            for method, solver in methods.items():
                shown = method or type(solver).__name__
                show(f"comparing: {name} {shown}, {len(rows) + 1} of {len(questions) * len(methods)}")
                rows.append(_row(name, shown, problem, solver))
                solution = rows[-1].solution
                if solution is not None and solution.status is Status.INTERRUPTED:
                    return Comparison(tuple(rows))
    return Comparison(tuple(rows))


def _row(name: str, method: str, problem: Problem, solver: Solver) -> ComparisonRow:
    began = time.perf_counter()
    try:
        solution = solver.solve(problem, progress=False)
    except (ValueError, NotImplementedError, np.linalg.LinAlgError) as error:
        return ComparisonRow(name, method, problem, None, None, time.perf_counter() - began, str(error))
    seconds = time.perf_counter() - began
    sparse = sparsify(problem, merge_neurons(problem, solution.spline))
    return ComparisonRow(name, method, problem, solution, sparse, seconds)
