"""The experiment with learned features: bodies, the solve, derivatives through it, training, files, tables."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ridgesplines as rs
from experiments.neural_kernel import draw, field, run, shapes, training

ALL_KINDS = tuple(dict.fromkeys(shapes.KINDS + shapes.SHARP_KINDS))


def primitive(kind: str) -> shapes.Primitive:
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    return shapes.Primitive(kind, turn, np.array([0.1, -0.05, 0.02]), np.array([0.4, 0.15, 0.3]))


def part() -> shapes.Part:
    box, cylinder = primitive("box"), primitive("cylinder")
    slot = shapes.Primitive("box", box.rotation, box.centre, np.array([0.1, 0.05, 0.8]))
    return shapes.Part((box, cylinder), (slot,))


def small_cloud(count: int = 30) -> tuple[np.ndarray, np.ndarray]:
    points, normals = part().sample(count, np.random.default_rng(1))
    assert normals is not None
    return points, normals


def gradients(f, x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    return np.column_stack([f(x + e) - f(x - e) for e in step * np.eye(3)]) / (2 * step)


def with_gain(network: field.FeatureNetwork, gain: float) -> field.FeatureNetwork:
    scales = network.scales.at[1].set(np.log(gain))
    return field.FeatureNetwork(network.pairs, network.places, network.heads, scales)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_distances_of_primitives_are_distances(kind):
    body = shapes.Body((primitive(kind),), 0.1)
    rng = np.random.default_rng(2)
    surface = body.sample(4000, rng).points
    np.testing.assert_allclose(body.distance(surface), 0, atol=1e-3)
    x = rng.uniform(-1, 1, (200, 3))
    nearest = np.sqrt(((x[:, None] - surface) ** 2).sum(axis=2)).min(axis=1)
    value = np.abs(body.distance(x))
    # The nearest of the samples is a little farther than the surface: 4000 of them are 0.03 apart.
    assert (nearest - value > -2e-3).all()
    assert (nearest - value < 0.08).all()
    # Lipschitz with constant 1, and of slope 1 almost everywhere.
    slopes = np.linalg.norm(gradients(body.distance, x, 1e-6), axis=1)
    np.testing.assert_allclose(np.median(slopes), 1, atol=1e-6)


def test_unions_have_the_sign_of_the_union_away_from_the_rounding():
    rng = np.random.default_rng(0)
    body = shapes.Body((primitive("box"), primitive("capsule")), 0.05)
    x = rng.uniform(-1, 1, (3000, 3))
    plain = np.minimum(*(part.distance(x) for part in body.primitives))
    assert (body.distance(x) <= plain).all()
    assert (body.distance(x) >= plain - 0.05 / 4).all()


@pytest.mark.parametrize("kind", shapes.SHARP_KINDS)
def test_samples_of_sharp_primitives_are_uniform_by_area(kind):
    solid = primitive(kind)
    points, normals = solid.sample(20000, np.random.default_rng(0))
    assert normals is not None
    np.testing.assert_allclose(solid.distance(points), 0, atol=1e-12)
    outside, inside = solid.distance(points + 1e-3 * normals), solid.distance(points - 1e-3 * normals)
    np.testing.assert_allclose(outside, 1e-3, atol=1e-12)
    # Within 0.001 of an edge the other face is nearer: a hundredth of the area or less.
    assert np.mean(np.abs(inside + 1e-3) < 1e-9) > 0.98
    # Divergence theorem: the integral of (x − centre)·n over the surface is three times the volume.
    volume = {"box": 8 * solid.sizes.prod(), "cylinder": 2 * np.pi * solid.sizes[1] ** 2 * solid.sizes[2]}[kind]
    flux = np.sum((points - solid.centre) * normals, axis=1)
    standard_error = solid.area() * flux.std() / len(flux) ** 0.5
    assert abs(solid.area() * flux.mean() - 3 * volume) < 4 * standard_error


def test_parts_are_what_is_joined_less_what_is_cut():
    solid, rng = part(), np.random.default_rng(5)
    x = rng.uniform(-0.6, 0.6, (4000, 3))
    box, cylinder, slot = (p.distance(x) < 0 for p in (*solid.joined, *solid.cut))
    np.testing.assert_array_equal(solid.distance(x) < 0, (box | cylinder) & ~slot)
    points, normals = solid.sample(3000, rng)
    assert normals is not None
    assert np.abs(solid.distance(points)).max() < 1e-9
    # Just outside and just inside, except within 1e-4 of an edge.
    assert np.mean(solid.distance(points + 1e-4 * normals) > 0) > 0.995
    assert np.mean(solid.distance(points - 1e-4 * normals) < 0) > 0.995
    # Values are never more than the distance.
    nearest = np.sqrt(((x[:300, None] - points) ** 2).sum(axis=2)).min(axis=1)
    assert (np.abs(solid.distance(x[:300])) <= nearest + 1e-9).all()


def test_drawn_parts_have_an_inside():
    for number in range(20):
        drawn = shapes.draw_part(np.random.default_rng(number))
        inside = drawn.distance(np.random.default_rng(1).uniform(-1, 1, (4000, 3))) < 0
        assert 1e-3 < inside.mean() < 0.6


@pytest.mark.long
def test_features_move_and_turn_with_the_cloud():
    network = field.FeatureNetwork.initial(0)
    cloud = field.cloud_of(*small_cloud())
    x = np.random.default_rng(5).uniform(-0.6, 0.6, (9, 3))
    features = network(cloud, field.places_of(cloud, x))
    turn = np.linalg.qr(np.random.default_rng(6).standard_normal((3, 3)))[0]
    moved = field.cloud_of(2 * cloud.points @ turn + 0.3, cloud.normals @ turn)
    again = network(moved, field.places_of(moved, 2 * x @ turn + 0.3))
    # Lengths grow with the cloud.
    np.testing.assert_allclose(again, 2 * features, atol=1e-12)


@pytest.mark.long
def test_features_of_a_plane_are_the_height_over_it():
    network = with_gain(field.FeatureNetwork.initial(0), 1.0)
    last, bias = network.heads[-1]
    unshifted = (*network.heads[:-1], (last.at[:, field.FEATURES :].set(0), bias))
    network = field.FeatureNetwork(network.pairs, network.places, unshifted, network.scales)
    points = np.random.default_rng(0).uniform(-1, 1, (40, 3)) * [1, 1, 0]
    cloud = field.cloud_of(points, np.tile([0.0, 0.0, 1.0], (40, 1)))
    x = np.random.default_rng(1).uniform(-1, 1, (20, 3))
    features = network(cloud, field.places_of(cloud, x))
    np.testing.assert_allclose(features, np.tile(x[:, 2:], field.FEATURES), atol=1e-12)


@pytest.mark.long
def test_features_on_the_data_are_values_and_derivatives():
    network = field.FeatureNetwork.initial(0)
    cloud = field.cloud_of(*small_cloud())
    own = field.places_of(cloud, cloud.points)
    found = field.on_data(network, cloud, network.of_points(cloud), own).reshape(len(cloud.points), 4, field.FEATURES)
    np.testing.assert_allclose(found[:, 0], network(cloud, own), atol=1e-14)
    for axis, e in enumerate(1e-5 * np.eye(3)):
        ahead, behind = (network(cloud, field.Places(cloud.points + s * e, own.neighbours)) for s in (1, -1))
        np.testing.assert_allclose(found[:, 1 + axis], (ahead - behind) / 2e-5, atol=1e-7)


@pytest.mark.long
def test_coefficients_solve_the_equations_with_the_features_kernel_added():
    network = with_gain(field.FeatureNetwork.initial(0), 1.0)
    cloud = field.cloud_of(*small_cloud(20))
    kernel = rs.kernels.UniformKernel()
    given = field.equations(kernel, cloud)
    features = field.on_data(network, cloud, network.of_points(cloud), field.places_of(cloud, cloud.points))
    dual, c = field.coefficients(given, features)
    whole = np.asarray(kernel.hermite(cloud.points, cloud.points)) + features @ features.T
    expected = np.linalg.solve(whole, given.data)
    # The condition number is some 1e6.
    np.testing.assert_allclose(dual, expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max())
    np.testing.assert_allclose(c, features.T @ expected, atol=1e-7)


@pytest.mark.parametrize("gain", [pytest.param(1e-12, marks=pytest.mark.long), 1.0])
def test_the_field_vanishes_at_the_points_and_has_the_normals(gain):
    points, normals = small_cloud()
    f = field.fit(with_gain(field.FeatureNetwork.initial(0), gain), 3 * points + 1, normals)
    np.testing.assert_allclose(f(3 * points + 1), 0, atol=1e-7)
    # Central differences, where the features have bounded second derivatives.
    np.testing.assert_allclose(gradients(f, 3 * points + 1), normals, atol=1e-4)


def test_without_features_it_is_the_package_s_function():
    points, normals = small_cloud()
    silent = with_gain(field.FeatureNetwork.initial(0), 1e-12)
    x = np.random.default_rng(5).uniform(-0.6, 0.6, (50, 3))
    values = field.fit(silent, points, normals)(x)
    np.testing.assert_allclose(values, rs.surfaces.fit_oriented(points, normals)[0](x), atol=1e-8)
    np.testing.assert_allclose(values, run.kernel_alone(points, normals, x, repair=False), atol=1e-8)


def small_lesson() -> training._Lesson:
    return training._lesson(part(), np.random.default_rng(0))


def test_training_and_evaluation_see_the_same_function():
    rng, lesson = np.random.default_rng(2), small_lesson()
    network = with_gain(field.FeatureNetwork.initial(0), 1.0)
    cloud, own, given, places, _ = training._example(lesson, 30, rng)
    fitted = field.fitted(network, cloud, own, given, places)
    evaluated = field.fit(network, cloud.points, cloud.normals)
    # The cloud fills the unit ball already: the same units.
    np.testing.assert_allclose(fitted, evaluated(np.asarray(places.x)), atol=1e-7)


@pytest.mark.long
def test_derivatives_through_the_solve_are_right():
    network = with_gain(field.FeatureNetwork.initial(0), 0.3)
    arguments = training._example(small_lesson(), 30, np.random.default_rng(2))
    leaves, tree = jax.tree_util.tree_flatten(network)
    rng = np.random.default_rng(4)
    directions = [jnp.asarray(rng.standard_normal(leaf.shape)) for leaf in leaves]

    def along(t):
        moved = jax.tree_util.tree_unflatten(tree, [a + t * b for a, b in zip(leaves, directions, strict=True)])
        return training.loss(moved, *arguments)

    exact = jax.grad(along)(0.0)
    difference = (along(1e-5) - along(-1e-5)) / 2e-5
    assert abs(exact) > 1e-3
    np.testing.assert_allclose(exact, difference, rtol=1e-4)


@pytest.mark.long
def test_training_is_repeatable_lowers_the_loss_and_is_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(training, "COUNTS", (30,))
    settings = {"steps": 30, "bodies": 2, "progress": False}
    first, second = training.train(**settings), training.train(**settings)
    np.testing.assert_array_equal(first.losses, second.losses)
    # On examples of the first body trained with; those of the steps differ too much from each other to compare.
    rng = np.random.default_rng([0, 1])
    lesson = training._lesson(shapes.draw_part(rng), rng)
    examples = [training._example(lesson, 30, np.random.default_rng(k)) for k in range(8)]
    before, after = (
        np.mean([float(training.loss(network, *arguments)) for arguments in examples])
        for network in (field.FeatureNetwork.initial(0), first.network)
    )
    assert after < before
    again = field.FeatureNetwork.load(first.network.save(tmp_path / "network"))
    points, normals = small_cloud()
    x = np.random.default_rng(5).uniform(-0.6, 0.6, (5000, 3))
    np.testing.assert_array_equal(field.fit(again, points, normals)(x), field.fit(first.network, points, normals)(x))
    with pytest.raises(ValueError, match="there is no file"):
        field.FeatureNetwork.load(tmp_path / "absent.npz")


def test_errors_of_the_body_itself_are_those_of_the_grid():
    pytest.importorskip("skimage")
    body = shapes.Body((primitive("sphere"),), 0.1)
    surface = body.sample(3000, np.random.default_rng(0)).points
    grid = run.grid_of(surface)
    values = body.distance(run.vertices_of(grid))
    errors = run.errors_of(body, grid, values, surface, 0)
    assert errors.wrong == errors.outside == 0
    # Chords of a grid of spacing h on a sphere of radius 0.4 are h² / (8 r) inside at most, for cells twice that.
    assert errors.chamfer < 2 * grid.spacing**2 / (8 * 0.4) + 1e-3
    shrunk = run.errors_of(body, grid, values + 0.05, surface, 0)
    assert shrunk.chamfer == pytest.approx(0.05, abs=2e-3)
    assert shrunk.outside == pytest.approx(1 - (0.35 / 0.4) ** 3, abs=0.01)


def test_discs_lie_across_the_normals():
    points, normals = small_cloud(10)
    vertices, faces = draw.discs(points, normals, 0.02)
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    across = np.cross(b - a, c - a).reshape(10, 4, 3).sum(axis=1)
    # Hexagons have the area 3 √3 / 2 r², the cross products twice that.
    np.testing.assert_allclose(across, 3 * 3**0.5 * 0.02**2 * normals, atol=1e-12)


@pytest.mark.long
def test_the_table_pairs_the_methods(monkeypatch, tmp_path, capsys):
    pytest.importorskip("skimage")
    monkeypatch.setattr(run, "_RESOLUTION", 16)
    silent = with_gain(field.FeatureNetwork.initial(0), 1e-12)
    silent.save(tmp_path / "network.npz")
    kinds = (run.Bodies("parts", shapes.draw_part, 2, 2),)
    errors = run.evaluate_all(tmp_path, kinds)["parts"]
    assert set(errors) == {run.LEARNED, run.FIXED}
    assert all(found.shape == (2, 3) for found in errors.values())
    # Without features it is the kernel alone, whose signs are right here without repair.
    np.testing.assert_allclose(errors[run.LEARNED], errors[run.FIXED], atol=1e-6)
    assert (tmp_path / "table.json").is_file()
    assert "parts" in capsys.readouterr().out
