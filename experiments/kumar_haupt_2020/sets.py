"""The data, and the constraint sets that they are interpolated under."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

import ridgesplines as rs

COUNT = 12


@dataclass(frozen=True)
class ConstraintSet:
    """Which networks there are, and what they cost.

    Attributes:
        key: names the files.
        title: names the row.
        regularizer: the atomic norm.
        convex: whether the targets are those of a convex function: nothing else is a sum of v_k σ with v_k ≥ 0.
    """

    key: str
    title: str
    regularizer: rs.AtomicNorm
    convex: bool = False


SETS = (
    ConstraintSet("radon_tv", "ℓ2, free biases, affine free (Radon TV)", rs.AtomicNorm()),
    ConstraintSet("l1", "ℓ1, free biases, affine free", rs.AtomicNorm(1)),
    ConstraintSet("linf", "ℓ∞, free biases, affine free", rs.AtomicNorm(math.inf)),
    ConstraintSet("constant", "ℓ2, free biases, constants free", rs.AtomicNorm(skip="constant")),
    ConstraintSet("leaky", "ℓ2, free biases, slope 0.5, constants free", rs.AtomicNorm(slope=0.5, skip="constant")),
    ConstraintSet("joint_affine", "ℓ2 with biases, affine free", rs.AtomicNorm(bias="joint")),
    ConstraintSet("joint", "ℓ2 with biases, nothing free", rs.AtomicNorm(bias="joint", skip="none")),
    ConstraintSet("joint_l1", "ℓ1 with biases, nothing free", rs.AtomicNorm(1, "joint", skip="none")),
    ConstraintSet(
        "joint_leaky", "ℓ2 with biases, slope 0.1, nothing free", rs.AtomicNorm(bias="joint", slope=0.1, skip="none")
    ),
    ConstraintSet("bounded", "ℓ2, |b| ≤ 1.5 ‖w‖, nothing free", rs.AtomicNorm(bias=1.5, skip="none")),
    ConstraintSet("no_bias", "ℓ2, no biases, constants free", rs.AtomicNorm(bias="none", skip="constant")),
    ConstraintSet("nonnegative", "ℓ2, v ≥ 0, convex targets", rs.AtomicNorm(nonnegative=True), convex=True),
)


def points(dimension: int) -> np.ndarray:
    """12 points in the plane or on the line, (12, d), within the unit disc."""
    rng = np.random.default_rng([2020, dimension])
    if dimension == 1:
        return np.sort(rng.uniform(-1, 1, COUNT))[:, None]
    angles, radii = rng.uniform(0, 2 * np.pi, COUNT), np.sqrt(rng.uniform(0, 1, COUNT))
    return np.column_stack([radii * np.cos(angles), radii * np.sin(angles)])


def problem_of(which: ConstraintSet, dimension: int) -> rs.Problem:
    """To interpolate the data under a constraint set."""
    x = points(dimension)
    y = (x**2).sum(axis=1) if which.convex else np.sin(4 * x[:, 0]) + np.cos(3 * x[:, -1])
    return rs.Problem(rs.Samples(x), y, loss=rs.Interpolation(), regularizer=which.regularizer)


@dataclass(frozen=True)
class Classifier:
    """Two classes in the plane, told apart under one loss.

    Attributes:
        key: names the files.
        title: names the row.
        loss: of labels.
        strength: λ; None for a constraint.
    """

    key: str
    title: str
    loss: rs.Loss
    strength: float | None = None


CLASSIFIERS = (
    Classifier("hard_margin", "hard margin, y f(x) ≥ 1", rs.HardMargin()),
    Classifier("hinge", "hinge loss, λ = 0.3", rs.HingeLoss(), 0.3),
    Classifier("logistic", "logistic loss, λ = 0.3", rs.LogisticLoss(), 0.3),
)


def classes_of(which: Classifier, count: int = 60, seed: int = 27) -> rs.Problem:
    """Points in the square and whether they lie above a folded curve, one label in fifteen wrong, to tell apart.

    Under a constraint without the wrong labels.
    """
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (count, 2))
    y = np.where(x[:, 1] > 1.2 * np.abs(x[:, 0]) - 0.6, 1.0, -1.0)
    if which.loss.needs_strength:
        y[rng.choice(count, count // 15, replace=False)] *= -1
    return rs.Problem(rs.Samples(x), y, loss=which.loss, strength=which.strength)
