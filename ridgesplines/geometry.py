"""The smallest affine subspace that holds a set of points, and isometric coordinates on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AffineFrame:
    """Orthonormal coordinates on the affine hull of points: x_n = centre + basis · coordinates_n, up to `distance`.

    Points that lie on a flat of lower dimension up to rounding count as lying on it. RTV does not change under this
    restriction (a ridge has the RTV of its profile in every dimension), so a problem whose inputs lie on a line or in a
    plane of R^d is the one-dimensional or planar problem in these coordinates.

    Attributes:
        centre: (d,).
        basis: (d, r) orthonormal columns; the identity where the points span R^d.
        coordinates: (N, r).
        distance: the largest distance of a point to the flat: zero up to rounding.
    """

    centre: np.ndarray
    basis: np.ndarray
    coordinates: np.ndarray
    distance: float

    @property
    def rank(self) -> int:
        """The dimension r of the flat."""
        return self.basis.shape[1]

    @classmethod
    def of(cls, points: np.ndarray) -> AffineFrame:
        """The frame of `points` (N, d)."""
        count, dimension = points.shape
        centre = points.mean(axis=0)
        centred = points - centre
        _, values, right = np.linalg.svd(centred, full_matrices=False)
        # Rounding in the entries: that of the far-away points themselves, and that of the decomposition.
        noise = np.finfo(float).eps * max(count, dimension) * max(np.abs(points).max(initial=0.0), values[0])
        rank = int(np.sum(values > noise))
        if rank == dimension:
            return cls(centre, np.eye(dimension), centred, 0.0)
        basis = right[:rank].T
        coordinates = centred @ basis
        residual = centred - coordinates @ basis.T
        return cls(centre, basis, coordinates, float(np.linalg.norm(residual, axis=1).max(initial=0.0)))
