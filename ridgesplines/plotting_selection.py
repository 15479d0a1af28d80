"""Pictures of how a strength was chosen: errors on held-out data, scores, or misfits, over λ."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ridgesplines.discrepancy import DiscrepancySelection
from ridgesplines.path import StrengthSelection
from ridgesplines.plotting_parts import BLUE, GREY, ORANGE, RED, axes_or_new
from ridgesplines.selection import StrengthScores


def plot_selection(
    selection: StrengthSelection | StrengthScores | DiscrepancySelection, *, ax: Axes | None = None
) -> Axes:
    """What decided about λ, over the strengths that were tried, and the one that was chosen.

    Of a cross-validation, the mean squared errors with their standard errors; of `StrengthScores`, the scores, beside
    the degrees of freedom; of a `DiscrepancySelection`, the misfits, and the noise that they are to stay within.

    Args:
        selection: of `select_strength`, `stein_risk`, `generalized_cross_validation` or `discrepancy_strength`.
        ax: where to draw.

    Raises:
        ValueError: if no strength was tried.
    """
    if not len(selection.strengths):
        raise ValueError("the selection has no strength to draw.")
    ax = axes_or_new(ax)
    strengths = selection.strengths
    if isinstance(selection, StrengthSelection):
        label = f"{selection.folds}-fold cross-validation ± standard error"
        kind = {"color": BLUE, "marker": "o", "markersize": 4, "capsize": 2, "elinewidth": 0.8}
        ax.errorbar(strengths, selection.errors, selection.standard_errors, label=label, **kind)
        ax.set(ylabel="mean squared error on data left out")
    elif isinstance(selection, StrengthScores):
        ax.plot(strengths, np.where(np.isfinite(selection.scores), selection.scores, np.nan), "o-", color=BLUE, ms=4)
        ax.set(ylabel="score")
        right = ax.twinx()
        right.step(strengths, selection.degrees_of_freedom, where="mid", color=GREY, linewidth=1, alpha=0.7)
        right.set_ylabel("degrees of freedom", color=GREY)
    else:
        ax.loglog(strengths, selection.misfit_norms, "o-", color=BLUE, markersize=4, label="misfit ‖ν(f) − y‖")
        ax.axhline(selection.noise_norm, color=ORANGE, label="of the noise")
        ax.set(ylabel="misfit")
    ax.axvline(selection.strength, color=RED, linewidth=1, label=f"chosen: λ = {selection.strength:.4g}")
    ax.set(xscale="log", xlabel="strength λ")
    if len(strengths) > 1:
        # λ falls to the right, as along a path.
        ax.set_xlim(float(strengths.max()) * 1.05, float(strengths.min()) / 1.05)
    ax.legend(frameon=False, loc="best")
    return ax
