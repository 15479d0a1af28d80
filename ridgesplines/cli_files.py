"""The commands `plot` and `info`: what a file holds, drawn and described."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

import ridgesplines as rs
from ridgesplines.cli_parts import JsonOption, check_outputs, complete_files, draw, print_json, print_rows, print_table
from ridgesplines.cli_problems import saved_details
from ridgesplines.cli_tables import DATASETS, KINDS, TABLES, certified_facts, dataset_table

# Arrays that are listed; a path of many strengths has thousands.
_LISTED = 30

SavedArgument = Annotated[
    Path,
    typer.Argument(help="A .npz file that a command or a method save wrote.", autocompletion=complete_files(".npz")),
]


def plot(
    file: SavedArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="The picture: .png, .pdf, .svg or .jpg; or .html, to turn and to slide (extra report)."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Draw whatever a saved file holds: a fit and its certificate, a path, a training, a comparison, a function."""
    interactive = out.suffix.lower() == ".html"
    check_outputs({"--out": None if interactive else out, "--page": out})
    thing = rs.load(file)
    if interactive:
        from ridgesplines.archive import write_beside

        figure = rs.plot_interactive(thing, **_units(thing))
        write_beside(out, lambda temporary: figure.write_html(temporary))
    else:
        draw(out, lambda: _drawn(thing))
    report = {"command": "plot", "file": str(file), "kind": type(thing).__name__, "files": {"out": str(out)}}
    if as_json:
        print_json(report)
    else:
        typer.echo(f"{report['kind']} of {file}: {out}")


def _labels(thing: Any) -> dict[str, Any]:
    names = saved_details(thing).get("labels")
    if not isinstance(names, list) or len(names) < 2 or not all(isinstance(name, str) for name in names):
        return {}
    return {"labels": rs.plotting.Labels(tuple(names[:-1]), names[-1])}


def _drawn(thing: Any) -> Any:
    """The picture, with the names of the axes and in the units of the table, where a command kept them."""
    if not isinstance(thing, rs.Solution):
        return rs.plot(thing)
    units = _units(thing)
    if not units or thing.problem is None:
        return rs.plot(thing, **_labels(thing))
    # The certificate, and so its profile, is in standardised units.
    return rs.plotting.plot_fit(thing.problem, _standardised(thing), spline=thing.spline, **units, **_labels(thing))


def _standardised(solution: Any) -> Any:
    from ridgesplines.scaling import Scaling

    return dataclasses.replace(solution, spline=Scaling.from_json(solution.details["scaling"]).redo(solution.spline))


def _units(thing: Any) -> dict[str, Any]:
    """Of a standardised fit, whose spline is in the units of the table, the data in these units."""
    from ridgesplines.scaling import Scaling

    kept = saved_details(thing).get("scaling")
    if not isinstance(thing, rs.Solution) or not kept or thing.problem is None:
        return {}
    x, y = Scaling.from_json(kept).revert(thing.problem.points, thing.problem.targets)
    return {"x": x, "y": y}


def info(
    file: Annotated[
        str,
        typer.Argument(
            help="A file that the package saved, or a table.", autocompletion=complete_files(*TABLES, also=DATASETS)
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Say what a saved file or a table is: its kind, shapes, certificate, and how it was made."""
    report = {"command": "info", "file": file} | (_saved(Path(file)) if _is_saved(Path(file)) else _table(file))
    if as_json:
        print_json(report)
    else:
        _print_info(report)


def _is_saved(path: Path) -> bool:
    """Whether it is a file that the package saved, rather than a table."""
    if path.suffix.lower() != ".npz" or not path.is_file():
        return False
    from ridgesplines.archive import has_header, read_arrays

    return has_header(read_arrays(path))


def _saved(path: Path) -> dict[str, Any]:
    from ridgesplines.archive import read_archive, read_header

    header = read_header(path)
    arrays, _ = read_archive(path, (header["kind"],))
    thing = rs.load(path) if header["kind"] in _kinds() else None
    report: dict[str, Any] = {
        "kind": header["kind"],
        "format_version": header["format_version"],
        "made_by": header.get("made_by"),
        "bytes": path.stat().st_size,
        "arrays": {name: list(array.shape) for name, array in arrays.items()},
        "summary": None if thing is None else repr(thing),
    }
    certificate = getattr(getattr(thing, "best", thing), "certificate", None)
    if certificate is not None:
        report["certificate"] = certified_facts(certificate)
    problem = _problem(thing)
    described = header.get("problem")
    known = described.get("text") if isinstance(described, dict) else None
    report["problem"] = known if problem is None else repr(problem)
    report["holds_data"] = problem is not None
    if thing is not None and hasattr(getattr(thing, "best", thing), "status"):
        solution = getattr(thing, "best", thing)
        report |= {"status": solution.status.name.lower(), "seconds": solution.seconds}
    report["details"] = saved_details(thing)
    return report


def _kinds() -> Any:
    from ridgesplines.opening import KINDS as kinds

    return kinds


def _problem(thing: Any) -> Any:
    if isinstance(thing, rs.TrainingGrid):
        thing = thing.results[0][0]
    if isinstance(thing, rs.Comparison):
        return thing.rows[0].problem if len(thing) else None
    return getattr(getattr(thing, "best", thing), "problem", None)


def _table(file: str) -> dict[str, Any]:
    import numpy as np

    from ridgesplines.tables import read_table

    table = dataset_table(file)[0] if file in DATASETS and not Path(file).exists() else read_table(file)
    columns = {}
    for name in table.columns:
        try:
            values = table.values(name)
        except ValueError as error:
            columns[name] = {"type": "text", "why": str(error)}
            continue
        finite = values[np.isfinite(values)]
        columns[name] = {
            "type": "numbers",
            "missing": int(len(values) - len(finite)),
            "different": len(np.unique(finite)),
            "least": float(finite.min()) if len(finite) else None,
            "mean": float(finite.mean()) if len(finite) else None,
            "largest": float(finite.max()) if len(finite) else None,
        }
    return {"kind": "table", "rows": len(table), "columns": columns}


def _print_info(report: dict[str, Any]) -> None:
    if report["kind"] == "table":
        print_rows([("table", f"{report['file']}: {report['rows']} rows, {len(report['columns'])} columns")])
        rows = []
        for name, facts in report["columns"].items():
            if facts["type"] == "text":
                rows.append([name, "text", "", "", "", "", ""])
                continue
            ends = ["" if facts[key] is None else f"{facts[key]:.6g}" for key in ("least", "mean", "largest")]
            rows.append([name, "numbers", str(facts["missing"]), str(facts["different"]), *ends])
        print_table(
            ("column", "type", "missing", "different", "least", "mean", "largest"), rows, left=("column", "type")
        )
        return
    made = report["made_by"] or "ridgesplines"
    rows = [
        ("file", f"{report['file']}: {report['bytes']} bytes"),
        ("kind", f"{report['kind']}, format version {report['format_version']}, made by {made}"),
    ]
    if report["summary"]:
        rows.append(("holds", report["summary"]))
    if report["problem"]:
        rows.append(
            ("problem", report["problem"] + (", with its data" if report["holds_data"] else ", without its data"))
        )
    if "certificate" in report:
        facts = report["certificate"]
        objective, bound, gap = facts["objective"], facts["bound"], facts["relative_gap"]
        gap = f"objective {objective:.10g}, bound {bound:.10g}, relative gap {gap:.1e}"
        rows += [("certificate", gap), ("", KINDS[facts["certificate"]])]
    if "status" in report:
        rows.append(("solved", f"{report['status'].replace('_', ' ')}, {report['seconds']:.2f} s"))
    details = report["details"]
    rows += [
        (name, str(details[name])) for name in ("command", "table", "target", "inputs", "scaling") if details.get(name)
    ]
    shapes = [f"{name} {tuple(shape)}" for name, shape in report["arrays"].items()]
    more = f", and {len(shapes) - _LISTED} more" if len(shapes) > _LISTED else ""
    rows.append(("arrays", ", ".join(shapes[:_LISTED]) + more))
    print_rows(rows)
