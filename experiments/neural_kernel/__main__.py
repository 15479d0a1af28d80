"""`python -m experiments.neural_kernel [run | evaluate | validate | draw]`: run and draw by default (extra `surfaces`).

`run` trains for some minutes and compares, `evaluate` compares with the network that is saved, `validate` does so on
bodies that are not those of the test, `draw` draws bodies.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.neural_kernel.draw import draw
from experiments.neural_kernel.run import evaluate_all, run, validate

FOLDER = Path("results/neural_kernel")


def main(arguments: list[str]) -> None:
    if arguments not in ([], ["run"], ["evaluate"], ["validate"], ["draw"]):
        print("usage: python -m experiments.neural_kernel [run | evaluate | validate | draw]", file=sys.stderr)
        sys.exit(2)
    try:
        if arguments == ["evaluate"]:
            evaluate_all(FOLDER)
        elif arguments == ["validate"]:
            validate(FOLDER)
        elif arguments != ["draw"]:
            run(FOLDER)
        if arguments in ([], ["draw"]):
            draw(FOLDER, FOLDER)
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


main(sys.argv[1:])
