"""The seminorm RTV^m of functions that are no ridge splines: by quadrature, with an error estimate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ridgesplines.checks import check_count, check_number
from ridgesplines.oracles.threads import in_threads
from ridgesplines.progress import Progress
from ridgesplines.radon.grid import Function, GridFunction, Region, box, decaying, sampled, support
from ridgesplines.radon.refinement import limit_from_below, limit_of
from ridgesplines.radon.slices import Filter, band_of, slices

# Steps along the longest side, from the first grid to the last, by dimension.
_RESOLUTIONS = {1: (64, 4096), 2: (32, 512), 3: (32, 128)}
# Widths of the blur of a function that no grid resolves, in steps of the last one: the smallest leaves 1e-5 of the
# frequencies that the grid cannot tell.
_WIDTHS = (12.0, 6.0, 3.0, 1.5)
# A grid resolves a function if its density has, at the frequencies next to those that the grid cannot tell, this
# fraction of its largest amplitude at most. Agreement of two grids alone could be an accident.
_RESOLVED = 1e-2
# A default interval is longer by this part of it on either side than what is seen of the function.
_MARGIN = 1 / 16
# Fewest steps along the longest side of a function that is given on a grid: enough for three refinements.
_COARSEST = 64


@dataclass(frozen=True)
class RadonTotalVariation:
    """RTV^m of a function, as refinement shows it.

    Attributes:
        value: the seminorm; infinite if it grows without end under refinement.
        error: an estimate of how far the value is off (what the last refinement changed, or what extrapolation leaves
            open), not a bound; infinite with the value.
        order: m.
        dimension: d.
        growth: where the value is infinite, the exponent p of the growth like width^−p that was seen, 0 for growth
            slower than any power (a logarithm); None where it is finite.
        widths: the resolutions, the coarsest first: steps of the grids or, if `blurred`, standard deviations.
        values: the seminorm at each of them.
        blurred: whether these are the values of the function blurred by Gaussians, each a lower bound of the seminorm
            up to quadrature, because no grid resolves the function itself.
    """

    value: float
    error: float
    order: int
    dimension: int
    growth: float | None
    widths: tuple[float, ...]
    values: tuple[float, ...]
    blurred: bool

    @property
    def diverges(self) -> bool:
        """Whether the value grows without end, as far down as the last width: a narrower feature looks the same."""
        return self.growth is not None

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        name = f"RTV^{self.order} in d = {self.dimension}"
        if self.growth is None:
            return f"{name}: {self.value:.6g} ± {self.error:.1g}"
        how = f"like width^-{self.growth:.2g}" if self.growth > 0.1 else "like a logarithm"
        return f"{name}: infinite (grows {how} down to width {self.widths[-1]:.2g}, where it is {self.values[-1]:.4g})"


def radon_tv(
    function: Function | GridFunction,
    *,
    dimension: int | None = None,
    order: int = 2,
    region: Region | None = None,
    resolution: int | None = None,
    tolerance: float = 3e-4,
    progress: bool | None = None,
) -> RadonTotalVariation:
    """How large a network has to be that computes a given function: the seminorm RTV^m(f) = ‖c_d ∂_b^m Λ^(d−1) R f‖.

    The function is one of d ≤ 3 inputs that is a polynomial of degree < m (zero, for instance) outside of a region, or
    decays to one. In d = 1 it may do what it likes outside, and what counts is TV(f^(m−1)) within. In d ≥ 2 a cut is a
    jump, and a smooth window is no way out: what it adds does not vanish as it widens (of a single neuron it is
    infinite). So ridge splines of two or three inputs, which do not decay, are refused; `RidgeSpline.radon_tv` serves
    them.

    In d ≥ 2 the function is sampled on grids of twice the resolution until the value settles, its integrals over
    hyperplanes come from these by the slice theorem, and those over the offset and the directions are quadratures: of
    smooth functions all of this converges faster than any power. If it does not settle, the function is blurred by
    Gaussians of four widths. These values grow to the seminorm as the width falls, so that their limit is extrapolated
    if they converge, and it is infinite if they do not. In d = 1 the values are those of divided differences of falling
    steps, treated likewise.

    Args:
        function: from points (M, d) to values (M,), or its values on a grid.
        dimension: d; a `GridFunction` knows it.
        order: m, 2, 3 or 4.
        region: where the function is not a polynomial of degree < m: the half-width of a cube around the origin, or two
            corners (lower, upper). By default the smallest cube of those with half-widths 1/64, 1/32, … 1024 outside of
            which nothing is seen; features smaller than 1/30 of their distance from the origin want a region.
        resolution: steps of the last grid along its longest side; 4096, 512 and 128 for d = 1, 2 and 3 by default.
        tolerance: the relative change between two resolutions at which the value has settled.
        progress: show what goes on; None does on a terminal.

    Raises:
        ValueError: if order or dimension are not served, the function returns wrong shapes or NaN, it does not vanish
            at the faces of its region, or a grid is too coarse.
        TypeError: if an argument is of the wrong type.

    Source: parhi_nowak_2021.
    """
    dimension = _checked_dimension(function, dimension)
    check_order(order)
    check_number("tolerance", tolerance, "between 0 and 1", lambda value: 0 < value < 1)
    first, last = _RESOLUTIONS[dimension]
    if resolution is not None:
        check_count("resolution", resolution)
        if resolution < _COARSEST:
            raise ValueError(f"resolution must be at least {_COARSEST} steps, got {resolution}.")
        last = int(resolution)
    if isinstance(function, GridFunction):
        steps = max(function.values.shape) - 1
        if steps < _COARSEST or min(function.values.shape) < 5:
            raise ValueError(
                f"function must have at least {_COARSEST} steps along its longest axis and 4 along each, got "
                f"{function.values.shape} nodes: sample it on a finer grid."
            )
        if region is not None or resolution is not None:
            raise ValueError("region and resolution are for functions; a GridFunction has its own.")
        grids = [_every(function, stride) for stride in (8, 4, 2, 1) if steps // stride >= 8]
    else:
        if region is not None:
            corners = box("region", region, dimension)
        else:
            lower, upper = support(function, dimension, order - 1)
            # On the line a kink at the end of the support counts, if the differences reach across it.
            margin = _MARGIN * (upper - lower) if dimension == 1 else 0.0
            corners = lower - margin, upper + margin
        counts = [last]
        while counts[0] > first or (dimension == 1 and len(counts) < 4):
            counts.insert(0, counts[0] // 2)
        grids = [_at(function, corners, count) for count in counts]
    with Progress(progress) as show:
        if dimension == 1:
            return _on_the_line(grids, order, tolerance)
        return _above_the_line(grids, order, tolerance, show)


def _every(function: GridFunction, stride: int) -> Callable[[], GridFunction]:
    return lambda: function.every(stride)


def _at(function: Function, corners: tuple[np.ndarray, np.ndarray], count: int) -> Callable[[], GridFunction]:
    return lambda: sampled(function, *corners, count)


def _checked_dimension(function: Function | GridFunction, dimension: int | None) -> int:
    if isinstance(function, GridFunction):
        if dimension not in (None, function.dimension):
            raise ValueError(f"dimension must be that of the GridFunction, {function.dimension}, got {dimension!r}.")
        return function.dimension
    if not callable(function):
        raise TypeError(
            f"function must map points (M, d) to values (M,), or be a GridFunction, got {type(function).__name__}."
        )
    if isinstance(dimension, bool) or dimension not in (1, 2, 3):
        raise ValueError(f"dimension must be 1, 2 or 3, got {dimension!r}.")
    return int(dimension)


def check_order(order: int) -> None:
    """Refuse what is no order of a truncated power.

    Raises:
        ValueError: unless it is 2, 3 or 4.
    """
    if isinstance(order, bool) or order not in (2, 3, 4):
        raise ValueError(f"order must be 2, 3 or 4, got {order!r}.")


def _on_the_line(grids: list[Callable[[], GridFunction]], order: int, tolerance: float) -> RadonTotalVariation:
    widths: list[float] = []
    values: list[float] = []

    def result(value: float, error: float, growth: float | None) -> RadonTotalVariation:
        return RadonTotalVariation(value, error, order, 1, growth, tuple(widths), tuple(values), False)

    floor = 0.0
    for make in grids:
        grid = make()
        step = float(grid.spacing[0])
        differences = np.diff(grid.values, order) / step ** (order - 1)
        # What differences of rounded values are off by.
        noise = np.finfo(float).eps * 2.0**order * float(np.abs(grid.values).sum()) / step ** (order - 1)
        value = float(np.abs(differences).sum())
        if len(values) >= 4 and noise > 0.1 * tolerance * value:
            break
        floor = noise
        widths.append(step)
        values.append(value)
        if len(values) >= 6 and abs(values[-1] - values[-2]) <= tolerance * values[-1]:
            limit = limit_from_below(np.array(values), floor)
            if limit.growth is None and limit.error <= tolerance * limit.value:
                return result(limit.value, limit.error + floor, None)
    limit = limit_from_below(np.array(values), floor)
    return result(limit.value, limit.error + floor, limit.growth)


def _above_the_line(
    grids: list[Callable[[], GridFunction]], order: int, tolerance: float, show: Callable[[str], None]
) -> RadonTotalVariation:
    widths: list[float] = []
    values: list[float] = []
    grid, change, before, edge = None, np.inf, np.inf, np.inf

    def result(value: float, error: float, growth: float | None = None, blurred: bool = False) -> RadonTotalVariation:
        dimension = 2 if grid is None else grid.dimension
        return RadonTotalVariation(value, error, order, dimension, growth, tuple(widths), tuple(values), blurred)

    for make in grids:
        grid = decaying(make(), order - 1)
        show(f"integrals over hyperplanes, {max(grid.values.shape) - 1} steps along the longest side")
        (value,), edge = _masses(grid, order, (0.0,))
        before, change = change, abs(value - values[-1]) if values else np.inf
        widths.append(float(grid.spacing.max()))
        values.append(value)
        if change <= tolerance * value and edge <= _RESOLVED:
            return result(value, change)
    assert grid is not None
    show("blurred functions: no grid resolves the function itself")
    sharp, error = values[-1], max(change, before)
    widths = [width * widths[-1] for width in _WIDTHS]
    values, _ = _masses(grid, order, tuple(widths))
    limit = limit_of(np.array(values))
    # Sharp values tend to the limit, too, unless the density has masses at points, where cut spectra oscillate.
    if limit.growth is None and error < limit.error and edge <= _RESOLVED:
        return result(sharp, error, None, True)
    return result(limit.value, limit.error, limit.growth, True)


def _masses(grid: GridFunction, order: int, widths: tuple[float, ...]) -> tuple[list[float], float]:
    """The seminorm of the function blurred by Gaussians of these widths, and the amplitude at the edge of the band.

    The latter over the largest amplitude of the density.
    """
    directions, weights = half_sphere(grid.dimension, max(grid.values.shape) - 1)
    band = band_of(grid)
    filtered = Filter(band, grid.dimension, order)
    masses = np.zeros((len(directions), len(widths)))
    amplitudes = np.zeros((len(directions), 2))

    def work(start: int, stop: int) -> None:
        for row, transform in enumerate(slices(grid, directions[start:stop], band), start):
            spectrum = filtered.spectrum(transform)
            sizes = np.abs(spectrum)
            amplitudes[row] = sizes[-len(sizes) // 8 :].max(), sizes.max()
            masses[row] = [filtered.mass(spectrum, width) for width in widths]

    in_threads(work, len(directions))
    edge, largest = amplitudes.max(axis=0)
    return (weights @ masses).tolist(), float(edge / largest) if largest else 0.0


def half_sphere(dimension: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions (K, d) and weights (K,) of a quadrature over half of the unit sphere, for a grid of so many steps.

    In the plane as many directions as steps, at equal angles; in space a product of Gauss's nodes along the axis and
    equal azimuths.
    """
    if dimension == 2:
        angles = np.pi * (np.arange(steps) + 0.5) / steps
        return np.column_stack([np.cos(angles), np.sin(angles)]), np.full(steps, np.pi / steps)
    count = 4 + steps // 8
    nodes, node_weights = np.polynomial.legendre.leggauss(2 * count)
    heights, height_weights = nodes[count:], node_weights[count:]
    azimuths = 2 * np.pi * (np.arange(4 * count) + 0.5) / (4 * count)
    radii = np.sqrt(1 - heights**2)
    directions = np.stack(
        [np.outer(np.cos(azimuths), radii), np.outer(np.sin(azimuths), radii), np.tile(heights, (4 * count, 1))],
        axis=-1,
    )
    weights = np.tile(height_weights * 2 * np.pi / (4 * count), (4 * count, 1))
    return directions.reshape(-1, 3), weights.ravel()
