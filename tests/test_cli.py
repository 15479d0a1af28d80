"""The command line: what it prints, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.archive import write_archive


def write(name: str, text: str) -> str:
    Path(name).write_text(text)
    return name


PLANE = "a,b,y\n" + "\n".join(f"{i % 5},{i // 5 + 0.1 * (i % 3)},{(i * 7) % 11}" for i in range(25)) + "\n"


def test_fit_writes_a_picture_a_trace_and_a_solution_that_certifies(command):
    code, out, err = command(
        "fit", "motorcycle", "--strength", "84", "--plot", "fit.png", "--trace", "trace.pdf", "--save", "fit"
    )
    assert code == 0, err
    assert Path("fit.png").read_bytes()[:4] == b"\x89PNG"
    assert Path("trace.pdf").read_bytes()[:4] == b"%PDF"
    assert "proven bound" in out
    assert "exact" in out
    assert sorted(path.name for path in Path().iterdir()) == ["fit.npz", "fit.png", "trace.pdf"]
    solution = rs.Solution.load("fit.npz")
    code, out, _ = command("certify", "fit.npz", "motorcycle", "--json")
    report = json.loads(out)
    assert code == 0
    assert report["objective"] == pytest.approx(solution.objective, rel=1e-12)
    assert report["relative_gap"] < 1e-6
    assert report["strength"] == 84


def test_fit_reports_as_json(command):
    write("plane.csv", PLANE)
    code, out, _ = command("fit", "plane.csv", "-t", "y", "--interpolate", "--json")
    report = json.loads(out)
    assert code == 0
    assert report["inputs"] == ["a", "b"]
    assert report["strength"] is None
    assert report["neurons"] <= report["representer_bound"] == 22
    assert report["misfit"] <= 1e-8 * 10
    assert report["bound"] <= report["objective"]
    assert report["certificate"] == "exact"
    assert report["status"] == "converged"


def test_strength_auto_says_what_it_picked(command):
    code, out, _ = command("fit", "motorcycle", "--json")
    report = json.loads(out)
    assert code == 0
    assert report["strength"] in report["cross_validation"]["strengths"]
    assert report["strength_chosen_by"] == "cross-validation"
    assert report["cross_validation"]["errors"][
        report["cross_validation"]["strengths"].index(report["strength"])
    ] == min(report["cross_validation"]["errors"])


@pytest.mark.parametrize("mode", [("--strength", "0.05"), ("--interpolate",)])
def test_standardised_fit_is_undone_in_the_saved_spline_and_certifies(command, mode):
    write("plane.csv", PLANE.replace(",y", ",y,constant").replace("\n", ",3\n").replace("constant,3", "constant"))
    code, out, err = command(
        "fit", "plane.csv", "-t", "y", "--standardize", *mode, "--save", "s.npz", "--json", "--plot", "s.svg"
    )
    assert code == 0, err
    fitted = json.loads(out)
    table = np.genfromtxt("plane.csv", delimiter=",", names=True)
    x, y = np.column_stack([table["a"], table["b"], table["constant"]]), table["y"]
    residual = rs.RidgeSpline.load("s.npz")(x) - y
    spread = y.std()
    # The report is in standardised units, the spline in those of the table.
    assert np.abs(residual).max() == pytest.approx(fitted["misfit"] * spread, abs=1e-9 * spread)
    assert 0.5 * np.sum((residual / spread) ** 2) == pytest.approx(fitted["loss"], abs=1e-9)
    _, out, _ = command("certify", "s.npz", "plane.csv", "--json")
    certified = json.loads(out)
    assert certified["objective"] == pytest.approx(fitted["objective"], rel=1e-8)
    assert certified["relative_gap"] < 2e-6


def test_certify_names_a_damaged_file(command):
    problem = rs.Problem(rs.Samples([0.0, 1.0, 2.0]), [0.0, 1.0, 0.0], strength=0.1)
    arrays, metadata = rs.solve(problem).to_archive()
    del arrays["trace"]
    write_archive("fit.npz", arrays, {"kind": "Solution", **metadata})
    code, out, err = command("certify", "fit.npz")
    assert code == 2
    assert not out
    assert err == "Error: fit.npz lacks a part of a saved solution; the file is damaged.\n"


@pytest.mark.parametrize(
    ("details", "what"),
    [
        ([1], "its details are no dictionary"),
        ({"inputs": 3}, "the names of its columns are no text"),
        ({"inputs": [3]}, "the names of its columns are no text"),
        ({"target": 3}, "the names of its columns are no text"),
        ({"strength": "much"}, "its λ is no number"),
    ],
)
def test_certify_on_a_table_names_a_file_whose_question_is_damaged(command, details, what):
    write("line.csv", "a,y\n0,0\n1,1\n2,0\n")
    spline = rs.RidgeSpline([[1.0]], [1.0], [5.0])
    write_archive("fit.npz", spline.to_arrays(), {"kind": "RidgeSpline", "order": 2, "details": details})
    code, out, err = command("certify", "fit.npz", "line.csv")
    assert code == 2
    assert not out
    assert err == f"Error: fit.npz is damaged: {what}.\n"


def test_certify_a_bare_spline_wants_the_question(command):
    rs.RidgeSpline([[1.0]], [20.0], [5.0]).save("network.npz")
    code, _, err = command("certify", "network.npz", "motorcycle")
    assert code == 2
    assert "--strength" in err
    code, out, _ = command("certify", "network.npz", "motorcycle", "--strength", "10", "--json")
    assert code == 0
    report = json.loads(out)
    x, y = rs.datasets.motorcycle()
    problem = rs.Problem(rs.Samples(x), y, strength=10)
    assert report["objective"] == pytest.approx(problem.objective(rs.RidgeSpline.load("network.npz")), rel=1e-12)
    assert report["bound"] <= rs.solve(problem).objective


BAD = [
    # arguments, the table's text (None: no file), what the sentence says
    (("fit", "t.csv", "-t", "y"), None, "no file t.csv"),
    (("fit", "nothing"), None, "motorcycle, elevation, diabetes"),
    (("fit", "t.csv"), "a,y\n1,2\n", "--target"),
    (("fit", "t.csv", "-t", "z"), "a,y\n1,2\n", "no column 'z'"),
    (("fit", "t.csv", "-t", "accel"), "time,acceleration\n1,2\n", "did you mean 'acceleration'"),
    (("fit", "t.csv", "-t", "y", "--inputs", "tme"), "time,y\n1,2\n", "did you mean 'time'"),
    (("fit", "t.csv", "-t", "y"), "a,y\n1,2\nred,3\n", "text ('red' on line 3)"),
    (("fit", "t.csv", "-t", "y"), "a,y\n1,2\n,3\n4,5\n", "missing or infinite values (the first on line 3)"),
    (("fit", "t.csv", "-t", "y"), "a,y\n1,nan\n2,3\n", "column 'y'"),
    (("fit", "t.csv", "-t", "y"), "a,y\n1,inf\n2,3\n", "infinite"),
    (("fit", "t.csv", "-t", "y"), "a,y\n1,2,3\n", "line 2 of t.csv has 3 cells"),
    (("fit", "t.csv", "-t", "y"), "", "empty"),
    (("fit", "t.csv", "-t", "y"), "a,y\n", "empty"),
    (("fit", "t.csv", "-t", "y"), "1,2\n3,4\n", "no header"),
    (("fit", "t.csv", "-t", "y"), "y,y\n3,4\n", "two columns named 'y'"),
    (("fit", "t.csv", "-t", "y"), "y\n1\n2\n", "no column besides the target"),
    (("fit", "t.csv", "-t", "y", "--inputs", "y"), "a,y\n1,2\n", "also among the inputs"),
    (("fit", "t.csv", "-t", "y", "--strength", "1"), "a,y\n1,2\n", "too few"),
    (("fit", "t.csv", "-t", "y"), "a,y\n1,2\n", "too few"),
    (("fit", "t.csv", "-t", "y"), "a,b,y\n1,1,3\n2,2,4\n3,3,1\n", "too few to hold out"),
    (("fit", "t.csv", "-t", "y", "--interpolate"), "a,y\n1,2\n1,3\n2,3\n", "rows 0 and 1"),
    (("fit", "t.json", "-t", "y"), "{}", ".csv, .tsv, .npz or .parquet"),
    (("fit", "t.npz", "-t", "y"), "not a zip", "damaged"),
    (("fit", "t.parquet", "-t", "y"), "not parquet", "damaged"),
    (("fit", "motorcycle", "--strength", "-1"), None, "positive"),
    (("fit", "motorcycle", "--strength", "0"), None, "--interpolate"),
    (("fit", "motorcycle", "--strength", "much"), None, "'much'"),
    (("fit", "motorcycle", "--strength", "1", "--interpolate"), None, "leave one out"),
    (("fit", "motorcycle", "--interpolate"), None, "same inputs"),
    (("fit", "motorcycle", "--order", "5"), None, "order must be 2"),
    (("fit", "motorcycle", "--gap", "0"), None, "gap must be between 0 and 1"),
    (("fit", "motorcycle", "--time-limit", "0"), None, "time_limit"),
    (("fit", "motorcycle", "--plot", "no/such/folder.png"), None, "does not exist"),
    (("fit", "motorcycle", "--plot", "picture.txt"), None, "must end in"),
    (("fit", "motorcycle", "--save", "."), None, "is a folder"),
    (("certify", "none.npz", "motorcycle"), None, "no file none.npz"),
    (("certify", "t.csv", "motorcycle"), "a,y\n1,2\n", "not a file saved by ridgesplines"),
]


@pytest.mark.parametrize(
    ("arguments", "text", "sentence"), BAD, ids=[" ".join(case[0]) + str(i) for i, case in enumerate(BAD)]
)
def test_bad_input_is_one_sentence_and_nothing_is_written(command, arguments, text, sentence):
    if text is not None:
        write(arguments[1], text)
    before = sorted(path.name for path in Path().iterdir())
    code, out, err = command(
        *arguments, *(("--save", "s.npz") if arguments[0] == "fit" and "--save" not in arguments else ())
    )
    assert code == 2
    assert err.startswith("Error: ")
    assert len(err.strip().splitlines()) == 1
    assert sentence in err
    assert out == ""
    assert sorted(path.name for path in Path().iterdir()) == before


def test_wrong_dimension_of_a_saved_spline_is_refused(command):
    rs.RidgeSpline([[1.0, 0.0]], [20.0], [5.0]).save("plane.npz")
    code, _, err = command("certify", "plane.npz", "motorcycle", "--strength", "1")
    assert code == 2
    assert "2 inputs" in err


GOOD = {
    "collinear points": "a,b,y\n" + "".join(f"{i},{2 * i + 1},{(-1) ** i * i}\n" for i in range(8)),
    "a constant column": "a,b,y\n" + "".join(f"{i},4,{(-1) ** i * i}\n" for i in range(8)),
    "duplicate inputs": "a,y\n0,1\n0,2\n1,4\n1,4\n2,0\n3,3\n",
    "affine targets": "a,y\n0,1\n1,3\n2,5\n3,7\n",
    "constant targets": "a,y\n0,1\n1,1\n2,1\n",
    "equal inputs": "a,y\n1,1\n1,3\n1,5\n",
    "semicolons": "a;y\n0;1\n1;4\n2;0\n",
    "blank lines and a byte order mark": "\ufeffa,y\n0,1\n\n1,4\n2,0\n\n",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD.keys())
@pytest.mark.parametrize("strength", ["0.1", "auto"])
def test_odd_but_good_input_is_fitted_and_certified(command, text, strength):
    write("t.csv", text)
    code, out, err = command("fit", "t.csv", "-t", "y", "--strength", strength, "--json", "--plot", "t.png")
    assert code == 0, err
    report = json.loads(out)
    assert report["certificate"] == "exact"
    assert report["relative_gap"] <= 1e-6


def test_wide_spreads_are_pointed_out(command):
    write("t.csv", "a,b,y\n" + "".join(f"{i},{1000 * (i % 3)},{i % 4}\n" for i in range(9)))
    _, _, err = command("fit", "t.csv", "-t", "y", "--strength", "1", "--json")
    assert "--standardize" in err


def test_version_and_help(command):
    assert command("--version") == (0, f"ridgesplines {rs.__version__}\n", "")
    code, out, _ = command("fit", "--help")
    assert code == 0
    assert "--interpolate" in out


def test_no_figure_stays_open(command):
    from matplotlib import pyplot

    pyplot.close("all")
    code, _, err = command("fit", "motorcycle", "--strength", "84", "--plot", "a.png", "--trace", "b.png")
    assert code == 0, err
    assert pyplot.get_fignums() == []
