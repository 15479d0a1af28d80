"""The experiments run; the figures of the first fit redraw from what it saved."""

from __future__ import annotations

import json

import pytest

import ridgesplines as rs
from experiments.benchmarks import search_quality
from experiments.first_fit import draw, run


def test_results_are_saved_certified_and_redrawn(monkeypatch, tmp_path, capsys):
    fits = tuple(fit for fit in run.FITS if fit.dataset == "motorcycle")
    for module in (run, draw):
        monkeypatch.setattr(module, "FITS", fits)
    run.run(tmp_path / "results")
    (row,) = json.loads((tmp_path / "results" / "times.json").read_text())["rows"]
    assert row["kind"] == "exact"
    assert row["relative_gap"] <= 1e-6
    assert f"| {row['neurons']} ({row['representer_bound']}) |" in capsys.readouterr().out
    solution = rs.Solution.load(tmp_path / "results" / "motorcycle.npz")
    assert solution.objective == pytest.approx(row["objective"])
    draw.draw(tmp_path / "results", tmp_path / "pictures")
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["motorcycle.png"]


def test_the_quality_of_the_searches_is_measured(capsys):
    families = (search_quality.Family(2, 2, 20, strength=0.3), search_quality.Family(2, 3, 20, outputs=2))
    search_quality.print_table(families, 3)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[5] for row in rows] == ["ascent", "search", "search, 512 starts", "ascent"]
    assert all(row[6] == "100.0%" and float(row[7]) <= 1e-9 for row in rows)
