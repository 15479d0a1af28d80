"""Training the features on made bodies: the sign and the distance near the surface, through the kernel's solve."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments.neural_kernel.field import FeatureNetwork, centres_of, cloud_of, fitted, places_of
from experiments.neural_kernel.shapes import Body, draw_body
from ridgesplines.progress import Progress

# Clouds of these sizes, in turn: each is compiled for.
COUNTS = (100, 200)
STEPS = 1000
BODIES = 150
_QUERIES = 256
# Distances beyond this hardly count.
_REACH = 0.05
_RATE = 2e-3
_SAMPLES = 600
_POOL = 4000


@dataclass(frozen=True, eq=False)
class Trained:
    """The network, and the loss of every step (S,)."""

    network: FeatureNetwork
    losses: np.ndarray


@dataclass(frozen=True, eq=False)
class _Lesson:
    """Samples of a body's surface, and places with its values."""

    points: np.ndarray
    normals: np.ndarray
    x: np.ndarray
    values: np.ndarray


def draw_places(body: Body, surface: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Two thirds of them near the surface, one third anywhere in the cube."""
    near = surface[rng.integers(len(surface), size=2 * count // 3)]
    near = near + rng.standard_normal(near.shape) * np.where(rng.uniform(size=(len(near), 1)) < 0.5, 0.02, 0.08)
    return np.concatenate([near, rng.uniform(-1, 1, (count - len(near), 3))])


def loss(network: FeatureNetwork | None, *arguments: Any) -> Any:
    """The root mean square of tanh(f / r) − tanh(value / r), r = `_REACH`."""
    *rest, values = arguments
    difference = jnp.tanh(fitted(network, *rest) / _REACH) - jnp.tanh(values / _REACH)
    return jnp.sqrt(jnp.mean(difference**2) + 1e-12)


def train(steps: int = STEPS, bodies: int = BODIES, seed: int = 0, progress: bool | None = None) -> Trained:
    """Adam on one body a step; Ctrl-C keeps what there is. The same arguments give the same network."""
    rng = np.random.default_rng([seed, 1])
    network = FeatureNetwork.initial(seed)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(_RATE, steps)))
    state = optimizer.init(network)  # type: ignore[arg-type] # a pytree

    @jax.jit
    def update(network: Any, state: Any, *arguments: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(network, *arguments)
        changes, state = optimizer.update(gradient, state, network)
        return optax.apply_updates(network, changes), state, value

    losses: list[float] = []
    with Progress(progress) as show:
        try:
            lessons: list[_Lesson] = []
            for i in range(bodies):
                show(f"making body {i + 1} of {bodies}")
                body = draw_body(rng)
                points, normals = body.sample(_SAMPLES, rng)
                assert normals is not None
                x = draw_places(body, points, _POOL, rng)
                lessons.append(_Lesson(points, normals, x, body.distance(x)))
            for step in range(steps):
                lesson = lessons[int(rng.integers(bodies))]
                some = rng.choice(_SAMPLES, COUNTS[step % len(COUNTS)], replace=False)
                cloud = cloud_of(lesson.points[some], lesson.normals[some])
                chosen = rng.choice(_POOL, _QUERIES, replace=False)
                places = places_of(cloud, lesson.x[chosen])
                network, state, value = update(network, state, cloud, *centres_of(cloud), places, lesson.values[chosen])
                losses.append(float(value))
                show(f"step {step + 1} of {steps}: loss {np.mean(losses[-50:]):.4f}")
        except KeyboardInterrupt:
            print(f"interrupted after {len(losses)} of {steps} steps; what there is, is kept", file=sys.stderr)
    return Trained(network, np.asarray(losses))
