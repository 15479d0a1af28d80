"""A network in the coordinates that it is trained in, and its objective there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ridgesplines.activations import Activation
from ridgesplines.arrays import Array, namespace
from ridgesplines.losses import Loss
from ridgesplines.measurements import Measurement
from ridgesplines.norms import sizes
from ridgesplines.oracles import Neurons
from ridgesplines.problem import Problem
from ridgesplines.regularizers import Regularizer
from ridgesplines.solvers.training.layer import network_values, serves
from ridgesplines.solvers.training.penalties import PENALTIES

# Hyperplanes are nearly the same if directions and offsets, in the spread of the data, differ by no more than this.
NEARLY = 0.01
# A neuron with a smaller share of the path norm than this over the width is not counted as active.
_ACTIVE = 1e-4


class Parameters(NamedTuple):
    """A network in the coordinates of training: `weights` (K, d), `biases` (K,), `coefficients` (K,) or (K, D).

    `polynomial` are coefficients (r,) or (r, D) of orthonormal free polynomials; r = 0 if they are solved for.
    """

    weights: Array
    biases: Array
    coefficients: Array
    polynomial: Array


class Data(NamedTuple):
    """The problem's numbers in the coordinates of training, all of one floating-point type.

    Inputs are x = centre + spread · points, fits are target · the network's output, a neuron in the problem's units is
    w = balance / spread · w', b = w · centre + balance · b', v = target / balance^(m−1) · v', and objectives are
    divided by `unit`. So λ, the data and the width are all that training depends on, not the units that they come in;
    and |v'| = ‖w'‖^(m−1) exactly if |v| = ‖w‖^(m−1).

    Attributes:
        points: (M, d), of mean zero and mean square length 1: the points of samples, `sights` of other measurements.
        targets: (N,) or (N, D), less the best free polynomial if the loss sees differences only.
        sample_weights: in a shape that multiplies the targets.
        basis: (N, r) free polynomials, whose fits have the size of the targets.
        left: (N, r), and
        right: (N, r): `left` @ `right`ᵀ projects on the free polynomials, orthogonally in the weighted sense.
        centre: (d,).
        spread: a number, like all that follow.
        target: the size of functions whose measurements are as large as the targets in root mean square.
        balance: see above.
        unit: the loss of the best free polynomial.
        strength: λ of this network.
        width: K of this network, which may have zeros after its neurons, where others are wider.
    """

    points: Array
    targets: Array
    sample_weights: Array
    basis: Array
    left: Array
    right: Array
    centre: Array
    spread: Array
    target: Array
    balance: Array
    unit: Array
    strength: Array
    width: Array


class Record(NamedTuple):
    """What is recorded of a network, in the problem's units; see `Trajectory`."""

    loss: Array
    penalty: Array
    path_norm: Array
    active: Array
    distinct: Array
    imbalance: Array


@dataclass(frozen=True)
class Model:
    """What is trained: all that a compiled program depends on apart from numbers.

    Attributes:
        loss: of the problem.
        regularizer: of the problem.
        penalty: a key of `PENALTIES`.
        polynomial: "solved", "trained" or "absent".
        action: `Measurement.of_neurons` of measurements that are no samples; None for samples. What it knows of the
            measurements is compiled into the program. Methods are equal if they are those of the same object.
    """

    loss: Loss
    regularizer: Regularizer
    penalty: str
    polynomial: str
    action: Callable[[Neurons, Activation], Array] | None = field(default=None, repr=False)

    def predictions(self, data: Data, parameters: Parameters) -> Array:
        """The fit, (N,) or (N, D), in the units of the targets."""
        fit = data.target * self._measured(data, parameters)
        if self.polynomial == "solved":
            return fit + data.left @ (data.right.T @ (data.targets - fit))
        if self.polynomial == "trained":
            return fit + data.target * (data.basis @ parameters.polynomial)
        return fit

    def _measured(self, data: Data, parameters: Parameters) -> Array:
        """The fit of the neurons, (N,) or (N, D), over `data.target`."""
        activation = self.regularizer.activation
        if self.action is not None:
            # The same w·x − b as in the coordinates of training.
            weights = parameters.weights / data.spread
            neurons = Neurons(weights, parameters.biases + weights @ data.centre)
            return self.action(neurons, activation) @ parameters.coefficients
        if serves(activation):
            leaves = parameters.weights, parameters.biases, parameters.coefficients
            return network_values(activation, data.points, *leaves)
        return activation(data.points @ parameters.weights.T - parameters.biases) @ parameters.coefficients

    def network(self, data: Data, parameters: Parameters) -> tuple[Neurons, Array]:
        """Neurons and coefficients in the problem's units."""
        weights = data.balance / data.spread * parameters.weights
        biases = weights @ data.centre + data.balance * parameters.biases
        degree = self.regularizer.order - 1
        return Neurons(weights, biases), data.target / data.balance**degree * parameters.coefficients

    def loss_value(self, data: Data, parameters: Parameters) -> Array:
        """The weighted loss over `data.unit`."""
        values = self.loss.value(data.targets, self.predictions(data, parameters))
        return jnp.sum(data.sample_weights * values) / data.unit

    def penalty_value(self, data: Data, parameters: Parameters) -> Array:
        """λ times the penalty over `data.unit`."""
        neurons, coefficients = self.network(data, parameters)
        return data.strength / data.unit * PENALTIES[self.penalty](self.regularizer, neurons, coefficients)

    def objective(self, data: Data, parameters: Parameters) -> Array:
        """What training minimises: loss and penalty over `data.unit`."""
        return self.loss_value(data, parameters) + self.penalty_value(data, parameters)

    def admit(self, data: Data, parameters: Parameters) -> Parameters:
        """The parameters with admissible biases and coefficients."""
        neurons, _ = self.network(data, parameters)
        # The nearest biases in the problem's units; those that are admissible stay as they are, to the bit.
        admitted = self.regularizer.admit(neurons).biases
        biases = (admitted - neurons.weights @ data.centre) / data.balance
        biases = jnp.where(admitted == neurons.biases, parameters.biases, biases)
        coefficients = parameters.coefficients
        if self.regularizer.nonnegative:
            coefficients = jnp.maximum(coefficients, 0.0)
        return parameters._replace(biases=biases, coefficients=coefficients)

    def record(self, data: Data, parameters: Parameters) -> Record:
        """The facts about a network that are cheap."""
        neurons, coefficients = self.network(data, parameters)
        lengths, gauges = sizes(coefficients), self.regularizer.gauge(neurons)
        costs = lengths * gauges
        total = jnp.sum(costs)
        active = costs > _ACTIVE / data.width * total
        return Record(
            loss=data.unit * self.loss_value(data, parameters),
            penalty=data.unit * self.penalty_value(data, parameters),
            path_norm=total,
            active=jnp.sum(active),
            distinct=_distinct(parameters, active),
            imbalance=jnp.sum(jnp.abs(lengths - gauges)) / jnp.maximum(jnp.sum(lengths + gauges), TINY),
        )


TINY = float(np.finfo(np.float32).tiny)


def _distinct(parameters: Parameters, active: Array) -> Array:
    """How many hyperplanes the `active` neurons have, those that are nearly the same counted once.

    In the coordinates of training, where the data have mean 0 and spread 1.
    """
    lengths = jnp.sqrt(jnp.sum(parameters.weights**2, axis=1))
    lengths = jnp.where(lengths > 0, lengths, 1.0)
    hyperplanes = jnp.column_stack([parameters.weights, parameters.biases]) / lengths[:, None]
    index = jnp.arange(len(active))

    def repeats(k: Array) -> Array:
        turned = jnp.where(hyperplanes[:, :-1] @ hyperplanes[k, :-1] < 0, -1.0, 1.0)
        apart = jnp.max(jnp.abs(hyperplanes - turned[:, None] * hyperplanes[k]), axis=1)
        return jnp.any(active & (index < k) & (apart <= NEARLY))

    # Not all pairs at once, which for wide networks would not fit into memory.
    return jnp.sum(active & ~jax.lax.map(repeats, index, batch_size=32))


def offset_of(problem: Problem, polynomial: str) -> np.ndarray:
    """What is taken off the targets before training: the best free polynomial in least squares, or nothing."""
    if polynomial == "absent" or not problem.loss.translation_invariant:
        return np.zeros_like(problem.targets)
    return problem.targets - problem.dual_targets


def centre_and_spread(points: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean of points (N, d), and the root of their mean square distance from it; 1 where that is 0."""
    centre = points.mean(axis=0)
    return centre, math.sqrt(float(np.mean(np.sum((points - centre) ** 2, axis=1)))) or 1.0


def sights(measurements: Measurement) -> np.ndarray:
    """Points (M, d) that stand for where the measurements look: those of samples, several for each average."""
    parts = [kind.places if kind.averaging else kind.centres for kind, _ in measurements.kinds()]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _gain(measurements: Measurement, centre: np.ndarray, spread: float) -> float:
    """How much larger, in root mean square, measurements of affine functions are than their values at the sights."""
    affine = measurements.of_monomials(1, centre, np.eye(len(centre)) / spread)
    return math.sqrt(0.5 * float(np.mean(np.sum(affine**2, axis=1))))


def data_of(problem: Problem, model: Model, dtype: Any) -> Data:
    """The numbers of `problem` in the coordinates of training."""
    points = sights(problem.measurements)
    centre, spread = centre_and_spread(points)
    gain = 1.0 if model.action is None else _gain(problem.measurements, centre, spread)
    offset = offset_of(problem, model.polynomial)
    targets = problem.targets - offset
    size = math.sqrt(float(np.mean(targets**2))) if problem.loss.translation_invariant else 1.0
    target = (size or 1.0) / gain
    order = model.regularizer.order
    if model.penalty == "plain weight decay" and order > 2:
        balance = (target * spread) ** (1 / order)
    else:
        balance = math.sqrt(target * spread ** (order - 1)) ** (1 / (order - 1))
    basis = problem.free.basis
    weights = np.broadcast_to(problem.weights, problem.targets.shape)
    roots = np.sqrt(weights.reshape(len(weights), -1)[:, :1])
    orthonormal = np.linalg.qr(roots * basis)[0]
    numbers = Data(
        points=(points - centre) / spread,
        targets=targets,
        sample_weights=np.array(weights),
        basis=basis * (gain * math.sqrt(len(basis))),
        left=orthonormal / roots,
        right=orthonormal * roots,
        centre=centre,
        spread=spread,
        target=target,
        balance=balance,
        unit=problem.loss_value(offset) or 1.0,
        strength=problem.dual_limit,
        width=1,
    )
    return Data(*(jnp.asarray(value, dtype=dtype) for value in numbers))


def initial(
    problem: Problem, model: Model, data: Data, width: int, scale: float, seed: int, network: int
) -> Parameters:
    """Balanced neurons whose hyperplanes run through the data, in random directions.

    Each hyperplane holds a random point between two random `points`, so that it parts them. |v'_k| = ‖w'_k‖^(m−1) with
    |v'_k| ‖w'_k‖^(m−1) = scale (m−1)! / √K: the network's output is about `scale` times the size of the targets.
    """
    random = np.random.default_rng([seed, network])
    points = np.asarray(data.points, float)
    count, dimension = points.shape
    outputs = problem.targets.shape[1:]
    directions = random.standard_normal((width, dimension))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    rows = random.integers(0, count, (2, width))
    through = points[rows[0]] + random.random((width, 1)) * (points[rows[1]] - points[rows[0]])
    signs = random.standard_normal((width, *outputs))
    signs = (signs.T / sizes(signs)).T
    degree = model.regularizer.order - 1
    mass = scale * math.factorial(degree) / math.sqrt(width)
    length = mass ** (0.5 / degree)
    polynomials = data.basis.shape[1] if model.polynomial == "trained" else 0
    parts = (
        length * directions,
        length * np.sum(directions * through, axis=1),
        math.sqrt(mass) * (np.abs(signs) if model.regularizer.nonnegative else signs),
        np.zeros((polynomials, *outputs)),
    )
    return Parameters(*(part.astype(data.points.dtype) for part in parts))


def widened(parameters: Parameters, width: int) -> Parameters:
    """The same network with `width` neurons: with zeros after its own, which no step moves, or without such."""

    def rows(leaf: Array) -> Array:
        more = [(0, max(width - len(leaf), 0)), *((0, 0),) * (leaf.ndim - 1)]
        return namespace(leaf).pad(leaf[:width], more)

    return parameters._replace(
        weights=rows(parameters.weights), biases=rows(parameters.biases), coefficients=rows(parameters.coefficients)
    )


def rebalanced(parameters: Parameters, gauges: Array, degree: int) -> Array:
    """The factor s_k by which (w'_k, b'_k) is to be multiplied, and v'_k divided s_k^(m−1) times, for balance.

    `gauges` are those of the neurons in the coordinates of training. Neurons without weight or coefficient get 1.
    """
    lengths = sizes(parameters.coefficients)
    alive = (lengths > 0) & (gauges > 0)
    ratio = jnp.where(alive, lengths, 1.0) / jnp.where(alive, gauges, 1.0)
    return ratio ** (0.5 / degree)


def scaled(parameters: Parameters, factors: Array, degree: int) -> Parameters:
    """The same function with (w'_k, b'_k) multiplied by s_k."""
    return parameters._replace(
        weights=parameters.weights * factors[:, None],
        biases=parameters.biases * factors,
        coefficients=(parameters.coefficients.T / factors**degree).T,
    )
