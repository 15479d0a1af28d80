"""What is shown of results: figures, claims beside their numbers, and the table of the papers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from experiments.catalogue import PAPERS, experiments_of, keys
from experiments.claims import Claim, Verdict, judge, read_claims
from experiments.experiment import Experiment
from experiments.running import tasks_of
from experiments.storage import Store
from experiments.style import figure_style
from ridgesplines.archive import write_beside, write_text

BEGIN, END = "<!-- claims: written by python -m experiments table -->", "<!-- end of the claims -->"
_EARLIER = "found by other code than there is now"
_HEADER = ("claim", "number", "asked", "found", "")
# Files of equal figures are equal.
_METADATA = {".pdf": {"CreationDate": None}, ".png": {"Software": None}}


def draw(experiment: Experiment, store: Store, quick: bool) -> list[Path]:
    """Draw the figure of a kept outcome as `.pdf` and `.png`; nothing is solved.

    Raises:
        ValueError: if it has not been run.
    """
    result = store.read(experiment, quick)
    files = []
    with figure_style():
        figure = experiment.draw(result.outcome)
        for suffix, metadata in _METADATA.items():
            file = store.place(experiment, quick).with_suffix(suffix)
            write_beside(file, lambda temporary, facts=metadata: figure.savefig(temporary, metadata=facts))
            files.append(file)
    return files


def claims_about(experiments: Iterable[Experiment], papers: Path = PAPERS) -> list[tuple[Claim, Experiment]]:
    """The claims of their papers that are about these experiments, in the papers' order.

    Raises:
        ValueError: for a malformed claim, or one about an experiment that there is not.
    """
    by_paper: dict[str, dict[str, Experiment]] = {}
    for experiment in experiments:
        by_paper.setdefault(experiment.paper, {})[experiment.name] = experiment
    found = []
    for paper, named in by_paper.items():
        file = papers / f"{paper}.md"
        every = {experiment.name for experiment in experiments_of(paper)} if paper in keys() else set(named)
        for claim in read_claims(file):
            if claim.experiment not in every:
                raise ValueError(f"{file}: {paper} has no experiment {claim.experiment!r}; it has {', '.join(every)}.")
            if claim.experiment in named:
                found.append((claim, named[claim.experiment]))
    return found


def check(claims: Sequence[tuple[Claim, Experiment]], store: Store, size: str) -> list[Verdict]:
    """Compare claims with what is kept; those about other sizes are left out."""
    verdicts = []
    for claim, experiment in claims:
        if size not in claim.sizes:
            continue
        try:
            result = store.read(experiment, size == "quick")
        except ValueError:
            verdicts.append(judge(claim, size, None))
            continue
        verdicts.append(judge(claim, size, result.outcome, _age(experiment, result.facts.get("code"), size)))
    return verdicts


def _age(experiment: Experiment, code: object, size: str) -> str:
    try:
        tasks = tasks_of(experiment, size == "quick")
    except Exception:
        # That is for the run to tell.
        return ""
    return "" if tasks and tasks[0].code == code else _EARLIER


def markdown(verdicts: Iterable[Verdict], paper: bool = False) -> str:
    """Claims, numbers and tolerances as a table; with the paper of each before them if asked for."""
    rows: list[tuple[str, ...]] = [("paper", *_HEADER) if paper else _HEADER]
    rows.append(tuple("---" for _ in rows[0]))
    for verdict in verdicts:
        claim = verdict.claim
        state = f"**{verdict.state}**" if verdict.state == "fails" else verdict.state
        note = f": {verdict.note}" if verdict.note else ""
        cells = (claim.statement, f"{claim.experiment}: {claim.number}", claim.asked, shown(verdict), f"{state}{note}")
        link = (f"[{claim.paper}]({claim.paper}.md)",) if paper else ()
        rows.append(tuple(cell.replace("|", r"\|") for cell in (*link, *cells)))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def shown(verdict: Verdict) -> str:
    """The number that was found, and whether of the quick size."""
    if verdict.number is None:
        return "–"
    whole = np.isfinite(verdict.number) and verdict.number == round(verdict.number) and abs(verdict.number) < 1e6
    size = "" if verdict.size == "full" else " (quick)"
    return (f"{verdict.number:.0f}" if whole else f"{verdict.number:.4g}") + size


def best_known(claims: Sequence[tuple[Claim, Experiment]], store: Store) -> list[Verdict]:
    """Each claim by the full size where that is kept, else by the quick one."""
    verdicts = []
    for pair in claims:
        known = [verdict for size in ("full", "quick") for verdict in check([pair], store, size)]
        reasoned = max(known, key=lambda verdict: bool(verdict.note))
        verdicts.append(next((verdict for verdict in known if verdict.state != "not run"), reasoned))
    return verdicts


def write_table(experiments: Sequence[Experiment], store: Store, file: Path) -> list[Verdict]:
    """Write all claims with the numbers that are kept between the two marker lines of a file.

    Raises:
        ValueError: if the file has not both markers, once each and in order.
    """
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"{file} needs the lines {BEGIN} and {END} once each, in this order; the table goes between.")
    verdicts = best_known(claims_about(experiments, file.parent), store)
    # One sentence for what would stand in most rows: tables are kept longer than code.
    earlier = sum(verdict.note == _EARLIER for verdict in verdicts)
    rows = [replace(verdict, note="") if verdict.note == _EARLIER else verdict for verdict in verdicts]
    closing = f"{summary(verdicts)}." + (f" Of {earlier}, the numbers were {_EARLIER}." if earlier else "")
    write_text(file, f"{before}{BEGIN}\n\n{markdown(rows, paper=True)}\n\n{closing}\n\n{END}{after}")
    return verdicts


def summary(verdicts: Sequence[Verdict]) -> str:
    """How many claims hold, fail, and were not run."""
    counts = {state: sum(verdict.state == state for verdict in verdicts) for state in ("holds", "fails", "not run")}
    return f"{len(verdicts)} claims: {counts['holds']} hold, {counts['fails']} fail, {counts['not run']} not run"


def seconds_of(facts: dict[str, object] | None) -> str:
    """How long a kept outcome took, for lists."""
    value = math.nan if facts is None else facts.get("seconds", math.nan)
    return f"{value:.0f} s" if isinstance(value, (int, float)) and math.isfinite(value) else "–"
