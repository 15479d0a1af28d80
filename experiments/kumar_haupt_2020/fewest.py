"""The fewest knots with which a piecewise linear function can interpolate on the line."""

from __future__ import annotations

import numpy as np


def fewest_knots(x: np.ndarray, y: np.ndarray) -> int:
    """The least number of knots of any continuous piecewise linear interpolant, whatever it costs: exact, O(N).

    What matters of a function up to a datum is the slope with which it comes in: below the slope of the next chord,
    equal to it or above; and the fewest knots for each. From there to the next datum no knot will do if it is equal;
    one knot at the datum makes it equal to the chord; one between makes a slope below the chord any slope above it, or
    the other way round; two make any slope.

    Args:
        x: different inputs, (N,), in any order.
        y: the targets, (N,).
    """
    order = np.argsort(x)
    chords = np.diff(y[order]) / np.diff(x[order])
    # Fewest knots so far to come in below, at and above the slope `chord`; before the first datum all cost nothing.
    below = at = above = 0
    chord = float(chords[0]) if len(chords) else 0.0
    for following in chords:
        least = min(below, at, above)
        # The same beside the slope of the next chord.
        if following > chord:
            less, equal, more = least, above, above
        elif following < chord:
            less, equal, more = below, below, least
        else:
            less, equal, more = below, at, above
        below, at, above = min(more + 1, least + 2), min(equal, least + 1), min(less + 1, least + 2)
        chord = float(following)
    return min(below, at, above)
