"""`python -m experiments.line [run | draw]`: both by default; some minutes on two cores."""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.line.draw import draw
from experiments.line.run import run

FOLDER = Path("results/line")


def main(arguments: list[str]) -> None:
    if arguments not in ([], ["run"], ["draw"]):
        sys.exit("usage: python -m experiments.line [run | draw]")
    if arguments != ["draw"]:
        run(FOLDER)
    if arguments != ["run"]:
        draw(FOLDER, FOLDER)


main(sys.argv[1:])
