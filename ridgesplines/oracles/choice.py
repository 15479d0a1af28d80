"""Which oracle serves a set of points, and points on a flat of lower dimension."""

from __future__ import annotations

import numpy as np

from ridgesplines.geometry import AffineFrame
from ridgesplines.oracles.ascent import AscentOracle
from ridgesplines.oracles.line import LineOracle
from ridgesplines.oracles.plane import PlaneOracle
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Oracle, Supremum
from ridgesplines.oracles.search import SearchOracle


class EmbeddedOracle:
    """An oracle for points on an r-dimensional flat of R^d, by one for their coordinates on the flat.

    The restriction of a neuron to the flat is a neuron there with a shorter weight, so the supremum over R^d is the one
    over the flat: a certificate for points on a line or in a plane is exact in every dimension. Points off the flat by
    rounding change p_z by at most Σ_n |z_n| · distance, which `upper` includes.
    """

    def __init__(self, frame: AffineFrame, oracle: Oracle) -> None:
        self._frame = frame
        self._oracle = oracle

    @property
    def kind(self) -> CertificateKind:
        """The kind of the oracle on the flat."""
        return self._oracle.kind

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        if hints is not None:
            weights = hints.weights @ self._frame.basis
            norms = np.linalg.norm(weights, axis=1)
            kept = norms > 1e-9
            biases = (hints.biases - hints.weights @ self._frame.centre)[kept] / norms[kept]
            hints = Neurons(weights[kept] / norms[kept, None], biases)
        answer = self._oracle.supremum(dual, hints, effort)
        weights = answer.neurons.weights @ self._frame.basis.T
        neurons = Neurons(weights, answer.neurons.biases + weights @ self._frame.centre)
        margin = self._frame.distance * float(np.abs(dual).sum())
        return Supremum(answer.value, answer.upper + margin, neurons, answer.values)


class EmptyOracle:
    """The supremum for points that all coincide: every profile orthogonal to the constants is zero."""

    kind: CertificateKind = "exact"

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        return Supremum.of(Neurons.none(self._dimension), np.zeros(0))


def choose_oracle(points: np.ndarray, order: int = 2, outputs: int = 1) -> Oracle:
    """The best oracle of order m for `points` (N, d) and dual vectors of so many outputs.

    Order 2: exact where the points span at most a plane, else a search. Orders 3 and 4: a search.
    """
    frame = AffineFrame.of(points)
    dimension = points.shape[1]
    if frame.rank == 0:
        return EmptyOracle(dimension)
    coordinates = points if frame.rank == dimension else frame.coordinates
    oracle: Oracle
    match frame.rank:
        case 1 if order == 2:
            oracle = LineOracle(coordinates)
        case 2 if order == 2:
            oracle = PlaneOracle(coordinates)
        case rank if order == 2 and (outputs == 1 or rank == 3):
            oracle = SearchOracle(coordinates)
        case _:
            oracle = AscentOracle(coordinates, order)
    return oracle if frame.rank == dimension else EmbeddedOracle(frame, oracle)
