"""Shapes whose surfaces have formulas, as fine meshes to sample and to compare with, and closed curves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial import ConvexHull

import ridgesplines as rs


def torus(steps: int = 160, radius: float = 1.0, thickness: float = 0.4) -> rs.surfaces.Mesh:
    """Around the third axis, outward."""
    around = 2 * np.pi * np.arange(steps) / steps
    u, v = (angle.ravel() for angle in np.meshgrid(around, around, indexing="ij"))
    distance = radius + thickness * np.cos(v)
    vertices = np.column_stack([distance * np.cos(u), distance * np.sin(u), thickness * np.sin(v)])
    i, j = (index.ravel() for index in np.meshgrid(np.arange(steps), np.arange(steps), indexing="ij"))
    a, b = i * steps + j, (i + 1) % steps * steps + j
    c, d = (i + 1) % steps * steps + (j + 1) % steps, i * steps + (j + 1) % steps
    return rs.surfaces.Mesh(vertices, np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])]))


def bumpy_sphere(count: int = 12_000, height: float = 0.18) -> rs.surfaces.Mesh:
    """A sphere whose radius is a smooth wave of the direction, outward."""
    k = np.arange(count) + 0.5
    polar, around = np.arccos(1 - 2 * k / count), np.pi * (1 + 5**0.5) * k
    unit = np.column_stack([np.cos(around) * np.sin(polar), np.sin(around) * np.sin(polar), np.cos(polar)])
    faces = ConvexHull(unit).simplices.astype(np.int64)
    a, b, c = (unit[faces[:, k]] for k in range(3))
    inward = np.sum(np.cross(b - a, c - a) * a, axis=1) < 0
    faces[inward] = faces[inward][:, ::-1]
    waves = np.sin(4 * unit[:, 0]) * np.sin(4 * unit[:, 1] + 1) * np.sin(4 * unit[:, 2] + 2)
    return rs.surfaces.Mesh(unit * (1 + 2 * height * waves)[:, None], faces)


SHAPES: dict[str, Callable[[], rs.surfaces.Mesh]] = {"torus": torus, "bumpy_sphere": bumpy_sphere}


def flower(angles: np.ndarray, petals: int, depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Points of the closed curve r = 1 + depth cos(petals φ) and its outward unit normals, each (N, 2)."""
    radius, slope = 1 + depth * np.cos(petals * angles), -depth * petals * np.sin(petals * angles)
    cosine, sine = np.cos(angles), np.sin(angles)
    along = np.column_stack([slope * cosine - radius * sine, slope * sine + radius * cosine])
    normals = np.column_stack([along[:, 1], -along[:, 0]])
    points = np.column_stack([radius * cosine, radius * sine])
    return points, normals / np.linalg.norm(normals, axis=1, keepdims=True)
