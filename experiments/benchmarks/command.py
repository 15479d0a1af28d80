"""`python -m experiments.benchmarks [run | draw] [ROW …]`: measure, print the table, draw the figures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from experiments.benchmarks.draw import draw
from experiments.benchmarks.measuring import run_row
from experiments.benchmarks.rows import ROWS
from experiments.benchmarks.tables import machine_lines, table

FOLDER = Path("results/benchmarks")


def main(arguments: list[str]) -> int:
    """Measure and draw as `arguments` say; the exit status."""
    options = _parser().parse_args(arguments)
    words = options.words
    actions = [words.pop(0)] if words and words[0] in ("run", "draw") else ["run", "draw"]
    unknown = [word for word in words if word not in ROWS]
    if unknown:
        _parser().error(f"no row {', '.join(unknown)}; the rows are {', '.join(ROWS)}")
    folder = options.folder / "quick" if options.quick else options.folder
    shown = []
    try:
        for key in words or ROWS:
            file = folder / f"{key}.json"
            if "run" in actions:
                run_row(key, ROWS[key], file, options.quick, options.limit)
            elif not file.is_file():
                print(f"{key}: not measured yet")
                continue
            results = json.loads(file.read_text())
            print(table(results, options.markdown) + "\n", flush=True)
            shown.append(results)
            if "draw" in actions:
                draw(results, (options.pictures or folder) / f"{key}.png")
    except KeyboardInterrupt:
        print(f"\ninterrupted; what is done is in {folder}")
        return 130
    print("\n".join(machine_lines(shown)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.benchmarks",
        description="Measure the rows of the table of benchmarks (run), and print and draw what was measured (draw); "
        "both by default.",
        epilog="Rows: " + ", ".join(ROWS),
    )
    parser.add_argument("words", nargs="*", metavar="[run | draw] ROW", help="all rows by default")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, in one process, to see that all works")
    parser.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for each run (600)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"of the results ({FOLDER})")
    parser.add_argument("--pictures", type=Path, help="of the figures; beside the results by default")
    return parser
