"""What is set side by side: rows of problems and solvers, as a table, CSV or LaTeX."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ridgesplines.archive import assembling, part_of, read_archive, write_archive
from ridgesplines.certificate import relative_gap
from ridgesplines.problem import Problem
from ridgesplines.problem_files import problem_from_archive, problem_to_archive
from ridgesplines.regularizers import RadonTV
from ridgesplines.solution import Solution
from ridgesplines.solvers.kernel_regression import KernelFit
from ridgesplines.solvers.training import TrainingResult
from ridgesplines.spline import RidgeSpline

# The columns of words.
_LEFT = ("problem", "solver", "certificate", "refused")
COLUMNS = (
    "problem", "solver", "objective", "median", "spread", "relative gap", "certificate", "cost", "raw", "neurons",
    "sparsified", "distance", "test error", "seconds", "refused",
)  # fmt: skip
# What a function without a certificate, or without neurons, has in their columns.
_NONE = "–"


@dataclass(frozen=True, eq=False)
class ComparisonRow:
    """One problem solved by one solver.

    Attributes:
        name: of the problem; empty if there is one only.
        solver: its name.
        problem: what was solved.
        solution: what came out, of a training its best seed; None if the solver refused or failed, or found a function
            that is no network.
        sparse: the solution made as sparse as `merge_neurons` and `sparsify` make it.
        seconds: wall time of the solver.
        refusal: why there is no solution; empty if there is one.
        training: all seeds, if the solver was `NetworkTraining`.
        kernel: the function, if the solver was `KernelRegression`.
        bound: the best proven lower bound of the optimum that any row of this problem has, or the estimate of the row
            of the least objective; None if none has any.
        kind: of the certificate that it comes from.
        distance: root mean square difference to the certified optimum, over 1,000 points between pairs of data, as a
            fraction of the standard deviation of the targets; None if no row is certified or this is that one.
        test_error: root mean square error on the test data, or the fraction of wrong labels; None without test data.
    """

    name: str
    solver: str
    problem: Problem
    solution: Solution | None
    sparse: RidgeSpline | None
    seconds: float
    refusal: str = ""
    training: TrainingResult | None = None
    kernel: KernelFit | None = None
    bound: float | None = None
    kind: str = ""
    distance: float | None = None
    test_error: float | None = None

    @property
    def function(self) -> Callable[[np.ndarray], np.ndarray] | None:
        """What was found, as a function of inputs (n, d)."""
        return self.kernel if self.solution is None else self.solution.spline

    @property
    def objectives(self) -> np.ndarray:
        """J of every seed, of the solution, or of the function if its R is known: (S,), (1,) or (0,)."""
        if self.training is not None:
            return self.training.objectives
        if self.solution is not None:
            return np.array([self.solution.objective])
        return self._of_kernel()[:1]

    @property
    def relative_gaps(self) -> np.ndarray:
        """(objective − bound) / objective of each of `objectives`; none without a bound."""
        if self.bound is None:
            return np.zeros(0)
        return np.array([relative_gap(float(o), self.bound, self.problem.resolution) for o in self.objectives])

    @property
    def cost(self) -> float | None:
        """R(f); None where it is infinite or not known."""
        if self.solution is not None:
            return self.solution.certificate.regularization
        known = self._of_kernel()
        return float(known[1]) if len(known) else None

    @property
    def raw_width(self) -> int | None:
        """The width that was trained, or the neurons of the solution; None for what is no network."""
        if self.solution is None:
            return None
        return int(self.solution.details.get("width", self.solution.spline.width))

    def _of_kernel(self) -> np.ndarray:
        """J and R of a kernel's fit if it has an RTV² and that is the regularizer."""
        cost = None if self.kernel is None or self.problem.regularizer != RadonTV(2) else self.kernel.radon_tv()
        if self.kernel is None or cost is None:
            return np.zeros(0)
        fit = self.kernel(self.problem.points)
        return np.array([self.problem.loss_value(fit) + self.problem.dual_limit * cost, cost])

    def cells(self) -> dict[str, str]:
        """The cells of its row of the table, by column."""
        common = {"problem": self.name, "solver": self.solver}
        if self.function is None:
            return common | {"refused": self.refusal}
        objectives, gaps, cost = self.objectives, self.relative_gaps, self.cost
        if self.training is not None:
            common |= {"median": f"{np.median(objectives):.7g}", "spread": f"{np.ptp(objectives):.1e}"}
        return common | {
            "objective": f"{objectives.min():.7g}" if len(objectives) else _NONE,
            "relative gap": f"{gaps.min():.1e}" if len(gaps) else _NONE,
            "certificate": self.kind if len(gaps) else _NONE,
            "cost": _NONE if cost is None else f"{cost:.6g}",
            "raw": _NONE if self.raw_width is None else str(self.raw_width),
            "neurons": _NONE if self.solution is None else str(self.solution.spline.width),
            "sparsified": _NONE if self.sparse is None else str(self.sparse.width),
            "distance": "" if self.distance is None else f"{self.distance:.1e}",
            "test error": "" if self.test_error is None else f"{self.test_error:.4g}",
            "seconds": f"{self.seconds:.2f}",
        }

    def facts(self) -> dict[str, Any]:
        """The numbers of its row in full, by the names of the CSV's columns."""
        objectives, gaps = self.objectives, self.relative_gaps
        certificate = None if self.solution is None else self.solution.certificate
        several = self.training is not None
        return {
            "problem": self.name,
            "solver": self.solver,
            "objective": float(objectives.min()) if len(objectives) else "",
            "median": float(np.median(objectives)) if several else "",
            "spread": float(np.ptp(objectives)) if several else "",
            "bound": "" if self.bound is None or self.function is None else self.bound,
            "relative_gap": float(gaps.min()) if len(gaps) else "",
            "certificate": self.kind if len(gaps) else "",
            "loss": "" if certificate is None else float(certificate.loss),
            "cost": "" if self.cost is None else float(self.cost),
            "raw": "" if self.raw_width is None else self.raw_width,
            "neurons": "" if self.solution is None else self.solution.spline.width,
            "sparsified": "" if self.sparse is None else self.sparse.width,
            "distance": "" if self.distance is None else self.distance,
            "test_error": "" if self.test_error is None else self.test_error,
            "seconds": self.seconds,
            "status": "" if self.solution is None else self.solution.status.name,
            "refusal": self.refusal,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found: rows in the order of the problems, and of the solvers within each.

    Attributes:
        rows: one per problem and solver.
        details: further facts that a caller attached (the command line keeps the columns here); JSON types.
    """

    rows: tuple[ComparisonRow, ...]
    details: dict[str, Any] = field(default_factory=dict)

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

    def __repr__(self) -> str:
        names = ", ".join(", ".join(part for part in (row.name, row.solver) if part) for row in self.rows)
        return f"Comparison({len(self)} rows: {names})"

    def to_csv(self) -> str:
        """The table as comma-separated values, numbers in full precision."""
        stream = io.StringIO()
        rows = [row.facts() for row in self.rows]
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return stream.getvalue()

    def to_latex(self) -> str:
        """The table as a LaTeX tabular of the package booktabs."""
        columns, rows = self._table()
        kinds = "".join("l" if name in _LEFT else "r" for name in columns)
        lines = [rf"\begin{{tabular}}{{{kinds}}}", r"\toprule", " & ".join(columns) + r" \\", r"\midrule"]
        lines += [" & ".join(map(_escaped, row)) + r" \\" for row in rows]
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one `.npz` file; returns its path.

        Raises:
            ValueError: if a problem, or the kernel of a row, has parts of one's own, which a file cannot hold.
        """
        arrays: dict[str, np.ndarray] = {}
        problems: list[Problem] = []
        rows, questions = [], []
        for i, row in enumerate(self.rows):
            if not any(row.problem is problem for problem in problems):
                own, told = problem_to_archive(row.problem)
                if not own:
                    raise ValueError(f"{row.problem!r} has parts that a file cannot hold; keep the table: to_csv().")
                arrays |= {f"problem {len(problems)}.{name}": array for name, array in own.items()}
                problems.append(row.problem)
                questions.append(told)
            number = next(k for k, problem in enumerate(problems) if problem is row.problem)
            parts, told = _row_to_archive(row)
            arrays |= {f"{i}.{name}": array for name, array in parts.items()}
            rows.append(told | {"problem": number})
        metadata = {"kind": "Comparison", "problems": questions, "rows": rows, "details": self.details}
        return write_archive(path, arrays, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Comparison:
        """Read what `save` wrote.

        Raises:
            ValueError: if the file is missing, damaged, of another kind or of a newer format version.
        """
        arrays, metadata = read_archive(path, ("Comparison",))
        with assembling(path, "comparison"):
            problems = []
            for k, told in enumerate(metadata["problems"]):
                problem = problem_from_archive(part_of(arrays, f"problem {k}"), told)
                if problem is None:
                    raise KeyError("problem")
                problems.append(problem)
            rows = tuple(
                _row_from_archive(part_of(arrays, str(i)), told, problems[told["problem"]])
                for i, told in enumerate(metadata["rows"])
            )
            return cls(rows, dict(metadata["details"]))


# What of a row is a name or a number.
_FACTS = ("name", "solver", "seconds", "refusal", "bound", "kind", "distance", "test_error")


def _row_to_archive(row: ComparisonRow) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    arrays: dict[str, np.ndarray] = {}
    told: dict[str, Any] = {name: getattr(row, name) for name in _FACTS}
    parts: dict[str, tuple[dict[str, np.ndarray], dict[str, Any]]] = {}
    # The best network of a training is the row's solution.
    if row.training is not None:
        parts["training"] = row.training.to_archive(with_problem=False)
    elif row.solution is not None:
        parts["solution"] = row.solution.to_archive(with_problem=False)
    if row.kernel is not None:
        parts["kernel"] = row.kernel.to_archive()
    if row.sparse is not None:
        parts["sparse"] = row.sparse.to_arrays(), {"order": row.sparse.order}
    for name, (own, metadata) in parts.items():
        arrays |= {f"{name}.{part}": array for part, array in own.items()}
        told[name] = metadata
    return arrays, told


def _row_from_archive(arrays: dict[str, np.ndarray], told: dict[str, Any], problem: Problem) -> ComparisonRow:
    """The row in what a file stored; errors of many types if a part is missing."""
    facts = {name: told[name] for name in _FACTS}
    for name in ("seconds", "bound", "distance", "test_error"):
        facts[name] = None if facts[name] is None and name != "seconds" else float(facts[name])
    if not all(isinstance(facts[name], str) for name in ("name", "solver", "refusal", "kind")):
        raise TypeError("a name is none")
    kept = problem.unprepared()
    parts = {name: part_of(arrays, name) for name in ("training", "solution", "kernel", "sparse")}
    training = solution = None
    if "training" in told:
        training = TrainingResult.from_archive(parts["training"], told["training"], kept)
        solution = training.best
    elif "solution" in told:
        solution = Solution.from_archive(parts["solution"], told["solution"], kept)
    return ComparisonRow(
        **facts,
        problem=problem,
        solution=solution,
        sparse=RidgeSpline.from_arrays(parts["sparse"], told["sparse"]) if "sparse" in told else None,
        training=training,
        kernel=KernelFit.from_archive(parts["kernel"], told["kernel"]) if "kernel" in told else None,
    )


def _escaped(text: str) -> str:
    for character in "\\&%$#_{}":
        text = text.replace(character, r"\textbackslash " if character == "\\" else "\\" + character)
    return text.replace(_NONE, "--")
