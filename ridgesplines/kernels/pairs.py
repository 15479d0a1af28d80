"""Pairs of points: lengths, directions and angles that lose no digits, and have derivatives, where points coincide."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp

from ridgesplines.arrays import Array
from ridgesplines.kernels.protocol import Jet


def dot(a: Array, b: Array) -> Array:
    """a·b over the last axis, of arrays that broadcast; elementwise, so that it fuses."""
    return jnp.sum(a * b, axis=-1)


def outer(a: Array, b: Array) -> Array:
    """a bᵀ over the last axes."""
    return a[..., :, None] * b[..., None, :]


def root(square: Array) -> Array:
    """√max(square, 0), with derivative 0 at 0 instead of infinity."""
    positive = square > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1.0)), 0.0)


def ratio(numerator: Array, denominator: Array) -> Array:
    """numerator / denominator, and 0 where the denominator is not positive."""
    positive = denominator > 0
    return jnp.where(positive, numerator / jnp.where(positive, denominator, 1.0), 0.0)


def unit(vectors: Array) -> Array:
    """Unit vectors along `vectors` (…, d), and 0 for the zero vector."""
    # Scaled first: squares of tiny numbers underflow, in 32 bits from 1e-23 on.
    size = jnp.max(jnp.abs(vectors), axis=-1, keepdims=True)
    scaled = ratio(vectors, size)
    return ratio(scaled, root(dot(scaled, scaled))[..., None])


class Lift(NamedTuple):
    """Points lifted to X = [s x; t] and Y = [s y; t]: what the kernels of Gaussian neurons are functions of.

    Attributes:
        x: s x, (…, d).
        y: s y, (…, d).
        step: s (y − x), which s y − s x has lost digits of, (…, d).
        x_square: |X|².
        y_square: |Y|².
        dot: X·Y.
        wedge: |X ∧ Y| = |X| |Y| sin θ.
        rest: π − θ, with θ the angle between X and Y.
        last: t.
    """

    x: Array
    y: Array
    step: Array
    x_square: Array
    y_square: Array
    dot: Array
    wedge: Array
    rest: Array
    last: Array

    @classmethod
    def of(cls, x: Array, y: Array, weight_variance: Array, bias_variance: Array) -> Lift:
        """The lift with s² = `weight_variance` and t² = `bias_variance`."""
        step, middle = y - x, (x + y) / 2
        step_square = dot(step, step)
        # |x ∧ y| = |middle ∧ step|, and only the part of the middle across the step counts: no cancellation between
        # points that are nearly equal or parallel, and symmetric to the last bit.
        across = middle - ratio(dot(middle, step), step_square)[..., None] * step
        wedge_square = step_square * dot(across, across)
        wedge = root(weight_variance * (bias_variance * step_square + weight_variance * wedge_square))
        product = weight_variance * dot(x, y) + bias_variance
        apart = (wedge != 0) | (product != 0)
        theta = jnp.arctan2(wedge, jnp.where(apart, product, 1.0))
        return cls(
            root(weight_variance) * x,
            root(weight_variance) * y,
            root(weight_variance) * step,
            weight_variance * dot(x, x) + bias_variance,
            weight_variance * dot(y, y) + bias_variance,
            product,
            wedge,
            jnp.pi - theta,
            root(bias_variance) * jnp.ones_like(product),
        )

    def bisectors(self) -> tuple[Array, Array]:
        """The first d entries of the unit vectors along X/|X| + Y/|Y| and Y/|Y| − X/|X|, each (…, d)."""
        x_length, y_length = root(self.x_square)[..., None], root(self.y_square)[..., None]
        last = self.last[..., None]
        full_x, full_y = (
            unit(jnp.concatenate([side, jnp.broadcast_to(last, (*side.shape[:-1], 1))], axis=-1))
            for side in jnp.broadcast_arrays(self.x, self.y)
        )
        # |X| Y − |Y| X, twice, from the difference of the points: that of unit vectors would cancel.
        both, lengths = self.x + self.y, x_length + y_length
        excess = ratio(dot(self.step, both)[..., None], lengths)  # |Y| − |X|
        difference = jnp.concatenate([lengths * self.step - excess * both, -2 * excess * last], axis=-1)
        return unit(full_x + full_y)[..., :-1], unit(difference)[..., :-1]


def radial_jet(x: Array, y: Array, profile: tuple[Array, Array, Array]) -> Jet:
    """The jet of φ(|x − y|) from φ, φ′/r and φ″ − φ′/r at r = |x − y|, each (…)."""
    value, slope, bend = profile
    step = y - x
    direction = unit(step)
    gradient = slope[..., None] * step
    identity = jnp.eye(step.shape[-1], dtype=step.dtype)
    mixed = -slope[..., None, None] * identity - bend[..., None, None] * outer(direction, direction)
    return Jet(value, -gradient, gradient, mixed)


def distance(x: Array, y: Array) -> Array:
    """|x − y|, with derivative 0 where they coincide."""
    step = y - x
    return root(dot(step, step))
