"""Pictures of measurements: every functional is drawn where it is, in the colour of its value."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines import plotting, plotting_measurements

mpl.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plotting.plt.close("all")


def everything() -> rs.Stack:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (4, 2))
    return rs.Stack(
        rs.LineIntegrals.parallel_beam(np.arange(6) * np.pi / 6, np.linspace(-0.9, 0.9, 9), rs.DiscRegion((0, 0), 1.0)),
        rs.BoxAverages.grid((1.2, -1), (3.2, 1), 6),
        rs.Samples(x + np.array([4.5, 0])),
        rs.Derivatives(x + np.array([4.5, 0]), rng.standard_normal((4, 2))),
        rs.BlurredSamples(x + np.array([7, 0]), [0.1, 0.2, 0.3, 0.1]),
    )


@pytest.mark.parametrize("coloured", [False, True])
def test_every_kind_is_drawn_in_its_place(coloured, tmp_path):
    measurement = everything()
    values = measurement(rs.RidgeSpline([[1.0, 0.5]], [-3.0], [1.0], order=3)) if coloured else None
    axes = plotting_measurements.plot_measurements(measurement, values)
    axes.figure.savefig(tmp_path / "measurements.png", dpi=50)
    rays, boxes, dots, arrows, blurred, circles = axes.collections
    parts = measurement.measurements
    ends = np.array([path.vertices for path in rays.get_paths()])
    np.testing.assert_allclose(ends[:, 0], parts[0].starts)
    np.testing.assert_allclose(ends[:, 1], parts[0].ends)
    corners = np.array([path.get_extents().get_points() for path in boxes.get_paths()])
    np.testing.assert_allclose(corners[:, 0], parts[1].lower)
    np.testing.assert_allclose(corners[:, 1], parts[1].upper)
    for collection, part in ((dots, parts[2]), (blurred, parts[4]), (circles, parts[4])):
        np.testing.assert_allclose(np.asarray(collection.get_offsets()), part.centres)
    np.testing.assert_allclose(np.column_stack([arrows.U, arrows.V]), parts[3].directions)
    low, high = np.array([axes.get_xlim(), axes.get_ylim()]).T
    assert (low <= [-1, -1]).all()
    assert (high >= [7, 1]).all()
    if coloured:
        expected = mpl.colormaps["viridis"](rays.norm(values[: parts[0].count]))
        np.testing.assert_allclose(np.asarray(rays.get_edgecolor())[:, :3], expected[:, :3])
        shown = [c.get_array() for c in (rays, boxes, dots, arrows, blurred)]
        np.testing.assert_allclose(np.concatenate(shown), values)
        assert {c.norm.vmax for c in (rays, boxes, dots, arrows, blurred, circles)} == {values.max()}


def test_colours_follow_the_rows_of_a_selection():
    measurement = rs.Stack(rs.Samples(np.eye(2)), rs.Derivatives(np.eye(2), np.eye(2))).select([3, 0, 2, 1])
    axes = plotting_measurements.plot_measurements(measurement, np.arange(4.0))
    samples, derivatives = (np.asarray(c.get_array()) for c in axes.collections)
    np.testing.assert_array_equal(samples, [1, 3])
    np.testing.assert_array_equal(derivatives, [0, 2])


def test_what_has_no_picture_is_refused():
    with pytest.raises(ValueError, match="measurements are drawn in the plane, got dimension 3"):
        plotting_measurements.plot_measurements(rs.Samples(np.zeros((1, 3))))
    with pytest.raises(ValueError, match="values must have one entry for each of the 1 measurements, got 2"):
        plotting_measurements.plot_measurements(rs.Samples(np.zeros((1, 2))), [1.0, 2.0])
