"""The command `fit`: a table, the best network of any width, and the proof."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import ridgesplines as rs
from ridgesplines.cli_parts import JsonOption, check_outputs, print_json
from ridgesplines.cli_tables import InputsOption, Source, TableArgument, certified_report, open_source, print_certified

if TYPE_CHECKING:
    import numpy as np


def fit(
    table: TableArgument,
    target: Annotated[str | None, typer.Option("--target", "-t", help="The column to predict.")] = None,
    inputs: InputsOption = None,
    strength: Annotated[str, typer.Option(help="λ, a positive number; auto chooses it by cross-validation.")] = "auto",
    interpolate: Annotated[bool, typer.Option("--interpolate", help="Pass through the data exactly; no λ.")] = False,
    order: Annotated[int, typer.Option(help="Order of the spline; 2 is the ReLU.")] = 2,
    gap: Annotated[float, typer.Option(help="Relative gap to the best network to stop at.")] = 1e-6,
    standardize: Annotated[
        bool, typer.Option("--standardize", help="Solve with inputs and target scaled to mean 0, deviation 1.")
    ] = False,
    time_limit: Annotated[float | None, typer.Option(help="Seconds after which to stop with the best so far.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the fit and its certificate to this file.")] = None,
    trace: Annotated[Path | None, typer.Option(help="Draw objective and bound against time to this file.")] = None,
    save: Annotated[Path | None, typer.Option(help="Save the solution to this .npz file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a table of numbers with the best network of any width, and prove how good it is."""
    from ridgesplines.scaling import Scaling

    outputs = {"--plot": plot, "--trace": trace, "--save": save}
    check_outputs(outputs)
    source = open_source(table, target, inputs)
    x, y = source.x, source.y
    if interpolate and strength != "auto":
        raise ValueError("--strength has no meaning together with --interpolate; leave one out.")
    regularizer = rs.RadonTV(order=order)
    scaling = Scaling.standard(x, y) if standardize else None
    if scaling is None and (ratio := _spread_ratio(x)) > 10:
        typer.echo(
            f"Note: the inputs differ in spread by a factor of {ratio:.0f}, and the penalty treats all directions "
            "alike; consider --standardize.",
            err=True,
        )
    x_solved, y_solved = (x, y) if scaling is None else scaling.apply(x, y)
    samples = rs.Samples(x_solved)
    selection = None
    if interpolate:
        problem = rs.Problem(samples, y_solved, loss=rs.Interpolation(), regularizer=regularizer)
    else:
        value = _strength(strength)
        # Checks all that can be checked before the cross-validation takes its time.
        problem = rs.Problem(samples, y_solved, regularizer=regularizer, strength=value or 1.0)
        if value is None:
            value, selection = _select(samples, y_solved, problem)
            problem = rs.Problem(samples, y_solved, regularizer=regularizer, strength=value)
    solution = rs.solve(problem, rs.solver_for(problem, gap=gap, time_limit=time_limit))
    details = {
        "table": table,
        "target": source.target,
        "inputs": list(source.inputs),
        "strength": problem.strength,
        "order": order,
        "scaling": None if scaling is None else scaling.to_json(),
    }
    spline = solution.spline if scaling is None else scaling.undo(solution.spline).canonical()
    kept = rs.Solution(spline, solution.certificate, solution.status, solution.trace, solution.seconds, details)
    report = certified_report(problem, kept.certificate, source, scaling) | {
        "status": solution.status.name.lower(),
        "iterations": len(solution.trace),
        "seconds": solution.seconds,
        "strength_chosen_by": None if interpolate else _chosen_by(strength, selection),
    }
    if selection is not None:
        report["cross_validation"] = {
            "folds": selection.folds,
            "strengths": selection.strengths.tolist(),
            "errors": selection.errors.tolist(),
            "standard_errors": selection.standard_errors.tolist(),
            "interrupted": selection.interrupted,
        }
    _write(outputs, problem, solution, kept, source)
    report["files"] = {name.lstrip("-"): str(path) for name, path in outputs.items() if path is not None}
    if as_json:
        print_json(report)
    else:
        print_certified(report, solution.status.value)


def _strength(text: str) -> float | None:
    """λ as a number, or None for auto."""
    if text == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"--strength must be a positive number or auto, got {text!r}.") from None
    if not 0 < value < math.inf:
        raise ValueError(f"--strength must be positive and finite, got {text}; for λ → 0 use --interpolate.")
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


def _chosen_by(strength: str, selection: Any) -> str:
    if strength != "auto":
        return "user"
    return "cross-validation" if selection is not None else "nobody: without a neuron the fit is the best"


def _spread_ratio(x: np.ndarray) -> float:
    spread = x.std(axis=0)
    spread = spread[spread > 0]
    return float(spread.max() / spread.min()) if len(spread) else 1.0


def _write(outputs: dict[str, Path | None], problem: Any, solution: Any, kept: Any, source: Source) -> None:
    """Write the files asked for: `solution` is in the units of the problem, `kept` in those of the table."""
    if outputs["--save"] is not None:
        outputs["--save"] = kept.save(outputs["--save"])
    if outputs["--plot"] is None and outputs["--trace"] is None:
        return
    import matplotlib

    matplotlib.use("Agg")
    from ridgesplines import plotting
    from ridgesplines.archive import write_beside

    if (path := outputs["--plot"]) is not None:
        own_units: dict[str, Any] = {}
        if kept.details["scaling"] is not None:
            own_units = {"spline": kept.spline, "x": source.x, "y": source.y}
        labels = plotting.Labels(tuple(map(source.label, source.inputs)), source.label(source.target))
        figure = plotting.plot_fit(problem, solution, labels=labels, **own_units)
        write_beside(path, lambda temporary: figure.savefig(temporary, dpi=150))
        plotting.plt.close(figure)
    if (path := outputs["--trace"]) is not None:
        drawn = plotting.plot_trace(solution).get_figure(root=True)
        if drawn is not None:
            write_beside(path, lambda temporary: drawn.savefig(temporary, dpi=150))
            plotting.plt.close(drawn)
