"""`python -m experiments.williams_2021 [run | noise | size | largest | clouds | draw]`: run and draw by default.

`run` samples 1,000 points of meshes and tables all methods, `noise` the same with noise, `size` 20,000 points and
`largest` 100,000; `clouds` fits large clouds as they are, `draw` draws what `run` and `noise` saved. Each takes some
minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.williams_2021.draw import draw
from experiments.williams_2021.run import CLEAN, NOISY, STUDIES, run, run_clouds

FOLDER = Path("results/williams_2021")


def main(arguments: list[str]) -> None:
    if len(arguments) > 1 or not {*arguments} <= {*STUDIES, "clouds", "draw"}:
        sys.exit(f"usage: python -m experiments.williams_2021 [{' | '.join(STUDIES)} | clouds | draw]")
    chosen = arguments[0] if arguments else "run"
    if chosen in STUDIES:
        run(FOLDER, STUDIES[chosen])
    if chosen == "clouds":
        run_clouds(FOLDER)
    if chosen == "draw" or not arguments:
        for study in (CLEAN, NOISY):
            draw(FOLDER, FOLDER, study)


main(sys.argv[1:])
