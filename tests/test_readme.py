"""The README: its Python runs as printed, its files exist, and its commands are the ones that are tested."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from ridgesplines.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("block", blocks("python"))
def test_python_runs_as_printed(block, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    exec(compile(block, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    # Networks come with the kind of their certificate, kernel splines with their error on the data, seminorms with
    # their value.
    kinds = ("misfit",) if "solve_kernel" in block else ("exact", "(bounded)", "(heuristic)")
    kinds = ("RTV^2 in d = 2: 4.7685",) if "rs.radon_tv" in block else kinds
    assert any(kind in printed for kind in kinds)


def test_every_link_and_picture_is_there():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    missing = [target for target in targets if "://" not in target and not (ROOT / target).exists()]
    assert not missing


def test_commands_run_as_printed(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{20 + 3 * i},{i % 4},{100 + 7 * i + (i % 4) ** 2}\n" for i in range(20))
    Path("table.csv").write_text("area,age,price\n" + rows)
    commands = [part.strip() for block in blocks("sh") for line in block.splitlines() for part in line.split("&&")]
    commands = [command for command in commands if command.startswith("ridgesplines")]
    assert len(commands) == 3
    for command in commands:
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        with pytest.raises(SystemExit) as exit_:
            main()
        assert not exit_.value.code, capsys.readouterr().err
    assert {path.name for path in Path().iterdir()} == {"table.csv", "fit.png", "fit.npz", "motorcycle.png"}
