"""The cost of a step of training, for many seeds at once, beside the same in PyTorch where that is installed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

import ridgesplines as rs
from experiments.benchmarks.cases import Case, Record
from ridgesplines.scaling import Scaling

STRENGTH = 13.0


def _data(count: int) -> tuple[np.ndarray, np.ndarray]:
    data = rs.datasets.diabetes()
    x, y = Scaling.standard(data.x, data.y).apply(data.x, data.y)
    return x[:count], y[:count]


@dataclass(frozen=True)
class TrainingCase(Case):
    """Full-batch Adam on the path norm of all seeds at once, on the first N rows of the diabetes data, standardised.

    Attributes:
        width: K.
        seeds: S.
        steps: of each seed.
        precision: bits.
    """

    width: int = 200
    seeds: int = 32
    steps: int = 2000
    precision: int = 64

    def records(self, limit: float, repeats: int = 1) -> list[Record]:
        """One: the seconds of all steps, without compilation and certificate."""
        x, y = _data(self.size)
        problem = rs.Problem(rs.Samples(x), y, strength=STRENGTH)
        solver = rs.NetworkTraining(self.width, steps=self.steps, seeds=self.seeds, precision=self.precision)
        result = solver.train(problem, progress=False)
        # A row before the first chunk of steps, one for each chunk, and one for the certificate; the first chunk is
        # compiled.
        rows = list(result.best.trace[:-1])
        rows = rows[1:] if len(rows) > 2 else rows
        seconds, done = rows[-1].seconds - rows[0].seconds, rows[-1].iteration - rows[0].iteration
        return [self._record(seconds / done, result.best.objective)]

    def _record(self, per_step: float, objective: float) -> Record:
        return {
            "series": self.series,
            "size": self.size,
            "seconds": per_step * self.steps,
            "milliseconds": 1000 * per_step,
            "objective": objective,
            "strength": STRENGTH,
        }


@dataclass(frozen=True)
class TorchCase(TrainingCase):
    """The same in PyTorch: batched matrix products for all seeds, autograd and `torch.optim.Adam`."""

    def records(self, limit: float, repeats: int = 1) -> list[Record]:
        """One, or one that says that PyTorch is missing."""
        if find_spec("torch") is None:
            return [{"series": self.series, "size": self.size, "status": "not installed"}]
        import torch  # pyright: ignore[reportMissingImports] # no part of the package

        torch.manual_seed(0)
        kind: Any = torch.float64 if self.precision == 64 else torch.float32
        x, y = (torch.tensor(array, dtype=kind) for array in _data(self.size))
        shape = (self.seeds, x.shape[1], self.width)
        w = (torch.randn(shape, dtype=kind) / self.width**0.5).requires_grad_()
        b = torch.zeros((self.seeds, 1, self.width), dtype=kind, requires_grad=True)
        v = (torch.randn((self.seeds, self.width, 1), dtype=kind) / self.width**0.5).requires_grad_()
        skip = torch.zeros((self.seeds, x.shape[1] + 1, 1), dtype=kind, requires_grad=True)
        affine = torch.cat([torch.ones((len(x), 1), dtype=kind), x], dim=1)
        optimizer = torch.optim.Adam([w, b, v, skip], lr=0.01)
        began, values = 0.0, torch.zeros(self.seeds)
        warm = 10
        for step in range(self.steps + warm):
            if step == warm:
                began = time.perf_counter()
            optimizer.zero_grad()
            fit = (torch.relu(x @ w - b) @ v + affine @ skip)[..., 0]
            path_norm = (w.norm(dim=1) * v[..., 0].abs()).sum(dim=1)
            values = 0.5 * ((fit - y) ** 2).sum(dim=1) + STRENGTH * path_norm
            values.sum().backward()
            optimizer.step()
        per_step = (time.perf_counter() - began) / self.steps
        return [self._record(per_step, float(values.min().detach()))]
