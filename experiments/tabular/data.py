"""The tables: one that scikit-learn ships, others from a folder of data that may lie beside the repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.experiment import DATA_BESIDE, Unavailable

BESIDE = DATA_BESIDE


@dataclass(frozen=True)
class Table:
    """What to predict from what.

    Attributes:
        key: names it in results.
        title: names it in tables and figures.
        target: what is predicted, with its unit.
        load: gives x (N, d) and y (N,).
    """

    key: str
    title: str
    target: str
    load: Callable[[], tuple[np.ndarray, np.ndarray]]


def _diabetes() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return np.asarray(x), np.asarray(y)


def _last(path: str) -> tuple[np.ndarray, np.ndarray]:
    """The last column of a CSV file from all others."""
    rows = _rows(path)
    return rows[:, :-1], rows[:, -1]


def _rows(path: str) -> np.ndarray:
    return np.loadtxt(_found(path), delimiter=",", skiprows=1)


def _ethanol() -> tuple[np.ndarray, np.ndarray]:
    rows = _rows("regression_1d/ethanol.csv")
    return rows[:, 1:], rows[:, 0]


def _quakes() -> tuple[np.ndarray, np.ndarray]:
    rows = _rows("surfaces_2d/quakes.csv")
    return rows[:, :2], rows[:, 2]


def _zinc() -> tuple[np.ndarray, np.ndarray]:
    x, y = _last("surfaces_2d/meuse_zinc.csv")
    return x, np.log(y)


def _arrays(path: str) -> tuple[np.ndarray, np.ndarray]:
    with np.load(_found(path)) as arrays:
        return arrays["X"], arrays["y"]


def _found(path: str) -> Path:
    if not (BESIDE / path).is_file():
        raise Unavailable(f"{path} is not in a folder shared/data beside the repository.")
    return BESIDE / path


TABLES = (
    Table("hill", "a hillside", "height (feet)", lambda: _last("surfaces_2d/topo_52.csv")),
    Table("ethanol", "an ethanol engine", "NOx (µg/J)", _ethanol),
    Table("zinc", "zinc in the Meuse's flood plain", "log of zinc (mg/kg)", _zinc),
    Table("mpg", "cars", "miles per gallon", lambda: _last("tabular/auto_mpg.csv")),
    Table("diabetes", "diabetes", "disease progression", _diabetes),
    Table("quakes", "earthquakes near Fiji", "depth (km)", _quakes),
    Table("energy", "heating of buildings", "load (kWh/m²)", lambda: _arrays("fetch_only/uci_energy_10splits.npz")),
    Table("concrete", "concrete", "compressive strength (MPa)", lambda: _last("tabular/concrete_raw.csv")),
    Table("wine", "red wine", "grade", lambda: _arrays("fetch_only/uci_wine_10splits.npz")),
)
