"""What the commands share: options, checks of files, and how results are printed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
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
    """Find out that a file cannot be written before the work, not after.

    Args:
        outputs: by the option that asks for them; --plot and --trace are pictures.
    """
    for name, path in outputs.items():
        if path is None:
            continue
        check_folder(name, path)
        if name in ("--plot", "--trace", "--out") and path.suffix.lower() not in PICTURES:
            raise ValueError(f"{name} {path}: the name of a picture must end in {', '.join(PICTURES)}.")


def written(outputs: dict[str, Path | None]) -> dict[str, str]:
    """The files of a report, by the option that asked for them."""
    return {name.lstrip("-"): str(path) for name, path in outputs.items() if path is not None}


def draw(path: Path, make: Callable[[], Any]) -> None:
    """Write the picture that `make` draws, whose figure or axes it returns, to a file; no window is opened.

    Args:
        path: whose ending says the format.
        make: what draws.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np

    from ridgesplines.archive import write_beside

    made = make()
    made = np.ravel(made)[0] if isinstance(made, np.ndarray | list) else made
    figure = made.get_figure(root=True) if hasattr(made, "get_figure") else made
    try:
        write_beside(path, lambda temporary: figure.savefig(temporary, dpi=150))
    finally:
        plt.close(figure)


def choice(option: str, value: str, names: tuple[str, ...]) -> str:
    """One of some names, as it is called in Python: with spaces for hyphens.

    Raises:
        ValueError: if it is none of them.
    """
    if value not in names:
        raise ValueError(f"{option} must be one of {', '.join(names)}, got {value!r}.")
    return value.replace("-", " ")


def complete_from(*names: str) -> Callable[[str], list[str]]:
    """What a shell completes an option with that takes one of some names."""
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


def complete_files(*endings: str, also: tuple[str, ...] = ()) -> Callable[[str], list[str]]:
    """What a shell completes an argument with: names, and files of some endings; its own ways where there are none."""

    def completed(incomplete: str) -> list[str]:
        folder, _, start = incomplete.rpartition("/")
        place = Path(f"{folder}/" if folder or incomplete.startswith("/") else ".")
        try:
            entries = sorted(entry.name for entry in place.iterdir() if entry.is_file())
        except OSError:
            entries = []
        before = incomplete.removesuffix(start) if start else incomplete
        files = [before + name for name in entries if name.startswith(start) and name.lower().endswith(endings)]
        return [name for name in also if name.startswith(incomplete)] + files

    return completed


def print_json(report: dict[str, Any]) -> None:
    """Print a report as JSON, which has no infinity: null."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    typer.echo(json.dumps(plain(report), indent=2))


def print_rows(rows: Iterable[tuple[str, str]]) -> None:
    """Print names and values as a table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, show_header=False, title="ridgesplines", title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        # The names of columns and files are no markup.
        table.add_row(*map(Text, row))
    Console().print(table)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], left: tuple[str, ...] = ()) -> None:
    """Print a table with a header, numbers to the right.

    Args:
        columns: their names.
        rows: of cells.
        left: the columns of words.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE)
    for column in columns:
        table.add_column(column, justify="left" if column in left else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
