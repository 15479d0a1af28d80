"""Choosing the strength: an interior minimum of the error, the same for the same seed, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from ridgesplines import Problem, Samples, select_strength, solve


def noisy(count: int = 60, noise: float = 0.3):
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 1, count))
    return x, np.sin(6 * x), np.sin(6 * x) + noise * rng.standard_normal(count)


@pytest.fixture(scope="module")
def selection():
    x, _, y = noisy()
    return select_strength(Samples(x), y)


def test_the_strength_chosen_on_noisy_data_is_an_interior_minimum(selection):
    best = int(np.argmin(selection.errors))
    assert selection.strength == selection.strengths[best]
    assert 0 < best < len(selection.strengths) - 1
    assert not selection.interrupted


def test_the_path_falls_from_the_largest_strength(selection):
    x, _, y = noisy()
    assert selection.strengths[0] == pytest.approx(Problem(Samples(x), y, strength=1.0).strength_max, rel=1e-12)
    steps = np.diff(np.log(selection.strengths))
    assert np.all(steps < 0)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-9)
    assert len(selection.errors) == len(selection.standard_errors) == len(selection.strengths)
    assert np.all(selection.errors > 0)
    assert np.all(selection.standard_errors > 0)


def test_the_chosen_strength_fits_the_truth_better_than_the_ends(selection):
    x, truth, y = noisy()

    def error(strength):
        return np.mean((solve(Problem(Samples(x), y, strength=strength)).spline(x) - truth) ** 2)

    assert error(selection.strength) < min(error(selection.strengths[0]), error(selection.strengths[-1]))
    # Far better than the data themselves, whose noise has variance 0.09.
    assert error(selection.strength) < 0.03


def test_the_held_out_error_is_at_least_about_the_noise(selection):
    # No predictor of held-out data beats the noise but by chance: 60 squares have a relative deviation of 0.18.
    assert selection.errors.min() > 0.09 * (1 - 3 * 0.18)


def test_equal_seeds_give_equal_results_and_others_do_not(selection):
    x, _, y = noisy()
    again = select_strength(Samples(x), y, seed=0)
    np.testing.assert_array_equal(again.errors, selection.errors)
    assert again.strength == selection.strength
    other = select_strength(Samples(x), y, seed=1, count=4)
    assert not np.array_equal(other.errors[:2], select_strength(Samples(x), y, seed=0, count=4).errors[:2])


def test_folds_and_count_are_as_asked():
    x, _, y = noisy(20)
    selection = select_strength(Samples(x), y, folds=3, count=4, ratio=0.1)
    assert selection.folds == 3
    assert len(selection.strengths) <= 4
    assert selection.strengths[-1] >= 0.1 * selection.strengths[0] * (1 - 1e-12)


def test_as_many_folds_as_data_leave_one_out():
    x, _, y = noisy(8)
    assert select_strength(Samples(x), y, folds=8, count=3).folds == 8


def test_an_interrupt_keeps_the_strengths_tried(monkeypatch):
    import ridgesplines.path as module

    x, _, y = noisy(20)
    approximate, calls = module.ColumnGeneration.approximate, []

    def interrupt(self, problem):
        calls.append(1)
        if len(calls) == interrupt_at:
            raise KeyboardInterrupt
        return approximate(self, problem)

    monkeypatch.setattr(module.ColumnGeneration, "approximate", interrupt)
    interrupt_at = 5 * 3 + 2  # during the fourth strength
    selection = select_strength(Samples(x), y)
    assert selection.interrupted
    assert len(selection.strengths) == len(selection.errors) == 3
    interrupt_at, calls[:] = 3, []
    with pytest.raises(KeyboardInterrupt):
        select_strength(Samples(x), y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "folds must be between 2 and the number of data, 20, got 1"),
        ({"folds": 21}, "folds must be between 2 and the number of data, 20, got 21"),
        ({"count": 1}, "count must be at least 2"),
        ({"ratio": 0.0}, "ratio between 0 and 1"),
        ({"ratio": 1.0}, "ratio between 0 and 1"),
        ({"ratio": -0.5}, "ratio between 0 and 1"),
        ({"ratio": np.nan}, "ratio between 0 and 1"),
        ({"gap": 0.0}, "gap must be between 0 and 1"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    x, _, y = noisy(20)
    with pytest.raises(ValueError, match=message):
        select_strength(Samples(x), y, **options)


def test_targets_without_anything_to_smooth_are_refused():
    x = np.linspace(0, 1, 20)
    with pytest.raises(ValueError, match="the targets are a polynomial of the inputs"):
        select_strength(Samples(x), 2 * x - 1)


def test_raw_points_are_refused():
    x, _, y = noisy(20)
    with pytest.raises(TypeError, match="measurements must be a Samples, got ndarray"):
        select_strength(x, y)


def test_parts_too_small_for_the_free_polynomials_are_refused():
    x = np.random.default_rng(1).standard_normal((4, 2))
    with pytest.raises(ValueError, match="are too few"):
        select_strength(Samples(x), x[:, 0] ** 2, folds=2)
