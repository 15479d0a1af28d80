"""Normals of points that have none: tangent planes of neighbours, turned outward together."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree
from scipy.spatial import KDTree

from ridgesplines.arrays import finite_array, unique_rows
from ridgesplines.checks import check_count

# How many neighbours by dimension: enough for a plane under some noise, few enough for thin parts.
_NEIGHBOURS = {2: 4, 3: 12}


def estimate_normals(points: Any, *, neighbours: int | None = None) -> np.ndarray:
    """Outward unit normals (N, d) of points of closed surfaces (d = 3) or curves (d = 2).

    Each normal is the direction in which the nearest points vary least. Signs spread from point to point along a
    spanning tree of the neighbours, over the pairs first whose normals agree best: a normal reflected in the plane
    midway between two points is compared with the other, which is exact on circles and spheres, whatever their size,
    and between the two sides of a thin plate. Each connected part is turned so that the volume within is positive: a
    hollow within a body comes out as a body. Where points are too sparse for their shape, some signs are wrong; look at
    `cloud_winding_number`, or at the surface.

    Args:
        points: (N, d).
        neighbours: how many, the point itself not counted; by default 12 in space and 4 in the plane. More for noise.

    Raises:
        ValueError: for less than d + 1 different points, or if they are not in the plane or in space.

    Source: Hoppe, DeRose, Duchamp, McDonald and Stuetzle (1992), Surface Reconstruction from Unorganized Points; the
    reflection: König and Gumhold (2009), Consistent Propagation of Normal Orientations in Point Clouds, simplified.
    """
    points = finite_array("points", points, dimensions=(2,))
    dimension = points.shape[1]
    if dimension not in (2, 3):
        raise ValueError(f"points must have 2 or 3 columns, got shape {points.shape}.")
    if neighbours is not None:
        check_count("neighbours", neighbours)
    # Points that stand twice are neighbours of themselves and say nothing of the surface.
    different, group, _ = unique_rows(points)
    if len(different) <= dimension:
        raise ValueError(f"points must be at least {dimension + 1} different ones, got {len(different)}.")
    count = min(neighbours or _NEIGHBOURS[dimension], len(different) - 1)
    if count < dimension:
        raise ValueError(f"neighbours must be at least {dimension} in {dimension} dimensions, got {count}.")
    found: Any = KDTree(different).query(different, k=count + 1)
    distances, nearest = found
    around = different[nearest]
    centred = around - around.mean(axis=1, keepdims=True)
    normals = np.linalg.eigh(centred.transpose(0, 2, 1) @ centred)[1][:, :, 0]
    return _turned(different, normals, nearest[:, 1:], distances[:, 1:])[group]


def _turned(points: np.ndarray, normals: np.ndarray, nearest: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """`normals` with consistent signs, outward."""
    count, degree = nearest.shape
    first, second = np.repeat(np.arange(count), degree), nearest.ravel()
    along = (points[second] - points[first]) / distances.ravel()[:, None]
    from_first, from_second = (np.sum(normals[i] * along, axis=1) for i in (first, second))
    agreement = np.sum(normals[first] * normals[second], axis=1) - 2 * from_first * from_second
    # Steps along the surface before steps through it: across a plate the agreement is as good, but less certain.
    weights = 1e-6 + (1 - np.minimum(np.abs(agreement), 1)) + from_first**2 + from_second**2
    signs = np.where(agreement < 0, -1.0, 1.0)
    graph = coo_matrix((weights, (first, second)), shape=(count, count)).tocsr()
    tree = minimum_spanning_tree(graph.maximum(graph.T))
    # The sign of an edge, whichever way it is taken.
    edge_signs = coo_matrix((signs, (first, second)), shape=(count, count)).tocsr()
    edge_signs.data = np.sign(edge_signs.data)
    reverse = coo_matrix((signs, (second, first)), shape=(count, count)).tocsr()
    total, part = connected_components(tree, directed=False)
    result = normals.copy()
    # How much surface a point stands for, up to a factor.
    sizes = distances[:, -1] ** (points.shape[1] - 1)
    for number in range(total):
        members = np.flatnonzero(part == number)
        order, parents = breadth_first_order(tree, members[0], directed=False)
        steps = np.ravel(np.asarray(edge_signs[order[1:], parents[order[1:]]]))
        other = np.ravel(np.asarray(reverse[order[1:], parents[order[1:]]]))
        steps = np.where(steps != 0, steps, other)
        turn = np.ones(count)
        for child, parent, sign in zip(order[1:], parents[order[1:]], steps, strict=True):
            turn[child] = turn[parent] * sign
        result[members] *= turn[members, None]
        centre = points[members].mean(axis=0)
        volume = np.sum(sizes[members] * np.sum(result[members] * (points[members] - centre), axis=1))
        if volume < 0:
            result[members] *= -1
    return result
