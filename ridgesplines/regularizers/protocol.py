"""What a regularizer is: a gauge of neurons, and the seminorm that it induces on functions."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from ridgesplines.activations import Activation, TruncatedPower
from ridgesplines.arrays import Array, namespace
from ridgesplines.norms import sizes
from ridgesplines.oracles import Functionals, GaugeOracle, Neurons, Oracle
from ridgesplines.polynomials import Polynomial
from ridgesplines.regularizers.affine import Representation, represent_affine
from ridgesplines.spline import SAME_HYPERPLANE, RidgeSpline


class Regularizer(ABC):
    """R(f) = inf Σ_k |v_k| · gauge(w_k, b_k) over all ways to write f, up to the free polynomials, as a network.

    A regularizer is an activation, a gauge, the admissible biases and the polynomials that cost nothing. A subclass
    must define `gauge`, and `cvxpy_gauge` to serve in convex programs; what it leaves as it is here stands for the
    ReLU, free biases, free affine functions and a search for the supremum.

    The laws: the gauge is positively homogeneous of degree m − 1 in (w, b), even and convex; `normalize` returns
    neurons of gauge 1 and the same function; `cost(f)` ≤ Σ_k |v_k| gauge(w_k, b_k) for every network of f, with
    equality for the one that `represent` returns; `path_norm` ≤ `weight_decay`, with equality for balanced networks.

    Source: Chandrasekaran et al. 2012 (atomic norms); kumar_haupt_2020 (of neurons).
    """

    @property
    def order(self) -> int:
        """m, the order of the ridge splines."""
        return 2

    @property
    def activation(self) -> Activation:
        """σ of the neurons σ(w·x − b)."""
        return TruncatedPower(self.order)

    @property
    def degree(self) -> int:
        """The degree of the polynomials that cost nothing: m − 1 for all that the spline may have, −1 for none."""
        return self.order - 1

    @property
    def vector_valued(self) -> bool:
        """Whether neurons are shared by several outputs."""
        return False

    @property
    def nonnegative(self) -> bool:
        """Whether only coefficients v_k ≥ 0 are admissible."""
        return False

    @abstractmethod
    def gauge(self, neurons: Neurons) -> Array:
        """The cost (K,) of each neuron with coefficient 1; NumPy gives NumPy, JAX gives JAX, and is differentiable."""

    def gauge_gradient(self, neurons: Neurons) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The gauges (K,) and their derivatives by the weights (K, d) and by the biases (K,), in NumPy.

        By JAX, unless a subclass knows them: that costs a millisecond or two.
        """
        import jax  # not needed where the gradient is known

        def gauges(weights: Array, biases: Array) -> Array:
            return self.gauge(Neurons(weights, biases))

        values, back = jax.vjp(gauges, neurons.weights, neurons.biases)
        weights, biases = back(np.ones(len(neurons)))
        return np.asarray(values), np.asarray(weights), np.asarray(biases)

    def cvxpy_gauge(self, weight: Any, bias: Any) -> Any:
        """The gauge of one neuron as a convex cvxpy expression of w (d,) and b.

        Raises:
            NotImplementedError: if it has none.
        """
        raise NotImplementedError(f"{self!r} has no convex gauge for convex programs; define cvxpy_gauge.")

    def cvxpy_gauges(self, weights: Any, biases: Any) -> Any:
        """The gauges (K,) of K > 0 neurons as a convex cvxpy expression of w (K, d) and b (K,), all at once."""
        import cvxpy  # heavy, and only the reference programs need it

        return cvxpy.hstack([self.cvxpy_gauge(weights[k], biases[k]) for k in range(weights.shape[0])])

    def bias_corners(self, points: np.ndarray) -> np.ndarray | None:
        """Corners (M, d) of the convex set that hyperplanes of admissible neurons must meet; None if it is no bound.

        None, too, where that set holds all `points` (N, d), if the gauge of `cvxpy_gauge` counts what is outside:
        hyperplanes that part the data are then admissible, and the others measure the same as admissible neurons.

        Raises:
            NotImplementedError: if `admit` says that biases are bound, but nothing is known of how.
            ValueError: if there is no such polytope.
        """
        if type(self).admit is not Regularizer.admit:
            raise NotImplementedError(f"{self!r} bounds its biases; define bias_corners for convex programs.")
        return None

    def admit(self, neurons: Neurons) -> Neurons:
        """The nearest neurons with admissible biases, which are those that this leaves as they are."""
        return neurons

    def normalize(self, neurons: Neurons, coefficients: np.ndarray) -> tuple[Neurons, np.ndarray]:
        """Neurons of gauge 1 and the coefficients that leave the function as it is."""
        gauges = self.gauge(neurons)
        scales = gauges ** (1 / (self.order - 1))
        unit = Neurons(neurons.weights / scales[:, None], neurons.biases / scales)
        return unit, (coefficients.T * gauges).T

    def split(self, neuron: Neurons) -> tuple[Neurons, np.ndarray]:
        """Admissible neurons of gauge 1 and masses with Σ masses (w_k, b_k) = (w, b), for the least Σ masses."""
        return self.normalize(neuron, np.ones(1))

    # Functions

    def spline(self, neurons: Neurons, coefficients: np.ndarray, polynomial: Polynomial) -> RidgeSpline:
        """The network Σ_k v_k σ(w_k·x − b_k) plus a free polynomial as a ridge spline.

        Canonical where all polynomials are free; elsewhere flipping a neuron could cost, so neurons stay as they are.
        """
        slope = self.activation.slope
        values = np.array(polynomial.raised(self.order - 1).coefficients)
        if slope:
            # The leaky ReLU is (1 − β) times the ReLU and a linear part.
            values[0] -= slope * neurons.biases @ coefficients
            values[1:] += slope * (neurons.weights.T @ coefficients)
            coefficients = (1 - slope) * coefficients
        spline = RidgeSpline(neurons.weights, neurons.biases, coefficients, values, self.order)
        return spline.canonical() if self.degree == self.order - 1 else spline

    def represent(self, spline: RidgeSpline, tolerance: float = SAME_HYPERPLANE) -> Representation:
        """Neurons of gauge 1 and coefficients of a network of least cost that is f up to free polynomials.

        Where the affine part of f is not free it is shared out among the orientations of its neurons, and what is left
        of it made of two neurons more, by a convex program. `tolerance` decides which hyperplanes are the same, see
        `RidgeSpline.canonical`.

        Returns:
            Neurons and coefficients; the cost, Σ_k ‖v_k‖, is infinite if no network of admissible neurons is f.
        """
        if self.degree == self.order - 1:
            canonical = spline.canonical(tolerance)
            neurons = Neurons(np.asarray(canonical.weights), np.asarray(canonical.biases))
            neurons, coefficients = self.normalize(neurons, np.asarray(canonical.coefficients))
            # The flat part of a leaky ReLU is free.
            coefficients = coefficients / (1 - self.activation.slope)
            admissible = self.admits(neurons) and not (self.nonnegative and (coefficients < 0).any())
            cost = float(sizes(coefficients).sum()) if admissible else math.inf
            return Representation(neurons, coefficients, cost)
        return represent_affine(self, spline, tolerance)

    def admits(self, neurons: Neurons) -> bool:
        """Whether all biases are admissible, up to rounding."""
        moved = np.abs(np.asarray(self.admit(neurons).biases) - neurons.biases)
        extents = np.linalg.norm(neurons.weights, axis=1) + np.abs(neurons.biases)
        return bool(np.all(moved <= SAME_HYPERPLANE * extents))

    def cost(self, spline: RidgeSpline, tolerance: float = SAME_HYPERPLANE) -> float:
        """R(f), from above; `tolerance` decides which hyperplanes are the same, see `RidgeSpline.canonical`."""
        return self.represent(spline, tolerance).cost

    # Solvers

    def oracle(self, points: np.ndarray, outputs: int = 1) -> Oracle:
        """The supremum of |p_z| over neurons of gauge 1, for samples at `points` (N, d) of that many outputs."""
        programmed = type(self).cvxpy_gauge is not Regularizer.cvxpy_gauge
        program = self.cvxpy_gauge if programmed else None
        return GaugeOracle(points, self.gauge, self.activation, self.admit, program, self.nonnegative)

    def measured_oracle(self, functionals: Functionals, outputs: int = 1) -> Oracle:
        """The supremum of |p_z| over neurons of gauge 1, for linear measurements that are no samples.

        Raises:
            ValueError: if none is known.
        """
        raise ValueError(
            f"{self!r} is for samples, got {functionals!r}; RadonTV(order) and VectorRadonTV(order) serve any linear "
            "measurements."
        )

    def reach(self, points: np.ndarray) -> float:
        """A bound of ‖ν(σ(w·• − b))‖₂ over the neurons of gauge 1 whose hyperplanes meet `points` (N, d).

        By how much p_z may change, at most, where z changes by a unit vector; only proven bounds depend on it.
        """
        diameter = float(np.linalg.norm(np.ptp(points, axis=0)))
        return math.sqrt(len(points)) * diameter

    def span(self, points: np.ndarray) -> np.ndarray | None:
        """Columns (N, P) that span the values at `points` (N, d) of all networks and free polynomials.

        None where the values at different points may be any.
        """
        return None

    def cvxpy_expression(self, coefficients: Any) -> Any:
        """Σ_k ‖v_k‖ of a cvxpy expression of coefficients, (K,) or (K, D), of neurons of gauge 1."""
        import cvxpy  # heavy, and only the reference programs need it

        if len(coefficients.shape) == 1:
            return cvxpy.norm1(coefficients)
        return cvxpy.sum(cvxpy.norm(coefficients, 2, axis=1))

    # Training

    def path_norm(self, neurons: Neurons, coefficients: Array) -> Array:
        """Σ_k ‖v_k‖ gauge(w_k, b_k), coefficients (K,) or (K, D); differentiable in JAX."""
        return namespace(coefficients).sum(sizes(coefficients) * self.gauge(neurons))

    def weight_decay(self, neurons: Neurons, coefficients: Array) -> Array:
        """½ Σ_k (‖v_k‖² + gauge(w_k, b_k)²), coefficients (K,) or (K, D); differentiable in JAX."""
        return 0.5 * namespace(coefficients).sum(sizes(coefficients) ** 2 + self.gauge(neurons) ** 2)
