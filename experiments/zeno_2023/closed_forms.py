"""The minimum-norm denoisers in closed form, as ridge splines: on the line, on rays, on an equilateral triangle.

A denoiser maps every noisy sample of a clean point to that point. Noisy samples fill balls of radius ρ about the clean
points, or, on the line, intervals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import ridgesplines as rs

# A ridge φ(u·(x − apex)) u: its knots, and by how much its slope changes there.
Ramps = list[tuple[float, float]]


def line_denoiser(clean: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> rs.RidgeSpline:
    """Constant at `clean` (N,), ascending, over each interval [lower, upper] of its samples, linear in between.

    Raises:
        ValueError: if the intervals overlap or do not ascend.

    Source: zeno_2023, the univariate denoiser.
    """
    if not (np.all(lower <= upper) and np.all(upper[:-1] < lower[1:]) and np.all(np.diff(clean) > 0)):
        raise ValueError("clean, lower and upper must ascend, and the intervals be disjoint; give less noise.")
    slopes = np.diff(clean) / (lower[1:] - upper[:-1])
    knots = np.concatenate([upper[:-1], lower[1:]])
    return rs.RidgeSpline(np.ones((len(knots), 1)), knots, np.concatenate([slopes, -slopes]), np.array([clean[0], 0.0]))


def rays_denoiser(
    apex: np.ndarray, directions: np.ndarray, distances: Sequence[Sequence[float]], radius: float
) -> rs.RidgeSpline:
    """apex + Σ_l φ_l(u_l·(x − apex)) u_l for clean points at the apex and at `distances` along rays from it.

    φ_l is the line's denoiser of the distances: constant within ρ of each, linear in between, 0 below ρ. It is the only
    minimiser where all angles between rays are obtuse. With one point on each ray it is the denoiser of a simplex whose
    edges at the apex form obtuse angles.

    Args:
        apex: (d,).
        directions: u_l, (L, d), unit rows.
        distances: of the clean points on each ray, ascending, more than 2 ρ apart.
        radius: ρ.

    Source: zeno_2023, the theorems on rays and on obtuse simplices.
    """
    ramps = []
    for along in distances:
        steps = np.diff([0.0, *along])
        if not np.all(steps > 2 * radius):
            raise ValueError(f"points of a ray must be more than 2 ρ = {2 * radius:g} apart, got {along!r}.")
        ends = np.cumsum(steps)
        slopes = steps / (steps - 2 * radius)
        starts = list(zip(ends - steps + radius, slopes, strict=True))
        ramps.append(starts + list(zip(ends - radius, -slopes, strict=True)))
    return _sum_of_ridges(apex, directions, ramps)


def equilateral_denoiser(centre: np.ndarray, directions: np.ndarray, distance: float, radius: float) -> rs.RidgeSpline:
    """centre + Σ_n φ_n(u_n·(x − centre)) u_n for the vertices centre + distance · u_n of an equilateral triangle.

    φ_n rises from 0 at −distance/2 + ρ, the edge opposite to the vertex, to `distance` at distance − ρ.

    Source: zeno_2023, the proposition on equilateral triangles.
    """
    start, end = -distance / 2 + radius, distance - radius
    if not start < end:
        raise ValueError(f"radius must be less than {0.75 * distance:g}, got {radius!r}.")
    slope = distance / (end - start)
    return _sum_of_ridges(centre, directions, [[(start, slope), (end, -slope)]] * len(directions))


def _sum_of_ridges(apex: np.ndarray, directions: np.ndarray, ramps: Sequence[Ramps]) -> rs.RidgeSpline:
    weights = np.repeat(directions, [len(knots) for knots in ramps], axis=0)
    places, changes = np.array([knot for knots in ramps for knot in knots]).T
    polynomial = np.zeros((len(apex) + 1, len(apex)))
    polynomial[0] = apex
    return rs.RidgeSpline(weights, places + weights @ apex, changes[:, None] * weights, polynomial)


def ball_samples(
    rng: np.random.Generator, centre: np.ndarray, directions: np.ndarray, radius: float, count: int
) -> np.ndarray:
    """Points of a ball: centre ± ρ u for each direction, which decide the minimum, and `count` uniform ones."""
    dimension = len(centre)
    inside = rng.standard_normal((count, dimension))
    inside *= rng.uniform(size=(count, 1)) ** (1 / dimension) / np.linalg.norm(inside, axis=1, keepdims=True)
    return centre + radius * np.concatenate([directions, -directions, inside])


def posterior_mean(noisy: np.ndarray, clean: np.ndarray, noise: float) -> np.ndarray:
    """The empirical minimum mean square error denoiser: the mean of the clean points given a noisy one, (n,)."""
    exponents = -((noisy[:, None] - clean) ** 2) / (2 * noise**2)
    weights = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    return weights @ clean / weights.sum(axis=1)
