"""Which oracle serves a set of points, and points on a flat of lower dimension."""

from __future__ import annotations

import math

import numpy as np

from ridgesplines.geometry import AffineFrame
from ridgesplines.norms import sizes
from ridgesplines.oracles.ascent import AscentOracle
from ridgesplines.oracles.convexity import ConvexityOracle
from ridgesplines.oracles.functionals import Functionals
from ridgesplines.oracles.line import LineOracle
from ridgesplines.oracles.measured_search import MeasuredSearchOracle
from ridgesplines.oracles.plane import PlaneOracle
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Oracle, Supremum
from ridgesplines.oracles.space import SpaceOracle
from ridgesplines.oracles.subdivision import SubdivisionOracle

# So many points take the exact supremum in space about a minute on two cores, and their cube decides for others;
# several outputs make a longer search of each cell.
_MOST_IN_SPACE = 1500
_MOST_IN_SPACE_OF_OUTPUTS = 500


class EmbeddedOracle:
    """An oracle for points on an r-dimensional flat of R^d, by one for their coordinates on the flat.

    The restriction of a unit neuron to the flat is a neuron there with a weight of norm s ≤ 1, which scales its profile
    by s^(m−1), so the supremum over R^d is the one over the flat: a certificate for points on a line or in a plane is
    as good in every dimension. Points off the flat by rounding change p_z by at most Σ_n |z_n| · distance times the
    steepest slope of ρ_m over the heights of data above a hyperplane that meets them, reach^(m−2) / (m−2)!, which
    `upper` includes.
    """

    def __init__(self, frame: AffineFrame, oracle: Oracle, order: int = 2) -> None:
        self._frame = frame
        self._oracle = oracle
        reach = float(np.linalg.norm(np.ptp(frame.coordinates, axis=0))) + 2 * frame.distance
        self._shift = frame.distance * reach ** (order - 2) / math.factorial(order - 2)

    @property
    def kind(self) -> CertificateKind:
        """The kind of the oracle on the flat."""
        return self._oracle.kind

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        return self._off_the_flat(dual, self._oracle.supremum(dual, self._on_the_flat(hints), effort))

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`."""
        return self._off_the_flat(dual, self._oracle.approximate(dual, self._on_the_flat(hints)))

    def _on_the_flat(self, hints: Neurons | None) -> Neurons | None:
        if hints is None:
            return None
        weights = hints.weights @ self._frame.basis
        norms = np.linalg.norm(weights, axis=1)
        kept = norms > 1e-9
        biases = (hints.biases - hints.weights @ self._frame.centre)[kept] / norms[kept]
        return Neurons(weights[kept] / norms[kept, None], biases)

    def _off_the_flat(self, dual: np.ndarray, answer: Supremum) -> Supremum:
        weights = answer.neurons.weights @ self._frame.basis.T
        neurons = Neurons(weights, answer.neurons.biases + weights @ self._frame.centre)
        margin = self._shift * float(sizes(dual).sum())
        return Supremum(answer.value, answer.upper + margin, neurons, answer.values)


class EmptyOracle:
    """The supremum for points that all coincide: every profile orthogonal to the constants is zero."""

    kind: CertificateKind = "exact"

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        return Supremum.of(Neurons.none(self._dimension), np.zeros((0, *dual.shape[1:])))

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: the supremum is cheap."""
        return self.supremum(dual, hints)


def choose_oracle(points: np.ndarray, order: int = 2, outputs: int = 1) -> Oracle:
    """The best oracle for `points` (N, d), order m and dual vectors of so many outputs.

    Order 2: exact where the points span at most a plane, or space and are few enough for a minute or two. Orders 3 and
    4: exact on a line, bounded in a plane for one output. Elsewhere a search.
    """
    frame = AffineFrame.of(points)
    dimension = points.shape[1]
    if frame.rank == 0:
        return EmptyOracle(dimension)
    coordinates = points if frame.rank == dimension else frame.coordinates
    oracle: Oracle
    match frame.rank:
        case 1:
            oracle = LineOracle(coordinates, order)
        case 2 if order == 2:
            oracle = PlaneOracle(coordinates)
        case 2 if outputs == 1:
            oracle = SubdivisionOracle(coordinates, order)
        case 3 if order == 2 and len(points) <= (_MOST_IN_SPACE if outputs == 1 else _MOST_IN_SPACE_OF_OUTPUTS):
            oracle = SpaceOracle(coordinates)
        case _:
            oracle = AscentOracle(coordinates, order)
    return oracle if frame.rank == dimension else EmbeddedOracle(frame, oracle, order)


def choose_measured_oracle(functionals: Functionals, order: int = 2) -> Oracle:
    """The best oracle for measurements that are no samples: a search, but where a bound is proven.

    That is for averages and derivatives, in d = 1 and 2.
    """
    if functionals.has_bends and functionals.dimension <= 2:
        return ConvexityOracle(functionals, order)
    return MeasuredSearchOracle(functionals, order)
