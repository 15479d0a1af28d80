"""Training the features on made bodies: the sign and the distance near the surface, through the kernel's solve."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments.neural_kernel.field import FeatureNetwork, cloud_of, equations, fitted, places_of
from experiments.neural_kernel.shapes import Solid, draw_part
from ridgesplines.progress import Progress
from ridgesplines.surfaces.implicit import oriented_problem

# Clouds of these sizes, in turn: each is compiled for.
COUNTS = (150,)
STEPS = 1200
BODIES = 400
_QUERIES = 400
# Distances beyond this hardly count.
_REACH = 0.07
_RATE = 4e-3
_LONGEST = 1.0
_SAMPLES = 1200
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


def draw_places(surface: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Two thirds of them near the surface, one third anywhere in its box and a little around it."""
    near = surface[rng.integers(len(surface), size=2 * count // 3)]
    near = near + rng.standard_normal(near.shape) * np.where(rng.uniform(size=(len(near), 1)) < 0.5, 0.02, 0.08)
    low, high = surface.min(axis=0) - 0.05, surface.max(axis=0) + 0.05
    return np.concatenate([near, rng.uniform(low, high, (count - len(near), 3))])


def loss(network: FeatureNetwork, *arguments: Any) -> Any:
    """The root mean square of tanh(f / r) − tanh(value / r), r = `_REACH`."""
    *rest, values = arguments
    difference = jnp.tanh(fitted(network, *rest) / _REACH) - jnp.tanh(values / _REACH)
    return jnp.sqrt(jnp.mean(difference**2) + 1e-12)


def train(
    steps: int = STEPS,
    bodies: int = BODIES,
    seed: int = 0,
    draw: Callable[[np.random.Generator], Solid] = draw_part,
    progress: bool | None = None,
) -> Trained:
    """Adam on one body a step; Ctrl-C keeps what there is. The same arguments give the same network."""
    rng = np.random.default_rng([seed, 1])
    network = FeatureNetwork.initial(seed)
    rate = optax.warmup_cosine_decay_schedule(0.0, _RATE, max(steps // 20, 1), max(steps, 2))
    optimizer = optax.chain(optax.clip_by_global_norm(_LONGEST), optax.adam(rate))
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
                lessons.append(_lesson(draw(rng), rng))
            for step in range(steps):
                lesson = lessons[int(rng.integers(bodies))]
                arguments = _example(lesson, COUNTS[step % len(COUNTS)], rng)
                network, state, value = update(network, state, *arguments)
                losses.append(float(value))
                show(f"step {step + 1} of {steps}: loss {np.mean(losses[-100:]):.4f}")
        except KeyboardInterrupt:
            print(f"interrupted after {len(losses)} of {steps} steps; what there is, is kept", file=sys.stderr)
    return Trained(network, np.asarray(losses))


def _lesson(body: Solid, rng: np.random.Generator) -> _Lesson:
    points, normals = body.sample(_SAMPLES, rng)
    assert normals is not None
    x = draw_places(points, _POOL, rng)
    return _Lesson(points, normals, x, body.distance(x))


def _example(lesson: _Lesson, count: int, rng: np.random.Generator) -> tuple[Any, ...]:
    """A cloud of a lesson and places with the values there, in the units of the ball: the arguments of `loss`."""
    some = rng.choice(_SAMPLES, count, replace=False)
    problem, centre, scale, *_ = oriented_problem(lesson.points[some], lesson.normals[some])
    cloud = cloud_of(problem.points, np.asarray(problem.gradients))
    chosen = rng.choice(_POOL, _QUERIES, replace=False)
    places = places_of(cloud, (lesson.x[chosen] - centre) / scale)
    given = equations(problem.kernel, cloud)
    return cloud, places_of(cloud, cloud.points), given, places, lesson.values[chosen] / scale
