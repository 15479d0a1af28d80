"""A part of an experiment on its way: its arguments and address, solving it in whatever process, and what came out."""

from __future__ import annotations

import hashlib
import json
import pickle
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from experiments.experiment import Unavailable
from experiments.sources import code_version

# Parts are not asked to be safe beside each other in one process, such as the threads of a Dask worker.
_ONE_AT_A_TIME = threading.Lock()
# NumPy's names of its own arguments, and the archive's of its header.
_RESERVED = frozenset({"file", "header"})


@dataclass(frozen=True)
class Task:
    """One part of an experiment.

    Attributes:
        label: the paper and the experiment, "KEY/NAME".
        solve: of the experiment.
        arguments: of the part.
        modules: that the numbers depend on.
        code: their version.
    """

    label: str
    solve: Callable[..., dict[str, Any]]
    arguments: Mapping[str, Any]
    modules: frozenset[str]
    code: str

    @property
    def digest(self) -> str:
        """The address of what comes out: the same arguments and the same code have the same."""
        what = {"experiment": self.label, "arguments": self.arguments, "code": self.code}
        return hashlib.sha256(canonical_json(what).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Answer:
    """What became of a task: found, failed, or left out because something is absent here.

    Attributes:
        values: numbers and strings by name.
        arrays: by name.
        seconds: that it took.
        failure: what went wrong, in a line; None if nothing did.
        details: the traceback of that.
        absent: why it cannot be solved here; None if it can.
    """

    values: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    seconds: float = 0.0
    failure: str | None = None
    details: str = ""
    absent: str | None = None


def canonical_json(value: Any) -> str:
    """One text for equal values.

    Raises:
        TypeError: for what JSON cannot hold.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"parameters and arguments of parts have to be such that JSON can hold them: {error}."
        ) from None


def attempt(pickled: bytes) -> Answer:
    """Solve the task that these bytes hold, on one thread of BLAS, one at a time in this process.

    Everything that goes wrong is an answer, too, modules that cannot be imported here among it.
    """
    began = time.perf_counter()
    try:
        with _ONE_AT_A_TIME, threadpool_limits(1):
            task: Task = pickle.loads(pickled)
            if code_version(task.modules) != task.code:
                raise RuntimeError("the sources here differ from those that the run began with; run it again.")
            began = time.perf_counter()
            values, arrays = _sorted_out(task.solve(**task.arguments))
        return Answer(values, arrays, time.perf_counter() - began)
    except Unavailable as error:
        return Answer(seconds=time.perf_counter() - began, absent=str(error))
    except (Exception, SystemExit) as error:
        line = f"{type(error).__name__}: {error}"
        return Answer(seconds=time.perf_counter() - began, failure=line, details=traceback.format_exc())


def _sorted_out(found: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Numbers and strings apart from arrays, as they come back from a file."""
    if not isinstance(found, dict):
        raise TypeError(f"a part has to find numbers, strings and arrays by name, not {type(found).__name__}.")
    values: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, value in found.items():
        if not isinstance(name, str) or name in _RESERVED:
            raise ValueError(f"a part has found something called {name!r}; choose another name.")
        if isinstance(value, (bool, int, float, str)):
            values[name] = value
        elif isinstance(value, np.generic):
            values[name] = value.item()
        elif isinstance(value, (list, tuple)):
            values[name] = json.loads(canonical_json(value))
        else:
            array = np.asarray(value)
            if array.dtype.kind not in "biufcU":
                raise TypeError(f"a part has found {name}, a {type(value).__name__}, not a number, string or array.")
            if array.ndim:
                arrays[name] = array
            else:
                values[name] = array.item()
    return values, arrays
