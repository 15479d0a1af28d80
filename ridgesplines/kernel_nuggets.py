"""Choosing the nuggets of a kernel problem from its data, by marginal likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, lapack
from scipy.optimize import minimize
from scipy.spatial import KDTree

from ridgesplines.checks import check_count
from ridgesplines.kernel_problem import KernelProblem, check_kernel_problem
from ridgesplines.progress import Progress

# The range of nuggets, as parts of the kernel's mean variance: below, they are told from zero by rounding only.
_LEAST, _LARGEST = 1e-10, 1e2
# Neighbouring points that are taken together where there are too many for one matrix, and how many such blocks.
_BLOCK_POINTS, _BLOCKS = 250, 8
# The same for the criterion's surface, from which the search begins.
_COARSE_POINTS, _COARSE_BLOCKS = 60, 5
_STEPS_A_DECADE = 1


@dataclass(frozen=True, eq=False)
class NuggetChoice:
    """The nuggets under which the data are most likely, and how sharply they are determined.

    Attributes:
        problem: the problem with these nuggets, ready to solve.
        value_nugget: α; 0 if the data speak for interpolation.
        gradient_nugget: β, ditto; 0 without gradients.
        standard_errors: of log α and log β by the Fisher information, (2,); infinite where a nugget is at an end of the
            range, NaN without gradients.
        variance: σ², the scale of the kernel under which the data are most likely: the noise of the values has the
            variance α σ².
        criterion: minus the logarithm of the marginal likelihood, at its least.
        points: how many points it was computed from.
        blocks: in how many blocks of neighbours, taken for independent; 1 for the exact likelihood.
        grid_values: nuggets α of a coarse surface of the criterion, (G,).
        grid_gradients: nuggets β, (H,); one, which counts for nothing, without gradients.
        surface: criterion there, (G, H), from a few small blocks only, less its least; infinite where the matrix is
            singular to working precision.
        evaluations: of the criterion, without the surface.
    """

    problem: KernelProblem
    value_nugget: float
    gradient_nugget: float
    standard_errors: np.ndarray
    variance: float
    criterion: float
    points: int
    blocks: int
    grid_values: np.ndarray
    grid_gradients: np.ndarray
    surface: np.ndarray
    evaluations: int

    def __str__(self) -> str:
        parts = [f"value nugget {self.value_nugget:.1e}"]
        if self.problem.gradients is not None:
            parts.append(f"gradient nugget {self.gradient_nugget:.1e}")
        blocks = f" in {self.blocks} blocks" if self.blocks > 1 else ""
        return f"{', '.join(parts)}, by the marginal likelihood of {self.points} points{blocks}"


def choose_nuggets(
    problem: KernelProblem, *, dense_points: int = 500, seed: int = 0, progress: bool | None = None
) -> NuggetChoice:
    """The nuggets under which the data are most likely: min over α, β and σ² of −log p(data).

    The data are taken for those of a Gaussian process of covariance σ² K, with independent noise of variances α σ² of
    the values and β σ² of each derivative: N(0, σ² (A + D)). Their logarithmic likelihood with the best σ² is

        −½ (n log(bᵀ (A + D)⁻¹ b / n) + log det(A + D) + n + n log 2π).

    Where all values are equal, they are a level that was given and no measurements: f = that constant would explain
    them without any noise, whatever the gradients. The likelihood is then that of the gradients given the values.

    The problem's own nuggets do not count. To `dense_points` points it is that of all data, O(((d + 1) N)³) operations
    for each of some ten steps; above, the product of those of eight blocks of 250 neighbouring points around random
    ones, which see the full density of the data: an estimate from 2000 points.

    Args:
        problem: the data; coincident points that contradict each other need a positive nugget to make one.
        dense_points: the most points for one matrix.
        seed: of the blocks.
        progress: show a line of progress; None shows it on a terminal.

    Raises:
        TypeError: if `problem` is no `KernelProblem`.
        ValueError: if polynomials are free, all data are zero, or `dense_points` is less than 1.

    Source: Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, section 5.4.1.
    """
    check_kernel_problem(problem)
    check_count("dense_points", dense_points)
    if problem.free_degree >= 0:
        raise ValueError(
            f"choose_nuggets has no free polynomials, but free_degree is {problem.free_degree}; use a kernel that is "
            "positive definite by itself, as rs.kernels.UniformKernel() is."
        )
    if not problem.data.any():
        raise ValueError("values and gradients are all zero: they tell nothing about nuggets; give other data.")
    rng = np.random.default_rng(seed)
    with Progress(progress) as show:
        show("nuggets: the likelihood of small blocks")
        variances = _mean_variances(problem)
        given = problem.gradients is not None and bool((problem.values == problem.values[0]).all())
        coarse = _Likelihood(
            problem, _neighbourhoods(problem.points, _COARSE_POINTS, _COARSE_BLOCKS, rng), variances, given
        )
        decades = np.log10(_LARGEST / _LEAST)
        axis = np.log(_LEAST) + np.log(10) * np.linspace(0, decades, int(decades * _STEPS_A_DECADE) + 1)
        axes = [axis] * len(variances)
        nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        surface = np.array([coarse(node, False)[0] for node in nodes.reshape(-1, len(axes))])
        start = nodes.reshape(-1, len(axes))[int(np.argmin(surface))]
        start = _descended(coarse, start, show)

        count = len(problem.points)
        blocks = (
            [np.arange(count)]
            if count <= dense_points
            else _neighbourhoods(problem.points, min(_BLOCK_POINTS, dense_points), _BLOCKS, rng)
        )
        full = _Likelihood(problem, blocks, variances, given)
        logs = _descended(full, start, show)
        criterion, _ = full(logs, False)
        variance, information = full.information(logs)

    free = (logs > np.log(_LEAST) + 0.5) & (logs < np.log(_LARGEST) - 0.5)
    errors = np.full(2, np.nan)
    errors[: len(logs)] = np.inf
    errors[np.flatnonzero(free)] = np.sqrt(np.diag(np.linalg.inv(information[np.ix_(free, free)])))
    distinct = len(np.unique(problem.points, axis=0)) == count
    # Zero means that repetitions must agree, which these do by nature if there are none.
    zero = (logs <= np.log(_LEAST) + 0.5) & distinct
    nuggets = np.zeros(2)
    nuggets[: len(logs)] = np.where(zero, 0.0, np.exp(logs) * variances)
    shown = surface.reshape(nodes.shape[:-1]).reshape(len(axis), -1)
    return NuggetChoice(
        problem.with_nuggets(*nuggets),
        float(nuggets[0]),
        float(nuggets[1]),
        errors,
        variance,
        float(criterion),
        int(sum(len(block) for block in blocks)),
        len(blocks),
        np.exp(axis) * variances[0],
        np.exp(axis) * variances[1] if len(axes) > 1 else np.zeros(1),
        shown - shown.min(),
        full.evaluations,
    )


def _mean_variances(problem: KernelProblem) -> np.ndarray:
    """The mean of the kernel's variances of values, and of derivatives: what nuggets of their kinds compare with."""
    some = problem.points[:: max(1, len(problem.points) // 100)]
    gram = problem.kernel(some, some) if problem.size == 1 else problem.kernel.hermite(some, some)
    diagonals = np.diagonal(gram).reshape(len(some), problem.size)
    return np.array([part.mean() for part in (diagonals[:, :1], diagonals[:, 1:]) if part.size])


def _neighbourhoods(points: np.ndarray, size: int, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """`count` blocks of `size` neighbouring points around random ones; all points as one block if they are few."""
    if len(points) <= size:
        return [np.arange(len(points))]
    centres = points[rng.choice(len(points), size=min(count, len(points)), replace=False)]
    return list(np.sort(KDTree(points).query(centres, k=size)[1], axis=1).reshape(len(centres), size))


class _Term(NamedTuple):
    """A Gaussian density of data, multiplied (sign 1) or divided by (−1); kinds tell values, 0, from derivatives, 1."""

    matrix: np.ndarray
    data: np.ndarray
    kind: np.ndarray
    sign: int


class _Likelihood:
    """Minus the logarithm of the likelihood of blocks, taken for independent with one σ², and its gradient in the logs.

    Args:
        problem: the data.
        blocks: indices of points.
        variances: the unit of each nugget, (1,) or (2,).
        given_values: whether it is that of the gradients given the values: the joint density divided by the values'.
    """

    def __init__(
        self, problem: KernelProblem, blocks: list[np.ndarray], variances: np.ndarray, given_values: bool
    ) -> None:
        bare = problem.with_nuggets(*np.append(variances, 0.0)[:2])
        self._kinds, self._units = len(variances), variances
        self._terms: list[_Term] = []
        for block in blocks:
            part = bare.at(block)
            matrix, data = part.matrix(), part.data.ravel()
            matrix[np.diag_indices(len(matrix))] -= np.tile(part.nuggets, len(part.points))
            # Values and derivatives alternate.
            kind = np.minimum(np.arange(len(data)) % problem.size, 1)
            self._terms.append(_Term(matrix, data, kind, 1))
            if given_values:
                values = np.arange(0, len(data), problem.size)
                self._terms.append(_Term(matrix[np.ix_(values, values)].T, data[values], kind[values], -1))
        self._rows = sum(term.sign * len(term.data) for term in self._terms)
        self.evaluations = 0

    def __call__(self, logs: np.ndarray, slope: bool = True) -> tuple[float, np.ndarray]:
        """The criterion, infinite where a matrix is singular to working precision, and its gradient if asked for."""
        self.evaluations += 1
        nuggets = np.exp(logs) * self._units
        energy, volume = 0.0, 0.0
        pulls, traces = np.zeros(self._kinds), np.zeros(self._kinds)
        for matrix, data, kind, sign in self._terms:
            factor = self._factor(matrix, nuggets, kind)
            if factor is None:
                return np.inf, np.zeros(self._kinds)
            solution = cho_solve((factor, True), data, check_finite=False)
            energy += sign * float(data @ solution)
            volume += sign * 2 * float(np.log(np.diagonal(factor)).sum())
            if slope:
                inverse, _ = lapack.dtrtri(  # type: ignore[attr-defined] # not in the stubs
                    factor, lower=1, overwrite_c=1
                )
                squares = np.einsum("ij,ij->j", np.tril(inverse), inverse)
                pulls += sign * np.bincount(kind, solution**2, self._kinds)
                traces += sign * np.bincount(kind, squares, self._kinds)
        value = 0.5 * (self._rows * (np.log(2 * np.pi * energy / self._rows) + 1) + volume)
        return value, 0.5 * nuggets * (traces - self._rows * pulls / energy)

    def information(self, logs: np.ndarray) -> tuple[float, np.ndarray]:
        """σ², and the Fisher information of the logarithms of the nuggets with σ² free."""
        nuggets = np.exp(logs) * self._units
        traces, products = np.zeros(self._kinds), np.zeros((self._kinds, self._kinds))
        energy = 0.0
        for matrix, data, kind, sign in self._terms:
            factor = self._factor(matrix, nuggets, kind)
            if factor is None:
                raise LinAlgError("the likelihood's matrix is singular where its criterion is least.")
            energy += sign * float(data @ cho_solve((factor, True), data, check_finite=False))
            inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)  # type: ignore[attr-defined] # not in the stubs
            inverse = np.tril(inverse) + np.tril(inverse, -1).T
            for i in range(self._kinds):
                traces[i] += sign * np.diagonal(inverse)[kind == i].sum()
                for j in range(self._kinds):
                    products[i, j] += sign * np.sum(inverse[np.ix_(kind == i, kind == j)] ** 2)
        joint = 0.5 * nuggets[:, None] * products * nuggets
        with_scale = 0.5 * nuggets * traces
        return energy / self._rows, joint - np.outer(with_scale, with_scale) / (0.5 * self._rows)

    def _factor(self, matrix: np.ndarray, nuggets: np.ndarray, kind: np.ndarray) -> np.ndarray | None:
        factor = np.asfortranarray(matrix.copy(order="K"))
        factor[np.diag_indices(len(factor))] += nuggets[kind]
        factor, info = lapack.dpotrf(  # type: ignore[attr-defined] # not in the stubs
            factor, lower=1, overwrite_a=1, clean=1
        )
        return factor if info == 0 else None


def _descended(likelihood: _Likelihood, start: np.ndarray, show: Progress) -> np.ndarray:
    """The logarithms of the nuggets at the criterion's minimum near `start`, within the range."""
    value, slope = likelihood(start)
    if not np.isfinite(value):
        raise LinAlgError("the likelihood's matrix is singular to working precision for every nugget in the range.")
    best = [value, start]
    # A unit of each logarithm in which the criterion bends by about one: its Fisher information.
    bend = np.sqrt(np.maximum(np.diag(likelihood.information(start)[1]), 1e-2))

    def scaled(unit: np.ndarray) -> tuple[float, np.ndarray]:
        found, gradient = likelihood(unit / bend)
        if found < best[0]:
            best[:] = [found, unit / bend]
        show(f"nuggets: evaluation {likelihood.evaluations} of the likelihood")
        # A large number instead of infinity keeps the line search's arithmetic.
        return (found, gradient / bend) if np.isfinite(found) else (value + 1e6, np.zeros_like(unit))

    bounds = list(zip(np.log(_LEAST) * bend, np.log(_LARGEST) * bend, strict=True))
    # A change of 0.01 in the logarithm of a likelihood says nothing.
    minimize(
        scaled, start * bend, jac=True, method="L-BFGS-B", bounds=bounds,
        options={"maxiter": 30, "ftol": 1e-2 / max(abs(value), 1.0), "gtol": 3e-2},
    )  # fmt: skip
    return best[1]
