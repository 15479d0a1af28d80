"""Sliding: the objective's gradient, that a slide is a network of the same problem and lowers its objective."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers import EPS, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

import ridgesplines as rs
from ridgesplines.oracles import Neurons
from ridgesplines.solvers import column_generation, sliding
from ridgesplines.solvers.sliding import slide

REGULARIZERS = [
    rs.RadonTV(),
    rs.RadonTV(3),
    rs.RadonTV(4),
    rs.AtomicNorm(1),
    rs.AtomicNorm(2, "joint", skip="none"),
    rs.AtomicNorm(2, "none", 0.2, skip="none"),
    rs.AtomicNorm(np.inf, 2.0, 0.1, skip="constant"),
    rs.AtomicNorm(2, nonnegative=True),
    rs.VectorRadonTV(),
]
LOSSES = [rs.SquaredLoss(), rs.HuberLoss(0.2), rs.LogisticLoss(), rs.SquaredHingeLoss()]
every_regularizer = pytest.mark.parametrize("regularizer", REGULARIZERS, ids=repr)
# There are many pairs.
few = settings(max_examples=3)
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=repr)


def draw(regularizer, loss, seed: int, weighted: bool, count: int = 25, scale: float = 1.0):
    """A problem, and an admissible network of gauge 1 with its fit."""
    rng = np.random.default_rng(seed)
    x = scale * (rng.standard_normal((count, 2)) + 3.0)
    outputs = (2,) if regularizer.vector_valued else ()
    y = rng.standard_normal((count, *outputs))
    if isinstance(loss, (rs.LogisticLoss, rs.SquaredHingeLoss)):
        y = np.where(y > 0, 1.0, -1.0)
    weights = rng.uniform(0.5, 2, count) if weighted else None
    problem = rs.Problem(rs.Samples(x), y, loss, regularizer, 0.1 * scale, weights)
    directions = rng.standard_normal((6, 2))
    neurons = regularizer.admit(Neurons(directions, np.sum(directions * x[:6], axis=1) + 0.1 * scale))
    coefficients = rng.standard_normal((6, *outputs))
    coefficients = np.abs(coefficients) if regularizer.nonnegative else coefficients
    neurons, coefficients = regularizer.normalize(neurons, coefficients / scale)
    fit = problem.measure_neurons(neurons) @ coefficients
    return problem, neurons, coefficients, fit


@every_regularizer
@every_loss
@given(seed=seeds, weighted=st.booleans())
@few
def test_the_gradient_is_that_of_differences(regularizer, loss, seed, weighted):
    problem, neurons, coefficients, fit = draw(regularizer, loss, seed, weighted)
    network = sliding._Network(problem, neurons, coefficients, fit)
    value, gradient = network.objective(network.start)
    assert value == pytest.approx(problem.objective_of(coefficients, fit), rel=1e-10)
    direction = np.random.default_rng(seed + 1).standard_normal(len(gradient))
    errors = []
    for step in (1e-5, 1e-6):
        ends = [network.objective(network.start + sign * step * direction)[0] for sign in (-1, 1)]
        errors.append(abs((ends[1] - ends[0]) / (2 * step) - gradient @ direction))
    size = float(np.linalg.norm(gradient) * np.linalg.norm(direction))
    # Kinks of neurons at a datum, or of the loss, may be crossed at one step; at both, hardly.
    assert min(errors) <= 1e-4 * size + 1e-9


@every_regularizer
@every_loss
@given(seed=seeds, scale=st.sampled_from([1e-3, 1.0, 1e3]))
@few
def test_a_slide_is_a_better_network(regularizer, loss, seed, scale):
    problem, neurons, coefficients, fit = draw(regularizer, loss, seed, weighted=True, scale=scale)
    before = problem.objective_of(coefficients, fit)
    slid, moved, after = slide(problem, neurons, coefficients, fit)
    assert regularizer.admits(slid)
    assert np.asarray(regularizer.gauge(slid)) == pytest.approx(np.ones(len(slid)), rel=64 * EPS)
    assert not (regularizer.nonnegative and (moved < 0).any())
    # What is not made of the neurons is a free polynomial.
    remainder = after - problem.measure_neurons(slid) @ moved
    off = problem.free.project_off(remainder)
    assert np.abs(off).max() <= 1e-9 * (np.abs(remainder).max() + np.abs(after).max())
    assert problem.objective_of(moved, after) <= before


def test_neurons_that_leave_the_data_are_forgotten():
    problem, neurons, coefficients, _ = draw(rs.RadonTV(4), rs.SquaredLoss(), 0, weighted=False)
    far = Neurons(neurons.weights, neurons.biases + np.tile([1e3, -1e3], 3))
    network = sliding._Network(problem, far, coefficients, problem.measure_neurons(far) @ coefficients)
    left, values, fit = network.result(network.start)
    assert len(left) == len(values) == 0
    assert problem.free.project_off(fit) == pytest.approx(np.zeros(25), abs=1e-9 * np.abs(fit).max())


@pytest.mark.parametrize(
    "problem",
    [
        rs.Problem(rs.Samples(x), y, loss, regularizer, strength)
        for x, y in [(np.random.default_rng(5).uniform(-1, 1, (30, 4)), np.random.default_rng(6).standard_normal(30))]
        for loss, regularizer, strength in [
            (rs.SquaredLoss(), rs.RadonTV(), 0.3),
            (rs.HuberLoss(0.5), rs.AtomicNorm(2, "joint", skip="none"), 0.3),
            (rs.SquaredLoss(), rs.RadonTV(3), 0.3),
        ]
    ],
    ids=repr,
)
def test_the_same_optimum_with_and_without_sliding(problem, monkeypatch):
    solver = rs.ColumnGeneration(gap=1e-6)
    slides = []

    def counted(*arguments):
        slides.append(arguments)
        return slide(*arguments)

    monkeypatch.setattr(column_generation, "slide", counted)
    with_slides = solver.solve(problem)
    assert slides
    monkeypatch.setattr(column_generation._Run, "_slide", lambda self, restricted: False)
    without = solver.solve(problem)
    assert with_slides.certificate.objective == pytest.approx(without.certificate.objective, rel=3e-6)


def test_equal_calls_equal_answers():
    problem, *network = draw(rs.RadonTV(), rs.SquaredLoss(), 3, weighted=False)
    first, second = slide(problem, *network), slide(problem, *network)
    for ours, theirs in zip(
        dataclasses.astuple(first[0]) + first[1:], dataclasses.astuple(second[0]) + second[1:], strict=True
    ):
        assert np.array_equal(ours, theirs)
