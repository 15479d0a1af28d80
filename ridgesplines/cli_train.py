"""The command `train`: networks by gradient methods, beside the certified optimum."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

import ridgesplines as rs
from ridgesplines.cli_parts import (
    JsonOption,
    check_outputs,
    choice,
    complete_from,
    draw,
    print_json,
    print_rows,
    print_table,
    written,
)
from ridgesplines.cli_problems import Posed, pose
from ridgesplines.cli_tables import (
    KINDS,
    DropOption,
    GapOption,
    InputsOption,
    OrderOption,
    StandardizeOption,
    StrengthOption,
    TableArgument,
    TargetOption,
    certified_facts,
    data_rows,
    described,
    open_source,
)

# With hyphens for the spaces of `NetworkTraining`, which is imported when it is used.
PENALTIES = ("path-norm", "weight-decay", "plain-weight-decay", "weight-decay-with-biases", "none")
OPTIMIZERS = ("adam", "sgd", "lbfgs", "gradient-flow", "proximal")


def train(
    table: TableArgument,
    target: TargetOption = None,
    inputs: InputsOption = None,
    drop_missing: DropOption = False,
    width: Annotated[int, typer.Option(help="Neurons of each network.")] = 100,
    penalty: Annotated[
        str, typer.Option(help=f"One of {', '.join(PENALTIES)}.", autocompletion=complete_from(*PENALTIES))
    ] = "path-norm",
    optimizer: Annotated[
        str, typer.Option(help=f"One of {', '.join(OPTIMIZERS)}.", autocompletion=complete_from(*OPTIMIZERS))
    ] = "adam",
    steps: Annotated[int, typer.Option(help="Steps of each network.")] = 5000,
    seeds: Annotated[int, typer.Option(help="How many networks.")] = 4,
    seed: Annotated[int, typer.Option(help="Of the random numbers.")] = 0,
    learning_rate: Annotated[float | None, typer.Option(help="By default one that suits the optimizer.")] = None,
    batch: Annotated[int | None, typer.Option(help="Size of mini-batches; by default all data at once.")] = None,
    strength: StrengthOption = "auto",
    order: OrderOption = 2,
    gap: GapOption = 1e-6,
    standardize: StandardizeOption = False,
    plot: Annotated[Path | None, typer.Option(help="Draw each network's way down to the bound to this file.")] = None,
    save: Annotated[Path | None, typer.Option(help="Save all networks to this .npz file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Train networks of one width, and say how far each is from the best network of all widths.

    Ctrl-C stops the training with the best networks so far.
    """
    outputs = {"--plot": plot, "--save": save}
    check_outputs(outputs)
    names = choice("--penalty", penalty, PENALTIES), choice("--optimizer", optimizer, OPTIMIZERS)
    options = rs.NetworkTraining(
        width=width,
        penalty=names[0],
        optimizer=names[1],
        steps=steps,
        seeds=seeds,
        seed=seed,
        learning_rate=learning_rate,
        batch=batch,
    )
    source = open_source(table, target, inputs, drop_missing)
    if batch is not None and batch > len(source.y):
        raise ValueError(f"--batch must be at most the number of rows, {len(source.y)}, got {batch}.")
    posed = pose(source, strength, order, standardize)
    problem = posed.problem
    certified = rs.solve(problem, rs.solver_for(problem, gap=gap))
    if certified.status is rs.Status.INTERRUPTED:
        # There is no network yet; training on after Ctrl-C is not what was asked for.
        raise KeyboardInterrupt
    result = dataclasses.replace(options, dual=certified.dual).train(problem)
    asked = {
        "width": width, "penalty": penalty, "optimizer": optimizer, "steps": steps, "seeds": seeds, "seed": seed,
        "learning_rate": learning_rate, "batch": batch,
    }  # fmt: skip
    best = dataclasses.replace(result.best, details=result.best.details | posed.details() | {"training": asked})
    result = _in_units_of_table(dataclasses.replace(result, best=best), posed)
    bound = certified.certificate.bound
    report = {"command": "train"} | described(problem, posed.source, posed.scaling) | posed.choice()
    report |= {
        "training": asked,
        "certified": certified_facts(certified.certificate) | {"seconds": certified.seconds},
        "objectives": result.objectives.tolist(),
        "relative_gaps": ((result.objectives - bound) / result.objectives).tolist(),
        "neurons": result.widths.tolist(),
        "failed_steps": result.failed_steps.tolist(),
        "best": certified_facts(best.certificate),
        "status": best.status.name.lower(),
        "seconds": result.seconds,
    }
    if outputs["--save"] is not None:
        outputs["--save"] = result.save(outputs["--save"])
    if (path := outputs["--plot"]) is not None:
        draw(path, lambda: rs.plotting_training.plot_training(result, certified.certificate))
    report["files"] = written(outputs)
    if as_json:
        print_json(report)
    else:
        _print_summary(report, best.status.value)


def _in_units_of_table(result: Any, posed: Posed) -> Any:
    """The networks as they predict the table; certificates and the way to them stay those of the problem solved."""
    best = dataclasses.replace(result.best, spline=posed.undone(result.best.spline))
    return dataclasses.replace(result, splines=tuple(map(posed.undone, result.splines)), best=best)


def _print_summary(report: dict[str, Any], status: str) -> None:
    certified, asked = report["certified"], report["training"]
    word = "estimated" if certified["certificate"] == "heuristic" else "proven"
    rate = "" if asked["learning_rate"] is None else f", rate {asked['learning_rate']:g}"
    how = f"{asked['optimizer']}, {asked['penalty']}, {asked['steps']} steps{rate}, from seed {asked['seed']}"
    print_rows(
        [
            *data_rows(report, "inputs and target; undone in the saved networks"),
            ("training", f"{asked['seeds']} networks of width {asked['width']}: {how}"),
            (f"{word} bound", f"{certified['bound']:.10g}"),
            ("certificate", KINDS[certified["certificate"]]),
            ("status", status),
            ("time", f"certified {certified['seconds']:.2f} s, trained {report['seconds']:.2f} s"),
            *report["files"].items(),
        ]
    )
    rows = [
        ("certified", f"{certified['objective']:.8g}", f"{certified['relative_gap']:.1e}", str(certified["neurons"]))
    ]
    for i, objective in enumerate(report["objectives"]):
        failed = report["failed_steps"][i]
        name = f"network {i + 1}" + ("" if failed < 0 else f", no longer finite at step {failed}")
        rows.append((name, f"{objective:.8g}", f"{report['relative_gaps'][i]:.1e}", str(report["neurons"][i])))
    print_table(("", "objective", f"gap to the {word} bound", "neurons"), rows, left=("",))
