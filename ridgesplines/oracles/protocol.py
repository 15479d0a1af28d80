"""What an oracle is, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from ridgesplines.activations import LeakyReLU, TruncatedPower
from ridgesplines.norms import sizes

CertificateKind = Literal["exact", "bounded", "heuristic"]


@dataclass(frozen=True)
class Neurons:
    """K neurons σ(w·x − b): `weights` (K, d), unit rows unless a gauge says otherwise, and `biases` (K,)."""

    weights: np.ndarray
    biases: np.ndarray

    def __len__(self) -> int:
        return len(self.biases)

    def __getitem__(self, selection: np.ndarray | slice) -> Neurons:
        return Neurons(self.weights[selection], self.biases[selection])

    @classmethod
    def none(cls, dimension: int) -> Neurons:
        """No neuron at all."""
        return cls(np.zeros((0, dimension)), np.zeros(0))

    def __add__(self, other: Neurons) -> Neurons:
        return Neurons(np.concatenate([self.weights, other.weights]), np.concatenate([self.biases, other.biases]))


@dataclass(frozen=True)
class Supremum:
    """The answer of an oracle.

    Attributes:
        value: the largest |p_z| found; it is attained, so never above the supremum (up to rounding).
        upper: for an exact or bounded oracle, a number proven to be at least the supremum in real arithmetic: the value
            plus a bound of the rounding errors made on the way; infinite if it only searched (`Oracle.approximate`).
            For a heuristic oracle, the value: no proof.
        neurons: maximisers of |p_z| from many local searches (one or two per pivot), best first.
        values: p_z at each of them, with sign: (K,), or (K, D) for a dual vector of D outputs.
    """

    value: float
    upper: float
    neurons: Neurons
    values: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """|p_z| at the neurons, (K,): for D outputs the Euclidean norm."""
        return sizes(self.values)

    @classmethod
    def of(cls, neurons: Neurons, values: np.ndarray, margin: float = 0.0) -> Supremum:
        """Sort candidates by |value|, best first; `margin` is the proven bound of the rounding errors."""
        heights = sizes(values)
        order = np.argsort(-heights, kind="stable")
        value = float(heights.max(initial=0.0))
        return cls(value, value + margin, neurons[order], values[order])


class Oracle(Protocol):
    """Computes sup |p_z(w, b)| over all unit w in R^d and all b, for the points and the order that it was made with.

    A dual vector of D outputs, (N, D), has D profiles, and |p_z| is their Euclidean norm.

    The law: `upper` ≥ |p_z| at every neuron if `kind` is "exact" or "bounded", and `value` = |p_z| at `neurons[0]`; an
    exact oracle has `upper` = `value` up to rounding.
    """

    @property
    def kind(self) -> CertificateKind:
        """Whether `upper` is the supremum ("exact"), a proven bound ("bounded") or what was found ("heuristic")."""
        ...

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """The supremum for the dual vector `dual` (N,) or (N, D), orthogonal to the sampled polynomials of degree < m.

        `hints` are neurons worth starting from, `effort` multiplies the work of a search; an exact oracle ignores both.
        """
        ...

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """Neurons where |p_z| is large, cheaply: no dearer than `supremum`, and the same where that is cheap.

        Where it is not, this searches: `value` is attained as ever, but `upper`, still proven, is infinite.
        """
        ...


def profile(points: np.ndarray, dual: np.ndarray, neurons: Neurons, order: int = 2, slope: float = 0.0) -> np.ndarray:
    """The dual profile p_z(w, b) = Σ_n z_n ρ_m(w·x_n − b) at `neurons`: (K,) or (K, D), in bounded memory.

    With a `slope` that of the leaky ReLU in place of ρ_2.
    """
    activation = LeakyReLU(slope) if slope else TruncatedPower(order)
    size = max(1, 2**22 // max(1, len(points)))
    blocks = [
        activation(points @ neurons.weights[i : i + size].T - neurons.biases[i : i + size]).T @ dual
        for i in range(0, len(neurons), size)
    ]
    return np.concatenate(blocks) if blocks else np.zeros((0, *dual.shape[1:]))
