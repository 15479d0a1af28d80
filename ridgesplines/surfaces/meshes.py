"""Triangle meshes as two arrays: checked, sampled, taken apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ridgesplines.arrays import finite_array
from ridgesplines.checks import check_count


def checked_mesh(vertices: Any, faces: Any) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) as floats and faces (F, 3) as whole numbers.

    Raises:
        ValueError: if they are no mesh.
    """
    vertices, faces = finite_array("vertices", vertices, dimensions=(2,)), np.asarray(faces)
    if vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu":
        raise ValueError(
            f"vertices must be (V, 3) and faces (F, 3) whole numbers, got shapes {vertices.shape} and {faces.shape}."
        )
    if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise ValueError(f"faces must name vertices 0 … {len(vertices) - 1}, got {faces.min()} … {faces.max()}.")
    return vertices, faces.astype(np.int64)


def sample_mesh(vertices: Any, faces: Any, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points (count, 3) uniform on a triangle mesh by area, and their triangles' unit normals.

    Raises:
        ValueError: if `vertices` (V, 3) and `faces` (F, 3) are no mesh, or have no area.
    """
    vertices, faces = checked_mesh(vertices, faces)
    check_count("count", count)
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    areas = np.linalg.norm(normals, axis=1)
    if not areas.sum() > 0:
        raise ValueError("the mesh has no area.")
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(faces), size=count, p=areas / areas.sum())
    root, along = np.sqrt(rng.uniform(size=(count, 1))), rng.uniform(size=(count, 1))
    points = (1 - root) * a[chosen] + root * (1 - along) * b[chosen] + root * along * c[chosen]
    return points, normals[chosen] / areas[chosen, None]


def is_watertight(faces: np.ndarray) -> bool:
    """Whether there is no boundary: each edge is in two triangles, each vertex of a curve in two segments."""
    if not len(faces):
        return False
    if faces.shape[1] == 2:
        counts = np.bincount(faces.ravel())
        return bool((counts[counts > 0] == 2).all())
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    return bool((np.unique(edges, axis=0, return_counts=True)[1] == 2).all())


def components(vertex_count: int, faces: np.ndarray) -> np.ndarray:
    """The number of the connected part that each vertex belongs to, (V,), by triangles or segments."""
    starts = np.concatenate([faces[:, 0]] * (faces.shape[1] - 1))
    ends = faces[:, 1:].T.ravel()
    graph = coo_matrix((np.ones(len(starts), dtype=bool), (starts, ends)), shape=(vertex_count, vertex_count))
    return connected_components(graph, directed=False)[1]
