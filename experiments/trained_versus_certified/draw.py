"""Draw the curves and the neurons of trained networks from the saved results."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

import ridgesplines as rs
from experiments.trained_versus_certified.run import CASES, WAYS, Case
from ridgesplines.plotting_training import plot_neurons, plot_training


def draw(folder: Path, pictures: Path, cases: tuple[Case, ...] = CASES) -> None:
    """For each case its curves, one panel for each way of training, and where the neurons of one went if d ≤ 2."""
    matplotlib.use("Agg")
    pictures.mkdir(parents=True, exist_ok=True)
    for case in cases:
        solution = rs.Solution.load(folder / f"{case.key}.npz")
        files = {way: folder / f"{case.key}_{number}.npz" for number, (way, _) in enumerate(WAYS)}
        results = {way: rs.TrainingResult.load(file) for way, file in files.items() if file.is_file()}
        figure, axes = plt.subplots(2, 3, figsize=(13, 7), layout="constrained")
        for ax in axes.flat[len(results) :]:
            ax.set_axis_off()
        for ax, (way, result) in zip(axes.flat, results.items(), strict=False):
            plot_training(result, solution.certificate, ax=ax)
            ax.set_title(way, fontsize="medium")
        figure.suptitle(case.title)
        figure.savefig(pictures / f"{case.key}_curves.png", dpi=90)
        problem = case.make()
        if problem.measurements.dimension <= 2:
            ax = plot_neurons(problem, results["path norm, proximal"], solution.certificate)
            ax.set_title(f"{case.title}: the neurons of a proximal training", fontsize="medium", loc="left")
            drawn = ax.get_figure(root=True)
            if drawn is not None:
                drawn.savefig(pictures / f"{case.key}_neurons.png", dpi=90)
        plt.close("all")
    print(f"pictures in {pictures}")
