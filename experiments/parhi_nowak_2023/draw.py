"""The figure of parhi_nowak_2023."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from experiments.experiment import Outcome
from experiments.style import COLOURS, figure_style, new_figure


def draw(outcome: Outcome) -> Figure:
    """Mean squared errors over N on logarithmic axes, with the slopes of theory."""
    places = list(dict.fromkeys(key.split("/")[0] for key in outcome.arrays))
    with figure_style():
        figure = new_figure(columns=len(places), height=3.3)
        for axes, where in zip(np.atleast_1d(figure.subplots(1, len(places))), places, strict=True):
            get = {name: outcome.arrays[f"{where}/{name}"] for name in ("counts", "errors", "rates", "theory")}
            counts = get["counts"]
            for j, name in enumerate(("certified ridge spline", "kernel ridge regression")):
                logs = np.log(get["errors"][j])
                middle, spread = logs.mean(axis=0), logs.std(axis=0, ddof=1) / np.sqrt(len(logs))
                slope, error = get["rates"][j]
                label = f"{name}\nslope {slope:.2f} ± {error:.2f}"
                bars = np.exp(middle) * (1 - np.exp(-spread)), np.exp(middle) * (np.exp(spread) - 1)
                axes.errorbar(counts, np.exp(middle), bars, fmt="os"[j] + "-", color=COLOURS[j], label=label)
                theory = get["theory"][j]
                line = np.exp(middle[0]) * (1.5, 0.67)[1 - j] * (counts / counts[0]) ** theory
                words = ("rate of theory", "linear methods at best")[j]
                axes.plot(counts, line, ":", color=COLOURS[j], label=f"{words}, {theory:.2f}")
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xticks(counts, [str(count) for count in counts])
            axes.minorticks_off()
            axes.set_xlabel("N")
            axes.set_title(f"on the {where}" if where == "line" else f"in the {where}")
            axes.legend(fontsize=6, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
        figure.axes[0].set_ylabel("mean squared error")
    return figure
