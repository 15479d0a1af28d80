"""What several test modules need: random splines, duals and motions, and bounds of rounding."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from ridgesplines import RidgeSpline
from ridgesplines.polynomials import PolynomialFit, monomial_count, monomials

EPS = np.finfo(float).eps

seeds = st.integers(0, 2**32 - 1)


def random_spline(
    rng: np.random.Generator, order: int = 2, dimension: int = 2, outputs: int | None = None, width: int = 6
) -> RidgeSpline:
    """A ridge spline with Gaussian parameters."""
    tail = () if outputs is None else (outputs,)
    return RidgeSpline(
        rng.standard_normal((width, dimension)),
        rng.standard_normal(width),
        rng.standard_normal((width, *tail)),
        rng.standard_normal((monomial_count(dimension, order - 1), *tail)),
        order,
    )


def lattice_spline(
    rng: np.random.Generator, order: int = 2, dimension: int = 2, outputs: int | None = None, width: int = 12
) -> RidgeSpline:
    """One with small integers: hyperplanes coincide in either orientation, coefficients cancel, weights vanish."""
    tail = () if outputs is None else (outputs,)
    return RidgeSpline(
        rng.integers(-1, 2, (width, dimension)) * rng.integers(1, 3, (width, 1)),
        rng.integers(-1, 2, width),
        rng.integers(-1, 2, (width, *tail)),
        rng.integers(-2, 3, (monomial_count(dimension, order - 1), *tail)),
        order,
    )


@st.composite
def splines(draw, orders=(2, 3, 4), dimensions=(1, 2, 3), outputs=(None, 1, 3)) -> RidgeSpline:
    """Ridge splines of every size, generic and degenerate, one without neurons now and then."""
    make = draw(st.sampled_from([random_spline, lattice_spline]))
    return make(
        np.random.default_rng(draw(seeds)),
        draw(st.sampled_from(orders)),
        draw(st.sampled_from(dimensions)),
        draw(st.sampled_from(outputs)),
        draw(st.sampled_from([0, 1, 6, 12])),
    )


def magnitude(spline: RidgeSpline, x: np.ndarray) -> float:
    """The largest sum of the absolute values of all terms of f at the rows of `x`, multiplied out.

    Evaluating f, or any rearrangement of it, is off by a modest multiple of the machine epsilon times this.
    """
    degree = spline.order - 1
    reach = (np.abs(x) @ np.abs(spline.weights).T + np.abs(spline.biases)) ** degree / math.factorial(degree)
    terms = reach @ np.abs(spline.coefficients) + np.abs(monomials(x, degree)) @ np.abs(spline.polynomial.coefficients)
    return float(terms.max(initial=1.0))


def rotation(rng: np.random.Generator, dimension: int) -> np.ndarray:
    """A random orthogonal matrix; in one dimension, ±1."""
    return np.linalg.qr(rng.standard_normal((dimension, dimension)))[0]


def random_dual(
    rng: np.random.Generator, points: np.ndarray, degree: int = 1, outputs: int | None = None
) -> np.ndarray:
    """A Gaussian dual vector, or one of several outputs, orthogonal to the polynomials of degree ≤ `degree`."""
    shape = (len(points),) if outputs is None else (len(points), outputs)
    return PolynomialFit.at(points, degree).project_off(rng.standard_normal(shape))


def unit_rows(rng: np.random.Generator, count: int, dimension: int) -> np.ndarray:
    """Unit vectors, uniform on the sphere."""
    vectors = rng.standard_normal((count, dimension))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def icosphere(count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """A triangulated unit sphere, outward."""
    i = np.arange(count) + 0.5
    polar, around = np.arccos(1 - 2 * i / count), np.pi * (1 + 5**0.5) * i
    vertices = np.column_stack([np.cos(around) * np.sin(polar), np.sin(around) * np.sin(polar), np.cos(polar)])
    faces = ConvexHull(vertices).simplices.astype(int)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    inward = np.sum(np.cross(b - a, c - a) * a, axis=1) < 0
    faces[inward] = faces[inward][:, ::-1]
    return vertices, faces
