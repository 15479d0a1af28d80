"""What a function looks like in the Radon domain: the masses of a ridge spline, the density of a smooth function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.arrays import finite_array
from ridgesplines.norms import sizes
from ridgesplines.oracles.threads import in_threads
from ridgesplines.radon.grid import Function, GridFunction, Region, decaying
from ridgesplines.radon.slices import Filter, band_of, slices
from ridgesplines.radon.total_variation import check_order
from ridgesplines.radon.transform import as_grid, series
from ridgesplines.spline import RidgeSpline

# Steps along the longest side of a function's region, by dimension.
_RESOLUTIONS = {1: 1024, 2: 256, 3: 96}
# A function is resolved if its density has, at the largest frequencies, this fraction of its largest amplitude at most.
_RESOLVED = 1e-2


@dataclass(frozen=True, eq=False)
class RadonMeasure:
    """The measure R_m f of a ridge spline on half of the cylinder of directions and offsets: a mass for each neuron.

    The half is that of the canonical form: directions whose first non-zero coordinate is positive. On the whole
    cylinder the masses are halved and repeated at (−w, −b), with the sign (−1)^m.

    Attributes:
        directions: unit vectors w, (K, d).
        offsets: b, (K,): the neuron's hyperplane is w·x = b.
        masses: v, (K,) or (K, D), signed.
        order: m.
    """

    directions: np.ndarray
    offsets: np.ndarray
    masses: np.ndarray
    order: int

    @property
    def total_variation(self) -> float:
        """Σ ‖v_k‖₂, the seminorm RTV^m of the spline."""
        return float(sizes(self.masses).sum())

    @property
    def angles(self) -> np.ndarray:
        """In the plane the angles of the directions in radians, (−π/2, π/2].

        Raises:
            ValueError: elsewhere.
        """
        if self.directions.shape[1] != 2:
            raise ValueError(f"directions must be in the plane to have angles, got d = {self.directions.shape[1]}.")
        return np.arctan2(self.directions[:, 1], self.directions[:, 0])

    def upright(self) -> RadonMeasure:
        """In the plane, the same measure on the half with angles in [0, π): others are turned, with the sign (−1)^m."""
        turned = self.angles < 0
        sign = np.where(turned, -1.0, 1.0)
        masses = np.where(turned, (-1.0) ** self.order, 1.0) * self.masses.T
        return RadonMeasure(self.directions * sign[:, None], self.offsets * sign, masses.T, self.order)


def radon_measure(spline: RidgeSpline) -> RadonMeasure:
    """Where the (m−1)-th derivative of a ridge spline jumps, and by how much: its measure in the Radon domain.

    Args:
        spline: f(x) = Σ v ρ_m(w·x − b) + c(x); neurons on one hyperplane are one mass, and c is none.

    Source: parhi_nowak_2021.
    """
    if not isinstance(spline, RidgeSpline):
        raise TypeError(f"spline must be a RidgeSpline, got {type(spline).__name__}; smooth functions have a density.")
    spline = spline.canonical()
    weights, biases, coefficients = (np.asarray(a) for a in (spline.weights, spline.biases, spline.coefficients))
    return RadonMeasure(weights, biases, coefficients, spline.order)


def radon_density(
    function: Function | GridFunction,
    angles: Any,
    offsets: Any,
    order: int = 2,
    *,
    region: Region | None = None,
    resolution: int | None = None,
) -> np.ndarray:
    """The density of R_m f of a smooth function that decays: what neurons of an infinite network are drawn from.

    The density on half of the cylinder, so that f(x) = ∫ density(w, b) ρ_m(w·x − b) dw db, up to a polynomial, over
    half of the unit sphere and all b, that a neuron of coefficient v is a mass v, and that its integral of the absolute
    value is RTV^m(f). At (−w, −b) it is (−1)^m times that at (w, b).

    Args:
        function: from points (M, d) to values (M,), or its values on a grid; d ≤ 3.
        angles: θ in radians of directions w = (cos θ, sin θ) in the plane, (A,), or unit vectors w themselves, (A, d).
        offsets: b, (B,).
        order: m, 2, 3 or 4.
        region: where the function is not a polynomial of degree < m, as for `radon_tv`.
        resolution: steps along the longest side of the region: 1024, 256 and 96 in d = 1, 2 and 3 by default.

    Returns:
        The density at all pairs, (A, B).

    Raises:
        ValueError: if the function returns wrong shapes or NaN, does not vanish at the faces of its region, is not
            resolved (for instance because it is not smooth), or directions are no unit vectors.

    Source: parhi_nowak_2021.
    """
    check_order(order)
    directions = finite_array("angles", angles, dimensions=(1, 2))
    if directions.ndim == 1:
        directions = np.column_stack([np.cos(directions), np.sin(directions)])
    dimension = directions.shape[1]
    if dimension not in (1, 2, 3):
        raise ValueError(f"angles must be angles or unit vectors in d = 1, 2 or 3, got shape {directions.shape}.")
    if np.abs(np.linalg.norm(directions, axis=1) - 1).max(initial=0.0) > 1e-9:
        raise ValueError("angles must be angles (A,) or unit vectors (A, d), got vectors of other lengths.")
    offsets = finite_array("offsets", offsets, dimensions=(1,))
    steps = _RESOLUTIONS[dimension] if resolution is None else resolution
    grid = decaying(as_grid(function, dimension, region, steps, order - 1), order - 1)
    band = band_of(grid)
    filtered = Filter(band, dimension, order)
    spectra = np.zeros((len(directions), len(filtered.frequencies)), dtype=complex)

    def work(start: int, stop: int) -> None:
        for row, transform in enumerate(slices(grid, directions[start:stop], band), start):
            spectra[row] = filtered.spectrum(transform)

    in_threads(work, len(directions))
    amplitudes = np.abs(spectra)
    edge = float(amplitudes[:, -amplitudes.shape[1] // 8 :].max(initial=0.0))
    if edge > _RESOLVED * float(amplitudes.max(initial=0.0)):
        raise ValueError(
            f"function must be smooth at the scale of its grid, but its density of order {order} has {edge:.2g} at the "
            f"largest frequencies, {float(amplitudes.max()):.2g} at most: raise the resolution ({steps} steps now), or "
            "blur the function."
        )
    middle = directions @ (grid.lower + grid.upper) / 2
    return series(spectra, filtered.frequencies, filtered.count * band.step, offsets, middle)
