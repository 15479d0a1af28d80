"""Kernel problems: splines of other libraries, one solver against the other, exact reproduction, senseless data."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicSpline, RBFInterpolator
from scipy.spatial import KDTree
from sklearn.kernel_ridge import KernelRidge

import ridgesplines as rs
from ridgesplines.kernels import (
    GaussianKernel,
    MaternKernel,
    NeuralTangentKernel,
    PolyharmonicKernel,
    UniformKernel,
)
from ridgesplines.solvers.kernel_gradients import ordering, solver
from ridgesplines.solvers.kernel_gradients.factor import InverseCholesky
from ridgesplines.surfaces.implicit import oriented_problem

pytestmark = pytest.mark.thinned(4)


def oriented(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points on an ellipsoid within the unit ball, and its unit normals."""
    directions = np.random.default_rng(seed).standard_normal((count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    axes = np.array([0.9, 0.7, 0.5])
    normals = directions / axes
    return directions * axes, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def data_on_the_line() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = np.linspace(-0.95, 0.95, 12) + rng.uniform(-0.05, 0.05, 12)
    return x, rng.standard_normal(12), np.linspace(x[0], x[-1], 300)


@pytest.mark.parametrize("kernel", [UniformKernel(), PolyharmonicKernel(3)], ids=repr)
def test_on_the_line_with_a_free_affine_part_it_is_the_natural_cubic_spline(kernel):
    x, y, t = data_on_the_line()
    solution = rs.solve_kernel(rs.KernelProblem(x, y, kernel=kernel, free_degree=1))
    natural = CubicSpline(x, y, bc_type="natural")
    np.testing.assert_allclose(solution.spline(t), natural(t), rtol=0, atol=1e-8)
    np.testing.assert_allclose(solution.spline.gradient(t)[:, 0], natural(t, 1), rtol=0, atol=1e-7)
    assert solution.value_misfit < 1e-8


def test_on_the_line_it_tends_to_the_natural_cubic_spline_as_the_radius_grows():
    x, y, t = data_on_the_line()
    natural = CubicSpline(x, y, bc_type="natural")(t)
    errors = []
    for radius in (1.0, 2.0, 4.0, 8.0, 16.0):
        spline = rs.solve_kernel(rs.KernelProblem(x, y, kernel=UniformKernel(radius=radius))).spline
        errors.append(np.abs(spline(t) - natural).max())
    # Beside that of bending, the price of an affine part falls like 1 / radius at least.
    assert (np.diff(np.log2(errors)) < -1).all()
    assert errors[-1] < 1e-4


@pytest.mark.parametrize(("power", "name"), [(1, "linear"), (2, "thin_plate_spline"), (3, "cubic"), (5, "quintic")])
def test_polyharmonic_splines_are_those_of_scipy(power, name):
    rng = np.random.default_rng(power)
    x, new = rng.uniform(-1, 1, (40, 2)), rng.uniform(-1, 1, (50, 2))
    y = np.sin(3 * x[:, 0]) + x[:, 1] ** 2
    for nugget in (0.0, 0.01):
        problem = rs.KernelProblem(x, y, kernel=PolyharmonicKernel(power), value_nugget=nugget)
        expected = RBFInterpolator(x, y, kernel=name, smoothing=nugget, degree=problem.free_degree)(new)
        np.testing.assert_allclose(rs.solve_kernel(problem).spline(new), expected, rtol=0, atol=1e-8)


def test_without_gradients_it_is_kernel_ridge_regression():
    rng = np.random.default_rng(2)
    x, new = rng.uniform(-0.5, 0.5, (60, 4)), rng.uniform(-0.5, 0.5, (30, 4))
    y = np.maximum(x[:, 0], 0) + 0.1 * rng.standard_normal(60)
    kernel = GaussianKernel()
    expected = KernelRidge(alpha=0.3, kernel="precomputed").fit(kernel(x, x), y).predict(kernel(new, x))
    for choice in (rs.DenseCholesky(), rs.ConjugateGradients(tolerance=1e-10)):
        solution = rs.solve_kernel(rs.KernelProblem(x, y, kernel=kernel, value_nugget=0.3), choice)
        np.testing.assert_allclose(solution.spline(new), expected, rtol=0, atol=1e-8)
        assert solution.value_residual < 1e-8 < solution.value_misfit


@pytest.mark.parametrize(
    ("kernel", "count"),
    # Smoother kernels have far worse conditions: fewer points keep them within double precision.
    [(UniformKernel(), 60), (GaussianKernel(3), 12), (MaternKernel(2.5), 30), (PolyharmonicKernel(4), 30)],
    ids=repr,
)
def test_values_and_gradients_are_interpolated(kernel, count):
    points, normals = oriented(count)
    values = points[:, 0] ** 2
    solution = rs.solve_kernel(rs.KernelProblem(points, values, normals, kernel=kernel))
    f = solution.spline
    np.testing.assert_allclose(f(points), values, rtol=0, atol=1e-7)
    np.testing.assert_allclose(f.gradient(points), normals, rtol=0, atol=1e-6)
    assert solution.status is rs.KernelStatus.DIRECT
    # What it reports is what one measures, up to the blocks in which sums are taken.
    assert solution.value_misfit == pytest.approx(np.abs(f(points) - values).max(), rel=1e-2, abs=1e-9)
    gradient_error = np.linalg.norm(f.gradient(points) - normals, axis=1).max()
    assert solution.gradient_misfit == pytest.approx(gradient_error, rel=1e-2, abs=1e-9)


def test_nuggets_solve_the_equations_with_them_on_the_diagonal():
    points, normals = oriented(30)
    kernel = UniformKernel()
    problem = rs.KernelProblem(points, 0, normals, kernel=kernel, value_nugget=1e-3, gradient_nugget=0.1)
    solution = rs.solve_kernel(problem)
    matrix = kernel.hermite(points, points) + np.diag(np.tile([1e-3, 0.1, 0.1, 0.1], 30))
    expected = np.linalg.solve(matrix, np.c_[np.zeros(30), normals].ravel()).reshape(30, 4)
    np.testing.assert_allclose(solution.spline.coefficients, expected, rtol=0, atol=1e-8 * np.abs(expected).max())
    assert max(solution.value_residual, solution.gradient_residual) < 1e-10
    assert min(solution.value_misfit, solution.gradient_misfit) > 1e-4


def nuggets_that_differ(count: int, dimension: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Nuggets of values (count,), and positive definite matrices (count, d, d) for gradients."""
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((count, dimension, dimension))
    matrices = 1e-2 * (roots @ roots.transpose(0, 2, 1) + 0.1 * np.eye(dimension))
    return 1e-4 * np.exp(rng.standard_normal(count)), matrices


@pytest.mark.parametrize("kernel", [UniformKernel(), GaussianKernel()], ids=repr)
@pytest.mark.parametrize(
    "choice",
    [
        rs.DenseCholesky(),
        rs.ConjugateGradients(tolerance=1e-12, neighbours=8),
        rs.NystromGradients(centres=60, tolerance=1e-13),
    ],
    ids=lambda choice: type(choice).__name__,
)
def test_nuggets_of_points_and_directions_solve_the_equations_with_their_blocks(kernel, choice):
    points, normals = oriented(60)
    values, matrices = nuggets_that_differ(60, 3)
    problem = rs.KernelProblem(points, 0.1, normals, kernel=kernel, value_nugget=values, gradient_nugget=matrices)
    matrix = kernel.hermite(points, points).copy()
    for i in range(60):
        matrix[4 * i, 4 * i] += values[i]
        matrix[4 * i + 1 : 4 * i + 4, 4 * i + 1 : 4 * i + 4] += matrices[i]
    np.testing.assert_array_equal(problem.matrix(), matrix)
    expected = np.linalg.solve(matrix, problem.data.ravel()).reshape(60, 4)
    solution = rs.solve_kernel(problem, choice)
    found = np.zeros((60, 4))
    # The solvers may take the points in another order.
    order = [int(np.flatnonzero((points == centre).all(axis=1))[0]) for centre in solution.spline.centres]
    found[order] = solution.spline.coefficients
    # The condition of the matrix, below 1e6, times the tolerances.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    assert solution.nuggets == problem.typical_nuggets
    rest = problem.data.ravel() - kernel.hermite(points, points) @ expected.ravel()
    assert solution.value_misfit == pytest.approx(np.abs(rest[::4]).max(), rel=1e-4)
    # Some of the points keep their own.
    some = problem.at(np.array([7, 3]))
    np.testing.assert_array_equal(some.nuggets, problem.nuggets[[7, 3]])


@pytest.mark.parametrize(
    "choice", [rs.DenseCholesky(), rs.ConjugateGradients(), rs.NystromGradients(centres=20)],
    ids=lambda choice: type(choice).__name__,
)  # fmt: skip
def test_the_same_nuggets_for_all_points_are_those_numbers(choice):
    points, normals = oriented(40)
    scalar = rs.KernelProblem(points, 0, normals, kernel=UniformKernel(), value_nugget=1e-4, gradient_nugget=1e-2)
    expected = rs.solve_kernel(scalar, choice)
    for gradient in (np.full(40, 1e-2), np.tile(1e-2 * np.eye(3), (40, 1, 1))):
        solution = rs.solve_kernel(scalar.with_nuggets(np.full(40, 1e-4), gradient), choice)
        np.testing.assert_array_equal(solution.spline.coefficients, expected.spline.coefficients)
        assert solution.nuggets == expected.nuggets


def test_senseless_nuggets_of_points():
    points, normals = oriented(5)

    def made(value=0.0, gradient=0.0):
        return rs.KernelProblem(
            points, 0, normals, kernel=UniformKernel(), value_nugget=value, gradient_nugget=gradient
        )

    with pytest.raises(
        ValueError, match=r"value_nugget must be a number or an array of shape \(5,\), got shape \(4,\)"
    ):
        made(np.ones(4))
    with pytest.raises(ValueError, match=r"value_nugget must not be negative, got -1 at index 2"):
        made(np.array([1.0, 0, -1, 0, 0]))
    with pytest.raises(
        ValueError, match=r"gradient_nugget must be a number or an array of shape \(5,\) or \(5, 3, 3\)"
    ):
        made(1.0, np.ones((5, 2, 2)))
    with pytest.raises(ValueError, match="gradient_nugget must hold symmetric matrices"):
        made(1.0, np.tile(np.triu(np.ones((3, 3))), (5, 1, 1)))
    with pytest.raises(ValueError, match=r"gradient_nugget must hold positive semidefinite matrices, .* eigenvalue -1"):
        made(1.0, np.tile(np.diag([1.0, 1, -1]), (5, 1, 1)))
    # Points may contradict each other where nuggets let one of them be missed.
    twice = np.concatenate([points, points[:1]]), np.append(np.zeros(5), 1.0)
    rs.KernelProblem(*twice, kernel=UniformKernel(), value_nugget=np.array([0.0, 0, 0, 0, 0, 1e-3]))
    with pytest.raises(ValueError, match="points 0 and 5 coincide"):
        rs.KernelProblem(*twice, kernel=UniformKernel(), value_nugget=np.array([0.0, 1, 1, 1, 1, 0]))


@pytest.mark.parametrize("points", [np.linspace(-1, 1, 7)[:, None] * [0.6, 0.8], np.eye(2)[:1]], ids=["line", "point"])
def test_points_that_do_not_determine_the_polynomial(points):
    """Values of an affine function are reproduced, whatever the polynomials that the points cannot tell apart."""
    values = 2 + points @ [1.0, -3.0]
    solution = rs.solve_kernel(rs.KernelProblem(points, values, kernel=PolyharmonicKernel(3)))
    np.testing.assert_allclose(solution.spline(points), values, rtol=0, atol=1e-10)


def test_finite_differences_tend_to_the_normal_derivative():
    points, normals = oriented(40)
    fit = rs.solve_kernel(rs.finite_difference_problem(points, normals, step=1e-3, kernel=UniformKernel()))
    along = np.sum(fit.spline.gradient(points) * normals, axis=1)
    np.testing.assert_allclose(along, 1.0, atol=1e-3)
    assert len(fit.spline.centres) == 120
    cusp = rs.finite_difference_problem(points, normals, step=1e-2, kernel=NeuralTangentKernel())
    assert rs.solve_kernel(cusp).value_misfit < 1e-8


# Conjugate gradients


@pytest.mark.parametrize("kernel", [UniformKernel(), MaternKernel(1.5, 0.7)], ids=repr)
def test_conjugate_gradients_agree_with_the_factorization(kernel):
    points, normals = oriented(400)
    problem = rs.KernelProblem(points, 0, normals, kernel=kernel)
    direct = rs.solve_kernel(problem, rs.DenseCholesky())
    iterative = rs.solve_kernel(problem, rs.ConjugateGradients(tolerance=1e-9, thinning=0.0))
    assert iterative.status is rs.KernelStatus.CONVERGED
    assert iterative.iterations <= 20
    assert iterative.residuals[-1] <= 1e-9
    new = np.random.default_rng(1).uniform(-0.5, 0.5, (200, 3))
    np.testing.assert_allclose(iterative.spline(new), direct.spline(new), rtol=0, atol=1e-6)
    np.testing.assert_allclose(iterative.spline.gradient(new), direct.spline.gradient(new), rtol=0, atol=1e-5)


def test_a_thousand_oriented_points_take_ten_iterations():
    points, normals = oriented(1000)
    problem = rs.KernelProblem(points, 0, normals, kernel=UniformKernel())
    solution = rs.solve_kernel(problem, rs.ConjugateGradients(tolerance=1e-4))
    assert solution.status is rs.KernelStatus.CONVERGED
    assert solution.iterations <= 10
    assert solution.dropped < 20
    # The tolerance is on all rows together, in the norm of the right-hand side, √1000.
    assert solution.value_residual < 1e-4 * 1000**0.5
    assert "near-duplicate points left out" in str(solution)


@pytest.mark.long
@pytest.mark.parametrize("kernel", [UniformKernel(), GaussianKernel()], ids=repr)
def test_conjugate_gradients_agree_with_the_factorization_at_two_thousand_points(kernel):
    points, normals = oriented(2000)
    problem = rs.KernelProblem(points, 0, normals, kernel=kernel)
    direct = rs.solve_kernel(problem, rs.DenseCholesky())
    iterative = rs.solve_kernel(problem, rs.ConjugateGradients(tolerance=1e-8, thinning=0.0))
    assert iterative.iterations <= 25
    new = np.random.default_rng(1).uniform(-0.5, 0.5, (200, 3))
    np.testing.assert_allclose(iterative.spline(new), direct.spline(new), rtol=0, atol=1e-5)


@pytest.mark.parametrize("dimension", [pytest.param(2, marks=pytest.mark.long), 3])
def test_conjugate_gradients_with_sums_split_by_range_agree_with_those_over_all_pairs(dimension):
    points, normals = oriented(600)
    if dimension == 2:
        points, normals = points[:150, :2] / np.linalg.norm(points[:150, :2], axis=1, keepdims=True) * 0.9, points
        normals = points / 0.9
    problem = rs.KernelProblem(points, 0, normals, kernel=UniformKernel(), gradient_nugget=1e-6)
    exact = rs.solve_kernel(problem, rs.ConjugateGradients(tolerance=1e-7, thinning=0, accuracy=0))
    split = rs.solve_kernel(problem, rs.ConjugateGradients(tolerance=1e-7, thinning=0, accuracy=2e-6))
    assert split.status is rs.KernelStatus.CONVERGED
    assert abs(split.iterations - exact.iterations) <= 2
    assert exact.sum_errors == (0.0, 0.0)
    assert 0 < split.sum_errors[0] < 1e-3
    assert "sums to" in str(split)
    # The true residual is that of the split sums and what these leave, measured at a sample of 200 centres.
    values, gradients = split.spline.value_and_gradient(split.spline.centres)
    assert np.abs(values).max() < split.value_residual + 3 * split.sum_errors[0]
    left = normals - gradients - 1e-6 * split.spline.coefficients[:, 1:]
    assert np.linalg.norm(left, axis=1).max() < split.gradient_residual + 3 * split.sum_errors[1]


@pytest.mark.long
def test_the_sums_are_split_beyond_ten_thousand_points_where_they_can_be(monkeypatch):
    points, normals = oriented(200)
    monkeypatch.setattr(solver, "_ALL_PAIRS", 100)
    problem = rs.KernelProblem(points, 0, normals, kernel=UniformKernel())
    assert rs.solve_kernel(problem, rs.ConjugateGradients()).sum_errors[0] > 0
    other = rs.KernelProblem(points, 0, normals, kernel=GaussianKernel())
    assert rs.solve_kernel(other, rs.ConjugateGradients()).sum_errors == (0.0, 0.0)
    values = rs.KernelProblem(points, points[:, 0], kernel=UniformKernel(), value_nugget=1e-3)
    alone = rs.solve_kernel(values, rs.ConjugateGradients(tolerance=1e-8))
    dense = rs.solve_kernel(values, rs.DenseCholesky())
    np.testing.assert_allclose(alone.spline(points), dense.spline(points), rtol=0, atol=1e-4)
    with pytest.raises(ValueError, match="kernel must be a UniformKernel of order 2"):
        rs.solve_kernel(other, rs.ConjugateGradients(accuracy=1e-3))
    with pytest.raises(ValueError, match="accuracy must be at least 0 and less than 1, or None, got 2"):
        rs.ConjugateGradients(accuracy=2)


@pytest.mark.parametrize("gradients", [True, False])
@pytest.mark.parametrize("dimension", [1, 3])
def test_the_compiled_preconditioner_of_the_uniform_kernel_is_the_traced_one(gradients, dimension):
    points, normals = oriented(60)
    points, normals = points[:, :dimension], normals[:, :dimension] if gradients else None
    nuggets = dict(zip(("value_nugget", "gradient_nugget"), nuggets_that_differ(60, dimension), strict=True))
    problem = rs.KernelProblem(points, 0, normals, kernel=UniformKernel(radius=1.2), **nuggets)
    # The same kernel, of a class that has no compiled form.
    other = rs.KernelProblem(points, 0, normals, kernel=1.0 * UniformKernel(radius=1.2), **nuggets)
    vector = np.random.default_rng(0).standard_normal(problem.data.shape)
    compiled, traced = (InverseCholesky(each, points, each.nuggets, 8)(vector) for each in (problem, other))
    # The nuggets keep the condition of the factors below 1e3; they are kept in single precision.
    np.testing.assert_allclose(compiled, traced, rtol=0, atol=1e-4 * np.abs(traced).max())


@pytest.mark.parametrize("gradients", [True, False])
def test_with_all_centres_nystrom_is_the_factorization(gradients):
    points, normals = oriented(80)
    problem = rs.KernelProblem(
        points, points[:, 0], normals if gradients else None, kernel=UniformKernel(), value_nugget=1e-5,
        gradient_nugget=1e-3,
    )  # fmt: skip
    dense, all_centres = rs.solve_kernel(problem), rs.solve_kernel(problem, rs.NystromGradients(centres=80))
    new = np.random.default_rng(0).uniform(-0.5, 0.5, (50, 3))
    # The preconditioner is then the matrix itself.
    assert all_centres.iterations <= 3
    np.testing.assert_allclose(all_centres.spline(new), dense.spline(new), rtol=0, atol=1e-6)
    assert all_centres.value_misfit == pytest.approx(dense.value_misfit, rel=1e-3)


def test_few_centres_solve_the_normal_equations_of_least_squares():
    points, normals = oriented(300)
    problem = rs.KernelProblem(points, 0, normals, kernel=UniformKernel(), value_nugget=1e-5, gradient_nugget=1e-3)
    errors = []
    for count in (20, 60, 180):
        solution = rs.solve_kernel(problem, rs.NystromGradients(centres=count, tolerance=1e-10))
        assert solution.status is rs.KernelStatus.CONVERGED
        assert solution.iterations < 40
        errors.append(solution.gradient_misfit)
        centres = solution.spline.centres
        assert centres.shape == (count, 3)
        # By a least-squares solver on the stacked square roots, which never forms the normal equations.
        wide, square = problem.kernel.hermite(points, centres), problem.kernel.hermite(centres, centres)
        roots = np.tile(np.diagonal(problem.nuggets[0]), 300) ** 0.5
        root = np.linalg.cholesky(square + 1e-15 * np.eye(len(square))).T
        stacked = np.concatenate([wide / roots[:, None], root])
        right = np.concatenate([problem.data.ravel() / roots, np.zeros(len(root))])
        expected = wide @ np.linalg.lstsq(stacked, right, rcond=None)[0]
        values, gradients = solution.spline.value_and_gradient(points)
        found = np.column_stack([values, gradients]).ravel()
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
        assert solution.value_misfit == pytest.approx(np.abs(values).max())
        assert max(solution.value_residual, solution.gradient_residual) < 1e-3
    assert errors[2] < errors[1] < errors[0]


def test_what_nystrom_does_not_take(monkeypatch):
    points, normals = oriented(30)
    problem = rs.KernelProblem(points, 0, normals, kernel=UniformKernel(), value_nugget=1e-5, gradient_nugget=1e-3)
    with pytest.raises(ValueError, match="NystromGradients needs a positive value_nugget"):
        rs.solve_kernel(problem.with_nuggets(1e-5, 0.0), rs.NystromGradients())
    with pytest.raises(ValueError, match=r"two matrices for 30 centres need .* more than memory"):
        rs.solve_kernel(problem, rs.NystromGradients(memory=1e4))
    with pytest.raises(ValueError, match="centres must be at least 1, got 0"):
        rs.NystromGradients(centres=0)
    free = rs.KernelProblem(points, 0, normals, kernel=PolyharmonicKernel(3), value_nugget=1, gradient_nugget=1)
    with pytest.raises(ValueError, match="NystromGradients has no free polynomials, but free_degree is 1"):
        rs.solve_kernel(free, rs.NystromGradients())


def test_with_all_neighbours_the_preconditioner_is_the_inverse():
    points, normals = oriented(25)
    kernel = MaternKernel(2.5)
    problem = rs.KernelProblem(points, 0, normals, kernel=kernel, gradient_nugget=0.1, value_nugget=0.01)
    factor = InverseCholesky(problem, points, problem.nuggets, neighbours=24)
    vector = np.random.default_rng(0).standard_normal((25, 4))
    matrix = kernel.hermite(points, points) + np.diag(np.tile([0.01, 0.1, 0.1, 0.1], 25))
    expected = np.linalg.solve(matrix, vector.ravel()).reshape(25, 4)
    # Single precision, times the condition of the factor, about 10.
    np.testing.assert_allclose(factor(vector), expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_the_preconditioner_is_made_of_the_local_inverses():
    # 150 points with 6 neighbours make three groups of 6, 9 and 13.
    points, normals = oriented(150)
    kernel = UniformKernel()
    problem = rs.KernelProblem(points, 0, normals, kernel=kernel, value_nugget=1e-3, gradient_nugget=1e-2)
    order = ordering.coarse_to_fine(points)
    matrix = kernel.hermite(points, points) + np.diag(np.tile(np.diagonal(problem.nuggets[0]), 150))
    columns = np.zeros((600, 600))
    for i in range(150):
        count = 6 if i >= 37 else 9 if i >= 9 else 8
        distances = np.linalg.norm(points[order[:i]] - points[order[i]], axis=1)
        local = order[[*np.argsort(distances)[:count], i]]
        rows = (4 * local[:, None] + np.arange(4)).ravel()
        # The least divergence: the last columns of the inverse of the lower factor, transposed.
        columns[rows, 4 * i : 4 * i + 4] = np.linalg.inv(np.linalg.cholesky(matrix[np.ix_(rows, rows)]))[-4:].T
    vector = np.random.default_rng(0).standard_normal((150, 4))
    expected = (columns @ (columns.T @ vector.ravel())).reshape(150, 4)
    found = InverseCholesky(problem, points, problem.nuggets, 6)(vector)
    # Single precision, times the condition of the factors, below 100.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.long
def test_twenty_thousand_points_of_a_scan_take_fifteen_iterations_and_three_kilobytes_each(shared):
    path = shared / "data" / "meshes" / "armadillo.ply"
    if not path.is_file():
        pytest.skip("the folder of meshes is not there")
    points, normals = rs.surfaces.sample_mesh(*rs.surfaces.read_mesh(path), 20_000, 0)
    problem = oriented_problem(points, normals)[0]
    # What is compiled takes memory once.
    rs.solve_kernel(problem.at(np.arange(1000)), rs.ConjugateGradients(accuracy=3e-5))
    tracemalloc.start()
    try:
        solution = rs.solve_kernel(problem, rs.ConjugateGradients(tolerance=1e-4))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert solution.status is rs.KernelStatus.CONVERGED
    assert solution.iterations <= 15
    assert most <= 3000 * 20_000


def test_the_order_is_a_permutation_from_coarse_to_fine():
    points, _ = oriented(500)
    points[7] = points[8]
    order = ordering.coarse_to_fine(points)
    assert sorted(order) == list(range(500))
    np.testing.assert_array_equal(order, ordering.coarse_to_fine(points))
    spacings = [KDTree(points[order[:n]]).query(points[order[:n]], k=2)[0][:, 1].mean() for n in (8, 30, 120, 480)]
    # On a surface the spacing of n spread-out points falls like n^(-1/2).
    assert all(0.3 < b / a < 0.7 for a, b in pairwise(spacings))


def test_nearest_earlier_points_are_those_of_a_search_through_all():
    points = np.random.default_rng(3).uniform(-1, 1, (150, 2))
    found = ordering.nearest_earlier(points, 5)
    for i, row in enumerate(found):
        distances = np.linalg.norm(points[:i] - points[i], axis=1)
        assert set(row[row >= 0]) == set(np.argsort(distances)[:5])
    np.testing.assert_array_equal(ordering.nearest_earlier(points, 5, 70), found[70:])


def test_ctrl_c_keeps_the_best_so_far(monkeypatch):
    points, normals = oriented(100)
    calls = []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return rs.kernels.hermite_sum(*arguments)

    monkeypatch.setattr(solver, "hermite_sum", interrupted)
    problem = rs.KernelProblem(points, 0, normals, kernel=UniformKernel())
    solution = rs.solve_kernel(problem, rs.ConjugateGradients(tolerance=1e-9))
    assert solution.status is rs.KernelStatus.INTERRUPTED
    assert solution.iterations == 3
    assert solution.gradient_misfit < 0.5


def test_same_seed_same_numbers_and_limits():
    points, normals = oriented(100)
    problem = rs.KernelProblem(points, 0, normals, kernel=MaternKernel(1.5))
    first, second = (rs.solve_kernel(problem, rs.ConjugateGradients(iterations=2)) for _ in range(2))
    assert first.status is rs.KernelStatus.ITERATION_LIMIT
    np.testing.assert_array_equal(first.spline.coefficients, second.spline.coefficients)
    nothing = rs.solve_kernel(
        rs.KernelProblem(points, 0, 0 * normals, kernel=MaternKernel(1.5)), rs.ConjugateGradients()
    )
    assert nothing.iterations == 0
    assert not nothing.spline.coefficients.any()


def test_the_default_solver_follows_the_size(monkeypatch):
    points, normals = oriented(30)
    monkeypatch.setattr("ridgesplines.kernel_solving._DIRECT_ROWS", 100)
    assert rs.solve_kernel(rs.KernelProblem(points, 0, normals, kernel=UniformKernel())).iterations > 0
    free = rs.KernelProblem(points, 0, normals, kernel=PolyharmonicKernel(3))
    assert rs.solve_kernel(free).status is rs.KernelStatus.DIRECT


# The function


def test_numpy_to_numpy_and_jax_to_jax(tmp_path):
    points, normals = oriented(40)
    kernel = 0.5 * UniformKernel() + PolyharmonicKernel(3)
    f = rs.solve_kernel(rs.KernelProblem(points, 0, normals, kernel=kernel)).spline
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (9, 3))
    assert isinstance(f(x), np.ndarray)
    assert isinstance(f(jnp.asarray(x)), jax.Array)
    np.testing.assert_allclose(jax.jit(lambda g, p: g(p))(f, jnp.asarray(x)), f(x), atol=1e-9)
    assert f(x[0]).shape == ()
    assert f.gradient(x[0]).shape == (3,)
    gradient = jax.vmap(jax.grad(f))(jnp.asarray(x))
    np.testing.assert_allclose(gradient, f.gradient(x), atol=1e-8)

    reopened = rs.KernelSpline.load(f.save(tmp_path / "surface"))
    np.testing.assert_array_equal(reopened(x), f(x))
    assert reopened.kernel == kernel
    assert repr(reopened) == repr(f)
    with pytest.raises(ValueError, match="holds a KernelSpline, but a RidgeSpline"):
        rs.RidgeSpline.load(tmp_path / "surface.npz")
    with pytest.raises(ValueError, match=r"x must have shape \(n, 3\) or \(3,\)"):
        f(np.zeros((2, 2)))


def test_files_that_are_damaged(tmp_path):
    arrays = {"centres": np.zeros((2, 3)), "coefficients": np.zeros(2), "polynomial": np.zeros(4)}
    metadata = {"kind": "KernelSpline", "kernel": '{"name": "MaternKernel"}', "degree": 1}
    for name, array, part in (
        ("centres", np.zeros(2), "whole KernelSpline"),
        ("coefficients", np.zeros((2, 2)), "share M and d"),
        ("polynomial", np.zeros(3), "do not fit its degree"),
    ):
        path = rs.archive.write_archive(tmp_path / name, {**arrays, name: array}, metadata)
        with pytest.raises(ValueError, match=part):
            rs.KernelSpline.load(path)


# Senseless data

POINTS, NORMALS = oriented(6)
TWICE = POINTS[[0, 1, 2, 0]]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((POINTS, 0, NORMALS), {"kernel": NeuralTangentKernel()}, "takes no gradients; use finite differences"),
        ((3 * POINTS, 0), {}, r"points must lie within \|x\| ≤ radius = 1"),
        ((POINTS, np.zeros(5)), {}, r"values must have one entry for each of the 6 points, got shape \(5,\)"),
        ((POINTS, 0, NORMALS[:4]), {}, r"gradients must have the shape of the points, \(6, 3\), got \(4, 3\)"),
        ((POINTS * np.nan, 0), {}, "points must be finite"),
        ((np.zeros((0, 3)), 0), {}, "points must have rows"),
        ((POINTS, 0), {"value_nugget": -1}, "value_nugget must be zero or a positive number, got -1"),
        ((POINTS, 0), {"free_degree": 0, "kernel": PolyharmonicKernel(3)}, "free_degree must be at least 1"),
        ((TWICE, [0, 0, 0, 1]), {}, "points 0 and 3 coincide, but their values or gradients differ"),
        ((TWICE, 0, -TWICE * [[1], [1], [1], [-1]]), {"value_nugget": 0.1}, "points 0 and 3 coincide"),
    ],
)
def test_senseless_problems(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        rs.KernelProblem(*arguments, **{"kernel": UniformKernel(), **options})


def test_points_given_twice_are_merged_where_they_agree_and_counted_where_they_are_noisy():
    exact = rs.KernelProblem(TWICE, 0, TWICE, kernel=UniformKernel())
    assert len(exact.points) == 3
    assert rs.solve_kernel(exact).gradient_misfit < 1e-8
    noisy = rs.KernelProblem(TWICE, [0, 0, 0, 1], kernel=UniformKernel(), value_nugget=1e-9)
    assert rs.solve_kernel(noisy).spline(TWICE[0]) == pytest.approx(0.5, abs=1e-4)


def test_what_is_no_problem_or_option():
    with pytest.raises(TypeError, match="kernel must be a Kernel"):
        rs.KernelProblem(POINTS, 0, kernel="cubic")
    with pytest.raises(TypeError, match="problem must be a KernelProblem, got str"):
        rs.solve_kernel("problem")
    with pytest.raises(TypeError, match=r"free_degree must be a whole number or None, got 1\.5"):
        rs.KernelProblem(POINTS, 0, kernel=UniformKernel(), free_degree=1.5)
    with pytest.raises(TypeError, match="step must be a positive number, got 'x'"):
        rs.finite_difference_problem(POINTS, NORMALS, step="x", kernel=UniformKernel())
    with pytest.raises(ValueError, match="neighbours must be at least 1"):
        rs.ConjugateGradients(neighbours=0)
    with pytest.raises(ValueError, match="tolerance must be between 0 and 1"):
        rs.ConjugateGradients(tolerance=0.0)
    with pytest.raises(ValueError, match="memory must be a positive number of bytes"):
        rs.DenseCholesky(memory=0)


def test_a_matrix_that_would_not_fit_is_refused_with_the_number_that_would():
    problem = rs.KernelProblem(POINTS, 0, NORMALS, kernel=UniformKernel())
    with pytest.raises(ValueError, match=r"needs 0.0 GB, more than memory=3.2e\+03 bytes, which 5 points would fit"):
        rs.solve_kernel(problem, rs.DenseCholesky(memory=3200))


def test_conjugate_gradients_say_that_they_have_no_free_polynomials():
    problem = rs.KernelProblem(POINTS, 0, NORMALS, kernel=PolyharmonicKernel(3))
    with pytest.raises(ValueError, match=r"no free polynomials, but free_degree is 1; use rs.DenseCholesky"):
        rs.solve_kernel(problem, rs.ConjugateGradients())
