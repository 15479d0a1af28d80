"""Boxes of equally many points."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ridgesplines.clouds import equal_boxes


@given(count=st.integers(1, 300), most=st.integers(1, 60), dimension=st.integers(1, 3), seed=st.integers(0, 99))
def test_boxes_are_few_and_hold_each_point_once_and_equally_many(count, most, dimension, seed):
    # Whole numbers, so that many points are at a cut.
    points = np.random.default_rng(seed).integers(0, 9, (count, dimension)).astype(float)
    boxes = equal_boxes(points, most)
    assert len(boxes) == -(-count // most)
    assert sorted(np.concatenate(boxes)) == list(range(count))
    sizes = [len(box) for box in boxes]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert all((np.diff(box) > 0).all() for box in boxes)


def test_boxes_are_cut_across_their_longest_side():
    points = np.array([[x, y] for x in range(8) for y in range(2)], dtype=float)
    boxes = equal_boxes(points, 4)
    assert [set(points[box, 0]) for box in boxes] == [{0, 1}, {2, 3}, {4, 5}, {6, 7}]
