"""The answer: a spline, its dual, its certificate, and how it was found."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from ridgesplines.archive import assembling, read_archive, write_archive
from ridgesplines.certificate import Certificate
from ridgesplines.oracles import CertificateKind, Neurons
from ridgesplines.problem import Problem
from ridgesplines.problem_files import problem_from_archive, problem_to_archive
from ridgesplines.spline import RidgeSpline

# The numbers of a certificate, as files name them.
_NUMBERS = ("objective", "bound", "loss", "regularization", "misfit", "supremum", "resolution")


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

    @property
    def problem(self) -> Problem | None:
        """What was solved: data, loss, regularizer and λ, see `Certificate.problem`."""
        return self.certificate.problem

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one `.npz` file; returns its path. `RidgeSpline.load` reads the spline of it alone.

        The problem is part of it, data included, so that whoever opens the file can draw the fit and certify it anew:
        `certify(solution.problem, solution.spline, solution.dual)`. Of a problem with a loss, a regularizer or
        measurements of one's own the printed form is kept only.
        """
        arrays, metadata = self.to_archive()
        return write_archive(path, arrays, {"kind": "Solution", **metadata})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Solution:
        """Read what `save` wrote.

        Raises:
            ValueError: if the file is missing, damaged, of another kind or of a newer format version.
        """
        arrays, metadata = read_archive(path, ("Solution",))
        with assembling(path, "solution"):
            return cls.from_archive(arrays, metadata)

    def to_archive(self, *, with_problem: bool = True) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The arrays by name and the JSON metadata, as files store them.

        Args:
            with_problem: whether the problem is among them; files of many solutions store it once.
        """
        certificate = self.certificate
        arrays = self.spline.to_arrays() | {
            "dual": certificate.dual,
            "contact_weights": certificate.contacts.weights,
            "contact_biases": certificate.contacts.biases,
            "contact_values": certificate.contact_values,
            "trace": np.array(self.trace, dtype=float).reshape(-1, len(TraceRow._fields)),
        }
        numbers = {name: float(getattr(certificate, name)) for name in _NUMBERS}
        metadata = {
            "order": self.spline.order,
            "status": self.status.name,
            "seconds": self.seconds,
            "certificate": {**numbers, "kind": certificate.kind, "width": int(certificate.width)},
            "details": self.details,
        }
        if with_problem and certificate.problem is not None:
            own, metadata["problem"] = problem_to_archive(certificate.problem)
            arrays |= own
        return arrays, metadata

    @classmethod
    def from_archive(
        cls, arrays: dict[str, np.ndarray], metadata: dict[str, Any], problem: Problem | None = None
    ) -> Solution:
        """The solution in what a file stored; errors of many types if a part is missing.

        Args:
            arrays: by name.
            metadata: JSON.
            problem: the solution's, if the file stores it elsewhere.
        """
        spline = RidgeSpline.from_arrays(arrays, metadata)
        problem = problem_from_archive(arrays, metadata.get("problem")) if problem is None else problem
        trace = tuple(TraceRow(int(r[0]), r[1], r[2], r[3], int(r[4]), r[5]) for r in arrays["trace"].tolist())
        details = metadata["details"]
        if not isinstance(details, dict):
            raise TypeError("the details are no dictionary")
        certificate = _certificate(arrays, metadata["certificate"], spline, problem)
        return cls(spline, certificate, Status[metadata["status"]], trace, float(metadata["seconds"]), details)

    def __repr__(self) -> str:
        return f"Solution({self.spline!r}, {self.certificate}, {self.status.name})"


def _certificate(
    arrays: dict[str, np.ndarray], metadata: dict[str, Any], spline: RidgeSpline, problem: Problem | None
) -> Certificate:
    """The certificate in what a file stored, if its parts fit together."""
    numbers = {name: float(metadata[name]) for name in _NUMBERS}
    kind, width = metadata["kind"], metadata["width"]
    if kind not in get_args(CertificateKind) or type(width) is not int or any(map(math.isnan, numbers.values())):
        raise ValueError("the certificate's kind, width or numbers are none.")
    dual, values = arrays["dual"], arrays["contact_values"]
    contacts = Neurons(arrays["contact_weights"], arrays["contact_biases"])
    count, tail = len(contacts.biases), spline.coefficients.shape[1:]
    shapes = [
        (contacts.weights, (count, spline.dimension)),
        (contacts.biases, (count,)),
        (values, (count, *values.shape[1:])),
        (dual, (len(dual), *tail)),
    ]
    if any(array.shape != shape or array.dtype.kind != "f" for array, shape in shapes):
        raise ValueError("the certificate's arrays do not fit together.")
    if problem is not None and problem.targets.shape != dual.shape:
        raise ValueError("the problem is not the certificate's.")
    return Certificate(
        **numbers, kind=kind, width=width, dual=dual, contacts=contacts, contact_values=values, problem=problem
    )
