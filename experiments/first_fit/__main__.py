"""`python -m experiments.first_fit [run | draw]`: both by default; about three minutes on two cores."""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.first_fit.draw import draw
from experiments.first_fit.run import run

FOLDER = Path("results/first_fit")


def main(arguments: list[str]) -> None:
    if arguments not in ([], ["run"], ["draw"]):
        sys.exit("usage: python -m experiments.first_fit [run | draw]")
    if arguments != ["draw"]:
        run(FOLDER)
    if arguments != ["run"]:
        draw(FOLDER, FOLDER)


main(sys.argv[1:])
