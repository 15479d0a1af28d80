"""Distances from points to a triangle mesh: exact, by a tree of boxes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ridgesplines.arrays import finite_array
from ridgesplines.oracles.compilation import compiled
from ridgesplines.oracles.threads import in_threads
from ridgesplines.surfaces.box_tree import BoxTree
from ridgesplines.surfaces.meshes import checked_mesh


def distance_to_mesh(vertices: Any, faces: Any, x: Any) -> tuple[np.ndarray, np.ndarray]:
    """The distance of each point of `x` (n, 3) to the nearest point of a mesh, (n,), and the triangle it is on, (n,).

    Raises:
        ValueError: if these are no mesh with faces and points in space.
    """
    vertices, faces = checked_mesh(vertices, faces)
    x = finite_array("x", x, dimensions=(2,))
    if x.shape[1] != 3 or not len(faces):
        raise ValueError(f"x must have 3 columns and the mesh faces, got shape {x.shape} and {len(faces)} faces.")
    corners = vertices[faces]
    tree = BoxTree.of(corners.min(axis=1), corners.max(axis=1))
    ordered = np.ascontiguousarray(corners[tree.order])
    distances, nearest = np.empty(len(x)), np.empty(len(x), dtype=np.int64)

    def work(start: int, stop: int) -> None:
        _nearest(
            x, distances, nearest, start, stop, tree.start, tree.stop, tree.child, tree.low, tree.high, ordered
        )  # fmt: skip

    in_threads(work, len(x))
    return distances, tree.order[nearest]


@compiled
def _nearest(  # type: ignore[no-untyped-def]
    x, distances, nearest, start, stop, starts, stops, children, low, high, corners
):
    stack = np.empty(128, dtype=np.int64)
    bounds = np.empty(128)
    for i in range(start, stop):
        best, found = np.inf, 0
        depth = 1
        stack[0], bounds[0] = 0, 0.0
        while depth:
            depth -= 1
            node = stack[depth]
            if bounds[depth] >= best:
                continue
            if children[node] >= 0:
                first = children[node]
                near, far = (
                    _box_square(x[i], low[first], high[first]),
                    _box_square(x[i], low[first + 1], high[first + 1]),
                )
                closer = first
                if far < near:
                    closer, near, far = first + 1, far, near
                stack[depth], bounds[depth] = 2 * first + 1 - closer, far
                stack[depth + 1], bounds[depth + 1] = closer, near
                depth += 2
            else:
                for j in range(starts[node], stops[node]):
                    square = _triangle_square(x[i], corners[j])
                    if square < best:
                        best, found = square, j
        distances[i], nearest[i] = math.sqrt(best), found


@compiled
def _box_square(p, low, high):  # type: ignore[no-untyped-def]
    total = 0.0
    for k in range(3):
        out = max(low[k] - p[k], 0.0, p[k] - high[k])
        total += out * out
    return total


@compiled
def _segment_square(p, a, b):  # type: ignore[no-untyped-def]
    along, length = 0.0, 0.0
    for k in range(3):
        side = b[k] - a[k]
        along += (p[k] - a[k]) * side
        length += side * side
    t = min(max(along / length, 0.0), 1.0) if length > 0 else 0.0
    total = 0.0
    for k in range(3):
        out = p[k] - a[k] - t * (b[k] - a[k])
        total += out * out
    return total


@compiled
def _triangle_square(p, corners):  # type: ignore[no-untyped-def]
    a, b, c = corners[0], corners[1], corners[2]
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    wx, wy, wz = p[0] - a[0], p[1] - a[1], p[2] - a[2]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    square = nx * nx + ny * ny + nz * nz
    if square > 0:
        # Where the foot on the triangle's plane lies: its barycentric coordinates.
        s = (wx * (vy * nz - vz * ny) + wy * (vz * nx - vx * nz) + wz * (vx * ny - vy * nx)) / square
        t = (wx * (ny * uz - nz * uy) + wy * (nz * ux - nx * uz) + wz * (nx * uy - ny * ux)) / square
        if s >= 0 and t >= 0 and s + t <= 1:
            height = wx * nx + wy * ny + wz * nz
            return height * height / square
    return min(_segment_square(p, a, b), _segment_square(p, b, c), _segment_square(p, c, a))
