"""One step of training, for each optimiser, on one network."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from ridgesplines.arrays import Array
from ridgesplines.solvers.training.network import Data, Model, Parameters, rebalanced, scaled, sizes_of
from ridgesplines.solvers.training.proximal import prox_path_norm, soft_threshold

OPTIMIZERS = ("adam", "sgd", "lbfgs", "gradient flow", "proximal")
SCHEDULES = ("cosine", "linear", "constant")
# Adam's rate, in coordinates where data and targets have size 1.
_ADAM_RATE = 0.01
# The others' default rate is such a fraction of the reciprocal of the largest curvature at the start.
_FRACTIONS = {"sgd": 0.1, "gradient flow": 0.02, "proximal": 0.5}
_POWER_ITERATIONS = 12
# Proximal steps grow by this when they lower the objective, and are halved when they do not.
_GROWTH = 1.05
# Lengths below which neurons are not balanced: only one with weights is exactly zero once its coefficient is.
_FLOOR = 0.1


@dataclass(frozen=True)
class Stepper:
    """How to step: all that a compiled program depends on.

    Attributes:
        optimizer: a name of `OPTIMIZERS`, or a transformation of optax.
        schedule: a name of `SCHEDULES`, or the factor of the rate as a function of the step.
        rate: learning rate, or None.
        momentum: of "sgd".
        batch: size, or None for all data.
        euclidean: whether the gauge is ‖w‖₂^(m−1), and its proximal operator known.
    """

    optimizer: Any
    schedule: Any
    rate: float | None
    momentum: float
    batch: int | None
    euclidean: bool

    def transformation(self) -> Any:
        """The optax transformation that turns gradients into directions."""
        match self.optimizer:
            case "adam":
                return optax.scale_by_adam()
            case "sgd":
                return optax.trace(self.momentum)
            case "gradient flow":
                return optax.identity()
            case "lbfgs":
                return optax.lbfgs()
        return self.optimizer

    def factor(self, step: Array, total: Array, dtype: Any) -> Array:
        """What the schedule multiplies the rate by at `step` of `total`."""
        share = step.astype(dtype) / jnp.maximum(total, 1).astype(dtype)
        match self.schedule:
            case "cosine":
                return 0.5 * (1 + jnp.cos(math.pi * share))
            case "linear":
                return 1 - share
            case "constant":
                return jnp.ones((), dtype)
        return jnp.asarray(self.schedule(step), dtype)


class Momentum(NamedTuple):
    """The state of proximal training: the network before, the index of acceleration, and the objective."""

    previous: Parameters
    index: Array
    objective: Array


def start(model: Model, stepper: Stepper, data: Data, parameters: Parameters) -> tuple[Any, Array]:
    """The state of the optimiser and its rate."""
    dtype = data.points.dtype
    if stepper.optimizer == "proximal":
        state = Momentum(parameters, jnp.ones((), dtype), _path_objective(model, data, parameters))
    else:
        state = stepper.transformation().init(parameters)
    if stepper.rate is not None:
        return state, jnp.asarray(stepper.rate, dtype)
    fraction = _FRACTIONS.get(stepper.optimizer) if isinstance(stepper.optimizer, str) else None
    if fraction is None:
        return state, jnp.asarray(_ADAM_RATE if stepper.optimizer == "adam" else 1.0, dtype)
    return state, fraction / largest_curvature(partial(model.loss_value, data), parameters)


def largest_curvature(function: Callable[[Parameters], Array], parameters: Parameters) -> Array:
    """An estimate of the largest absolute eigenvalue of the Hessian, by power iterations; at least a small number."""
    gradient = jax.grad(function)

    def iterate(_: int, carry: tuple[Parameters, Array]) -> tuple[Parameters, Array]:
        direction, _ = carry
        image = jax.jvp(gradient, (parameters,), (direction,))[1]
        size = _norm(image)
        return jax.tree.map(lambda leaf: leaf / jnp.maximum(size, 1e-12), image), size

    # The gradient has a part along the stiffest directions.
    slope = gradient(parameters)
    size = jnp.maximum(_norm(slope), 1e-12)
    ones = jnp.ones((), parameters.weights.dtype)
    first = jax.tree.map(lambda leaf: leaf / size, slope), ones
    return jnp.maximum(jax.lax.fori_loop(0, _POWER_ITERATIONS, iterate, first)[1], 1e-3)


def step(
    model: Model, stepper: Stepper, data: Data, parameters: Parameters, state: Any, rate: Array, factor: Array
) -> tuple[Parameters, Any, Array, Array]:
    """Parameters, state and rate after one step on `data`, and the value that tells whether all is finite."""
    if stepper.optimizer == "proximal":
        if stepper.batch is None:
            return _proximal_step(model, stepper, data, parameters, state, rate)
        return _stochastic_proximal_step(model, stepper, data, parameters, state, rate, factor)
    transformation = stepper.transformation()
    function = partial(model.objective, data)
    if stepper.optimizer == "lbfgs":
        value, gradient = optax.value_and_grad_from_state(function)(parameters, state=state)
        gradient = without_dead(gradient, parameters)
        updates, state = transformation.update(
            gradient, state, parameters, value=value, grad=gradient, value_fn=function
        )
        size = jnp.ones_like(value)
    else:
        value, gradient = jax.value_and_grad(function)(parameters)
        gradient = without_dead(gradient, parameters)
        updates, state = transformation.update(gradient, state, parameters)
        size = -rate * factor if isinstance(stepper.optimizer, str) else jnp.ones_like(value)
    parameters = jax.tree.map(lambda leaf, update: leaf + size * update, parameters, updates)
    return model.admit(data, parameters), state, rate, value


def without_dead(gradient: Parameters, parameters: Parameters) -> Parameters:
    """The gradient with zeros where the derivative of a length at zero made it NaN."""
    tiny = 16 * math.sqrt(float(jnp.finfo(parameters.weights.dtype).tiny))
    inner = jnp.maximum(jnp.max(jnp.abs(parameters.weights), axis=1), jnp.abs(parameters.biases))
    outer = jnp.abs(parameters.coefficients)
    outer = outer if outer.ndim == 1 else jnp.max(outer, axis=1)
    dead = (jnp.max(jnp.abs(parameters.weights), axis=1) < tiny) | (inner < tiny) | (outer < tiny)

    def mend(leaf: Array) -> Array:
        rows = dead.reshape(-1, *(1,) * (leaf.ndim - 1))
        return jnp.where(rows & ~jnp.isfinite(leaf), 0.0, leaf)

    return gradient._replace(
        weights=mend(gradient.weights), biases=mend(gradient.biases), coefficients=mend(gradient.coefficients)
    )


def _norm(tree: Any) -> Array:
    return jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(tree)))


# The proximal path-norm method


def _price(model: Model, data: Data) -> Array:
    """What |v'| · gauge(w, b) is multiplied by in the objective over `data.unit`."""
    return data.strength * data.target / (data.balance ** (model.regularizer.order - 1) * data.unit)


def _gauges(model: Model, data: Data, parameters: Parameters) -> Array:
    """Of the neurons, in the coordinates where |v'| is balanced with them."""
    neurons, _ = model.network(data, parameters)
    return model.regularizer.gauge(neurons) * (data.spread / data.balance) ** (model.regularizer.order - 1)


def _path_objective(model: Model, data: Data, parameters: Parameters) -> Array:
    neurons, coefficients = model.network(data, parameters)
    path_norm = model.regularizer.path_norm(neurons, coefficients)
    return model.loss_value(data, parameters) + data.strength / data.unit * path_norm


def _forward_backward(
    model: Model, stepper: Stepper, data: Data, parameters: Parameters, rate: Array
) -> tuple[Parameters, Array]:
    """A gradient step on the loss, and the proximal operator of the path norm; and the loss before.

    Where the gauge is not Euclidean, the weights take a gradient step on the path norm, too, and the proximal operator
    is that in the coefficients alone.
    """
    degree = model.regularizer.order - 1

    def smooth(point: Parameters) -> Array:
        loss = model.loss_value(data, point)
        if stepper.euclidean:
            return loss
        fixed = jax.lax.stop_gradient(sizes_of(point.coefficients))
        neurons, _ = model.network(data, point)
        return loss + _price(model, data) * jnp.sum(fixed * model.regularizer.gauge(neurons))

    value, gradient = jax.value_and_grad(smooth)(parameters)
    gradient = without_dead(gradient, parameters)
    moved = model.admit(data, jax.tree.map(lambda leaf, slope: leaf - rate * slope, parameters, gradient))
    if stepper.euclidean:
        threshold = rate * _price(model, data) * (data.balance / data.spread) ** degree
        return prox_path_norm(moved, threshold, degree), value
    neurons, _ = model.network(data, moved)
    return soft_threshold(moved, rate * _price(model, data) * model.regularizer.gauge(neurons)), value


def _balanced(model: Model, data: Data, parameters: Parameters) -> Array:
    """The factors that balance neurons, but leave those that are nearly zero a length of weights."""
    degree = model.regularizer.order - 1
    gauges = _gauges(model, data, parameters)
    factors = rebalanced(parameters, gauges, degree)
    lengths = gauges * factors**degree
    floor = jnp.where(gauges > 0, jnp.maximum(lengths, _FLOOR) / jnp.where(gauges > 0, lengths, 1.0), 1.0)
    return factors * floor ** (1 / degree)


def _proximal_step(
    model: Model, stepper: Stepper, data: Data, parameters: Parameters, state: Momentum, rate: Array
) -> tuple[Parameters, Momentum, Array, Array]:
    """Accelerated, and monotone: a step that would raise the objective is not taken, and the next one is more careful.

    First without acceleration, then of half the length.

    Source: yang_2022; Li & Lin 2015 for the acceleration.
    """
    degree = model.regularizer.order - 1
    following = 0.5 * (1 + jnp.sqrt(1 + 4 * state.index**2))
    push = (state.index - 1) / following
    ahead = jax.tree.map(lambda leaf, before: leaf + push * (leaf - before), parameters, state.previous)
    candidate, value = _forward_backward(model, stepper, data, ahead, rate)
    objective = _path_objective(model, data, candidate)
    better = objective <= state.objective
    plain = push <= 0

    def chosen(new: Any, old: Any) -> Any:
        return jax.tree.map(lambda a, b: jnp.where(better, a, b), new, old)

    previous, current = chosen(parameters, state.previous), chosen(candidate, parameters)
    factors = _balanced(model, data, current)
    index = jnp.where(better, following, 1.0)
    rate = rate * jnp.where(better, _GROWTH, jnp.where(plain, 0.5, 1.0))
    state = Momentum(scaled(previous, factors, degree), index, jnp.where(better, objective, state.objective))
    # What is not taken need not be finite.
    return scaled(current, factors, degree), state, rate, jnp.where(jnp.isfinite(objective), value, state.objective)


def _stochastic_proximal_step(
    model: Model, stepper: Stepper, data: Data, parameters: Parameters, state: Momentum, rate: Array, factor: Array
) -> tuple[Parameters, Momentum, Array, Array]:
    candidate, value = _forward_backward(model, stepper, data, parameters, rate * factor)
    balanced = scaled(candidate, _balanced(model, data, candidate), model.regularizer.order - 1)
    return balanced, state, rate, value
