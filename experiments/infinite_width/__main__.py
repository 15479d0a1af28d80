"""`python -m experiments.infinite_width [run | features | trained | kink | draw]`: run and draw by default.

`run` is `features` (random features beside their kernels), `trained` (gradient descent beside the tangent kernel) and
`kink` (a ridge spline beside kernels): some minutes each on two cores. `draw` draws what they saved.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.infinite_width import features, kink, trained
from experiments.infinite_width.draw import draw

FOLDER = Path("results/infinite_width")
PARTS = {"features": features.run, "trained": trained.run, "kink": kink.run}


def main(arguments: list[str]) -> None:
    if arguments and (len(arguments) > 1 or arguments[0] not in ("run", "draw", *PARTS)):
        print(f"usage: python -m experiments.infinite_width [run | {' | '.join(PARTS)} | draw]", file=sys.stderr)
        sys.exit(2)
    chosen = arguments[0] if arguments else ""
    for name, run in PARTS.items():
        if chosen in ("", "run", name):
            run(FOLDER)
    if chosen in ("", "draw"):
        draw(FOLDER, FOLDER)


main(sys.argv[1:])
