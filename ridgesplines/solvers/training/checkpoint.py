"""Training on disk between two chunks of steps."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ridgesplines.archive import read_archive, write_archive

_KIND = "TrainingCheckpoint"


def fingerprint(*parts: Any) -> str:
    """A digest of arrays by their bytes and of all else by its printed form."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(repr((part.shape, part.dtype.str)).encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()


def save(path: Path, identity: str, done: int, tree: Any) -> None:
    """Write the leaves of `tree` and the number of records done; the file is replaced as a whole."""
    leaves = {str(i): np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(tree))}
    write_archive(path, leaves, {"kind": _KIND, "identity": identity, "done": done})


def load(path: Path, identity: str, structure: Any) -> tuple[int, Any] | None:
    """The records done and the tree that `save` wrote, in the structure of `structure`; None without a file.

    Raises:
        ValueError: if the file is damaged, no checkpoint, or of another problem or other options.
    """
    if not path.is_file():
        return None
    arrays, metadata = read_archive(path, (_KIND,))
    if metadata.get("identity") != identity:
        raise ValueError(f"the checkpoint {path} is of another problem or other options; remove it, or name another.")
    treedef = jax.tree.structure(structure)
    if len(arrays) != treedef.num_leaves:
        raise ValueError(f"the checkpoint {path} is damaged; remove it to start anew.")
    return int(metadata["done"]), jax.tree.unflatten(treedef, [arrays[str(i)] for i in range(len(arrays))])
