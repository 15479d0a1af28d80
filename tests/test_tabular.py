"""The comparison on tables: rows that are kept, errors that are those of the estimators, a figure."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import ridgesplines as rs
from experiments.experiment import Unavailable
from experiments.tabular import draw as drawing
from experiments.tabular.data import TABLES, Table
from experiments.tabular.methods import METHODS, Method
from experiments.tabular.run import markdown, of, run


def _bent() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    return x, np.maximum(x @ [1.0, -2.0] + 0.5, 0)


def _missing() -> tuple[np.ndarray, np.ndarray]:
    raise Unavailable("it is elsewhere.")


BENT = Table("zinc", "a bent plane", "height", _bent)
MISSING = Table("mpg", "nothing", "nothing", _missing)
LINEAR = Method("linear (ridge)", lambda seed: LinearRegression())
SPLINE = Method(
    "RidgeSplineRegressorCV",
    lambda seed: rs.RidgeSplineRegressorCV(count=3, ratio=0.01),
    lambda fitted: fitted.spline_.width,
)


def test_a_run_that_was_ended_goes_on_and_is_tabled_and_drawn(tmp_path, monkeypatch, capsys):
    fitted = []

    def make(seed):
        fitted.append(seed)
        if len(fitted) == 3:
            raise KeyboardInterrupt
        return LinearRegression()

    methods = (Method(LINEAR.name, make), SPLINE)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, (BENT, MISSING), methods)
    assert len(json.loads((tmp_path / "rows.json").read_text())["rows"]) == 4  # two folds of both
    rows = run(tmp_path, (BENT, MISSING), methods)
    assert fitted == [0, 1, 2, 2, 3, 4]
    assert "nothing: left out, it is elsewhere." in capsys.readouterr().out
    for method in methods:
        found = of(rows, BENT, method)
        assert [row["fold"] for row in found] == list(range(5))
        assert all(row["count"] == 40 and row["dimension"] == 2 for row in found)
    worst = {method.name: max(row["error"] for row in of(rows, BENT, method)) for method in methods}
    assert worst[SPLINE.name] < 0.5 * worst[LINEAR.name]
    assert {row["kind"] for row in of(rows, BENT, SPLINE)} == {"exact"}
    assert "| a bent plane: height | 40 × 2 |" in markdown(rows, (BENT, MISSING), methods)

    monkeypatch.setattr(drawing, "TABLES", (BENT,))
    assert drawing.draw(tmp_path, tmp_path).name == "tabular.png"


def test_tables_are_numbers_with_as_many_targets():
    for table in TABLES:
        try:
            x, y = table.load()
        except Unavailable:
            continue
        assert x.shape[0] == len(y) >= 50
        assert np.isfinite(x).all()
        assert np.isfinite(y).all()


def test_every_method_tunes_itself_and_learns():
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (60, 2))
    y = np.abs(x[:, 0]) + 0.01 * rng.standard_normal(60)
    kernel, linear = (METHODS[index].make(0).fit(x, y).predict(x) - y for index in (1, -1))
    assert np.std(kernel) < 0.1 * np.std(y)
    assert np.std(linear) > 0.8 * np.std(y)  # |x| is not affine
