"""del_grande_2026: the expansion against Newton's solution and finite differences; counts in regions by hand."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import EPS

import ridgesplines as rs
from experiments.del_grande_2026.paper import problem_of, teacher
from experiments.del_grande_2026.regions import (
    Expansion,
    lifted,
    most_per_region,
    network,
    nonlinearity,
    profile,
    sharpened,
    united,
    weights_of,
)
from ridgesplines.arrangement import activation_patterns
from ridgesplines.oracles import Neurons
from ridgesplines.oracles.protocol import profile as package_profile


def example(seed: int, bias: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((20, 1 if bias else 2))
    weights = rng.standard_normal((2, 2))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    return x, lifted(x, bias), weights, np.array([1.2, -0.7])


@pytest.mark.parametrize("bias", [False, True])
def test_the_profile_is_the_packages_and_networks_go_back_and_forth(bias):
    x, inputs, weights, coefficients = example(0, bias)
    dual = np.random.default_rng(1).standard_normal(20)
    spline = network(weights, coefficients, bias)
    neurons = Neurons(np.asarray(spline.weights), np.asarray(spline.biases))
    here = profile(inputs, dual, weights)
    np.testing.assert_allclose(here, package_profile(x, dual, neurons), atol=1e-13)
    np.testing.assert_allclose(here, np.maximum(weights @ inputs.T, 0) @ dual, atol=1e-13)
    np.testing.assert_allclose(spline(x), np.maximum(inputs @ weights.T, 0) @ coefficients, atol=1e-14)
    again, values = weights_of(network(3 * weights, coefficients, bias), bias)
    np.testing.assert_allclose(again, weights, atol=1e-15)
    np.testing.assert_allclose(values, 3 * coefficients, atol=1e-15)


def test_profiles_bend_between_regions_only():
    inputs = np.eye(2)
    dual = np.array([1.0, 1.0])
    w = np.array([[1.0, 0.5], [1.0, 0.0], [0.0, 1.0]])
    within = nonlinearity(inputs, dual, w[:1], w[1:2])
    across = nonlinearity(inputs, dual, np.array([[1.0, -1.0]]), np.array([[-1.0, 1.0]]))
    assert within[0] <= 4 * EPS
    # p is 1 at either and 0 at their sum, over Σ |z| ‖x‖ = 2.
    assert across[0] == pytest.approx(1.0)


def test_neurons_are_counted_in_the_closed_regions_that_they_touch():
    points = np.eye(2)
    patterns = activation_patterns(points, np.zeros(2))
    corner = np.array([[1.0, 0.0], [0.0, 1.0], [np.sqrt(0.5), np.sqrt(0.5)], [-np.sqrt(0.5), -np.sqrt(0.5)]])
    # The first two are on the boundary of the first quadrant, the third inside, the last in the opposite one.
    assert most_per_region(points, patterns, corner, np.ones(4), 1e-9) == 3
    assert most_per_region(points, patterns, corner, np.array([1.0, 1.0, -1.0, 1.0]), 1e-9) == 2
    assert most_per_region(points, patterns, corner[2:], np.ones(2), 1e-9) == 1


def test_near_neurons_of_one_sign_are_united_without_changing_their_sum():
    weights = np.array([[1.0, 0.0], [np.cos(1e-6), np.sin(1e-6)], [np.cos(1e-6), -np.sin(1e-6)], [0.0, 1.0]])
    found, values = united(weights, np.array([1.0, 2.0, -1.0, 1.0]), 1e-4)
    assert len(found) == 3
    sums = np.array([1.0, 2.0, -1.0, 1.0]) @ weights
    np.testing.assert_allclose(values @ found, sums, atol=1e-15)


@pytest.mark.parametrize("bias", [False, True])
def test_sharpened_networks_are_certified_to_rounding(bias):
    x, inputs, weights, coefficients = example(3, bias)
    targets = np.maximum(inputs @ weights.T, 0) @ coefficients
    problem = problem_of(x, targets, bias, 1e-3)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-8))
    own, values = sharpened(inputs, targets, 1e-3, *weights_of(solution.spline, bias))
    certificate = rs.certify(problem, network(own, values, bias), dual=solution.dual)
    assert certificate.objective <= solution.objective * (1 + 1e-12)
    assert certificate.relative_gap <= 1e-8


def test_the_expansion_is_the_derivative_of_the_solution():
    _, inputs, weights, coefficients = example(5)
    expansion = Expansion.around(inputs, weights, coefficients)
    assert expansion.independent
    # Stationary and ±1 at its neurons: the dual vector is what the expansion rests on.
    np.testing.assert_allclose(expansion.matrix.T @ expansion.dual, weights.ravel(), atol=1e-10)
    clean = np.maximum(inputs @ weights.T, 0) @ coefficients
    noise = np.random.default_rng(2).standard_normal(20)
    errors = []
    for step in (1e-3, 1e-4):
        own, values = sharpened(inputs, clean + step * noise, step, weights, coefficients)
        order = np.argsort(np.linalg.norm(own[:, None] - weights[None], axis=2), axis=0)[0]
        turns = own[order] - weights
        errors.append(np.abs(turns - expansion.turned(step * noise, step)).max())
        masses = np.abs(values[order])[:, None] * own[order] - np.abs(coefficients)[:, None] * weights
        assert np.abs(masses - expansion.change(step * noise, step)).max() <= 0.1 * np.abs(masses).max()
    # What is left is of the second order: a hundredth, within a third.
    assert errors[1] == pytest.approx(errors[0] / 100, rel=1 / 3)


def test_the_unit_strength_changes_a_neuron_by_its_own_size():
    _, inputs, weights, coefficients = example(5)
    expansion = Expansion.around(inputs, weights, coefficients)
    change = expansion.change(np.zeros(20), expansion.unit_strength)
    assert (np.linalg.norm(change, axis=1) / np.abs(coefficients)).max() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(("bias", "neurons"), [(True, 2), (False, 3)])
@pytest.mark.parametrize("first_seed", [0, 5000])
def test_the_profiles_of_teachers_have_no_other_maximum_near_one(bias, neurons, first_seed):
    x, weights, coefficients, margin, _ = teacher(1 if bias else 2, bias, 20, neurons, first_seed)
    inputs = lifted(x, bias)
    dual = Expansion.around(inputs, weights, coefficients).dual
    angles = np.linspace(-np.pi, np.pi, 100_001)[:-1]
    values = profile(inputs, dual, np.column_stack([np.cos(angles), np.sin(angles)]))
    wanted, step = np.arctan2(weights[:, 1], weights[:, 0]), 2 * np.pi / 100_000
    assert np.abs(values).max() <= 1 + 1e-12
    for sign in (1.0, -1.0):
        # The supremum sees of w and −w the larger.
        higher = np.maximum(sign * values, np.roll(sign * values, 50_000))
        peak = (higher >= np.roll(higher, 1)) & (higher >= np.roll(higher, -1)) & (higher > 1 - margin + 1e-8)
        apart = np.abs((angles[peak][:, None] - wanted + np.pi / 2) % np.pi - np.pi / 2)
        assert (apart.min(axis=1, initial=np.inf) <= step).all()
    assert (np.abs(weights @ inputs.T) >= 0.02 * np.linalg.norm(inputs, axis=1)).all()
