"""Training on problems: against the certified optimum, reproducible to the bit, and honest about what went wrong."""

from __future__ import annotations

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ridgesplines as rs
from ridgesplines.solvers.training import OPTIMIZERS, SCHEDULES, loop, options, run
from ridgesplines.solvers.training.merging import spline_of

pytestmark = pytest.mark.thinned(7)


def waves(count: int, dimension: int, seed: int = 0, labels: bool = False):
    """Uniform points in [−1, 1]^d, and a bump and a wave with noise, or labels."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (count, dimension))
    y = np.exp(-2 * np.sum(x**2, axis=1)) + np.sin(3 * x[:, 0]) + 0.1 * rng.standard_normal(count)
    # Every fifth label is wrong: no polynomial of low degree separates them.
    return x, np.where(y > np.median(y), 1.0, -1.0) * np.where(np.arange(count) % 5, 1, -1) if labels else y


def problem_of(dimension=1, order=2, loss=None, strength=0.1, count=30, regularizer=None):
    x, y = waves(count, dimension, labels=loss is not None)
    return rs.Problem(rs.Samples(x), y, loss, regularizer or rs.RadonTV(order), strength)


# One program is compiled for all tests that do not say otherwise.
QUICK = dict(width=20, steps=40, seeds=2, records=20)


def assert_same(first: rs.TrainingResult, second: rs.TrainingResult) -> None:
    """To the bit."""
    for one, other in zip(first.splines, second.splines, strict=True):
        for name, array in one.to_arrays().items():
            np.testing.assert_array_equal(array, other.to_arrays()[name])
    for name in ("losses", "penalties", "path_norms", "active", "distinct", "imbalances", "steps"):
        np.testing.assert_array_equal(getattr(first.trajectory, name), getattr(second.trajectory, name))
    np.testing.assert_array_equal(first.objectives, second.objectives)
    assert first.best.certificate.bound == second.best.certificate.bound


# Against the certified optimum

NEAR = [
    (dict(dimension=1, strength=0.1), 3000),
    pytest.param(dict(dimension=2, strength=0.3), 3000, marks=pytest.mark.long),
    (dict(dimension=1, order=4, strength=1e-4), 3000),
    (dict(dimension=2, loss=rs.LogisticLoss(), strength=0.5), 3000),
    pytest.param(dict(dimension=1, order=4, loss=rs.LogisticLoss(), strength=0.01), 5000, marks=pytest.mark.long),
]


@pytest.mark.parametrize("optimizer", ["adam", "proximal"])
@pytest.mark.parametrize(("case", "steps"), NEAR)
def test_path_norm_training_comes_within_a_hundredth_of_the_optimum_and_never_below_its_bound(case, steps, optimizer):
    problem = problem_of(**case)
    solution = rs.solve(problem)
    width = 4 * max(solution.spline.width, 3)
    result = rs.train(problem, width=width, optimizer=optimizer, steps=steps, dual=solution.dual, seeds=4)
    assert result.best.certificate.proven
    assert (result.objectives >= result.best.certificate.bound).all()
    assert (result.trajectory.objectives >= result.best.certificate.bound * (1 - 1e-9)).all()
    assert result.best.certificate.relative_gap <= 0.01
    assert result.best.objective == pytest.approx(result.objectives.min(), rel=1e-12)
    # The proximal operator leaves few neurons, and the others are exactly gone.
    if optimizer == "proximal" and problem.regularizer.order == 2:
        assert result.best.spline.width <= max(2 * solution.spline.width, 6)


@pytest.mark.long
@pytest.mark.parametrize("optimizer", ["adam", "proximal"])
@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("loss", [None, rs.LogisticLoss()])
def test_ten_inputs(order, loss, optimizer):
    problem = problem_of(10, order, loss, strength=1.0, count=100 if order == 2 else 400)
    if order == 4:
        # Cubic polynomials of ten inputs are free, all 286 of them.
        assert problem.free.basis.shape[1] == 286
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-4, time_limit=60))
    width = 4 * max(solution.spline.width, 5)
    result = rs.train(problem, width=width, optimizer=optimizer, dual=solution.dual)
    assert result.best.certificate.kind == "heuristic"
    assert result.best.certificate.relative_gap <= 0.02
    assert (result.objectives >= solution.certificate.bound * (1 - 1e-6)).all()


@pytest.mark.long
def test_path_norm_and_weight_decay_of_order_4_agree_and_plain_weight_decay_is_sparser():
    problem = problem_of(order=4, strength=1e-4)
    solution = rs.solve(problem)
    found = {
        penalty: rs.train(problem, width=20, penalty=penalty, steps=4000, dual=solution.dual)
        for penalty in ("path norm", "weight decay", "plain weight decay")
    }
    path, decay, plain = found.values()
    spread = max(np.ptp(path.objectives), np.ptp(decay.objectives), 0.01 * solution.objective)
    assert abs(path.best.objective - decay.best.objective) <= spread
    # What weight decay is at balanced networks, which is where it ends.
    assert decay.trajectory.imbalances[:, -1].max() < 0.2
    np.testing.assert_allclose(
        decay.trajectory.trained_objectives[:, -1], decay.trajectory.objectives[:, -1], rtol=0.02
    )
    assert plain.widths.mean() < decay.widths.mean()
    assert (plain.objectives >= solution.certificate.bound).all()


@pytest.mark.parametrize("optimizer", ["adam", "proximal"])
def test_the_seminorm_tends_to_that_of_the_connected_dots_as_the_strength_vanishes(optimizer):
    x = np.array([0.0, 1.0, 2.5, 3.0, 4.5, 6.0])
    y = np.array([0.0, 2.0, 1.0, 1.5, -1.0, 0.5])
    slopes = np.diff(y) / np.diff(x)
    least = float(np.abs(np.diff(slopes)).sum())
    missing = []
    for strength in (0.1, 0.01, 0.001):
        problem = rs.Problem(rs.Samples(x), y, strength=strength)
        result = rs.train(problem, width=32, optimizer=optimizer, steps=4000)
        missing.append(abs(result.best.spline.radon_tv() - least))
    # At the optimum it is 68 λ that is missing (7% at λ = 0.01, and 0.7% after that); training for 4,000 steps leaves
    # some 4% where λ makes the seminorm count so little.
    assert missing[0] > missing[1] > missing[2]
    assert missing[2] <= 0.06 * least
    assert float(np.abs(result.best.spline(x[:, None]) - y).max()) <= 0.02


# Every option


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, "optax"])
def test_every_optimizer_lowers_the_objective_and_gives_the_same_numbers_again(optimizer):
    problem = problem_of()
    method = optax.adam(0.01) if optimizer == "optax" else optimizer
    first, second = (rs.train(problem, optimizer=method, **QUICK) for _ in range(2))
    assert (first.trajectory.trained_objectives[:, -1] < first.trajectory.trained_objectives[:, 0]).all()
    assert_same(first, second)
    other = rs.train(problem, optimizer=method, seed=1, **QUICK)
    assert not np.array_equal(other.objectives, first.objectives)
    assert first.best.details["seed"] == int(np.argmin(first.objectives))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_trains(schedule):
    result = rs.train(problem_of(), schedule=schedule, **QUICK)
    assert (result.trajectory.losses[:, -1] < result.trajectory.losses[:, 0]).all()


def test_a_schedule_of_optax_is_the_one_of_that_name():
    same = rs.train(problem_of(), schedule=optax.cosine_decay_schedule(1.0, 40), **QUICK)
    cosine = rs.train(problem_of(), schedule="cosine", **QUICK)
    np.testing.assert_allclose(same.objectives, cosine.objectives, rtol=1e-6)


def test_mini_batches_of_everything_are_full_batches_and_smaller_ones_train():
    problem = problem_of()
    full = rs.train(problem, polynomial="trained", **QUICK)
    everything = rs.train(problem, batch=30, **QUICK)
    # Only the order of the sum over data differs; forty steps of Adam hardly amplify that.
    np.testing.assert_allclose(everything.objectives, full.objectives, rtol=1e-6)
    small = [rs.train(problem, batch=7, **QUICK) for _ in range(2)]
    assert_same(*small)
    assert (small[0].trajectory.losses[:, -1] < small[0].trajectory.losses[:, 0]).all()


def test_single_precision_is_near_double_precision_and_is_certified_in_double():
    problem = problem_of()
    double, single = (rs.train(problem, precision=precision, **QUICK) for precision in (64, 32))
    # Forty steps amplify roundings of 6e-8 by less than a thousand.
    np.testing.assert_allclose(single.objectives, double.objectives, rtol=1e-4)
    assert not np.array_equal(single.objectives, double.objectives)
    assert single.best.objective == problem.objective(single.best.spline)


def test_defaults_work_in_any_units():
    x, y = waves(30, 2)
    plain = rs.Problem(rs.Samples(x), y, strength=0.1)
    # Inputs in other units, far from zero; λ such that the problem is the same one.
    moved = rs.Problem(rs.Samples(1000 * x + 5000), 200 * y - 7000, strength=0.1 * 200 * 1000)
    first, second = (rs.train(problem, **QUICK) for problem in (plain, moved))
    early, late = (200**2 * first.trajectory.objectives[:, k] for k in (0, -1))
    np.testing.assert_allclose(second.trajectory.objectives[:, 0], early, rtol=1e-9)
    # Forty steps across kinks amplify rounding.
    np.testing.assert_allclose(second.trajectory.objectives[:, -1], late, rtol=1e-3)


@pytest.mark.parametrize("outputs", [1, 3])
def test_several_outputs_share_their_neurons(outputs):
    x, y = waves(30, 2)
    targets = np.column_stack([y * (k + 1) + k for k in range(outputs)])
    problem = rs.Problem(rs.Samples(x), targets, regularizer=rs.VectorRadonTV(), strength=0.3)
    result = rs.train(problem, optimizer="proximal", width=20, steps=1500, seeds=2)
    assert result.best.certificate.proven == (outputs == 1 or result.best.certificate.kind != "heuristic")
    assert result.best.certificate.relative_gap < 0.2
    assert result.best.objective == pytest.approx(problem.objective(result.best.spline))


@pytest.mark.parametrize("optimizer", ["adam", "proximal"])
@pytest.mark.parametrize(
    "regularizer",
    [
        rs.AtomicNorm(weight_norm=1, slope=0.25),
        pytest.param(rs.AtomicNorm(bias="joint", skip="none"), marks=pytest.mark.long),
        rs.AtomicNorm(bias=0.5, skip="none", nonnegative=True),
    ],
)
def test_other_gauges_serve_and_their_biases_and_signs_are_kept(regularizer, optimizer):
    problem = problem_of(regularizer=regularizer, count=20)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-5))
    # Without a free polynomial a large network at the start is slow to shrink to the data.
    settings = dict(width=20, scale=1.0, steps=3000, seeds=4)
    result = rs.train(problem, optimizer=optimizer, dual=solution.dual, **settings)
    assert np.isfinite(result.objectives).all()
    assert (result.objectives >= solution.certificate.bound * (1 - 1e-9)).all()
    assert result.best.objective <= 1.1 * solution.objective


def test_without_a_penalty_small_steps_fit_the_data():
    problem = problem_of()
    result = rs.train(problem, penalty="none", optimizer="gradient flow", schedule="constant", **QUICK)
    assert (np.diff(result.trajectory.losses, axis=1) <= 0).all()
    np.testing.assert_array_equal(result.trajectory.penalties, 0)


def test_a_plateau_stops_a_seed():
    stopped = rs.train(problem_of(), patience=2, tolerance=0.9, **QUICK)
    assert stopped.best.status is rs.Status.STALLED
    assert (np.diff(stopped.trajectory.losses[:, 3:], axis=1) == 0).all()


# Files, interrupts and failures


def test_resuming_is_as_if_there_had_been_no_interruption(tmp_path, monkeypatch):
    problem = problem_of()
    settings = QUICK | dict(certify_every=10, optimizer="proximal")
    whole = rs.train(problem, **settings)
    advance, calls = run.advance, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return advance(*arguments)

    path = tmp_path / "training"
    with monkeypatch.context() as patch:
        patch.setattr(run, "advance", interrupted)
        half = rs.train(problem, checkpoint=path, **settings)
    assert half.best.status is rs.Status.INTERRUPTED
    assert half.trajectory.steps[-1] == 20
    assert half.best.objective == problem.objective(half.best.spline)
    again = rs.train(problem, checkpoint=path, **settings)
    assert_same(again, whole)
    assert again.best.status is rs.Status.ITERATION_LIMIT
    # Once more: nothing is left to do.
    assert_same(rs.train(problem, checkpoint=path, **settings), whole)
    with pytest.raises(ValueError, match="another problem or other options"):
        rs.train(problem, checkpoint=path, **(settings | dict(seed=3)))
    with pytest.raises(ValueError, match="another problem or other options"):
        rs.train(problem.with_strength(0.2), checkpoint=path, **settings)
    (tmp_path / "training.npz").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="damaged"):
        rs.train(problem, checkpoint=path, **settings)
    assert [file.name for file in tmp_path.iterdir()] == ["training.npz"]


def test_results_are_saved_and_loaded(tmp_path):
    result = rs.train(problem_of(2), keep_neurons=True, certify_every=20, **QUICK)
    loaded = rs.TrainingResult.load(result.save(tmp_path / "result"))
    assert_same(loaded, result)
    np.testing.assert_array_equal(loaded.trajectory.weights, result.trajectory.weights)
    np.testing.assert_array_equal(loaded.trajectory.certified_gaps, result.trajectory.certified_gaps)
    assert str(loaded.best.certificate) == str(result.best.certificate)
    assert loaded.trajectory.weights.shape == (2, 21, 20, 2)
    with pytest.raises(ValueError, match="TrainingResult is needed"):
        rs.TrainingResult.load(result.best.save(tmp_path / "solution"))


def test_the_records_are_those_of_the_networks():
    problem = problem_of(2)
    result = rs.train(problem, keep_neurons=True, certify_every=20, **QUICK)
    trajectory = result.trajectory
    for seed, record in ((0, 0), (1, 20)):
        neurons = rs.oracles.Neurons(trajectory.weights[seed, record], trajectory.biases[seed, record])
        spline = problem.spline(neurons, trajectory.coefficients[seed, record])
        assert trajectory.objectives[seed, record] == pytest.approx(problem.objective(spline), rel=1e-9)
        assert trajectory.path_norms[seed, record] == pytest.approx(spline.radon_tv(), rel=1e-9)
    np.testing.assert_array_equal(trajectory.certified_steps, [20, 40])
    assert trajectory.certified_objectives[-1] == pytest.approx(trajectory.objectives[:, -1].min(), rel=1e-9)
    assert (trajectory.certified_gaps > 0).all()
    bounds = [row.bound for row in result.best.trace]
    assert (np.diff(bounds) >= 0).all()
    assert max(bounds) <= result.best.objective


@pytest.mark.long
def test_groups_that_fit_the_cache_train_what_all_would_together(monkeypatch):
    problem, settings = problem_of(), dict(width=23, steps=40, seeds=4)
    together = rs.train(problem, records=10, **settings)
    # Two networks of 23 neurons and 30 data at a time, in a program of its own, as it makes more records.
    monkeypatch.setattr(loop, "_CACHED", 1400)
    assert [loop._side_by_side(4, 23 * 30), loop._side_by_side(4, 10**9), loop._side_by_side(4, 10)] == [2, 1, 4]
    apart = rs.train(problem, records=20, **settings)
    # The same numbers but for the order of sums.
    np.testing.assert_allclose(apart.trajectory.objectives[:, ::2], together.trajectory.objectives, rtol=1e-9)
    np.testing.assert_allclose(apart.objectives, together.objectives, rtol=1e-9)


def test_hyperplanes_that_nearly_coincide_are_counted_once():
    problem = problem_of(2)
    result = rs.train(problem, width=60, steps=800, seeds=2, records=4, optimizer="proximal", keep_neurons=True)
    trajectory, points = result.trajectory, problem.measurements.points
    centre = points.mean(axis=0)
    spread = np.sqrt(np.mean(np.sum((points - centre) ** 2, axis=1)))
    for seed in range(2):
        for record in range(5):
            weights, biases = trajectory.weights[seed, record], trajectory.biases[seed, record]
            lengths = np.linalg.norm(weights, axis=1)
            costs = np.abs(trajectory.coefficients[seed, record]) * lengths
            active = costs > 1e-4 * costs.mean()
            assert trajectory.active[seed, record] == active.sum()
            planes = np.column_stack([weights, (biases - weights @ centre) / spread])[active] / lengths[active, None]
            first = []
            for k, plane in enumerate(planes):
                turned = planes[:k] * np.where(planes[:k, :2] @ plane[:2] < 0, -1, 1)[:, None]
                first.append(not (np.abs(turned - plane).max(axis=1) <= 0.01).any())
            assert trajectory.distinct[seed, record] == sum(first)
    # Neurons meet while they are trained.
    assert (trajectory.distinct[:, -1] < trajectory.active[:, -1]).any()
    assert (trajectory.distinct[:, 0] == 60).all()


def test_a_grid_trains_what_each_width_and_strength_would():
    problem = problem_of(2)
    settings = dict(steps=12, seeds=2, records=4, keep_neurons=True)
    grid = rs.train_grid(problem, [20, 5], [0.1, 0.4], **settings)
    np.testing.assert_array_equal(grid.widths, [5, 20])
    np.testing.assert_array_equal(grid.strengths, [0.4, 0.1])
    assert grid.objectives.shape == (2, 2, 2)
    for i, width in enumerate(grid.widths):
        for j, strength in enumerate(grid.strengths):
            alone = rs.train(problem.with_strength(strength), width=int(width), **settings)
            together = grid.results[i][j]
            # The same numbers but for the order of sums, which some steps enlarge a little.
            for name in ("losses", "penalties", "path_norms", "weights", "biases", "coefficients"):
                np.testing.assert_allclose(
                    getattr(together.trajectory, name), getattr(alone.trajectory, name), rtol=1e-8, atol=1e-8
                )
            np.testing.assert_array_equal(together.trajectory.active, alone.trajectory.active)
            np.testing.assert_allclose(together.objectives, alone.objectives, rtol=1e-9)
            assert together.trajectory.strength == strength
            assert together.best.details["width"] == width
    assert (grid.relative_gaps > 0).all()


@pytest.mark.parametrize("optimizer", ["adam", "proximal"])
def test_what_widens_a_network_is_never_moved(optimizer):
    settings = dict(steps=30, seeds=1, records=3, optimizer=optimizer)
    result = rs.train_grid(problem_of(2), [3, 9], **settings, keep_neurons=True)
    narrow = result.results[0][0]
    assert narrow.trajectory.weights.shape[2] == 3
    assert narrow.splines[0].width <= 3
    # The objective along the way is that of the three neurons alone.
    problem, trajectory = problem_of(2), narrow.trajectory
    neurons = rs.oracles.Neurons(trajectory.weights[0, -1], trajectory.biases[0, -1])
    spline = problem.spline(neurons, trajectory.coefficients[0, -1])
    assert trajectory.objectives[0, -1] == pytest.approx(problem.objective(spline), rel=1e-9)


def test_a_grid_takes_the_certificates_of_a_path_and_is_saved(tmp_path):
    problem = problem_of(1)
    path = rs.regularization_path(problem, [0.3, 0.1])
    duals = [solution.dual for solution in path.solutions]
    grid = rs.train_grid(problem, [8, 16], path.strengths, duals=duals, steps=40, seeds=2)
    bounds = [solution.certificate.bound for solution in path.solutions]
    np.testing.assert_allclose(grid.bounds, bounds, rtol=1e-6)
    assert grid.proven.all()
    assert (grid.relative_gaps >= 0).all()
    loaded = rs.TrainingGrid.load(grid.save(tmp_path / "grid"))
    np.testing.assert_array_equal(loaded.relative_gaps, grid.relative_gaps)
    for row, others in zip(grid.results, loaded.results, strict=True):
        for result, other in zip(row, others, strict=True):
            assert_same(result, other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(widths=[]), "widths must be different numbers, at least one, got"),
        (dict(widths=[4, 4]), "widths must be different"),
        (dict(widths=[0, 4]), "widths must be at least 1, got 0"),
        (dict(widths=[4], strengths=[]), "strengths must be different numbers, at least one"),
        (dict(widths=[4], strengths=[0.1, -1.0]), "strength must be"),
        (
            dict(widths=[4], strengths=[0.1, 0.2], duals=[np.zeros(30)]),
            "one dual vector for each of 2 strengths, got 1",
        ),
        (dict(widths=[4], duals=[np.zeros(3)]), "dual must have one entry per measurement"),
        (dict(widths=[4], width=3), "no option width; give widths"),
    ],
)
def test_grids_that_make_no_sense_are_refused(arguments, message, monkeypatch):
    monkeypatch.setattr(run, "begin", None)
    with pytest.raises((TypeError, ValueError), match=message):
        rs.train_grid(problem_of(), **arguments)


def test_a_seed_that_diverges_stops_alone_and_says_where():
    problem = problem_of()

    def update(gradient, count, parameters):
        # Division by zero at the eighth step, for about half of the seeds.
        bad = (count == 7) & (parameters.biases[0] > 0)
        return jax.tree.map(lambda leaf: jnp.where(bad, jnp.nan, -0.01 * leaf), gradient), count + 1

    method = optax.GradientTransformation(lambda parameters: jnp.zeros((), int), update)
    with pytest.warns(RuntimeWarning, match="no longer finite") as caught:
        result = rs.train(problem, optimizer=method, **(QUICK | dict(seeds=8)))
    failed = result.failed_steps >= 0
    assert 0 < failed.sum() < 8
    assert (result.failed_steps[failed] == 7).all()
    assert "(step 7)" in str(caught[0].message)
    assert np.isfinite(result.objectives).all()
    # What a seed was before it failed is what it stays; the others go on.
    after = result.trajectory.losses[:, result.trajectory.steps > 7]
    assert ((np.diff(after, axis=1) == 0).all(axis=1) == failed).all()
    assert "failed" in repr(result)


def test_the_solver_returns_the_best_certified():
    problem = problem_of()
    solution = rs.solve(problem, rs.NetworkTraining(**QUICK))
    assert solution.objective == rs.train(problem, **QUICK).best.objective
    assert solution.certificate.proven
    assert solution.trace[-1].objective == solution.objective


SHARDED = """
import jax, numpy as np, ridgesplines as rs
rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, (20, 1))
problem = rs.Problem(rs.Samples(x), np.sin(3 * x[:, 0]), strength=0.1)
result = rs.train(problem, width=8, steps=40, seeds=4, optimizer="proximal")
print(jax.device_count(), *map(repr, map(float, result.objectives)))
"""


@pytest.mark.long
def test_several_devices_train_what_one_does():
    answers = []
    for count in (1, 2):
        flags = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={count}", "JAX_PLATFORMS": "cpu"}
        environment = {**os.environ, **flags}
        command = [sys.executable, "-c", SHARDED]
        shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
        devices, *values = shown.split()
        assert int(devices) == count
        answers.append([float(value) for value in values])
    # The sums over neurons may be taken in another order.
    np.testing.assert_allclose(answers[1], answers[0], rtol=1e-9)


# What cannot be done


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(width=0), "width must be at least 1, got 0"),
        (dict(penalty="ridge"), '"path norm", "weight decay", "plain weight decay"'),
        (dict(optimizer="rmsprop"), '"adam", "sgd", "lbfgs", "gradient flow", "proximal"'),
        (dict(schedule="step"), '"cosine", "linear", "constant"'),
        (dict(batch=31), "at most the number of data, 30, got 31"),
        (dict(batch=10, polynomial="solved"), "needs all data"),
        (dict(batch=10, optimizer="lbfgs"), "needs all data"),
        (dict(optimizer="proximal", penalty="weight decay"), 'is for the penalty "path norm"'),
        (dict(polynomial="free"), '"solved", "trained", "absent"'),
        (dict(precision=16), "32 or 64"),
        (dict(learning_rate=0.0), "learning_rate must be positive"),
        (dict(momentum=1.0), "less than 1"),
        (dict(seed=-1), "seed must be"),
        (dict(scale=np.inf), "scale must be positive and finite"),
    ],
)
def test_bad_options_are_refused_before_anything_is_done(settings, message, monkeypatch):
    monkeypatch.setattr(options, "Run", None)
    with pytest.raises(ValueError, match=message):
        rs.train(problem_of(), **settings)


def test_what_does_not_fit_the_problem_is_refused():
    x, y = waves(20, 1)
    with pytest.raises(TypeError, match="width must be a whole number"):
        rs.NetworkTraining(width=2.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="problem must be a Problem"):
        rs.train(x)
    with pytest.raises(ValueError, match="which gradients cannot keep to"):
        rs.train(rs.Problem(rs.Samples(x), y, loss=rs.Interpolation()))
    with pytest.raises(ValueError, match="is for the squared loss"):
        rs.train(rs.Problem(rs.Samples(x), y, loss=rs.AbsoluteLoss(), strength=1.0), polynomial="solved")
    norm = rs.AtomicNorm(weight_norm=1)
    with pytest.raises(ValueError, match=r'does not know the penalty "plain weight decay".*it knows "path norm"'):
        rs.train(problem_of(2, regularizer=norm), penalty="plain weight decay")


def test_a_neuron_that_died_infinitely_far_away_is_dropped():
    problem = problem_of(order=4, strength=1e-3)
    far = rs.oracles.Neurons(np.array([[1.0], [1e-90], [-1e-90]]), np.array([0.1, 1.0, -2.0]))
    coefficients = np.array([2.0, 3.0, 0.01])
    without = problem.spline(far[:1], coefficients[:1])
    refitted = spline_of(problem, far, coefficients, None)
    np.testing.assert_allclose(problem.measurements(refitted), problem.measurements(without), atol=1e-9)
    # Of the third neuron the data see the constant v (−b)³ / 3!.
    kept = spline_of(problem, far, coefficients, np.zeros(problem.measurements.count))
    alone = spline_of(problem, far[:1], coefficients[:1], np.full(problem.measurements.count, 0.01 * 2.0**3 / 6))
    assert kept.width == refitted.width == 1
    np.testing.assert_allclose(problem.measurements(kept), problem.measurements(alone), atol=1e-9)
