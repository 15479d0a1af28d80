"""Tables on the command line: which columns, and what is reported of a problem made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import ridgesplines as rs
from ridgesplines.cli_parts import complete_files, complete_from, print_rows

if TYPE_CHECKING:
    import numpy as np

    from ridgesplines.scaling import Scaling
    from ridgesplines.tables import Table

# What the kinds of certificates mean.
KINDS = {
    "exact": "exact: proven over all networks of all widths",
    "bounded": "bounded: proven over all networks of all widths",
    "heuristic": "heuristic: an estimate, the supremum over neurons was searched for",
}
# As `datasets.DATASETS` names them, which is imported when they are read.
DATASETS = ("motorcycle", "elevation", "diabetes")
IN_THESE_UNITS = "inputs and target; all numbers and files are in these units"
TABLES = (".csv", ".tsv", ".txt", ".npz", ".parquet")


def _complete_column(context: typer.Context, incomplete: str) -> list[str]:
    """The columns of the table that was named before; after a comma, too."""
    from ridgesplines.tables import read_table

    # An option that waits for its value leaves the arguments before it unread.
    table = context.params.get("table") or next(iter(context.args), None)
    before, comma, start = incomplete.rpartition(",")
    try:
        columns = list(read_table(table).columns) if table else []
    except (ValueError, OSError):
        return []
    return [f"{before}{comma}{column}" for column in columns if column.startswith(start)]


TableArgument = Annotated[
    str,
    typer.Argument(
        help="A .csv, .tsv, .npz or .parquet file, or motorcycle, elevation or diabetes.",
        autocompletion=complete_files(*TABLES, also=DATASETS),
    ),
]
TargetOption = Annotated[
    str | None, typer.Option("--target", "-t", help="The column to predict.", autocompletion=_complete_column)
]
InputsOption = Annotated[
    str | None,
    typer.Option(help="Input columns, comma-separated; by default all others.", autocompletion=_complete_column),
]
DropOption = Annotated[
    bool, typer.Option("--drop-missing", help="Leave out rows in which one of these columns has no number.")
]
StandardizeOption = Annotated[
    bool, typer.Option("--standardize", help="Solve with inputs and target scaled to mean 0, deviation 1.")
]
StrengthOption = Annotated[str, typer.Option(help="λ, a positive number; auto chooses it by cross-validation.")]
OrderOption = Annotated[
    int, typer.Option(help="Order of the spline: 2 (the ReLU), 3 or 4.", autocompletion=complete_from("2", "3", "4"))
]
GapOption = Annotated[float, typer.Option(help="Relative gap to the best network to stop at.")]


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


def open_source(table: str, target: str | None, inputs: str | None, drop_missing: bool = False) -> Source:
    """The table named on the command line, a file or else one of the data sets; says so if rows are left out."""
    from ridgesplines.tables import read_table

    units: dict[str, str] = {}
    if table in DATASETS and not Path(table).exists():
        opened, units = dataset_table(table)
        target = target or list(opened.columns)[-1]
    else:
        if not Path(table).exists() and not Path(table).suffix:
            known = ", ".join(DATASETS)
            raise ValueError(f"there is no file {table}, and the data sets that come with the package are {known}.")
        opened = read_table(table)
    if target is None:
        raise ValueError(f"choose the column to predict with --target; {table} has {', '.join(opened.columns)}.")
    chosen = None if inputs is None else [name.strip() for name in inputs.split(",") if name.strip()]
    x, y, names = opened.split(target, chosen, drop_missing=drop_missing)
    if len(y) < len(opened):
        typer.echo(
            f"Note: {len(opened) - len(y)} of {len(opened)} rows have missing values and are left out.", err=True
        )
    return Source(table, x, y, names, target, units)


def dataset_table(name: str) -> tuple[Table, dict[str, str]]:
    """A data set of the package as a table, the target last, and the names of its columns with their units."""
    from ridgesplines.tables import Table

    data = rs.datasets.DATASETS[name]()
    columns = {name: data.x[:, i] for i, name in enumerate(data.input_names)} | {data.target_name: data.y}
    labels = (*data.input_labels, data.target_label)
    return Table(name, dict(columns)), dict(zip(columns, labels, strict=True))


def certified_report(problem: Any, certificate: Any, source: Source, scaling: Scaling | None) -> dict[str, Any]:
    """What is printed of a certificate, by the names of the JSON; in the units of the problem."""
    return described(problem, source, scaling) | certified_facts(certificate)


def described(problem: Any, source: Source, scaling: Scaling | None) -> dict[str, Any]:
    """What a problem is made of, by the names of the JSON."""
    return {
        "table": source.name,
        "rows": problem.measurements.count,
        "distinct": problem.measurements.distinct,
        "inputs": list(source.inputs),
        "target": source.target,
        "standardized": scaling is not None,
        "loss_function": "interpolation" if problem.strength is None else "squared",
        "order": problem.regularizer.order,
        "strength": problem.strength,
        "representer_bound": problem.representer_bound,
    }


def certified_facts(certificate: Any) -> dict[str, Any]:
    """What a certificate says, by the names of the JSON."""
    return {
        "loss": certificate.loss,
        "misfit": certificate.misfit,
        "radon_tv": certificate.regularization,
        "neurons": certificate.width,
        "objective": certificate.objective,
        "bound": certificate.bound,
        "gap": certificate.gap,
        "relative_gap": certificate.relative_gap,
        "certificate": certificate.kind,
    }


def data_rows(
    report: dict[str, Any], standardized: str = "inputs and target; undone in the saved spline and the picture"
) -> list[tuple[str, str]]:
    """Data, model, λ and units of a report, to print; `standardized` says of what, where they are."""
    strength = "none: interpolation" if report["strength"] is None else f"{report['strength']:.6g}"
    if str(report.get("strength_chosen_by")).startswith("nobody"):
        strength = "any: without a neuron the fit is the best"
    if report.get("strength_chosen_by") == "cross-validation":
        folds = report["cross_validation"]["folds"]
        error = min(report["cross_validation"]["errors"])
        strength += f", chosen by {folds}-fold cross-validation (root mean squared error {error**0.5:.4g})"
        if report["cross_validation"]["interrupted"]:
            strength += ", interrupted: of the strengths tried"
    return [
        ("data", f"{report['table']}: {report['rows']} rows ({report['distinct']} different inputs)"),
        ("model", f"{report['target']} from {', '.join(report['inputs'])}"),
        ("strength λ", strength),
        ("standardised", standardized if report["standardized"] else "no"),
    ]


def print_certified(report: dict[str, Any], status: str | None) -> None:
    """Print a `certified_report`, with what a solver added to it if there is a status."""
    proven = report["certificate"] != "heuristic"
    scale = " (standardised units)" if report["standardized"] else ""
    rows = [
        *data_rows(report),
        (f"loss{scale}", f"{report['loss']:.8g}  (largest deviation {report['misfit']:.3g})"),
        (f"RTV{scale}", f"{report['radon_tv']:.8g}"),
        ("neurons", f"{report['neurons']}  (the representer theorem promises at most {report['representer_bound']})"),
        (f"objective{scale}", f"{report['objective']:.10g}"),
        ("proven bound" if proven else "estimated bound", f"{report['bound']:.10g}"),
        ("gap", f"{report['gap']:.3g}  (relative {report['relative_gap']:.1e})"),
        ("certificate", KINDS[report["certificate"]]),
    ]
    if status is not None:
        rows += [("status", status), ("time", f"{report['seconds']:.2f} s in {report['iterations']} iterations")]
    rows += list(report.get("files", {}).items())
    print_rows(rows)
