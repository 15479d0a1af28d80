"""A sparse inverse Cholesky factor of a kernel's matrix, from local matrices."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ridgesplines.arrays import Array
from ridgesplines.kernel_problem import KernelProblem
from ridgesplines.kernels import Kernel, UniformKernel
from ridgesplines.oracles.compilation import compiled
from ridgesplines.solvers.kernel_gradients.ordering import coarse_to_fine, nearest_earlier
from ridgesplines.solvers.kernel_gradients.uniform_factor import uniform_columns

# Local matrices held at once: 128 of 68 × 68 with normals in space and 16 neighbours, 5 MB.
_BATCH = 128
# What is added to the diagonal of a local matrix that is singular to working precision, in turn.
_JITTERS = (1e-13, 1e-11, 1e-9, 1e-7)
# The coarsest quarter of the points has this many times the neighbours, the coarsest quarter of that as many again.
_GROWTH = 1.5


class InverseCholesky:
    """W with (A + nuggets)⁻¹ ≈ W Wᵀ, by the nearest earlier points of each in a coarse-to-fine order.

    Column block i is what makes W Wᵀ the inverse of least Kullback–Leibler divergence with this sparsity: from the
    Cholesky factor of the local matrix at point i and its neighbours. The finest three quarters of the points have m
    neighbours, three quarters of the rest 1.5 m, and so on: the few coarse points carry the long waves. O(N m³)
    operations, about 1.2 m + 1 blocks a point, which are computed in double precision and kept in single: a
    preconditioner need not be exact.

    Args:
        problem: its kernel is that of A.
        points: those of A, (N, d).
        nuggets: at the points, (N, size, size).
        neighbours: m.
        seed: of the order.
        show: is told how far the work is.

    Source: Schäfer, Katzfuss and Owhadi (2021), Sparse Cholesky Factorization by Kullback–Leibler Minimization.
    """

    def __init__(
        self,
        problem: KernelProblem,
        points: np.ndarray,
        nuggets: np.ndarray,
        neighbours: int,
        seed: int = 0,
        show: Callable[[str], None] = lambda message: None,
    ) -> None:
        order = coarse_to_fine(points, seed)
        ordered, nuggets = points[order], nuggets[order]
        kernel: Any = problem.kernel
        serves = isinstance(kernel, UniformKernel) and kernel.order == 2 and not isinstance(kernel.radius, jax.Array)
        # The searches' memory is free again before the blocks need theirs.
        self._sets = [_with_neighbours(ordered, *group) for group in _groups(len(points), neighbours)]
        self._blocks: list[np.ndarray] = []
        done = 0
        for sets in self._sets:

            def told(more: int, done: int = done) -> None:
                show(f"preconditioner: {done + more} of {len(points)} points")

            if serves:
                blocks = uniform_columns(kernel, ordered, sets, nuggets, _JITTERS, told)
            else:
                blocks = self._traced_columns(problem, ordered, sets, nuggets, told)
            self._blocks.append(blocks)
            done += len(sets)
        self._sets = [np.where(sets < 0, 0, order[sets]).astype(sets.dtype) for sets in self._sets]

    def _traced_columns(
        self,
        problem: KernelProblem,
        ordered: np.ndarray,
        sets: np.ndarray,
        nuggets: np.ndarray,
        show: Callable[[int], None],
    ) -> np.ndarray:
        """The block columns for any kernel, by JAX, batch by batch."""
        count, size = len(sets), problem.size
        blocks = np.empty((count, sets.shape[1], size, size), dtype=np.float32)
        for start in range(0, count, _BATCH):
            show(start)
            batch = sets[start : start + _BATCH]
            padded = np.concatenate([batch, np.full((_BATCH - len(batch), batch.shape[1]), -1)])
            blocks[start : start + len(batch)] = self._columns(problem.kernel, ordered, padded, nuggets, size)[
                : len(batch)
            ]
        return blocks

    @staticmethod
    def _columns(kernel: Kernel, points: np.ndarray, sets: np.ndarray, nuggets: np.ndarray, size: int) -> np.ndarray:
        present = jnp.asarray(sets >= 0)
        local, added = (jnp.asarray(array[np.maximum(sets, 0)]) for array in (points, nuggets))
        columns = np.array(_local_columns(kernel, local, present, added, 0.0, size))
        for jitter in _JITTERS:
            bad = ~np.isfinite(columns).all(axis=(1, 2, 3))
            if not bad.any():
                break
            columns[bad] = np.asarray(_local_columns(kernel, local, present, added, jitter, size))[bad]
        return np.nan_to_num(columns, nan=0.0, posinf=0.0, neginf=0.0)

    def __call__(self, vector: np.ndarray) -> np.ndarray:
        """W Wᵀ v for v (N, size)."""
        result = np.zeros_like(vector)
        vector = np.ascontiguousarray(vector)
        for blocks, sets in zip(self._blocks, self._sets, strict=True):
            _apply(blocks, sets, vector, result)
        return result


def _groups(count: int, neighbours: int) -> list[tuple[int, int, int]]:
    """Parts of an order of points, from its end on: begin, end and how many neighbours the points between have."""
    groups, stop, most = [], count, float(neighbours)
    while stop > 4 * most:
        groups.append((stop // 4, stop, int(most)))
        stop, most = stop // 4, _GROWTH * most
    return [*groups, (0, stop, max(1, min(int(most), stop - 1)))]


def _with_neighbours(points: np.ndarray, begin: int, end: int, neighbours: int) -> np.ndarray:
    """For each of the ordered points from `begin` to `end` the nearest earlier ones, −1 for none, and itself at last.

    Half as long integers as usual, if these reach so far.
    """
    earlier = nearest_earlier(points[:end], neighbours, begin)
    sets = np.concatenate([earlier, np.arange(begin, end)[:, None]], axis=1)
    return sets.astype(np.int32) if len(points) < 2**31 else sets


@partial(jax.jit, static_argnames=("size",))
def _local_columns(kernel: Kernel, points: Array, present: Array, nuggets: Array, jitter: Array, size: int) -> Array:
    """The last block column of L⁻ᵀ for each local matrix L Lᵀ, (B, s, size, size), of points (B, s, d).

    The points have nuggets (B, s, size, size).
    """
    jet = kernel.jet(points[:, :, None, :], points[:, None, :, :])
    blocks = jet.value[..., None, None] if size == 1 else jet.block()  # (B, s, s, size, size)
    both = present[:, :, None] & present[:, None, :]
    identity = jnp.eye(size)
    same = jnp.eye(points.shape[1])[:, :, None, None]
    # Missing neighbours are a block of the identity, which changes nothing.
    blocks = jnp.where(both[..., None, None], blocks + same * nuggets[:, :, None], same * identity)
    count, local = present.shape
    matrix = blocks.transpose(0, 1, 3, 2, 4).reshape(count, local * size, local * size)
    diagonal = jnp.diagonal(matrix, axis1=1, axis2=2)
    matrix = matrix + jitter * diagonal[:, :, None] * jnp.eye(local * size)
    factor = jnp.linalg.cholesky(matrix)
    last = jnp.zeros((count, local * size, size)).at[:, -size:, :].set(identity)
    columns = jax.scipy.linalg.solve_triangular(factor, last, trans="T", lower=True)
    return columns.reshape(count, local, size, size)


@compiled
def _apply(blocks, sets, vector, result):  # type: ignore[no-untyped-def]
    """result += W Wᵀ vector, one column block after the other, summed in the vector's precision."""
    size = vector.shape[1]
    middle = np.zeros(size)
    for i in range(len(sets)):
        middle[:] = 0.0
        for k in range(sets.shape[1]):
            row = sets[i, k]
            for a in range(size):
                for b in range(size):
                    middle[b] += blocks[i, k, a, b] * vector[row, a]
        for k in range(sets.shape[1]):
            row = sets[i, k]
            for a in range(size):
                for b in range(size):
                    result[row, a] += blocks[i, k, a, b] * middle[b]
