"""zeno_2023: closed forms, mean square errors and misalignment against sampling, certificates and hand calculation."""

from __future__ import annotations

import numpy as np
import pytest

import ridgesplines as rs
from experiments.zeno_2023.closed_forms import (
    ball_samples,
    equilateral_denoiser,
    line_denoiser,
    posterior_mean,
    rays_denoiser,
)
from experiments.zeno_2023.paper import mean_square_errors, misalignment, setting, solve_geometry

NAMES = ["rays", "obtuse_triangle", "equilateral_triangle", "obtuse_tetrahedron", "rays_in_space"]


@pytest.mark.parametrize("name", NAMES)
def test_the_closed_forms_map_balls_to_their_centres(name):
    clean, directions, closed = setting(name)
    rng = np.random.default_rng(0)
    for point in clean:
        samples = ball_samples(rng, point, directions, 0.15, 200)
        assert np.linalg.norm(samples - point, axis=1).max() <= 0.15 * (1 + 1e-12)
        # Sums of some ten terms of size 1.
        np.testing.assert_allclose(closed(samples), np.tile(point, (len(samples), 1)), atol=1e-13)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rays_denoiser(np.zeros(2), np.eye(2), [[0.2], [1.0]], 0.15),
        lambda: equilateral_denoiser(np.zeros(2), np.eye(2), 1.0, 0.8),
        lambda: line_denoiser(np.array([0.0, 1.0]), np.array([-0.1, 0.3]), np.array([0.4, 1.1])),
    ],
)
def test_balls_that_overlap_are_refused(make):
    with pytest.raises(ValueError, match=r"radius|apart|disjoint"):
        make()


def test_the_theorem_does_not_extend_to_acute_angles():
    angles = np.array([0.3, 1.3])
    directions = np.column_stack([np.cos(angles), np.sin(angles)])
    closed = rays_denoiser(np.zeros(2), directions, [[1.0], [1.0]], 0.15)
    # The other ridge is felt at this ball.
    assert np.linalg.norm(closed(directions[:1])[0] - directions[0]) > 0.1


def test_a_closed_form_has_the_least_cost_and_another_interpolant_a_larger_one():
    found = solve_geometry("obtuse_triangle", samples=0, gap=1e-6, seed=0)
    assert found["proven"] == 1
    assert -1e-9 < found["excess"] <= 1e-6
    clean, directions, closed = setting("obtuse_triangle")
    samples = np.concatenate([ball_samples(np.random.default_rng(0), p, directions, 0.15, 0) for p in clean])
    problem = rs.Problem(
        rs.Samples(samples), np.repeat(clean, 4, axis=0), rs.Interpolation(), rs.VectorRadonTV(order=2)
    )
    # Balls that are larger than they have to be: the denoiser of these interpolates, too.
    wider = rays_denoiser(clean[0], directions, [[1.0], [1.5]], 0.2)
    assert rs.certify(problem, wider).objective > 1.05 * rs.certify(problem, closed).objective


def test_neurons_along_the_rays_are_aligned_and_turned_ones_are_not():
    _, directions, closed = setting("rays")
    assert misalignment(closed, directions) <= 1e-14
    turn = 0.1
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    turned = rs.RidgeSpline(closed.weights @ rotation, closed.biases, closed.coefficients)
    # One of the two factors is cos 0.1.
    assert misalignment(turned, directions) == pytest.approx(1 - np.cos(turn), abs=1e-12)


def test_mean_square_errors_agree_with_sampling():
    clean, noise = np.array([0.0, 0.9, 2.1, 3.0]), 0.1
    closed = line_denoiser(clean, clean - 0.2, clean + 0.15)
    network, posterior = mean_square_errors(clean, closed, noise)
    rng = np.random.default_rng(1)
    truth = rng.uniform(clean[0], clean[-1], 400_000)
    noisy = truth + noise * rng.standard_normal(len(truth))
    for found, denoised in ((network, closed(noisy[:, None])), (posterior, posterior_mean(noisy, clean, noise))):
        squares = (denoised - truth) ** 2
        # Five standard errors.
        assert abs(found - squares.mean()) <= 5 * squares.std() / np.sqrt(len(squares))


def test_the_posterior_mean_of_two_points_is_a_sigmoid():
    y = np.linspace(-1, 2, 50)
    expected = 1 / (1 + np.exp(-(2 * y - 1) / (2 * 0.3**2)))
    np.testing.assert_allclose(posterior_mean(y, np.array([0.0, 1.0]), 0.3), expected, rtol=1e-12)
