"""The figures of zeno_2023."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from experiments.experiment import Outcome
from experiments.style import COLOURS, figure_style, new_figure

TITLES = {
    "rays": "three rays, obtuse angles",
    "obtuse_triangle": "triangle with an obtuse angle",
    "equilateral_triangle": "equilateral triangle",
    "obtuse_tetrahedron": "tetrahedron",
    "rays_in_space": "four rays in space",
}


def draw_geometry(outcome: Outcome) -> Figure:
    """The planar denoisers: where neurons of the certified interpolant bend, where those of the closed form do."""
    names = [name for name in TITLES if f"{name}/grid" in outcome.arrays]
    with figure_style():
        figure = new_figure(height=2.7)
        for axes, name in zip(np.atleast_1d(figure.subplots(1, len(names))), names, strict=True):
            get = {key.removeprefix(f"{name}/"): value for key, value in outcome.arrays.items() if key.startswith(name)}
            grid, moves = get["grid"], get["denoised"] - get["grid"]
            axes.set_xlim(grid[:, 0].min(), grid[:, 0].max())
            axes.set_ylim(grid[:, 1].min(), grid[:, 1].max())
            strength = get["masses"] / get["masses"].max()
            for w, b, share in zip(get["weights"], get["biases"], strength, strict=True):
                if share > 1e-3:
                    axes.axline(w * b / (w @ w), slope=_slope(w), color=COLOURS[0], alpha=0.8, lw=3 * share + 0.3)
            for w, b in zip(get["closed_weights"], get["closed_biases"], strict=True):
                axes.axline(w * b / (w @ w), slope=_slope(w), color=COLOURS[1], lw=0.9, ls=(0, (4, 3)))
            options = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.004, "color": "0.7", "zorder": 0}
            axes.quiver(*grid.T, *moves.T, **options)
            axes.plot(*get["x"].T, ".", color="0.3", ms=2)
            axes.plot(*get["clean"].T, "o", color=COLOURS[2], ms=4)
            axes.set_aspect("equal")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_title(f"{TITLES[name]}\nexcess ≤ {outcome.numbers[f'{name}_excess']:.0e}")
        handles = [
            figure.axes[0].plot([], [], color=COLOURS[0], lw=3)[0],
            figure.axes[0].plot([], [], color=COLOURS[1], lw=0.9, ls=(0, (4, 3)))[0],
            figure.axes[0].plot([], [], ".", color="0.3")[0],
            figure.axes[0].plot([], [], "o", color=COLOURS[2])[0],
        ]
        labels = ["certified neurons", "closed form", "noisy samples", "clean points"]
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _slope(normal: np.ndarray) -> float:
    return -normal[0] / normal[1] if abs(normal[1]) > 1e-12 else np.inf


def draw_line(outcome: Outcome) -> Figure:
    """Denoisers over the noisy value, and their errors over the noise."""
    get = outcome.arrays
    with figure_style():
        figure = new_figure(height=2.6)
        left, right = figure.subplots(1, 2)
        left.plot(get["grid"], get["posterior"], color=COLOURS[4], label="empirical posterior mean")
        left.plot(get["grid"], get["denoised"], color=COLOURS[0], label="certified interpolant", lw=2)
        left.plot(get["grid"], get["closed_form"], color=COLOURS[1], ls=(0, (4, 3)), label="closed form")
        noisy, clean = get["noisy"], get["clean"]
        left.plot(noisy.ravel(), np.repeat(clean, noisy.shape[1]), ".", color="0.3", label="training samples")
        left.set_xlabel("noisy value")
        left.set_ylabel("denoised value")
        left.legend()
        right.loglog(get["levels"], get["posterior_errors"], "o-", color=COLOURS[4], label="empirical posterior mean")
        right.loglog(get["levels"], get["network_errors"], "o-", color=COLOURS[0], label="minimum norm")
        right.set_xlabel("noise (clean points are 1 apart)")
        right.set_ylabel("mean square error")
        right.legend()
    return figure
