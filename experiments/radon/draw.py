"""Draw the measures of the saved fits, that of the smooth target over its density."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

import ridgesplines as rs
from experiments.radon.run import HALF_WIDTH, data_of, target
from ridgesplines.plotting_radon import plot_radon_measure


def draw(folder: Path, pictures: Path) -> None:
    """`radon.png` from the solutions in `folder`."""
    matplotlib.use("Agg")
    pictures.mkdir(parents=True, exist_ok=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 4.6), width_ratios=[1.15, 1], layout="constrained")
    fit, elevation = (rs.Solution.load(folder / f"{name}.npz") for name in ("target", "elevation"))
    plot_radon_measure(fit, target=target, reach=HALF_WIDTH * 2**0.5, ax=left)
    left.set_title("smooth target, 400 samples", loc="left", fontsize="medium")
    plot_radon_measure(elevation, centre=data_of("elevation")[0].mean(axis=0), ax=right)
    right.set_title("elevation", loc="left", fontsize="medium")
    right.set_ylabel("offset of the line from the centre (km)")
    figure.savefig(pictures / "radon.png", dpi=90)
    plt.close(figure)
    print(f"pictures in {pictures}")
