"""`python -m experiments.inverse_problems [run | draw] [tomography …]`: all topics, run and draw, by default.

`run` solves and tables (some minutes on two cores), `draw` draws what `run` saved.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.inverse_problems.cases import CASES, TOPICS
from experiments.inverse_problems.draw import draw
from experiments.inverse_problems.run import run

FOLDER = Path("results/inverse_problems")


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """The exit code: 2 for arguments that make no sense, 130 for Ctrl-C."""
    verb, topics = (arguments[0], arguments[1:]) if arguments[:1] in (["run"], ["draw"]) else ("", arguments)
    unknown = [topic for topic in topics if topic not in TOPICS]
    if unknown:
        print(
            f"there is no topic {unknown[0]!r}; usage: python -m experiments.inverse_problems [run | draw] "
            f"[{' | '.join(TOPICS)} …]",
            file=sys.stderr,
        )
        return 2
    cases = {key: make for key, make in CASES.items() if not topics or key.split("_")[0] in topics}
    try:
        if verb != "draw":
            run(folder, cases)
        if verb != "run":
            draw(folder, folder, cases)
    except KeyboardInterrupt:
        print(f"interrupted; what was done is in {folder}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
