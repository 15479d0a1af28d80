"""Kernel sums over many points, block by block: no matrix of all pairs is ever held."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from ridgesplines.arrays import Array, namespace
from ridgesplines.kernels.compiled import gaussian_sum, uniform_sum
from ridgesplines.kernels.gaussian import GaussianKernel
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
    found = _compiled_sum(kernel, centres, coefficients, x, gradients=True)
    return _blocked(kernel, centres, coefficients, x, True) if found is None else found


def value_sum(kernel: Kernel, centres: Array, coefficients: Array, x: Array) -> Array:
    """Values alone, (n,), of the function that `hermite_sum` describes."""
    found = _compiled_sum(kernel, centres, coefficients, x, gradients=False)
    return _blocked(kernel, centres, coefficients, x, False) if found is None else found[:, 0]


def _compiled_sum(
    kernel: Kernel, centres: Array, coefficients: Array, x: Array, *, gradients: bool
) -> np.ndarray | None:
    """The sums by compiled loops, where there is one for the kernel and arrays; else None."""
    # XLA leaves a factor of five to ten on the table where a fused loop does a pair with one square root.
    arrays = [np.asarray(each) for each in (centres, coefficients, x) if isinstance(each, np.ndarray)]
    plain = len(arrays) == 3 and all(each.dtype == np.float64 for each in arrays) and x.shape[1] <= 3
    parameters = jax.tree_util.tree_leaves(kernel)
    if not plain or any(isinstance(parameter, jax.Array) for parameter in parameters):
        return None
    if isinstance(kernel, UniformKernel) and kernel.order == 2:
        return uniform_sum(float(kernel.radius), *arrays, gradients=gradients)
    if isinstance(kernel, GaussianKernel) and kernel.order == 2:
        variances = float(kernel.weight_variance), float(kernel.bias_variance)
        return gaussian_sum(*variances, *arrays, gradients=gradients)
    return None


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
