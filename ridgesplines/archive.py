"""Reading and writing the package's `.npz` files: versioned, never half-written, never executing what they hold."""

from __future__ import annotations

import json
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

FORMAT_VERSION = 1
# What NumPy and the zip reader raise on files that are not, or no longer, what they should be.
_DAMAGED = (
    OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, NotImplementedError, RuntimeError,
    zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip


def write_archive(path: str | os.PathLike[str], arrays: dict[str, np.ndarray], metadata: dict[str, Any]) -> Path:
    """Write `arrays` and JSON `metadata` to `path` as one `.npz` with the format version; return the path.

    The file is written beside and renamed, so that a crash leaves the old one.
    """
    target = Path(path)
    if target.suffix != ".npz":
        target = target.with_name(target.name + ".npz")
    header = json.dumps({"format_version": FORMAT_VERSION, **metadata})

    def write(temporary: str) -> None:
        with open(temporary, "wb") as file:
            np.savez_compressed(file, header=np.array(header), **arrays)  # type: ignore[arg-type] # numpy's stub

    return write_beside(target, write)


def write_beside(target: Path, write: Any) -> Path:
    """Let `write(temporary_path)` make a file next to `target`, then rename it into place; return `target`."""
    if not target.parent.is_dir():
        raise ValueError(f"cannot write {target}: the folder {target.parent} does not exist; create it first.")
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix)
    os.close(handle)
    try:
        write(temporary)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    return target


def read_arrays(source: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file; objects are never unpickled.

    Raises:
        ValueError: if the file is no such archive, or damaged.
    """
    try:
        with source.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except _DAMAGED as error:
        raise ValueError(f"{source} is not an .npz file of plain arrays, or it is damaged.") from error


def read_archive(path: str | os.PathLike[str], kinds: tuple[str, ...]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and metadata of a file made by `write_archive` whose `kind` is one of `kinds`.

    Raises:
        ValueError: if the file is missing, damaged, of another kind, or of a newer format version.
    """
    source = Path(path)
    if not source.is_file():
        raise ValueError(f"there is no file {source}; check the path.")
    try:
        arrays = read_arrays(source)
        metadata = dict(json.loads(str(arrays.pop("header"))))
        version, kind = int(metadata.pop("format_version")), metadata["kind"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{source} is not a file saved by ridgesplines, or it is damaged.") from error
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{source} has format version {version}, newer than this package's {FORMAT_VERSION}; upgrade ridgesplines."
        )
    if kind not in kinds:
        raise ValueError(f"{source} holds a {kind}, but a {' or '.join(kinds)} is needed here.")
    return arrays, metadata


def by_owner(arrays: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Arrays stored as "owner.part", by owner and part; those without an owner belong to ""."""
    parts: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        owner, _, part = name.rpartition(".")
        parts.setdefault(owner, {})[part] = array
    return parts


@contextmanager
def assembling(path: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Within it what is missing from an archive, or of another shape, is a ValueError that names the file."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{path} lacks a part of a saved {what}; the file is damaged.") from error
