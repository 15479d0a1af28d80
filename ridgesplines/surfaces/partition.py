"""A function made of a coarse one and local corrections, blended by a smooth partition of unity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ridgesplines.archive import part_of
from ridgesplines.arrays import Array, namespace
from ridgesplines.kernel_spline import BoxedSpline, KernelSpline
from ridgesplines.polynomials import Polynomial, monomial_count

# Corrections made ready for many points that are kept: those of a box and its neighbours.
_READY = 16


class PartitionedSpline:
    """f = f_0 + Σ_i b_i g_i / (Σ_i b_i + Π_i (1 − b_i)) on R^d: kernel splines g_i that correct f_0 near boxes.

    b_i is 1 in box i, falls to 0 over its border, and is a product of polynomials of degree 5 along the axes: f has two
    continuous derivatives wherever f_0 and the g_i have them. The denominator is at least 1. Within the boxes the
    weights b_i / Σ b_i are a partition of unity, so that f vanishes where all f_0 + g_i with b_i > 0 do; far from all
    boxes f = f_0.

    It evaluates NumPy to NumPy; JAX arrays come back as JAX arrays, but are not traced through.

    Attributes:
        coarse: f_0.
        corrections: g_i, or None for g_i = 0.
        low: corners of the boxes, (K, d).
        high: the opposite corners, (K, d).
        borders: how far beyond its box b_i reaches, (K,).

    Raises:
        ValueError: if shapes do not fit together, or a box or border is empty.

    Source: Wendland (2005), Scattered Data Approximation, section 15.4; williams_2021 for the kernel.
    """

    def __init__(
        self,
        coarse: KernelSpline,
        corrections: Sequence[KernelSpline | None],
        low: np.ndarray,
        high: np.ndarray,
        borders: np.ndarray,
    ) -> None:
        self.coarse, self.corrections = coarse, tuple(corrections)
        self.low, self.high, self.borders = (np.asarray(each, dtype=float) for each in (low, high, borders))
        shape = (len(self.corrections), coarse.dimension)
        if self.low.shape != shape or self.high.shape != shape or self.borders.shape != shape[:1]:
            raise ValueError(
                f"low and high must have shape {shape} and borders {shape[:1]}, one row for each correction, got "
                f"{self.low.shape}, {self.high.shape} and {self.borders.shape}."
            )
        if any(each is not None and each.dimension != coarse.dimension for each in self.corrections):
            raise ValueError(f"corrections must be functions on R^{coarse.dimension}, as the coarse one is.")
        if not (np.isfinite(self.borders) & (self.borders > 0)).all():
            raise ValueError("borders must be positive.")
        if not (np.isfinite(self.low).all() and np.isfinite(self.high).all() and (self.low <= self.high).all()):
            raise ValueError("low must be finite and nowhere above high.")

    @property
    def dimension(self) -> int:
        """d, the number of inputs."""
        return self.coarse.dimension

    @property
    def centres(self) -> np.ndarray:
        """All centres, (M, d): of f_0, and of the corrections."""
        parts = [self.coarse.centres, *(each.centres for each in self.corrections if each is not None)]
        return np.concatenate([np.asarray(part) for part in parts])

    def __repr__(self) -> str:
        solved = sum(each is not None for each in self.corrections)
        count = len(self.coarse.centres)
        return f"PartitionedSpline({solved} corrections of a function with {count} centres, {self.coarse.kernel})"

    def __call__(self, x: Array) -> Array:
        """Values at `x`: (n, d) gives (n,), one point (d,) a scalar."""
        return self._at(x, gradients=False)[0]

    def gradient(self, x: Array) -> Array:
        """The gradient at `x` (n, d): (n, d); at one point (d,): (d,)."""
        return self._at(x, gradients=True)[1]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Values (n,) and gradients (n, d) in one pass."""
        return self._at(x, gradients=True)

    def in_box(self, low: np.ndarray, high: np.ndarray) -> BoxedPartition:
        """The function made ready for many points of a box, with corners (d,): see `KernelSpline.in_box`."""
        return BoxedPartition(self, low, high)

    def weights(self, i: int, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """b_i (n,) and its gradient (n, d) at points (n, d)."""
        border = self.borders[i]
        up, up_slope = _ramp((x - self.low[i]) / border + 1)
        down, down_slope = _ramp((self.high[i] - x) / border + 1)
        factors, slopes = up * down, (up_slope * down - up * down_slope) / border
        gradient = np.empty_like(x)
        for axis in range(x.shape[1]):
            gradient[:, axis] = slopes[:, axis] * np.prod(np.delete(factors, axis, axis=1), axis=1)
        return np.prod(factors, axis=1), gradient

    def reached(self, i: int, x: np.ndarray) -> np.ndarray:
        """The indices of the points (n, d) where b_i is positive."""
        border = self.borders[i]
        inside = (x[:, 0] > self.low[i, 0] - border) & (x[:, 0] < self.high[i, 0] + border)
        for axis in range(1, x.shape[1]):
            inside &= (x[:, axis] > self.low[i, axis] - border) & (x[:, axis] < self.high[i, axis] + border)
        return np.flatnonzero(inside)

    def _at(self, x: Array, gradients: bool) -> tuple[Array, Array]:
        xp = namespace(x)
        rows = np.asarray(x, dtype=float)
        single = rows.ndim == 1
        points = rows[None] if single else rows
        if points.ndim != 2 or points.shape[1] != self.dimension:
            raise ValueError(f"x must have shape (n, {self.dimension}) or ({self.dimension},), got {rows.shape}.")
        values, slopes = self.blended(points, gradients, self.coarse, lambda i: self.corrections[i])
        values, slopes = xp.asarray(values), xp.asarray(slopes)
        return (values[0], slopes[0] if gradients else slopes) if single else (values, slopes)

    def blended(
        self, x: np.ndarray, gradients: bool, coarse: KernelSpline | BoxedSpline, correction: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Values (n,), and gradients (n, d) if asked for, else (0, d); each correction is asked at its own points only.

        Args:
            x: points (n, d).
            gradients: whether to compute them.
            coarse: f_0, as it is or made ready.
            correction: gives g_i, or what evaluates like it, or None.
        """
        values, slopes = _evaluated(coarse, x, gradients)
        total, rest = np.zeros(len(x)), np.ones(len(x))
        added = np.zeros(len(x))
        total_slope, rest_slope, added_slope = (np.zeros_like(slopes) for _ in range(3))
        for i in range(len(self.corrections)):
            here = self.reached(i, x)
            if not len(here):
                continue
            weight, slope = self.weights(i, x[here])
            if gradients:
                total_slope[here] += slope
                rest_slope[here] = rest_slope[here] * (1 - weight)[:, None] - rest[here, None] * slope
            total[here] += weight
            rest[here] *= 1 - weight
            if self.corrections[i] is None:
                continue
            value, gradient = _evaluated(correction(i), x[here], gradients)
            added[here] += weight * value
            if gradients:
                added_slope[here] += weight[:, None] * gradient + value[:, None] * slope
        whole = total + rest
        values = values + added / whole
        if gradients:
            ratio = (added / whole)[:, None]
            slopes = slopes + (added_slope - ratio * (total_slope + rest_slope)) / whole[:, None]
        return values, slopes

    # Files

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Arrays and metadata, as files store them."""
        coarse, metadata = self.coarse.to_arrays()
        arrays = {f"coarse.{name}": array for name, array in coarse.items()}
        arrays |= {"low": self.low, "high": self.high, "borders": self.borders}
        solved = [each for each in self.corrections if each is not None]
        counts = [0 if each is None else len(each.centres) for each in self.corrections]
        arrays["counts"] = np.array(counts, dtype=np.int64)
        degree = solved[0].polynomial.degree if solved else -1
        tail = np.asarray(self.coarse.coefficients).shape[1:]
        arrays["centres"] = np.concatenate([np.zeros((0, self.dimension)), *(np.asarray(s.centres) for s in solved)])
        arrays["coefficients"] = np.concatenate([np.zeros((0, *tail)), *(np.asarray(s.coefficients) for s in solved)])
        polynomials = [np.asarray(each.polynomial.coefficients) for each in solved]
        arrays["polynomials"] = np.array(polynomials).reshape(len(solved), -1) if solved else np.zeros((0, 0))
        return arrays, {**metadata, "kind": "PartitionedSpline", "correction_degree": degree}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], metadata: dict[str, Any], source: str) -> PartitionedSpline:
        """Rebuild from `to_arrays`.

        Raises:
            ValueError: naming the `source`, if something is missing or does not fit.
        """
        coarse = KernelSpline.from_arrays(part_of(arrays, "coarse"), metadata, source)
        try:
            counts, degree = arrays["counts"], int(metadata["correction_degree"])
            centres, coefficients, polynomials = (arrays[name] for name in ("centres", "coefficients", "polynomials"))
            if any(arrays[name].dtype.kind != "f" for name in ("low", "high", "borders", "centres", "coefficients")):
                raise ValueError("boxes, centres and coefficients must be real numbers.")
            if counts.ndim != 1 or counts.dtype.kind != "i" or (counts < 0).any() or counts.sum() != len(centres):
                raise ValueError("the numbers of centres do not add up.")
            if len(centres) and polynomials.shape != (np.sum(counts > 0), monomial_count(coarse.dimension, degree)):
                raise ValueError("the polynomials' coefficients do not fit their degree.")
            corrections: list[KernelSpline | None] = []
            stops, row = np.cumsum(counts), 0
            for start, stop in zip(stops - counts, stops, strict=True):
                if start == stop:
                    corrections.append(None)
                    continue
                polynomial = Polynomial(polynomials[row], coarse.dimension, degree)
                part = KernelSpline(coarse.kernel, centres[start:stop], coefficients[start:stop], polynomial)
                corrections.append(part)
                row += 1
            return cls(coarse, corrections, arrays["low"], arrays["high"], arrays["borders"])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
            raise ValueError(f"{source} does not hold a whole PartitionedSpline: {error}") from error


class BoxedPartition:
    """A `PartitionedSpline` in a box, for many points: see `PartitionedSpline.in_box`.

    Args:
        spline: the function.
        low: corner of the box, (d,).
        high: the opposite corner, (d,).
    """

    def __init__(self, spline: PartitionedSpline, low: np.ndarray, high: np.ndarray) -> None:
        self._spline = spline
        self._coarse = spline.coarse.in_box(low, high)
        self._ready: dict[int, BoxedSpline | None] = {}

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Values (n,) at points (n, d) in the box."""
        return self._spline.blended(x, False, self._coarse, self._correction)[0]

    def value_and_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (n,) and gradients (n, d) at points (n, d) in the box."""
        return self._spline.blended(x, True, self._coarse, self._correction)

    def part(self, x: np.ndarray) -> np.ndarray:
        """The first box that reaches each of the points (n, d), or K: what is near in it is evaluated together."""
        spline = self._spline
        first = np.full(len(x), len(spline.corrections))
        for i in reversed(range(len(spline.corrections))):
            first[spline.reached(i, x)] = i
        return first

    def _correction(self, i: int) -> BoxedSpline | None:
        if i not in self._ready:
            correction, spline = self._spline.corrections[i], self._spline
            border = spline.borders[i]
            if len(self._ready) == _READY:
                del self._ready[next(iter(self._ready))]
            made = None if correction is None else correction.in_box(spline.low[i] - border, spline.high[i] + border)
            self._ready[i] = made
        # The last one used is the last to go.
        self._ready[i] = self._ready.pop(i)
        return self._ready[i]


def _ramp(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """0 below 0, 1 above 1 and between t³ (10 − 15 t + 6 t²), with its derivative."""
    t = np.clip(t, 0, 1)
    return t**3 * (10 - 15 * t + 6 * t**2), 30 * (t * (1 - t)) ** 2


def _evaluated(function: KernelSpline | BoxedSpline, x: np.ndarray, gradients: bool) -> tuple[np.ndarray, np.ndarray]:
    """Values, and gradients or no rows."""
    if gradients:
        values, slopes = function.value_and_gradient(x)
        return np.asarray(values), np.asarray(slopes)
    return np.asarray(function(x)), np.zeros((0, x.shape[1]))
