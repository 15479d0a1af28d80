"""A network of finite width, trained on any measurements; `rs.train` itself serves samples only."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax

import ridgesplines as rs
from ridgesplines.oracles import Neurons
from ridgesplines.progress import Progress

# The rate of Adam at its start.
_RATE = 0.01
# Measured neurons nearer to affine functions than this, relative, are dropped.
_STRAIGHT = 1e-10
# Steps compiled together.
_TOGETHER = 100


def trained_network(problem: rs.Problem, width: int, steps: int, seed: int) -> rs.RidgeSpline:
    """A stationary point of ½ ‖ν(f) − y‖² + λ (½ Σ v_k² + ½ Σ ‖w_k‖²), by Adam with a rate that falls as a cosine.

    Weight decay on both layers has the minima of the path norm Σ |v_k| ‖w_k‖, the problem's own regularizer (order 2).
    The free polynomial is the best one at every step: what is left of the data is projected off them.
    """
    activation, measurements, basis = problem.regularizer.activation, problem.measurements, problem.free.basis
    # Trained in units of these: inputs (x − middle) / reach, values over `size`.
    middle = measurements.places.mean(axis=0)
    reach, size = float(np.abs(measurements.places - middle).max()), float(np.std(problem.targets))
    strength = problem.dual_limit / (reach * size)
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((width, measurements.dimension))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    start = {
        # The first layer large, so that kinks stay apart while the second finds its size: small balanced neurons
        # gather at few kinks, from where they no longer part.
        "weights": weights,
        "biases": rng.uniform(-1.0, 1.0, width),
        "coefficients": rng.choice([-1.0, 1.0], width) / width,
    }

    def neurons(parameters: dict[str, jax.Array]) -> Neurons:
        scaled = parameters["weights"] / reach
        # Arrays of JAX serve where NumPy's do.
        return Neurons(scaled, parameters["biases"] + scaled @ middle)  # type: ignore[arg-type]

    def objective(parameters: dict[str, jax.Array]) -> jax.Array:
        columns = measurements.of_neurons(neurons(parameters), activation)
        residual = columns @ parameters["coefficients"] - problem.targets / size
        residual = residual - basis @ (basis.T @ residual)
        decay = jnp.sum(parameters["weights"] ** 2) + jnp.sum(parameters["coefficients"] ** 2)
        return 0.5 * residual @ residual + 0.5 * strength * decay

    optimizer = optax.adam(optax.cosine_decay_schedule(_RATE, steps))

    def step(state, _):  # type: ignore[no-untyped-def]
        parameters, moments = state
        slopes = jax.grad(objective)(parameters)
        updates, moments = optimizer.update(slopes, moments, parameters)
        return (optax.apply_updates(parameters, updates), moments), None

    several = jax.jit(lambda state: jax.lax.scan(step, state, length=min(_TOGETHER, steps))[0])
    parameters = jax.tree.map(jnp.asarray, start)
    state = (parameters, optimizer.init(parameters))
    with Progress() as show:
        for done in range(0, steps, _TOGETHER):
            show(f"training a network: step {done} of {steps}")
            state = several(state)
    found = neurons(state[0])
    made, coefficients = (
        Neurons(np.asarray(found.weights), np.asarray(found.biases)),
        np.asarray(state[0]["coefficients"]),
    )
    # What no measurement sees bend is affine to them, and costs for nothing; decay takes some such kinks far away.
    columns = problem.measure_neurons(made)
    bends = np.linalg.norm(columns - basis @ (basis.T @ columns), axis=0) > _STRAIGHT * np.linalg.norm(columns, axis=0)
    return problem.spline(made[bends], size * coefficients[bends])
