"""The experiments run; the figures of the first fit redraw from what it saved."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from helpers import icosphere

import ridgesplines as rs
from experiments.benchmarks import command, measuring, peers, search_quality, tables
from experiments.benchmarks.cases import SolveCase
from experiments.benchmarks.peer_training import Limits, Network
from experiments.benchmarks.rows import ROWS, Row
from experiments.first_fit import draw, run
from experiments.inverse_problems import __main__ as inverse_command
from experiments.inverse_problems import cases as inverse
from experiments.inverse_problems import draw as draw_inverse
from experiments.inverse_problems import methods as inverse_methods
from experiments.inverse_problems import run as run_inverse
from experiments.inverse_problems.discretized import GridFits, Nodes, measured
from experiments.kumar_haupt_2020 import draw as draw_sets
from experiments.kumar_haupt_2020 import fewest, sets
from experiments.kumar_haupt_2020 import run as run_sets
from experiments.line import draw as draw_line
from experiments.line import methods, series
from experiments.line import run as line
from experiments.radon import draw as draw_radon
from experiments.radon import run as radon
from experiments.trained_versus_certified import draw as draw_training
from experiments.trained_versus_certified import run as training
from experiments.trained_versus_certified import seeds as six
from experiments.trained_versus_certified import sparsity
from experiments.williams_2021 import draw as draw_surfaces
from experiments.williams_2021 import methods as surface_methods
from experiments.williams_2021 import run as run_surfaces


def test_results_are_saved_certified_and_redrawn(monkeypatch, tmp_path, capsys):
    fits = tuple(fit for fit in run.FITS if fit.dataset == "motorcycle")
    for module in (run, draw):
        monkeypatch.setattr(module, "FITS", fits)
    run.run(tmp_path / "results")
    (row,) = json.loads((tmp_path / "results" / "times.json").read_text())["rows"]
    assert row["kind"] == "exact"
    assert row["relative_gap"] <= 1e-6
    assert f"| {row['neurons']} ({row['representer_bound']}) |" in capsys.readouterr().out
    solution = rs.Solution.load(tmp_path / "results" / "motorcycle.npz")
    assert solution.objective == pytest.approx(row["objective"])
    draw.draw(tmp_path / "results", tmp_path / "pictures")
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["motorcycle.png"]


@pytest.mark.long
def test_trained_networks_are_tabled_above_the_bound_and_drawn(monkeypatch, tmp_path, capsys):
    ways = training.WAYS[:2]
    for module in (training, draw_training):
        monkeypatch.setattr(module, "WAYS", ways)
    training.run(tmp_path, training.CASES[:1], steps=100)
    rows = json.loads((tmp_path / "table.json").read_text())["rows"]
    assert [row["training"] for row in rows] == [way for way, _ in ways]
    for row in rows:
        assert row["kind"] == "exact"
        assert min(row["gaps"]) >= 0
        assert len(row["gaps"]) == len(row["neurons"]) == training.SEEDS
    assert capsys.readouterr().out.count("| motorcycle (d = 1) (44) |") == len(ways)
    draw_training.draw(tmp_path, tmp_path / "pictures", training.CASES[:1])
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert names == {"motorcycle_curves.png", "motorcycle_neurons.png"}


def test_ridge_splines_on_the_line_stand_beside_the_classics(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(methods, "RATIO", 1e-3)
    monkeypatch.setattr(series, "BESIDE", tmp_path)
    monkeypatch.setattr(series, "_bundled", lambda name: None)
    chosen = ("order 2, λ by GCV", "order 4, λ by GCV", *methods.CLASSICS)
    line.run(tmp_path, ("motorcycle", "sunspots"), chosen)
    rows = {row["method"]: row for row in json.loads((tmp_path / "table.json").read_text())["rows"]}
    assert "| sunspots | skipped: sunspots.csv" in capsys.readouterr().out
    assert {row["data"] for row in rows.values()} == {"motorcycle"}
    assert rows["order 2, λ by GCV"]["kind"] == rows["order 4, λ by GCV"]["kind"] == "exact"
    # The noise of these data is about 20 g; the raw data deviate by 48.
    assert all(row["error"] < 25 for row in rows.values())
    # The same problem, solved by another solver.
    assert rows["ℓ1 trend filtering (cvxpy)"]["error"] == pytest.approx(rows["order 2, λ by GCV"]["error"], rel=1e-4)
    assert rows["P-spline (GCV)"]["error"] == pytest.approx(rows["smoothing spline (SciPy, GCV)"]["error"], rel=0.1)
    draw_line.draw(tmp_path, tmp_path / "pictures")
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {"motorcycle.png", "solutions.png"}


@pytest.mark.long
def test_proximal_training_is_sparser_than_weight_decay_on_its_way_at_an_objective_as_low(tmp_path, capsys):
    case = training.Case("wave", "a wave", six.CASES[0].make)
    ((proximal, decay, path),) = sparsity.run(tmp_path, (case,), seeds=6, steps=1500)
    # Exact zeros, halfway already; gradient steps on either penalty only make neurons small.
    halfway = len(proximal.steps) // 2
    assert proximal.nonzero[halfway] < 0.8 * proximal.width
    assert proximal.nonzero[-1] <= proximal.nonzero[halfway]
    assert path.nonzero[-1] == path.width
    assert decay.nonzero[halfway] > proximal.nonzero[halfway]
    assert np.median(proximal.merged) <= np.median(decay.merged)
    assert np.median(proximal.final) <= max(2 * np.median(decay.final), 0.01)
    assert min(min(course.final) for course in (proximal, decay, path)) >= 0
    assert capsys.readouterr().out.count("| a wave (24) |") == 3
    assert json.loads((tmp_path / "sparsity.json").read_text())[0][0]["nonzero"] == proximal.nonzero
    assert (tmp_path / "sparsity.png").stat().st_size > 10_000


def test_each_constraint_set_is_interpolated_certified_counted_and_drawn(tmp_path, capsys):
    few = tuple(which for which in sets.SETS if which.key in ("radon_tv", "joint_affine", "no_bias", "nonnegative"))
    rows = run_sets.run(tmp_path / "results", few, sets.CLASSIFIERS[1:2])
    assert [row.where for row in rows] == 3 * ["line"] + 4 * ["plane"]
    for row in rows:
        assert row.kind == "exact"
        assert row.relative_gap <= 1e-7
        assert row.merged <= row.sparsified <= row.neurons
        assert row.reweighted is not None
        if row.fewest is not None:
            assert row.fewest <= min(row.merged, row.reweighted)
    # Radon TV on the line: all slope changes of one run are merged in pairs.
    assert rows[0].merged == rows[0].fewest
    facts = json.loads((tmp_path / "results" / "table.json").read_text())
    assert [row["constraints"] for row in facts["rows"]] == [row.constraints for row in rows]
    (refused,) = facts["refused"].items()
    assert refused[0].startswith("line: ℓ2, no biases")
    assert "whatever its width" in refused[1]
    assert (tmp_path / "results" / "table.md").read_text().splitlines()[2:] == [row.markdown() for row in rows]
    assert "5 of 60 data misclassified" in capsys.readouterr().out
    draw_sets.draw(tmp_path / "results", tmp_path / "pictures", few, sets.CLASSIFIERS[1:2])
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert names >= {"all_line.png", "all_plane.png", "classes.png", "no_bias_plane.png", "nonnegative_line.png"}
    assert len(names) == 10


def test_the_fewest_knots_are_those_of_the_theorem():
    rng = np.random.default_rng(0)
    for count in (2, 3, 4, 7, 15, 40):
        for y in (rng.standard_normal(count), rng.integers(0, 3, count).astype(float), np.arange(count) ** 2.0):
            x = np.cumsum(rng.integers(1, 3, count)).astype(float)
            problem = rs.Problem(rs.Samples(x[:, None]), y, rs.Interpolation())
            # Σ ⌈p/2⌉ over the runs of one curvature.
            expected = rs.solution_set(problem, rs.solve(problem)).sparsest.width if count > 2 else 0
            assert fewest.fewest_knots(x, y) == expected


def test_knots_with_penalised_biases_are_set_beside_the_fewest(shared, tmp_path, capsys):
    rows = run_sets.run_line(shared / "reference" / "line_order2.json", tmp_path)
    for row in rows:
        assert row["kind"] == "exact"
        assert (row["merged"] == row["fewest"]) == (row["longest_run"] < 4)
    assert [row["name"] for row in json.loads((tmp_path / "line.json").read_text())] == [row["name"] for row in rows]
    assert capsys.readouterr().out.count("(exact)") == len(rows)
    with pytest.raises(ValueError, match="there is no file"):
        run_sets.run_line(tmp_path / "missing.json", tmp_path)


def test_the_quality_of_the_searches_is_measured(capsys):
    families = (search_quality.Family(2, 2, 20, strength=0.3), search_quality.Family(2, 3, 20, outputs=2))
    search_quality.print_table(families, 3)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[5] for row in rows] == ["ascent", "search", "search, 512 starts", "ascent"]
    assert all(row[6] == "100.0%" and float(row[7]) <= 1e-9 for row in rows)


@pytest.mark.long
def test_every_row_of_the_benchmarks_is_measured_printed_and_drawn(tmp_path, capsys):
    folder = ["--quick", "--folder", str(tmp_path)]
    assert command.main(["--markdown", *folder]) == 0
    printed = capsys.readouterr().out
    for key, row in ROWS.items():
        assert row.title in printed
        records = json.loads((tmp_path / "quick" / f"{key}.json").read_text())["records"]
        assert len(records) >= len(row.quick)
        for record in records:
            assert record["seconds"] > 0
            assert record.get("status", "converged") in ("converged", "optimal")
            assert record.get("relative_gap", 0) <= 1e-6
        assert (tmp_path / "quick" / f"{key}.png").is_file()
    assert "seed 0" in printed
    assert "objectives differ by" in printed
    # The table again, without measuring.
    assert command.main(["draw", "--markdown", *folder]) == 0
    assert capsys.readouterr().out == printed


def test_a_case_is_measured_apart_and_a_failure_is_a_row():
    case = SolveCase("line", 20, 1, scale=0.006)
    (record,) = measuring.measure_apart(case, 60)
    assert record["status"] == "converged"
    assert record["memory"] > 10
    (failed,) = measuring.measure_apart(SolveCase("too few", 2, 3, scale=1.0), 60)
    assert failed == {"series": "too few", "size": 2, "status": "failed"}


def test_an_interrupt_keeps_what_is_done(monkeypatch, tmp_path, capsys):
    cases = tuple(SolveCase("line", size, 1, scale=0.006) for size in (10, 20))
    monkeypatch.setitem(ROWS, "line", Row("A line", cases, cases))

    def measure(case, limit):
        if case.size == 20:
            raise KeyboardInterrupt
        return [{"series": case.series, "size": case.size, "seconds": 1.0}]

    monkeypatch.setattr(measuring, "measure_here", measure)
    assert command.main(["run", "line", "--quick", "--folder", str(tmp_path)]) == 130
    assert "interrupted" in capsys.readouterr().out
    (record,) = json.loads((tmp_path / "quick" / "line.json").read_text())["records"]
    assert record["size"] == 10


def test_the_growth_of_seconds_is_fitted_to_what_finished():
    records = [{"series": "a", "size": n, "seconds": 3e-6 * n**2, "status": "converged"} for n in (10, 100, 1000)]
    assert tables.exponent(records) == pytest.approx(2)
    limited = {"series": "a", "size": 10_000, "seconds": 1.0, "status": "time limit"}
    assert tables.exponent([*records, limited]) == pytest.approx(2)
    assert tables.exponent(records[:2]) is None


@pytest.mark.parametrize("problem", [peers.PLANTED, peers.DIABETES])
def test_a_network_of_a_peer_is_evaluated_by_the_objective_that_it_was_trained_for(monkeypatch, problem):
    count, lam = 30, 0.05
    rng = np.random.default_rng(2)
    inputs, targets = problem.inputs(count), problem.data(count)[1]
    network = Network(rng.standard_normal((7, inputs.shape[1])), rng.standard_normal(7))
    worse = Network(network.weights, network.coefficients + 5)

    def train(points, values, strength, limits, limit):
        assert strength == lam
        assert len(points) == len(values) <= count
        return [worse, network]

    monkeypatch.setattr(peers, "missing", lambda: "")
    monkeypatch.setattr(peers, "PEERS", {"guess": train})
    ours, theirs = peers.PeerCase("peers", count, problem, lam, Limits.tiny()).records(60, repeats=1)
    residuals = np.maximum(inputs @ network.weights.T, 0) @ network.coefficients - targets
    penalty = np.abs(network.coefficients) @ np.linalg.norm(network.weights, axis=1)
    assert theirs["objective"] == pytest.approx(residuals @ residuals / (2 * count) + lam * penalty, rel=1e-12)
    assert theirs["neurons"] == 7
    assert theirs["above"] > ours["above"] >= 0
    assert ours["status"] == "converged"
    # The guess is poor: an early iteration is as good.
    assert theirs["reached"] == next(row[0] for row in ours["trace"] if row[1] <= theirs["objective"])


def test_what_to_install_is_said_where_peers_are_missing(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(peers, "missing", lambda: "To compare install them.")
    assert command.main(["run", "peers", "--quick", "--folder", str(tmp_path)]) == 0
    assert "To compare install them." in capsys.readouterr().out


@pytest.mark.long
def test_surfaces_are_tabled_beside_screened_poisson_and_drawn(monkeypatch, tmp_path, capsys):
    pytest.importorskip("skimage", reason="the extra `surfaces`")
    pytest.importorskip("trimesh", reason="the extra `surfaces`")
    for folder in ("meshes", "oriented_points"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(run_surfaces, "BESIDE", tmp_path)
    vertices, faces = icosphere(1000)
    rs.surfaces.write_mesh(tmp_path / "meshes" / "ball.ply", vertices, faces)
    rs.surfaces.write_cloud(tmp_path / "oriented_points" / "few.ply", vertices[::5], vertices[::5])
    names = (surface_methods.UNIFORM, surface_methods.TUNED)
    chosen = {name: surface_methods.METHODS[name] for name in names}
    study = replace(run_surfaces.CLEAN, methods=chosen, shapes=("ball", "absent"), seeds=1, count=150)
    rows = run_surfaces.run(tmp_path / "results", study)
    printed = capsys.readouterr().out
    assert "| absent | skipped: there is no absent.ply" in printed
    assert rows[0].method == surface_methods.UNIFORM
    # The faceted ball is 0.002 off the round one; 150 points on it are 0.29 apart.
    assert rows[0].chamfer < 3e-3
    assert rows[0].iou > 0.99
    assert rows[0].watertight
    if len(rows) == 1:
        assert f"| ball | {surface_methods.TUNED}, skipped: PyMeshLab cannot be used" in printed
    facts = json.loads((tmp_path / "results" / "table.json").read_text())
    assert [row["chamfer"] for row in facts["rows"]] == [row.chamfer for row in rows]
    assert run_surfaces.markdown("ball", rows[0].method, rows[:1]) in (tmp_path / "results" / "table.md").read_text()
    draw_surfaces.draw(tmp_path / "results", tmp_path / "pictures", study)
    draw_surfaces.draw(tmp_path / "results", tmp_path / "pictures", run_surfaces.NOISY)
    assert "nothing to draw of the study noise" in capsys.readouterr().out
    assert (tmp_path / "pictures" / "surfaces.png").read_bytes()[:4] == b"\x89PNG"
    (cloud,) = run_surfaces.run_clouds(tmp_path / "results", ("few", "absent"), names[:1])
    assert cloud["watertight"]
    assert cloud["mean"] < 1e-3


def test_the_goals_compare_the_same_clouds():
    def row(method: str, seed: int, chamfer: float) -> run_surfaces.TableRow:
        return run_surfaces.TableRow("cube", seed, method, chamfer, 0, 0, 0, 0, True, 1, 0, 0, "")

    study = run_surfaces.CLEAN
    ours, tuned, default = surface_methods.UNIFORM, surface_methods.TUNED, surface_methods.DEFAULT
    rows = [row(ours, 0, 1.0), row(ours, 1, 3.0), row(tuned, 0, 2.0), row(tuned, 1, 2.0), row(default, 0, 8.0)]
    # Not all clouds have been done by the last method.
    assert list(run_surfaces.goals(study, rows).values()) == [1.0, 1.5]
    reached = run_surfaces.goals(study, [*rows, row(default, 1, 8.0)])
    assert list(reached.values()) == [1.0, 0.25, 1.5]
    assert tuple(reached) == study.goals


def test_every_goal_is_about_methods_of_its_study():
    for study in run_surfaces.STUDIES.values():
        assert {name for goal in study.goals for name in (goal.ours, goal.theirs)} <= study.methods.keys()


def test_noise_has_the_deviation_that_is_asked_for():
    sphere = rs.surfaces.Mesh(*icosphere(1000))
    noisy = run_surfaces.NOISY
    points, normals, scale = noisy.cloud(sphere, 3)
    clean, straight = rs.surfaces.sample_mesh(*sphere, noisy.count, 3)
    # 3000 numbers: five standard errors are 6.5%. The sphere has the radius 1, the ball that holds it 0.9 in its units.
    assert (points - clean).std() == pytest.approx(0.005 * 2, rel=0.065)
    assert scale == pytest.approx(1 / 0.9, rel=0.01)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
    # Two components of the noise turn a unit vector.
    turned = np.linalg.norm(normals - straight, axis=1)
    assert np.sqrt(np.mean(turned**2)) == pytest.approx(0.1 * 2**0.5, rel=0.065)


def test_measures_are_drawn_over_the_density_of_the_target(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(radon, "COUNT", 30)
    monkeypatch.setattr(radon, "pyramid", radon.target)
    radon.run(tmp_path)
    rows = {row["function"]: row["value"] for row in json.loads((tmp_path / "seminorms.json").read_text())["rows"]}
    assert rows["exp(−|x|²/2), d = 2"] == pytest.approx(4.7685, rel=1e-3)
    assert rows["target"] == rows["max(0, 1 − |x|_1)"]
    assert capsys.readouterr().out.count("(exact)") == 2
    draw_radon.draw(tmp_path, tmp_path / "pictures")
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["radon.png"]


INVERSE = {
    "tomography_folds": partial(inverse.tomography, "folds", 3, 3, 0.05),
    "deblurring_line": partial(inverse.blurred_line, 8, 0.05, 0.03),
    "averages_plane": partial(inverse.pixels, 3, 0.05),
    "derivatives_line_3": partial(inverse.slopes, 1, 3, 3, 0.05),
    "elevation_jacksboro_transects": partial(inverse.elevation, "Jacksboro", "transects", 3, 40.0),
}


@pytest.mark.long
def test_inverse_problems_are_certified_sparse_and_tabled_beside_their_peers(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(inverse, "BESIDE", tmp_path)
    effort = inverse_methods.Effort(nodes=9, width=10, steps=100, factors=np.array([0.5]))
    missing = {"elevation_volcano_boxes": inverse.CASES["elevation_volcano_boxes"]}
    rows = run_inverse.run(tmp_path, INVERSE | missing, effort)
    assert "| elevation_volcano_boxes | skipped: there is no dem_volcano.npz" in capsys.readouterr().out
    by_case = {key: {row.method: row for row in rows if row.case == key} for key in INVERSE}
    for key, table in by_case.items():
        certified, best = table[inverse_methods.DISCREPANCY], table[inverse_methods.BEST]
        assert certified.relative_gap <= 1e-5
        assert best.relative_gap <= 1e-4
        assert certified.kind == "bounded"
        # The representer theorem, and weak duality of the problem constrained by the noise.
        assert max(certified.neurons, best.neurons) <= certified.bound == best.bound
        assert certified.constrained_bound <= certified.regularization * (1 + 1e-12)
        assert best.error <= certified.error
        assert table[inverse_methods.TRAINED].relative_gap >= 0
        # All that was asked for came out, and nothing is off by more than the truth varies many times over.
        assert set(INVERSE[key]().peers) <= table.keys()
        assert all(row.error < 10 * row.spread for row in table.values())
    # The truth misses its data by δ, so that it, too, is what the discrepancy principle minimises over.
    folds = by_case["tomography_folds"][inverse_methods.DISCREPANCY]
    assert folds.constrained_bound <= folds.truth_regularization
    assert folds.regularization <= folds.truth_regularization * (1 + 1e-4)
    facts = json.loads((tmp_path / "table.json").read_text())
    assert [row["error"] for row in facts["rows"]] == [row.error for row in rows]
    assert rs.Solution.load(tmp_path / "averages_plane_solution.npz").certificate.relative_gap <= 1e-5
    draw_inverse.draw(tmp_path, tmp_path / "pictures", INVERSE)
    assert {path.stem for path in (tmp_path / "pictures").iterdir()} == set(inverse.TOPICS)
    for key in INVERSE:
        (tmp_path / f"{key}.npz").unlink()
    draw_inverse.draw(tmp_path, tmp_path / "pictures", INVERSE)
    assert "nothing to draw" in capsys.readouterr().out


def test_one_topic_of_the_inverse_problems_leaves_the_rows_of_others(monkeypatch, tmp_path, capsys):
    def row(case: str, count: int) -> run_inverse.TableRow:
        return run_inverse.TableRow(case, "", count, "m", "", 1.0, 1.0, None, None, None, None, None, None, None, 0.0)

    monkeypatch.setattr(run_inverse, "_of_case", lambda folder, key, case, effort: [row(key, case)])
    run_inverse.run(tmp_path, {"averages_line": lambda: 1, "deblurring_line": lambda: 2})
    run_inverse.run(tmp_path, {"averages_line": lambda: 3, "tomography_folds": lambda: 4})
    rows = json.loads((tmp_path / "table.json").read_text())["rows"]
    assert [(row["case"], row["count"]) for row in rows] == [
        ("tomography_folds", 4), ("deblurring_line", 2), ("averages_line", 3)
    ]  # fmt: skip
    assert inverse_command.main(["run", "astronomy"], tmp_path) == 2
    assert "there is no topic 'astronomy'" in capsys.readouterr().err
    assert inverse_command.main(["draw", "tomography"], tmp_path) == 0
    assert "nothing to draw" in capsys.readouterr().out


@pytest.mark.parametrize("key", list(INVERSE))
def test_truths_are_measured_by_quadrature_as_in_closed_form(key):
    measurements = INVERSE[key]().measurements
    if isinstance(measurements, rs.Stack):
        with pytest.raises(TypeError, match="a grid is measured by averages"):
            measured(measurements, np.sum)
        return
    dimension = measurements.dimension
    rng = np.random.default_rng(0)
    centre = measurements.places.mean(axis=0)
    weights = rng.standard_normal((5, dimension))
    affine = rng.standard_normal(dimension + 1)
    spline = rs.RidgeSpline(weights, weights @ centre, rng.standard_normal(5), affine)
    exact = measurements(spline)
    # Kinks cost the midpoint rule the square of its step, and Gauss's about the step of 48 nodes, 0.3, squared.
    assert measured(measurements, spline) == pytest.approx(exact, abs=2e-3 * np.abs(exact).max())
    # The peers' matrices are exact for affine functions, on the grid and between its nodes.
    flat = rs.RidgeSpline(weights[:0], centre[:0], centre[:0], affine)
    from_nodes = np.stack([centre - 30, centre + 50])
    nodes = Nodes.over(from_nodes, 9)
    axes = [np.linspace(*ends) for ends in zip(nodes.lower, nodes.upper, nodes.counts, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dimension)
    np.testing.assert_allclose(nodes.measuring(measurements) @ flat(points), measurements(flat), rtol=1e-11, atol=1e-10)


@pytest.mark.parametrize("order", [1, 2])
def test_peers_on_a_grid_leave_what_costs_nothing_and_follow_their_data(order):
    boxes = rs.BoxAverages.grid((-1.0, -1.0), (1.0, 1.0), 4)
    targets = measured(boxes, lambda x: np.abs(x[:, 0]) + 0.3 * x[:, 1])
    nodes = Nodes.over(np.array([[-1.0, -1.0], [1.0, 1.0]]), 9)
    fits, measuring = GridFits(nodes, boxes, targets, order), nodes.measuring(boxes)
    free = boxes.fit_polynomials(order - 1)
    for solve, rough, fine in ((fits.total_variation, 1e3, 1e-5), (fits.squares, 1e6, 1e-8)):
        # Constants, or affine functions, and the best of them, to the tolerance of Clarabel.
        np.testing.assert_allclose(measuring @ solve(rough), targets - free.project_off(targets), atol=1e-4)
        np.testing.assert_allclose(measuring @ solve(fine), targets, atol=1e-3)


def test_the_wiener_filter_inverts_a_blurred_wave():
    case = inverse.blurred_plane(6, 0.1, 1e-12)
    omega = np.pi / 2 * np.array([2, 3])

    def waves(x: np.ndarray) -> np.ndarray:
        return np.cos(omega[0] * (x[:, 0] + 1)) * np.cos(omega[1] * (x[:, 1] + 1))

    points = case.measurements.locations
    blurred = np.exp(-0.5 * 0.1**2 * np.sum(omega**2)) * waves(points)
    # A Gaussian multiplies a wave by its transform: also what the quadrature says.
    np.testing.assert_allclose(measured(case.measurements, waves), blurred, rtol=1e-12, atol=1e-13)
    known = inverse.Case("deblurring", "waves", case.measurements, blurred, 1e-12, waves, case.places, case.inside)
    fitted = inverse_methods.wiener(known, inverse_methods.Effort())
    # The last α tried is 1e-4 times some; it shrinks by as much.
    assert known.error(fitted.function(case.places)) < 1e-4
