"""`python -m experiments.trained_versus_certified [run | draw]`: both by default; some minutes on two cores."""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.trained_versus_certified.draw import draw
from experiments.trained_versus_certified.run import run

FOLDER = Path("results/trained_versus_certified")


def main(arguments: list[str]) -> None:
    if arguments not in ([], ["run"], ["draw"]):
        sys.exit("usage: python -m experiments.trained_versus_certified [run | draw]")
    if arguments != ["draw"]:
        run(FOLDER)
    if arguments != ["run"]:
        draw(FOLDER, FOLDER)


main(sys.argv[1:])
