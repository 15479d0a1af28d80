"""Kernel problems by a dense Cholesky factorization."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, lapack, qr, solve_triangular
from scipy.linalg.blas import dsymv  # type: ignore[attr-defined] # not in the stubs

from ridgesplines.checks import check_number
from ridgesplines.kernel_problem import KernelProblem, check_kernel_problem, nugget_product
from ridgesplines.kernel_solution import KernelSolution, KernelStatus, measured
from ridgesplines.kernel_spline import KernelSpline
from ridgesplines.polynomials import Polynomial, monomial_count, monomials
from ridgesplines.progress import Progress

_EPS = float(np.finfo(float).eps)
# Refinement steps at most: two remove the factorization's rounding, more undo a jitter where that is possible.
_REFINEMENTS = 30


@dataclass(frozen=True)
class DenseCholesky:
    """Solve a `KernelProblem` by factorizing the matrix of all values and gradients, with iterative refinement.

    O(((d + 1) N)³) operations: to about N = 2000 points with normals in space. Free polynomials are eliminated first,
    by reflections, which leaves a positive definite matrix for conditionally definite kernels, too.

    Args:
        memory: refuse to factorize a matrix of more bytes than this.

    Raises:
        ValueError: if `memory` is not positive.
    """

    memory: float = 4e9

    def __post_init__(self) -> None:
        check_number("memory", self.memory, "a positive number of bytes", lambda value: value > 0)

    def solve(self, problem: KernelProblem, *, progress: bool | None = None) -> KernelSolution:
        """The solution, with its errors.

        Args:
            problem: the problem.
            progress: show a line of progress; None shows it on a terminal.

        Raises:
            ValueError: if the matrix would not fit, or there are fewer data than free polynomials.
            numpy.linalg.LinAlgError: if the matrix stays indefinite whatever is added to its diagonal.
        """
        check_kernel_problem(problem)
        count = len(problem.points)
        rows = count * problem.size
        if 8.0 * rows**2 > self.memory:
            fits = int((self.memory / 8) ** 0.5 / problem.size)
            raise ValueError(
                f"a dense matrix for {count} points needs {8e-9 * rows**2:.1f} GB, more than memory={self.memory:.3g} "
                f"bytes, which {fits} points would fit; use rs.ConjugateGradients() or fewer points."
            )
        free = _FreePolynomials(problem)
        jitter = 0.0
        seconds = {}
        with Progress(progress) as show:
            while True:
                show(f"assembling the matrix of {rows} rows")
                start = time.perf_counter()
                matrix, right = problem.matrix(), problem.data.ravel()
                size = float(np.mean(np.diagonal(matrix)))
                matrix[np.diag_indices(rows)] += jitter
                reduced, right_reduced = free.reduce(matrix, right)
                seconds["assembly"] = time.perf_counter() - start
                show(f"factorizing the matrix of {rows} rows" + f", jitter {jitter:.1e}" * (jitter > 0))
                start = time.perf_counter()
                solution = _refined(reduced, right_reduced, jitter)
                seconds["factorization"] = time.perf_counter() - start
                if solution is not None:
                    break
                jitter = max(10 * jitter, 4 * _EPS * size)
                if jitter > 1e-4 * size:
                    raise LinAlgError(f"the matrix of {problem.kernel} at these points is not positive definite.")
            coefficients = free.expand(solution)
            spline = KernelSpline(problem.kernel, problem.points, _shaped(coefficients, problem))
            if free.count:
                # What the kernel part leaves is a polynomial on the data, but for rounding.
                rest = right - _assembled_product(problem, coefficients)
                spline = KernelSpline(problem.kernel, spline.centres, spline.coefficients, free.polynomial(rest))
            return measured(problem, spline, KernelStatus.DIRECT, jitter=jitter, seconds=seconds)


def _shaped(coefficients: np.ndarray, problem: KernelProblem) -> np.ndarray:
    return coefficients if problem.size == 1 else coefficients.reshape(-1, problem.size)


def _assembled_product(problem: KernelProblem, coefficients: np.ndarray) -> np.ndarray:
    """The matrix of the equations times a vector, without the matrix."""
    spline = KernelSpline(problem.kernel, problem.points, _shaped(coefficients, problem))
    if problem.size == 1:
        fitted = np.asarray(spline(problem.points))
    else:
        values, gradients = spline.value_and_gradient(problem.points)
        fitted = np.concatenate([values[:, None], gradients], axis=1).ravel()
    return fitted + nugget_product(problem.nuggets, coefficients).ravel()


def _refined(matrix: np.ndarray, right: np.ndarray, jitter: float) -> np.ndarray | None:
    """The solution of (`matrix` − `jitter`) x = `right`, or None if the matrix is not positive definite.

    Overwrites the matrix. Each step takes the error of an eigenvector down by jitter / (eigenvalue + jitter).
    """
    if not len(matrix):
        return np.zeros(0)
    diagonal = np.diagonal(matrix).copy()
    try:
        factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError:
        return None
    # The factor stands in the lower triangle; the upper one still holds the matrix, but for its diagonal.
    correction = diagonal - jitter - np.diagonal(factor[0])
    solution = best = cho_solve(factor, right, check_finite=False)
    error = np.inf
    for _ in range(_REFINEMENTS):
        residual = right - dsymv(1.0, factor[0], solution, lower=0) - correction * solution
        size = float(np.linalg.norm(residual))
        if size < error:
            best = solution
        if not size < 0.8 * error:
            break
        error = size
        solution = solution + cho_solve(factor, residual, check_finite=False)
    return best if np.isfinite(best).all() else None


class _FreePolynomials:
    """The free polynomials on the data, eliminated by Householder reflections.

    With Q = [Q₁ Q₂] from the factorization of their matrix, the coefficients are Q₂ z and Q₂ᵀ A Q₂ z = Q₂ᵀ b.
    """

    def __init__(self, problem: KernelProblem) -> None:
        points, self._degree = problem.points, problem.free_degree
        self._dimension = points.shape[1]
        self._size = problem.size
        # Monomials of centred points of unit size, or high degrees lose their digits.
        self._centre = points.mean(axis=0)
        self._scale = float(np.abs(points - self._centre).max()) or 1.0
        basis = self._rows(points)
        if not basis.shape[1]:
            self._reflectors, self._taus, self._triangle, self._columns = (
                basis,
                np.zeros(0),
                basis[:0],
                np.zeros(0, int),
            )
            return
        # The points may not tell all polynomials apart (points on a line in the plane): some columns then stay zero.
        factors: Any = qr(basis, mode="r", pivoting=True)
        triangle, pivots = factors
        sizes = np.abs(np.diagonal(triangle))
        self._columns = np.sort(pivots[: int(np.sum(sizes > 1e-12 * sizes[0]))])
        reflectors, self._taus, _, info = lapack.dgeqrf(  # type: ignore[attr-defined] # not in the stubs
            basis[:, self._columns]
        )
        assert info == 0
        self._triangle = np.triu(reflectors[: len(self._columns)])
        self._reflectors = np.tril(reflectors, -1) + np.eye(*reflectors.shape)

    @property
    def count(self) -> int:
        return len(self._columns)

    def _rows(self, points: np.ndarray) -> np.ndarray:
        scaled = (points - self._centre) / self._scale
        values = monomials(scaled, self._degree)
        if self._size == 1 or not values.shape[1]:
            return np.zeros((len(points) * self._size, 0)) if not values.shape[1] else values
        columns = Polynomial(np.eye(values.shape[1]), self._dimension, self._degree)
        gradients = columns.gradient(scaled).transpose(0, 2, 1) / self._scale  # (N, d, P)
        return np.concatenate([values[:, None], gradients], axis=1).reshape(-1, values.shape[1])

    def reduce(self, matrix: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Q₂ᵀ A Q₂ and Q₂ᵀ b; overwrites the matrix."""
        right = right.copy()
        for v, tau in zip(self._reflectors.T, self._taus, strict=True):
            product = matrix @ v
            side = tau * product - (tau**2 * (v @ product) / 2) * v
            for start in range(0, len(v), 1024):
                part = slice(start, start + 1024)
                matrix[:, part] -= np.outer(v, side[part]) + np.outer(side, v[part])
            right -= tau * (v @ right) * v
        if not self.count:
            return matrix, right
        return np.asfortranarray(matrix[self.count :, self.count :]), right[self.count :]

    def expand(self, reduced: np.ndarray) -> np.ndarray:
        """Q₂ z."""
        full = np.concatenate([np.zeros(self.count), reduced])
        for v, tau in zip(self._reflectors.T[::-1], self._taus[::-1], strict=True):
            full -= tau * (v @ full) * v
        return full

    def polynomial(self, rest: np.ndarray) -> Polynomial:
        """The polynomial with these values, and gradients, at the points."""
        rest = rest.copy()
        for v, tau in zip(self._reflectors.T, self._taus, strict=True):
            rest -= tau * (v @ rest) * v
        coefficients = np.zeros(monomial_count(self._dimension, self._degree))
        coefficients[self._columns] = solve_triangular(self._triangle, rest[: self.count])
        scaled = Polynomial(coefficients, self._dimension, self._degree)
        return scaled.compose(np.eye(self._dimension) / self._scale, -self._centre / self._scale)
