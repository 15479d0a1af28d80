"""`python -m experiments.williams_2021 [run | clouds | draw]`: run and draw by default; some minutes on two cores.

`run` samples the meshes and tables all methods, `clouds` fits large clouds as they are, `draw` draws what `run` saved.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.williams_2021.draw import draw
from experiments.williams_2021.run import run, run_clouds

FOLDER = Path("results/williams_2021")


def main(arguments: list[str]) -> None:
    if arguments not in ([], ["run"], ["clouds"], ["draw"]):
        sys.exit("usage: python -m experiments.williams_2021 [run | clouds | draw]")
    if arguments == ["clouds"]:
        run_clouds(FOLDER)
        return
    if arguments != ["draw"]:
        run(FOLDER)
    if arguments != ["run"]:
        draw(FOLDER, FOLDER)


main(sys.argv[1:])
