"""Draw distances over the width, fits of some widths, and the target with a kink, from the saved results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from ridgesplines.archive import read_archive, write_beside
from ridgesplines.plotting_parts import BLUE, GREEN, GREY, ORANGE, RED

_COLOURS = (BLUE, ORANGE, GREEN, RED)


def draw(folder: Path, pictures: Path) -> None:
    """`infinite_width.png`; parts whose results are absent stay empty."""
    matplotlib.use("Agg")
    pictures.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(2, 2, figsize=(11, 7.4), layout="constrained")
    parts = (
        ("features.json", draw_features), ("trained.json", draw_trained), ("trained.json", draw_fits),
        ("kink.json", draw_kink),
    )  # fmt: skip
    for ax, (file, part) in zip(axes.flat, parts, strict=True):
        if (folder / file).is_file():
            part(folder, json.loads((folder / file).read_text(encoding="utf-8"))["rows"], ax)
        else:
            ax.set_axis_off()
    write_beside(pictures / "infinite_width.png", lambda path: figure.savefig(path, dpi=80))
    plt.close(figure)
    print(f"pictures in {pictures}")


def draw_features(folder: Path, rows: list[dict[str, Any]], ax: Axes) -> None:
    for colour, row in zip(_COLOURS, rows, strict=False):
        label = f"{row['data']}, {row['neurons']}: slope {row['slope']:.3f} ± {row['error']:.3f}"
        _lines(ax, row, "widths", "distances", colour, label)
    _guide(ax, rows[0]["widths"], rows[0]["distances"])
    _label(ax, "random features and their kernel", "width K", "distance in function")


def draw_trained(folder: Path, rows: list[dict[str, Any]], ax: Axes) -> None:
    for colour, row in zip(_COLOURS, rows, strict=False):
        label = f"to time {row['time']:g}: slope {row['slope']:.3f} ± {row['error']:.3f}"
        _lines(ax, row, "widths", "distances", colour, label)
    _guide(ax, rows[0]["widths"], rows[0]["distances"])
    _label(ax, "trained networks and the tangent kernel's flow", "width K", "distance in function")


def draw_fits(folder: Path, rows: list[dict[str, Any]], ax: Axes) -> None:
    time = min((row["time"] for row in rows), key=lambda t: abs(np.log(t)))
    arrays, _ = read_archive(folder / f"trained_{time:g}.npz", ("TrainedFits",))
    ax.scatter(arrays["x"][:, 0], arrays["y"], s=9, color=GREY, alpha=0.6, label="data")
    shown = np.unique(np.linspace(0, len(arrays["widths"]) - 1, 3).astype(int))
    for colour, j in zip((ORANGE, GREEN, BLUE), shown, strict=False):
        ax.plot(
            arrays["grid"][:, 0], arrays["fits"][j], color=colour, linewidth=1.4, label=f"K = {arrays['widths'][j]}"
        )
    ax.plot(arrays["grid"][:, 0], arrays["limit"], color="black", linestyle="--", linewidth=1.4, label="tangent kernel")
    ax.set_title(f"trained networks, time {time:g}", loc="left", fontsize="medium")
    ax.set_xlabel("time after the impact, scaled")
    ax.set_ylabel("acceleration, scaled")
    ax.legend(fontsize="small")


def draw_kink(folder: Path, rows: list[dict[str, Any]], ax: Axes) -> None:
    for colour, row in zip(_COLOURS, rows, strict=False):
        kind = "" if row["method"].startswith("ridge") else " kernel"
        label = f"{row['method']}{kind}: slope {row['slope']:.3f} ± {row['error']:.3f}"
        _lines(ax, row, "counts", "errors", colour, label)
    _label(ax, "one kink along a line of the plane, noise 0.1", "data N", "error, best strength of each")
    ax.set_xticks(rows[0]["counts"], labels=[str(count) for count in rows[0]["counts"]])


def _lines(ax: Axes, row: dict[str, Any], over: str, name: str, colour: str, label: str) -> None:
    numbers, values = np.asarray(row[over]), np.asarray(row[name])
    ax.loglog(numbers, np.sqrt(np.mean(values**2, axis=0)), "o-", color=colour, markersize=4, label=label)
    ax.loglog(numbers, values.T, ".", color=colour, markersize=2, alpha=0.35)


def _guide(ax: Axes, widths: list[int], distances: list[list[float]]) -> None:
    numbers = np.asarray(widths, dtype=float)
    height = 2 * float(np.max(np.asarray(distances)[:, 0]))
    ax.loglog(numbers, height * (numbers / numbers[0]) ** -0.5, ":", color=GREY, label="$K^{-1/2}$")


def _label(ax: Axes, title: str, x: str, y: str) -> None:
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_title(title, loc="left", fontsize="medium")
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.legend(fontsize="small")
