"""The path: the laws of its values, each point as if solved alone. Choosing the strength: an interior minimum of the
error, the same for the same seed. And what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines import Problem, Samples, regularization_path, select_strength, solve
from ridgesplines.solvers.column_generation import _Run


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


def test_a_number_of_folds_may_be_numpys():
    x, _, y = noisy(20)
    assert select_strength(Samples(x), y, folds=np.int64(3), count=2).folds == 3


@pytest.mark.parametrize("folds", [2.5, "five"])
def test_folds_of_another_type_are_refused(folds):
    x, _, y = noisy(20)
    with pytest.raises(TypeError, match="folds must be a whole number, or two pairs at least"):
        select_strength(Samples(x), y, folds=folds)


def test_an_interrupt_keeps_the_strengths_tried(monkeypatch):
    x, _, y = noisy(20)
    approximate, calls = rs.LineSpline.approximate, []

    def interrupt(self, problem):
        calls.append(1)
        if len(calls) == interrupt_at:
            raise KeyboardInterrupt
        return approximate(self, problem)

    monkeypatch.setattr(rs.LineSpline, "approximate", interrupt)
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
        ({"folds": []}, "folds must be a whole number, or two pairs at least"),
        ({"folds": [0, 1]}, "folds must be a whole number, or two pairs at least"),
        ({"folds": [([0, 1], []), ([2], [3])]}, "each a list of row numbers that is not empty"),
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
    with pytest.raises(TypeError, match="measurements must be a Measurement, got ndarray"):
        select_strength(x, y)


def test_parts_too_small_for_the_free_polynomials_are_refused():
    x = np.random.default_rng(1).standard_normal((4, 2))
    with pytest.raises(ValueError, match="are too few"):
        select_strength(Samples(x), x[:, 0] ** 2, folds=2)


def problems():
    rng = np.random.default_rng(0)
    x, _, y = noisy()
    plane = rng.uniform(-1, 1, (40, 2))
    bent = np.abs(plane).sum(axis=1) + 0.1 * rng.standard_normal(40)
    return {
        "line": Problem(Samples(x), y, strength=1.0),
        "plane": Problem(Samples(plane), bent, strength=1.0),
        "absolute": Problem(Samples(x[:30]), y[:30], loss=rs.AbsoluteLoss(), strength=1.0),
        "logistic": Problem(Samples(x[:30]), np.sign(y[:30]), loss=rs.LogisticLoss(), strength=1.0),
        "vector": Problem(Samples(x[:30]), np.column_stack([y[:30], y[:30] ** 2]), strength=1.0),
    }


@pytest.fixture(scope="module", params=list(problems()))
def followed(request):
    problem = problems()[request.param]
    return problem, regularization_path(problem, count=10, ratio=0.01)


def test_the_optimum_is_concave_and_does_not_fall_as_the_strength_grows(followed):
    _, path = followed
    assert len(path) == len(path.strengths) == 10
    assert (path.relative_gaps <= 1e-6).all()
    assert set(path.kinds) == {"exact"}
    rising = slice(None, None, -1)
    strengths, objectives, bounds = path.strengths[rising], path.objectives[rising], path.bounds[rising]
    # min J lies between bound and objective at each strength.
    assert (objectives[1:] >= bounds[:-1]).all()
    for i in range(1, len(path) - 1):
        share = (strengths[i + 1] - strengths[i]) / (strengths[i + 1] - strengths[i - 1])
        assert objectives[i] >= share * bounds[i - 1] + (1 - share) * bounds[i + 1]


def test_the_loss_falls_and_the_seminorm_grows_as_the_strength_falls(followed):
    _, path = followed
    # From J_λ(f) ≤ J_λ(g) + gap and J_μ(g) ≤ J_μ(f) + gap': (λ − μ) (R(f) − R(g)) ≤ gap + gap'.
    gaps = path.objectives - path.bounds
    slack = (gaps[1:] + gaps[:-1]) / -np.diff(path.strengths)
    assert (np.diff(path.regularizations) >= -slack).all()
    assert (np.diff(path.losses) <= path.strengths[:-1] * slack).all()


def test_the_first_strength_has_no_neuron_and_the_next_ones_have(followed):
    problem, path = followed
    # The optimum is the best polynomial; beyond rounding nothing else costs as little.
    assert path.strengths[0] == pytest.approx(problem.strength_max, rel=1e-12)
    assert path.regularizations[0] * path.strengths[0] <= 1e-6 * path.objectives[0]
    assert path.widths[-1] > 0


def test_each_point_is_as_if_solved_alone(followed):
    problem, path = followed
    for i in (3, 9):
        alone = solve(
            Problem(problem.measurements, problem.targets, problem.loss, problem.regularizer, float(path.strengths[i]))
        )
        assert path.bounds[i] <= alone.objective
        assert alone.certificate.bound <= path.objectives[i]
        assert path[i].spline.width <= problem.representer_bound


def test_strengths_are_sorted_and_found_again():
    problem = problems()["line"]
    path = regularization_path(problem, [0.1, 10.0, 1.0, 0.1])
    np.testing.assert_array_equal(path.strengths, [10.0, 1.0, 0.1])
    assert [s.objective for s in path] == path.objectives.tolist()
    assert path.at(2.0) is path[1]
    assert path.at(4.0) is path[0]
    with pytest.raises(ValueError, match="strength must be positive and finite, got 0"):
        path.at(0)


def test_paths_survive_files(tmp_path):
    path = regularization_path(problems()["vector"], [1.0, 0.1])
    loaded = rs.RegularizationPath.load(path.save(tmp_path / "path"))
    for name in ("strengths", "objectives", "bounds", "losses", "regularizations", "widths", "relative_gaps", "kinds"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(path, name))
    for one, other in zip(loaded, path, strict=True):
        np.testing.assert_array_equal(one.spline.weights, other.spline.weights)
        np.testing.assert_array_equal(one.dual, other.dual)
        assert (one.trace, one.status) == (other.trace, other.status)
    assert repr(loaded) == repr(path)
    assert "2 solutions, λ from 1 to 0.1" in repr(path)
    nothing = rs.RegularizationPath(np.zeros(0), (), True)
    again = rs.RegularizationPath.load(nothing.save(tmp_path / "nothing"))
    assert (len(again), again.interrupted) == (0, True)
    path[0].save(tmp_path / "solution")
    with pytest.raises(ValueError, match="holds a Solution, but a RegularizationPath is needed"):
        rs.RegularizationPath.load(tmp_path / "solution.npz")


@pytest.mark.parametrize("missing", ["1.dual", "0.weights", "strengths"])
def test_damaged_files_are_refused(tmp_path, missing):
    file = regularization_path(problems()["line"], [1.0, 0.1]).save(tmp_path / "path")
    with np.load(file) as archive:
        arrays = {name: archive[name] for name in archive.files if name != missing}
    np.savez(file, **arrays)
    with pytest.raises(ValueError, match="damaged"):
        rs.RegularizationPath.load(file)


def test_an_interrupt_keeps_the_solutions_done(monkeypatch):
    iterate, calls = _Run._iterate, []

    def interrupt(self, restricted, show):
        calls.append(1)
        if len(calls) == interrupt_at:
            raise KeyboardInterrupt
        return iterate(self, restricted, show)

    monkeypatch.setattr(_Run, "_iterate", interrupt)
    interrupt_at = 3
    path = regularization_path(problems()["plane"], [3.0, 2.0, 1.0])
    assert path.interrupted
    np.testing.assert_array_equal(path.strengths, [3.0, 2.0])
    assert (path.relative_gaps <= 1e-6).all()
    interrupt_at, calls[:] = 1, []
    with pytest.raises(KeyboardInterrupt):
        regularization_path(problems()["plane"], [3.0, 2.0, 1.0])


def test_on_the_line_it_is_the_exact_solver_that_an_interrupt_reaches(monkeypatch):
    import ridgesplines.solvers.line.solver as module

    iterate, calls = module._Run.iterate, []

    def interrupt(self, show):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return iterate(self, show)

    monkeypatch.setattr(module._Run, "iterate", interrupt)
    path = regularization_path(problems()["line"], [3.0, 2.0, 1.0])
    assert path.interrupted
    np.testing.assert_array_equal(path.strengths, [3.0, 2.0])
    # Far below what was asked for, as the exact solver goes to its end.
    assert (path.relative_gaps <= 1e-10).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"strengths": []}, ValueError, "strengths must be positive, at least one"),
        ({"strengths": [1.0, 0.0]}, ValueError, "strengths must be positive"),
        ({"strengths": [1.0, np.nan]}, ValueError, "strengths must"),
        ({"strengths": 1.0}, ValueError, "strengths must"),
        ({"strengths": ["a"]}, TypeError, "strengths must"),
        ({"count": 1}, ValueError, "count must be at least 2"),
        ({"ratio": 1.0}, ValueError, "ratio between 0 and 1"),
        ({"gap": 0.0}, ValueError, "gap must be between 0 and 1"),
    ],
)
def test_paths_of_bad_arguments_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        regularization_path(problems()["line"], **options)


def test_problems_without_a_path_are_refused():
    x = np.linspace(0, 1, 20)
    with pytest.raises(ValueError, match=r"Interpolation\(.*\) has no strength to vary"):
        regularization_path(Problem(Samples(x), x**2, loss=rs.Interpolation()))
    with pytest.raises(ValueError, match="the targets are a polynomial of the inputs"):
        regularization_path(Problem(Samples(x), 2 * x - 1, strength=1.0))
    with pytest.raises(TypeError, match="problem must be a Problem, got ndarray"):
        regularization_path(x)


def test_another_strength_is_another_problem_that_shares_the_rest():
    for problem in problems().values():
        other = problem.with_strength(0.25)
        assert (problem.strength, other.strength) == (1.0, 0.25)
        assert other.oracle is problem.oracle
        assert other.free is problem.free
        fresh = Problem(problem.measurements, problem.targets, problem.loss, problem.regularizer, 0.25)
        spline = solve(problem).spline
        # No cached property depends on the strength, used before or after the copy.
        for made in (other, problem.with_strength(0.25)):
            assert made.objective(spline) == fresh.objective(spline)
            assert made.strength_max == fresh.strength_max
            assert rs.certify(made, spline).bound == pytest.approx(rs.certify(fresh, spline).bound, rel=1e-12)
            assert (made.resolution, made.representer_bound) == (fresh.resolution, fresh.representer_bound)
    with pytest.raises(ValueError, match="strength must be positive"):
        problem.with_strength(-1.0)
    constrained = Problem(Samples(np.arange(5.0)), np.arange(5.0) ** 2, loss=rs.Interpolation())
    with pytest.raises(ValueError, match="strength has no meaning"):
        constrained.with_strength(1.0)
