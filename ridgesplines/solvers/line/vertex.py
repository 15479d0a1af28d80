"""Where solutions abound, one with few knots: a vertex of the set that the interior point ends in the middle of."""

from __future__ import annotations

import numpy as np

from ridgesplines.solvers.line.interior import InteriorPoint
from ridgesplines.solvers.line.polish import BrokenLine, project
from ridgesplines.solvers.line.terms import LineTerms

_STEPS = 100
_TIGHT = 1e-12


def vertex(
    terms: LineTerms, line: BrokenLine, signs: np.ndarray, of_terms: np.ndarray, held: np.ndarray
) -> tuple[BrokenLine, np.ndarray]:
    """A solution that minimises a random price of its slope changes, and the signs of these.

    All solutions share the bounds that z and u end at: values are held where z ends at none, and on one side of what
    the loss prefers otherwise; slope changes have one sign, or none where |u| < λ. Among these functions, a linear
    price with random coefficients is least at a vertex.

    Args:
        terms: of the problem.
        line: a solution.
        signs: those of its slope changes, (n,).
        of_terms: the bound that the z of each term ends at (1 upper, −1 lower, 0 none), (M,).
        held: whether the value at a point is held, (n,).
    """
    low, high = np.full(len(held), -np.inf), np.full(len(held), np.inf)
    for side, bound, ends, extreme in ((1, terms.upper, high, np.minimum), (-1, terms.lower, low, np.maximum)):
        rows = of_terms == side
        extreme.at(ends, terms.owner[rows], terms.centres[rows] - terms.softness[rows] * bound[rows])
    low, high = np.minimum(low, line.values), np.maximum(high, line.values)
    low[held] = high[held] = line.values[held]
    prices = np.random.default_rng(0).uniform(1.0, 2.0, len(signs))
    least = np.where(signs < 0, -prices, -np.inf)
    largest = np.where(signs > 0, prices, np.inf)
    face = LineTerms.within(terms.points, low, high)
    price = float(prices @ np.abs(line.kinks))
    interior = InteriorPoint(face, line, least, largest, price, 1e-6 * float(np.ptp(line.values)))
    for _ in range(_STEPS):
        interior.step()
        if interior.gap <= _TIGHT * price or not np.isfinite(interior.gap):
            break
    found = interior.sides()[1]
    fitted = project(interior.line, terms.points, interior.curvature, found != 0)
    return fitted, np.sign(fitted.kinks)
