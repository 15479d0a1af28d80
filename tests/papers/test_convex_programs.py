"""mishkin_2022 and parhi_nowak_2023: programs of patterns against the package's, targets against their theory."""

from __future__ import annotations

import numpy as np
import pytest

import ridgesplines as rs
from experiments.benchmarks.peers import PLANTED
from experiments.mishkin_2022.programs import gated_program, patterns_of, relu_program
from experiments.parhi_nowak_2023.targets import (
    SIZE,
    hard_width,
    linear_rate,
    network_rate,
    neurons,
    points_of_ball,
    uniform_in_ball,
)
from ridgesplines.arrangement import activation_patterns


def test_programs_of_all_patterns_are_the_packages_and_gates_relax_them():
    count, lam = 10, 0.05
    problem, inputs = PLANTED.build(count, lam), PLANTED.inputs(count)
    every = activation_patterns(problem.points)
    program = rs.solve(problem, rs.ConvexProgram())
    least = relu_program(inputs, problem.targets, lam * count, every)
    assert least == pytest.approx(program.objective, rel=1e-7)
    assert gated_program(inputs, problem.targets, lam * count, every) <= least * (1 + 1e-8)


def test_one_pattern_that_is_always_on_is_a_group_lasso():
    rng = np.random.default_rng(0)
    inputs = np.column_stack([rng.uniform(1, 2, 8), np.ones(8)])
    targets = inputs @ np.array([1.0, 0.5])
    strength = 0.3
    found = gated_program(inputs, targets, strength, np.ones((1, 8), dtype=bool))
    # Stationarity, (XᵀX + λ / ‖u‖) u = Xᵀ y, by fixed point iteration.
    u = np.array([1.0, 0.5])
    for _ in range(200):
        u = np.linalg.solve(inputs.T @ inputs + strength / np.linalg.norm(u) * np.eye(2), inputs.T @ targets)
    expected = 0.5 * np.sum((inputs @ u - targets) ** 2) + strength * np.linalg.norm(u)
    assert found == pytest.approx(expected, rel=1e-7)
    # Its solution is within the cone here.
    assert relu_program(inputs, targets, strength, np.ones((1, 8), dtype=bool)) == pytest.approx(expected, rel=1e-7)


def test_data_on_a_hyperplane_are_active():
    inputs = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    assert patterns_of(inputs, np.array([[0.0, 2.0]])).tolist() == [[True, True, True]]
    assert len(patterns_of(inputs, np.array([[1.0, 1.0], [2.0, 3.0], [-1.0, 1.0]]))) == 2


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("kind", ["kink", "hard"])
def test_targets_have_the_seminorm_that_they_are_meant_to_have(kind, dimension):
    weights, biases, coefficients = neurons(np.random.default_rng(3), kind, 500, dimension, 3.0)
    assert len(biases) == (1 if kind == "kink" else hard_width(500, dimension, 3.0))
    assert np.abs(biases).max() < 1
    spline = rs.RidgeSpline(weights, biases, coefficients)
    assert spline.canonical().radon_tv() == pytest.approx(SIZE, rel=1e-12)


def test_rates_are_those_of_the_paper():
    assert (network_rate(1), linear_rate(1)) == pytest.approx((-4 / 5, -3 / 4))
    assert (network_rate(2), linear_rate(2)) == pytest.approx((-5 / 7, -3 / 5))
    # Immune to the curse of dimensionality, linear methods are not.
    assert network_rate(100) < -0.5 < -0.1 < linear_rate(100)
    widths = np.array([hard_width(n, 2, 1000.0) for n in (100, 100_000)])
    assert np.log(widths[1] / widths[0]) / np.log(1000) == pytest.approx(2 / 7, abs=1e-3)


@pytest.mark.parametrize("dimension", [1, 2])
def test_points_are_uniform_in_the_ball(dimension):
    points = points_of_ball(800, dimension)
    random = uniform_in_ball(np.random.default_rng(0), 20_000, dimension)
    for found, tolerance in ((points, 2e-3), (random, 5 * 0.5 / np.sqrt(20_000))):
        assert np.linalg.norm(found, axis=1).max() <= 1
        # E x² = 1 / (d + 2), E x = 0; five standard errors of at most a half each, for those at random.
        np.testing.assert_allclose(np.mean(found**2, axis=0), 1 / (dimension + 2), atol=tolerance)
        np.testing.assert_allclose(found.mean(axis=0), 0, atol=2 * tolerance)
