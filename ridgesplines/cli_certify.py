"""The command `certify`: how far is a saved spline from the best of all networks?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import ridgesplines as rs
from ridgesplines.cli_parts import JsonOption, print_json
from ridgesplines.cli_tables import InputsOption, TableArgument, certified_report, open_source, print_certified


def certify(
    saved: Annotated[Path, typer.Argument(help="A .npz file of a saved solution or spline.")],
    table: TableArgument,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="The column to predict, if not the saved one.")
    ] = None,
    inputs: InputsOption = None,
    strength: Annotated[float | None, typer.Option(help="λ, if not the saved one.")] = None,
    interpolate: Annotated[bool, typer.Option("--interpolate", help="Certify as an interpolant; no λ.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Certify a saved spline on a table: how far is it from the best of all networks?"""
    from ridgesplines.archive import read_archive
    from ridgesplines.scaling import Scaling

    arrays, metadata = read_archive(saved, ("RidgeSpline", "Solution"))
    spline = rs.RidgeSpline.from_arrays(arrays, metadata)
    details: dict[str, Any] = metadata.get("details", {})
    names = inputs if inputs is not None else ",".join(details["inputs"]) if details.get("inputs") else None
    source = open_source(table, target or details.get("target"), names)
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
    report = certified_report(problem, certificate, source, scaling)
    if as_json:
        print_json(report)
    else:
        print_certified(report, None)
