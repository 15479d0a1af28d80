"""What an experiment of a paper is: parts that are solved independently, the numbers that claims read, and a figure.

`experiments/KEY/paper.py` holds `EXPERIMENTS`, the experiments of the paper KEY. The front matter of `papers/KEY.md`
holds the claims: each names an experiment, one of its numbers, and what that has to be:

    claims:
      - statement: what the paper says, in a line
        function: the function that shows it
        experiment: the name of the experiment
        number: the name of the number
        at_most: 1.0e-6  # or at_least; or equals with a tolerance
        sizes: [full]  # where the quick size cannot show it, said in the statement; both by default
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Keyword arguments that JSON can hold: numbers, strings, lists of them.
Parameters = Mapping[str, Any]
# A folder of data sets that may lie beside the repository.
DATA_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


class Unavailable(Exception):
    """What an experiment needs and this machine lacks, a package or a file: it is left out; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """What an experiment found, all that is kept of it.

    Attributes:
        numbers: what claims read, and the tables: plain finite or infinite numbers by name.
        arrays: what the figure needs beside them.
        absent: numbers that could not be had here, each with the reason: claims about them are not run.
    """

    numbers: dict[str, float]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """One computation of a paper and its figure.

    Attributes:
        paper: the key of the paper, the name of its folder and of its file in `papers/`.
        name: in words joined by underscores; results and figures are called so.
        title: what is computed, in one line.
        quick: parameters with which it takes well under a minute on two cores, and still means something.
        full: parameters of the paper's size: minutes, at most an hour or so.
        parts: from the parameters as keyword arguments, the arguments of each independent part (seeds among them).
        solve: one part, from its arguments: numbers, strings and arrays by name. A function of a module, without
            state and without files, so that other processes can run it; the same arguments give the same numbers.
        gather: from the list of parts and the list of what each found, in the same order, the outcome.
        draw: the figure, from the outcome alone: nothing is solved there.
        brief: whether the quick size takes but a few seconds, so that the ordinary tests run it.

    `parts` and `solve` may raise `Unavailable`.
    """

    paper: str
    name: str
    title: str
    quick: Parameters
    full: Parameters
    parts: Callable[..., list[dict[str, Any]]]
    solve: Callable[..., dict[str, Any]]
    gather: Callable[[list[dict[str, Any]], list[dict[str, Any]]], Outcome]
    draw: Callable[[Outcome], Figure]
    brief: bool = False

    def outcome(self, parameters: Parameters) -> Outcome:
        """All parts one after another in this process, nothing written."""
        parts = self.parts(**parameters)
        return self.gather(parts, [self.solve(**part) for part in parts])
