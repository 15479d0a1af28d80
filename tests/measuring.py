"""Measurements by other means: quadrature of any function, and neurons in exact or extended arithmetic."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import mpmath
import numpy as np
from scipy import integrate

from ridgesplines import BlurredSamples, BoxAverages, Derivatives, LineIntegrals, Measurement, Samples
from ridgesplines.activations import LeakyReLU, TruncatedPower

Point = list[Fraction]
# Gauss and Legendre's nodes and weights for averages over [0, 1], exact for polynomials of degree 15.
_NODES, _WEIGHTS = (part / 2 for part in np.polynomial.legendre.leggauss(8))
_NODES = _NODES + 0.5


def by_quadrature(
    measurement: Measurement, row: int, weight: np.ndarray, bias: float, activation: TruncatedPower | LeakyReLU
) -> float:
    """One functional of one neuron: adaptive quadrature on the line, Gauss and Legendre's between kinks in boxes."""
    match measurement:
        case Samples(points=points):
            return float(activation(weight @ points[row] - bias))
        case Derivatives(locations=points, directions=directions):
            # Central differences in 60 digits.
            level, slope, step = (
                mpmath.mpf(float(v)) for v in (weight @ points[row] - bias, weight @ directions[row], 1)
            )
            with mpmath.workdps(60):
                step = mpmath.mpf(10) ** -25
                degree = activation.order - 1
                upper, lower = (max(level + sign * step * slope, 0) ** degree for sign in (1, -1))
                return float((upper - lower) / (2 * step * math.factorial(degree)))
        case LineIntegrals(starts=starts, ends=ends):
            low, high = weight @ starts[row] - bias, weight @ ends[row] - bias
            kink = -low / (high - low) if low * high < 0 else 0.5
            average = _between(lambda t: float(activation((1 - t) * low + t * high)), [0.0, kink, 1.0])
            return average * (1.0 if measurement.normalized else float(np.linalg.norm(ends[row] - starts[row])))
        case BoxAverages(lower=lower, upper=upper):
            return _box_average(activation, weight, -bias, lower[row], upper[row])
        case BlurredSamples(locations=points, width=width):
            level, deviation = weight @ points[row] - bias, width[row] * np.linalg.norm(weight)
            edges = [-40.0, *sorted([-6.0, 0.0, 6.0, float(np.clip(-level / deviation, -39, 39))]), 40.0]
            return _between(
                lambda z: float(activation(level + deviation * z)) * math.exp(-z * z / 2), edges
            ) / math.sqrt(2 * math.pi)
    raise NotImplementedError(measurement)


def _between(function: Callable[[float], float], edges: list[float]) -> float:
    """The integral, piece by piece."""
    return sum(
        integrate.quad(function, a, b, epsabs=1e-15, epsrel=1e-13)[0] for a, b in itertools.pairwise(edges) if a < b
    )


def _box_average(
    activation: TruncatedPower | LeakyReLU, weight: np.ndarray, level: float, lower: np.ndarray, upper: np.ndarray
) -> float:
    """The average of σ(w·x + level) over a box: along the first axis polynomial between the planes through corners."""
    if not len(weight):
        return float(activation(level))
    rise, width = weight[0], upper[0] - lower[0]
    corners = [
        sum(pair) for pair in itertools.product(*zip(weight[1:] * lower[1:], weight[1:] * upper[1:], strict=True))
    ]
    kinks = [-(level + corner + rise * lower[0]) / (rise * width) for corner in corners] if rise * width else []
    edges = np.unique(np.clip([0.0, 1.0, *kinks], 0.0, 1.0))
    return sum(
        (b - a)
        * w
        * _box_average(
            activation, weight[1:], level + rise * (lower[0] + width * (a + (b - a) * t)), lower[1:], upper[1:]
        )
        for a, b in itertools.pairwise(edges)
        for t, w in zip(_NODES, _WEIGHTS, strict=True)
    )


def exactly(measurement: Measurement, row: int, weight: np.ndarray, bias: float, order: int) -> Fraction:
    """One functional of one neuron ρ_m(w·x − b): divided differences in rational numbers; the blur in 80 digits."""
    w, b = _point(weight), Fraction(float(bias))
    match measurement:
        case Samples(points=points):
            return _power(_dot(w, _point(points[row])) - b, order)
        case Derivatives(locations=points, directions=directions):
            return _dot(w, _point(directions[row])) * _power(_dot(w, _point(points[row])) - b, order - 1)
        case LineIntegrals(starts=starts, ends=ends):
            low, high = (_dot(w, _point(end[row])) - b for end in (starts, ends))
            average = _average((low + high) / 2, [(high - low) / 2], order)
            square = sum((p - q) ** 2 for p, q in zip(_point(starts[row]), _point(ends[row]), strict=True))
            return average if measurement.normalized else average * _root(square)
        case BoxAverages(lower=lower, upper=upper):
            low, high = _point(lower[row]), _point(upper[row])
            level = _dot(w, [(p + q) / 2 for p, q in zip(low, high, strict=True)]) - b
            return _average(level, [v * (q - p) / 2 for v, p, q in zip(w, low, high, strict=True)], order)
        case BlurredSamples(locations=points, width=width):
            level = _dot(w, _point(points[row])) - b
            deviation = Fraction(float(width[row])) * _root(_dot(w, w))
            return blurred(level, deviation, order)
    raise NotImplementedError(measurement)


def blurred(level: Fraction, deviation: Fraction, order: int) -> Fraction:
    """E ρ_m(t + s Z) in 80 digits; beyond 100 deviations, where the tail is below 1e-2000, without tail."""
    far = abs(level) >= 100 * deviation
    if far and level <= 0:
        return Fraction(0)
    with mpmath.workdps(80):
        t, s = (mpmath.mpf(v.numerator) / v.denominator for v in (level, deviation))
        previous, current = (0, mpmath.mpf(1)) if far else (mpmath.npdf(t / s) / s, mpmath.ncdf(t / s))
        for degree in range(1, order):
            previous, current = current, (t * current + s * s * previous) / degree
        numerator, denominator = mpmath.libmp.to_rational(current._mpf_)
        return Fraction(int(numerator), int(denominator))


def _point(values: np.ndarray) -> Point:
    return [Fraction(float(v)) for v in values]


def _dot(left: Point, right: Point) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def _power(t: Fraction, order: int) -> Fraction:
    if order == 1:
        return Fraction(int(t > 0))
    return max(t, Fraction(0)) ** (order - 1) / math.factorial(order - 1)


def _average(level: Fraction, halves: list[Fraction], order: int) -> Fraction:
    """E ρ_m(t + Σ h_i U_i) as the divided difference over all corners."""
    halves = [half for half in halves if half]
    total = sum(
        (
            math.prod(signs) * _power(level + _dot([Fraction(s) for s in signs], halves), order + len(halves))
            for signs in itertools.product((-1, 1), repeat=len(halves))
        ),
        Fraction(0),
    )
    return total / math.prod(2 * half for half in halves)


def _root(square: Fraction) -> Fraction:
    """The square root to 200 decimals."""
    if not square:
        return Fraction(0)
    scale = Fraction(10) ** 400
    return Fraction(math.isqrt(int(square * scale)), 10**200)
