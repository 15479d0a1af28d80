"""The pages of the documentation: their Python runs from top to bottom and prints what they show, their links exist."""

from __future__ import annotations

import documents
import pytest

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
