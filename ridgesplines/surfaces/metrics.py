"""How far two shapes are apart: distances between samples, angles between normals, agreement of the insides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from ridgesplines.arrays import finite_array
from ridgesplines.checks import check_count, check_number

# Pairs of points and triangles held at once: 32 MiB for each of some ten arrays.
_BLOCK = 2**22


@dataclass(frozen=True)
class ShapeErrors:
    """Distances between two shapes.

    Attributes:
        chamfer: the mean of the two mean distances from a sample of one to the nearest of the other.
        hausdorff_95: the larger of the two 95% quantiles of these distances.
        f_score: the harmonic mean of the parts of either sample that are within the threshold of the other.
        normal_consistency: the mean of |n·n′| with the nearest sample's normal, both ways; NaN without normals.
    """

    chamfer: float
    hausdorff_95: float
    f_score: float
    normal_consistency: float


def shape_errors(
    points: Any, reference: Any, *, threshold: float, normals: Any = None, reference_normals: Any = None
) -> ShapeErrors:
    """Compare dense samples of two surfaces or curves. Distances have the sampling's spacing as their floor.

    Args:
        points: samples of one, (n, d).
        reference: samples of the other, (m, d).
        threshold: of the F-score.
        normals: unit normals at `points`.
        reference_normals: and at `reference`.

    Raises:
        ValueError: if shapes do not fit, or there are no points.
    """
    points, reference = (finite_array(n, p, dimensions=(2,)) for n, p in (("points", points), ("reference", reference)))
    check_number("threshold", threshold, "a positive number", lambda value: 0 < value < np.inf)
    if not len(points) or not len(reference) or points.shape[1] != reference.shape[1]:
        raise ValueError(
            f"points and reference must have rows and equally many columns, got {points.shape} and {reference.shape}."
        )
    forward, nearest = KDTree(reference).query(points)
    backward, nearest_back = KDTree(points).query(reference)
    consistency = np.nan
    if normals is not None and reference_normals is not None:
        normals = finite_array("normals", normals, dimensions=(2,))
        reference_normals = finite_array("reference_normals", reference_normals, dimensions=(2,))
        if normals.shape != points.shape or reference_normals.shape != reference.shape:
            raise ValueError("normals and reference_normals must have the shapes of points and reference.")
        there = np.abs(np.sum(normals * reference_normals[nearest], axis=1)).mean()
        back = np.abs(np.sum(reference_normals * normals[nearest_back], axis=1)).mean()
        consistency = float(there + back) / 2
    precision, recall = float(np.mean(forward <= threshold)), float(np.mean(backward <= threshold))
    score = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    quantile = max(float(np.quantile(forward, 0.95)), float(np.quantile(backward, 0.95)))
    return ShapeErrors(float(forward.mean() + backward.mean()) / 2, quantile, score, consistency)


def occupancy_agreement(inside: np.ndarray, reference: np.ndarray) -> float:
    """The volume common to two bodies, divided by that of either (IoU), from truth values at the same random points.

    Raises:
        ValueError: if the shapes differ, or no point is inside.
    """
    inside, reference = np.asarray(inside, dtype=bool), np.asarray(reference, dtype=bool)
    if inside.shape != reference.shape or not (inside | reference).any():
        raise ValueError("inside and reference must have one shape and points inside.")
    return float(np.sum(inside & reference) / np.sum(inside | reference))


def sample_mesh(vertices: Any, faces: Any, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points (count, 3) uniform on a triangle mesh by area, and their triangles' unit normals.

    Raises:
        ValueError: if `vertices` (V, 3) and `faces` (F, 3) are no mesh, or have no area.
    """
    vertices, faces = _checked_mesh(vertices, faces)
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


def winding_number(vertices: Any, faces: Any, x: Any) -> np.ndarray:
    """How often a mesh winds around each point of `x` (n, 3): 1 inside and 0 outside of a closed, outward mesh.

    The sum of the solid angles of all triangles, divided by 4π: O(n F), for evaluations.

    Source: Jacobson, Kavan and Sorkine-Hornung (2013), Robust Inside-Outside Segmentation.
    """
    vertices, faces = _checked_mesh(vertices, faces)
    x = finite_array("x", x, dimensions=(2,))
    result = np.empty(len(x))
    rows = max(1, _BLOCK // max(1, len(faces)))
    for start in range(0, len(x), rows):
        a, b, c = (vertices[faces[:, i]][None] - x[start : start + rows, None] for i in range(3))
        la, lb, lc = (np.linalg.norm(side, axis=-1) for side in (a, b, c))
        volume = np.sum(a * np.cross(b, c), axis=-1)
        rest = la * lb * lc + np.sum(a * b, -1) * lc + np.sum(b * c, -1) * la + np.sum(c * a, -1) * lb
        result[start : start + rows] = np.arctan2(volume, rest).sum(axis=1) / (2 * np.pi)
    return result


def _checked_mesh(vertices: Any, faces: Any) -> tuple[np.ndarray, np.ndarray]:
    vertices, faces = finite_array("vertices", vertices, dimensions=(2,)), np.asarray(faces)
    if vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu":
        raise ValueError(
            f"vertices must be (V, 3) and faces (F, 3) whole numbers, got shapes {vertices.shape} and {faces.shape}."
        )
    if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise ValueError(f"faces must name vertices 0 … {len(vertices) - 1}, got {faces.min()} … {faces.max()}.")
    return vertices, faces
