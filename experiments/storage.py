"""Results on disk: parts by their address, outcomes by their experiment; written beside and renamed, never half.

FOLDER/KEY/NAME.npz, NAME.json   an outcome: arrays, and parameters, parts, versions, seconds, numbers
FOLDER/quick/KEY/…               the same of the quick size
FOLDER/parts/KEY/NAME-….npz      what one part found, by a hash of its arguments and of the code
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.tasks import Answer, Task
from ridgesplines.archive import read_archive, write_archive, write_text

_LIBRARIES = ("numpy", "scipy", "jax", "numba", "cvxpy", "highspy", "clarabel")
_PART, _OUTCOME = "ExperimentPart", "ExperimentOutcome"
# Files that a killed run left unrenamed; younger ones may be those of a run beside this one.
_STALE = 3600.0
_SUFFIXES = (".npz", ".json", ".txt", ".pdf", ".png")


@dataclass(frozen=True)
class Result:
    """An outcome as it was kept.

    Attributes:
        outcome: numbers and arrays.
        facts: all else that is known: parameters, parts, versions, code, seconds.
    """

    outcome: Outcome
    facts: dict[str, Any]


@dataclass(frozen=True)
class Store:
    """A folder of results.

    Attributes:
        folder: made when something is written.
    """

    folder: Path

    def place(self, experiment: Experiment, quick: bool) -> Path:
        """Where its outcome and its figures are, without a suffix."""
        base = self.folder / "quick" if quick else self.folder
        return base / experiment.paper / experiment.name

    def part_file(self, task: Task) -> Path:
        """Where what a part found is kept."""
        paper, name = task.label.split("/")
        return self.folder / "parts" / paper / f"{name}-{task.digest}.npz"

    def write_part(self, task: Task, answer: Answer) -> None:
        """Keep what a part found."""
        file = self.part_file(task)
        file.parent.mkdir(parents=True, exist_ok=True)
        facts = {
            "kind": _PART,
            "experiment": task.label,
            "arguments": dict(task.arguments),
            "code": task.code,
            "seconds": answer.seconds,
            "values": answer.values,
        }
        write_archive(file, answer.arrays, facts)

    def read_part(self, task: Task) -> Answer | None:
        """What a part found; None if it is not there, or damaged."""
        try:
            arrays, facts = read_archive(self.part_file(task), (_PART,))
            return Answer(facts["values"], arrays, facts["seconds"])
        except (ValueError, KeyError):
            return None

    def write(
        self,
        experiment: Experiment,
        quick: bool,
        outcome: Outcome,
        tasks: list[Task],
        seconds: list[float],
    ) -> Path:
        """Keep an outcome; returns the path of its `.json`, which is written last.

        Raises:
            ValueError: if a number is none, or NaN, which no claim can be compared with.
        """
        numbers = {}
        for name, value in outcome.numbers.items():
            try:
                numbers[name] = float(value)
            except (TypeError, ValueError):
                raise ValueError(f"the number {name!r} is {value!r}, and no number.") from None
            if np.isnan(numbers[name]):
                raise ValueError(f"the number {name!r} is NaN; where it cannot be had, list it as absent.")
        place = self.place(experiment, quick)
        place.parent.mkdir(parents=True, exist_ok=True)
        code = tasks[0].code if tasks else ""
        identity = identity_of(tasks)
        write_archive(place.with_suffix(".npz"), outcome.arrays, {"kind": _OUTCOME, "identity": identity})
        facts = {
            "paper": experiment.paper,
            "experiment": experiment.name,
            "title": experiment.title,
            "size": "quick" if quick else "full",
            "parameters": dict(experiment.quick if quick else experiment.full),
            "numbers": numbers,
            "absent": dict(outcome.absent),
            "seconds": sum(seconds),
            "code": code,
            "identity": identity,
            "versions": _versions(),
            "parts": [
                {"arguments": dict(task.arguments), "seconds": spent, "file": self.part_file(task).name}
                for task, spent in zip(tasks, seconds, strict=True)
            ],
        }
        return write_text(place.with_suffix(".json"), json.dumps(facts, indent=2, ensure_ascii=False) + "\n")

    def facts(self, experiment: Experiment, quick: bool) -> dict[str, Any] | None:
        """What is known of a kept outcome besides its arrays; None if there is none, or it is damaged."""
        try:
            facts = json.loads(self.place(experiment, quick).with_suffix(".json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return facts if isinstance(facts, dict) and isinstance(facts.get("numbers"), dict) else None

    def read(self, experiment: Experiment, quick: bool) -> Result:
        """A kept outcome.

        Raises:
            ValueError: if there is none, or what there is does not belong together.
        """
        facts = self.facts(experiment, quick)
        label = f"{experiment.paper}/{experiment.name}"
        command = f"python -m experiments run {label}{' --quick' if quick else ''}"
        if facts is None:
            raise ValueError(f"{label} has not been run; run it: {command}")
        file = self.place(experiment, quick).with_suffix(".npz")
        arrays, header = read_archive(file, (_OUTCOME,))
        if header.get("identity") != facts.get("identity"):
            raise ValueError(f"{file} and the .json beside it are of different runs; run again: {command}")
        return Result(Outcome(facts["numbers"], arrays, facts.get("absent", {})), facts)

    def sweep(self) -> None:
        """Remove what killed runs left behind."""
        for file in self.folder.rglob(".*-*.*"):
            try:
                if file.suffix in _SUFFIXES and time.time() - file.stat().st_mtime > _STALE:
                    file.unlink()
            except FileNotFoundError:
                continue  # another run was faster


def identity_of(tasks: list[Task]) -> str:
    """One word for the parts that an outcome is made of, in their order."""
    return hashlib.sha256("".join(task.digest for task in tasks).encode()).hexdigest()[:24]


def _versions() -> Mapping[str, str]:
    versions = {"python": platform.python_version(), "ridgesplines": rs.__version__}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
