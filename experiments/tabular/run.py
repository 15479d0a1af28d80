"""Fit every method to every fold of every table, and write the rows as they come: a run that was ended goes on."""

from __future__ import annotations

import json
import platform
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold
from threadpoolctl import threadpool_limits

import ridgesplines as rs
from experiments.experiment import Unavailable
from experiments.tabular.data import TABLES, Table
from experiments.tabular.methods import FOLDS, METHODS, Method
from ridgesplines.archive import write_text

Row = dict[str, Any]


def run(folder: Path, tables: tuple[Table, ...] = TABLES, methods: tuple[Method, ...] = METHODS) -> list[Row]:
    """Complete `rows.json` in `folder` and print the table; folds that are there already are not fitted again."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "rows.json"
    rows: list[Row] = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.is_file() else []
    done = {(row["table"], row["method"], row["fold"]) for row in rows}
    for table in tables:
        try:
            x, y = table.load()
        except Unavailable as reason:
            print(f"{table.title}: left out, {reason}")
            continue
        for fold, (train, test) in enumerate(KFold(FOLDS, shuffle=True, random_state=0).split(x)):
            for method in methods:
                if (table.key, method.name, fold) in done:
                    continue
                rows.append(_row(table, method, fold, (x[train], y[train]), (x[test], y[test])))
                _write(file, rows)
                print(f"{table.key}, fold {fold}, {method.name}: {rows[-1]['error']:.4g}", flush=True)
    print(markdown(rows, tables, methods))
    return rows


def _row(
    table: Table,
    method: Method,
    fold: int,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
) -> Row:
    estimator = method.make(fold)
    # Processor time: what else the machine does counts less than in seconds of the clock.
    began = time.process_time()
    # Networks that end at their limit of steps are among those compared.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(*train)
    seconds = time.process_time() - began
    x, y = test
    row = {
        "table": table.key,
        "method": method.name,
        "fold": fold,
        "count": len(train[0]) + len(x),
        "dimension": x.shape[1],
        "error": float(np.sqrt(np.mean((estimator.predict(x) - y) ** 2))),
        "of_the_mean": float(np.sqrt(np.mean((train[1].mean() - y) ** 2))),
        "width": method.width(estimator),
        "seconds": seconds,
    }
    if isinstance(estimator, rs.RidgeSplineRegressorCV):
        row |= {"relative_gap": estimator.certificate_.relative_gap, "kind": estimator.certificate_.kind}
    return row


def _write(file: Path, rows: list[Row]) -> None:
    versions = {
        "ridgesplines": rs.__version__,
        "scikit-learn": sklearn.__version__,
        "python": platform.python_version(),
    }
    text = json.dumps({"versions": versions, "rows": rows}, indent=1)
    write_text(file, text)


def of(rows: list[Row], table: Table, method: Method) -> list[Row]:
    """The rows of one table and method, by fold."""
    chosen = [row for row in rows if (row["table"], row["method"]) == (table.key, method.name)]
    return sorted(chosen, key=lambda row: row["fold"])


def markdown(rows: list[Row], tables: tuple[Table, ...] = TABLES, methods: tuple[Method, ...] = METHODS) -> str:
    """Mean test errors (root mean squares) with their standard errors, median neurons, processor seconds of a fit."""
    lines = [
        "| table | N × d | " + " | ".join(method.name for method in methods) + " |",
        "|---|---|" + "---|" * len(methods),
    ]
    for table in tables:
        cells = [_cell(of(rows, table, method)) for method in methods]
        if any(cells):
            first = next(row for row in rows if row["table"] == table.key)
            size = f"{first['count']} × {first['dimension']}"
            lines.append(f"| {table.title}: {table.target} | {size} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(rows: list[Row]) -> str:
    if not rows:
        return ""
    errors = np.array([row["error"] for row in rows])
    spread = errors.std(ddof=1) / np.sqrt(len(errors)) if len(errors) > 1 else np.nan
    width = np.median([row["width"] for row in rows])
    seconds = np.median([row["seconds"] for row in rows])
    neurons = f"{width:.0f} neurons, " if width else ""
    spent = f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.2g}"
    return f"{errors.mean():.3g} ± {spread:.1g} ({neurons}{spent} s)"
