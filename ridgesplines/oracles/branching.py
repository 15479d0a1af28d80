"""Branch and bound over boxes, as the bounded oracles share it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_BATCH = 4096
_MOST = 2**20


@dataclass(frozen=True)
class Bounded:
    """What a branch and bound proved: `upper`, and the `value` it compared with, and whether it `finished`."""

    value: float
    upper: float
    finished: bool


def branch_and_bound(
    boxes: np.ndarray,
    refine: Callable[[np.ndarray, float], tuple[np.ndarray, np.ndarray, np.ndarray, float]],
    value: float,
    tolerance: float,
    floor: float,
    time_limit: float,
) -> Bounded:
    """A bound of sup |p| over `boxes`, best first, until no box can exceed `value` by more than `tolerance` relative.

    The bound returned is the largest of the boxes put aside and of those still open when time (or room for a million
    boxes) runs out: proven in either case.

    Args:
        boxes: (M, c) rows in the form that `refine` understands.
        refine: splits boxes (B, c), given the value so far: returns their parts (B', c), bounds of |p| on each (B',) as
            in exact arithmetic, what rounding may have taken off each (B',), and the largest value known. Parts that
            cannot hold the supremum may be left out.
        value: a lower bound of the supremum.
        tolerance: relative.
        floor: absolute, on top: about the rounding error of the bounds, below which no box can be told from another.
        time_limit: in seconds; the bounds of all boxes are computed at least once.

    Raises:
        FloatingPointError: if a bound is not finite.
    """
    deadline = time.monotonic() + time_limit
    bounds, roundings = np.full(len(boxes), np.inf), np.zeros(len(boxes))
    closed = value
    while True:
        kept = bounds > value * (1 + tolerance) + floor
        if not kept.all():
            closed = max(closed, float((bounds + roundings)[~kept].max()))
            boxes, bounds, roundings = boxes[kept], bounds[kept], roundings[kept]
        if len(boxes) == 0:
            return Bounded(value, closed, True)
        if np.isfinite(bounds).all() and (time.monotonic() > deadline or len(boxes) > _MOST):
            return Bounded(value, max(closed, float((bounds + roundings).max())), False)
        size = max(_BATCH, len(boxes) // 4)
        if size < len(boxes):
            order = np.argpartition(-bounds, size)
            chosen, rest = order[:size], order[size:]
        else:
            chosen, rest = np.arange(len(boxes)), np.arange(0)
        parts, part_bounds, part_roundings, value = refine(boxes[chosen], value)
        if not np.isfinite(part_bounds + part_roundings).all():
            # A comparison with NaN would put a box aside without a proof.
            raise FloatingPointError("a bound of the dual profile overflows; scale the points or the dual vector.")
        boxes = np.concatenate([boxes[rest], parts])
        bounds = np.concatenate([bounds[rest], part_bounds])
        roundings = np.concatenate([roundings[rest], part_roundings])
