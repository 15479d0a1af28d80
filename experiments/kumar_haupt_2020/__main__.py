"""`python -m experiments.kumar_haupt_2020 [run | draw]`: both by default; a minute on two cores.

`python -m experiments.kumar_haupt_2020 line FILE`: knots with penalised biases beside the fewest, for other data.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.kumar_haupt_2020.draw import draw
from experiments.kumar_haupt_2020.run import run, run_line

FOLDER = Path("results/kumar_haupt_2020")


def main(arguments: list[str]) -> None:
    if len(arguments) == 2 and arguments[0] == "line":
        try:
            run_line(Path(arguments[1]), FOLDER)
        except ValueError as error:
            print(error, file=sys.stderr)
            sys.exit(2)
        return
    if arguments not in ([], ["run"], ["draw"]):
        sys.exit("usage: python -m experiments.kumar_haupt_2020 [run | draw | line FILE]")
    if arguments != ["draw"]:
        run(FOLDER)
    if arguments != ["run"]:
        draw(FOLDER, FOLDER)


main(sys.argv[1:])
