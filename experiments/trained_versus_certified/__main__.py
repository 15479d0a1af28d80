"""`python -m experiments.trained_versus_certified [run | draw | sparsity | seeds]`: run and draw by default.

Some minutes on two cores; `sparsity` sets the proximal method beside weight decay along training, `seeds` trains 32
seeds on six problems.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.trained_versus_certified import seeds, sparsity
from experiments.trained_versus_certified.draw import draw
from experiments.trained_versus_certified.run import run

FOLDER = Path("results/trained_versus_certified")


def main(arguments: list[str]) -> None:
    if arguments not in ([], ["run"], ["draw"], ["sparsity"], ["seeds"]):
        print("usage: python -m experiments.trained_versus_certified [run | draw | sparsity | seeds]", file=sys.stderr)
        sys.exit(2)
    if arguments in (["sparsity"], ["seeds"]):
        (sparsity if arguments == ["sparsity"] else seeds).run(FOLDER)
        return
    if arguments != ["draw"]:
        run(FOLDER)
    if arguments != ["run"]:
        draw(FOLDER, FOLDER)


main(sys.argv[1:])
