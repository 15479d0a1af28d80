"""Tables on the command line: which columns, and what is reported of a problem made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import ridgesplines as rs
from ridgesplines.cli_parts import print_rows

if TYPE_CHECKING:
    import numpy as np

    from ridgesplines.scaling import Scaling

TableArgument = Annotated[
    str, typer.Argument(help="A .csv, .tsv, .npz or .parquet file, or motorcycle, elevation or diabetes.")
]
InputsOption = Annotated[str | None, typer.Option(help="Input columns, comma-separated; by default all others.")]


@dataclass(frozen=True, eq=False)
class Source:
    """Inputs and targets with their names, and labels that have the units where these are known."""

    name: str
    x: np.ndarray
    y: np.ndarray
    inputs: tuple[str, ...]
    target: str
    units: dict[str, str]

    def label(self, column: str) -> str:
        """The name of a column with its unit."""
        return self.units.get(column, column)


def open_source(table: str, target: str | None, inputs: str | None) -> Source:
    """The table named on the command line: a file, or else one of the data sets."""
    from ridgesplines.tables import Table, read_table

    units: dict[str, str] = {}
    if table in rs.datasets.DATASETS and not Path(table).exists():
        data = rs.datasets.DATASETS[table]()
        columns = {name: data.x[:, i] for i, name in enumerate(data.input_names)} | {data.target_name: data.y}
        opened, target = Table(table, dict(columns)), target or data.target_name
        units = dict(zip((*data.input_names, data.target_name), (*data.input_labels, data.target_label), strict=True))
    else:
        if not Path(table).exists() and not Path(table).suffix:
            known = ", ".join(rs.datasets.DATASETS)
            raise ValueError(f"there is no file {table}, and the data sets that come with the package are {known}.")
        opened = read_table(table)
    if target is None:
        raise ValueError(f"choose the column to predict with --target; {table} has {', '.join(opened.columns)}.")
    chosen = None if inputs is None else [name.strip() for name in inputs.split(",") if name.strip()]
    x, y, names = opened.split(target, chosen)
    return Source(table, x, y, names, target, units)


def certified_report(problem: Any, certificate: Any, source: Source, scaling: Scaling | None) -> dict[str, Any]:
    """What is printed of a certificate, by the names of the JSON; in the units of the problem."""
    return {
        "table": source.name,
        "rows": problem.measurements.count,
        "distinct": problem.measurements.distinct,
        "inputs": list(source.inputs),
        "target": source.target,
        "standardized": scaling is not None,
        "loss_function": "interpolation" if problem.strength is None else "squared",
        "strength": problem.strength,
        "loss": certificate.loss,
        "misfit": certificate.misfit,
        "radon_tv": certificate.regularization,
        "neurons": certificate.width,
        "representer_bound": problem.representer_bound,
        "objective": certificate.objective,
        "bound": certificate.bound,
        "gap": certificate.gap,
        "relative_gap": certificate.relative_gap,
        "certificate": certificate.kind,
    }


def print_certified(report: dict[str, Any], status: str | None) -> None:
    """Print a `certified_report`, with what a solver added to it if there is a status."""
    proven = report["certificate"] != "heuristic"
    strength = "none: interpolation" if report["strength"] is None else f"{report['strength']:.6g}"
    if str(report.get("strength_chosen_by")).startswith("nobody"):
        strength = "any: without a neuron the fit is the best"
    if report.get("strength_chosen_by") == "cross-validation":
        folds = report["cross_validation"]["folds"]
        error = min(report["cross_validation"]["errors"])
        strength += f", chosen by {folds}-fold cross-validation (root mean squared error {error**0.5:.4g})"
        if report["cross_validation"]["interrupted"]:
            strength += ", interrupted: of the strengths tried"
    scale = " (standardised units)" if report["standardized"] else ""
    kinds = {
        "exact": "exact: proven over all networks of all widths",
        "bounded": "bounded: proven over all networks of all widths",
        "heuristic": "heuristic: an estimate, the supremum over neurons was searched for",
    }
    rows = [
        ("data", f"{report['table']}: {report['rows']} rows ({report['distinct']} different inputs)"),
        ("model", f"{report['target']} from {', '.join(report['inputs'])}"),
        ("strength λ", strength),
        ("standardised", "inputs and target; undone in the saved spline and the picture" if scale else "no"),
        (f"loss{scale}", f"{report['loss']:.8g}  (largest deviation {report['misfit']:.3g})"),
        (f"RTV{scale}", f"{report['radon_tv']:.8g}"),
        ("neurons", f"{report['neurons']}  (the representer theorem promises at most {report['representer_bound']})"),
        (f"objective{scale}", f"{report['objective']:.10g}"),
        ("proven bound" if proven else "estimated bound", f"{report['bound']:.10g}"),
        ("gap", f"{report['gap']:.3g}  (relative {report['relative_gap']:.1e})"),
        ("certificate", kinds[report["certificate"]]),
    ]
    if status is not None:
        rows += [("status", status), ("time", f"{report['seconds']:.2f} s in {report['iterations']} iterations")]
    rows += [(name, path) for name, path in report.get("files", {}).items()]
    print_rows(rows)
