"""Test errors of all methods over those of the mean of the targets, table by table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.style import COLOURS, figure_style, new_figure
from experiments.tabular.data import TABLES
from experiments.tabular.methods import METHODS
from experiments.tabular.run import Row, of
from ridgesplines.archive import write_beside

_MARKERS = "osD^v"


def draw(folder: Path, pictures: Path) -> Path:
    """`tabular.png` from the rows in `folder`."""
    rows: list[Row] = json.loads((folder / "rows.json").read_text(encoding="utf-8"))["rows"]
    pictures.mkdir(parents=True, exist_ok=True)
    with figure_style():
        figure = _figure(rows)
        return write_beside(pictures / "tabular.png", lambda path: figure.savefig(path))


def _figure(rows: list[Row]) -> Figure:
    tables = [table for table in TABLES if any(row["table"] == table.key for row in rows)]
    figure = new_figure(height=0.5 + 0.42 * len(tables))
    axes = figure.subplots()
    for index, method in enumerate(METHODS):
        shift = 0.13 * (index - (len(METHODS) - 1) / 2)
        for place, table in enumerate(tables):
            found = of(rows, table, method)
            if not found:
                continue
            shares = np.array([row["error"] / row["of_the_mean"] for row in found])
            error = shares.std(ddof=1) / np.sqrt(len(shares)) if len(shares) > 1 else 0.0
            axes.errorbar(
                shares.mean(),
                place + shift,
                xerr=error,
                color=COLOURS[index],
                marker=_MARKERS[index],
                label=method.name if table is tables[0] else None,
            )
    axes.set_yticks(range(len(tables)), [table.title for table in tables])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("test error / that of the mean (root mean squares over five folds, ± standard error)")
    figure.legend(loc="outside upper center", ncols=len(METHODS))
    return figure
