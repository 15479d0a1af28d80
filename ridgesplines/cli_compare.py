"""The command `compare`: certified, trained, kernel and cvxpy side by side, on data held out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

import ridgesplines as rs
from ridgesplines.cli_parts import (
    JsonOption,
    check_outputs,
    complete_files,
    draw,
    print_json,
    print_rows,
    print_table,
    written,
)
from ridgesplines.cli_problems import pose
from ridgesplines.cli_tables import (
    IN_THESE_UNITS,
    DropOption,
    GapOption,
    InputsOption,
    OrderOption,
    Source,
    StandardizeOption,
    StrengthOption,
    TableArgument,
    TargetOption,
    data_rows,
    described,
    open_source,
)

SOLVERS = ("certified", "trained", "kernel-ridge", "cvxpy")
# The convex program has a block of variables for each activation pattern: about as many as N^d.
_PATTERNS = 2000


def _complete_solvers(incomplete: str) -> list[str]:
    before, comma, start = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in SOLVERS if name.startswith(start)]


def compare(
    table: TableArgument,
    target: TargetOption = None,
    inputs: InputsOption = None,
    drop_missing: DropOption = False,
    held_out: Annotated[float, typer.Option(help="The part of the rows to test on; 0 for none.")] = 0.2,
    solvers: Annotated[
        str | None,
        typer.Option(
            help=f"Comma-separated, of {', '.join(SOLVERS)}; by default all, cvxpy where the data are few.",
            autocompletion=_complete_solvers,
        ),
    ] = None,
    width: Annotated[int, typer.Option(help="Neurons of the trained networks.")] = 100,
    steps: Annotated[int, typer.Option(help="Steps of each trained network.")] = 3000,
    seeds: Annotated[int, typer.Option(help="How many networks to train.")] = 4,
    seed: Annotated[int, typer.Option(help="Of the rows held out, and of the networks.")] = 0,
    strength: StrengthOption = "auto",
    order: OrderOption = 2,
    gap: GapOption = 1e-6,
    standardize: StandardizeOption = False,
    plot: Annotated[Path | None, typer.Option(help="Draw gaps, neurons and test errors to this file.")] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write the table as CSV.", autocompletion=complete_files(".csv"))
    ] = None,
    latex: Annotated[
        Path | None, typer.Option(help="Write the table as LaTeX.", autocompletion=complete_files(".tex"))
    ] = None,
    save: Annotated[Path | None, typer.Option(help="Save all that was found to this .npz file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Set the certified optimum beside trained networks, kernel ridge regression and cvxpy, with test errors.

    Ctrl-C stops with the rows of the table done by then.
    """
    from ridgesplines.archive import write_text

    outputs = {"--plot": plot, "--save": save, "--csv": csv, "--latex": latex}
    check_outputs(outputs)
    chosen = _solvers(solvers)
    if not 0 <= held_out < 1:
        raise ValueError(f"--held-out must be at least 0 and less than 1, a part of the rows, got {held_out:g}.")
    training = rs.NetworkTraining(width=width, steps=steps, seeds=seeds, seed=seed, optimizer="proximal")
    source, test = _parted(open_source(table, target, inputs, drop_missing), held_out, seed)
    posed = pose(source, strength, order, standardize)
    problem = posed.problem
    few = problem.measurements.distinct**problem.measurements.dimension <= _PATTERNS and order == 2
    methods: dict[str, Any] = {}
    for name in chosen or SOLVERS:
        if name == "certified":
            methods[name] = rs.solver_for(problem, gap=gap)
        elif name == "trained":
            methods[name] = training
        elif name == "kernel-ridge":
            methods["kernel ridge"] = rs.KernelRegression()
        elif few or chosen is not None:
            methods[name] = rs.ConvexProgram()
    if test is not None and posed.scaling is not None:
        test = posed.scaling.apply(*test)
    comparison = rs.compare(problem, methods, test=test)
    comparison = dataclasses.replace(comparison, details=posed.details())
    report = {"command": "compare"} | described(problem, source, posed.scaling) | posed.choice()
    report |= {
        "rows_held_out": 0 if test is None else len(test[1]),
        "seed": seed,
        "solvers": [_facts(row) for row in comparison.rows],
        "interrupted": len(comparison) < len(methods),
        "left_out": [] if few or chosen else ["cvxpy"],
    }
    if outputs["--save"] is not None:
        outputs["--save"] = comparison.save(outputs["--save"])
    if csv is not None:
        write_text(csv, comparison.to_csv())
    if latex is not None:
        write_text(latex, comparison.to_latex())
    if plot is not None:
        draw(plot, lambda: rs.plotting_comparison.plot_gaps(comparison))
    report["files"] = written(outputs)
    if as_json:
        print_json(report)
    else:
        _print_summary(report, comparison)


def _solvers(text: str | None) -> list[str] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in SOLVERS:
            raise ValueError(f"--solvers must be of {', '.join(SOLVERS)}, got {name!r}.")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"--solvers must name different solvers, at least one, got {text!r}.")
    return names


def _parted(source: Source, part: float, seed: int) -> tuple[Source, Any]:
    """The rows to fit, and those held out."""
    import numpy as np

    count = len(source.y)
    tested = round(part * count)
    if not tested:
        return source, None
    if tested >= count:
        raise ValueError(f"--held-out {part:g} of {count} rows leaves none to fit; give less.")
    rows = np.random.default_rng(seed).permutation(count)
    fitted, held = np.sort(rows[tested:]), np.sort(rows[:tested])
    return dataclasses.replace(source, x=source.x[fitted], y=source.y[fitted]), (source.x[held], source.y[held])


def _facts(row: Any) -> dict[str, Any]:
    """The numbers of a row, by the names that all commands use; null where there is none."""
    facts = {name: None if value == "" else value for name, value in row.facts().items()}
    facts["radon_tv"] = facts.pop("cost")
    del facts["problem"]
    return facts | {"status": facts["status"].lower() if facts["status"] else None, "refusal": row.refusal or None}


def _print_summary(report: dict[str, Any], comparison: Any) -> None:
    from ridgesplines.comparison import COLUMNS

    rows = data_rows(report, IN_THESE_UNITS)
    rows.insert(1, ("held out", f"{report['rows_held_out']} rows, by seed {report['seed']}"))
    if report["interrupted"]:
        rows.insert(0, ("interrupted", "these are the rows done by then"))
    if report["left_out"]:
        rows.append(("left out", "cvxpy: too many data for all activation patterns; ask for it with --solvers"))
    print_rows([*rows, *report["files"].items()])
    # A column for each solver: few solvers have many numbers.
    cells = [row.cells() for row in comparison.rows]
    names = [name for name in COLUMNS if any(cell.get(name) for cell in cells)]
    shown = [[name, *(cell.get(name, "") for cell in cells)] for name in names if name != "solver"]
    print_table(("", *(cell["solver"] for cell in cells)), shown, left=("",))
