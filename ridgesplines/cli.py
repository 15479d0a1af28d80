"""The command line: fit a table, certify a saved fit, reconstruct a surface.

Heavy modules are imported inside the commands, so that `--help` is quick.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import ridgesplines as rs
from ridgesplines.cli_parts import PICTURES, JsonOption, check_folder, print_json, print_rows
from ridgesplines.cli_surfaces import surface

if TYPE_CHECKING:
    import numpy as np

    from ridgesplines.scaling import Scaling

app = typer.Typer(
    help="Shallow ReLU networks as ridge splines, trained to a certified global optimum.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The entry point: errors in what was asked for are one sentence and exit code 2."""
    try:
        app()
    except (ValueError, TypeError, OSError, ImportError) as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("Interrupted before there was anything to keep.", err=True)
        sys.exit(130)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"ridgesplines {rs.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


TableArgument = Annotated[
    str, typer.Argument(help="A .csv, .tsv, .npz or .parquet file, or motorcycle, elevation or diabetes.")
]
InputsOption = Annotated[str | None, typer.Option(help="Input columns, comma-separated; by default all others.")]


@app.command()
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
    _check_outputs(outputs)
    source = _open(table, target, inputs)
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
    report = _report(problem, kept.certificate, source, scaling) | {
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
        _print_summary(report, solution.status.value)


@app.command()
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
    source = _open(table, target or details.get("target"), names)
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
    report = _report(problem, certificate, source, scaling)
    if as_json:
        print_json(report)
    else:
        _print_summary(report, None)


@dataclass(frozen=True, eq=False)
class _Source:
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


def _open(table: str, target: str | None, inputs: str | None) -> _Source:
    """The table named on the command line: a file, or else one of the data sets."""
    from ridgesplines.tables import Table, read_table

    units: dict[str, str] = {}
    if table in rs.datasets.DATASETS and not Path(table).exists():
        data = rs.datasets.DATASETS[table]()
        columns = {name: data.x[:, i] for i, name in enumerate(data.input_names)} | {data.target_name: data.y}
        opened, target = Table(table, dict(columns), first_line=0), target or data.target_name
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
    return _Source(table, x, y, names, target, units)


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


def _check_outputs(outputs: dict[str, Path | None]) -> None:
    """Find out that a file cannot be written before the work, not after."""
    for name, path in outputs.items():
        if path is None:
            continue
        check_folder(name, path)
        if name != "--save" and path.suffix.lower() not in PICTURES:
            raise ValueError(f"{name} {path}: the name of a picture must end in {', '.join(PICTURES)}.")


def _write(outputs: dict[str, Path | None], problem: Any, solution: Any, kept: Any, source: _Source) -> None:
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


def _report(problem: Any, certificate: Any, source: _Source, scaling: Scaling | None) -> dict[str, Any]:
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


def _print_summary(report: dict[str, Any], status: str | None) -> None:
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


app.command()(surface)


if __name__ == "__main__":
    main()
