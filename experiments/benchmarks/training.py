"""The cost of a step of training, for many seeds at once, beside the same in PyTorch where that is installed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import ridgesplines as rs
from experiments.benchmarks.cases import Case, Record, sample
from ridgesplines.scaling import Scaling
from ridgesplines.solvers.training.loop import advance, begin
from ridgesplines.solvers.training.run import Run

STRENGTH = 13.0
ROUNDS = 7
# Longer than any training here: the schedule hardly moves.
_LONG = 10**9


def _data(name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    if name == "plane":
        return sample(count, 2)
    data = rs.datasets.diabetes()
    x, y = Scaling.standard(data.x, data.y).apply(data.x, data.y)
    return x[:count], y[:count]


@dataclass(frozen=True)
class TrainingCase(Case):
    """Full-batch Adam on ½ Σ (y − f)² + λ Σ |v| ‖w‖ of S networks with a trained affine part: time of a step of all.

    ridgesplines, and PyTorch one seed after another and by `torch.func.vmap`, take turns, a few steps each, so that
    what else the machine does strikes them alike; medians of the turns. The time of one seed after another is S times
    that of one seed's step. Seconds are those of the wall; processor seconds are of all threads, and compare better on
    a busy machine.

    Attributes:
        data: "diabetes", the first N rows, standardised, or "plane", N random points.
        width: K.
        seeds: S.
        steps: of ridgesplines in a turn; PyTorch takes as many of one seed, and a quarter of them of all.
        precision: bits.
        threads: of PyTorch; None for its default.
    """

    data: str = "diabetes"
    width: int = 200
    seeds: int = 32
    steps: int = 40
    precision: int = 64
    threads: int | None = None

    def records(self, limit: float, repeats: int = 1) -> list[Record]:
        """One of ridgesplines, and two of PyTorch, or a note that it is missing."""
        x, y = _data(self.data, self.size)
        runners = {"ridgesplines": (self._ours(x, y), self.steps, 1)}
        torch_missing = find_spec("torch") is None
        if not torch_missing:
            single, together = self._theirs(x, y)
            runners["PyTorch, one after another"] = (single, self.steps, self.seeds)
            runners["PyTorch, vmap"] = (together, max(1, self.steps // 4), 1)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in runners}
        began = time.perf_counter()
        for turn in range(ROUNDS + 1):
            for name, (run, steps, factor) in runners.items():
                wall, processor = time.perf_counter(), time.process_time()
                run(steps)
                spent = time.perf_counter() - wall, time.process_time() - processor
                if turn:  # the first one compiles and warms
                    times[name].append((spent[0] / steps * factor, spent[1] / steps * factor))
            if turn and time.perf_counter() - began > limit:
                break
        ours = [median(column) for column in zip(*times["ridgesplines"], strict=True)]
        records = []
        for name, measured in times.items():
            wall, processor = (median(column) for column in zip(*measured, strict=True))
            records.append(
                {
                    "series": f"{self.series}: {name}",
                    "size": self.size,
                    "seconds": wall,
                    "milliseconds": 1000 * wall,
                    "processor": processor,
                    "strength": STRENGTH,
                    "ratio": None if name == "ridgesplines" else wall / ours[0],
                    "processor_ratio": None if name == "ridgesplines" else processor / ours[1],
                }
            )
        if torch_missing:
            records[0]["notes"] = ['To compare with PyTorch install it: pip install "ridgesplines[peers]".']
        return records

    def _ours(self, x: np.ndarray, y: np.ndarray) -> Callable[[int], None]:
        problem = rs.Problem(rs.Samples(x), y, strength=STRENGTH)
        options = rs.NetworkTraining(
            self.width, steps=self.steps, seeds=self.seeds, precision=self.precision, records=1, schedule="constant"
        )
        run = Run(problem, [(STRENGTH, self.width, None)], options, "trained")
        state = [begin(run.program, run.mesh, run.data, run._networks())[0]]

        def go(steps: int) -> None:
            numbers = (jnp.asarray(number) for number in (0, steps, _LONG))
            state[0] = advance(run.program, run.mesh, 1, run.data, state[0], *numbers)[0]
            jax.block_until_ready(state[0].parameters.weights)

        return go

    def _theirs(self, x: np.ndarray, y: np.ndarray) -> tuple[Callable[[int], None], Callable[[int], None]]:
        import torch  # pyright: ignore[reportMissingImports] # no part of the package

        torch.manual_seed(0)
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        kind: Any = torch.float64 if self.precision == 64 else torch.float32
        points, targets = (torch.tensor(array, dtype=kind) for array in (x, y))
        affine = torch.cat([torch.ones((len(x), 1), dtype=kind), points], dim=1)

        def parameters(*seeds: int) -> list[Any]:
            weights = torch.randn((*seeds, x.shape[1], self.width), dtype=kind) / self.width**0.5
            coefficients = torch.randn((*seeds, self.width), dtype=kind) / self.width**0.5
            biases = torch.zeros((*seeds, self.width), dtype=kind)
            skip = torch.zeros((*seeds, x.shape[1] + 1), dtype=kind)
            return [part.requires_grad_() for part in (weights, biases, coefficients, skip)]

        def objective(w: Any, b: Any, v: Any, skip: Any) -> Any:
            fit = torch.relu(points @ w - b) @ v + affine @ skip
            return 0.5 * ((fit - targets) ** 2).sum() + STRENGTH * (w.norm(dim=0) * v.abs()).sum()

        one, many = parameters(), parameters(self.seeds)
        first, second = torch.optim.Adam(one, lr=0.01), torch.optim.Adam(many, lr=0.01)
        gradients = torch.func.vmap(torch.func.grad(objective, argnums=(0, 1, 2, 3)))

        def single(steps: int) -> None:
            for _ in range(steps):
                first.zero_grad()
                objective(*one).backward()
                first.step()

        def together(steps: int) -> None:
            for _ in range(steps):
                for part, gradient in zip(many, gradients(*(part.detach() for part in many)), strict=True):
                    part.grad = gradient
                second.step()

        return single, together
