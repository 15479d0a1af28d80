"""The command `path`: all strengths λ, with their neurons, losses and errors on data left out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

import ridgesplines as rs
from ridgesplines.cli_parts import JsonOption, check_outputs, draw, print_json, print_rows, print_table, written
from ridgesplines.cli_problems import Posed, scaled, validated
from ridgesplines.cli_tables import (
    IN_THESE_UNITS,
    KINDS,
    DropOption,
    GapOption,
    InputsOption,
    OrderOption,
    StandardizeOption,
    TableArgument,
    TargetOption,
    described,
    open_source,
)


def path(
    table: TableArgument,
    target: TargetOption = None,
    inputs: InputsOption = None,
    drop_missing: DropOption = False,
    count: Annotated[int, typer.Option(help="How many strengths.")] = 20,
    ratio: Annotated[float, typer.Option(help="The smallest strength over the largest, which needs no neuron.")] = 1e-3,
    folds: Annotated[
        int | None, typer.Option(help="Parts of the cross-validation, 0 for none; by default 5, of few rows fewer.")
    ] = None,
    order: OrderOption = 2,
    gap: GapOption = 1e-6,
    standardize: StandardizeOption = False,
    plot: Annotated[Path | None, typer.Option(help="Draw neurons, loss and gaps over λ to this file.")] = None,
    save: Annotated[Path | None, typer.Option(help="Save all solutions to this .npz file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Follow the best network over many strengths λ, each certified, with errors by cross-validation.

    Ctrl-C stops with the strengths done by then.
    """
    outputs = {"--plot": plot, "--save": save}
    check_outputs(outputs)
    source = open_source(table, target, inputs, drop_missing)
    folds = min(5, len(source.y)) if folds is None else folds
    if folds < 0 or folds == 1 or folds > len(source.y):
        raise ValueError(f"--folds must be 0, or from 2 to the number of rows, {len(source.y)}, got {folds}.")
    samples, y, scaling = scaled(source, standardize)
    problem = rs.Problem(samples, y, regularizer=rs.RadonTV(order=order), strength=1.0)
    found = rs.regularization_path(problem, count=count, ratio=ratio, gap=gap)
    interrupted, selection = found.interrupted, None
    if folds and not interrupted:
        try:
            regularizer = problem.regularizer
            selection = rs.select_strength(samples, y, regularizer=regularizer, folds=folds, count=count, ratio=ratio)
            interrupted = selection.interrupted
        except KeyboardInterrupt:
            interrupted = True
    posed = Posed(source, scaling, problem, selection, None)
    details = posed.details() | {"strength": None if selection is None else selection.strength}
    found = dataclasses.replace(found, details=details)
    report = {"command": "path"} | described(problem, source, scaling)
    report |= {
        "strength": None if selection is None else selection.strength,
        "strengths": found.strengths.tolist(),
        "losses": found.losses.tolist(),
        "radon_tv": found.regularizations.tolist(),
        "neurons": found.widths.tolist(),
        "objectives": found.objectives.tolist(),
        "bounds": found.bounds.tolist(),
        "relative_gaps": found.relative_gaps.tolist(),
        "certificates": list(found.kinds),
        "cross_validation": None if selection is None else validated(selection),
        "interrupted": interrupted,
        "seconds": sum(solution.seconds for solution in found),
    }
    if outputs["--save"] is not None:
        outputs["--save"] = found.save(outputs["--save"])
    if (picture := outputs["--plot"]) is not None:
        draw(picture, lambda: _drawn(found, selection))
    report["files"] = written(outputs)
    if as_json:
        print_json(report)
    else:
        _print_summary(report)


def _drawn(found: Any, selection: Any) -> Any:
    figure = rs.plotting.plot_path(found)
    if selection is not None:
        for ax in figure.axes[:3]:
            ax.axvline(selection.strength, color=rs.plotting.GREY, linestyle=":", linewidth=1.2)
        figure.axes[2].set_xlabel("strength λ, dotted: chosen by cross-validation")
    return figure


def _print_summary(report: dict[str, Any]) -> None:
    kinds = sorted(set(report["certificates"]))
    rows = [
        ("data", f"{report['table']}: {report['rows']} rows ({report['distinct']} different inputs)"),
        ("model", f"{report['target']} from {', '.join(report['inputs'])}"),
        ("standardised", IN_THESE_UNITS if report["standardized"] else "no"),
        ("certificates", "; ".join(KINDS[kind] for kind in kinds)),
        ("time", f"{report['seconds']:.2f} s"),
        *report["files"].items(),
    ]
    if report["interrupted"]:
        rows.insert(0, ("interrupted", "these are the strengths done by then"))
    print_rows(rows)
    columns = ["λ", "neurons", "loss", "RTV", "relative gap"]
    cells = [
        [f"{a:.4g}", str(b), f"{c:.6g}", f"{d:.5g}", f"{e:.1e}"]
        for a, b, c, d, e in zip(
            *(report[name] for name in ("strengths", "neurons", "losses", "radon_tv", "relative_gaps")), strict=True
        )
    ]
    if (validation := report["cross_validation"]) is not None:
        columns += [f"{validation['folds']}-fold RMSE", ""]
        for i, row in enumerate(cells):
            if i < len(validation["errors"]):
                row += [f"{validation['errors'][i] ** 0.5:.5g}", "chosen" if _is_chosen(report, i) else ""]
            else:
                row += ["", ""]
    print_table(columns, cells)


def _is_chosen(report: dict[str, Any], row: int) -> bool:
    return abs(report["strengths"][row] - report["strength"]) <= 1e-9 * report["strength"]
