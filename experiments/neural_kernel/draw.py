"""Draw unseen bodies: the points, the reconstructions with and without features, and the body."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

import ridgesplines as rs
from experiments.neural_kernel.field import FeatureNetwork
from experiments.neural_kernel.run import (
    FIXED,
    LEARNED,
    TEST,
    errors_of,
    grid_of,
    kernel_alone,
    learned,
    mesh_of,
    vertices_of,
)
from ridgesplines.archive import write_beside

# Of the test's parts: the one that features help most, and one that they help as much as most of them.
SHOWN = (3, 9)


def discs(points: np.ndarray, normals: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A mesh of small hexagons that show the points and where their normals look."""
    across = np.cross(normals, np.eye(3)[np.abs(normals).argmin(axis=1)])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(normals, across)
    angles = np.arange(6) * np.pi / 3
    ring = np.cos(angles)[:, None, None] * across + np.sin(angles)[:, None, None] * other
    vertices = (points + radius * ring).transpose(1, 0, 2).reshape(-1, 3)
    fan = np.array([[0, i, i + 1] for i in range(1, 5)])
    return vertices, (6 * np.arange(len(points))[:, None, None] + fan).reshape(-1, 3)


def draw(folder: Path, pictures: Path, numbers: tuple[int, ...] = SHOWN) -> None:
    """`neural_kernel.png` from the network that `run` saved."""
    matplotlib.use("Agg")
    pictures.mkdir(parents=True, exist_ok=True)
    network = FeatureNetwork.load(folder / "network.npz")
    size = (10.8, 2.8 * len(numbers))
    figure, axes = plt.subplots(len(numbers), 4, figsize=size, squeeze=False, layout="constrained")
    for row, number in zip(axes, numbers, strict=True):
        body, points, normals = TEST[0].cloud(number)
        grid = grid_of(points)
        x = vertices_of(grid)
        exact = mesh_of(grid, body.distance(x))
        rs.surfaces.plot_mesh(*discs(points, normals, grid.spacing / 2), frame=exact.vertices, size=300, ax=row[0])
        row[0].set_title(f"{len(points)} points", fontsize="small")
        for ax, name, values in (
            (row[1], FIXED, kernel_alone(points, normals, x)),
            (row[2], LEARNED, learned(network, points, normals, x)),
        ):
            outside = errors_of(body, grid, values, points, number).outside
            rs.surfaces.plot_mesh(*mesh_of(grid, values), frame=exact.vertices, size=300, ax=ax)
            ax.set_title(f"{name}: IoU {1 - outside:.3f}", fontsize="small")
        rs.surfaces.plot_mesh(*exact, frame=exact.vertices, size=300, ax=row[-1])
        row[-1].set_title("the body", fontsize="small")
        for ax in row:
            ax.set_axis_off()
    write_beside(pictures / "neural_kernel.png", lambda path: figure.savefig(path, dpi=75))
    plt.close(figure)
    print(f"pictures in {pictures}")
