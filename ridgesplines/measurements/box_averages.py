"""Averages over boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.arrays import Array, finite_array
from ridgesplines.checks import check_count
from ridgesplines.measurements.averages import Averages
from ridgesplines.measurements.protocol import checked_points, for_each_point, same_shape
from ridgesplines.measurements.uniform import uniform_average
from ridgesplines.norms import lengths


@dataclass(frozen=True, eq=False)
class BoxAverages(Averages):
    """The averages of f over axis-parallel boxes of dimension 1, 2 or 3: moving averages, pixels, voxels.

    A side of thickness zero is fine: the average is then over a box of lower dimension, a sample if all are. For
    neurons these are repeated divided differences of ρ_(m+d) over the corners, computed without cancellation, thin
    boxes and small w_i included: to 60 ε of themselves for the rounded w·x − b, in all to `rounding`.

    `BoxAverages.grid` makes pixels, `BoxAverages.around` boxes about centres.

    Args:
        lower: corners, (N, d), or (N,) for intervals of the line; finite.
        upper: the opposite corners, of that shape; nowhere below `lower`.

    Raises:
        TypeError: if they are not numbers.
        ValueError: if they are empty, not finite, of different shapes, reversed, or of more than three dimensions.
    """

    ROUNDING: ClassVar[float] = 64.0
    VARIANCE: ClassVar[tuple[int, int]] = (1, 3)

    lower: np.ndarray
    upper: np.ndarray

    def __init__(self, lower: Any, upper: Any) -> None:
        lower, upper = checked_points("lower", lower), checked_points("upper", upper)
        same_shape("lower", "upper", lower, upper)
        if lower.shape[1] > 3:
            raise ValueError(f"boxes have 1, 2 or 3 dimensions, got {lower.shape[1]}.")
        reversed_ = np.argwhere(lower > upper)
        if len(reversed_):
            row, axis = (int(i) for i in reversed_[0])
            raise ValueError(
                f"lower must not be above upper, but {len(reversed_)} entries are, the first at index [{row}, {axis}]: "
                f"{lower[row, axis]:.6g} > {upper[row, axis]:.6g}; swap them."
            )
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)

    @classmethod
    def around(cls, centres: Any, widths: Any) -> BoxAverages:
        """The averages over boxes of given widths about centres; on the line, moving averages.

        Args:
            centres: (N, d), or (N,) on the line.
            widths: the full widths: (N, d), one row (d,) for all, or one number for all; not negative.
        """
        middle = checked_points("centres", centres)
        halves = 0.5 * for_each_point("widths", widths, middle)
        if (halves < 0).any():
            raise ValueError(f"widths must not be negative, got {2.0 * halves.min():.6g}.")
        return cls(middle - halves, middle + halves)

    @classmethod
    def grid(cls, lower: Any, upper: Any, counts: int | tuple[int, ...]) -> BoxAverages:
        """The pixels (voxels, intervals) that divide a box evenly, the last coordinate running fastest.

        Args:
            lower: of the whole box, (d,).
            upper: of the whole box, (d,), above `lower`.
            counts: how many along each axis, or one number for all.

        Raises:
            ValueError: if the box is empty, or a count is not positive.
        """
        low = np.atleast_1d(finite_array("lower", lower, dimensions=(0, 1)))
        high = np.atleast_1d(finite_array("upper", upper, dimensions=(0, 1)))
        same_shape("lower", "upper", low, high)
        if not (low < high).all():
            raise ValueError(f"lower must be below upper in each coordinate, got {low} and {high}.")
        each = tuple(counts) if isinstance(counts, tuple | list | np.ndarray) else (counts,) * len(low)
        for count in each:
            check_count("counts", count)
        if len(each) != len(low):
            raise ValueError(f"counts must be one number or one for each of the {len(low)} axes, got {each}.")
        edges = [np.linspace(a, b, count + 1) for a, b, count in zip(low, high, each, strict=True)]
        corners = [
            np.stack(np.meshgrid(*(edge[part] for edge in edges), indexing="ij"), axis=-1).reshape(-1, len(low))
            for part in (slice(None, -1), slice(1, None))
        ]
        return cls(*corners)

    @property
    def centres(self) -> np.ndarray:
        """The middles of the boxes."""
        return 0.5 * self.lower + 0.5 * self.upper

    @property
    def _halves(self) -> np.ndarray:
        return 0.5 * self.upper - 0.5 * self.lower

    @property
    def half_axes(self) -> np.ndarray:
        """Half the sides, (N, d, d), diagonal."""
        return self._halves[:, :, None] * np.eye(self.dimension)

    @property
    def radii(self) -> np.ndarray:
        """Half the diagonals."""
        return lengths(self._halves, 2)

    @property
    def identities(self) -> np.ndarray:
        """Centres and half sides tell boxes apart."""
        return self._identities(box=self._halves)

    def _average(self, levels: Array, weights: Array, order: int) -> Array:
        rises = [self._halves[:, i, None] * weights[:, i] for i in range(self.dimension)]
        return uniform_average(levels, rises, order)

    def select(self, rows: Any) -> BoxAverages:
        """The averages over these boxes."""
        chosen = self._indices(rows)
        return BoxAverages(self.lower[chosen], self.upper[chosen])

    def __repr__(self) -> str:
        return f"BoxAverages({self.count} boxes in dimension {self.dimension})"
