"""Kernels against random neurons, textbook forms, and senseless parameters."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ridgesplines import kernels
from ridgesplines.activations import TruncatedPower
from ridgesplines.kernels import (
    GaussianKernel,
    Kernel,
    MaternKernel,
    NeuralTangentKernel,
    PolyharmonicKernel,
    UniformKernel,
)

NEURONS = 2**16
jet_of = jax.jit(lambda kernel, x, y: kernel.jet(x, y))


def pairs(dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Four pairs in the unit ball; of the last two one coincides and one is near."""
    rng = np.random.default_rng(dimension)
    points = rng.standard_normal((2, 4, dimension))
    x, y = points / np.linalg.norm(points, axis=-1, keepdims=True) * rng.uniform(0.3, 1, (2, 4, 1))
    y[2], y[3] = x[2], x[3] + 0.01 * (y[3] - x[3])
    return x, y


def within_four_standard_errors(samples: np.ndarray, expected: np.ndarray) -> None:
    """The mean of `samples` (K, …) against `expected` (…)."""
    error = samples.std(axis=0) / np.sqrt(len(samples))
    assert (np.abs(samples.mean(axis=0) - expected) <= 4 * error + 1e-14).all()


@pytest.mark.parametrize("dimension", [1, 2, 3, 10])
@pytest.mark.parametrize(
    "kernel",
    [
        *(GaussianKernel(order) for order in (1, 2, 3, 4)),
        GaussianKernel(2, weight_variance=0.5, bias_variance=2.0),
        *(UniformKernel(order, radius) for order in (2, 3, 4) for radius in (1.0, 2.5)[: 1 + (order == 2)]),
    ],
    ids=repr,
)
def test_the_kernel_is_the_mean_over_random_neurons(kernel, dimension):
    rng = np.random.default_rng(7)
    weights, biases = kernel.draw_neurons(rng, NEURONS, dimension)
    for x, y in zip(*pairs(dimension), strict=True):
        jet = jet_of(kernel, x, y)
        at_x, at_y = weights @ x - biases, weights @ y - biases
        if kernel.order == 1:
            within_four_standard_errors((at_x > 0) * (at_y > 0), np.asarray(jet.value))
            continue
        activation = TruncatedPower(kernel.order)
        value_x, value_y = activation(at_x), activation(at_y)
        slope_x, slope_y = activation.derivative(at_x), activation.derivative(at_y)
        within_four_standard_errors(value_x * value_y, np.asarray(jet.value))
        within_four_standard_errors((value_x * slope_y)[:, None] * weights, np.asarray(jet.y_gradient))
        within_four_standard_errors((slope_x * value_y)[:, None] * weights, np.asarray(jet.x_gradient))
        # One row of the mixed block is enough: the others are alike by rotation.
        within_four_standard_errors((slope_x * slope_y * weights[:, 0])[:, None] * weights, np.asarray(jet.mixed)[0])


@pytest.mark.parametrize("dimension", [1, 2, 3, 10])
def test_the_neural_tangent_kernel_is_that_of_random_networks(dimension):
    kernel = NeuralTangentKernel(weight_variance=0.5, bias_variance=2.0, hidden_share=0.7)
    rng = np.random.default_rng(8)
    weights, biases = GaussianKernel(2, 0.5, 2.0).draw_neurons(rng, NEURONS, dimension)
    for x, y in zip(*pairs(dimension), strict=True):
        at_x, at_y = weights @ x - biases, weights @ y - biases
        outer_layer = np.maximum(at_x, 0) * np.maximum(at_y, 0)
        hidden_layer = (0.5 * x @ y + 2.0) * (at_x > 0) * (at_y > 0)
        within_four_standard_errors(outer_layer + 0.7 * hidden_layer, np.asarray(jet_of(kernel, x, y).value))


def test_textbook_forms():
    x, y = pairs(3)
    x, y = x[:2], y[:2]
    lifted_x, lifted_y = np.c_[x, np.ones(2)], np.c_[y, np.ones(2)]
    lengths = np.linalg.norm(lifted_x, axis=1) * np.linalg.norm(lifted_y, axis=1)
    angle = np.arccos(np.sum(lifted_x * lifted_y, axis=1) / lengths)
    arc_cosine = lengths * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
    step = (np.pi - angle) / (2 * np.pi)
    r = np.linalg.norm(x - y, axis=1)
    for kernel, expected in (
        (GaussianKernel(), arc_cosine),
        (GaussianKernel(1), step),
        (NeuralTangentKernel(), arc_cosine + lengths * np.cos(angle) * step),
        (UniformKernel(), 1 / 6 + np.sum(x * y, axis=1) / 6 + r**3 / 96),
        (UniformKernel(radius=2.0), 4 / 6 + np.sum(x * y, axis=1) / 6 + r**3 / 192),
        (PolyharmonicKernel(2), r**2 * np.log(r)),
        (PolyharmonicKernel(5), -(r**5)),
        (MaternKernel(0.5, 2.0), np.exp(-r / 2)),
    ):
        np.testing.assert_allclose(np.diag(kernel(x, y)), expected, rtol=1e-13)


def test_angles_of_near_points_keep_their_digits():
    """The cubic remainder sin θ − θ cos θ at distance 1e-3, where arccos of the quotient has lost it in 32 bits."""
    x = np.array([[0.3, -0.2, 0.5]])
    y = x + 1e-3 * np.array([[0.6, 0.0, 0.8]])
    lift = kernels.gaussian.Lift.of(jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32), 1.0, 1.0)
    exact = kernels.gaussian.Lift.of(*(jnp.asarray(np.asarray(p, np.float32), jnp.float64) for p in (x, y)), 1.0, 1.0)
    np.testing.assert_allclose(lift.wedge, exact.wedge, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianKernel(5), "order must be 1"),
        (lambda: GaussianKernel(True), "order must be 1"),
        (lambda: GaussianKernel(2, -1.0), "weight_variance must be a positive finite number, got -1.0"),
        (lambda: GaussianKernel(2, 1.0, np.nan), "bias_variance must be zero or a positive"),
        (lambda: NeuralTangentKernel(hidden_share=-1), "hidden_share must be zero or a positive"),
        (lambda: UniformKernel(1), "order must be 2"),
        (lambda: UniformKernel(radius=0), "radius must be a positive finite number, got 0"),
        (lambda: UniformKernel(radius=jnp.ones(2)), "radius must be one number, got an array of shape"),
        (lambda: PolyharmonicKernel(0), "power must be a whole number from 1 to 8, got 0"),
        (lambda: MaternKernel(2.0), "smoothness must be 0.5, 1.5, 2.5 or 3.5"),
        (lambda: -1.0 * MaternKernel(), "factor must be a positive finite number, got -1.0"),
        (lambda: UniformKernel().check_points(np.ones((2, 3))), r"within \|x\| ≤ radius = 1 .*got \|x\| = 1.73205"),
    ],
)
def test_senseless_parameters(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_no_number_or_kernel_is_a_type_error():
    with pytest.raises(TypeError, match="length_scale must be a positive finite number, got 'long'"):
        MaternKernel(length_scale="long")
    with pytest.raises(TypeError):
        MaternKernel() + 1.0
    with pytest.raises(TypeError):
        MaternKernel() * MaternKernel()


class OwnKernel(Kernel):
    def jet(self, x, y):
        raise NotImplementedError


def test_own_kernels_cannot_be_described():
    with pytest.raises(ValueError, match=r"only the package's kernels can be saved .*got OwnKernel"):
        kernels.describe(OwnKernel())
    with pytest.raises(ValueError, match="does not describe a kernel"):
        kernels.from_description({"name": "Nonsense"})
    with pytest.raises(ValueError, match="does not describe a kernel"):
        kernels.from_description({"name": "MaternKernel", "length": 1})
