"""Opening any file that the package saved, whatever it holds."""

from __future__ import annotations

import os
from typing import Any

from ridgesplines.archive import read_header
from ridgesplines.breakpoints import ExactPath
from ridgesplines.comparison import Comparison
from ridgesplines.kernel_spline import KernelSpline
from ridgesplines.path import RegularizationPath
from ridgesplines.solution import Solution
from ridgesplines.solvers.training import TrainingGrid, TrainingResult
from ridgesplines.spline import RidgeSpline
from ridgesplines.surfaces.implicit import ImplicitFunction

# What files hold, by the kind that they state.
KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        RidgeSpline, Solution, RegularizationPath, ExactPath, TrainingResult, TrainingGrid, Comparison, KernelSpline,
        ImplicitFunction,
    )
}  # fmt: skip


def load(path: str | os.PathLike[str]) -> Any:
    """Whatever a file holds that a method `save` of the package wrote.

    Args:
        path: of a `.npz` file with a spline, a solution, a regularization path or an exact one, a training, a grid
            of trainings, a comparison, a kernel spline or an implicit function.

    Raises:
        ValueError: if the file is missing, damaged, of a kind that is none of these, or of a newer format version.
    """
    kind = read_header(path)["kind"]
    if kind not in KINDS:
        raise ValueError(f"{path} holds a {kind}, which is not opened like this; those that are: {', '.join(KINDS)}.")
    return KINDS[kind].load(path)
