"""Sparsification: the same measurements, no larger cost, no more neurons than the representer theorem needs."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import lattice_spline, random_spline

import ridgesplines as rs
from ridgesplines.solvers import column_generation

CASES = [(order, d, outputs) for order in (2, 3, 4) for d in (1, 2, 3) for outputs in (None, 3)]


def problem_at(x, order=2, outputs=None, loss=None):
    y = np.zeros(len(x)) if outputs is None else np.zeros((len(x), outputs))
    regularizer = rs.RadonTV(order) if outputs is None else rs.VectorRadonTV(order)
    return rs.Problem(rs.Samples(x), y, loss=loss, regularizer=regularizer, strength=1.0)


def check(problem, spline):
    """The laws; returns the sparse spline."""
    x = problem.measurements.points
    sparse = rs.sparsify(problem, spline)
    assert sparse.width <= min(problem.representer_bound, spline.canonical().width)
    before, after = spline(x).reshape(problem.targets.shape), sparse(x)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-9 * np.abs(before).max(initial=1e-300))
    cost = problem.regularizer.cost(spline)
    assert problem.regularizer.cost(sparse) <= cost * (1 + 2e-9)
    # It keeps hyperplanes, it makes none.
    planes = np.column_stack([spline.canonical().weights, spline.canonical().biases])
    for plane in np.column_stack([sparse.weights, sparse.biases]):
        assert np.abs(planes - plane).max(axis=1).min() < 1e-9
    again = rs.sparsify(problem, sparse)
    assert again.width == sparse.width
    np.testing.assert_allclose(again.coefficients, sparse.coefficients, rtol=1e-12)
    return sparse


@pytest.mark.parametrize(("order", "dimension", "outputs"), CASES)
@pytest.mark.parametrize("repeated", [0, 8])
def test_wide_splines_become_as_sparse_as_promised(order, dimension, outputs, repeated):
    rng = np.random.default_rng([order, dimension, outputs or 1, repeated])
    x = rng.standard_normal((30, dimension))
    x = np.concatenate([x, x[:repeated]])
    problem = problem_at(x, order, outputs)
    spline = random_spline(rng, order, dimension, outputs, 250)
    sparse = check(problem, spline)
    if dimension > 1:
        assert sparse.width == problem.representer_bound
    assert problem.regularizer.cost(sparse) < problem.regularizer.cost(spline)


@pytest.mark.parametrize(("order", "dimension", "outputs"), CASES)
def test_lattices_of_coincident_and_cancelling_neurons_are_served(order, dimension, outputs):
    rng = np.random.default_rng([7, order, dimension, outputs or 1])
    x = rng.integers(-2, 3, (25, dimension)).astype(float)
    check(problem_at(x, order, outputs), lattice_spline(rng, order, dimension, outputs, 60))


def test_neurons_that_do_not_part_the_data_are_dropped_for_nothing():
    x = np.linspace(0, 1, 12)
    inner = rs.RidgeSpline([[1.0]], [0.55], [2.0])
    outer = rs.RidgeSpline([[1.0], [1.0], [1.0]], [-1.0, 0.0, 3.0], [1.0, 4.0, -5.0])
    sparse = rs.sparsify(problem_at(x), inner + outer)
    np.testing.assert_allclose(sparse.biases, [0.55], rtol=1e-15)
    np.testing.assert_allclose(sparse.coefficients, [2.0], rtol=1e-12)


def test_two_knots_of_one_sign_between_data_make_room_at_the_data():
    # Four data leave two degrees of freedom beside the affine functions: of three knots of one sign one must go, and
    # the sum of coefficients, the change of slope from end to end, stays.
    x = np.array([0.0, 1.0, 2.0, 3.0])
    spline = rs.RidgeSpline(np.ones((3, 1)), [1.2, 1.5, 1.8], [1.0, 1.0, 1.0])
    sparse = check(problem_at(x), spline)
    assert sparse.width == 2
    assert sparse.radon_tv() == pytest.approx(3.0, rel=1e-12)
    # Of moments 0 and 1, (3, 4.5): two of the three knots share them.
    assert sparse.coefficients @ sparse.biases == pytest.approx(4.5, rel=1e-12)


def test_signs_that_cancel_cost_less_afterwards():
    # Within one gap of the data, +2 at 1.4 and −1 at 1.2 and 1.6 are nothing at the data.
    x = np.array([0.0, 1.0, 2.0, 3.0])
    spline = rs.RidgeSpline(np.ones((3, 1)), [1.2, 1.4, 1.6], [-1.0, 2.0, -1.0])
    sparse = rs.sparsify(problem_at(x), spline)
    assert sparse.radon_tv() == pytest.approx(0.0, abs=1e-12)


def test_a_spline_of_independent_neurons_is_only_made_canonical():
    x = np.random.default_rng(3).standard_normal((30, 2))
    spline = random_spline(np.random.default_rng(4), width=5)
    sparse, canonical = rs.sparsify(problem_at(x), spline), spline.canonical()
    for name in ("weights", "biases", "coefficients"):
        np.testing.assert_array_equal(getattr(sparse, name), getattr(canonical, name))


def test_polynomials_and_as_many_data_as_free_polynomials_need_no_neuron():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((3, 2))
    for width in (0, 20):
        assert check(problem_at(x), random_spline(rng, width=width)).width == 0


def test_one_column_of_targets_is_one_output():
    rng = np.random.default_rng(6)
    x = rng.standard_normal((20, 2))
    problem = rs.Problem(rs.Samples(x), x[:, :1], strength=1.0)
    assert check(problem, random_spline(rng, outputs=1, width=80)).outputs == 1


def test_thousands_of_neurons_take_seconds():
    rng = np.random.default_rng(8)
    x = rng.standard_normal((250, 3))
    check(problem_at(x), random_spline(rng, dimension=3, width=2000))


def test_solutions_are_as_sparse_as_promised_when_a_conic_program_makes_them():
    rng = np.random.default_rng(9)
    x = np.sort(rng.uniform(-1, 1, 9))
    y = np.column_stack([np.abs(x), x**2])
    problem = rs.Problem(rs.Samples(x), y, loss=rs.AbsoluteLoss(), strength=0.01)
    solution = rs.solve(problem)
    assert solution.certificate.relative_gap < 1e-5
    assert solution.spline.width <= problem.representer_bound


def test_an_interrupted_interpolation_is_made_sparse(monkeypatch):
    rng = np.random.default_rng(10)
    x = rng.uniform(-1, 1, (25, 2))
    problem = rs.Problem(rs.Samples(x), np.abs(x).sum(axis=1), loss=rs.Interpolation())
    widths = []
    sparsify = column_generation.sparsify

    def spy(problem, spline):
        widths.append(spline.width)
        return sparsify(problem, spline)

    monkeypatch.setattr(column_generation, "sparsify", spy)
    wide = random_spline(rng, width=200)
    monkeypatch.setattr(column_generation._Run, "spline", lambda self: wide)
    spline, _ = column_generation._Run(problem, rs.ColumnGeneration(), 0.0, True).best()
    assert widths == [200]
    assert spline.width <= problem.representer_bound


@pytest.mark.parametrize(
    ("spline", "error", "message"),
    [
        ("a spline", TypeError, "spline must be a RidgeSpline, got str"),
        (random_spline(np.random.default_rng(0), order=3), ValueError, r"spline has \(order, dimension, outputs\)"),
        (random_spline(np.random.default_rng(0), dimension=3), ValueError, r"\(2, 3, 1\), but the problem needs"),
        (random_spline(np.random.default_rng(0), outputs=2), ValueError, r"\(2, 2, 2\), but the problem needs"),
        (rs.RidgeSpline([[1e300, 0]], [0], [1e300]), ValueError, "spline must be finite at the data"),
    ],
)
def test_splines_that_do_not_fit_are_refused(spline, error, message):
    with pytest.raises(error, match=message):
        rs.sparsify(problem_at(np.random.default_rng(1).standard_normal((10, 2))), spline)
