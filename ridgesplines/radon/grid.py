"""Functions as the Radon domain takes them: given by a rule or by values on a grid, and where they live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.arrays import finite_array
from ridgesplines.checks import is_number
from ridgesplines.polynomials import PolynomialFit

# From points (M, d) to values (M,).
Function = Callable[[np.ndarray], np.ndarray]
# The lower and upper corner of a box, or the half-width of a cube around the origin.
Region = float | tuple[Any, Any]

# Values below this fraction of the largest one count as zero when a region is looked for.
_NEGLIGIBLE = 1e-9
# A function on a region of one's own may leave this fraction at its faces: a jump that small is invisible at any
# resolution that is served.
_VANISHING = 1e-6
# Half-widths that are tried for a function without a region.
_HALF_WIDTHS = 2.0 ** np.arange(-6, 11)
# Nodes along each axis when a region is looked for, by dimension.
_PROBES = {1: 1025, 2: 65, 3: 33}
# What is left of a polynomial by rounding, as a fraction of its largest value, when it is taken off.
_ROUNDING = 1e-11
_BLOCK = 2**18


@dataclass(frozen=True, eq=False)
class GridFunction:
    """A function by its values at the nodes of a regular grid that includes the faces of its box.

    Attributes:
        values: one axis for each input, (n_1, …, n_d): `values[i, j]` belongs to the i-th node along x1 and the j-th
            along x2.
        lower: the node with the least coordinates, (d,); numbers serve for all axes.
        upper: the node with the largest coordinates, (d,).

    Raises:
        ValueError: if shapes do not fit together, values are not finite, or an axis has fewer than two nodes.
    """

    values: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def __init__(self, values: Any, lower: Any, upper: Any) -> None:
        values = finite_array("values", values, dimensions=(1, 2, 3))
        if min(values.shape) < 2:
            raise ValueError(f"values must have at least two nodes along each axis, got shape {values.shape}.")
        low, high = box("lower and upper", (lower, upper), values.ndim)
        for name, value in (("values", values), ("lower", low), ("upper", high)):
            object.__setattr__(self, name, value)

    @property
    def dimension(self) -> int:
        """d, the number of inputs."""
        return self.values.ndim

    @property
    def spacing(self) -> np.ndarray:
        """The distance of neighbouring nodes along each axis, (d,)."""
        return (self.upper - self.lower) / (np.array(self.values.shape) - 1)

    def axes(self) -> list[np.ndarray]:
        """The coordinates of the nodes along each axis."""
        return [np.linspace(*ends) for ends in zip(self.lower, self.upper, self.values.shape, strict=True)]

    def points(self) -> np.ndarray:
        """All nodes, (M, d), in the order of `values.ravel()`."""
        return np.stack(np.meshgrid(*self.axes(), indexing="ij"), axis=-1).reshape(-1, self.dimension)

    def every(self, stride: int) -> GridFunction:
        """The same function at every `stride`-th node; a last part of the box that they do not reach is left out."""
        values = self.values[(slice(None, None, stride),) * self.dimension]
        return GridFunction(values, self.lower, self.lower + stride * self.spacing * (np.array(values.shape) - 1))

    def less(self, degree: int) -> GridFunction:
        """This function less the polynomial of at most this degree that its values at the faces are closest to."""
        points, faces = self.points(), self._faces()
        polynomial = PolynomialFit.at(points[faces], degree)(self.values.ravel()[faces])
        return GridFunction(self.values - polynomial(points).reshape(self.values.shape), self.lower, self.upper)

    def at_faces(self) -> float:
        """The largest absolute value at the faces of the box."""
        return float(np.abs(self.values.ravel()[self._faces()]).max())

    def _faces(self) -> np.ndarray:
        inner = np.zeros(self.values.shape, dtype=bool)
        inner[(slice(1, -1),) * self.dimension] = True
        return np.flatnonzero(~inner)


def box(name: str, region: Any, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper corner, (d,) each, of a region.

    Raises:
        ValueError: if it is neither a positive number nor two corners, the first below the second.
    """
    pair = (-region, region) if is_number(region) else region
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ValueError(f"{name} must be a half-width or two corners (lower, upper), got {region!r}.")
    corners = []
    for corner in pair:
        entries = finite_array(name, corner, dimensions=(0, 1))
        if entries.ndim and len(entries) != dimension:
            raise ValueError(f"{name} must have a coordinate for each of the {dimension} inputs, got {region!r}.")
        corners.append(np.broadcast_to(entries, dimension).copy())
    if not (corners[0] < corners[1]).all():
        raise ValueError(f"{name} must have the lower corner below the upper one along each axis, got {region!r}.")
    return corners[0], corners[1]


def sampled(function: Function, lower: np.ndarray, upper: np.ndarray, resolution: int) -> GridFunction:
    """The function on a grid with `resolution` steps along the longest side, and as long ones along the others.

    Raises:
        ValueError: if it does not give one finite value for each point.
        TypeError: if it gives no numbers.
    """
    sides = upper - lower
    counts = np.maximum(np.ceil(resolution * sides / sides.max() - 1e-9).astype(int), 4) + 1
    grid = GridFunction(np.zeros(counts), lower, upper)
    points = grid.points()
    parts = [_evaluated(function, points[i : i + _BLOCK]) for i in range(0, len(points), _BLOCK)]
    return GridFunction(np.concatenate(parts).reshape(counts), lower, upper)


def _evaluated(function: Function, points: np.ndarray) -> np.ndarray:
    values = np.asarray(function(points))
    if values.shape != (len(points),):
        raise ValueError(
            f"function must map points (M, d) to values (M,), but gave shape {values.shape} for {points.shape}."
        )
    try:
        values = values.astype(float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"function must return real numbers, got {values.dtype.name} entries.") from error
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise ValueError(
            f"function must be finite, but is {values[bad[0]]} at x = {points[bad[0]].tolist()}; define it there, or "
            "choose a region without such points."
        )
    return values


def support(function: Function, dimension: int, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """The box in which a function differs from a polynomial of at most this degree, looked for on nested cubes.

    Half-widths from 1/64 to 1024 are tried around the origin; a feature that falls between their nodes is not seen.

    Raises:
        ValueError: if there is no such cube: the function does not decay.
    """
    probes = [sampled(function, *box("region", float(w), dimension), _PROBES[dimension] - 1) for w in _HALF_WIDTHS]
    # The largest has nothing outside that could show whether the function goes on.
    for i, probe in enumerate(probes[:-1]):
        points, faces = probe.points(), probe._faces()
        polynomial = PolynomialFit.at(points[faces], degree)(probe.values.ravel()[faces])
        inside = probe.less(degree)
        size = float(np.abs(inside.values).max())
        if size <= _ROUNDING * float(np.abs(probe.values).max()) or inside.at_faces() > _NEGLIGIBLE * size:
            continue
        if all(_is_outside(larger, polynomial, probe, size) for larger in probes[i + 1 :]):
            return _trimmed(inside, _NEGLIGIBLE * size)
    last = probes[-1]
    if float(np.abs(last.less(degree).values).max()) <= _ROUNDING * max(float(np.abs(last.values).max()), 1e-300):
        return last.lower, last.upper
    raise ValueError(
        "function must decay to a polynomial of degree below the order (to zero, for instance) within 1024 of the "
        "origin, and does not: give the region outside of which it vanishes."
        if dimension > 1
        else "function must decay within 1024 of the origin if there is no region: give the interval that counts."
    )


def _is_outside(larger: GridFunction, polynomial: Any, probe: GridFunction, size: float) -> bool:
    """Whether a larger probe sees nothing but the polynomial outside of the smaller one, up to rounding."""
    points = larger.points()
    outside = (np.abs(points) > probe.upper).any(axis=1)
    values = larger.values.ravel()[outside]
    # The polynomial was fitted within: its coefficients' rounding grows outside.
    rounding = 1e-12 * float(np.abs(values).max(initial=0.0)) * (larger.upper[0] / probe.upper[0]) ** polynomial.degree
    return bool((np.abs(values - polynomial(points[outside])) <= _NEGLIGIBLE * size + rounding).all())


def _trimmed(grid: GridFunction, least: float) -> tuple[np.ndarray, np.ndarray]:
    where = np.argwhere(np.abs(grid.values) > least)
    # One node more: between this and the next the function may begin.
    low = grid.lower + grid.spacing * np.maximum(where.min(axis=0) - 1, 0)
    high = grid.lower + grid.spacing * np.minimum(where.max(axis=0) + 1, np.array(grid.values.shape) - 1)
    return low, high


def decaying(grid: GridFunction, degree: int) -> GridFunction:
    """The function less a polynomial of at most this degree, zero at the faces of its box.

    Raises:
        ValueError: if there is no such polynomial.
    """
    size = float(np.abs(grid.values).max())
    if grid.at_faces() <= _NEGLIGIBLE * size:
        return grid
    less = grid.less(degree)
    rounding = _ROUNDING * size
    size = float(np.abs(less.values).max())
    if size <= rounding:
        return GridFunction(np.zeros_like(grid.values), grid.lower, grid.upper)
    if less.at_faces() > max(_VANISHING * size, rounding):
        raise ValueError(
            f"function must vanish at the faces of its region, up to a polynomial of degree {degree}, but leaves "
            f"{less.at_faces():.2g} there (its largest value is {size:.2g}): enlarge the region, or let the function "
            "decay; a cut there would count as a jump."
        )
    return less
