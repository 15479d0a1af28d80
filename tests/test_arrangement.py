"""The activation patterns of data: every cell of the arrangement, counted exactly, in general and special position."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import references
from helpers import seeds
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from ridgesplines.arrangement import activation_patterns, most_patterns, sampled_patterns


def generic(rng, dimension, count):
    return rng.standard_normal((count, dimension))


def lattice(rng, dimension, count):
    return rng.integers(-1, 2, (count, dimension)).astype(float)


def decimals(rng, dimension, count):
    # Tenths are no binary fractions: common lines are common up to rounding only.
    return lattice(rng, dimension, count) * 0.1 + 0.3


def duplicated(rng, dimension, count):
    points = generic(rng, dimension, count - 2)
    return np.concatenate([points, points[:2]])


def collinear(rng, dimension, count):
    return np.outer(rng.integers(-3, 4, count), np.arange(1, dimension + 1) / 10) + 0.7


def anisotropic(rng, dimension, count):
    return generic(rng, dimension, count) * np.geomspace(1e-6, 1e6, dimension)


CLOUDS = (generic, lattice, decimals, duplicated, collinear, anisotropic)
every_cloud = pytest.mark.parametrize("cloud", CLOUDS, ids=lambda f: f.__name__)


def as_set(patterns: np.ndarray) -> set[tuple[bool, ...]]:
    assert len(np.unique(patterns, axis=0)) == len(patterns)
    return {tuple(row) for row in patterns.tolist()}


def separable(points: np.ndarray, pole: np.ndarray | None) -> set[tuple[bool, ...]]:
    """Every pattern that a linear program finds strictly separable, of all 2^N."""
    rows = np.column_stack([points, -np.ones(len(points))]) if pole is None else points - pole
    scales = np.abs(rows).max(axis=0)
    rows, group = np.unique(rows / np.where(scales > 0, scales, 1.0), axis=0, return_inverse=True)
    moving = rows.any(axis=1)
    found = set()
    for pattern in itertools.product([False, True], repeat=len(rows)):
        if not np.all(np.array(pattern)[~moving]):
            continue
        signed = (np.where(pattern, 1.0, -1.0)[:, None] * rows)[moving]
        # The largest margin of a neuron in the unit cube.
        limits = [(-1, 1)] * rows.shape[1] + [(0, 1)]
        matrix, margin = np.column_stack([-signed, np.ones(len(signed))]), np.append(np.zeros(rows.shape[1]), -1.0)
        result = linprog(margin, A_ub=matrix, b_ub=np.zeros(len(signed)), bounds=limits)
        # Small integers and Gaussian data leave margins above this; the solver is accurate to 1e-9 or so.
        if result.x[-1] > 1e-7:
            found.add(tuple(np.array(pattern)[group.ravel()].tolist()))
    return found


@every_cloud
@pytest.mark.parametrize("pole", [None, 0.0, 0.3])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_patterns_are_those_that_can_be_separated(dimension, pole, cloud):
    points = cloud(np.random.default_rng(0), dimension, 6)
    where = None if pole is None else np.full(dimension, pole)
    if cloud is anisotropic:
        where = None if pole is None else np.zeros(dimension)
    assert as_set(activation_patterns(points, where)) == separable(points, where)


@pytest.mark.parametrize("pole", [None, 0.25])
@pytest.mark.parametrize(("dimension", "count"), [(1, 1), (1, 9), (2, 2), (2, 12), (3, 9), (4, 7), (5, 3)])
def test_points_in_general_position_have_as_many_patterns_as_there_may_be(dimension, count, pole):
    points = np.random.default_rng(1).standard_normal((count, dimension))
    where = None if pole is None else np.full(dimension, pole)
    rank = min(count, dimension + (pole is None))
    most = 2 * sum(math.comb(count - 1, k) for k in range(rank))
    assert len(activation_patterns(points, where)) == most_patterns(points, where) == most


def patterns_by_lines(points: np.ndarray) -> int:
    """The number of patterns in the plane, 2 (1 + Σ over lines through two points or more of their number less 1).

    The cells of lines in the projective plane are 1 + Σ over crossings of the lines that meet there less 1; a line
    through data is a crossing of their dual lines. Integers, so exact.
    """
    points = np.unique(points, axis=0).astype(int)
    lines = set()
    for a, b in itertools.combinations(points, 2):
        turned = (b - a)[0] * (points - a)[:, 1] - (b - a)[1] * (points - a)[:, 0]
        lines.add(tuple(np.flatnonzero(turned == 0).tolist()))
    return 2 * (1 + sum(len(line) - 1 for line in lines))


@given(seed=seeds, count=st.integers(1, 14), reach=st.integers(1, 4), offset=st.sampled_from([0.0, 0.3, 1e3]))
def test_lattices_have_as_many_patterns_as_their_lines_say(seed, count, reach, offset):
    rng = np.random.default_rng(seed)
    points = rng.integers(-reach, reach + 1, (count, 2))
    expected = patterns_by_lines(points)
    assert len(activation_patterns(points.astype(float))) == expected
    assert len(activation_patterns(0.1 * points + offset)) == expected
    assert expected <= most_patterns(points.astype(float))


@every_cloud
@pytest.mark.parametrize("pole", [None, 0.0])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_no_random_neuron_has_another_pattern(dimension, pole, cloud):
    rng = np.random.default_rng(2)
    points = cloud(rng, dimension, 12)
    where = None if pole is None else np.zeros(dimension)
    patterns = as_set(activation_patterns(points, where))
    centred = points - points.mean(axis=0) if pole is None else points
    weights = rng.standard_normal((4000, dimension)) / np.abs(centred).max(axis=0)
    heights = centred @ weights.T
    if pole is None:
        heights -= heights[rng.integers(len(points), size=4000), np.arange(4000)] + 1e-3 * rng.standard_normal(4000)
    # Data that a hyperplane meets up to rounding are on no side.
    clear = (np.abs(heights) > 1e-9).all(axis=0) | (pole is not None and not centred.any(axis=1).all())
    seen = {tuple(row) for row in (heights[:, clear] > 0).T.tolist()}
    if pole is not None:
        seen = {tuple(np.array(row) | ~centred.any(axis=1)) for row in seen}
    assert seen <= patterns


@pytest.mark.parametrize("points", [np.random.default_rng(0).uniform(-1, 1, (12, 2)), np.eye(3)[:, :2].repeat(2, 0)])
def test_up_to_complement_they_are_the_ways_in_which_a_line_parts_points(points):
    patterns = activation_patterns(points)
    half = {tuple(row) for row in patterns[patterns[:, 0]].tolist()}
    assert half == {tuple(row) for row in (references.activation_patterns(points) > 0).tolist()}
    assert as_set(patterns) == half | {tuple(not side for side in row) for row in half}


@given(seed=seeds, dimension=st.integers(1, 3), count=st.integers(1, 9), cloud=st.sampled_from(CLOUDS[:4]))
def test_the_order_and_an_affine_map_of_the_points_change_nothing(seed, dimension, count, cloud):
    rng = np.random.default_rng(seed)
    points = cloud(rng, dimension, count + 2)
    patterns = activation_patterns(points)
    order = rng.permutation(len(points))
    assert as_set(activation_patterns(points[order])) == as_set(patterns[:, order])
    # Powers of two and shears of integers round nothing.
    matrix = np.eye(dimension) * 2.0 ** rng.integers(-20, 20, dimension)
    assert as_set(activation_patterns(points @ matrix)) == as_set(patterns)


@pytest.mark.parametrize("pole", [None, 0.0])
@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_sampled_patterns_are_some_of_all(dimension, pole):
    points = np.random.default_rng(3).standard_normal((8, dimension))
    where = None if pole is None else np.zeros(dimension)
    everything = as_set(activation_patterns(points, where))
    some = sampled_patterns(points, where, 10, seed=0)
    extremes = {(True,) * 8, (False,) * 8} if pole is not None else set()
    assert as_set(some) <= everything | extremes
    if dimension < 3:
        assert as_set(sampled_patterns(points, where, 20_000, seed=0)) >= everything
    np.testing.assert_array_equal(some, sampled_patterns(points, where, 10, seed=0))


def test_coincident_points_and_data_at_the_pole():
    assert as_set(activation_patterns(np.ones((3, 2)))) == {(True,) * 3, (False,) * 3}
    assert as_set(activation_patterns(np.zeros((2, 2)), np.zeros(2))) == {(True, True)}
    line = np.array([[0.0, 0.0], [1.0, 2.0], [-2.0, -4.0]])
    assert as_set(activation_patterns(line, np.zeros(2))) == {(True, True, False), (True, False, True)}
