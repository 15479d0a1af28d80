"""Integrals over hyperplanes of functions on a grid, as Fourier series in the offset: the slice theorem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.fft import irfft, rfft
from numpy.polynomial import polynomial
from scipy.fft import next_fast_len

from ridgesplines.oracles.compilation import compiled
from ridgesplines.radon.grid import GridFunction

# A B-spline of degree 7 spreads the values, on steps this many times as fine as those of the grid: what is aliased is
# below 32^−8 = 1e-12.
_TAPS = 8
_FINER = 16
# The period of what is filtered over that of the transform. The ramp filter of even dimensions leaves tails, which
# fall as |b|^−(m+2), and the period has to hold nearly all of them.
_LONGER = {1: 2, 2: 8, 3: 2}


@dataclass(frozen=True)
class Band:
    """Steps in the offset that hold all that a grid of spacing h can tell: frequencies up to π/h.

    Attributes:
        count: how many steps of `step` there are in a period.
        step: half the spacing of the grid.
    """

    count: int
    step: float

    @classmethod
    def of(cls, spacing: float, radius: float) -> Band:
        """For a grid of this spacing, within a ball of this radius."""
        step = spacing / 2
        # SciPy's annotation says None.
        half: Any = next_fast_len(int(np.ceil(radius / step)) + _TAPS, real=True)
        return cls(2 * int(half), step)

    @property
    def modes(self) -> int:
        """How many frequencies there are, zero included."""
        return self.count // 4 + 1

    @property
    def frequencies(self) -> np.ndarray:
        """Of the modes."""
        return 2 * np.pi / (self.count * self.step) * np.arange(self.modes)

    def transform(self, deposited: np.ndarray) -> np.ndarray:
        """∫ e^(−iωt) dμ(t) at the frequencies, along the last axis, of spread masses whose middle is t = 0."""
        fine = self.step * 2 / _FINER
        spectrum = rfft(deposited, axis=-1)[..., : self.modes] / np.sinc(self.frequencies * fine / (2 * np.pi)) ** _TAPS
        return spectrum * (-1.0) ** np.arange(self.modes)

    def values(self, spectrum: np.ndarray) -> np.ndarray:
        """The density of that spectrum at (i − count/2) · step, along the last axis."""
        signed = spectrum * (-1.0) ** np.arange(self.modes)
        return irfft(signed, self.count, axis=-1) / self.step


def slices(grid: GridFunction, directions: np.ndarray, band: Band | None = None) -> Iterator[np.ndarray]:
    """For each unit vector w of (K, d) the spectrum of b ↦ ∫_{w·(x−x0) = b} f, x0 the middle of the box.

    In space each azimuth is projected to a plane first; so directions come with equal azimuths one after another.

    Args:
        grid: f, zero at the faces of its box.
        directions: unit vectors.
        band: by default `band_of(grid)`.
    """
    band = band_of(grid) if band is None else band
    middle = (grid.lower + grid.upper) / 2
    axes = [axis - centre for axis, centre in zip(grid.axes(), middle, strict=True)]
    spacing = grid.spacing
    if grid.dimension == 3:
        yield from _through_planes(axes, grid.values, spacing, directions, band)
        return
    if grid.dimension == 1:
        axes, directions = [*axes, np.zeros(1)], np.column_stack([directions, np.zeros(len(directions))])
    values = grid.values.reshape(len(axes[0]), len(axes[1]))
    for direction in directions:
        yield _project(axes[0], axes[1], values, direction, band, float(spacing.prod()))


def _through_planes(
    axes: list[np.ndarray], values: np.ndarray, spacing: np.ndarray, directions: np.ndarray, band: Band
) -> Iterator[np.ndarray]:
    radial = (np.arange(band.count) - band.count // 2) * band.step
    kept = np.abs(radial) <= np.hypot(axes[0][-1], axes[1][-1]) + 2 * band.step
    azimuth, plane = np.zeros(2), np.zeros((0, 0))
    for w in directions:
        length = float(np.hypot(w[0], w[1]))
        wanted = w[:2] / length if length else np.array([1.0, 0.0])
        if not plane.size or np.abs(wanted - azimuth).max() > 1e-13:
            azimuth = wanted
            spectra = _project(axes[0], axes[1], values, wanted, band, spacing[0] * spacing[1])
            plane = np.ascontiguousarray(band.values(spectra).T[kept])
        tilted = np.array([length, w[2]])
        yield _project(radial[kept], axes[2], plane, tilted, band, band.step * spacing[2])


def band_of(grid: GridFunction) -> Band:
    """Of the transform of a function on a grid."""
    return Band.of(float(grid.spacing.max()), float(np.linalg.norm(grid.upper - grid.lower)) / 2)


def _project(
    x: np.ndarray, y: np.ndarray, values: np.ndarray, direction: np.ndarray, band: Band, volume: float
) -> np.ndarray:
    """The spectra (modes,) or (T, modes) of the projections of values (n, m) or (n, m, T) at the nodes x and y."""
    sums = np.zeros((band.count * _FINER // 2, *values.shape[2:]))
    spread = _spread if values.ndim == 2 else _spread_rows
    spread(x, y, np.ascontiguousarray(values), direction, band.step * 2 / _FINER, _PIECES, sums)
    return volume * band.transform(np.ascontiguousarray(sums.T))


def _pieces() -> np.ndarray:
    """The B-splines of degree 7 on integer knots that are not zero in [0, 1): [k, r] is that of t^(7−k) in the r-th."""
    pieces = [np.array([1.0])]
    for degree in range(1, _TAPS):
        # De Boor's and Cox's recursion, in coefficients from the constant on.
        made = [np.zeros(degree + 1) for _ in range(degree + 1)]
        for r, piece in enumerate(pieces):
            made[r] += polynomial.polymul(piece, [r + 1.0, -1.0]) / degree
            made[r + 1] += polynomial.polymul(piece, [degree - r - 1.0, 1.0]) / degree
        pieces = made
    return np.array(pieces).T[::-1].copy()


_PIECES = _pieces()


@compiled
def _weigh(place, pieces, weights):  # type: ignore[no-untyped-def]
    """The node before a place, and the `weights` (8,) of the B-spline at the nodes from the third before that on."""
    first = int(np.floor(place))
    after = place - first
    weights[:] = pieces[0]
    for k in range(1, 8):
        for r in range(8):
            weights[r] = weights[r] * after + pieces[k, r]
    return first


@compiled
def _spread_rows(x, y, values, direction, step, pieces, sums):  # type: ignore[no-untyped-def]
    """Add each row of values (n, m, T), spread by the B-spline, to `sums` (N, T) at t = w·(x, y)."""
    weights = np.empty(8)
    middle = sums.shape[0] // 2
    for i in range(len(x)):
        for j in range(len(y)):
            row = values[i, j]
            if not row.any():
                continue
            first = _weigh((direction[0] * x[i] + direction[1] * y[j]) / step + middle, pieces, weights)
            for r in range(8):
                target = sums[first - 3 + r]
                for k in range(len(target)):
                    target[k] += weights[r] * row[k]


@compiled
def _spread(x, y, values, direction, step, pieces, sums):  # type: ignore[no-untyped-def]
    """`_spread_rows` of values (n, m) to `sums` (N,)."""
    weights = np.empty(8)
    middle = sums.shape[0] // 2
    for i in range(len(x)):
        for j in range(len(y)):
            value = values[i, j]
            if value == 0.0:
                continue
            first = _weigh((direction[0] * x[i] + direction[1] * y[j]) / step + middle, pieces, weights)
            for r in range(8):
                sums[first - 3 + r] += weights[r] * value


@dataclass(frozen=True)
class Filter:
    """R_m and its antiderivative in the offset, applied to spectra of `slices`.

    The density that comes out is that on half of the cylinder, twice c_d ∂_b^m Λ^(d−1) R f: each hyperplane is there
    once, and a neuron of coefficient v has mass v.

    Attributes:
        band: of the spectra.
        dimension: d.
        order: m.
    """

    band: Band
    dimension: int
    order: int

    @property
    def count(self) -> int:
        """How many steps there are in the period of what is filtered."""
        return self.band.count * _LONGER[self.dimension]

    @property
    def frequencies(self) -> np.ndarray:
        """In that period, up to those of the band."""
        return 2 * np.pi / (self.count * self.band.step) * np.arange(self.count // 4 + 1)

    @property
    def offsets(self) -> np.ndarray:
        """Where `density` is, from the middle of the box."""
        return (np.arange(self.count) - self.count // 2) * self.band.step

    def spectrum(self, slices: np.ndarray) -> np.ndarray:
        """That of the density, in the longer period, along the last axis."""
        profile = self.band.values(slices)
        longer = np.zeros((*profile.shape[:-1], self.count))
        start = (self.count - self.band.count) // 2
        longer[..., start : start + self.band.count] = profile * self.band.step
        omega = self.frequencies
        spectrum = rfft(longer, axis=-1)[..., : len(omega)] * (-1.0) ** np.arange(len(omega))
        # Λ^0 is the identity at the frequency zero, too.
        ramp = omega ** (self.dimension - 1) if self.dimension > 1 else np.ones_like(omega)
        return spectrum * (1j * omega) ** self.order * ramp / (2 * np.pi) ** (self.dimension - 1)

    def density(self, spectrum: np.ndarray, integrals: int = 0) -> np.ndarray:
        """Values at `offsets`, along the last axis, of what has that spectrum, integrated so many times."""
        omega = self.frequencies
        divisor = np.where(omega > 0, (1j * omega) ** integrals, 1.0)
        signed = spectrum / divisor * (-1.0) ** np.arange(len(omega))
        if integrals:
            signed[..., 0] = 0.0
        return irfft(signed, self.count, axis=-1) / self.band.step

    def mass(self, spectrum: np.ndarray, width: float = 0.0) -> float:
        """∫ |g| of the density g of that spectrum (modes,), blurred by a Gaussian of this standard deviation."""
        blurred = spectrum * np.exp(-0.5 * (width * self.frequencies) ** 2)
        return _variation(self.density(blurred, 1), self.density(blurred), self.band.step)


@compiled
def _variation(values, slopes, step):  # type: ignore[no-untyped-def]
    """The total variation of a function by values and slopes at equal steps, its extrema by cubic interpolation."""
    total = 0.0
    for i in range(len(values) - 1):
        a, b, s, t = values[i], values[i + 1], slopes[i], slopes[i + 1]
        if s * t < 0.0:
            z = s / (s - t)
            one = (1.0 + 2.0 * z) * (1.0 - z) ** 2 * a + z * (1.0 - z) ** 2 * step * s
            two = z * z * (3.0 - 2.0 * z) * b + z * z * (z - 1.0) * step * t
            total += abs(one + two - a) + abs(b - one - two)
        else:
            total += abs(b - a)
    return total
