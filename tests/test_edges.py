"""Normals averaged within faces: what the average does, and whether points left out tell where it helps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers import rotation, seeds, unit_rows
from hypothesis import given

import ridgesplines as rs
from ridgesplines.nugget_scales import nuggets_by_point
from ridgesplines.surfaces import edges, implicit
from ridgesplines.surfaces.implicit import oriented_problem


def box(count: int, seed: int, noise: float = 0.0, turned: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of a box's six faces, normals, and the true ones."""
    rng = np.random.default_rng(seed)
    size = np.array([1.0, 0.7, 0.4])
    areas = np.prod(size) / size
    axis = rng.choice(3, count, p=areas / areas.sum())
    side = rng.choice([-1.0, 1.0], count)
    points = size * rng.uniform(-0.5, 0.5, (count, 3))
    points[np.arange(count), axis] = side * size[axis] / 2
    truth = side[:, None] * np.eye(3)[axis]
    normals = truth + turned * rng.standard_normal(truth.shape)
    points = points + noise * rng.standard_normal(points.shape)
    return points, normals / np.linalg.norm(normals, axis=1, keepdims=True), truth


def test_normals_are_averaged_within_faces_and_not_across_edges():
    points, normals, truth = box(1500, 0, turned=0.1)
    difference = float(np.sqrt(np.mean(np.sum((normals - truth) ** 2, axis=1))))
    found = edges.averaged_within_faces(points, normals, difference)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-14)
    # Some ten normals count in each mean, which by their noise alone leaves less than a third of it.
    assert np.sqrt(np.mean(np.sum((found - truth) ** 2, axis=1))) < 0.5 * difference
    assert np.abs(np.sum(found * truth, axis=1)).min() > 0.9
    # The weight of a normal across the edge is exp(−2 / (2 · 0.3²)), 2e-5, and thirty points are looked at.
    exact = edges.averaged_within_faces(points, truth, 0.2)
    np.testing.assert_allclose(exact, truth, atol=30 * np.exp(-1 / 0.3**2))


@given(seeds)
def test_averages_turn_and_move_with_the_points(seed):
    rng = np.random.default_rng(seed)
    points, normals = rng.standard_normal((60, 3)), unit_rows(rng, 60, 3)
    turn, shift, scale = rotation(rng, 3), rng.standard_normal(3), rng.uniform(0.1, 10)
    moved = edges.averaged_within_faces(scale * (points @ turn.T) + shift, normals @ turn.T, 0.5)
    np.testing.assert_allclose(moved, edges.averaged_within_faces(points, normals, 0.5) @ turn.T, atol=1e-9)


def test_averages_of_few_and_of_coinciding_points():
    points, normals = np.zeros((1, 3)), np.array([[0.0, 0.0, 1.0]])
    np.testing.assert_array_equal(edges.averaged_within_faces(points, normals, 0.1), normals)
    twice = np.repeat(unit_rows(np.random.default_rng(0), 20, 3), 2, axis=0)
    opposite = twice * np.tile([1.0, -1.0], 20)[:, None]
    # Opposite normals at one point have no weight for each other.
    np.testing.assert_allclose(edges.averaged_within_faces(twice, opposite, 0.01), opposite, atol=1e-12)
    # More points at one place than are looked at.
    many = np.repeat(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]), 50, axis=0)
    found = edges.averaged_within_faces(np.repeat(np.eye(3)[:2], [99, 1], axis=0), many, 0.01)
    np.testing.assert_allclose(found, many, atol=1e-12)


def test_errors_of_points_left_out_are_those_of_the_fit_to_the_others():
    points, normals, _ = box(80, 1, 0.01, 0.1)
    problem = oriented_problem(points, normals, value_nugget=1e-5, gradient_nugget=1e-3).problem
    assert problem.gradients is not None
    rng = np.random.default_rng(0)
    scales = rng.uniform(0.5, 2, len(points))
    problem = problem.with_nuggets(*nuggets_by_point(problem, np.array([1e-5, 1e-3, 1e-2]), scales))
    parts = list(edges._parts(problem, lambda message: None))
    assert sorted(np.concatenate([part.members[part.outer] for part in parts])) == list(range(80))
    part = parts[1]
    out, rest = part.members[part.outer], part.rest
    assert not np.intersect1d(out, rest).size
    found = edges._missed(part.without, part)
    values, slopes = rs.solve_kernel(problem.at(rest)).spline.value_and_gradient(problem.points[out])
    steep = np.linalg.norm(slopes, axis=1)
    np.testing.assert_allclose(found[0], np.abs(values) / steep, atol=1e-8)
    units = np.asarray(slopes) / steep[:, None]
    np.testing.assert_allclose(found[1], np.sum((units - problem.gradients[out]) ** 2, axis=1), atol=1e-7)


def choice_of(problem: rs.KernelProblem, **options: object) -> rs.NuggetChoice:
    """What `choose_nuggets` finds for such noise, without the search, the same at each point."""
    nuggets, scales = np.array([8e-6, 9e-4, 1e-2]), np.ones(len(problem.points))
    chosen = problem.with_nuggets(*nuggets_by_point(problem, nuggets, scales))
    return rs.NuggetChoice(
        chosen, *nuggets.tolist(), scales, "distance", 2e-3, np.full(2, np.nan), np.nan, len(scales), 1, np.ones(1),
        np.ones(1), np.ones((1, 1)), 1, (8.5e-3, 0.25),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_points_left_out_tell_edges_from_curvature(seed):
    rng = np.random.default_rng([seed, 1])
    flat_points, flat_normals, _ = box(600, seed, 0.005, 0.1)
    around, along = 2 * np.pi * rng.random((2, 600))
    ring = np.column_stack([np.cos(around), np.sin(around), np.zeros(600)])
    tube = np.cos(along)[:, None] * ring + np.sin(along)[:, None] * np.array([0.0, 0.0, 1.0])
    cases = {
        "box": (flat_points, flat_normals),
        "ring": (
            0.35 * ring + 0.1 * tube + 0.003 * rng.standard_normal((600, 3)),
            tube + 0.1 * rng.standard_normal((600, 3)),
        ),
    }
    found = {}
    for name, (points, normals) in cases.items():
        choice = choice_of(oriented_problem(points, normals, value_nugget=1e-5, gradient_nugget=1e-3).problem)
        problem, made = edges.with_chosen_normals(choice)
        assert made is not None
        assert made.points == 600
        assert made.averaged == (made.within_faces < made.as_given)
        assert made.averaged == (problem is not choice.problem)
        found[name] = made
    assert found["box"].averaged
    assert not found["ring"].averaged
    assert "averaged within faces (averaging changes the errors of 600 points left out by -" in str(found["box"])
    assert "as they are given (averaging changes the errors of 600 points left out by +" in str(found["ring"])


def test_surfaces_with_edges_gain(monkeypatch):
    pytest.importorskip("skimage", reason="the extra `surfaces`")
    points, normals, _ = box(600, 2, 0.005, 0.1)
    monkeypatch.setattr(implicit, "choose_nuggets", choice_of)
    errors = []
    for averaging in (True, False):
        if not averaging:
            monkeypatch.setattr(implicit, "with_chosen_normals", lambda choice, show: (choice.problem, None))
        made = rs.surfaces.reconstruct(
            points, normals, value_nugget="automatic", gradient_nugget="automatic", resolution=48
        )
        assert (made.edges is not None) == averaging
        assert ("normals averaged within faces" in str(made)) == averaging
        beyond = np.abs(made.vertices) - np.array([0.5, 0.35, 0.2])
        distances = np.linalg.norm(np.maximum(beyond, 0), axis=1) - np.minimum(beyond.max(axis=1), 0)
        errors.append(float(distances.mean()))
    assert errors[0] < 0.95 * errors[1]


def test_data_without_noise_and_interrupted_choices_are_left_alone():
    points, normals, _ = box(100, 0, 0.005, 0.1)
    posed = oriented_problem(points, normals, value_nugget=1e-5, gradient_nugget=1e-3)
    assert posed.edges is None
    for change in ({"value_nugget": 0.0}, {"interrupted": True}):
        choice = dataclasses.replace(choice_of(posed.problem), **change)
        assert edges.with_chosen_normals(choice) == (choice.problem, None)


def test_points_that_coincide_with_other_normals_are_no_obstacle():
    points, normals, _ = box(300, 0, 0.005, 0.1)
    points[:20] = points[20:40]
    choice = choice_of(oriented_problem(points, normals, value_nugget=1e-5, gradient_nugget=1e-3).problem)
    problem, made = edges.with_chosen_normals(choice)
    assert made is not None
    assert np.isfinite([made.as_given, made.within_faces]).all()
    assert len(problem.points) == 300


def test_ctrl_c_leaves_the_normals_as_they_are(monkeypatch):
    pytest.importorskip("skimage", reason="the extra `surfaces`")

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(implicit, "choose_nuggets", choice_of)
    monkeypatch.setattr(edges, "_missed", interrupted)
    points, normals, _ = box(100, 0, 0.005, 0.1)
    made = rs.surfaces.reconstruct(
        points, normals, value_nugget="automatic", gradient_nugget="automatic", resolution=24
    )
    assert made.interrupted[0] == "choice of nuggets"
    assert made.edges is None
    assert len(made.vertices)
