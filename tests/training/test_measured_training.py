"""Training on measurements that are no samples: the objective of the problem, never below its bound, and near it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from segments import SegmentAverages

import ridgesplines as rs
from ridgesplines.oracles import Neurons
from ridgesplines.solvers.training import run

pytestmark = pytest.mark.thinned(7)

LINE = np.linspace(-1, 1, 12)
# Along the line and in the plane: the measurements, and the order of the regularizer.
KINDS = {
    "Derivatives": (rs.Stack(rs.Samples(LINE), rs.Derivatives(LINE[::2], 0.5)), 3),
    "LineIntegrals": (
        rs.LineIntegrals.parallel_beam(np.arange(4) * 0.8, np.linspace(-0.7, 0.7, 4), rs.DiscRegion((0, 0), 1.0)),
        2,
    ),
    "BoxAverages": (rs.BoxAverages(np.linspace(-1, 0.8, 12), np.linspace(-0.8, 1, 12)), 4),
    "BlurredSamples": (rs.BlurredSamples(LINE, 0.1), 2),
    "Stack": (rs.Stack(rs.BoxAverages.grid((-1, -1), (1, 1), 3), rs.Samples([[0.0, 0.1], [0.5, -0.4]])), 2),
}
QUICK = dict(width=12, steps=20, seeds=2, records=4)


def posed(kind: str, strength: float = 0.02, outputs: int | None = None) -> rs.Problem:
    """Noisy measurements of a function folded along x1 = 0.2, of a strength relative to the largest."""
    measurements, order = KINDS[kind]
    dimension = measurements.dimension
    truth = rs.RidgeSpline(np.eye(1, dimension), [0.2], [2.0], np.arange(1.0, dimension + 2))
    truth = truth if order == 2 else rs.RidgeSpline(np.eye(1, dimension), [0.2], [5.0], np.zeros(order), order)
    y = measurements(truth) + 0.05 * np.random.default_rng(0).standard_normal(measurements.count)
    if outputs is not None:
        y = np.column_stack([y, y[::-1]])
    regularizer = rs.RadonTV(order) if outputs is None else rs.VectorRadonTV(order)
    problem = rs.Problem(measurements, y, regularizer=regularizer, strength=1.0)
    return problem.with_strength(strength * problem.strength_max)


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind == "LineIntegrals" else pytest.mark.long) for kind in KINDS]
)
def test_records_are_the_objectives_of_the_networks_and_none_is_below_the_bound(kind):
    problem = posed(kind)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-4))
    result = rs.train(problem, dual=solution.dual, keep_neurons=True, **QUICK)
    assert result.best.certificate.proven
    assert (result.objectives >= solution.certificate.bound).all()
    trajectory = result.trajectory
    assert (trajectory.objectives >= solution.certificate.bound).all()
    assert (trajectory.objectives[:, -1] < trajectory.objectives[:, 0]).all()
    # JAX's measurements in the coordinates of training, beside NumPy's of the network itself.
    for seed, record in ((0, 0), (1, -1)):
        neurons = Neurons(trajectory.weights[seed, record], trajectory.biases[seed, record])
        spline = problem.spline(neurons, trajectory.coefficients[seed, record])
        predictions = problem.measurements(spline)
        assert trajectory.losses[seed, record] == pytest.approx(problem.loss_value(predictions), rel=1e-9)
        assert trajectory.path_norms[seed, record] == pytest.approx(spline.radon_tv(), rel=1e-9)
    assert result.best.objective == pytest.approx(problem.objective(result.best.spline), rel=1e-12)


@pytest.mark.parametrize(
    ("kind", "optimizer"),
    [
        ("BoxAverages", "adam"),
        ("BlurredSamples", "proximal"),
        pytest.param("LineIntegrals", "adam", marks=pytest.mark.long),
        pytest.param("Stack", "adam", marks=pytest.mark.long),
        pytest.param("Derivatives", "adam", marks=pytest.mark.long),
    ],
)
def test_a_small_instance_is_trained_to_a_thousandth_of_its_bound(kind, optimizer):
    problem = posed(kind)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-5))
    width = 4 * max(solution.spline.width, 4)
    # Neurons of order 3 and more die out early unless they are large at the start.
    scale = 20.0 if kind == "Derivatives" else 5.0
    result = rs.train(
        problem, width=width, optimizer=optimizer, steps=3000, seeds=4, scale=scale, dual=solution.dual, records=10
    )
    assert 0 <= result.best.certificate.relative_gap <= 1e-3
    assert (result.objectives >= solution.certificate.bound).all()


@pytest.mark.parametrize(
    ("optimizer", "loss"),
    [("proximal", rs.HuberLoss(threshold=0.5)), pytest.param("adam", None, marks=pytest.mark.long)],
)
def test_a_stack_of_samples_is_trained_as_they_are(optimizer, loss):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-1, 1, (15, 2)), rng.standard_normal(15)
    first, second = (
        rs.train(rs.Problem(measurements, y, loss, strength=0.1), optimizer=optimizer, **QUICK)
        for measurements in (rs.Samples(x), rs.Stack(rs.Samples(x)))
    )
    # The layer with its gradient by hand, beside JAX's of the action: twenty steps amplify rounding a little.
    np.testing.assert_allclose(second.trajectory.losses, first.trajectory.losses, rtol=1e-8)
    np.testing.assert_allclose(second.trajectory.path_norms, first.trajectory.path_norms, rtol=1e-8)


@pytest.mark.long
def test_training_does_not_depend_on_the_units():
    beam = (np.arange(3) * 1.1, np.linspace(-0.7, 0.7, 4))
    y = np.random.default_rng(2).standard_normal(12)
    near = rs.LineIntegrals.parallel_beam(*beam, rs.DiscRegion((0, 0), 1.0))
    far = rs.LineIntegrals(1000 * near.starts + 5000, 1000 * near.ends + 5000)
    # Integrals are 1000 times as long; values 7 times as large.
    problems = [
        rs.Problem(near, y, strength=0.1),
        rs.Problem(far, 7000 * y, strength=0.1 * 7000**2 / 7 * 1000),
    ]
    first, second = (rs.train(problem, **QUICK) for problem in problems)
    # Rounding of inputs far from zero, amplified by twenty steps.
    np.testing.assert_allclose(second.trajectory.objectives, 7000**2 * first.trajectory.objectives, rtol=1e-6)


@pytest.mark.parametrize(
    "penalty",
    [
        "weight decay with biases",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("weight decay", "plain weight decay", "none")),
    ],
)
def test_every_penalty_trains(penalty):
    result = rs.train(posed("BoxAverages"), penalty=penalty, polynomial="trained", **QUICK)
    assert (result.trajectory.trained_objectives[:, -1] < result.trajectory.trained_objectives[:, 0]).all()


@pytest.mark.parametrize(
    "optimizer", ["sgd", *(pytest.param(name, marks=pytest.mark.long) for name in ("lbfgs", "gradient flow"))]
)
def test_every_optimizer_trains_several_outputs_and_gives_the_same_numbers_again(optimizer):
    problem = posed("BlurredSamples", outputs=2)
    first, second = (rs.train(problem, optimizer=optimizer, **QUICK) for _ in range(2))
    assert (first.trajectory.objectives[:, -1] < first.trajectory.objectives[:, 0]).all()
    np.testing.assert_array_equal(first.trajectory.objectives, second.trajectory.objectives)
    assert first.splines[0].coefficients.shape[1:] == (2,)


@pytest.mark.long
def test_grids_comparisons_polishing_and_checkpoints_serve_them(tmp_path):
    problem = posed("BoxAverages", strength=0.1)
    certified = rs.solve(problem)
    grid = rs.train_grid(problem, [4, 8], [problem.strength, 2 * problem.strength], steps=20, seeds=1)
    assert grid.proven.all()
    assert (grid.relative_gaps >= 0).all()
    solvers = {"certified": rs.ColumnGeneration(), "trained": rs.NetworkTraining(**QUICK)}
    table = rs.compare(problem, solvers)
    assert (table["trained"].objectives >= certified.certificate.bound).all()
    polished = rs.polish(problem, table["trained"].solution.spline)
    assert polished["refined"].relative_gap <= 1e-6
    assert polished["sparse"].width <= problem.representer_bound
    assert polished["refined"].objective == pytest.approx(certified.objective, rel=1e-5)
    path = tmp_path / "training"
    first = rs.train(problem, checkpoint=path, **QUICK)
    np.testing.assert_array_equal(rs.train(problem, checkpoint=path, **QUICK).objectives, first.objectives)
    boxes = problem.measurements
    other = rs.Problem(
        rs.BoxAverages(boxes.lower, boxes.upper + 0.01),
        problem.targets,
        regularizer=problem.regularizer,
        strength=problem.strength,
    )
    with pytest.raises(ValueError, match="another problem or other options"):
        rs.train(other, checkpoint=path, **QUICK)


def test_neurons_that_no_measurement_sees_bend_are_polynomials():
    problem = posed("BlurredSamples")
    far = rs.RidgeSpline(np.ones((3, 1)), [0.1, 30.0, -30.0], [1.0, 2.0, 3.0])
    sparse, objective = run.sparser(problem, far, refit=False)
    assert sparse.width == 1
    np.testing.assert_allclose(problem.measurements(sparse), problem.measurements(far), rtol=1e-12)
    assert objective == pytest.approx(problem.objective(far) - 5 * problem.strength, rel=1e-9)


@dataclass(frozen=True, eq=False)
class NumPyOnly(SegmentAverages):
    """Segments that know NumPy's arrays only."""

    def of_neurons(self, neurons, activation):
        return super().of_neurons(Neurons(np.asarray(neurons.weights), np.asarray(neurons.biases)), activation)


def test_what_cannot_be_served_is_refused_before_any_work(monkeypatch):
    monkeypatch.setattr(run, "begin", None)
    problem = posed("BlurredSamples")
    with pytest.raises(ValueError, match=r"batch=4 is for samples, got BlurredSamples.*; leave out batch to train"):
        rs.train(problem, batch=4)
    with pytest.raises(ValueError, match=r"precision=32 is for samples, got BlurredSamples.*; leave out precision"):
        rs.train_grid(problem, [4], precision=32)
    with pytest.raises(ValueError, match="is a constraint, which gradients cannot keep to"):
        rs.train(rs.Problem(problem.measurements, problem.targets, rs.Interpolation()))
    segments = NumPyOnly(LINE[:, None] - 0.1, LINE[:, None] + 0.1)
    with pytest.raises(TypeError, match=r"cannot be trained on: of_neurons does not work on JAX arrays; compute it"):
        rs.train(rs.Problem(segments, np.sin(LINE), strength=0.1))
