"""Draw unseen bodies: the cloud, the reconstructions with and without features, and the body."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

import ridgesplines as rs
from experiments.neural_kernel.field import FeatureNetwork, evaluate
from experiments.neural_kernel.run import FIXED, LEARNED, errors_of, grid_points, mesh_of, unseen
from ridgesplines.archive import write_beside

SHOWN = (0, 3, 6)


def draw(folder: Path, pictures: Path, numbers: tuple[int, ...] = SHOWN) -> None:
    """`neural_kernel.png` from the network that `run` saved."""
    matplotlib.use("Agg")
    pictures.mkdir(parents=True, exist_ok=True)
    network = FeatureNetwork.load(folder / "network.npz")
    figure, axes = plt.subplots(len(numbers), 3, figsize=(8.1, 2.8 * len(numbers)), squeeze=False, layout="constrained")
    for row, number in zip(axes, numbers, strict=True):
        body, points, normals = unseen(number)
        exact = mesh_of(body.distance(grid_points()))
        for ax, (name, features) in zip(row, ((FIXED, None), (LEARNED, network)), strict=False):
            values = evaluate(features, points, normals, grid_points())
            rs.surfaces.plot_mesh(*mesh_of(values), points=points, frame=exact.vertices, size=300, ax=ax)
            chamfer = errors_of(body, values, number).chamfer
            ax.set_title(f"{name}: Chamfer {1e3 * chamfer:.1f} × 10⁻³", fontsize="small")
        rs.surfaces.plot_mesh(*exact, frame=exact.vertices, size=300, ax=row[-1])
        row[-1].set_title("the body", fontsize="small")
        for ax in row:
            ax.set_axis_off()
    write_beside(pictures / "neural_kernel.png", lambda path: figure.savefig(path, dpi=75))
    plt.close(figure)
    print(f"pictures in {pictures}")
