"""Functions made of a kernel: combinations of its values and gradients at centres, plus a polynomial."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ridgesplines.archive import read_archive, write_archive
from ridgesplines.arrays import Array, namespace
from ridgesplines.kernels import Kernel, RangeSplit, describe, from_description, hermite_sum, split_serves, value_sum
from ridgesplines.polynomials import Polynomial, monomial_count

# Centres to which evaluating all of them at each point is as fast as sums split by range.
_ALL_PAIRS = 10_000


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False, repr=False)
class KernelSpline:
    """The function f(x) = Σ_j c_j K(x, z_j) + g_j·∂K/∂z_j(x, z_j) + p(x) on R^d.

    What interpolation and ridge regression with a kernel return; with a network's kernel, an infinitely wide network.
    It evaluates NumPy to NumPy and JAX to JAX, block by block, and is a JAX pytree.

    Attributes:
        kernel: K.
        centres: z, (M, d).
        coefficients: rows (c_j, g_j), (M, d + 1); or c alone, (M,).
        polynomial: p; of degree −1, which is zero, if not given.

    Raises:
        ValueError: if shapes do not fit together.

    Source: williams_2021.
    """

    kernel: Kernel
    centres: Array
    coefficients: Array
    polynomial: Polynomial

    def __init__(
        self, kernel: Kernel, centres: Array, coefficients: Array, polynomial: Polynomial | None = None
    ) -> None:
        if not isinstance(kernel, Kernel):
            raise TypeError(f"kernel must be a Kernel, got {type(kernel).__name__}.")
        xp = namespace(centres, coefficients)
        centres, coefficients = xp.asarray(centres), xp.asarray(coefficients)
        if centres.ndim != 2 or coefficients.shape not in ((len(centres),), (len(centres), centres.shape[1] + 1)):
            raise ValueError(
                "centres (M, d) and coefficients (M,) or (M, d + 1) must share M and d, got shapes "
                f"{centres.shape} and {coefficients.shape}."
            )
        if polynomial is None:
            polynomial = Polynomial(np.zeros(0), centres.shape[1], -1)
        if polynomial.dimension != centres.shape[1]:
            raise ValueError(
                f"polynomial must be in {centres.shape[1]} variables, as the centres are, got {polynomial.dimension}."
            )
        self._set(kernel, centres, coefficients, polynomial)

    def _set(self, *values: Any) -> None:
        for name, value in zip(("kernel", "centres", "coefficients", "polynomial"), values, strict=True):
            object.__setattr__(self, name, value)

    @property
    def dimension(self) -> int:
        """d, the number of inputs."""
        return self.centres.shape[1]

    def __repr__(self) -> str:
        kind = "values and gradients" if self.coefficients.ndim == 2 else "values"
        return f"KernelSpline({self.kernel}, dimension={self.dimension}, centres={self.centres.shape[0]} ({kind}))"

    def __call__(self, x: Array) -> Array:
        """Values at `x`: (n, d) gives (n,); one point (d,) or, for d = 1, a number gives a scalar.

        For d = 1 an array (n,) is n points. Memory stays bounded however large n is.
        """
        points, single, xp = self._points(x)
        values = value_sum(self.kernel, self.centres, self.coefficients, points)
        values = xp.asarray(values + self.polynomial(points))
        return values[0] if single else values

    def gradient(self, x: Array) -> Array:
        """The gradient at `x` (n, d): (n, d); shapes as in `__call__` otherwise."""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Values (n,) and gradients (n, d) in one pass; shapes as in `__call__` otherwise."""
        points, single, xp = self._points(x)
        both = xp.asarray(hermite_sum(self.kernel, self.centres, self.coefficients, points))
        values, gradients = both[:, 0], both[:, 1:]
        values = values + self.polynomial(points)
        gradients = gradients + self.polynomial.gradient(points)
        return (values[0], gradients[0]) if single else (values, gradients)

    def in_box(self, low: np.ndarray, high: np.ndarray) -> BoxedSpline:
        """The function made ready for many points of a box, with corners (d,): sums split by range where that pays.

        That is for `UniformKernel` of order 2 with more than 10,000 centres in the plane or in space; elsewhere the
        function itself is evaluated. The error is that of `kernels.RangeSplit`.
        """
        return BoxedSpline(self, np.asarray(low, dtype=float), np.asarray(high, dtype=float))

    def _points(self, x: Array) -> tuple[Array, bool, Any]:
        xp = namespace(x, *jax.tree_util.tree_leaves((self.centres, self.coefficients, self.polynomial)))
        x = xp.asarray(x, dtype=None if isinstance(x, jax.Array) else float)
        single = x.ndim == 0 or (x.ndim == 1 and self.dimension > 1)
        points = x.reshape(1, -1) if single else x[:, None] if x.ndim == 1 else x
        if points.ndim != 2 or points.shape[1] != self.dimension:
            raise ValueError(f"x must have shape (n, {self.dimension}) or ({self.dimension},), got {x.shape}.")
        return points, single, xp

    # Files

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the function to one `.npz` file (with a format version); returns its path.

        Raises:
            ValueError: for a kernel of one's own, which a file cannot hold.
        """
        return write_archive(path, *self.to_arrays())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> KernelSpline:
        """Read what `save` wrote.

        Raises:
            ValueError: if the file is missing, damaged, of another kind or of a newer format version.
        """
        return cls.from_arrays(*read_archive(path, ("KernelSpline",)), str(path))

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Arrays and metadata, as files store them."""
        arrays = {
            "centres": np.asarray(self.centres),
            "coefficients": np.asarray(self.coefficients),
            "polynomial": np.asarray(self.polynomial.coefficients),
        }
        kernel = json.dumps(describe(self.kernel))
        return arrays, {"kind": "KernelSpline", "kernel": kernel, "degree": self.polynomial.degree}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], metadata: dict[str, Any], source: str) -> KernelSpline:
        """Rebuild from `to_arrays`.

        Raises:
            ValueError: naming the `source`, if something is missing or does not fit.
        """
        try:
            centres, degree = arrays["centres"], int(metadata["degree"])
            if arrays["polynomial"].shape != (monomial_count(centres.shape[1], degree),):
                raise ValueError("the polynomial's coefficients do not fit its degree.")
            polynomial = Polynomial(arrays["polynomial"], centres.shape[1], degree)
            kernel = from_description(json.loads(metadata["kernel"]))
            return cls(kernel, centres, arrays["coefficients"], polynomial)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"{source} does not hold a whole KernelSpline: {error}") from error

    # JAX

    def tree_flatten(self) -> tuple[tuple[Any, ...], None]:
        """Kernel, arrays and polynomial (JAX's protocol)."""
        return (self.kernel, self.centres, self.coefficients, self.polynomial), None

    @classmethod
    def tree_unflatten(cls, metadata: None, leaves: tuple[Any, ...]) -> KernelSpline:
        """Rebuild from `tree_flatten` (JAX's protocol)."""
        spline = object.__new__(cls)
        spline._set(*leaves)
        return spline


class BoxedSpline:
    """A `KernelSpline` in a box: see `KernelSpline.in_box`.

    Args:
        spline: the function.
        low: corner of the box, (d,).
        high: the opposite corner, (d,).
    """

    def __init__(self, spline: KernelSpline, low: np.ndarray, high: np.ndarray) -> None:
        self._spline, self._sum = spline, None
        kernel: Any = spline.kernel
        if len(spline.centres) > _ALL_PAIRS and split_serves(kernel, spline.dimension):
            self._sum = RangeSplit(kernel, np.asarray(spline.centres), low, high)(np.asarray(spline.coefficients))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Values (n,) at points (n, d) in the box."""
        return self._evaluated(x, False)[0]

    def value_and_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (n,) and gradients (n, d) at points (n, d) in the box."""
        return self._evaluated(x, True)

    def _evaluated(self, x: np.ndarray, gradients: bool) -> tuple[np.ndarray, np.ndarray]:
        spline = self._spline
        if self._sum is None:
            both = spline.value_and_gradient(x) if gradients else (spline(x), np.zeros((0, spline.dimension)))
            return np.asarray(both[0]), np.asarray(both[1])
        rows = self._sum.values_and_gradients(x) if gradients else self._sum.values(x)[:, None]
        values, slopes = rows[:, 0] + np.asarray(spline.polynomial(x)), rows[:, 1:]
        return values, slopes + np.asarray(spline.polynomial.gradient(x)) if gradients else slopes
