"""The exact path: its breakpoints against the optimality conditions, each solution against the solver's."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ridgesplines as rs
from ridgesplines.archive import read_arrays
from ridgesplines.solvers.line import homotopy
from tests.helpers import seeds


def random_problem(seed: int, count: int) -> rs.Problem:
    """Data of uneven spacing, some at one point, with weights; or on a lattice, where events happen at once."""
    rng = np.random.default_rng(seed)
    if seed % 3 == 0:
        return rs.Problem(rs.Samples(np.arange(count)), rng.integers(-2, 3, count) + np.eye(count)[1], strength=1.0)
    x = np.cumsum(10.0 ** rng.uniform(-2, 1, count))
    weights = None
    if seed % 3 == 1:
        x, weights = x[np.sort(rng.integers(0, count, count))], rng.uniform(0.3, 3, count)
        x[0], x[-1] = x.min() - 1, x.max() + 1
    y = np.sin(x) + 0.4 * rng.standard_normal(count)
    return rs.Problem(rs.Samples(x), y, strength=1.0, sample_weights=weights)


@settings(max_examples=12)
@given(seeds, st.integers(4, 40))
def test_between_breakpoints_solutions_are_those_of_the_solver(seed, count):
    problem = random_problem(seed, count)
    path = rs.exact_path(problem, ratio=1e-3)
    assert path.complete
    assert path.strengths[0] == pytest.approx(problem.strength_max, rel=1e-12)
    assert (np.diff(path.strengths) <= 0).all()
    assert path.strengths[-1] == pytest.approx(1e-3 * problem.strength_max, rel=1e-12)
    rng = np.random.default_rng(seed)
    for strength in np.exp(rng.uniform(np.log(path.strengths[-1]), np.log(2 * path.strengths[0]), 4)):
        mine, other = path.at(strength), rs.solve(problem.with_strength(strength))
        assert mine.certificate.kind == "exact"
        assert mine.certificate.relative_gap <= 1e-8
        assert mine.objective == pytest.approx(other.objective, rel=1e-9)
        # Strong convexity: ½ s ‖Δt‖² is at most the two gaps.
        allowed = np.sqrt(4e-9 * mine.objective / problem.weights.min()) + 1e-12
        np.testing.assert_allclose(
            mine.spline(problem.measurements.points), other.spline(problem.measurements.points), atol=allowed
        )


def test_solutions_are_affine_between_breakpoints_and_no_breakpoint_is_missed():
    problem = random_problem(5, 60)
    x = problem.measurements.points
    path = rs.exact_path(problem, ratio=1e-2)
    wide = np.flatnonzero(path.strengths[:-1] > 1.001 * path.strengths[1:])
    for i in wide:
        top, end = path.strengths[i] * (1 - 1e-9), path.strengths[i + 1] * (1 + 1e-9)
        solutions = [path.at(strength) for strength in (top, 0.5 * (top + end), end)]
        knots = [set(solution.spline.biases.tolist()) for solution in solutions]
        assert knots[0] == knots[1] == knots[2]
        assert len(knots[0]) == path.degrees_of_freedom[i + 1] - 2
        values = [solution.spline(x) for solution in solutions]
        np.testing.assert_allclose(values[1], 0.5 * (values[0] + values[2]), atol=1e-9)
    # Each knot set differs from the one before by one knot.
    between = np.sqrt(path.strengths[:-1] * path.strengths[1:])
    sets = [set(path.at(strength).spline.biases.tolist()) for strength in between[np.isin(range(len(between)), wide)]]
    for i, (one, other) in enumerate(pairwise(sets)):
        if wide[i + 1] == wide[i] + 1:
            assert len(one ^ other) == 1


def test_each_breakpoint_is_certified_anew():
    problem = random_problem(2, 100)
    path = rs.exact_path(problem, ratio=1e-4)
    assert path.complete
    assert len(path) > 50
    assert (path.relative_gaps <= 1e-8).all()
    for i in range(0, len(path), 10):
        solution = path.at(path.strengths[i])
        certificate = rs.certify(problem.with_strength(path.strengths[i]), solution.spline)
        assert certificate.relative_gap <= 1e-8
        assert certificate.objective == pytest.approx(path.certificates[i].objective, rel=1e-11)
        assert path.losses[i] == pytest.approx(certificate.loss, rel=1e-8)
        assert path.regularizations[i] == pytest.approx(certificate.regularization, rel=1e-8)


def test_samples_of_it_are_a_path():
    problem = random_problem(2, 30)
    exact = rs.exact_path(problem, ratio=0.01)
    strengths = np.geomspace(exact.strengths[0], exact.strengths[-1], 8)
    path, other = exact.sample(strengths[::-1]), rs.regularization_path(problem, strengths)
    np.testing.assert_array_equal(path.strengths, other.strengths)
    np.testing.assert_allclose(path.objectives, other.objectives, rtol=1e-9)
    np.testing.assert_array_equal(path.widths[1:], other.widths[1:])
    assert "breakpoints" in repr(exact)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_saved_path_reopens_and_is_certified_anew(tmp_path, seed):
    path = rs.exact_path(random_problem(seed, 30), ratio=0.01)
    reopened = rs.load(path.save(tmp_path / "path"))
    assert isinstance(reopened, rs.ExactPath)
    assert repr(reopened) == repr(path)
    for name in ("strengths", "losses", "regularizations", "relative_gaps", "degrees_of_freedom", "anew"):
        np.testing.assert_array_equal(getattr(reopened, name), getattr(path, name))
    assert reopened.complete is path.complete
    strength = float(np.sqrt(path.strengths[0] * path.strengths[-1]))
    np.testing.assert_array_equal(reopened.at(strength).dual, path.at(strength).dual)


def test_a_file_that_is_wrong_about_the_knots_is_not_believed(tmp_path):
    path = rs.exact_path(random_problem(2, 30), ratio=0.01)
    arrays = read_arrays(path.save(tmp_path / "path"))
    arrays["signs"] = -arrays["signs"]
    np.savez(tmp_path / "wrong.npz", **arrays)  # pyright: ignore[reportArgumentType] # numpy's stub
    reopened = rs.ExactPath.load(tmp_path / "wrong.npz")
    assert (reopened.relative_gaps <= 1e-8).all()
    np.testing.assert_allclose(reopened.losses, path.losses, rtol=1e-6)
    arrays["places"] = arrays["places"] + 30
    np.savez(tmp_path / "wrong.npz", **arrays)  # pyright: ignore[reportArgumentType] # numpy's stub
    with pytest.raises(ValueError, match=r"wrong.npz does not hold a whole saved exact path: .* at none of the points"):
        rs.ExactPath.load(tmp_path / "wrong.npz")


def test_a_path_of_a_loss_of_ones_own_is_refused_by_files(tmp_path):
    class Own(rs.SquaredLoss):
        """The same by another name."""

    problem = random_problem(2, 12)
    own = rs.Problem(problem.measurements, problem.targets, Own(), strength=1.0)
    with pytest.raises(ValueError, match="has parts that no file holds; save a sample of the path instead"):
        rs.exact_path(own).save(tmp_path / "path")
    assert not list(tmp_path.iterdir())


def test_where_the_path_is_lost_it_begins_anew(monkeypatch):
    problem = random_problem(2, 40)
    whole = rs.exact_path(problem, ratio=0.01)
    following, calls = homotopy._Follower._next, []

    def astray(self, *arguments):
        """Every tenth event is a knot that does not belong."""
        calls.append(1)
        event, place, sign = following(self, *arguments)
        if len(calls) % 10 == 0 and event > 0:
            return event, (place + 7) % 38 + 1, -sign if sign else 1
        return event, place, sign

    monkeypatch.setattr(homotopy._Follower, "_next", astray)
    path = rs.exact_path(problem, ratio=0.01)
    assert path.anew.any()
    assert not path.complete
    assert (path.relative_gaps <= 1e-8).all()
    assert path.strengths[-1] == pytest.approx(whole.strengths[-1])
    for strength in np.geomspace(path.strengths[0], path.strengths[-1], 30):
        assert path.at(strength).objective == pytest.approx(whole.at(strength).objective, rel=1e-8)


def test_an_interrupt_keeps_what_was_followed(monkeypatch):
    problem, calls = random_problem(2, 40), []
    certified = homotopy.certify

    def interrupt(*arguments):
        calls.append(1)
        if len(calls) == stop:
            raise KeyboardInterrupt
        return certified(*arguments)

    monkeypatch.setattr(homotopy, "certify", interrupt)
    stop = 6
    path = rs.exact_path(problem)
    assert path.interrupted
    assert not path.complete
    assert len(path) == len(path.degrees_of_freedom) == 5
    assert path.at(path.strengths[-1]).certificate.relative_gap <= 1e-8
    with pytest.raises(ValueError, match="path ends at"):
        path.at(0.5 * path.strengths[-1])
    stop, calls[:] = 1, []
    with pytest.raises(KeyboardInterrupt):
        rs.exact_path(problem)


def test_what_has_no_exact_path_is_refused():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(12), rng.standard_normal(12)
    for other in (
        rs.Problem(rs.Samples(x), y, rs.AbsoluteLoss(), strength=1.0),
        rs.Problem(rs.Samples(x), y, regularizer=rs.RadonTV(3), strength=1.0),
        rs.Problem(rs.Samples(rng.standard_normal((12, 2))), y, strength=1.0),
    ):
        with pytest.raises(ValueError, match="exact path is known for the squared loss"):
            rs.exact_path(other)
    problem = rs.Problem(rs.Samples(x), y, strength=1.0)
    with pytest.raises(ValueError, match="ratio must be between 0 and 1"):
        rs.exact_path(problem, ratio=1.5)
    with pytest.raises(ValueError, match="gap must be between 0 and 1"):
        rs.exact_path(problem, gap=0.0)
    with pytest.raises(ValueError, match="targets are a polynomial"):
        rs.exact_path(rs.Problem(rs.Samples(x), 2 * x - 1, strength=1.0))
    with pytest.raises(ValueError, match="strength must be positive"):
        rs.exact_path(problem).at(0.0)
    with pytest.raises(TypeError, match="problem must be a Problem"):
        rs.exact_path(x)  # pyright: ignore[reportArgumentType]
