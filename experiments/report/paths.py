"""The certified paths that the page moves along, as numbers that its script draws: nothing is solved in the browser."""

from __future__ import annotations

from typing import Any

import numpy as np

import ridgesplines as rs
from ridgesplines.datasets import DATASETS, Dataset

# Certified strengths on each path, and data of the path in the plane.
STEPS, COUNT = 40, 120
# Digits of coefficients on the page: beyond what a picture shows, but those of objective and bound are all kept.
_DIGITS = 7


def certified_paths(steps: int = STEPS, count: int = COUNT) -> list[dict[str, Any]]:
    """The motorcycle data on the line and the elevation model in the plane, for falling λ.

    Args:
        steps: strengths on each path.
        count: data in the plane.
    """
    elevation = DATASETS["elevation"]()
    fewer = Dataset(
        elevation.x[:count], elevation.y[:count], elevation.input_names, elevation.target_name, elevation.units, ""
    )
    return [
        _path("line", "On the line: a motorcycle's impact", DATASETS["motorcycle"](), steps, 1e-4),
        _path("plane", f"In the plane: {count} heights of an elevation model", fewer, steps, 1e-3),
    ]


def _path(key: str, title: str, data: Dataset, steps: int, ratio: float) -> dict[str, Any]:
    problem = rs.Problem(rs.Samples(data.x), data.y, strength=1.0)
    path = rs.regularization_path(problem, count=steps, ratio=ratio)
    return {
        "key": key,
        "title": title,
        "inputs": data.input_labels,
        "target": data.target_label,
        "points": _rounded(data.x),
        "targets": _rounded(data.y),
        "theorem": problem.representer_bound,
        "steps": [_step(float(strength), solution) for strength, solution in zip(path.strengths, path, strict=True)],
    }


def _step(strength: float, solution: rs.Solution) -> dict[str, Any]:
    certificate, spline = solution.certificate, solution.spline
    return {
        "strength": strength,
        "objective": certificate.objective,
        "bound": certificate.bound,
        "gap": certificate.relative_gap,
        "kind": certificate.kind,
        "loss": certificate.loss,
        "seminorm": certificate.regularization,
        "weights": _rounded(spline.weights),
        "biases": _rounded(spline.biases),
        "coefficients": _rounded(spline.coefficients),
        "polynomial": _rounded(spline.polynomial.coefficients),
        # Of the profile p_z / λ, which is drawn.
        "dual": _rounded(np.asarray(solution.dual) / strength),
    }


def _rounded(values: Any) -> Any:
    """Lists of numbers with as many digits as a picture needs."""
    array = np.asarray(values, dtype=float)
    if array.ndim == 0:
        return float(f"{array:.{_DIGITS}g}")
    return [_rounded(row) for row in array]
