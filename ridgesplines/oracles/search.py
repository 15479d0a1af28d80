"""The multi-start search for the supremum in any dimension, order 2: a lower bound of it."""

from __future__ import annotations

import zlib

import numpy as np

from ridgesplines.oracles.coincident import DistinctPoints
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum, profile
from ridgesplines.oracles.sweeps import ascend_all, ascend_all_outputs
from ridgesplines.oracles.threads import in_threads


class SearchOracle:
    """A lower bound of sup |p_z| for points (N, d), d ≥ 2, order 2, by ascents from many starts.

    From each start w the search alternates the exact maximum over the bias (it is attained at a datum, the pivot) with
    exact maxima over great circles through w: along the gradient within the face of hyperplanes that touch the same
    data, or, where that vanishes, off one of the data touched, in the end also where that falls before it rises. Every
    step is monotone; an ascent ends where no such circle improves it. Of several outputs it climbs one combination at a
    time, that along the profile where it stands: what that gains, the norm gains at least. Starts are directions drawn
    at random, isotropic and scaled to the data by turns, and the hints.

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
        self._distinct = DistinctPoints(points)
        self._points = self._distinct.points
        self._starts = starts
        self._seed = seed
        centred = self._points - self._points.mean(axis=0)
        values, vectors = np.linalg.eigh(centred.T @ centred / max(len(centred), 1))
        floor = max(values[-1], 0.0) * 1e-8 or 1.0
        self._whitening = vectors / np.sqrt(np.maximum(values, floor))

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        dimension = self._points.shape[1]
        random = np.random.default_rng([self._seed, zlib.crc32(np.argsort(dual.T.ravel()).tobytes())])
        directions = random.standard_normal((self._starts * effort, dimension))
        directions[1::2] = directions[1::2] @ self._whitening.T
        if hints is not None:
            directions = np.concatenate([hints.weights, directions])
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        masses = self._distinct.masses(dual)
        weights, biases = directions.copy(), np.zeros(len(directions))
        ascend = ascend_all if dual.ndim == 1 else ascend_all_outputs
        in_threads(lambda start, stop: ascend(self._points, masses, weights, biases, start, stop), len(directions))
        neurons = Neurons(weights, biases)
        neurons = neurons[distinct(neurons)]
        return Supremum.of(neurons, profile(self._points, masses, neurons))

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: the search is cheap as it is."""
        return self.supremum(dual, hints)


def distinct(neurons: Neurons) -> np.ndarray:
    """The positions, sorted, of the first of each hyperplane, up to orientation and rounding."""
    leading = np.argmax(np.abs(neurons.weights) > 1e-9, axis=1)
    signs = np.sign(neurons.weights[np.arange(len(neurons)), leading])
    scale = max(1.0, float(np.abs(neurons.biases).max(initial=0.0)))
    keys = np.column_stack([neurons.weights, neurons.biases / scale]) * signs[:, None]
    _, first = np.unique(np.round(keys, 9) + 0.0, axis=0, return_index=True)
    return np.sort(first)
