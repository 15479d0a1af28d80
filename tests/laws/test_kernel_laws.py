"""The laws of every kernel: symmetry, semidefiniteness, its derivatives, coincident and opposite points, 32 bits."""

from __future__ import annotations

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import seeds
from hypothesis import given, settings

import ridgesplines.kernels
from ridgesplines import kernels
from ridgesplines.kernels import (
    GaussianKernel,
    Jet,
    Kernel,
    MaternKernel,
    NeuralTangentKernel,
    PolyharmonicKernel,
    ScaledKernel,
    SumKernel,
    UniformKernel,
)
from ridgesplines.polynomials import Polynomial, monomial_count, monomials

pytestmark = pytest.mark.thinned(4)

# A new kernel gets one row here.
KERNELS: list[Kernel] = [
    GaussianKernel(2),
    UniformKernel(2, radius=1.5),
    NeuralTangentKernel(0.7, 1.2, 0.6),
    PolyharmonicKernel(3, scale=2.0),
    MaternKernel(1.5, length_scale=0.8),
    SumKernel(GaussianKernel(), PolyharmonicKernel(3)),
    ScaledKernel(MaternKernel(), 0.3),
]
# Others of the same formulas: each is compiled for seconds.
MORE: list[Kernel] = [
    *(GaussianKernel(order) for order in (1, 3, 4)),
    *(GaussianKernel(2, weight_variance=0.7, bias_variance=variance) for variance in (0.0, 1.3)),
    *(UniformKernel(order, radius=1.5) for order in (3, 4)),
    NeuralTangentKernel(),
    *(PolyharmonicKernel(power, scale=2.0) for power in (1, 2, 4, 5, 6, 7, 8)),
    *(MaternKernel(smoothness, length_scale=0.8) for smoothness in (0.5, 2.5, 3.5)),
]
ROWS = [*KERNELS, *(pytest.param(kernel, marks=pytest.mark.long) for kernel in MORE)]
every_kernel = pytest.mark.parametrize("kernel", ROWS, ids=repr)
every_smooth_kernel = pytest.mark.parametrize(
    "kernel", [row for row in ROWS if (row if isinstance(row, Kernel) else row.values[0]).takes_gradients], ids=repr
)
# Few dimensions, and few numbers of points: what is compiled once serves all laws.
every_dimension = pytest.mark.parametrize(
    "dimension", [3, *(pytest.param(d, marks=pytest.mark.long) for d in (1, 2, 10))]
)
some_dimension = pytest.mark.parametrize("dimension", [3, pytest.param(1, marks=pytest.mark.long)])
few = settings(max_examples=3)
COUNT = 6
MANY = 24
DIMENSION = 3


@jax.jit
def jets(kernel: Kernel, x: jax.Array, y: jax.Array) -> Jet:
    """The jets of corresponding rows."""
    return jax.vmap(kernel.jet)(x, y)


@jax.jit
def differentiated(kernel: Kernel, x: jax.Array, y: jax.Array) -> Jet:
    """The same by automatic differentiation of the value."""

    def value(a: jax.Array, b: jax.Array) -> jax.Array:
        return kernel.jet(a, b).value

    def jet(a: jax.Array, b: jax.Array) -> Jet:
        mixed = jax.jacfwd(jax.grad(value, 0), 1)(a, b)
        return Jet(value(a, b), *jax.grad(value, (0, 1))(a, b), mixed)

    return jax.vmap(jet)(x, y)


def draw_points(seed: int, count: int, dimension: int, size: float = 1.0) -> np.ndarray:
    """Points within the ball of radius `size`."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((count, dimension))
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return size * points / lengths * rng.uniform(0.05, 1, (count, 1))


def test_every_kernel_has_a_row():
    classes = {
        member
        for _, member in inspect.getmembers(ridgesplines.kernels, inspect.isclass)
        if issubclass(member, Kernel) and not inspect.isabstract(member)
    }
    assert classes == {type(kernel) for kernel in KERNELS}


@every_kernel
@few
@given(seed=seeds)
def test_symmetry(kernel, seed):
    x, y = draw_points(seed, MANY, DIMENSION), draw_points(seed + 1, MANY, DIMENSION)
    forward, backward = kernel.hermite(x, y), kernel.hermite(y, x).T
    np.testing.assert_allclose(forward, backward, rtol=0, atol=1e-13 * (1 + np.abs(forward).max()))


def hermite_monomials(points: np.ndarray, degree: int) -> np.ndarray:
    """Values and gradients of the monomials, point by point."""
    count, dimension = points.shape
    size = monomial_count(dimension, degree)
    gradient = Polynomial(np.eye(size), dimension, degree).gradient(points)  # (N, P, d)
    rows = np.concatenate([monomials(points, degree)[:, None], gradient.transpose(0, 2, 1)], axis=1)
    return rows.reshape(count * (dimension + 1), size)


@every_kernel
@few
@given(seed=seeds)
def test_semidefinite_on_what_the_polynomials_leave(kernel, seed):
    x = draw_points(seed, MANY, DIMENSION)
    gram = kernel.hermite(x, x) if kernel.takes_gradients else kernel(x, x)
    if kernel.null_degree >= 0:
        make = hermite_monomials if kernel.takes_gradients else monomials
        basis = make(x, kernel.null_degree)
        left, values, _ = np.linalg.svd(basis, full_matrices=True)
        rest = left[:, int(np.sum(values > 1e-12 * values[0])) :]
        gram = rest.T @ gram @ rest
    if gram.size:
        eigenvalues = np.linalg.eigvalsh((gram + gram.T) / 2)
        # The matrix is off by roundings of its entries, and so are its eigenvalues by a few times their norm.
        assert eigenvalues.min() >= -1e-12 * max(1.0, eigenvalues.max(), np.abs(kernel.hermite(x, x)).max())


@every_kernel
@every_dimension
@few
@given(seed=seeds)
def test_derivatives_agree_with_autodiff_and_finite_differences(kernel, dimension, seed):
    x, y = draw_points(seed, 6, dimension), draw_points(seed + 1, 6, dimension)
    # Apart by 0.1 at least: nearer, the singular kernels have no accurate difference quotients.
    y = np.where(np.linalg.norm(x - y, axis=1, keepdims=True) < 0.1, x + 0.3, y)
    jet = jets(kernel, x, y)
    scale = 1 + float(np.abs(jet.mixed).max())
    for part, other in zip(jet, differentiated(kernel, x, y), strict=True):
        np.testing.assert_allclose(part, other, rtol=0, atol=1e-10 * scale)
    # Fourth-order central differences: h⁴ times a fifth derivative beside ε / h.
    h = 2e-4
    for i, e in enumerate(np.eye(dimension)):
        in_x = [jets(kernel, x + k * h * e, y) for k in (1, -1, 2, -2)]
        in_y = [jets(kernel, x, y + k * h * e) for k in (1, -1, 2, -2)]
        for part, near, index in (
            (jet.x_gradient[:, i], in_x, 0),
            (jet.y_gradient[:, i], in_y, 0),
            (jet.mixed[:, i], in_x, 2),
        ):
            up, down, far_up, far_down = (np.asarray(other[index]) for other in near)
            quotient = (8 * (up - down) - (far_up - far_down)) / (12 * h)
            np.testing.assert_allclose(part, quotient, rtol=0, atol=1e-6 * scale)


@every_kernel
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@some_dimension
def test_coincident_and_opposite_points_and_the_origin(kernel, dtype, dimension):
    x = draw_points(3, COUNT, dimension).astype(dtype)
    x[0] = 0
    x[1] = 1e-30
    for y in (x, -x, np.zeros_like(x)):
        jet = jets(kernel, x, y)
        assert all(np.isfinite(part).all() and part.dtype == dtype for part in jet)
        if dtype is np.float64:
            assert all(np.isfinite(part).all() for part in differentiated(kernel, x, y)[:3])


@pytest.mark.parametrize("kernel", [GaussianKernel(2), GaussianKernel(4), NeuralTangentKernel()], ids=repr)
def test_autodiff_is_right_at_exactly_opposite_points(kernel):
    x = draw_points(3, COUNT, 3)
    for part, other in zip(jets(kernel, x, -x), differentiated(kernel, x, -x), strict=True):
        np.testing.assert_allclose(part, other, rtol=0, atol=1e-10)


@every_smooth_kernel
@some_dimension
def test_the_jet_is_continuous_where_points_meet(kernel, dimension):
    if kernel == GaussianKernel(2, 0.7, 0.0) and dimension == 1:
        return  # on the line two points are parallel or opposite, and the mixed block jumps where they meet at 0
    x = draw_points(5, 6, dimension)
    step = 1e-9 * draw_points(6, 6, dimension)
    here, near = jets(kernel, x, x), jets(kernel, x, x + step)
    for a, b in zip(here, near, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


@every_kernel
@pytest.mark.parametrize("distance", [1.0, 1e-3])
@some_dimension
def test_32_bits_are_near_64(kernel, distance, dimension):
    x = draw_points(1, COUNT, dimension).astype(np.float32)
    y = (x + distance * draw_points(2, COUNT, dimension)).astype(np.float32)
    single, double = jets(kernel, x, y), jets(kernel, x.astype(float), y.astype(float))
    for a, b in zip(single, double, strict=True):
        assert a.dtype == np.float32
        # Each entry is a handful of roundings of terms no larger than the largest.
        # Singular kernels have terms like 1 / distance, which may cancel.
        size = max(1.0 if kernel.takes_gradients else 1 / distance, float(np.abs(b).max()))
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=3e-6 * size)


@every_kernel
@few
@given(seed=seeds)
def test_sums_are_products_with_the_gram_matrix(kernel, seed):
    rng = np.random.default_rng(seed)
    z, x = draw_points(seed, MANY, DIMENSION), draw_points(seed + 1, MANY, DIMENSION)
    x[0] = z[0]
    coefficients = rng.standard_normal((MANY, DIMENSION + 1))
    matrix = kernel.hermite(x, z)
    tolerance = {"rtol": 0, "atol": 1e-13 * (1 + np.abs(matrix).max()) * MANY * (DIMENSION + 1)}
    expected = (matrix @ coefficients.ravel()).reshape(MANY, DIMENSION + 1)
    both = kernels.hermite_sum(kernel, z, coefficients, x)
    assert isinstance(both, np.ndarray)
    np.testing.assert_allclose(both, expected, **tolerance)
    values = kernels.value_sum(kernel, z, coefficients[:, 0].copy(), x)
    np.testing.assert_allclose(values, kernel(x, z) @ coefficients[:, 0], **tolerance)


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize(
    "kernel", [UniformKernel(radius=1.5), GaussianKernel(weight_variance=2.0, bias_variance=0.7)], ids=str
)
def test_compiled_and_traced_sums_agree(kernel, dimension):
    z, x = draw_points(1, 5, dimension), draw_points(2, 7, dimension)
    x[0] = z[0]
    both = np.random.default_rng(3).standard_normal((5, dimension + 1))
    for coefficients in (both, both[:, 0].copy()):
        arrays = [jnp.asarray(a) for a in (z, coefficients, x)]
        traced = jax.jit(kernels.hermite_sum)(kernel, *arrays)
        assert isinstance(traced, jax.Array)
        np.testing.assert_allclose(kernels.hermite_sum(kernel, z, coefficients, x), traced, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(kernels.value_sum(kernel, z, coefficients, x), traced[:, 0], rtol=1e-12, atol=1e-13)


def total(kernel: Kernel, x: jax.Array, y: jax.Array) -> jax.Array:
    """A number that every entry of the jets moves."""
    return sum(jnp.sum(jnp.sin(part)) for part in jets(kernel, x, y))


@jax.jit
def slopes(kernel: Kernel, x: jax.Array, y: jax.Array) -> Kernel:
    """The derivatives of `total` in the kernel's parameters."""
    return jax.jacfwd(total)(kernel, x, y)


@every_kernel
def test_parameters_can_be_learned(kernel):
    x, y = draw_points(1, COUNT, 3), draw_points(2, COUNT, 3)
    leaves, structure = jax.tree_util.tree_flatten(kernel)
    derivatives = jax.tree_util.tree_leaves(slopes(kernel, x, y))
    assert len(derivatives) == len(leaves) > 0
    for i, derivative in enumerate(derivatives):
        if leaves[i] == 0:
            continue  # at the end of its range
        up, down = ([v + h * (j == i) for j, v in enumerate(leaves)] for h in (1e-5, -1e-5))
        quotient = (total(structure.unflatten(up), x, y) - total(structure.unflatten(down), x, y)) / 2e-5
        np.testing.assert_allclose(derivative, quotient, rtol=1e-6, atol=1e-6)


def test_parameters_are_learned_by_gradients_through_the_gram_matrix():
    x = jnp.asarray(draw_points(1, 5, 2))

    def loss(kernel):
        return jnp.sum(jnp.linalg.inv(kernel(x, x) + jnp.eye(5)))

    kernel = MaternKernel(1.5, length_scale=0.5)
    up, down = (loss(MaternKernel(1.5, length_scale=0.5 + h)) for h in (1e-5, -1e-5))
    np.testing.assert_allclose(jax.grad(loss)(kernel).length_scale, (up - down) / 2e-5, rtol=1e-6)


every_network_kernel = pytest.mark.parametrize(
    "kernel",
    [
        *(GaussianKernel(order) for order in (1, 2, 3, 4)),
        *(UniformKernel(order, radius=1.5) for order in (2, 3, 4)),
        GaussianKernel(2, weight_variance=0.7, bias_variance=1.3),
        ScaledKernel(ScaledKernel(UniformKernel(), 0.5), 3.0),
    ],
    ids=repr,
)


@every_network_kernel
@pytest.mark.parametrize("dimension", [1, 3])
def test_products_of_random_features_have_the_kernel_as_their_mean(kernel, dimension):
    width = 100_000
    features = kernels.random_features(kernel, width, dimension, seed=5)
    x = draw_points(1, 4, dimension)
    values = features(x)  # (4, K), each divided by √K
    products = width * values[:, None] * values[None, :]
    error = products.std(axis=-1) / np.sqrt(width)
    # Four standard errors of a mean of independent numbers, for ten entries: fails once in 1500 seeds.
    assert (np.abs(products.mean(axis=-1) - kernel(x, x)) <= 4 * error).all()
    again = kernels.random_features(kernel, width, dimension, seed=5)
    np.testing.assert_array_equal(again.weights, features.weights)


@every_kernel
def test_descriptions_hold_everything(kernel):
    assert kernels.from_description(kernels.describe(kernel)) == kernel
