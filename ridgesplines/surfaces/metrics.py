"""How far two shapes are apart: distances, angles between normals, agreement of the insides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from ridgesplines.arrays import finite_array
from ridgesplines.checks import check_count, check_number
from ridgesplines.surfaces.distances import distance_to_mesh
from ridgesplines.surfaces.meshes import checked_mesh, sample_mesh
from ridgesplines.surfaces.winding import winding_number

# Triangles this many of their radii away count together in the IoU: wrong by 2e-3 on average, where a closed mesh has
# 0 or 1 and the inside is what exceeds a half.
_SEPARATION = 3.0


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


@dataclass(frozen=True)
class MeshErrors(ShapeErrors):
    """Distances between two meshes, and how far their insides agree.

    Attributes:
        iou: the common volume divided by that of either; NaN where one of the shapes is samples.
    """

    iou: float


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
        consistency = _consistency(normals, reference_normals[nearest], reference_normals, normals[nearest_back])
    return _errors(forward, backward, threshold, consistency)


def mesh_errors(
    vertices: Any,
    faces: Any,
    reference: Any,
    reference_faces: Any = None,
    *,
    threshold: float,
    reference_normals: Any = None,
    samples: int = 50_000,
    probes: int = 200_000,
    seed: int = 0,
) -> MeshErrors:
    """Compare a mesh with another mesh, or with dense samples of a surface.

    Random points on one mesh and their exact distances to the other one: unlike between samples, there is no floor.
    Where the reference is samples, their spacing is the floor of the distances from the mesh to them.

    Args:
        vertices: (V, 3).
        faces: (F, 3).
        reference: the vertices of the other mesh, or samples of the surface, (m, 3).
        reference_faces: (G, 3), or None for samples.
        threshold: of the F-score.
        reference_normals: unit normals at samples.
        samples: how many random points on each mesh.
        probes: how many random points in a box around both meshes, a tenth longer than they, for the IoU.
        seed: of the random points.

    Raises:
        ValueError: if these are no meshes.
    """
    vertices, faces = checked_mesh(vertices, faces)
    check_number("threshold", threshold, "a positive number", lambda value: 0 < value < np.inf)
    check_count("probes", probes)
    points, normals = sample_mesh(vertices, faces, samples, seed)
    if reference_faces is None:
        reference = finite_array("reference", reference, dimensions=(2,))
        if reference.shape[1] != 3 or not len(reference):
            raise ValueError(f"reference must be points (m, 3), got shape {reference.shape}.")
        forward, nearest = KDTree(reference).query(points)
        backward, face = distance_to_mesh(vertices, faces, reference)
        consistency = np.nan
        if reference_normals is not None:
            reference_normals = finite_array("reference_normals", reference_normals, dimensions=(2,))
            if reference_normals.shape != reference.shape:
                raise ValueError("reference_normals must have the shape of reference.")
            consistency = _consistency(
                normals, reference_normals[nearest], reference_normals, _face_normals(vertices, faces)[face]
            )
        return MeshErrors(**vars(_errors(forward, backward, threshold, consistency)), iou=np.nan)
    reference, reference_faces = checked_mesh(reference, reference_faces)
    others, other_normals = sample_mesh(reference, reference_faces, samples, seed + 1)
    forward, near = distance_to_mesh(reference, reference_faces, points)
    backward, near_back = distance_to_mesh(vertices, faces, others)
    consistency = _consistency(
        normals,
        _face_normals(reference, reference_faces)[near],
        other_normals,
        _face_normals(vertices, faces)[near_back],
    )
    corners = np.concatenate([vertices[faces.ravel()], reference[reference_faces.ravel()]])
    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = 0.05 * (high - low).max()
    x = np.random.default_rng(seed).uniform(low - margin, high + margin, (probes, 3))
    inside = winding_number(vertices, faces, x, separation=_SEPARATION) > 0.5
    inside_reference = winding_number(reference, reference_faces, x, separation=_SEPARATION) > 0.5
    iou = occupancy_agreement(inside, inside_reference) if (inside | inside_reference).any() else np.nan
    return MeshErrors(**vars(_errors(forward, backward, threshold, consistency)), iou=iou)


def _errors(forward: np.ndarray, backward: np.ndarray, threshold: float, consistency: float) -> ShapeErrors:
    precision, recall = float(np.mean(forward <= threshold)), float(np.mean(backward <= threshold))
    score = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    quantile = max(float(np.quantile(forward, 0.95)), float(np.quantile(backward, 0.95)))
    return ShapeErrors(float(forward.mean() + backward.mean()) / 2, quantile, score, consistency)


def _consistency(normals: np.ndarray, there: np.ndarray, reference: np.ndarray, back: np.ndarray) -> float:
    ways = (np.abs(np.sum(one * other, axis=1)).mean() for one, other in ((normals, there), (reference, back)))
    return float(sum(ways)) / 2


def _face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)


def occupancy_agreement(inside: np.ndarray, reference: np.ndarray) -> float:
    """The volume common to two bodies, divided by that of either (IoU), from truth values at the same random points.

    Raises:
        ValueError: if the shapes differ, or no point is inside.
    """
    inside, reference = np.asarray(inside, dtype=bool), np.asarray(reference, dtype=bool)
    if inside.shape != reference.shape or not (inside | reference).any():
        raise ValueError("inside and reference must have one shape and points inside.")
    return float(np.sum(inside & reference) / np.sum(inside | reference))
