"""Choosing the nuggets of a kernel problem from its data: by marginal likelihood, or by leaving points out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, lapack
from scipy.optimize import minimize
from scipy.spatial import KDTree

from ridgesplines.checks import check_count, is_one_of
from ridgesplines.kernel_problem import KernelProblem, check_kernel_problem
from ridgesplines.nugget_scales import Block, chosen_scales, inverse_from, nuggets_by_point
from ridgesplines.progress import Progress

# The range of nuggets, as parts of the kernel's mean variance: below, they are told from zero by rounding only.
_LEAST, _LARGEST = 1e-10, 1e2
# Neighbouring points that are taken together where there are too many for one matrix, and how many such blocks.
_BLOCK_POINTS, _BLOCKS = 250, 4
# The same for the criterion's surface, from which the search begins.
_COARSE_POINTS, _COARSE_BLOCKS = 60, 5
# Where the search begins: the nugget along the gradients of a level set as a multiple of that across them.
_ALONG = 10.0
# Nearer to an end of the range than this, in logarithms, a nugget is at the end.
_END = 0.5

Criterion = Literal["likelihood", "distance"]


@dataclass(frozen=True, eq=False)
class NuggetChoice:
    """The nuggets that a criterion chose, and how sharply they are determined.

    Attributes:
        problem: the problem with these nuggets, ready to solve.
        value_nugget: α; 0 if the data speak for interpolation.
        gradient_nugget: β, that of the gradients; 0 without gradients. For "distance" across those that are given.
        length_nugget: γ, that of derivatives along the gradients that are given; β for "likelihood".
        scales: what the three are multiplied with at each point, (N,); ones for "likelihood".
        criterion: "likelihood" or "distance", see `choose_nuggets`.
        score: its least: −log p, or the mean distance times the mean chord, with the same nuggets for all points.
        standard_errors: of log α and log β by the Fisher information of the likelihood, (2,); infinite where a nugget
            is at an end of the range, NaN for the other criterion, and for β without gradients.
        variance: the σ² under which the data are most likely with these nuggets; the noise of the values then has the
            variance α σ². NaN for the other criterion.
        points: how many points the score was computed from.
        blocks: in how many blocks of neighbours, taken one by one; 1 where it is that of all data.
        grid_values: nuggets α of a coarse surface of the criterion, (G,).
        grid_gradients: nuggets β, (H,); one, which counts for nothing, without gradients. γ is 10 β there.
        surface: scores there, (G, H), from a few small blocks only; infinite where the matrix is singular to working
            precision.
        evaluations: of the criterion, without the surface.
        missed: for "distance", the mean distance of the points left out, in their units, and the root mean square chord
            between the normals; NaN for the likelihood.
        interrupted: whether Ctrl-C cut the search short: these are the best nuggets so far, by the small blocks of
            `surface` where it had come no farther, whose scores are infinite where they were not reached.
    """

    problem: KernelProblem
    value_nugget: float
    gradient_nugget: float
    length_nugget: float
    scales: np.ndarray
    criterion: Criterion
    score: float
    standard_errors: np.ndarray
    variance: float
    points: int
    blocks: int
    grid_values: np.ndarray
    grid_gradients: np.ndarray
    surface: np.ndarray
    evaluations: int
    missed: tuple[float, float]
    interrupted: bool = False

    def __str__(self) -> str:
        parts = [f"value nugget {self.value_nugget:.1e}"]
        if self.problem.gradients is not None:
            parts.append(f"gradient nugget {self.gradient_nugget:.1e}")
        if self.length_nugget != self.gradient_nugget:
            parts.append(f"{self.length_nugget:.1e} along the gradients")
        if np.ptp(self.scales):
            parts.append(f"times {self.scales.min():.2g} to {self.scales.max():.2g} by point")
        how = (
            "the marginal likelihood"
            if self.criterion == "likelihood"
            else f"leaving out (distance {self.missed[0]:.1e}, chord {self.missed[1]:.1e})"
        )
        blocks = f" in {self.blocks} blocks" if self.blocks > 1 else ""
        end = "; interrupted: the best so far" if self.interrupted else ""
        return f"{', '.join(parts)}, by {how} of {self.points} points{blocks}{end}"


def choose_nuggets(
    problem: KernelProblem,
    criterion: Criterion | None = None,
    *,
    dense_points: int = 500,
    seed: int = 0,
    progress: bool | None = None,
) -> NuggetChoice:
    """The nuggets α, β that suit the noise of the data.

    "likelihood": the data are taken for those of a Gaussian process of covariance σ² K, with independent noise of
    variances α σ² of the values and β σ² of each derivative, N(0, σ² (A + D)). Least is, with the best σ²,

        −log p = ½ (n log(2π bᵀ (A + D)⁻¹ b / n) + log det(A + D) + n).

    "distance": for points of a level set, whose values are all equal by construction and no measurements: f = that
    constant would explain them without any noise, so that they have no likelihood to speak of. f is fitted to all
    points but x_i, and least is the product of two errors there:

        mean |f(x_i) − y_i| / |∇f(x_i)|,    root mean square of |∇f(x_i)/|∇f(x_i)| − g_i/|g_i||:

    the distance from the point that was left out to the level set, to first order, and the chord between the normals.
    In noise either has a floor, and the distance is nearly flat above it; logarithms add up what both tell. Neither is
    ruled by a few points, as squares of distances are where the slope is small. The lengths of gradients of a level set
    are no measurements either: derivatives along them have a nugget γ of their own, and the nuggets at each point are
    α s_n, β s_n and γ s_n, with a scale s_n that is chosen by the same errors of the point's neighbours: a surface is
    smoothed where it is smooth, and not where it has details and edges. Where α is zero, so that the data say that
    there is no noise, all scales are 1.

    The problem's own nuggets do not count. The search starts from the best of several nodes of a coarse surface. To
    `dense_points` points all data are taken together; above, four blocks of 250 neighbouring points around random ones,
    which see the full density of the data: 1000 points in all. Both need O(n³) operations for n equations taken
    together, some ten to forty times; the scales are found in O(N) operations. Ctrl-C keeps the best nuggets so far,
    see `NuggetChoice.interrupted`.

    Args:
        problem: the data; coincident points that contradict each other need a positive nugget to make one.
        criterion: by default "distance" where all values are equal and gradients are given, else "likelihood".
        dense_points: the most points that are taken together.
        seed: of the blocks.
        progress: show a line of progress; None shows it on a terminal.

    Raises:
        TypeError: if `problem` is no `KernelProblem`.
        ValueError: if polynomials are free, all data are zero, there are no gradients for "distance", or an option is
            none.
        KeyboardInterrupt: if interrupted before there was anything to keep.

    Source: Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, sections 5.4.1 and 5.4.2; the
    errors are those of a left-out point as a person sees them, a length and an angle.
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
    if criterion is None:
        level = problem.gradients is not None and bool((problem.values == problem.values[0]).all())
        criterion = "distance" if level else "likelihood"
    if not is_one_of(criterion, get_args(Criterion)):
        raise ValueError(f'criterion must be "likelihood", "distance" or None, got {criterion!r}.')
    if criterion == "distance" and problem.gradients is None:
        raise ValueError('criterion "distance" needs gradients, but the problem has values only; use "likelihood".')
    kind = _Likelihood if criterion == "likelihood" else _Distance
    rng = np.random.default_rng(seed)
    count = len(problem.points)
    with Progress(progress) as show:
        show("nuggets: the criterion of small blocks")
        variances = _mean_variances(problem)
        coarse = kind(problem, _neighbourhoods(problem.points, _COARSE_POINTS, _COARSE_BLOCKS, rng), variances)
        axis = np.log(_LEAST) + np.log(10) * np.arange(round(np.log10(_LARGEST / _LEAST)) + 1)
        axes = [axis] * len(variances)
        nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        if criterion == "distance":
            along = np.minimum(nodes[..., -1:] + np.log(_ALONG), np.log(_LARGEST))
            nodes = np.concatenate([nodes, along], axis=-1)
        surface = np.full(nodes.shape[:-1], np.inf)
        together = (
            [np.arange(count)]
            if count <= dense_points
            else _neighbourhoods(problem.points, min(_BLOCK_POINTS, dense_points), _BLOCKS, rng)
        )
        used = coarse
        try:
            for at in np.ndindex(surface.shape):
                surface[at] = coarse.score(nodes[at])
            full = kind(problem, together, variances)
            # A few points may tell the small blocks another scale than all tell the large ones.
            starts = coarse.starts(nodes, surface, show)
            used = full
            logs = full.descended(starts[int(np.argmin([full.score(start) for start in starts]))], show)
            interrupted = False
        except KeyboardInterrupt:
            used = used if used.best is not None else coarse
            if used.best is None:
                raise
            logs, interrupted = used.best[1], True
        score, evaluations = used.score(logs), used.evaluations
        low = logs <= np.log(_LEAST) + _END
        # Zero would ask repetitions to agree, which they need not.
        distinct = len(np.unique(problem.points, axis=0)) == count
        none = low & distinct
        if criterion == "distance":
            # Only data without any noise ask for normals without any.
            none[1:] &= none[0]
        nuggets = np.where(none, 0.0, np.exp(logs) * coarse.units)
        if criterion == "likelihood":
            # Those of gradients are the same in all directions.
            nuggets = np.append(nuggets, nuggets[1:] if len(nuggets) > 1 else [0.0, 0.0])
        scales = np.ones(count)
        if criterion == "distance" and nuggets[0] > 0 and not interrupted:
            try:
                scales = chosen_scales(problem, nuggets, show)
            except KeyboardInterrupt:
                interrupted = True

    high = logs >= np.log(_LARGEST) - _END
    errors, variance = np.full(2, np.nan), np.nan
    if isinstance(used, _Likelihood):
        variance, information = used.information(logs)
        inside = ~(low | high)
        errors[: len(logs)] = np.inf
        errors[np.flatnonzero(inside)] = np.sqrt(np.diag(np.linalg.inv(information[np.ix_(inside, inside)])))
    chosen = nuggets_by_point(problem, nuggets, scales) if criterion == "distance" else nuggets[:2]
    return NuggetChoice(
        problem.with_nuggets(*chosen),
        float(nuggets[0]),
        float(nuggets[1]),
        float(nuggets[2]),
        scales,
        criterion,
        float(score),
        errors,
        variance,
        used.points,
        used.blocks,
        np.exp(axis) * variances[0],
        np.exp(axis) * variances[1] if len(axes) > 1 else np.zeros(1),
        surface.reshape(len(axis), -1),
        evaluations,
        used.missed(logs) if isinstance(used, _Distance) else (np.nan, np.nan),
        interrupted,
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
    tree, free, blocks = KDTree(points), np.ones(len(points), dtype=bool), []
    for _ in range(count):
        # Around points that are in no block yet, as long as there are some: blocks overlap little.
        centre = rng.choice(np.flatnonzero(free)) if free.any() else rng.integers(len(points))
        blocks.append(np.sort(tree.query(points[centre], k=size)[1]))
        free[blocks[-1]] = False
    return blocks


class _Criterion(ABC):
    """A function of the logarithms of the nuggets, in units of the kernel's variances, from blocks of points.

    Attributes:
        units: of the nuggets.

    Args:
        problem: the data.
        blocks: indices of points.
        variances: of values, and of derivatives if they are given.
    """

    def __init__(self, problem: KernelProblem, blocks: list[np.ndarray], variances: np.ndarray) -> None:
        self.points, self.blocks = sum(len(block) for block in blocks), len(blocks)
        self.evaluations = 0
        self.best: tuple[float, np.ndarray] | None = None
        self.units = variances
        # Without nuggets points would not be taken twice.
        self._assemble(problem.with_nuggets(*np.append(variances, 0.0)[:2]), blocks)

    @abstractmethod
    def _assemble(self, problem: KernelProblem, blocks: list[np.ndarray]) -> None:
        """Hold the equations of the blocks."""

    @abstractmethod
    def score(self, logs: np.ndarray) -> float:
        """The criterion, infinite where a matrix is singular to working precision; remembers the `best`."""

    def _remembered(self, score: float, logs: np.ndarray) -> float:
        if np.isfinite(score) and (self.best is None or score < self.best[0]):
            self.best = score, np.array(logs)
        return score

    @abstractmethod
    def starts(self, nodes: np.ndarray, surface: np.ndarray, show: Progress) -> list[np.ndarray]:
        """Where to look for the minimum with more data, by this criterion's `surface` at `nodes`."""

    @abstractmethod
    def descended(self, start: np.ndarray, show: Progress) -> np.ndarray:
        """The logarithms at the minimum near `start`, within the range."""


class _Likelihood(_Criterion):
    """−log p of blocks, taken for independent with one σ²."""

    def _assemble(self, problem: KernelProblem, blocks: list[np.ndarray]) -> None:
        self._kinds = len(self.units)
        self._blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for block in blocks:
            part = problem.at(block)
            data = part.data.ravel()
            # Values and derivatives alternate.
            kind = np.minimum(np.arange(len(data)) % problem.size, 1)
            self._blocks.append((part.matrix(nuggets=False), data, kind))
        self._rows = sum(len(data) for _, data, _ in self._blocks)

    def _factor(self, matrix: np.ndarray, logs: np.ndarray, kind: np.ndarray) -> np.ndarray | None:
        factor = matrix.copy(order="F")
        factor[np.diag_indices(len(factor))] += (np.exp(logs) * self.units)[kind]
        factor, info = lapack.dpotrf(  # type: ignore[attr-defined] # not in the stubs
            factor, lower=1, overwrite_a=1, clean=1
        )
        return factor if info == 0 else None

    def score(self, logs: np.ndarray) -> float:
        """See `_Criterion`."""
        return self.score_and_slope(logs, slope=False)[0]

    def score_and_slope(self, logs: np.ndarray, *, slope: bool = True) -> tuple[float, np.ndarray]:
        """The criterion and, if asked for, its gradient."""
        self.evaluations += 1
        nuggets = np.exp(logs) * self.units
        energy, volume = 0.0, 0.0
        pulls, traces = np.zeros(self._kinds), np.zeros(self._kinds)
        for matrix, data, kind in self._blocks:
            factor = self._factor(matrix, logs, kind)
            if factor is None:
                return np.inf, np.zeros(self._kinds)
            solution = cho_solve((factor, True), data, check_finite=False)
            energy += float(data @ solution)
            volume += 2 * float(np.log(np.diagonal(factor)).sum())
            if slope:
                inverse, _ = lapack.dtrtri(  # type: ignore[attr-defined] # not in the stubs
                    factor, lower=1, overwrite_c=1
                )
                pulls += np.bincount(kind, solution**2, self._kinds)
                traces += np.bincount(kind, np.einsum("ij,ij->j", inverse, inverse), self._kinds)
        value = 0.5 * (self._rows * (np.log(2 * np.pi * energy / self._rows) + 1) + volume)
        self._remembered(float(value), logs)
        return value, 0.5 * nuggets * (traces - self._rows * pulls / energy)

    def information(self, logs: np.ndarray) -> tuple[float, np.ndarray]:
        """σ², and the Fisher information of the logarithms of the nuggets with σ² free."""
        nuggets = np.exp(logs) * self.units
        traces, products = np.zeros(self._kinds), np.zeros((self._kinds, self._kinds))
        energy = 0.0
        for matrix, data, kind in self._blocks:
            factor = self._factor(matrix, logs, kind)
            if factor is None:
                raise LinAlgError("the likelihood's matrix is singular where its criterion is least.")
            energy += float(data @ cho_solve((factor, True), data, check_finite=False))
            inverse = inverse_from(factor)
            for i in range(self._kinds):
                traces[i] += np.diagonal(inverse)[kind == i].sum()
                for j in range(self._kinds):
                    products[i, j] += np.sum(inverse[np.ix_(kind == i, kind == j)] ** 2)
        joint = 0.5 * nuggets[:, None] * products * nuggets
        with_scale = 0.5 * nuggets * traces
        return energy / self._rows, joint - np.outer(with_scale, with_scale) / (0.5 * self._rows)

    def starts(self, nodes: np.ndarray, surface: np.ndarray, show: Progress) -> list[np.ndarray]:
        """The minimum of its own: a likelihood is sharp."""
        return [self.descended(nodes.reshape(-1, self._kinds)[int(np.argmin(surface))], show)]

    def descended(self, start: np.ndarray, show: Progress) -> np.ndarray:
        """See `_Criterion`."""
        value = self.score(start)
        if not np.isfinite(value):
            raise LinAlgError("the likelihood's matrix is singular to working precision for every nugget in the range.")
        best = [value, start]
        # A unit of each logarithm in which the criterion bends by about one: its Fisher information.
        bend = np.sqrt(np.maximum(np.diag(self.information(start)[1]), 1e-2))

        def scaled(unit: np.ndarray) -> tuple[float, np.ndarray]:
            found, gradient = self.score_and_slope(unit / bend)
            if found < best[0]:
                best[:] = [found, unit / bend]
            show(f"nuggets: evaluation {self.evaluations} of the likelihood")
            # A large number instead of infinity keeps the line search's arithmetic.
            return (found, gradient / bend) if np.isfinite(found) else (value + 1e6, np.zeros_like(unit))

        bounds = list(zip(np.log(_LEAST) * bend, np.log(_LARGEST) * bend, strict=True))
        # A change of 0.001 in the logarithm of a likelihood says nothing.
        minimize(
            scaled, start * bend, jac=True, method="L-BFGS-B", bounds=bounds,
            options={"maxiter": 30, "ftol": 1e-3 / max(abs(value), 1.0), "gtol": 1e-2},
        )  # fmt: skip
        return best[1]


class _Distance(_Criterion):
    """How far what is fitted without a point, within its block, misses it and its normal."""

    def _assemble(self, problem: KernelProblem, blocks: list[np.ndarray]) -> None:
        self._blocks = [Block(problem, block) for block in blocks]
        # Of values, across the gradients, and along them.
        self.units = self.units[[0, 1, 1]]

    def score(self, logs: np.ndarray) -> float:
        """See `_Criterion`."""
        self.evaluations += 1
        distance, chord = self.missed(logs)
        return self._remembered(distance * chord, logs)

    def missed(self, logs: np.ndarray) -> tuple[float, float]:
        """The mean distance and the root mean square chord of normals; infinite for a singular matrix."""
        distances, chords = [], []
        nuggets = np.exp(logs) * self.units
        for block in self._blocks:
            missed = block.missed(nuggets[block.kinds])
            if missed is None:
                return np.inf, np.inf
            distances.append(missed[0])
            # A gradient that is given as zero has no direction.
            chords.append(missed[1][~np.isnan(missed[1])])
        found = float(np.concatenate(distances).mean()), float(np.sqrt(np.concatenate(chords).mean()))
        return found if np.isfinite(found).all() else (np.inf, np.inf)

    def starts(self, nodes: np.ndarray, surface: np.ndarray, show: Progress) -> list[np.ndarray]:
        """The best node for each value nugget within two decades of the best one."""
        best = np.unravel_index(int(np.argmin(surface)), surface.shape)[0]
        rows = range(max(0, best - 2), min(len(surface), best + 3))
        return [nodes[row, int(np.argmin(surface[row]))] for row in rows]

    def descended(self, start: np.ndarray, show: Progress) -> np.ndarray:
        """See `_Criterion`."""

        def shown(logs: np.ndarray) -> float:
            show(f"nuggets: {self.evaluations} fits that leave points out")
            return self.score(logs)

        low, high = np.log(_LEAST), np.log(_LARGEST)
        bounds = [(low, high)] * len(start)
        # Rounding may have put the end of the surface outside.
        start = np.clip(start, low, high)
        # Half a decade at first, towards the middle of the range; a tenth at last.
        steps = np.where(start > high - 2, -1.15, 1.15)
        simplex = start + np.concatenate([np.zeros((1, len(start))), np.diag(steps)])
        found = minimize(
            shown, start, method="Nelder-Mead", bounds=bounds,
            options={"initial_simplex": simplex, "xatol": 0.25, "fatol": np.inf, "maxfev": 80},
        )  # fmt: skip
        return np.asarray(found.x)
