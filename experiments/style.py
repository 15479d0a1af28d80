"""One look for all figures of the experiments: sizes for one and two columns, colours that all can tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

# Okabe and Ito's palette: distinct with every kind of colour vision, and in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
ONE_COLUMN, TWO_COLUMNS = 3.5, 7.2  # inches

_PARAMETERS: dict[Any, Any] = {
    "figure.constrained_layout.use": True,
    "figure.dpi": 150,
    "savefig.dpi": 200,
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,  # letters stay letters
}


@contextmanager
def figure_style() -> Iterator[None]:
    """The look of the figures made inside."""
    with matplotlib.rc_context(_PARAMETERS):
        yield


def new_figure(columns: int = 2, height: float = 2.6) -> Figure:
    """An empty figure, `columns` (1 or 2) wide and `height` inches high; belongs to no window."""
    return Figure(figsize=(ONE_COLUMN if columns == 1 else TWO_COLUMNS, height))


def label_decades(figure: Figure) -> None:
    """Numbers at powers of ten only on all logarithmic axes: between them they overlap in small figures."""
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if axis.get_scale() == "log":
                axis.set_minor_formatter(NullFormatter())
