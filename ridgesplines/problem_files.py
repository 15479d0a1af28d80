"""Problems as plain arrays and JSON, for the files of what solves them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ridgesplines import losses, regularizers
from ridgesplines.measurements import (
    BlurredSamples,
    BoxAverages,
    Derivatives,
    LineIntegrals,
    Measurement,
    Samples,
    Stack,
)
from ridgesplines.problem import Problem

_LOSSES = {
    kind.__name__: kind
    for kind in (
        losses.SquaredLoss, losses.AbsoluteLoss, losses.HuberLoss, losses.QuantileLoss, losses.EpsilonInsensitiveLoss,
        losses.LogisticLoss, losses.HingeLoss, losses.SquaredHingeLoss, losses.Interpolation,
        losses.IntervalConstraint, losses.HardMargin,
    )
}  # fmt: skip
_REGULARIZERS = {
    kind.__name__: kind for kind in (regularizers.RadonTV, regularizers.VectorRadonTV, regularizers.AtomicNorm)
}
# The arrays that a measurement is made of, in the order of its constructor.
_MEASUREMENTS: dict[type[Measurement], tuple[str, ...]] = {
    Samples: ("points",),
    Derivatives: ("locations", "directions"),
    LineIntegrals: ("starts", "ends"),
    BoxAverages: ("lower", "upper"),
    BlurredSamples: ("locations", "width"),
}
_NAMED = {kind.__name__: kind for kind in _MEASUREMENTS}
# No dots, which tell owners apart in archives.
_PREFIX = "problem_"


def problem_to_archive(problem: Problem) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays by name and the JSON metadata of a problem, as files store them.

    Losses, regularizers and measurements of one's own are no data that a file can hold: of a problem that has one there
    is no array, and its printed form alone.
    """
    described: dict[str, Any] = {"text": repr(problem), "strength": problem.strength}
    loss, regularizer = _described(problem.loss, _LOSSES), _described(problem.regularizer, _REGULARIZERS)
    arrays: dict[str, np.ndarray] = {"targets": problem.targets}
    if problem.sample_weights is not None:
        arrays["sample_weights"] = problem.sample_weights
    measurements = _measured(problem.measurements, arrays)
    if loss is None or regularizer is None or measurements is None:
        return {}, described
    described |= {"loss": loss, "regularizer": regularizer, "measurements": measurements}
    return {_PREFIX + name: array for name, array in arrays.items()}, described


def problem_from_archive(arrays: dict[str, np.ndarray], metadata: dict[str, Any] | None) -> Problem | None:
    """The problem in what a file stored; None where it was not, or could not be; errors of many types if damaged."""
    if metadata is None or "loss" not in metadata:
        return None
    own = {name.removeprefix(_PREFIX): array for name, array in arrays.items() if name.startswith(_PREFIX)}
    return Problem(
        _made_measurement(own, metadata["measurements"]),
        own["targets"],
        _made(metadata["loss"], _LOSSES),
        _made(metadata["regularizer"], _REGULARIZERS),
        metadata["strength"],
        own.get("sample_weights"),
    )


def _described(value: Any, known: dict[str, Any]) -> dict[str, Any] | None:
    name = type(value).__name__
    if known.get(name) is not type(value):
        return None
    fields: dict[str, Any] = {"name": name}
    for field in dataclasses.fields(value):
        entry = getattr(value, field.name)
        # NumPy's numbers are none to JSON.
        fields[field.name] = entry.item() if isinstance(entry, np.generic) else entry
    return fields


def _made(description: dict[str, Any], known: dict[str, Any]) -> Any:
    fields = dict(description)
    return known[fields.pop("name")](**fields)


def _measured(measurements: Measurement, arrays: dict[str, np.ndarray]) -> dict[str, Any] | None:
    """What tells these measurements from others of their arrays, which are added to `arrays`; None if unknown."""
    stacked = type(measurements) is Stack
    parts = measurements.measurements if isinstance(measurements, Stack) else (measurements,)
    described = []
    for i, part in enumerate(parts):
        if type(part) not in _MEASUREMENTS:
            return None
        arrays |= {f"{i}_{name}": getattr(part, name) for name in _MEASUREMENTS[type(part)]}
        described.append({"name": type(part).__name__})
        if isinstance(part, LineIntegrals):
            described[-1]["normalized"] = part.normalized
    if not stacked:
        return described[0]
    rows = np.empty(measurements.count, dtype=int)
    ends = np.cumsum([part.count for part in parts])
    for (_, own), end, part in zip(measurements.kinds(), ends, parts, strict=True):
        rows[own] = np.arange(end - part.count, end)
    arrays["rows"] = rows
    return {"name": "Stack", "parts": described}


def _made_measurement(arrays: dict[str, np.ndarray], description: dict[str, Any]) -> Measurement:
    if description["name"] == "Stack":
        parts = [_made_part(arrays, i, part) for i, part in enumerate(description["parts"])]
        return Stack(*parts).select(arrays["rows"])
    return _made_part(arrays, 0, description)


def _made_part(arrays: dict[str, np.ndarray], number: int, description: dict[str, Any]) -> Measurement:
    options = dict(description)
    kind: Any = _NAMED[options.pop("name")]
    return kind(*(arrays[f"{number}_{name}"] for name in _MEASUREMENTS[kind]), **options)
