"""What training returns: every network, the best one certified, and how they came about."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ridgesplines.archive import assembling, by_owner, part_of, read_archive, write_archive
from ridgesplines.certificate import same_problem
from ridgesplines.problem import Problem
from ridgesplines.problem_files import problem_from_archive, problem_to_archive
from ridgesplines.solution import Solution
from ridgesplines.spline import RidgeSpline


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Networks along the way, at R steps from the start to the end, for S seeds; all in the problem's units.

    Attributes:
        steps: (R,), from 0.
        losses: Σ_n s_n ℓ, (S, R).
        penalties: λ times the penalty that was trained with, (S, R).
        path_norms: Σ_k ‖v_k‖ gauge(w_k, b_k), (S, R): R(f), or above it where neurons partly cancel.
        active: neurons that carry more than 1e-4 of the mean, (S, R).
        distinct: hyperplanes of those, (S, R): nearly equal ones counted once, whose directions and offsets differ by
            less than 0.01, offsets in the spread of the data.
        imbalances: Σ_k |‖v_k‖ − gauge_k| / Σ_k (‖v_k‖ + gauge_k), (S, R): 0 for balanced networks, 1 at most.
        certified_steps: (C,): where the best network of the time was certified.
        certified_objectives: J of it, (C,).
        certified_bounds: the certificate's bound, (C,).
        weights: w, (S, R, K, d), if neurons were kept; otherwise None, like the next two.
        biases: b, (S, R, K).
        coefficients: v, (S, R, K) or (S, R, K, D).
        strength: λ.
    """

    steps: np.ndarray
    losses: np.ndarray
    penalties: np.ndarray
    path_norms: np.ndarray
    active: np.ndarray
    distinct: np.ndarray
    imbalances: np.ndarray
    certified_steps: np.ndarray
    certified_objectives: np.ndarray
    certified_bounds: np.ndarray
    weights: np.ndarray | None
    biases: np.ndarray | None
    coefficients: np.ndarray | None
    strength: float

    @property
    def objectives(self) -> np.ndarray:
        """Loss plus λ times the path norm, (S, R): J(f), or above it where neurons partly cancel."""
        return self.losses + self.strength * self.path_norms

    @property
    def trained_objectives(self) -> np.ndarray:
        """Loss plus λ times the penalty that was trained with, (S, R)."""
        return self.losses + self.penalties

    @property
    def certified_gaps(self) -> np.ndarray:
        """The relative gaps, (C,), of the networks that were certified along the way."""
        return (self.certified_objectives - self.certified_bounds) / self.certified_objectives

    def __repr__(self) -> str:
        return f"Trajectory({len(self.losses)} seeds, {len(self.steps)} records to step {self.steps[-1]})"


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """The networks of S seeds.

    Attributes:
        splines: one per seed, the best that it came by: with least loss plus penalty among those recorded; canonical,
            with coincident neurons merged.
        objectives: J of each, (S,): the problem's, whatever the penalty was.
        best: the one with the least objective, certified.
        trajectory: all of them along the way.
        failed_steps: (S,), the step at which a seed's numbers were no longer finite, and it stopped; −1 for none.
        seconds: wall time, certificates included.
    """

    splines: tuple[RidgeSpline, ...]
    objectives: np.ndarray
    best: Solution
    trajectory: Trajectory
    failed_steps: np.ndarray
    seconds: float

    @property
    def widths(self) -> np.ndarray:
        """The numbers of neurons of the splines, (S,)."""
        return np.array([spline.width for spline in self.splines])

    @property
    def relative_gaps(self) -> np.ndarray:
        """How far each seed's objective is above the bound of `best`, relative to it, (S,); proven if that is."""
        return (self.objectives - self.best.certificate.bound) / self.objectives

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one `.npz` file; returns its path."""
        arrays, metadata = self.to_archive()
        return write_archive(path, arrays, {"kind": "TrainingResult", **metadata})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TrainingResult:
        """Read what `save` wrote.

        Raises:
            ValueError: if the file is missing, damaged, of another kind or of a newer format version.
        """
        arrays, metadata = read_archive(path, ("TrainingResult",))
        with assembling(path, "training"):
            return cls.from_archive(arrays, metadata)

    def to_archive(self, *, with_problem: bool = True) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The arrays by name and the JSON metadata, as files store them; see `Solution.to_archive`."""
        arrays, best = self.best.to_archive(with_problem=with_problem)
        arrays = {f"best.{name}": array for name, array in arrays.items()}
        for i, spline in enumerate(self.splines):
            arrays |= {f"{i}.{name}": array for name, array in spline.to_arrays().items()}
        for field in fields(Trajectory):
            value = getattr(self.trajectory, field.name)
            if value is not None:
                arrays[f"trajectory.{field.name}"] = np.asarray(value)
        arrays |= {"objectives": self.objectives, "failed_steps": self.failed_steps}
        return arrays, {"best": best, "seconds": self.seconds, "count": len(self.splines)}

    @classmethod
    def from_archive(
        cls, arrays: dict[str, np.ndarray], metadata: dict[str, Any], problem: Problem | None = None
    ) -> TrainingResult:
        """The result in what a file stored; errors of many types if a part is missing; see `Solution.from_archive`."""
        parts = by_owner(arrays)
        order = {"order": metadata["best"]["order"]}
        splines = tuple(RidgeSpline.from_arrays(parts[str(i)], order) for i in range(metadata["count"]))
        optional = ("weights", "biases", "coefficients")
        recorded: dict[str, Any] = {
            field.name: parts["trajectory"].get(field.name)
            if field.name in optional
            else parts["trajectory"][field.name]
            for field in fields(Trajectory)
        }
        recorded["strength"] = float(recorded["strength"])
        objectives, failed = arrays["objectives"], arrays["failed_steps"]
        shape = (len(splines), len(recorded["steps"]))
        fits = all(
            recorded[name].shape == shape
            for name in ("losses", "penalties", "path_norms", "active", "distinct", "imbalances")
        )
        if not fits or not splines or objectives.shape != shape[:1] or failed.shape != shape[:1]:
            raise ValueError("there is not one record for each seed and step.")
        return cls(
            splines,
            objectives,
            Solution.from_archive(parts["best"], metadata["best"], problem),
            Trajectory(**recorded),
            failed,
            float(metadata["seconds"]),
        )

    def __repr__(self) -> str:
        failed = int(np.sum(self.failed_steps >= 0))
        ends = f"objectives {np.min(self.objectives):.6g} to {np.max(self.objectives):.6g}"
        failures = f", {failed} failed" if failed else ""
        return f"TrainingResult({len(self.splines)} seeds, {ends}, {self.best.certificate}{failures})"


@dataclass(frozen=True, eq=False)
class TrainingGrid:
    """Trainings of W widths for L strengths, with S seeds each.

    Attributes:
        widths: (W,), increasing.
        strengths: (L,), falling.
        results: one for each pair, row by row: `results[i][j]` is of `widths[i]` and `strengths[j]`. Their seconds are
            those of the whole grid.
    """

    widths: np.ndarray
    strengths: np.ndarray
    results: tuple[tuple[TrainingResult, ...], ...]

    @property
    def objectives(self) -> np.ndarray:
        """J of each network, (W, L, S)."""
        return np.array([[result.objectives for result in row] for row in self.results])

    @property
    def bounds(self) -> np.ndarray:
        """The best bound that a certificate of each strength has, (L,), whatever the width."""
        return np.array([[result.best.certificate.bound for result in row] for row in self.results]).max(axis=0)

    @property
    def relative_gaps(self) -> np.ndarray:
        """(objective − bound) / objective of each network, (W, L, S)."""
        return (self.objectives - self.bounds[:, None]) / self.objectives

    @property
    def proven(self) -> np.ndarray:
        """Whether the bound of each strength is proven, (L,)."""
        proofs = [[result.best.certificate.proven for result in row] for row in self.results]
        return np.logical_and.reduce(proofs, axis=0)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one `.npz` file; returns its path."""
        arrays: dict[str, np.ndarray] = {"widths": self.widths, "strengths": self.strengths}
        cases = []
        results = [result for row in self.results for result in row]
        shared = same_problem(result.best.certificate for result in results)
        for result in results:
            own, metadata = result.to_archive(with_problem=shared is None)
            arrays |= {f"{len(cases)}.{name}": array for name, array in own.items()}
            cases.append(metadata)
        metadata: dict[str, Any] = {"kind": "TrainingGrid", "cases": cases}
        if shared is not None:
            own, metadata["problem"] = problem_to_archive(shared)
            arrays |= own
        return write_archive(path, arrays, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TrainingGrid:
        """Read what `save` wrote.

        Raises:
            ValueError: if the file is missing, damaged, of another kind or of a newer format version.
        """
        arrays, metadata = read_archive(path, ("TrainingGrid",))
        with assembling(path, "grid of trainings"):
            widths, strengths = arrays.pop("widths"), arrays.pop("strengths")
            shared = problem_from_archive(arrays, metadata.get("problem"))
            cases = metadata["cases"]
            if len(cases) != widths.size * strengths.size or not cases:
                raise ValueError("there is not one training for each width and strength.")
            found = []
            for i, told in enumerate(cases):
                problem = None if shared is None else shared.unprepared(float(strengths[i % len(strengths)]))
                found.append(TrainingResult.from_archive(part_of(arrays, str(i)), told, problem))
            rows = [tuple(found[i * len(strengths) : (i + 1) * len(strengths)]) for i in range(len(widths))]
            return cls(widths, strengths, tuple(rows))

    def __repr__(self) -> str:
        return f"TrainingGrid({len(self.widths)} widths, {len(self.strengths)} strengths)"
