"""Reading and writing the package's `.npz` files: versioned, never half-written, never executing what they hold."""

from __future__ import annotations

import json
import os
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

# 1: splines, solutions, paths and trainings without what they were solved for; 2: with it, and comparisons.
FORMAT_VERSION = 2
# What NumPy and the zip reader raise on files that are not, or no longer, what they should be.
_DAMAGED = (
    OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError, NotImplementedError, RuntimeError,
    OverflowError, MemoryError, SyntaxError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip
# Truth values, whole and real and complex numbers, text, dates: what needs no unpickling.
_PLAIN = "biufcSUMm"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Files may unpack to this many bytes, and larger ones to so many times their size: real data do not pack as zeros do.
_ALWAYS, _RATIO = 2**28, 200
# A grid of trainings has some thirty arrays for each of its networks.
_MEMBERS = 2**17
# The text that describes an array: a name, a shape and a type.
_DESCRIPTION = 2**14


def write_archive(path: str | os.PathLike[str], arrays: dict[str, np.ndarray], metadata: dict[str, Any]) -> Path:
    """Write `arrays` and JSON `metadata` to `path` as one `.npz` with the format version; return the path.

    The file is written beside and renamed, so that a crash leaves the old one.
    """
    target = Path(path)
    if target.suffix != ".npz":
        target = target.with_name(target.name + ".npz")
    # The package is the one that this module is a part of.
    made_by = f"ridgesplines {sys.modules[__package__ or 'ridgesplines'].__version__}"
    header = json.dumps({"format_version": FORMAT_VERSION, "made_by": made_by, **metadata})

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


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write a text file in UTF-8 beside and rename it; return its path.

    Raises:
        ValueError: if its folder does not exist.
    """
    return write_beside(Path(path), lambda temporary: Path(temporary).write_text(text, encoding="utf-8"))


def read_arrays(source: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file; objects are never unpickled, and what is unpacked is limited before it is.

    Raises:
        ValueError: if the file is no such archive, damaged, or made to unpack to far more than its size or the memory.
    """
    return {name: array for name, array in _members(source, None)}


def _members(source: Path, only: str | None) -> Iterator[tuple[str, np.ndarray]]:
    """Names and arrays; of one name alone, if that is given."""
    try:
        with source.open("rb") as file, zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            names = [info.filename.removesuffix(".npy") for info in infos]
            if len(infos) > _MEMBERS or len(set(names)) < len(names):
                raise ValueError(f"{len(infos)} members")
            check_unpacked(source, sum(info.file_size for info in infos))
            for name, info in zip(names, infos, strict=True):
                if only is None or name == only:
                    if info.compress_type not in _METHODS:
                        raise ValueError(f"compression {info.compress_type}")
                    with archive.open(info) as member:
                        yield name, _array(member, info.file_size)  # type: ignore[arg-type] # it reads bytes
    except _TooLargeError:
        raise
    except _DAMAGED as error:
        raise ValueError(f"{source} is not an .npz file of plain arrays, or it is damaged.") from error


class _TooLargeError(ValueError):
    """What is refused for its size."""


def check_unpacked(source: Path, unpacked: int) -> None:
    """Refuse a file that unpacks to far more bytes than real data in a file of its size do, or than the memory has.

    Raises:
        ValueError: if it does.
    """
    packed = source.stat().st_size
    if unpacked > min(max(_ALWAYS, _RATIO * packed), _memory()):
        raise _TooLargeError(
            f"{source} would unpack from {packed} to {unpacked} bytes, more than numbers in a file of its size, or the "
            "memory of this machine, can take; it is not opened."
        )


def _array(member: BinaryIO, size: int) -> np.ndarray:
    """The array of one member of `size` bytes; its header is believed only as far as that goes."""
    major, minor = npy.read_magic(member)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, fortran, dtype = readers[major, minor](member, max_header_size=_DESCRIPTION)
    if dtype.hasobject or dtype.kind not in _PLAIN or not all(0 <= n < 2**62 for n in shape):
        raise ValueError(f"an array of type {dtype} and shape {shape}")
    count = 1
    for n in shape:
        count *= n
    if len(shape) > 32 or count * dtype.itemsize != size - member.tell():
        raise ValueError(f"an array of shape {shape} in {size} bytes")
    data = member.read()
    if len(data) != count * dtype.itemsize:
        raise ValueError(f"{len(data)} bytes of an array of shape {shape}")
    if not data:
        return np.zeros(shape, dtype)
    # As NumPy's reader gives them: arrays that may be written to.
    array = np.frombuffer(bytearray(data), dtype)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _memory() -> float:
    """The bytes of memory of this machine, where it says so."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def existing_file(path: str | os.PathLike[str]) -> Path:
    """`path`, if there is such a file.

    Raises:
        TypeError: if it is no name of a file.
        ValueError: if there is no such file.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be the name of a file, got {type(path).__name__}.")
    if not (source := Path(path)).is_file():
        raise ValueError(f"there is no file {source}; check the path.")
    return source


def read_header(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a file made by `write_archive` says of itself: its `kind`, `format_version` and metadata; no other array.

    Raises:
        ValueError: if the file is missing, damaged, not made by `write_archive`, or of a newer format version.
    """
    source = existing_file(path)
    return _header(source, dict(_members(source, "header")) if zipfile.is_zipfile(source) else {})


def has_header(arrays: dict[str, np.ndarray]) -> bool:
    """Whether arrays are, or were before they were damaged, those of `write_archive` rather than a table of columns."""
    return "header" in arrays and arrays["header"].ndim == 0


def _header(source: Path, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """The metadata, checked; takes them out of `arrays`."""
    try:
        metadata = json.loads(str(arrays.pop("header")))
        version, kind = metadata["format_version"], metadata["kind"]
        if type(version) is not int or version < 1 or type(kind) is not str:
            raise ValueError(f"version {version!r} of {kind!r}")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{source} is not a file saved by ridgesplines, or it is damaged.") from error
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{source} has format version {version}, newer than this package's {FORMAT_VERSION}; upgrade ridgesplines."
        )
    return metadata


def read_archive(path: str | os.PathLike[str], kinds: tuple[str, ...]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and metadata of a file made by `write_archive` whose `kind` is one of `kinds`.

    Raises:
        ValueError: if the file is missing, damaged, too large to be true, of another kind or of a newer format version.
    """
    source = existing_file(path)
    try:
        arrays = read_arrays(source)
    except _TooLargeError:
        raise
    except ValueError as error:
        raise ValueError(f"{source} is not a file saved by ridgesplines, or it is damaged.") from error
    metadata = _header(source, arrays)
    del metadata["format_version"]
    if metadata["kind"] not in kinds:
        raise ValueError(f"{source} holds a {metadata['kind']}, but a {' or '.join(kinds)} is needed here.")
    return arrays, metadata


def by_owner(arrays: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Arrays stored as "owner.part", by owner and part; those without an owner belong to ""."""
    parts: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        owner, _, part = name.rpartition(".")
        parts.setdefault(owner, {})[part] = array
    return parts


def part_of(arrays: dict[str, np.ndarray], owner: str) -> dict[str, np.ndarray]:
    """The arrays stored as "owner.part", by part, which may have parts of its own."""
    prefix = f"{owner}."
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


@contextmanager
def assembling(path: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Within it what is missing from an archive, or does not fit, is a ValueError that names the file."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise ValueError(f"{path} lacks a part of a saved {what}; the file is damaged.") from error
    except ValueError as error:
        raise ValueError(f"{path} does not hold a whole saved {what}: {error}") from error
