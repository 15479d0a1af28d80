"""Kernel regression: the Hilbert-space counterpart that trained networks and certified ones are set beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from ridgesplines.checks import check_number
from ridgesplines.kernels.description import describe, from_description
from ridgesplines.losses import Interpolation
from ridgesplines.measurements import Samples
from ridgesplines.polynomials import Polynomial, monomial_count
from ridgesplines.problem import Problem, check_problem, check_samples
from ridgesplines.progress import Progress

Kernel = Callable[[np.ndarray, np.ndarray], Any]
# Strengths that are tried, over the mean eigenvalue.
_STRENGTHS = np.logspace(-12, 4, 65)
# Kernel values held at once when a fit is evaluated.
_BLOCK = 2**22
# Eigenvalues below this fraction of the largest are rounding.
_NOTHING = 1e-14


@dataclass(frozen=True)
class RadialPower:
    """The kernel k(x, y) = (−1)^m ‖x − y‖^(2m−1), positive definite up to polynomials of degree < m.

    Its semi-norm, with those polynomials free, is the L2 norm of the same m-th derivative in the Radon domain whose
    total variation is RTV^m: ∫ |R_m f|² in place of ∫ |R_m f|. For d = 1 the fits are smoothing splines of degree
    2m − 1, cubic ones for m = 2.

    Args:
        order: m.
    """

    order: int = 2

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """k(x_i, y_j), (N, M), of points (N, d) and (M, d)."""
        return (-1) ** self.order * cdist(x, y) ** (2 * self.order - 1)


@dataclass(frozen=True, eq=False)
class KernelFit:
    """The function f(x) = Σ_n α_n k(x, x_n) + c(x), which is no network of finite width and has no certificate.

    Attributes:
        kernel: k.
        points: x_n, (N, d).
        coefficients: α, (N,) or (N, D).
        polynomial: c.
        strength: μ.
    """

    kernel: Kernel
    points: np.ndarray
    coefficients: np.ndarray
    polynomial: Polynomial
    strength: float

    def __call__(self, x: Any) -> np.ndarray:
        """Values at `x` (n, d), or (n,) for d = 1: (n,) or (n, D)."""
        x = np.asarray(x, dtype=float)
        x = x[:, None] if x.ndim == 1 else x
        size = max(1, _BLOCK // len(self.points))
        blocks = [np.asarray(self.kernel(x[i : i + size], self.points)) for i in range(0, len(x), size)]
        return np.concatenate([block @ self.coefficients for block in blocks]) + self.polynomial(x)

    def to_archive(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The arrays by name and the JSON metadata, as files store them.

        Raises:
            ValueError: for a kernel of one's own, which a file cannot hold.
        """
        if isinstance(self.kernel, RadialPower):
            kernel: dict[str, Any] = {"name": "RadialPower", "order": self.kernel.order}
        else:
            kernel = describe(self.kernel)  # type: ignore[arg-type] # it refuses what is no kernel of the package
        arrays = {
            "points": self.points,
            "coefficients": self.coefficients,
            "polynomial": np.asarray(self.polynomial.coefficients),
        }
        return arrays, {"kernel": kernel, "degree": self.polynomial.degree, "strength": self.strength}

    @classmethod
    def from_archive(cls, arrays: dict[str, np.ndarray], metadata: dict[str, Any]) -> KernelFit:
        """The function in what a file stored; errors of many types if a part is missing or does not fit."""
        told, degree = dict(metadata["kernel"]), int(metadata["degree"])
        kernel: Any = RadialPower(int(told["order"])) if told["name"] == "RadialPower" else from_description(told)
        points, coefficients, polynomial = (arrays[name] for name in ("points", "coefficients", "polynomial"))
        size = monomial_count(points.shape[1], degree)
        tail = coefficients.shape[1:]
        if coefficients.shape != (len(points), *tail) or polynomial.shape != (size, *tail):
            raise ValueError("the parts of a kernel's fit do not fit together.")
        fitted = Polynomial(polynomial, points.shape[1], degree)
        return cls(kernel, points, coefficients, fitted, float(metadata["strength"]))

    def radon_tv(self) -> float | None:
        """RTV²(f) = ∫ |f''| of a cubic smoothing spline with one output; None where it is infinite or not known."""
        if self.kernel != RadialPower(2) or self.points.shape[1] != 1 or self.coefficients.ndim != 1:
            return None
        # f'' = 6 Σ α_n |x − x_n| is linear between the points, and zero outside.
        nodes = np.unique(self.points[:, 0])
        bends = 6 * np.abs(nodes[:, None] - self.points[:, 0]) @ self.coefficients
        left, right = bends[:-1], bends[1:]
        total = np.maximum(np.abs(left) + np.abs(right), np.finfo(float).tiny)
        crossing = left * right < 0
        areas = np.where(crossing, (left**2 + right**2) / total, total) / 2
        return float(np.sum(np.diff(nodes) * areas))


@dataclass(frozen=True)
class KernelRegression:
    """min_f ½ Σ_n s_n (y_n − f(x_n))² + ½ μ ‖f‖²_k over the functions of a kernel k, polynomials of low degree free.

    Kernel ridge regression on the data of a `Problem`, whose loss, regularizer and λ do not matter: the fit is in least
    squares, that to labels ±1, too. It interpolates (μ = 0) under `Interpolation`. Not a solver of the problem, but the
    peer from a Hilbert space that `compare` sets beside its solutions.

    Args:
        kernel: k, a function from points (N, d) and (M, d) to values (N, M); `RadialPower(m)` by default, m being the
            order of the problem's regularizer.
        degree: of the polynomials that are free, −1 for none; by default m − 1 with the default kernel and −1 with
            another.
        strength: μ > 0; by default the one, of 65, of the least leave-one-out error.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if an argument is out of range.

    Source: Wahba 1990 (smoothing splines, leave-one-out errors from one decomposition).
    """

    kernel: Kernel | None = None
    degree: int | None = None
    strength: float | None = None

    def __post_init__(self) -> None:
        if self.kernel is not None and not callable(self.kernel):
            raise TypeError(f"kernel must be a function of two arrays of points, got {type(self.kernel).__name__}.")
        if self.degree is not None:
            check_number("degree", self.degree, "a whole number from −1", lambda value: value >= -1 and value % 1 == 0)
        if self.strength is not None:
            check_number("strength", self.strength, "positive and finite", lambda value: 0 < value < np.inf)

    def solve(self, problem: Problem, *, progress: bool | None = None) -> KernelFit:
        """The fit to the data of `problem`.

        Args:
            problem: whose measurements are samples.
            progress: show a line of progress; None shows it on a terminal.

        Raises:
            TypeError: if `problem` is none.
            ValueError: if it has fewer data than free polynomials, or the kernel's values are not those of a kernel.
        """
        check_problem(problem)
        check_samples(problem, "KernelRegression")
        with Progress(progress) as show:
            show("kernel regression: decomposing the kernel matrix")
            return self._fit(problem)

    def _fit(self, problem: Problem) -> KernelFit:
        kernel = RadialPower(problem.regularizer.order) if self.kernel is None else self.kernel
        degree = self.degree
        if degree is None:
            degree = problem.regularizer.order - 1 if self.kernel is None else -1
        points = problem.points
        count = len(points)
        gram = np.asarray(kernel(points, points), dtype=float)
        if gram.shape != (count, count) or not np.isfinite(gram).all():
            raise ValueError(f"kernel must give finite values of shape ({count}, {count}) here, got {gram.shape}.")
        free = Samples(points).fit_polynomials(int(degree))
        # α = √s α': the weights move into the kernel and the polynomials.
        weights = np.ones(count) if problem.sample_weights is None else problem.sample_weights
        roots = np.sqrt(weights)
        complement = np.linalg.qr(roots[:, None] * free.basis, mode="complete")[0][:, free.basis.shape[1] :]
        targets = (problem.targets.T * roots).T
        values, vectors = np.linalg.eigh(complement.T @ (roots[:, None] * gram * roots) @ complement)
        if len(values) and values[0] < -1e-8 * values[-1]:
            raise ValueError(
                f"the kernel is not positive definite on these points: an eigenvalue is {values[0]:.3g}; give the "
                "degree of the polynomials that it needs."
            )
        values = np.maximum(values, 0.0)
        modes = complement @ vectors
        rotated = modes.T @ targets
        if self.strength is not None:
            strength = float(self.strength)
        elif isinstance(problem.loss, Interpolation) or not len(values):
            strength = 0.0
        else:
            strength = _left_out(values, modes, rotated)
        divisors = values + strength
        known = divisors > _NOTHING * divisors.max(initial=0.0)
        inverse = np.where(known, 1 / np.where(known, divisors, 1.0), 0.0)
        scaled = modes @ (rotated.T * inverse).T
        coefficients = (scaled.T * roots).T
        # What is left for the polynomials: y − K α − μ α / s.
        rest = problem.targets - gram @ coefficients - strength * (scaled.T / roots).T
        return KernelFit(kernel, points, coefficients, free(rest), strength)


def _left_out(values: np.ndarray, modes: np.ndarray, rotated: np.ndarray) -> float:
    """The strength of the least sum of squares that each datum is missed by when it is left out.

    With C the inverse of the matrix that takes targets to α', that is α'_n / C_nn.
    """
    strengths = _STRENGTHS * max(float(values.mean()), np.finfo(float).tiny)
    errors = []
    for strength in strengths:
        inverse = 1 / (values + strength)
        scaled = modes @ (rotated.T * inverse).T
        diagonal = np.maximum((modes**2) @ inverse, np.finfo(float).tiny)
        errors.append(float(np.sum((scaled.T / diagonal) ** 2)))
    return float(strengths[int(np.argmin(errors))])
