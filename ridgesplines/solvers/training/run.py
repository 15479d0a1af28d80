"""One run of training: chunks of compiled steps on all networks, and what happens between them."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
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
from ridgesplines.solvers.training.loop import Carry, Program, Setting, advance, begin, mesh_of, placed
from ridgesplines.solvers.training.merging import sparser, spline_of
from ridgesplines.solvers.training.network import (
    Data,
    Model,
    Parameters,
    Record,
    data_of,
    initial,
    offset_of,
    widened,
)
from ridgesplines.solvers.training.penalties import is_euclidean
from ridgesplines.solvers.training.result import TrainingResult, Trajectory
from ridgesplines.solvers.training.steps import Stepper
from ridgesplines.spline import RidgeSpline

if TYPE_CHECKING:
    from ridgesplines.solvers.training.options import NetworkTraining

# Entries of hidden layers that a chunk of steps may compute: about a second's worth.
_CHUNK = 3e8


@dataclass
class Case:
    """The networks of one width for one strength: S rows of all that are in training, from `first` on."""

    problem: Problem
    width: int
    dual: np.ndarray | None
    first: int
    seeds: int
    trace: list[TraceRow] = field(default_factory=list)
    certified: list[tuple[int, float, float]] = field(default_factory=list)
    bound: float = 0.0

    @property
    def rows(self) -> slice:
        """Which networks."""
        return slice(self.first, self.first + self.seeds)


class Run:
    """One run; `state` is replaced as a whole, so that an interrupt always finds that after a whole chunk.

    It holds the networks in training, and the records of each chunk by then.

    Args:
        problem: whose strength does not count.
        cases: strength, width and a dual vector to certify with.
        options: how to train; `options.width` does not count.
        polynomial: "solved", "trained" or "absent".
    """

    state: tuple[Carry, list[tuple]]

    def __init__(
        self,
        problem: Problem,
        cases: Sequence[tuple[float, int, np.ndarray | None]],
        options: NetworkTraining,
        polynomial: str,
    ) -> None:
        self.began = time.perf_counter()
        self.problem, self.options = problem, options
        self.cases = [
            Case(problem.with_strength(strength), width, dual, i * options.seeds, options.seeds)
            for i, (strength, width, dual) in enumerate(cases)
        ]
        action = None if problem.sampled else problem.measurements.of_neurons
        self.model = Model(problem.loss, problem.regularizer, options.penalty, polynomial, action)
        dtype = jnp.float64 if options.precision == 64 else jnp.float32
        self.data: Data = data_of(problem, self.model, dtype)
        self._check_loss(dtype)
        if not problem.sampled:
            self._check_action()
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
        self.mesh = mesh_of(len(self.cases) * options.seeds)

    def _check_loss(self, dtype: Any) -> None:
        targets = self.data.targets
        try:
            jax.eval_shape(self.model.loss.value, targets, jax.ShapeDtypeStruct(targets.shape, dtype))
        except jax.errors.TracerArrayConversionError as error:
            raise TypeError(
                f"{self.model.loss!r} cannot be trained with: its value does not work on JAX arrays; compute it with "
                "ridgesplines.arrays.namespace."
            ) from error

    def _check_action(self) -> None:
        measurements, activation = self.problem.measurements, self.model.regularizer.activation
        shapes = ((1, measurements.dimension), (1,))
        try:
            jax.eval_shape(
                lambda weights, biases: measurements.of_neurons(Neurons(weights, biases), activation),
                *(jax.ShapeDtypeStruct(shape, float) for shape in shapes),
            )
        except jax.errors.TracerArrayConversionError as error:
            raise TypeError(
                f"{measurements!r} cannot be trained on: of_neurons does not work on JAX arrays; compute it with "
                "ridgesplines.arrays.namespace."
            ) from error

    def _chunk(self) -> int:
        """How many records a chunk makes: it depends on sizes only, so that the same seed gives the same numbers."""
        options = self.options
        if options.certify_every is not None:
            return min(self.total, max(1, round(options.certify_every / self.stride)))
        rows = options.batch or self.problem.measurements.count
        entries = float(len(self.cases) * options.seeds) * self._widest * rows * self.stride
        most = min(self.total, max(1, int(_CHUNK / entries)))
        # A chunk of another length at the end would be compiled anew.
        return max(size for size in range(1, most + 1) if self.total % size == 0 or size == 1)

    @property
    def _widest(self) -> int:
        return max(case.width for case in self.cases)

    def results(self, progress: bool | None) -> list[TrainingResult]:
        """Train, and certify the best network of each case; on Ctrl-C, what there is."""
        status = Status.ITERATION_LIMIT
        with Progress(progress) as show:
            show("compiling the training")
            carry, first = begin(self.program, self.mesh, self.data, self._networks())
            self.state = carry, [jax.tree.map(lambda leaf: np.asarray(leaf)[:, None], first)]
            for case in self.cases:
                if not np.isfinite(np.asarray(self.carry.objective)[case.rows]).any():
                    raise ValueError("no seed has a finite objective at the start; lower scale, or rescale the data.")
            try:
                status = self._train(show)
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
            show("certifying the best network")
            return [self._finish(case, status) for case in self.cases]

    def _networks(self) -> tuple[Setting, Parameters, np.ndarray]:
        """All networks' settings and parameters at the start, and the keys of their mini-batches."""
        options, widest = self.options, self._widest
        dtype = self.data.points.dtype
        settings, networks, keys = [], [], []
        for case in self.cases:
            for i in range(options.seeds):
                parameters = initial(self.problem, self.model, self.data, case.width, options.scale, options.seed, i)
                settings.append(Setting(np.array(case.problem.dual_limit, dtype), np.array(case.width, dtype)))
                networks.append(widened(parameters, widest))
                keys.append(np.random.default_rng([options.seed, i, 1]).integers(0, 2**32, 2))
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *zip(settings, networks, strict=True))
        return *stacked, np.array(keys, dtype=np.uint32)

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
                for case in self.cases:
                    self._certify(case, step)
            self._report(step, show)
        return Status.STALLED if bool(np.asarray(self.carry.stopped).all()) else Status.ITERATION_LIMIT

    def _report(self, step: int, show: Progress) -> None:
        every: Record = self._records()[0]
        for case in self.cases:
            record: Record = jax.tree.map(lambda leaf, rows=case.rows: leaf[rows], every)
            objectives = record.loss + case.problem.dual_limit * record.path_norm
            least = float(np.min(np.where(np.isfinite(objectives), objectives, np.inf)))
            seed, row = np.unravel_index(
                np.nanargmin(np.where(np.isfinite(objectives), objectives, np.nan)), record.loss.shape
            )
            gap = (least - case.bound) / least if least > 0 else 0.0
            width, seconds = int(record.active[seed, row]), time.perf_counter() - self.began
            case.trace.append(TraceRow(step, least, case.bound, gap, width, seconds))
        failed = int(np.sum(np.asarray(self.carry.failed) >= 0))
        if len(self.cases) > 1:
            told = f"{len(self.cases)} widths and strengths"
        else:
            row = self.cases[0].trace[-1]
            bound = f", bound {row.bound:.6g}" if row.bound else ""
            told = f"least objective {row.objective:.6g}{bound}, {row.width} active neurons"
        show(f"step {step} of {self.options.steps}: {told}" + (f", {failed} seeds failed" if failed else ""))

    def _records(self) -> tuple:
        return jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), *self.shown)

    # Checkpoints

    def _identity(self) -> str:
        problem, options = self.problem, self.options
        kept = {
            name: value
            for name, value in vars(options).items()
            if name not in ("width", "checkpoint", "dual", "certify_every")
        }
        kept["cases"] = [(case.problem.strength, case.width) for case in self.cases]
        weights = np.zeros(0) if problem.sample_weights is None else problem.sample_weights
        seen = problem.points if problem.sampled else problem.measurements.identities
        return checkpoint.fingerprint(seen, problem.targets, weights, repr(self.cases[0].problem), self.model, kept)

    def _resume(self, path: Path) -> None:
        found = checkpoint.load(path, self._identity(), (self.carry, self.shown[0]))
        if found is not None:
            _, (carry, shown) = found
            self.state = placed(self.mesh, Carry(*carry)), [shown]

    # Answers

    def _network(self, case: Case, seed: int) -> tuple[Neurons, np.ndarray, np.ndarray | None]:
        """Neurons, coefficients and the polynomial's values of a seed's best network, in double precision."""
        best = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)[case.first + seed], float), self.carry.best)
        best = widened(best, case.width)
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

    def _certify(self, case: Case, step: int) -> None:
        record: Record = self.shown[-1][0]
        problem = case.problem
        objectives = record.loss[case.rows, -1] + problem.dual_limit * record.path_norm[case.rows, -1]
        if not np.isfinite(objectives).any():
            return
        best = int(np.argmin(np.where(np.isfinite(objectives), objectives, np.inf)))
        certificate = certify(problem, spline_of(problem, *self._network(case, best)), case.dual)
        # A bound that was searched for may be too high, so the latest one counts there, not the highest.
        case.bound = max(case.bound, certificate.bound) if certificate.proven else certificate.bound
        case.certified.append((step, certificate.objective, certificate.bound))

    def _finish(self, case: Case, status: Status) -> TrainingResult:
        problem, options = case.problem, self.options
        refit = self.model.polynomial == "solved"
        found: list[tuple[RidgeSpline, float]] = []
        for seed in range(options.seeds):
            found.append(sparser(problem, spline_of(problem, *self._network(case, seed)), refit))
        objectives = np.array([objective for _, objective in found])
        failed = np.asarray(self.carry.failed)[case.rows]
        if (failed >= 0).any():
            which = ", ".join(f"{seed} (step {failed[seed]})" for seed in np.flatnonzero(failed >= 0)[:8])
            warnings.warn(
                f"the numbers of seed {which} were no longer finite, and it stopped there, with its best network "
                "before that; a smaller learning_rate or scale helps.",
                RuntimeWarning,
                stacklevel=4,
            )
        best = int(np.argmin(objectives))
        certificate = certify(problem, found[best][0], case.dual)
        seconds = time.perf_counter() - self.began
        # The trace tells the best so far.
        bound = max(case.bound, certificate.bound) if certificate.proven else certificate.bound
        gap = relative_gap(certificate.objective, bound, problem.resolution)
        last = TraceRow(self._step, certificate.objective, bound, gap, certificate.width, seconds)
        details = {
            "penalty": options.penalty,
            "optimizer": _named(options.optimizer),
            "seed": best,
            "width": case.width,
        }
        solution = Solution(found[best][0], certificate, status, (*case.trace, last), seconds, details)
        return TrainingResult(
            tuple(spline for spline, _ in found), objectives, solution, self._trajectory(case), failed, seconds
        )

    def _trajectory(self, case: Case) -> Trajectory:
        record, neurons = jax.tree.map(lambda leaf: leaf[case.rows], self._records())
        weights, biases, coefficients = (leaf[:, :, : case.width] for leaf in neurons) if neurons else (None,) * 3
        certified = np.array(case.certified).reshape(-1, 3)
        return Trajectory(
            steps=np.minimum(self.stride * np.arange(record.loss.shape[1]), self.options.steps),
            losses=np.asarray(record.loss, float),
            penalties=np.asarray(record.penalty, float),
            path_norms=np.asarray(record.path_norm, float),
            active=record.active,
            distinct=record.distinct,
            imbalances=np.asarray(record.imbalance, float),
            certified_steps=certified[:, 0].astype(int),
            certified_objectives=certified[:, 1],
            certified_bounds=certified[:, 2],
            weights=weights,
            biases=biases,
            coefficients=coefficients,
            strength=float(case.problem.dual_limit),
        )


def _named(optimizer: Any) -> str:
    return optimizer if isinstance(optimizer, str) else "optax"
