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
from ridgesplines.plotting_comparison import plot_comparison, plot_gaps

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
        assert float(record["bound"]) == row.bound >= certificate.bound
        assert float(record["cost"]) == certificate.regularization
        assert (int(record["neurons"]), int(record["sparsified"])) == (row.solution.spline.width, row.sparse.width)
        for text in (shown, plain, latex):
            assert f"{certificate.objective:.7g}" in text
    assert latex.startswith("\\begin{tabular}{llrrlrrrrrrl}\n\\toprule\nproblem & solver & objective")
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


# Trained networks and kernels beside the certified optimum

EVERYTHING = {
    "certified": rs.ColumnGeneration(),
    "cvxpy": rs.ConvexProgram(),
    "trained": rs.NetworkTraining(width=12, steps=200, seeds=3),
    "kernel ridge": rs.KernelRegression(),
}


def beside(dimension: int, labels: bool = False) -> rs.Comparison:
    x, y = data(dimension, 20)
    new = data(dimension + 10, 30)[0][:, :dimension]
    truth = np.sin(3 * new.sum(axis=1))
    loss = None
    if labels:
        y, truth, loss = np.where(y > 0, 1.0, -1.0), np.where(truth > 0, 1.0, -1.0), rs.LogisticLoss()
    problem = rs.Problem(rs.Samples(x), y, loss, strength=0.1)
    return rs.compare(problem, EVERYTHING, test=(new, truth))


@pytest.fixture(scope="module", params=[1, 2])
def everything(request) -> rs.Comparison:
    return beside(request.param)


def test_trained_networks_show_all_their_seeds_and_gaps_to_the_best_bound(everything):
    certified, cvxpy, trained, _ = everything.rows
    assert len(trained.objectives) == 3
    assert trained.solution.objective == trained.objectives.min()
    bound = max(row.solution.certificate.bound for row in (certified, cvxpy, trained))
    for row in everything.rows:
        assert row.bound == bound
        assert (row.objectives >= bound).all()
        np.testing.assert_allclose(row.relative_gaps, (row.objectives - bound) / row.objectives, atol=1e-15)
    # The network is certified by the optimum's dual vector, not by its own.
    known = max(row.solution.certificate.bound for row in (certified, cvxpy))
    assert trained.solution.certificate.bound == pytest.approx(known, rel=1e-9)
    assert trained.raw_width == 12 >= trained.solution.spline.width
    assert certified.raw_width == certified.solution.spline.width
    records = list(csv.DictReader(io.StringIO(everything.to_csv())))
    assert float(records[2]["median"]) == np.median(trained.objectives)
    assert float(records[2]["spread"]) == np.ptp(trained.objectives)
    assert f"{np.median(trained.objectives):.7g}" in str(everything)
    assert records[0]["median"] == ""


def test_a_kernel_s_fit_has_a_cost_on_the_line_and_dashes_elsewhere(everything):
    certified, _, _, kernel = everything.rows
    cells = kernel.cells()
    assert kernel.solution is None
    assert (cells["neurons"], cells["raw"]) == ("–", "–")
    if kernel.problem.measurements.dimension == 1:
        cost = kernel.kernel.radon_tv()
        missed = kernel.kernel(kernel.problem.measurements.points) - kernel.problem.targets
        assert kernel.cost == cost
        assert kernel.objectives[0] == pytest.approx(0.5 * missed @ missed + 0.1 * cost)
        assert kernel.relative_gaps[0] > certified.relative_gaps[0]
    else:
        assert kernel.cost is None
        assert (cells["objective"], cells["cost"], cells["relative gap"]) == ("–", "–", "–")
    assert "--" in everything.to_latex()


def test_functions_are_compared_with_the_optimum_and_on_test_data(everything):
    best = min(everything.rows[:2], key=lambda row: row.objectives[0])
    x, y = everything[0].problem.measurements.points, everything[0].problem.targets
    new, rng = data(x.shape[1] + 10, 30)[0][:, : x.shape[1]], np.random.default_rng(5)
    for row in everything.rows:
        missed = row.function(new) - np.sin(3 * new.sum(axis=1))
        assert row.test_error == pytest.approx(np.sqrt(np.mean(missed**2)))
        if row is best:
            assert row.distance is None
            continue
        # Another draw of points between pairs of data.
        ends = x[rng.integers(0, len(x), (2, 20_000))]
        between = ends[0] + rng.random((20_000, 1)) * (ends[1] - ends[0])
        apart = np.sqrt(np.mean((row.function(between) - best.function(between)) ** 2)) / y.std()
        assert row.distance == pytest.approx(apart, rel=0.2)


def test_wrong_labels_are_counted():
    comparison = beside(2, labels=True)
    new = data(12, 30)[0][:, :2]
    truth = np.where(np.sin(3 * new.sum(axis=1)) > 0, 1.0, -1.0)
    for row in comparison.rows:
        assert row.test_error == np.mean(np.sign(row.function(new)) != truth)
    assert (comparison["trained"].objectives >= comparison["certified"].solution.certificate.bound).all()


def test_the_pictures_show_functions_and_gaps(everything):
    figure = plot_comparison(everything)
    assert len([ax for ax in figure.axes if ax.get_title()]) == 4
    plt.close(figure)
    figure = plot_gaps(everything)
    gaps, _, errors = figure.axes
    seeds = gaps.collections[0].get_offsets()
    expected = np.concatenate([row.relative_gaps for row in everything.rows])
    np.testing.assert_allclose(np.sort(seeds[:, 0]), np.sort(np.maximum(expected, 1e-16)))
    assert [label.get_text() for label in gaps.get_yticklabels()] == [row.solver for row in everything.rows]
    assert [bar.get_width() for bar in errors.patches] == [row.test_error for row in everything.rows]
    plt.close(figure)


def test_test_data_that_do_not_fit_are_refused():
    problem = questions(2)["path norm"]
    with pytest.raises(ValueError, match="test must be a pair of inputs and targets"):
        rs.compare(problem, test=1)
    with pytest.raises(ValueError, match=r"inputs \(M, 2\) and targets \(M\), got \(5, 3\) and \(5,\)"):
        rs.compare(problem, test=(np.ones((5, 3)), np.ones(5)))
    with pytest.raises(ValueError, match="the test targets must be finite"):
        rs.compare(problem, test=(np.ones((2, 2)), [1.0, np.nan]))


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
