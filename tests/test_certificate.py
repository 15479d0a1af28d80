"""Certificates: never above the optimum, whatever spline and dual they are given, and honest about their kind."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from helpers import EPS, random_dual, random_spline, rotation, seeds, unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from references import dictionary_program, line_program, loss_program, pair_columns, trend_filter

from ridgesplines import (
    ColumnGeneration,
    Interpolation,
    Problem,
    RidgeSpline,
    Samples,
    SquaredLoss,
    VectorRadonTV,
    certify,
    solve,
)
from ridgesplines.losses import (
    AbsoluteLoss,
    EpsilonInsensitiveLoss,
    HardMargin,
    HingeLoss,
    HuberLoss,
    IntervalConstraint,
    LogisticLoss,
    QuantileLoss,
    SquaredHingeLoss,
)
from ridgesplines.oracles import Neurons

pytestmark = pytest.mark.thinned(4)

# The reference programs are asked for 1e-10 and reach it to about this.
CONIC = 1e-7


def make(x, y, strength=None) -> Problem:
    if strength is None:
        return Problem(Samples(x), y, loss=Interpolation())
    return Problem(Samples(x), y, strength=strength)


def data(rng: np.random.Generator, count: int, dimension: int):
    x = rng.uniform(-1, 1, (count, dimension))
    return x, np.sin(3 * x.sum(axis=1)) + 0.1 * rng.standard_normal(count)


def reference(x: np.ndarray, y: np.ndarray, strength: float | None) -> float:
    """The optimum on the line, where knots may be taken at the data; in the plane, a number that is not below it."""
    count, dimension = x.shape
    free = np.column_stack([x, np.ones(count)])
    if dimension == 1:
        if strength is not None:
            return trend_filter(x[:, 0], y, strength)
        return dictionary_program(np.maximum(x - x.T, 0), free, y, None)
    normals = [
        (w / np.linalg.norm(w), pivot)
        for a, b in itertools.combinations(x, 2)
        for w, pivot in [(np.array([a[1] - b[1], b[0] - a[0]]), a)]
    ]
    fan = [(np.array([np.cos(t), np.sin(t)]), pivot) for t in np.linspace(0, np.pi, 8, endpoint=False) for pivot in x]
    columns = np.array([np.maximum((x - pivot) @ w, 0) for w, pivot in normals + fan]).T
    return dictionary_program(columns, free, y, strength)


@settings(max_examples=20)
@given(seeds, st.sampled_from([1, 2]), st.sampled_from([0.01, 0.3]), st.booleans())
def test_no_bound_exceeds_the_optimum_and_no_objective_falls_below_it(seed, dimension, strength, own):
    rng = np.random.default_rng(seed)
    x, y = data(rng, 9, dimension)
    problem = make(x, y, strength)
    optimum = reference(x, y, strength)
    spline = random_spline(rng, 2, dimension)
    certificate = certify(problem, spline, None if own else random_dual(rng, x))
    assert 0 <= certificate.bound <= optimum * (1 + CONIC)
    assert certificate.bound <= certificate.objective
    assert certificate.objective == pytest.approx(problem.objective(spline), rel=64 * EPS)
    if dimension == 1:
        assert certificate.objective >= optimum * (1 - CONIC)


@settings(max_examples=10)
@given(seeds, st.sampled_from([1, 2]))
def test_no_bound_exceeds_the_least_seminorm_of_an_interpolant(seed, dimension):
    rng = np.random.default_rng(seed)
    x, y = data(rng, 8, dimension)
    optimum = reference(x, y, None)
    problem = make(x, y)
    for dual in (None, random_dual(rng, x), y - y.mean()):
        certificate = certify(problem, random_spline(rng, 2, dimension), dual)
        assert 0 <= certificate.bound <= optimum * (1 + CONIC)


@pytest.mark.parametrize("strength", [None, 0.05])
@pytest.mark.parametrize("dimension", [1, 2])
def test_the_bound_of_the_best_dual_is_the_optimum(dimension, strength):
    rng = np.random.default_rng(1)
    x, y = data(rng, 9, dimension)
    solution = solve(make(x, y, strength), ColumnGeneration(gap=1e-9))
    optimum = reference(x, y, strength)
    assert solution.certificate.bound <= optimum * (1 + CONIC)
    if dimension == 1:
        assert solution.certificate.bound >= optimum * (1 - CONIC)


@pytest.mark.parametrize(
    ("dimension", "kind", "proven"),
    [(1, "exact", True), (2, "exact", True), (3, "exact", True), (4, "heuristic", False)],
)
def test_a_network_trained_elsewhere_is_certified_by_dimension(dimension, kind, proven):
    rng = np.random.default_rng(2)
    x, y = data(rng, 30, dimension)
    problem = make(x, y, 0.05)
    # Random features with a ridge fit of the output layer: a network as training leaves it, far from optimal.
    hidden, biases = unit_rows(rng, 40, dimension), rng.uniform(-1, 1, 40)
    features = np.maximum(x @ hidden.T + biases, 0)
    output = np.linalg.solve(features.T @ features + 0.05 * np.eye(40), features.T @ y)
    certificate = certify(problem, RidgeSpline.from_network(hidden, biases, output))
    assert (certificate.kind, certificate.proven) == (kind, proven)
    assert ("proven" if proven else "estimated") in str(certificate)
    optimum = solve(problem)
    assert certificate.bound <= optimum.objective * (1 + 1e-12)
    assert certificate.objective > optimum.objective
    # With the dual of the solution the gap is what the network wastes, and no more.
    better = certify(problem, RidgeSpline.from_network(hidden, biases, output), optimum.dual)
    assert better.bound == pytest.approx(optimum.certificate.bound, rel=1e-9)
    assert better.gap <= certificate.gap + 1e-9
    assert better.gap == pytest.approx(certificate.objective - optimum.objective, abs=optimum.certificate.gap + 1e-9)


@pytest.mark.parametrize("strength", [None, 0.05])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_a_solution_certifies_again_with_its_own_dual(dimension, strength):
    x, y = data(np.random.default_rng(3), 20, dimension)
    problem = make(x, y, strength)
    solution = solve(problem)
    certificate = certify(problem, solution.spline, solution.dual)
    assert certificate.objective == solution.objective
    # The stored dual is already scaled: dividing by its supremum again rounds.
    assert certificate.bound == pytest.approx(solution.certificate.bound, rel=1e-12)
    assert certificate.relative_gap <= 1e-6 * (1 + 1e-6) + 1e-12
    # Without it, the residual of a near-optimal fit is a near-optimal dual.
    if strength is not None:
        assert certify(problem, solution.spline).relative_gap <= 1e-2


@given(seeds, st.sampled_from([1, 2]))
def test_the_certificate_holds_a_feasible_dual(seed, dimension):
    rng = np.random.default_rng(seed)
    x, y = data(rng, 12, dimension)
    problem = make(x, y, 0.1)
    certificate = certify(problem, random_spline(rng, 2, dimension))
    size = float(np.abs(certificate.dual).sum())
    # Orthogonal to affine functions, and |p_z| ≤ λ, to the rounding of twelve terms.
    free = np.column_stack([x, np.ones(len(x))])
    np.testing.assert_allclose(free.T @ certificate.dual, 0, atol=1e2 * EPS * size)
    assert certificate.supremum <= 0.1 * (1 + 8 * EPS)
    assert problem.oracle.supremum(certificate.dual).upper <= 0.1 * (1 + 1e3 * EPS)
    expected = problem.dual_value(certificate.dual)
    assert certificate.bound == pytest.approx(max(expected, 0), abs=1e3 * EPS * (1 + size))


def test_contacts_are_where_the_profile_touches_the_limit():
    x, y = data(np.random.default_rng(4), 25, 2)
    problem = make(x, y, 0.05)
    solution = solve(problem, ColumnGeneration(gap=1e-10))
    certificate = solution.certificate
    assert len(certificate.contacts) == len(certificate.contact_values) > 0
    p = problem.measure_neurons(certificate.contacts).T @ certificate.dual
    np.testing.assert_allclose(np.abs(p), 0.05, rtol=2e-6)
    np.testing.assert_allclose(p, certificate.contact_values, rtol=1e-9)
    # At the optimum p_z = λ sign v at every neuron, up to the gap.
    own = problem.measure_neurons(Neurons(solution.spline.weights, solution.spline.biases)).T @ certificate.dual
    np.testing.assert_allclose(own, 0.05 * np.sign(solution.spline.coefficients), rtol=1e-3)


def test_the_parts_add_up():
    rng = np.random.default_rng(5)
    x, y = data(rng, 12, 2)
    spline = random_spline(rng, 2, 2)
    certificate = certify(make(x, y, 0.3), spline)
    assert certificate.loss == pytest.approx(0.5 * float(np.sum((spline(x) - y) ** 2)), rel=64 * EPS)
    assert certificate.regularization == pytest.approx(spline.radon_tv(), rel=64 * EPS)
    assert certificate.objective == pytest.approx(certificate.loss + 0.3 * certificate.regularization, rel=8 * EPS)
    assert certificate.misfit == pytest.approx(float(np.abs(spline(x) - y).max()), rel=64 * EPS)
    assert certificate.gap == certificate.objective - certificate.bound
    assert certificate.relative_gap == certificate.gap / certificate.objective
    assert certificate.width == 6


def test_wasteful_writing_is_not_held_against_a_network():
    rng = np.random.default_rng(6)
    x, y = data(rng, 12, 2)
    spline, problem = random_spline(rng, 2, 2), make(x, y, 0.3)
    wasteful = spline + 2 * spline - 2 * spline
    assert certify(problem, wasteful).objective == pytest.approx(certify(problem, spline).objective, rel=1e-12)
    assert certify(problem, wasteful).width == 6


def test_an_output_axis_of_one_is_the_same_spline():
    rng = np.random.default_rng(7)
    x, y = data(rng, 12, 2)
    column = random_spline(rng, 2, 2, outputs=1)
    flat = RidgeSpline(column.weights, column.biases, column.coefficients[:, 0], column.polynomial.coefficients[:, 0])
    problem = make(x, y, 0.3)
    assert certify(problem, column).objective == pytest.approx(certify(problem, flat).objective, rel=64 * EPS)
    assert certify(problem, column).bound == pytest.approx(certify(problem, flat).bound, rel=1e-9)


@pytest.mark.parametrize("dimension", [1, 2])
def test_a_spline_that_misses_the_data_has_no_objective(dimension):
    rng = np.random.default_rng(8)
    x, y = data(rng, 12, dimension)
    problem = make(x, y)
    interpolant = solve(problem).spline
    # Twice the allowance of 1e-8 of the range, as a constant.
    allowance = 1e-8 * float(np.ptp(y))
    shift = RidgeSpline(np.zeros((0, dimension)), [], [], [2 * allowance] + [0.0] * dimension)
    certificate = certify(problem, interpolant + shift)
    assert certificate.objective == certificate.gap == certificate.relative_gap == np.inf
    assert certificate.misfit == pytest.approx(2 * allowance, rel=1e-3)
    assert 0 <= certificate.bound < np.inf
    assert np.isfinite(certify(problem, interpolant + 0.25 * shift).objective)


@pytest.mark.parametrize("dimension", [1, 2])
def test_rigid_motions_leave_the_gap(dimension):
    rng = np.random.default_rng(9)
    x, y = data(rng, 15, dimension)
    motion, shift = rotation(rng, dimension), rng.standard_normal(dimension)
    spline = random_spline(rng, 2, dimension)
    # f(x) = g(Q x + s) with g = f(Qᵀ(· − s)).
    moved = spline.compose(motion.T, -motion.T @ shift)
    before = certify(make(x, y, 0.1), spline)
    after = certify(make(x @ motion.T + shift, y, 0.1), moved)
    assert after.objective == pytest.approx(before.objective, rel=1e-12)
    assert after.bound == pytest.approx(before.bound, rel=1e-9)


def test_a_spline_without_neurons_is_certified():
    x, y = data(np.random.default_rng(10), 12, 2)
    nothing = RidgeSpline(np.zeros((0, 2)), [], [])
    for problem in (make(x, y, 0.1), make(x, y)):
        certificate = certify(problem, nothing)
        assert certificate.width == 0
        assert 0 <= certificate.bound < np.inf


def test_the_optimum_across_a_row_of_points_along_an_axis():
    # z = s y is orthogonal to affine functions, and sup |p_z| = 2 s is attained at max(x2, 0), through the middle of
    # the row. It is feasible up to s = ½, where D(z) = 6 s − 3 s² is 2.25, and the network below attains that.
    x = np.array([[2.0, 0.0], [2.0, 2.0], [2.0, -2.0], [1.0, 2.0]])
    y = np.array([-2.0, 1.0, 1.0, 0.0])
    problem = make(x, y, 1.0)
    best = RidgeSpline([[0.0, 1.0]], [0.0], [1.5], problem.free(y - 1.5 * np.maximum(x[:, 1], 0)))
    assert problem.objective(best) == pytest.approx(2.25, rel=64 * EPS)
    for certificate in (certify(problem, best), certify(problem, best, y), solve(problem).certificate):
        assert certificate.bound <= 2.25 <= certificate.objective * (1 + 64 * EPS)
    assert solve(problem).objective == pytest.approx(2.25, rel=1e-6)


VALID = RidgeSpline([[1.0, 0.0]], [0.0], [1.0])


@pytest.mark.parametrize(
    ("spline", "dual", "error", "message"),
    [
        (np.zeros(3), None, TypeError, "spline must be a RidgeSpline, got ndarray; see RidgeSpline.from_network"),
        (lambda x: x, None, TypeError, "spline must be a RidgeSpline, got function"),
        (
            random_spline(np.random.default_rng(0), order=3),
            None,
            ValueError,
            r"outputs\) \(3, 2, 1\), but .* \(2, 2, 1\)",
        ),
        (random_spline(np.random.default_rng(0), dimension=3), None, ValueError, r"\(2, 3, 1\), but .* \(2, 2, 1\)"),
        (random_spline(np.random.default_rng(0), outputs=2), None, ValueError, r"\(2, 2, 2\), but .* \(2, 2, 1\)"),
        # An error, and no warning of overflow before it.
        (RidgeSpline([[1e150, 0.0]], [0.0], [1e200]), None, ValueError, "spline must be finite at the data"),
        (VALID, np.zeros(3), ValueError, r"dual must have one entry per measurement, \(12,\), got \(3,\)"),
        (VALID, np.zeros((12, 1)), ValueError, r"dual must have one entry per measurement, \(12,\), got \(12, 1\)"),
        (VALID, np.full(12, np.nan), ValueError, "dual must be finite"),
        (VALID, ["a"] * 12, TypeError, "dual must hold real numbers"),
    ],
)
def test_what_does_not_fit_the_problem_is_refused(spline, dual, error, message):
    x, y = data(np.random.default_rng(11), 12, 2)
    with pytest.raises(error, match=message):
        certify(make(x, y, 0.1), spline, dual)


def test_the_zero_dual_bounds_by_zero():
    x, y = data(np.random.default_rng(12), 12, 2)
    for problem in (make(x, y, 0.1), make(x, y)):
        assert certify(problem, VALID, np.zeros(12)).bound == 0.0


# Every loss

LOSSES = [
    SquaredLoss(),
    HuberLoss(0.3),
    LogisticLoss(),
    SquaredHingeLoss(),
    AbsoluteLoss(),
    QuantileLoss(0.3),
    EpsilonInsensitiveLoss(0.2),
    HingeLoss(),
    Interpolation(),
    IntervalConstraint(0.2),
    HardMargin(),
]
LABELS = (HingeLoss, SquaredHingeLoss, LogisticLoss, HardMargin)


def loss_problem(loss, seed: int, dimension: int, weighted: bool = False) -> Problem:
    """Twelve data: waves with noise, or labels that change sign a few times."""
    rng = np.random.default_rng(seed)
    x, y = data(rng, 12, dimension)
    y = np.where(y > 0, 1.0, -1.0) if isinstance(loss, LABELS) else y
    weights = rng.uniform(0.3, 3, 12) if weighted and loss.needs_strength else None
    return Problem(Samples(x), y, loss, strength=0.05 if loss.needs_strength else None, sample_weights=weights)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_no_bound_exceeds_the_optimum_of_any_loss(loss, dimension, weighted):
    for seed in range(3):
        problem = loss_problem(loss, seed, dimension, weighted)
        x = problem.measurements.points
        optimum = line_program(problem) if dimension == 1 else loss_program(problem, pair_columns(x))
        rng = np.random.default_rng(seed)
        nothing = RidgeSpline(np.zeros((0, dimension)), [], [])
        near = solve(problem, ColumnGeneration(gap=0.1)).spline
        for spline in (random_spline(rng, 2, dimension), random_spline(rng, 2, dimension, width=1), nothing, near):
            for dual in (None, rng.standard_normal(12), 1e3 * problem.targets):
                certificate = certify(problem, spline, dual)
                assert 0 <= certificate.bound <= optimum * (1 + CONIC)
                assert certificate.bound <= certificate.objective
                assert certificate.supremum <= problem.dual_limit * (1 + 8 * EPS)
                lower, upper = problem.dual_domain
                assert ((lower <= certificate.dual) & (certificate.dual <= upper)).all()


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("dimension", [1, 2])
def test_a_solution_of_any_loss_certifies_again(loss, dimension):
    for seed in range(3):
        problem = loss_problem(loss, seed, dimension, weighted=True)
        solution = solve(problem, ColumnGeneration(gap=1e-9))
        again = certify(problem, solution.spline, solution.dual)
        assert again.objective == solution.objective
        assert again.bound == pytest.approx(solution.certificate.bound, rel=1e-10)
        assert again.relative_gap <= 1e-6
        # Without its dual: the subgradients at its data and the profile at its neurons tell it. Where the optimum is
        # degenerate, they need not.
        alone = certify(problem, solution.spline)
        assert alone.bound <= solution.objective * (1 + 1e-9)
        if not isinstance(loss, HingeLoss | HardMargin):
            # Smooth losses: the gap of the residual's dual is of first order in the distance, the square root of 1e-9.
            assert alone.relative_gap <= (1e-3 if loss.smooth else 1e-6)


def test_a_proof_where_the_supremum_is_only_searched_for_otherwise():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((14, 4))
    problem = Problem(Samples(x), np.abs(x[:, 0]) + 0.1 * rng.standard_normal(14), strength=0.5)
    solution = ColumnGeneration().solve(problem, progress=False)
    assert solution.certificate.kind == "heuristic"
    proven = certify(problem, solution.spline, solution.dual, prove=60.0)
    assert proven.kind == "bounded"
    assert proven.proven
    # The proof is as sharp as its tolerance, and never above the objective.
    assert solution.objective * (1 - 1e-5) <= proven.bound <= proven.objective
    hurried = certify(problem, solution.spline, solution.dual, prove=1e-3)
    assert hurried.kind == "bounded"
    assert hurried.bound <= proven.objective
    with pytest.raises(ValueError, match="no proof is known for VectorRadonTV"):
        certify(
            Problem(Samples(x), x[:, :2], strength=0.5, regularizer=VectorRadonTV()),
            RidgeSpline(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 2))),
            prove=1.0,
        )
    with pytest.raises(ValueError, match="prove must be a positive"):
        certify(problem, solution.spline, prove=0.0)
