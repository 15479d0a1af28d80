"""One run of training: chunks of compiled steps, and what happens between them."""

from __future__ import annotations

import math
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from ridgesplines.certificate import certify, relative_gap
from ridgesplines.oracles import Neurons
from ridgesplines.problem import Problem
from ridgesplines.progress import Progress
from ridgesplines.solution import Solution, Status, TraceRow
from ridgesplines.solvers.training import checkpoint
from ridgesplines.solvers.training.loop import Carry, Program, advance, begin, mesh_of, placed
from ridgesplines.solvers.training.merging import sparser, spline_of
from ridgesplines.solvers.training.network import Data, Model, Parameters, Record, data_of, initial, offset_of
from ridgesplines.solvers.training.penalties import is_euclidean
from ridgesplines.solvers.training.result import TrainingResult, Trajectory
from ridgesplines.solvers.training.steps import Stepper
from ridgesplines.spline import RidgeSpline

if TYPE_CHECKING:
    from ridgesplines.solvers.training.options import NetworkTraining

# Entries of hidden layers that a chunk of steps may compute: about a second's worth.
_CHUNK = 3e8


class Run:
    """One run; `state` is replaced as a whole, so that an interrupt always finds that after a whole chunk.

    It holds the networks in training, and the records of each chunk by then.
    """

    state: tuple[Carry, list[tuple]]

    def __init__(self, problem: Problem, options: NetworkTraining, polynomial: str) -> None:
        self.began = time.perf_counter()
        self.problem, self.options = problem, options
        self.model = Model(problem.loss, problem.regularizer, options.penalty, polynomial)
        dtype = jnp.float64 if options.precision == 64 else jnp.float32
        self.data: Data = data_of(problem, self.model, dtype)
        self._check_loss(dtype)
        stride = max(1, math.ceil(options.steps / options.records))
        stepper = Stepper(
            options.optimizer,
            options.schedule,
            options.learning_rate,
            float(options.momentum),
            options.batch,
            is_euclidean(problem.regularizer, problem.measurements.dimension),
        )
        self.program = Program(
            self.model,
            stepper,
            options.patience,
            float(options.tolerance),
            options.keep_neurons,
        )
        self.stride = stride
        self.total = math.ceil(options.steps / stride)
        self.chunk = self._chunk()
        self.mesh = mesh_of(options.seeds)
        self.trace: list[TraceRow] = []
        self.certified: list[tuple[int, float, float]] = []
        self.bound = 0.0

    def _check_loss(self, dtype: Any) -> None:
        targets = self.data.targets
        try:
            jax.eval_shape(self.model.loss.value, targets, jax.ShapeDtypeStruct(targets.shape, dtype))
        except jax.errors.TracerArrayConversionError as error:
            raise TypeError(
                f"{self.model.loss!r} cannot be trained with: its value does not work on JAX arrays; compute it with "
                "ridgesplines.arrays.namespace."
            ) from error

    def _chunk(self) -> int:
        """How many records a chunk makes: it depends on sizes only, so that the same seed gives the same numbers."""
        options = self.options
        if options.certify_every is not None:
            return min(self.total, max(1, round(options.certify_every / self.stride)))
        rows = options.batch or self.problem.measurements.count
        entries = float(options.seeds) * options.width * rows * self.stride
        most = min(self.total, max(1, int(_CHUNK / entries)))
        # A chunk of another length at the end would be compiled anew.
        return max(size for size in range(1, most + 1) if self.total % size == 0 or size == 1)

    def result(self, progress: bool | None) -> TrainingResult:
        """Train, and certify the best network; on Ctrl-C, what there is."""
        status = Status.ITERATION_LIMIT
        with Progress(progress) as show:
            show("compiling the training")
            carry, first = begin(self.program, self.mesh, self.data, self._networks())
            self.state = carry, [jax.tree.map(lambda leaf: np.asarray(leaf)[:, None], first)]
            if not np.isfinite(np.asarray(self.carry.objective)).any():
                raise ValueError("no seed has a finite objective at the start; lower scale, or rescale the data.")
            try:
                status = self._train(show)
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
            show("certifying the best network")
            return self._finish(status)

    def _networks(self) -> tuple[Parameters, np.ndarray]:
        """All seeds' parameters at the start, and the keys of their mini-batches."""
        options = self.options
        networks = [
            initial(self.problem, self.model, self.data, options.width, options.scale, options.seed, i)
            for i in range(options.seeds)
        ]
        keys = [np.random.default_rng([options.seed, i, 1]).integers(0, 2**32, 2) for i in range(options.seeds)]
        return jax.tree.map(lambda *leaves: np.stack(leaves), *networks), np.array(keys, dtype=np.uint32)

    @property
    def carry(self) -> Carry:
        """The networks in training."""
        return self.state[0]

    @property
    def shown(self) -> list[tuple]:
        """The records of each chunk, the first of the start."""
        return self.state[1]

    @property
    def done(self) -> int:
        """Records after the first."""
        return sum(part[0].loss.shape[1] for part in self.shown) - 1

    @property
    def _step(self) -> int:
        """How many steps are done."""
        return min(self.done * self.stride, self.options.steps)

    def _train(self, show: Progress) -> Status:
        path = None if self.options.checkpoint is None else Path(self.options.checkpoint)
        if path is not None:
            path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
            self._resume(path)
        self._report(self._step, show)
        while self.done < self.total:
            if bool(np.asarray(self.carry.stopped).all()):
                return Status.STALLED
            # One shorter chunk at the end if certificates ask for lengths that do not divide.
            records = min(self.chunk, self.total - self.done)
            carry, shown = advance(
                self.program,
                self.mesh,
                records,
                self.data,
                self.carry,
                jnp.asarray(self.done * self.stride),
                jnp.asarray(self.stride),
                jnp.asarray(self.options.steps),
            )
            shown = jax.tree.map(np.asarray, shown)
            self.state = carry, [*self.shown, shown]
            step = self._step
            if path is not None:
                checkpoint.save(path, self._identity(), self.done, (self.carry, self._records()))
            if self.options.certify_every is not None:
                self._certify(step)
            self._report(step, show)
        return Status.STALLED if bool(np.asarray(self.carry.stopped).all()) else Status.ITERATION_LIMIT

    def _report(self, step: int, show: Progress) -> None:
        record: Record = self._records()[0]
        objectives = record.loss + self.problem.dual_limit * record.path_norm
        least = float(np.min(np.where(np.isfinite(objectives), objectives, np.inf)))
        seed, row = np.unravel_index(
            np.nanargmin(np.where(np.isfinite(objectives), objectives, np.nan)), record.loss.shape
        )
        width = int(record.active[seed, row])
        gap = (least - self.bound) / least if least > 0 else 0.0
        self.trace.append(TraceRow(step, least, self.bound, gap, width, time.perf_counter() - self.began))
        failed = int(np.sum(np.asarray(self.carry.failed) >= 0))
        bound = f", bound {self.bound:.6g}" if self.bound else ""
        show(
            f"step {step} of {self.options.steps}: least objective {least:.6g}{bound}, {width} active neurons"
            + (f", {failed} seeds failed" if failed else "")
        )

    def _records(self) -> tuple:
        return jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), *self.shown)

    # Checkpoints

    def _identity(self) -> str:
        problem, options = self.problem, self.options
        kept = {
            name: value for name, value in vars(options).items() if name not in ("checkpoint", "dual", "certify_every")
        }
        weights = np.zeros(0) if problem.sample_weights is None else problem.sample_weights
        return checkpoint.fingerprint(problem.points, problem.targets, weights, repr(problem), self.model, kept)

    def _resume(self, path: Path) -> None:
        found = checkpoint.load(path, self._identity(), (self.carry, self.shown[0]))
        if found is not None:
            _, (carry, shown) = found
            self.state = placed(self.mesh, Carry(*carry)), [shown]

    # Answers

    def _network(self, seed: int) -> tuple[Neurons, np.ndarray, np.ndarray | None]:
        """Neurons, coefficients and the polynomial's values of a seed's best network, in double precision."""
        best = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)[seed], float), self.carry.best)
        double = Data(*(jnp.asarray(leaf, float) for leaf in self.data))
        neurons, coefficients = self.model.network(double, best)
        neurons = Neurons(np.asarray(neurons.weights), np.asarray(neurons.biases))
        polynomial = None
        if self.model.polynomial == "trained":
            values = np.asarray(double.target * (double.basis @ best.polynomial))
            polynomial = values + offset_of(self.problem, self.model.polynomial)
        elif self.model.polynomial == "absent":
            polynomial = np.zeros_like(self.problem.targets)
        return neurons, np.asarray(coefficients), polynomial

    def _certify(self, step: int) -> None:
        record: Record = self.shown[-1][0]
        objectives = record.loss[:, -1] + self.problem.dual_limit * record.path_norm[:, -1]
        if not np.isfinite(objectives).any():
            return
        best = int(np.argmin(np.where(np.isfinite(objectives), objectives, np.inf)))
        certificate = certify(self.problem, spline_of(self.problem, *self._network(best)), self.options.dual)
        # A bound that was searched for may be too high, so the latest one counts there, not the highest.
        self.bound = max(self.bound, certificate.bound) if certificate.proven else certificate.bound
        self.certified.append((step, certificate.objective, certificate.bound))

    def _finish(self, status: Status) -> TrainingResult:
        problem, options = self.problem, self.options
        refit = self.model.polynomial == "solved"
        found: list[tuple[RidgeSpline, float]] = []
        for seed in range(options.seeds):
            found.append(sparser(problem, spline_of(problem, *self._network(seed)), refit))
        objectives = np.array([objective for _, objective in found])
        failed = np.asarray(self.carry.failed)
        if (failed >= 0).any():
            which = ", ".join(f"{seed} (step {failed[seed]})" for seed in np.flatnonzero(failed >= 0)[:8])
            warnings.warn(
                f"the numbers of seed {which} were no longer finite, and it stopped there, with its best network "
                "before that; a smaller learning_rate or scale helps.",
                RuntimeWarning,
                stacklevel=4,
            )
        best = int(np.argmin(objectives))
        certificate = certify(problem, found[best][0], options.dual)
        seconds = time.perf_counter() - self.began
        # The trace tells the best so far.
        bound = max(self.bound, certificate.bound) if certificate.proven else certificate.bound
        gap = relative_gap(certificate.objective, bound, problem.resolution)
        last = TraceRow(self._step, certificate.objective, bound, gap, certificate.width, seconds)
        details = {
            "penalty": options.penalty,
            "optimizer": _named(options.optimizer),
            "seed": best,
            "width": options.width,
        }
        solution = Solution(found[best][0], certificate, status, (*self.trace, last), seconds, details)
        return TrainingResult(
            tuple(spline for spline, _ in found), objectives, solution, self._trajectory(), failed, seconds
        )

    def _trajectory(self) -> Trajectory:
        record, neurons = self._records()
        weights, biases, coefficients = neurons if neurons else (None, None, None)
        steps = np.minimum(self.stride * np.arange(record.loss.shape[1]), self.options.steps)
        certified = np.array(self.certified).reshape(-1, 3)
        return Trajectory(
            steps,
            np.asarray(record.loss, float),
            np.asarray(record.penalty, float),
            np.asarray(record.path_norm, float),
            record.active,
            np.asarray(record.imbalance, float),
            certified[:, 0].astype(int),
            certified[:, 1],
            certified[:, 2],
            weights,
            biases,
            coefficients,
            float(self.problem.dual_limit),
        )


def _named(optimizer: Any) -> str:
    return optimizer if isinstance(optimizer, str) else "optax"
