"""The commands beside fit and certify: what they print, write, keep after Ctrl-C and complete."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines import cli_compare, cli_tables, cli_train
from ridgesplines.solvers.training.penalties import PENALTIES
from ridgesplines.solvers.training.steps import OPTIMIZERS

LINE = "x,y\n" + "".join(f"{i / 5},{abs(i - 12) + (i * 7) % 3}\n" for i in range(30))


@pytest.fixture
def line(command) -> str:
    Path("line.csv").write_text(LINE)
    return "line.csv"


def data() -> tuple[np.ndarray, np.ndarray]:
    rows = np.array([[float(cell) for cell in line.split(",")] for line in LINE.splitlines()[1:]])
    return rows[:, 0], rows[:, 1]


TRAIN = ("--width", "6", "--steps", "30", "--seeds", "2", "--strength", "0.5")


def test_train_says_how_far_networks_are_from_the_certified_optimum(command, line):
    code, out, err = command("train", line, "-t", "y", *TRAIN, "--json", "--save", "t", "--plot", "t.png")
    assert code == 0, err
    report = json.loads(out)
    problem = rs.Problem(rs.Samples(data()[0]), data()[1], strength=0.5)
    optimum = rs.solve(problem).objective
    assert report["certified"]["objective"] == pytest.approx(optimum, rel=1e-9)
    assert report["certified"]["certificate"] == "exact"
    result = rs.load("t.npz")
    # Each network's objective is evaluated anew from the file.
    for spline, objective, gap in zip(result.splines, report["objectives"], report["relative_gaps"], strict=True):
        assert problem.objective(spline) == pytest.approx(objective, rel=1e-9)
        assert gap == pytest.approx((objective - optimum) / objective, abs=1e-6)
        assert gap > -1e-9
    assert result.best.details["training"]["width"] == 6
    assert Path("t.png").read_bytes()[:4] == b"\x89PNG"
    # The same seed, the same numbers.
    code, out, _ = command("train", line, "-t", "y", *TRAIN)
    assert code == 0
    assert "gap to the proven bound" in out
    assert all(f"{objective:.8g}" in out for objective in report["objectives"])


def test_networks_trained_in_standardised_units_predict_the_table(command, line):
    code, out, err = command("train", line, "-t", "y", *TRAIN, "--standardize", "--json", "--save", "t")
    assert code == 0, err
    report, result = json.loads(out), rs.load("t.npz")
    x, y = data()
    spread, target_spread = x.std(), y.std()
    # RTV of (f(σx + μ) − m) / s is σ / s times that of f.
    for spline, objective in zip(result.splines, report["objectives"], strict=True):
        loss = 0.5 * np.sum(((np.asarray(spline(x[:, None])) - y) / target_spread) ** 2)
        assert loss + 0.5 * spline.radon_tv() * spread / target_spread == pytest.approx(objective, rel=1e-9)
    # The best is certified as what it was trained for, and on its table.
    for again in (("certify", "t.npz", "--json"), ("certify", "t.npz", line, "--json")):
        code, out, err = command(*again)
        assert code == 0, err
        assert json.loads(out)["objective"] == pytest.approx(report["best"]["objective"], rel=1e-9)
        assert json.loads(out)["certificate"] == "exact"
    code, out, _ = command("train", line, "-t", "y", *TRAIN, "--standardize")
    assert "undone in the saved networks" in out
    code, out, _ = command("compare", line, "-t", "y", "--solvers", "certified", "--strength", "0.5", "--standardize")
    assert "all numbers and files are in these units" in out


def test_the_names_of_choices_are_those_of_the_package():
    assert [name.replace("-", " ") for name in cli_train.PENALTIES] == list(PENALTIES)
    assert {name.replace("-", " ") for name in cli_train.OPTIMIZERS} == set(OPTIMIZERS)
    assert tuple(rs.datasets.DATASETS) == cli_tables.DATASETS


def test_path_lists_certified_strengths_beside_their_errors(command, line):
    code, out, err = command("path", line, "-t", "y", "--count", "6", "--json", "--save", "p", "--plot", "p.pdf")
    assert code == 0, err
    report = json.loads(out)
    path = rs.load("p.npz")
    np.testing.assert_allclose(path.strengths, report["strengths"])
    assert report["neurons"] == path.widths.tolist()
    assert (np.diff(report["strengths"]) < 0).all()
    assert (np.diff(report["losses"]) <= 1e-9).all()
    assert max(report["relative_gaps"]) <= 1e-6
    assert report["certificates"] == ["exact"] * 6
    validation = report["cross_validation"]
    best = int(np.argmin(validation["errors"]))
    assert report["strength"] == validation["strengths"][best]
    selection = rs.select_strength(rs.Samples(data()[0]), data()[1], count=6, ratio=1e-3)
    np.testing.assert_allclose(validation["errors"], selection.errors)
    assert Path("p.pdf").read_bytes()[:4] == b"%PDF"
    code, out, _ = command("path", line, "-t", "y", "--count", "6")
    assert code == 0
    assert out.count("chosen") == 1


def test_of_few_rows_a_path_has_few_folds(command):
    Path("few.csv").write_text("x,y\n1,2\n2,3\n3,1\n")
    code, out, err = command("path", "few.csv", "-t", "y", "--count", "3", "--json")
    assert code == 0, err
    assert json.loads(out)["cross_validation"]["folds"] == 3
    code, _, err = command("path", "few.csv", "-t", "y", "--folds", "4")
    assert code == 2
    assert "--folds must be 0, or from 2 to the number of rows, 3, got 4" in err


def test_compare_measures_all_on_the_rows_held_out(command, line):
    Path("line.csv").write_text("\n".join(LINE.splitlines()[:21]) + "\n")
    options = ("--width", "6", "--steps", "30", "--seeds", "2", "--strength", "0.5")
    files = ("--csv", "c.csv", "--latex", "c.tex", "--plot", "c.svg", "--save", "c")
    code, out, err = command("compare", line, "-t", "y", *options, *files, "--json")
    assert code == 0, err
    report = json.loads(out)
    rows = {row["solver"]: row for row in report["solvers"]}
    assert list(rows) == ["certified", "trained", "kernel ridge", "cvxpy"]
    assert (report["rows"], report["rows_held_out"]) == (16, 4)
    # cvxpy's convex program is the other oracle of the certified optimum.
    assert rows["cvxpy"]["objective"] == pytest.approx(rows["certified"]["objective"], rel=1e-5)
    assert rows["trained"]["relative_gap"] >= -1e-9
    comparison = rs.load("c.npz")
    problem = comparison["certified"].problem
    used = {tuple(row) for row in np.column_stack([problem.points[:, 0], problem.targets]).tolist()}
    held = np.array([row for row in np.column_stack(data()).tolist()[:20] if tuple(row) not in used])
    assert len(held) == 4
    missed = comparison["certified"].solution.spline(held[:, :1]) - held[:, 1]
    assert rows["certified"]["test_error"] == pytest.approx(np.sqrt(np.mean(missed**2)), rel=1e-9)
    with open("c.csv", newline="") as file:
        assert [row["solver"] for row in csv.DictReader(file)] == list(rows)
    assert Path("c.tex").read_text().startswith(r"\begin{tabular}")
    assert Path("c.svg").read_text().startswith("<?xml")
    code, out, _ = command("compare", line, "-t", "y", "--strength", "0.5", "--solvers", "certified,kernel-ridge")
    assert code == 0
    assert "kernel ridge" in out
    assert "trained" not in out


def test_every_file_is_drawn_and_described(command, line):
    command("fit", line, "-t", "y", "--strength", "0.5", "--standardize", "--save", "fit")
    command("path", line, "-t", "y", "--count", "3", "--folds", "0", "--save", "path")
    command("train", line, "-t", "y", *TRAIN, "--save", "train")
    command("compare", line, "-t", "y", "--strength", "1", "--solvers", "certified,kernel-ridge", "--save", "compare")
    rs.load("fit.npz").spline.save("spline")
    for name, kind in (
        ("fit", "Solution"),
        ("path", "RegularizationPath"),
        ("train", "TrainingResult"),
        ("compare", "Comparison"),
        ("spline", "RidgeSpline"),
    ):
        code, out, err = command("plot", f"{name}.npz", "--out", f"{name}.png", "--json")
        assert code == 0, err
        assert json.loads(out)["kind"] == kind
        assert Path(f"{name}.png").stat().st_size > 5000
        code, out, err = command("info", f"{name}.npz", "--json")
        assert code == 0, err
        report = json.loads(out)
        assert (report["kind"], report["format_version"]) == (kind, 2)
        assert report["holds_data"] == (name != "spline")
        if name != "spline":
            assert report["details"]["command"].startswith("ridgesplines ")
        code, out, err = command("info", f"{name}.npz")
        assert code == 0, err
        assert kind in out
    fit = json.loads(command("info", "fit.npz", "--json")[1])
    assert fit["certificate"]["relative_gap"] <= 1e-6
    assert fit["details"]["inputs"] == ["x"]
    assert "SquaredLoss" in fit["problem"]


def test_a_standardised_fit_is_certified_anew_from_its_file_alone(command, line):
    code, out, _ = command("fit", line, "-t", "y", "--strength", "0.5", "--standardize", "--save", "fit", "--json")
    fitted = json.loads(out)
    Path(line).unlink()
    code, out, err = command("certify", "fit.npz", "--json")
    assert code == 0, err
    report = json.loads(out)
    assert report["objective"] == pytest.approx(fitted["objective"], rel=1e-9)
    assert report["relative_gap"] < 2e-6
    code, out, _ = command("certify", "fit.npz")
    assert code == 0
    assert "problem, as saved" in out


def test_the_picture_of_a_standardised_fit_is_in_the_units_of_the_table(command, line, monkeypatch):
    command("fit", line, "-t", "y", "--strength", "0.5", "--standardize", "--save", "fit")
    drawn = {}
    own = rs.plotting.plot_fit

    def spy(*arguments, **options):
        drawn.update(options)
        return own(*arguments, **options)

    monkeypatch.setattr(rs.plotting, "plot_fit", spy)
    assert command("plot", "fit.npz", "-o", "fit.png")[0] == 0
    np.testing.assert_allclose(drawn["x"][:, 0], data()[0], atol=1e-12)
    np.testing.assert_allclose(drawn["y"], data()[1], atol=1e-12)
    assert drawn["labels"].inputs == ("x",)


def test_pages_turn_and_slide(command, line):
    pytest.importorskip("plotly", reason="needs the extra report")
    command("path", line, "-t", "y", "--count", "3", "--folds", "0", "--save", "path")
    code, _, err = command("plot", "path.npz", "-o", "path.html")
    assert code == 0, err
    assert '"sliders"' in Path("path.html").read_text(encoding="utf-8")


def test_info_tells_what_the_columns_of_a_table_are(command):
    Path("t.csv").write_text("a,b,y\n1,red,2\n,blue,3\n4,red,5\n")
    code, out, _ = command("info", "t.csv", "--json")
    assert code == 0
    columns = json.loads(out)["columns"]
    assert columns["a"] == {"type": "numbers", "missing": 1, "different": 2, "least": 1.0, "mean": 2.5, "largest": 4.0}
    assert columns["b"]["type"] == "text"
    assert command("info", "t.csv")[0] == 0
    assert json.loads(command("info", "motorcycle", "--json")[1])["rows"] == 133


BAD = [
    (("train", "line.csv", "-t", "y", "--width", "0"), "width"),
    (("train", "line.csv", "-t", "y", "--penalty", "lasso"), "--penalty must be one of path-norm"),
    (("train", "line.csv", "-t", "y", "--optimizer", "newton"), "--optimizer must be one of adam"),
    (("train", "line.csv", "-t", "y", "--optimizer", "proximal", "--penalty", "none"), "path norm"),
    (("train", "line.csv", "-t", "y", "--batch", "31"), "--batch must be at most"),
    (("train", "line.csv", "-t", "y", "--strength", "0"), "positive"),
    (("train", "line.csv", "-t", "y", "--plot", "t.doc"), "must end in"),
    (("path", "line.csv", "-t", "y", "--count", "1"), "count must be at least 2"),
    (("path", "line.csv", "-t", "y", "--ratio", "2"), "ratio between 0 and 1"),
    (("path", "line.csv", "-t", "y", "--folds", "1"), "--folds must be 0, or from 2"),
    (("path", "line.csv", "-t", "y", "--folds", "31"), "--folds must be 0, or from 2"),
    (("compare", "line.csv", "-t", "y", "--held-out", "1"), "--held-out must be at least 0"),
    (("compare", "line.csv", "-t", "y", "--held-out", "0.99"), "leaves none"),
    (("compare", "line.csv", "-t", "y", "--solvers", "magic"), "--solvers must be of certified"),
    (("compare", "line.csv", "-t", "y", "--solvers", "certified,certified"), "different solvers"),
    (("compare", "line.csv", "-t", "y", "--csv", "no/c.csv"), "does not exist"),
    (("plot", "line.csv", "-o", "p.png"), "not a file saved by ridgesplines"),
    (("plot", "none.npz", "-o", "p.png"), "no file none.npz"),
    (("plot", "space.npz", "-o", "p.html"), "got 3 inputs"),
    (("plot", "space.npz", "-o", "p.txt"), "must end in"),
    (("info", "none.npz"), "no file none.npz"),
    (("info", "nothing"), "no file nothing"),
    (("certify", "space.npz"), "does not hold the data"),
    (("certify", "space.npz", "-t", "y"), "name one"),
    (("fit", "space.npz", "-t", "y"), "ridgesplines info"),
]


@pytest.mark.parametrize(("arguments", "sentence"), BAD, ids=[" ".join(case[0]) for case in BAD])
def test_bad_input_is_one_sentence_and_nothing_is_written(command, line, arguments, sentence):
    rs.RidgeSpline([[1.0, 0.0, 0.0]], [0.0], [1.0]).save("space")
    before = sorted(path.name for path in Path().iterdir())
    code, out, err = command(*arguments)
    assert code == 2
    assert err.startswith("Error: ")
    assert len(err.strip().splitlines()) == 1
    assert sentence in err
    assert out == ""
    assert sorted(path.name for path in Path().iterdir()) == before


def interrupt(*arguments, **options):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("arguments", "function"),
    [
        (("fit", "line.csv", "-t", "y", "--strength", "1"), "solve"),
        (("path", "line.csv", "-t", "y"), "regularization_path"),
        (("train", "line.csv", "-t", "y", "--strength", "1"), "solve"),
        (("compare", "line.csv", "-t", "y", "--strength", "1"), "compare"),
        (("certify", "line.npz", "line.csv", "-t", "y", "--strength", "1"), "certify"),
    ],
)
def test_an_interrupt_before_there_is_anything_says_so(command, line, monkeypatch, arguments, function):
    rs.RidgeSpline([[1.0]], [0.0], [1.0]).save("line")
    monkeypatch.setattr(rs, function, interrupt)
    code, out, err = command(*arguments)
    assert (code, out) == (130, "")
    assert err == "Interrupted before there was anything to keep.\n"


def test_an_interrupted_path_keeps_the_strengths_done(command, line, monkeypatch):
    calls = []
    own = rs.LineSpline.solve

    def solve(self, problem, **options):
        calls.append(problem)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return own(self, problem, **options)

    monkeypatch.setattr(rs.LineSpline, "solve", solve)
    code, out, err = command("path", line, "-t", "y", "--count", "9", "--save", "p", "--json")
    assert code == 0, err
    report = json.loads(out)
    assert report["interrupted"] is True
    assert len(report["strengths"]) == len(rs.load("p.npz")) == 3
    assert report["cross_validation"] is None


def test_an_interrupted_comparison_keeps_the_rows_done(command, line, monkeypatch):
    monkeypatch.setattr(rs.KernelRegression, "solve", interrupt)
    code, out, err = command(
        "compare", line, "-t", "y", "--strength", "1", "--solvers", "certified,kernel-ridge", "--json", "--save", "c"
    )
    assert code == 0, err
    report = json.loads(out)
    assert report["interrupted"] is True
    assert [row["solver"] for row in report["solvers"]] == ["certified"]
    assert len(rs.load("c.npz")) == 1


def complete(folder: Path, words: str) -> list[str]:
    """What typer's script for Bash asks for, and gets."""
    environment = os.environ | {
        "_RIDGESPLINES_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    code = "from ridgesplines.cli import main; main()"
    run = subprocess.run([sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, text=True)
    assert run.stderr == ""
    return run.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ridgesplines co", ["compare"]),
        ("ridgesplines fit mo", ["motorcycle", "model.csv"]),
        ("ridgesplines fit model.csv --target he", ["height"]),
        ("ridgesplines fit model.csv --inputs height,we", ["height,weight"]),
        ("ridgesplines train motorcycle --optimizer p", ["proximal"]),
        ("ridgesplines train motorcycle --penalty w", ["weight-decay", "weight-decay-with-biases"]),
        ("ridgesplines compare motorcycle --solvers certified,k", ["certified,kernel-ridge"]),
        ("ridgesplines plot data/", ["data/fit.npz"]),
        ("ridgesplines surface cloud.ply --kernel g", ["gaussian"]),
        # Nothing of its own: Bash lists files.
        ("ridgesplines fit motorcycle --save pi", []),
    ],
)
def test_shells_complete_files_columns_and_choices(tmp_path, words, expected):
    (tmp_path / "model.csv").write_text("height,weight,y\n1,2,3\n")
    (tmp_path / "model.doc").write_text("")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "fit.npz").write_bytes(b"")
    (tmp_path / "data" / "notes.txt").write_text("")
    assert complete(tmp_path, words) == expected


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom ridgesplines import cli\nsys.argv = ['ridgesplines', '--help']\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "heavy = ('matplotlib', 'cvxpy', 'sklearn', 'jax', 'numba', 'scipy', 'numpy', 'plotly')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip().splitlines()[-1] == "[]"
    for name in ("fit", "certify", "train", "path", "compare", "plot", "info", "surface"):
        assert f" {name} " in run.stdout


def test_solvers_of_the_comparison_are_named_in_its_help(command):
    code, out, _ = command("compare", "--help")
    assert code == 0
    assert all(name in out for name in cli_compare.SOLVERS)
