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


class InverseCholesky:
    """W with (A + nuggets)⁻¹ ≈ W Wᵀ, by the nearest earlier points of each in a coarse-to-fine order.

    Column block i is what makes W Wᵀ the inverse of least Kullback–Leibler divergence with this sparsity: from the
    Cholesky factor of the local matrix at point i and its neighbours. O(N m³) operations, (m + 1) blocks a point.

    Args:
        problem: its kernel and nuggets are those of A.
        points: those of A, (N, d).
        neighbours: m.
        seed: of the order.
        show: is told how far the work is.

    Source: Schäfer, Katzfuss and Owhadi (2021), Sparse Cholesky Factorization by Kullback–Leibler Minimization.
    """

    def __init__(
        self,
        problem: KernelProblem,
        points: np.ndarray,
        neighbours: int,
        seed: int = 0,
        show: Callable[[str], None] = lambda message: None,
    ) -> None:
        count = len(points)
        order = coarse_to_fine(points, seed)
        earlier = nearest_earlier(points[order], min(neighbours, max(1, count - 1)))
        ordered = points[order]
        # Neighbours first, the point itself last, missing ones as −1.
        sets = np.concatenate([earlier, np.arange(count)[:, None]], axis=1)
        kernel: Any = problem.kernel
        if isinstance(kernel, UniformKernel) and kernel.order == 2 and not isinstance(kernel.radius, jax.Array):
            self._blocks = uniform_columns(kernel, ordered, sets, problem.nuggets, _JITTERS, show)
        else:
            self._blocks = self._traced_columns(problem, ordered, sets, show)
        self._sets = np.where(sets < 0, 0, order[sets])

    def _traced_columns(
        self, problem: KernelProblem, ordered: np.ndarray, sets: np.ndarray, show: Callable[[str], None]
    ) -> np.ndarray:
        """The block columns for any kernel, by JAX, batch by batch."""
        count, size = len(ordered), problem.size
        nuggets = jnp.asarray(problem.nuggets)
        blocks = np.empty((count, sets.shape[1], size, size))
        for start in range(0, count, _BATCH):
            show(f"preconditioner: {start} of {count} points")
            batch = sets[start : start + _BATCH]
            padded = np.concatenate([batch, np.full((_BATCH - len(batch), batch.shape[1]), -1)])
            blocks[start : start + len(batch)] = self._columns(problem.kernel, ordered, padded, nuggets, size)[
                : len(batch)
            ]
        return blocks

    @staticmethod
    def _columns(kernel: Kernel, points: np.ndarray, sets: np.ndarray, nuggets: Any, size: int) -> np.ndarray:
        present = jnp.asarray(sets >= 0)
        local = jnp.asarray(points[np.maximum(sets, 0)])
        columns = np.array(_local_columns(kernel, local, present, nuggets, 0.0, size))
        for jitter in _JITTERS:
            bad = ~np.isfinite(columns).all(axis=(1, 2, 3))
            if not bad.any():
                break
            columns[bad] = np.asarray(_local_columns(kernel, local, present, nuggets, jitter, size))[bad]
        return np.nan_to_num(columns, nan=0.0, posinf=0.0, neginf=0.0)

    def __call__(self, vector: np.ndarray) -> np.ndarray:
        """W Wᵀ v for v (N, size)."""
        result = np.zeros_like(vector)
        _apply(self._blocks, self._sets, np.ascontiguousarray(vector), result)
        return result


@partial(jax.jit, static_argnames=("size",))
def _local_columns(kernel: Kernel, points: Array, present: Array, nuggets: Array, jitter: Array, size: int) -> Array:
    """The last block column of L⁻ᵀ for each local matrix L Lᵀ, (B, s, size, size), of points (B, s, d)."""
    jet = kernel.jet(points[:, :, None, :], points[:, None, :, :])
    blocks = jet.value[..., None, None] if size == 1 else jet.block()  # (B, s, s, size, size)
    both = present[:, :, None] & present[:, None, :]
    identity = jnp.eye(size)
    same = jnp.eye(points.shape[1])[:, :, None, None]
    # Missing neighbours are a block of the identity, which changes nothing.
    blocks = jnp.where(both[..., None, None], blocks + same * jnp.diag(nuggets), same * identity)
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
    """result += W Wᵀ vector, one column block after the other."""
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
