"""What the commands share: options, checks of files, and how results are printed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

PICTURES = (".png", ".pdf", ".svg", ".jpg")
JsonOption = Annotated[bool, typer.Option("--json", help="Print the results as JSON.")]


def check_folder(name: str, path: Path) -> None:
    """Find out that a file cannot be written before the work, not after.

    Raises:
        ValueError: naming the option, if its folder is absent or it is a folder itself.
    """
    if not path.parent.is_dir():
        raise ValueError(f"{name} {path}: the folder {path.parent} does not exist; create it first.")
    if path.is_dir():
        raise ValueError(f"{name} {path} is a folder; give the name of a file.")


def check_outputs(outputs: dict[str, Path | None]) -> None:
    """Find out that a file cannot be written before the work, not after."""
    for name, path in outputs.items():
        if path is None:
            continue
        check_folder(name, path)
        if name != "--save" and path.suffix.lower() not in PICTURES:
            raise ValueError(f"{name} {path}: the name of a picture must end in {', '.join(PICTURES)}.")


def print_json(report: dict[str, Any]) -> None:
    """Print a report as JSON, which has no infinity: null."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return None if isinstance(value, float) and not math.isfinite(value) else value

    typer.echo(json.dumps(plain(report), indent=2))


def print_rows(rows: Iterable[tuple[str, str]]) -> None:
    """Print names and values as a table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE, show_header=False, title="ridgesplines", title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
