"""The first-fit experiment: it runs, and its figures redraw from what it saved."""

from __future__ import annotations

import json

import pytest

import ridgesplines as rs
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
