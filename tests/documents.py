"""The code blocks of Markdown pages: found, run in order, and what they print compared with what the page shows."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
# A fence may be indented, inside a list.
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and whether it stands right below the block before."""

    language: str
    text: str
    adjacent: bool


def read(path: Path) -> str:
    """The text of a page."""
    return path.read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found, end = [], 0
    for match in _FENCE.finditer(text):
        lines = (line.removeprefix(match["indent"]) for line in match["text"].splitlines(keepends=True))
        found.append(Block(match["language"], "".join(lines), not text[end : match.start()].strip()))
        end = match.end()
    return found


def of_language(text: str, language: str) -> list[str]:
    """The texts of the blocks in one language."""
    return [block.text for block in blocks(text) if block.language == language]


def assert_shown(printed: str, shown: str) -> None:
    """What was printed is what the page shows, where "…" stands for anything within a line, blanks being alike."""
    lines = [" ".join(line.split()) for line in shown.strip().splitlines()]
    pattern = "\n".join(".*".join(re.escape(part.strip()) for part in line.split("…")) for line in lines)
    got = "\n".join(" ".join(line.split()) for line in printed.strip().splitlines())
    assert re.fullmatch(pattern, got), f"printed:\n{got}\nshown:\n{shown}"


def run_page(path: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Run the Python of a page from top to bottom, in one namespace; the number of blocks whose output was compared.

    A block of text right below one of Python is what that prints.
    """
    namespace: dict[str, object] = {"__name__": "__main__"}
    compared, printed = 0, ""
    for number, block in enumerate(blocks(read(path))):
        if block.language == "python":
            capsys.readouterr()
            exec(compile(block.text, f"{path.name}, block {number}", "exec"), namespace)
            printed = capsys.readouterr().out
        elif block.language == "text" and block.adjacent and printed:
            assert_shown(printed, block.text)
            compared, printed = compared + 1, ""
    return compared


def commands(text: str) -> list[list[str]]:
    """The arguments of the commands of `ridgesplines` in the shell blocks of a page."""
    lines = [line for block in of_language(text, "sh") for line in block.replace("\\\n", " ").splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [shlex.split(part)[1:] for part in parts if part.startswith("ridgesplines")]


def missing_links(path: Path) -> list[str]:
    """The relative links of a page, pictures too, whose file or heading is not there."""
    missing = []
    for target in _LINK.findall(re.sub(r"```.*?```", "", read(path), flags=re.DOTALL)):
        name, _, heading = target.partition("#")
        if "://" in target:
            continue
        file = (path.parent / name).resolve() if name else path
        if not file.exists() or (heading and heading not in _headings(file)):
            missing.append(target)
    return missing


def _headings(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site name them."""
    titles = re.findall(r"^#+ (.*)$", read(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}
