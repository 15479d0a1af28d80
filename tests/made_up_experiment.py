"""A cheap experiment for the tests of the runner, and what runs it in other processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments import command
from experiments.experiment import Experiment, Outcome, Unavailable
from experiments.running import run
from experiments.storage import Store
from experiments.style import new_figure
from experiments.workers import Here


def parts(count: int, pause: float = 0.0, mishap: str = "", first: int = 0) -> list[dict[str, Any]]:
    if mishap == "no list":
        raise RuntimeError("nothing can be listed")
    return [
        dict(number=k, seed=10 + k, pause=pause, mishap=mishap if k == 1 else "") for k in range(first, first + count)
    ]


def solve(number: int, seed: int, pause: float, mishap: str) -> dict[str, Any]:
    time.sleep(pause)
    if mishap == "error":
        raise ArithmeticError("no such number")
    if mishap == "exit":
        sys.exit(3)
    if mishap == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if mishap == "absent":
        raise Unavailable("there is no moon")
    if mishap == "object":
        return dict(square=object())
    curve = np.random.default_rng(seed).standard_normal(100)
    return dict(
        square=number**2, third=np.float64(number / 3), word=f"number {number}", flag=np.bool_(number % 2),
        endless=np.inf, pair=(1, 2.5), curve=curve, table=np.arange(6).reshape(2, 3), single=np.array(7),
        threads=os.environ.get("OPENBLAS_NUM_THREADS", ""),
    )  # fmt: skip


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    assert [part["number"] ** 2 for part in parts] == [one["square"] for one in found]
    numbers = {"sum": sum(one["square"] for one in found), "mean": float(np.mean([one["curve"] for one in found]))}
    return Outcome(numbers, {"curves": np.stack([one["curve"] for one in found])}, {"moon": "there is no moon"})


def draw(outcome: Outcome) -> Figure:
    figure = new_figure(1)
    figure.subplots().plot(outcome.arrays["curves"].T)
    return figure


MADE_UP = Experiment(
    "nobody_1900",
    "squares",
    "squares of numbers",
    dict(count=4),
    dict(count=12, pause=0.005),
    parts,
    solve,
    gather,
    draw,
)


def run_here(folder: str) -> None:
    """For a process of its own."""
    run([MADE_UP], Store(Path(folder)), Here(), say=str)


def main(folder: str, *arguments: str, pause: float) -> None:
    """The command line, with the made-up experiment alone, and longer pauses in it."""
    command.chosen = lambda words: [replace(MADE_UP, full=dict(count=8, pause=pause))]
    command.claims_about = lambda experiments, papers=None: []
    sys.exit(command.main([*arguments, "--folder", folder]))
