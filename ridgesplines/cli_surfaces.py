"""The command `surface`: from oriented points to a mesh or curves, and from a mesh to oriented points."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ridgesplines.cli_parts import (
    PICTURES,
    JsonOption,
    check_folder,
    complete_files,
    complete_from,
    print_json,
    print_rows,
)

if TYPE_CHECKING:
    import numpy as np

    from ridgesplines.kernels import Kernel
    from ridgesplines.surfaces import OrientedPoints, Reconstruction

_KERNELS = ("uniform", "gaussian", "polyharmonic", "matern")
# Points drawn on a picture at most: more would hide the surface.
_DRAWN = 5000


def surface(
    cloud: Annotated[
        Path,
        typer.Argument(
            help="Points with normals: .ply, .obj, .npz, .xyz, .csv. With --sample: a mesh.",
            autocompletion=complete_files(".ply", ".obj", ".stl", ".npz", ".xyz", ".csv", ".txt"),
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where to write the mesh: .ply, .obj, .stl, .npz. With --sample: the cloud.")
    ] = None,
    kernel: Annotated[
        str, typer.Option(help=f"One of {', '.join(_KERNELS)}.", autocompletion=complete_from(*_KERNELS))
    ] = "uniform",
    resolution: Annotated[int, typer.Option(help="Grid steps along the longest side.")] = 128,
    centres: Annotated[
        int | None,
        typer.Option(
            help="A function with this many centres, points that are spread out: fitted to all points with --noisy or "
            "with both nuggets positive, else to the centres only, and the rest are a test."
        ),
    ] = None,
    noisy: Annotated[
        bool, typer.Option("--noisy", help="Points and normals are noisy: choose both nuggets from the data.")
    ] = False,
    value_nugget: Annotated[float, typer.Option(help="Allow the surface to miss noisy points; 0 interpolates.")] = 0.0,
    gradient_nugget: Annotated[float, typer.Option(help="Allow it to miss noisy normals.")] = 0.0,
    chunk: Annotated[
        int | None,
        typer.Option(
            help="Solve in chunks of about so many points, blended, in less memory; 30,000 for more than 200,000."
        ),
    ] = None,
    neighbours: Annotated[
        int | None, typer.Option(help="Of each point, to estimate normals where the file has none.")
    ] = None,
    sign_repair: Annotated[bool, typer.Option(help="Repair the sign far from the points.")] = True,
    plot: Annotated[Path | None, typer.Option(help="Draw the surface or curves to this file.")] = None,
    up: Annotated[
        str,
        typer.Option(
            help="The axis that points upward in the picture: x, y or z.", autocompletion=complete_from("x", "y", "z")
        ),
    ] = "y",
    sample: Annotated[int | None, typer.Option(help="Instead, take this many points with normals off a mesh.")] = None,
    noise: Annotated[float, typer.Option(help="With --sample: deviation of the points, in units of the mesh.")] = 0.0,
    seed: Annotated[int, typer.Option(help="With --sample: of the random points.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Reconstruct a surface, or curves in the plane, from points with normals; or sample such points off a mesh.

    Ctrl-C keeps the best so far: the mesh of the function as it is then, on a grid that is coarse where it must be.
    """
    for name, path in (("--out", out), ("--plot", plot)):
        if path is not None:
            check_folder(name, path)
    if sample is not None:
        report = _sampled(cloud, out, sample, noise, seed)
        if as_json:
            print_json(report)
        else:
            deviation = f", noise {noise:g}" if noise else ""
            typer.echo(f"{sample} points with normals off {cloud}{deviation}: {report['file']}")
        return
    if noise or seed:
        raise ValueError("--noise and --seed have a meaning together with --sample only; leave them out.")
    report = _reconstructed(
        cloud, out, plot, kernel, resolution, centres, chunk, noisy, value_nugget, gradient_nugget, neighbours,
        sign_repair, up,
    )  # fmt: skip
    if as_json:
        print_json(report)
    else:
        _print_summary(report)


def _sampled(mesh: Path, out: Path | None, count: int, noise: float, seed: int) -> dict[str, Any]:
    import numpy as np

    from ridgesplines.checks import check_count, check_number
    from ridgesplines.surfaces.files import CLOUDS, check_ending, read_mesh, write_cloud
    from ridgesplines.surfaces.meshes import sample_mesh

    if out is None:
        raise ValueError("--sample needs --out, the file to write the points to.")
    check_ending(out, CLOUDS, "cloud")
    check_count("--sample", count)
    check_number("--noise", noise, "zero or a positive number", lambda value: 0 <= value < np.inf)
    check_number("--seed", seed, "zero or a positive whole number", lambda value: value >= 0)
    read = read_mesh(mesh)
    points, normals = sample_mesh(*read, count, seed)
    # Other random numbers than those that chose the points.
    points = points + noise * np.random.default_rng([seed, 1]).standard_normal(points.shape)
    file = write_cloud(out, points, normals)
    return {"command": "surface", "mesh": str(mesh), "points": count, "noise": noise, "seed": seed, "file": str(file)}


def _reconstructed(
    cloud: Path,
    out: Path | None,
    plot: Path | None,
    kernel: str,
    resolution: int,
    centres: int | None,
    chunk: int | None,
    noisy: bool,
    value_nugget: float,
    gradient_nugget: float,
    neighbours: int | None,
    sign_repair: bool,
    up: str,
) -> dict[str, Any]:
    import numpy as np

    from ridgesplines.checks import check_count, is_one_of
    from ridgesplines.solvers.kernel_gradients import NystromGradients
    from ridgesplines.solvers.kernel_gradients.ordering import coarse_to_fine
    from ridgesplines.surfaces.chunks import PartitionSolution
    from ridgesplines.surfaces.files import CURVES, MESHES, check_ending, trimesh_module, write_mesh
    from ridgesplines.surfaces.reconstruction import reconstruct

    if centres is not None:
        check_count("--centres", centres)
    if centres is not None and chunk is not None:
        raise ValueError("--centres and --chunk are two ways to spend less on many points; leave one of them out.")
    if noisy and (value_nugget or gradient_nugget):
        raise ValueError("--noisy chooses the nuggets; leave out --value-nugget and --gradient-nugget.")
    if not is_one_of(up, ("x", "y", "z")):
        raise ValueError(f"--up must be x, y or z, got {up}.")
    if plot is not None and plot.suffix.lower() not in PICTURES:
        raise ValueError(f"--plot {plot}: the name of a picture must end in {', '.join(PICTURES)}.")
    chosen_kernel = _kernel(kernel)
    read, estimated, seconds = _opened(cloud, neighbours)
    points, normals = read
    assert normals is not None
    if out is not None:
        kind = check_ending(out, *((CURVES, "curve") if points.shape[1] == 2 else (MESHES, "mesh")))[1]
        if kind in (".ply", ".stl"):
            trimesh_module()
    kept, solver = np.arange(len(points)), None
    if centres is not None and centres < len(points):
        if noisy or (value_nugget > 0 and gradient_nugget > 0):
            solver = NystromGradients(centres=centres)
        else:
            kept = np.sort(coarse_to_fine(points)[:centres])
    made = reconstruct(
        points[kept],
        normals[kept],
        kernel=chosen_kernel,
        solver=solver,
        value_nugget="automatic" if noisy else value_nugget,
        gradient_nugget="automatic" if noisy else gradient_nugget,
        chunk=chunk,
        resolution=resolution,
        sign_repair=sign_repair,
    )
    files = {}
    if out is not None:
        files["mesh"] = str(write_mesh(out, made.vertices, made.faces))
    if plot is not None:
        started = time.perf_counter()
        files["plot"] = str(_drawn(plot, made, points, normals, up))
        seconds["picture"] = time.perf_counter() - started
    values, slopes = made.function.at_many(points)
    cosines = np.sum(slopes * normals, axis=1) / (np.linalg.norm(slopes, axis=1) * np.linalg.norm(normals, axis=1))
    angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    repair, solution = made.repair, made.solution
    return {
        "command": "surface",
        "cloud": str(cloud),
        "points": len(points),
        "dimension": points.shape[1],
        "normals": "estimated" if estimated else "given",
        "kernel": repr(chosen_kernel),
        "fitted": len(kept),
        "centres": len(kept) if solver is None else solver.centres,
        "chunks": len(solution.chunks) if isinstance(solution, PartitionSolution) else 1,
        "chunks_solved": solution.solved if isinstance(solution, PartitionSolution) else 1,
        "value_nugget": solution.nuggets[0],
        "gradient_nugget": solution.nuggets[1],
        "nuggets_by_point": noisy and solution.nuggets[0] > 0,
        "normals_averaged": made.edges is not None and made.edges.averaged,
        "edges": None if made.edges is None else str(made.edges),
        "size": float(np.ptp(points, axis=0).max()),
        "largest_residual": float(np.abs(values).max()),
        "mean_residual": float(np.abs(values).mean()),
        "largest_angle": float(angles.max()),
        "mean_angle": float(angles.mean()),
        "vertices": len(made.vertices),
        "faces": len(made.faces),
        "spacing": made.spacing,
        "watertight": made.watertight,
        "sign_repair": None if repair is None else str(repair),
        "values_added": 0 if repair is None else len(repair.points),
        "rounds": 0 if repair is None else repair.rounds,
        "sheets_left_out": made.trimmed,
        "solver": solution.status.value,
        "interrupted": list(made.interrupted),
        "seconds": seconds | made.seconds,
        "files": files,
    }


def _kernel(name: str) -> Kernel:
    from ridgesplines.kernels import GaussianKernel, MaternKernel, PolyharmonicKernel, UniformKernel

    made = {
        "uniform": UniformKernel,
        "gaussian": GaussianKernel,
        "polyharmonic": PolyharmonicKernel,
        "matern": MaternKernel,
    }
    if name not in made:
        raise ValueError(f"--kernel must be one of {', '.join(_KERNELS)}, got {name}.")
    return made[name]()


def _opened(cloud: Path, neighbours: int | None) -> tuple[OrientedPoints, bool, dict[str, float]]:
    """The cloud, with normals estimated where the file has none; whether they are, and the time by stage."""
    from ridgesplines.surfaces.files import OrientedPoints, read_cloud
    from ridgesplines.surfaces.normals import estimate_normals

    started = time.perf_counter()
    read = read_cloud(cloud)
    seconds = {"reading": time.perf_counter() - started}
    if read.normals is not None:
        if neighbours is not None:
            raise ValueError(f"--neighbours is for files without normals, but {cloud} has them; leave it out.")
        return read, False, seconds
    typer.echo(f"Note: {cloud} has no normals; they are estimated, outward, from neighbouring points.", err=True)
    started = time.perf_counter()
    normals = estimate_normals(read.points, neighbours=neighbours)
    seconds["normals"] = time.perf_counter() - started
    return OrientedPoints(read.points, normals), True, seconds


def _drawn(path: Path, made: Reconstruction, points: np.ndarray, normals: np.ndarray, up: str) -> Path:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from ridgesplines.archive import write_beside
    from ridgesplines.surfaces.drawing import plot_curves
    from ridgesplines.surfaces.rendering import plot_mesh

    if points.shape[1] == 2:
        ax = plot_curves(made, points, normals)
    else:
        shown = points if len(points) <= _DRAWN else None
        ax = plot_mesh(made.vertices, made.faces, points=shown, up=up, size=900)
    figure = ax.get_figure(root=True)
    assert figure is not None
    write_beside(path, lambda temporary: figure.savefig(temporary, dpi=150))
    plt.close(figure)
    return path


def _print_summary(report: dict[str, Any]) -> None:
    kind = "triangles" if report["dimension"] == 3 else "segments"
    fitted = "" if report["fitted"] == report["points"] else f", {report['fitted']} of them fitted"
    centres = "" if report["centres"] == report["fitted"] else f", {report['centres']} centres"
    chunks = "" if report["chunks"] == 1 else f", {report['chunks_solved']} of {report['chunks']} chunks"
    size = report["size"]
    closed = "watertight" if report["dimension"] == 3 else "closed"
    repair = report["sign_repair"] or "not asked for"
    if report["sheets_left_out"]:
        repair += f"; parts far from all points, left out: {report['sheets_left_out']}"
    rows = [
        ("cloud", f"{report['cloud']}: {report['points']} points{fitted}, normals {report['normals']}"),
        ("kernel", f"{report['kernel']}{centres}{chunks}, {report['solver']}"),
        (
            "nuggets",
            f"{report['value_nugget']:.1e} for values, {report['gradient_nugget']:.1e} for gradients"
            + ", the medians of those chosen for each point" * report["nuggets_by_point"],
        ),
        *([] if report["edges"] is None else [("edges", report["edges"])]),
        (
            "residual |f| at the points",
            f"mean {report['mean_residual']:.2e}, largest {report['largest_residual']:.2e}  (size {size:.4g})",
        ),
        ("angle to the normals", f"mean {report['mean_angle']:.2g}°, largest {report['largest_angle']:.2g}°"),
        ("mesh", f"{report['vertices']} vertices, {report['faces']} {kind}, grid spacing {report['spacing']:.3g}"),
        (closed, "yes" if report["watertight"] else "no"),
        ("sign far from the points", repair),
        ("time", ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in report["seconds"].items())),
        *((name, path) for name, path in report["files"].items()),
    ]
    if report["interrupted"]:
        rows.insert(0, ("interrupted", f"in the {' and the '.join(report['interrupted'])}; this is the best so far"))
    print_rows(rows)
