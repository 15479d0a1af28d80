"""The search for the supremum under any gauge of neurons: a lower bound of it."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ridgesplines.activations import Activation
from ridgesplines.norms import sizes
from ridgesplines.oracles.coincident import DistinctPoints
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum

# The width of the smoothing, in standard deviations of a neuron's heights over the data, at first; it shrinks to 1/50.
_NARROWEST, _WIDEST = 0.1, 0.8
_ANNEALING_STEPS = 120
# How many annealed ends are climbed to the last digit, and how many steps that may take.
_POLISHED, _STEPS = 48, 60
# A height of a datum above a hyperplane that counts as none, relative to the sizes of its terms.
_TOUCHING = 1e-10
# The quick search has this fraction of the starts.
_SHARE = 4
# How many are maximised by convex programs, and how often the place of a maximum between kinks is narrowed down.
_SOLVED, _HALVINGS = 4, 8
# Steps along a line that are tried besides those to its kinks.
_TRIED = np.concatenate([-(10.0 ** np.arange(-6, 1.0)), 10.0 ** np.arange(-6, 1.0)])


class GaugeOracle:
    """A lower bound of sup |p_z| / gauge over all admissible neurons, for any gauge, by annealed ascents in JAX.

    Each start (w, b) climbs log |p_z| − log gauge with a smoothed activation while the smoothing shrinks. The best ends
    and the hints then climb the profile itself: along lines, on which p_z is piecewise linear and p_z / gauge has one
    maximum between two kinks, first in the direction of the gradient that keeps the hyperplane on the data it touches,
    then off one of them. Where the gauge has a convex program, the best few go on to the maximum among the neurons that
    have the same data on the same sides, and climb again.

    The largest value found may miss the supremum: `kind` is "heuristic".

    Args:
        points: (N, d).
        gauge: of neurons, (K,), positively homogeneous of the activation's degree; for JAX's arrays differentiable.
        activation: σ.
        admit: maps neurons to admissible ones; all of them, by default.
        program: the gauge of a neuron (w, b) in cvxpy, or None.
        nonnegative: whether the supremum is that of p_z instead of |p_z|.
        starts: how many random neurons are tried per call.
        seed: of the random neurons, which depend on it and on the order of the dual's entries only: equal calls, equal
            answers.
    """

    kind: CertificateKind = "heuristic"

    def __init__(
        self,
        points: np.ndarray,
        gauge: Callable[[Neurons], Any],
        activation: Activation,
        admit: Callable[[Neurons], Neurons] | None = None,
        program: Callable[[Any, Any], Any] | None = None,
        nonnegative: bool = False,
        starts: int = 512,
        seed: int = 0,
    ) -> None:
        if starts < 1:
            raise ValueError(f"starts must be at least 1, got {starts}.")
        self._distinct = DistinctPoints(points)
        self._points = self._distinct.points
        self._gauge, self._activation = gauge, activation
        self._admit = admit if admit is not None else lambda neurons: neurons
        self._program = program
        self._lifted = np.column_stack([self._points, -np.ones(len(self._points))])
        # Without biases only the weights move.
        probe = self._admitted(Neurons(np.ones((1, points.shape[1])), np.ones(1)))
        self._movable = np.append(np.ones(points.shape[1]), float(probe.biases[0] != 0))
        self._lifted *= self._movable
        self._lengths = np.linalg.norm(self._lifted, axis=1)
        self._nonnegative, self._starts, self._seed = nonnegative, starts, seed
        centred = self._points - self._points.mean(axis=0)
        values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
        self._spread = float(np.sqrt(values.sum())) or 1.0
        self._whitening = vectors / np.sqrt(np.maximum(values, max(values[-1], 0.0) * 1e-8 or 1.0))

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        return self._search(dual, hints, effort)

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: fewer starts, and no convex programs."""
        return replace(self._search(dual, hints, 1 / _SHARE), upper=np.inf)

    def _search(self, dual: np.ndarray, hints: Neurons | None, effort: float) -> Supremum:
        masses = self._distinct.masses(dual)
        if not masses.any():
            return Supremum.of(Neurons.none(self._points.shape[1]), np.zeros((0, *dual.shape[1:])))
        random = self._random(dual)
        starts = self._drawn(random, max(1, round(self._starts * effort)))
        widths = np.exp(random.uniform(np.log(_NARROWEST), np.log(_WIDEST), len(starts)))
        columns = masses.reshape(len(masses), -1) / np.abs(masses).max()
        annealed = self._anneal(self._points, columns, starts.weights, starts.biases, widths)
        ends = Neurons(np.asarray(annealed[0]), np.asarray(annealed[1]))
        ends = ends[np.isfinite(ends.biases) & np.isfinite(ends.weights).all(axis=1)]
        polished = round(_POLISHED * effort)
        ends = self._best(columns, ends, polished)
        if hints is not None and len(hints):
            ends += self._best(columns, self._admitted(hints), 2 * polished)
        found = self._climbed(columns, ends)
        if self._program is not None and self._activation.homogeneity == 1 and effort >= 1:
            found = self._best(columns, found, len(found))
            thetas = np.column_stack([found.weights, found.biases])[:_SOLVED]
            solved = np.array([self._best_of_its_cell(columns, theta) for theta in thetas]).reshape(thetas.shape)
            found += self._climbed(columns, Neurons(solved[:, :-1], solved[:, -1]))
        found = self._best(columns, found, len(found))
        return Supremum.of(found, self._profile(masses, found))

    def _random(self, dual: np.ndarray) -> np.random.Generator:
        return np.random.default_rng([self._seed, zlib.crc32(np.argsort(dual, axis=None).tobytes())])

    def _climbed(self, columns: np.ndarray, neurons: Neurons) -> Neurons:
        """Where the climbs from `neurons` on the profile itself end."""
        ends = [self._climb(columns, np.append(w, b)) for w, b in zip(neurons.weights, neurons.biases, strict=True)]
        thetas = np.array(ends).reshape(len(ends), self._points.shape[1] + 1)
        return self._admitted(Neurons(thetas[:, :-1], thetas[:, -1]))

    def _best_of_its_cell(self, columns: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """The (w, b) of gauge 1 with the largest q·p_z, q = p_z / |p_z| at `theta`, and no datum on another side."""
        import cvxpy  # heavy, and most searches need no program

        gradient = self._gradient(columns, theta)
        ahead = theta + 1e-7 * np.linalg.norm(theta) / (np.linalg.norm(gradient) or 1.0) * gradient
        sides = np.where(self._lifted @ ahead >= 0, 1.0, -1.0)
        values = self._activation(self._lifted @ theta) @ columns
        pull = np.where(sides > 0, 1.0, self._activation.slope) * (columns @ values) / (np.linalg.norm(values) or 1.0)
        variable, goal, walls, program = self._cell
        goal.value, walls.value = self._lifted.T @ pull, sides[:, None] * self._lifted / self._lengths.max()
        try:
            # From scratch, so that equal calls have equal answers.
            program.solve(solver="CLARABEL", warm_start=False)
        except (cvxpy.SolverError, ValueError, ArithmeticError):
            return theta
        found = variable.value
        return theta if found is None or not np.isfinite(found).all() or not found.any() else np.asarray(found)

    @cached_property
    def _cell(self) -> tuple[Any, Any, Any, Any]:
        import cvxpy  # heavy, and most searches need no program

        assert self._program is not None
        variable = cvxpy.Variable(self._lifted.shape[1])
        goal, walls = cvxpy.Parameter(variable.shape), cvxpy.Parameter(self._lifted.shape)
        constraints = [self._program(variable[:-1], variable[-1]) <= 1, walls @ variable >= 0]
        return variable, goal, walls, cvxpy.Problem(cvxpy.Maximize(goal @ variable), constraints)

    def _drawn(self, random: np.random.Generator, count: int) -> Neurons:
        """Random neurons that meet the data."""
        weights = random.standard_normal((count, self._points.shape[1]))
        weights[1::2] = weights[1::2] @ self._whitening.T
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        through = self._points[random.integers(len(self._points), size=count)]
        return self._admitted(Neurons(weights, np.einsum("kd,kd->k", weights, through)))

    def _admitted(self, neurons: Neurons) -> Neurons:
        neurons = self._admit(neurons)
        return Neurons(np.asarray(neurons.weights), np.asarray(neurons.biases))

    def _unit(self, neurons: Neurons) -> Neurons:
        """The neurons with gauge 1; those of none, or of a gauge that is not finite, dropped."""
        gauges = np.asarray(self._gauge(neurons))
        usable = np.isfinite(gauges) & (gauges > 0)
        scales = gauges[usable] ** (1 / self._activation.homogeneity)
        return Neurons(neurons.weights[usable] / scales[:, None], neurons.biases[usable] / scales)

    def _profile(self, columns: np.ndarray, neurons: Neurons) -> np.ndarray:
        return self._activation(self._points @ neurons.weights.T - neurons.biases).T @ columns

    def _heights(self, columns: np.ndarray, neurons: Neurons) -> np.ndarray:
        """What is climbed: |p_z| / gauge, or p_z / gauge; −∞ for neurons of no gauge."""
        gauges = np.asarray(self._gauge(neurons))
        values = self._profile(columns, neurons)
        values = values[:, 0] if self._nonnegative else sizes(values)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where((gauges > 0) & np.isfinite(values), values / gauges, -np.inf)

    def _best(self, columns: np.ndarray, neurons: Neurons, count: int) -> Neurons:
        """The highest different ones, best first; under `nonnegative` those with p_z > 0."""
        neurons = self._unit(neurons)
        heights = self._heights(columns, neurons)
        order = np.argsort(-heights, kind="stable")
        order = order[heights[order] > 0]
        keys = np.column_stack([neurons.weights, neurons.biases / self._spread])[order]
        _, first = np.unique(np.round(keys, 7) + 0.0, axis=0, return_index=True)
        return neurons[order[np.sort(first)[:count]]]

    def _climb(self, columns: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Where exact line searches from (w, b) end."""
        lifted, movable = self._lifted, self._movable
        height = self._height_of(columns, theta[None])[0]
        for _ in range(_STEPS):
            values = lifted @ theta
            touching = np.abs(values) <= _TOUCHING * self._lengths * np.linalg.norm(theta)
            gradient = movable * self._gradient(columns, theta)
            faces = lifted[touching]
            directions = [gradient - np.linalg.pinv(faces) @ (faces @ gradient)] if len(faces) else [gradient]
            if 0 < len(faces) <= 4 * len(theta):
                # Off one datum along the others.
                directions += list(np.linalg.pinv(faces).T)
            improved = False
            for direction in directions:
                length = np.linalg.norm(direction)
                if length <= 1e-9 * np.linalg.norm(gradient):
                    continue
                moved, new = self._along(columns, theta, direction / length * np.linalg.norm(theta))
                if new > height * (1 + 1e-11):
                    theta, height, improved = moved / np.linalg.norm(moved), new, True
                    break
            if not improved:
                break
        return theta

    def _height_of(self, columns: np.ndarray, thetas: np.ndarray) -> np.ndarray:
        return self._heights(columns, self._admitted(Neurons(thetas[:, :-1], thetas[:, -1])))

    def _along(self, columns: np.ndarray, theta: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, float]:
        """The highest (w, b) at the kinks of a line, and between the best of them and the next."""
        values, rates = self._lifted @ theta, self._lifted @ direction
        with np.errstate(divide="ignore", invalid="ignore"):
            kinks = -values / rates
        kinks = np.sort(kinks[np.isfinite(kinks) & (np.abs(kinks) < 1e6) & (np.abs(kinks) > 1e-13)])
        steps = np.append(kinks, _TRIED)
        thetas = theta + steps[:, None] * direction
        # Only the best few are evaluated anew: running sums are quick and rough.
        rough = np.append(
            self._at_kinks(columns, values, rates, kinks, thetas[: len(kinks)]), np.full(len(_TRIED), np.inf)
        )
        chosen = np.argsort(-rough)[: len(_TRIED) + 4]
        heights = self._height_of(columns, thetas[chosen])
        best = int(np.argmax(heights))
        place, height = float(steps[chosen[best]]), float(heights[best])
        known = np.sort(np.append(steps, 0.0))
        position = int(np.searchsorted(known, place))
        lower, upper = known[max(position - 1, 0)], known[min(position + 1, len(known) - 1)]
        for _ in range(_HALVINGS):
            # One maximum on either side of the best.
            trials = np.concatenate([np.linspace(lower, place, 6)[1:-1], np.linspace(place, upper, 6)[1:-1]])
            heights = self._height_of(columns, theta + trials[:, None] * direction)
            around = np.concatenate([[lower], trials[:4], [place], trials[4:], [upper]])
            best = int(np.argmax(heights))
            if heights[best] > height:
                place, height = float(trials[best]), float(heights[best])
            middle = int(np.argmin(np.abs(around - place)))
            lower, upper = around[max(middle - 1, 0)], around[min(middle + 1, len(around) - 1)]
        return theta + place * direction, height

    def _at_kinks(
        self, columns: np.ndarray, values: np.ndarray, rates: np.ndarray, kinks: np.ndarray, thetas: np.ndarray
    ) -> np.ndarray:
        """The heights at the sorted kinks of the line `values` + t `rates`, up to the rounding of running sums."""
        if self._activation.homogeneity > 1 or not len(kinks):
            return np.full(len(kinks), np.inf)
        slope = self._activation.slope
        moving = rates != 0
        own = -values[moving] / rates[moving]
        order = np.argsort(own)
        # Each kink passed bends p by (1 − β) |rate| z.
        bends = np.cumsum(((1 - slope) * np.abs(rates[moving]) * columns[moving].T).T[order], axis=0)
        start = columns.T @ (np.where(rates < 0, 1.0, slope) * rates)
        passed = np.searchsorted(own[order], kinks, side="right") - 1
        slopes = start + np.where((passed >= 0)[:, None], bends[np.maximum(passed, 0)], 0.0)
        first = self._activation(values + kinks[0] * rates) @ columns
        profile = first + np.concatenate(
            [np.zeros((1, columns.shape[1])), np.cumsum(slopes[:-1].T * np.diff(kinks), axis=1).T]
        )
        gauges = np.asarray(self._gauge(self._admitted(Neurons(thetas[:, :-1], thetas[:, -1]))))
        heights = profile[:, 0] if self._nonnegative else sizes(profile)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(gauges > 0, heights / gauges, -np.inf)

    def _gradient(self, columns: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Of log height, with half the slope at kinks."""
        lifted = self._lifted
        values = self._activation(lifted @ theta) @ columns
        direction = values / (np.linalg.norm(values) or 1.0)
        up, down = self._activation(lifted @ theta + 1e-9), self._activation(lifted @ theta - 1e-9)
        slopes = (up - down) / 2e-9
        return lifted.T @ (slopes * (columns @ direction)) / (np.linalg.norm(values) or 1.0) - self._slope(theta)

    def _slope(self, theta: np.ndarray) -> np.ndarray:
        """The gradient of log gauge."""
        return np.nan_to_num(np.asarray(self._gauge_slope(theta)))

    @cached_property
    def _gauge_slope(self) -> Callable[[Any], Any]:
        def logarithm(theta: Any) -> Any:
            return jnp.log(self._gauge(self._admit(Neurons(theta[None, :-1], theta[-1:])))[0])

        return jax.jit(jax.grad(logarithm))

    @cached_property
    def _anneal(self) -> Callable[..., Any]:
        """Climb log height of the smoothed activation from each start while its width shrinks: a compiled program."""
        activation, gauge, admit = self._activation, self._gauge, self._admit
        power, slope = activation.homogeneity, activation.slope
        centre = self._points.mean(axis=0)
        covariance = np.cov(self._points.T, bias=True).reshape(len(centre), len(centre))

        def height(points: Any, columns: Any, w: Any, c: Any, width: Any) -> Any:
            neuron = admit(Neurons(w[None], (c + centre @ w)[None]))
            t = points @ neuron.weights[0] - neuron.biases[0]
            ramp = (t + jnp.sqrt(t * t + width * width)) / 2
            values = ((1 - slope) * ramp + slope * t if power == 1 else ramp**power / math.factorial(power)) @ columns
            climbed = values[0] if self._nonnegative else jnp.sqrt(jnp.sum(values**2) + 1e-300)
            return jnp.log(jnp.maximum(climbed, 1e-150)) - jnp.log(jnp.maximum(gauge(neuron)[0], 1e-150))

        uphill = jax.vmap(jax.grad(height, argnums=(2, 3)), in_axes=(None, None, 0, 0, 0))

        def run(points: Any, columns: Any, weights: Any, biases: Any, widths: Any) -> Any:
            def step(state: Any, progress: Any) -> Any:
                w, c, drift = state
                # In units in which the heights of the data above a hyperplane are of order one.
                unit = jnp.sqrt(jnp.einsum("kd,de,ke->k", w, covariance, w)) + 1e-12 * jnp.abs(c) + 1e-300
                w, c = w / unit[:, None], c / unit
                width = widths * 0.02**progress
                to_w, to_c = uphill(points, columns, w, c, width)
                ascent = jnp.nan_to_num(jnp.column_stack([to_w * self._spread, to_c]))
                ascent = ascent / jnp.maximum(jnp.linalg.norm(ascent, axis=1, keepdims=True), 1e-300)
                drift = 0.8 * drift + ascent
                pace = 0.1 * jnp.maximum(width, 0.02)[:, None]
                w, c = w + pace * drift[:, :-1] / self._spread, c + pace[:, 0] * drift[:, -1]
                return (w, c, drift), None

            begin = weights, biases - weights @ centre, jnp.zeros((len(biases), weights.shape[1] + 1))
            (w, c, _), _ = jax.lax.scan(step, begin, jnp.linspace(0.0, 1.0, _ANNEALING_STEPS))
            ends = admit(Neurons(w, c + w @ centre))
            return ends.weights, ends.biases

        return jax.jit(run)
