"""The answer: a spline, its dual, its certificate, and how it was found."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ridgesplines.archive import assembling, read_archive, write_archive
from ridgesplines.certificate import Certificate
from ridgesplines.oracles import Neurons
from ridgesplines.spline import RidgeSpline


class Status(Enum):
    """How a solver ended; the value is the sentence to show."""

    CONVERGED = "converged: the gap asked for is reached"
    TIME_LIMIT = "stopped at the time limit with the best so far"
    ITERATION_LIMIT = "stopped at the iteration limit with the best so far"
    INTERRUPTED = "interrupted; this is the best so far"
    STALLED = "stopped short of the gap asked for: no further progress was possible"


class TraceRow(NamedTuple):
    """One iteration: objective and bound are the best so far, the gap is relative."""

    iteration: int
    objective: float
    bound: float
    gap: float
    width: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solver returns.

    Attributes:
        spline: the ridge spline, canonical.
        certificate: how far it is from the best of all networks.
        status: how the solver ended.
        trace: one `TraceRow` per iteration.
        seconds: wall time of the solver, the final certificate included.
        details: further facts that a caller attached (the command line keeps the columns and units here); JSON types.
    """

    spline: RidgeSpline
    certificate: Certificate
    status: Status
    trace: tuple[TraceRow, ...] = ()
    seconds: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def objective(self) -> float:
        """J(f)."""
        return self.certificate.objective

    @property
    def dual(self) -> np.ndarray:
        """The feasible dual vector z, (N,), that the bound comes from."""
        return self.certificate.dual

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one `.npz` file; returns its path. `RidgeSpline.load` reads the spline of it alone."""
        arrays, metadata = self.to_archive()
        return write_archive(path, arrays, {"kind": "Solution", **metadata})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Solution:
        """Read what `save` wrote.

        Raises:
            ValueError: if the file is missing, damaged, of another kind or of a newer format version.
        """
        with assembling(path, "solution"):
            return cls.from_archive(*read_archive(path, ("Solution",)))

    def to_archive(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The arrays by name and the JSON metadata, as files store them."""
        certificate = {
            f.name: getattr(self.certificate, f.name)
            for f in dataclasses.fields(Certificate)
            if f.name not in ("dual", "contacts", "contact_values")
        }
        arrays = self.spline.to_arrays() | {
            "dual": self.certificate.dual,
            "contact_weights": self.certificate.contacts.weights,
            "contact_biases": self.certificate.contacts.biases,
            "contact_values": self.certificate.contact_values,
            "trace": np.array(self.trace, dtype=float).reshape(-1, len(TraceRow._fields)),
        }
        metadata = {
            "order": self.spline.order,
            "status": self.status.name,
            "seconds": self.seconds,
            "certificate": certificate,
            "details": self.details,
        }
        return arrays, metadata

    @classmethod
    def from_archive(cls, arrays: dict[str, np.ndarray], metadata: dict[str, Any]) -> Solution:
        """The solution in what a file stored; errors of many types if a part is missing."""
        certificate = Certificate(
            **metadata["certificate"],
            dual=arrays["dual"],
            contacts=Neurons(arrays["contact_weights"], arrays["contact_biases"]),
            contact_values=arrays["contact_values"],
        )
        trace = tuple(TraceRow(int(r[0]), r[1], r[2], r[3], int(r[4]), r[5]) for r in arrays["trace"].tolist())
        return cls(
            RidgeSpline.from_arrays(arrays, metadata),
            certificate,
            Status[metadata["status"]],
            trace,
            metadata["seconds"],
            metadata["details"],
        )

    def __repr__(self) -> str:
        return f"Solution({self.spline!r}, {self.certificate}, {self.status.name})"
