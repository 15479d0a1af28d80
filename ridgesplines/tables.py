"""Tables of numbers from CSV, TSV, `.npz` and Parquet files, with errors that say where."""

from __future__ import annotations

import codecs
import csv
import difflib
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from ridgesplines.archive import check_unpacked, existing_file, has_header, read_arrays

_MISSING = {"", "na", "n/a", "#n/a", "nan", "null", "none", "-", "?", "."}
# What may stand between cells; of several that fit, the first.
_DELIMITERS = ("\t", ";", ",", "|")
# Rows that are looked at to find out which of them does.
_SAMPLE = 20
# Longer lines are no lines of a table, and are not read.
_LINE = 2**24
# 1234,5 or 1.234,5; and what may be 1.234 or 1234.
_DECIMAL_COMMA = re.compile(r"[+-]?(\d*|\d{1,3}(\.\d{3})+),\d+([eE][+-]?\d+)?|[+-]?\d+,")
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


@dataclass(frozen=True)
class Table:
    """Named columns of equal length, as read: numbers or text.

    Attributes:
        name: of the table, for messages.
        columns: the cells of each column, text where the file has text.
        lines: the line of the file on which each row stands, to name rows in messages; none if there are no lines.
        delimiter: what stands between cells; where it is no comma, numbers may have decimal commas.
        decimal_commas: whether numbers do, as some number in the table proves.
    """

    name: str
    columns: dict[str, Sequence[str] | np.ndarray]
    lines: Sequence[int] = ()
    delimiter: str = ","
    decimal_commas: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def numbers(self, column: str) -> np.ndarray:
        """A column as finite numbers, (N,).

        Raises:
            ValueError: if there is no such column (the nearest is suggested), or it has text or missing values.
        """
        values = self.values(column)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise ValueError(
                f"column {column!r} of {self.name} has {len(bad)} missing or infinite values (the first on "
                f"{self._place(int(bad[0]))}); fill them in, or leave out such rows with --drop-missing."
            )
        return values

    def split(
        self, target: str, inputs: Sequence[str] | None = None, *, drop_missing: bool = False
    ) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """Inputs (N, d), targets (N,) and the names of the inputs; by default all columns but the target.

        Args:
            target: the column to predict.
            inputs: the columns to predict it from.
            drop_missing: leave out rows in which one of these is missing or infinite.

        Raises:
            ValueError: as `numbers`, or if the target is among the inputs, or nothing is left.
        """
        self._check(target)
        names = tuple(name for name in self.columns if name != target) if inputs is None else tuple(inputs)
        if target in names:
            raise ValueError(f"the target {target!r} is also among the inputs; leave it out of --inputs.")
        if len(set(names)) < len(names):
            raise ValueError(f"an input is named twice in {', '.join(names)}.")
        if not names:
            raise ValueError(f"{self.name} has no column besides the target {target!r}; there is nothing to fit from.")
        read = self.values if drop_missing else self.numbers
        y = read(target)
        try:
            x = np.column_stack([read(name) for name in names])
        except _TextError as error:
            others = [name for name in names if self._is_numeric(name)] if inputs is None else []
            if not others:
                raise
            raise ValueError(f"{error.what}; leave it out with --inputs {','.join(others)}.") from error
        if drop_missing:
            kept = np.isfinite(y) & np.isfinite(x).all(axis=1)
            if not kept.any():
                raise ValueError(f"no row of {self.name} has a number in each of {', '.join((target, *names))}.")
            x, y = x[kept], y[kept]
        return x, y, names

    def _check(self, column: str) -> None:
        if column not in self.columns:
            near = difflib.get_close_matches(column, list(self.columns), n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(self.columns)}."
            raise ValueError(f"{self.name} has no column {column!r}; {hint}")

    def values(self, column: str) -> np.ndarray:
        """A column as numbers, NaN where they are missing, (N,).

        Raises:
            ValueError: if there is no such column, or it has text, or numbers that may mean two things.
        """
        self._check(column)
        cells = self.columns[column]
        if isinstance(cells, np.ndarray) and cells.dtype.kind in "biuf":
            return cells.astype(float)
        values = np.empty(len(cells))
        points = commas = -1
        for i, cell in enumerate(cells):
            text = "" if cell is None else str(cell).strip()
            if text.lower() in _MISSING:
                values[i] = math.nan
                continue
            try:
                values[i] = float(text)
                points = i if points < 0 and "." in text else points
            except ValueError:
                if self.delimiter == "," or not _DECIMAL_COMMA.fullmatch(text):
                    what = f"column {column!r} of {self.name} has text ({text[:40]!r} on {self._place(i)})"
                    raise _TextError(what) from None
                if not self.decimal_commas:
                    raise ValueError(
                        f"{text!r} on {self._place(i)} of {self.name} may be {text.replace(',', '.')} or "
                        f"{text.replace(',', '')}; write numbers with decimal points and without thousands separators."
                    ) from None
                values[i] = float(text.replace(".", "").replace(",", "."))
                commas = i if commas < 0 else commas
        if points >= 0 and commas >= 0:
            raise ValueError(
                f"column {column!r} of {self.name} has decimal points and decimal commas ({cells[points]!r} on "
                f"{self._place(points)}, {cells[commas]!r} on {self._place(commas)}); write all numbers in one way."
            )
        return values

    def _is_numeric(self, column: str) -> bool:
        try:
            self.values(column)
        except ValueError:
            return False
        return True

    def _place(self, row: int) -> str:
        return f"line {self.lines[row]}" if len(self.lines) else f"row {row + 1}"


class _TextError(ValueError):
    """Text where a number is needed: what is wrong, without the remedy."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; encode it as numbers, or choose other columns.")
        self.what = what


def read_table(path: str | Path) -> Table:
    """Read a table by the ending of its name: .csv, .tsv, .npz or .parquet (extra `parquet`).

    CSV and TSV files have a header line; tabs, semicolons, commas or bars between the cells, whichever fits; UTF-8, or
    UTF-16 with its mark. Where no commas stand between the cells, numbers may have decimal commas. In `.npz` files each
    one-dimensional array is a column, and each column of a two-dimensional array `x` is one, named x1, x2, ….

    Raises:
        ValueError: if the file is missing, empty, damaged, ragged or of another kind.
    """
    source = existing_file(path)
    match source.suffix.lower():
        case ".csv" | ".tsv" | ".txt":
            return _read_text(source)
        case ".npz":
            return _read_npz(source)
        case ".parquet":
            return _read_parquet(source)
    raise ValueError(f"{source} is not a table that can be read: its name must end in .csv, .tsv, .npz or .parquet.")


def _read_text(source: Path) -> Table:
    try:
        with source.open(encoding=_encoding(source), newline="") as file:
            delimiter = _delimiter(list(itertools.islice(_lines(source, file), _SAMPLE)))
            file.seek(0)
            reader = csv.reader(_lines(source, file), delimiter=delimiter)
            rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except UnicodeError as error:
        raise ValueError(f"{source} is not a text table in UTF-8; save it as CSV with that encoding.") from error
    except csv.Error as error:
        raise ValueError(f"{source} is not a text table: {error}; is a quotation mark left open?") from error
    if len(rows) < 2:
        raise ValueError(f"{source} is empty: it needs a header line and at least one row.")
    names = [name.strip() for name in rows[0][1]]
    # A delimiter at the end of every line.
    width = len(names) - (not names[-1] and all(len(row) == len(names) and not row[-1].strip() for _, row in rows))
    names = _unique(source, names[:width])
    for line, row in rows[1:]:
        if len(row) != len(rows[0][1]):
            hint = "."
            if delimiter == "," and len(row) == 2 * width:
                hint = "; where numbers have decimal commas, put semicolons between them."
            raise ValueError(f"line {line} of {source} has {len(row)} cells, but the header has {width}{hint}")
    cells = list(zip(*(row[:width] for _, row in rows[1:]), strict=True))
    proven = delimiter != "," and any(
        "," in cell and _DECIMAL_COMMA.fullmatch(cell.strip()) and not _AMBIGUOUS.fullmatch(cell.strip())
        for column in cells
        for cell in column
    )
    lines = [line for line, _ in rows[1:]]
    return Table(source.name, dict(zip(names, cells, strict=True)), lines, delimiter, proven)


def _encoding(source: Path) -> str:
    """UTF-16 if the file says so, as what spreadsheets call Unicode text does; otherwise UTF-8."""
    with source.open("rb") as file:
        start = file.read(2)
    return "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _lines(source: Path, file: TextIO) -> Iterator[str]:
    """The lines of a file, none of which is read if it is too long to be one."""
    while line := file.readline(_LINE):
        if len(line) == _LINE:
            raise ValueError(f"{source} is not a text table: it has a line of more than {_LINE} characters.")
        yield line


def _delimiter(lines: list[str]) -> str:
    """What stands between the cells: what cuts the first lines into most cells, the same number each."""
    found = {}
    for delimiter in _DELIMITERS:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if any(cell.strip() for cell in row)]
        # The last may go on beyond the lines looked at.
        sizes = {len(row) for row in (rows[:-1] if len(lines) == _SAMPLE else rows)}
        found[delimiter] = (len(sizes) == 1, len(rows[0]) if rows else 0)
    parting = [delimiter for delimiter in _DELIMITERS if found[delimiter][1] > 1]
    return max(parting, key=lambda delimiter: found[delimiter], default=",")


def _read_npz(source: Path) -> Table:
    arrays = read_arrays(source)
    if has_header(arrays):
        raise ValueError(f"{source} is no table but a file saved by ridgesplines; see ridgesplines info {source}.")
    columns: dict[str, Sequence[str] | np.ndarray] = {}
    for name, array in arrays.items():
        if array.ndim == 1:
            columns[name] = array
        elif array.ndim == 2:
            columns |= {f"{name}{i + 1}": array[:, i] for i in range(array.shape[1])}
        else:
            raise ValueError(f"array {name!r} of {source} has {array.ndim} axes; columns have one, or two together.")
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1 or lengths == {0}:
        sizes = ", ".join(f"{name} {len(column)}" for name, column in columns.items()) or "none"
        raise ValueError(f"the arrays of {source} must have one common, positive length, got {sizes}.")
    return Table(source.name, columns)


def _read_parquet(source: Path) -> Table:
    try:
        import pyarrow.parquet  # behind the extra
    except ImportError as error:
        raise ValueError("reading Parquet needs pyarrow: pip install 'ridgesplines[parquet]'.") from error
    try:
        described = pyarrow.parquet.read_metadata(source)
        # Repeated values pack without limit.
        check_unpacked(source, 8 * described.num_rows * described.num_columns)
        table = pyarrow.parquet.read_table(source)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{source} is not a Parquet file, or it is damaged.") from error
    columns = {name: column.to_numpy() for name, column in zip(table.column_names, table.columns, strict=True)}
    if not columns or table.num_rows == 0:
        raise ValueError(f"{source} is empty: it needs at least one column and one row.")
    return Table(source.name, columns)


def _unique(source: Path, names: list[str]) -> list[str]:
    if all(_is_number(name) for name in names):
        raise ValueError(f"{source} has no header: its first line is numbers; add a line with the columns' names.")
    if "" in names:
        raise ValueError(f"{source} has no name for column {names.index('') + 1} in its header; name each column once.")
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"{source} has two columns named {repeated[0]!r} in its header; name each column once.")
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
