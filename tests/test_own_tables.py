"""A newcomer's first minutes: from one's own table, as programs write it, to a certified fit, by errors that help."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.tables import read_table

X = np.arange(12) / 4
Y = np.abs(X - 1.5) + 0.25


def written(delimiter=",", decimal=".", end="\n", encoding="utf-8", tail="", header="dose,response"):
    rows = [header.replace(",", delimiter)]
    rows += [f"{a:.2f}{delimiter}{b:.2f}".replace(".", decimal) for a, b in zip(X, Y, strict=True)]
    return end.join(row + tail for row in [*rows, ""]).encode(encoding)


GOOD = {
    "commas": written(),
    "semicolons": written(";"),
    "semicolons and decimal commas, as spreadsheets in much of Europe write": written(";", ","),
    "tabs and decimal commas": written("\t", ","),
    "bars": written("|"),
    "Windows line ends": written(end="\r\n"),
    "old Macintosh line ends": written(end="\r"),
    "a byte-order mark": written(encoding="utf-8-sig"),
    "Unicode text of spreadsheets": written("\t", ",", "\r\n", "utf-16"),
    "a semicolon at each end": written(";", tail=";"),
    "spaces about": written(" , ".replace(" ", " ")),
    "quotation marks": written(header='"dose","response"'),
    "blank lines": written().replace(b"\n", b"\n\n"),
    "names in Greek": written(header="dose,response").replace(b"dose", "δόση".encode()),
}


@pytest.mark.parametrize("name", GOOD)
def test_tables_of_all_programs_give_the_same_fit(command, name):
    Path("own.csv").write_bytes(GOOD[name])
    code, out, err = command("fit", "own.csv", "--target", "response", "--strength", "0.1", "--json")
    assert code == 0, err
    report = json.loads(out)
    # The other oracle: the numbers themselves, never printed. They have two decimals, so that all files hold them.
    solution = rs.solve(rs.Problem(rs.Samples(X), Y, strength=0.1))
    assert report["rows"] == 12
    assert report["certificate"] == "exact"
    assert report["objective"] == pytest.approx(solution.objective, rel=1e-9)


STEPS = [
    # the table, further arguments, what the one sentence says
    ("dose,response\n1,2\n2,\n3,4\n5,1\n", (), "missing or infinite values (the first on line 3)", "--drop-missing"),
    ("dose,response\n1,2\n2,n/a\n3,4\n5,1\n", (), "missing", "--drop-missing"),
    (
        "dose,site,response\n1,north,2\n2,south,3\n3,north,4\n5,east,1\n",
        (),
        "text ('north' on line 2)",
        "--inputs dose",
    ),
    ("dose,response\n1,2 mg\n2,3 mg\n3,4\n", (), "text ('2 mg' on line 2)", "encode"),
    ("dose;response\n1.5;2\n2,5;3\n3;4\n", (), "decimal points and decimal commas", "write all numbers in one way"),
    ("dose;response\n1,500;2\n2,750;3\n3;4\n", (), "may be 1.500 or 1500", "without thousands separators"),
    ("dose,response\n1,5,2,5\n2,5,3,5\n", (), "4 cells, but the header has 2", "put semicolons between them"),
    ("dose,response\n1,2\n2,3,\n", (), "line 3 of own.csv has 3 cells", "the header has 2"),
    (",dose,response\n0,1,2\n1,2,3\n", (), "no name for column 1", "name each column once"),
    ("1,2\n2,3\n3,4\n", (), "has no header", "add a line with the columns' names"),
    ("dose,Response\n1,2\n2,3\n", (), "no column 'response'", "did you mean 'Response'?"),
    ("dose,response\n,2\n,3\n", ("--drop-missing",), "no row of own.csv has a number in each of", "response, dose"),
]


@pytest.mark.parametrize(("text", "arguments", "what", "remedy"), STEPS)
def test_each_error_on_the_way_is_one_sentence_that_says_what_helps(command, text, arguments, what, remedy):
    Path("own.csv").write_text(text)
    code, out, err = command("fit", "own.csv", "--target", "response", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert len(err.strip().splitlines()) == 1
    assert what in err
    assert remedy in err


def test_what_the_errors_say_leads_to_a_certified_fit(command):
    """Blanks, text, decimal commas, a mark and Windows line ends at once."""
    rows = [f"{a:.2f}".replace(".", ",") + f";north;{b:.2f}".replace(".", ",") for a, b in zip(X, Y, strict=True)]
    rows[4] = "1,00;south;"
    Path("own.csv").write_bytes("\r\n".join(["dose;site;response", *rows, ""]).encode("utf-8-sig"))
    asked = ["fit", "own.csv", "--strength", "0.1"]
    code, _, err = command(*asked)
    assert code == 2
    assert "--target; own.csv has dose, site, response" in err
    asked += ["--target", "response"]
    code, _, err = command(*asked)
    assert code == 2
    assert "--drop-missing" in err
    asked += ["--drop-missing"]
    code, _, err = command(*asked)
    assert code == 2
    assert "--inputs dose" in err
    asked += ["--inputs", "dose"]
    code, out, err = command(*asked, "--json", "--save", "own", "--plot", "own.png")
    assert code == 0, err
    assert err == "Note: 1 of 12 rows have missing values and are left out.\n"
    report = json.loads(out)
    assert report["rows"] == 11
    assert report["certificate"] == "exact"
    assert report["relative_gap"] <= 1e-6
    kept = np.arange(12) != 4
    solution = rs.solve(rs.Problem(rs.Samples(X[kept]), Y[kept], strength=0.1))
    assert report["objective"] == pytest.approx(solution.objective, rel=1e-9)
    code, out, err = command("certify", "own.npz", "own.csv", "--drop-missing", "--json")
    assert code == 0, err
    assert json.loads(out)["objective"] == pytest.approx(report["objective"], rel=1e-9)


def test_thousands_are_told_from_decimals_where_the_table_tells(tmp_path):
    (tmp_path / "t.csv").write_text("a;y\n1.234,5;0,125\n12,25;1,500\n")
    table = read_table(tmp_path / "t.csv")
    np.testing.assert_array_equal(table.numbers("a"), [1234.5, 12.25])
    # 1,500 is 1.5 here, because 0,125 can be nothing but decimal.
    np.testing.assert_array_equal(table.numbers("y"), [0.125, 1.5])


def test_lines_are_named_as_the_file_has_them(tmp_path):
    (tmp_path / "t.csv").write_text('a,note,y\n\n1,"two\nlines",2\n\n3,x,four\n')
    with pytest.raises(ValueError, match=r"text \('four' on line 6\)"):
        read_table(tmp_path / "t.csv").numbers("y")
