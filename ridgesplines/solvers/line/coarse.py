"""The squared loss with many data: knots are chosen in rounds, and the data between them condensed.

Between two neighbouring candidates for knots the function is affine, and of the data there only their weighted
moments matter: two points with the same moments stand for them all. A problem with a thousand candidates is then as
quick as one of a few thousand data, however many there are; the profile over all data says which knots are missing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ridgesplines.solvers.line.interior import InteriorPoint
from ridgesplines.solvers.line.polish import BrokenLine, minimise
from ridgesplines.solvers.line.sweeps import profile
from ridgesplines.solvers.line.terms import LineTerms

# How many candidates there are at first, as a multiple of √N and at least, and at most, as a fraction of the data.
_FIRST, _LEAST, _SHARE = 4.0, 400, 0.3
_ROUNDS, _STEPS = 40, 60
# The interior point's own gap, and by how much the profile may exceed λ in the end.
_TIGHT, _VIOLATION = 1e-13, 1e-11


def solve_condensed(
    terms: LineTerms, limit: float, objective: float, report: Callable[[int, int, float, BrokenLine], None]
) -> tuple[BrokenLine, np.ndarray] | None:
    """The optimum of ½ Σ (t − y)² / κ + λ Σ |a| and the signs of its slope changes, or None if too many are needed.

    Args:
        terms: one for each point, without bounds.
        limit: λ.
        objective: that of the best affine function.
        report: called with the round, the number of candidates, the largest |p_z| / λ and the line.
    """
    points, spacing, count = terms.points, np.diff(terms.points), len(terms.points)
    chosen = np.zeros(count, bool)
    chosen[:: max(1, int(count / max(_LEAST, _FIRST * np.sqrt(count))))] = True
    chosen[[0, -1]] = True
    for turn in range(1, _ROUNDS + 1):
        nodes = np.flatnonzero(chosen)
        if len(nodes) > _SHARE * count:
            return None
        fit = _fit(terms, nodes, limit, objective)
        if fit is None:
            return None
        values, kinks = fit
        line = np.interp(points, points[nodes], values)
        size = np.abs(profile(spacing, (terms.centres - line) / terms.softness))
        changes = np.zeros(count)
        changes[nodes] = kinks
        slope = float((values[1] - values[0]) / (points[nodes[1]] - points[nodes[0]]))
        found = BrokenLine(line, changes, slope)
        report(turn, len(nodes), float(size.max()) / limit, found)
        # The largest violation between two candidates, or at one.
        highest = np.maximum.reduceat(size, nodes)
        interval = np.repeat(np.arange(len(nodes)), np.diff(np.append(nodes, count)))
        peaks = np.flatnonzero((size == highest[interval]) & (size > limit * (1 + _VIOLATION)) & ~chosen)
        if not len(peaks):
            return found, np.sign(changes)
        # The peak moves when its knot comes in; finer candidates would be as good as each other up to rounding.
        width = np.diff(np.append(nodes, count))[interval[peaks]]
        for part in (0.0, 0.25, -0.25, 1 / 16, -1 / 16, 1 / 64, -1 / 64):
            chosen[np.clip(peaks + (part * width).astype(int), 0, count - 1)] = True
    return None


def _fit(terms: LineTerms, nodes: np.ndarray, limit: float, objective: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Values and slope changes at the nodes of the optimum with kinks there only; None if the iteration fails."""
    positions, weights, centres = _condensed(terms, nodes)
    everywhere = np.concatenate([terms.points[nodes], positions])
    points, group = np.unique(everywhere, return_inverse=True)
    knots = group[: len(nodes)]
    small = _terms(points, group[len(nodes) :], weights, centres)
    # A slope change without bounds on its multiplier is none.
    largest = np.full(len(points), np.inf)
    largest[knots] = limit
    # The best affine function of the condensed data is that of all.
    none = np.full(len(points), np.inf)
    curvature = np.bincount(group[len(nodes) :], weights, minlength=len(points))
    pull = np.bincount(group[len(nodes) :], weights * centres, minlength=len(points))
    start = minimise(points, curvature, pull, none, np.zeros(len(points)))
    interior = InteriorPoint(small, start, -largest, largest, objective)
    for _ in range(_STEPS):
        interior.step()
        if interior.gap <= _TIGHT * objective:
            break
    signs = interior.sides()[1].astype(float)
    for _ in range(_STEPS):
        fitted = minimise(points, curvature, pull, np.where(signs != 0, 0.0, np.inf), -limit * signs)
        wrong = fitted.kinks * signs < 0
        if not wrong.any():
            return fitted.values[knots], fitted.kinks[knots]
        signs[wrong] = 0.0
    return None


def _terms(points: np.ndarray, owner: np.ndarray, weights: np.ndarray, centres: np.ndarray) -> LineTerms:
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(len(points) + 1))
    infinite, rows = np.full(len(owner), np.inf), np.arange(len(owner))
    return LineTerms(
        points, owner[order], starts, centres[order], 1 / weights[order], -infinite, infinite, rows, rows, smooth=False
    )


def _condensed(terms: LineTerms, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions, weights and targets of one or two points for each interval between nodes (the last datum by itself).

    The two points of Gauss's quadrature have the first four moments of the data and lie among them; on the regression
    line of the data they have the same mixed moments with the targets.
    """
    weights = 1 / terms.softness
    mass = np.add.reduceat(weights, nodes)
    sizes = np.diff(np.append(nodes, len(weights)))
    mean = np.add.reduceat(weights * terms.points, nodes) / mass
    level = np.add.reduceat(weights * terms.centres, nodes) / mass
    distance = terms.points - np.repeat(mean, sizes)
    weighted = weights * distance
    # What rounding left of the mean.
    shift = np.add.reduceat(weighted, nodes) / mass
    mean, distance = mean + shift, distance - np.repeat(shift, sizes)
    weighted = weights * distance
    variance = np.add.reduceat(weighted * distance, nodes) / mass
    mixed = np.add.reduceat(weighted * (terms.centres - np.repeat(level, sizes)), nodes) / mass
    third = np.add.reduceat(weighted * distance**2, nodes) / mass
    # One or two data stand for themselves: recomputed, they would be a rounding away from a candidate.
    two = sizes > 2
    few = np.repeat(~two, sizes)
    spread = np.sqrt(variance[two])
    skew = third[two] / spread**3
    root = np.hypot(1.0, skew / 2)
    # Without cancellation: the product of the two is −1.
    far = skew / 2 + np.copysign(root, skew)
    near = -1 / far
    tilt = mixed[two] / variance[two]
    positions, masses, targets = [terms.points[few]], [weights[few]], [terms.centres[few]]
    first, last = terms.points[nodes][two], terms.points[np.append(nodes[1:], len(weights)) - 1][two]
    for here, there in ((far, near), (near, far)):
        offset = spread * here
        positions.append(np.clip(mean[two] + offset, first, last))
        masses.append(mass[two] * there / (there - here))
        targets.append(level[two] + tilt * offset)
    return np.concatenate(positions), np.concatenate(masses), np.concatenate(targets)
