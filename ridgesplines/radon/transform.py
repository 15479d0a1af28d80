"""The Radon transform in the plane, and its inverse by filtered back-projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.fft import irfft, rfft
from scipy.fft import next_fast_len

from ridgesplines.arrays import finite_array
from ridgesplines.checks import check_count, check_number
from ridgesplines.oracles.compilation import compiled
from ridgesplines.oracles.threads import in_threads
from ridgesplines.radon.grid import Function, GridFunction, Region, box, sampled, support
from ridgesplines.radon.slices import band_of, slices

# How much finer than the offsets the filtered profiles are before they are interpolated.
_FINER = 4


@dataclass(frozen=True, eq=False)
class ParallelBeam:
    """Lines {x : cos(θ) x1 + sin(θ) x2 = b} in the plane, for all angles and all offsets.

    Attributes:
        angles: θ in radians, (A,), increasing in [0, π).
        offsets: b, (B,), increasing in equal steps.

    Raises:
        ValueError: if angles or offsets are not as said, or there are fewer than two of them.
    """

    angles: np.ndarray
    offsets: np.ndarray

    def __init__(self, angles: Any, offsets: Any) -> None:
        angles = finite_array("angles", angles, dimensions=(1,))
        offsets = finite_array("offsets", offsets, dimensions=(1,))
        if len(angles) < 2 or (np.diff(angles) <= 0).any() or angles[0] < 0 or angles[-1] >= np.pi:
            raise ValueError("angles must be at least two, increasing from 0 or above to below π, in radians.")
        steps = np.diff(offsets)
        if len(offsets) < 2 or steps[0] <= 0 or np.abs(steps - steps.mean()).max() > 1e-6 * steps.mean():
            raise ValueError("offsets must be at least two, increasing in equal steps.")
        object.__setattr__(self, "angles", angles)
        object.__setattr__(self, "offsets", offsets)

    @classmethod
    def even(cls, angles: int, offsets: int, radius: float) -> ParallelBeam:
        """So many equal angles, and so many equal steps of the offset from −radius to radius.

        An image of n × n pixels wants some n π / 2 angles and n offsets.
        """
        check_count("angles", angles)
        check_count("offsets", offsets)
        check_number("radius", radius, "a positive number", lambda value: value > 0)
        return cls(np.pi * np.arange(angles) / angles, np.linspace(-radius, radius, offsets))

    @property
    def directions(self) -> np.ndarray:
        """The unit normals of the lines, (A, 2)."""
        return np.column_stack([np.cos(self.angles), np.sin(self.angles)])


@dataclass(frozen=True, eq=False)
class Sinogram:
    """Integrals over the lines of a geometry.

    Attributes:
        values: (A, B): a row for each angle.
        geometry: of the lines.

    Raises:
        ValueError: if the shapes differ or values are not finite.
    """

    values: np.ndarray
    geometry: ParallelBeam

    def __post_init__(self) -> None:
        values = finite_array("values", self.values, dimensions=(2,))
        shape = len(self.geometry.angles), len(self.geometry.offsets)
        if values.shape != shape:
            raise ValueError(
                f"values must have a row for each angle and a column for each offset, {shape}, got {values.shape}."
            )
        object.__setattr__(self, "values", values)


def radon_transform(
    function: Function | GridFunction, geometry: ParallelBeam, *, region: Region | None = None, resolution: int = 256
) -> Sinogram:
    """The integrals ∫_{w·x = b} f of a function in the plane, or of an image, over all lines of a geometry.

    Of a smooth function that vanishes at the faces of its region they are exact up to an error that falls faster than
    any power of the spacing; an image counts as the function of its band (frequencies up to π over the pixel) with
    these values, zero outside.

    Args:
        function: from points (M, 2) to values (M,), or an image.
        geometry: the lines.
        region: of the function, outside of which it counts as zero; by default looked for, as by `radon_tv`.
        resolution: steps along the longest side of the region, for functions.

    Raises:
        ValueError: if the function returns wrong shapes or NaN, is not one of the plane, or does not decay.
    """
    grid = as_grid(function, 2, region, resolution, 0)
    band = band_of(grid)
    rows = np.zeros((len(geometry.angles), band.modes), dtype=complex)

    def work(start: int, stop: int) -> None:
        for row, spectrum in enumerate(slices(grid, geometry.directions[start:stop], band), start):
            rows[row] = spectrum

    in_threads(work, len(rows))
    middle = geometry.directions @ (grid.lower + grid.upper) / 2
    return Sinogram(series(rows, band.frequencies, band.count * band.step, geometry.offsets, middle), geometry)


def as_grid(
    function: Function | GridFunction, dimension: int, region: Region | None, resolution: int, degree: int
) -> GridFunction:
    """The function on a grid, in its own region or in the one that is found.

    Raises:
        ValueError: if it is given on a grid and there is a region, too, or the grid is of another dimension.
    """
    if isinstance(function, GridFunction):
        if region is not None or function.dimension != dimension:
            raise ValueError(
                f"function must be one of {dimension} inputs, and a GridFunction has its own region; got one of "
                f"{function.dimension} inputs{'' if region is None else ' and a region'}."
            )
        return function
    if not callable(function):
        raise TypeError(
            f"function must map points (M, d) to values (M,), or be a GridFunction, got {type(function).__name__}."
        )
    check_count("resolution", resolution)
    corners = box("region", region, dimension) if region is not None else support(function, dimension, degree)
    return sampled(function, *corners, resolution)


def series(
    spectra: np.ndarray, frequencies: np.ndarray, period: float, offsets: np.ndarray, middle: np.ndarray
) -> np.ndarray:
    """Fourier series with spectra (A, modes) about offsets `middle` (A,), at the offsets (B,): (A, B).

    Zero beyond half a period from the middle, where the series would repeat itself.
    """
    shifted = spectra * np.exp(-1j * np.outer(middle, frequencies))
    shifted[:, 1:] *= 2.0
    values = np.real(shifted @ np.exp(1j * np.outer(frequencies, offsets))) / period
    return np.where(np.abs(offsets - middle[:, None]) <= period / 2, values, 0.0)


def filtered_back_projection(
    sinogram: Sinogram,
    *,
    region: Region | None = None,
    shape: tuple[int, int] | None = None,
    smoothing: float = 0.0,
) -> GridFunction:
    """The function in the plane that has given integrals over lines: f = (1/2π) ∫_0^π (Λ R f)(θ, w·x) dθ.

    Λ has the symbol |ω|; it is applied exactly to profiles of the band of the offsets, and the profiles are
    interpolated to the fourth order.

    Args:
        sinogram: zero at the outermost offsets.
        region: of the result, the half-width of a square or two corners; by default the square within the offsets.
        shape: nodes along x1 and x2 of the result; by default as many as there are offsets.
        smoothing: standard deviation of a Gaussian blur, in the units of the offsets; 0 for none. Noise wants some.

    Raises:
        ValueError: if region or shape make no grid, or the smoothing is negative.
    """
    offsets = sinogram.geometry.offsets
    check_number("smoothing", smoothing, "a number of at least 0", lambda value: value >= 0)
    if shape is None:
        shape = (len(offsets), len(offsets))
    if len(shape) != 2:
        raise ValueError(f"shape must have two entries, got {shape!r}.")
    for count in shape:
        check_count("shape", count)
    reach = float(np.abs(offsets).max()) / np.sqrt(2)
    grid = GridFunction(np.zeros(shape), *box("region", reach if region is None else region, 2))
    step = float(offsets[1] - offsets[0])
    profiles = _ramp_filtered(sinogram.values, step, smoothing)
    weights = _angular_weights(sinogram.geometry.angles)
    x, y = grid.axes()
    directions = sinogram.geometry.directions
    # Rows of the result are apart, so that threads do not meet.
    values = np.zeros(shape)
    in_threads(
        lambda start, stop: _back_project(
            x[start:stop], y, directions, weights, profiles, float(offsets[0]), step / _FINER, values[start:stop]
        ),
        len(x),
    )
    return GridFunction(values, grid.lower, grid.upper)


def _ramp_filtered(values: np.ndarray, step: float, smoothing: float) -> np.ndarray:
    """Λ of each row, interpolated in its band to steps `_FINER` times as fine, with zeros beyond the end."""
    count = values.shape[1]
    # Even, so that there is a frequency at the edge of the band. SciPy's annotation says None.
    half: Any = next_fast_len(count, real=True)
    size = 2 * int(half)
    # The ramp cut at the band's edge, by its samples: those of |ω| itself would be a periodic ramp with another mean.
    lags = np.minimum(np.arange(size), size - np.arange(size))
    kernel = np.zeros(size)
    kernel[lags % 2 == 1] = -2.0 / (np.pi * lags[lags % 2 == 1] ** 2)
    kernel[0] = np.pi / 2
    omega = 2 * np.pi / (size * step) * np.arange(size // 2 + 1)
    response = rfft(kernel).real / step * np.exp(-0.5 * (smoothing * omega) ** 2)
    spectrum = rfft(values, size, axis=1) * response
    # The frequency at the edge belongs to both sides once there are higher ones.
    spectrum[:, -1] /= 2
    return _FINER * irfft(spectrum, _FINER * size, axis=1)[:, : _FINER * (count - 1) + 1]


def _angular_weights(angles: np.ndarray) -> np.ndarray:
    """Half the gaps to both neighbours of each angle on the half circle, over 2π."""
    ends = np.concatenate([[angles[-1] - np.pi], angles, [angles[0] + np.pi]])
    return (ends[2:] - ends[:-2]) / (4 * np.pi)


@compiled
def _back_project(x, y, directions, weights, profiles, first, step, values):  # type: ignore[no-untyped-def]
    """Add Σ_a weight_a profile_a(w_a·x) to `values` at all points, by cubic interpolation; zero beyond the profiles."""
    count = profiles.shape[1]
    for a in range(len(weights)):
        row = profiles[a]
        for i in range(len(x)):
            base = directions[a, 0] * x[i] - first
            for j in range(len(y)):
                place = (base + directions[a, 1] * y[j]) / step
                k = int(np.floor(place))
                if k < 1 or k > count - 3:
                    continue
                t = place - k
                values[i, j] += weights[a] * (
                    -t * (t - 1.0) * (t - 2.0) / 6.0 * row[k - 1]
                    + (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0 * row[k]
                    - (t + 1.0) * t * (t - 2.0) / 2.0 * row[k + 1]
                    + (t + 1.0) * t * (t - 1.0) / 6.0 * row[k + 2]
                )
