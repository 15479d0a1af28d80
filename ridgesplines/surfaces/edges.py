"""Noisy normals averaged within the faces of a shape but not across its edges, where that is found to help."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.spatial import KDTree
from scipy.stats import chi2

from ridgesplines.clouds import equal_boxes, median_spacing
from ridgesplines.kernel_nuggets import NuggetChoice
from ridgesplines.kernel_problem import KernelProblem
from ridgesplines.nugget_scales import CELL, first_order_errors, nuggets_by_point, with_neighbours

# The average is over so many points, with weights that fall with the distance, in units of the points' spacing, and
# with the difference of the normals, in units of its root mean square at points left out.
_NEAREST, _REACH, _ALIKE = 30, 2.0, 1.5
# What the nugget across the normals is multiplied with: averages are less noisy.
_LESS = 0.5
# In how many folds the points of a cell are left out, and cells of which that is tried.
_FOLDS, _MOST_CELLS = 4, 16


@dataclass(frozen=True, eq=False)
class EdgeChoice:
    """Whether normals were averaged within faces, and what points left out say of it.

    Attributes:
        averaged: whether they were.
        as_given: the mean distance of points left out from the surface of the others, times the root mean square chord
            between the normals there, as `choose_nuggets` has them.
        within_faces: the same where the others' normals are averaged.
        points: how many were left out, a quarter of their neighbours with them.
    """

    averaged: bool
    as_given: float
    within_faces: float
    points: int

    def __str__(self) -> str:
        what = "averaged within faces" if self.averaged else "as they are given"
        change = 100 * (self.within_faces / self.as_given - 1)
        return f"normals {what} (averaging changes the errors of {self.points} points left out by {change:+.1f}%)"


def averaged_within_faces(points: np.ndarray, normals: np.ndarray, difference: float) -> np.ndarray:
    """Unit normals (N, d): means over the nearest points, with little weight for normals that are quite different.

    The weights are exp(−|x_i − x_j|²/2s² − |n_i − n_j|²/2t²), s twice the points' spacing and t 1.5 times the
    difference of normals that is noise: across an edge it is many times that.

    Args:
        points: (N, d).
        normals: unit, (N, d).
        difference: root mean square, of the normals from those of the surface.

    Source: Jones, Durand and Desbrun (2003), Non-Iterative, Feature-Preserving Mesh Smoothing; for points with normals,
    Öztireli, Guennebaud and Gross (2009), Feature Preserving Point Set Surfaces.
    """
    if len(points) < 2:
        return normals
    found = KDTree(points).query(points, k=min(_NEAREST, len(points)))
    distances, nearest = np.asarray(found[0]), np.asarray(found[1])
    apart = np.sum((normals[:, None] - normals[nearest]) ** 2, axis=2)
    scale, noise = _REACH * median_spacing(points), _ALIKE * difference
    weights = np.exp(-(distances**2) / (2 * scale**2) - apart / (2 * noise**2))
    # Where so many points coincide that a point is not among its own nearest, its normal has a say still.
    means = np.einsum("nk,nkd->nd", weights, normals[nearest]) + 1e-12 * normals
    return means / np.linalg.norm(means, axis=1, keepdims=True)


def with_chosen_normals(
    choice: NuggetChoice, show: Callable[[str], None] = lambda message: None
) -> tuple[KernelProblem, EdgeChoice | None]:
    """The problem of a choice of nuggets, with normals averaged within faces where points left out are met better so.

    None where the nuggets are zero, or the choice was interrupted. Of many points some neighbourhoods are looked at.

    Args:
        choice: by distance, of a problem with unit gradients.
        show: is told how far the work is.

    Raises:
        KeyboardInterrupt: if interrupted.
    """
    problem = choice.problem
    if choice.value_nugget == 0 or choice.interrupted:
        return problem, None
    given = np.concatenate([_missed(part.without, part) for part in _parts(problem, show)], axis=1)
    # At edges normals differ by more than noise; where it is Gaussian, this is their root mean square elsewhere.
    difference = float(np.sqrt(np.median(given[1]) / (chi2.median(problem.size - 2) / (problem.size - 2))))
    if not 0 < difference < math.inf:
        return problem, None
    averaged = np.concatenate(
        [_missed(_averaged(part.without, choice, part.rest, difference), part) for part in _parts(problem, show)],
        axis=1,
    )
    scores = [float(distances.mean() * np.sqrt(chords.mean())) for distances, chords in (given, averaged)]
    found = EdgeChoice(scores[1] < scores[0], *scores, points=given.shape[1])
    if found.averaged:
        problem = _averaged(problem, choice, np.arange(len(problem.points)), difference)
    return problem, found


@dataclass(frozen=True, eq=False)
class _Part:
    """Points left out, and their neighbours.

    Attributes:
        matrix: of the equations of the neighbours and the points, without nuggets.
        members: indices of all of them.
        inner: those of the neighbours among the members.
        outer: those of the points left out.
        without: the problem of the neighbours.
        normals: given at the points left out.
    """

    matrix: np.ndarray
    members: np.ndarray
    inner: np.ndarray
    outer: np.ndarray
    without: KernelProblem
    normals: np.ndarray

    @property
    def rest(self) -> np.ndarray:
        """The indices of the neighbours."""
        return self.members[self.inner]


def _parts(problem: KernelProblem, show: Callable[[str], None]) -> Iterator[_Part]:
    """The points, or of many some, left out in folds of cells with their neighbours; the same each time."""
    assert problem.gradients is not None
    tree, rng = KDTree(problem.points), np.random.default_rng(0)
    cells = equal_boxes(problem.points, CELL)
    cells = [cells[i] for i in np.unique(np.linspace(0, len(cells) - 1, _MOST_CELLS).astype(int))]
    for done, cell in enumerate(cells):
        show(f"normals within faces: block {done + 1} of {len(cells)}")
        members = with_neighbours(tree, cell)
        matrix, inside = problem.at(members).matrix(nuggets=False), np.isin(members, cell)
        fold = rng.permutation(len(members)) % _FOLDS
        for k in range(_FOLDS):
            inner, outer = np.flatnonzero(fold != k), np.flatnonzero((fold == k) & inside)
            if len(inner) and len(outer):
                normals = problem.gradients[members[outer]]
                yield _Part(matrix, members, inner, outer, problem.at(members[inner]), normals)


def _averaged(problem: KernelProblem, choice: NuggetChoice, indices: np.ndarray, difference: float) -> KernelProblem:
    """A problem with its normals averaged; its points are `indices` of those of the choice."""
    assert problem.gradients is not None
    normals = averaged_within_faces(problem.points, problem.gradients, difference)
    changed = problem.with_data(problem.values, normals)
    chosen = np.array([choice.value_nugget, _LESS * choice.gradient_nugget, choice.length_nugget])
    return changed.with_nuggets(*nuggets_by_point(changed, chosen, choice.scales[indices]))


def _missed(problem: KernelProblem, part: _Part) -> np.ndarray:
    """Distances of points left out of a problem, to first order, and squared chords from normals there, (2, n)."""
    size, rows, all_of_one = problem.size, len(part.inner) * problem.size, np.arange(problem.size)
    blocks = part.matrix.reshape(-1, size, len(part.members), size)
    inner = blocks[np.ix_(part.inner, all_of_one, part.inner, all_of_one)]
    diagonal = np.arange(len(part.inner))
    inner[diagonal, :, diagonal] += problem.nuggets
    try:
        factor = cho_factor(inner.reshape(rows, rows), lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError:
        return np.full((2, len(part.outer)), np.inf)
    coefficients = cho_solve(factor, problem.data.ravel(), check_finite=False)
    between = blocks[np.ix_(part.outer, all_of_one, part.inner, all_of_one)].reshape(-1, rows)
    fitted = (between @ coefficients).reshape(-1, size)
    return np.array(first_order_errors(fitted[:, 0], fitted[:, 1:], part.normals))
