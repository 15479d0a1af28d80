"""The experiment with learned features: bodies, derivatives through the solve, training, files, tables."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ridgesplines as rs
from experiments.neural_kernel import field, run, shapes, training


def small_cloud(count: int = 30) -> field.Cloud:
    rng = np.random.default_rng(1)
    points, normals = shapes.Body((primitive("torus"),), 0.1).sample(count, rng)
    assert normals is not None
    return field.cloud_of(points, normals)


def primitive(kind: str) -> shapes.Primitive:
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    return shapes.Primitive(kind, turn, np.array([0.1, -0.05, 0.02]), np.array([0.4, 0.15, 0.3]))


@pytest.mark.parametrize("kind", shapes.KINDS)
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
    gradient = np.column_stack([body.distance(x + e) - body.distance(x - e) for e in 1e-6 * np.eye(3)]) / 2e-6
    np.testing.assert_allclose(np.median(np.linalg.norm(gradient, axis=1)), 1, atol=1e-6)


def test_unions_have_the_sign_of_the_union_away_from_the_rounding():
    rng = np.random.default_rng(0)
    body = shapes.Body((primitive("box"), primitive("capsule")), 0.05)
    x = rng.uniform(-1, 1, (3000, 3))
    plain = np.minimum(*(part.distance(x) for part in body.primitives))
    assert (body.distance(x) <= plain).all()
    assert (body.distance(x) >= plain - 0.05 / 4).all()


def test_derivatives_through_the_solve_are_right():
    rng = np.random.default_rng(0)
    square = rng.standard_normal((6, 6))
    right, direction = jnp.asarray(rng.standard_normal(6)), rng.standard_normal((6, 6))
    direction = direction + direction.T

    def value(t, solve):
        return jnp.sum(jnp.sin(solve(jnp.asarray(square @ square.T + np.eye(6)) + t * direction, right)))

    implicit = jax.grad(value)(0.0, field.solve)
    explicit = jax.grad(value)(0.0, jnp.linalg.solve)
    np.testing.assert_allclose(implicit, explicit, rtol=1e-9)


def test_features_move_and_turn_with_the_cloud():
    cloud, network = small_cloud(), field.FeatureNetwork.initial(0)
    x = np.random.default_rng(5).uniform(-0.6, 0.6, (9, 3))
    features = network(cloud, field.places_of(cloud, x))
    turn = np.linalg.qr(np.random.default_rng(6).standard_normal((3, 3)))[0]
    moved = field.cloud_of(2 * cloud.points @ turn + 0.3, cloud.normals @ turn)
    again = network(moved, field.places_of(moved, 2 * x @ turn + 0.3))
    # Lengths grow with the cloud.
    np.testing.assert_allclose(again, 2 * features, atol=1e-9)


@pytest.mark.long
def test_without_features_it_is_the_packages_kernel_problem():
    cloud = small_cloud()
    x = np.random.default_rng(5).uniform(-0.6, 0.6, (50, 3))
    values = field.evaluate(None, cloud.points, cloud.normals, x)
    centres, data = field.centres_of(cloud)
    problem = rs.KernelProblem(centres.x, data, kernel=rs.kernels.GaussianKernel(), value_nugget=field.NUGGET)
    # The condition number is some 1e8.
    np.testing.assert_allclose(values, rs.solve_kernel(problem).spline(x), atol=1e-7)


@pytest.mark.long
def test_training_is_repeatable_and_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(training, "COUNTS", (30,))  # one program
    settings = {"steps": 6, "bodies": 2, "progress": False}
    first, second = training.train(**settings), training.train(**settings)
    np.testing.assert_array_equal(first.losses, second.losses)
    assert len(first.losses) == 6
    assert np.isfinite(first.losses).all()
    start = jax.tree_util.tree_leaves(field.FeatureNetwork.initial(0))
    end = jax.tree_util.tree_leaves(first.network)
    assert all(np.abs(a - b).max() > 0 for a, b in zip(start, end, strict=True))
    again = field.FeatureNetwork.load(first.network.save(tmp_path / "network"))
    cloud = small_cloud()
    x = np.random.default_rng(5).uniform(-0.6, 0.6, (5000, 3))
    np.testing.assert_array_equal(
        field.evaluate(again, cloud.points, cloud.normals, x),
        field.evaluate(first.network, cloud.points, cloud.normals, x),
    )
    with pytest.raises(ValueError, match="there is no file"):
        field.FeatureNetwork.load(tmp_path / "absent.npz")


def test_errors_of_the_body_itself_are_those_of_the_grid():
    pytest.importorskip("skimage")
    body = shapes.Body((primitive("sphere"),), 0.1)
    errors = run.errors_of(body, body.distance(run.grid_points()), 0)
    assert errors.sign_accuracy == errors.iou == 1
    # Steps of 1/16 on a sphere of radius 0.4: chords are h² / (8 r) inside at most, in either direction twice that.
    assert errors.chamfer < 2 / 16**2 / (8 * 0.4)
    shrunk = run.errors_of(body, body.distance(run.grid_points()) + 0.05, 0)
    assert shrunk.chamfer == pytest.approx(0.05, abs=4e-3)
    assert shrunk.iou == pytest.approx((0.35 / 0.4) ** 3, abs=0.03)


@pytest.mark.long
def test_signs_of_a_network_without_features_are_those_of_the_kernel(tmp_path):
    network = field.FeatureNetwork.initial(0)
    silent = jax.tree_util.tree_map(jnp.zeros_like, network)
    silent.save(tmp_path / "network.npz")
    found = run.probe(tmp_path, shapes=2, count=40)
    assert found.shape == (2, 2, 2)
    # φ = 0: the same kernel, but for roundings times a condition number of 1e8.
    np.testing.assert_allclose(found[:, 0], found[:, 1], atol=2e-3)
    assert (found[:, :, 0] < 0.1).all()


@pytest.mark.long
def test_the_table_pairs_the_methods(monkeypatch, tmp_path, capsys):
    pytest.importorskip("skimage")
    monkeypatch.setattr(run, "_RESOLUTION", 16)
    field.FeatureNetwork.initial(0).save(tmp_path / "network.npz")
    errors = run.evaluate_all(tmp_path, shapes=2)
    assert set(errors) == {run.LEARNED, run.FIXED, run.HERMITE}
    assert all(found.shape == (2, 3) for found in errors.values())
    assert (tmp_path / "table.json").is_file()
    assert "unseen bodies" in capsys.readouterr().out
