"""Tables: every format gives the same columns, and errors say where."""

from __future__ import annotations

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from ridgesplines.tables import read_table

COLUMNS = {"a": np.array([0.5, 1.5, -2.0]), "y": np.array([3.0, 1e-3, 7.0])}


def write(folder, ending):
    path = folder / f"table{ending}"
    match ending:
        case ".npz":
            np.savez(path, **COLUMNS)
        case ".parquet":
            pyarrow.parquet.write_table(pyarrow.table(COLUMNS), path)
        case _:
            separator = "\t" if ending == ".tsv" else ","
            rows = [
                separator.join(COLUMNS),
                *(separator.join(map(repr, row)) for row in zip(*(c.tolist() for c in COLUMNS.values()), strict=True)),
            ]
            path.write_text("\n".join(rows))
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".npz", ".parquet"])
def test_every_format_gives_the_same_numbers(tmp_path, ending):
    x, y, names = read_table(write(tmp_path, ending)).split("y")
    np.testing.assert_array_equal(x[:, 0], COLUMNS["a"])
    np.testing.assert_array_equal(y, COLUMNS["y"])
    assert names == ("a",)


def test_matrices_in_npz_become_columns(tmp_path):
    np.savez(tmp_path / "t.npz", x=np.arange(6.0).reshape(3, 2), y=np.ones(3))
    x, _, names = read_table(tmp_path / "t.npz").split("y")
    np.testing.assert_array_equal(x, np.arange(6.0).reshape(3, 2))
    assert names == ("x1", "x2")


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"a": np.ones(2), "y": np.ones(3)}, "common, positive length"),
        ({"a": np.ones((2, 2, 2))}, "3 axes"),
        ({"a": np.zeros(0), "y": np.zeros(0)}, "common, positive length"),
    ],
)
def test_odd_archives_are_refused(tmp_path, arrays, match):
    np.savez(tmp_path / "t.npz", **arrays)
    with pytest.raises(ValueError, match=match):
        read_table(tmp_path / "t.npz")


def test_archives_of_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "t.npz", a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(ValueError, match="plain arrays"):
        read_table(tmp_path / "t.npz")


def test_text_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a,y\n\xff\xfe,1\n")
    with pytest.raises(ValueError, match="UTF-8"):
        read_table(tmp_path / "t.csv")


def test_text_in_an_unused_column_does_no_harm(tmp_path):
    (tmp_path / "t.csv").write_text("name,a,y\nx,1,2\nz,3,4\n")
    table = read_table(tmp_path / "t.csv")
    x, _, _ = table.split("y", ["a"])
    np.testing.assert_array_equal(x, [[1.0], [3.0]])
    with pytest.raises(ValueError, match="--inputs"):
        table.split("y")
