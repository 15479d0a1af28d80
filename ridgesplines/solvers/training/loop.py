"""Many steps on many networks: one compiled program, on all devices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ridgesplines.arrays import Array
from ridgesplines.solvers.training.network import Data, Model, Parameters, Record
from ridgesplines.solvers.training.steps import Stepper, start, step

# Numbers of hidden layers that fit into a processor's cache: 2 MiB of doubles.
_CACHED = 2**18


@dataclass(frozen=True)
class Program:
    """All that the compiled program depends on apart from numbers.

    Attributes:
        model: what is trained.
        stepper: how.
        patience: records without progress to stop after; None for never.
        tolerance: what counts as progress, relative to the objective.
        keep_neurons: whether networks are recorded, too.
    """

    model: Model
    stepper: Stepper
    patience: int | None
    tolerance: float
    keep_neurons: bool


class Setting(NamedTuple):
    """What networks of one program may differ in, apart from their parameters: those two of `Data`."""

    strength: Array
    width: Array


class Carry(NamedTuple):
    """One network in training.

    Attributes:
        setting: its λ and K.
        parameters: now.
        state: of the optimiser.
        rate: now.
        key: of the mini-batches, as numbers.
        best: the parameters with the least objective among those recorded.
        objective: of `best`, over `Data.unit`.
        waited: records since then.
        failed: the step at which something was not finite, or −1.
        stopped: whether training is over.
    """

    setting: Setting
    parameters: Parameters
    state: Any
    rate: Array
    key: Array
    best: Parameters
    objective: Array
    waited: Array
    failed: Array
    stopped: Array


@partial(jax.jit, static_argnames=("program", "mesh"))
def begin(program: Program, mesh: Mesh, data: Data, networks: tuple[Setting, Parameters, Array]) -> tuple[Carry, tuple]:
    """S networks with their settings and the keys of their mini-batches, ready for training, and their first record."""

    def one(data: Data, network: tuple[Setting, Parameters, Array]) -> tuple[Carry, tuple]:
        setting, parameters, key = network
        data = data._replace(**setting._asdict())
        parameters = program.model.admit(data, parameters)
        state, rate = start(program.model, program.stepper, data, parameters)
        objective = program.model.objective(data, parameters)
        carry = Carry(
            setting,
            parameters,
            state,
            rate,
            key,
            parameters,
            objective,
            jnp.zeros((), int),
            jnp.where(jnp.isfinite(objective), -1, 0),
            ~jnp.isfinite(objective),
        )
        return carry, _shown(program, data, parameters)

    return _spread(mesh, jax.vmap(one, in_axes=(None, 0)))(data, networks)


@partial(jax.jit, static_argnames=("program", "mesh", "records"))
def advance(
    program: Program, mesh: Mesh, records: int, data: Data, carry: Carry, done: Array, stride: Array, total: Array
) -> tuple[Carry, tuple]:
    """`records` times `stride` steps more, from step `done` on but not beyond `total`; the records are (S, records)."""

    def one(data: Data, carry: Carry, done: Array, stride: Array, total: Array) -> tuple[Carry, tuple]:
        data = data._replace(**carry.setting._asdict())

        def outer(carry: Carry, first: Array) -> tuple[Carry, tuple]:
            last = jnp.minimum(first + stride, total)
            carry = jax.lax.fori_loop(first, last, lambda i, carry: _step(program, data, carry, i, total), carry)
            carry = _judge(program, data, carry)
            return carry, _shown(program, data, carry.parameters)

        return jax.lax.scan(outer, carry, done + stride * jnp.arange(records))

    def every(data: Data, carry: Carry, *numbers: Array) -> tuple[Carry, tuple]:
        count, rows = len(carry.rate), program.stepper.batch or data.targets.shape[0]
        size = _side_by_side(count, rows * carry.parameters.biases.shape[-1])
        group = jax.vmap(lambda network: one(data, network, *numbers))
        if size == count:
            return group(carry)
        groups = jax.tree.map(lambda leaf: leaf.reshape(count // size, size, *leaf.shape[1:]), carry)
        return jax.tree.map(lambda leaf: leaf.reshape(count, *leaf.shape[2:]), jax.lax.map(group, groups))

    return _spread(mesh, every)(data, carry, done, stride, total)


def _side_by_side(count: int, entries: int) -> int:
    """How many of `count` networks, with hidden layers of so many `entries`, take their steps together.

    As many as fit into the cache on a processor, one at least, and one such group after the other: a step of 32
    networks of 442 · 200 entries takes 0.6 of the time there, of 10,000 · 200 half. All on accelerators.
    """
    fitting = max(1, _CACHED // max(entries, 1))
    if fitting >= count or jax.default_backend() != "cpu":
        return count
    return max(size for size in range(1, fitting + 1) if count % size == 0)


def mesh_of(count: int) -> Mesh:
    """As many of the local devices as divide the number of networks."""
    devices = jax.local_devices()
    used = max(size for size in range(1, len(devices) + 1) if count % size == 0)
    return Mesh(np.array(devices[:used]), ("networks",))


def placed(mesh: Mesh, carry: Carry) -> Carry:
    """The networks shared out among the devices."""
    sharding = NamedSharding(mesh, PartitionSpec("networks"))
    return jax.tree.map(lambda leaf: jax.device_put(leaf, sharding), carry)


def _spread(mesh: Mesh, block: Any) -> Any:
    """`block`, shared out among the devices; its second argument and its results have an axis of networks."""

    def many(*arguments: Any) -> Any:
        specs = tuple(PartitionSpec("networks") if i == 1 else PartitionSpec() for i in range(len(arguments)))
        # Each device trains its own networks and needs no other.
        shared = jax.shard_map(block, mesh=mesh, in_specs=specs, out_specs=PartitionSpec("networks"), check_vma=False)
        return shared(*arguments)

    return many


def _step(program: Program, data: Data, carry: Carry, index: Array, total: Array) -> Carry:
    stepper = program.stepper
    batch = data if stepper.batch is None else _batch(data, carry.key, index, stepper.batch)
    factor = stepper.factor(index, total, data.points.dtype)
    parameters, state, rate, value = step(
        program.model, stepper, batch, carry.parameters, carry.state, carry.rate, factor
    )
    parameters, state = jax.tree.map(_flushed, (parameters, state))
    finite = jnp.isfinite(value)
    for leaf in jax.tree.leaves(parameters):
        finite &= jnp.all(jnp.isfinite(leaf))
    running = ~carry.stopped
    taken = running & finite

    def chosen(new: Any, old: Any) -> Any:
        return jax.tree.map(lambda a, b: jnp.where(taken, a, b), new, old)

    return carry._replace(
        parameters=chosen(parameters, carry.parameters),
        state=chosen(state, carry.state),
        rate=chosen(rate, carry.rate),
        failed=jnp.where(running & ~finite, index, carry.failed),
        stopped=carry.stopped | (running & ~finite),
    )


def _flushed(leaf: Array) -> Array:
    """Zero for numbers whose squares would be denormal, which processors are slow with: neurons that die out get there.

    That is below what Adam adds to the roots of the mean squares.
    """
    if not jnp.issubdtype(leaf.dtype, jnp.floating):
        return leaf
    return jnp.where(jnp.abs(leaf) < 4 * math.sqrt(float(jnp.finfo(leaf.dtype).tiny)), 0.0, leaf)


def _batch(data: Data, key: Array, index: Array, size: int) -> Data:
    """`size` data without repetition, each once in an epoch; what does not fill a batch is left out of it."""
    count = data.points.shape[0]
    batches = count // size
    epoch = jax.random.fold_in(jax.random.wrap_key_data(key), index // batches)
    order = jax.random.permutation(epoch, count)
    rows = jax.lax.dynamic_slice_in_dim(order, (index % batches) * size, size)
    return data._replace(
        points=data.points[rows],
        targets=data.targets[rows],
        sample_weights=data.sample_weights[rows] * (count / size),
        basis=data.basis[rows],
    )


def _judge(program: Program, data: Data, carry: Carry) -> Carry:
    """Take the network if it is the best so far, and stop without progress."""
    objective = program.model.objective(data, carry.parameters)
    better = objective < carry.objective
    progress = objective < carry.objective * (1 - program.tolerance)
    waited = jnp.where(progress, 0, carry.waited + 1)
    stopped = carry.stopped
    if program.patience is not None:
        stopped = stopped | (waited >= program.patience)
    return carry._replace(
        best=jax.tree.map(lambda a, b: jnp.where(better, a, b), carry.parameters, carry.best),
        objective=jnp.where(better, objective, carry.objective),
        waited=waited,
        stopped=stopped,
    )


def _shown(program: Program, data: Data, parameters: Parameters) -> tuple[Record, tuple[Array, ...]]:
    record = program.model.record(data, parameters)
    if not program.keep_neurons:
        return record, ()
    neurons, coefficients = program.model.network(data, parameters)
    return record, (neurons.weights, neurons.biases, coefficients)
