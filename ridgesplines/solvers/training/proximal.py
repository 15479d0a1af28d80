"""The proximal operator of the path norm of a neuron."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ridgesplines.arrays import Array
from ridgesplines.norms import sizes
from ridgesplines.solvers.training.network import Parameters

# Points at which the one-dimensional problem is looked at, to find the best of its local minima.
_GRID = 33
_GOLDEN, _NEWTON = 24, 4
_RATIO = 0.6180339887498949


def prox_product(weight: Array, coefficient: Array, threshold: Array, degree: int) -> tuple[Array, Array]:
    """argmin over p, q ≥ 0 of ½ (p − α)² + ½ (q − β)² + τ p^(m−1) q: the lengths that the two parts of a neuron keep.

    For m = 2 in closed form: (α − τβ, β − τα) / (1 − τ²) if τ < 1 and both are positive; otherwise the shorter part
    is zero and the longer one stays. For m > 2 the best q for p is (β − τ p^(m−1))₊, and the p ≤ α that is left to
    find is looked for on a grid, then by golden sections and Newton steps.

    Args:
        weight: α = ‖w_k‖₂, (K,).
        coefficient: β = ‖v_k‖₂, (K,).
        threshold: τ ≥ 0.
        degree: m − 1.

    Returns:
        p and q, each (K,).

    Source: yang_2022 for m = 2.
    """
    if degree == 1:
        inside = (weight > threshold * coefficient) & (coefficient > threshold * weight) & (threshold < 1)
        divisor = jnp.where(threshold < 1, 1 - threshold**2, 1.0)
        first = jnp.where(inside, (weight - threshold * coefficient) / divisor, weight)
        second = jnp.where(inside, (coefficient - threshold * weight) / divisor, coefficient)
        lost = ~inside
        longer = weight >= coefficient
        return jnp.where(lost & ~longer, 0.0, first), jnp.where(lost & longer, 0.0, second)

    def value(p: Array) -> Array:
        short = jnp.maximum(coefficient - threshold * p**degree, 0.0)
        # ½ (q − β)² + τ p^(m−1) q = ½ (β² − q²) at the best q.
        return 0.5 * (p - weight) ** 2 - 0.5 * short**2

    steps = jnp.arange(_GRID, dtype=weight.dtype) / (_GRID - 1)
    best = jnp.argmin(jax.vmap(lambda share: value(share * weight))(steps), axis=0)
    low = jnp.maximum(best - 1, 0) / (_GRID - 1) * weight
    high = jnp.minimum(best + 1, _GRID - 1) / (_GRID - 1) * weight

    def section(_: int, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        left, right = high - _RATIO * (high - low), low + _RATIO * (high - low)
        lower = value(left) <= value(right)
        return jnp.where(lower, low, left), jnp.where(lower, right, high)

    low, high = jax.lax.fori_loop(0, _GOLDEN, section, (low.astype(weight.dtype), high.astype(weight.dtype)))
    found = 0.5 * (low + high)

    def newton(_: int, p: Array) -> Array:
        rest = coefficient - threshold * p**degree
        slope = p - weight + jnp.where(rest > 0, degree * threshold * p ** (degree - 1) * rest, 0.0)
        bend = (
            degree * threshold * ((degree - 1) * p ** (degree - 2) * rest - degree * threshold * p ** (2 * degree - 2))
        )
        curvature = 1 + jnp.where(rest > 0, bend, 0.0)
        step = jnp.where(curvature > 0, slope / jnp.where(curvature > 0, curvature, 1.0), 0.0)
        # Golden sections end this near.
        return jnp.clip(p - step, low - (high - low), jnp.minimum(high + (high - low), weight))

    first = jnp.maximum(jax.lax.fori_loop(0, _NEWTON, newton, found), 0.0)
    # With nothing left of the coefficient, the weight may stay as it is.
    stays = value(weight) <= value(first)
    first = jnp.where(stays, weight, first)
    return first, jnp.maximum(coefficient - threshold * first**degree, 0.0)


def prox_path_norm(parameters: Parameters, threshold: Array, degree: int) -> Parameters:
    """argmin over networks of ½ ‖network − parameters‖² + τ Σ_k ‖v_k‖ ‖w_k‖₂^(m−1): neurons shrink, some to zero.

    The optimum keeps the directions of w_k and v_k, and their lengths are those of `prox_product`.

    Source: yang_2022.
    """
    weight = jnp.linalg.norm(parameters.weights, axis=1)
    coefficient = sizes(parameters.coefficients)
    first, second = prox_product(weight, coefficient, threshold, degree)
    shrink = first / jnp.where(weight > 0, weight, 1.0)
    return parameters._replace(
        weights=parameters.weights * shrink[:, None],
        coefficients=(parameters.coefficients.T * (second / jnp.where(coefficient > 0, coefficient, 1.0))).T,
    )


def soft_threshold(parameters: Parameters, thresholds: Array) -> Parameters:
    """argmin over v of ½ ‖v − v_k‖² + τ_k ‖v‖ for each neuron: the coefficients alone shrink."""
    lengths = sizes(parameters.coefficients)
    shrink = jnp.maximum(lengths - thresholds, 0.0) / jnp.where(lengths > 0, lengths, 1.0)
    return parameters._replace(coefficients=(parameters.coefficients.T * shrink).T)
