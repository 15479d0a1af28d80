"""The pages of the documentation: their Python runs from top to bottom and prints what they show, their links exist."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import documents
import pytest

import ridgesplines

names = [page.name for page in documents.PAGES]
with_python = [page for page in documents.PAGES if documents.of_language(documents.read(page), "python")]


@pytest.mark.parametrize("page", with_python, ids=lambda page: page.name)
def test_python_of_a_page_runs_and_prints_what_is_shown(page, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    documents.run_page(page, capsys)


@pytest.mark.parametrize("page", documents.PAGES, ids=names)
def test_every_link_and_picture_is_there(page):
    assert not documents.missing_links(page)


def test_what_is_printed_is_compared_line_by_line():
    documents.assert_shown("gap 1.2e-7 (exact)\nneurons  11\n", "gap … (exact)\nneurons 11")
    with pytest.raises(AssertionError):
        documents.assert_shown("gap 1.2e-7 (heuristic)", "gap … (exact)")
    with pytest.raises(AssertionError):
        documents.assert_shown("one\ntwo", "one")


@pytest.fixture
def extensions(monkeypatch) -> Path:
    """The folder of what the site is built with, on the path; the extra `docs` is needed to import it."""
    pytest.importorskip("sphinx", reason="needs the extra docs")
    pytest.importorskip("myst_parser", reason="needs the extra docs")
    folder = documents.ROOT / "docs" / "extensions"
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    return folder


def test_each_public_name_is_in_the_reference_once(extensions):
    import reference

    pages = sorted((documents.ROOT / "docs" / "api").glob("*.md"))
    shown = Counter(name for page in pages for name in reference.shown(documents.read(page)))
    tops = {name.partition(".")[0] for name in shown}
    missing = [name for name in ridgesplines.__all__ if name not in tops]
    assert not missing, f"add the modules of {missing} to the markers of a page in docs/api"
    assert max(shown.values()) == 1


def test_the_reference_escapes_formulas_but_no_code(extensions):
    import reference

    lines = ["Σ |v_k| ‖w_k‖ of `a|b*c_`s, 2*x, and ℓ*(u)", "* an item"]
    reference._escape(None, "class", "Name", None, None, lines)
    assert lines == ["Σ \\|v_k\\| ‖w_k‖ of `a|b*c_`\\ s, 2\\*x, and ℓ\\*(u)", "* an item"]


def test_every_option_of_the_program_is_on_the_site(extensions):
    import command_line
    from typer.main import get_command

    from ridgesplines.cli import app

    text = command_line.describe()
    for name, command in get_command(app).commands.items():
        assert f"## ridgesplines {name}" in text
        assert all(f"`{option}`" in text for parameter in command.params for option in parameter.opts if "-" in option)


def test_what_a_page_would_fetch_from_elsewhere_is_found(extensions, tmp_path):
    import offline

    kept = '<a href="https://example.org">a link</a> <img src="pictures/a.png"> <img src="data:image/png;base64,AA">'
    (tmp_path / "kept.html").write_text(kept)
    assert not offline.fetched(tmp_path)
    (tmp_path / "script.html").write_text('<script async src="https://example.org/a.js"></script>')
    (tmp_path / "link.html").write_text('<link rel="stylesheet" href="//example.org/a.css">')
    (tmp_path / "style.css").write_text('@import "https://example.org/font.css";')
    assert len(offline.fetched(tmp_path)) == 3


@pytest.mark.parametrize("page", [page for page in documents.PAGES if page.name in ("tutorial.md", "command-line.md")])
def test_the_commands_of_a_page_run(page, command):
    # What the Python above them writes, in fewer rows.
    rows = "".join(
        f"{30 + 7 * i % 120},{3 * i % 80},{3.0 * (30 + 7 * i % 120) - 3 * i % 80 + i % 5}\n" for i in range(20)
    )
    Path("houses.csv").write_text("area,age,price\n" + rows)
    commands = documents.commands(documents.read(page))
    assert commands
    for arguments in commands:
        code, out, err = command(*arguments)
        assert code == 0, err
        assert "certificate" in out
