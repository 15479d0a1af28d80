"""The peers on a grid: multilinear functions by their nodes, regularised by total variation or squared curvature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cvxpy
import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy import sparse

from ridgesplines.measurements import BlurredSamples, Measurement
from ridgesplines.measurements.averages import Averages

Function = Callable[[np.ndarray], np.ndarray]
# Nodes along each half axis that stand for an average, by the number of half axes: of the peers, and of truths.
_COARSE, _FINE = {1: 48, 2: 8}, {1: 2048, 2: 64}
# More nodes of Gauss and Hermite than these reach further out, where nothing is gained.
_GAUSS_COARSE, _GAUSS_FINE = 8, 48


def quadrature(measurement: Measurement, *, fine: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (N, Q, d) and shares (N, Q) with ν_n(f) ≈ Σ_q shares f(nodes): the midpoint rule, or Gauss's for blurs.

    Raises:
        TypeError: if the measurement does not average over segments, boxes or Gaussians.
    """
    if not isinstance(measurement, Averages):
        raise TypeError(f"a grid is measured by averages such as LineIntegrals, got {measurement!r}.")
    rank = measurement.half_axes.shape[1]
    if isinstance(measurement, BlurredSamples):
        line, weights = hermegauss(_GAUSS_FINE if fine else _GAUSS_COARSE)
        weights = weights / weights.sum()
    else:
        count = (_FINE if fine else _COARSE)[rank]
        line, weights = (2.0 * np.arange(count) + 1.0) / count - 1.0, np.full(count, 1.0 / count)
    steps = np.stack(np.meshgrid(*[line] * rank, indexing="ij"), axis=-1).reshape(-1, rank)
    shares = np.prod(np.stack(np.meshgrid(*[weights] * rank, indexing="ij"), axis=-1), axis=-1).ravel()
    nodes = measurement.centres[:, None] + np.einsum("qr,nrd->nqd", steps, measurement.half_axes)
    return nodes, measurement.masses[:, None] * shares


def measured(measurement: Measurement, function: Function) -> np.ndarray:
    """ν(f), (N,), of a function that is no ridge spline."""
    nodes, shares = quadrature(measurement, fine=True)
    values = function(nodes.reshape(-1, nodes.shape[-1])).reshape(shares.shape)
    return np.sum(shares * values, axis=1)


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes of a regular grid on a box of one or two dimensions, the faces included.

    Attributes:
        lower, upper: corners, (d,).
        counts: nodes along each axis.
    """

    lower: np.ndarray
    upper: np.ndarray
    counts: tuple[int, ...]

    @classmethod
    def over(cls, points: np.ndarray, count: int) -> Nodes:
        """`count` nodes along the longest side of the box around the points, equally far apart along the others."""
        lower, upper = points.min(axis=0), points.max(axis=0)
        step = float((upper - lower).max()) / (count - 1)
        intervals = np.maximum(np.ceil((upper - lower) / step - 1e-9).astype(int), 2)
        return cls(lower, lower + step * intervals, tuple(int(n) + 1 for n in intervals))

    def matrix(self, points: np.ndarray) -> sparse.csr_array:
        """From the values at the nodes to those at points within the box, (M, G): multilinear."""
        # SciPy's annotations leave out shapes.
        total: Any = sparse.csr_array(np.ones((len(points), 1)))
        for i, count in enumerate(self.counts):
            place = (points[:, i] - self.lower[i]) / (self.upper[i] - self.lower[i]) * (count - 1)
            left = np.clip(np.floor(place).astype(int), 0, count - 2)
            part = place - left
            rows = np.arange(len(points))
            axis = sparse.csr_array(
                (np.concatenate([1.0 - part, part]), (np.tile(rows, 2), np.concatenate([left, left + 1]))),
                shape=(len(points), count),
            )
            # The product of each row of the one with each of the other: the last axis runs fastest.
            first, second = total[:, np.repeat(np.arange(total.shape[1]), count)], axis
            total = sparse.csr_array(first.multiply(sparse.hstack([second] * total.shape[1], format="csr")))
        return total

    def measuring(self, measurement: Measurement) -> sparse.csr_array:
        """From the values at the nodes to the measurements, (N, G)."""
        nodes, shares = quadrature(measurement)
        count = shares.shape[1]
        averaging = sparse.csr_array(
            (shares.ravel(), np.arange(shares.size), np.arange(0, shares.size + 1, count)),
            shape=(len(shares), shares.size),
        )
        return sparse.csr_array(averaging @ self.matrix(nodes.reshape(-1, nodes.shape[-1])))

    def differences(self, order: int) -> list[sparse.csr_array]:
        """All derivatives of an order, 1 or 2, in units of the longest half side: matrices of as many rows.

        In the plane mixed derivatives come with √2, so that the sum of the squares is that of all entries.
        """
        step = 2.0 / (max(self.counts) - 1)
        diagonals: Any = sparse.diags_array  # SciPy's annotation wants one offset

        def along(count: int, power: int) -> sparse.csr_array:
            """Forward differences, or second ones; zero at the ends that have none, so that no node is left out."""
            ones = np.ones(count)
            if power == 1:
                ones[-1] = 0.0
                return sparse.csr_array(diagonals([-ones, ones[:-1]], offsets=[0, 1]) / step)
            ones[[0, -1]] = 0.0
            bands = [ones[1:], -2.0 * ones, ones[:-1]]
            return sparse.csr_array(diagonals(bands, offsets=[-1, 0, 1]) / step**2)

        if len(self.counts) == 1:
            return [along(self.counts[0], order)]
        rows, columns = self.counts
        eyes = [sparse.eye_array(count) for count in self.counts]
        pure = [sparse.kron(along(rows, order), eyes[1]), sparse.kron(eyes[0], along(columns, order))]
        mixed = [] if order == 1 else [2.0**0.5 * sparse.kron(along(rows, 1), along(columns, 1))]
        return [sparse.csr_array(matrix) for matrix in (*pure, *mixed)]


class GridFits:
    """Fits of one set of data by functions on a grid, for any strength.

    min ½ ‖A f − y‖² + λ Σ |D f|: the sum over cells of the length of the first or second derivatives (total variation
    of first or second order), times the area of a cell. In units of the longest half side and the spread of the data.
    """

    def __init__(self, nodes: Nodes, measurement: Measurement, targets: np.ndarray, order: int) -> None:
        self._matrix, self._scale = nodes.measuring(measurement), float(np.std(targets))
        self._targets = targets / self._scale
        self._parts = nodes.differences(order)
        self._cell = (2.0 / (max(nodes.counts) - 1)) ** len(nodes.counts)
        self._variable = cvxpy.Variable(int(np.prod(nodes.counts)))
        self._strength = cvxpy.Parameter(nonneg=True)
        loss = 0.5 * cvxpy.sum_squares(self._matrix @ self._variable - self._targets)
        parts = [part @ self._variable for part in self._parts]
        total = cvxpy.norm1(parts[0]) if len(parts) == 1 else cvxpy.sum(cvxpy.norm(cvxpy.vstack(parts), 2, axis=0))
        self._program = cvxpy.Problem(cvxpy.Minimize(loss + self._strength * self._cell * total))

    def total_variation(self, strength: float) -> np.ndarray:
        """The values at the nodes."""
        self._strength.value = strength
        self._program.solve(solver=cvxpy.CLARABEL)
        return self._scale * np.asarray(self._variable.value)

    def squares(self, strength: float) -> np.ndarray:
        """The same with the squares of the derivatives, Tikhonov's method."""
        roughness = sum((part.T @ part).toarray() for part in self._parts)
        matrix = (self._matrix.T @ self._matrix).toarray() + strength * self._cell * roughness
        # Where the data leave directions all but open the least solution is as good as any.
        solved = np.linalg.lstsq(matrix, self._matrix.T @ self._targets, rcond=1e-13)[0]
        return self._scale * solved
