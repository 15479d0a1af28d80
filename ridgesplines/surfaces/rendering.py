"""Pictures of meshes, shaded, without a display."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ridgesplines.arrays import finite_array
from ridgesplines.checks import check_count, check_number, is_one_of
from ridgesplines.oracles.compilation import compiled
from ridgesplines.surfaces.meshes import checked_mesh

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_UP = ("x", "y", "z")
# Pixels are the mean of this many squared.
_FINER = 2
# Where the lights stand, seen from the camera (right, up, towards it), and how bright they are.
_LIGHTS = (((0.4, 0.6, 0.7), 0.75), ((-0.7, 0.1, 0.7), 0.25))
_AMBIENT = 0.12
_FRONT, _BACK = (0.85, 0.82, 0.76), (0.55, 0.25, 0.2)


def plot_mesh(
    vertices: Any,
    faces: Any,
    *,
    points: Any = None,
    azimuth: float = 35.0,
    elevation: float = 20.0,
    up: str = "y",
    frame: Any = None,
    size: int = 600,
    ax: Any = None,
) -> Axes:
    """Draw a triangle mesh, shaded, seen from far away; the back of triangles is red.

    Args:
        vertices: (V, 3).
        faces: (F, 3), counterclockwise seen from outside.
        points: (N, 3), drawn on top where the mesh does not hide them.
        azimuth: where the camera stands around the upward axis, in degrees; 0 is the axis after it (of y, z).
        elevation: how far above the horizon, in degrees.
        up: "x", "y" or "z".
        frame: points (m, 3) that the picture shows; by default the vertices. The same frame gives the same camera.
        size: pixels along the longer side.
        ax: matplotlib Axes to draw on; new ones by default.

    Raises:
        ValueError: if these are no mesh, or there is nothing to show.
    """
    import matplotlib.pyplot as plt

    vertices, faces = checked_mesh(vertices, faces)
    for name, angle in (("azimuth", azimuth), ("elevation", elevation)):
        check_number(name, angle, "a number of degrees", math.isfinite)
    if not is_one_of(up, _UP):
        raise ValueError(f"up must be one of {', '.join(_UP)}, got {up!r}.")
    check_count("size", size)
    camera = _camera(azimuth, elevation, up)
    shown = (vertices if frame is None else finite_array("frame", frame, dimensions=(2,))) @ camera.T
    if not len(shown) or not len(faces):
        raise ValueError("the mesh has no faces: there is nothing to show.")
    low, high = shown.min(axis=0)[:2], shown.max(axis=0)[:2]
    margin = 0.03 * float((high - low).max())
    low, high = low - margin, high + margin
    pixel = float((high - low).max()) / size
    counts = np.maximum(1, np.ceil((high - low) / pixel)).astype(int)
    dots = None if points is None else finite_array("points", points, dimensions=(2,)) @ camera.T
    image, visible = _rendered(vertices @ camera.T, faces, low, pixel, counts, dots)
    ax = plt.subplots(layout="constrained")[1] if ax is None else ax
    ax.imshow(image, extent=(low[0], low[0] + counts[0] * pixel, low[1], low[1] + counts[1] * pixel))
    if dots is not None:
        ax.plot(*dots[visible, :2].T, ".", color="#0072B2", markersize=2.5)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    ax.set_axis_off()
    return ax


def _camera(azimuth: float, elevation: float, up: str) -> np.ndarray:
    """The rotation (3, 3) to right, up and towards the camera."""
    along, height = math.radians(azimuth), math.radians(elevation)
    axis = _UP.index(up)
    towards = np.zeros(3)
    towards[axis] = math.sin(height)
    towards[(axis + 1) % 3] = math.cos(height) * math.cos(along)
    towards[(axis + 2) % 3] = math.cos(height) * math.sin(along)
    # From above, up is where the horizon's azimuth points away.
    upward = np.zeros(3)
    upward[axis] = math.cos(height)
    upward[(axis + 1) % 3] = -math.sin(height) * math.cos(along)
    upward[(axis + 2) % 3] = -math.sin(height) * math.sin(along)
    return np.stack([np.cross(upward, towards), upward, towards])


def _rendered(
    seen: np.ndarray, faces: np.ndarray, low: np.ndarray, pixel: float, counts: np.ndarray, dots: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The image (rows, columns, 4) from above down, and which of the dots are not hidden."""
    fine = pixel / _FINER
    a, b, c = (seen[faces[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    smooth = np.zeros_like(seen)
    for i in range(3):
        np.add.at(smooth, faces[:, i], normals)
    smooth /= np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-300)
    flat = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    # Across a sharp edge a shared normal would smear light: there the triangle's own counts.
    corners = smooth[faces]
    sharp = np.sum(corners * flat[:, None], axis=-1) < 0.8
    corners[sharp] = np.broadcast_to(flat[:, None], corners.shape)[sharp]
    places = (seen - [*low, 0]) / [fine, fine, 1]
    depth = np.full((counts[1] * _FINER, counts[0] * _FINER), -np.inf)
    found = np.zeros((*depth.shape, 3))
    _rasterize(places[faces], np.ascontiguousarray(corners), depth, found)
    hit = np.isfinite(depth)
    found /= np.maximum(np.linalg.norm(found, axis=-1, keepdims=True), 1e-300)
    behind = found[..., 2] < 0
    found[behind] *= -1
    light = np.full(depth.shape, _AMBIENT)
    for place, strength in _LIGHTS:
        light += strength * np.maximum(found @ (np.array(place) / np.linalg.norm(place)), 0)
    colours = np.where(behind[..., None], _BACK, _FRONT) * light[..., None]
    image = np.concatenate([np.clip(colours, 0, 1) * hit[..., None], hit[..., None]], axis=-1)
    image = image.reshape(counts[1], _FINER, counts[0], _FINER, 4).mean(axis=(1, 3))[::-1]
    image[..., :3] /= np.maximum(image[..., 3:], 1e-9)
    visible = np.zeros(0, dtype=bool)
    if dots is not None:
        index = np.floor((dots[:, :2] - low) / fine).astype(int)
        inside = (index >= 0).all(axis=1) & (index < [depth.shape[1], depth.shape[0]]).all(axis=1)
        visible = np.zeros(len(dots), dtype=bool)
        front = depth[index[inside, 1], index[inside, 0]]
        # A point on the surface is as deep as its pixel, up to the slope.
        visible[inside] = dots[inside, 2] >= front - 4 * pixel
    return np.clip(image, 0, 1), visible


@compiled
def _rasterize(places, normals, depth, found):  # type: ignore[no-untyped-def]
    """For each pixel the nearest triangle's depth, and its normal there."""
    rows, columns = depth.shape
    for k in range(len(places)):
        ax, ay, bx, by, cx, cy = (
            places[k, 0, 0], places[k, 0, 1], places[k, 1, 0], places[k, 1, 1], places[k, 2, 0], places[k, 2, 1],
        )  # fmt: skip
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        first, last = max(math.floor(min(ax, bx, cx)), 0), min(math.ceil(max(ax, bx, cx)), columns - 1)
        lowest, highest = max(math.floor(min(ay, by, cy)), 0), min(math.ceil(max(ay, by, cy)), rows - 1)
        for i in range(lowest, highest + 1):
            y = i + 0.5
            for j in range(first, last + 1):
                x = j + 0.5
                u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
                v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
                w = 1 - u - v
                # A little beyond the edges, so that no pixel between two triangles is missed.
                if u < -1e-9 or v < -1e-9 or w < -1e-9:
                    continue
                z = u * places[k, 0, 2] + v * places[k, 1, 2] + w * places[k, 2, 2]
                if z > depth[i, j]:
                    depth[i, j] = z
                    for n in range(3):
                        found[i, j, n] = u * normals[k, 0, n] + v * normals[k, 1, n] + w * normals[k, 2, n]
