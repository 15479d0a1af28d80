"""The exact solver on the line against column generation, convex programs, closed forms and exact arithmetic."""

from __future__ import annotations

import json
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ridgesplines as rs
from ridgesplines.progress import Progress
from ridgesplines.solvers.line import solver as module
from ridgesplines.solvers.line.sweeps import GAINS, factorize, sweep
from tests.helpers import seeds
from tests.references import line_program, slope_changes, trend_filter

pytestmark = pytest.mark.thinned(4)

REGRESSION = [
    rs.SquaredLoss(),
    rs.HuberLoss(0.5),
    rs.AbsoluteLoss(),
    rs.QuantileLoss(0.3),
    rs.EpsilonInsensitiveLoss(0.2),
]
CLASSIFICATION = [rs.LogisticLoss(), rs.HingeLoss(), rs.SquaredHingeLoss()]
CONSTRAINTS = [rs.Interpolation(), rs.IntervalConstraint(0.3), rs.HardMargin()]
LOSSES = REGRESSION + CLASSIFICATION + CONSTRAINTS
LABELS = (rs.LogisticLoss, rs.HingeLoss, rs.SquaredHingeLoss, rs.HardMargin)


def name(loss: rs.Loss) -> str:
    return type(loss).__name__


def random_problem(loss: rs.Loss, seed: int, count: int | None = None) -> rs.Problem:
    """Data of any spacing; for losses that bear it, several at one point, with weights."""
    rng = np.random.default_rng([seed, 7])
    count = int(rng.integers(3, 25)) if count is None else count
    x = rng.standard_normal(count) if rng.random() < 0.7 else np.cumsum(10.0 ** rng.uniform(-3, 2, count))
    weights = None
    if loss.needs_strength:
        if rng.random() < 0.5:
            x = x[rng.integers(0, count, count)]
            x[:2] = [x.min() - 1, x.max() + 1]
        if rng.random() < 0.5:
            weights = rng.uniform(0.2, 3, count)
    y = np.sin(2 * x) + 0.5 * rng.standard_normal(count)
    if isinstance(loss, LABELS):
        y = np.where(y > np.median(y), 1.0, -1.0)
        # Where affine functions alone drive the loss to zero, the logistic one has no minimum.
        y[np.argmin(x)], y[np.argmax(x)], y[np.argsort(x)[count // 2]] = 1.0, 1.0, -1.0
    strength = float(10.0 ** rng.uniform(-2, 1)) if loss.needs_strength else None
    return rs.Problem(rs.Samples(x), y, loss, strength=strength, sample_weights=weights)


def cases(shared: Path) -> list[dict]:
    return json.loads((shared / "reference" / "line_order2.json").read_text())


def test_the_reference_interpolants(shared):
    for case in cases(shared):
        x, y = np.array(case["x"]), np.array(case["y"])
        problem = rs.Problem(rs.Samples(x), y, rs.Interpolation())
        solution = rs.solve(problem)
        assert solution.objective == pytest.approx(case["interpolation_objective"], rel=1e-10)
        assert solution.certificate.kind == "exact"
        assert solution.certificate.relative_gap <= 1e-8
        np.testing.assert_allclose(solution.spline(x), y, atol=1e-10)
        sparsest = rs.sparsest(problem, solution)
        assert sparsest.width == case["sparsest_knots"]
        np.testing.assert_allclose(sparsest(x), y, atol=1e-10)
        assert sparsest.radon_tv() == pytest.approx(solution.objective, rel=1e-10)


def test_the_reference_smoothing_splines(shared):
    for case in cases(shared):
        x, y = np.array(case["x"]), np.array(case["y"])
        solution = rs.solve(rs.Problem(rs.Samples(x), y, strength=case["strength"]))
        assert solution.objective == pytest.approx(case["smoothing_objective"], rel=1e-8)
        assert solution.certificate.relative_gap <= 1e-8
        # The objective is strongly convex in the values: the reference's 1e-16 would make 1e-8 of them.
        np.testing.assert_allclose(solution.spline(x), case["smoothing_values"], atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=name)
def test_column_generation_agrees(loss):
    for seed in range(50):
        problem = random_problem(loss, seed)
        mine = rs.LineSpline().solve(problem)
        other = rs.ColumnGeneration(gap=1e-9).solve(problem)
        scale = max(other.objective, 1e-12)
        assert abs(mine.objective - other.objective) <= 1e-7 * scale, seed
        assert mine.certificate.relative_gap <= 1e-6, seed
        # A bound of one is below the objective of the other, but for what constraints may be missed by.
        allowed = (1e-12 if loss.needs_strength else 1e-8) * scale + problem.resolution
        assert mine.certificate.bound <= other.objective + allowed
        assert other.certificate.bound <= mine.objective + allowed
        if isinstance(loss, rs.SquaredLoss | rs.LogisticLoss):
            # Strictly convex: the values are unique. ½ s c ‖Δt‖² is at most the gap of the other, where c is the least
            # curvature between the two.
            one, two = mine.spline(problem.measurements.points), other.spline(problem.measurements.points)
            least = min(problem.loss.curvature(problem.targets, t).min() for t in (one, two))
            allowed = np.sqrt(4e-9 * scale / (problem.weights.min() * least)) + 1e-9
            np.testing.assert_allclose(one, two, atol=allowed)


@pytest.mark.parametrize("loss", [*REGRESSION, *CLASSIFICATION, rs.IntervalConstraint(0.3)], ids=name)
def test_convex_programs_agree(loss):
    for seed in (100, 101):
        problem = random_problem(loss, seed, 12)
        assert rs.solve(problem).objective == pytest.approx(line_program(problem), rel=1e-6, abs=1e-9)


def test_l1_trend_filtering_and_connecting_the_dots_agree():
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal(40), rng.standard_normal(40)
    assert rs.solve(rs.Problem(rs.Samples(x), y, strength=0.7)).objective == pytest.approx(
        trend_filter(x, y, 0.7), rel=1e-7
    )
    assert rs.solve(rs.Problem(rs.Samples(x), y, rs.Interpolation())).objective == pytest.approx(
        slope_changes(x, y), rel=1e-12
    )


@given(seeds, st.integers(3, 60), st.floats(0, 9))
def test_the_bound_of_an_interpolant_is_below_the_optimum_in_exact_arithmetic(seed, count, digits):
    rng = np.random.default_rng(seed)
    x = np.unique(np.cumsum(10.0 ** rng.uniform(-digits, 0, count)))
    y = rng.standard_normal(len(x))
    solution = rs.solve(rs.Problem(rs.Samples(x), y, rs.Interpolation()))
    points = [(Fraction(a), Fraction(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    slopes = [(d - b) / (c - a) for (a, b), (c, d) in pairwise(points)]
    exact = float(sum((abs(r - s) for s, r in pairwise(slopes)), start=Fraction(0)))
    assert solution.certificate.bound <= exact * (1 + 1e-15)
    # Dual variables of 1 / spacing carry as much more rounding.
    assert solution.certificate.bound >= exact * (1 - 1e-13 * 10**digits * count) - 1e-12
    assert solution.objective == pytest.approx(exact, rel=1e-9, abs=1e-12)


@given(seeds, st.sampled_from([1e-3, 0.1, 10.0]))
def test_spacings_from_a_millionth_to_a_thousand_are_no_trouble(seed, strength):
    rng = np.random.default_rng(seed)
    x = np.cumsum(10.0 ** rng.uniform(-6, 3, 60))
    y = rng.standard_normal(60)
    certificate = rs.solve(rs.Problem(rs.Samples(x), y, strength=strength)).certificate
    assert certificate.kind == "exact"
    assert certificate.relative_gap <= 1e-8


def test_close_pairs_far_apart_that_are_all_but_interpolated_are_solved_to_what_a_dual_vector_of_doubles_can_prove():
    """The optimum's own dual vector, rounded, proves no smaller gap.

    Its entries are of the size of λ over the least spacing, and the profile sums them over the length of the line: one
    rounding of each costs 1e-16 times that ratio.
    """
    for seed in range(4):
        rng = np.random.default_rng(seed)
        x = np.unique(np.cumsum(10.0 ** rng.uniform(-6, 3, 40)))
        problem = rs.Problem(rs.Samples(x), rng.standard_normal(len(x)), strength=1e-6)
        solution = rs.solve(problem)
        objective, dual = exact_solution(problem, solution.spline)
        assert solution.objective == pytest.approx(objective, rel=1e-12)
        assert solution.certificate.bound <= objective
        rounded = rs.certify(problem, solution.spline, dual)
        assert solution.certificate.relative_gap <= 10 * rounded.relative_gap
        assert 1e-9 < rounded.relative_gap < 1e-6


def exact_solution(problem: rs.Problem, spline: rs.RidgeSpline) -> tuple[float, np.ndarray]:
    """Objective and dual of the optimum in decimal arithmetic, from knots and signs of `spline`, which are checked."""
    x, y = (
        [Decimal(value) for value in column.tolist()] for column in (problem.measurements.points[:, 0], problem.targets)
    )
    strength = Decimal(problem.dual_limit)
    knots = [Decimal(b) for b in np.asarray(spline.biases).tolist()]
    signs = np.sign(spline.coefficients).astype(int).tolist()
    with localcontext() as context:
        context.prec = 60
        rows = [[Decimal(1), a, *(max(a - b, Decimal(0)) for b in knots)] for a in x]
        size = len(knots) + 2
        # The normal equations, with the price of the knots on the right.
        system = [
            [
                *(sum(row[i] * row[j] for row in rows) for j in range(size)),
                sum(row[i] * t for row, t in zip(rows, y, strict=True)),
            ]
            for i in range(size)
        ]
        for i, sign in enumerate(signs):
            system[i + 2][-1] -= strength * sign
        for i in range(size):
            for row in system[i + 1 :]:
                factor = row[i] / system[i][i]
                row[i:] = [a - factor * b for a, b in zip(row[i:], system[i][i:], strict=True)]
        solution = [Decimal(0)] * size
        for i in reversed(range(size)):
            known = sum((system[i][j] * solution[j] for j in range(i + 1, size)), start=Decimal(0))
            solution[i] = (system[i][-1] - known) / system[i][i]
        dual = [t - sum(a * b for a, b in zip(row, solution, strict=True)) for row, t in zip(rows, y, strict=True)]
        assert all(v * sign > 0 for v, sign in zip(solution[2:], signs, strict=True))
        profile = [abs(sum(z * max(a - b, Decimal(0)) for z, a in zip(dual, x, strict=True))) for b in x]
        assert max(profile) <= strength * (1 + Decimal(10) ** -30)
        objective = sum(z * z for z in dual) / 2 + strength * sum(abs(v) for v in solution[2:])
    return float(objective), np.array([float(z) for z in dual])


@given(seeds)
def test_newton_systems_agree_with_dense_algebra(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 15))
    spacing, curvature, price = (10.0 ** rng.uniform(-1, 1, size) for size in (count - 1, count, count))
    pull, bend = rng.standard_normal(count), rng.standard_normal(count)
    differences = np.diff(np.diff(np.eye(count), axis=0) / spacing[:, None], axis=0)
    inner = slice(1, -1)
    hessian = np.diag(curvature) + differences.T @ (price[inner, None] * differences)
    expected = np.linalg.solve(hessian, pull + differences.T @ bend[inner])
    gains, values, kinks = np.zeros((count, GAINS)), np.zeros(count), np.zeros(count)
    factorize(spacing, curvature, price, gains)
    slope = sweep(spacing, gains, pull, bend, values, kinks, np.zeros((count, 2)))
    # The dense solution loses the condition of its Hessian.
    allowed = 1e-15 * np.linalg.cond(hessian) * np.abs(expected).max() + 1e-12
    np.testing.assert_allclose(values, expected, atol=allowed)
    np.testing.assert_allclose(kinks[inner], differences @ values, atol=1e-9 * max(1, np.abs(kinks).max()))
    assert slope == pytest.approx((values[1] - values[0]) / spacing[0], rel=1e-6, abs=1e-9)


def test_systems_without_kinks_are_regressions():
    rng = np.random.default_rng(0)
    x, y, weights = np.sort(rng.standard_normal(30)), rng.standard_normal(30), rng.uniform(0.1, 2, 30)
    gains, values, kinks = np.zeros((30, GAINS)), np.zeros(30), np.zeros(30)
    factorize(np.diff(x), weights, np.full(30, np.inf), gains)
    slope = sweep(np.diff(x), gains, weights * y, np.zeros(30), values, kinks, np.zeros((30, 2)))
    expected = np.polyfit(x, y, 1, w=np.sqrt(weights))
    assert slope == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(values, np.polyval(expected, x), atol=1e-13)
    assert not kinks.any()


def many(count: int) -> rs.Problem:
    rng = np.random.default_rng(count)
    x = rng.uniform(-1, 1, count)
    y = np.exp(-2 * x**2) + 0.5 * np.sin(3 * x) + 0.1 * rng.standard_normal(count)
    return rs.Problem(rs.Samples(x), y, strength=0.006 * np.sqrt(count))


def test_condensed_data_have_the_same_optimum(monkeypatch):
    problem = many(8000)
    condensed = rs.solve(problem)
    monkeypatch.setattr(module, "_MANY", 10**9)
    whole = rs.solve(problem)
    assert len(whole.trace) > len(condensed.trace)
    assert condensed.objective == pytest.approx(whole.objective, rel=1e-11)
    assert condensed.certificate.relative_gap <= 1e-9
    assert whole.certificate.relative_gap <= 1e-9
    np.testing.assert_allclose(condensed.spline.biases, whole.spline.biases, atol=1e-12)
    np.testing.assert_allclose(condensed.spline.coefficients, whole.spline.coefficients, rtol=1e-6)


def test_many_data_with_many_knots_are_solved_without_condensing(monkeypatch):
    monkeypatch.setattr(module, "_MANY", 100)
    problem = many(2000).with_strength(1e-6)
    solution = rs.solve(problem)
    assert solution.spline.width > 200
    assert solution.certificate.relative_gap <= 1e-6


@pytest.mark.parametrize("loss", [rs.AbsoluteLoss(), rs.IntervalConstraint(0.2), rs.SquaredHingeLoss()], ids=name)
def test_where_solutions_abound_one_with_few_knots_is_found(loss):
    rng = np.random.default_rng(5)
    x = np.sort(rng.uniform(-1, 1, 150))
    y = np.sin(4 * x) + 0.05 * rng.standard_normal(150)
    if isinstance(loss, rs.SquaredHingeLoss):
        y = np.sign(y)
    problem = rs.Problem(rs.Samples(x), y, loss, strength=2.0 if loss.needs_strength else None)
    solution = rs.solve(problem)
    assert solution.certificate.relative_gap <= 1e-8
    assert solution.spline.width <= 12


@given(seeds)
def test_data_at_one_point_count_as_their_weights(seed):
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.standard_normal(12)), rng.standard_normal(12)
    repeats = rng.integers(1, 4, 12)
    for loss in (rs.SquaredLoss(), rs.AbsoluteLoss(), rs.HuberLoss(0.3)):
        weighted = rs.Problem(rs.Samples(x), y, loss, strength=0.2, sample_weights=repeats)
        repeated = rs.Problem(rs.Samples(np.repeat(x, repeats)), np.repeat(y, repeats), loss, strength=0.2)
        assert rs.solve(weighted).objective == pytest.approx(rs.solve(repeated).objective, rel=1e-9)


@given(seeds, st.sampled_from([1e-5, 1e-2, 1e3]), st.sampled_from([1e-3, 1e4]))
def test_units_do_not_matter(seed, length, height):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal(20), rng.standard_normal(20)
    one = rs.solve(rs.Problem(rs.Samples(x), y, strength=0.1))
    # ½ Σ (c t − c y)² + λ' c / s RTV = c² (½ Σ (t − y)² + λ RTV) with λ' = λ c s.
    other = rs.solve(rs.Problem(rs.Samples(length * x), height * y, strength=0.1 * height * length))
    assert other.objective == pytest.approx(height**2 * one.objective, rel=1e-8)
    np.testing.assert_allclose(other.spline(length * x), height * one.spline(x), atol=1e-6 * height)


@pytest.mark.parametrize("loss", LOSSES, ids=name)
def test_the_order_of_the_data_does_not_matter(loss):
    problem = random_problem(loss, 3, 15)
    order = np.random.default_rng(0).permutation(15)
    weights = None if problem.sample_weights is None else problem.sample_weights[order]
    shuffled = rs.Problem(
        rs.Samples(problem.measurements.points[order]), problem.targets[order], loss,
        strength=problem.strength, sample_weights=weights,
    )  # fmt: skip
    one, other = rs.solve(problem), rs.solve(shuffled)
    assert one.objective == pytest.approx(other.objective, rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(one.dual[order], other.dual, atol=1e-5 * max(1.0, np.abs(one.dual).max()))


@pytest.mark.parametrize("loss", [*REGRESSION, rs.Interpolation(), rs.IntervalConstraint(0.1)], ids=name)
def test_what_an_affine_function_fits_needs_no_knot(loss):
    strength = 0.5 if loss.needs_strength else None
    for x, y in (([0.0, 2.0], [1.0, -3.0]), (np.arange(9.0), 2 - 3 * np.arange(9.0)), ([1.0, 2.0, 3.0], np.ones(3))):
        solution = rs.solve(rs.Problem(rs.Samples(x), y, loss, strength=strength))
        assert solution.spline.width == 0
        assert solution.certificate.relative_gap == 0
        assert solution.status is rs.Status.CONVERGED


def test_one_point_with_many_data_is_their_mean():
    solution = rs.solve(rs.Problem(rs.Samples([1.0, 1.0, 1.0]), [1.0, 2.0, 6.0], strength=1.0))
    assert solution.spline(np.array([1.0])) == pytest.approx(3.0)
    assert solution.certificate.relative_gap <= 1e-8


def test_data_far_from_the_origin_are_interpolated():
    rng = np.random.default_rng(2)
    x, y = 1e8 + np.sort(rng.standard_normal(30)), rng.standard_normal(30)
    solution = rs.solve(rs.Problem(rs.Samples(x), y, rs.Interpolation()))
    assert np.isfinite(solution.objective)
    np.testing.assert_allclose(solution.spline(x), y, atol=1e-8)


def test_steep_interpolants_do_not_drift():
    rng = np.random.default_rng(4)
    x, y = np.sort(rng.uniform(0, 1, 5000)), rng.standard_normal(5000)
    solution = rs.solve(rs.Problem(rs.Samples(x), y, rs.Interpolation()))
    # Slopes of 1e7 and more: without the correction of each for the rounding of those before, 1e-8 would be lost.
    np.testing.assert_allclose(solution.spline(x), y, atol=1e-11)


def test_the_trace_encloses_the_optimum():
    solution = rs.solve(random_problem(rs.HuberLoss(0.5), 1, 30))
    objectives, bounds = ([getattr(row, key) for row in solution.trace] for key in ("objective", "bound"))
    assert all(a >= b for a, b in pairwise(objectives[:-1]))
    assert all(a <= b for a, b in pairwise(bounds[:-1]))
    assert max(bounds) <= min(objectives) * (1 + 1e-9)
    assert solution.trace[-1].gap == solution.certificate.relative_gap


def test_solve_takes_it_on_the_line_and_column_generation_elsewhere(monkeypatch):
    taken = []
    monkeypatch.setattr(rs.LineSpline, "solve", lambda self, problem, progress=None: taken.append(problem))
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(12), rng.standard_normal(12)
    served = rs.Problem(rs.Samples(x), y, strength=1.0)
    rs.solve(served)
    assert taken == [served]
    for other in (
        rs.Problem(rs.Samples(rng.standard_normal((12, 2))), y, strength=1.0),
        rs.Problem(rs.Samples(x), y, regularizer=rs.RadonTV(3), strength=1.0),
        rs.Problem(rs.Samples(x), np.column_stack([y, y]), strength=1.0),
    ):
        assert not rs.LineSpline.serves(other)
        assert rs.solve(other).objective > 0
    assert taken == [served]


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (lambda x, y: rs.Problem(rs.Samples(np.column_stack([x, x**2])), y, strength=1.0), "2 inputs"),
        (lambda x, y: rs.Problem(rs.Samples(x), y, regularizer=rs.RadonTV(3), strength=1.0), "order=3"),
        (lambda x, y: rs.Problem(rs.Samples(x), np.column_stack([y, y]), strength=1.0), "VectorRadonTV|shape"),
    ],
)
def test_what_it_does_not_serve_is_said(problem, message):
    x = np.arange(6.0)
    with pytest.raises(ValueError, match=message):
        rs.LineSpline().solve(problem(x, np.sin(x)))


@pytest.mark.parametrize("loss", LOSSES, ids=name)
@pytest.mark.parametrize("dimension", [2, 5])
def test_points_on_a_line_of_space_are_on_the_line(loss, dimension):
    on_line = random_problem(loss, 4, 20)
    rng = np.random.default_rng(dimension)
    direction, origin = rng.standard_normal(dimension), 3 * rng.standard_normal(dimension)
    length = float(np.linalg.norm(direction))
    strength = None if on_line.strength is None else on_line.strength * length
    points = origin + on_line.measurements.points * direction
    problem = rs.Problem(
        rs.Samples(points), on_line.targets, loss, strength=strength, sample_weights=on_line.sample_weights
    )
    assert rs.LineSpline.serves(problem)
    solution = rs.solve(problem)
    assert solution.certificate.kind == "exact"
    assert solution.certificate.relative_gap <= 1e-6
    # λ RTV² is the same: distances are multiplied by the length, slopes divided by it. A constraint has no λ.
    expected = rs.solve(on_line).objective / (length if strength is None else 1.0)
    assert solution.objective == pytest.approx(expected, rel=1e-8, abs=1e-12)
    other = rs.ColumnGeneration(gap=1e-8).solve(problem)
    assert solution.objective == pytest.approx(other.objective, rel=1e-7, abs=1e-12)
    assert solution.certificate.bound <= other.objective * (1 + 1e-8)
    assert isinstance(solution.spline, rs.RidgeSpline)
    np.testing.assert_allclose(solution.spline.canonical().weights, solution.spline.weights, rtol=1e-14)


def test_points_near_a_line_or_all_at_one_are_not_on_it():
    rng = np.random.default_rng(0)
    x = np.outer(rng.standard_normal(12), [1.0, 2.0, 3.0])
    x[3, 1] += 1e-7
    y = rng.standard_normal(12)
    for points in (x, np.ones((12, 3))):
        problem = rs.Problem(rs.Samples(points), y, strength=0.1)
        assert not rs.LineSpline.serves(problem)
        assert rs.solve(problem).certificate.relative_gap <= 1e-6


@pytest.mark.parametrize("options", [{"gap": 0.0}, {"gap": 1.0}, {"time_limit": 0}, {"iteration_limit": 0}])
def test_bad_options_are_errors(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        rs.LineSpline(**options)


def test_too_few_data_are_an_error():
    with pytest.raises(ValueError, match="too few"):
        rs.Problem(rs.Samples([1.0]), [2.0], strength=1.0)
    with pytest.raises(ValueError, match="at least one point"):
        rs.Samples([])


@pytest.mark.parametrize("loss", [rs.SquaredLoss(), rs.AbsoluteLoss(), rs.IntervalConstraint(0.3)], ids=name)
def test_limits_and_interrupts_give_the_best_so_far(loss, monkeypatch):
    problem = random_problem(loss, 8, 40)
    stopped = rs.LineSpline(iteration_limit=2).solve(problem)
    assert stopped.status is rs.Status.ITERATION_LIMIT
    timed = rs.LineSpline(time_limit=1e-9).solve(problem)
    assert timed.status is rs.Status.TIME_LIMIT
    optimum = rs.solve(problem).objective
    assert stopped.certificate.bound <= optimum * (1 + 1e-9)
    calls = []

    def interrupt(self, message):
        calls.append(message)
        if len(calls) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "__call__", interrupt)
    interrupted = rs.LineSpline().solve(problem)
    assert interrupted.status is rs.Status.INTERRUPTED
    assert interrupted.certificate.bound <= optimum * (1 + 1e-9) <= interrupted.objective * (1 + 1e-8)


def test_an_interrupted_choice_of_knots_gives_the_best_so_far(monkeypatch):
    problem = many(6000)
    calls = []

    def interrupt(self, message):
        calls.append(message)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "__call__", interrupt)
    solution = rs.LineSpline().solve(problem)
    assert solution.status is rs.Status.INTERRUPTED
    assert solution.certificate.relative_gap < 0.1
