"""Draw the interpolants and the classifiers from the saved solutions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

import ridgesplines as rs
from experiments.kumar_haupt_2020.run import WHERE
from experiments.kumar_haupt_2020.sets import CLASSIFIERS, SETS, Classifier, ConstraintSet, classes_of, problem_of
from ridgesplines.archive import write_beside
from ridgesplines.plotting import plot_spline
from ridgesplines.plotting_classes import plot_classes


def draw(
    folder: Path,
    pictures: Path,
    sets: tuple[ConstraintSet, ...] = SETS,
    classifiers: tuple[Classifier, ...] = CLASSIFIERS,
    dimensions: tuple[int, ...] = (1, 2),
) -> None:
    """A picture of each set and data set, one of all sets for each data set, and one of the classifiers."""
    matplotlib.use("Agg")
    pictures.mkdir(parents=True, exist_ok=True)
    rows = json.loads((folder / "table.json").read_text())["rows"]
    for dimension in dimensions:
        where = WHERE[dimension]
        drawn = [which for which in sets if (folder / f"{which.key}_{where}.npz").is_file()]
        counts = {row["constraints"]: row for row in rows if row["where"] == where}
        for which in drawn:
            figure, ax = plt.subplots(figsize=(6.4, 4.8), layout="constrained")
            _draw_set(folder, which, dimension, counts[which.title], ax)
            _save(figure, pictures / f"{which.key}_{where}.png")
        across = 4 if len(drawn) > 4 else max(len(drawn), 1)
        down = -(-len(drawn) // across)
        figure, axes = plt.subplots(
            down, across, figsize=(4.0 * across, 3.5 * down), squeeze=False, layout="constrained"
        )
        for ax in axes.ravel()[len(drawn) :]:
            ax.set_axis_off()
        for ax, which in zip(axes.ravel(), drawn, strict=False):
            _draw_set(folder, which, dimension, counts[which.title], ax, small=True)
        _save(figure, pictures / f"all_{where}.png")
    if classifiers:
        figure, axes = plt.subplots(
            1, len(classifiers), figsize=(5.2 * len(classifiers), 5.4), squeeze=False, layout="constrained"
        )
        for ax, classifier in zip(axes.ravel(), classifiers, strict=True):
            problem, solution = classes_of(classifier), rs.Solution.load(folder / f"{classifier.key}.npz")
            x, y = problem.points, problem.targets
            plot_classes(solution.spline, x, y, solution.certificate, ax=ax)
            ax.set_title(f"{classifier.title}: {solution.spline.width} neurons", fontsize="medium")
        _save(figure, pictures / "classes.png")
    print(f"pictures in {pictures}")


def _draw_set(
    folder: Path, which: ConstraintSet, dimension: int, row: dict[str, Any], ax: Axes, small: bool = False
) -> None:
    problem = problem_of(which, dimension)
    solution = rs.Solution.load(folder / f"{which.key}_{WHERE[dimension]}.npz")
    plot_spline(solution.spline, problem.points, problem.targets, ax=ax)
    legend = ax.get_legend()
    if legend is not None and small:
        legend.remove()
    neurons = f"{row['merged']} neurons ({row['neurons']} before merging)"
    title = f"{which.title}\n{neurons}, norm {row['norm']:.4g} ({row['kind']})"
    ax.set_title(title, fontsize="small" if small else "medium")


def _save(figure: Any, path: Path) -> None:
    write_beside(path, lambda temporary: figure.savefig(temporary, dpi=90))
    plt.close(figure)
