"""Draw the figures of the first fits from their saved solutions."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

import ridgesplines as rs
from experiments.first_fit.run import FITS, problem_of
from ridgesplines.plotting import Labels, plot_fit, plot_trace


def draw(folder: Path, pictures: Path) -> None:
    """One picture of each fit, and one of the trace of the interpolation, from the files in `folder`."""
    matplotlib.use("Agg")
    pictures.mkdir(parents=True, exist_ok=True)
    for fit in FITS:
        solution = rs.Solution.load(folder / f"{fit.key}.npz")
        strength = None if fit.interpolate else _strength(folder, fit.key)
        problem, data = problem_of(fit, strength)
        labels = Labels(data.input_labels, data.target_label)
        if fit.standardize:
            labels = Labels(data.input_names, f"{data.target_name} (standardised)")
        plot_fit(problem, solution, labels=labels).savefig(pictures / f"{fit.key}.png", dpi=90)
        if fit.interpolate:
            figure = plot_trace(solution).get_figure(root=True)
            if figure is not None:
                figure.savefig(pictures / f"{fit.key}_trace.png", dpi=90)
        plt.close("all")
    print(f"pictures in {pictures}")


def _strength(folder: Path, key: str) -> float:
    import json

    rows = json.loads((folder / "times.json").read_text())["rows"]
    return next(row["strength"] for row in rows if row["key"] == key)
