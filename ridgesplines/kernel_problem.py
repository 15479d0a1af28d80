"""Data to be fitted in the Hilbert space of a kernel: values, and gradients with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgesplines.arrays import finite_array
from ridgesplines.checks import check_number
from ridgesplines.kernels import Kernel

# Points assembled at once: the transients are a few times these rows.
_ROWS = 128


class KernelProblem:
    """The least norm in a kernel's Hilbert space: min Σ (f(x_n) − y_n)²/α + Σ |∇f(x_n) − g_n|²/β + ‖f − p‖²_K.

    Over functions f and free polynomials p. A nugget α or β of zero asks for interpolation of the values or gradients.
    Without gradients and with α = λ this is kernel ridge regression, min ½ Σ (f(x_n) − y_n)² + (λ/2) ‖f‖². The
    solution is a `KernelSpline` with a centre at each point.

    Args:
        points: x, (N, d), or (N,) for d = 1.
        values: y, (N,); a number stands for N of them.
        gradients: g, (N, d); None if values are all there is.
        kernel: K, a `Kernel` of `ridgesplines.kernels`.
        value_nugget: α.
        gradient_nugget: β.
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
        value_nugget: float = 0.0,
        gradient_nugget: float = 0.0,
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
        for name, nugget in (("value_nugget", value_nugget), ("gradient_nugget", gradient_nugget)):
            check_number(name, nugget, "zero or a positive number", lambda value: 0 <= value < np.inf)
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
        self.value_nugget = float(value_nugget)
        self.gradient_nugget = float(gradient_nugget)
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
        """What is added to the diagonal at each point, (size,)."""
        nuggets = np.full(self.size, self.gradient_nugget)
        nuggets[0] = self.value_nugget
        return nuggets

    def with_nuggets(self, value_nugget: float, gradient_nugget: float) -> KernelProblem:
        """The same data with other nuggets.

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

    def at(self, indices: np.ndarray) -> KernelProblem:
        """The problem of some of the points."""
        return KernelProblem(
            self.points[indices],
            self.values[indices],
            None if self.gradients is None else self.gradients[indices],
            kernel=self.kernel,
            value_nugget=self.value_nugget,
            gradient_nugget=self.gradient_nugget,
            free_degree=self.free_degree,
        )

    def matrix(self) -> np.ndarray:
        """The matrix of the equations, nuggets included, (size · N)², in Fortran's order (it is symmetric)."""
        rows = len(self.points) * self.size
        matrix = np.empty((rows, rows))
        for start in range(0, len(self.points), _ROWS):
            some = self.points[start : start + _ROWS]
            part = self.kernel(some, self.points) if self.size == 1 else self.kernel.hermite(some, self.points)
            matrix[start * self.size : (start + len(some)) * self.size] = part
        matrix[np.diag_indices(rows)] += np.tile(self.nuggets, len(self.points))
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


def _distinct(
    points: np.ndarray, values: np.ndarray, gradients: np.ndarray | None, value_nugget: float, gradient_nugget: float
) -> np.ndarray:
    """The indices of the points less repetitions, or an error where these contradict each other."""
    _, first, inverse = np.unique(points, axis=0, return_index=True, return_inverse=True)
    if len(first) == len(points):
        return np.arange(len(points))
    twin = first[inverse.ravel()]
    value_conflict = values != values[twin]
    gradient_conflict = np.zeros_like(value_conflict) if gradients is None else (gradients != gradients[twin]).any(1)
    if (value_nugget == 0 and value_conflict.any()) or (gradient_nugget == 0 and gradient_conflict.any()):
        bad = np.flatnonzero(value_conflict if value_nugget == 0 and value_conflict.any() else gradient_conflict)[0]
        raise ValueError(
            f"points {int(twin[bad])} and {int(bad)} coincide, but their values or gradients differ: nothing passes "
            "through both; drop one, or set value_nugget and gradient_nugget."
        )
    same = ~(value_conflict | gradient_conflict)
    # With nuggets, repetitions are further measurements and count.
    noisy = value_nugget > 0 or (gradients is not None and gradient_nugget > 0)
    return np.arange(len(points)) if noisy else np.flatnonzero(~same | (twin == np.arange(len(points))))


def check_kernel_problem(problem: Any) -> None:
    """Refuse what is no `KernelProblem`.

    Raises:
        TypeError: if it is none.
    """
    if not isinstance(problem, KernelProblem):
        raise TypeError(f"problem must be a KernelProblem, got {type(problem).__name__}.")
