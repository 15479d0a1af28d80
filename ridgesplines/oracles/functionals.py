"""What oracles need to know of measurements that are no samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import jax
import numpy as np

from ridgesplines.activations import Activation, TruncatedPower
from ridgesplines.arrays import Array
from ridgesplines.oracles.protocol import Neurons

_UNIT = float(np.finfo(float).eps)
# How many measured neurons are held at once.
_ENTRIES = 2**20
# How many neurons JAX takes at once.
_BATCH = 64


@dataclass(frozen=True)
class Kinks:
    """Parts κ max(t, 0) of convex functions, t linear in (w, b), that have their kink within a parallelogram.

    Attributes:
        levels: t at the centre and the corners, (N, 1 + 2 Q, B); zero for what has no kink there.
        lift: κ in U, (N, B), not negative.
        fall: κ in V, (N, B), not negative.
    """

    levels: np.ndarray
    lift: np.ndarray
    fall: np.ndarray

    @classmethod
    def within(cls, levels: np.ndarray, lift: np.ndarray, fall: np.ndarray) -> Kinks:
        """Those of `levels` that change sign."""
        crossing = (levels.min(axis=1) < 0) & (levels.max(axis=1) > 0)
        return cls(np.where(crossing[:, None], levels, 0.0), lift, fall)

    @property
    def crossing(self) -> np.ndarray:
        """Which functionals have a kink in which parallelogram, (N, B)."""
        return np.asarray(self.levels.any(axis=1))


@dataclass(frozen=True)
class Bends:
    """How far N functionals of neurons are from convex over B parallelograms c ± k in (w, b), with Q pairs of corners.

    There are convex U_n and V_n such that U_n + ν_n(ρ_m(w·x − b)) and V_n − ν_n(ρ_m(w·x − b)) are convex.

    Attributes:
        rising: U_n(c + k) − 2 U_n(c) + U_n(c − k), (N, Q, B), but for `kinks`; not negative.
        falling: the same of V_n.
        kinks: parts of U_n and V_n that are not in `rising` and `falling`.
    """

    rising: np.ndarray
    falling: np.ndarray
    kinks: Kinks | None = None


class Functionals(Protocol):
    """N linear functionals ν_n of neurons on R^d, each with its support in a ball.

    Of nonnegative measures ν_n(ρ_m(w·x − b)) is convex in (w, b); `bends` say how far others are from that.
    """

    @property
    def count(self) -> int:
        """The number of functionals, N."""
        ...

    @property
    def dimension(self) -> int:
        """The number of inputs, d."""
        ...

    @property
    def has_bends(self) -> bool:
        """Whether `bends` are known."""
        ...

    def supports(self) -> tuple[np.ndarray, np.ndarray]:
        """Balls that hold the supports: centres (N, d) and radii (N,)."""
        ...

    def of_neurons(self, neurons: Neurons, activation: Activation) -> Array:
        """ν_n(σ(w_k·x − b_k)): (N, K)."""
        ...

    def rounding(self, neurons: Neurons, activation: Activation) -> np.ndarray:
        """A bound of the absolute errors of `of_neurons`, (N, K), that grows with ‖w‖ and |b|."""
        ...

    def bends(self, values: np.ndarray, neurons: Neurons, order: int) -> Bends:
        """See `Bends`; in all up to four times `rounding` and a few ε of themselves.

        Args:
            values: ν_n of the neurons, (N, 1 + 2 Q, B).
            neurons: of B parallelograms, weights (1 + 2 Q, B, d) and biases (1 + 2 Q, B): the centre c, then all
                corners, in pairs c ± k.
            order: m.
        """
        ...

    def limits(self, height: float, order: int) -> np.ndarray:
        """(N,): what no |ν_n(ρ_m(w·x − b))| exceeds where ‖w‖ = 1 and w·x − b ≤ `height` on the support."""
        ...


def in_blocks(functionals: Functionals, neurons: Neurons, order: int, columns: np.ndarray) -> np.ndarray:
    """Σ_n c_n ν_n(ρ_m(w_k·x − b_k)) for columns c (N, C): (K, C), in bounded memory."""
    size, activation = max(1, _ENTRIES // max(1, functionals.count)), TruncatedPower(order)
    blocks = [
        np.asarray(functionals.of_neurons(neurons[i : i + size], activation)).T @ columns
        for i in range(0, len(neurons), size)
    ]
    return np.concatenate(blocks) if blocks else np.zeros((0, columns.shape[1]))


def ball(functionals: Functionals) -> tuple[np.ndarray, float]:
    """A ball that holds all supports: its centre (d,) and radius."""
    centres, radii = functionals.supports()
    lower, upper = (centres - radii[:, None]).min(axis=0), (centres + radii[:, None]).max(axis=0)
    centre = (lower + upper) / 2
    radius = float((np.linalg.norm(centres - centre, axis=1) + radii).max())
    return centre, radius * (1 + 8 * _UNIT)


def reach(functionals: Functionals, order: int) -> float:
    """A bound of ‖ν(ρ_m(w·x − b))‖₂ over unit w and hyperplanes that meet the ball of all supports."""
    diameter = 2 * ball(functionals)[1]
    return float(np.linalg.norm(functionals.limits(diameter, order)))


class Slopes:
    """Measured neurons and their derivatives, by JAX, compiled once for each order.

    Neurons go through in batches of one size, so that few programs are compiled.
    """

    def __init__(self, functionals: Functionals, activation: Activation) -> None:
        def measured(weights: Array, biases: Array) -> Array:
            return functionals.of_neurons(Neurons(weights, biases), activation)

        @jax.jit
        def back(weights: Array, biases: Array, pulls: Array) -> tuple[Array, Array]:
            return jax.vjp(measured, weights, biases)[1](pulls)

        self._back = back

    def __call__(self, neurons: Neurons, pulls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What pulls (N, K) at the measured neurons pull at the weights (K, d) and the biases (K,)."""
        count = len(neurons)
        padding = -count % _BATCH
        weights = np.pad(neurons.weights, ((0, padding), (0, 0)), mode="edge")
        biases = np.pad(neurons.biases, (0, padding), mode="edge")
        pulls = np.pad(pulls, ((0, 0), (0, padding)))
        parts = [
            self._back(weights[i : i + _BATCH], biases[i : i + _BATCH], pulls[:, i : i + _BATCH])
            for i in range(0, count, _BATCH)
        ]
        by_weights, by_biases = (
            np.concatenate([np.asarray(part) for part in column]) for column in zip(*parts, strict=True)
        )
        return by_weights[:count], by_biases[:count]
