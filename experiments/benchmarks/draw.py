"""Draw the seconds of a row against N, from its results."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt

from experiments.benchmarks.tables import exponent, finished, series


def draw(results: dict[str, Any], picture: Path) -> None:
    """Lines in logarithmic axes where cases have several sizes, else bars."""
    matplotlib.use("Agg")
    picture.parent.mkdir(parents=True, exist_ok=True)
    lines = {name: [r for r in line if r.get("seconds")] for name, line in series(results["records"]).items()}
    lines = {name: line for name, line in lines.items() if line}
    several = any(len({record["size"] for record in line}) > 1 for line in lines.values())
    figure, axes = plt.subplots(figsize=(7, 4.5 if several else 1.2 + 0.28 * len(lines)), layout="constrained")
    if several:
        for name, line in lines.items():
            power = exponent(line)
            label = name if power is None else f"{name}: N^{power:.1f}"
            (drawn,) = axes.plot([r["size"] for r in line], [r["seconds"] for r in line], label=label)
            for record in line:
                face = drawn.get_color() if finished(record) else "none"
                axes.plot(record["size"], record["seconds"], "o", color=drawn.get_color(), markerfacecolor=face)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("N")
        sizes = sorted({record["size"] for line in lines.values() for record in line})
        if len(sizes) <= 6:
            axes.set_xticks(sizes, [str(size) for size in sizes])
            axes.set_xticks([], minor=True)
        axes.set_ylabel("seconds")
        axes.legend(fontsize="small")
        axes.grid(alpha=0.3)
    else:
        axes.barh(list(lines), [line[0]["seconds"] for line in lines.values()])
        axes.set_xscale("log")
        axes.set_xlabel("seconds")
        axes.invert_yaxis()
    axes.set_title(textwrap.fill(results["title"], 80), fontsize="medium")
    figure.savefig(picture, dpi=90)
    plt.close(figure)
