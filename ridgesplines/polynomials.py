"""The free polynomials (the null space of the regularizer): monomials, evaluation, composition, fitting.

Monomials are ordered by degree, and lexicographically within one: 1, x1, …, xd, x1², x1x2, …
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from ridgesplines.arrays import Array, namespace
from ridgesplines.geometry import AffineFrame

_UNIT = float(np.finfo(float).eps)


def monomial_count(dimension: int, degree: int) -> int:
    """dim P_degree = C(degree + d, d): the number of monomials of degree ≤ `degree` in `dimension` variables.

    The degree −1 is that of no polynomial but zero: 0.
    """
    return math.comb(degree + dimension, dimension)


@lru_cache(maxsize=64)
def _factor_table(dimension: int, degree: int) -> tuple[tuple[tuple[int, ...], ...], dict[tuple[int, ...], int]]:
    """The monomials as sorted tuples of variable indices ((), (0,), (1,), (0, 0), …) and the index of each."""
    factors = tuple(
        monomial
        for total in range(degree + 1)
        for monomial in itertools.combinations_with_replacement(range(dimension), total)
    )
    return factors, {monomial: index for index, monomial in enumerate(factors)}


@lru_cache(maxsize=64)
def _division_table(dimension: int, degree: int) -> np.ndarray:
    """(P, d) table: the index of (monomial j) / x_i, or P where x_i does not divide it."""
    factors, index_of = _factor_table(dimension, degree)
    table = np.full((len(factors), dimension), len(factors))
    for j, monomial in enumerate(factors):
        for i in set(monomial):
            quotient = list(monomial)
            quotient.remove(i)
            table[j, i] = index_of[tuple(quotient)]
    return table


def _times_affine(coefficients: Array, weights: Array, constants: Array, degree: int) -> Array:
    """Row by row, the coefficients (K, P) of p_k(x) (w_k·x + c_k); terms beyond `degree` must be absent."""
    xp = namespace(coefficients, weights, constants)
    padded = xp.concatenate([coefficients, xp.zeros((coefficients.shape[0], 1))], axis=1)
    shifted = padded[:, _division_table(weights.shape[1], degree)]
    return constants[:, None] * coefficients + xp.einsum("kpi,ki->kp", shifted, weights)


def monomials(points: Array, degree: int) -> Array:
    """All monomials of degree ≤ `degree` at `points` (n, d): an array (n, P)."""
    xp = namespace(points)
    factors, _ = _factor_table(points.shape[1], degree)
    if not factors:
        return xp.zeros((points.shape[0], 0), dtype=points.dtype)
    columns = [xp.ones(points.shape[0], dtype=points.dtype)]
    for monomial in factors[1:]:
        columns.append(xp.prod(points[:, list(monomial)], axis=1))
    return xp.stack(columns, axis=1)


def monomial_gradients(points: Array, degree: int) -> Array:
    """The gradients of all monomials of degree ≤ `degree` at `points` (n, d): an array (n, P, d)."""
    xp = namespace(points)
    dimension = points.shape[1]
    factors, _ = _factor_table(dimension, degree)
    exponents = np.array([[monomial.count(i) for i in range(dimension)] for monomial in factors], dtype=float)
    padded = xp.concatenate([monomials(points, degree), xp.zeros((points.shape[0], 1), dtype=points.dtype)], axis=1)
    return padded[:, _division_table(dimension, degree)] * exponents.reshape(len(factors), dimension)


def describe(coefficients: np.ndarray, dimension: int, degree: int) -> str:
    """A polynomial that is not zero, (P,), as text, up to a factor: "x1 − 2 x2 + 1"."""
    factors, _ = _factor_table(dimension, degree)
    present = np.abs(coefficients) > 1e-9 * np.abs(coefficients).max()
    # The term that is written first has the factor 1.
    values = coefficients / coefficients[np.flatnonzero(present)[int(present[0] and present[1:].any())]]
    terms = []
    for value, monomial in zip(values[present], [f for f, p in zip(factors, present, strict=True) if p], strict=True):
        powers = [(i, monomial.count(i)) for i in sorted(set(monomial))]
        names = [f"x{i + 1}" + ("²³"[power - 2] if power > 1 else "") for i, power in powers]
        number = f"{abs(value):.4g}"
        terms.append(("−" if value < 0 else "+", " ".join(([] if names and number == "1" else [number]) + names)))
    # The constant comes last.
    first, *others = terms[1:] + terms[:1] if present[0] else terms
    return first[1] + "".join(f" {sign} {term}" for sign, term in others)


def compose_affine(coefficients: Array, degree: int, matrix: Array, offset: Array) -> Array:
    """Coefficients of q(t) = p(A t + x0) from those of p.

    Args:
        coefficients: (P,) or (P, D) of p, of degree ≤ `degree` in d variables.
        degree: the degree of p, and of q.
        matrix: A, (d, r).
        offset: x0, (d,).
    """
    xp = namespace(coefficients, matrix, offset)
    dimension, new_dimension = matrix.shape
    factors, index_of = _factor_table(dimension, degree)
    if not factors:
        return coefficients
    images: list[Array] = [xp.asarray(np.eye(1, monomial_count(new_dimension, degree)))]
    for monomial in factors[1:]:
        # Each monomial of p is its parent times one variable, and that variable is affine in t.
        parent, variable = images[index_of[monomial[:-1]]], monomial[-1]
        images.append(_times_affine(parent, matrix[variable][None], offset[variable][None], degree))
    return xp.concatenate(images).T @ coefficients


def ridge_power(weights: Array, biases: Array, degree: int) -> Array:
    """Coefficients (K, P) of the polynomials (w_k·x − b_k)^degree."""
    count, dimension = weights.shape
    powers = namespace(weights, biases).asarray(np.eye(1, monomial_count(dimension, degree)).repeat(count, axis=0))
    for _ in range(degree):
        powers = _times_affine(powers, weights, -biases, degree)
    return powers


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False)
class Polynomial:
    """A polynomial of degree ≤ `degree` on R^d with D outputs, a JAX pytree.

    Attributes:
        coefficients: (P,) for one output or (P, D), in the graded order 1, x1, …, xd, x1², x1x2, …
        dimension: d.
        degree: the degree bound; P = C(degree + d, d).
    """

    coefficients: Array
    dimension: int
    degree: int

    def __call__(self, points: Array) -> Array:
        """Values at `points` (n, d): (n,) or (n, D)."""
        return monomials(points, self.degree) @ self.coefficients

    def gradient(self, points: Array) -> Array:
        """The gradient at `points` (n, d): (n, d) for one output, (n, D, d) for D."""
        xp = namespace(points, self.coefficients)
        return xp.einsum("npd,p...->n...d", monomial_gradients(points, self.degree), self.coefficients)

    def raised(self, degree: int) -> Polynomial:
        """The same polynomial among those of a degree at least as large."""
        xp = namespace(self.coefficients)
        more = monomial_count(self.dimension, degree) - self.coefficients.shape[0]
        rows = xp.zeros((more, *self.coefficients.shape[1:]), dtype=self.coefficients.dtype)
        return Polynomial(xp.concatenate([self.coefficients, rows]), self.dimension, degree)

    def compose(self, matrix: Array, offset: Array) -> Polynomial:
        """t ↦ p(A t + x0), with A (d, r) and x0 (d,)."""
        coefficients = compose_affine(self.coefficients, self.degree, matrix, offset)
        return Polynomial(coefficients, matrix.shape[1], self.degree)

    def tree_flatten(self) -> tuple[tuple[Array], tuple[int, int]]:
        """The coefficients as the only leaf (JAX's protocol)."""
        return (self.coefficients,), (self.dimension, self.degree)

    @classmethod
    def tree_unflatten(cls, metadata: tuple[int, int], leaves: tuple[Any, ...]) -> Polynomial:
        """Rebuild from `tree_flatten` (JAX's protocol)."""
        return cls(leaves[0], *metadata)


@dataclass(frozen=True)
class PolynomialFit:
    """Least squares on measured polynomials of degree ≤ `degree`, stable under shift and scale.

    The measurements (values at points, or any linear functionals) may fail to determine the polynomial, as those at
    collinear points in the plane do: the fit is then the one of least norm in centred, scaled coordinates.

    Attributes:
        basis: (N, r) orthonormal columns that span the measured polynomials; r is the dimension of these.
        degree: the degree of the polynomials; −1 if there is none but zero.
        defect: how far unit vectors of the span may be from the basis, by rounding: a few ε, because the basis is
            computed in extended precision (where the platform has it; otherwise it grows with the condition).
    """

    basis: np.ndarray
    degree: int
    defect: float
    _centre: np.ndarray  # (d,)
    _axes: np.ndarray  # (r, d): from centred points to coordinates of unit variance along the principal axes
    _solve: np.ndarray  # (P, N): from measurements to coefficients in those coordinates

    @classmethod
    def at(cls, points: np.ndarray, degree: int) -> PolynomialFit:
        """Prepare the fit at `points` (N, d)."""

        def sample(degree: int, centre: np.ndarray, axes: np.ndarray) -> np.ndarray:
            return monomials((points.astype(axes.dtype) - centre) @ axes.T, degree)

        return cls.of(sample, points, degree, centres=points)

    @classmethod
    def of(
        cls,
        measure: Callable[[int, np.ndarray, np.ndarray], np.ndarray],
        places: np.ndarray,
        degree: int,
        centres: np.ndarray | None = None,
    ) -> PolynomialFit:
        """Prepare the fit to any linear functionals.

        Args:
            measure: from (degree, centre (d,), axes (r, d)) to the N functionals of the monomials of t = axes (x −
                centre), (N, P), in the precision of the axes.
            places: (M, d), as far apart as what the functionals see: they choose the coordinates, t of unit variance.
            degree: of the polynomials; −1 for none but zero.
            centres: (N, d), if each functional is, on affine functions, a multiple of the value there.
        """
        dimension = places.shape[1]
        if degree < 0:
            nothing = measure(degree, np.zeros(dimension), np.zeros((0, dimension)))
            return cls(nothing, degree, 0.0, np.zeros(dimension), np.zeros((0, dimension)), nothing.T)
        frame = AffineFrame.of(places)
        # Polynomials do not mind a change of variables, but their monomials do: the same size along each axis.
        _, spreads, rows = np.linalg.svd(frame.coordinates, full_matrices=False)
        axes = (rows / (spreads[:, None] / np.sqrt(len(places)))) @ frame.basis.T
        measured = measure(degree, frame.centre, axes)
        left, values, right = np.linalg.svd(measured, full_matrices=False)
        if degree == 1 and centres is not None:
            # Which directions points span is the frame's decision, so that oracles and polynomials agree on it.
            rank = (frame if centres is places else AffineFrame.of(centres)).rank + 1
        else:
            rank = int(np.sum(values > values[0] * max(measured.shape) * _UNIT))
        solve = (right[:rank].T / values[:rank]) @ left[:, :rank].T
        basis = _orthonormal(measure(degree, frame.centre, axes.astype(np.longdouble)), rank)
        condition = float(values[0] / values[rank - 1]) if rank else 1.0
        defect = 8 * (_UNIT + condition * float(np.finfo(np.longdouble).eps))
        return cls(basis, degree, defect, frame.centre, axes, solve)

    def project_off(self, values: np.ndarray) -> np.ndarray:
        """`values` (N,) or (N, K) less their orthogonal projection on the measured polynomials."""
        remainder = values - self.basis @ (self.basis.T @ values)
        # Twice is enough: the second pass removes what rounding left of the first.
        return remainder - self.basis @ (self.basis.T @ remainder)

    def __call__(self, values: np.ndarray) -> Polynomial:
        """The polynomial whose measurements are closest to `values` (N,) or (N, D) in least squares."""
        reduced = Polynomial(self._solve @ values, len(self._axes), self.degree)
        return reduced.compose(self._axes, -self._axes @ self._centre)


def _orthonormal(columns: np.ndarray, rank: int) -> np.ndarray:
    """An orthonormal basis (N, rank), in double precision, of the span of extended-precision `columns` (N, P).

    Gram and Schmidt, each column twice, the largest remainder first.
    """
    remainder = columns / np.sqrt(np.sum(columns**2, axis=0)).clip(np.finfo(float).tiny)
    basis = np.zeros((len(columns), rank), dtype=columns.dtype)
    for k in range(rank):
        sizes = np.sum(remainder**2, axis=0)
        vector = remainder[:, int(np.argmax(sizes))]
        for _ in range(2):
            vector = vector - basis[:, :k] @ (basis[:, :k].T @ vector)
        basis[:, k] = vector / np.sqrt(np.sum(vector**2))
        remainder = remainder - np.outer(basis[:, k], basis[:, k] @ remainder)
    return basis.astype(float)


def rank_is_at_most(rank: int, points: np.ndarray, degree: int) -> bool:
    """Whether the polynomials of degree ≤ `degree`, sampled at `points` (N, d), span at most `rank` dimensions exactly.

    Decided in rational arithmetic, which floating-point numbers are part of.
    """
    pivots: list[tuple[int, list[Fraction]]] = []
    for point in np.unique(points, axis=0).tolist():
        exact = [Fraction(x) for x in point]
        row = [
            math.prod(chosen, start=Fraction(1))
            for total in range(degree + 1)
            for chosen in itertools.combinations_with_replacement(exact, total)
        ]
        for column, other in pivots:
            if row[column]:
                row = [a - row[column] * b for a, b in zip(row, other, strict=True)]
        column = next((k for k, a in enumerate(row) if a), None)
        if column is not None:
            if len(pivots) == rank:
                return False
            pivots.append((column, [a / row[column] for a in row]))
    return True
