"""Problems of linear measurements that are no samples: solved, certified, followed, and refused where they must be."""

from __future__ import annotations

import cvxpy
import numpy as np
import pytest
from segments import SegmentAverages

import ridgesplines as rs
from ridgesplines.activations import TruncatedPower
from ridgesplines.oracles import Neurons


def data(dimension: int, count: int, length: float, seed: int = 0) -> tuple[SegmentAverages, np.ndarray]:
    """Segments and noisy averages of |x1|, by Gauss' rule."""
    rng = np.random.default_rng(seed)
    segments = SegmentAverages.about(rng.uniform(-1, 1, (count, dimension)), length, seed)
    nodes, shares = segments._nodes()
    return segments, shares @ np.abs(nodes[..., 0]) + 0.1 * rng.standard_normal(count)


def fine_dictionary(problem: rs.Problem, biases: np.ndarray) -> float:
    """The optimum over neurons at `biases` only, by cvxpy: never below that over all neurons."""
    neurons = Neurons(np.ones((len(biases), 1)), biases)
    columns = problem.measurements.of_neurons(neurons, TruncatedPower(problem.regularizer.order))
    v, c = cvxpy.Variable(len(biases)), cvxpy.Variable(problem.free.basis.shape[1])
    fit = columns @ v + problem.free.basis @ c
    loss = 0.5 * cvxpy.sum_squares(fit - problem.targets)
    program = cvxpy.Problem(cvxpy.Minimize(loss + problem.strength * cvxpy.norm1(v)))
    return float(program.solve(solver=cvxpy.CLARABEL))


@pytest.mark.parametrize("order", [2, 3, 4])
def test_on_the_line_a_fine_dictionary_is_no_better(order):
    segments, y = data(1, 20, 0.3)
    problem = rs.Problem(segments, y, regularizer=rs.RadonTV(order), strength=0.005)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-8))
    assert (solution.status, solution.certificate.kind) == (rs.Status.CONVERGED, "bounded")
    assert solution.certificate.relative_gap <= 1e-8
    dictionary = fine_dictionary(problem, np.linspace(-1.15, 1.15, 601))
    # Clarabel's answer is within its tolerance of 1e-8; the dictionary's neurons are within 0.002 of the best.
    assert dictionary >= solution.certificate.bound * (1 - 1e-7)
    assert dictionary == pytest.approx(solution.objective, rel=1e-3)
    assert solution.spline.width <= problem.representer_bound
    # The objective is what the spline itself has.
    assert problem.objective(solution.spline) == pytest.approx(solution.objective, rel=1e-12)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_in_the_plane_solutions_are_certified(order):
    segments, y = data(2, 30, 0.4)
    problem = rs.Problem(segments, y, regularizer=rs.RadonTV(order), strength=0.01)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-6))
    assert solution.status is rs.Status.CONVERGED
    assert solution.certificate.relative_gap <= 1e-6
    assert solution.spline.width <= problem.representer_bound
    # The proof does not hang on the solver: any spline is measured against the same dual.
    other = rs.certify(problem, 0.9 * solution.spline, solution.dual)
    assert other.bound == pytest.approx(solution.certificate.bound, rel=1e-6)
    assert other.gap > 0


@pytest.mark.long
def test_short_segments_have_the_optimum_of_samples():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-1, 1, (25, 2)), rng.standard_normal(25)
    samples = rs.solve(rs.Problem(rs.Samples(x), y, strength=0.1))
    length = 1e-5
    problem = rs.Problem(SegmentAverages.about(x, length), y, strength=0.1)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-4))
    certificate = solution.certificate
    # Averages differ from samples by the length times the slope, which is R at most: so much of the optimum changes.
    change = 2 * length * samples.certificate.regularization * float(np.abs(samples.dual).sum())
    assert certificate.bound <= samples.objective + change
    assert samples.certificate.bound <= certificate.objective + change


@pytest.mark.parametrize("dimension", [1, 2])
def test_interpolation_meets_every_measurement(dimension):
    segments, y = data(dimension, 10, 0.4)
    problem = rs.Problem(segments, y, rs.Interpolation())
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-5))
    certificate = solution.certificate
    assert certificate.relative_gap <= 1e-5
    assert certificate.misfit <= 1e-8 * np.abs(y).max()
    assert solution.spline.width <= problem.representer_bound == 10 - 1 - dimension


def hermite(dimension: int, count: int) -> tuple[rs.Stack, np.ndarray]:
    """Values and derivatives at points near a grid, of no function in particular."""
    rng = np.random.default_rng(count)
    edge = np.linspace(-1, 1, round(count ** (1 / dimension)))
    points = np.stack(np.meshgrid(*[edge] * dimension), axis=-1).reshape(-1, dimension)
    points = points + 0.05 * rng.standard_normal(points.shape)
    directions = rng.standard_normal(points.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    measurement = rs.Stack(rs.Samples(points), rs.Derivatives(points, directions))
    values = np.sin(3 * points[:, 0]) * np.exp(points[:, -1])
    return measurement, np.concatenate([values, rng.standard_normal(len(points))])


@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize(("dimension", "gap"), [(1, 1e-8), (2, 1e-5)])
def test_values_and_derivatives_are_fitted_with_a_proof(dimension, gap, order):
    measurement, y = hermite(dimension, 9)
    problem = rs.Problem(measurement, y, regularizer=rs.RadonTV(order), strength=1e-2)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=gap))
    assert (solution.status, solution.certificate.kind) == (rs.Status.CONVERGED, "bounded")
    assert solution.certificate.relative_gap <= gap
    assert rs.sparsify(problem, solution.spline).width <= problem.representer_bound
    assert problem.representer_bound == 18 - problem.free.basis.shape[1]
    if dimension == 1:
        dictionary = fine_dictionary(problem, np.linspace(-1.15, 1.15, 601))
        assert dictionary >= solution.certificate.bound * (1 - 1e-7)
        assert dictionary == pytest.approx(solution.objective, rel=1e-2)


@pytest.mark.parametrize("dimension", [1, 2])
def test_values_and_derivatives_are_met(dimension):
    measurement, y = hermite(dimension, 9)
    problem = rs.Problem(measurement, y, rs.Interpolation(), rs.RadonTV(3))
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-5))
    assert solution.status is rs.Status.CONVERGED
    assert solution.certificate.relative_gap <= 1e-5
    assert solution.certificate.misfit <= 1e-9 * np.abs(y).max()
    assert solution.spline.width <= problem.representer_bound
    # No objective of the trace is below the bound: each is that of a network that meets the data, to 1e-9 of what a
    # completion had to make up, which counts as often as a dual variable says.
    assert min(row.objective for row in solution.trace) >= solution.certificate.bound * (1 - 1e-6)


def test_losses_and_outputs_of_every_sort():
    segments, y = data(2, 20, 0.4)
    for loss, targets in ((rs.AbsoluteLoss(), y), (rs.LogisticLoss(), np.sign(y - 0.5))):
        assert rs.solve(rs.Problem(segments, targets, loss, strength=0.1)).certificate.relative_gap <= 1e-6
    problem = rs.Problem(segments, np.column_stack([y, y**2]), strength=0.05)
    solution = rs.solve(problem)
    assert solution.certificate.relative_gap <= 1e-6
    assert solution.certificate.kind == "bounded"


def test_in_space_the_certificate_is_an_estimate():
    segments, y = data(3, 25, 0.4)
    solution = rs.solve(rs.Problem(segments, y, strength=0.02), rs.ColumnGeneration(gap=1e-5))
    assert solution.certificate.kind == "heuristic"
    assert solution.certificate.relative_gap <= 1e-5
    with pytest.raises(ValueError, match="prove needs samples, values at points"):
        rs.certify(rs.Problem(segments, y, strength=0.02), solution.spline, prove=1)


def test_repeated_measurements_count_once_and_must_agree():
    segments, y = data(1, 8, 0.3)
    twice = SegmentAverages(*(np.concatenate([ends, ends]) for ends in (segments.starts, segments.ends)))
    problem = rs.Problem(twice, np.concatenate([y, y + 0.1]), strength=0.01)
    assert problem.representer_bound == 6
    assert rs.solve(problem).spline.width <= 6
    with pytest.raises(ValueError, match=r"rows \d+ and \d+ .* are the same measurement but targets"):
        rs.Problem(twice, np.concatenate([y, y + 0.1]), rs.Interpolation())


def test_paths_selections_and_files(tmp_path):
    segments, y = data(1, 16, 0.3)
    problem = rs.Problem(segments, y, strength=1.0)
    path = rs.regularization_path(problem, count=4, ratio=1e-2)
    assert (path.relative_gaps <= 1e-6).all()
    assert (np.diff(path.losses) <= 1e-9).all()
    assert rs.RegularizationPath.load(path.save(tmp_path / "path.npz")).widths.tolist() == path.widths.tolist()
    selection = rs.select_strength(segments, y, count=3, folds=3, ratio=1e-2)
    assert selection.strength in selection.strengths
    solution = path[-1]
    loaded = rs.Solution.load(solution.save(tmp_path / "solution.npz"))
    np.testing.assert_array_equal(loaded.spline.coefficients, solution.spline.coefficients)
    table = rs.compare({"averages": problem.with_strength(0.01)}, {"certified": rs.ColumnGeneration()})
    assert "averages" in str(table)


def test_what_is_for_samples_says_so():
    segments, y = data(1, 12, 0.3)
    problem = rs.Problem(segments, y, strength=0.1)
    spline = rs.solve(problem).spline
    assert isinstance(rs.solver_for(problem), rs.ColumnGeneration)
    calls = {
        "ConvexProgram": lambda: rs.ConvexProgram().solve(problem),
        "KernelRegression": lambda: rs.KernelRegression().solve(problem),
        "merge_neurons": lambda: rs.merge_neurons(problem, spline),
        "reweight": lambda: rs.reweight(problem),
        "solution_set": lambda: rs.solution_set(problem, spline),
        "degrees_of_freedom": lambda: rs.degrees_of_freedom(problem, spline),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=rf"^{name}.* needs samples, values at points, got Segment.* serve others"):
            call()
    with pytest.raises(ValueError, match=r"LineSpline solves .* but this one has SegmentAverages"):
        rs.LineSpline().solve(problem)
    with pytest.raises(ValueError, match=r"exact path is known for .* RadonTV"):
        rs.exact_path(problem)
    with pytest.raises(ValueError, match=r"AtomicNorm.* is for samples, got SegmentAverages.*RadonTV\(order\)"):
        rs.Problem(segments, y, regularizer=rs.AtomicNorm(), strength=0.1)


def test_polynomials_that_nothing_sees_are_named():
    ends = np.column_stack([np.arange(8.0), 0.5 * np.arange(8.0) + 0.5])
    segments = SegmentAverages(ends, ends + np.array([2.0, 1.0]))
    with pytest.raises(ValueError, match=r"f = x1 − 2 x2 \+ 1 is measured as 0; add measurements that see it"):
        rs.Problem(segments, np.arange(8.0), strength=1.0)


@pytest.mark.parametrize("folds", [9, [(range(1, 10), [0]), (range(9), [9])]])
def test_folds_that_leave_polynomials_undetermined_are_named(folds):
    x = np.linspace(0, 1, 9)
    measurement = rs.Stack(rs.Samples(x[:1]), rs.Derivatives(x, 1.0))
    y = np.append(0.0, np.cos(x))
    message = (
        r"without part \d of \d the measurements do not determine the polynomials of degree 2, .* f = 1 is measured as "
        "0; pass folds as pairs of rows such that every fit keeps some that see it, or give a strength instead"
    )
    with pytest.raises(ValueError, match=message):
        rs.select_strength(measurement, y, regularizer=rs.RadonTV(3), folds=folds)
    # Every fit keeps the value.
    kept = [(np.delete(np.arange(10), held), held) for held in ([1, 4], [5, 8])]
    assert rs.select_strength(measurement, y, regularizer=rs.RadonTV(3), folds=kept, count=2).folds == 2


def test_folds_that_leave_rays_of_one_direction_are_named():
    disc = rs.DiscRegion((0, 0), 1.0)
    beams = [rs.LineIntegrals.parallel_beam([0.0], np.linspace(-0.8, 0.8, 8), disc)]
    beams.append(rs.LineIntegrals.parallel_beam([np.pi / 2], [-0.2, 0.3], disc))
    folds = [(range(2, 10), [0, 1]), (range(8), [8, 9])]
    with pytest.raises(ValueError, match=r"without part 2 of 2 .* of degree 1, .*: f = x2 is measured as 0"):
        rs.select_strength(rs.Stack(*beams), np.cos(np.arange(10.0)), folds=folds)


# Morozov's discrepancy principle


@pytest.mark.parametrize("dimension", [1, pytest.param(2, marks=pytest.mark.long)])
def test_the_discrepancy_is_met_and_the_constrained_problem_bounded(dimension):
    segments, y = data(dimension, 20, 0.3)
    noise = 0.08 * np.sqrt(20)
    found = rs.discrepancy_strength(segments, y, noise_norm=noise, tolerance=1e-3, gap=1e-7)
    assert noise * (1 - 2e-3) <= found.misfit_norm <= noise
    assert 0 < found.bound <= found.regularization
    # What the misfit is below δ costs in R, as the multiplier says, and the gap leaves open.
    assert found.relative_gap <= 2e-2
    assert (np.diff(found.misfit_norms) <= 1e-6).all()
    again = rs.Problem(segments, y, strength=found.strength)
    assert again.objective(found.solution.spline) == pytest.approx(found.solution.objective, rel=1e-12)
    # Every other strength whose misfit is at most δ has a larger R, and none is below the bound.
    for strength in (0.3 * found.strength, 0.8 * found.strength):
        other = rs.solve(again.with_strength(strength)).certificate
        assert other.regularization >= found.bound
    assert "proven to be at least" in str(found)


def test_the_discrepancy_of_samples_is_that_of_cvxpy():
    rng = np.random.default_rng(3)
    x, noise = np.sort(rng.uniform(-1, 1, 15)), 0.3
    y = np.abs(x) + 0.1 * rng.standard_normal(15)
    found = rs.discrepancy_strength(rs.Samples(x), y, noise_norm=noise, tolerance=1e-5, gap=1e-9)
    values = cvxpy.Variable(15)
    slopes = cvxpy.multiply(cvxpy.diff(values), 1 / np.diff(x))
    program = cvxpy.Problem(cvxpy.Minimize(cvxpy.norm1(cvxpy.diff(slopes))), [cvxpy.norm(values - y) <= noise])
    optimum = float(program.solve(solver=cvxpy.CLARABEL))
    assert found.kind == "exact"
    # Within Clarabel's tolerance, and within that of δ times λ⁻¹ ‖z‖.
    assert found.bound <= optimum * (1 + 1e-6)
    assert optimum <= found.regularization * (1 + 1e-6)
    assert found.relative_gap <= 1e-3


def test_noise_that_cannot_be_met_is_refused():
    segments, y = data(1, 12, 0.3)
    with pytest.raises(ValueError, match="noise_norm 100 is too large: the best polynomial of degree 1, which costs"):
        rs.discrepancy_strength(segments, y, noise_norm=100.0)
    with pytest.raises(ValueError, match="noise_norm must be positive and finite, got -1"):
        rs.discrepancy_strength(segments, y, noise_norm=-1)
    with pytest.raises(TypeError, match="noise_norm must be positive and finite, got 'much'"):
        rs.discrepancy_strength(segments, y, noise_norm="much")
    x = np.array([0.0, 0.0, 1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="too small: targets of one measurement differ, so that every function"):
        rs.discrepancy_strength(rs.Samples(x), [0.0, 1.0, 0.0, 1.0, 0.0], noise_norm=0.5)
