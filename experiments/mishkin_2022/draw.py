"""The figures of mishkin_2022."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from experiments.experiment import Outcome
from experiments.style import COLOURS, figure_style, new_figure

_SHADED = {"alpha": 0.25, "lw": 0}


def draw_patterns(outcome: Outcome) -> Figure:
    """Objectives over the number of sampled gates: ReLU programs fall to the proven bound, gated ones below it."""
    get = outcome.arrays
    with figure_style():
        figure = new_figure(height=2.6)
        panels = np.atleast_1d(figure.subplots(1, len(get["bound"])))
        for i, axes in enumerate(panels):
            for name, colour in (("relu", COLOURS[0]), ("gated", COLOURS[1])):
                values = get[f"{i}/{name}"] / get["bound"][i]
                axes.plot(get["patterns"], np.median(values, axis=0), "o-", color=colour, label=f"{_LABELS[name]}")
                axes.fill_between(get["patterns"], values.min(axis=0), values.max(axis=0), color=colour, **_SHADED)
            axes.axhline(1, color="0.3", lw=0.8, label="proven bound, all ReLU networks")
            axes.axhline(
                get["gated_of_all"][i] / get["bound"][i], color=COLOURS[1], ls=":", label="gated, all patterns"
            )
            axes.set_xscale("log", base=2)
            axes.set_xlabel("sampled gates")
            facts = f"{get['all'][i]} patterns, {get['optimum'][i]} in the optimum"
            axes.set_title(f"λ / N = {float(get[f'{i}/lam']):g}; {facts}")
        panels[0].set_ylabel("objective over the proven bound")
        panels[0].legend()
    return figure


_LABELS = {"relu": "ReLU, sampled patterns", "gated": "gated, sampled patterns"}


def draw_library(outcome: Outcome) -> Figure:
    """Distance to the proven bound over seconds, a mark for each strength."""
    get = outcome.arrays
    names = ("certified here", "pyscnn, augmented Lagrangian", "pyscnn, cone decomposition")
    with figure_style():
        figure = new_figure(columns=1, height=2.8)
        axes = figure.subplots()
        for j, name in enumerate(names):
            above = np.maximum(get["objectives"][:, j] / get["bounds"] - 1, 1e-9)
            axes.loglog(get["seconds"][:, j], above, "os^"[j], color=COLOURS[j], label=name)
            for lam, x, y in zip(get["lams"], get["seconds"][:, j], above, strict=True):
                axes.annotate(f"{lam:g}", (x, y), textcoords="offset points", xytext=(4, 3), fontsize=6)
        axes.margins(0.15)
        axes.set_xlabel("seconds")
        axes.set_ylabel("relative distance to the proven bound")
        axes.legend(loc="center right", title="numbers: λ / N")
    return figure
