"""The multi-start search for the supremum of any linear measurements, in any dimension: a lower bound of it."""

from __future__ import annotations

import zlib

import numpy as np

from ridgesplines.activations import TruncatedPower
from ridgesplines.norms import sizes
from ridgesplines.oracles.functionals import Functionals, Slopes, ball, in_blocks
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum

# How many of the starts are climbed from, in how many steps, and how often a step is halved.
_CLIMBED, _STEPS, _HALVINGS = 64, 40, 12
# Climbs end where a step gains no more than this, relative.
_RESTING = 1e-13
# Maxima that are this near, beside the radius, are one.
_SAME = 1e-6


class MeasuredSearchOracle:
    """A lower bound of sup |p_z| for any linear measurements, orders 2 to 4, any dimension and number of outputs.

    Starts are random neurons whose hyperplanes meet the supports; the highest of them and the hints climb
    log ‖p(w, b)‖ − (m − 1) log ‖w‖ by quasi-Newton steps (BFGS) with slopes from JAX. Every step is monotone.

    The largest value found may miss the supremum: `kind` is "heuristic".

    Args:
        functionals: the measurements.
        order: m, 2 to 4.
        starts: how many random neurons are tried per call.
        seed: of the random neurons, which depend on it and on the order of the dual's entries only: equal calls, equal
            answers, and the same for a multiple of the dual.
    """

    kind: CertificateKind = "heuristic"

    def __init__(self, functionals: Functionals, order: int, starts: int = 2048, seed: int = 0) -> None:
        if starts < 1:
            raise ValueError(f"starts must be at least 1, got {starts}.")
        self._functionals = functionals
        self._order = order
        self._pulled = Slopes(functionals, TruncatedPower(order))
        self._starts = starts
        self._seed = seed
        self._centre, radius = ball(functionals)
        self._radius = radius or 1.0

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        dimension = self._functionals.dimension
        columns = dual.reshape(len(dual), -1)
        if not columns.any():
            return Supremum.of(Neurons.none(dimension), np.zeros((0, *dual.shape[1:])))
        # A power of two, so that a rescaled dual takes the same path to the last bit.
        unit = 2.0 ** np.floor(np.log2(np.abs(columns).max()))
        random = np.random.default_rng([self._seed, zlib.crc32(np.argsort(dual, axis=None).tobytes())])
        starts = self._drawn(random, self._starts * effort)
        heights = sizes(self._values(columns / unit, starts))
        # The highest are near each other; others find other maxima.
        chosen = np.append(np.argsort(-heights, kind="stable")[: _CLIMBED * effort], np.arange(_CLIMBED * effort))
        starts = starts[chosen[heights[chosen] > 0]]
        if hints is not None and len(hints):
            offsets = (hints.biases - hints.weights @ self._centre) / self._radius
            starts = np.concatenate([np.column_stack([hints.weights, offsets]), starts])
        found = self._distinct(self._climbed(columns / unit, starts)) if len(starts) else starts
        weights = found[:, :dimension]
        neurons = Neurons(weights, found[:, dimension] * self._radius + weights @ self._centre)
        values = in_blocks(self._functionals, neurons, self._order, columns)
        return Supremum.of(neurons, values.reshape(len(neurons), *dual.shape[1:]))

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: the search is cheap as it is."""
        return self.supremum(dual, hints)

    # Neurons as rows (w, c) (K, d + 1), the bias counted from the centre of the supports in units of their radius.

    def _drawn(self, random: np.random.Generator, count: int) -> np.ndarray:
        """Unit neurons whose hyperplanes meet a support."""
        centres, radii = self._functionals.supports()
        weights = random.standard_normal((count, centres.shape[1]))
        # By turns such that count the spread of each input alike, whatever its units.
        spreads = np.ptp(centres, axis=0) + 2 * radii.max()
        weights[1::2] /= np.where(spreads > 0, spreads, 1.0)
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        through = random.integers(len(centres), size=count)
        heights = np.einsum("kd,kd->k", weights, centres[through] - self._centre)
        heights += radii[through] * random.uniform(-1, 1, count)
        return np.column_stack([weights, heights / self._radius])

    def _neurons(self, rows: np.ndarray) -> Neurons:
        weights = rows[:, :-1]
        return Neurons(weights, rows[:, -1] * self._radius + weights @ self._centre)

    def _values(self, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return in_blocks(self._functionals, self._neurons(rows), self._order, columns)

    def _heights(self, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """log ‖p‖ − (m − 1) log ‖w‖; −∞ where the hyperplane misses the supports, and p is nothing but rounding."""
        lengths = np.linalg.norm(rows[:, :-1], axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            heights = np.log(sizes(self._values(columns, rows))) - (self._order - 1) * np.log(lengths)
        return np.where(np.abs(rows[:, -1]) <= lengths, heights, -np.inf)

    def _slopes(self, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The derivatives of `_heights`."""
        neurons, values = self._neurons(rows), self._values(columns, rows)
        weights, biases = self._pulled(neurons, columns @ (values.T / np.maximum(sizes(values) ** 2, 1e-300)))
        weights = weights + biases[:, None] * self._centre
        weights -= (self._order - 1) * rows[:, :-1] / np.sum(rows[:, :-1] ** 2, axis=1, keepdims=True)
        return np.column_stack([weights, biases * self._radius])

    def _climbed(self, columns: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """BFGS ascents from all starts at once, each with its own inverse of the curvature; unit neurons."""
        heights = self._heights(columns, starts)
        rows, heights = starts[np.isfinite(heights)], heights[np.isfinite(heights)]
        if not len(rows):
            return rows
        slopes = self._slopes(columns, rows)
        inverses = np.tile(0.05 * np.eye(rows.shape[1]), (len(rows), 1, 1))
        climbing = np.ones(len(rows), bool)
        for _ in range(_STEPS):
            at = np.flatnonzero(climbing)
            if not len(at):
                break
            moves = np.einsum("kij,kj->ki", inverses[at], slopes[at])
            moves *= np.minimum(1.0, 0.3 / np.maximum(np.linalg.norm(moves, axis=1, keepdims=True), 1e-300))
            lengths, trials, reached = np.ones(len(at)), rows[at] + moves, np.full(len(at), -np.inf)
            open_ = np.arange(len(at))
            for _ in range(_HALVINGS):
                trials[open_] = rows[at[open_]] + lengths[open_, None] * moves[open_]
                reached[open_] = self._heights(columns, trials[open_])
                open_ = open_[~(reached[open_] > heights[at[open_]])]
                if not len(open_):
                    break
                lengths[open_] *= 0.4
            gained = reached - heights[at]
            better = gained > 0
            climbing[at[~(gained > _RESTING)]] = False
            if not better.any():
                continue
            at, trials = at[better], trials[better]
            new = self._slopes(columns, trials)
            step, change = trials - rows[at], slopes[at] - new
            inverses[at] = _updated(inverses[at], step, change)
            rows[at], heights[at], slopes[at] = trials, reached[better], new
        return rows / np.linalg.norm(rows[:, :-1], axis=1, keepdims=True)

    def _distinct(self, rows: np.ndarray) -> np.ndarray:
        """One of each hyperplane."""
        leading = np.argmax(np.abs(rows) > 1e-9, axis=1)
        signs = np.sign(rows[np.arange(len(rows)), leading])
        _, first = np.unique(np.round(rows * signs[:, None] / _SAME) + 0.0, axis=0, return_index=True)
        return rows[np.sort(first)]


def _updated(inverses: np.ndarray, steps: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """BFGS: inverses (K, p, p) of the curvature that agree with what a step changed, unless it was convex there."""
    curvatures = np.einsum("ki,ki->k", steps, changes)
    usable = curvatures > 1e-12 * np.linalg.norm(steps, axis=1) * np.linalg.norm(changes, axis=1)
    rates = np.where(usable, 1 / np.where(usable, curvatures, 1.0), 0.0)
    shear = np.eye(steps.shape[1]) - rates[:, None, None] * np.einsum("ki,kj->kij", steps, changes)
    updated = shear @ inverses @ shear.transpose(0, 2, 1)
    updated += rates[:, None, None] * np.einsum("ki,kj->kij", steps, steps)
    return np.where(usable[:, None, None], updated, inverses)
