"""Made bodies with their signed distances: parts with sharp edges, joined and cut, and smooth unions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.spatial.transform import Rotation

from ridgesplines.surfaces import OrientedPoints

KINDS = ("sphere", "box", "torus", "capsule")
SHARP_KINDS = ("box", "cylinder")
# Points this near to the surface are projected onto it.
_BAND = 0.03
_STEP = 1e-5
# Faces of two solids this near to each other are one.
_TOUCHING = 1e-9
# Parts of which less than this part of the cube is inside have hardly a body left between their cuts.
_LEAST = 2e-3


class Solid(Protocol):
    """What can be reconstructed: values, negative inside, and oriented points of the surface."""

    def distance(self, x: np.ndarray) -> np.ndarray:
        """The value at points (n, 3): the signed distance near to smooth places of the surface."""
        ...

    def sample(self, count: int, rng: np.random.Generator) -> OrientedPoints:
        """Points of the surface and their outward normals."""
        ...


@dataclass(frozen=True, eq=False)
class Primitive:
    """One solid of `KINDS` or `SHARP_KINDS`.

    Attributes:
        kind: which.
        rotation: (3, 3).
        centre: (3,).
        sizes: (3,): a radius (sphere); half the lengths (box); two radii (torus); radius and half the length, at the
            second and third place (capsule, cylinder).
    """

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
        if self.kind == "cylinder":
            beyond = np.column_stack([np.hypot(p[:, 0], p[:, 1]) - b, np.abs(p[:, 2]) - c])
            return np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0)
        p = np.column_stack([p[:, :2], p[:, 2] - np.clip(p[:, 2], -c, c)])
        return np.linalg.norm(p, axis=1) - b

    def area(self) -> float:
        """The area of the surface of a box or a cylinder."""
        a, b, c = (float(size) for size in self.sizes)
        return 8 * (a * b + b * c + c * a) if self.kind == "box" else 2 * np.pi * b * (b + 2 * c)

    def sample(self, count: int, rng: np.random.Generator) -> OrientedPoints:
        """Points of the surface of a box or a cylinder, uniform by area, and their outward normals: exact."""
        if self.kind == "box":
            faces = self.sizes.prod() / self.sizes
            axis, side = rng.choice(3, count, p=faces / faces.sum()), rng.choice([-1.0, 1.0], count)
            normals = side[:, None] * np.eye(3)[axis]
            points = rng.uniform(-1, 1, (count, 3))
            points[np.arange(count), axis] = side
            points *= self.sizes
        else:
            _, b, c = self.sizes
            angle, height = rng.uniform(0, 2 * np.pi, count), rng.uniform(-c, c, count)
            round_, zero = np.column_stack([np.cos(angle), np.sin(angle)]), np.zeros(count)
            cap = rng.uniform(size=count) < b / (b + 2 * c)
            side, radius = np.where(height < 0, -1.0, 1.0), b * np.sqrt(rng.uniform(size=count))
            points = np.where(
                cap[:, None],
                np.column_stack([radius[:, None] * round_, c * side]),
                np.column_stack([b * round_, height]),
            )
            normals = np.where(cap[:, None], np.column_stack([zero, zero, side]), np.column_stack([round_, zero]))
        return OrientedPoints(points @ self.rotation.T + self.centre, normals @ self.rotation.T)


@dataclass(frozen=True, eq=False)
class Part:
    """What is in one of the `joined` and in none of the `cut`: boxes and cylinders, with the edges that this makes.

    The sign is exact. The value is the distance to the surface of the solid that decides, never more than that to the
    part's: less it is near to some edges only.
    """

    joined: tuple[Primitive, ...]
    cut: tuple[Primitive, ...] = ()

    def distance(self, x: np.ndarray) -> np.ndarray:
        """The value at points (n, 3), negative inside."""
        value = np.min([primitive.distance(x) for primitive in self.joined], axis=0)
        return np.max([value, *(-primitive.distance(x) for primitive in self.cut)], axis=0)

    def sample(self, count: int, rng: np.random.Generator) -> OrientedPoints:
        """Points of the surface, uniform by area, and their outward normals: exact."""
        primitives = (*self.joined, *self.cut)
        areas = np.array([primitive.area() for primitive in primitives])
        sign = np.repeat([1.0, -1.0], [len(self.joined), len(self.cut)])
        points, normals = np.zeros((0, 3)), np.zeros((0, 3))
        while len(points) < count:
            found = rng.multinomial(2 * count, areas / areas.sum())
            parts = [primitive.sample(int(n), rng) for primitive, n in zip(primitives, found, strict=True)]
            x = np.concatenate([part.points for part in parts])
            outward = np.concatenate([s * np.asarray(part.normals) for s, part in zip(sign, parts, strict=True)])
            order = rng.permutation(len(x))
            x, outward = x[order], outward[order]
            # What is within another solid, or cut off, is no surface of the part.
            kept = np.abs(self.distance(x)) < _TOUCHING
            points, normals = np.concatenate([points, x[kept]]), np.concatenate([normals, outward[kept]])
        return OrientedPoints(points[:count], normals[:count])


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


def draw_part(rng: np.random.Generator) -> Part:
    """One to three boxes, plates and cylinders, most along the same axes, with up to two cuts, in [−1, 1]³."""
    while True:
        turn = Rotation.random(rng=rng).as_matrix()
        count, cuts = int(rng.integers(1, 4)), int(rng.integers(0, 3))
        joined = tuple(_draw_sharp(rng, turn, 0.1 if count == 1 else 0.3) for _ in range(count))
        cut = tuple(_draw_sharp(rng, turn, 0.4, cutting=True) for _ in range(cuts))
        part = Part(joined, cut)
        if np.mean(part.distance(rng.uniform(-1, 1, (4000, 3))) < 0) > _LEAST:
            return part


def _draw_sharp(rng: np.random.Generator, turn: np.ndarray, spread: float, cutting: bool = False) -> Primitive:
    """A box, a plate or a cylinder; cuts are slots and holes."""
    kind = SHARP_KINDS[rng.integers(2)]
    aligned = rng.uniform() < 0.75
    rotation = turn @ np.roll(np.eye(3), rng.integers(3), axis=0) if aligned else Rotation.random(rng=rng).as_matrix()
    if kind == "box":
        sizes = rng.uniform(0.06, 0.2, 3) if cutting else rng.uniform(0.12, 0.45, 3)
        if cutting:
            sizes[rng.integers(3)] = 0.8
        elif rng.uniform() < 0.4:
            sizes[rng.integers(3)] = rng.uniform(0.04, 0.08)
    else:
        sizes = np.array([0, rng.uniform(0.06, 0.2), 0.8] if cutting else [0, *rng.uniform((0.1, 0.06), (0.4, 0.45))])
    return Primitive(kind, rotation, rng.uniform(-spread, spread, 3), sizes)


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
