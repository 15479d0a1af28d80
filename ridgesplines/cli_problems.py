"""The problem that the options of a command pose about a table."""

from __future__ import annotations

import math
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

import ridgesplines as rs
from ridgesplines.cli_tables import Source

if TYPE_CHECKING:
    import numpy as np

    from ridgesplines.scaling import Scaling


@dataclass(frozen=True, eq=False)
class Posed:
    """A problem, the table it comes from, how its units were changed, and how its λ was chosen."""

    source: Source
    scaling: Scaling | None
    problem: Any
    selection: Any
    chosen_by: str | None

    def details(self) -> dict[str, Any]:
        """What files keep of it beside the problem: columns, units, and the command."""
        source = self.source
        return {
            "table": source.name,
            "target": source.target,
            "inputs": list(source.inputs),
            "labels": [*map(source.label, source.inputs), source.label(source.target)],
            "strength": self.problem.strength,
            "order": self.problem.regularizer.order,
            "scaling": None if self.scaling is None else self.scaling.to_json(),
            "command": shlex.join(["ridgesplines", *sys.argv[1:]]),
        }

    def undone(self, spline: Any) -> Any:
        """A network of the problem's units as it predicts the table."""
        return spline if self.scaling is None else self.scaling.undo(spline).canonical()

    def choice(self) -> dict[str, Any]:
        """How λ was chosen, by the names of the JSON."""
        facts: dict[str, Any] = {"strength_chosen_by": self.chosen_by}
        if self.selection is not None:
            facts["cross_validation"] = validated(self.selection)
        return facts

    def labels(self) -> Any:
        """For the axes of pictures."""
        from ridgesplines.plotting_parts import Labels

        return Labels(tuple(map(self.source.label, self.source.inputs)), self.source.label(self.source.target))


def pose(source: Source, strength: str, order: int, standardize: bool, interpolate: bool = False) -> Posed:
    """The problem of the squared loss, or of interpolation, with λ chosen if it is "auto".

    Raises:
        ValueError: if the strength is no number, or the data make no problem.
    """
    if interpolate and strength != "auto":
        raise ValueError("--strength has no meaning together with --interpolate; leave one out.")
    value = None if interpolate else _strength(strength)
    measurements, y, scaling = scaled(source, standardize)
    regularizer = rs.RadonTV(order=order)
    if interpolate:
        problem = rs.Problem(measurements, y, loss=rs.Interpolation(), regularizer=regularizer)
        return Posed(source, scaling, problem, None, None)
    # Checks all that can be checked before the cross-validation takes its time.
    problem = rs.Problem(measurements, y, regularizer=regularizer, strength=value or 1.0)
    if value is not None:
        return Posed(source, scaling, problem, None, "user")
    value, selection = _select(measurements, y, problem)
    problem = rs.Problem(measurements, y, regularizer=regularizer, strength=value)
    chosen_by = "cross-validation" if selection is not None else "nobody: without a neuron the fit is the best"
    return Posed(source, scaling, problem, selection, chosen_by)


def scaled(source: Source, standardize: bool) -> tuple[Any, np.ndarray, Scaling | None]:
    """Samples and targets, standardised if that is asked for; says so if they should be."""
    from ridgesplines.scaling import Scaling

    x, y = source.x, source.y
    scaling = Scaling.standard(x, y) if standardize else None
    if scaling is None and (ratio := _spread_ratio(x)) > 10:
        typer.echo(
            f"Note: the inputs differ in spread by a factor of {ratio:.0f}, and the penalty treats all directions "
            "alike; consider --standardize.",
            err=True,
        )
    if scaling is not None:
        x, y = scaling.apply(x, y)
    return rs.Samples(x), y, scaling


def validated(selection: Any) -> dict[str, Any]:
    """A cross-validation, by the names of the JSON."""
    return {
        "folds": selection.folds,
        "strength": selection.strength,
        "strengths": selection.strengths.tolist(),
        "errors": selection.errors.tolist(),
        "standard_errors": selection.standard_errors.tolist(),
        "interrupted": selection.interrupted,
    }


def _strength(text: str) -> float | None:
    """λ as a number, or None for auto."""
    if text == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"--strength must be a positive number or auto, got {text!r}.") from None
    if not 0 < value < math.inf:
        raise ValueError(
            f"--strength must be positive and finite, got {text}; for λ → 0 use ridgesplines fit --interpolate."
        )
    return value


def _select(samples: Any, y: np.ndarray, problem: Any) -> tuple[float, Any]:
    """λ by cross-validation, or any λ where no neuron is needed at all."""
    from ridgesplines.progress import PREPARING, Progress

    with Progress() as show:
        show(PREPARING)
        affine = not problem.strength_max > 0
    if affine:
        return 1.0, None
    folds = min(5, samples.count)
    selection = rs.select_strength(samples, y, regularizer=problem.regularizer, folds=folds)
    return selection.strength, selection


def _spread_ratio(x: np.ndarray) -> float:
    spread = x.std(axis=0)
    spread = spread[spread > 0]
    return float(spread.max() / spread.min()) if len(spread) else 1.0


def saved_details(thing: Any) -> dict[str, Any]:
    """What a command kept beside a saved object; of a training, it is with the best network."""
    if hasattr(thing, "best"):
        thing = thing.best
    return dict(getattr(thing, "details", {}))
