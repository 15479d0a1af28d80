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
from ridgesplines.norms import sizes
from ridgesplines.solvers.training.network import Data, Model, Parameters, rebalanced, scaled
from ridgesplines.solvers.training.proximal import prox_path_norm, soft_threshold

OPTIMIZERS = ("adam", "sgd", "lbfgs", "gradient flow", "proximal")
SCHEDULES = ("cosine", "linear", "constant")
# Rates in coordinates where data and targets have size 1.
_RATES = {"adam": 0.01, "proximal": 0.03}
# The others' default rate is such a fraction of the reciprocal of the largest curvature at the start.
_FRACTIONS = {"sgd": 0.1, "gradient flow": 0.02}
_POWER_ITERATIONS = 12
# Adam's memory of gradients and of their squares, and what keeps its divisions finite.
_MEMORY, _LONG_MEMORY, _SMALL = 0.9, 0.999, 1e-8
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


class Moments(NamedTuple):
    """The state of proximal training: running means of the gradient of the loss, and of its square for each neuron."""

    mean: Parameters
    squares: Array
    polynomial_squares: Array
    count: Array


def start(model: Model, stepper: Stepper, data: Data, parameters: Parameters) -> tuple[Any, Array]:
    """The state of the optimiser and its rate."""
    dtype = data.points.dtype
    if stepper.optimizer == "proximal":
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        state = Moments(zeros, jnp.zeros_like(parameters.biases), jnp.zeros((), dtype), jnp.zeros((), dtype))
    else:
        state = stepper.transformation().init(parameters)
    if stepper.rate is not None:
        return state, jnp.asarray(stepper.rate, dtype)
    if not isinstance(stepper.optimizer, str):
        return state, jnp.ones((), dtype)
    fraction = _FRACTIONS.get(stepper.optimizer)
    if fraction is None:
        return state, jnp.asarray(_RATES.get(stepper.optimizer, 1.0), dtype)
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
        return _proximal_step(model, stepper, data, parameters, state, rate, factor)
    transformation = stepper.transformation()
    function = partial(model.objective, data)
    if stepper.optimizer == "lbfgs":
        found: Any = optax.value_and_grad_from_state(function)(parameters, state=state)
        value, gradient = found[0], without_dead(found[1], parameters)
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
    outer = jnp.abs(parameters.coefficients)
    outer = outer if outer.ndim == 1 else jnp.max(outer, axis=1)
    dead = (jnp.max(jnp.abs(parameters.weights), axis=1) < tiny) | (outer < tiny)

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


def _balanced(model: Model, data: Data, parameters: Parameters) -> Array:
    """The factors that balance neurons, but leave those that are nearly zero a length of weights."""
    degree = model.regularizer.order - 1
    gauges = _gauges(model, data, parameters)
    factors = rebalanced(parameters, gauges, degree)
    lengths = gauges * factors**degree
    floor = jnp.where(gauges > 0, jnp.maximum(lengths, _FLOOR) / jnp.where(gauges > 0, lengths, 1.0), 1.0)
    return factors * floor ** (1 / degree)


def _proximal_step(
    model: Model, stepper: Stepper, data: Data, parameters: Parameters, state: Moments, rate: Array, factor: Array
) -> tuple[Parameters, Moments, Array, Array]:
    """A step along the mean gradient of the loss, the proximal operator of the path norm, and balancing.

    Each neuron has a rate of its own, as in Adam, by the size of its gradient, which does not vanish at the optimum;
    one for all its parameters, so that the proximal operator stays that of one neuron. Where the gauge is not
    Euclidean, the weights take a gradient step on the path norm, too, and the proximal operator is that in the
    coefficients alone.

    Source: yang_2022; the rates are ours.
    """
    degree = model.regularizer.order - 1

    def smooth(point: Parameters) -> Array:
        loss = model.loss_value(data, point)
        if stepper.euclidean:
            return loss
        fixed = jax.lax.stop_gradient(sizes(point.coefficients))
        neurons, _ = model.network(data, point)
        return loss + _price(model, data) * jnp.sum(fixed * model.regularizer.gauge(neurons))

    value, gradient = jax.value_and_grad(smooth)(parameters)
    gradient = without_dead(gradient, parameters)
    count = state.count + 1
    mean = jax.tree.map(lambda old, new: _MEMORY * old + (1 - _MEMORY) * new, state.mean, gradient)
    squares = sizes(gradient.coefficients) ** 2 + gradient.biases**2 + jnp.sum(gradient.weights**2, axis=1)
    squares = _LONG_MEMORY * state.squares + (1 - _LONG_MEMORY) * squares
    polynomial_squares = jnp.sum(gradient.polynomial**2)
    polynomial_squares = _LONG_MEMORY * state.polynomial_squares + (1 - _LONG_MEMORY) * polynomial_squares
    # The means start from zero.
    unbiased, known = 1 - _MEMORY**count, 1 - _LONG_MEMORY**count
    # The price of a coefficient, in the coordinates of training, is the least that counts as a gradient: neurons that
    # no datum is on the positive side of shrink at the rate, too.
    prices = _price(model, data) * model.regularizer.gauge(model.network(data, parameters)[0])
    rates = rate * factor / (jnp.sqrt(squares / known) + prices + _SMALL)
    polynomial_rate = rate * factor / (jnp.sqrt(polynomial_squares / known) + _SMALL)
    moved = Parameters(
        parameters.weights - (rates / unbiased)[:, None] * mean.weights,
        parameters.biases - rates / unbiased * mean.biases,
        (parameters.coefficients.T - rates / unbiased * mean.coefficients.T).T,
        parameters.polynomial - polynomial_rate / unbiased * mean.polynomial,
    )
    moved = model.admit(data, moved)
    if stepper.euclidean:
        threshold = rates * _price(model, data) * (data.balance / data.spread) ** degree
        moved = prox_path_norm(moved, threshold, degree)
    else:
        neurons, _ = model.network(data, moved)
        moved = soft_threshold(moved, rates * _price(model, data) * model.regularizer.gauge(neurons))
    factors = _balanced(model, data, moved)
    # Gradients scale the other way round.
    mean = mean._replace(
        weights=mean.weights / factors[:, None],
        biases=mean.biases / factors,
        coefficients=(mean.coefficients.T * factors**degree).T,
    )
    return scaled(moved, factors, degree), Moments(mean, squares, polynomial_squares, count), rate, value
