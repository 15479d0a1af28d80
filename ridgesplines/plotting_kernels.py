"""Pictures of kernel problems."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm

from ridgesplines.kernel_nuggets import NuggetChoice
from ridgesplines.kernel_solution import KernelSolution
from ridgesplines.kernel_spline import KernelSpline
from ridgesplines.plotting_parts import BLUE, GREY, RED, axes_or_new, margins

# Differences of a logarithmic likelihood that are told apart: from one that says nothing to one that decides.
_LEVELS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
# Distances as multiples of the least.
_RATIOS = (1, 1.02, 1.05, 1.1, 1.2, 1.5, 2, 3, 5)


def plot_nuggets(choice: NuggetChoice, *, ax: Axes | None = None) -> Axes:
    """Draw the criterion that chose nuggets over other nuggets, from a few small blocks of points, and those chosen.

    Args:
        choice: see `choose_nuggets`.
        ax: matplotlib Axes to draw on; new ones by default.
    """
    ax = axes_or_new(ax)
    likelihood = choice.criterion == "likelihood"
    surface = choice.surface - choice.surface.min() if likelihood else choice.surface
    label = "$-\\log p$ of small blocks, above its least" if likelihood else "errors of points left out, small blocks"
    # A nugget of zero stands at the left or lower end.
    value = max(choice.value_nugget, choice.grid_values[0])
    if choice.problem.gradients is None:
        ax.loglog(choice.grid_values, np.maximum(surface[:, 0], 1e-2), "o-", color="black", markersize=3)
        ax.axvline(value, color=RED, label="chosen")
        ax.set(xlabel="nugget of the values", ylabel=label)
        ax.legend()
        return ax
    gradient = max(choice.gradient_nugget, choice.grid_gradients[0])
    levels = np.array(_LEVELS) if likelihood else surface.min() * np.array(_RATIOS)
    shown = np.clip(surface.T, levels[0] * 1.0001, levels[-1])
    norm = BoundaryNorm(levels.tolist(), 256)
    axes: Any = (choice.grid_values, choice.grid_gradients)
    filled = ax.contourf(*axes, shown, levels=levels, norm=norm, cmap="viridis_r")
    ax.figure.colorbar(filled, ax=ax, label=label, format="%.3g")
    widths = 2 * np.nan_to_num(choice.standard_errors, nan=0.0, posinf=0.0)
    ax.errorbar(
        value,
        gradient,
        xerr=[[value - value * np.exp(-widths[0])], [value * np.exp(widths[0]) - value]],
        yerr=[[gradient - gradient * np.exp(-widths[1])], [gradient * np.exp(widths[1]) - gradient]],
        fmt="o",
        color=RED,
        label="chosen, ± 2 standard errors" if likelihood else "chosen",
    )
    ax.set(xscale="log", yscale="log", xlabel="nugget of the values", ylabel="nugget of the gradients")
    ax.legend()
    return ax


def plot_kernel_spline(spline: KernelSpline | KernelSolution, *, ax: Axes | None = None) -> Axes:
    """The function of a kernel over the region of its centres: a curve, or contours with the line where it is zero.

    Args:
        spline: or a solution that holds one; of one or two inputs.
        ax: where to draw.

    Raises:
        ValueError: if it has more inputs; `surfaces` makes meshes of those of three.
    """
    solution, spline = (spline, spline.spline) if isinstance(spline, KernelSolution) else (None, spline)
    if spline.dimension > 2:
        raise ValueError(
            f"a kernel's function of {spline.dimension} inputs has no picture, only those of one or two have; "
            "rs.surfaces.reconstruct makes a mesh of one of three."
        )
    ax = axes_or_new(ax)
    centres = np.asarray(spline.centres)
    if spline.dimension == 1:
        low, high = margins(centres[:, 0])
        grid = np.sort(np.concatenate([np.linspace(low, high, 1001), centres[:, 0]]))
        ax.plot(grid, spline(grid), color=BLUE, linewidth=2, label="function")
        marks = {"color": GREY, "markersize": 3.5, "alpha": 0.6}
        ax.plot(centres[:, 0], spline(centres[:, 0]), "o", label=f"at its {len(centres)} centres", **marks)
        ax.set(xlabel="x", ylabel="f", xlim=(low, high))
        ax.legend(frameon=False)
    else:
        axes = [np.linspace(*margins(centres[:, i]), 201) for i in range(2)]
        mesh = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
        values = np.asarray(spline(mesh)).reshape(201, 201)
        filled = ax.contourf(*axes, values, levels=20, cmap="viridis")
        if values.min() < 0 < values.max():
            ax.contour(*axes, values, levels=[0.0], colors="black", linewidths=1.2)
        ax.plot(*centres.T, "o", color="white", markeredgecolor="black", markersize=3, markeredgewidth=0.5)
        ax.figure.colorbar(filled, ax=ax, label="f, black where it is zero", shrink=0.9)
        ax.set(xlabel="x1", ylabel="x2")
    if solution is not None:
        ax.set_title(f"misfit {solution.value_misfit:.1e}, {solution.status.value}", fontsize="medium")
    return ax
