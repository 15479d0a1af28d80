"""Exact suprema for atomic norms of leaky ReLU neurons on the line, in the plane and in space."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ridgesplines.activations import LeakyReLU
from ridgesplines.geometry import AffineFrame
from ridgesplines.norms import dual_lengths, lengths
from ridgesplines.oracles.coincident import DistinctPoints
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum, profile
from ridgesplines.oracles.space_sweeps import sweep_circles_of_one
from ridgesplines.oracles.sweeps import sweep_drifting_pivots, sweep_vertices
from ridgesplines.oracles.threads import in_threads

_UNIT = np.finfo(float).eps
# Of sums in extended precision, where the machine has one.
_LONG_UNIT = float(np.finfo(np.longdouble).eps)
# Sweeps of all pivots in space take a minute or so for this many points; one sweep, for this many.
_MOST_PIVOTS_IN_SPACE, _MOST_IN_SPACE = 250, 4000
# How many of the maxima found are returned.
_RETURNED = 500


@dataclass(frozen=True)
class Biases:
    """Which biases neurons of gauge 1 may have.

    Attributes:
        penalised: whether the gauge is ‖(w, b)‖_p, or ‖w‖_p.
        bound: B with |b| ≤ B ‖w‖_p; 0 for no biases, infinite for no bound.
    """

    penalised: bool
    bound: float


class AtomicOracle:
    """The exact supremum of |p_z| for leaky ReLU neurons of ‖w‖_p = 1, or ‖(w, b)‖_p = 1, in low dimension.

    With σ(t) = (1 − β)/2 |t| + (1 + β)/2 t, a neuron whose hyperplane goes through x_n has

        p_z = (1 − β)/2 Σ_j z_j |w·u_j| + (1 + β)/2 w·s,    u_j = x_j − x_n,    s = Σ_j z_j u_j,

    and flipping w changes the sign of the second term alone: the supremum of |p_z| is that of the even functions
    ±(1 − β)/2 Σ_j z_j |w·u_j| + (1 + β)/2 |w·s|, in which s is one vector more; that of p_z (for coefficients v ≥ 0)
    takes the upper sign alone.

    * Free biases: for fixed w, p_z is piecewise linear in b with kinks at the data and constant beyond them, as z is
      orthogonal to the constants: some datum is the pivot n.
    * Bounded biases: likewise if the bound reaches all data, or at an end b = ±B, where all data are on one side:
      p_z = w·Σ_j z_j x_j ± B Σ_j z_j, or −β times it; on the line, for any bound, at a datum within or an end.
    * No biases, and penalised ones: the same with u_j = x_j, and with u_j = (x_j, −1) and (w, b) in place of w.

    So it remains to find the largest of functions (w ↦ ½ Σ_k m_k |w·u_k|) / ‖w‖_p, which are linear on the cells that
    the hyperplanes w ⟂ u_k make. In the plane p = 2 is `sweep_half_circle`, in space `sweep_circles_of_one`; for p = 1
    and infinity the largest is at a vertex of the cells within the facets of the unit ball.

    Rounding: `upper` exceeds the largest value by 160 ε S, S = Σ_k |m_k| ‖u_k‖ (times √3 for p = ∞, where ‖w‖₂ may be
    as large), and in space for p = 2 by what `SpaceOracle` says, with 2N + 3 for N. On the line, and on the circle of
    neurons without biases in the plane or with penalised ones on the line, sums are in extended precision, and it is by
    (N + 16) ε S with the ε of that, and 4 ε of the value: where data are δ apart, S may be as large as 1/δ.

    Args:
        points: (N, d).
        norm: p, 1, 2 or infinite.
        biases: which are admissible, and whether they are penalised.
        slope: β ∈ [0, 1).
        nonnegative: whether the supremum is that of p_z instead of |p_z|.

    Raises:
        ValueError: if no exact supremum is known; `choose_atomic_oracle` asks `serves` before.
    """

    kind: CertificateKind = "exact"

    def __init__(
        self, points: np.ndarray, norm: float, biases: Biases, slope: float = 0.0, nonnegative: bool = False
    ) -> None:
        if not self.serves(points, norm, biases):
            raise ValueError("no exact supremum is known for these points, this norm and these biases.")
        self._distinct = DistinctPoints(points)
        self._norm, self._biases = norm, biases
        self._activation = LeakyReLU(slope)
        self._nonnegative = nonnegative
        points = self._distinct.points
        self._pivots = not biases.penalised and biases.bound > 0
        self._lifted = np.column_stack([points, -np.ones(len(points))]) if biases.penalised else points
        # Neurons restricted to the span of the points are neurons there, with weights that are no longer, if p = 2.
        self._centre, self._basis = np.zeros(self._lifted.shape[1]), np.eye(self._lifted.shape[1])
        if norm == 2 and self._pivots and points.shape[1] > 1:
            frame = AffineFrame.of(points)
            self._centre, self._basis = frame.centre, frame.basis
        elif norm == 2:
            self._basis = _span(self._lifted)
        self._coordinates = (self._lifted - self._centre) @ self._basis
        self._corners = _corners(self._basis.shape[1], norm)
        if not self._pivots:
            self._reach = float(dual_lengths(self._lifted, norm).max())
        elif biases.bound < math.inf:
            self._reach = float(dual_lengths(points, norm).max()) + biases.bound
        else:
            self._reach = float(dual_lengths(np.ptp(points, axis=0)[None], norm)[0])
        self._distance = float(
            np.linalg.norm(self._lifted - self._centre - self._coordinates @ self._basis.T, axis=1).max()
        )

    @staticmethod
    def serves(points: np.ndarray, norm: float, biases: Biases) -> bool:
        """Whether there is an exact supremum, quick enough, for `points` (N, d)."""
        if biases.penalised or not biases.bound:
            lifted = np.column_stack([points, np.ones(len(points))]) if biases.penalised else points
            rank = _span(lifted).shape[1] if norm == 2 else lifted.shape[1]
            return rank <= 2 or (rank == 3 and len(points) <= _MOST_IN_SPACE)
        dimension = points.shape[1]
        if dimension == 1:
            return True
        if biases.bound < dual_lengths(points, norm).max():
            return False
        rank = AffineFrame.of(points).rank if norm == 2 else dimension
        return rank <= 2 or (rank == 3 and norm == 2 and len(points) <= _MOST_PIVOTS_IN_SPACE)

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        masses = self._distinct.masses(dual)
        search = self._at_pivots if self._pivots else self._through_the_origin
        found, height, margin = search(masses)
        neurons = _different(found + Neurons(-found.weights, -found.biases))
        values = profile(self._distinct.points, masses, neurons, slope=self._activation.slope)
        if self._nonnegative:
            neurons, values = neurons[values > 0], values[values > 0]
        answer = Supremum.of(neurons, values)
        margin += self._distinct.rounding(dual, self._reach) + self._distance * float(np.abs(masses).sum())
        upper = max(answer.value, height) + margin
        return Supremum(answer.value, upper, answer.neurons[:_RETURNED], answer.values[:_RETURNED])

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: the supremum is cheap."""
        return self.supremum(dual, hints)

    def _signs(self) -> tuple[int, ...]:
        return (1,) if self._nonnegative else (1, -1)

    def _through_the_origin(self, masses: np.ndarray) -> tuple[Neurons, float, float]:
        """Neurons where |p_z| is largest, its supremum, and the rounding of that: without biases, or with b in w."""
        slope, points = np.longdouble(self._activation.slope), self._coordinates.astype(np.longdouble)
        drift = points.T @ masses
        used = points.any(axis=1)
        vectors = np.concatenate([points[used], drift[None]])[: np.sum(used) + bool(drift.any())]
        size = (
            float(np.abs(masses) @ np.linalg.norm(points, axis=1)) * 2 * math.sqrt(3 if self._norm == math.inf else 1)
        )
        directions, heights, missed = np.zeros((0, points.shape[1])), np.zeros(0), 160 * _UNIT * size
        for sign in self._signs() if len(vectors) else ():
            weighted = np.append(sign * (1 - slope) * masses[used], 1 + slope)[: len(vectors)]
            if points.shape[1] == 2:
                more, values = _around_the_circle(vectors, weighted, self._norm, self._corners)
            else:
                vectors, weighted = np.asarray(vectors, dtype=float), np.asarray(weighted, dtype=float)
                if points.shape[1] == 1:
                    more, values = np.ones((1, 1)), 0.5 * np.abs(vectors.T) @ weighted
                else:
                    more, values = _over_the_sphere(vectors, weighted, self._norm, self._corners)
                    if self._norm == 2:
                        missed += 11 * (2 * len(vectors) + 1) * _UNIT * max(float(values.max()), 0.0)
            directions, heights = np.concatenate([directions, more]), np.append(heights, values)
        if points.shape[1] == 2:
            # Coordinates that were not turned into a basis are the data as they are.
            missed = missed if self._lifted.shape[1] > 2 else 0.0
            missed += (len(vectors) + 16) * _LONG_UNIT * size + 4 * _UNIT * float(heights.max(initial=0.0))
        best = directions[np.argsort(-heights, kind="stable")[: min(_RETURNED, np.count_nonzero(heights > 0))]]
        lifted = best @ self._basis.T
        lifted /= lengths(lifted, self._norm)[:, None]
        biases = lifted[:, -1] if self._biases.penalised else np.zeros(len(lifted))
        weights = lifted[:, :-1] if self._biases.penalised else lifted
        return Neurons(weights, biases), float(heights.max(initial=0.0)), missed

    def _at_pivots(self, masses: np.ndarray) -> tuple[Neurons, float, float]:
        """The same for biases that are free, or bounded."""
        points, (count, rank) = self._distinct.points, self._coordinates.shape
        size = 2 * float(np.abs(masses).sum() * np.linalg.norm(np.ptp(self._coordinates, axis=0)))
        margin = 160 * _UNIT * size * math.sqrt(3 if self._norm == math.inf else 1)
        if rank == 1:
            bound = self._biases.bound if points.shape[1] == 1 else math.inf
            slope, signed = self._activation.slope, self._nonnegative
            found, height, missed = _on_the_line(self._coordinates[:, 0], masses, slope, bound, signed)
            # On the line itself coordinates are the data as they are.
            margin = missed if points.shape[1] == 1 else margin + missed
        elif rank:
            found, height = self._sweep_pivots(masses)
            if rank == 3:
                margin += 11 * (2 * count + 3) * _UNIT * height
        else:
            found, height = Neurons.none(0), 0.0
        weights = found.weights @ self._basis.T
        found = Neurons(weights, found.biases + weights @ self._centre)
        if self._biases.bound < math.inf and points.shape[1] > 1:
            found, height, missed = self._at_the_ends(masses, found, height)
            margin += missed
        return found, height, margin

    def _sweep_pivots(self, masses: np.ndarray) -> tuple[Neurons, float]:
        """Neurons, in coordinates, and the supremum over those whose hyperplanes go through a datum."""
        points, (count, rank), slope = self._coordinates, self._coordinates.shape, self._activation.slope
        precise, total = points.astype(np.longdouble), masses.sum(dtype=np.longdouble)
        drifts = np.asarray(precise.T @ masses - total * precise, dtype=float)
        signs = self._signs()
        if rank == 2:
            best, sizes = np.zeros((count, 2, 2, 4)), np.zeros(count)

            def sweep(start: int, stop: int) -> None:
                sweep_drifting_pivots(
                    points,
                    (1 - slope) * masses,
                    drifts,
                    1 + slope,
                    self._corners,
                    self._norm,
                    start,
                    stop,
                    best,
                    sizes,
                )

            in_threads(sweep, count)
            # The largest value of either function: rows 0 for the one with the upper sign, and for the other.
            found = best[:, : len(signs), 0].reshape(-1, 4)
            directions, heights = found[:, 1:3], found[:, 0]
            pivots = np.arange(count).repeat(len(signs))
        else:
            directions, heights, pivots = np.zeros((0, 3)), np.zeros(0), np.zeros(0, dtype=int)
            for pivot in range(count):
                others = np.arange(count) != pivot
                vectors = np.concatenate([points[others] - points[pivot], drifts[pivot : pivot + 1]])
                vectors = vectors[: len(vectors) - (not drifts[pivot].any())]
                for sign in signs:
                    weighted = np.append(sign * (1 - slope) * masses[others], 1 + slope)[: len(vectors)]
                    more, values = _over_the_sphere(vectors, weighted, self._norm, self._corners)
                    top = int(np.argmax(values))
                    directions, heights = (
                        np.concatenate([directions, more[top : top + 1]]),
                        np.append(heights, values[top]),
                    )
                    pivots = np.append(pivots, pivot)
        order = np.argsort(-heights, kind="stable")[: min(_RETURNED, np.count_nonzero(heights > 0))]
        directions, pivots = directions[order], pivots[order]
        directions = directions / lengths(directions, self._norm)[:, None]
        return Neurons(directions, np.einsum("kd,kd->k", directions, points[pivots])), float(heights.max(initial=0.0))

    def _at_the_ends(self, masses: np.ndarray, found: Neurons, height: float) -> tuple[Neurons, float, float]:
        """`found` and the largest value, with the neurons at b = ±B, where all data are on one side; its rounding."""
        points, bound = self._distinct.points, self._biases.bound
        slope, total = self._activation.slope, float(masses.sum())
        steepest = _steepest(masses @ points, self._norm)
        along = float(steepest @ (masses @ points))
        # Active everywhere, in both directions; then inactive everywhere.
        values = np.array([along + bound * total, -along + bound * total, slope * (along - bound * total)])
        values = np.append(values, slope * (-along - bound * total))
        most = float(values.max() if self._nonnegative else np.abs(values).max())
        weights = np.stack([steepest, -steepest, steepest, -steepest])
        ends = Neurons(weights, bound * np.array([-1.0, -1.0, 1.0, 1.0]))
        size = float(np.abs(masses) @ (np.linalg.norm(points, axis=1) + bound))
        return found + ends, max(height, most), (len(masses) + 8) * _UNIT * 2 * size


def _on_the_line(
    points: np.ndarray, masses: np.ndarray, slope: float, bound: float, signed: bool
) -> tuple[Neurons, float, float]:
    """The maxima over |b| ≤ B of |p(±1, b)|, or of p(±1, b) if `signed`, the largest of them, and its rounding.

    Right and left of a kink the hinges are running sums in extended precision, whose errors are at most (N + 4) ε times
    the same sums over absolute values.
    """
    ends = [] if bound == math.inf else [-bound, bound]
    kinks = np.concatenate([points, ends]).astype(np.longdouble)
    order = np.argsort(kinks, kind="stable")
    kinks, weighted = kinks[order], np.append(masses, np.zeros(len(ends)))[order].astype(np.longdouble)

    def right(values: np.ndarray, where: np.ndarray) -> np.ndarray:
        tails = np.cumsum(values[::-1])[::-1][1:]
        return np.append(np.cumsum((np.diff(where) * tails)[::-1])[::-1], 0.0)

    def left(values: np.ndarray) -> np.ndarray:
        return right(values[::-1], -kinks[::-1])[::-1]

    within = np.abs(kinks) <= bound
    size = 2 * float((right(np.abs(weighted), kinks) + left(np.abs(weighted))).max())
    rights, lefts = right(weighted, kinks), left(weighted)
    found, height = Neurons.none(1), 0.0
    for sign, values in ((1.0, rights - slope * lefts), (-1.0, lefts - slope * rights)):
        sizes = values[within] if signed else np.abs(values[within])
        peaks = (sizes >= np.append(sizes[1:], 0.0)) & (sizes >= np.append(0.0, sizes[:-1]))
        found += Neurons(np.full((int(peaks.sum()), 1), sign), sign * kinks[within][peaks].astype(float))
        height = max(height, float(sizes.max(initial=0.0)))
    return found, height, (len(kinks) + 8) * _LONG_UNIT * size + 4 * _UNIT * height


def _around_the_circle(
    vectors: np.ndarray, masses: np.ndarray, norm: float, corners: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The local maxima (K, 2), unit vectors, and heights of (½ Σ_k m_k |w·u_k|) / ‖w‖_p, up to w → −w.

    In the precision of the arguments; rounded in the end.
    """
    vectors = np.concatenate([vectors, corners])
    masses = np.append(masses, np.zeros(len(corners)))
    flipped = (vectors[:, 1] < 0) | ((vectors[:, 1] == 0) & (vectors[:, 0] < 0))
    vectors = np.where(flipped[:, None], -vectors, vectors)
    order = np.argsort(np.arctan2(vectors[:, 1], vectors[:, 0]), kind="stable")
    vectors, masses = vectors[order], masses[order]
    terms = masses[:, None] * vectors
    # a on the arcs before each kink and after the last, where w·u > 0 for the kinks to come.
    sums = 0.5 * terms.sum(axis=0) - np.concatenate([np.zeros((1, 2)), np.cumsum(terms, axis=0)])
    along = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    directions = np.column_stack([-along[:, 1], along[:, 0]])
    heights = np.einsum("kd,kd->k", sums[1:], directions) / lengths(directions, norm)
    peaks = (heights >= np.roll(heights, 1)) & (heights >= np.roll(heights, -1))
    directions, heights = directions[peaks], heights[peaks]
    if norm == 2:
        # Inside an arc p rises at its start and falls at its end: a·w' changes sign, w' = −(the kink's direction).
        starts, ends = np.concatenate([[[1.0, 0.0]], along]), np.concatenate([along, [[-1.0, 0.0]]])
        inside = (np.einsum("kd,kd->k", sums, starts) < 0) & (np.einsum("kd,kd->k", sums, ends) > 0)
        sizes = np.linalg.norm(sums[inside], axis=1)
        directions = np.concatenate([directions, sums[inside] / sizes[:, None], [[0.0, 1.0]]])
        heights = np.append(np.append(heights, sizes), sums[0, 1])
    return directions.astype(float), heights.astype(float)


def _over_the_sphere(
    vectors: np.ndarray, masses: np.ndarray, norm: float, corners: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The largest values of (½ Σ_k m_k |w·u_k|) / ‖w‖_p near the great circles w ⟂ u_k: directions (K, 3), heights."""
    if norm == 2:
        count = len(vectors)
        doubled = np.concatenate([vectors, -vectors, np.zeros((1, 3))])
        halves = np.concatenate([0.5 * masses, 0.5 * masses, [0.0]])
        nearly, best = float(np.sqrt(5 * len(doubled) * _UNIT)), np.zeros((count, 2, 5))
        in_threads(lambda start, stop: sweep_circles_of_one(doubled, halves, start, stop, nearly, best), count)
        return best[:, 0, 1:4], best[:, 0, 0]
    vectors, masses = np.concatenate([vectors, corners]), np.append(masses, np.zeros(len(corners)))
    found = np.zeros((len(vectors), 4))
    in_threads(lambda start, stop: sweep_vertices(vectors, masses, norm, start, stop, found), len(vectors))
    return found[:, 1:], found[:, 0]


def _corners(dimension: int, norm: float) -> np.ndarray:
    """Normals of the hyperplanes through the origin that meet in the corners and edges of the unit ball."""
    if norm == 2 or dimension == 1:
        return np.zeros((0, dimension))
    axes = np.eye(dimension)
    if norm == 1:
        return axes
    pairs = [(i, j) for i in range(dimension) for j in range(i)]
    return np.array([axes[i] + sign * axes[j] for i, j in pairs for sign in (1, -1)])


def _steepest(vector: np.ndarray, norm: float) -> np.ndarray:
    """A w of ‖w‖_p = 1 with the largest w·vector."""
    if norm == math.inf or not vector.any():
        signs = np.where(vector < 0, -1.0, 1.0)
        return signs / lengths(signs[None], norm)[0]
    if norm == 2:
        return vector / np.linalg.norm(vector)
    best = int(np.argmax(np.abs(vector)))
    return np.sign(vector[best]) * np.eye(len(vector))[best]


def _span(vectors: np.ndarray) -> np.ndarray:
    """An orthonormal basis (D, r) of the span of `vectors` (N, D), the identity where they span R^D."""
    dimension = vectors.shape[1]
    _, values, right = np.linalg.svd(vectors, full_matrices=False)
    rank = int(np.sum(values > _UNIT * max(vectors.shape) * values.max(initial=0.0)))
    return np.eye(dimension) if rank == dimension else right[:rank].T


def _different(neurons: Neurons) -> Neurons:
    """The first of each oriented hyperplane, up to rounding."""
    scale = max(1.0, float(np.abs(neurons.biases).max(initial=0.0)))
    keys = np.column_stack([neurons.weights, neurons.biases / scale])
    return neurons[np.sort(np.unique(np.round(keys, 9) + 0.0, axis=0, return_index=True)[1])]
