"""Points left out one by one of blocks of their neighbours, and how much smoother a fit should be here than there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import lapack
from scipy.spatial import KDTree

from ridgesplines.clouds import equal_boxes
from ridgesplines.kernel_problem import KernelProblem

# What all nuggets at a point may be multiplied with.
_SCALES = 3.0 ** np.arange(-2, 3)
# Points left out one by one with the same neighbours, and how many these are, themselves included.
CELL, _BLOCK = 125, 250
# Points whose errors are taken together: fewer tell noise, more do not tell one place from the next. From 40 to 80
# the surfaces of noisy samples are the same to 0.5%.
_TOGETHER = 60


class Block:
    """The equations of some points of a problem, with the derivatives along given gradients first.

    At each point the coordinates are reflected so that the gradient that is given there has the first direction, and
    the nuggets' matrix is diagonal: of values, along the gradient, across it.

    Args:
        problem: gradients are given.
        indices: of the points.
    """

    def __init__(self, problem: KernelProblem, indices: np.ndarray) -> None:
        part = problem.at(indices)
        self.count, self.size = len(part.points), problem.size
        frames = np.zeros((self.count, self.size, self.size))
        frames[:, 0, 0] = 1
        assert part.gradients is not None
        frames[:, 1:, 1:] = _reflections(part.gradients)
        once = (frames @ part.matrix(nuggets=False).reshape(self.count, self.size, -1)).reshape(self.rows, -1)
        # Symmetric, so that the other side is the same step on the transpose.
        self.matrix = (frames @ once.T.reshape(self.count, self.size, -1)).reshape(self.rows, -1)
        self.data = (frames @ part.data[..., None])[..., 0].ravel()
        # 0 for values, 1 across the gradients, 2 along them.
        self.kinds = np.tile(np.array([0, 2, *[1] * (self.size - 2)]), self.count)

    @property
    def rows(self) -> int:
        """How many equations."""
        return self.count * self.size

    def missed(self, nuggets: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """How far the fit to all other points misses each, and the squared chords between the gradients' directions.

        Distances (n,) to the level set, to first order; chords (n,), NaN where a gradient is given as zero; None if the
        matrix is singular to working precision.

        Args:
            nuggets: of the equations, (rows,).
        """
        matrix = self.matrix.copy(order="F")
        matrix[np.diag_indices(self.rows)] += nuggets
        factor, info = lapack.dpotrf(matrix, lower=1, overwrite_a=1, clean=1)  # type: ignore[attr-defined] # not in the stubs
        if info:
            return None
        inverse = inverse_from(factor)
        points = np.arange(self.count)
        blocks = inverse.reshape(self.count, self.size, self.count, self.size)[points, :, points]
        # What is left out is missed by the block of the inverse, inverted, times the coefficients.
        solution = (inverse @ self.data).reshape(self.count, self.size)
        missed = np.linalg.solve(blocks, solution[..., None])[..., 0]
        given = self.data.reshape(self.count, self.size)[:, 1:]
        return first_order_errors(missed[:, 0], given - missed[:, 1:], given)


def first_order_errors(values: np.ndarray, slopes: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances (n,) of points from the level set, and squared chords (n,) between the gradients' directions.

    Args:
        values: of the function less that of the level set, (n,).
        slopes: its gradients, (n, d).
        given: gradients that they should be like, (n, d); where they are zero the chord is NaN.
    """
    steep, lengths = np.linalg.norm(slopes, axis=1), np.linalg.norm(given, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        chords = np.sum((slopes / steep[:, None] - given / lengths[:, None]) ** 2, axis=1)
        return np.abs(values) / steep, np.where(lengths > 0, chords, np.nan)


def nuggets_by_point(problem: KernelProblem, nuggets: np.ndarray, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Arrays for `KernelProblem`: nuggets of values (N,), and matrices of nuggets of gradients (N, d, d).

    Args:
        problem: gradients are given.
        nuggets: of values, across the given gradients and along them.
        scales: what they are multiplied with at each point, (N,).
    """
    assert problem.gradients is not None
    units = _units(problem.gradients)
    along = (nuggets[2] - nuggets[1]) * units[:, :, None] * units[:, None, :]
    return nuggets[0] * scales, scales[:, None, None] * (nuggets[1] * np.eye(units.shape[1]) + along)


def chosen_scales(
    problem: KernelProblem, nuggets: np.ndarray, show: Callable[[str], None] = lambda message: None
) -> np.ndarray:
    """What the nuggets are multiplied with at each point, (N,): large where the level set is smooth, small in detail.

    With all nuggets times one of a few scales, each point is left out of a block of its neighbours. The scale with the
    least product of the mean distance and the root mean square chord over the neighbours of a point is the best there;
    the mean of their logarithms over the same neighbours is taken.

    Args:
        problem: gradients are given.
        nuggets: of values, across the given gradients and along them.
        show: is told how far the work is.

    Source: Fan and Gijbels (1996), Local Polynomial Modelling and Its Applications, chapter 4: a bandwidth for each
    place by errors over a neighbourhood, smoothed again.
    """
    points = problem.points
    tree = KDTree(points)
    errors = np.full((2, len(_SCALES), len(points)), np.inf)
    cells = equal_boxes(points, CELL)
    for done, cell in enumerate(cells):
        show(f"nuggets by point: block {done + 1} of {len(cells)}")
        members = with_neighbours(tree, cell)
        block, inside = Block(problem, members), np.searchsorted(members, cell)
        for k, scale in enumerate(_SCALES):
            missed = block.missed(scale * nuggets[block.kinds])
            if missed is not None:
                errors[:, k, cell] = missed[0][inside], np.nan_to_num(missed[1][inside])
    neighbours = tree.query(points, k=min(_TOGETHER, len(points)))[1].reshape(len(points), -1)
    # A chord of zero, in places where everything fits, is as good as any other least one.
    distances, chords = (np.maximum(kind[:, neighbours].mean(axis=2), np.finfo(float).tiny) for kind in errors)
    best = np.argmin(np.log(distances) + np.log(chords) / 2, axis=0)
    return np.exp(np.log(_SCALES)[best][neighbours].mean(axis=1))


def with_neighbours(tree: KDTree, cell: np.ndarray) -> np.ndarray:
    """The indices, ascending, of a cell's points and those next to its middle."""
    # In the distance of points from the middle of the cell, which is compact.
    near = tree.query(tree.data[cell].mean(axis=0), k=min(_BLOCK, tree.n))[1]
    return np.union1d(cell, near)


def _reflections(gradients: np.ndarray) -> np.ndarray:
    """Orthogonal symmetric matrices (N, d, d) that take gradients to multiples of the first axis."""
    units = _units(gradients)
    # Away from the axis' own direction, without cancellation.
    units[:, 0] += np.where(units[:, 0] < 0, -1.0, 1.0)
    square = np.sum(units**2, axis=1)[:, None, None]
    return np.eye(gradients.shape[1]) - 2 * units[:, :, None] * units[:, None, :] / square


def _units(gradients: np.ndarray) -> np.ndarray:
    """Gradients (N, d) at unit length; zero where they are zero."""
    lengths = np.linalg.norm(gradients, axis=1, keepdims=True)
    return np.divide(gradients, lengths, out=np.zeros_like(gradients), where=lengths > 0)


def inverse_from(factor: np.ndarray) -> np.ndarray:
    """(L Lᵀ)⁻¹; overwrites L."""
    inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)  # type: ignore[attr-defined] # not in the stubs
    return np.tril(inverse) + np.tril(inverse, -1).T
