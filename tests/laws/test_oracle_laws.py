"""The laws of every oracle, on generic and degenerate points, and the exact ones against brute force."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from helpers import EPS, random_dual, rotation, seeds, unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

import ridgesplines.oracles.plane as plane
from ridgesplines import Samples, Stack
from ridgesplines.oracles import (
    AscentOracle,
    BranchAndBoundOracle,
    ConvexityOracle,
    LineOracle,
    MeasuredSearchOracle,
    Neurons,
    Oracle,
    PlaneOracle,
    SearchOracle,
    SpaceOracle,
    SubdivisionOracle,
    Supremum,
    choose_oracle,
    profile,
)

pytestmark = pytest.mark.thinned(5)


@dataclass(frozen=True)
class Case:
    """An oracle of order m for points on a flat of dimension `rank` in R^dimension."""

    make: Callable[[np.ndarray], Oracle]
    dimension: int
    rank: int
    kind: str
    order: int = 2

    def place(self, coordinates: np.ndarray) -> np.ndarray:
        """Coordinates (N, rank) as points (N, dimension): isometric, the same flat each time."""
        if self.rank == self.dimension:
            return coordinates
        basis = rotation(np.random.default_rng(99), self.dimension)[:, : self.rank]
        return coordinates @ basis.T + np.linspace(0.5, 1, self.dimension)


def in_a_stack(x: np.ndarray) -> Stack:
    """The samples at `x`, of two kinds that take turns."""
    order = np.append(np.arange(0, len(x), 2), np.arange(1, len(x), 2))
    return Stack(Samples(x[::2]), Samples(x[1::2])).select(np.argsort(order))


# A new oracle gets one row here.
CASES = {
    "line": Case(LineOracle, 1, 1, "exact"),
    "plane": Case(PlaneOracle, 2, 2, "exact"),
    "space": Case(SpaceOracle, 3, 3, "exact"),
    "search-2": Case(SearchOracle, 2, 2, "heuristic"),
    "search-3": Case(SearchOracle, 3, 3, "heuristic"),
    "search-5": Case(SearchOracle, 5, 5, "heuristic"),
    "ascent-3": Case(AscentOracle, 3, 3, "heuristic"),
    "chosen-line": Case(choose_oracle, 1, 1, "exact"),
    "chosen-plane": Case(choose_oracle, 2, 2, "exact"),
    "chosen-space": Case(choose_oracle, 3, 3, "exact"),
    "chosen-four": Case(choose_oracle, 4, 4, "heuristic"),
    "line-in-the-plane": Case(choose_oracle, 2, 1, "exact"),
    "line-in-space": Case(choose_oracle, 3, 1, "exact"),
    "plane-in-space": Case(choose_oracle, 3, 2, "exact"),
    "plane-in-five": Case(choose_oracle, 5, 2, "exact"),
    "space-in-five": Case(choose_oracle, 5, 3, "exact"),
    "line-order-3": Case(partial(LineOracle, order=3), 1, 1, "exact", 3),
    "line-order-4": Case(partial(LineOracle, order=4), 1, 1, "exact", 4),
    "subdivision-order-3": Case(partial(SubdivisionOracle, order=3), 2, 2, "bounded", 3),
    "subdivision-order-4": Case(partial(SubdivisionOracle, order=4), 2, 2, "bounded", 4),
    "line-in-space-order-4": Case(partial(choose_oracle, order=4), 3, 1, "exact", 4),
    "plane-in-space-order-3": Case(partial(choose_oracle, order=3), 3, 2, "bounded", 3),
    "convexity-line-2": Case(lambda x: ConvexityOracle(Samples(x), 2), 1, 1, "bounded"),
    "convexity-plane-2": Case(lambda x: ConvexityOracle(Samples(x), 2), 2, 2, "bounded"),
    "convexity-stack-3": Case(lambda x: ConvexityOracle(in_a_stack(x), 3), 2, 2, "bounded", 3),
    "convexity-line-3": Case(lambda x: ConvexityOracle(Samples(x), 3), 1, 1, "bounded", 3),
    "convexity-line-4": Case(lambda x: ConvexityOracle(Samples(x), 4), 1, 1, "bounded", 4),
    "convexity-plane-3": Case(lambda x: ConvexityOracle(Samples(x), 3), 2, 2, "bounded", 3),
    "convexity-plane-4": Case(lambda x: ConvexityOracle(Samples(x), 4), 2, 2, "bounded", 4),
    "measured-search-3": Case(lambda x: MeasuredSearchOracle(Samples(x), 3), 3, 3, "heuristic", 3),
    "branch-and-bound-2": Case(BranchAndBoundOracle, 2, 2, "bounded"),
    "branch-and-bound-3": Case(BranchAndBoundOracle, 3, 3, "bounded"),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
exact_case = pytest.mark.parametrize(
    "case", [c for c in CASES.values() if c.kind == "exact"], ids=[n for n, c in CASES.items() if c.kind == "exact"]
)


def generic(rng, rank, count=18):
    return rng.standard_normal((count, rank))


def duplicated(rng, rank):
    points = generic(rng, rank, 12)
    return np.concatenate([points, points[:5], points[:3]])


def lattice(rng, rank):
    return rng.integers(-2, 3, (24, rank)).astype(float)


def collinear(rng, rank):
    # Multiples of 1/8 along a vector of small integers: exactly on a line.
    return rng.integers(-40, 40, (16, 1)) / 8.0 * np.arange(1.0, rank + 1)


def nearly_collinear(rng, rank):
    return collinear(rng, rank) + 1e-9 * rng.standard_normal((16, rank))


def tiny(rng, rank):
    return 1e-6 * generic(rng, rank)


def huge(rng, rank):
    return 1e6 * generic(rng, rank)


def far_away(rng, rank):
    return generic(rng, rank) + 1e6


def anisotropic(rng, rank):
    return generic(rng, rank) * np.geomspace(1e-6, 1e6, rank) if rank > 1 else 1e6 * generic(rng, rank)


CLOUDS = (generic, duplicated, lattice, collinear, nearly_collinear, tiny, huge, far_away, anisotropic)
every_cloud = pytest.mark.parametrize("cloud", CLOUDS, ids=lambda f: f.__name__)


def problem(case: Case, cloud, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Supremum]:
    rng = np.random.default_rng(seed)
    points = case.place(cloud(rng, case.rank))
    dual = dual_of(rng, points, case.order)
    return points, dual, case.make(points).supremum(dual)


def dual_of(rng: np.random.Generator, points: np.ndarray, order: int, outputs: int | None = None) -> np.ndarray:
    """A random dual vector for order m."""
    return random_dual(rng, points, order - 1, outputs)


def rounding(points: np.ndarray, dual: np.ndarray, order: int = 2) -> float:
    """Of evaluating p_z in plain sums: N terms, heights being differences of numbers as large as the coordinates."""
    slope = float(np.linalg.norm(np.ptp(points, axis=0))) ** (order - 2)
    return len(points) * EPS * 8 * float(np.abs(dual).sum()) * float(np.linalg.norm(points, axis=1).max()) * slope


def hyperplanes(rng: np.random.Generator, points: np.ndarray, count: int) -> Neurons:
    """Hyperplanes through d of the points (random ones), whose normals span what is left of their differences."""
    dimension = points.shape[1]
    chosen = np.array([rng.choice(len(points), dimension, replace=False) for _ in range(count)])
    weights = np.array([np.linalg.svd(points[row[1:]] - points[row[0]])[2][-1] for row in chosen])
    return Neurons(weights, np.einsum("kd,kd->k", weights, points[chosen[:, 0]]))


def sampled(rng: np.random.Generator, points: np.ndarray, count: int = 3000) -> Neurons:
    """Neurons of all directions with biases at data, some anisotropic, and hyperplanes through data."""
    dimension = points.shape[1]
    weights = unit_rows(rng, count, dimension)
    spread = np.ptp(points, axis=0)
    stretched = weights / np.where(spread > 0, spread, 1.0)
    weights = np.concatenate([weights, stretched / np.linalg.norm(stretched, axis=1, keepdims=True)])
    biases = np.einsum("kd,kd->k", weights, points[rng.integers(len(points), size=len(weights))])
    through = Neurons(np.ones((1, 1)), points[:1, 0]) if dimension == 1 else hyperplanes(rng, points, 300)
    return Neurons(weights, biases) + through


def along(points: np.ndarray) -> Neurons:
    """Neurons across the longest direction of the points, at data and between them."""
    direction = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][:1]
    heights = np.sort(points @ direction[0])
    biases = (heights[:-1, None] + np.diff(heights)[:, None] * np.linspace(0, 1, 200)).ravel()
    return Neurons(direction.repeat(len(biases), axis=0), biases)


# Laws of every oracle


@every_cloud
@every_case
def test_the_value_is_attained_at_the_first_neuron(case, cloud):
    points, dual, answer = problem(case, cloud)
    assert len(answer.neurons) == len(answer.values) > 0
    assert answer.value == abs(answer.values[0]) == np.abs(answer.values).max()
    assert answer.upper >= answer.value > 0
    np.testing.assert_allclose(np.linalg.norm(answer.neurons.weights, axis=1), 1, rtol=16 * EPS)
    p = profile(points, dual, answer.neurons, case.order)
    np.testing.assert_allclose(p, answer.values, rtol=0, atol=rounding(points, dual, case.order))


@every_cloud
@every_case
def test_no_sampled_neuron_beats_the_upper_end(case, cloud):
    points, dual, answer = problem(case, cloud)
    neurons = sampled(np.random.default_rng(1), points)
    highest = float(np.abs(profile(points, dual, neurons, case.order)).max())
    # The sample itself rounds; the search promises no bound, but finds what random directions do.
    assert answer.upper >= highest - rounding(points, dual, case.order) - (
        1e-9 * highest if case.kind == "heuristic" else 0
    )


@every_case
def test_the_kind_is_stated(case):
    points = case.place(generic(np.random.default_rng(0), case.rank))
    assert case.make(points).kind == case.kind


@pytest.mark.parametrize(("count", "outputs", "kind"), [(500, 1, "exact"), (500, 3, "exact"), (501, 3, "heuristic")])
def test_many_points_in_space_are_searched(count, outputs, kind):
    points = generic(np.random.default_rng(0), 3, count)
    assert choose_oracle(points, outputs=outputs).kind == kind
    assert choose_oracle(np.concatenate([points, points, points, points])).kind == "heuristic"


@every_cloud
@every_case
def test_homogeneity_in_the_dual(case, cloud):
    points, dual, answer = problem(case, cloud)
    oracle = case.make(points)
    # Powers of two scale without rounding.
    doubled = oracle.supremum(4 * dual)
    assert doubled.value == 4 * answer.value
    np.testing.assert_array_equal(doubled.values, 4 * answer.values)
    np.testing.assert_array_equal(doubled.neurons.weights, answer.neurons.weights)
    scaled = oracle.supremum(-0.3 * dual if case.kind == "exact" else 0.3 * dual)
    assert scaled.value == pytest.approx(0.3 * answer.value, rel=1e-9, abs=rounding(points, dual, case.order))


@pytest.mark.parametrize("cloud", [generic, duplicated, collinear])
@every_case
def test_rigid_motions_of_the_points_change_nothing(case, cloud):
    points, dual, answer = problem(case, cloud)
    rng = np.random.default_rng(2)
    moved = points @ rotation(rng, case.dimension).T + rng.standard_normal(case.dimension)
    other = case.make(moved).supremum(dual)
    # The points themselves round as they move, and z is no longer orthogonal to them beyond that.
    assert other.value == pytest.approx(
        answer.value, rel=1e-9, abs=rounding(np.concatenate([points, moved]), dual, case.order)
    )


@every_case
def test_the_order_of_the_points_changes_nothing(case):
    points, dual, answer = problem(case, generic)
    order = np.random.default_rng(3).permutation(len(points))
    other = case.make(points[order]).supremum(dual[order])
    assert other.value == pytest.approx(answer.value, rel=1e-9, abs=rounding(points, dual, case.order))


@every_case
def test_repeated_points_act_as_one_with_the_sum_of_their_duals(case):
    rng = np.random.default_rng(4)
    points = case.place(generic(rng, case.rank))
    dual = dual_of(rng, points, case.order)
    answer = case.make(points).supremum(dual)
    split = np.concatenate([dual - 1.0, np.full(len(dual), 1.0)])
    other = case.make(np.concatenate([points, points])).supremum(split)
    assert other.value == pytest.approx(answer.value, rel=1e-9, abs=rounding(points, split, case.order))


@every_case
def test_equal_calls_give_equal_answers(case):
    points, dual, answer = problem(case, generic)
    oracle = case.make(points)
    for other in (oracle.supremum(dual), oracle.supremum(dual)):
        assert (other.value, other.upper) == (answer.value, answer.upper)
        np.testing.assert_array_equal(other.neurons.weights, answer.neurons.weights)
        np.testing.assert_array_equal(other.neurons.biases, answer.neurons.biases)


@pytest.mark.parametrize("cloud", [generic, lattice, collinear])
@every_case
def test_the_zero_dual_has_supremum_zero(case, cloud):
    points = case.place(cloud(np.random.default_rng(5), case.rank))
    answer = case.make(points).supremum(np.zeros(len(points)))
    assert (answer.value, answer.upper) == (0.0, 0.0)
    assert not np.any(answer.values)


@every_case
def test_points_that_all_coincide_have_supremum_zero(case):
    points = np.tile(np.linspace(0.1, 0.7, case.dimension), (6, 1))
    answer = case.make(points).supremum(np.array([1.0, -1.0, 2.0, -2.0, 0.5, -0.5]))
    assert (answer.value, answer.upper) == (0.0, 0.0)
    assert len(answer.neurons) == len(answer.values)


@every_case
def test_hints_never_lower_the_answer(case):
    points, dual, answer = problem(case, generic)
    hints = sampled(np.random.default_rng(6), points, 20)
    hinted = case.make(points).supremum(dual, hints)
    assert hinted.value >= answer.value * (1 - 1e-9)
    if case.kind == "exact":
        assert hinted.value == answer.value


# Exact oracles


@every_cloud
@exact_case
def test_the_upper_end_is_tight(case, cloud):
    points, dual, answer = problem(case, cloud)
    assert answer.upper - answer.value <= rounding(points, dual, case.order)


@every_cloud
@exact_case
def test_no_search_beats_an_exact_oracle(case, cloud):
    points, dual, answer = problem(case, cloud)
    if case.order > 2:
        highest = np.abs(profile(points, dual, along(points), case.order)).max()
        assert answer.value == pytest.approx(highest, rel=1e-4, abs=rounding(points, dual, case.order))
        assert answer.upper >= highest - rounding(points, dual, case.order)
    elif case.dimension == 1:
        brute = np.abs(profile(points, dual, Neurons(np.ones((len(points), 1)), points[:, 0]))).max()
        assert answer.value == pytest.approx(brute, abs=rounding(points, dual, case.order))
    else:
        assert SearchOracle(points).supremum(dual).value <= answer.upper + rounding(points, dual, case.order)


def rows(rng, rank):
    """Half of the points on an axis: directions of kinks where a sweep over a half circle begins and ends."""
    points = generic(rng, rank, 12)
    points[::2, -1] = 0.0
    return points


def brute_force(points: np.ndarray, dual: np.ndarray) -> float:
    """sup |p_z| in the plane: between directions where two points change places, each pivot's profile is linear."""
    points = np.unique(points, axis=0, return_inverse=True)
    points, groups = points[0], points[1].ravel()
    masses = np.bincount(groups, dual)
    normals = np.array([[a[1] - b[1], b[0] - a[0]] for a, b in itertools.permutations(points, 2)])
    angles = np.unique(np.round(np.arctan2(normals[:, 1], normals[:, 0]), 12))
    ends = np.append(angles, angles[0] + 2 * np.pi)
    highest = 0.0
    for left, right in itertools.pairwise(ends):
        middle = np.array([np.cos((left + right) / 2), np.sin((left + right) / 2)])
        for pivot in points:
            u = points - pivot
            a = (masses * (u @ middle > 0)) @ u
            for w in (a, -a):
                length = np.hypot(*w)
                if length > 0 and (np.arctan2(w[1], w[0]) - left) % (2 * np.pi) <= right - left:
                    highest = max(highest, length)
            for angle in (left, right):
                highest = max(highest, abs(a @ [np.cos(angle), np.sin(angle)]))
    return highest


@settings(max_examples=60)
@given(seeds, st.integers(4, 12), st.sampled_from([generic, lattice, rows]))
def test_the_plane_oracle_agrees_with_brute_force(seed, count, cloud):
    rng = np.random.default_rng(seed)
    points = cloud(rng, 2)[:count]
    if len(np.unique(points, axis=0)) < 2:
        return
    dual = random_dual(rng, points)
    answer = PlaneOracle(points).supremum(dual)
    # Brute force rounds its angles to 1e-12, across which the profile moves by that times its slope.
    slope = float(np.abs(dual).sum() * np.ptp(points, axis=0).sum())
    assert answer.value == pytest.approx(brute_force(points, dual), abs=4e-12 * slope + rounding(points, dual))


def test_the_interior_of_an_arc_is_found():
    # A tall middle between two low rims: at the optimum the neuron passes through a single point, the apex.
    points = np.array([[0.0, 0.0], [1.0, 0.3], [1.0, -0.3], [-1.0, 0.3], [-1.0, -0.3]])
    dual = np.array([-4.0, 1.0, 1.0, 1.0, 1.0])
    answer = PlaneOracle(points).supremum(dual)
    assert answer.value == pytest.approx(2.0, abs=64 * EPS)  # w = (1, 0), b = 0: two points at height 1
    np.testing.assert_allclose(np.abs(answer.neurons.weights[0]), [1.0, 0.0], atol=16 * EPS)


@pytest.mark.parametrize("turn", range(8))
def test_a_maximum_straight_along_an_axis_is_found(turn):
    # Three points in a row and one without weight: the best neuron is across the row, through its middle, and lies in
    # the interior of an arc, which for a row along an axis is where the sweep over directions begins and ends: its
    # extreme there is at neither a kink nor strictly inside, and a missed one makes a "proven" bound false.
    points = np.array([[2.0, 0.0], [2.0, 2.0], [2.0, -2.0], [1.0, 2.0]])
    dual = np.array([-2.0, 1.0, 1.0, 0.0])
    c, s = [(1.0, 0.0), (0.8, 0.6), (0.6, 0.8), (0.0, 1.0), (-0.6, 0.8), (-0.8, 0.6), (-1.0, 0.0), (0.0, -1.0)][turn]
    turned = points @ np.array([[c, s], [-s, c]])
    assert PlaneOracle(turned).supremum(dual).value == pytest.approx(2.0, abs=rounding(turned, dual))


# Space


def coplanar_but_one(rng, rank):
    """All circles of a pivot in the plane meet in two points, but for that of the last point."""
    points = generic(rng, rank, 10)
    points[:-1, -1] = 0.0
    return points


def clusters(rng, rank):
    """Differences within a cluster and between two are of different sizes, and those between two nearly parallel."""
    return rng.integers(0, 3, (3, rank))[rng.integers(0, 3, 10)] + 1e-4 * generic(rng, rank, 10)


def nearly_lattice(rng, rank):
    """Kinks at nearly equal angles, by less and by more than circles are told apart."""
    return lattice(rng, rank)[:10] + rng.choice([1e-9, 1e-7, 1e-5]) * generic(rng, rank, 10)


SPACES = [generic, lattice, rows, coplanar_but_one, clusters, nearly_lattice, collinear, nearly_collinear, anisotropic]


def candidates_in_space(points: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Directions of every local maximum of |p_z|, and others: crossings, and the best of all arcs and all cells."""
    found = []
    for pivot in range(len(points)):
        u = np.delete(points, pivot, axis=0) - points[pivot]
        z = np.delete(masses, pivot, axis=0)
        for axis in u / np.linalg.norm(u, axis=1, keepdims=True):
            plane = np.linalg.svd(axis[None])[2][1:]
            crossing = np.linalg.norm(u @ plane.T, axis=1) > 1e-8 * np.linalg.norm(u, axis=1)
            kinks = np.arctan2(*(u[crossing] @ plane.T).T[::-1])
            angles = np.unique(
                np.round(np.concatenate([kinks + np.pi / 2, kinks - np.pi / 2, [0.0]]) % (2 * np.pi), 12)
            )
            found.extend(np.column_stack([np.cos(angles), np.sin(angles)]) @ plane)
            for middle in (angles + np.append(angles[1:], 2 * np.pi)) / 2:
                active = crossing & (u @ (np.array([np.cos(middle), np.sin(middle)]) @ plane) > 0)
                slopes = [plane.T @ plane @ u.T @ (active[:, None] * z)]
                slopes += [u.T @ ((active | (~crossing & (side * (u @ axis) > 0)))[:, None] * z) for side in (1, -1)]
                found.extend(np.linalg.svd(a)[0][:, 0] for a in slopes)
    return np.array(found)


def brute_force_in_space(points: np.ndarray, dual: np.ndarray) -> float:
    """sup ‖p_z‖ for `dual` (N, D): over all biases at the data, for every direction that may have the maximum."""
    points, groups = np.unique(points, axis=0, return_inverse=True)
    masses = np.array([dual[groups.ravel() == k].sum(axis=0) for k in range(len(points))])
    weights = candidates_in_space(points, masses)
    biases = np.sort(weights @ points.T, axis=1)
    order = np.argsort(weights @ points.T, axis=1)
    steps = np.diff(biases, axis=1)[:, ::-1, None]
    # From the top down: the slope in b is minus the mass above.
    above = np.cumsum(masses[order][:, :0:-1], axis=1)
    return float(np.linalg.norm(np.cumsum(above * steps, axis=1), axis=2).max())


@pytest.mark.parametrize("outputs", [None, 1, 3])
@pytest.mark.parametrize("cloud", SPACES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("count", [4, 5, 8])
def test_the_space_oracle_agrees_with_brute_force(cloud, count, outputs):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        points = cloud(rng, 3)[-count:]
        if len(np.unique(points, axis=0)) < 2:
            continue
        dual = random_dual(rng, points, outputs=outputs)
        if np.abs(dual).max() < 1e-12:
            # Four points off a plane: only the zero dual is orthogonal to all affine functions.
            dual = 0 * dual
        answer = SpaceOracle(points).supremum(dual)
        highest = brute_force_in_space(points, dual if outputs else dual[:, None])
        noise = rounding(points, dual)
        assert answer.upper >= highest - noise
        # Brute force rounds its angles, across which the profile moves by that times its slope.
        slope = float(np.abs(dual).sum() * np.ptp(points, axis=0).sum())
        assert answer.value == pytest.approx(highest, abs=4e-12 * slope + noise)


def test_brute_force_knows_all_three_kinds_of_maxima():
    # What the test above proves, it proves of each: planes through one point, through two and through three.
    touched = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        points = generic(rng, 3, 8)
        best = SpaceOracle(points).supremum(random_dual(rng, points)).neurons[:1]
        touched.add(int(np.sum(np.abs(points @ best.weights[0] - best.biases[0]) < 1e-12)))
    assert touched == {1, 2, 3}


@pytest.mark.parametrize("outputs", [None, 2])
@pytest.mark.parametrize("turn", range(8))
def test_the_interior_of_a_cell_is_found(turn, outputs):
    # Two high rims about a low middle: the best neuron lies across, through the middle alone, whatever the axes are.
    rim = np.array([[x, y, z] for x in (1.0, -1.0) for y in (0.3, -0.3) for z in (0.3, -0.3)])
    points = np.concatenate([[[0.0, 0.0, 0.0]], rim])
    dual = np.array([-8.0, *np.ones(8)])
    turned = points @ (np.eye(3) if turn == 0 else rotation(np.random.default_rng(turn), 3)).T
    answer = SpaceOracle(turned).supremum(dual if outputs is None else np.outer(dual, [0.6, 0.8]))
    assert answer.value == pytest.approx(4.0, abs=rounding(points, dual))
    assert np.abs(answer.neurons.biases[0]) <= 16 * EPS


@pytest.mark.parametrize("outputs", [None, 2])
@pytest.mark.parametrize("turn", range(8))
def test_a_maximum_where_a_circle_begins_is_found(turn, outputs):
    # As in the plane: across the row and through its middle, here a pair of points; its circle is swept from there.
    row = np.array([[0.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    c, s = [(1.0, 0.0), (0.8, 0.6), (0.6, 0.8), (0.0, 1.0), (-0.6, 0.8), (-0.8, 0.6), (-1.0, 0.0), (0.0, -1.0)][turn]
    row = row @ np.array([[c, s], [-s, c]])
    points = np.concatenate([np.column_stack([row, np.full(3, z)]) for z in (0.0, 1.0)] + [[[1.0, 2.0, 0.3]]])
    dual = np.array([-1.0, 0.5, 0.5, -1.0, 0.5, 0.5, 0.0])
    answer = SpaceOracle(points).supremum(dual if outputs is None else np.outer(dual, [0.6, 0.8]))
    assert answer.value == pytest.approx(2.0, abs=rounding(points, dual))


@pytest.mark.parametrize("noise", [0.0, 1e-17, 1e-15, 1e-11])
def test_points_on_a_line_up_to_rounding_are_as_on_the_line(noise):
    # The circles of all pairs all but coincide, and no order of the kinks on them means anything.
    for seed in range(150):
        rng = np.random.default_rng(seed)
        along = rng.standard_normal(int(rng.integers(5, 14)))
        points = np.outer(along, unit_rows(rng, 1, 3)[0])
        points += noise * rng.standard_normal(points.shape)
        dual = random_dual(rng, along[:, None])
        answer = SpaceOracle(points).supremum(dual)
        moved = rounding(points, dual) + 10 * noise * np.abs(dual).sum()
        assert answer.value == pytest.approx(LineOracle(along[:, None]).supremum(dual).value, abs=moved)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_no_harder_search_beats_the_space_oracle(scale, offset):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        points = scale * (generic(rng, 3, 25) + offset)
        dual = random_dual(rng, points)
        answer = SpaceOracle(points).supremum(dual)
        search = SearchOracle(points, seed=seed).supremum(dual, answer.neurons, effort=8)
        assert answer.value - rounding(points, dual) <= search.value <= answer.upper + rounding(points, dual)


# Several outputs

OUTPUT_CASES = {name: CASES[name] for name in ("line", "plane", "space", "search-3", "plane-in-five", "space-in-five")}
output_case = pytest.mark.parametrize("case", OUTPUT_CASES.values(), ids=OUTPUT_CASES)


def output_problem(case: Case, cloud=generic, outputs: int = 3):
    rng = np.random.default_rng(11)
    points = case.place(cloud(rng, case.rank))
    dual = random_dual(rng, points, outputs=outputs)
    oracle = case.make(points)
    return points, dual, oracle, oracle.supremum(dual)


@pytest.mark.parametrize("cloud", [generic, duplicated, lattice, nearly_collinear, anisotropic])
@output_case
def test_the_norm_of_several_outputs_is_attained_and_not_beaten(case, cloud):
    points, dual, _, answer = output_problem(case, cloud)
    assert answer.values.shape == (len(answer.neurons), 3)
    assert answer.value == np.linalg.norm(answer.values, axis=1)[0] == answer.sizes.max() > 0
    p = profile(points, dual, answer.neurons)
    np.testing.assert_allclose(p, answer.values, rtol=0, atol=rounding(points, dual))
    highest = np.linalg.norm(profile(points, dual, sampled(np.random.default_rng(1), points)), axis=1).max()
    assert answer.upper >= highest - rounding(points, dual) - (1e-9 * highest if case.kind == "heuristic" else 0)
    if case.kind == "exact":
        assert answer.upper - answer.value <= rounding(points, dual)


@output_case
def test_one_output_is_the_scalar_profile(case):
    points, dual, oracle, _ = output_problem(case)
    scalar = oracle.supremum(dual[:, 0]).value
    for columns in (dual[:, :1], dual[:, :1] * [1.0, 0.0], dual[:, :1] * [0.6, 0.0, -0.8]):
        assert oracle.supremum(columns).value == pytest.approx(scalar, rel=1e-9, abs=rounding(points, dual))


@output_case
def test_turning_the_outputs_changes_nothing_and_each_is_below_the_norm(case):
    points, dual, oracle, answer = output_problem(case)
    turned = oracle.supremum(dual @ rotation(np.random.default_rng(12), 3)).value
    assert turned == pytest.approx(answer.value, rel=1e-9, abs=rounding(points, dual))
    assert max(oracle.supremum(column).value for column in dual.T) <= answer.upper


@output_case
def test_the_zero_dual_of_several_outputs_has_supremum_zero(case):
    _, dual, oracle, _ = output_problem(case)
    answer = oracle.supremum(0 * dual)
    assert (answer.value, answer.upper) == (0.0, 0.0)
    assert answer.values.shape == (len(answer.neurons), 3)


@settings(max_examples=40)
@given(seeds, st.integers(4, 12), st.sampled_from([generic, lattice, rows]), st.integers(1, 4))
def test_the_plane_oracle_agrees_with_dense_directions(seed, count, cloud, outputs):
    rng = np.random.default_rng(seed)
    points = np.unique(cloud(rng, 2)[:count], axis=0)
    if len(points) < 2:
        return
    dual = random_dual(rng, points, outputs=outputs)
    angles = np.linspace(0, np.pi, 2000)
    u = (points - points[:, None]).reshape(-1, 2)
    normals = np.concatenate([np.column_stack([np.cos(angles), np.sin(angles)]), np.column_stack([-u[:, 1], u[:, 0]])])
    lengths = np.linalg.norm(normals, axis=1)
    normals = normals[lengths > 0] / lengths[lengths > 0, None]
    biases = points @ normals.T
    neurons = Neurons(np.tile(normals, (len(points), 1)), biases.ravel())
    highest = float(np.linalg.norm(profile(points, dual, neurons), axis=1).max())
    answer = PlaneOracle(points).supremum(dual)
    assert answer.upper >= highest - rounding(points, dual)
    # A maximum is flat: between two sampled directions it rises by the squared step.
    slope = float(np.abs(dual).sum() * np.ptp(points, axis=0).sum())
    assert answer.value <= highest + 1e-5 * slope + rounding(points, dual)


# What is cheap, and what rounds


@pytest.mark.parametrize("outputs", [None, 2])
@every_case
def test_an_approximation_is_attained_and_no_bound_that_is_not_proven(case, outputs):
    rng = np.random.default_rng(13)
    points = case.place(generic(rng, case.rank))
    if outputs and case.kind == "bounded":
        pytest.skip("proven bounds are for one output")
    dual = dual_of(rng, points, case.order, outputs)
    oracle = case.make(points)
    exact, cheap = oracle.supremum(dual), oracle.approximate(dual)
    p = profile(points, dual, cheap.neurons, case.order)
    np.testing.assert_allclose(p, cheap.values, rtol=0, atol=rounding(points, dual, case.order))
    assert cheap.value == cheap.sizes[0] <= exact.upper
    assert cheap.upper in (exact.upper, np.inf)


@pytest.mark.parametrize("case", [CASES["line"], CASES["plane"], CASES["space"]], ids=["line", "plane", "space"])
@pytest.mark.parametrize("outputs", [None, 2])
def test_duals_of_coincident_points_that_cancel_round_within_the_bound(case, outputs):
    rng = np.random.default_rng(14)
    points = generic(rng, case.rank, 9)
    dual = random_dual(rng, points, outputs=outputs)
    large = np.round(1e7 * rng.standard_normal((40, *dual.shape)))
    split = np.concatenate([dual[None], large, -large]).reshape(-1, *dual.shape[1:])
    answer = case.make(np.tile(points, (81, 1))).supremum(split)
    # In any order of summation the large ones leave their rounding; the sum of exactly `dual` does not have it.
    truth = case.make(points).supremum(dual)
    assert answer.upper >= truth.value
    assert answer.value <= truth.upper + (answer.upper - answer.value)


@pytest.mark.parametrize("outputs", [None, 3])
@every_cloud
def test_an_approximation_in_the_plane_follows_the_best_lines_and_proves_nothing(cloud, outputs, monkeypatch):
    monkeypatch.setattr(plane, "_CHEAP", 0)
    monkeypatch.setattr(plane, "_TRIED", 4)
    rng = np.random.default_rng(0)
    points = cloud(rng, 2)
    dual, oracle = random_dual(rng, points, outputs=outputs), PlaneOracle(points)
    answer = oracle.supremum(dual)
    cheap = oracle.approximate(dual)
    assert cheap.upper == np.inf
    allowed = rounding(points, dual)
    np.testing.assert_allclose(profile(points, dual, cheap.neurons), cheap.values, rtol=0, atol=allowed)
    assert cheap.value == cheap.sizes.max(initial=0.0) <= answer.upper
    # From the best neuron, as a hint, the way leads to nothing lower.
    assert oracle.approximate(dual, answer.neurons[:1]).value >= answer.value - allowed


def test_an_approximation_in_the_plane_nearly_always_finds_the_supremum(monkeypatch):
    monkeypatch.setattr(plane, "_CHEAP", 0)
    monkeypatch.setattr(plane, "_TRIED", 16)
    found = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        points = generic(rng, 2, 100)
        dual = random_dual(rng, points)
        oracle = PlaneOracle(points)
        found += oracle.approximate(dual).value >= oracle.supremum(dual).value * (1 - 1e-12)
    # 49; a lucky pivot out of 100, without following, would be one in three.
    assert found >= 45


@every_cloud
def test_sorting_anew_gives_what_the_kept_order_gives(cloud, monkeypatch):
    points, dual, answer = problem(CASES["plane"], cloud)
    monkeypatch.setattr(plane, "_CACHE_BYTES", 0)
    other = PlaneOracle(points).supremum(dual)
    assert (other.value, other.upper) == (answer.value, answer.upper)
    np.testing.assert_array_equal(other.neurons.weights, answer.neurons.weights)
    np.testing.assert_array_equal(other.neurons.biases, answer.neurons.biases)


def test_more_than_256_points_sort_as_well():
    # The kept order is stored in the smallest integers that hold it: two bytes from here on.
    rng = np.random.default_rng(7)
    points = generic(rng, 2, 300)
    dual = random_dual(rng, points)
    answer = PlaneOracle(points).supremum(dual)
    p = profile(points, dual, sampled(rng, points))
    assert answer.upper >= np.abs(p).max() - rounding(points, dual)
    assert answer.value == pytest.approx(abs(profile(points, dual, answer.neurons[:1])[0]), abs=rounding(points, dual))


# The search


def test_the_search_finds_the_supremum_in_the_plane():
    found = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        points = generic(rng, 2, int(rng.integers(5, 60)))
        dual = random_dual(rng, points)
        exact = PlaneOracle(points).supremum(dual).value
        search = SearchOracle(points).supremum(dual).value
        assert search <= exact * (1 + 1e-11)
        found += search >= exact * (1 - 1e-9)
    assert found >= 198


@pytest.mark.parametrize("seed", [13, 100])
def test_an_ascent_crosses_a_fall_along_the_circle_of_a_datum(seed):
    # With seed 13 two neighbours give maxima 7e-6 apart through a third point, and the higher one is 4e-4 wide.
    rng = np.random.default_rng([seed, 60, 2, 2])
    points = generic(rng, 2, 60)
    dual = random_dual(rng, points)
    exact = PlaneOracle(points).supremum(dual).value
    assert SearchOracle(points).supremum(dual).value == pytest.approx(exact, rel=1e-12)


def test_more_effort_and_other_seeds_stay_below_the_supremum_and_find_no_less():
    rng = np.random.default_rng(8)
    points = generic(rng, 4, 40)
    dual = random_dual(rng, points)
    little = SearchOracle(points, starts=4).supremum(dual).value
    assert SearchOracle(points, starts=4).supremum(dual, effort=50).value >= little
    values = [SearchOracle(points, seed=seed).supremum(dual).value for seed in range(3)]
    np.testing.assert_allclose(values, max(values), rtol=1e-9)


@pytest.mark.parametrize("starts", [0, -1])
def test_the_search_needs_a_start(starts):
    with pytest.raises(ValueError, match="starts must be at least 1"):
        SearchOracle(np.zeros((3, 2)), starts=starts)


# The profile


def test_the_profile_is_the_sum_of_activations_however_many_neurons():
    rng = np.random.default_rng(9)
    points, dual = rng.standard_normal((6, 2)), rng.standard_normal(6)
    neurons = Neurons(unit_rows(rng, 50, 2), rng.standard_normal(50))
    for order, factorial in ((2, 1), (3, 2), (4, 6)):
        heights = np.maximum(points @ neurons.weights.T - neurons.biases, 0) ** (order - 1) / factorial
        expected = (dual[:, None] * heights).sum(axis=0)
        np.testing.assert_allclose(profile(points, dual, neurons, order), expected, atol=1e3 * EPS)
    assert profile(points, dual, Neurons.none(2)).shape == (0,)


@pytest.mark.long
def test_oracles_work_where_no_folder_can_hold_compiled_code():
    script = (
        "import numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "import numpy as np\n"
        "from ridgesplines.oracles import PlaneOracle\n"
        "points = np.array([[2.0, 0.0], [2.0, 2.0], [2.0, -2.0], [1.0, 2.0]])\n"
        "print(PlaneOracle(points).supremum(np.array([-2.0, 1.0, 1.0, 0.0])).value)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(run.stdout) == pytest.approx(2.0)
