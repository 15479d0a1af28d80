"""The data sets: their shapes, names and units, and what is known of them."""

from __future__ import annotations

import numpy as np
import pytest

from ridgesplines.datasets import DATASETS, elevation, motorcycle


@pytest.mark.parametrize(
    ("name", "count", "dimension"), [("motorcycle", 133, 1), ("elevation", 400, 2), ("diabetes", 442, 10)]
)
def test_every_data_set_is_complete(name, count, dimension):
    data = DATASETS[name]()
    assert data.x.shape == (count, dimension)
    assert data.y.shape == (count,)
    assert len(data.input_names) == len(set(data.input_names)) == dimension
    assert len(data.units) == dimension + 1
    assert data.target_name
    assert data.target_name not in data.input_names
    assert data.citation.endswith(".")
    assert np.isfinite(data.x).all()
    assert np.isfinite(data.y).all()
    x, y = data
    assert x is data.x
    assert y is data.y


def test_every_data_set_is_listed():
    assert set(DATASETS) == {"motorcycle", "elevation", "diabetes"}


def test_motorcycle_is_silvermans():
    data = motorcycle()
    assert len(np.unique(data.x)) == 94
    # The first and last rows, and the extremes, of the published table.
    assert (data.x[0, 0], data.y[0], data.x[-1, 0], data.y[-1]) == (2.4, 0.0, 57.6, 10.7)
    assert [data.y.min(), data.y.max()] == [-134.0, 75.0]


def test_elevation_draws_different_points_of_the_model():
    data = elevation(2000, seed=1)
    assert len(np.unique(data.x, axis=0)) == 2000
    # Tennessee's Jacksboro fault: kilometres of extent, hundreds of metres of height.
    assert data.x.min() >= 0
    assert np.all((np.ptp(data.x, axis=0) > 5) & (np.ptp(data.x, axis=0) < 60))
    assert 200 < data.y.min() < data.y.max() < 1500
    assert np.array_equal(data.y, np.round(data.y))


def test_elevation_follows_its_seed():
    first, again, other = elevation(50, seed=3), elevation(50, seed=3), elevation(50, seed=4)
    np.testing.assert_array_equal(again.x, first.x)
    np.testing.assert_array_equal(again.y, first.y)
    assert not np.array_equal(other.x, first.x)


def test_elevation_is_a_function_of_the_position():
    # The same grid point has the same height in every draw.
    heights = {}
    for seed in (0, 1):
        data = elevation(100_000, seed=seed)
        heights[seed] = dict(zip(map(tuple, data.x), data.y, strict=True))
    common = heights[0].keys() & heights[1].keys()
    assert len(common) > 10_000
    assert all(heights[0][point] == heights[1][point] for point in common)


@pytest.mark.parametrize("count", [0, -1, 344 * 403 + 1])
def test_elevation_refuses_impossible_counts(count):
    with pytest.raises(ValueError, match="count must be between 1 and 138632"):
        elevation(count)
