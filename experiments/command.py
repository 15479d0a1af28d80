"""`python -m experiments list | run | draw | check | all | table | report [KEY | KEY/NAME …]`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.catalogue import PAPERS, chosen
from experiments.experiment import Experiment
from experiments.reporting import check, claims_about, draw, markdown, seconds_of, summary, write_table
from experiments.running import run
from experiments.storage import Store
from experiments.workers import DaskCluster, Processes, Workers
from ridgesplines.progress import Progress

FOLDER = Path("results")
_ACTIONS = {
    "list": "the experiments, and how long what is kept of them took",
    "run": "solve, and keep the numbers",
    "draw": "figures from what was kept",
    "check": "claims beside the numbers that were kept",
    "all": "run, draw and check",
    "table": "write all claims with their numbers into papers/README.md",
    "report": "write one page with claims, numbers, figures, and certified paths to move along",
}


def main(arguments: Sequence[str], workers: Workers | None = None) -> int:
    """Do what `arguments` say; the exit status: 1 if a part or a claim fails, 2 for bad input, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    store = Store(options.folder)
    try:
        if options.folder.exists() and not options.folder.is_dir():
            raise ValueError(f"--folder {options.folder} is a file; give a folder.")
        experiments = chosen(options.words)
        if options.action == "list":
            return _list(experiments, store, options.papers)
        if options.action == "table":
            return _table(experiments, store, options.papers)
        if options.action == "report":
            return _report(experiments, store, options)
        failed = False
        # Malformed claims are told before the work.
        claims = claims_about(experiments, options.papers)
        if options.action in ("run", "all"):
            chosen_workers = workers or _workers(options)
            ran = run(experiments, store, chosen_workers, quick=options.quick, resume=options.resume)
            failed = any(one.failures for one in ran)
            experiments = [one.experiment for one in ran if one.finished]
        if options.action in ("draw", "all"):
            failed |= _draw(experiments, store, options.quick)
        if options.action in ("check", "all"):
            verdicts = check(claims, store, "quick" if options.quick else "full")
            print(markdown(verdicts))
            print(summary(verdicts))
            failed |= any(verdict.state == "fails" for verdict in verdicts)
        return int(failed)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; what is done is kept in {store.folder}, the same command goes on from there")
        return 130


def _workers(options: argparse.Namespace) -> Workers:
    if options.scheduler is not None:
        return DaskCluster(options.scheduler)
    return Processes(options.jobs or _cores())


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _list(experiments: Sequence[Experiment], store: Store, papers: Path) -> int:
    print("| experiment | what | claims | quick | full |\n|---|---|---|---|---|")
    claims = claims_about(experiments, papers)
    for experiment in experiments:
        count = sum(about is experiment for _, about in claims)
        quick, full = (seconds_of(store.facts(experiment, size)) for size in (True, False))
        print(f"| {experiment.paper}/{experiment.name} | {experiment.title} | {count} | {quick} | {full} |")
    return 0


def _draw(experiments: Sequence[Experiment], store: Store, quick: bool) -> bool:
    """Whether a figure failed."""
    failed = False
    for experiment in experiments:
        try:
            print(", ".join(str(file) for file in draw(experiment, store, quick)), flush=True)
        except Exception as error:
            # One figure that cannot be drawn keeps no other from being drawn.
            kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            print(f"{experiment.paper}/{experiment.name} cannot be drawn: {kind}{error}", file=sys.stderr)
            failed = True
    return failed


def _table(experiments: Sequence[Experiment], store: Store, papers: Path) -> int:
    file = papers / "README.md"
    verdicts = write_table(experiments, store, file)
    print(f"{summary(verdicts)}; the table is in {file}")
    return int(any(verdict.state == "fails" for verdict in verdicts))


def _report(experiments: Sequence[Experiment], store: Store, options: argparse.Namespace) -> int:
    from experiments.report.page import write_report
    from experiments.report.paths import certified_paths

    file = options.out or store.folder / "report.html"
    with Progress() as show:
        show("certifying the two paths of the page")
        verdicts = write_report(experiments, store, options.papers, file, certified_paths())
    print(f"{summary(verdicts)}; the page is {file}")
    return int(any(verdict.state == "fails" for verdict in verdicts))


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number of processes")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments",
        description="Reproduce papers: solve, draw, and compare what they claim with the numbers that come out.",
    )
    actions = parser.add_subparsers(dest="action", required=True)
    for name, what in _ACTIONS.items():
        action = actions.add_parser(name, help=what, description=what)
        if name != "table":
            action.add_argument("words", nargs="*", metavar="KEY", help="a paper or KEY/NAME, an experiment; else all")
        else:
            action.set_defaults(words=[])
        action.add_argument("--folder", type=Path, default=FOLDER, help=f"of the results ({FOLDER})")
        action.add_argument("--papers", type=Path, default=PAPERS, help=argparse.SUPPRESS)
        if name == "report":
            action.add_argument("--out", type=Path, help="the page (report.html in the folder of the results)")
        if name in ("run", "draw", "check", "all"):
            action.add_argument("--quick", action="store_true", help="the quick size, kept apart from the full one")
        if name in ("run", "all"):
            action.add_argument("--jobs", type=_positive, help="processes at a time (as many as there are cores)")
            action.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster to use instead")
            action.add_argument(
                "--resume",
                action=argparse.BooleanOptionalAction,
                default=True,
                help="take up what is kept, which is the default; --no-resume solves all of it anew",
            )
    return parser
