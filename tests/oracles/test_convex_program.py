"""The finite convex program and column generation find one optimum, for every atomic norm; other forms bound it."""

from __future__ import annotations

import itertools

import cvxpy
import numpy as np
import pytest
from references import convex_program, dictionary_program, trend_filter

from ridgesplines import (
    AtomicNorm,
    ColumnGeneration,
    ConvexProgram,
    HardMargin,
    HingeLoss,
    Interpolation,
    Loss,
    Problem,
    RadonTV,
    Regularizer,
    Samples,
    SquaredLoss,
    Status,
    VectorRadonTV,
    solve,
)
from ridgesplines.oracles import Neurons
from ridgesplines.solvers.convex_program import candidate_neurons

pytestmark = pytest.mark.thinned(4)

GAP = 1e-6  # the default of both solvers
COUNT = 9
BOUND = 2.5  # beyond all data: |x| ≤ √2 in each dual norm, or 2
MEMBERS = [
    (norm, bias, slope, skip)
    for norm, bias, slope, skip in itertools.product(
        (1, 2, np.inf), ("none", "free", "joint", BOUND), (0.0, 0.3), ("none", "constant", "affine")
    )
    if (bias, skip) != ("free", "none")
]
every_member = pytest.mark.parametrize("member", MEMBERS, ids=lambda m: "-".join(str(part) for part in m))
both_dimensions = pytest.mark.parametrize("dimension", [1, 2])
LOSSES = (SquaredLoss(), Interpolation(), HingeLoss())


def make(
    regularizer: Regularizer, loss: Loss, dimension: int, seed: int = 0, strength: float = 0.05, count: int = COUNT
) -> Problem:
    rng = np.random.default_rng([seed, dimension])
    x = rng.uniform(-1, 1, (count, dimension))
    y = np.sin(3 * x.sum(axis=1)) + 0.3 * rng.standard_normal(count)
    if isinstance(loss, HingeLoss | HardMargin):
        y = np.where(y > np.median(y), 1.0, -1.0)
    return Problem(Samples(x), y, loss, regularizer, strength if loss.needs_strength else None)


def assert_same_optimum(problem: Problem, gap: float = GAP) -> float:
    """Both are certified and agree within the gap; returns by how much they differ, relative."""
    program, columns = ConvexProgram().solve(problem), ColumnGeneration().solve(problem)
    if columns.objective <= problem.resolution:
        # Labels that a free polynomial tells apart: of zero an interior point is left with its tolerance.
        assert program.objective <= 1e-9
        return 0.0
    for solution, other in ((program, columns), (columns, program)):
        assert solution.status is Status.CONVERGED
        assert solution.certificate.kind == "exact"
        assert 0 <= solution.certificate.relative_gap <= gap * (1 + 1e-6)
        # No attained objective is below a proven bound, whoever proved it, but for what missing data by the tolerance
        # of a constraint is worth.
        missed = 0.0 if problem.loss.needs_strength else other.certificate.misfit
        missed = min(missed, 1e-8 * (1 + float(np.ptp(problem.targets))))
        assert solution.certificate.bound <= other.objective + float(np.abs(solution.dual).sum()) * missed
        assert solution.spline.width <= problem.representer_bound
    assert program.objective == pytest.approx(columns.objective, rel=gap)
    return abs(program.objective / columns.objective - 1)


def losses(bias: str | float, dimension: int) -> tuple[Loss, ...]:
    """On the line, neurons without biases are linear on either side of zero, and do not interpolate."""
    return tuple(loss for loss in LOSSES if loss.needs_strength or (bias, dimension) != ("none", 1))


@both_dimensions
@every_member
def test_the_arrangement_program_and_column_generation_agree(member, dimension):
    for loss in losses(member[1], dimension):
        assert_same_optimum(make(AtomicNorm(*member), loss, dimension))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 6))
@both_dimensions
@every_member
def test_they_agree_on_other_data(member, dimension, seed, record_property):
    for loss in losses(member[1], dimension):
        problem = make(AtomicNorm(*member), loss, dimension, seed, strength=0.3 * 4.0**-seed, count=8 + seed % 5)
        # For `--junitxml`: the largest of these is the number in papers/kumar_haupt_2020.md.
        record_property(repr(loss), assert_same_optimum(problem))


@pytest.mark.parametrize("bound", [0.05, 0.4, 0.8])
@pytest.mark.parametrize("slope", [0.0, 0.3])
@pytest.mark.parametrize("skip", ["none", "constant", "affine"])
def test_bounds_of_the_biases_within_the_data_are_exact_on_the_line(skip, slope, bound):
    for norm in (1, 2, np.inf):
        assert_same_optimum(make(AtomicNorm(norm, bound, slope, skip), SquaredLoss(), 1))


@pytest.mark.parametrize(("norm", "bound"), [(1, 0.2), (np.inf, 0.5)])
def test_bounds_of_the_biases_within_the_data_beat_every_dictionary_for_polyhedral_norms(norm, bound):
    problem = make(AtomicNorm(norm, bound, 0.3, "none"), SquaredLoss(), 2)
    rng = np.random.default_rng(6)
    neurons = Neurons(rng.standard_normal((2000, 2)), rng.standard_normal(2000))
    unit, _ = problem.regularizer.normalize(problem.regularizer.admit(neurons), np.ones(2000))
    unit += candidate_neurons(problem)
    nothing = np.zeros((COUNT, 1))
    dictionary = dictionary_program(problem.measure_neurons(unit), nothing, problem.targets, 0.05)
    program = ConvexProgram().solve(problem)
    assert dictionary * (1 - 0.05) <= program.objective <= dictionary * (1 + 1e-7)
    # Clarabel's dual vector says the same at 2000 neurons as the search for the supremum.
    assert np.abs(program.dual @ problem.measure_neurons(unit)).max() <= 0.05 * (1 + GAP)


@pytest.mark.long
@pytest.mark.parametrize(("norm", "bound"), [(1, 0.2), (np.inf, 0.5)])
def test_bounds_of_the_biases_within_the_data_are_exact_for_polyhedral_norms(norm, bound):
    problem = make(AtomicNorm(norm, bound, 0.3, "constant"), SquaredLoss(), 2, count=6)
    program, columns = ConvexProgram().solve(problem), solve(problem)
    # The suprema there are searched for: what is found is a network, at most the gap asked for above the optimum.
    assert program.certificate.relative_gap <= GAP
    assert program.objective == pytest.approx(columns.objective, rel=10 * GAP)
    neurons, _, cost = problem.regularizer.represent(program.spline)
    assert cost == program.certificate.regularization < np.inf
    assert np.all(np.abs(neurons.biases) <= bound * problem.regularizer.gauge(neurons) * (1 + 1e-9))


def test_a_bound_within_the_data_is_refused_where_it_is_not_convex():
    problem = make(AtomicNorm(bias=0.5), SquaredLoss(), 2)
    farthest = np.linalg.norm(problem.measurements.points, axis=1).max()
    with pytest.raises(ValueError, match=f"not convex .* use a bound of at least {farthest:.6g}, ColumnGeneration"):
        ConvexProgram().solve(problem)
    enough = make(AtomicNorm(bias=float(farthest)), SquaredLoss(), 2)
    assert_same_optimum(enough)


@both_dimensions
@every_member
def test_they_agree_on_nonnegative_coefficients(member, dimension):
    problem = make(AtomicNorm(*member, nonnegative=True), SquaredLoss(), dimension)
    assert_same_optimum(problem)
    program = ConvexProgram().solve(problem)
    assert (problem.regularizer.represent(program.spline).coefficients >= 0).all()


# Against programs that use nothing of the package


@pytest.mark.parametrize("strength", [None, 0.05])
@pytest.mark.parametrize("regularizer", [RadonTV(), AtomicNorm()], ids=repr)
def test_radon_tv_in_the_plane_agrees_with_an_independent_program(regularizer, strength):
    problem = make(regularizer, Interpolation() if strength is None else SquaredLoss(), 2)
    expected = convex_program(problem.measurements.points, problem.targets, strength)
    solution = ConvexProgram().solve(problem)
    assert solution.objective == pytest.approx(expected, rel=1e-7)
    assert solution.details["solver"] == "CLARABEL"
    # C(9, 2) ways to part nine points by a line.
    assert solution.details["groups"] == 36


@pytest.mark.parametrize("form", ["arrangement", "dictionary", "knots"])
@pytest.mark.parametrize("strength", [0.01, 0.3])
def test_on_the_line_all_forms_are_trend_filtering(strength, form):
    problem = make(RadonTV(), SquaredLoss(), 1, strength=strength, count=15)
    expected = trend_filter(problem.measurements.points[:, 0], problem.targets, strength)
    solution = ConvexProgram(form).solve(problem)
    assert solution.status is Status.CONVERGED
    assert solution.objective == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("bias", ["free", "joint"])
def test_a_dictionary_is_the_best_of_its_neurons(bias):
    problem = make(AtomicNorm(1, bias, 0.3, "affine"), SquaredLoss(), 2)
    rng = np.random.default_rng(5)
    neurons = Neurons(rng.standard_normal((40, 2)), rng.standard_normal(40))
    unit, _ = problem.regularizer.normalize(neurons, np.ones(40))
    free = np.column_stack([problem.measurements.points, np.ones(COUNT)])
    expected = dictionary_program(problem.measure_neurons(unit), free, problem.targets, 0.05)
    solution = ConvexProgram("dictionary", neurons).solve(problem)
    assert solution.objective == pytest.approx(expected, rel=1e-7)
    # A few random neurons are not enough, and the certificate says so.
    assert solution.status is Status.STALLED
    best = ConvexProgram().solve(problem).objective
    assert solution.certificate.bound <= best <= solution.objective * (1 - 1e-3)


def test_the_grid_through_the_data_nearly_holds_the_optimum():
    for regularizer in (RadonTV(), AtomicNorm(2, "none", 0.3, "constant"), AtomicNorm(1, "joint", 0.3, "none")):
        problem = make(regularizer, SquaredLoss(), 2, count=12)
        assert regularizer.admits(candidate_neurons(problem))
        grid = ConvexProgram("dictionary").solve(problem)
        assert grid.certificate.bound <= solve(problem).objective <= grid.objective * (1 + GAP)
        # 32 directions: the nearest is within 3 degrees.
        assert grid.certificate.relative_gap <= 0.05


def test_dictionaries_serve_several_outputs():
    one = make(RadonTV(), SquaredLoss(), 1)
    y = np.column_stack([one.targets, one.targets**2])
    problem = Problem(one.measurements, y, SquaredLoss(), VectorRadonTV(), 0.05)
    solution = ConvexProgram("knots").solve(problem)
    assert solution.certificate.relative_gap <= GAP
    assert solution.objective == pytest.approx(solve(problem).objective, rel=GAP)


# Strengths, samples, solvers


@pytest.mark.parametrize("form", ["arrangement", "dictionary"])
def test_one_compiled_program_serves_all_strengths(form):
    problem = make(AtomicNorm(1, "joint", 0.0, "constant"), SquaredLoss(), 2)
    strengths = [1.0, 0.01, 0.1]
    together = ConvexProgram(form).solve_path(problem, strengths)
    for strength, solution in zip(strengths, together, strict=True):
        alone = ConvexProgram(form).solve(problem.with_strength(strength))
        assert solution.objective == pytest.approx(alone.objective, rel=1e-8)
        assert solution.certificate.bound <= alone.objective
    assert ConvexProgram(form).solve_path(problem, []) == ()


def test_sampled_patterns_are_an_upper_bound():
    problem = make(AtomicNorm(bias="joint", skip="none"), SquaredLoss(), 2)
    exact = ConvexProgram().solve(problem)
    few = ConvexProgram(patterns=5).solve(problem)
    assert few.status is Status.STALLED
    assert few.certificate.bound <= exact.objective < few.objective * (1 - GAP)
    assert few.objective == ConvexProgram(patterns=5).solve(problem).objective
    assert ConvexProgram(patterns=20_000).solve(problem).objective == pytest.approx(exact.objective, rel=GAP)


def test_other_solvers_do_as_well():
    # A linear program.
    problem = make(AtomicNorm(1), Interpolation(), 2)
    assert "HIGHS" in cvxpy.installed_solvers()
    solution = ConvexProgram(solver="HIGHS", options={"highs_options": {"presolve": "on"}}).solve(problem)
    assert solution.objective == pytest.approx(ConvexProgram().solve(problem).objective, rel=GAP)
    assert solution.certificate.relative_gap <= GAP
    assert solution.details["solver"] == "HIGHS"


def test_weighted_data_and_margins():
    problem = make(AtomicNorm(bias="joint"), HardMargin(), 2)
    assert_same_optimum(problem)
    weights = np.linspace(0.5, 2, COUNT)
    plain = make(RadonTV(), SquaredLoss(), 2)
    assert_same_optimum(Problem(plain.measurements, plain.targets, strength=0.05, sample_weights=weights))


@pytest.mark.parametrize("loss", [SquaredLoss(), Interpolation()], ids=repr)
@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_units_and_offsets_do_not_matter(offset, scale, loss):
    plain = make(RadonTV(), loss, 2)
    x = scale * (plain.measurements.points + offset)
    problem = Problem(Samples(x), scale * plain.targets, loss, strength=plain.strength and plain.strength * scale**2)
    assert_same_optimum(problem)


def crossed(rng):
    return np.array(list(itertools.product(range(4), range(3)))) * 0.1


def doubled(rng):
    x = rng.uniform(-1, 1, (6, 2))
    return np.concatenate([x, x])


def on_a_line(rng):
    return np.outer(np.arange(11), [0.1, 0.3])


@pytest.mark.parametrize("regularizer", [RadonTV(), AtomicNorm(1, "joint", 0.3, "none")], ids=repr)
@pytest.mark.parametrize("points", [crossed, doubled, on_a_line], ids=lambda f: f.__name__)
def test_data_in_special_position(points, regularizer):
    rng = np.random.default_rng(7)
    x = points(rng)
    assert_same_optimum(Problem(Samples(x), rng.standard_normal(len(x)), SquaredLoss(), regularizer, 0.05))


@both_dimensions
def test_targets_that_cost_nothing_need_no_neuron(dimension):
    x = np.random.default_rng(8).standard_normal((8, dimension))
    for loss in (SquaredLoss(), Interpolation()):
        problem = Problem(Samples(x), 2 * x[:, 0] + 1, loss, strength=0.1 if loss.needs_strength else None)
        solution = ConvexProgram().solve(problem)
        assert solution.status is Status.CONVERGED
        # Clarabel is accurate to 1e-10 or so, and the targets are of order one.
        assert solution.objective <= 1e-8


# Refusals


def test_too_many_patterns_are_refused_with_their_number():
    x = np.random.default_rng(9).standard_normal((60, 2))
    problem = Problem(Samples(x), x[:, 0], strength=1.0)
    # 2 (1 + 59 + C(59, 2)).
    with pytest.raises(ValueError, match=r"have 3542 activation patterns, more than the 1000 .* ColumnGeneration"):
        ConvexProgram(most=1000).solve(problem)
    with pytest.raises(ValueError, match="have as many as 3542 activation patterns"):
        ConvexProgram(most=100).solve(problem)
    with pytest.raises(ValueError, match="neurons are more than the 100"):
        ConvexProgram("dictionary", most=100).solve(problem)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"form": "cells"}, 'form must be "arrangement", "dictionary" or "knots"'),
        ({"neurons": Neurons.none(2)}, 'neurons are for form="dictionary"'),
        ({"patterns": 0}, "patterns must be at least 1"),
        ({"form": "knots", "patterns": 3}, 'for form="arrangement"'),
        ({"gap": 0.0}, "gap must be between 0 and 1"),
        ({"solver": "ABACUS"}, "solver must be one that cvxpy has installed .*CLARABEL"),
    ],
)
def test_senseless_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ConvexProgram(**options)


def test_problems_that_a_form_does_not_serve_are_refused():
    plane, line = make(RadonTV(), SquaredLoss(), 2), make(RadonTV(3), SquaredLoss(), 1)
    with pytest.raises(ValueError, match='form="knots" is for data on the line'):
        ConvexProgram("knots").solve(plane)
    with pytest.raises(ValueError, match="serves order 2 and one output, got order 3"):
        ConvexProgram().solve(line)
    with pytest.raises(ValueError, match="neurons must have dimension 2, got 1"):
        ConvexProgram("dictionary", Neurons.none(1)).solve(plane)
    bounded = make(AtomicNorm(bias=1.0), SquaredLoss(), 2)
    with pytest.raises(ValueError, match="neurons must have biases that"):
        ConvexProgram("dictionary", Neurons(np.eye(2), np.full(2, 3.0))).solve(bounded)
    with pytest.raises(ValueError, match="strength has no meaning"):
        ConvexProgram().solve_path(make(RadonTV(), Interpolation(), 2), [1.0])
    with pytest.raises(ValueError, match="no network of this form meets"):
        ConvexProgram("dictionary", Neurons.none(2)).solve(make(RadonTV(), Interpolation(), 2))


def test_a_gauge_of_ones_own_serves_at_once():
    class Quarter(Regularizer):
        """‖w‖₂ / 4, with everything else as it comes."""

        def gauge(self, neurons):
            return 0.25 * (neurons.weights**2).sum(axis=1) ** 0.5

        def cvxpy_gauge(self, weight, bias):
            return 0.25 * cvxpy.norm2(weight)

    class Bound(Quarter):
        """Biases within ±1, without saying how."""

        def admit(self, neurons):
            return Neurons(neurons.weights, np.clip(neurons.biases, -1, 1))

    mine, plain = make(Quarter(), SquaredLoss(), 2, strength=0.2), make(RadonTV(), SquaredLoss(), 2)
    assert ConvexProgram().solve(mine).objective == pytest.approx(ConvexProgram().solve(plain).objective, rel=GAP)
    with pytest.raises(NotImplementedError, match="define bias_corners"):
        ConvexProgram().solve(make(Bound(), SquaredLoss(), 2))


def test_a_looser_gap_is_reached_sooner_and_a_solver_that_fails_says_so():
    problem = make(RadonTV(), SquaredLoss(), 2)
    loose = ConvexProgram(options=dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-3)).solve(problem)
    tight = ConvexProgram().solve(problem)
    assert loose.details["solver_iterations"] < tight.details["solver_iterations"]
    assert loose.certificate.bound <= tight.objective * (1 + 1e-12)
    assert tight.objective <= ColumnGeneration(gap=1e-10).solve(problem).objective * (1 + GAP)
    # HiGHS knows no cones.
    with pytest.raises(np.linalg.LinAlgError, match="HIGHS found no solution"):
        ConvexProgram(solver="HIGHS").solve(problem)
