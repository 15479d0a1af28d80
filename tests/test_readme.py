"""The README: its Python runs as printed, its files exist, and its commands are the ones that are tested."""

from __future__ import annotations

from pathlib import Path

import documents
import pytest

README = documents.ROOT / "README.md"
TEXT = documents.read(README)


@pytest.mark.parametrize("block", documents.of_language(TEXT, "python"))
def test_python_runs_as_printed(block, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    exec(compile(block, "README.md", "exec"), {})
    assert "(exact)" in capsys.readouterr().out  # each shows a certified network


def test_every_link_and_picture_is_there():
    assert not documents.missing_links(README)


def test_commands_run_as_printed(command):
    rows = "".join(f"{20 + 3 * i},{i % 4},{100 + 7 * i + (i % 4) ** 2}\n" for i in range(20))
    Path("table.csv").write_text("area,age,price\n" + rows)
    commands = documents.commands(TEXT)
    assert len(commands) == 3
    for arguments in commands:
        code, _, err = command(*arguments)
        assert code == 0, err
    assert {path.name for path in Path().iterdir()} == {"table.csv", "fit.png", "fit.npz", "motorcycle.png"}
