"""The activation patterns of data: the cells into which their hyperplanes cut the space of neurons."""

from __future__ import annotations

import math

import numpy as np

from ridgesplines.geometry import AffineFrame

_UNIT = np.finfo(float).eps
# Differences below this multiple of ε times the terms that they are made of are the rounding of the data.
_ROUNDING = 16 * _UNIT


def most_patterns(points: np.ndarray, pole: np.ndarray | None = None) -> int:
    """How many activation patterns `points` (N, d) may have: 2 Σ_{k<r} C(N − 1, k), N counting different points.

    r is the rank of the rows (x_n, −1), or, where all hyperplanes pass through the `pole` (d,), of x_n − pole. Points
    in general position have as many.

    Source: Cover 1965; pilanci_ergen_2020.
    """
    rows, _ = _rows(np.unique(points, axis=0), pole)
    count = int(np.sum(rows.any(axis=1)))
    return 2 * sum(math.comb(count - 1, k) for k in range(rows.shape[1])) if count else 1


def activation_patterns(points: np.ndarray, pole: np.ndarray | None = None) -> np.ndarray:
    """All patterns 1[w·x_n − b > 0] of neurons whose hyperplanes pass through no datum: (P, N) of bool, sorted.

    The neurons are cut into cells by the hyperplanes {(w, b): w·x_n = b} of the data, and a pattern belongs to each
    cell. The cells border on facets, which are the cells of a lower dimension into which each hyperplane is cut by the
    others: eliminating one variable gives the same question with one variable less.

    What vanishes but for rounding in an elimination counts as zero, so that points on a common line, plane or
    lattice are seen as such though their coordinates are rounded. Cells thinner than that may be overlooked.

    Args:
        points: (N, d).
        pole: (d,), a point that all hyperplanes must pass through, for neurons without biases; None for free biases.
            Data at the pole are on no side, and are given as active.

    Source: Edelsbrunner, O'Rourke & Seidel 1986 for arrangements; pilanci_ergen_2020 for their use.
    """
    different, group = np.unique(points, axis=0, return_inverse=True)
    signs = _cells(*_rows(different, pole))
    patterns = np.unique(signs >= 0, axis=0)
    return patterns[:, group.ravel()]


def sampled_patterns(points: np.ndarray, pole: np.ndarray | None, count: int, seed: int) -> np.ndarray:
    """The patterns of `count` random neurons and of their opposites, (P, N) of bool, sorted: some of all.

    Directions are uniform in coordinates of unit variance, hyperplanes pass between two neighbouring data or at the
    pole.
    """
    rng = np.random.default_rng(seed)
    centred = points - (points.mean(axis=0) if pole is None else pole)
    _, spreads, axes = np.linalg.svd(centred, full_matrices=False)
    used = spreads > max(points.shape) * _UNIT * max(float(np.abs(points).max()), float(spreads.max(initial=0.0)))
    coordinates = centred @ (axes[used] / spreads[used, None]).T
    heights = rng.standard_normal((count, int(used.sum()))) @ coordinates.T
    if pole is None:
        ranks = np.sort(heights, axis=1)
        below = rng.integers(0, max(len(points) - 1, 1), count)
        ends = ranks[np.arange(count), below], ranks[np.arange(count), np.minimum(below + 1, len(points) - 1)]
        heights = heights - 0.5 * (ends[0] + ends[1])[:, None]
    all_on = np.ones((1, len(points)), dtype=bool)
    return np.unique(np.concatenate([heights >= 0, heights <= 0, all_on, ~all_on]), axis=0)


def _rows(points: np.ndarray, pole: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, r) of full rank whose hyperplanes through the origin cut out the cells; what their rounding is of."""
    if pole is None:
        frame = AffineFrame.of(points)
        if frame.rank < points.shape[1]:
            rows = frame.coordinates
        else:
            # Differences of data are often exact, those to their mean are not.
            middle = int(np.argmin(np.linalg.norm(frame.coordinates, axis=1)))
            rows = points - points[middle]
        rows = np.column_stack([rows, -np.ones(len(points))])
        sizes = np.abs(rows)
        sizes[:, :-1] += np.abs(points).max(axis=0) if frame.rank == points.shape[1] else np.abs(points).max()
    else:
        rows = points - pole
        _, values, right = np.linalg.svd(rows, full_matrices=False)
        noise = max(rows.shape) * _UNIT * max(float(np.abs(points).max()), float(values.max(initial=0.0)))
        rank = int(np.sum(values > noise))
        sizes = np.abs(rows) + np.abs(pole)
        if rank < rows.shape[1]:
            sizes = np.full((len(rows), rank), float(sizes.max(initial=0.0)))
            rows = rows @ right[:rank].T
    # A change of units leaves the cells as they are.
    units = np.abs(rows).max(axis=0, initial=0.0)
    units[units == 0] = 1.0
    return _without_rounding(rows / units, sizes / units), sizes / units


def _without_rounding(rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.where(np.abs(rows) > _ROUNDING * sizes, rows, 0.0)


def _cells(rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The signs (P, N) of rows·θ over the open cells, 0 for rows that vanish; `sizes` bound the terms of the rows."""
    nothing = np.zeros((1, len(rows)), dtype=np.int8)
    used = rows.any(axis=1)
    if not used.any():
        return nothing
    found = [_cells_of_the_plane(rows, sizes)] if rows.shape[1] == 2 else []
    todo = used.copy() if rows.shape[1] != 2 else np.zeros_like(used)
    while todo.any():
        row = int(np.argmax(todo))
        column = int(np.argmax(np.abs(rows[row])))
        factors = rows[row] / rows[row, column]
        others = np.delete(rows - np.outer(rows[:, column], factors), column, axis=1)
        terms = np.delete(sizes + np.outer(sizes[:, column], np.abs(factors)), column, axis=1)
        others = _without_rounding(others, terms)
        parallel = used & ~others.any(axis=1)
        facets = _cells(others, terms) if others.shape[1] else nothing
        beside = facets + np.where(parallel, np.sign(rows[:, column]), 0).astype(np.int8)
        found += [beside, facets - (beside - facets)]
        todo &= ~parallel
    return _different(np.concatenate(found))


def _cells_of_the_plane(rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """`_cells` for r = 2, all rows at once: beside each line, the cells next to either of its halves."""
    (x, y), (a, b) = rows.T, sizes.T
    lines = rows.any(axis=1)
    turned = np.outer(x, y) - np.outer(y, x)
    turned = _without_rounding(turned, np.outer(a, b) + np.outer(b, a))[lines]
    along = np.where(turned == 0, np.sign(rows[lines] @ rows.T), 0.0)
    halves = np.concatenate([np.sign(turned) + along, np.sign(turned) - along])
    return _different(np.concatenate([halves, -halves]).astype(np.int8))


def _different(signs: np.ndarray) -> np.ndarray:
    packed = np.ascontiguousarray(signs).view(np.dtype((np.void, signs.shape[1])))
    return signs[np.unique(packed.ravel(), return_index=True)[1]]
