"""Options of the wrong type or out of range are refused in one sentence, before any work."""

from __future__ import annotations

import re

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.checks import check_count, check_number, check_seconds, is_number, is_one_of


def test_truth_values_and_text_are_no_numbers() -> None:
    assert is_number(1)
    assert is_number(np.float32(1))
    assert is_number(np.int64(1))
    assert not is_number(True)
    assert not is_number("1")
    assert not is_number([1])
    assert not is_number(np.datetime64("2020"))


def test_what_cannot_be_hashed_is_not_one_of_the_names() -> None:
    assert is_one_of("a", {"a": 1})
    assert not is_one_of(["a"], ("a",))
    assert not is_one_of(None, ("a",))


@pytest.mark.parametrize(
    ("check", "error", "message"),
    [
        (lambda: check_count("rounds", 0), ValueError, "rounds must be at least 1, got 0."),
        (lambda: check_count("rounds", True), TypeError, "rounds must be a whole number, got True."),
        (lambda: check_count("rounds", 1.5), TypeError, "rounds must be a whole number, got 1.5."),
        (lambda: check_seconds("prove", np.nan), ValueError, "prove must be a positive number of seconds or None"),
        (lambda: check_number("x", "a", "odd", bool), TypeError, "x must be odd, got 'a'."),
    ],
)
def test_messages(check, error, message) -> None:
    with pytest.raises(error, match=re.escape(message)):
        check()


@pytest.mark.parametrize("solver", [rs.ColumnGeneration, rs.LineSpline, rs.ConvexProgram])
@pytest.mark.parametrize(("gap", "error"), [(0, ValueError), (1, ValueError), ("small", TypeError), ([1], TypeError)])
def test_every_solver_refuses_a_gap_that_is_no_fraction(solver, gap, error) -> None:
    with pytest.raises(error, match="gap must be between 0 and 1, a fraction of the objective, got"):
        solver(gap=gap)


@pytest.mark.parametrize("solver", [rs.ColumnGeneration, rs.LineSpline])
def test_limits(solver) -> None:
    with pytest.raises(TypeError, match="time_limit must be a positive number of seconds or None, got 'a'"):
        solver(time_limit="a")
    with pytest.raises(ValueError, match="iteration_limit must be at least 1, got 0"):
        solver(iteration_limit=0)


@pytest.mark.parametrize(
    "take",
    [
        rs.solve,
        rs.reweight,
        rs.train,
        rs.regularization_path,
        rs.ColumnGeneration().solve,
        rs.LineSpline().solve,
        rs.ConvexProgram().solve,
        lambda problem: rs.ConvexProgram().solve_path(problem, [1.0]),
        lambda problem: rs.certify(problem, rs.RidgeSpline([[1.0]], [0.0], [1.0])),
    ],
)
def test_what_takes_a_problem_refuses_anything_else(take) -> None:
    with pytest.raises(TypeError, match="problem must be a Problem, got int"):
        take(3)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"weight_norm": [1]}, ValueError, "weight_norm must be 1, 2 or inf, got [1]."),
        ({"weight_norm": True}, ValueError, "weight_norm must be 1, 2 or inf, got True."),
        ({"bias": ["free"]}, ValueError, 'bias must be "none", "free", "joint" or a bound B > 0'),
        ({"skip": ["none"]}, ValueError, 'skip must be "none", "constant" or "affine", got'),
        ({"nonnegative": "yes"}, TypeError, "nonnegative must be True or False, got 'yes'."),
    ],
)
def test_options_of_the_atomic_norm(options, error, message) -> None:
    with pytest.raises(error, match=re.escape(message)):
        rs.AtomicNorm(**options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"patterns": "many"}, TypeError, "patterns must be a whole number, got 'many'."),
        ({"patterns": 3, "form": "knots"}, ValueError, "patterns are for form=\"arrangement\", got form='knots'."),
        ({"most": -3}, ValueError, "most must be at least 1, got -3."),
        ({"form": ["knots"]}, ValueError, 'form must be "arrangement", "dictionary" or "knots", got'),
        ({"form": "dictionary", "neurons": 3}, TypeError, "neurons must be Neurons(weights, biases), got int."),
    ],
)
def test_options_of_the_convex_program(options, error, message) -> None:
    with pytest.raises(error, match=re.escape(message)):
        rs.ConvexProgram(**options)


@pytest.mark.parametrize("seconds", ["a", [1]])
def test_a_proof_takes_seconds(seconds) -> None:
    problem = rs.Problem(rs.Samples([[0.0], [1.0], [3.0]]), [0.0, 1.0, 0.0], strength=0.1)
    with pytest.raises(TypeError, match="prove must be a positive number of seconds or None"):
        rs.certify(problem, rs.RidgeSpline([[1.0]], [0.0], [1.0]), prove=seconds)
