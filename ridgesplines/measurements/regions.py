"""Convex regions of the plane that rays are clipped to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ridgesplines.arrays import finite_array
from ridgesplines.checks import check_number


class Region(Protocol):
    """A bounded convex region of the plane."""

    @property
    def size(self) -> float:
        """Its diameter."""
        ...

    def clip(self, points: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the lines x + t u, (M, 2) each, u of length 1, are within: from t, (M,), to t, (M,).

        The second is not above the first where a line misses the region.
        """
        ...


@dataclass(frozen=True, eq=False)
class BoxRegion:
    """The axis-parallel rectangle from `lower` (2,) to `upper` (2,).

    Raises:
        TypeError: if they are not numbers.
        ValueError: if they are not finite, not two numbers each, or reversed.
    """

    lower: np.ndarray
    upper: np.ndarray

    def __init__(self, lower: Any, upper: Any) -> None:
        lower, upper = _in_plane("lower", lower), _in_plane("upper", upper)
        if not (lower < upper).all():
            raise ValueError(f"lower must be below upper in both coordinates, got {lower} and {upper}.")
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)

    @property
    def size(self) -> float:
        """The length of the diagonal."""
        return float(np.linalg.norm(self.upper - self.lower))

    def clip(self, points: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Region.clip`."""
        parallel = directions == 0
        speeds = np.where(parallel, 1.0, directions)
        ends = np.stack([(self.lower - points) / speeds, (self.upper - points) / speeds])
        between = (points >= self.lower) & (points <= self.upper)
        # A line along a side is within that coordinate's range always, or never.
        enter = np.where(parallel, np.where(between, -np.inf, np.inf), ends.min(axis=0))
        leave = np.where(parallel, np.where(between, np.inf, -np.inf), ends.max(axis=0))
        return enter.max(axis=1), leave.min(axis=1)


@dataclass(frozen=True, eq=False)
class DiscRegion:
    """The disc about `centre` (2,) of a `radius`.

    Raises:
        TypeError: if they are not numbers.
        ValueError: if they are not finite, the centre is not two numbers, or the radius is not positive.
    """

    centre: np.ndarray
    radius: float

    def __init__(self, centre: Any, radius: float) -> None:
        check_number("radius", radius, "a positive number", lambda value: 0 < value < np.inf)
        object.__setattr__(self, "centre", _in_plane("centre", centre))
        object.__setattr__(self, "radius", float(radius))

    @property
    def size(self) -> float:
        """The diameter."""
        return 2.0 * self.radius

    def clip(self, points: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Region.clip`."""
        outward = points - self.centre
        middle = -np.sum(outward * directions, axis=1)
        distance = np.abs(outward[:, 0] * directions[:, 1] - outward[:, 1] * directions[:, 0])
        # The square of half a chord, as a product: it does not cancel for a line that just touches.
        half = np.sqrt(np.maximum((self.radius - distance) * (self.radius + distance), 0.0))
        return middle - half, middle + half


def _in_plane(name: str, value: Any) -> np.ndarray:
    array = finite_array(name, value, dimensions=(1,))
    if array.shape != (2,):
        raise ValueError(f"{name} must be the two coordinates of a point in the plane, got shape {array.shape}.")
    array.setflags(write=False)
    return array
