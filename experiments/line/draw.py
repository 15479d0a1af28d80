"""Draw the fits beside each other, and all solutions of one problem."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

import ridgesplines as rs
from experiments.line.methods import CLASSICS, RIDGE_SPLINES
from experiments.line.series import SERIES
from ridgesplines.plotting import Labels, plot_solution_set

# Okabe and Ito's colours, told apart by colour-blind readers.
BLUE, SKY, GREEN, RED, PINK = "#0072B2", "#56B4E9", "#009E73", "#D55E00", "#CC79A7"
# Fits that all but agree are seen through each other.
LINES = {
    "ridge splines": ((BLUE, "-"), (SKY, "--"), (GREEN, ":"), (RED, "-"), (PINK, "-")),
    "classics": ((BLUE, "-"), (GREEN, "-"), (RED, "--"), (PINK, "-")),
}


def draw(folder: Path, pictures: Path) -> None:
    """One picture of each series from the files in `folder`, and `solutions.png`."""
    matplotlib.use("Agg")
    pictures.mkdir(parents=True, exist_ok=True)
    for name, make in SERIES.items():
        if not (folder / f"{name}.npz").is_file():
            continue
        labels = make().labels
        with np.load(folder / f"{name}.npz") as arrays:
            figure, axes = plt.subplots(1, 2, figsize=(13, 4.8), sharey=True, layout="constrained")
            for ax, methods, title in zip(axes, (RIDGE_SPLINES, CLASSICS), LINES, strict=True):
                ax.plot(arrays["x"], arrays["y"], "o", color="#999999", markersize=2.5, alpha=0.6, label="data")
                for method, (colour, style) in zip(methods, LINES[title], strict=False):
                    if method in arrays.files:
                        ax.plot(arrays["grid"], arrays[method], style, color=colour, linewidth=1.3, label=method)
                ax.set(xlabel=labels[0], title=title)
                low, high = arrays["y"].min(), arrays["y"].max()
                ax.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))
                ax.legend(frameon=False, fontsize="small")
            axes[0].set_ylabel(labels[1])
            figure.savefig(pictures / f"{name}.png", dpi=90)
        plt.close(figure)
    ax = plot_solutions()
    figure = ax.get_figure(root=True)
    if figure is not None:
        figure.set_size_inches(9, 4.8)
        figure.savefig(pictures / "solutions.png", dpi=90)
    plt.close("all")
    print(f"pictures in {pictures}")


def plot_solutions() -> Axes:
    """All interpolants of least RTV² of a few data."""
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.5, 6.5, 7.5, 8.5, 10.0])
    y = np.array([3.0, 1.2, 0.4, 0.6, 1.7, 3.6, 4.1, 3.7, 2.3, 2.6])
    problem = rs.Problem(rs.Samples(x), y, rs.Interpolation())
    solutions = rs.solution_set(problem, rs.solve(problem))
    ax = plot_solution_set(solutions, y, labels=Labels(("x",), "y"))
    ax.set_title("all interpolants of least RTV²: where they agree, and where they are free", fontsize="medium")
    return ax
