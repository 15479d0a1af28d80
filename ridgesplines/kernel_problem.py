"""Data to be fitted in the Hilbert space of a kernel: values, and gradients with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgesplines.arrays import finite_array
from ridgesplines.checks import check_number
from ridgesplines.kernels import Kernel

# Points assembled at once: the transients are a few times these rows.
_ROWS = 128
# Parts of a matrix's size that are its rounding.
_ROUNDING = 1e-12


class KernelProblem:
    """The least norm in a kernel's Hilbert space: min Σ (f(x_n) − y_n)²/α + Σ |∇f(x_n) − g_n|²/β + ‖f − p‖²_K.

    Over functions f and free polynomials p. A nugget α or β of zero asks for interpolation of the values or gradients.
    Nuggets may differ by point, α_n, and by direction, with (∇f − g)ᵀ B_n⁻¹ (∇f − g) in place of |∇f − g|²/β. Without
    gradients and with α = λ this is kernel ridge regression, min ½ Σ (f(x_n) − y_n)² + (λ/2) ‖f‖². The solution is a
    `KernelSpline` with a centre at each point.

    Args:
        points: x, (N, d), or (N,) for d = 1.
        values: y, (N,); a number stands for N of them.
        gradients: g, (N, d); None if values are all there is.
        kernel: K, a `Kernel` of `ridgesplines.kernels`.
        value_nugget: α, or α_n, (N,).
        gradient_nugget: β, or β_n, (N,), or positive semidefinite matrices B_n, (N, d, d).
        free_degree: of p; −1 for none. By default what the kernel needs (`Kernel.null_degree`).

    Points that are given twice with the same data are merged; `points` and so on hold what is left.

    Raises:
        TypeError: for what is no array of numbers, or no kernel.
        ValueError: if shapes do not fit, entries are not finite, the kernel takes no gradients or not these points,
            points that coincide contradict each other, or a number is out of range.

    Source: williams_2021, section 3; Wendland (2005), Scattered Data Approximation, chapter 16.
    """

    def __init__(
        self,
        points: Any,
        values: Any,
        gradients: Any = None,
        *,
        kernel: Kernel,
        value_nugget: float | np.ndarray = 0.0,
        gradient_nugget: float | np.ndarray = 0.0,
        free_degree: int | None = None,
    ) -> None:
        if not isinstance(kernel, Kernel):
            raise TypeError(f"kernel must be a Kernel, for instance rs.kernels.UniformKernel(), got {kernel!r}.")
        points = finite_array("points", points, dimensions=(1, 2))
        points = points[:, None] if points.ndim == 1 else points
        count, dimension = points.shape
        if count == 0 or dimension == 0:
            raise ValueError(f"points must have rows and columns, got shape {points.shape}.")
        values = finite_array("values", values, dimensions=(0, 1))
        values = np.full(count, float(values)) if values.ndim == 0 else values
        if values.shape != (count,):
            raise ValueError(f"values must have one entry for each of the {count} points, got shape {values.shape}.")
        if gradients is not None:
            gradients = finite_array("gradients", gradients, dimensions=(1, 2))
            gradients = gradients[:, None] if gradients.ndim == 1 and dimension == 1 else gradients
            if gradients.shape != points.shape:
                raise ValueError(f"gradients must have the shape of the points, {points.shape}, got {gradients.shape}.")
            if not kernel.takes_gradients:
                raise ValueError(
                    f"{kernel} has a kink where points coincide, and takes no gradients; use finite differences "
                    "(rs.finite_difference_problem) or a smoother kernel."
                )
        value_nugget = _checked_nugget("value_nugget", value_nugget, [(count,)])
        gradient_nugget = _checked_nugget("gradient_nugget", gradient_nugget, [(count,), (count, dimension, dimension)])
        degree = kernel.null_degree if free_degree is None else free_degree
        if isinstance(degree, bool) or not isinstance(degree, (int, np.integer)):
            raise TypeError(f"free_degree must be a whole number or None, got {free_degree!r}.")
        if degree < kernel.null_degree:
            raise ValueError(
                f"free_degree must be at least {kernel.null_degree} for {kernel}, which is positive definite only "
                f"beside free polynomials, got {degree}."
            )
        kernel.check_points(points)
        keep = _distinct(points, values, gradients, value_nugget, gradient_nugget)
        self.points = points[keep]
        self.values = values[keep]
        self.gradients = None if gradients is None else gradients[keep]
        self.kernel = kernel
        self.value_nugget = _at(value_nugget, keep)
        self.gradient_nugget = _at(gradient_nugget, keep)
        self.free_degree = int(degree)

    @property
    def size(self) -> int:
        """How many numbers are given at each point: 1, or d + 1 with the gradient."""
        return 1 if self.gradients is None else self.points.shape[1] + 1

    @property
    def data(self) -> np.ndarray:
        """Values and gradients as rows, (N, size)."""
        if self.gradients is None:
            return self.values[:, None]
        return np.concatenate([self.values[:, None], self.gradients], axis=1)

    @property
    def nuggets(self) -> np.ndarray:
        """What is added to the diagonal blocks of the matrix, (N, size, size)."""
        nuggets = np.zeros((len(self.points), self.size, self.size))
        nuggets[:, 0, 0] = self.value_nugget
        if self.size > 1:
            gradient = np.asarray(self.gradient_nugget)
            scalar = gradient.ndim < 3
            nuggets[:, 1:, 1:] = gradient[..., None, None] * np.eye(self.size - 1) if scalar else gradient
        return nuggets

    @property
    def typical_nuggets(self) -> tuple[float, float]:
        """Of values and gradients; where they differ, the medians over the points, of the least of all directions."""
        return float(np.median(self.value_nugget)), float(np.median(_least(self.gradient_nugget)))

    def with_nuggets(self, value_nugget: float | np.ndarray, gradient_nugget: float | np.ndarray) -> KernelProblem:
        """The same data with other nuggets, each a number or an array as the constructor takes them.

        Raises:
            ValueError: as the constructor.
        """
        return KernelProblem(
            self.points,
            self.values,
            self.gradients,
            kernel=self.kernel,
            value_nugget=value_nugget,
            gradient_nugget=gradient_nugget,
            free_degree=self.free_degree,
        )

    def with_data(self, values: Any, gradients: Any = None) -> KernelProblem:
        """Other values, and gradients if given, at the same points with the same nuggets.

        Raises:
            ValueError: as the constructor.
        """
        return KernelProblem(
            self.points,
            values,
            gradients,
            kernel=self.kernel,
            value_nugget=self.value_nugget,
            gradient_nugget=self.gradient_nugget,
            free_degree=self.free_degree,
        )

    def at(self, indices: np.ndarray) -> KernelProblem:
        """The problem of some of the points."""
        return KernelProblem(
            self.points[indices],
            self.values[indices],
            None if self.gradients is None else self.gradients[indices],
            kernel=self.kernel,
            value_nugget=_at(self.value_nugget, indices),
            gradient_nugget=_at(self.gradient_nugget, indices),
            free_degree=self.free_degree,
        )

    def matrix(self, *, nuggets: bool = True) -> np.ndarray:
        """The matrix of the equations, with or without nuggets, (size · N)², in Fortran's order (it is symmetric)."""
        rows = len(self.points) * self.size
        matrix = np.empty((rows, rows))
        for start in range(0, len(self.points), _ROWS):
            some = self.points[start : start + _ROWS]
            part = self.kernel(some, self.points) if self.size == 1 else self.kernel.hermite(some, self.points)
            matrix[start * self.size : (start + len(some)) * self.size] = part
        if nuggets:
            diagonal = np.arange(len(self.points))
            matrix.reshape(-1, self.size, len(self.points), self.size)[diagonal, :, diagonal] += self.nuggets
        return matrix.T

    def __repr__(self) -> str:
        count, dimension = self.points.shape
        kind = "values" if self.gradients is None else "values and gradients"
        return f"KernelProblem({count} points in R^{dimension}, {kind}, {self.kernel})"


def finite_difference_problem(
    points: Any, normals: Any, *, step: float, kernel: Kernel, value_nugget: float = 0.0
) -> KernelProblem:
    """Oriented points as values alone: 0 at x, and ±`step` at x ± `step` n, the form of Neural Splines' paper.

    For comparison, and for kernels that take no gradients. It fixes the derivative along the normal only, to first
    order in the step; `KernelProblem(points, 0, normals)` fixes the whole gradient, exactly.

    Args:
        points: x, (N, d).
        normals: n, (N, d).
        step: the distance of the points beside the surface.
        kernel: K.
        value_nugget: as in `KernelProblem`.

    Raises:
        ValueError: as `KernelProblem`, and if the step is not positive.

    Source: williams_2021.
    """
    check_number("step", step, "a positive number", lambda value: 0 < value < np.inf)
    points = finite_array("points", points, dimensions=(2,))
    normals = finite_array("normals", normals, dimensions=(2,))
    if normals.shape != points.shape:
        raise ValueError(f"normals must have the shape of the points, {points.shape}, got {normals.shape}.")
    tripled = np.concatenate([points, points - step * normals, points + step * normals])
    values = np.repeat([0.0, -step, step], len(points))
    return KernelProblem(tripled, values, kernel=kernel, value_nugget=value_nugget)


def _checked_nugget(name: str, nugget: Any, shapes: list[tuple[int, ...]]) -> float | np.ndarray:
    """A number, or an array of one of the shapes, of matrices in the last two axes if there are three.

    Raises:
        TypeError: for what is neither.
        ValueError: for other shapes, and what is negative, not finite or not symmetric.
    """
    if np.ndim(nugget) == 0:
        check_number(name, nugget, "zero or a positive number", lambda value: 0 <= value < np.inf)
        return float(nugget)
    nugget = finite_array(name, nugget, dimensions=tuple(len(shape) for shape in shapes))
    if nugget.shape not in shapes:
        wanted = " or ".join(str(shape) for shape in shapes)
        raise ValueError(f"{name} must be a number or an array of shape {wanted}, got shape {nugget.shape}.")
    if nugget.ndim == 1:
        if (nugget < 0).any():
            raise ValueError(f"{name} must not be negative, got {nugget.min():g} at index {int(np.argmin(nugget))}.")
        return nugget
    size = np.abs(nugget).max(axis=(1, 2), keepdims=True)
    if (np.abs(nugget - nugget.transpose(0, 2, 1)) > _ROUNDING * size).any():
        raise ValueError(f"{name} must hold symmetric matrices.")
    lowest = np.linalg.eigvalsh(nugget)[:, 0] + _ROUNDING * size[:, 0, 0]
    if (lowest < 0).any():
        raise ValueError(
            f"{name} must hold positive semidefinite matrices, but that at index {int(np.argmin(lowest))} has the "
            f"eigenvalue {lowest.min():g}."
        )
    return (nugget + nugget.transpose(0, 2, 1)) / 2


def _least(nugget: float | np.ndarray) -> float | np.ndarray:
    """The least of all directions, at each point; zero for what is zero but for rounding."""
    if np.ndim(nugget) < 3:
        return nugget
    eigenvalues = np.linalg.eigvalsh(nugget)
    return np.where(eigenvalues[:, 0] > _ROUNDING * eigenvalues[:, -1], eigenvalues[:, 0], 0.0)


def _at(nugget: float | np.ndarray, indices: np.ndarray) -> float | np.ndarray:
    return nugget[indices] if isinstance(nugget, np.ndarray) else nugget


def _distinct(
    points: np.ndarray,
    values: np.ndarray,
    gradients: np.ndarray | None,
    value_nugget: float | np.ndarray,
    gradient_nugget: float | np.ndarray,
) -> np.ndarray:
    """The indices of the points less repetitions, or an error where these contradict each other."""
    _, first, inverse = np.unique(points, axis=0, return_index=True, return_inverse=True)
    if len(first) == len(points):
        return np.arange(len(points))
    twin = first[inverse.ravel()]
    value_conflict = values != values[twin]
    gradient_conflict = np.zeros_like(value_conflict) if gradients is None else (gradients != gradients[twin]).any(1)
    # Where nuggets let data be missed, they may contradict each other.
    contradictions = np.zeros_like(value_conflict)
    for conflict, nugget in ((value_conflict, value_nugget), (gradient_conflict, _least(gradient_nugget))):
        exact = np.broadcast_to(np.asarray(nugget) == 0, len(points))
        contradictions |= conflict & exact & exact[twin]
    if contradictions.any():
        bad = np.flatnonzero(contradictions)[0]
        raise ValueError(
            f"points {int(twin[bad])} and {int(bad)} coincide, but their values or gradients differ: nothing passes "
            "through both; drop one, or set value_nugget and gradient_nugget."
        )
    same = ~(value_conflict | gradient_conflict)
    # With nuggets, repetitions are further measurements and count.
    noisy = np.any(value_nugget) or (gradients is not None and np.any(gradient_nugget))
    return np.arange(len(points)) if noisy else np.flatnonzero(~same | (twin == np.arange(len(points))))


def nugget_product(nuggets: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """The blocks of nuggets (N, size, size) times coefficients (N, size), or (N,) for values alone: (N, size)."""
    return np.einsum("nij,nj->ni", nuggets, coefficients.reshape(nuggets.shape[:2]))


def check_kernel_problem(problem: Any) -> None:
    """Refuse what is no `KernelProblem`.

    Raises:
        TypeError: if it is none.
    """
    if not isinstance(problem, KernelProblem):
        raise TypeError(f"problem must be a KernelProblem, got {type(problem).__name__}.")
