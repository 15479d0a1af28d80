"""Pictures of training: curves above the proven bound, and neurons on their way over the dual profile."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.axes import Axes

from ridgesplines.archive import write_beside
from ridgesplines.certificate import Certificate
from ridgesplines.plotting import plot_dual_profile
from ridgesplines.plotting_parts import BLUE, ORANGE, axes_or_new
from ridgesplines.problem import Problem
from ridgesplines.solvers.training import TrainingGrid, TrainingResult


def plot_training(result: TrainingResult, certificate: Certificate | None = None, *, ax: Axes | None = None) -> Axes:
    """How far the objective of every seed, loss + λ · path norm, is above the bound that none can pass, by the step.

    As a fraction of the bound, on a logarithmic scale; the objectives themselves if the bound is zero.

    Args:
        result: of `train`.
        certificate: whose bound to draw: that of a certified solution, if there is one; otherwise that of `best`.
        ax: where to draw.
    """
    ax = axes_or_new(ax)
    certificate = result.best.certificate if certificate is None else certificate
    trajectory, bound = result.trajectory, certificate.bound
    for seed, objectives in enumerate(trajectory.objectives):
        label = f"{len(result.splines)} seed{'' if len(result.splines) == 1 else 's'}" if seed == 0 else None
        heights = (objectives - bound) / bound if bound > 0 else objectives
        ax.plot(trajectory.steps, heights, color=BLUE, alpha=0.6, linewidth=1.2, label=label)
    word = "proven" if certificate.proven else "estimated"
    if bound > 0:
        best = (result.best.objective - bound) / bound
        if best > 0:
            ax.axhline(best, color=ORANGE, linewidth=2, label=f"the best in the end: {best:.1e}")
        ax.set_yscale("log")
    ax.set(xlabel="step", ylabel=f"above the {word} bound {bound:.5g}" if bound > 0 else "loss + λ · path norm")
    ax.legend(frameon=False)
    return ax


def plot_grid(grid: TrainingGrid, *, ax: Axes | None = None) -> Axes:
    """How far trained networks of each width are above the bound that none can pass, a colour for each strength.

    Lines are the medians of the seeds, bands go from the best to the worst; gaps relative to the objective.

    Args:
        grid: of `train_grid`.
        ax: where to draw.
    """
    ax = axes_or_new(ax)
    gaps = np.maximum(grid.relative_gaps, 1e-12)
    for j, strength in enumerate(grid.strengths):
        colour = plt.get_cmap("viridis")(0.9 * j / max(len(grid.strengths) - 1, 1))
        ax.fill_between(grid.widths, gaps[:, j].min(axis=1), gaps[:, j].max(axis=1), color=colour, alpha=0.2, lw=0)
        ax.plot(grid.widths, np.median(gaps[:, j], axis=1), "o-", color=colour, label=f"λ = {strength:.3g}")
    word = "proven" if grid.proven.all() else "estimated"
    ax.set(xscale="log", yscale="log", xlabel="width", ylabel=f"gap to the {word} bound / objective")
    ax.set_xticks(grid.widths, [str(width) for width in grid.widths], minor=False)
    ax.minorticks_off()
    ax.legend(frameon=False, title=f"median of {gaps.shape[2]} seeds, best to worst")
    return ax


def plot_neurons(
    problem: Problem,
    result: TrainingResult,
    certificate: Certificate,
    *,
    seed: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Where the neurons of a seed went while it was trained, over the dual profile of a certified optimum.

    For d = 1 the locations of the knots against the step run upwards above the profile's axis; for d = 2 neurons move
    in the plane of angle and offset. Where the profile touches ±λ the neurons of an optimum may sit.

    Args:
        problem: in one or two inputs.
        result: of `train(…, keep_neurons=True)`.
        certificate: of the optimum, for the profile.
        seed: which; the best one by default.
        ax: where to draw.

    Raises:
        ValueError: if the neurons were not kept, or there are more than two inputs.
    """
    seed = _seed(result, seed)
    places, masses = _places(problem, result, seed)
    ax = plot_dual_profile(problem, certificate, ax=ax)
    # Lines break where a neuron passes from 180° to 0°.
    shown = masses[-1] > 1e-4 * masses[-1].sum() / masses.shape[1]
    if problem.measurements.dimension == 1:
        limits = ax.get_xlim()
        beside = ax.twinx()
        for k in np.flatnonzero(shown):
            beside.plot(places[:, k, 0], result.trajectory.steps, color="black", alpha=0.5, linewidth=0.8)
        beside.set(ylabel="step", xlim=limits, ylim=(0, max(int(result.trajectory.steps[-1]), 1)))
    else:
        paths = places.copy()
        jumps = np.abs(np.diff(paths[..., 0], axis=0)) > 90
        paths[1:][jumps] = np.nan
        for k in np.flatnonzero(shown):
            ax.plot(paths[:, k, 0], paths[:, k, 1], color="black", alpha=0.5, linewidth=0.8)
    height = np.zeros(len(shown)) if problem.measurements.dimension == 1 else places[-1, :, 1]
    sizes = 60 * masses[-1] / (masses[-1].max() or 1.0)
    ax.scatter(
        places[-1, shown, 0],
        height[shown],
        s=8 + sizes[shown],
        facecolors="white",
        edgecolors="black",
        zorder=4,
        label="neuron at the end",
    )
    if problem.measurements.dimension == 1:
        # Paths and profile fill the panel.
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=3, fontsize="small", frameon=False)
    else:
        ax.legend(loc="upper right", fontsize="small", framealpha=0.9)
    return ax


def animate_neurons(
    path: str | os.PathLike[str],
    problem: Problem,
    result: TrainingResult,
    certificate: Certificate,
    *,
    seed: int | None = None,
    frames_per_second: int = 12,
) -> Path:
    """Write an animation of the neurons of a seed moving over the dual profile; returns its path.

    Args:
        path: of the file: ".gif", or ".mp4", for which the program ffmpeg must be installed; ".gif" is added to others.
        problem: in one or two inputs.
        result: of `train(…, keep_neurons=True)`: a frame for each record.
        certificate: of the optimum, for the profile.
        seed: which; the best one by default.
        frames_per_second: the pace.

    Raises:
        ValueError: if the neurons were not kept, there are more than two inputs, the folder does not exist, or there is
            no ffmpeg for an ".mp4".
    """
    seed = _seed(result, seed)
    places, masses = _places(problem, result, seed)
    target = Path(path)
    target = target if target.suffix in (".gif", ".mp4") else target.with_name(target.name + ".gif")
    writer = PillowWriter if target.suffix == ".gif" else FFMpegWriter
    if not writer.isAvailable():
        raise ValueError(f"{target} needs the program ffmpeg, which is not there; install it, or write a .gif.")
    ax = plot_dual_profile(problem, certificate)
    figure = ax.get_figure(root=True)
    marks = ax.scatter([], [], facecolors="white", edgecolors="black", zorder=4)
    largest = masses[-1].max() or 1.0

    def draw(frame: int) -> tuple:
        marks.set_offsets(places[frame])
        marks.set_sizes(90 * np.minimum(masses[frame] / largest, 2))
        objective = result.trajectory.objectives[seed, frame]
        ax.set_title(f"step {result.trajectory.steps[frame]}, objective {objective:.5g}", fontsize="medium", loc="left")
        return (marks,)

    assert figure is not None
    animation = FuncAnimation(figure, draw, frames=len(places))
    try:
        return write_beside(
            target, lambda temporary: animation.save(temporary, writer=writer(fps=frames_per_second), dpi=80)
        )
    finally:
        plt.close(figure)


def _seed(result: TrainingResult, seed: int | None) -> int:
    return int(np.argmin(result.objectives)) if seed is None else seed


def _places(problem: Problem, result: TrainingResult, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(R, K, 2): where each neuron is in the picture of the profile; and |v| ‖w‖^(m−1), (R, K)."""
    trajectory = result.trajectory
    if trajectory.weights is None or trajectory.biases is None or trajectory.coefficients is None:
        raise ValueError("the networks along the way were not kept; train with keep_neurons=True.")
    dimension = problem.measurements.dimension
    if dimension > 2:
        raise ValueError(f"neurons of {dimension} inputs have no picture; those of 1 or 2 have.")
    weights, biases = trajectory.weights[seed], trajectory.biases[seed]
    norms = np.linalg.norm(weights, axis=-1)
    sizes = np.abs(trajectory.coefficients[seed])
    sizes = sizes if sizes.ndim == 2 else np.linalg.norm(sizes, axis=-1)
    masses = sizes * norms ** (problem.regularizer.order - 1)
    safe = np.where(norms > 0, norms, 1.0)
    unit, places = weights / safe[..., None], biases / safe
    if dimension == 1:
        return np.stack([places * np.sign(unit[..., 0]), np.zeros_like(places)], axis=-1), masses
    offsets = places - unit @ problem.points.mean(axis=0)
    angles = np.arctan2(unit[..., 1], unit[..., 0])
    # The other orientation of the same hyperplane has its angle in [0°, 180°).
    offsets = np.where(angles < 0, -offsets, offsets)
    return np.stack([np.degrees(np.where(angles < 0, angles + np.pi, angles)), offsets], axis=-1), masses
