"""`python -m experiments.radon [run | draw]`: both by default; under a minute on two cores."""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.radon.draw import draw
from experiments.radon.run import run

FOLDER = Path("results/radon")


def main(arguments: list[str]) -> None:
    if arguments not in ([], ["run"], ["draw"]):
        sys.exit("usage: python -m experiments.radon [run | draw]")
    if arguments != ["draw"]:
        run(FOLDER)
    if arguments != ["run"]:
        draw(FOLDER, FOLDER)


main(sys.argv[1:])
