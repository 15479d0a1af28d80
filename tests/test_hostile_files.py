"""Files from anywhere, truncated, changed or made to do harm, are read as what they are, or refused by a sentence."""

from __future__ import annotations

import functools
import io
import json
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ridgesplines as rs
from ridgesplines import archive
from ridgesplines.archive import read_arrays, read_header
from ridgesplines.tables import Table, read_table

FILES = sorted((Path(__file__).parent / "files").glob("*.npz"))


def refused_or(kinds: tuple[type, ...], open_: Callable[[Any], Any], path: Path) -> bool:
    """Whether opening refused; anything but a ValueError of one clear sentence, or one of the kinds, fails the test."""
    try:
        found = open_(path)
    except ValueError as error:
        text = str(error)
        assert str(path) in text or path.name in text, text
        assert "\n" not in text
        assert len(text) > 20
        return True
    assert isinstance(found, kinds)
    return False


KINDS = (rs.RidgeSpline, rs.Solution, rs.RegularizationPath, rs.ExactPath, rs.TrainingResult, rs.TrainingGrid)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """A solution with its problem, in format version 2."""
    x = np.arange(5.0)
    solution = rs.solve(rs.Problem(rs.Samples(x), np.abs(x - 2), strength=0.1))
    return solution.save(tmp_path_factory.mktemp("small") / "small")


def test_a_file_truncated_at_any_byte_is_refused(small, tmp_path):
    whole = small.read_bytes()
    path = tmp_path / "cut.npz"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert refused_or((), rs.load, path), length
        # The table reader has other words for it.
        assert length % 7 or refused_or((), read_table, path), length


@given(st.data())
@settings(max_examples=80)
def test_bytes_that_are_changed_are_noticed_or_do_no_harm(small, tmp_path_factory, data):
    whole = bytearray(small.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / "changed.npz"
    path.write_bytes(whole)
    refused_or(KINDS, rs.load, path)


ODD: list[Any] = [
    None, 0, -1, 1e400, True, "", "text", "../../etc/passwd", [], {}, [1, 2], {"a": 1}, 2**70, [[[]]], "Solution",
    float("nan"),
]  # fmt: skip


def rewritten(source: Path, path: Path, change: Callable[[dict[str, Any], dict[str, np.ndarray]], None]) -> Path:
    """The file with its header and its arrays changed, and well-formed as a file."""
    arrays = read_arrays(source)
    header = json.loads(str(arrays.pop("header")))
    change(header, arrays)
    np.savez(path, header=np.array(json.dumps(header)), **arrays)
    return path


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Where something stands in nested dictionaries and lists."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [own for key, item in items for own in [(*path, key), *places(item, (*path, key))]]


@pytest.mark.parametrize("file", [*FILES, None], ids=lambda file: "with its problem" if file is None else file.stem)
@given(data=st.data())
@settings(max_examples=25)
def test_headers_of_wrong_types_are_refused_or_do_no_harm(small, tmp_path_factory, file, data):
    def change(header, arrays):
        where = data.draw(st.sampled_from(places(header)))
        for key in where[:-1]:
            header = header[key]
        if data.draw(st.booleans()):
            header[where[-1]] = data.draw(st.sampled_from(ODD))
        else:
            del header[where[-1]]

    refused_or(KINDS, rs.load, rewritten(file or small, tmp_path_factory.mktemp("odd") / "odd.npz", change))


ARRAYS = [
    np.zeros(0), np.zeros((0, 0)), np.zeros((2, 2, 2)), np.array(1.0), np.full((3, 1), np.nan), np.array("text"),
    np.array(["a", "b"]), np.array([1 + 2j]), np.zeros(3, "M8[s]"), np.ones((5, 1), bool), np.full(5, np.inf),
    np.ones(5),
]  # fmt: skip


@pytest.mark.parametrize("file", [*FILES, None], ids=lambda file: "with its problem" if file is None else file.stem)
@given(data=st.data())
@settings(max_examples=25)
def test_arrays_of_wrong_shapes_and_types_are_refused_or_do_no_harm(small, tmp_path_factory, file, data):
    def change(header, arrays):
        name = data.draw(st.sampled_from(sorted(arrays)))
        if data.draw(st.booleans()):
            arrays[name] = data.draw(st.sampled_from(ARRAYS))
        else:
            del arrays[name]

    refused_or(KINDS, rs.load, rewritten(file or small, tmp_path_factory.mktemp("odd") / "odd.npz", change))


@pytest.mark.parametrize("scale", [np.zeros(3), np.array("text"), None])
def test_an_implicit_function_without_its_scale_is_refused(tmp_path, scale):
    angles = np.arange(8.0)
    normals = np.column_stack([np.cos(angles), np.sin(angles)])
    whole = rs.surfaces.fit_oriented(2 * normals, normals)[0].save(tmp_path / "whole")

    def change(header, arrays):
        del arrays["scale"]
        if scale is not None:
            arrays["scale"] = scale

    assert type(rs.load(whole)) is rs.surfaces.ImplicitFunction
    assert refused_or((), rs.load, rewritten(whole, tmp_path / "odd.npz", change))


class Harm:
    """What would leave a file behind if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def npy(shape: str, dtype: str = "'<f8'", data: bytes = b"") -> bytes:
    text = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (64 - (len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def header() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array(json.dumps({"format_version": 2, "kind": "RidgeSpline", "order": 2})))
    return stream.getvalue()


def pickled(path: Path, mark: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.array([Harm(mark)], dtype=object), allow_pickle=True)
    zipped(path, {"header.npy": header(), "weights.npy": stream.getvalue()})


def bare_pickle(path: Path, mark: Path) -> None:
    path.write_bytes(pickle.dumps(Harm(mark)))


def pickle_as_member(path: Path, mark: Path) -> None:
    zipped(path, {"header.npy": header(), "weights.npy": pickle.dumps(Harm(mark))})


def a_trillion_elements(path: Path, mark: Path) -> None:
    zipped(path, {"header.npy": header(), "weights.npy": npy("(1000000000000,)")})


def more_elements_than_numbers_have(path: Path, mark: Path) -> None:
    zipped(path, {"header.npy": header(), "weights.npy": npy(f"({2**40}, {2**40}, {2**40})")})


def a_negative_shape(path: Path, mark: Path) -> None:
    zipped(path, {"header.npy": header(), "weights.npy": npy("(-1, -8)", data=bytes(64))})


@functools.cache
def bomb() -> bytes:
    """A megabyte that unpacks to a gigabyte of zeros."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("header.npy", header())
        with file.open("weights.npy", "w", force_zip64=True) as member:
            member.write(npy(f"({2**27},)"))
            for _ in range(64):
                member.write(bytes(2**24))
    return stream.getvalue()


def a_gigabyte_of_zeros(path: Path, mark: Path) -> None:
    path.write_bytes(bomb())


def a_size_that_is_no_truth(path: Path, mark: Path) -> None:
    """A member that declares eight bytes, and goes on for longer."""
    zipped(path, {"header.npy": header(), "weights.npy": npy("(1,)", data=bytes(2**20))})
    content = path.read_bytes()
    true, told = (struct.pack("<I", len(npy("(1,)")) + size) for size in (2**20, 8))
    path.write_bytes(content.replace(true, told))


def many_members(path: Path, mark: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for i in range(1001):
            file.writestr(zipfile.ZipInfo(f"{i}"), b"")


def one_name_twice(path: Path, mark: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("header.npy", header())
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("header.npy", header())


def a_nest_of_brackets(path: Path, mark: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.array("[" * 100_000))
    zipped(path, {"header.npy": stream.getvalue()})


def another_compression(path: Path, mark: Path) -> None:
    zipped(path, {"header.npy": header()}, zipfile.ZIP_LZMA)


def code_as_header(path: Path, mark: Path) -> None:
    zipped(path, {"header.npy": npy(f"open({str(mark)!r}, 'w')")})


HARM = [
    pickled, bare_pickle, pickle_as_member, a_trillion_elements, more_elements_than_numbers_have, a_negative_shape,
    a_gigabyte_of_zeros, a_size_that_is_no_truth, many_members, one_name_twice, a_nest_of_brackets, another_compression,
    code_as_header,
]  # fmt: skip


@pytest.mark.parametrize("make", HARM, ids=lambda make: make.__name__)
def test_files_that_mean_harm_are_refused_within_bounded_memory(tmp_path, make, monkeypatch):
    # Fewer than in earnest, for the time that it takes to write them.
    monkeypatch.setattr(archive, "_MEMBERS", 1000)
    path, mark = tmp_path / "harm.npz", tmp_path / "mark"
    make(path, mark)
    for open_ in (rs.load, read_table, rs.RidgeSpline.load, read_header):
        if open_ is read_header and make not in (a_nest_of_brackets, one_name_twice, many_members, code_as_header):
            # It reads the header alone, which is sound.
            continue
        tracemalloc.start()
        try:
            assert refused_or((), open_, path)
            used = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert used < 2e7
    assert not mark.exists()


def test_a_bomb_says_its_size(tmp_path):
    a_gigabyte_of_zeros(tmp_path / "bomb.npz", tmp_path / "mark")
    assert (tmp_path / "bomb.npz").stat().st_size < 2e6
    with pytest.raises(ValueError, match=r"would unpack from \d+ to 10737\d+ bytes"):
        rs.load(tmp_path / "bomb.npz")


def test_real_data_that_pack_well_are_opened(tmp_path):
    """Sparse counts, as they occur: 32 MB of mostly zeros in some 100 kB."""
    counts = np.zeros(2**22)
    counts[::1000] = 1.0
    np.savez_compressed(tmp_path / "counts.npz", a=counts, y=counts)
    table = read_table(tmp_path / "counts.npz")
    np.testing.assert_array_equal(table.numbers("a"), counts)


# Tables of text

CSV = "a;b\n1,5;2\n3,25;-4e2\n;7\n"


def test_a_table_truncated_anywhere_is_read_or_refused(tmp_path):
    whole = CSV.encode("utf-8-sig")
    path = tmp_path / "t.csv"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        refused_or((Table,), read_table, path)


@given(st.binary(max_size=200))
@settings(max_examples=80)
def test_any_bytes_are_a_table_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "t.csv"
    path.write_bytes(content)

    def numbers(source):
        table = read_table(source)
        for column in table.columns:
            assert table.values(column).shape == (len(table),)
        return table

    refused_or((Table,), numbers, path)


cells = st.sampled_from(
    ["1", "-2.5", "1e3", "1,5", "1.234,5", "", "NA", "red", '"a,b"', '"', "nan", "inf", "1_0", "٣", "\x00"]
)


@given(st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=5), st.sampled_from([",", ";", "\t"]))
@settings(max_examples=80)
def test_any_cells_are_numbers_or_refused_by_their_place(tmp_path_factory, rows, delimiter):
    path = tmp_path_factory.mktemp("cells") / "t.csv"
    path.write_text("\n".join(delimiter.join(row) for row in [["a", "b", "c", "d"][: len(rows[0])], *rows]))

    def split(source):
        table = read_table(source)
        x, y, _ = table.split("a", drop_missing=True)
        assert np.isfinite(x).all()
        assert np.isfinite(y).all()
        return table

    refused_or((Table,), split, path)


def test_a_line_without_end_is_not_read_to_it(tmp_path):
    path = tmp_path / "t.csv"
    with path.open("w") as file:
        file.write("a,y\n")
        for _ in range(64):
            file.write("1" * 2**20)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="a line of more than"):
            read_table(path)
        assert tracemalloc.get_traced_memory()[1] < 2e8
    finally:
        tracemalloc.stop()


def test_a_quotation_mark_left_open_is_pointed_out(tmp_path):
    (tmp_path / "t.csv").write_text('a,y\n1,"2\n' + "3,4\n" * 50_000)
    with pytest.raises(ValueError, match="is a quotation mark left open"):
        read_table(tmp_path / "t.csv")


def test_a_parquet_file_that_unpacks_without_end_is_refused(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
    import pyarrow

    rows = 2**26
    zeros = pyarrow.DictionaryArray.from_arrays(pyarrow.array(np.zeros(rows, np.int32)), pyarrow.array([0.0]))
    parquet.write_table(pyarrow.table({"a": zeros}), tmp_path / "t.parquet")
    assert (tmp_path / "t.parquet").stat().st_size < 1e6
    with pytest.raises(ValueError, match="would unpack from"):
        read_table(tmp_path / "t.parquet")
