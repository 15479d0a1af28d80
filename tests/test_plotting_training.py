"""Pictures of training hold what they claim to show."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

import ridgesplines as rs
from ridgesplines import plotting_training as pictures

mpl.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pictures.plt.close("all")


def trained(dimension: int, keep: bool = True):
    rng = np.random.default_rng(dimension)
    x = rng.uniform(-1, 1, (20, dimension))
    problem = rs.Problem(rs.Samples(x), np.abs(x).sum(axis=1), strength=0.1)
    solution = rs.solve(problem)
    return problem, solution, rs.train(problem, width=8, steps=30, records=6, seeds=2, keep_neurons=keep)


def test_the_curves_are_the_gaps_to_the_bound_and_the_line_is_the_best_in_the_end():
    _, solution, result = trained(1)
    axes = pictures.plot_training(result, solution.certificate)
    *curves, line = axes.get_lines()
    bound = solution.certificate.bound
    assert len(curves) == 2
    for curve, objectives in zip(curves, result.trajectory.objectives, strict=True):
        np.testing.assert_allclose(np.asarray(curve.get_ydata()), objectives / bound - 1, atol=1e-12)
    assert np.asarray(line.get_ydata())[0] == pytest.approx(result.best.objective / bound - 1)
    assert (result.trajectory.objectives >= bound).all()
    assert "proven bound" in axes.get_ylabel()
    assert pictures.plot_training(result, ax=axes) is axes


@pytest.mark.parametrize("dimension", [1, 2])
def test_neurons_are_drawn_where_they_end(dimension, tmp_path):
    problem, solution, result = trained(dimension)
    axes = pictures.plot_neurons(problem, result, solution.certificate, seed=1)
    ends = np.asarray(axes.collections[-1].get_offsets())
    trajectory = result.trajectory
    weights, biases = trajectory.weights[1, -1], trajectory.biases[1, -1]
    masses = np.abs(trajectory.coefficients[1, -1]) * np.linalg.norm(weights, axis=1)
    active = masses > 1e-4 * masses.mean()
    weights, biases = weights[active], biases[active]
    assert len(ends) == len(weights) > 0
    if dimension == 1:
        np.testing.assert_allclose(np.sort(ends[:, 0]), np.sort(biases / weights[:, 0]), rtol=1e-12)
    else:
        # Each mark is a line: its points satisfy the equation of the neuron's hyperplane.
        angles, offsets = np.radians(ends[:, 0]), ends[:, 1]
        normal = np.column_stack([np.cos(angles), np.sin(angles)])
        foot = problem.measurements.points.mean(axis=0) + offsets[:, None] * normal
        np.testing.assert_allclose(np.sum(weights * foot, axis=1), biases, atol=1e-12)
        assert ends[:, 0].min() >= 0
        assert ends[:, 0].max() < 180
    axes.figure.savefig(tmp_path / "neurons.png", dpi=40)


def test_the_animation_has_a_frame_for_each_record(tmp_path):
    problem, solution, result = trained(1)
    path = pictures.animate_neurons(tmp_path / "neurons", problem, result, solution.certificate)
    assert path == tmp_path / "neurons.gif"
    with Image.open(path) as film:
        assert film.n_frames == len(result.trajectory.steps) == 7
    assert [file.name for file in tmp_path.iterdir()] == ["neurons.gif"]


def test_an_mp4_needs_ffmpeg(tmp_path, monkeypatch):
    problem, solution, result = trained(1)
    if pictures.FFMpegWriter.isAvailable():
        path = pictures.animate_neurons(tmp_path / "neurons.mp4", problem, result, solution.certificate)
        assert path.suffix == ".mp4"
        assert path.read_bytes()[4:8] == b"ftyp"
    monkeypatch.setattr(pictures.FFMpegWriter, "isAvailable", lambda: False)
    with pytest.raises(ValueError, match="needs the program ffmpeg"):
        pictures.animate_neurons(tmp_path / "other.mp4", problem, result, solution.certificate)


def test_a_grid_has_a_line_for_each_strength():
    problem, _, _ = trained(1)
    path = rs.regularization_path(problem, [0.2, 0.1])
    duals = [solution.dual for solution in path.solutions]
    grid = rs.train_grid(problem, [4, 8, 16], path.strengths, duals=duals, steps=30, seeds=3)
    axes = pictures.plot_grid(grid)
    for j, line in enumerate(axes.get_lines()):
        np.testing.assert_array_equal(line.get_xdata(), [4, 8, 16])
        np.testing.assert_allclose(line.get_ydata(), np.median(grid.relative_gaps[:, j], axis=1))
    assert "proven bound" in axes.get_ylabel()


def test_what_has_no_picture_is_refused():
    problem, solution, result = trained(1, keep=False)
    with pytest.raises(ValueError, match="keep_neurons=True"):
        pictures.plot_neurons(problem, result, solution.certificate)
    problem, solution, result = trained(3)
    with pytest.raises(ValueError, match="those of 1 or 2 have"):
        pictures.plot_neurons(problem, result, solution.certificate)
