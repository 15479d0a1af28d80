"""Tables of numbers from CSV, TSV, `.npz` and Parquet files, with errors that say where."""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ridgesplines.archive import read_arrays

_MISSING = {"", "na", "n/a", "nan", "null", "none"}


@dataclass(frozen=True)
class Table:
    """Named columns of equal length, as read: numbers or text.

    Attributes:
        name: of the table, for messages.
        columns: the cells of each column, text where the file has text.
        first_line: the line of the file on which the first row stands, to name rows in messages.
    """

    name: str
    columns: dict[str, Sequence[str] | np.ndarray]
    first_line: int = 2

    def numbers(self, column: str) -> np.ndarray:
        """A column as finite numbers, (N,).

        Raises:
            ValueError: if there is no such column (the nearest is suggested), or it has text or missing values.
        """
        if column not in self.columns:
            near = difflib.get_close_matches(column, list(self.columns), n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(self.columns)}."
            raise ValueError(f"{self.name} has no column {column!r}; {hint}")
        cells = self.columns[column]
        if isinstance(cells, np.ndarray) and cells.dtype.kind in "biuf":
            values = cells.astype(float)
        else:
            values = np.empty(len(cells))
            for i, cell in enumerate(cells):
                text = "" if cell is None else str(cell).strip()
                try:
                    values[i] = math.nan if text.lower() in _MISSING else float(text)
                except ValueError:
                    raise ValueError(
                        f"column {column!r} of {self.name} has text ({text[:40]!r} on line {i + self.first_line}); "
                        "name the columns to use with --inputs, or encode it as numbers."
                    ) from None
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise ValueError(
                f"column {column!r} of {self.name} has {len(bad)} missing or infinite values (the first on line "
                f"{bad[0] + self.first_line}); drop or impute those rows."
            )
        return values

    def split(self, target: str, inputs: Sequence[str] | None = None) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """Inputs (N, d), targets (N,) and the names of the inputs; by default all columns but the target.

        Raises:
            ValueError: as `numbers`, or if the target is among the inputs, or nothing is left.
        """
        y = self.numbers(target)
        names = tuple(name for name in self.columns if name != target) if inputs is None else tuple(inputs)
        if target in names:
            raise ValueError(f"the target {target!r} is also among the inputs; leave it out of --inputs.")
        if len(set(names)) < len(names):
            raise ValueError(f"an input is named twice in {', '.join(names)}.")
        if not names:
            raise ValueError(f"{self.name} has no column besides the target {target!r}; there is nothing to fit from.")
        return np.column_stack([self.numbers(name) for name in names]), y, names


def read_table(path: str | Path) -> Table:
    """Read a table by the ending of its name: .csv, .tsv, .npz or .parquet (extra `parquet`).

    CSV and TSV files have a header line. In `.npz` files each one-dimensional array is a column, and each column of a
    two-dimensional array `x` is one, named x1, x2, ….

    Raises:
        ValueError: if the file is missing, empty, damaged, ragged or of another kind.
    """
    source = Path(path)
    if not source.is_file():
        raise ValueError(f"there is no file {source}; check the path.")
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
        with source.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            delimiter = "\t" if "\t" in header else ";" if ";" in header and "," not in header else ","
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter)
            rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{source} is not a text table in UTF-8; save it as CSV with that encoding.") from error
    if len(rows) < 2:
        raise ValueError(f"{source} is empty: it needs a header line and at least one row.")
    names = _unique(source, [name.strip() for name in rows[0][1]])
    for line, row in rows[1:]:
        if len(row) != len(names):
            raise ValueError(f"line {line} of {source} has {len(row)} cells, but the header has {len(names)}.")
    cells = list(zip(*(row for _, row in rows[1:]), strict=True))
    return Table(source.name, dict(zip(names, cells, strict=True)), first_line=rows[1][0])


def _read_npz(source: Path) -> Table:
    arrays = read_arrays(source)
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
    return Table(source.name, columns, first_line=0)


def _read_parquet(source: Path) -> Table:
    try:
        import pyarrow.parquet  # behind the extra
    except ImportError as error:
        raise ValueError("reading Parquet needs pyarrow: pip install 'ridgesplines[parquet]'.") from error
    try:
        table = pyarrow.parquet.read_table(source)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{source} is not a Parquet file, or it is damaged.") from error
    columns = {name: column.to_numpy() for name, column in zip(table.column_names, table.columns, strict=True)}
    if not columns or table.num_rows == 0:
        raise ValueError(f"{source} is empty: it needs at least one column and one row.")
    return Table(source.name, columns, first_line=0)


def _unique(source: Path, names: list[str]) -> list[str]:
    for name in names:
        if not name or names.count(name) > 1:
            what = f"two columns named {name!r}" if name else "a column without a name"
            raise ValueError(f"{source} has {what} in its header; name each column once.")
    if all(_is_number(name) for name in names):
        raise ValueError(f"{source} has no header: its first line is numbers; add a line with the columns' names.")
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
