"""Surfaces from oriented points, beside screened Poisson reconstruction where PyMeshLab is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Outcome, Unavailable
from experiments.style import new_figure
from experiments.williams_2021.generated import SHAPES
from experiments.williams_2021.methods import DEFAULT, METHODS, TUNED, UNIFORM
from experiments.williams_2021.run import THRESHOLD, reference_file
from ridgesplines.surfaces.meshes import is_watertight

_METHODS = (UNIFORM, TUNED, DEFAULT)
_TITLES = {UNIFORM: "Neural Spline", TUNED: "Poisson, tuned", DEFAULT: "Poisson, default"}
_WORDS = {TUNED: "tuned", DEFAULT: "default"}
_MEASURES = ("chamfer", "outside_iou", "outside_normals")


def parts(shapes: list[str], seeds: int, count: int) -> list[dict[str, Any]]:
    for shape in shapes:
        if shape not in SHAPES:
            reference_file(shape)
    return [
        dict(shape=shape, seed=seed, count=count, method=method)
        for shape in shapes
        for seed in range(seeds)
        for method in _METHODS
    ]


def _reference(shape: str) -> rs.surfaces.Mesh:
    return SHAPES[shape]() if shape in SHAPES else rs.surfaces.read_mesh(reference_file(shape))


def reconstruct(shape: str, seed: int, count: int, method: str) -> dict[str, Any]:
    """One method on one cloud; lengths in units of the ball that holds the points to radius 0.9."""
    try:
        import skimage  # noqa: F401 # the extra `surfaces`, which the package imports when it needs it
    except ImportError as error:
        raise Unavailable(f"meshes need the extra surfaces ({error}): pip install 'ridgesplines[surfaces]'") from None
    reference = _reference(shape)
    points, normals = rs.surfaces.sample_mesh(*reference, count, seed)
    scale = float(np.linalg.norm(points - (points.min(axis=0) + points.max(axis=0)) / 2, axis=1).max()) / 0.9
    try:
        made = METHODS[method](points, normals)
    except Unavailable as error:
        return dict(missing=str(error))
    errors = rs.surfaces.mesh_errors(*made.mesh, *reference, threshold=THRESHOLD * scale)
    found = dict(
        missing="",
        chamfer=errors.chamfer / scale,
        outside_iou=1 - errors.iou,
        outside_normals=1 - errors.normal_consistency,
        watertight=is_watertight(made.mesh.faces),
    )
    if seed == 0:
        found |= dict(vertices=made.mesh.vertices.astype(np.float32), faces=made.mesh.faces.astype(np.int32))
        if method == UNIFORM:
            found |= dict(points=points, whole=reference.vertices.astype(np.float32))
            found |= dict(parts_of_whole=reference.faces.astype(np.int32))
    return found


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    by_method: dict[str, dict[tuple[str, int], dict[str, Any]]] = {method: {} for method in _METHODS}
    missing: dict[str, str] = {}
    for part, one in zip(parts, found, strict=True):
        if one["missing"]:
            missing[part["method"]] = one["missing"]
        else:
            by_method[part["method"]][part["shape"], part["seed"]] = one
    ours = by_method[UNIFORM]
    numbers = {
        "not_watertight": sum(not one["watertight"] for one in ours.values()),
        "mean_iou": 1 - float(np.mean([one["outside_iou"] for one in ours.values()])),
        "least_iou": 1 - max(one["outside_iou"] for one in ours.values()),
        "mean_normals": 1 - float(np.mean([one["outside_normals"] for one in ours.values()])),
        "mean_chamfer": float(np.mean([one["chamfer"] for one in ours.values()])),
    }
    absent: dict[str, str] = {}
    for method, word in _WORDS.items():
        names = [f"{measure}_to_{word}" for measure in _MEASURES] + [f"worst_chamfer_to_{word}"]
        if method in missing:
            absent |= dict.fromkeys(names, missing[method])
            continue
        theirs = by_method[method]
        ratios = [
            sum(one[measure] for one in ours.values()) / sum(one[measure] for one in theirs.values())
            for measure in _MEASURES
        ]
        worst = max(one["chamfer"] / theirs[cloud]["chamfer"] for cloud, one in ours.items())
        numbers |= dict(zip(names, (*map(float, ratios), float(worst)), strict=True))
    arrays: dict[str, np.ndarray] = {}
    for shape in dict.fromkeys(part["shape"] for part in parts):
        for k, method in enumerate(_METHODS):
            one = by_method[method].get((shape, 0))
            if one is not None:
                arrays |= {f"{name}_{shape}_{k}": one[name] for name in ("vertices", "faces")}
                numbers[f"chamfer_{shape}_{k}"] = one["chamfer"]
        arrays |= {f"{name}_{shape}": ours[shape, 0][name] for name in ("points", "whole", "parts_of_whole")}
    return Outcome(numbers, arrays, absent)


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    shapes = [name.removeprefix("points_") for name in arrays if name.startswith("points_")]
    figure = new_figure(height=1.55 * len(shapes))
    columns = ("points", *_TITLES.values(), "truth")
    axes = figure.subplots(len(shapes), len(columns), squeeze=False)
    for row, shape in zip(axes, shapes, strict=True):
        whole, triangles = arrays[f"whole_{shape}"].astype(float), arrays[f"parts_of_whole_{shape}"].astype(int)
        meshes = [(whole, triangles)]
        for k in range(len(_METHODS)):
            vertices = arrays.get(f"vertices_{shape}_{k}")
            if vertices is not None:
                meshes.append((vertices.astype(float), arrays[f"faces_{shape}_{k}"].astype(int)))
        points = arrays[f"points_{shape}"]
        for ax, (vertices, faces) in zip(row[1:], (*meshes[1:], meshes[0]), strict=False):
            rs.surfaces.plot_mesh(vertices, faces, frame=whole, size=400, ax=ax)
        rs.surfaces.plot_mesh(whole, triangles, points=points, frame=whole, size=400, ax=row[0])
        row[0].images[0].set_alpha(0.25)
        for k, ax in enumerate(row[1:4]):
            chamfer = outcome.numbers.get(f"chamfer_{shape}_{k}")
            if chamfer is not None:
                ax.text(0.5, -0.02, f"{1e3 * chamfer:.2f}", transform=ax.transAxes, ha="center", va="top", fontsize=7)
        for ax in row:
            ax.set_axis_off()
    for ax, title in zip(axes[0], columns, strict=True):
        ax.set_title(title)
    figure.supxlabel("numbers: Chamfer distance × 1000", fontsize=7)
    return figure
