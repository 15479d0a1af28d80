"""Writes the page: all in one file, nothing fetched, so that it can be sent, kept and opened offline."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

import ridgesplines as rs
from experiments.claims import Verdict
from experiments.experiment import Experiment
from experiments.reporting import best_known, claims_about, shown, summary
from experiments.storage import Store
from ridgesplines.archive import write_text

_TITLE = re.compile(r"^\s*title\s*=\s*\{(.*?)\},?\s*$", re.MULTILINE)
_AUTHORS = re.compile(r"^\s*author\s*=\s*\{(.*?)\},\s*$", re.MULTILINE | re.DOTALL)
_YEAR = re.compile(r"^\s*year\s*=\s*\{(\d+)\}", re.MULTILINE)
_SECTION = re.compile(r"^## What it [a-z]+\n+(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
_ACCENTS = {"'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "c": "\u0327", "v": "\u030c"}
_ACCENT = re.compile(r"\{?\\(['`^\"~]|[cv](?=[ {]))\s*\{?([A-Za-z])\}?\}?")
# Pixels of the page for one of a figure's.
_ON_PAGE = 0.7
_FIELDS = (
    ("strength", "strength λ"),
    ("neurons", "neurons"),
    ("objective", "objective"),
    ("bound", "bound, all networks"),
    ("gap", "relative gap"),
    ("seminorm", "seminorm R(f)"),
)


def write_report(
    experiments: Sequence[Experiment], store: Store, papers: Path, file: Path, paths: Sequence[dict[str, Any]]
) -> list[Verdict]:
    """Write the page about these experiments, as far as they were run and drawn; returns what became of the claims.

    Args:
        experiments: in the order in which they are shown.
        store: of their results.
        papers: the folder of the papers' files.
        file: the page.
        paths: as `certified_paths` gives them.

    Raises:
        ValueError: for malformed claims.
    """
    verdicts = best_known(claims_about(experiments, papers), store)
    keys = list(dict.fromkeys(experiment.paper for experiment in experiments))
    sections = [
        _paper(
            papers / f"{key}.md",
            [experiment for experiment in experiments if experiment.paper == key],
            [verdict for verdict in verdicts if verdict.claim.paper == key],
            store,
        )
        for key in keys
    ]
    items = "".join(
        f'<li><a href="#{key}">{escape(_described(papers / f"{key}.md")[0])}</a> '
        f'<span class="soft">{_tally([verdict for verdict in verdicts if verdict.claim.paper == key])}</span></li>'
        for key in keys
    )
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Papers on ridge splines, claim by claim</title>
<link rel="icon" href="data:,">
<style>{_part("page.css")}</style>
</head>
<body>
<h1>Papers on ridge splines, claim by claim</h1>
<p>{escape(summary(verdicts))}. Computed with ridgesplines {escape(rs.__version__)}; a number of the quick size says so.
Tolerances come from the arithmetic and from the statistics: what misses them is shown as failing, with its number.</p>
<nav aria-label="papers"><ul>{items}</ul></nav>
<h2 id="paths">The best network for every strength</h2>
<p>Move λ: every picture is the network of least loss + λ · seminorm over all networks of all widths, as far as its
certificate says, which is shown beside it.</p>
{"".join(_explorer(path) for path in paths)}
{"".join(sections)}
<script type="application/json" id="paths-data">{_json(paths)}</script>
<script>{_part("explorer.js")}</script>
</body>
</html>
"""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, page)
    return verdicts


def _part(name: str) -> str:
    return files("experiments.report").joinpath(name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    # "</script>" in a text would end the block.
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _explorer(path: dict[str, Any]) -> str:
    key, last = path["key"], len(path["steps"]) - 1
    fields = "".join(f'<div>{name}<b data-field="{field}"></b></div>' for field, name in _FIELDS)
    return f"""<section class="explorer" id="explorer-{key}" aria-labelledby="title-{key}">
<h3 id="title-{key}">{escape(path["title"])}</h3>
<div class="control"><label for="slider-{key}">λ from large to small</label>
<input id="slider-{key}" type="range" min="0" max="{last}" step="1" value="{last // 2}"></div>
<div class="readout">{fields}</div>
<div class="panels"></div>
</section>
"""


def _paper(file: Path, experiments: Sequence[Experiment], verdicts: Sequence[Verdict], store: Store) -> str:
    key = file.stem
    title, byline, message = _described(file)
    figures = "".join(_figure(experiment, store) for experiment in experiments)
    return f"""<section id="{key}">
<h2>{escape(title)}</h2>
<p class="soft">{escape(byline)} · <code>papers/{key}.md</code></p>
{message}
<div class="scroll"><table>
<thead><tr><th>claim</th><th>asked</th><th>found</th><th></th></tr></thead>
<tbody>{"".join(_row(verdict) for verdict in verdicts)}</tbody>
</table></div>
{figures}
<pre><code>python -m experiments all {key}</code></pre>
</section>
"""


def _described(file: Path) -> tuple[str, str, str]:
    """The paper's title, its authors and year, and what it says, as HTML."""
    text = file.read_text(encoding="utf-8")
    title = _TITLE.search(text)
    authors, year, message = _AUTHORS.search(text), _YEAR.search(text), _SECTION.search(text)
    names = " ".join(authors[1].split()).split(" and ") if authors else []
    byline = ", ".join(" ".join(reversed(name.split(", "))) for name in names)
    byline = _plain(byline)
    return (
        _plain(title[1]) if title else file.stem,
        f"{byline}, {year[1]}" if year else byline,
        MarkdownIt("commonmark", {"html": False}).render(message[1]) if message else "",
    )


def _plain(text: str) -> str:
    """Without BibTeX's braces, and with its accents as letters."""
    accented = _ACCENT.sub(lambda match: unicodedata.normalize("NFC", match[2] + _ACCENTS[match[1]]), text)
    return re.sub(r"[{}]", "", accented)


def _row(verdict: Verdict) -> str:
    claim = verdict.claim
    kind = {"holds": "holds", "fails": "fails"}.get(verdict.state, "absent")
    note = f'<br><span class="soft">{escape(verdict.note)}</span>' if verdict.note else ""
    return (
        f'<tr><td>{escape(claim.statement)}<br><span class="soft">{escape(claim.function)}; '
        f"{escape(claim.experiment)}: {escape(claim.number)}</span>{note}</td>"
        f'<td class="number">{escape(claim.asked)}</td><td class="number">{escape(shown(verdict))}</td>'
        f'<td class="{kind}">{escape(verdict.state)}</td></tr>'
    )


def _tally(verdicts: Sequence[Verdict]) -> str:
    held = sum(verdict.state == "holds" for verdict in verdicts)
    return f"{held} of {len(verdicts)} hold"


def _figure(experiment: Experiment, store: Store) -> str:
    """The figure of the full size if that was drawn, else of the quick one."""
    label = f"{experiment.paper}/{experiment.name}"
    for quick in (False, True):
        file = store.place(experiment, quick).with_suffix(".png")
        if file.is_file():
            content = file.read_bytes()
            data = base64.b64encode(content).decode("ascii")
            # Its width in pixels, as the file's header has it: figures of one and two columns keep their proportion.
            width = round(_ON_PAGE * int.from_bytes(content[16:20], "big"))
            size = ", quick size" if quick else ""
            return (
                f'<figure><img src="data:image/png;base64,{data}" alt="{escape(experiment.title)}" width="{width}" '
                f'loading="lazy">'
                f"<figcaption>{escape(experiment.title)} (<code>{label}</code>{size})</figcaption></figure>\n"
            )
    return f'<p class="absent">{escape(experiment.title)}: <code>{label}</code> has not been run and drawn.</p>\n'
