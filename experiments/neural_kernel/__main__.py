"""`python -m experiments.neural_kernel [run | evaluate | probe | draw]`: run and draw by default (extra `surfaces`).

`run` trains for some minutes and compares, `evaluate` compares with the network that is saved, `probe` does so quickly
by signs alone, `draw` draws bodies.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.neural_kernel.draw import draw
from experiments.neural_kernel.run import evaluate_all, probe, run

FOLDER = Path("results/neural_kernel")


def main(arguments: list[str]) -> None:
    if arguments not in ([], ["run"], ["evaluate"], ["probe"], ["draw"]):
        print("usage: python -m experiments.neural_kernel [run | evaluate | probe | draw]", file=sys.stderr)
        sys.exit(2)
    if arguments == ["evaluate"]:
        evaluate_all(FOLDER)
    elif arguments == ["probe"]:
        probe(FOLDER)
    elif arguments != ["draw"]:
        run(FOLDER)
    if arguments in ([], ["draw"]):
        draw(FOLDER, FOLDER)


main(sys.argv[1:])
