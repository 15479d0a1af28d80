"""The estimators keep scikit-learn's contract, and fit what the package fits."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import ridgesplines as rs

# One that is quick; loose gaps, because the checks are about the contract.
CHECKED = [rs.RidgeSplineClassifier(strength=10.0, gap=0.05)]
# The others; minutes.
BUSY = [
    rs.NeuralSplineRegressor(),
    rs.RidgeSplineRegressor(strength=10.0, gap=0.05),
    rs.RidgeSplineRegressorCV(folds=2, count=2, ratio=0.3, gap=0.05),
]


@parametrize_with_checks(CHECKED)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.long
@parametrize_with_checks(BUSY)
def test_scikit_learn_contract_of_all(estimator, check):
    check(estimator)


def hills(count: int = 60, seed: int = 0):
    """Inputs in different units, and a bent function of them."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (count, 2)) * [1.0, 50.0] + [3.0, 200.0]
    return x, np.abs(x[:, 0] - 3) + 0.02 * np.maximum(x[:, 1] - 200, 0) + 0.05 * rng.standard_normal(count)


def test_the_fit_is_the_solution_of_the_standardised_problem():
    x, y = hills()
    fitted = rs.RidgeSplineRegressor(strength=0.5, gap=1e-6).fit(x, y)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    problem = rs.Problem(rs.Samples(scaled), (y - y.mean()) / y.std(), strength=0.5)
    solution = rs.solve(problem)
    assert fitted.certificate_.kind == "exact"
    assert fitted.certificate_.relative_gap <= 1e-6
    assert fitted.certificate_.objective == pytest.approx(solution.objective, rel=2e-6)
    # Strongly convex in the predictions: they differ by the root of the gap at most.
    expected = y.mean() + y.std() * solution.spline(scaled)
    np.testing.assert_allclose(fitted.predict(x), expected, atol=2e-3 * y.std())
    np.testing.assert_allclose(fitted.spline_(x), fitted.predict(x), rtol=1e-12)
    assert fitted.n_iter_ == len(fitted.solutions_[0].trace)


def test_without_scaling_strengths_are_those_of_the_data():
    x, y = hills()
    fitted = rs.RidgeSplineRegressor(strength=3.0, standardize=False, gap=1e-6).fit(x, y)
    solution = rs.solve(rs.Problem(rs.Samples(x), y, strength=3.0))
    assert fitted.certificate_.objective == pytest.approx(solution.objective, rel=2e-6)


def test_weights_are_repetitions_and_neither_order_nor_repetition_changes_a_number():
    x, y = hills(30)
    weights = np.arange(30) % 3
    repeated = np.repeat(np.arange(30), weights)[::-1]
    weighted = rs.RidgeSplineRegressor().fit(x, y, sample_weight=weights)
    again = rs.RidgeSplineRegressor().fit(x[repeated], y[repeated])
    np.testing.assert_array_equal(weighted.predict(x), again.predict(x))
    for estimator in (rs.RidgeSplineRegressorCV(count=4, ratio=0.1), rs.RidgeSplineClassifier()):
        goal = np.sign(y - np.median(y)) if isinstance(estimator, rs.RidgeSplineClassifier) else y
        first = clone(estimator).fit(x, goal, sample_weight=weights)
        second = clone(estimator).fit(x[repeated], goal[repeated])
        np.testing.assert_array_equal(first.spline_(x), second.spline_(x))


def test_targets_that_need_no_neuron_are_fitted_by_none():
    x, y = hills(20)
    affine = 3 * x[:, 0] - x[:, 1] + 1
    fitted = rs.RidgeSplineRegressorCV(count=4, ratio=0.1).fit(x, affine, sample_weight=np.linspace(1, 2, len(x)))
    assert fitted.path_ is None
    assert fitted.spline_.width == 0
    np.testing.assert_allclose(fitted.predict(2 * x), 6 * x[:, 0] - 2 * x[:, 1] + 1, atol=1e-12)
    both = rs.RidgeSplineRegressorCV(count=4, ratio=0.1, regularizer=rs.RadonTV()).fit(x, np.column_stack([affine, y]))
    assert [path is None for path in both.paths_] == [True, False]
    assert both.strengths_[0] == 1.0


def test_equal_inputs_are_held_out_together():
    x, y = hills(20)
    twice = np.concatenate([x, x])
    fitted = rs.RidgeSplineRegressorCV(count=4, ratio=0.1).fit(twice, np.concatenate([y, y + 0.1]))
    # Points with two targets, 0.1 apart, or one in their middle, of twice the weight.
    middle = rs.RidgeSplineRegressorCV(count=4, ratio=0.1, standardize=False)
    apart = rs.RidgeSplineRegressorCV(count=4, ratio=0.1, standardize=False)
    middle.fit(x, y + 0.05, sample_weight=np.full(20, 2.0))
    apart.fit(twice, np.concatenate([y, y + 0.1]))
    assert apart.path_ is not None
    assert middle.path_ is not None
    np.testing.assert_allclose(apart.path_.strengths, middle.path_.strengths, rtol=1e-9)
    # The errors are those of the middle and the variance of the two about it, up to the gap of the fits compared.
    np.testing.assert_allclose(apart.path_.errors, middle.path_.errors + 0.05**2, rtol=0.1)
    assert fitted.path_ is not None
    assert fitted.strength_ == fitted.path_.strength


def test_cross_validation_chooses_less_smoothing_for_less_noise():
    x, _ = hills(80)
    truth = np.abs(x[:, 0] - 3) + 0.02 * np.maximum(x[:, 1] - 200, 0)
    noise = np.random.default_rng(1).standard_normal(80)
    chosen = [
        rs.RidgeSplineRegressorCV(count=12, ratio=1e-3, gap=1e-6).fit(x, truth + size * noise) for size in (0.02, 0.5)
    ]
    assert chosen[0].strength_ < chosen[1].strength_
    assert chosen[0].score(x, truth) > 0.98
    assert chosen[0].certificate_.relative_gap <= 1e-6


def test_several_targets_share_their_neurons():
    x, y = hills()
    both = np.column_stack([y, -3 * y + x[:, 0]])
    fitted = rs.RidgeSplineRegressor().fit(x, both)
    assert fitted.predict(x).shape == (60, 2)
    assert fitted.spline_.coefficients.shape == (fitted.spline_.width, 2)
    assert fitted.score(x, both) > 0.9
    single = rs.RidgeSplineRegressor().fit(x, y[:, None])
    assert single.predict(x).shape == (60, 1)


def test_few_data_of_several_targets_are_fitted_one_after_the_other():
    x, y = hills(9)
    fitted = rs.RidgeSplineRegressorCV(count=3, ratio=0.1).fit(x[:5], np.column_stack([y, -y])[:5])
    assert len(fitted.solutions_) == len(fitted.paths_) == len(fitted.strengths_) == 2
    np.testing.assert_allclose(fitted.predict(x)[:, 0], -fitted.predict(x)[:, 1], atol=1e-6)


def test_more_inputs_than_data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 30))
    y = np.maximum(x[:, 0], 0)
    fitted = rs.RidgeSplineRegressor(gap=1e-3).fit(x, y)
    # A free affine function would fit all data exactly.
    assert fitted.solutions_[0].certificate.regularization > 0
    assert 0 < np.mean((fitted.predict(x) - y) ** 2) < np.var(y)


@pytest.mark.parametrize("classes", [2, 3])
def test_classes(classes):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (90, 2))
    angle = np.arctan2(x[:, 1], x[:, 0])
    labels = np.array(["a", "b", "c"])[((angle + np.pi) / (2 * np.pi) * classes).astype(int) % classes]
    fitted = rs.RidgeSplineClassifier(strength=0.3, gap=1e-6).fit(x, labels)
    assert fitted.score(x, labels) > 0.9
    odds = fitted.predict_proba(x)
    np.testing.assert_allclose(odds.sum(axis=1), 1)
    assert (fitted.classes_[odds.argmax(axis=1)] == fitted.predict(x)).all()
    assert len(fitted.solutions_) == (1 if classes == 2 else 3)
    assert fitted.certificate_.kind == "exact"
    if classes == 2:
        scaled = (x - x.mean(axis=0)) / x.std(axis=0)
        problem = rs.Problem(
            rs.Samples(scaled),
            np.where(labels == "b", 1.0, -1.0),
            rs.LogisticLoss(),
            rs.AtomicNorm(skip="constant"),
            0.3,
        )
        assert fitted.certificate_.objective == pytest.approx(rs.solve(problem).objective, rel=2e-6)
        # The odds are those of the loss.
        np.testing.assert_allclose(np.log(odds[:, 1] / odds[:, 0]), fitted.decision_function(x), rtol=1e-9)
    else:
        for number, solution in enumerate(fitted.solutions_):
            scaled = (x - x.mean(axis=0)) / x.std(axis=0)
            np.testing.assert_allclose(fitted.decision_function(x)[:, number], solution.spline(scaled), atol=1e-9)


def test_other_losses():
    x, y = hills()
    y[3] += 100.0
    robust = rs.RidgeSplineRegressor(loss=rs.AbsoluteLoss(), standardize=False).fit(x, y)
    squared = rs.RidgeSplineRegressor(standardize=False).fit(x, y)
    others = np.arange(60) != 3
    assert np.abs(robust.predict(x) - y)[others].mean() < 0.5 * np.abs(squared.predict(x) - y)[others].mean()
    hinge = rs.RidgeSplineClassifier(loss=rs.HingeLoss()).fit(x, y > np.median(y))
    with pytest.raises(AttributeError, match=r"probabilities are those of LogisticLoss\(\)"):
        hinge.predict_proba(x)


def test_the_kernel_counterpart_interpolates_without_a_nugget_and_is_its_solution():
    x, y = hills()
    np.testing.assert_allclose(rs.NeuralSplineRegressor(nugget=0.0).fit(x, y).predict(x), y, rtol=1e-6)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    problem = rs.KernelProblem(scaled, (y - y.mean()) / y.std(), kernel=rs.kernels.GaussianKernel(), value_nugget=0.01)
    expected = y.mean() + y.std() * rs.solve_kernel(problem).spline(scaled)
    np.testing.assert_allclose(rs.NeuralSplineRegressor().fit(x, y).predict(x), expected, rtol=1e-9)


def test_pipelines_searches_pickles_and_notebooks():
    x, y = hills(40)
    pipeline = make_pipeline(StandardScaler(), rs.RidgeSplineRegressor(standardize=False, gap=1e-4))
    search = GridSearchCV(pipeline, {"ridgesplineregressor__strength": [0.3, 3.0]}, cv=3).fit(x, y)
    best = search.best_estimator_[-1]
    again = pickle.loads(pickle.dumps(best))
    np.testing.assert_array_equal(again.spline_(x), best.spline_(x))
    assert again.certificate_.bound == best.certificate_.bound
    assert "RidgeSplineRegressor" in search._repr_html_()
    assert clone(best).get_params() == best.get_params()


def test_data_frames_keep_their_names():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    x, y = hills(30)
    frame = pandas.DataFrame(x, columns=["width", "depth"])
    fitted = rs.RidgeSplineRegressor(gap=1e-3).fit(frame, pandas.Series(y))
    assert list(fitted.feature_names_in_) == ["width", "depth"]
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame[["depth", "width"]])


@pytest.mark.parametrize(
    ("estimator", "change", "message"),
    [
        (rs.RidgeSplineRegressor(strength=-1.0), {}, "strength must be"),
        (rs.RidgeSplineRegressor(gap=2.0), {}, "gap must be between 0 and 1"),
        (rs.RidgeSplineRegressor(order=7), {}, "order"),
        (rs.RidgeSplineRegressor(), {"sample_weight": -np.ones(30)}, "[Nn]egative"),
        (
            rs.RidgeSplineRegressor(),
            {"sample_weight": np.zeros(30)},
            "must be positive for one row at least|at least one non-zero",
        ),
        (rs.RidgeSplineRegressorCV(folds=0), {}, "folds must be a whole number from 2, got 0"),
        (rs.RidgeSplineRegressorCV(folds=1), {}, "folds must be a whole number from 2, got 1"),
        (rs.RidgeSplineRegressorCV(folds=2.5), {}, "folds must be a whole number from 2, got 2.5"),
        (rs.RidgeSplineRegressorCV(), {"X": np.ones((30, 2))}, "X must have two different rows at least"),
        (rs.RidgeSplineClassifier(), {"y": np.ones(30)}, "y must have two classes at least, got one class"),
        (rs.NeuralSplineRegressor(nugget=-1.0), {}, "nugget must be at least 0"),
    ],
)
def test_bad_input_is_one_sentence(estimator, change, message):
    x, y = hills(30)
    with pytest.raises(ValueError, match=message):
        estimator.fit(**{"X": x, "y": y, **change})
