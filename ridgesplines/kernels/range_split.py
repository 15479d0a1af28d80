"""Sums of the uniform kernel over many points, split by range: near pairs one by one, far ones on a grid."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import scipy.fft
from scipy.spatial import KDTree
from scipy.special import binom

from ridgesplines.kernels.range_split_loops import TERMS, gather, near, spread
from ridgesplines.kernels.sums import hermite_sum
from ridgesplines.kernels.uniform import UniformKernel, spike
from ridgesplines.oracles.threads import in_threads

# The stubs take the transforms' results for tuples.
_fft: Any = scipy.fft
# Nodes of the padded grid that are transformed at once: 2 MB, which stay in the caches.
_SLAB = 2**17
# From rough to fine: the error that is left (see `RangeSplit`, measured and rounded up); the nodes of the interpolation
# along each axis; grid steps of the range; and terms of the polynomial that continues |r|³ within it.
_LEVELS = ((1e-3, 6, 4.0, 5), (3e-5, 8, 6.0, 6), (2e-6, 10, 8.0, 7))


def split_serves(kernel: object, dimension: int) -> bool:
    """Whether `RangeSplit` serves a kernel in R^d: `UniformKernel` of order 2 in the plane and in space."""
    return isinstance(kernel, UniformKernel) and kernel.order == 2 and dimension in (2, 3)


class RangeSplit:
    """Sums of f = Σ_j c_j K(·, z_j) + g_j·∂K/∂z_j(·, z_j) for `UniformKernel` of order 2, in nearly linear time.

    |r|³ = φ(|r|) + s(|r|), where s is |r|³ beyond the range R, and within it the polynomial in |r|² that continues it
    with several derivatives. φ is summed exactly over the pairs within R, found by cells. s is smooth: it is summed on
    a grid, by a fast Fourier transform padded with zeros, to which the coefficients are spread, and from which the sums
    are gathered, with Lagrange interpolation of the same order: as a matrix, the sums at the centres stay symmetric.
    The affine part is summed exactly. O(N + G log G) operations for G nodes of the grid, memory for some 20 G numbers.

    The error is that of the interpolation of s: `accuracy` sets its order and the steps per range. It was measured, for
    random coefficients at random points of surfaces and curves: the root mean square error of the values at the centres
    is at most `accuracy` times the size of the terms at distance R, μ/(24k) (Σ R⁶ c² + R⁴ |g|²)^½, and that of the
    gradients ten times this, divided by R. The sums may be far smaller than their terms: `error` measures what is left
    for given coefficients.

    Args:
        kernel: `UniformKernel` of order 2.
        centres: z, (M, d), d = 2 or 3.
        low: corner of the box of the centres and of all points where sums are wanted, (d,); None for the centres' own.
        high: the opposite corner, (d,).
        accuracy: see above; 1e-3, 3e-5 and 2e-6 are to be had, and a number between takes the next finer one.
        reach: R; None chooses it by the density of the centres.
        memory: bytes that the grid's arrays may take, roughly, where R is chosen; by default 250 for each centre, but
            at least 20 MB.

    Raises:
        ValueError: for other kernels, dimensions or accuracies.

    Source: Hockney and Eastwood (1988), Computer Simulation Using Particles, chapter 8 (P³M).
    """

    def __init__(
        self,
        kernel: UniformKernel,
        centres: np.ndarray,
        low: np.ndarray | None = None,
        high: np.ndarray | None = None,
        *,
        accuracy: float = 3e-5,
        reach: float | None = None,
        memory: float | None = None,
    ) -> None:
        dimension = centres.shape[1]
        if not split_serves(kernel, dimension) or not len(centres):
            raise ValueError(
                f"kernel must be a UniformKernel of order 2, and points in the plane or in space, got {kernel} and "
                f"centres of shape {centres.shape}; kernels.hermite_sum serves all."
            )
        fine = [level for level in _LEVELS if level[0] <= accuracy]
        if not fine:
            raise ValueError(f"accuracy must be at least {_LEVELS[-1][0]:g}, got {accuracy:g}.")
        self.kernel, self.centres = kernel, np.ascontiguousarray(centres, dtype=float)
        _, self.order, self.steps, self._terms = fine[0]
        self._offset = 3 - dimension
        box_low, box_high = self.centres.min(axis=0), self.centres.max(axis=0)
        box_low = box_low if low is None else np.minimum(box_low, low)
        box_high = box_high if high is None else np.maximum(box_high, high)
        # Rounding at the border must not leave the grid.
        slack = 1e-9 * float((box_high - box_low).max() or 1.0)
        self.low, self.high = box_low - slack, box_high + slack
        self.reach = (
            self._chosen_reach(max(2e7, 250.0 * len(centres)) if memory is None else memory)
            if reach is None
            else float(reach)
        )
        self._lay_out()

    def _nodes(self, step: float) -> np.ndarray:
        """Nodes along each of three axes; 1 along one that is not there."""
        counts = np.ones(3, dtype=int)
        counts[self._offset :] = np.floor((self.high - self.low) / step).astype(int) + self.order + 1
        return counts

    def _chosen_reach(self, memory: float) -> float:
        """The range at which near pairs and the grid take about as long as each other, within the memory."""
        longest = float((self.high - self.low).max())
        sample = self.centres[:: max(1, len(self.centres) // 300)]
        tree = KDTree(self.centres)
        best, least = longest, np.inf
        for parts in (8, 12, 16, 24, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 512, 1024, 2048):
            step = longest / parts
            nodes = np.prod([_fft.next_fast_len(2 * int(n)) if n > 1 else 1 for n in self._nodes(step)])
            if 5.0 * nodes > memory and np.isfinite(least):
                break
            pairs = np.mean(tree.query_ball_point(sample, self.steps * step, return_length=True))
            # Nanoseconds for a pair (of which a half lie in the range), and for a node of the padded grid.
            cost = 8.0 * pairs * len(self.centres) + 25.0 * nodes
            if cost < least:
                best, least = self.steps * step, cost
        return best

    def _lay_out(self) -> None:
        dimension, order = self.centres.shape[1], self.order
        self.step = self.reach / self.steps
        self._shape = self._nodes(self.step)
        self._counts = np.where(self._shape == 1, 1, order)
        # The left of the two middle nodes of every point in the box has order / 2 − 1 nodes before it.
        self._origin = np.zeros(3)
        self._origin[self._offset :] = self.low - (order // 2 - 1) * self.step
        nodes = np.arange(order) - (order // 2 - 1)
        weights = [np.poly(np.delete(nodes, k)) / np.prod(nodes[k] - np.delete(nodes, k)) for k in range(order)]
        slopes = [np.concatenate([[0.0], np.polyder(w)]) for w in weights]
        self._tables = np.array([weights, slopes])
        # (1 + t)^(3/2) by its first terms at t = 0, which is |r| = R.
        self._continuation = np.where(np.arange(TERMS) < self._terms, binom(1.5, np.arange(TERMS)), 0.0)
        self._padded = [_fft.next_fast_len(2 * int(n), real=True) if n > 1 else 1 for n in self._shape]
        self._padded = [n + n % 2 if n > 1 else 1 for n in self._padded]
        self._spectrum = self._transformed_kernel()
        self._factor = spike(2, dimension) / float(self.kernel.radius)
        size = self.reach / 2
        extents = np.zeros(3)
        extents[self._offset :] = self.centres.max(axis=0) - self.centres.min(axis=0)
        self._cells = np.floor(extents / size).astype(np.int64) + 1
        self._cell_low = np.zeros(3)
        self._cell_low[self._offset :] = self.centres.min(axis=0)
        self._cell_size = size
        index = self._cell_index(self._embedded(self.centres))
        self._sorted = np.argsort(index, kind="stable")
        self._starts = np.searchsorted(index[self._sorted], np.arange(int(np.prod(self._cells)) + 1))

    def _embedded(self, points: np.ndarray) -> np.ndarray:
        """Points as three rows, the first ones zero in the plane."""
        rows = np.zeros((3, len(points)))
        rows[self._offset :] = points.T
        return rows

    def _cell_index(self, rows: np.ndarray) -> np.ndarray:
        cells = np.floor((rows - self._cell_low[:, None]) / self._cell_size).astype(np.int64)
        cells = np.clip(cells, 0, self._cells[:, None] - 1)
        return (cells[0] * self._cells[1] + cells[1]) * self._cells[2] + cells[2]

    def _transformed_kernel(self) -> np.ndarray:
        """The transform of s on the padded grid, which is even along each axis: half of it along each."""
        axes = [self.step * np.arange(n // 2 + 1) for n in self._padded]
        square = sum(np.meshgrid(*(axis**2 for axis in axes), indexing="ij", sparse=True))
        values: np.ndarray = np.asarray(square) ** 1.5
        inner = np.asarray(square) < self.reach**2
        t = np.asarray(square)[inner] / self.reach**2 - 1
        values[inner] = self.reach**3 * np.polynomial.polynomial.polyval(t, self._continuation)
        for axis, n in enumerate(self._padded):
            if n > 1:
                values = _fft.dct(values, type=1, axis=axis, overwrite_x=True)
        return values

    def __call__(self, coefficients: np.ndarray) -> SplitSum:
        """The function f of `coefficients` (M, d + 1), or (M,) for c alone, ready to be evaluated in the box."""
        return SplitSum(self, coefficients)

    def error(self, coefficients: np.ndarray, sample: int = 200, seed: int = 0) -> tuple[float, float]:
        """The largest errors of the values and of the gradients at a random sample of the centres, by exact sums."""
        chosen = np.random.default_rng(seed).permutation(len(self.centres))[:sample]
        points = self.centres[chosen]
        exact = hermite_sum(self.kernel, self.centres, np.asarray(coefficients, dtype=float), points)
        wrong = self(coefficients).values_and_gradients(points) - exact
        return float(np.abs(wrong[:, 0]).max()), float(np.linalg.norm(wrong[:, 1:], axis=1).max())

    def convolved(self, grid: np.ndarray) -> np.ndarray:
        """The sums of s over the nodes; only the last axis is padded as a whole, the others slab by slab."""
        threads = os.cpu_count() or 1
        first, second, third = self._padded
        work = _fft.rfft(grid, third, axis=2, workers=threads) if third > 1 else grid.astype(complex)
        fold = np.minimum(np.arange(first), first - np.arange(first))
        mirror = np.minimum(np.arange(second), second - np.arange(second))
        slab = max(4, _SLAB // (first * second))
        for start in range(0, work.shape[2], slab):
            part = _fft.fft(work[:, :, start : start + slab], second, axis=1, workers=threads)
            part = _fft.fft(part, first, axis=0, workers=threads)
            part *= self._spectrum[:, :, start : start + slab][np.ix_(fold, mirror)]
            part = _fft.ifft(part, axis=0, workers=threads, overwrite_x=True)[: self._shape[0]]
            part = _fft.ifft(part, axis=1, workers=threads)[:, : self._shape[1]]
            work[:, :, start : start + slab] = part
        return np.ascontiguousarray(_fft.irfft(work, third, axis=2, workers=threads)[:, :, : self._shape[2]])


class SplitSum:
    """f of `RangeSplit` for given coefficients: its values and gradients at points in the box.

    Args:
        split: the geometry.
        coefficients: rows (c_j, g_j), (M, d + 1); or c alone, (M,).
    """

    def __init__(self, split: RangeSplit, coefficients: np.ndarray) -> None:
        self._split = split
        offset, dimension = split._offset, split.centres.shape[1]
        coefficients = np.asarray(coefficients, dtype=float)
        if len(coefficients) != len(split.centres):
            raise ValueError(f"coefficients must have {len(split.centres)} rows, got shape {coefficients.shape}.")
        rows = coefficients.reshape(len(coefficients), -1)
        sources = np.zeros((7, len(rows)))
        sources[:3] = split._embedded(split.centres)
        sources[3] = rows[:, 0]
        if rows.shape[1] > 1:
            sources[4 + offset : 7] = rows[:, 1:].T
        self._sources = np.ascontiguousarray(sources[:, split._sorted])
        grid = np.zeros(tuple(split._shape))
        spread(self._sources, split._origin, split.step, split._tables, split._counts, grid)
        self._grid = split.convolved(grid)
        radius = float(split.kernel.radius)
        self._constant = radius**2 / 6 * float(rows[:, 0].sum())
        mean = split.centres.T @ rows[:, 0] + (rows[:, 1:].sum(axis=0) if rows.shape[1] > 1 else 0.0)
        self._slope = mean / (2 * dimension)

    def values(self, x: np.ndarray) -> np.ndarray:
        """Values (n,) at points (n, d) in the box.

        Raises:
            ValueError: if a point is outside.
        """
        return self._at(x, False)[:, 0]

    def values_and_gradients(self, x: np.ndarray) -> np.ndarray:
        """Rows of value and gradient, (n, d + 1), at points (n, d) in the box.

        Raises:
            ValueError: if a point is outside.
        """
        return self._at(x, True)

    def _at(self, x: np.ndarray, gradients: bool) -> np.ndarray:
        split = self._split
        x = np.asarray(x, dtype=float)
        if len(x) and ((x < split.low).any() or (x > split.high).any()):
            raise ValueError("x must lie in the box that the RangeSplit was made for; give it low and high.")
        targets = split._embedded(x)
        # Neighbours one after the other read the same sources.
        order = np.argsort(split._cell_index(targets), kind="stable")
        targets = np.ascontiguousarray(targets[:, order])
        sums = np.zeros((4, len(x)))

        def work(start: int, stop: int) -> None:
            near(
                self._sources, split._starts, split._cells, split._cell_low, split._cell_size, targets, sums, start,
                stop, split.reach, split._continuation, gradients,
            )  # fmt: skip
            gather(
                targets, split._origin, split.step, split._tables, split._counts, self._grid, sums, start, stop,
                gradients,
            )  # fmt: skip

        in_threads(work, len(x))
        rows = np.concatenate([sums[:1], sums[1 + split._offset :]]) if gradients else sums[:1]
        result = np.empty((len(x), len(rows)))
        result[order] = split._factor * rows.T
        result[:, 0] += self._constant + x @ self._slope
        if gradients:
            result[:, 1:] += self._slope
        return result
