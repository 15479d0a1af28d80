"""Solve every case by every method, and write functions, solutions, errors and times."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import ridgesplines as rs
from experiments.experiment import Unavailable
from experiments.inverse_problems.cases import CASES, Case
from experiments.inverse_problems.methods import (
    BEST,
    DISCREPANCY,
    PEERS,
    TRAINED,
    Effort,
    Fitted,
    best_of_path,
    by_discrepancy,
    by_training,
)
from ridgesplines.archive import write_archive, write_text

KIND = "inverse problem"


@dataclass(frozen=True)
class TableRow:
    """What one method made of one case.

    Attributes:
        case: its key in `CASES`.
        title: in words.
        count: N.
        method: its name.
        chosen: its parameter, in words.
        error: the root mean square against the truth.
        spread: the standard deviation of the truth, to compare the error with.
        neurons: of the ridge spline after `sparsify`, or of the network.
        bound: N − dim of the free polynomials.
        relative_gap: of the objective.
        kind: of the certificate.
        regularization: R(f).
        constrained_bound: what R of any network that misses the data by at most δ is at least, by the discrepancy
            principle.
        truth_regularization: R of the truth, if that is a ridge spline.
        seconds: of the method.
    """

    case: str
    title: str
    count: int
    method: str
    chosen: str
    error: float
    spread: float
    neurons: int | None
    bound: int | None
    relative_gap: float | None
    kind: str | None
    regularization: float | None
    constrained_bound: float | None
    truth_regularization: float | None
    seconds: float

    def markdown(self) -> str:
        """The row of the table."""
        neurons = "–" if self.neurons is None else f"{self.neurons} ({self.bound})"
        gap = "–" if self.relative_gap is None else f"{self.relative_gap:.1e} ({self.kind})"
        return (
            f"| {self.title} | {self.count} | {self.method} | {self.chosen or '–'} | {self.error:.4g} "
            f"({100 * self.error / self.spread:.1f} %) | {neurons} | {gap} | {self.seconds:.1f} |"
        )


HEADER = (
    "| case | N | method | chosen | root mean square error (of the truth's deviation) | neurons (bound) | relative gap "
    "| seconds |\n|---|---|---|---|---|---|---|---|"
)


def run(folder: Path, cases: Mapping[str, Callable[[], Case]] = CASES, effort: Effort | None = None) -> list[TableRow]:
    """Write `<case>.npz` and `<case>_solution.npz` for each, `table.md` and `table.json`; print the table.

    Rows of other cases that an earlier run tabled stay.
    """
    effort = Effort() if effort is None else effort
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[TableRow] = []
    skipped: dict[str, str] = {}
    print(HEADER)
    began = time.perf_counter()
    for key, make in cases.items():
        try:
            case = make()
        except Unavailable as reason:
            skipped[key] = str(reason)
            print(f"| {key} | skipped: {reason} | | | | | | |")
            continue
        rows += _of_case(folder, key, case, effort)
        # After each case, so that an interruption keeps what there is.
        _write(folder, cases, rows, skipped)
    print(f"{time.perf_counter() - began:.0f} s in all")
    return rows


def _of_case(folder: Path, key: str, case: Case, effort: Effort) -> list[TableRow]:
    certified = by_discrepancy(case, effort)
    assert certified.solution is not None
    fits: dict[str, Fitted] = {DISCREPANCY: certified}
    rows = [_row(key, case, DISCREPANCY, certified)]
    certified.solution.save(folder / f"{key}_solution.npz")
    methods: dict[str, Callable[[], Fitted]] = {
        BEST: lambda: best_of_path(case, effort, certified),
        TRAINED: lambda: by_training(case, effort, certified),
        **{name: lambda name=name: PEERS[name](case, effort) for name in case.peers},
    }
    for name, method in methods.items():
        fits[name] = method()
        rows.append(_row(key, case, name, fits[name]))
    arrays = {f"method.{name}": np.asarray(fit.function(case.places)) for name, fit in fits.items()}
    arrays |= {"places": case.places, "inside": case.inside, "truth": np.asarray(case.truth(case.places))}
    metadata = {"kind": KIND, "topic": case.topic, "title": case.title, "unit": case.unit, "methods": list(fits)}
    write_archive(folder / f"{key}.npz", arrays, metadata | {"errors": {row.method: row.error for row in rows}})
    return rows


def _row(key: str, case: Case, method: str, fit: Fitted) -> TableRow:
    certificate, problem, spline = fit.certificate, fit.problem, fit.spline
    row = TableRow(
        case=key,
        title=case.title,
        count=case.measurements.count,
        method=method,
        chosen=fit.chosen,
        error=case.error(np.asarray(fit.function(case.places))),
        spread=float(np.std(case.truth(case.places[case.inside]))),
        neurons=None if spline is None else spline.width,
        bound=None if problem is None else problem.representer_bound,
        relative_gap=None if certificate is None else certificate.relative_gap,
        kind=None if certificate is None else certificate.kind,
        regularization=None if spline is None else spline.radon_tv(),
        constrained_bound=None if fit.selection is None else fit.selection.bound,
        truth_regularization=case.truth.radon_tv() if isinstance(case.truth, rs.RidgeSpline) else None,
        seconds=fit.seconds,
    )
    print(row.markdown(), flush=True)
    return row


def _write(folder: Path, cases: Iterable[str], rows: list[TableRow], skipped: dict[str, str]) -> None:
    """Write the tables; what is in them of other cases stays."""
    here, file = set(cases), folder / "table.json"
    before = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"rows": [], "skipped": {}}
    others = [TableRow(**row) for row in before["rows"] if row["case"] not in here]
    skipped = {key: reason for key, reason in before["skipped"].items() if key not in here} | skipped
    order = {key: i for i, key in enumerate(CASES)}
    rows = sorted([*others, *rows], key=lambda row: order.get(row.case, len(order)))
    table = "\n".join([HEADER, *(row.markdown() for row in rows)]) + "\n"
    versions = {"ridgesplines": rs.__version__, "python": platform.python_version()}
    facts = {"versions": versions, "skipped": skipped, "rows": [asdict(row) for row in rows]}
    for name, text in (("table.md", table), ("table.json", json.dumps(facts, indent=2) + "\n")):
        write_text(folder / name, text)
