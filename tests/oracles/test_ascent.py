"""The annealed search: its laws for all orders and several outputs, known suprema, batches and devices."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from helpers import EPS, random_dual, rotation, unit_rows

import ridgesplines.oracles.ascent as ascent
from ridgesplines.norms import sizes
from ridgesplines.oracles import (
    AscentOracle,
    EmbeddedOracle,
    Neurons,
    PlaneOracle,
    choose_oracle,
    profile,
)

pytestmark = pytest.mark.thinned(4)

# (order, dimension, outputs); 0 outputs is a dual vector without that axis.
CASES = ((2, 4, 0), (2, 3, 2), (3, 1, 0), (3, 3, 0), (4, 2, 2), (4, 3, 0))
every_case = pytest.mark.parametrize(("order", "dimension", "outputs"), CASES)


def problem(order: int, dimension: int, outputs: int, seed: int = 0, count: int = 40):
    """Points and a dual vector; one number of points, so that few programs are compiled."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((count, dimension))
    columns = [random_dual(rng, points, order - 1) for _ in range(max(outputs, 1))]
    return points, np.column_stack(columns) if outputs else columns[0]


@every_case
def test_the_value_is_attained_and_local_changes_do_not_raise_it(order, dimension, outputs):
    points, dual = problem(order, dimension, outputs)
    answer = AscentOracle(points, order).supremum(dual)
    assert answer.value == answer.upper == answer.sizes[0] == answer.sizes.max() > 0
    np.testing.assert_allclose(np.linalg.norm(answer.neurons.weights, axis=1), 1, rtol=16 * EPS)
    # The cubes of heights and the sum over data round.
    tolerance = 1e3 * EPS * float(np.abs(dual).sum()) * float(np.linalg.norm(points, axis=1).max()) ** (order - 1)
    np.testing.assert_allclose(profile(points, dual, answer.neurons, order), answer.values, rtol=0, atol=tolerance)
    rng = np.random.default_rng(1)
    reach = 10.0 ** -rng.uniform(0, 7, (4000, 1))
    weights = answer.neurons.weights[0] + reach * rng.standard_normal((4000, dimension))
    biases = answer.neurons.biases[0] + reach[:, 0] * rng.standard_normal(4000)
    norms = np.linalg.norm(weights, axis=1)
    nearby = Neurons(weights / norms[:, None], biases / norms)
    assert sizes(profile(points, dual, nearby, order)).max() <= answer.value + tolerance


@every_case
def test_no_sampled_neuron_is_higher(order, dimension, outputs):
    points, dual = problem(order, dimension, outputs)
    rng = np.random.default_rng(2)
    weights = unit_rows(rng, 4000, dimension)
    biases = (weights @ points.T)[np.arange(4000), rng.integers(len(points), size=4000)]
    highest = sizes(profile(points, dual, Neurons(weights, biases), order)).max()
    assert AscentOracle(points, order).supremum(dual).value >= highest


@every_case
def test_equal_calls_and_multiples_of_the_dual_give_equal_answers(order, dimension, outputs):
    points, dual = problem(order, dimension, outputs)
    oracle = AscentOracle(points, order)
    answer, again, larger = oracle.supremum(dual), oracle.supremum(dual), oracle.supremum(4 * dual)
    for other, factor in ((again, 1), (larger, 4)):
        np.testing.assert_array_equal(other.values, factor * answer.values)
        np.testing.assert_array_equal(other.neurons.weights, answer.neurons.weights)
        np.testing.assert_array_equal(other.neurons.biases, answer.neurons.biases)


@every_case
def test_rigid_motions_scalings_and_repetitions_of_the_points_are_followed(order, dimension, outputs):
    points, dual = problem(order, dimension, outputs)
    value = AscentOracle(points, order).supremum(dual).value
    rng = np.random.default_rng(3)
    moved = 100 * points @ rotation(rng, dimension).T + rng.standard_normal(dimension)
    assert AscentOracle(moved, order).supremum(dual).value == pytest.approx(100 ** (order - 1) * value, rel=1e-9)
    repeated = AscentOracle(np.concatenate([points, points[:5]]), order)
    split = np.concatenate([dual, dual[:5] + 1])
    split[:5] = -1
    assert repeated.supremum(split).value == pytest.approx(value, rel=1e-9)


@every_case
def test_a_hint_at_the_optimum_is_kept(order, dimension, outputs):
    points, dual = problem(order, dimension, outputs)
    answer = AscentOracle(points, order).supremum(dual)
    hinted = AscentOracle(points, order, starts=1, seed=9).supremum(dual, answer.neurons[:1])
    assert hinted.value >= answer.value * (1 - 1e-12)


@every_case
def test_small_batches_give_the_same_answer(order, dimension, outputs, monkeypatch):
    points, dual = problem(order, dimension, outputs)
    answer = AscentOracle(points, order, starts=192).supremum(dual)
    monkeypatch.setattr(ascent, "_ENTRIES", 50 * len(points))
    other = AscentOracle(points, order, starts=192).supremum(dual)
    assert other.value == pytest.approx(answer.value, rel=1e-12)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_outputs_that_are_multiples_of_one_act_as_one(order):
    points, dual = problem(order, 3, 0)
    value = AscentOracle(points, order).supremum(dual).value
    several = AscentOracle(points, order).supremum(np.outer(dual, [2.0, -3.0, 6.0]))
    assert several.value == pytest.approx(7 * value, rel=1e-9)


@pytest.mark.parametrize("order", [3, 4])
def test_the_supremum_on_the_line_is_found(order):
    for seed in range(5):
        points, dual = problem(order, 1, 0, seed)
        highest = 0.0
        for left, right in zip(np.sort(points[:, 0])[:-1], np.sort(points[:, 0])[1:], strict=True):
            # A polynomial between data: from as many values as it has coefficients.
            nodes = np.linspace(left, right, order)
            values = profile(points, dual, Neurons(np.ones((order, 1)), nodes), order)
            turns = np.polynomial.Polynomial.fit(nodes, values, order - 1).deriv().roots()
            turns = turns[np.isreal(turns)].real
            inside = np.append(turns[(turns > left) & (turns < right)], [left, right])
            neurons = Neurons(np.ones((len(inside), 1)), inside)
            highest = max(highest, np.abs(profile(points, dual, neurons, order)).max())
        assert AscentOracle(points, order).supremum(dual).value == pytest.approx(highest, rel=1e-9)


def test_the_supremum_in_the_plane_is_found():
    found = 0
    for seed in range(100):
        points, dual = problem(2, 2, 0, seed, count=(20, 60)[seed % 2])
        exact = PlaneOracle(points).supremum(dual).value
        value = AscentOracle(points).supremum(dual).value
        assert value <= exact * (1 + 1e-11)
        found += value >= exact * (1 - 1e-9)
    assert found >= 99


def test_more_effort_and_other_seeds_find_the_same():
    for order in (2, 3, 4):
        points, dual = problem(order, 3, 0)
        values = [AscentOracle(points, order, seed=seed).supremum(dual).value for seed in range(3)]
        values.append(AscentOracle(points, order).supremum(dual, effort=2).value)
        np.testing.assert_allclose(values, max(values), rtol=1e-9)


@pytest.mark.parametrize("order", [2, 3])
def test_the_zero_dual_of_several_outputs(order):
    points, dual = problem(order, 3, 2)
    answer = AscentOracle(points, order).supremum(0 * dual)
    assert (answer.value, answer.upper, answer.values.shape) == (0.0, 0.0, (0, 2))


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="starts must be at least 1"):
        AscentOracle(np.zeros((3, 2)), starts=0)
    with pytest.raises(ValueError, match="order must be 2, 3 or 4, got 5"):
        AscentOracle(np.zeros((3, 2)), order=5)


@pytest.mark.parametrize(("order", "outputs"), [(2, 1), (2, 3), (3, 1)])
def test_it_serves_where_nothing_is_proven(order, outputs):
    points = np.random.default_rng(0).standard_normal((20, 4))
    assert isinstance(choose_oracle(points, order, outputs), AscentOracle)
    flat = np.column_stack([points, points[:, 0]])
    assert isinstance(choose_oracle(flat, order, outputs), EmbeddedOracle)


SHARDED = """
import numpy as np, jax
from ridgesplines.oracles import AscentOracle
from ridgesplines.polynomials import PolynomialFit
rng = np.random.default_rng(0)
points, dual = rng.standard_normal((40, 3)), rng.standard_normal(40)
print(jax.device_count())
for order in (2, 4):
    print(repr(AscentOracle(points, order).supremum(PolynomialFit.at(points, order - 1).project_off(dual)).value))
"""


@pytest.mark.long
def test_several_devices_give_the_answer_of_one():
    answers = []
    for count in (1, 4):
        flags = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={count}", "JAX_PLATFORMS": "cpu"}
        run = subprocess.run(
            [sys.executable, "-c", SHARDED],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, **flags},
        )
        devices, *values = run.stdout.split()
        assert int(devices) == count
        answers.append([float(value) for value in values])
    np.testing.assert_allclose(answers[1], answers[0], rtol=1e-12)
