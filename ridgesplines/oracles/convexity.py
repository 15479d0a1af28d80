"""A proven bound of the supremum for averages and derivatives, on the line and in the plane."""

from __future__ import annotations

import itertools
import math

import numpy as np

from ridgesplines.activations import TruncatedPower
from ridgesplines.norms import sizes
from ridgesplines.oracles.branching import branch_and_bound
from ridgesplines.oracles.functionals import Functionals, Kinks, ball, in_blocks
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum

_UNIT = float(np.finfo(float).eps)
# The first boxes: directions (in the plane) by biases.
_DIRECTIONS, _BIASES = 32, 8
_OVERLAP = 1e-14
# How many local maxima are climbed from, how far the step of a climb shrinks, and at what pace.
_CLIMBED, _SMALLEST, _PACE = 64, 1e-5, 0.3
# After so many steps, climbs that have met are one.
_MEETING = 4
# How many numbers of one kind are held at once when boxes are bounded.
_ENTRIES = 2**20
# How many boxes are worth a climb each time, and how many maxima an answer holds.
_WATCHED, _KEPT = 8, 256
# Maxima that are this near, beside the radius, are one.
_SAME = 1e-7


class ConvexityOracle:
    """A proven bound of sup |p_z| for averages and derivatives in d = 1 or 2 dimensions, orders 2 to 4, any outputs.

    For each ν_n there are convex functions U_n and V_n of (w, b), such that U_n + ν_n(ρ_m(w·x − b)) and
    V_n − ν_n(ρ_m(w·x − b)) are convex: for a nonnegative measure 0 and ν_n itself, for others see `Derivatives.bends`.
    So p = A − B with convex B = Σ_n z_n⁺ U_n + z_n⁻ V_n and A = p + B. On a box about c with corners c ± k, a point
    c + v in the simplex of c and some corners has A(c + v) at most the interpolation of A there, and
    B(c + v) ≥ 2 B(c) − B(c − v), which is at least 2 B(c) less the interpolation of B in the mirrored simplex. So

        p ≤ max over corners k of p(c), p(c + k) + [B(c + k) − 2 B(c) + B(c − k)]

    on the box, and −p likewise with U and V exchanged. Parts κ max(t, 0) of B with a kink in the box, t linear, are
    bounded by σ κ t instead, with the best 0 ≤ σ ≤ 1: see `_with_kinks`. The brackets vanish for averages of order 2
    whose supports the box leaves on one side, and are of second order in the size of the box where a measure has a
    density. Nothing but values of measured neurons and their `Functionals.bends` is asked for.

    Boxes are those of the unit w0 + τ w0⊥ over its length, and of the bias; without the division, in which p would grow
    only, their neurons are linear in (τ, b). Biases are counted from the centre of the supports, and those b ≥ 0 are
    enough, because flipping a neuron changes p_z by a polynomial to which z is orthogonal. Boxes whose bound stays
    below the value, up to `tolerance`, are put aside, and others halved.

    Rounding: `Functionals.rounding` bounds that of measured neurons, and sums of N terms are off by N ε of their
    absolute values; `upper` includes both.

    Args:
        functionals: whose bends are known, d = 1 or 2.
        order: m, 2 to 4.
        tolerance: how far `upper` may be above `value`, relative, besides rounding; by default 1e-9 on the line and
            1e-7 in the plane.
        time_limit: seconds after which `upper` is the bound reached: still proven, but looser.

    Raises:
        ValueError: if the bends of the functionals are not known, or they are of another dimension.
    """

    kind: CertificateKind = "bounded"

    def __init__(
        self, functionals: Functionals, order: int, tolerance: float | None = None, time_limit: float = 60.0
    ) -> None:
        if not functionals.has_bends or functionals.dimension > 2:
            raise ValueError(
                f"ConvexityOracle bounds averages and derivatives in dimension 1 or 2, got {functionals!r}; "
                "MeasuredSearchOracle searches for others."
            )
        self._functionals = functionals
        self._order = order
        self._plane = functionals.dimension == 2
        self._tolerance = (1e-7 if self._plane else 1e-9) if tolerance is None else tolerance
        self._time_limit = time_limit
        self._centre, self._radius = ball(functionals)
        signs = np.array([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]])
        # Where profiles on the line may have kinks: at the ends of supports, and at samples and derivatives.
        centres, radii = functionals.supports()
        ends = np.unique(np.concatenate([centres, centres - radii[:, None], centres + radii[:, None]])[:, :1])
        self._kinks = self._places(Neurons(np.ones((len(ends), 1)), ends)) if not self._plane else np.zeros((0, 2))
        # In pairs of opposite ones.
        self._corners = signs if self._plane else signs[:2] * [0.0, 1.0]

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        columns = dual.reshape(len(dual), -1)
        if not columns.any() or not self._radius:
            # Where all supports are one point, p_z is a multiple of what z is orthogonal to.
            return Supremum.of(Neurons.none(self._functionals.dimension), np.zeros((0, *dual.shape[1:])))
        places, heights = self._search(columns, hints, effort)
        found = [places]

        def refine(boxes: np.ndarray, value: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
            halves = self._halves(boxes)
            bounds, roundings, centres = self._bounds(halves, columns)
            starts = halves[np.argsort(-centres)[:_WATCHED]]
            if centres.max() > value * (1 + 1e-12) or len(found) == 1:
                climbed, heights = self._climb(columns, starts[:, :2], starts[:, 2:])
                found.append(climbed)
                value = max(value, float(heights.max()))
            return halves, bounds, roundings, value

        floor = float(self._bounds(np.zeros((1, 4)), columns)[1][0])
        value = float(heights.max(initial=0.0))
        proof = branch_and_bound(self._first_boxes(), refine, value, self._tolerance, floor, self._time_limit)
        answer = self._answer(dual, np.concatenate(found))
        # What lies outside of all supports, 1e-18 of a mass at most, is less than rounding.
        return Supremum(answer.value, max(proof.upper, answer.value, floor), answer.neurons, answer.values)

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """The value and the neurons without the proof, at a fraction of the cost: `upper` is infinite."""
        if not self._radius:
            return self.supremum(dual)
        answer = self._answer(dual, self._search(dual.reshape(len(dual), -1), hints, effort)[0])
        return Supremum(answer.value, np.inf, answer.neurons, answer.values)

    # Bounds over boxes (θ, b, α, β): directions within α of θ, biases within β of b, from the centre of the supports.

    def _bounds(self, boxes: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Bounds of ‖p‖ over boxes as in exact arithmetic, what rounding may take off them, and ‖p‖ at the centres."""
        size = max(1, _ENTRIES // (self._functionals.count * (1 + len(self._corners))))
        parts = [self._bounds_of_block(boxes[i : i + size], columns) for i in range(0, len(boxes), size)]
        bounds, roundings, centres = (np.concatenate(part) for part in zip(*parts, strict=True))
        return bounds, roundings, centres

    def _bounds_of_block(self, boxes: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See `_bounds`.

        Rounding: a bound is made of a value and a bend, for which `rounding` counts five times, and of their sums over
        the data.
        """
        theta, bias, alpha, beta = boxes.T
        tangent = np.tan(alpha)
        # A unit neuron of the box, over the cosine of its angle to the centre, has its bias over it, too.
        beta = (bias + beta) / np.cos(alpha) - bias
        rows = np.concatenate([np.zeros((1, 2)), self._corners])
        weights = self._directions(theta)[None] + (rows[:, :1] * tangent)[:, :, None] * self._across(theta)
        biases = bias + rows[:, 1:] * beta + weights @ self._centre
        flat = Neurons(weights.reshape(-1, weights.shape[2]), biases.ravel())
        activation, count = TruncatedPower(self._order), self._functionals.count
        measured = np.asarray(self._functionals.of_neurons(flat, activation)).reshape(count, *biases.shape)
        bends = self._functionals.bends(measured, Neurons(weights, biases), self._order)
        positive, negative = np.maximum(columns, 0.0), np.maximum(-columns, 0.0)
        # Outputs last, which `sizes` asks for.
        values = _combined(columns, measured)
        masses = sizes(columns)
        terms = 5 * np.abs(measured).max(axis=1) + (bends.rising + bends.falling).max(axis=1)
        highest = np.full_like(values, -np.inf)
        for sign, plus, minus in ((1.0, positive, negative), (-1.0, negative, positive)):
            tops = sign * values
            bent = _combined(plus, bends.rising) + _combined(minus, bends.falling)
            tops[1:] += np.repeat(bent, 2, axis=0)
            if bends.kinks is not None:
                tops = _with_kinks(tops, bends.kinks, plus, minus)
            highest = np.maximum(highest, tops)
        if bends.kinks is not None:
            terms += 4 * (bends.kinks.lift + bends.kinks.fall) * np.abs(bends.kinks.levels).max(axis=1)
        centres = sizes(values[0])
        bounds = sizes(highest.reshape(-1, columns.shape[1])).reshape(highest.shape[:2]).max(axis=0)
        lengths = np.sqrt(1 + tangent**2)
        farthest = Neurons(self._directions(theta) * lengths[:, None], np.abs(biases).max(axis=0))
        errors = masses @ self._functionals.rounding(farthest, activation)
        return bounds, 5 * errors + (count + 16) * _UNIT * (masses @ terms), centres

    def _first_boxes(self) -> np.ndarray:
        """Boxes that cover all directions and 0 ≤ b ≤ the radius."""
        beta = 0.5 * self._radius / _BIASES
        biases = beta * (2 * np.arange(_BIASES) + 1)
        alpha = np.pi / _DIRECTIONS if self._plane else 0.0
        thetas = alpha * (2 * np.arange(_DIRECTIONS) + 1) if self._plane else np.array([0.0, np.pi])
        grid = np.stack(np.meshgrid(thetas, biases, indexing="ij"), axis=-1).reshape(-1, 2)
        widths = np.array([alpha + _OVERLAP * self._plane, beta + _OVERLAP * self._radius])
        return np.column_stack([grid, np.tile(widths, (len(grid), 1))])

    def _halves(self, boxes: np.ndarray) -> np.ndarray:
        """Both halves of each box, across its longer side; they overlap by more than their centres round."""
        axis = (boxes[:, 3] > boxes[:, 2] * self._radius).astype(int)
        rows = np.arange(len(boxes))
        widths = boxes[rows, 2 + axis] / 2
        parts = np.concatenate([boxes, boxes])
        overlap = _OVERLAP * np.where(axis == 0, 1.0, self._radius)
        parts[np.arange(len(parts)), 2 + np.tile(axis, 2)] = np.tile(widths + overlap, 2)
        parts[rows, axis] -= widths
        parts[len(boxes) + rows, axis] += widths
        return parts

    # The profile at places (θ, b)

    def _directions(self, theta: np.ndarray) -> np.ndarray:
        return np.column_stack([np.cos(theta), np.sin(theta)])[:, : self._functionals.dimension]

    def _across(self, theta: np.ndarray) -> np.ndarray:
        return np.column_stack([-np.sin(theta), np.cos(theta)])[:, : self._functionals.dimension]

    def _values(self, columns: np.ndarray, places: np.ndarray) -> np.ndarray:
        weights = self._directions(places[:, 0])
        neurons = Neurons(weights, places[:, 1] + weights @ self._centre)
        return in_blocks(self._functionals, neurons, self._order, columns)

    # The search

    def _search(self, columns: np.ndarray, hints: Neurons | None, effort: int) -> tuple[np.ndarray, np.ndarray]:
        """Local maxima of ‖p‖ as places (θ, b), and ‖p‖ there: climbed from the highest of a grid and from `hints`."""
        root = math.sqrt(len(columns) * effort)
        turns = 48 + int(8 * root) if self._plane else 2
        steps = 24 + int(4 * root) if self._plane else 64 + 8 * len(columns) * effort
        spacing = np.array([2 * np.pi / turns if self._plane else 0.0, self._radius / steps])
        grid = np.stack(np.meshgrid(np.arange(turns), np.arange(steps) + 0.5, indexing="ij"), axis=-1)
        places = (grid * (spacing if self._plane else [np.pi, spacing[1]])).reshape(-1, 2)
        heights = sizes(self._values(columns, places)).reshape(turns, steps)
        padded = np.pad(heights, ((1, 1), (0, 0)), mode="wrap" if self._plane else "constant")
        padded = np.pad(padded, ((0, 0), (1, 1)), mode="constant", constant_values=-1.0)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3 if self._plane else 1, 3))
        if not self._plane:
            windows = windows[1:-1]
        peaks = np.flatnonzero((heights >= windows.max(axis=(2, 3))) & (heights > 0))
        peaks = peaks[np.argsort(-heights.ravel()[peaks], kind="stable")][: _CLIMBED * effort]
        starts, widths = places[peaks], np.tile(spacing, (len(peaks), 1))
        if not self._plane:
            # Climbs come near a maximum at a kink only.
            stencil = self._kinks + np.array([0.0, -1e-6, 1e-6])[:, None, None] * spacing
            here, *beside = sizes(self._values(columns, stencil.reshape(-1, 2))).reshape(3, -1)
            summits = np.flatnonzero((here > beside[0]) & (here > beside[1]))
            summits = summits[np.argsort(-here[summits], kind="stable")][: _CLIMBED * effort]
            starts = np.concatenate([self._kinks[summits], starts])
            widths = np.concatenate([np.tile(1e-6 * spacing, (len(summits), 1)), widths])
        if hints is not None and len(hints):
            hinted = self._places(hints)
            near = np.array([0.1, 0.1]) * spacing
            starts = np.concatenate([starts, hinted])
            widths = np.concatenate([widths, np.tile(near, (len(hinted), 1))])
        return self._climb(columns, starts, widths)

    def _places(self, neurons: Neurons) -> np.ndarray:
        """Unit neurons as places with b ≥ 0."""
        weights, biases = neurons.weights, neurons.biases - neurons.weights @ self._centre
        signs = np.where(biases < 0, -1.0, 1.0)
        across = weights[:, 1] if self._plane else np.zeros(len(biases))
        return np.column_stack([np.arctan2(signs * across, signs * weights[:, 0]), signs * biases])

    def _climb(self, columns: np.ndarray, starts: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ascents of ‖p‖ from places (M, 2), with first steps (M, 2), by quadratic models on ever smaller stencils.

        Values alone decide, so that kinks are no obstacle; each step goes to the best place that was tried.
        """
        if not len(starts):
            return starts, np.zeros(0)
        offsets = [-1.0, 0.0, 1.0] if self._plane else [0.0]
        stencil = np.array([[i, j] for i in offsets for j in (-1.0, 0.0, 1.0)])
        middle = len(stencil) // 2
        places, size = starts.copy(), np.ones(len(starts))
        best = sizes(self._values(columns, places))
        open_ = np.arange(len(places))
        rounds = 0
        while len(open_):
            rounds += 1
            steps = size[open_, None] * widths[open_]
            trials = places[open_, None] + stencil * steps[:, None]
            heights = sizes(self._values(columns, trials.reshape(-1, 2))).reshape(len(open_), -1)
            newton = places[open_] + steps * self._model_step(heights)
            heights = np.column_stack([heights, sizes(self._values(columns, newton))])
            heights[:, middle] = np.maximum(heights[:, middle], best[open_])
            rows, chosen = np.arange(len(open_)), np.argmax(heights, axis=1)
            ends = np.concatenate([trials, newton[:, None]], axis=1)[rows, chosen]
            moved = chosen != middle
            far = moved & (np.abs(ends - places[open_]) >= 0.99 * steps)[:, 1 - self._plane :].any(axis=1)
            places[open_] = np.where(moved[:, None], ends, places[open_])
            best[open_] = heights[rows, chosen]
            # Smaller anyway, or a ridge would be walked along for ever.
            size[open_] *= np.where(far, 0.8, _PACE)
            open_ = open_[size[open_] > _SMALLEST]
            if len(open_) and rounds % _MEETING == 0:
                # Those that have met go on as one.
                keys = np.round(places[open_] / (1e-2 * widths[open_].max(axis=0) + 1e-300))
                open_ = open_[np.sort(np.unique(keys, axis=0, return_index=True)[1])]
        return places, best

    def _model_step(self, heights: np.ndarray) -> np.ndarray:
        """The step, in units of the stencil, to the maximum of the quadratic model, in any case uphill and short."""
        if not self._plane:
            low, here, high = heights.T
            slope, bend = 0.5 * (high - low), high - 2 * here + low
            step = slope / np.maximum(np.abs(bend), 0.5 * np.abs(slope) + 1e-300)
            return np.column_stack([np.zeros(len(step)), step])
        table = heights.reshape(-1, 3, 3)
        slope = 0.5 * np.column_stack([table[:, 2, 1] - table[:, 0, 1], table[:, 1, 2] - table[:, 1, 0]])
        cross = 0.25 * (table[:, 2, 2] - table[:, 2, 0] - table[:, 0, 2] + table[:, 0, 0])
        bends = np.empty((len(table), 2, 2))
        bends[:, 0, 0] = table[:, 2, 1] - 2 * table[:, 1, 1] + table[:, 0, 1]
        bends[:, 1, 1] = table[:, 1, 2] - 2 * table[:, 1, 1] + table[:, 1, 0]
        bends[:, 0, 1] = bends[:, 1, 0] = cross
        values, vectors = np.linalg.eigh(bends)
        along = np.einsum("kij,ki->kj", vectors, slope)
        along /= np.maximum(np.abs(values), 0.5 * np.abs(along) + 1e-300)
        return np.einsum("kij,kj->ki", vectors, along)

    def _answer(self, dual: np.ndarray, places: np.ndarray) -> Supremum:
        """One of each hyperplane, best first, with p there."""
        dimension = self._functionals.dimension
        places = np.where(places[:, 1:] < 0, np.column_stack([places[:, 0] + np.pi, -places[:, 1]]), places)
        weights = self._directions(places[:, 0])
        keys = np.column_stack([weights, places[:, 1] / self._radius])
        neurons = Neurons(weights, places[:, 1] + weights @ self._centre)
        values = in_blocks(self._functionals, neurons, self._order, dual.reshape(len(dual), -1))
        heights = sizes(values)
        order = np.argsort(-heights, kind="stable")
        order = order[heights[order] > 0]
        _, first = np.unique(np.round(keys[order] / _SAME) + 0.0, axis=0, return_index=True)
        order = order[np.sort(first)][:_KEPT]
        if not len(order):
            return Supremum.of(Neurons.none(dimension), np.zeros((0, *dual.shape[1:])))
        return Supremum.of(neurons[order], values[order].reshape(len(order), *dual.shape[1:]))


def _combined(columns: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Σ_n c_n v_n for columns c (N, D) and values v (N, P, B): (P, B, D)."""
    return np.moveaxis((columns.T @ values.reshape(len(values), -1)).reshape(-1, *values.shape[1:]), 0, -1)


def _with_kinks(tops: np.ndarray, kinks: Kinks, plus: np.ndarray, minus: np.ndarray) -> np.ndarray:
    """What p is at most at the vertices (P, B, D) of boxes, in whose simplices it is at most the interpolation of that.

    The kinks' part of B, Σ κ t⁺, is at least σ Σ κ t for any 0 ≤ σ ≤ 1, or what the mirrored simplex gives, whichever
    is better: along a ridge of p, where one kink's slopes have p fall to both sides, some σ leaves no first order.

    Args:
        tops: p at the vertices, with the bends of all but the kinks.
        kinks: of the functionals.
        plus: what multiplies U, (N, D).
        minus: what multiplies V.
    """
    rows = kinks.crossing.any(axis=1)
    if not rows.any():
        return tops
    levels = kinks.levels[rows]
    better = np.empty_like(tops)
    for output, (raised, lowered) in enumerate(zip(plus[rows].T, minus[rows].T, strict=True)):
        masses = raised[:, None] * kinks.lift[rows] + lowered[:, None] * kinks.fall[rows]
        slopes = np.einsum("nb,npb->pb", masses, levels)
        kinked = np.einsum("nb,npb->pb", masses, np.maximum(levels, 0.0))
        plain = tops[:, :, output]
        best = plain.copy()
        best[1:] += np.repeat(kinked[1::2] - 2 * kinked[0] + kinked[2::2], 2, axis=0)
        starts = plain + kinked
        # The least of the largest of lines in σ is at an end or where two of them meet.
        for first, second in [(0, 0), *itertools.combinations(range(len(plain)), 2)]:
            rise = slopes[first] - slopes[second]
            share = (starts[first] - starts[second]) / np.where(rise != 0, rise, 1.0)
            trial = starts - np.clip(share, 0.0, 1.0) * slopes
            best = np.where(trial.max(axis=0) < best.max(axis=0), trial, best)
        trial = starts - slopes
        better[:, :, output] = np.where(trial.max(axis=0) < best.max(axis=0), trial, best)
    return better
