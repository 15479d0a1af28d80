"""Samples of a blurred function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.stats import chi2

from ridgesplines.arrays import Array, finite_array, namespace
from ridgesplines.measurements.averages import Averages
from ridgesplines.measurements.gaussian import gaussian_average
from ridgesplines.measurements.protocol import checked_points

# The share of a Gaussian's mass outside the ball that stands for its support.
_OUTSIDE = 1e-18


@dataclass(frozen=True, eq=False)
class BlurredSamples(Averages):
    """The samples, at x_1, …, x_N, of f blurred by a Gaussian point spread function: E f(x_n + s_n Z), Z ~ N(0, I).

    For a neuron that is its profile convolved with a Gaussian on the line, of deviation s_n ‖w‖: Φ, φ and a recursion
    in the order, computed without cancellation in either tail; accurate to 1e-11 of itself (orders up to 5) for the
    rounded w·x − b, in all to `rounding`. `radii` are those of the balls that hold all but 1e-18 of the mass, some
    9 s_n in low dimension.

    Args:
        points: (N, d), or (N,) for points on the line; finite.
        width: the standard deviation s in each direction, (N,) or one number for all; positive.

    Raises:
        TypeError: if they are not numbers.
        ValueError: if they are empty, not finite, of shapes that do not fit, or a width is not positive.
    """

    ROUNDING: ClassVar[float] = 16.0
    VARIANCE: ClassVar[tuple[int, int]] = (1, 1)

    # Not `points`: who reads those takes the data for samples.
    locations: np.ndarray
    width: np.ndarray

    def __init__(self, points: Any, width: Any) -> None:
        points = checked_points("points", points)
        width = finite_array("width", width, dimensions=(0, 1))
        if width.ndim == 1 and width.shape != (len(points),):
            raise ValueError(f"width must be one number or one for each of the {len(points)} points, got {len(width)}.")
        if (width < 0).any():
            raise ValueError(f"width must be positive, got {width.min():.6g}.")
        if (width == 0).any():
            raise ValueError("width must be positive, got 0; without blur take Samples, and Stack for a mixture.")
        width = np.array(np.broadcast_to(width, len(points)))
        width.setflags(write=False)
        object.__setattr__(self, "locations", points)
        object.__setattr__(self, "width", width)

    @property
    def centres(self) -> np.ndarray:
        """The points."""
        return self.locations

    @property
    def half_axes(self) -> np.ndarray:
        """The standard deviations along the axes, (N, d, d), diagonal."""
        return self.width[:, None, None] * np.eye(self.dimension)

    @property
    def radii(self) -> np.ndarray:
        """Those of the balls that hold all but 1e-18 of the mass."""
        return self.width * float(np.sqrt(chi2.isf(_OUTSIDE, self.dimension)))

    @property
    def identities(self) -> np.ndarray:
        """Points and widths tell blurred samples apart."""
        return self._identities(blur=self.width[:, None])

    def _average(self, levels: Array, weights: Array, order: int) -> Array:
        xp = namespace(levels, weights)
        squares = xp.sum(weights**2, axis=1)
        # The derivative of the square root at 0 must not enter.
        norms = xp.where(squares > 0, xp.sqrt(xp.where(squares > 0, squares, 1.0)), 0.0)
        return gaussian_average(levels, self.width[:, None] * norms, order)

    def select(self, rows: Any) -> BlurredSamples:
        """The blurred samples of these rows."""
        chosen = self._indices(rows)
        return BlurredSamples(self.locations[chosen], self.width[chosen])

    def __repr__(self) -> str:
        return f"BlurredSamples({self.count} points in dimension {self.dimension})"
