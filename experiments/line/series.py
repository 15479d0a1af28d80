"""The data: motorcycle, two of known truth, and long series where they can be found."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import ridgesplines as rs
from experiments.experiment import DATA_BESIDE, Unavailable

BESIDE = DATA_BESIDE / "regression_1d"
# What part of real data is held out to judge fits by.
HELD_OUT = 0.2


@dataclass(frozen=True, eq=False)
class Series:
    """Data to fit, and what to judge fits by.

    Attributes:
        x, y: (N,), x ascending.
        test_x, test_y: (M,): the truth on a grid, or real data held out.
        judged_by: "truth" or "held-out data".
        labels: of the axes.
    """

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    judged_by: str
    labels: tuple[str, str]


def _held_out(x: np.ndarray, y: np.ndarray, labels: tuple[str, str]) -> Series:
    order = np.argsort(x, kind="stable")
    x, y = np.asarray(x, dtype=float)[order], np.asarray(y, dtype=float)[order]
    test = np.random.default_rng(0).random(len(x)) < HELD_OUT
    # Nobody is asked to extrapolate.
    test[[0, -1]] = False
    return Series(x[~test], y[~test], x[test], y[test], "held-out data", labels)


def _known(truth: Callable[[np.ndarray], np.ndarray], count: int, noise: float) -> Series:
    rng = np.random.default_rng(1)
    x = np.sort(rng.uniform(0, 1, count))
    grid = np.linspace(x[0], x[-1], 2000)
    return Series(x, truth(x) + noise * rng.standard_normal(count), grid, truth(grid), "truth", ("x", "y"))


def bent(x: np.ndarray) -> np.ndarray:
    """Straight pieces of very different lengths."""
    return np.interp(x, [0, 0.1, 0.13, 0.16, 0.5, 0.6, 1.0], [0.0, 0.2, 1.0, 0.2, 0.6, -0.4, 0.3])


def smooth(x: np.ndarray) -> np.ndarray:
    """A wave that gets faster."""
    return np.sin(2 * np.pi * 3 * x**2)


def motorcycle() -> Series:
    """Head acceleration after an impact."""
    data = rs.datasets.motorcycle()
    return _held_out(data.x[:, 0], data.y, ("time (ms)", "acceleration (g)"))


def known_bent() -> Series:
    """`bent` with noise."""
    return _known(bent, 400, 0.1)


def known_smooth() -> Series:
    """`smooth` with noise."""
    return _known(smooth, 400, 0.3)


def co2() -> Series:
    """Carbon dioxide above Mauna Loa, weekly, 1958 to 2001: a trend and a season."""
    columns = _bundled("co2")
    if columns is not None:
        date, value = columns
        days = (date - date[0]) / np.timedelta64(1, "D")
        kept = np.isfinite(value)
        return _held_out(1958.24 + days[kept] / 365.25, value[kept], ("year", "CO₂ (ppm)"))
    return _held_out(*_beside("mauna_loa_co2_weekly.csv"), ("year", "CO₂ (ppm)"))


def sunspots() -> Series:
    """Sunspots per year since 1700."""
    columns = _bundled("sunspots")
    return _held_out(*(_beside("sunspots.csv") if columns is None else columns), ("year", "sunspots"))


def _bundled(name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Two columns of one of statsmodels' data sets, if it is installed."""
    try:
        module = importlib.import_module(f"statsmodels.datasets.{name}")
    except ImportError:
        return None
    frame = module.load_pandas().data
    first = frame.index.to_numpy() if frame.shape[1] == 1 else frame.iloc[:, 0].to_numpy(float)
    return first, frame.iloc[:, -1].to_numpy(float)


def _beside(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Two columns of a file beside the repository."""
    if not (BESIDE / name).is_file():
        raise Unavailable(f"{name}: neither statsmodels nor a file of data beside the repository has it")
    first, second = np.loadtxt(BESIDE / name, delimiter=",", skiprows=1, unpack=True)
    return first, second


SERIES: dict[str, Callable[[], Series]] = {
    "motorcycle": motorcycle,
    "bent": known_bent,
    "smooth": known_smooth,
    "sunspots": sunspots,
    "co2": co2,
}
