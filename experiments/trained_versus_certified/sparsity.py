"""Sparsity and objective along training: the proximal path-norm method beside weight decay and plain Adam."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs
from experiments.trained_versus_certified.run import CASES, Case
from ridgesplines.archive import write_text

SEEDS, STEPS = 16, 5000
WAYS: dict[str, dict[str, Any]] = {
    "path norm, proximal": dict(optimizer="proximal"),
    "weight decay, Adam": dict(penalty="weight decay"),
    "path norm, Adam": dict(),
}
_COLOURS = ("#D55E00", "#0072B2", "#009E73")


@dataclass(frozen=True)
class Course:
    """One way of training on one problem, medians over the seeds along the steps.

    Attributes:
        case: the problem's title.
        way: of training.
        width: K.
        certified: neurons of the certified optimum.
        kind: of its certificate.
        steps: (R,).
        nonzero: neurons whose coefficient and weights are not exactly zero.
        active: neurons of more than 1e-4 of the mean.
        gaps: (loss + λ · path norm − bound) / bound.
        final: the gaps of the seeds at the end, merged.
        merged: neurons of the seeds at the end, those next to each other made one.
    """

    case: str
    way: str
    width: int
    certified: int
    kind: str
    steps: list[int]
    nonzero: list[float]
    active: list[float]
    gaps: list[float]
    final: list[float]
    merged: list[int]


def courses(case: Case, seeds: int = SEEDS, steps: int = STEPS) -> list[Course]:
    """Train in each way."""
    return [course(case, way, seeds, steps) for way in WAYS]


def course(case: Case, way: str, seeds: int = SEEDS, steps: int = STEPS) -> Course:
    """Train in one way."""
    problem = case.make()
    solution = rs.solve(problem, rs.ColumnGeneration(gap=case.gap))
    width, bound = 4 * max(solution.spline.width, 5), solution.certificate.bound
    result = rs.train(
        problem, width=width, seeds=seeds, steps=steps, dual=solution.dual, keep_neurons=True, **WAYS[way]
    )
    path = result.trajectory
    assert path.coefficients is not None
    assert path.weights is not None
    alive = (path.coefficients != 0) & (path.weights != 0).any(axis=-1)
    curves = (alive.sum(axis=-1), path.active, path.objectives / bound - 1)
    nonzero, active, gaps = (np.median(curve, axis=0).tolist() for curve in curves)
    final = ((result.objectives - bound) / result.objectives).tolist()
    return Course(
        case.title,
        way,
        width,
        solution.spline.width,
        solution.certificate.kind,
        path.steps.tolist(),
        nonzero,
        active,
        gaps,
        final,
        result.widths.tolist(),
    )


def run(folder: Path, cases: tuple[Case, ...] = (CASES[0], CASES[2]), **options: int) -> list[list[Course]]:
    """Print a table and write `sparsity.json`; then draw."""
    folder.mkdir(parents=True, exist_ok=True)
    print("| problem (width) | training | neurons not zero | active | merged | certified | median gap |")
    print("|---" * 7 + "|")
    found = []
    for case in cases:
        found.append(courses(case, **options))
        for course in found[-1]:
            counts = (course.nonzero[-1], course.active[-1], np.median(course.merged), course.certified)
            cells = (f"{course.case} ({course.width})", course.way, *(f"{count:.0f}" for count in counts))
            print(f"| {' | '.join(cells)} | {np.median(course.final):.1e} |", flush=True)
    rows = [[asdict(course) for course in one] for one in found]
    write_text(folder / "sparsity.json", json.dumps(rows, indent=2))
    draw(found, folder)
    return found


def draw(found: list[list[Course]], folder: Path) -> Path:
    """Neurons above objectives, a column for each problem."""
    matplotlib.use("Agg")
    figure, axes = plt.subplots(2, len(found), figsize=(5.2 * len(found), 6.5), squeeze=False, layout="constrained")
    for column, one in enumerate(found):
        upper, lower = axes[:, column]
        # The last two lie on each other as long as no neuron of theirs is zero.
        for course, colour, line in zip(one, _COLOURS, ("-", "-", "--"), strict=True):
            name = f"{course.way}: not zero"
            upper.plot(course.steps, course.nonzero, color=colour, linewidth=2, linestyle=line, label=name)
            upper.plot(course.steps, course.active, color=colour, linewidth=1, linestyle=":")
            lower.plot(course.steps, course.gaps, color=colour, linewidth=2, label=course.way)
        upper.axhline(one[0].certified, color="black", linewidth=1, linestyle="--", label="the certified optimum")
        upper.plot([], [], color="#666666", linewidth=1, linestyle=":", label="more than 1e-4 of the mean")
        upper.set(title=f"{one[0].case}, width {one[0].width}", ylabel="neurons (median)", ylim=(0, 1.5 * one[0].width))
        upper.legend(frameon=False, fontsize="small", ncols=2, loc="upper left")
        word = "estimated" if one[0].kind == "heuristic" else "proven"
        lower.set(xlabel="step", ylabel=f"above the {word} bound (median)", yscale="log")
        lower.legend(frameon=False, fontsize="small")
    path = folder / "sparsity.png"
    figure.savefig(path, dpi=90)
    plt.close(figure)
    return path
