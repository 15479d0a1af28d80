"""The atomic norms of leaky ReLU neurons, with various constraints on weights and biases."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from scipy.optimize import brentq

from ridgesplines.activations import Activation, LeakyReLU
from ridgesplines.arrays import Array, namespace
from ridgesplines.checks import is_number, is_one_of
from ridgesplines.norms import DUAL_NORMS, dual_lengths, lengths
from ridgesplines.oracles import (
    AtomicOracle,
    AtomicSearchOracle,
    Biases,
    BranchAndBoundOracle,
    Neurons,
    Oracle,
    SignBranchingOracle,
    choose_oracle,
)
from ridgesplines.regularizers.protocol import Regularizer

# Directions that agree to this are of one line.
_SAME_LINE = 1e-10
_CVXPY_NORMS: dict[float, Any] = {1: 1, 2: 2, math.inf: "inf"}
_DEGREES = {"none": -1, "constant": 0, "affine": 1}


@dataclass(frozen=True, repr=False)
class AtomicNorm(Regularizer):
    """R(f) = inf Σ_k |v_k| gauge(w_k, b_k) over all networks f = Σ_k v_k σ(w_k·x − b_k) + skip, σ the leaky ReLU.

    The gauge of the convex hull of the normalised neurons and their negatives: a path norm. With `bias="joint"` and
    p = 2 it is weight decay on all parameters of the hidden layer, biases included; with the defaults it is `RadonTV`.

    Args:
        weight_norm: p of the gauge ‖w‖_p: 1, 2 or inf ("inf" will do).
        bias: "free" (biases cost nothing), "none" (b = 0), "joint" (the gauge is ‖(w, b)‖_p), or a number B > 0
            (|b| ≤ B ‖w‖_p).
        slope: β ∈ [0, 1) of σ(t) = max(t, 0) + β min(t, 0).
        skip: what is free: "none", "constant" or "affine" functions.
        nonnegative: whether only v_k ≥ 0 is allowed.

    Raises:
        ValueError: for unknown names, which are listed, or `bias="free"` with `skip="none"`: constants are then limits
            of neurons whose biases run off, at no cost, so that the least need not be attained.

    Source: kumar_haupt_2020; boursier_flammarion_2023 for penalised biases; savarese_2019 for free constants.
    """

    weight_norm: float = 2
    bias: Literal["none", "free", "joint"] | float = "free"
    slope: float = 0.0
    skip: Literal["none", "constant", "affine"] = "affine"
    nonnegative: bool = False  # type: ignore[assignment] # a field implements the property

    def __post_init__(self) -> None:
        norm = math.inf if is_one_of(self.weight_norm, ("inf",)) else self.weight_norm
        if not is_number(norm) or norm not in DUAL_NORMS:
            raise ValueError(f"weight_norm must be 1, 2 or inf, got {self.weight_norm!r}.")
        object.__setattr__(self, "weight_norm", norm)
        bound = is_number(self.bias) and 0 < self.bias < math.inf
        if not bound and not is_one_of(self.bias, ("none", "free", "joint")):
            raise ValueError(f'bias must be "none", "free", "joint" or a bound B > 0 of |b| / ‖w‖, got {self.bias!r}.')
        if not (is_number(self.slope) and 0 <= self.slope < 1):
            raise ValueError(f"slope must be at least 0 and less than 1, got {self.slope!r}.")
        if not is_one_of(self.skip, _DEGREES):
            raise ValueError(f'skip must be "none", "constant" or "affine", got {self.skip!r}.')
        if not isinstance(self.nonnegative, (bool, np.bool_)):
            raise TypeError(f"nonnegative must be True or False, got {self.nonnegative!r}.")
        if self.bias == "free" and self.skip == "none":
            raise ValueError(
                'bias="free" with skip="none" has no solution in general: constants are limits of neurons whose biases '
                'run off at no cost; use skip="constant", which has the same infimum, or bound or penalise the biases.'
            )

    def __repr__(self) -> str:
        given = [f"weight_norm={self.weight_norm:g}", f"bias={self.bias!r}"]
        given += [f"{f.name}={getattr(self, f.name)!r}" for f in fields(self)[2:] if getattr(self, f.name) != f.default]
        return f"AtomicNorm({', '.join(given)})"

    @property
    def activation(self) -> Activation:
        """The leaky ReLU."""
        return LeakyReLU(self.slope)

    @property
    def degree(self) -> int:
        """−1, 0 or 1: that of the skip connection."""
        return _DEGREES[self.skip]

    @property
    def bias_bound(self) -> float:
        """B with |b| ≤ B ‖w‖_p: 0 for no biases, infinite where they are free or penalised."""
        match self.bias:
            case "none":
                return 0.0
            case "free" | "joint":
                return math.inf
            case bound:
                return float(bound)

    def gauge(self, neurons: Neurons) -> Array:
        """‖w_k‖_p, or ‖(w_k, b_k)‖_p."""
        return lengths(self._parameters(neurons), self.weight_norm)

    def _parameters(self, neurons: Neurons) -> Array:
        xp = namespace(neurons.weights)
        if self.bias != "joint":
            return neurons.weights
        return xp.concatenate([neurons.weights, neurons.biases[:, None]], axis=1)

    def gauge_gradient(self, neurons: Neurons) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """That of ‖·‖_p; one of its subgradients where it has several."""
        parameters = np.asarray(self._parameters(neurons))
        gauges = lengths(parameters, self.weight_norm)
        if self.weight_norm == 2:
            gradient = parameters / np.where(gauges > 0, gauges, 1.0)[:, None]
        elif self.weight_norm == 1:
            gradient = np.sign(parameters)
        else:
            largest = np.argmax(np.abs(parameters), axis=1)
            rows = np.arange(len(parameters))
            gradient = np.zeros_like(parameters)
            gradient[rows, largest] = np.sign(parameters[rows, largest])
        dimension = neurons.weights.shape[1]
        biases = gradient[:, dimension] if self.bias == "joint" else np.zeros(len(neurons))
        return gauges, gradient[:, :dimension], biases

    def cvxpy_gauge(self, weight: Any, bias: Any) -> Any:
        """‖w‖_p or ‖(w, b)‖_p; under a bound the gauge of the hull, max(‖w‖_p, |b| / B)."""
        import cvxpy  # heavy, and only the reference programs need it

        parameters = cvxpy.hstack([weight, bias]) if self.bias == "joint" else weight
        norm = cvxpy.norm(parameters, _CVXPY_NORMS[self.weight_norm])
        return cvxpy.maximum(norm, cvxpy.abs(bias) / self.bias_bound) if 0 < self.bias_bound < math.inf else norm

    def cvxpy_gauges(self, weights: Any, biases: Any) -> Any:
        """The same of each row."""
        import cvxpy  # heavy, and only the reference programs need it

        if self.bias == "joint":
            weights = cvxpy.hstack([weights, cvxpy.reshape(biases, (weights.shape[0], 1), order="C")])
        norms = cvxpy.norm(weights, _CVXPY_NORMS[self.weight_norm], axis=1)
        return cvxpy.maximum(norms, cvxpy.abs(biases) / self.bias_bound) if 0 < self.bias_bound < math.inf else norms

    def bias_corners(self, points: np.ndarray) -> np.ndarray | None:
        """The origin for no biases; under |b| ≤ B ‖w‖_p, B times the dual ball, for p = 1 and ∞ and on the line.

        For |b| ≤ B ‖w‖_p says that {w·x = b} meets the ball of radius B in the dual norm.

        Raises:
            ValueError: for p = 2 in two dimensions or more, if the ball does not hold all data.
        """
        dimension = points.shape[1]
        if self.bias == "none":
            return np.zeros((1, dimension))
        if self.bias_bound >= dual_lengths(points, self.weight_norm).max():
            return None
        if self.weight_norm == 2 and dimension > 1:
            farthest = float(lengths(points, 2).max())
            raise ValueError(
                f"the bound |b| ≤ {self.bias_bound:g} ‖w‖ is not convex over the neurons of an activation pattern "
                f"unless it reaches all data; use a bound of at least {farthest:.6g}, ColumnGeneration(), or "
                "weight_norm 1 or inf."
            )
        if self.weight_norm == 1:
            return self.bias_bound * np.array(list(itertools.product([-1.0, 1.0], repeat=dimension)))
        return self.bias_bound * np.concatenate([np.eye(dimension), -np.eye(dimension)])

    def admit(self, neurons: Neurons) -> Neurons:
        """Biases clipped to ±B ‖w‖_p."""
        if self.bias_bound == math.inf:
            return neurons
        most = self.bias_bound * lengths(neurons.weights, self.weight_norm)
        return Neurons(neurons.weights, namespace(neurons.weights).clip(neurons.biases, -most, most))

    def split(self, neuron: Neurons) -> tuple[Neurons, np.ndarray]:
        """Under a bound of the biases a larger b is shared by two neurons at the bound, whose weights partly cancel."""
        weight, bias = neuron.weights[0], float(neuron.biases[0])
        mass = abs(bias) / self.bias_bound if 0 < self.bias_bound < math.inf else 0.0
        if mass <= lengths(neuron.weights, self.weight_norm)[0]:
            return super().split(neuron)
        middle, direction = weight / mass, np.eye(len(weight))[-1]

        def excess(step: float) -> float:
            return float(lengths((middle + step * direction)[None], self.weight_norm)[0]) - 1

        steps = np.array([brentq(excess, 0.0, 2.0, xtol=1e-15), brentq(excess, -2.0, 0.0, xtol=1e-15)])
        weights = middle + steps[:, None] * direction
        biases = np.full(2, math.copysign(self.bias_bound, bias))
        return Neurons(weights, biases), mass * np.array([-steps[1], steps[0]]) / (steps[0] - steps[1])

    def oracle(self, points: np.ndarray, outputs: int = 1) -> Oracle:
        """Exact in low dimension, see `AtomicOracle`; elsewhere a search."""
        if (self.weight_norm, self.bias, self.skip, self.slope, self.nonnegative) == (2, "free", "affine", 0, False):
            return choose_oracle(points)
        biases = Biases(self.bias == "joint", self.bias_bound)
        if AtomicOracle.serves(points, self.weight_norm, biases):
            return AtomicOracle(points, self.weight_norm, biases, self.slope, self.nonnegative)
        if self.weight_norm == 2 and self.bias in ("free", "none", "joint"):
            kind = str(self.bias)
            return AtomicSearchOracle(points, self.gauge, self.slope, kind, self.admit, self.nonnegative)
        return super().oracle(points, outputs)

    def proving_oracle(self, points: np.ndarray, time_limit: float) -> Oracle | None:
        """A proven bound of the supremum for few points in any dimension, or None where none is known."""
        if (self.weight_norm, self.bias, self.skip, self.slope, self.nonnegative) == (2, "free", "affine", 0, False):
            return BranchAndBoundOracle(points, time_limit=time_limit)
        if self.weight_norm == 2:
            return None
        biases, search = Biases(self.bias == "joint", self.bias_bound), self.oracle(points)
        return SignBranchingOracle(
            points, self.weight_norm, biases, self.slope, self.nonnegative, search, time_limit=time_limit
        )

    def span(self, points: np.ndarray) -> np.ndarray | None:
        """Without biases: any even function on lines through the origin, |x| times a number each, and linear ones.

        On the line with bounded biases: anything within the bound, and affine functions on either side beyond.
        """
        count, dimension = points.shape
        if self.bias == "none":
            lengths = np.linalg.norm(points, axis=1)
            units = points / np.where(lengths > 0, lengths, 1.0)[:, None]
            leading = np.argmax(np.abs(units) > _SAME_LINE, axis=1)
            lines = units * np.sign(units[np.arange(count), leading])[:, None]
            line = np.unique(np.round(lines / _SAME_LINE) + 0.0, axis=0, return_inverse=True)[1].ravel()
            columns = np.column_stack([lengths[:, None] * np.eye(line.max() + 1)[line], points])
            return columns if self.skip == "none" else np.column_stack([columns, np.ones(count)])
        if dimension == 1 and self.bias_bound < np.abs(points).max():
            x = points[:, 0]
            group = np.unique(x, return_inverse=True)[1].ravel()
            inside = np.eye(group.max() + 1)[group] * (np.abs(points) <= self.bias_bound)
            beyond = [np.column_stack([side, side * x]) for side in (x > self.bias_bound, x < -self.bias_bound)]
            return np.column_stack([inside, *beyond])
        return None

    def reach(self, points: np.ndarray) -> float:
        """√N times the longest difference of points, or the longest point, in the dual norm."""
        if self.bias == "free":
            most = float(dual_lengths(np.ptp(points, axis=0)[None], self.weight_norm)[0])
        elif self.bias == "joint":
            most = float(dual_lengths(np.column_stack([points, np.ones(len(points))]), self.weight_norm).max())
        else:
            most = float(dual_lengths(points, self.weight_norm).max()) + self.bias_bound
        return math.sqrt(len(points)) * most
