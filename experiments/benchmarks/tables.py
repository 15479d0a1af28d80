"""Tables from the results, as text or Markdown, and how cost grows with size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.benchmarks.cases import Record


def _seconds(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


# The columns that a table has where any of its records does.
_COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "series": ("case", str),
    "size": ("N", str),
    "search": ("search", str),
    "strength": ("λ", lambda value: f"{value:.3g}"),
    "seconds": ("seconds", _seconds),
    "milliseconds": ("ms per step", _seconds),
    "processor": ("of processors", _seconds),
    "preparing": ("preparing", _seconds),
    "fitting": ("fitting", _seconds),
    "preconditioner": ("preconditioner", _seconds),
    "iterating": ("iterating", _seconds),
    "objective": ("objective", lambda value: f"{value:.8g}"),
    "bound": ("proven bound", lambda value: f"{value:.8g}"),
    "relative_gap": ("relative gap", lambda value: f"{value:.1e}"),
    "above": ("over the bound", lambda value: f"{value:.1e}"),
    "value": ("supremum", lambda value: f"{value:.8g}"),
    "excess": ("bound over it", lambda value: f"{value:.0e}"),
    "kind": ("kind", str),
    "neurons": ("neurons", str),
    "patterns": ("patterns", str),
    "chunks": ("chunks", str),
    "iterations": ("iterations", str),
    "distance": ("distance", lambda value: f"{value:.1e}"),
    "faces": ("faces", str),
    "found": ("found", lambda value: f"{value:.1%}"),
    "shortfall": ("worst shortfall", lambda value: f"{value:.0e}"),
    "reached": ("ridgesplines gets there in", _seconds),
    "ratio": ("times as fast", lambda value: f"{value:.3g}"),
    "processor_ratio": ("in processor time", lambda value: f"{value:.3g}"),
    "memory": ("peak MiB", lambda value: f"{value:.0f}"),
    "status": ("status", str),
}


def table(results: dict[str, Any], markdown: bool) -> str:
    """The title, one line per record, and what follows from them."""
    records = results["records"]
    keys = [key for key in _COLUMNS if any(record.get(key) is not None for record in records)]
    cells = [[_COLUMNS[key][0] for key in keys]]
    for record in records:
        cells.append(["–" if record.get(key) is None else _COLUMNS[key][1](record[key]) for key in keys])
    if markdown:
        lines = ["| " + " | ".join(line) + " |" for line in cells]
        lines.insert(1, "|---" * len(keys) + "|")
    else:
        widths = [max(len(line[column]) for line in cells) for column in range(len(keys))]
        numbers = [key not in ("series", "search", "kind", "status") for key in keys]
        lines = [
            "  ".join(
                cell.rjust(width) if number else cell.ljust(width)
                for cell, width, number in zip(line, widths, numbers, strict=True)
            ).rstrip()
            for line in cells
        ]
    title = f"**{results['title']}**" if markdown else results["title"]
    notes = _notes(results)
    # Markdown needs an empty line before and after a table.
    return "\n".join([title, *([""] if markdown else []), *lines, *([""] if markdown and notes else []), *notes])


def _notes(results: dict[str, Any]) -> list[str]:
    notes = list(dict.fromkeys(note for record in results["records"] for note in record.get("notes", ())))
    powers = {name: exponent(line) for name, line in series(results["records"]).items()}
    grown = [f"N^{power:.1f} ({name})" for name, power in powers.items() if power is not None]
    if grown:
        notes.append("Seconds grow like " + ", ".join(grown) + ".")
    if results.get("compared"):
        slow, fast = (
            {record["size"]: record for record in results["records"] if record["series"] == name}
            for name in results["compared"]
        )
        pairs = [(slow[size], fast[size]) for size in slow if size in fast]
        pairs = [(one, two) for one, two in pairs if finished(one) and finished(two)]
        if pairs:
            ratios = ", ".join(f"{one['seconds'] / two['seconds']:.3g} (N = {one['size']})" for one, two in pairs)
            apart = max(abs(two["objective"] / one["objective"] - 1) for one, two in pairs)
            first, second = results["compared"]
            notes.append(
                f"Seconds of {first} over those of {second}: {ratios}; objectives differ by {apart:.0e} at most."
            )
    return notes


def finished(record: Record) -> bool:
    """Whether its seconds are those of an answer."""
    return bool(record.get("seconds")) and record.get("status", "converged") in ("converged", "optimal")


def series(records: list[Record]) -> dict[str, list[Record]]:
    """The records of each line of the figure."""
    lines: dict[str, list[Record]] = {}
    for record in records:
        name = record["series"] + (f", {record['search']}" if "search" in record else "")
        lines.setdefault(name, []).append(record)
    return lines


def exponent(records: list[Record]) -> float | None:
    """The slope of log seconds against log N by least squares; None for fewer than three finished sizes."""
    points = np.array([(record["size"], record["seconds"]) for record in records if finished(record)])
    if len(points) < 3 or len(np.unique(points[:, 0])) < 3:
        return None
    return float(np.polyfit(np.log(points[:, 0]), np.log(points[:, 1]), 1)[0])


def machine_lines(tables: list[dict[str, Any]]) -> list[str]:
    """What the tables were measured on, and how busy it was when they began."""
    loads: dict[str, list[float]] = {}
    for results in tables:
        facts = results["machine"]
        libraries = ", ".join(f"{name} {number}" for name, number in facts["libraries"].items())
        line = (
            f"{facts['processor']}, {facts['cores']} cores, {facts['system']}; Python {facts['python']}, {libraries}; "
            f"{'; '.join(facts['blas'])}; seed {results['seed']}"
        )
        loads.setdefault(line, []).append(facts["load"])
    return [f"{line}; load at the start {min(load):g} to {max(load):g}." for line, load in loads.items()]
