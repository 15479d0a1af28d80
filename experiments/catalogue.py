"""The papers that have experiments, and the experiments that words on the command line name."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

from experiments.experiment import Experiment

_HERE = Path(__file__).resolve().parent
PAPERS = _HERE.parent / "papers"


def keys() -> list[str]:
    """The papers with experiments."""
    return sorted(file.parent.name for file in _HERE.glob("*/paper.py"))


def experiments_of(key: str) -> tuple[Experiment, ...]:
    """All of one paper.

    Raises:
        ValueError: if there is no such paper, or its experiments are not what they should be.
    """
    if key not in keys():
        raise ValueError(f"there is no paper {key!r} with experiments; there are {', '.join(keys())}.")
    found = tuple(importlib.import_module(f"experiments.{key}.paper").EXPERIMENTS)
    names = [experiment.name for experiment in found]
    if len(set(names)) < len(names) or any(experiment.paper != key for experiment in found):
        raise ValueError(
            f"experiments/{key}/paper.py: the names have to differ, and the paper of each has to be {key!r}."
        )
    return found


def chosen(words: Sequence[str]) -> list[Experiment]:
    """Those that "KEY" or "KEY/NAME" name; all of all papers if nothing does.

    Raises:
        ValueError: for a word that names none.
    """
    found: dict[tuple[str, str], Experiment] = {}
    for word in words or keys():
        key, _, name = word.partition("/")
        every = experiments_of(key)
        some = [experiment for experiment in every if not name or experiment.name == name]
        if not some:
            names = ", ".join(experiment.name for experiment in every)
            raise ValueError(f"{key} has no experiment {name!r}; it has {names}.")
        found |= {(key, experiment.name): experiment for experiment in some}
    return list(found.values())
