"""Fit all methods to all data, and write curves, errors and times."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import ridgesplines as rs
from experiments.experiment import Unavailable
from experiments.line.methods import METHODS
from experiments.line.series import SERIES
from ridgesplines.archive import write_text


def run(folder: Path, names: Iterable[str] = tuple(SERIES), methods: Iterable[str] = tuple(METHODS)) -> None:
    """Write `<data>.npz` for each, `table.json`, and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    print("| data | method | chosen | knots | root mean square error | relative gap | seconds |")
    print("|---|---|---|---|---|---|---|")
    for name in names:
        try:
            series = SERIES[name]()
        except Unavailable as reason:
            print(f"| {name} | skipped: {reason} | | | | | |")
            continue
        grid = np.linspace(series.x[0], series.x[-1], 3000)
        arrays = {"x": series.x, "y": series.y, "grid": grid, "test_x": series.test_x, "test_y": series.test_y}
        for method in methods:
            began = time.perf_counter()
            try:
                fitted = METHODS[method](series.x, series.y)
            except Unavailable as reason:
                print(f"| {name} | {method}: skipped, {reason} | | | | | |")
                continue
            seconds = time.perf_counter() - began if fitted.seconds is None else fitted.seconds
            error = float(np.sqrt(np.mean((fitted.curve(series.test_x) - series.test_y) ** 2)))
            arrays[method] = np.asarray(fitted.curve(grid))
            row = {
                "data": name,
                "count": len(series.x),
                "method": method,
                "chosen": fitted.chosen,
                "knots": fitted.knots,
                "error": error,
                "judged_by": series.judged_by,
                "relative_gap": fitted.gap,
                "kind": fitted.kind,
                "seconds": seconds,
            }
            rows.append(row)
            gap = "–" if fitted.gap is None else f"{fitted.gap:.0e} ({fitted.kind})"
            knots = "–" if fitted.knots is None else str(fitted.knots)
            print(
                f"| {name} ({len(series.x)}; {series.judged_by}) | {method} | {fitted.chosen} | {knots} | {error:.4g} "
                f"| {gap} | {seconds:.2f} |",
                flush=True,
            )
        np.savez(folder / f"{name}.npz", **arrays)  # pyright: ignore[reportArgumentType]
    versions = {"ridgesplines": rs.__version__, "python": platform.python_version()}
    write_text(folder / "table.json", json.dumps({"versions": versions, "rows": rows}, indent=2))
