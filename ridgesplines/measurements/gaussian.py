"""Truncated powers blurred by a Gaussian, without cancellation or overflow."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special

from ridgesplines.arrays import Array, namespace

# Beyond this many deviations from the kink the Gaussian is 0, or all of it, in double precision.
_FAR = 40.0
# Beyond this many on the dark side the recursion that climbs in the order cancels, and the continued fraction converges
# to ε for the orders up to 5 within so many steps.
_DARK, _STEPS = -3.0, 40


def gaussian_average(levels: Array, deviations: Array, order: int) -> Array:
    """E ρ_m(t + s Z) with Z standard Gaussian: G_m = (t G_(m−1) + s² G_(m−2)) / (m − 1), G_1 = Φ(t/s), G_0 = φ(t/s)/s.

    Accurate to 1e-11 of itself, however far the tail (down to the smallest numbers), for the orders up to 5; of the
    blurred functional's size, s^(m−1), to a few ε. For s = 0 it is ρ_m(t). JAX in, JAX out, and differentiable:
    ∂_t G_m = G_(m−1) and ∂_s G_m = s G_(m−2), by closed forms, too.

    Args:
        levels: t, of any shape.
        deviations: s ≥ 0, of that shape.
        order: m ≥ 1.
    """
    xp = namespace(levels, deviations)
    if xp is np:
        return _average(levels, deviations, order)
    return _differentiable(jnp.asarray(levels), jnp.asarray(deviations), order)


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _differentiable(levels: Array, deviations: Array, order: int) -> Array:
    return _average(levels, deviations, order)


@_differentiable.defjvp
def _derivatives(order: int, primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    levels, deviations = primals
    value = _differentiable(levels, deviations, order)
    if order > 2:
        in_level = _differentiable(levels, deviations, order - 1)
        in_deviation = deviations * _differentiable(levels, deviations, order - 2)
    else:
        places = _standardised(levels, deviations)
        density = _density(places)
        if order == 2:
            in_level, in_deviation = _differentiable(levels, deviations, 1), density
        else:
            in_level = density / jnp.where(density > 0, deviations, 1.0)
            in_deviation = -places * in_level
    return value, in_level * tangents[0] + in_deviation * tangents[1]


def _standardised(levels: Array, deviations: Array) -> Array:
    """t / s, within ± `_FAR`."""
    xp = namespace(levels, deviations)
    far = xp.abs(levels) >= _FAR * deviations
    near = xp.where(far, 0.0, levels) / xp.where(far, 1.0, deviations)
    return xp.where(far, xp.where(levels > 0, _FAR, -_FAR), near)


def _density(places: Array) -> Array:
    return namespace(places).exp(-0.5 * places**2) / math.sqrt(2.0 * math.pi)


def _average(levels: Array, deviations: Array, order: int) -> Array:
    xp = namespace(levels, deviations)
    places = _standardised(levels, deviations)
    values = _climbing(levels, deviations, places, order)
    dark = places < _DARK
    if xp is np:
        values[dark] = _tail(deviations[dark], places[dark], order)
        return values
    return xp.where(dark, _tail(deviations, xp.where(dark, places, _DARK), order), values)


def _climbing(levels: Array, deviations: Array, places: Array, order: int) -> Array:
    """By the recursion in the order: for t ≥ 0 all of its terms are nonnegative."""
    xp = namespace(levels, deviations)
    distribution: Any = scipy.special.ndtr if xp is np else jax.scipy.special.ndtr
    current = distribution(places)
    if order == 1:
        return current
    previous, current = current, levels * current + deviations * _density(places)
    for degree in range(2, order):
        previous, current = current, (levels * current + deviations**2 * previous) / degree
    return current


def _tail(deviations: Array, places: Array, order: int) -> Array:
    """For places < 0, where G is the solution of the recursion that decreases fastest in the order.

    The ratios r_n = G_(n+1) / (s G_n) are 1 / (|x| + (n + 1) r_(n+1)), all terms positive: run from high up, where the
    ratio hardly matters and is nearly that of the recursion's fixed point.
    """
    xp = namespace(deviations, places)

    def descend(steps: Any, ratio: Array) -> Array:
        return 1.0 / ((order + _STEPS - steps) * ratio - places)

    ratio, product = 2.0 / (xp.sqrt(places**2 + 4.0 * (order + _STEPS)) - places), _density(places)
    if xp is np:
        for steps in range(_STEPS):
            ratio = descend(steps, ratio)
    else:
        ratio = jax.lax.fori_loop(0, _STEPS, descend, ratio)
    for n in range(order - 1, -1, -1):
        ratio = 1.0 / ((n + 1) * ratio - places)
        product = product * (ratio * deviations if n else ratio)
    return product
