"""The annealed multi-start search for the supremum, any order, dimension and number of outputs: a lower bound of it."""

from __future__ import annotations

import math
import zlib
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ridgesplines.norms import sizes
from ridgesplines.oracles.coincident import DistinctPoints
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum, profile
from ridgesplines.oracles.search import SearchOracle
from ridgesplines.oracles.sweeps import ascend_all
from ridgesplines.oracles.threads import in_threads

# How many entries an array of data × starts may have.
_ENTRIES = 2**24
# Starts are padded to multiples of the first, in batches of at most the second: calls share few compiled programs.
_MULTIPLE, _BATCH = 64, 1024
# The width of the smoothing begins between these, in standard deviations of a neuron's heights over the data, and
# shrinks to a twentieth. Narrow ones find the most different maxima, wide ones the largest on the average.
_NARROWEST, _WIDEST = 0.1, 0.8
_ANNEALING_STEPS = 100
_NEWTON_STEPS = 60
# How many of the annealed ends are polished.
_POLISHED = 128
# Smooth maxima are few, and annealed ends that lie as close belong to the same one.
_SAME_END = 0.02


class AscentOracle:
    """A lower bound of sup |p_z| for points (N, d), orders 2 to 4, any number of outputs, by annealed ascents in JAX.

    Each start (w, b) climbs the profile of a smoothed activation, max(t, 0) replaced by (t + √(t² + s²)) / 2, while s
    shrinks: a wide s hides the many small maxima between data, so that far more starts end near a large one than by
    climbing the profile itself. The best ends, the hints and, for order 2, some of the starts as they are then climb
    the profile itself to the last digit: for orders 3 and 4 by Newton's method on the sphere; for order 2, whose
    maximisers touch data, by exact ascents over great circles (`ascend_all`), by turns with the best combination of
    several outputs.

    The starts are one batch, on whatever devices JAX has; several devices share them.

    The largest value found may miss the supremum: `kind` is "heuristic".

    Args:
        points: (N, d).
        order: m, 2 to 4.
        starts: how many random neurons are tried per call.
        seed: of the random neurons, which depend on it and on the order of the dual's entries only: equal calls, equal
            answers, and the same for a multiple of the dual.
    """

    kind: CertificateKind = "heuristic"

    def __init__(self, points: np.ndarray, order: int = 2, starts: int = 1024, seed: int = 0) -> None:
        if starts < 1:
            raise ValueError(f"starts must be at least 1, got {starts}.")
        if order not in (2, 3, 4):
            raise ValueError(f"order must be 2, 3 or 4, got {order!r}.")
        self._given = points
        self._distinct = DistinctPoints(points)
        self._points = self._distinct.points
        self._order = order
        self._starts = starts
        self._seed = seed
        self._centre = self._points.mean(axis=0)
        centred = self._points - self._centre
        self._scale = float(np.sqrt((centred**2).mean())) or 1.0
        # In these coordinates biases and steps are numbers of order one, whatever the units of the data.
        self._scaled = centred / self._scale
        self._covariance = self._scaled.T @ self._scaled / len(self._scaled)
        values, vectors = np.linalg.eigh(self._covariance)
        self._whitening = vectors / np.sqrt(np.maximum(values, max(values[-1], 0.0) * 1e-8 or 1.0))

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        masses = self._distinct.masses(dual)
        # A power of two, so that a rescaled dual takes the same path to the last bit.
        unit = 2.0 ** np.floor(np.log2(np.abs(masses).max(initial=0.0) or 1.0))
        columns = masses.reshape(len(masses), -1) / unit
        if not np.any(columns) or len(self._points) < 2:
            return Supremum.of(Neurons.none(self._points.shape[1]), np.zeros((0, *dual.shape[1:])))
        random = np.random.default_rng([self._seed, zlib.crc32(np.argsort(dual, axis=None).tobytes())])
        drawn = self._drawn(random, self._starts * effort)
        widths = np.exp(random.uniform(np.log(_NARROWEST), np.log(_WIDEST), len(drawn)))
        starts = self._annealed(columns, drawn, widths)[: _POLISHED * effort]
        if self._order == 2:
            # A sharp maximum, which smoothing hides, is climbed from near it only.
            starts += drawn[: _POLISHED * effort]
        if hints is not None:
            starts += Neurons(hints.weights, (hints.biases - hints.weights @ self._centre) / self._scale)
        found = self._polished(columns, starts)
        neurons = Neurons(found.weights, found.biases * self._scale + found.weights @ self._centre)
        return Supremum.of(neurons, profile(self._points, masses, neurons, self._order))

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: for order 2 and one output by a plain search, which is quicker for few starts."""
        if self._order > 2 or dual.ndim > 1:
            return self.supremum(dual, hints)
        answer = self._quick.supremum(dual, hints)
        return Supremum(answer.value, np.inf, answer.neurons, answer.values)

    @cached_property
    def _quick(self) -> SearchOracle:
        return SearchOracle(self._given, seed=self._seed)

    def _drawn(self, random: np.random.Generator, count: int) -> Neurons:
        """Random neurons that meet the data, in scaled coordinates."""
        weights = random.standard_normal((count, self._points.shape[1]))
        # Isotropic directions and, by turns, such along which the data spread alike.
        weights[1::2] = weights[1::2] @ self._whitening.T
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        through = self._scaled[random.integers(len(self._scaled), size=count)]
        return Neurons(weights, np.einsum("kd,kd->k", weights, through))

    def _annealed(self, columns: np.ndarray, neurons: Neurons, widths: np.ndarray) -> Neurons:
        """The different ends of the annealed ascents from `neurons`, best first."""
        run = partial(_anneal, self._covariance, order=self._order)
        weights, biases, heights = _in_batches(run, self._scaled, columns, (neurons.weights, neurons.biases, widths), 1)
        order = np.argsort(-heights, kind="stable")
        ends = Neurons(weights, biases)[order]
        if self._order > 2:
            return _apart(ends, _SAME_END)
        # Maxima of order 2 lie close together: only ends of one height are taken for one neuron.
        _, first = np.unique(np.round(-heights[order] / (heights.max() or 1.0), 7), return_index=True)
        return ends[first]

    def _polished(self, columns: np.ndarray, neurons: Neurons) -> Neurons:
        """Where the climbs from `neurons` on the profile itself end: one of each hyperplane, best first."""
        if self._order == 2:
            found = _climb(self._scaled, columns, neurons)
        else:
            run = partial(_newton, order=self._order)
            starts = neurons.weights, neurons.biases
            width = columns.shape[1] + self._scaled.shape[1] + len(_STEPS)
            found = Neurons(*_in_batches(run, self._scaled, columns, starts, width))
        heights = sizes(profile(self._scaled, columns, found, self._order))
        # A smooth maximum is flat: its place is known to half the digits only.
        return _apart(found[np.argsort(-heights, kind="stable")], 1e-9 if self._order == 2 else 1e-6)


def _apart(neurons: Neurons, tolerance: float) -> Neurons:
    """The first of each hyperplane, in either orientation, up to `tolerance` in weights and bias."""
    lifted = np.column_stack([neurons.weights, neurons.biases])
    kept = np.zeros(len(neurons), dtype=bool)
    for k, neuron in enumerate(lifted):
        before = lifted[:k][kept[:k]]
        distances = [np.abs(before - sign * neuron).max(axis=1).min(initial=np.inf) for sign in (1, -1)]
        kept[k] = min(distances) > tolerance
    return neurons[kept]


def _climb(points: np.ndarray, columns: np.ndarray, neurons: Neurons) -> Neurons:
    """Climb ‖p‖ of order 2 exactly from the directions of `neurons`, for columns (N, D) of the dual.

    For D outputs by turns: the unit q that maximises |q·p(w, b)|, which is p / ‖p‖, then (w, b) for that q.
    """
    weights, biases = neurons.weights.copy(), neurons.biases.copy()
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)

    def climb(start: int, stop: int) -> None:
        if columns.shape[1] == 1:
            ascend_all(points, np.ascontiguousarray(columns[:, 0]), weights, biases, start, stop)
            return
        for k in range(start, stop):
            height = 0.0
            for _ in range(100):
                values = np.maximum(points @ weights[k] - biases[k], 0.0) @ columns
                size = float(np.linalg.norm(values))
                if size <= height * (1 + 1e-12):
                    break
                height = size
                ascend_all(points, columns @ (values / size), weights, biases, k, k + 1)

    in_threads(climb, len(biases))
    return Neurons(weights, biases)


def _in_batches(
    run: Any, points: np.ndarray, columns: np.ndarray, starts: tuple[np.ndarray, ...], width: int
) -> list[np.ndarray]:
    """The arrays that `run(points, columns, *starts)` returns, (S, …) each, for all S starts.

    All local devices share a batch of starts, and each of them holds all data.

    Args:
        run: a program for a batch of starts.
        points: (N, d).
        columns: (N, D).
        starts: arrays (S, …).
        width: how many arrays (N,) a start needs.
    """
    count = len(starts[0])
    mesh = Mesh(np.array(jax.local_devices()), ("starts",))
    whole, split = (NamedSharding(mesh, PartitionSpec(*names)) for names in ((), ("starts",)))
    multiple = math.lcm(_MULTIPLE, mesh.size)
    most = max(1, _ENTRIES // (len(points) * width * mesh.size)) * mesh.size
    batch = min(most, max(_BATCH // multiple, 1) * multiple, -(-count // multiple) * multiple)
    data = jax.device_put((points, columns), whole)
    answers = []
    for begin in range(0, count, batch):
        rows = np.arange(begin, begin + batch) % count
        answer = run(*data, *jax.device_put(tuple(array[rows] for array in starts), split))
        answers.append([np.asarray(array)[: count - begin] for array in answer])
    return [np.concatenate(parts) for parts in zip(*answers, strict=True)]


# Programs on the devices: points (N, d), columns (N, D) of the dual, then arrays of starts (S, …)

# The fractions of a Newton step that are tried: a full one near the maximum, tiny ones where the curvature jumps.
_STEPS = 2.0 ** -np.concatenate([np.arange(12.0), np.arange(12.0, 32.0, 2.0)])


@partial(jax.jit, static_argnames="order")
def _anneal(covariance, points, columns, weights, biases, widths, *, order):
    """Climb ‖p‖ of the smoothed activation from each start while its width shrinks.

    Returns weights, biases and the heights ‖p‖ that they have without smoothing.
    """

    def step(state, progress):
        w, b, drift = state
        width = widths * 0.05**progress * jnp.sqrt(jnp.einsum("kd,de,ke->k", w, covariance, w))
        t = points @ w.T - b
        root = jnp.sqrt(t * t + width * width)
        ramp = (t + root) / 2
        power = ramp ** (order - 2) / math.factorial(order - 2)
        values = columns.T @ (ramp * power)
        directions = values / jnp.maximum(jnp.linalg.norm(values, axis=0), 1e-300)
        pull = (columns @ directions) * power * ramp / root
        gradient = jnp.column_stack([pull.T @ points, -pull.sum(axis=0)])
        along = (gradient[:, :-1] * w).sum(axis=1) + gradient[:, -1] * b
        # Scaling (w, b) changes the height of no neuron of gauge 1.
        gradient = gradient.at[:, :-1].add(-along[:, None] * w)
        drift = 0.8 * drift + gradient / jnp.maximum(jnp.linalg.norm(gradient, axis=1, keepdims=True), 1e-300)
        pace = 0.1 * jnp.maximum(width, 0.02)[:, None]
        w, b = w + pace * drift[:, :-1], b + pace[:, 0] * drift[:, -1]
        norms = jnp.linalg.norm(w, axis=1)
        return (w / norms[:, None], b / norms, drift), None

    start = weights, biases, jnp.zeros((len(biases), weights.shape[1] + 1))
    (w, b, _), _ = jax.lax.scan(step, start, jnp.linspace(0.0, 1.0, _ANNEALING_STEPS))
    return w, b, jnp.linalg.norm(_profile(points, columns, w, b, order), axis=0)


def _profile(points, columns, weights, biases, order):
    """p, (D, S)."""
    ramp = jnp.maximum(points @ weights.T - biases, 0.0)
    return columns.T @ (ramp ** (order - 1) / math.factorial(order - 1))


@partial(jax.jit, static_argnames="order")
def _newton(points, columns, weights, biases, *, order):
    """Climb log ‖p(w, b)‖ − (m − 1) log ‖w‖, order m ≥ 3, from each start by Newton's method with a line search."""
    dimension = points.shape[1]
    lifted = jnp.column_stack([points, -jnp.ones(len(points))])

    def height(theta):
        norms = jnp.linalg.norm(theta[..., :dimension], axis=-1)
        values = _profile(points, columns, theta[..., :dimension], theta[..., dimension], order)
        return jnp.linalg.norm(values, axis=0) / norms ** (order - 1)

    def step(theta):
        w = theta[:dimension]
        ramp = jnp.maximum(lifted @ theta, 0.0)
        values = columns.T @ (ramp ** (order - 1) / math.factorial(order - 1))
        size = jnp.maximum(jnp.linalg.norm(values), 1e-300)
        direction = values / size
        slope = ramp ** (order - 2) / math.factorial(order - 2)
        jacobian = columns.T @ (slope[:, None] * lifted)
        bend = (ramp > 0.0) * 1.0 if order == 3 else ramp
        curvature = lifted.T @ ((columns @ direction * bend)[:, None] * lifted)
        across = jacobian - jnp.outer(direction, direction @ jacobian)
        along = (direction @ jacobian) / size
        gradient = along.at[:dimension].add(-(order - 1) * w)
        hessian = (curvature + across.T @ across / size) / size - jnp.outer(along, along)
        gauge = jnp.eye(dimension) - 2 * jnp.outer(w, w)
        hessian = hessian.at[:dimension, :dimension].add(-(order - 1) * gauge)
        # Uphill along every eigenvector, and not along (w, b) itself, which changes nothing.
        unit = theta / jnp.linalg.norm(theta)
        gradient = gradient - (gradient @ unit) * unit
        eigenvalues, eigenvectors = jnp.linalg.eigh(hessian)
        floor = 1e-12 * jnp.abs(eigenvalues).max() + 1e-300
        move = eigenvectors @ ((eigenvectors.T @ gradient) / jnp.maximum(jnp.abs(eigenvalues), floor))
        move = move - (move @ unit) * unit
        length = jnp.linalg.norm(move)
        move = move * jnp.minimum(1.0, 0.5 / jnp.maximum(length, 1e-300))
        trials = jnp.concatenate([theta[None], theta + _STEPS[:, None] * move])
        best = trials[jnp.argmax(height(trials))]
        return best / jnp.linalg.norm(best[:dimension])

    def climb(theta):
        def go(state):
            theta, _, count = state
            new = step(theta)
            return new, jnp.any(new != theta), count + 1

        return jax.lax.while_loop(lambda state: state[1] & (state[2] < _NEWTON_STEPS), go, (theta, True, 0))[0]

    theta = jax.vmap(climb)(jnp.column_stack([weights, biases]))
    return theta[:, :dimension], theta[:, dimension]
