"""`python -m experiments.tabular [run | draw] [TABLE …]`: both by default; a run that was ended goes on."""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.tabular.data import TABLES
from experiments.tabular.draw import draw
from experiments.tabular.run import run

FOLDER = Path("results/tabular")


def main(arguments: list[str]) -> None:
    keys = [table.key for table in TABLES]
    verbs = arguments[:1] if arguments[:1] in (["run"], ["draw"]) else []
    chosen = arguments[len(verbs) :]
    if unknown := [key for key in chosen if key not in keys]:
        print(f"there is no table {unknown[0]}; there are {', '.join(keys)}.", file=sys.stderr)
        sys.exit(2)
    if verbs != ["draw"]:
        run(FOLDER, tuple(table for table in TABLES if not chosen or table.key in chosen))
    if verbs != ["run"]:
        print(draw(FOLDER, FOLDER))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("Interrupted: the folds that are done are kept, and the next run goes on from them.")
