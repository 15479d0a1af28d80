"""Files: what was saved comes back, problem included, in this format and the one before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.archive import FORMAT_VERSION, read_archive, read_header, write_archive, write_text

FILES = Path(__file__).parent / "files"
# The problem that the files of format version 1 were made of; their loss, in units of g², is far from rounding.
STRENGTH = 40.0


def motorcycle(strength: float = STRENGTH) -> rs.Problem:
    x, y = rs.datasets.motorcycle()
    return rs.Problem(rs.Samples(x[::6]), y[::6], strength=strength)


def in_the_plane(**options) -> rs.Problem:
    random = np.random.default_rng(3)
    x = random.uniform(-1, 1, (15, 2))
    return rs.Problem(rs.Samples(x), np.abs(x[:, 0]) + 0.1 * random.standard_normal(15), **options)


def same_problem(one: rs.Problem, other: rs.Problem) -> None:
    assert repr(one) == repr(other)
    np.testing.assert_array_equal(one.targets, other.targets)
    np.testing.assert_array_equal(one.weights, other.weights)
    np.testing.assert_array_equal(one.measurements.supports()[0], other.measurements.supports()[0])


# Of a problem of 23 data, objectives are sums of that many squares: relative 1e-12 is ample.
SAME = {"rtol": 1e-12}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("spline", rs.RidgeSpline),
        ("solution", rs.Solution),
        ("path", rs.RegularizationPath),
        ("training", rs.TrainingResult),
        ("grid", rs.TrainingGrid),
    ],
)
def test_files_of_format_version_1_still_open(name, kind):
    path = FILES / f"{name}_1.npz"
    assert read_header(path)["format_version"] == 1
    assert type(rs.load(path)) is kind


def test_objects_of_format_version_1_are_what_they_were():
    problem = motorcycle()
    solution = rs.load(FILES / "solution_1.npz")
    assert solution.problem is None
    np.testing.assert_allclose(problem.objective(solution.spline), solution.objective, **SAME)
    certificate = rs.certify(problem, solution.spline, solution.dual)
    assert certificate.relative_gap < 1e-12
    for fit, strength in zip(path := rs.load(FILES / "path_1.npz"), path.strengths, strict=True):
        np.testing.assert_allclose(motorcycle(strength).objective(fit.spline), fit.objective, **SAME)
    trained = rs.load(FILES / "training_1.npz")
    for spline, objective in zip(trained.splines, trained.objectives, strict=True):
        np.testing.assert_allclose(problem.objective(spline), objective, **SAME)
    grid = rs.load(FILES / "grid_1.npz")
    assert grid.objectives.shape == (2, 2, 1)
    np.testing.assert_allclose(
        motorcycle(80.0).objective(grid.results[1][0].splines[0]), grid.objectives[1, 0, 0], **SAME
    )


def test_an_exact_path_of_format_version_2_still_opens():
    assert read_header(FILES / "exact_path_2.npz")["format_version"] == 2
    path = rs.load(FILES / "exact_path_2.npz")
    assert path.complete
    assert len(path) == 3
    np.testing.assert_allclose(rs.exact_path(path.problem, ratio=0.1).strengths, path.strengths, **SAME)


PROBLEMS = {
    "samples": motorcycle,
    "weights, Huber": lambda: in_the_plane(loss=rs.HuberLoss(0.1), strength=0.1, sample_weights=np.linspace(1, 2, 15)),
    "interpolation, path norm": lambda: in_the_plane(loss=rs.Interpolation(1e-7), regularizer=rs.AtomicNorm(np.inf)),
    "labels, order 3": lambda: rs.Problem(
        rs.Samples(np.arange(9.0)), (-1.0) ** np.arange(9), rs.LogisticLoss(), rs.RadonTV(3), 0.1
    ),
    "several outputs": lambda: rs.Problem(
        rs.Samples(np.arange(9.0)), np.random.default_rng(0).standard_normal((9, 2)), strength=0.1
    ),
    "averages": lambda: rs.Problem(rs.BoxAverages.around(np.arange(9.0), 0.5), (-1.0) ** np.arange(9), strength=0.1),
    "stack": lambda: rs.Problem(
        rs.Stack(
            rs.BlurredSamples(np.arange(6.0), 0.3),
            rs.LineIntegrals(np.arange(3.0), np.arange(3.0) + 2),
            rs.Samples([9.0]),
        ).select([9, 2, 7, 0, 1, 3, 5]),
        np.arange(7.0) ** 2,
        strength=0.1,
    ),
    "derivatives": lambda: rs.Problem(
        rs.Stack(rs.Samples(np.arange(6.0)), rs.Derivatives(np.arange(3.0), np.ones(3))),
        np.arange(9.0) % 4,
        regularizer=rs.RadonTV(3),
        strength=0.1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_solution_certifies_from_its_file_alone(tmp_path, name):
    problem = PROBLEMS[name]()
    solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-3) if not problem.sampled else None)
    again = rs.Solution.load(solution.save(tmp_path / "kept"))
    assert again.problem is not None
    same_problem(problem, again.problem)
    np.testing.assert_array_equal(again.dual, solution.dual)
    rows = problem.measurements(solution.spline)
    np.testing.assert_array_equal(again.problem.measurements(again.spline), rows)
    certificate = rs.certify(again.problem, again.spline, again.dual)
    # The oracle is made anew and its search starts anew: the objective is the same number, the bound a bound.
    assert certificate.objective == solution.objective
    assert certificate.kind == solution.certificate.kind
    assert certificate.relative_gap == pytest.approx(solution.certificate.relative_gap, abs=1e-6)


class OwnLoss(rs.SquaredLoss):
    """One that no file can hold."""


def test_a_problem_with_a_loss_of_ones_own_keeps_its_printed_form(tmp_path):
    problem = in_the_plane(loss=OwnLoss(), strength=0.1)
    path = rs.solve(problem).save(tmp_path / "own")
    assert rs.Solution.load(path).problem is None
    assert read_header(path)["problem"]["text"] == repr(problem)


def test_certificates_hold_on_to_data_only():
    problem = in_the_plane(strength=0.1)
    kept = rs.solve(problem).problem
    assert kept is not None
    assert kept.targets is problem.targets
    assert set(vars(kept)) == {"measurements", "targets", "loss", "regularizer", "strength", "sample_weights"}


def test_paths_and_grids_store_their_problem_once_and_say_which_strength(tmp_path):
    problem = motorcycle()
    path = rs.regularization_path(problem, count=4)
    again = rs.RegularizationPath.load(path.save(tmp_path / "path"))
    arrays, _ = read_archive(tmp_path / "path.npz", ("RegularizationPath",))
    assert [name for name in arrays if name.endswith("targets")] == ["problem_targets"]
    for fit, strength in zip(again, path.strengths, strict=True):
        assert fit.problem is not None
        assert fit.problem.strength == strength
        assert rs.certify(fit.problem, fit.spline, fit.dual).objective == fit.objective
    grid = rs.train_grid(problem, [2, 3], [40.0, 80.0], steps=10, seeds=1, records=2, progress=False)
    again = rs.TrainingGrid.load(grid.save(tmp_path / "grid"))
    arrays, _ = read_archive(tmp_path / "grid.npz", ("TrainingGrid",))
    assert [name for name in arrays if name.endswith("targets")] == ["problem_targets"]
    for row in again.results:
        for result, strength in zip(row, (80.0, 40.0), strict=True):
            assert result.best.problem is not None
            assert result.best.problem.objective(result.splines[0]) == result.objectives[0]
            assert result.best.problem.strength == strength


def test_a_comparison_comes_back_cell_by_cell(tmp_path):
    x, y = rs.datasets.motorcycle()
    problems = {"loose": motorcycle(200.0), "tight": motorcycle()}
    solvers = {
        "certified": rs.LineSpline(),
        "trained": rs.NetworkTraining(width=6, steps=30, seeds=2, records=3),
        "cubic": rs.KernelRegression(),
        "kernel ridge": rs.KernelRegression(rs.kernels.MaternKernel(1.5, length_scale=10.0)),
        "one strength": rs.KernelRegression(rs.kernels.MaternKernel(1.5), degree=-1, strength=1.0),
        "hinge only": rs.NetworkTraining(width=6, batch=1000),
    }
    comparison = rs.compare(problems, solvers, test=(x[1::6], y[1::6]))
    again = rs.Comparison.load(comparison.save(tmp_path / "table"))
    assert str(again) == str(comparison)
    assert again.to_csv() == comparison.to_csv()
    assert again["tight", "hinge only"].refusal
    for one, other in zip(comparison.rows, again.rows, strict=True):
        same_problem(one.problem, other.problem)
        if one.function is not None:
            assert other.function is not None
            np.testing.assert_array_equal(one.function(x), other.function(x))
    assert len({id(row.problem) for row in again.rows}) == 2


def test_a_comparison_with_a_kernel_of_ones_own_is_not_saved(tmp_path):
    comparison = rs.compare(motorcycle(), rs.KernelRegression(lambda x, y: np.exp(-((x - y.T) ** 2))))
    with pytest.raises(ValueError, match="only the package's kernels can be saved"):
        comparison.save(tmp_path / "own")
    assert not list(tmp_path.iterdir())


def test_files_say_what_made_them_and_repeat_bit_for_bit(tmp_path):
    solution = rs.solve(motorcycle())
    one, other = solution.save(tmp_path / "one"), solution.save(tmp_path / "other")
    assert one.read_bytes() == other.read_bytes()
    header = read_header(one)
    assert header["made_by"] == f"ridgesplines {rs.__version__}"
    assert header["format_version"] == FORMAT_VERSION


def test_load_opens_every_kind_and_refuses_others(tmp_path):
    spline = rs.RidgeSpline([[1.0]], [0.5], [2.0])
    assert type(rs.load(spline.save(tmp_path / "spline"))) is rs.RidgeSpline
    write_archive(tmp_path / "other", {}, {"kind": "Recipe"})
    with pytest.raises(ValueError, match=r"holds a Recipe.*those that are: RidgeSpline, Solution"):
        rs.load(tmp_path / "other.npz")
    with pytest.raises(ValueError, match="there is no file"):
        rs.load(tmp_path / "none.npz")
    with pytest.raises(TypeError, match="path must be the name of a file, got int"):
        rs.load(3)  # pyright: ignore[reportArgumentType] # that is the test


def test_text_is_written_whole_or_not_at_all(tmp_path):
    file = tmp_path / "table.md"
    assert write_text(file, "λ = ½\n") == file
    assert file.read_bytes() == "λ = ½\n".encode()
    # Half of a pair has no bytes in UTF-8.
    with pytest.raises(UnicodeEncodeError):
        write_text(file, "a" * 100_000 + "\ud800")
    assert file.read_bytes() == "λ = ½\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["table.md"]
    with pytest.raises(ValueError, match="absent does not exist; create it first"):
        write_text(tmp_path / "absent" / "table.md", "")
