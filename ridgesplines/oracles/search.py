"""The multi-start search for the supremum in any dimension, order 2: a lower bound of it."""

from __future__ import annotations

import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numba import njit

from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum, profile
from ridgesplines.oracles.sweep import sort_directions, sweep_half_circle


class SearchOracle:
    """A lower bound of sup |p_z| for points (N, d), d ≥ 2, order 2, by ascents from many starts.

    From each start w the search alternates the exact maximum over the bias (it is attained at a datum, the pivot) with
    exact maxima over great circles through w: along the gradient within the face of hyperplanes that touch the same
    data, or, where that vanishes, off one of the data touched. Every step is monotone; an ascent ends where no such
    circle improves it. Starts are directions drawn at random, isotropic and scaled to the data by turns, and the hints.

    The largest value found may miss the supremum: `kind` is "heuristic".

    Args:
        points: (N, d).
        starts: how many random directions are tried per call.
        seed: of the random directions, which depend on it and on the order of the dual's entries only: equal calls,
            equal answers, and the same for a multiple of the dual.
    """

    kind: CertificateKind = "heuristic"

    def __init__(self, points: np.ndarray, starts: int = 128, seed: int = 0) -> None:
        if starts < 1:
            raise ValueError(f"starts must be at least 1, got {starts}.")
        self._points, self._group = np.unique(points, axis=0, return_inverse=True)
        self._group = self._group.ravel()
        self._starts = starts
        self._seed = seed
        centred = self._points - self._points.mean(axis=0)
        values, vectors = np.linalg.eigh(centred.T @ centred / max(len(centred), 1))
        floor = max(values[-1], 0.0) * 1e-8 or 1.0
        self._whitening = vectors / np.sqrt(np.maximum(values, floor))

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        dimension = self._points.shape[1]
        random = np.random.default_rng([self._seed, zlib.crc32(np.argsort(dual).tobytes())])
        directions = random.standard_normal((self._starts * effort, dimension))
        directions[1::2] = directions[1::2] @ self._whitening.T
        if hints is not None:
            directions = np.concatenate([hints.weights, directions])
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        masses = np.bincount(self._group, dual, minlength=len(self._points))
        weights, biases = directions.copy(), np.zeros(len(directions))
        threads = os.cpu_count() or 1
        bounds = np.linspace(0, len(directions), 4 * threads + 1).astype(int)
        with ThreadPoolExecutor(threads) as pool:
            tasks = [
                pool.submit(_ascend_all, self._points, masses, weights, biases, *pair) for pair in pairwise(bounds)
            ]
            for task in tasks:
                task.result()
        neurons = _distinct(Neurons(weights, biases))
        return Supremum.of(neurons, profile(self._points, masses, neurons))


def _distinct(neurons: Neurons) -> Neurons:
    """One of each hyperplane, up to orientation and rounding."""
    leading = np.argmax(np.abs(neurons.weights) > 1e-9, axis=1)
    signs = np.sign(neurons.weights[np.arange(len(neurons)), leading])
    scale = max(1.0, float(np.abs(neurons.biases).max(initial=0.0)))
    keys = np.column_stack([neurons.weights, neurons.biases / scale]) * signs[:, None]
    _, first = np.unique(np.round(keys, 9) + 0.0, axis=0, return_index=True)
    return neurons[np.sort(first)]


@njit(nogil=True, cache=True)
def _ascend_all(points, masses, weights, biases, start, stop):  # pragma: no cover - compiled
    for k in range(start, stop):
        biases[k] = _ascend(points, masses, weights[k])


@njit(nogil=True, cache=True)
def _best_pivot(points, masses, w):  # pragma: no cover - compiled
    """The datum n whose bias w·x_n maximises |p_z(w, ·)|, and p_z there."""
    t = points @ w
    order = np.argsort(t)
    value, tail, best, pivot = 0.0, 0.0, 0.0, order[-1]
    for position in range(order.shape[0] - 2, -1, -1):
        tail += masses[order[position + 1]]
        value += tail * (t[order[position + 1]] - t[order[position]])
        if abs(value) > abs(best):
            best, pivot = value, order[position]
    return pivot, best


@njit(nogil=True, cache=True)
def _remove(vector, basis, size):  # pragma: no cover - compiled
    """Remove from `vector`, in place, its components along the first `size` orthonormal rows of `basis`."""
    for _ in range(2):
        for i in range(size):
            vector -= (vector @ basis[i]) * basis[i]


@njit(nogil=True, cache=True)
def _ascend(points, masses, w):  # pragma: no cover - compiled
    """Climb |p_z| from the direction `w` (changed in place); returns the bias reached."""
    count, dimension = points.shape
    differences = np.empty((count, dimension))
    norms = np.empty(count)
    basis = np.empty((dimension, dimension))
    plane, plane_masses, keys = np.empty((count, 2)), np.empty(count), np.empty(count)
    index = np.empty(count, dtype=np.int64)
    touching = np.empty(count, dtype=np.int64)
    best = np.empty((2, 4))
    pivot, value = _best_pivot(points, masses, w)
    for _ in range(200):
        gradient = np.zeros(dimension)
        touched = 0
        for j in range(count):
            size, height = 0.0, 0.0
            for i in range(dimension):
                u = points[j, i] - points[pivot, i]
                differences[j, i] = u
                size += u * u
                height += u * w[i]
            norms[j] = np.sqrt(size)
            if norms[j] == 0.0:
                continue
            if abs(height) <= 1e-10 * norms[j]:
                touching[touched] = j
                touched += 1
            elif height > 0.0:
                gradient += masses[j] * differences[j]
        if value < 0.0:
            gradient = -gradient
        scale = np.linalg.norm(gradient)
        # Within the face: the directions orthogonal to w and to all touching data.
        basis[0] = w
        dimensions = 1
        for k in range(touched):
            if dimensions < dimension:
                dimensions += _extend(basis, dimensions, differences[touching[k]], norms[touching[k]])
        direction = gradient.copy()
        _remove(direction, basis, dimensions)
        improved = False
        if np.linalg.norm(direction) > 1e-9 * scale:
            improved, pivot, value = _move(
                points, masses, differences, norms, w, direction, pivot, value, plane, plane_masses, keys, index, best
            )
        if not improved and touched > 0:
            # Off the face: let go of one touching datum, to either side.
            steepest = 1e-9 * scale
            for k in range(touched):
                dimensions = 1
                for other in range(touched):
                    if other != k and dimensions < dimension:
                        dimensions += _extend(basis, dimensions, differences[touching[other]], norms[touching[other]])
                if dimensions >= dimension:
                    continue
                release = differences[touching[k]].copy()
                _remove(release, basis, dimensions)
                length = np.linalg.norm(release)
                if length <= 1e-10 * norms[touching[k]]:
                    continue
                release /= length
                away = gradient.copy()
                _remove(away, basis, dimensions)
                mass = masses[touching[k]] if value > 0.0 else -masses[touching[k]]
                # Along `release` the datum becomes active; along its opposite it does not.
                rise = away @ release + mass * (release @ differences[touching[k]])
                if rise > steepest:
                    steepest, direction = rise, release
                if -(away @ release) > steepest:
                    steepest, direction = -(away @ release), -release
            if steepest > 1e-9 * scale:
                improved, pivot, value = _move(
                    points,
                    masses,
                    differences,
                    norms,
                    w,
                    direction,
                    pivot,
                    value,
                    plane,
                    plane_masses,
                    keys,
                    index,
                    best,
                )
        if not improved:
            break
    return points[pivot] @ w


@njit(nogil=True, cache=True)
def _extend(basis, size, vector, norm):  # pragma: no cover - compiled
    """Append `vector` to the orthonormal rows of `basis` unless it depends on them; returns 1 or 0."""
    candidate = vector.copy()
    _remove(candidate, basis, size)
    length = np.linalg.norm(candidate)
    if length <= 1e-9 * norm:
        return 0
    basis[size] = candidate / length
    return 1


@njit(nogil=True, cache=True)
def _move(points, masses, differences, norms, w, direction, pivot, value, plane, plane_masses, keys, index, best):
    # pragma: no cover - compiled
    """Go to the maximum of |g_pivot| on the great circle through `w` and `direction`, then to the best pivot there."""
    direction = direction / np.linalg.norm(direction)
    direction -= (direction @ w) * w
    direction /= np.linalg.norm(direction)
    size = 0
    for j in range(points.shape[0]):
        x, y = differences[j] @ w, differences[j] @ direction
        if np.sqrt(x * x + y * y) > 1e-10 * norms[j]:
            plane[size, 0], plane[size, 1] = x, y
            plane_masses[size] = masses[j]
            index[size] = j
            size += 1
    if size == 0:
        return False, pivot, value
    order = sort_directions(plane[:size], keys[:size])
    sweep_half_circle(plane[:size], plane_masses[:size], order, best)
    side = 0 if best[0, 0] >= -best[1, 0] else 1
    if abs(best[side, 0]) <= abs(value) * (1.0 + 1e-11):
        return False, pivot, value
    new = best[side, 1] * w + best[side, 2] * direction
    kink = int(best[side, 3])
    if kink >= 0:
        # Land on the datum exactly, so that it counts as touching.
        u = differences[index[kink]]
        slope = u @ direction * best[side, 1] - u @ w * best[side, 2]
        tangent = best[side, 1] * direction - best[side, 2] * w
        if slope != 0.0:
            new = new - (new @ u) / slope * tangent
    new /= np.linalg.norm(new)
    new_pivot, new_value = _best_pivot(points, masses, new)
    if abs(new_value) <= abs(value) * (1.0 + 1e-12):
        return False, pivot, value
    w[:] = new
    if abs(new_value) <= abs(best[side, 0]) * (1.0 + 1e-9):
        return True, pivot, best[side, 0]
    return True, new_pivot, new_value
