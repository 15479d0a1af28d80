"""Integrals and averages along segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.arrays import Array, finite_array
from ridgesplines.checks import check_number
from ridgesplines.measurements.averages import Averages
from ridgesplines.measurements.protocol import checked_points, same_shape
from ridgesplines.measurements.regions import Region
from ridgesplines.measurements.uniform import uniform_average
from ridgesplines.norms import lengths

# Chords shorter than this share of the region's diameter are rays that miss it but for rounding.
_TOUCH = 1e-12


@dataclass(frozen=True, eq=False)
class LineIntegrals(Averages):
    """The integrals ∫ f over the segments from a_n to b_n, by length; or the averages of f over them.

    The integral of ρ_m(w·x − b) over a segment of length L in direction u is
    [ρ_(m+1)(w·b_n − b) − ρ_(m+1)(w·a_n − b)] / (w·u), computed without cancellation, w·u = 0 included: to some 10 ε of
    itself for the rounded w·x − b, in all to `rounding`.

    Args:
        starts: a, (N, d), or (N,) for intervals of the line; finite.
        ends: b, of that shape.
        normalized: averages in place of integrals; a segment of length 0 is then a sample.

    Raises:
        TypeError: if they are not numbers, or `normalized` is no truth value.
        ValueError: if they are empty, not finite, of different shapes, or a segment to integrate over has length 0.
    """

    ROUNDING: ClassVar[float] = 16.0
    VARIANCE: ClassVar[tuple[int, int]] = (1, 3)

    starts: np.ndarray
    ends: np.ndarray
    normalized: bool

    def __init__(self, starts: Any, ends: Any, *, normalized: bool = False) -> None:
        starts, ends = checked_points("starts", starts), checked_points("ends", ends)
        same_shape("starts", "ends", starts, ends)
        if not isinstance(normalized, bool):
            raise TypeError(f"normalized must be True or False, got {normalized!r}.")
        empty = np.flatnonzero((starts == ends).all(axis=1))
        if len(empty) and not normalized:
            raise ValueError(
                f"segments must have a length, but that at index {empty[0]} ends where it starts; drop it, or take "
                "averages (normalized=True)."
            )
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "ends", ends)
        object.__setattr__(self, "normalized", normalized)

    @classmethod
    def parallel_beam(cls, angles: Any, offsets: Any, region: Region, *, normalized: bool = False) -> LineIntegrals:
        """The rays x cos θ + y sin θ = s of a parallel beam in the plane, clipped to a region.

        Args:
            angles: θ in radians, (A,), those of the rays' normals.
            offsets: s, (S,), from the origin of the coordinates.
            region: `BoxRegion` or `DiscRegion`.
            normalized: averages in place of integrals.

        Returns:
            A·S rays, those of the first angle first.

        Raises:
            TypeError: if angles or offsets are not numbers.
            ValueError: if a ray misses the region.
        """
        angles, offsets = np.meshgrid(_numbers("angles", angles), _numbers("offsets", offsets), indexing="ij")
        angles, offsets = angles.ravel(), offsets.ravel()
        normals = np.column_stack([np.cos(angles), np.sin(angles)])
        names = [f"of angle {angle:.6g} and offset {offset:.6g}" for angle, offset in zip(angles, offsets, strict=True)]
        along = np.column_stack([-normals[:, 1], normals[:, 0]])
        return cls._clipped(offsets[:, None] * normals, along, region, names, normalized)

    @classmethod
    def fan_beam(
        cls,
        angles: Any,
        fan_angles: Any,
        distance: float,
        region: Region,
        *,
        centre: Any = (0.0, 0.0),
        normalized: bool = False,
    ) -> LineIntegrals:
        """The rays from sources on a circle about a centre of rotation in the plane, clipped to a region.

        Args:
            angles: β in radians, (A,): the source is at centre + distance (cos β, sin β).
            fan_angles: γ in radians, (G,), within ±π/2: how far a ray turns, counterclockwise, from the one through
                the centre.
            distance: from the sources to the centre; sources must lie outside the region.
            region: `BoxRegion` or `DiscRegion`.
            centre: of rotation, (2,).
            normalized: averages in place of integrals.

        Returns:
            A·G rays, those of the first source first.

        Raises:
            TypeError: if the arguments are not numbers.
            ValueError: if a ray misses the region, starts in it, or turns away from the centre.
        """
        check_number("distance", distance, "a positive number", lambda value: 0 < value < np.inf)
        middle = finite_array("centre", centre, dimensions=(1,))
        if middle.shape != (2,):
            raise ValueError(f"centre must be the two coordinates of a point in the plane, got shape {middle.shape}.")
        fan = _numbers("fan_angles", fan_angles)
        if (np.abs(fan) >= np.pi / 2).any():
            raise ValueError(f"fan_angles must be within ±π/2 (radians), got {fan[np.argmax(np.abs(fan))]:.6g}.")
        angles, fan = np.meshgrid(_numbers("angles", angles), fan, indexing="ij")
        angles, fan = angles.ravel(), fan.ravel()
        sources = middle + distance * np.column_stack([np.cos(angles), np.sin(angles)])
        along = -np.column_stack([np.cos(angles + fan), np.sin(angles + fan)])
        names = [f"of angle {angle:.6g} and fan angle {turn:.6g}" for angle, turn in zip(angles, fan, strict=True)]
        return cls._clipped(sources, along, region, names, normalized, forward=True)

    @classmethod
    def _clipped(
        cls,
        points: np.ndarray,
        along: np.ndarray,
        region: Region,
        names: list[str],
        normalized: bool,
        forward: bool = False,
    ) -> LineIntegrals:
        if not callable(getattr(region, "clip", None)):
            raise TypeError(f"region must be a BoxRegion or a DiscRegion, got {region!r}.")
        enter, leave = region.clip(points, along)
        missing = np.flatnonzero(~(leave - enter > _TOUCH * region.size) | (forward & (leave <= 0)))
        if len(missing):
            raise ValueError(
                f"rays must pass through the region, but {len(missing)} of {len(names)} miss it, the first "
                f"{names[missing[0]]}; leave them out."
            )
        if forward and (enter < 0).any():
            inside = names[int(np.argmin(enter))]
            raise ValueError(f"sources must lie outside the region, but that of the ray {inside} does not.")
        return cls(points + enter[:, None] * along, points + leave[:, None] * along, normalized=normalized)

    @property
    def centres(self) -> np.ndarray:
        """The midpoints."""
        return 0.5 * self.starts + 0.5 * self.ends

    @property
    def half_axes(self) -> np.ndarray:
        """Half of each segment, (N, 1, d)."""
        return (0.5 * self.ends - 0.5 * self.starts)[:, None]

    @property
    def radii(self) -> np.ndarray:
        """Half the lengths."""
        return lengths(self.half_axes[:, 0], 2)

    @property
    def masses(self) -> np.ndarray:
        """The lengths; one for averages."""
        return np.ones(self.count) if self.normalized else 2.0 * self.radii

    @property
    def identities(self) -> np.ndarray:
        """A segment is the same from either end; one along an axis, averaged over, is a flat box."""
        halves = self.half_axes[:, 0]
        first = np.take_along_axis(halves, np.argmax(halves != 0, axis=1)[:, None], axis=1)
        along = (np.count_nonzero(halves, axis=1) <= 1)[:, None]
        flat, slanted = np.where(along, np.abs(halves), 0.0), np.where(along, 0.0, np.copysign(1.0, first) * halves)
        return self._identities(box=flat, segment=slanted)

    def _average(self, levels: Array, weights: Array, order: int) -> Array:
        return uniform_average(levels, [self.half_axes[:, 0] @ weights.T], order)

    def select(self, rows: Any) -> LineIntegrals:
        """The integrals over these segments."""
        chosen = self._indices(rows)
        return LineIntegrals(self.starts[chosen], self.ends[chosen], normalized=self.normalized)

    def __repr__(self) -> str:
        kind = ", averages" if self.normalized else ""
        return f"LineIntegrals({self.count} segments in dimension {self.dimension}{kind})"


def _numbers(name: str, value: Any) -> np.ndarray:
    """One number or several, (n,)."""
    array = np.atleast_1d(finite_array(name, value, dimensions=(0, 1)))
    if not len(array):
        raise ValueError(f"{name} must hold at least one number, got none.")
    return array
