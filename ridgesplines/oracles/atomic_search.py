"""The search for the supremum under the atomic norms of Euclidean weights: a lower bound of it, in any dimension."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ridgesplines.activations import LeakyReLU
from ridgesplines.oracles.gauge import GaugeOracle
from ridgesplines.oracles.protocol import Neurons, Supremum
from ridgesplines.oracles.sweeps import climb_all
from ridgesplines.oracles.threads import in_threads

# The quick search has this fraction of the starts.
_SHARE = 8


class AtomicSearchOracle(GaugeOracle):
    """A lower bound of sup |p_z| for leaky ReLU neurons of ‖w‖₂ = 1 or ‖(w, b)‖₂ = 1, in any dimension.

    The ascents of `SearchOracle`, by exact maxima over great circles, for the even functions of `AtomicOracle`, from
    random starts and the hints. (Annealed starts, as in `GaugeOracle`, find no more here, at many times the price.)

    Args:
        points: (N, d).
        gauge: ‖w‖₂ or ‖(w, b)‖₂, see `GaugeOracle`.
        slope: β ∈ [0, 1).
        bias: "free" (dual vectors are then orthogonal to the constants), "none", or "joint" (in the gauge).
        admit: see `GaugeOracle`.
        nonnegative: whether the supremum is that of p_z instead of |p_z|.
        starts: how many random neurons are tried per call; `approximate` tries an eighth of them.
        seed: see `GaugeOracle`.
    """

    def __init__(
        self,
        points: np.ndarray,
        gauge: Callable[[Neurons], Any],
        slope: float,
        bias: str,
        admit: Callable[[Neurons], Neurons],
        nonnegative: bool = False,
        starts: int = 512,
        seed: int = 0,
    ) -> None:
        super().__init__(points, gauge, LeakyReLU(slope), admit, None, nonnegative, starts, seed)
        self._bias, self._slope_of_leak = bias, slope
        self._vectors = self._points
        if bias == "joint":
            self._vectors = np.column_stack([self._points, -np.ones(len(self._points))])

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: fewer starts."""
        return replace(self._search(dual, hints, 1 / _SHARE), upper=np.inf)

    def _search(self, dual: np.ndarray, hints: Neurons | None, effort: float) -> Supremum:
        masses = self._distinct.masses(dual)
        starts = self._drawn(self._random(dual), max(1, round(self._starts * effort)))
        if hints is not None:
            starts += self._admitted(hints)
        found = self._climbed(masses[:, None], starts)
        found = self._best(masses[:, None], found, len(found))
        return Supremum.of(found, self._profile(masses, found))

    def _climbed(self, columns: np.ndarray, neurons: Neurons) -> Neurons:
        masses = np.ascontiguousarray(columns[:, 0])
        joint, fixed = self._bias == "joint", self._bias != "free"
        starts = np.column_stack([neurons.weights, neurons.biases]) if joint else neurons.weights
        starts = starts / np.linalg.norm(starts, axis=1, keepdims=True)
        drift, found = masses @ self._vectors, Neurons.none(self._points.shape[1])
        # A start climbs to the maxima of the sign that its value has.
        rising = self._profile(columns, neurons)[:, 0] >= 0
        for sign in (1.0,) if self._nonnegative else (1.0, -1.0):
            weighted, share = sign * (1 - self._slope_of_leak) * masses, 1.0 + self._slope_of_leak
            directions = starts.copy() if self._nonnegative else starts[rising == (sign > 0)]
            biases = np.zeros(len(directions))

            def climb(
                start: int, stop: int, weighted=weighted, share=share, directions=directions, biases=biases
            ) -> None:
                climb_all(self._vectors, weighted, drift, share, fixed, directions, biases, start, stop)

            in_threads(climb, len(directions))
            found += Neurons(directions[:, :-1], directions[:, -1]) if joint else Neurons(directions, biases)
        # The even functions do not tell a neuron from its flip.
        return found + Neurons(-found.weights, -found.biases)
