"""Small real data sets that come with the package or with what it depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and targets with their names and units; unpacks as `x, y = dataset`.

    Attributes:
        x: (N, d).
        y: (N,).
        input_names: d names.
        target_name: the name of y.
        units: the unit of each input, then of the target; "" where there is none.
        citation: where the data come from.
    """

    x: np.ndarray
    y: np.ndarray
    input_names: tuple[str, ...]
    target_name: str
    units: tuple[str, ...]
    citation: str

    @property
    def input_labels(self) -> tuple[str, ...]:
        """The names of the inputs with their units, for axes."""
        return tuple(_with_unit(*pair) for pair in zip(self.input_names, self.units, strict=False))

    @property
    def target_label(self) -> str:
        """The name of the target with its unit, for axes."""
        return _with_unit(self.target_name, self.units[-1])

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.x, self.y))


def _with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def motorcycle() -> Dataset:
    """Head acceleration after a simulated motorcycle impact: 133 rows, 94 different times, noise that varies."""
    text = (files("ridgesplines") / "data" / "motorcycle.csv").read_text(encoding="utf-8")
    rows = np.loadtxt(text.splitlines(), delimiter=",", skiprows=1)
    return Dataset(
        rows[:, :1],
        rows[:, 1],
        ("time",),
        "acceleration",
        ("ms", "g"),
        "Silverman (1985), Some aspects of the spline smoothing approach to non-parametric regression curve fitting, "
        "J. R. Statist. Soc. B 47, 1-52; here as distributed with statsmodels (BSD-3-Clause).",
    )


def elevation(count: int = 400, seed: int = 0) -> Dataset:
    """Ground elevation around the Jacksboro fault, Tennessee, at `count` random grid points: rolling ridges, no noise.

    Inputs are kilometres east and north of the south-west corner, targets metres above the sea.

    Args:
        count: how many of the 344 × 403 grid points to draw, without repetition.
        seed: of the draw.
    """
    from matplotlib.cbook import get_sample_data  # heavy, and only this data set needs it

    model: Any  # matplotlib's annotation says an array, but an .npz archive is what comes
    with get_sample_data("jacksboro_fault_dem.npz") as model:  # pyright: ignore[reportGeneralTypeIssues]  # likewise
        heights = np.asarray(model["elevation"], dtype=float)
        west, east = float(model["xmin"]), float(model["xmax"])
        south, north = sorted((float(model["ymin"]), float(model["ymax"])))
    rows, columns = heights.shape
    if not 1 <= count <= heights.size:
        raise ValueError(f"count must be between 1 and {heights.size}, got {count}.")
    kilometres = 111.32  # per degree of latitude
    width = (east - west) * kilometres * np.cos(np.radians((south + north) / 2))
    height = (north - south) * kilometres
    chosen = np.random.default_rng(seed).choice(heights.size, count, replace=False)
    row, column = np.divmod(chosen, columns)
    x = np.column_stack([column * width / (columns - 1), (rows - 1 - row) * height / (rows - 1)])
    return Dataset(
        np.round(x, 4),
        heights[row, column],
        ("east", "north"),
        "elevation",
        ("km", "km", "m"),
        "Digital elevation model jacksboro_fault_dem.npz, as distributed with matplotlib.",
    )


def diabetes() -> Dataset:
    """Disease progression of 442 diabetes patients after a year, from ten baseline variables in their own units."""
    from sklearn.datasets import load_diabetes  # heavy, and only this data set needs it

    data: Any = load_diabetes(scaled=False)
    names = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
    return Dataset(
        np.asarray(data.data, dtype=float),
        np.asarray(data.target, dtype=float),
        names,
        "progression",
        ("years", "", "kg/m²", "mmHg", "", "", "", "", "", "", ""),
        "Efron, Hastie, Johnstone and Tibshirani (2004), Least angle regression, Ann. Statist. 32, 407-499; here as "
        "distributed with scikit-learn.",
    )


DATASETS: dict[str, Callable[[], Dataset]] = {"motorcycle": motorcycle, "elevation": elevation, "diabetes": diabetes}
