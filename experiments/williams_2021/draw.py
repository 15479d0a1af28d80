"""Draw the meshes of the first seed beside the references, all seen by the same camera."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

import ridgesplines as rs
from experiments.williams_2021.methods import AUTOMATIC, DEFAULT, NOISE_TUNED, TUNED, UNIFORM
from experiments.williams_2021.run import CLEAN, NOISY, Study, mesh_file, reference_file
from ridgesplines.archive import write_beside

# Where the camera stands around each shape, in degrees.
AZIMUTHS = {"spot": 215.0, "bunny": 25.0, "armadillo": 205.0, "fandisk": 30.0}
# What is drawn of each study, ours first, and where.
SHOWN = {CLEAN.name: (UNIFORM, TUNED, DEFAULT), NOISY.name: (AUTOMATIC, TUNED, NOISE_TUNED)}
PICTURES = {CLEAN.name: "surfaces.png", NOISY.name: "surfaces_noise.png"}


def draw(folder: Path, pictures: Path, study: Study = CLEAN) -> None:
    """One picture of all shapes of a study that `run` saved: the samples, the methods, the reference."""
    matplotlib.use("Agg")
    pictures.mkdir(parents=True, exist_ok=True)
    shown = SHOWN[study.name]
    drawn = [shape for shape in study.shapes if mesh_file(folder, shape, shown[0], study).is_file()]
    if not drawn:
        print(f"nothing to draw of the study {study.name}: {folder} holds no meshes of it")
        return
    noisy = "noisy " if study.noise else ""
    titles = (f"{study.count} {noisy}points with normals", *shown, "reference")
    figure, axes = plt.subplots(
        len(drawn), len(titles), figsize=(2.6 * len(titles), 2.6 * len(drawn)), squeeze=False, layout="constrained"
    )
    for row, shape in zip(axes, drawn, strict=True):
        reference = rs.surfaces.read_mesh(reference_file(shape))
        points = study.cloud(reference, 0)[0]
        azimuth = AZIMUTHS.get(shape, 35.0)
        row[0].set_axis_off()
        for ax, method in zip(row[1:-1], shown, strict=True):
            file = mesh_file(folder, shape, method, study)
            if file.is_file():
                _draw(ax, rs.surfaces.read_mesh(file), reference, azimuth)
            ax.set_axis_off()
        _draw(row[-1], reference, reference, azimuth)
        rs.surfaces.plot_mesh(*reference, points=points, azimuth=azimuth, frame=reference.vertices, size=400, ax=row[0])
        row[0].images[0].set_alpha(0.25)
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title, fontsize="medium")
    write_beside(pictures / PICTURES[study.name], lambda temporary: _save(figure, temporary))
    plt.close(figure)
    print(f"{PICTURES[study.name]} in {pictures}")


def _draw(ax: Axes, mesh: rs.surfaces.Mesh, reference: rs.surfaces.Mesh, azimuth: float) -> None:
    rs.surfaces.plot_mesh(*mesh, azimuth=azimuth, frame=reference.vertices, size=400, ax=ax)


def _save(figure: Figure, path: str) -> None:
    figure.savefig(path, dpi=75)
    with Image.open(path) as picture:
        # Shades of one colour need no more, and a third of the bytes.
        small = picture.convert("RGB").quantize(96)
    small.save(path, optimize=True)
