"""Polishing takes any network to the certified optimum, and says truly what each step gained."""

from __future__ import annotations

import io

import numpy as np
import pytest
import rich.console

import ridgesplines as rs


def problem_of(dimension, order=2, loss=None, regularizer=None, strength=0.1):
    rng = np.random.default_rng([dimension, order])
    x = rng.uniform(-1, 1, (25, dimension))
    y = np.sin(3 * x[:, 0]) + 0.1 * rng.standard_normal(25)
    if loss is not None:
        y = np.where(y > 0, 1.0, -1.0) * np.where(np.arange(25) % 5, 1, -1)
    return rs.Problem(rs.Samples(x), y, loss, regularizer or rs.RadonTV(order), strength)


def wide(problem, seed=0):
    """A network with neurons twice, backwards, next to each other, and without effect."""
    rng = np.random.default_rng(seed)
    d, order = problem.measurements.dimension, problem.regularizer.order
    w, b, v = rng.standard_normal((40, d)), 0.5 * rng.standard_normal(40), 0.1 * rng.standard_normal(40)
    parts = (w, b, v), (w[:10], b[:10], 0.3 * v[:10]), (-w[:10], -b[:10], -0.5 * v[:10]), (w + 1e-9, b, v)
    w, b, v = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    v[[3, 7]] = 0.0
    return rs.RidgeSpline(w, b, v, order=order)


CASES = [
    dict(dimension=1),
    dict(dimension=2),
    dict(dimension=1, order=4, strength=1e-4),
    dict(dimension=2, loss=rs.LogisticLoss()),
    dict(dimension=2, regularizer=rs.AtomicNorm(weight_norm=1, slope=0.25)),
    dict(dimension=2, regularizer=rs.AtomicNorm(bias="joint", skip="none")),
]


@pytest.mark.parametrize("case", CASES)
def test_any_network_ends_at_the_certified_optimum(case):
    problem = problem_of(**case)
    network = wide(problem)
    polished = rs.polish(problem, network)
    assert [step.name for step in polished.steps] == ["network", "canonical", "pruned", "sparse", "refined"]
    optimum = rs.solve(problem, rs.ColumnGeneration())
    assert polished["refined"].objective == pytest.approx(optimum.objective, rel=2e-6)
    assert polished["refined"].relative_gap <= 1e-6
    assert polished.solution.certificate.proven
    for step in polished.steps[1:]:
        assert step.objective == pytest.approx(problem.objective(step.spline), rel=1e-9)
    objectives = [step.objective for step in polished.steps]
    # Pruning may cost a millionth.
    assert (np.diff(objectives) <= 1.1e-6 * np.abs(objectives[:-1])).all()
    assert polished["sparse"].width <= problem.representer_bound
    assert all(step.objective >= polished.solution.certificate.bound for step in polished.steps)


@pytest.mark.parametrize("dimension", [1, 2])
def test_each_step_does_what_it_says(dimension):
    problem = problem_of(dimension)
    network = wide(problem)
    polished = rs.polish(problem, network)
    x = problem.measurements.points
    for name in ("canonical", "sparse"):
        before = polished.steps[[step.name for step in polished.steps].index(name) - 1]
        np.testing.assert_allclose(polished[name].spline(x), before.spline(x), atol=1e-9)
    # The network as it stands pays for neurons that cancel.
    path_norm = np.abs(network.coefficients) @ np.linalg.norm(network.weights, axis=1)
    missed = network(x) - problem.targets
    assert polished["network"].objective == pytest.approx(0.5 * missed @ missed + 0.1 * path_norm)
    assert polished["canonical"].objective < polished["network"].objective
    assert (polished["network"].width, polished["canonical"].width) == (100, 79 if dimension == 1 else 80)
    # Of each pair next to each other one is left, but of two of them that differ in sign.
    assert polished["pruned"].width <= 42


def test_a_trained_network_is_polished_and_the_steps_are_tabled():
    problem = problem_of(1)
    trained = rs.train(problem, width=20, steps=300, seeds=1)
    network = trained.splines[0].to_network(balanced=True)
    polished = rs.polish(problem, rs.RidgeSpline.from_network(*network))
    assert polished["network"].objective == pytest.approx(trained.objectives[0])
    assert polished["refined"].relative_gap <= 1e-6 < polished["network"].relative_gap
    console = rich.console.Console(width=200, record=True, file=io.StringIO())
    console.print(polished)
    for text in (console.export_text(), str(polished)):
        for step in polished.steps:
            assert f"{step.objective:.8g}" in text
        assert f"{polished['sparse'].objective - polished['refined'].objective:.3g}" in text
    with pytest.raises(KeyError, match="there is no step 'nonsense'; there are network, canonical"):
        polished["nonsense"]


def test_an_interpolant_is_made_of_a_network_that_is_none():
    problem = problem_of(1)
    problem = rs.Problem(problem.measurements, problem.targets, rs.Interpolation())
    polished = rs.polish(problem, wide(problem))
    assert polished["network"].objective == np.inf
    assert polished["refined"].objective == pytest.approx(rs.solve(problem).objective, rel=1e-6)
    assert "inf" in str(polished)


def test_senseless_arguments_are_refused():
    problem = problem_of(1)
    with pytest.raises(TypeError, match="problem must be a Problem"):
        rs.polish(1, wide(problem))
    with pytest.raises(TypeError, match="spline must be a RidgeSpline"):
        rs.polish(problem, 1)
    with pytest.raises(ValueError, match="gap must be between 0 and 1"):
        rs.polish(problem, wide(problem), gap=2.0)
    with pytest.raises(ValueError, match=r"but the problem needs \(2, 1, 1\)"):
        rs.polish(problem, wide(problem_of(2)))
