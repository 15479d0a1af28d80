"""Side-by-side tables tell what the solvers found, pictures show it, and reweighting is honest about what it costs."""

from __future__ import annotations

import csv
import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import rich.console

import ridgesplines as rs
from ridgesplines.oracles import Neurons
from ridgesplines.plotting import plot_comparison

mpl.use("Agg")


def data(dimension: int, count: int = 10) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(dimension)
    x = rng.uniform(-1, 1, (count, dimension))
    return x, np.sin(3 * x.sum(axis=1))


def questions(dimension: int) -> dict[str, rs.Problem]:
    x, y = data(dimension)
    members = {"path norm": rs.RadonTV(), "penalised_biases": rs.AtomicNorm(bias="joint", skip="none")}
    return {name: rs.Problem(rs.Samples(x), y, rs.Interpolation(), member) for name, member in members.items()}


METHODS = {"certified": rs.ColumnGeneration(), "cvxpy": rs.ConvexProgram(), "few patterns": rs.ConvexProgram(most=3)}


@pytest.fixture(scope="module", params=[1, 2])
def comparison(request) -> rs.Comparison:
    return rs.compare(questions(request.param), METHODS)


def test_every_problem_meets_every_solver(comparison):
    assert [(row.name, row.solver) for row in comparison.rows] == [(n, s) for n in questions(1) for s in METHODS]
    for name, problem in questions(comparison[0].problem.measurements.dimension).items():
        alone = METHODS["certified"].solve(problem)
        row = comparison[name, "certified"]
        assert row.solution.objective == alone.objective
        assert row.sparse.width <= problem.representer_bound
        assert comparison[name, "cvxpy"].solution.objective == pytest.approx(alone.objective, rel=1e-6)
        refused = comparison[name, "few patterns"]
        assert refused.solution is None
        assert "more than the 3 of `most`" in refused.refusal


def test_the_tables_say_the_same(comparison):
    records = list(csv.DictReader(io.StringIO(comparison.to_csv())))
    assert len(records) == len(comparison) == 6
    console = rich.console.Console(width=400, record=True, file=io.StringIO())
    console.print(comparison)
    shown, plain, latex = console.export_text(), str(comparison), comparison.to_latex()
    for row, record in zip(comparison.rows, records, strict=True):
        assert (record["problem"], record["solver"]) == (row.name, row.solver)
        if row.solution is None:
            assert record["refusal"] == row.refusal
            assert row.refusal in shown
            continue
        certificate = row.solution.certificate
        # Full precision, read back exactly.
        assert float(record["objective"]) == certificate.objective
        assert float(record["bound"]) == certificate.bound
        assert float(record["cost"]) == certificate.regularization
        assert (int(record["neurons"]), int(record["sparsified"])) == (row.solution.spline.width, row.sparse.width)
        for text in (shown, plain, latex):
            assert f"{certificate.objective:.7g}" in text
    assert latex.startswith("\\begin{tabular}{llrrlrrrrl}\n\\toprule\nproblem & solver & objective")
    assert "penalised\\_biases" in latex
    assert latex.count("\\\\") == 7


def test_the_picture_has_a_panel_per_solution(comparison):
    figure = plot_comparison(comparison)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert len(titles) == 4
    width = comparison["path norm", "certified"].solution.certificate.width
    assert titles[0].startswith(f"path norm, certified\n{width} neurons, cost ")
    plt.close(figure)


def test_one_problem_and_one_solver_need_no_names():
    (problem, _) = questions(1).values()
    comparison = rs.compare(problem)
    assert [(row.name, row.solver) for row in comparison.rows] == [("", "ColumnGeneration")]
    assert "problem" not in str(comparison).splitlines()[0]
    assert comparison["ColumnGeneration"] is comparison[0]
    with pytest.raises(KeyError, match="'nonsense' names 0 rows"):
        comparison["nonsense"]


def test_what_is_no_problem_and_no_solver_is_refused():
    problem = questions(1)["path norm"]
    with pytest.raises(TypeError, match="problems must be Problems, got int for 'one'"):
        rs.compare({"one": 1})
    with pytest.raises(TypeError, match="instances with a method solve, got ColumnGeneration for 'best'"):
        rs.compare(problem, {"best": rs.ColumnGeneration})
    with pytest.raises(ValueError, match="one problem and one solver at least"):
        rs.compare({})
    refused = rs.compare(questions(2)["path norm"], rs.ConvexProgram("knots"))
    with pytest.raises(ValueError, match="no solution to draw"):
        plot_comparison(refused)


# Reweighting


def test_reweighting_finds_planted_neurons_that_the_seminorm_does_not():
    # Two neurons, and small λ: the convex optimum mixes in others.
    rng = np.random.default_rng(4)
    x = rng.uniform(-1, 1, (25, 2))
    planted = rs.RidgeSpline([[1.0, 0.0], [0.6, 0.8]], [0.1, -0.2], [1.0, -2.0])
    candidates = Neurons(*map(np.concatenate, zip(
        (planted.weights, planted.biases), (rng.standard_normal((150, 2)), rng.standard_normal(150)), strict=True
    )))  # fmt: skip
    y = planted(x) + 0.02 * rng.standard_normal(25)
    problem = rs.Problem(rs.Samples(x), y, strength=0.005)
    dense = rs.ConvexProgram("dictionary", candidates).solve(problem)
    sparse = rs.reweight(problem, neurons=candidates)
    assert sparse.spline.width == 2 < dense.spline.width
    # Their directions, or those of a neighbour among the candidates: one of 152 within a degree.
    np.testing.assert_allclose(np.abs(sparse.spline.weights[:, 0]), [0.6, 1.0], atol=1e-2)
    # The certificate is that of the problem as it stands.
    optimum = rs.solve(problem)
    assert sparse.certificate.bound <= optimum.objective <= sparse.objective
    assert sparse.details["heuristic"] == "reweighting"
    assert "reweighting" not in optimum.details


def test_reweighting_meets_constraints_and_never_widens():
    for problem in questions(2).values():
        sparse, best = rs.reweight(problem, rounds=3), rs.solve(problem)
        assert sparse.certificate.misfit <= problem.loss.allowance(problem.targets)
        assert sparse.spline.width <= problem.representer_bound
        assert sparse.objective >= best.certificate.bound


def test_senseless_arguments_of_reweighting_are_refused():
    problem = questions(1)["path norm"]
    with pytest.raises(TypeError, match="problem must be a Problem, got Samples"):
        rs.reweight(problem.measurements)
    for options in ({"rounds": 0}, {"floor": 0.0}, {"floor": 1.0}):
        with pytest.raises(ValueError, match="rounds must be at least 1 and floor between 0 and 1"):
            rs.reweight(problem, **options)
