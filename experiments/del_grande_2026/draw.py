"""The figures of del_grande_2026."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from experiments.experiment import Outcome
from experiments.style import COLOURS, figure_style, new_figure


def draw_regions(outcome: Outcome) -> Figure:
    """The dual profile over the circle of weights, cut into dual regions, and the neurons of the optimum."""
    keys = list(dict.fromkeys(key.split("/")[0] for key in outcome.arrays))[:2]
    with figure_style():
        figure = new_figure(height=2.6)
        for axes, key in zip(np.atleast_1d(figure.subplots(1, len(keys), sharey=True)), keys, strict=True):
            get = {name: outcome.arrays[f"{key}/{name}"] for name in ("angles", "profile", "ends", "contacts")}
            for end in get["ends"]:
                axes.axvline(end, color="0.85", lw=0.7)
            axes.axhline(1, color="0.4", lw=0.7)
            axes.axhline(-1, color="0.4", lw=0.7)
            axes.plot(get["angles"], get["profile"], color=COLOURS[0])
            inside = outcome.arrays[f"{key}/contact_heights"] > 1e-4
            values = outcome.arrays[f"{key}/contact_values"]
            axes.plot(get["contacts"][inside], values[inside], "o", color=COLOURS[1], label="neuron inside a region")
            options = {"color": COLOURS[2], "label": "neuron on a boundary"}
            axes.plot(get["contacts"][~inside], values[~inside], "D", **options)
            axes.set_xlabel("angle of the weight" + (" and bias" if key.startswith("with ") else ""))
            axes.set_title(key)
        figure.axes[0].set_ylabel("dual profile over λ")
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def draw_stability(outcome: Outcome) -> Figure:
    """How far the neurons move, and what the first order leaves unexplained, for each teacher."""
    get = outcome.arrays
    with figure_style():
        figure = new_figure(height=2.7)
        titles = ("without noise", "with noise in proportion to λ")
        for i, (axes, title) in enumerate(zip(figure.subplots(1, 2, sharey=True), titles, strict=True)):
            for name, colour, label in (
                ("moved", COLOURS[0], "turn of the weights"),
                ("changed", COLOURS[2], "change of the coefficients"),
                ("unexplained", COLOURS[1], "turn less its first order"),
            ):
                for k, values in enumerate(get[name][:, i]):
                    axes.loglog(get["strengths"], values, ".-", color=colour, lw=0.8, label=None if k else label)
            ends = get["strengths"][[0, -1]]
            middle = np.exp(np.log(get["moved"][:, i]).mean(axis=0))
            axes.loglog(ends, 3 * middle[0] * ends / ends[0], "k:", lw=0.8, label="slopes 1 and 2")
            rest = np.exp(np.log(get["unexplained"][:, i]).mean(axis=0))
            axes.loglog(ends, 40 * rest[-1] * (ends / ends[-1]) ** 2, "k:", lw=0.8)
            axes.set_xlabel("λ / λ₀ (λ₀ changes a neuron by its own size)")
            axes.set_title(title)
        figure.axes[0].set_ylabel("largest over the neurons")
        figure.axes[0].legend(loc="lower right", handlelength=1.0)
    return figure
