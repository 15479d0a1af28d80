"""The claims in the front matter of `papers/KEY.md`: read, validated, and compared with numbers that were found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from experiments.experiment import Outcome

SIZES = ("quick", "full")
_TEXTS = ("statement", "function", "experiment", "number")
_NUMBERS = ("at_most", "at_least", "equals", "tolerance")
_KEYS = (*_TEXTS, *_NUMBERS, "sizes")


@dataclass(frozen=True)
class Claim:
    """A number that an experiment finds, and what it has to be: exactly one of the three.

    Attributes:
        paper: the key of the paper.
        statement: what the paper says.
        function: the function that shows it.
        experiment: the name of the experiment.
        number: the name of its number.
        at_most: its largest value.
        at_least: its least value.
        equals: its value, up to
        tolerance: this.
        sizes: of the experiment that show it.
    """

    paper: str
    statement: str
    function: str
    experiment: str
    number: str
    at_most: float | None = None
    at_least: float | None = None
    equals: float | None = None
    tolerance: float | None = None
    sizes: tuple[str, ...] = SIZES

    @property
    def asked(self) -> str:
        """What is asked of the number, in signs."""
        if self.equals is not None:
            return f"{self.equals:.9g} ± {self.tolerance:g}"
        return f"≥ {self.at_least:.9g}" if self.at_most is None else f"≤ {self.at_most:.9g}"

    def holds(self, value: float) -> bool:
        """Whether a number is what it has to be; NaN never is."""
        if self.equals is not None and self.tolerance is not None:
            return value == self.equals or abs(value - self.equals) <= self.tolerance
        if self.at_most is not None:
            return value <= self.at_most
        return self.at_least is not None and value >= self.at_least


@dataclass(frozen=True)
class Verdict:
    """What a claim came to.

    Attributes:
        claim: it.
        size: "quick" or "full".
        number: what was found; None if nothing was.
        state: "holds", "fails" or "not run".
        note: why, or what else there is to say.
    """

    claim: Claim
    size: str
    number: float | None
    state: str
    note: str = ""


def judge(claim: Claim, size: str, outcome: Outcome | None, note: str = "") -> Verdict:
    """Compare a claim with an outcome, or say why there is none to compare with."""
    if outcome is None:
        return Verdict(claim, size, None, "not run", note)
    if claim.number in outcome.absent:
        return Verdict(claim, size, None, "not run", outcome.absent[claim.number])
    if claim.number not in outcome.numbers:
        has = ", ".join(outcome.numbers) or "none"
        return Verdict(claim, size, None, "fails", f"the experiment finds no {claim.number!r}; its numbers are {has}")
    value = outcome.numbers[claim.number]
    return Verdict(claim, size, value, "holds" if claim.holds(value) else "fails", note)


def read_claims(file: Path) -> tuple[Claim, ...]:
    """The claims of a paper's file, in their order; none if it has no front matter.

    Raises:
        ValueError: for claims that are not what they should be, in a sentence with the file and the claim.
    """
    if not file.is_file():
        raise ValueError(f"there is no file {file} with the claims of {file.stem}; write one.")
    text = file.read_text(encoding="utf-8")
    if not text.startswith("---\n"):
        return ()
    matter, closing, _ = text[4:].partition("\n---\n")
    if not closing:
        raise ValueError(f"{file}: the front matter has no end; close it by a line ---.")
    try:
        read = yaml.safe_load(matter)
    except yaml.YAMLError as error:
        # Its own text runs over several lines.
        what = " ".join(str(error).split())
        raise ValueError(f"{file}: the front matter is no YAML ({what}); quote texts that hold a colon.") from None
    if not isinstance(read, dict) or set(read) != {"claims"} or not isinstance(read["claims"], list):
        raise ValueError(f"{file}: the front matter has to be a list called claims, and nothing else.")
    return tuple(_claim(file, number, entry) for number, entry in enumerate(read["claims"], 1))


def _claim(file: Path, position: int, entry: Any) -> Claim:
    where = f"{file}, claim {position}"
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: a claim has to be a mapping with the keys {', '.join(_KEYS)}.")
    if isinstance(entry.get("statement"), str):
        where += f" ({entry['statement'][:60]!r})"
    unknown = [str(key) for key in entry if key not in _KEYS]
    if unknown:
        raise ValueError(f"{where}: there is no key {', '.join(unknown)}; the keys are {', '.join(_KEYS)}.")
    for key in _TEXTS:
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise ValueError(f"{where}: {key} is {entry.get(key)!r}; it has to be text.")
    numbers = {key: _number(where, key, entry[key]) for key in _NUMBERS if key in entry}
    asked = [key for key in ("at_most", "at_least", "equals") if key in numbers]
    if len(asked) != 1:
        got = " and ".join(asked) or "none of them"
        raise ValueError(f"{where}: exactly one of at_most, at_least and equals is needed, not {got}.")
    if ("equals" in numbers) != ("tolerance" in numbers):
        raise ValueError(f"{where}: tolerance belongs to equals, and equals needs one, 0 for exactly.")
    if numbers.get("tolerance", 0.0) < 0:
        raise ValueError(f"{where}: tolerance is {numbers['tolerance']:g}; it cannot be negative.")
    sizes = _sizes(where, entry.get("sizes", list(SIZES)))
    statement, function, experiment, number = (" ".join(entry[key].split()) for key in _TEXTS)
    asked_of = (numbers.get(key) for key in _NUMBERS)
    return Claim(file.stem, statement, function, experiment, number, *asked_of, sizes=sizes)


def _number(where: str, key: str, value: Any) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        # YAML reads 1e-6, which has no point, as text.
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{where}: {key} is {value!r}; it has to be a number.") from None
    if math.isnan(number):
        raise ValueError(f"{where}: {key} is NaN, with which nothing can be compared.")
    return number


def _sizes(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or any(size not in SIZES for size in value):
        raise ValueError(f"{where}: sizes is {value!r}; it has to be a list of {' and '.join(SIZES)}.")
    return tuple(size for size in SIZES if size in value)
