"""Draw the functions that `run` saved, beside the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from experiments.inverse_problems.cases import CASES
from experiments.inverse_problems.methods import DISCREPANCY, TRAINED
from experiments.inverse_problems.run import KIND
from ridgesplines.archive import read_archive, write_beside
from ridgesplines.plotting_parts import BLUE, GREEN, GREY, ORANGE, RED

# The picture that sums up: cases in the plane with the methods beside the truth, then cases on the line.
_PLANE = ("tomography_folds", "tomography_pyramid")
_SHOWN = ("filtered back-projection", "total variation", "second-order total variation", TRAINED, DISCREPANCY)
_LINE = {
    "deblurring_line": ("Wiener filter", DISCREPANCY),
    "averages_line": ("histospline", DISCREPANCY),
    "derivatives_line_4": ("samples alone", DISCREPANCY),
}
_COLOURS = (BLUE, ORANGE, GREEN, RED, GREY, "#CC79A7")


class _Saved:
    """What `run` saved of one case."""

    def __init__(self, folder: Path, key: str) -> None:
        arrays, self.metadata = read_archive(folder / f"{key}.npz", (KIND,))
        self.places, self.inside, self.truth = arrays["places"], arrays["inside"], arrays["truth"]
        self.methods = {name: arrays[f"method.{name}"] for name in self.metadata["methods"]}
        self.errors: dict[str, float] = self.metadata["errors"]
        self.heading = f"{self.metadata['topic']}: {self.metadata['title']}"

    def image(self, ax: Axes, values: np.ndarray) -> None:
        """Values in the plane, in the colours of the truth."""
        counts = [len(np.unique(self.places[:, i])) for i in range(2)]
        picture = np.where(self.inside, values, np.nan).reshape(counts).T
        low, high = float(self.truth[self.inside].min()), float(self.truth[self.inside].max())
        (left, bottom), (right, top) = self.places.min(axis=0), self.places.max(axis=0)
        ax.imshow(picture, origin="lower", extent=(left, right, bottom, top), cmap="viridis", vmin=low, vmax=high)
        ax.set(xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set_visible(False)

    def images(self, row: Sequence[Axes], methods: Iterable[str], titled: bool = True) -> None:
        """The truth and some methods, each with its error."""
        self.image(row[0], self.truth)
        row[0].set_title(self.heading if titled else "truth", fontsize="small")
        row[0].set_xlabel(self.metadata["title"], fontsize="small")
        for ax, name in zip(row[1:], methods, strict=False):
            if name not in self.methods:
                ax.set_axis_off()
                continue
            self.image(ax, self.methods[name])
            ax.set_title(name, fontsize="small")
            ax.set_xlabel(f"error {self.errors[name]:.3g} {self.metadata['unit']}".rstrip(), fontsize="small")

    def curves(self, ax: Axes, methods: Iterable[str]) -> None:
        """The truth and some methods on the line."""
        x = self.places[:, 0]
        ax.plot(x, self.truth, color="#bbbbbb", linewidth=4, label="truth")
        # The first of them on top.
        for order, (name, colour) in enumerate(zip(methods, _COLOURS, strict=False)):
            ax.plot(
                x,
                self.methods[name],
                color=colour,
                linewidth=1.1,
                zorder=4 - 0.1 * order,
                label=f"{name}: {self.errors[name]:.3g}",
            )
        span = float(np.ptp(self.truth))
        ax.set_ylim(float(self.truth.min()) - 0.25 * span, float(self.truth.max()) + 0.25 * span)
        ax.set_title(self.heading, fontsize="small")
        ax.legend(frameon=False, fontsize="x-small")


def draw(folder: Path, pictures: Path, cases: Iterable[str] = tuple(CASES)) -> None:
    """A picture of each topic, and `inverse_problems.png` where its cases are there."""
    matplotlib.use("Agg")
    pictures.mkdir(parents=True, exist_ok=True)
    saved = {key: _Saved(folder, key) for key in cases if (folder / f"{key}.npz").is_file()}
    if not saved:
        print(f"nothing to draw: {folder} holds no results")
        return
    for topic in dict.fromkeys(one.metadata["topic"] for one in saved.values()):
        chosen = [one for one in saved.values() if one.metadata["topic"] == topic]
        columns = 1 + max(len(one.methods) for one in chosen)
        figure = plt.figure(figsize=(2.4 * columns, 2.7 * len(chosen)), layout="constrained")
        rows: Any = figure.subfigures(len(chosen), 1, squeeze=False)[:, 0]
        for part, one in zip(rows, chosen, strict=True):
            if one.places.shape[1] == 1:
                one.curves(part.subplots(), list(one.methods)[: len(_COLOURS)])
            else:
                one.images(part.subplots(1, columns, squeeze=False)[0][: 1 + len(one.methods)], one.methods)
                for ax in part.axes[1 + len(one.methods) :]:
                    ax.set_axis_off()
        _save(figure, pictures / f"{topic}.png")
    if all(key in saved for key in (*_PLANE, *_LINE)):
        _draw_summary(saved, pictures / "inverse_problems.png")
    print(f"pictures in {pictures}")


def _draw_summary(saved: dict[str, _Saved], file: Path) -> None:
    figure = plt.figure(figsize=(12.5, 7.2), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[1.75, 1])
    upper, lower = parts
    for row, key in zip(upper.subplots(len(_PLANE), 1 + len(_SHOWN), squeeze=False), _PLANE, strict=True):
        saved[key].images(row, _SHOWN, titled=False)
    for ax, (key, methods) in zip(lower.subplots(1, len(_LINE), squeeze=False)[0], _LINE.items(), strict=True):
        saved[key].curves(ax, methods)
    _save(figure, file)


def _save(figure: Figure, file: Path) -> None:
    def write(path: str) -> None:
        figure.savefig(path, dpi=80)
        with Image.open(path) as picture:
            # A palette is less than half of the bytes.
            small = picture.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE)
        small.save(path, optimize=True)

    write_beside(file, write)
    plt.close(figure)
