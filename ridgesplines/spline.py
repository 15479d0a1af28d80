"""Ridge splines: shallow networks of truncated powers plus a polynomial, as functions that can be calculated with."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from ridgesplines.activations import TruncatedPower
from ridgesplines.archive import assembling, read_archive, write_archive
from ridgesplines.arrays import Array, finite_array, namespace
from ridgesplines.norms import sizes
from ridgesplines.polynomials import Polynomial, monomial_count, ridge_power

# How many neuron values are held at once when a batch is evaluated: 32 MiB of doubles.
_BLOCK = 2**22
# Hyperplanes whose unit normals and (scaled) offsets agree to this are one: a few thousand roundings.
SAME_HYPERPLANE = 1e-12


class Network(NamedTuple):
    """The parameters of a shallow network x ↦ Σ_k v_k ρ_m(w_k·x + β_k) + c(x), as plain arrays.

    Attributes:
        hidden_weights: w, (K, d).
        hidden_biases: β, (K,): added, as networks do, where a `RidgeSpline` subtracts.
        output_weights: v, (K,) or (D, K), the layout of a linear layer from K to D.
        polynomial: c, the skip connection.
    """

    hidden_weights: Array
    hidden_biases: Array
    output_weights: Array
    polynomial: Polynomial


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False, repr=False)
class RidgeSpline:
    """The function f(x) = Σ_k v_k ρ_m(w_k·x − b_k) + c(x) on R^d, with ρ_m(t) = max(t, 0)^(m−1) / (m−1)!.

    A ridge spline of order m is a shallow network of width K with a polynomial c of degree < m as its skip connection;
    m = 2 is the ReLU. It is immutable, evaluates NumPy to NumPy and JAX to JAX, and is a JAX pytree whose leaves are
    the four arrays. Calculations (`+`, `-`, `*` by a number) act on functions.

    Attributes:
        weights: w, (K, d).
        biases: b, (K,): minus sign on the bias.
        coefficients: v, (K,) for one output or (K, D).
        polynomial: c; its coefficients are (P,) or (P, D) in the order 1, x1, …, xd, x1², …; zero if not given.
        order: m, 2, 3 or 4.

    Raises:
        ValueError: if shapes do not fit together, entries are not finite, or the order is unknown.

    Source: parhi_nowak_2021, whose representer theorem says that these functions solve `Problem`.
    """

    weights: Array
    biases: Array
    coefficients: Array
    polynomial: Polynomial
    order: int

    def __init__(
        self,
        weights: Array,
        biases: Array,
        coefficients: Array,
        polynomial: Polynomial | Array | None = None,
        order: int = 2,
    ) -> None:
        if order not in (2, 3, 4):
            raise ValueError(f"order must be 2 (ReLU), 3 or 4, got {order!r}.")
        weights = _checked("weights", weights, 2)
        biases = _checked("biases", biases, 1)
        coefficients = _checked("coefficients", coefficients, 1, 2)
        count, dimension = weights.shape
        if dimension == 0:
            raise ValueError(f"weights must have a column for each input, got shape {weights.shape}.")
        if biases.shape[0] != count or coefficients.shape[0] != count:
            raise ValueError(
                "weights (K, d), biases (K,) and coefficients (K,) or (K, D) must share K, got shapes "
                f"{weights.shape}, {biases.shape} and {coefficients.shape}."
            )
        size = monomial_count(dimension, order - 1)
        shape = (size, *coefficients.shape[1:])
        values = polynomial.coefficients if isinstance(polynomial, Polynomial) else polynomial
        values = np.zeros(shape) if values is None else _checked("polynomial", values, 1, 2)
        if values.shape != shape:
            raise ValueError(
                f"polynomial must have coefficients of shape {shape} (degree < {order} in {dimension} variables), "
                f"got {values.shape}."
            )
        self._set(weights, biases, coefficients, Polynomial(values, dimension, order - 1), order)

    def _set(self, *values: Any) -> None:
        for name, value in zip(("weights", "biases", "coefficients", "polynomial", "order"), values, strict=True):
            object.__setattr__(self, name, value)

    # Size

    @property
    def width(self) -> int:
        """K, the number of neurons as stored (`canonical()` merges and drops)."""
        return self.weights.shape[0]

    @property
    def dimension(self) -> int:
        """d, the number of inputs."""
        return self.weights.shape[1]

    @property
    def outputs(self) -> int:
        """D, the number of outputs."""
        return 1 if self.coefficients.ndim == 1 else self.coefficients.shape[1]

    def __repr__(self) -> str:
        size = f"order={self.order}, dimension={self.dimension}, outputs={self.outputs}, width={self.width}"
        if any(isinstance(leaf, Tracer) for leaf in jax.tree_util.tree_leaves(self)):
            return f"RidgeSpline({size}, traced)"
        return f"RidgeSpline({size}, radon_tv={self.radon_tv():.6g})"

    # Evaluation

    def __call__(self, x: Array) -> Array:
        """Values at `x`: (n, d) gives (n,) or (n, D); one point (d,) or, for d = 1, a number gives a scalar or (D,).

        For d = 1 an array (n,) is n points. Memory stays bounded however large n is. NumPy in, NumPy out (if the
        spline's own arrays are NumPy's); JAX in, JAX out, and traceable. With NumPy a spline of order 2 on the line
        costs O(K log K + n log K).
        """
        return self._batched(x, self._values)

    def gradient(self, x: Array) -> Array:
        """The gradient at `x` (n, d): (n, d) for one output, (n, D, d) for D; shapes as in `__call__` otherwise.

        On a neuron's hyperplane, where an order-2 spline has a kink, the neuron counts as inactive.
        """
        return self._batched(x, self._gradients)

    def _values(self, points: Array) -> Array:
        activation = TruncatedPower(self.order)
        return activation(points @ self.weights.T - self.biases) @ self.coefficients + self.polynomial(points)

    def _gradients(self, points: Array) -> Array:
        slopes = TruncatedPower(self.order).derivative(points @ self.weights.T - self.biases)
        jumps = self.coefficients.reshape(self.width, self.outputs, 1) * self.weights[:, None, :]  # (K, D, d)
        neurons = slopes @ jumps.reshape(self.width, self.outputs * self.dimension)
        return neurons.reshape(-1, *self.coefficients.shape[1:], self.dimension) + self.polynomial.gradient(points)

    def _batched(self, x: Array, evaluate: Any) -> Array:
        xp = namespace(x, *jax.tree_util.tree_leaves(self))
        x = xp.asarray(x, dtype=None if isinstance(x, jax.Array) else float)
        single = x.ndim == 0 or (x.ndim == 1 and self.dimension > 1)
        points = x.reshape(1, -1) if single else x[:, None] if x.ndim == 1 else x
        if points.ndim != 2 or points.shape[1] != self.dimension:
            raise ValueError(f"x must have shape (n, {self.dimension}) or ({self.dimension},), got {x.shape}.")
        size = max(1, _BLOCK // max(self.width, self.polynomial.coefficients.shape[0] * self.dimension))
        if evaluate == self._values and xp is np and self.dimension == 1 and self.order == 2:
            values = _broken_line(self, points[:, 0])
        elif len(points) <= size:
            values = evaluate(points)
        elif xp is jnp:
            values = jax.lax.map(lambda point: evaluate(point[None])[0], points, batch_size=size)
        else:
            values = np.concatenate([evaluate(points[i : i + size]) for i in range(0, len(points), size)])
        return values[0] if single else values

    # Canonical form and seminorm

    def canonical(self, tolerance: float = SAME_HYPERPLANE) -> RidgeSpline:
        """The same function in the one form that two equal ridge splines share.

        Unit weights whose first non-zero coordinate is positive (flipping a neuron moves a polynomial into c), one
        neuron per hyperplane, none with coefficient zero, sorted.

        Args:
            tolerance: hyperplanes whose unit normals and offsets (relative to their own size, that of most neurons, or
                1) agree to this are merged. The default absorbs rounding only; a network trained in single precision
                wants 1e-6.
        """
        weights, biases, coefficients, polynomial = (
            np.asarray(a, dtype=float)
            for a in (self.weights, self.biases, self.coefficients, self.polynomial.coefficients)
        )
        degree = self.order - 1
        norms = np.linalg.norm(weights, axis=1)
        constant = norms == 0
        if constant.any():
            polynomial = polynomial.copy()
            polynomial[0] += TruncatedPower(self.order)(-biases[constant]) @ coefficients[constant]
            weights, biases, coefficients, norms = (a[~constant] for a in (weights, biases, coefficients, norms))
        weights, biases = weights / norms[:, None], biases / norms
        coefficients = (coefficients.T * norms**degree).T

        leading = np.argmax(np.abs(weights) > tolerance, axis=1)
        flipped = weights[np.arange(len(weights)), leading] < 0
        weights[flipped], biases[flipped] = -weights[flipped], -biases[flipped]
        # ρ_m(−t) = (−1)^m ρ_m(t) + (−1)^(m−1) t^(m−1) / (m−1)!
        moved = ridge_power(weights[flipped], biases[flipped], degree).T @ coefficients[flipped]
        polynomial = polynomial + (-1) ** degree * moved / math.factorial(degree)
        coefficients[flipped] *= (-1) ** self.order

        weights, biases, coefficients = merge_hyperplanes(weights, biases, coefficients, tolerance)
        order = np.lexsort((biases, *weights.T[::-1]))
        return RidgeSpline(weights[order], biases[order], coefficients[order], polynomial, self.order)

    def radon_tv(self, tolerance: float = SAME_HYPERPLANE) -> float:
        """The seminorm RTV^m(f) = Σ_k ‖v_k‖₂ ‖w_k‖₂^(m−1) of the canonical form.

        The total variation of the m-th derivative in the Radon domain, where a unit neuron has mass 1; for d = 1 it is
        TV(f^(m−1)). `tolerance` is that of `canonical`.

        Source: parhi_nowak_2021.
        """
        return float(sizes(self.canonical(tolerance).coefficients).sum())

    # Algebra

    # NumPy arrays leave the arithmetic to this class, instead of making arrays of splines.
    __array_ufunc__ = None

    def __add__(self, other: RidgeSpline) -> RidgeSpline:
        if not isinstance(other, RidgeSpline):
            return NotImplemented
        mine = (self.order, self.dimension, self.coefficients.shape[1:])
        theirs = (other.order, other.dimension, other.coefficients.shape[1:])
        if mine != theirs:
            raise ValueError(
                "only ridge splines of one order, dimension and number of outputs can be added, got "
                f"(order, dimension, outputs) {mine} and {theirs}."
            )
        xp = namespace(*jax.tree_util.tree_leaves((self, other)))
        return RidgeSpline(
            xp.concatenate([self.weights, other.weights]),
            xp.concatenate([self.biases, other.biases]),
            xp.concatenate([self.coefficients, other.coefficients]),
            self.polynomial.coefficients + other.polynomial.coefficients,
            self.order,
        )

    def __mul__(self, factor: float) -> RidgeSpline:
        if isinstance(factor, RidgeSpline) or np.ndim(factor) != 0:
            return NotImplemented
        scaled = self.polynomial.coefficients * factor
        return RidgeSpline(self.weights, self.biases, self.coefficients * factor, scaled, self.order)

    __rmul__ = __mul__

    def __neg__(self) -> RidgeSpline:
        return self * -1.0

    def __sub__(self, other: RidgeSpline) -> RidgeSpline:
        return self + (-other)

    def __truediv__(self, divisor: float) -> RidgeSpline:
        return self * (1.0 / divisor)

    def compose(self, matrix: Array, offset: Array) -> RidgeSpline:
        """The ridge spline t ↦ f(A t + x0) on R^r: a change of variables, or a restriction to a flat.

        Args:
            matrix: A, (d, r).
            offset: x0, (d,).
        """
        matrix, offset = _checked("matrix", matrix, 2), _checked("offset", offset, 1)
        if matrix.shape[0] != self.dimension or offset.shape != (self.dimension,):
            raise ValueError(
                f"matrix must have shape ({self.dimension}, r) and offset ({self.dimension},), "
                f"got {matrix.shape} and {offset.shape}."
            )
        polynomial = self.polynomial.compose(matrix, offset)
        biases = self.biases - self.weights @ offset
        return RidgeSpline(self.weights @ matrix, biases, self.coefficients, polynomial, self.order)

    def restrict(self, point: Array, direction: Array) -> RidgeSpline:
        """The one-dimensional ridge spline t ↦ f(point + t · direction)."""
        return self.compose(_checked("direction", direction, 1)[:, None], point)

    # Networks

    @classmethod
    def from_network(
        cls,
        hidden_weights: Array,
        hidden_biases: Array,
        output_weights: Array,
        polynomial: Polynomial | Array | None = None,
        order: int = 2,
    ) -> RidgeSpline:
        """The ridge spline that the network x ↦ Σ_k v_k ρ_m(w_k·x + β_k) + c(x) computes.

        The arguments are those of two linear layers: `state_dict()["0.weight"]`, `["0.bias"]` and `["2.weight"]` of a
        PyTorch `Sequential(Linear, ReLU, Linear)` fit as they are.

        Args:
            hidden_weights: w, (K, d).
            hidden_biases: β, (K,), added to the hidden layer.
            output_weights: v, (K,) for one output, or (D, K).
            polynomial: c: an output bias alone is `[bias, 0, …, 0]`; zero if not given.
            order: m; note the 1/(m−1)! in ρ_m.
        """
        output_weights = _checked("output_weights", output_weights, 1, 2)
        return cls(hidden_weights, -_checked("hidden_biases", hidden_biases, 1), output_weights.T, polynomial, order)

    def to_network(self, *, balanced: bool = False) -> Network:
        """The parameters of the network that computes this function; `from_network(*…)` undoes it.

        Args:
            balanced: rescale each neuron so that ‖v_k‖ = ‖w_k‖^(m−1), where weight decay equals the path norm.
                Neurons with v = 0 or w = 0 become zero, and the constant of the latter moves into c.
        """
        if not balanced:
            return Network(self.weights, -self.biases, self.coefficients.T, self.polynomial)
        spline = self.canonical()
        scales = sizes(spline.coefficients) ** (1 / (2 * (self.order - 1)))
        output = (spline.coefficients.T / scales ** (self.order - 1)).reshape(spline.coefficients.T.shape)
        return Network(spline.weights * scales[:, None], -spline.biases * scales, output, spline.polynomial)

    # Files

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the spline to one `.npz` file (with a format version); returns its path."""
        return write_archive(path, self.to_arrays(), {"kind": "RidgeSpline", "order": self.order})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> RidgeSpline:
        """Read a spline that `save`, or `Solution.save`, wrote.

        Raises:
            ValueError: if the file is missing, damaged, of another kind or of a newer format version.
        """
        arrays, metadata = read_archive(path, ("RidgeSpline", "Solution"))
        with assembling(path, "spline"):
            return cls.from_arrays(arrays, metadata)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The four arrays by name, as files store them."""
        return {
            "weights": np.asarray(self.weights),
            "biases": np.asarray(self.biases),
            "coefficients": np.asarray(self.coefficients),
            "polynomial": np.asarray(self.polynomial.coefficients),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], metadata: dict[str, Any]) -> RidgeSpline:
        """The spline in what a file stored; `metadata` holds the order."""
        try:
            leaves = [arrays[name] for name in ("weights", "biases", "coefficients", "polynomial")]
            return cls(*leaves, order=int(metadata["order"]))
        except KeyError as error:
            raise ValueError(f"the saved spline lacks its {error.args[0]}; the file is damaged.") from error
        except (TypeError, OverflowError) as error:
            raise ValueError(f"the saved spline is damaged: {error}") from error

    # JAX

    def tree_flatten(self) -> tuple[tuple[Any, ...], int]:
        """The four arrays as leaves, the order as static metadata (JAX's protocol)."""
        return (self.weights, self.biases, self.coefficients, self.polynomial), self.order

    @classmethod
    def tree_unflatten(cls, order: int, children: tuple[Any, ...]) -> RidgeSpline:
        """Rebuild from `tree_flatten`, unchecked, as JAX's protocol asks."""
        spline = object.__new__(cls)
        spline._set(*children, order)
        return spline


def _checked(name: str, value: Any, *dimensions: int) -> Array:
    if isinstance(value, jax.Array):
        if value.ndim not in dimensions:
            expected = " or ".join(str(n) for n in dimensions)
            raise ValueError(f"{name} must have {expected} axes, got an array of shape {value.shape}.")
        return value
    return finite_array(name, value, dimensions=dimensions)


def _broken_line(spline: RidgeSpline, x: np.ndarray) -> np.ndarray:
    """The values at `x` (n,) of a spline of order 2 on the line, from its slopes and values at the sorted knots.

    Sums over many knots run in extended precision (where the platform has it), so that they are not the worse for it.
    They start both at zero and in the middle of the knots, and x is reached from the nearer knot: knots that are far
    away, as those of neurons of nearly no weight are, have no part in values elsewhere.
    """
    weights, biases = np.asarray(spline.weights)[:, 0].astype(np.longdouble), np.asarray(spline.biases)
    coefficients = np.asarray(spline.coefficients).reshape(spline.width, spline.outputs).astype(np.longdouble)
    constant, slope = np.asarray(spline.polynomial.coefficients).reshape(2, spline.outputs).astype(np.longdouble)
    flat, left = weights == 0, weights < 0
    # Zero is a knot that bends nothing.
    knots = np.append(biases[~flat] / weights[~flat], 0)
    jumps = np.concatenate([np.abs(weights[~flat])[:, None] * coefficients[~flat], np.zeros((1, len(slope)))])
    order = np.argsort(knots, kind="stable")
    knots, jumps = knots[order], jumps[order]
    # Left of all knots the neurons that fall are active.
    slopes = np.cumsum(np.concatenate([(slope + weights[left] @ coefficients[left])[None], jumps]), axis=0)
    steps = np.diff(knots)[:, None] * slopes[1:-1]
    heights = np.empty_like(jumps)
    shares = np.cumsum(sizes(jumps))
    starts = np.unique([np.argmax(order == len(order) - 1), np.searchsorted(shares, shares[-1] / 2)])
    between = np.searchsorted(knots, (knots[starts[1:]] + knots[starts[:-1]]) / 2)
    # Several knots may be zero.
    ends = np.append(np.clip(between, starts[:-1] + 1, starts[1:]), len(knots))
    for start, low, high in zip(starts, np.append(0, ends[:-1]), ends, strict=True):
        heights[start] = constant + knots[start] * slope
        heights[start] += np.maximum(weights * knots[start] - biases, 0) @ coefficients
        heights[start + 1 : high] = heights[start] + np.cumsum(steps[start : high - 1], axis=0)
        heights[low:start] = heights[start] - np.cumsum(steps[low:start][::-1], axis=0)[::-1]
    piece = np.searchsorted(knots.astype(float), x)
    before, after = np.maximum(piece - 1, 0), np.minimum(piece, len(knots) - 1)
    anchor = np.where(x - knots[before] <= knots[after] - x, before, after)
    anchor[piece == 0] = 0
    anchor[piece == len(knots)] = len(knots) - 1
    values = heights[anchor] + (x - knots[anchor])[:, None] * slopes[piece]
    return values.astype(float).reshape(len(x), *spline.coefficients.shape[1:])


def merge_hyperplanes(
    weights: np.ndarray, biases: np.ndarray, coefficients: np.ndarray, tolerance: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One neuron per hyperplane of unit normal, with the sum of the coefficients, (K,) or (K, D); none with sum zero.

    `tolerance` decides which hyperplanes are the same, and which sums are zero, see `RidgeSpline.canonical`.
    """
    masses = sizes(coefficients)
    offsets = _by_size(biases, masses)
    pairs = KDTree(np.column_stack([weights, offsets])).query_pairs(tolerance, output_type="ndarray")
    count = len(weights)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    groups, group = connected_components(graph, directed=False)
    sums = np.zeros((groups, *coefficients.shape[1:]))
    np.add.at(sums, group, coefficients)
    kept = sizes(sums) > tolerance * np.bincount(group, masses, minlength=groups)
    first = np.unique(group, return_index=True)[1]
    return weights[first][kept], biases[first][kept], sums[kept]


def _by_size(biases: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Offsets whose differences are those of `biases` over their size, or over that of most neurons, or 1.

    Over the largest they would not tell hyperplanes near the data apart once one is far away, as those of neurons that
    died in training are.
    """
    offsets = np.abs(biases)
    order = np.argsort(offsets)
    shares = np.cumsum(masses[order])
    middle = offsets[order][np.searchsorted(shares, 0.5 * shares[-1])] if len(order) else 1.0
    relative = biases / max(1.0, float(middle))
    far = np.maximum(np.abs(relative), 1.0)
    return np.where(far > 1.0, np.sign(relative) * (1.0 + np.log(far)), relative)
