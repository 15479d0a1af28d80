"""What a sequence of values at widths that halve says about its limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Increments that shrink by less than this factor from one halving to the next do not sum up to anything.
_DIVERGING = 0.87
# Above this factor the sum of what is to come is a guess: its error is as large as itself.
_SLOW = 0.84
# Ratios of steps within this factor are those of a regular sequence.
_REGULAR = 1.2


@dataclass(frozen=True)
class Limit:
    """An extrapolated limit.

    Attributes:
        value: infinite if there is none.
        error: an estimate of how far the value is off; infinite if there is no limit.
        growth: the exponent p of growth like width^−p where there is no limit, zero if it is slower than any power;
            None where there is one.
    """

    value: float
    error: float
    growth: float | None = None


def limit_of(values: np.ndarray, noise: float = 0.0) -> Limit:
    """The limit of at least four values, of widths w, w/2, w/4, …, that grow like a + b width^p, or like width^−p.

    The last three give the limit (Aitken's formula, Richardson's with the exponent that is observed), the three before
    them another one, and the difference is the error, at least a tenth of the extrapolated step. Steps below the
    `noise` of the values are none.
    """
    steps = np.diff(values)
    if abs(steps[-1]) <= noise:
        return Limit(float(values[-1]), noise)
    ratio = float(steps[-1] / steps[-2]) if steps[-2] else np.inf
    if ratio >= _DIVERGING:
        # The exponent of the steps: that of the values would count what was there before the growth set in.
        return Limit(np.inf, np.inf, max(0.0, float(np.log2(ratio))) if np.isfinite(ratio) else np.inf)
    here = _aitken(values[-3:])
    before = _aitken(values[-4:-1])
    error = max(abs(here - before), 0.1 * abs(here - float(values[-1])))
    if abs(ratio) > _SLOW:
        error = max(error, abs(here - float(values[-1])))
    return Limit(here, float(error))


def limit_from_below(values: np.ndarray, noise: float = 0.0) -> Limit:
    """The limit of at least four values, of widths w, w/2, w/4, …, that only rise, by steps that may be irregular.

    Steps that depend on where the nodes of a grid happen to lie may grow once though they shrink in the long run, and
    two of them say little: sums of half of them show whether they do, and how much is to come if they go on like that.
    Only the last steps of a regular sequence are extrapolated.
    """
    steps = np.maximum(np.diff(values), 0.0)
    half = len(steps) // 2
    late, early = float(steps[-half:].sum()), float(steps[:half].sum())
    if steps[-1] <= noise:
        return Limit(float(values[-1]), noise)
    halvings = len(steps) - half
    ratio = (late / early) ** (1 / halvings) if early else np.inf
    if ratio >= _DIVERGING:
        return Limit(np.inf, np.inf, max(0.0, float(np.log2(ratio))) if np.isfinite(ratio) else np.inf)
    rest = late * ratio**half / (1 - ratio**half)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (steps[1:] / steps[:-1])[-3:]
    if ratios.max() < _REGULAR * ratios.min():
        limit = limit_of(values, noise)
        return Limit(limit.value, max(limit.error, 0.5 * rest), limit.growth)
    return Limit(float(values[-1]), max(3.0 * rest, float(steps[-1])))


def _aitken(three: np.ndarray) -> float:
    first, second = np.diff(three)
    ratio = float(second / first) if first else 0.0
    # A ratio outside says that the sequence is not in its last regime yet: nothing is added then.
    return float(three[-1] + (second * ratio / (1 - ratio) if -0.5 < ratio < _DIVERGING else 0.0))
