"""Kernel sums over many points, block by block: no matrix of all pairs is ever held."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from ridgesplines.arrays import Array, namespace
from ridgesplines.kernels.compiled import uniform_sum
from ridgesplines.kernels.protocol import Kernel
from ridgesplines.kernels.uniform import UniformKernel

# How many numbers of a block of jets are held at once: 8 MiB of doubles, which stay in the cache of a core.
_BLOCK = 2**20


def hermite_sum(kernel: Kernel, centres: Array, coefficients: Array, x: Array) -> Array:
    """Values and gradients at `x` of f = Σ_j c_j K(·, z_j) + g_j·∂K/∂z_j(·, z_j).

    The product of the Hermite Gram matrix with a vector, in memory that does not grow with the number of pairs.

    Args:
        kernel: K.
        centres: z, (M, d).
        coefficients: rows (c_j, g_j), (M, d + 1); or c alone, (M,).
        x: points (n, d).

    Returns:
        (n, d + 1): rows (f(x_i), ∇f(x_i)). NumPy in, NumPy out; JAX in, JAX out, and traceable.
    """
    if isinstance(kernel, UniformKernel) and _is_compiled(kernel, centres, coefficients, x):
        return uniform_sum(float(kernel.radius), centres, coefficients, x, gradients=True)
    return _blocked(kernel, centres, coefficients, x, True)


def value_sum(kernel: Kernel, centres: Array, coefficients: Array, x: Array) -> Array:
    """Values alone, (n,), of the function that `hermite_sum` describes."""
    if isinstance(kernel, UniformKernel) and _is_compiled(kernel, centres, coefficients, x):
        return uniform_sum(float(kernel.radius), centres, coefficients, x, gradients=False)[:, 0]
    return _blocked(kernel, centres, coefficients, x, False)


def _is_compiled(kernel: UniformKernel, *arrays: Array) -> bool:
    # XLA leaves a factor of five to ten on the table where a fused loop does a pair with one square root.
    return (
        kernel.order == 2
        and not isinstance(kernel.radius, jax.Array)
        and all(isinstance(array, np.ndarray) and array.dtype == np.float64 for array in arrays)
        and arrays[0].shape[1] <= 3
    )


def _blocked(kernel: Kernel, centres: Array, coefficients: Array, x: Array, gradients: bool) -> Array:
    xp = namespace(*jax.tree_util.tree_leaves(kernel), centres, coefficients, x)
    dimension = centres.shape[1]
    rows = max(1, min(64, _BLOCK // max(1, centres.shape[0] * (dimension + 1))))
    sums = _sum(kernel, jnp.asarray(centres), jnp.asarray(coefficients), jnp.asarray(x), gradients, rows)
    return sums if xp is jnp else np.asarray(sums)


@partial(jax.jit, static_argnames=("gradients", "rows"))
def _sum(kernel: Kernel, centres: Array, coefficients: Array, x: Array, gradients: bool, rows: int) -> Array:
    def at(point: Array) -> Array:
        jet = kernel.jet(centres, point)
        c = coefficients if coefficients.ndim == 1 else coefficients[:, 0]
        value = c @ jet.value
        slope = c @ jet.y_gradient
        if coefficients.ndim == 2:
            g = coefficients[:, 1:]
            value = value + jnp.sum(g * jet.x_gradient)
            slope = slope + jnp.einsum("mi,mij->j", g, jet.mixed)
        # What is not returned the compiler leaves out.
        return jnp.concatenate([value[None], slope]) if gradients else value

    return jax.lax.map(at, x, batch_size=rows)
