"""Proven bounds for ℓ1 and ℓ∞ gauges: above every neuron, and attained, against linear programs over all patterns."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from helpers import EPS
from scipy.optimize import linprog

import ridgesplines as rs
from ridgesplines import AtomicNorm
from ridgesplines.arrangement import activation_patterns
from ridgesplines.oracles import Biases, Neurons, SignBranchingOracle, Supremum, profile
from ridgesplines.polynomials import PolynomialFit

DUAL = {1: np.inf, np.inf: 1}


class Guess:
    """A search that finds next to nothing: what is attained, the bound has to find by itself."""

    kind = "heuristic"

    def __init__(self, points: np.ndarray, regularizer: AtomicNorm) -> None:
        self.points, self.regularizer = points, regularizer

    def supremum(self, dual, hints=None, effort=1):
        neurons = self.regularizer.admit(Neurons(np.eye(self.points.shape[1])[:1], np.zeros(1)))
        neurons, _ = self.regularizer.normalize(neurons, np.ones(1))
        values = profile(self.points, dual, neurons, slope=self.regularizer.slope)
        keep = values > 0 if self.regularizer.nonnegative else slice(None)
        return Supremum.of(neurons[keep], values[keep])

    def approximate(self, dual, hints=None):
        return self.supremum(dual)


def make(points: np.ndarray, norm: float, bias: str, slope: float, nonnegative: bool) -> AtomicNorm:
    farthest = float(np.linalg.norm(points, DUAL[norm], axis=1).max())
    value = {"within": 0.3 * farthest, "beyond": 1.2 * farthest}.get(bias, bias)
    return AtomicNorm(norm, value, slope, "constant", nonnegative)


def bound(points: np.ndarray, regularizer: AtomicNorm, dual: np.ndarray, time_limit: float = 60.0) -> Supremum:
    biases = Biases(regularizer.bias == "joint", regularizer.bias_bound)
    oracle = SignBranchingOracle(
        points,
        regularizer.weight_norm,
        biases,
        regularizer.slope,
        regularizer.nonnegative,
        Guess(points, regularizer),
        time_limit=time_limit,
    )
    assert oracle.kind == "bounded"
    return oracle.supremum(dual)


def dual_of(rng: np.random.Generator, points: np.ndarray, bias: str) -> np.ndarray:
    dual = rng.standard_normal(len(points))
    return PolynomialFit.at(points, 0).project_off(dual) if bias == "free" else dual


def facets(dimension: int, norm: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """The rows r with r·w ≥ 0 of the cone of each facet of the ball, and the ℓ with ‖w‖_p = ℓ·w there."""
    if norm == 1:
        return [(np.diag(s), np.array(s)) for s in itertools.product((1.0, -1.0), repeat=dimension)]
    found = []
    for axis, sign in itertools.product(range(dimension), (1.0, -1.0)):
        one = sign * np.eye(dimension)[axis]
        found.append((np.concatenate([one - np.eye(dimension), one + np.eye(dimension)]), one))
    return found


def brute_force(points: np.ndarray, regularizer: AtomicNorm, dual: np.ndarray, bias: str) -> float:
    """sup |p_z| by a linear program for each activation pattern and each facet of the ball."""
    count, dimension = points.shape
    norm, best = regularizer.weight_norm, 0.0
    pole = np.zeros(dimension) if bias == "none" else None
    lifted = np.column_stack([points, -np.ones(count)])
    far = 2 * dimension * float(np.abs(points).max()) + 1
    most = {"none": 0.0, "free": far, "joint": 1.0}.get(bias, regularizer.bias_bound)
    parts = facets(dimension + 1, norm) if bias == "joint" else facets(dimension, norm)
    for pattern in activation_patterns(points, pole):
        weighted = np.where(pattern, 1.0, regularizer.slope) * dual
        goal = weighted @ lifted
        sides = -np.where(pattern, 1.0, -1.0)[:, None] * lifted
        for rows, along in parts:
            if bias != "joint":
                rows = np.column_stack([rows, np.zeros(len(rows))])
                rows = np.concatenate([rows, [np.append(most * along, 1.0)], [np.append(most * along, -1.0)]])
                along = np.append(along, 0.0)
            for sign in (1.0,) if regularizer.nonnegative else (1.0, -1.0):
                found = linprog(
                    -sign * goal,
                    np.concatenate([sides, -rows]),
                    np.zeros(len(sides) + len(rows)),
                    along[None],
                    [1.0],
                    bounds=(None, None),
                )
                if found.status == 0:
                    best = max(best, -found.fun)
    return best


def clouds(rng: np.random.Generator, count: int, dimension: int) -> dict[str, np.ndarray]:
    generic = rng.standard_normal((count, dimension))
    return {
        "generic": generic,
        "lattice": rng.integers(-1, 2, (count, dimension)).astype(float),
        "duplicates": np.concatenate([generic[: count - 3], generic[:3]]),
        "collinear": np.outer(rng.integers(-9, 9, count), np.arange(1.0, dimension + 1)) / 8 + 0.25,
    }


@pytest.mark.parametrize("bias", ["none", "free", "joint", "within", "beyond"])
@pytest.mark.parametrize("norm", [1, np.inf])
@pytest.mark.parametrize("cloud", ["generic", "lattice", "duplicates", "collinear"])
def test_it_is_the_largest_over_all_patterns_and_facets(cloud, norm, bias):
    rng = np.random.default_rng([1, len(cloud)])
    points = clouds(rng, 5, 2)[cloud]
    slope, nonnegative = (0.3, True) if cloud in ("lattice", "collinear") else (0.0, False)
    regularizer, dual = make(points, norm, bias, slope, nonnegative), dual_of(rng, points, bias)
    answer = bound(points, regularizer, dual)
    # HiGHS is accurate to 1e-7 or so.
    assert answer.value == pytest.approx(brute_force(points, regularizer, dual, bias), rel=1e-6, abs=1e-9)
    check(points, regularizer, dual, answer)


@pytest.mark.long
@pytest.mark.parametrize("bias", ["none", "free", "joint", "within", "beyond"])
@pytest.mark.parametrize("norm", [1, np.inf])
@pytest.mark.parametrize("cloud", ["generic", "lattice", "duplicates", "collinear"])
@pytest.mark.parametrize(("slope", "nonnegative"), [(0.0, False), (0.3, True)])
@pytest.mark.parametrize(("dimension", "count"), [(3, 6), (4, 7)])
def test_so_it_is_in_more_dimensions(dimension, count, slope, nonnegative, cloud, norm, bias):
    rng = np.random.default_rng([2, len(cloud)])
    points = clouds(rng, count, dimension)[cloud]
    regularizer, dual = make(points, norm, bias, slope, nonnegative), dual_of(rng, points, bias)
    answer = bound(points, regularizer, dual)
    assert answer.value == pytest.approx(brute_force(points, regularizer, dual, bias), rel=1e-6)
    check(points, regularizer, dual, answer)


def check(points: np.ndarray, regularizer: AtomicNorm, dual: np.ndarray, answer: Supremum) -> None:
    """The law of oracles, and that the bound is not far above what is attained."""
    rng = np.random.default_rng(3)
    dimension = points.shape[1]
    weights = np.concatenate([rng.standard_normal((4000, dimension)), rng.choice([-1.0, 0.0, 1.0], (2000, dimension))])
    weights = weights[weights.any(axis=1)]
    biases = np.einsum("kd,kd->k", weights, points[rng.integers(len(points), size=len(weights))])
    biases[::3] = 3 * rng.standard_normal(len(biases[::3]))
    neurons = Neurons(weights, np.zeros(len(weights)) if regularizer.bias == "none" else biases)
    neurons = regularizer.normalize(regularizer.admit(neurons), np.ones(len(weights)))[0]
    values = profile(points, dual, neurons, slope=regularizer.slope)
    heights = values if regularizer.nonnegative else np.abs(values)
    size = float(np.abs(dual).sum() * (1 + np.abs(points).max()) * dimension)
    assert heights.max() <= answer.upper + 64 * EPS * size
    assert answer.value <= answer.upper <= answer.value * (1 + 1e-8) + 1e4 * EPS * size
    if len(answer.neurons):
        assert regularizer.admits(answer.neurons)
        np.testing.assert_allclose(regularizer.gauge(answer.neurons), 1, rtol=64 * EPS)


@pytest.mark.parametrize("norm", [1, np.inf])
@pytest.mark.parametrize("bias", ["none", "free", "joint", "beyond"])
def test_it_agrees_with_the_exact_supremum_in_the_plane(norm, bias):
    rng = np.random.default_rng(4)
    for shift, scale in ((0.0, 1.0), (100.0, 1.0), (0.0, 1e-6), (0.0, 1e6)):
        points = scale * (rng.standard_normal((9, 2)) + shift)
        regularizer, dual = make(points, norm, bias, 0.3, False), dual_of(rng, points, bias)
        exact = regularizer.oracle(points)
        assert exact.kind == "exact"
        expected, answer = exact.supremum(dual), bound(points, regularizer, dual)
        assert answer.upper >= expected.value
        assert answer.value == pytest.approx(expected.value, rel=1e-8)
        assert answer.upper <= expected.value * (1 + 1e-8) + 1e4 * EPS * np.abs(dual).sum() * (np.abs(points).max() + 1)


def test_a_bound_that_is_cut_short_is_a_bound():
    rng = np.random.default_rng(5)
    points, dual = rng.standard_normal((14, 4)), rng.standard_normal(14)
    regularizer = AtomicNorm(1, "joint", skip="none")
    hasty, patient = bound(points, regularizer, dual, 1e-3), bound(points, regularizer, dual)
    assert hasty.upper > patient.upper * (1 + 1e-3)
    assert patient.value <= patient.upper <= patient.value * (1 + 1e-8)
    assert hasty.value <= patient.upper


def test_certify_proves_what_was_an_estimate():
    rng = np.random.default_rng(6)
    x = rng.standard_normal((8, 4))
    problem = rs.Problem(rs.Samples(x), np.abs(x[:, 0]) - x[:, 1], regularizer=AtomicNorm(1, "joint"), strength=0.1)
    solution = rs.ConvexProgram().solve(problem)
    assert solution.certificate.kind == "heuristic"
    proven = rs.certify(problem, solution.spline, dual=solution.dual, prove=60)
    assert proven.kind == "bounded"
    assert proven.relative_gap <= 1e-4
    euclidean = rs.Problem(problem.measurements, problem.targets, regularizer=AtomicNorm(2, "joint"), strength=0.1)
    with pytest.raises(ValueError, match="weight_norm 1 or inf"):
        rs.certify(euclidean, solution.spline, prove=1)


def test_what_it_does_not_serve_is_refused():
    points = np.zeros((3, 12)) + np.arange(3.0)[:, None]
    guess = Guess(points, AtomicNorm(1))
    with pytest.raises(ValueError, match="p = 1 and infinity, got 2"):
        SignBranchingOracle(points, 2, Biases(True, np.inf), 0.0, False, guess)
    with pytest.raises(ValueError, match="at most 10 dimensions"):
        SignBranchingOracle(points, 1, Biases(False, 0.5), 0.0, False, guess)
    oracle = SignBranchingOracle(points, 1, Biases(True, np.inf), 0.0, False, guess)
    with pytest.raises(ValueError, match="of one output"):
        oracle.supremum(np.zeros((3, 2)))
