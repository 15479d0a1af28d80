"""Bodies of spheres, boxes, tori and capsules, turned at random and united smoothly, with their signed distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ridgesplines.surfaces import OrientedPoints

KINDS = ("sphere", "box", "torus", "capsule")
# Points this near to the surface are projected onto it.
_BAND = 0.03
_STEP = 1e-5


@dataclass(frozen=True, eq=False)
class Primitive:
    """One solid: of `KINDS`, turned by `rotation` (3, 3), around `centre` (3,), with lengths `sizes` (3,)."""

    kind: str
    rotation: np.ndarray
    centre: np.ndarray
    sizes: np.ndarray

    def distance(self, x: np.ndarray) -> np.ndarray:
        """The signed distance at points (n, 3), negative inside; exact."""
        p = (x - self.centre) @ self.rotation
        a, b, c = self.sizes
        if self.kind == "sphere":
            return np.linalg.norm(p, axis=1) - a
        if self.kind == "box":
            beyond = np.abs(p) - self.sizes
            return np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0)
        if self.kind == "torus":
            return np.hypot(np.hypot(p[:, 0], p[:, 1]) - a, p[:, 2]) - b
        p = np.column_stack([p[:, :2], p[:, 2] - np.clip(p[:, 2], -c, c)])
        return np.linalg.norm(p, axis=1) - b


@dataclass(frozen=True, eq=False)
class Body:
    """A union of primitives, rounded where they meet within `smoothness`.

    One primitive has its exact signed distance. Unions have the exact sign; outside the rounding their value is the
    distance to the nearer one, exact outside and, inside, near to the surface.
    """

    primitives: tuple[Primitive, ...]
    smoothness: float

    def distance(self, x: np.ndarray) -> np.ndarray:
        """The value at points (n, 3), negative inside."""
        value = self.primitives[0].distance(x)
        for primitive in self.primitives[1:]:
            other = primitive.distance(x)
            blend = np.maximum(self.smoothness - np.abs(value - other), 0) / self.smoothness
            value = np.minimum(value, other) - self.smoothness * blend**2 / 4
        return value

    def normals(self, x: np.ndarray) -> np.ndarray:
        """Unit gradients by central differences, (n, 3)."""
        shifts = _STEP * np.eye(3)
        gradient = np.column_stack([self.distance(x + e) - self.distance(x - e) for e in shifts])
        return gradient / np.linalg.norm(gradient, axis=1, keepdims=True)

    def sample(self, count: int, rng: np.random.Generator) -> OrientedPoints:
        """Points of the surface and their outward normals, uniform to first order in the curvature."""
        found = np.zeros((0, 3))
        while len(found) < count:
            x = rng.uniform(-1, 1, (40 * count, 3))
            x = x[np.abs(self.distance(x)) < _BAND]
            for _ in range(4):
                x = x - self.distance(x)[:, None] * self.normals(x)
            found = np.concatenate([found, x[np.abs(self.distance(x)) < 1e-3]])
        return OrientedPoints(found[:count], self.normals(found[:count]))


def draw_body(rng: np.random.Generator) -> Body:
    """One to three primitives within the cube [−1, 1]³."""
    count = int(rng.integers(1, 4))
    return Body(tuple(_draw_primitive(rng, count) for _ in range(count)), float(rng.uniform(0.02, 0.2)))


def _draw_primitive(rng: np.random.Generator, count: int) -> Primitive:
    kind = KINDS[rng.integers(len(KINDS))]
    centre = rng.uniform(-1, 1, 3) * (0.1 if count == 1 else 0.3)
    low, high = {
        "sphere": ((0.25, 0, 0), (0.55, 0, 0)),
        "box": ((0.1, 0.1, 0.1), (0.4, 0.4, 0.4)),
        "torus": ((0.28, 0.09, 0), (0.4, 0.18, 0)),
        "capsule": ((0, 0.1, 0.1), (0, 0.25, 0.4)),
    }[kind]
    return Primitive(kind, Rotation.random(rng=rng).as_matrix(), centre, rng.uniform(low, high))
