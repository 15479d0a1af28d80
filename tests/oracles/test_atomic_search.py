"""The searches for atomic norms and for any gauge, judged by the exact suprema of low dimension."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ridgesplines import AtomicNorm, ColumnGeneration, Problem, RadonTV, Samples
from ridgesplines.oracles import AtomicSearchOracle, GaugeOracle, Neurons, Oracle, profile

pytestmark = pytest.mark.thinned(7)

# What an ascent by exact line searches leaves of a maximum, and one whose cells are solved by a conic program.
CLIMBED, SOLVED = 1e-9, 1e-7
EUCLIDEAN = [
    (AtomicNorm(bias="none", skip="none"), 3),
    (AtomicNorm(bias="joint", skip="none", slope=0.2), 2),
    (AtomicNorm(bias="joint"), 2),
    (AtomicNorm(bias="free", skip="constant"), 3),
    (AtomicNorm(bias="joint", skip="none", nonnegative=True), 2),
]
ANY = [
    (AtomicNorm(1), 2),
    (AtomicNorm(math.inf, bias="joint", skip="none"), 2),
    (AtomicNorm(1, bias="none", skip="none", slope=0.3), 3),
    (AtomicNorm(2, bias=3.0, skip="none"), 2),
]


def data(regularizer: AtomicNorm, dimension: int, count: int, seed: int) -> tuple[Problem, np.ndarray]:
    """A problem, and the dual vector of a rough fit, where many local maxima compete."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (count, dimension))
    y = np.sin(4 * x).sum(axis=1) + 0.1 * rng.standard_normal(count)
    problem = Problem(Samples(x), y, regularizer=regularizer, strength=1.0)
    rough = ColumnGeneration(gap=1e-2).solve(problem.with_strength(0.05 * problem.strength_max), progress=False)
    return problem, problem.feasible_dual(rough.dual + 1e-3 * rng.standard_normal(count) * np.abs(rough.dual).max())


def search_of(regularizer: AtomicNorm, points: np.ndarray) -> Oracle:
    gauge, admit, sign = regularizer.gauge, regularizer.admit, regularizer.nonnegative
    if (regularizer, points.shape[1]) in EUCLIDEAN:
        return AtomicSearchOracle(points, gauge, regularizer.slope, str(regularizer.bias), admit, sign)
    return GaugeOracle(points, gauge, regularizer.activation, admit, regularizer.cvxpy_gauge, sign)


@pytest.mark.parametrize(("regularizer", "dimension"), EUCLIDEAN, ids=repr)
def test_the_search_finds_the_exact_supremum(regularizer, dimension):
    for seed in range(3):
        problem, dual = data(regularizer, dimension, 50, seed)
        assert problem.oracle.kind == "exact"
        exact = problem.oracle.supremum(dual)
        answer = search_of(regularizer, problem.measurements.points).supremum(dual)
        assert answer.value <= exact.upper
        assert answer.value == pytest.approx(exact.value, rel=CLIMBED)


@pytest.mark.parametrize(("regularizer", "dimension"), ANY, ids=repr)
def test_the_search_under_any_gauge_comes_near_and_never_above(regularizer, dimension):
    found = []
    for seed in range(2):
        problem, dual = data(regularizer, dimension, 30, seed)
        assert problem.oracle.kind == "exact"
        exact = problem.oracle.supremum(dual)
        answer = search_of(regularizer, problem.measurements.points).supremum(dual)
        assert answer.value <= exact.upper
        found.append(answer.value / exact.value)
    assert np.mean(np.array(found) > 1 - SOLVED) >= 0.5
    assert min(found) > 0.99


@pytest.mark.parametrize(("regularizer", "dimension"), EUCLIDEAN[:2] + ANY[1:2] + ANY[3:], ids=repr)
def test_answers_are_attained_by_admissible_neurons_of_gauge_one(regularizer, dimension):
    problem, dual = data(regularizer, dimension, 30, 0)
    points = problem.measurements.points
    search = search_of(regularizer, points)
    answer = search.supremum(dual)
    assert search.kind == "heuristic"
    np.testing.assert_allclose(regularizer.gauge(answer.neurons), 1, rtol=1e-14)
    assert regularizer.admits(answer.neurons)
    values = profile(points, dual, answer.neurons, slope=regularizer.slope)
    np.testing.assert_allclose(answer.values, values, atol=1e-12 * np.abs(values).max())
    assert answer.value == answer.upper == pytest.approx(np.abs(values).max(), rel=1e-12)
    # Equal calls, equal answers; a quick search proves nothing, and its hints are not forgotten.
    np.testing.assert_array_equal(search.supremum(dual).values, answer.values)
    quick = search.approximate(dual, answer.neurons[:1])
    assert quick.upper == np.inf
    assert quick.value == pytest.approx(answer.value, rel=CLIMBED)
    nothing = search.supremum(np.zeros_like(dual))
    assert nothing.value == 0
    assert len(nothing.neurons) == 0


def test_a_gauge_of_order_three_is_climbed_too():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((20, 2))
    quadratic = np.column_stack([np.ones(20), points, points**2, points[:, 0] * points[:, 1]])
    dual = rng.standard_normal(20)
    dual -= quadratic @ np.linalg.lstsq(quadratic, dual, rcond=None)[0]
    regularizer = RadonTV(order=3)
    bounded = regularizer.oracle(points).supremum(dual)
    search = GaugeOracle(points, regularizer.gauge, regularizer.activation).supremum(dual)
    assert search.value <= bounded.upper
    assert search.value == pytest.approx(bounded.value, rel=1e-3)


def test_the_number_of_starts_is_checked():
    with pytest.raises(ValueError, match="starts must be at least 1"):
        GaugeOracle(np.eye(2), AtomicNorm().gauge, AtomicNorm().activation, starts=0)


def test_hints_that_are_not_admissible_become_so():
    regularizer = AtomicNorm(bias="none", skip="none")
    points = np.random.default_rng(0).standard_normal((10, 3))
    search = search_of(regularizer, points)
    answer = search.supremum(np.arange(10.0) - 3, Neurons(np.ones((1, 3)), np.ones(1)))
    assert regularizer.admits(answer.neurons)
