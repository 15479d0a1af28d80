"""The command `certify`: how far is a saved spline from the best of all networks?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import ridgesplines as rs
from ridgesplines.cli_parts import JsonOption, complete_files, print_json, print_rows
from ridgesplines.cli_tables import (
    DATASETS,
    KINDS,
    TABLES,
    DropOption,
    InputsOption,
    TargetOption,
    certified_facts,
    certified_report,
    open_source,
    print_certified,
)


def certify(
    saved: Annotated[
        Path,
        typer.Argument(
            help="A .npz file of a saved solution, spline or training.", autocompletion=complete_files(".npz")
        ),
    ],
    table: Annotated[
        str | None,
        typer.Argument(
            help="A table or data set; by default the data that a saved solution holds.",
            autocompletion=complete_files(*TABLES, also=DATASETS),
        ),
    ] = None,
    target: TargetOption = None,
    inputs: InputsOption = None,
    drop_missing: DropOption = False,
    strength: Annotated[float | None, typer.Option(help="λ, if not the saved one.")] = None,
    interpolate: Annotated[bool, typer.Option("--interpolate", help="Certify as an interpolant; no λ.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Certify a saved spline, on a table or anew on its own data: how far is it from the best of all networks?

    Of a training, the best network.
    """
    from ridgesplines.archive import assembling, part_of, read_archive

    arrays, metadata = read_archive(saved, ("RidgeSpline", "Solution", "TrainingResult"))
    if metadata["kind"] == "TrainingResult":
        with assembling(saved, "training"):
            arrays, metadata = part_of(arrays, "best"), {"kind": "Solution", **metadata["best"]}
    if table is None:
        if target is not None or inputs is not None or strength is not None or interpolate:
            raise ValueError("--target, --inputs, --strength and --interpolate are about a table; name one.")
        report = _on_own_data(saved, arrays, metadata)
    else:
        report = _on_table(saved, arrays, metadata, table, target, inputs, drop_missing, strength, interpolate)
    if as_json:
        print_json(report)
    elif "table" in report:
        print_certified(report, None)
    else:
        _print_summary(report)


def _on_own_data(saved: Path, arrays: dict[str, Any], metadata: dict[str, Any]) -> dict[str, Any]:
    from ridgesplines.archive import assembling
    from ridgesplines.scaling import Scaling

    solution = None
    if metadata["kind"] == "Solution":
        with assembling(saved, "solution"):
            solution = rs.Solution.from_archive(arrays, metadata)
    if solution is None or solution.problem is None:
        raise ValueError(f"{saved} does not hold the data that it was fitted to; name a table.")
    details = solution.details
    scaling = Scaling.from_json(details["scaling"]) if details.get("scaling") else None
    spline = solution.spline if scaling is None else scaling.redo(solution.spline)
    certificate = rs.certify(solution.problem, spline, solution.dual)
    return {
        "command": "certify",
        "file": str(saved),
        "problem": repr(solution.problem),
        "strength": solution.problem.strength,
        **certified_facts(certificate),
        "saved": certified_facts(solution.certificate),
    }


def _on_table(
    saved: Path,
    arrays: dict[str, Any],
    metadata: dict[str, Any],
    table: str,
    target: str | None,
    inputs: str | None,
    drop_missing: bool,
    strength: float | None,
    interpolate: bool,
) -> dict[str, Any]:
    from ridgesplines.scaling import Scaling

    spline = rs.RidgeSpline.from_arrays(arrays, metadata)
    details = _details(saved, metadata)
    names = inputs if inputs is not None else ",".join(details["inputs"]) if details.get("inputs") else None
    source = open_source(table, target or details.get("target"), names, drop_missing)
    if source.x.shape[1] != spline.dimension:
        raise ValueError(
            f"{saved} has {spline.dimension} inputs, but {table} gives {source.x.shape[1]} "
            f"({', '.join(source.inputs)}); choose them with --inputs."
        )
    scaling = Scaling.from_json(details["scaling"]) if details.get("scaling") else None
    x, y = (source.x, source.y) if scaling is None else scaling.apply(source.x, source.y)
    interpolate = interpolate or (strength is None and "strength" in details and details["strength"] is None)
    if interpolate and strength is not None:
        raise ValueError("--strength has no meaning together with --interpolate; leave one out.")
    value = strength if strength is not None else details.get("strength")
    if value is None and not interpolate:
        raise ValueError(f"{saved} does not say with which λ it was fitted; give --strength, or --interpolate.")
    regularizer = rs.RadonTV(order=spline.order)
    problem = (
        rs.Problem(rs.Samples(x), y, loss=rs.Interpolation(), regularizer=regularizer)
        if interpolate
        else rs.Problem(rs.Samples(x), y, regularizer=regularizer, strength=value)
    )
    dual = arrays.get("dual")
    certificate = rs.certify(
        problem,
        spline if scaling is None else scaling.redo(spline),
        dual if dual is not None and dual.shape == y.shape else None,
    )
    return {"command": "certify", "file": str(saved)} | certified_report(problem, certificate, source, scaling)


def _details(saved: Path, metadata: dict[str, Any]) -> dict[str, Any]:
    """What `fit` kept of the question: the columns and λ.

    Raises:
        ValueError: if they are not what they should be.
    """
    details = metadata.get("details", {})
    if not isinstance(details, dict):
        raise ValueError(f"{saved} is damaged: its details are no dictionary.")
    names, target, strength = (details.get(name) for name in ("inputs", "target", "strength"))
    columns = [] if names is None else names
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in [*columns, target or ""]):
        raise ValueError(f"{saved} is damaged: the names of its columns are no text.")
    if strength is not None and not isinstance(strength, int | float):
        raise ValueError(f"{saved} is damaged: its λ is no number.")
    return details


def _print_summary(report: dict[str, Any]) -> None:
    word = "estimated" if report["certificate"] == "heuristic" else "proven"
    print_rows(
        [
            ("file", report["file"]),
            ("problem, as saved", report["problem"]),
            ("neurons", str(report["neurons"])),
            ("objective", f"{report['objective']:.10g}  (saved: {report['saved']['objective']:.10g})"),
            (f"{word} bound", f"{report['bound']:.10g}  (saved: {report['saved']['bound']:.10g})"),
            ("gap", f"{report['gap']:.3g}  (relative {report['relative_gap']:.1e})"),
            ("certificate", KINDS[report["certificate"]]),
        ]
    )
