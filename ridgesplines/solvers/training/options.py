"""Training networks on a problem: the options, the solver and the verb."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import optax

from ridgesplines.checks import check_count, check_number, is_one_of
from ridgesplines.losses import SquaredLoss
from ridgesplines.problem import Problem, check_problem
from ridgesplines.solution import Solution
from ridgesplines.solvers.training.penalties import PENALTIES, check_penalty
from ridgesplines.solvers.training.result import TrainingGrid, TrainingResult
from ridgesplines.solvers.training.run import Run
from ridgesplines.solvers.training.steps import OPTIMIZERS, SCHEDULES

_POLYNOMIALS = ("solved", "trained", "absent")
_PRECISIONS = (32, 64)


@dataclass(frozen=True)
class NetworkTraining:
    """Train networks of one width on a `Problem` by gradient methods, many seeds at a time, and certify the best.

    Minimises Σ_n s_n ℓ(y_n, ν_n(f)) + λ · penalty over the parameters of f(x) = Σ_k v_k σ(w_k·x − b_k) + c(x), K fixed:
    not convex, so that what comes out depends on the seed, and the certificate says how far it is from the best network
    of any width. The loss is a sum over the data. The measurements ν are any that the problem has: samples by a layer
    whose gradient is written by hand, others by their action on neurons, which JAX differentiates; what they are is
    compiled into the program. Training runs in coordinates in which data and targets have size 1 (see `Data`), so that
    rates and scales need no tuning to the units.

    Penalties, all multiplied by λ (gauge(w) = ‖w‖₂^(m−1) for `RadonTV`):

    * "path norm": Σ ‖v_k‖ gauge(w_k);
    * "weight decay": ½ Σ (‖v_k‖² + gauge(w_k)²), which has the same optimum;
    * "plain weight decay": ½ Σ (‖v_k‖² + ‖w_k‖²), the same for order 2, but an ℓ^(2/m) quasi-norm for order m > 2:
      another problem, with sparser solutions;
    * "weight decay with biases": ½ Σ (‖v_k‖² + (‖w_k‖² + b_k²)^(m−1));
    * "none": the implicit bias of the optimiser.

    Optimisers: "adam"; "sgd" (with momentum); "lbfgs"; "gradient flow" (small plain steps); "proximal": gradient steps
    on the loss alternate with the proximal operator of the path norm, which sets neurons exactly to zero, and with
    balancing, each neuron at a rate of its own; or any transformation of optax, taken as it is.

    Args:
        width: K.
        penalty: see above.
        optimizer: see above.
        steps: of each seed.
        seeds: how many networks, S.
        seed: of the random numbers; the same seed gives the same numbers.
        scale: of the network at the start, relative to the targets. Neurons of a small network die out before they
            find their place where λ is large; a large one is slow to shrink, and trains lazily without a penalty.
        learning_rate: in the coordinates of training; None for a default: 0.01 for "adam", 0.03 for "proximal", a
            fraction of the reciprocal of the largest curvature at the start for "sgd" and "gradient flow". "lbfgs" and
            transformations of optax do without.
        schedule: "cosine", "linear" or "constant", or a function from the step to the factor of the rate; "lbfgs" and
            transformations of optax do without.
        momentum: of "sgd".
        batch: size of the mini-batches, of samples only, or None for all data. Their losses are scaled up to all data.
        polynomial: how the free polynomial is found: "solved" (at every step, exactly: squared loss, no mini-batches),
            "trained" or "absent"; None solves where that is possible.
        precision: bits of the numbers trained with, 64 or, on samples, 32. Objectives are certified in 64.
        patience: stop a seed after so many records without progress; None for never.
        tolerance: what is progress, relative to the objective.
        records: how many records are made along the way, evenly spaced.
        keep_neurons: record the networks themselves, too, for pictures: S · records · K · (d + 2) numbers.
        certify_every: certify the best network about every so many steps; None for the last alone.
        dual: a dual vector z to certify with, a `Solution`'s: the bound is then as good as that.
        checkpoint: a `.npz` file that training is saved to between chunks of steps, and resumed from, bit for bit.

    Raises:
        TypeError: if a number is none.
        ValueError: if a name is unknown, or a number is out of range.

    Source: parhi_nowak_2020 and parhi_nowak_2021 (training with these penalties is the problem); yang_2022 (the
    proximal method).
    """

    width: int = 100
    penalty: str = "path norm"
    optimizer: Any = "adam"
    steps: int = 5000
    seeds: int = 4
    seed: int = 0
    scale: float = 5.0
    learning_rate: float | None = None
    schedule: Any = "cosine"
    momentum: float = 0.9
    batch: int | None = None
    polynomial: Literal["solved", "trained", "absent"] | None = None
    precision: int = 64
    patience: int | None = None
    tolerance: float = 1e-6
    records: int = 100
    keep_neurons: bool = False
    certify_every: int | None = None
    dual: np.ndarray | None = None
    checkpoint: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        for name in ("width", "steps", "seeds", "records", "batch", "patience", "certify_every"):
            value = getattr(self, name)
            if value is None and name in ("batch", "patience", "certify_every"):
                continue
            check_count(name, value)
        if isinstance(self.seed, bool) or not isinstance(self.seed, (int, np.integer)) or not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must be a whole number from 0 to 2³² − 1, got {self.seed!r}.")
        if not is_one_of(self.penalty, PENALTIES):
            raise ValueError(f"unknown penalty {self.penalty!r}; the penalties are {_listed(PENALTIES)}.")
        named = isinstance(self.optimizer, str)
        if not (self.optimizer in OPTIMIZERS if named else isinstance(self.optimizer, optax.GradientTransformation)):
            raise ValueError(
                f"unknown optimizer {self.optimizer!r}; the optimizers are {_listed(OPTIMIZERS)}, and any "
                "optax.GradientTransformation."
            )
        if not (self.schedule in SCHEDULES if isinstance(self.schedule, str) else callable(self.schedule)):
            raise ValueError(
                f"unknown schedule {self.schedule!r}; the schedules are {_listed(SCHEDULES)}, and any function of the "
                "step."
            )
        if self.optimizer == "proximal" and self.penalty != "path norm":
            raise ValueError(f'optimizer "proximal" is for the penalty "path norm", got "{self.penalty}".')
        if self.optimizer == "lbfgs" and self.batch is not None:
            raise ValueError('optimizer "lbfgs" needs all data at every step; leave out batch, or use "adam".')
        if self.polynomial is not None and not is_one_of(self.polynomial, _POLYNOMIALS):
            raise ValueError(f"polynomial must be one of {_listed(_POLYNOMIALS)}, got {self.polynomial!r}.")
        if self.polynomial == "solved" and self.batch is not None:
            raise ValueError('polynomial="solved" needs all data at every step; leave out batch, or use "trained".')
        if self.precision not in _PRECISIONS:
            raise ValueError(f"precision must be 32 or 64 bits, got {self.precision!r}.")
        check_number("scale", self.scale, "positive and finite", lambda value: 0 < value < np.inf)
        if self.learning_rate is not None:
            check_number("learning_rate", self.learning_rate, "positive and finite", lambda value: 0 < value < np.inf)
        check_number("momentum", self.momentum, "at least 0 and less than 1", lambda value: 0 <= value < 1)
        check_number("tolerance", self.tolerance, "at least 0 and finite", lambda value: 0 <= value < np.inf)

    def train(self, problem: Problem, *, progress: bool | None = None) -> TrainingResult:
        """Train, and return all networks; see the function `train`."""
        self._check(problem)
        case = (problem.dual_limit, self.width, self.dual)
        return Run(problem, [case], self, self._polynomial(problem)).results(progress)[0]

    def solve(self, problem: Problem, *, progress: bool | None = None) -> Solution:
        """The best network, with its certificate; on Ctrl-C, the best so far.

        Args:
            problem: the problem.
            progress: show a line of progress; None shows it on a terminal.
        """
        return self.train(problem, progress=progress).best

    def _polynomial(self, problem: Problem) -> str:
        if self.polynomial is not None:
            return self.polynomial
        return "solved" if isinstance(problem.loss, SquaredLoss) and self.batch is None else "trained"

    def _check(self, problem: Problem) -> None:
        """Raise before anything is done if `problem` cannot be trained on like this."""
        check_problem(problem)
        if not problem.sampled:
            for name, value, instead in (("batch", self.batch, "None"), ("precision", self.precision, "64")):
                if str(value) != instead:
                    raise ValueError(
                        f"{name}={value} is for samples, got {problem.measurements!r}; leave out {name} to train on "
                        "other measurements."
                    )
        if not problem.loss.needs_strength:
            raise ValueError(
                f"{problem.loss!r} is a constraint, which gradients cannot keep to; train with SquaredLoss() and a "
                "small strength, or with HingeLoss()."
            )
        if self.polynomial == "solved" and not isinstance(problem.loss, SquaredLoss):
            raise ValueError(f'polynomial="solved" is for the squared loss, got {problem.loss!r}; use "trained".')
        if self.batch is not None and self.batch > problem.measurements.count:
            raise ValueError(
                f"batch must be at most the number of data, {problem.measurements.count}, got {self.batch}; leave it "
                "out to use all data at every step."
            )
        check_penalty(self.penalty, problem.regularizer, problem.measurements.dimension)
        if self.dual is not None:
            problem.checked_dual(self.dual)


def train(problem: Problem, *, progress: bool | None = None, **options: Any) -> TrainingResult:
    """Train networks on a problem, many seeds at a time: how near do they come to the best network of all widths?

    Args:
        problem: what to fit, with which loss, regularizer and strength.
        progress: show a line of progress on standard error; None shows it on a terminal.
        options: those of `NetworkTraining`: width, penalty, optimizer, steps, seeds, seed, …

    Returns:
        A `TrainingResult`: every seed's network as a `RidgeSpline` with its objective, the best one certified, and the
        trajectory. On Ctrl-C, with the best so far.

    Raises:
        TypeError: for an unknown option, or an argument of the wrong type.
        ValueError: if an option is out of range or does not fit the problem, or no seed has a finite objective.

    Source: parhi_nowak_2020, parhi_nowak_2021, yang_2022.
    """
    return NetworkTraining(**options).train(problem, progress=progress)


def train_grid(
    problem: Problem,
    widths: Any,
    strengths: Any = None,
    *,
    duals: Sequence[np.ndarray] | None = None,
    progress: bool | None = None,
    **options: Any,
) -> TrainingGrid:
    """Train networks of several widths for several strengths, all at once: what does width buy, and what λ?

    One compiled program trains them all, with the same seeds for each pair. Narrow networks are as wide as the widest
    there, with zeros that no step moves, so that each costs the time of the widest.

    Args:
        problem: what to fit; its strength counts only if no strengths are given.
        widths: (W,), whole numbers.
        strengths: (L,), or None for the problem's.
        duals: a dual vector for each strength to certify with, for instance those of a `RegularizationPath`:
            `[solution.dual for solution in path.solutions]`.
        progress: show a line of progress on standard error; None shows it on a terminal.
        options: those of `NetworkTraining` but width and dual.

    Returns:
        A `TrainingGrid`, widths increasing and strengths falling. On Ctrl-C, with the best so far.

    Raises:
        TypeError: for an unknown option, or an argument of the wrong type.
        ValueError: if an option is out of range or does not fit the problem, there is no width or no strength, one
            occurs twice, or there are not as many dual vectors as strengths.
    """
    check_problem(problem)
    for name, instead in (("width", "widths"), ("dual", "duals")):
        if name in options:
            raise TypeError(f"train_grid has no option {name}; give {instead}, a sequence.")
    sizes = sorted(np.asarray(widths).ravel().tolist())
    for size in sizes:
        check_count("widths", size)
    values = [problem.dual_limit] if strengths is None else np.asarray(strengths).ravel().tolist()
    for name, numbers in (("widths", sizes), ("strengths", values)):
        if not numbers or len(set(numbers)) < len(numbers):
            raise ValueError(f"{name} must be different numbers, at least one, got {numbers}.")
    training = NetworkTraining(width=sizes[-1], **options)
    training._check(problem)
    values = [problem.with_strength(value).dual_limit for value in values]
    if duals is not None and len(duals) != len(values):
        raise ValueError(f"duals must be one dual vector for each of {len(values)} strengths, got {len(duals)}.")
    given = [None] * len(values) if duals is None else [problem.checked_dual(dual) for dual in duals]
    known = dict(zip(values, given, strict=True))
    values = sorted(values, reverse=True)
    cases = [(value, size, known[value]) for size in sizes for value in values]
    found = iter(Run(problem, cases, training, training._polynomial(problem)).results(progress))
    return TrainingGrid(np.array(sizes), np.array(values), tuple(tuple(next(found) for _ in values) for _ in sizes))


def _listed(names: Any) -> str:
    return ", ".join(f'"{name}"' for name in names)
