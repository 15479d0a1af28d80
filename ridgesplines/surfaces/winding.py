"""How often meshes, curves and oriented points wind around a point: 1 inside and 0 outside."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from ridgesplines.arrays import finite_array
from ridgesplines.checks import check_count, check_number
from ridgesplines.oracles.compilation import compiled
from ridgesplines.oracles.threads import in_threads
from ridgesplines.surfaces.box_tree import BoxTree
from ridgesplines.surfaces.meshes import checked_mesh

# Pairs of points and segments held at once.
_BLOCK = 2**22


def winding_number(vertices: Any, faces: Any, x: Any, *, separation: float = math.inf) -> np.ndarray:
    """How often a mesh winds around each point of `x` (n, 3): 1 inside and 0 outside of a closed, outward mesh.

    The sum of the solid angles of all triangles, divided by 4π.

    Args:
        vertices: (V, 3).
        faces: (F, 3).
        x: (n, 3).
        separation: triangles whose ball is farther from x than this times its radius count together, by the first two
            terms of their expansion: about O(log F) for each point. 2 is wrong by some 5e-3 on average, 4 by 1e-3;
            infinity, the default, sums all of them exactly, O(F).

    Raises:
        ValueError: if these are no mesh and points in space, or `separation` is less than 1.

    Source: Jacobson, Kavan and Sorkine-Hornung (2013), Robust Inside-Outside Segmentation; Barill, Dickson, Schmidt,
    Levin and Jacobson (2018), Fast Winding Numbers for Soups and Clouds.
    """
    vertices, faces = checked_mesh(vertices, faces)
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    return _in_space(corners, normals, _checked_x(x, 3, separation), separation)


def cloud_winding_number(
    points: Any, normals: Any, x: Any, *, neighbours: int = 8, separation: float = 2.0
) -> np.ndarray:
    """How often oriented points wind around each point of `x`: about 1 inside and 0 outside, where points are dense.

    Each point stands for a flat piece of surface, a disc that reaches to its k-th neighbour, divided by k (on a curve,
    an interval); the integral of their dipoles, as for a mesh. Near the points, up to about their spacing, it is noise.

    Args:
        points: (N, d), d = 2 or 3.
        normals: (N, d), outward, of any length but zero.
        x: (n, d).
        neighbours: k.
        separation: see `winding_number`; in the plane all are summed.

    Raises:
        ValueError: if shapes do not fit, or numbers are out of range.

    Source: Barill, Dickson, Schmidt, Levin and Jacobson (2018), Fast Winding Numbers for Soups and Clouds.
    """
    points = finite_array("points", points, dimensions=(2,))
    normals = finite_array("normals", normals, dimensions=(2,))
    check_count("neighbours", neighbours)
    if points.shape[1] not in (2, 3) or normals.shape != points.shape or not len(points):
        raise ValueError(
            f"points and normals must be (N, 2) or (N, 3) alike, got shapes {points.shape} and {normals.shape}."
        )
    x = _checked_x(x, points.shape[1], separation)
    radii = neighbour_radius(points, neighbours)
    used = min(neighbours, len(points) - 1) or 1
    sizes = 2 * radii / used if points.shape[1] == 2 else np.pi * radii**2 / used
    dipoles = normals * (sizes / np.linalg.norm(normals, axis=1))[:, None]
    if points.shape[1] == 3:
        return _in_space(points[:, None], dipoles, x, separation)
    result = np.empty(len(x))
    rows = max(1, _BLOCK // len(points))
    for start in range(0, len(x), rows):
        away = points[None] - x[start : start + rows, None]
        # A point of the cloud itself does not wind around itself.
        square = np.maximum(np.sum(away**2, axis=-1), 1e-300)
        result[start : start + rows] = np.sum(np.sum(away * dipoles, axis=-1) / square, axis=1) / (2 * np.pi)
    return result


def neighbour_radius(points: np.ndarray, neighbours: int) -> np.ndarray:
    """The distance from each point to its k-th nearest other one, (N,); of fewer points to the farthest."""
    count = min(neighbours, len(points) - 1)
    found: Any = KDTree(points).query(points, k=count + 1)
    return found[0].reshape(len(points), -1)[:, -1]


def _checked_x(x: Any, dimension: int, separation: float) -> np.ndarray:
    check_number("separation", separation, "at least 1", lambda value: value >= 1)
    x = finite_array("x", x, dimensions=(2,))
    if x.shape[1] != dimension:
        raise ValueError(f"x must have {dimension} columns, got shape {x.shape}.")
    return x


def _in_space(corners: np.ndarray, dipoles: np.ndarray, x: np.ndarray, separation: float) -> np.ndarray:
    """The sum over triangles (F, 3, 3), or dipoles at points (F, 1, 3), with area-weighted normals `dipoles`."""
    result = np.zeros(len(x))
    if not len(corners) or not len(x):
        return result
    tree = BoxTree.of(corners.min(axis=1), corners.max(axis=1))
    # Relative to a middle, or the sums over nodes would lose digits far from the origin.
    origin = (tree.low[0] + tree.high[0]) / 2
    corners, x = corners - origin, x - origin
    middles = corners.mean(axis=1)
    weights = np.linalg.norm(dipoles, axis=1) + 1e-300
    centres = tree.sums(weights[:, None] * middles) / tree.sums(weights)[:, None]
    first = tree.sums(dipoles)
    # Σ n ⊗ (middle − centre) = Σ n ⊗ middle − (Σ n) ⊗ centre.
    second = tree.sums(dipoles[:, :, None] * middles[:, None, :]) - first[:, :, None] * centres[:, None, :]
    low, high = tree.low - origin, tree.high - origin
    # A ball around the centre that holds the node's box.
    radii = np.linalg.norm(np.maximum(high - centres, centres - low), axis=1)
    ordered, pieces = np.ascontiguousarray(corners[tree.order]), np.ascontiguousarray(dipoles[tree.order])

    def work(start: int, stop: int) -> None:
        _wind(
            x, result, start, stop, separation, tree.start, tree.stop, tree.child, centres, radii, first, second,
            ordered, pieces,
        )  # fmt: skip

    in_threads(work, len(x))
    return result


@compiled
def _wind(  # type: ignore[no-untyped-def]
    x, result, start, stop, separation, starts, stops, children, centres, radii, first, second, corners, dipoles
):
    stack = np.empty(128, dtype=np.int64)
    triangles = corners.shape[1] == 3
    for i in range(start, stop):
        px, py, pz = x[i, 0], x[i, 1], x[i, 2]
        angle = 0.0
        depth = 1
        stack[0] = 0
        while depth:
            depth -= 1
            node = stack[depth]
            rx, ry, rz = centres[node, 0] - px, centres[node, 1] - py, centres[node, 2] - pz
            square = rx * rx + ry * ry + rz * rz
            distance = math.sqrt(square)
            if distance > separation * radii[node]:
                cube = square * distance
                n, m = first[node], second[node]
                value = n[0] * rx + n[1] * ry + n[2] * rz
                trace = m[0, 0] + m[1, 1] + m[2, 2]
                along = (
                    rx * (m[0, 0] * rx + m[0, 1] * ry + m[0, 2] * rz)
                    + ry * (m[1, 0] * rx + m[1, 1] * ry + m[1, 2] * rz)
                    + rz * (m[2, 0] * rx + m[2, 1] * ry + m[2, 2] * rz)
                )
                angle += (value + trace - 3 * along / square) / cube
            elif children[node] >= 0:
                stack[depth] = children[node]
                stack[depth + 1] = children[node] + 1
                depth += 2
            else:
                for j in range(starts[node], stops[node]):
                    ax, ay, az = corners[j, 0, 0] - px, corners[j, 0, 1] - py, corners[j, 0, 2] - pz
                    la = math.sqrt(ax * ax + ay * ay + az * az)
                    if not triangles:
                        if la > 0:
                            n = dipoles[j]
                            angle += (n[0] * ax + n[1] * ay + n[2] * az) / (la * la * la)
                        continue
                    bx, by, bz = corners[j, 1, 0] - px, corners[j, 1, 1] - py, corners[j, 1, 2] - pz
                    cx, cy, cz = corners[j, 2, 0] - px, corners[j, 2, 1] - py, corners[j, 2, 2] - pz
                    lb = math.sqrt(bx * bx + by * by + bz * bz)
                    lc = math.sqrt(cx * cx + cy * cy + cz * cz)
                    volume = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
                    rest = (
                        la * lb * lc
                        + (ax * bx + ay * by + az * bz) * lc
                        + (bx * cx + by * cy + bz * cz) * la
                        + (cx * ax + cy * ay + cz * az) * lb
                    )
                    angle += 2 * math.atan2(volume, rest)
        result[i] = angle / (4 * math.pi)
