"""One switch between NumPy and JAX: the array namespace follows the arrays that come in."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Array = Any  # a NumPy array, a JAX array or a tracer


def namespace(*arrays: Any) -> Any:
    """`jax.numpy` if any of `arrays` is a JAX array (tracers included), otherwise `numpy`."""
    return jnp if any(isinstance(array, jax.Array) for array in arrays) else np


def unique_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The different rows of (N, d), sorted; which of them each row is, (N,); and how often each one stands."""
    if rows.shape[1] == 1:
        # Numbers sort ten times faster than rows.
        different, group, counts = np.unique(rows[:, 0], return_inverse=True, return_counts=True)
        return different[:, None], group.ravel(), counts
    different, group, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    return different, group.ravel(), counts


def finite_array(name: str, value: Any, *, dimensions: tuple[int, ...]) -> np.ndarray:
    """`value` as a float64 array with a number of axes in `dimensions` and only finite entries, or a clear error.

    Raises:
        TypeError: if `value` is not numeric (text, ragged nesting, complex numbers).
        ValueError: if it has another number of axes, or NaN or infinite entries (the first one is named).
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise TypeError(f"{name} must be a rectangular array of numbers, got sequences of uneven length.") from error
    if array.dtype == object or array.dtype.kind not in "biuf":
        try:
            if array.dtype.kind in "cMm":
                # NumPy would take the real part, or count days.
                raise TypeError(f"{array.dtype} is no type of real numbers")
            array = np.asarray(value, dtype=float)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"{name} must hold real numbers, got {array.dtype.name} entries; convert or drop the text."
            ) from error
    array = np.array(array, dtype=float)
    if array.ndim not in dimensions:
        expected = " or ".join(str(n) for n in dimensions)
        raise ValueError(f"{name} must have {expected} axes, got an array of shape {array.shape}.")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = ", ".join(str(int(i)) for i in bad[0])
        raise ValueError(
            f"{name} must be finite, but {len(bad)} of its {array.size} entries are NaN or infinite "
            f"(the first at index [{where}]); drop or impute them."
        )
    return array
