"""Standardisation: there and back is the identity, and the scaled problem is the problem in scaled units."""

from __future__ import annotations

import numpy as np

import ridgesplines as rs
from ridgesplines.scaling import Scaling


def data():
    random = np.random.default_rng(3)
    x = random.normal(size=(40, 3)) * [1e-3, 1.0, 1e4] + [5.0, 0.0, -1e5]
    x[:, 1] = 2.0
    return x, random.normal(size=40) * 50 + 1000


def test_standardised_columns_have_mean_zero_and_deviation_one():
    x, y = Scaling.standard(*data()).apply(*data())
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(x.std(axis=0), [1, 0, 1], rtol=1e-9)
    np.testing.assert_allclose([y.mean(), y.std()], [0, 1], atol=1e-12)


def test_undo_and_redo_are_inverse_and_agree_with_apply():
    x, y = data()
    scaling = Scaling.standard(x, y)
    random = np.random.default_rng(4)
    spline = rs.RidgeSpline(
        random.normal(size=(6, 3)), random.normal(size=6), random.normal(size=6), random.normal(size=4)
    )
    scaled_x, _ = scaling.apply(x, y)
    original = scaling.undo(spline)
    # Inputs as large as 1e5 times their deviation cost five digits.
    np.testing.assert_allclose(
        (original(x) - scaling.target_centre) / scaling.target_spread, spline(scaled_x), atol=1e-8
    )
    np.testing.assert_allclose(scaling.redo(original)(scaled_x), spline(scaled_x), atol=1e-8)


def test_json_round_trip():
    scaling = Scaling.standard(*data())
    assert Scaling.from_json(scaling.to_json()) == scaling
