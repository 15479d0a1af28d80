"""The command `fit`: a table, the best network of any width, and the proof."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

import ridgesplines as rs
from ridgesplines.cli_parts import JsonOption, check_outputs, draw, print_json, written
from ridgesplines.cli_problems import Posed, pose
from ridgesplines.cli_tables import (
    DropOption,
    GapOption,
    InputsOption,
    OrderOption,
    StandardizeOption,
    StrengthOption,
    TableArgument,
    TargetOption,
    certified_report,
    open_source,
    print_certified,
)


def fit(
    table: TableArgument,
    target: TargetOption = None,
    inputs: InputsOption = None,
    drop_missing: DropOption = False,
    strength: StrengthOption = "auto",
    interpolate: Annotated[bool, typer.Option("--interpolate", help="Pass through the data exactly; no λ.")] = False,
    order: OrderOption = 2,
    gap: GapOption = 1e-6,
    standardize: StandardizeOption = False,
    time_limit: Annotated[float | None, typer.Option(help="Seconds after which to stop with the best so far.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the fit and its certificate to this file.")] = None,
    trace: Annotated[Path | None, typer.Option(help="Draw objective and bound against time to this file.")] = None,
    save: Annotated[Path | None, typer.Option(help="Save the solution to this .npz file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a table of numbers with the best network of any width, and prove how good it is."""
    outputs = {"--plot": plot, "--trace": trace, "--save": save}
    check_outputs(outputs)
    posed = pose(open_source(table, target, inputs, drop_missing), strength, order, standardize, interpolate)
    problem, scaling = posed.problem, posed.scaling
    solution = rs.solve(problem, rs.solver_for(problem, gap=gap, time_limit=time_limit))
    certificate = solution.certificate
    kept = dataclasses.replace(solution, spline=posed.undone(solution.spline), details=posed.details())
    report = {"command": "fit"} | certified_report(problem, certificate, posed.source, scaling) | posed.choice()
    report |= {
        "status": solution.status.name.lower(),
        "iterations": len(solution.trace),
        "seconds": solution.seconds,
    }
    _write(outputs, posed, solution, kept)
    report["files"] = written(outputs)
    if as_json:
        print_json(report)
    else:
        print_certified(report, solution.status.value)


def _write(outputs: dict[str, Path | None], posed: Posed, solution: Any, kept: Any) -> None:
    """Write the files asked for: `solution` is in the units of the problem, `kept` in those of the table."""
    if outputs["--save"] is not None:
        outputs["--save"] = kept.save(outputs["--save"])
    if (path := outputs["--plot"]) is not None:

        def fitted() -> Any:
            own_units: dict[str, Any] = {}
            if posed.scaling is not None:
                own_units = {"spline": kept.spline, "x": posed.source.x, "y": posed.source.y}
            return rs.plotting.plot_fit(posed.problem, solution, labels=posed.labels(), **own_units)

        draw(path, fitted)
    if (path := outputs["--trace"]) is not None:
        draw(path, lambda: rs.plotting.plot_trace(solution))
