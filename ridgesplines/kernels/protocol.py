"""What a kernel is: a value for every two points, derivatives in closed form, and parameters to learn."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ridgesplines.arrays import Array
from ridgesplines.checks import check_number


class Jet(NamedTuple):
    """A kernel and its first and mixed second derivatives at pairs of points, with the leading axes of the pairs.

    Attributes:
        value: K(x, y), (…).
        x_gradient: ∂K/∂x, (…, d).
        y_gradient: ∂K/∂y, (…, d).
        mixed: ∂²K/∂x∂yᵀ, (…, d, d); rows are derivatives in x.
    """

    value: Array
    x_gradient: Array
    y_gradient: Array
    mixed: Array

    def block(self) -> Array:
        """The Hermite block [K, ∂K/∂yᵀ; ∂K/∂x, ∂²K/∂x∂yᵀ], (…, d + 1, d + 1)."""
        top = jnp.concatenate([self.value[..., None], self.y_gradient], axis=-1)[..., None, :]
        rest = jnp.concatenate([self.x_gradient[..., None], self.mixed], axis=-1)
        return jnp.concatenate([top, rest], axis=-2)


class Kernel(ABC):
    """A positive semidefinite function K(x, y) of two points of R^d, any d, with its derivatives.

    A kernel is a frozen dataclass and a JAX pytree whose leaves are its parameters, so that `jax.grad` with respect to
    a kernel gives the derivatives in its parameters. Fields marked with `static()` choose a formula and are no leaves.
    Kernels add and are multiplied by positive numbers: `2.0 * GaussianKernel() + MaternKernel()`.

    A subclass gives `jet`. Its formulas stand in `jax.numpy`, work in the precision of the points, and stay finite at
    points that coincide or are opposite.
    """

    @abstractmethod
    def jet(self, x: Array, y: Array) -> Jet:
        """Value and derivatives at the pairs `x`, `y` (…, d), JAX arrays that broadcast."""

    @property
    def takes_gradients(self) -> bool:
        """Whether gradients at points are bounded functionals of the kernel's Hilbert space.

        If not, the kernel has a kink or a jump where x = y: K can be fitted to values and finite differences only, and
        the derivatives of `jet` at x = y leave the singular part out.
        """
        return True

    @property
    def null_degree(self) -> int:
        """The degree of the polynomials that have to be free for the kernel to be positive definite; −1 if none."""
        return -1

    def check_points(self, points: np.ndarray) -> None:  # noqa: B027 - most kernels take every point
        """Refuse `points` (N, d) at which the kernel is not what it claims to be.

        Raises:
            ValueError: naming the kernel's domain.
        """

    def __call__(self, x: Array, y: Array) -> Array:
        """The Gram matrix K(x_i, y_j), (n, m), of points (n, d) and (m, d).

        NumPy in, NumPy out; JAX in, JAX out. For matrices that would not fit, see `kernels.hermite_sum`.
        """
        gram = _gram(self, jnp.asarray(x), jnp.asarray(y))
        return gram if isinstance(x, jax.Array) or isinstance(y, jax.Array) else np.asarray(gram)

    def hermite(self, x: Array, y: Array) -> Array:
        """The Hermite Gram matrix ((d + 1) n, (d + 1) m), of values and gradients at points (n, d) and (m, d).

        Point by point: rows (d + 1) i … are the value and the d derivatives at x_i; columns likewise at y_j.
        NumPy in, NumPy out; JAX in, JAX out.
        """
        gram = _hermite_gram(self, jnp.asarray(x), jnp.asarray(y))
        return gram if isinstance(x, jax.Array) or isinstance(y, jax.Array) else np.asarray(gram)

    def __add__(self, other: Kernel) -> Kernel:
        from ridgesplines.kernels.combination import SumKernel

        return SumKernel(self, other) if isinstance(other, Kernel) else NotImplemented

    def __mul__(self, factor: Any) -> Kernel:
        from ridgesplines.kernels.combination import ScaledKernel

        return NotImplemented if isinstance(factor, Kernel) else ScaledKernel(self, factor)

    __rmul__ = __mul__

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        jax.tree_util.register_pytree_node(cls, _flatten, lambda static, leaves: _unflatten(cls, static, leaves))


def static(default: Any) -> Any:
    """A field of a kernel that chooses its formula: part of the pytree's structure, not one of its leaves."""
    return dataclasses.field(default=default, metadata={"static": True})


def check_parameter(name: str, value: Any, *, zero: bool = False) -> None:
    """Refuse a kernel's parameter that is not positive (or zero, where that is meant); traced ones pass.

    Raises:
        TypeError: if it is neither a number nor a JAX scalar.
        ValueError: if it is out of range.
    """
    if isinstance(value, jax.Array):
        if value.shape != ():
            raise ValueError(f"{name} must be one number, got an array of shape {value.shape}.")
        if isinstance(value, Tracer):
            return
        value = float(value)
    wanted = "zero or a positive finite number" if zero else "a positive finite number"
    check_number(name, value, wanted, lambda number: (number >= 0 if zero else number > 0) and np.isfinite(number))


def _flatten(kernel: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    fields = dataclasses.fields(kernel)
    leaves = tuple(getattr(kernel, field.name) for field in fields if not field.metadata.get("static"))
    return leaves, tuple(getattr(kernel, field.name) for field in fields if field.metadata.get("static"))


def _unflatten(cls: Any, fixed: tuple[Any, ...], leaves: Any) -> Any:
    # Without the constructor: JAX also fills trees with things that are no parameters.
    kernel = object.__new__(cls)
    leaves, fixed_values = iter(leaves), iter(fixed)
    for field in dataclasses.fields(cls):
        values = fixed_values if field.metadata.get("static") else leaves
        object.__setattr__(kernel, field.name, next(values))
    return kernel


@jax.jit
def _gram(kernel: Kernel, x: Array, y: Array) -> Array:
    return kernel.jet(x[:, None, :], y[None, :, :]).value


@jax.jit
def _hermite_gram(kernel: Kernel, x: Array, y: Array) -> Array:
    blocks = kernel.jet(x[:, None, :], y[None, :, :]).block()
    size = x.shape[1] + 1
    return blocks.transpose(0, 2, 1, 3).reshape(x.shape[0] * size, y.shape[0] * size)


class NetworkKernel(Kernel):
    """A kernel that is the mean of products of random neurons, K(x, y) = E ρ_m(w·x − b) ρ_m(w·y − b).

    A subclass has a field `order`, m, and gives `draw_neurons`.
    """

    order: int

    @abstractmethod
    def draw_neurons(self, rng: np.random.Generator, count: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
        """Random weights (count, d) and biases (count,) of which K is the expectation."""
