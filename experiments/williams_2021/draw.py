"""Draw the meshes of the first seed beside the references, all seen by the same camera."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

import ridgesplines as rs
from experiments.williams_2021.methods import DEFAULT, TUNED, UNIFORM
from experiments.williams_2021.run import BESIDE, COUNT, SHAPES, mesh_file
from ridgesplines.archive import write_beside

# Where the camera stands around each shape, in degrees.
AZIMUTHS = {"spot": 215.0, "bunny": 25.0, "armadillo": 205.0, "fandisk": 30.0}
SHOWN = (UNIFORM, TUNED, DEFAULT)


def draw(folder: Path, pictures: Path, shapes: tuple[str, ...] = SHAPES, count: int = COUNT) -> None:
    """One picture of all shapes that `run` saved: the samples, the methods, the reference."""
    matplotlib.use("Agg")
    pictures.mkdir(parents=True, exist_ok=True)
    drawn = [shape for shape in shapes if mesh_file(folder, shape, UNIFORM).is_file()]
    if not drawn:
        print(f"nothing to draw: {folder} holds no meshes")
        return
    titles = (f"{count} points with normals", *SHOWN, "reference")
    figure, axes = plt.subplots(
        len(drawn), len(titles), figsize=(2.6 * len(titles), 2.6 * len(drawn)), squeeze=False, layout="constrained"
    )
    for row, shape in zip(axes, drawn, strict=True):
        reference = rs.surfaces.read_mesh(BESIDE / "meshes" / f"{shape}.ply")
        points, _ = rs.surfaces.sample_mesh(*reference, count, 0)
        azimuth = AZIMUTHS.get(shape, 35.0)
        row[0].set_axis_off()
        for ax, method in zip(row[1:-1], SHOWN, strict=True):
            file = mesh_file(folder, shape, method)
            if file.is_file():
                _draw(ax, rs.surfaces.read_mesh(file), reference, azimuth)
            ax.set_axis_off()
        _draw(row[-1], reference, reference, azimuth)
        rs.surfaces.plot_mesh(*reference, points=points, azimuth=azimuth, frame=reference.vertices, size=400, ax=row[0])
        row[0].images[0].set_alpha(0.25)
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title, fontsize="medium")
    write_beside(pictures / "surfaces.png", lambda temporary: _save(figure, temporary))
    plt.close(figure)
    print(f"pictures in {pictures}")


def _draw(ax: Axes, mesh: rs.surfaces.Mesh, reference: rs.surfaces.Mesh, azimuth: float) -> None:
    rs.surfaces.plot_mesh(*mesh, azimuth=azimuth, frame=reference.vertices, size=400, ax=ax)


def _save(figure: Figure, path: str) -> None:
    figure.savefig(path, dpi=75)
    with Image.open(path) as picture:
        # Shades of one colour need no more, and a third of the bytes.
        small = picture.convert("RGB").quantize(96)
    small.save(path, optimize=True)
