"""Sparsity and objective along training, for the same number of steps: the proximal method beside weight decay."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.experiment import Experiment, Outcome
from experiments.style import COLOURS, new_figure
from experiments.trained_versus_certified.run import CASES, Case
from experiments.trained_versus_certified.seeds import CASES as SMALL
from experiments.trained_versus_certified.sparsity import WAYS, course

_CASES = {case.key: case for case in CASES} | {"wave": Case("wave", "a wave (d = 1)", SMALL[0].make)}
PROXIMAL, DECAY = "path norm, proximal", "weight decay, Adam"
_CURVES = ("steps", "nonzero", "gaps")


def parts(cases: list[str], seeds: int, steps: int) -> list[dict[str, Any]]:
    return [dict(case=case, way=way, seeds=seeds, steps=steps) for case in cases for way in WAYS]


def train(case: str, way: str, seeds: int, steps: int) -> dict[str, Any]:
    """Networks four times as wide as the certified optimum, medians of the seeds along the steps."""
    found = course(_CASES[case], way, seeds, steps)
    return dict(
        width=found.width,
        certified=found.certified,
        kind=found.kind,
        final=np.array(found.final),
        merged=np.array(found.merged),
        **{name: np.array(getattr(found, name)) for name in _CURVES},
    )


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    by_way = {(part["case"], part["way"]): one for part, one in zip(parts, found, strict=True)}
    cases = list(dict.fromkeys(part["case"] for part in parts))
    pairs = [(by_way[case, PROXIMAL], by_way[case, DECAY]) for case in cases]
    half = [len(one["nonzero"]) // 2 for one, _ in pairs]
    numbers = {
        "largest_ratio_of_neurons": max(ours["nonzero"][-1] / theirs["nonzero"][-1] for ours, theirs in pairs),
        "largest_ratio_of_neurons_halfway": max(
            ours["nonzero"][k] / theirs["nonzero"][k] for k, (ours, theirs) in zip(half, pairs, strict=True)
        ),
        "largest_ratio_of_merged_neurons": max(
            float(np.median(ours["merged"]) / np.median(theirs["merged"])) for ours, theirs in pairs
        ),
        "largest_ratio_of_gaps": max(
            float(np.median(ours["final"]) / np.median(theirs["final"])) for ours, theirs in pairs
        ),
        "zeros_of_weight_decay": max(float(theirs["width"] - theirs["nonzero"][-1]) for _, theirs in pairs),
        "least_gap": float(min(one["final"].min() for one in found)),
    }
    arrays: dict[str, np.ndarray] = {}
    for (case, way), one in by_way.items():
        name = f"{case}_{list(WAYS).index(way)}"
        numbers |= {
            f"width_{case}": one["width"],
            f"certified_{case}": one["certified"],
            f"neurons_{name}": float(one["nonzero"][-1]),
            f"merged_{name}": float(np.median(one["merged"])),
            f"gap_{name}": float(np.median(one["final"])),
        }
        arrays |= {f"{curve}_{name}": one[curve] for curve in _CURVES}
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    cases = [name.removeprefix("width_") for name in outcome.numbers if name.startswith("width_")]
    figure = new_figure(2 if len(cases) > 1 else 1, height=3.6)
    axes = figure.subplots(2, len(cases), squeeze=False, sharex="col")
    for (upper, lower), case in zip(axes.T, cases, strict=True):
        for k, (way, colour, line) in enumerate(zip(WAYS, COLOURS, ("-", "-", "--"), strict=False)):
            steps, nonzero, gaps = (outcome.arrays[f"{curve}_{case}_{k}"] for curve in _CURVES)
            upper.plot(steps, nonzero, line, color=colour, label=way)
            lower.plot(steps, gaps, line, color=colour, label=way)
        upper.axhline(outcome.numbers[f"certified_{case}"], color="black", linestyle=":", label="certified optimum")
        upper.set(title=_CASES[case].title, ylim=(0, None))
        lower.set(xlabel="step", yscale="log")
        lower.xaxis.set_major_locator(MaxNLocator(4))
    axes[0, 0].set_ylabel("neurons not zero (median)")
    axes[1, 0].set_ylabel("above the bound (median)")
    axes[1, -1].legend()
    axes[0, -1].legend(*(part[-1:] for part in axes[0, -1].get_legend_handles_labels()), loc="lower left")
    return figure


EXPERIMENTS = (
    Experiment(
        "yang_2022",
        "sparsity",
        "neurons and objectives along training: the proximal path-norm method beside weight decay",
        quick=dict(cases=["wave"], seeds=6, steps=1500),
        full=dict(cases=["wave", "motorcycle", "elevation"], seeds=16, steps=5000),
        parts=parts,
        solve=train,
        gather=gather,
        draw=draw,
    ),
)
