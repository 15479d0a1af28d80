"""Interpolation of values and gradients with the kernel K(x, y) + φ(x)·φ(y), φ learned features of the cloud."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import cho_factor
from scipy.spatial import KDTree

import ridgesplines as rs
from ridgesplines.archive import assembling, read_archive, write_archive
from ridgesplines.surfaces.implicit import oriented_problem

Layers = tuple[tuple[Any, Any], ...]

# Of a point of the cloud, and of a place.
POINT_NEIGHBOURS, PLACE_NEIGHBOURS = 8, 12
FEATURES = 6
_HIDDEN = 16
# Of φ at the start: so small that the kernel is nearly the one without features.
_GAIN = 0.002
# How fast weights fall with the squared distance at the start, and how they rise with the height: towards the largest
# (as outside of a convex edge), the least (of a concave one), or neither.
_FALLS, _RISES = (0.3, 1.0, 0.3, 1.0, 0.3, 1.0), (0.0, 0.0, 4.0, 8.0, -4.0, -8.0)
# Lengths below this part of the spacing are not told apart: φ has gradients at the points themselves.
_SMOOTH = 0.25
# Of the diagonal: from coinciding points on, the matrix is definite by its rounding only.
_JITTER = 1e-13
_BATCH = 4096


class Cloud(NamedTuple):
    """What the features see: points and normals (N, 3), neighbours of points (N, k), the spacing."""

    points: Any
    normals: Any
    neighbours: Any
    spacing: Any


class Places(NamedTuple):
    """Where the features are wanted: points (n, 3) and which of the cloud's are near, nearest first, (n, k + 1)."""

    x: Any
    neighbours: Any


class Equations(NamedTuple):
    """The kernel without features on a cloud: K, the lower factor of its matrix, the data: values and gradients."""

    kernel: rs.kernels.Kernel
    factor: Any
    data: Any


def cloud_of(points: np.ndarray, normals: np.ndarray) -> Cloud:
    """The cloud with its neighbourhoods."""
    distances, neighbours = KDTree(points).query(points, POINT_NEIGHBOURS + 1)
    return Cloud(points, normals, np.asarray(neighbours)[:, 1:], np.median(np.asarray(distances)[:, 1:5]))


def places_of(cloud: Cloud, x: np.ndarray) -> Places:
    """Points with their neighbourhoods in the cloud."""
    return Places(x, KDTree(cloud.points).query(x, PLACE_NEIGHBOURS + 1)[1])


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False)
class FeatureNetwork:
    """φ: R³ → R^`FEATURES`: weighted means of the heights of x over the tangent planes of the points around it.

    Each feature weighs the planes in its own way and shifts each a little, as two networks say: one that sees a point
    beside its neighbours, and one that sees x beside the points around it and what the others of them are like. They
    are shown distances, heights and angles in parts of the spacing, so that moving and turning the cloud does not
    change φ, and φ grows with it. A plane of the best weights continues a face up to its edge, and not beyond.

    Attributes:
        pairs: layers, (weights, biases), that see a point of the cloud beside a neighbour.
        places: layers that see x beside a point of the cloud and what `pairs` made of that.
        heads: layers that see the same beside the mean of `places` around x; weights and shifts for each feature.
        scales: (3, `FEATURES`): logarithms of how fast weights fall with the distance and of the gains, and how weights
            rise with the height.
    """

    pairs: Layers
    places: Layers
    heads: Layers
    scales: Any

    @classmethod
    def initial(cls, seed: int) -> FeatureNetwork:
        """Random layers; the last one starts small, so that the weights first depend on the distances alone."""
        rng = np.random.default_rng(seed)

        def layers(*sizes: int) -> Layers:
            return tuple(
                (jnp.asarray(rng.standard_normal((a, b)) * (2 / a) ** 0.5), jnp.zeros(b)) for a, b in pairwise(sizes)
            )

        heads = layers(2 + 2 * _HIDDEN, _HIDDEN, 2 * FEATURES)
        last, bias = heads[-1]
        scales = jnp.stack([jnp.log(jnp.array(_FALLS)), jnp.full(FEATURES, np.log(_GAIN)), jnp.array(_RISES)])
        return cls(
            layers(4, _HIDDEN, _HIDDEN),
            layers(2 + _HIDDEN, _HIDDEN, _HIDDEN),
            (*heads[:-1], (0.1 * last, bias)),
            scales,
        )

    def __call__(self, cloud: Cloud, places: Places) -> Any:
        """φ at the places, (n, `FEATURES`); continuous where the set of neighbours changes."""
        return self.around(cloud, self.of_points(cloud), places)

    def of_points(self, cloud: Cloud) -> Any:
        """What the network makes of each point of the cloud beside its neighbours, (N, hidden)."""
        points, normals, spacing = jnp.asarray(cloud.points), jnp.asarray(cloud.normals), cloud.spacing
        step = points[cloud.neighbours] - points[:, None]
        near, own = normals[cloud.neighbours], normals[:, None]
        inputs = jnp.stack(
            [
                jnp.linalg.norm(step, axis=-1) / spacing,
                jnp.sum(step * own, axis=-1) / spacing,
                jnp.sum(step * near, axis=-1) / spacing,
                jnp.sum(own * near, axis=-1),
            ],
            axis=-1,
        )
        return jax.nn.silu(_apply(self.pairs, inputs)).mean(axis=1)

    def around(self, cloud: Cloud, of_points: Any, places: Places) -> Any:
        """φ at the places from what `of_points` gave."""
        points, normals, spacing = jnp.asarray(cloud.points), jnp.asarray(cloud.normals), cloud.spacing
        chosen = places.neighbours[:, :-1]
        step = (places.x[:, None] - points[chosen]) / spacing
        square = jnp.sum(step**2, axis=-1)
        distance = jnp.sqrt(square + _SMOOTH**2)
        # Those that leave the neighbourhood have no weight by then.
        last = (places.x - points[places.neighbours[:, -1]]) / spacing
        edge = jnp.sqrt(jnp.sum(last**2, axis=-1, keepdims=True) + _SMOOTH**2)
        weights = (1 - distance / edge) ** 2 + 1e-9
        height = jnp.sum(step * normals[chosen], axis=-1)
        seen = jnp.stack([jnp.tanh(height / 2), jnp.tanh(distance / 4)], axis=-1)
        seen = jnp.concatenate([seen, of_points[chosen]], axis=-1)
        ways = jax.nn.silu(_apply(self.places, seen))
        mean = jnp.sum(weights[..., None] * ways, axis=1, keepdims=True) / jnp.sum(weights, axis=1)[:, None, None]
        both = jnp.concatenate([seen, jnp.broadcast_to(mean, ways.shape)], axis=-1)
        logits, shifts = jnp.split(_apply(self.heads, both), 2, axis=-1)
        falls, gains = jnp.exp(self.scales[:2])
        logits = logits + jnp.log(weights)[..., None] - falls * square[..., None]
        logits = logits + self.scales[2] * jnp.tanh(height / 2)[..., None]
        means = jnp.sum(jax.nn.softmax(logits, axis=1) * (height[..., None] + shifts), axis=1)
        return gains * spacing * means

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all layers to one `.npz` file; returns its path."""
        arrays = {
            f"{part}.{i}.{name}": np.asarray(array)
            for part in _PARTS
            for i, layer in enumerate(getattr(self, part))
            for name, array in zip(("weights", "biases"), layer, strict=True)
        }
        sizes = [len(getattr(self, part)) for part in _PARTS]
        arrays["scales"] = np.asarray(self.scales)
        return write_archive(path, arrays, {"kind": "FeatureNetwork", "sizes": sizes})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FeatureNetwork:
        """Read what `save` wrote.

        Raises:
            ValueError: if the file is missing, damaged or of another kind.
        """
        arrays, metadata = read_archive(path, ("FeatureNetwork",))
        with assembling(path, "FeatureNetwork"):
            pairs, places, heads = (
                tuple(
                    (jnp.asarray(arrays[f"{part}.{i}.weights"]), jnp.asarray(arrays[f"{part}.{i}.biases"]))
                    for i in range(size)
                )
                for part, size in zip(_PARTS, metadata["sizes"], strict=True)
            )
            return cls(pairs, places, heads, jnp.asarray(arrays["scales"]))

    def tree_flatten(self) -> tuple[tuple[Any, ...], None]:
        """For JAX."""
        return (self.pairs, self.places, self.heads, self.scales), None

    @classmethod
    def tree_unflatten(cls, _: None, children: tuple[Any, ...]) -> FeatureNetwork:
        """For JAX."""
        return cls(*children)


_PARTS = ("pairs", "places", "heads")


def _apply(layers: Layers, x: Any) -> Any:
    for weights, biases in layers[:-1]:
        x = jax.nn.silu(x @ weights + biases)
    weights, biases = layers[-1]
    return x @ weights + biases


def equations(kernel: rs.kernels.Kernel, cloud: Cloud) -> Equations:
    """Values 0 and gradients n at the points of the cloud, (4N,): their matrix, factorized, and the data."""
    matrix = np.array(kernel.hermite(cloud.points, cloud.points))
    matrix[np.diag_indices(len(matrix))] += _JITTER * np.mean(np.diagonal(matrix))
    data = np.concatenate([np.zeros((len(cloud.points), 1)), cloud.normals], axis=1).ravel()
    return Equations(kernel, cho_factor(matrix, lower=True, overwrite_a=True)[0], data)


def on_data(network: FeatureNetwork, cloud: Cloud, of_points: Any, places: Places) -> Any:
    """Values and gradients of φ at the places, point by point as in `Kernel.hermite`: (4n, `FEATURES`)."""

    def along(direction: Any) -> Any:
        def moved(x: Any) -> Any:
            return network.around(cloud, of_points, Places(x, places.neighbours))

        x = jnp.asarray(places.x)
        return jax.jvp(moved, (x,), (jnp.broadcast_to(direction, x.shape),))

    values, slopes = jax.vmap(along, out_axes=(None, 0))(jnp.eye(3))
    both = jnp.concatenate([values[None], slopes])
    return both.transpose(1, 0, 2).reshape(-1, FEATURES)


def coefficients(given: Equations, features: Any) -> tuple[Any, Any]:
    """Those of the kernel, (4N,), and of the features, (`FEATURES`,), in the interpolant of least norm.

    With A the matrix without features and Φ those on the data, c = (I + Φᵀ A⁻¹ Φ)⁻¹ Φᵀ A⁻¹ y and A⁻¹ (y − Φ c): the
    solution for A + Φ Φᵀ, whose factor is not needed.
    """

    def inverse(right: Any) -> Any:
        return jax.scipy.linalg.cho_solve((given.factor, True), right)

    solved = inverse(jnp.concatenate([features, jnp.asarray(given.data)[:, None]], axis=1))
    small = jnp.eye(FEATURES) + features.T @ solved[:, :-1]
    c = jnp.linalg.solve((small + small.T) / 2, features.T @ solved[:, -1])
    return solved[:, -1] - solved[:, :-1] @ c, c


@jax.jit
def fitted(network: FeatureNetwork, cloud: Cloud, own: Places, given: Equations, places: Places) -> Any:
    """f at the places, (n,); `own` are the points as places."""
    of_points = network.of_points(cloud)
    dual, c = coefficients(given, on_data(network, cloud, of_points, own))
    jet = given.kernel.jet(jnp.asarray(places.x)[:, None], jnp.asarray(cloud.points)[None])
    cross = jnp.concatenate([jet.value[..., None], jet.y_gradient], axis=-1).reshape(len(places.x), -1)
    return cross @ dual + network.around(cloud, of_points, places) @ c


@dataclass(frozen=True, eq=False)
class NeuralField:
    """f(x) = Σ_j dual_j·(K and its gradients at point j) + c·φ(x), negative inside.

    Attributes:
        network: φ.
        cloud: the points, in the unit ball.
        spline: the part of the kernel.
        weights: c, (`FEATURES`,).
        centre, scale: of the ball in the units of the points.
    """

    network: FeatureNetwork
    cloud: Cloud
    spline: rs.KernelSpline
    weights: np.ndarray
    centre: np.ndarray
    scale: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Values (n,) at points (n, 3), nearly signed distances at the surface."""
        x = (x - self.centre) / self.scale
        of_points = self.network.of_points(self.cloud)
        trend = []
        for start in range(0, len(x), _BATCH):
            # Of one size, so that one program serves all.
            part = np.resize(x[start : start + _BATCH], (_BATCH, 3))
            trend.append(np.asarray(_around(self.network, self.cloud, of_points, places_of(self.cloud, part))))
        features = np.concatenate(trend)[: len(x)]
        return self.scale * (np.asarray(self.spline(x)) + features @ self.weights)


_around = jax.jit(lambda network, *arguments: network.around(*arguments))


@jax.jit
def _coefficients(network: FeatureNetwork, cloud: Cloud, own: Places, given: Equations) -> tuple[Any, Any]:
    return coefficients(given, on_data(network, cloud, network.of_points(cloud), own))


def fit(network: FeatureNetwork, points: np.ndarray, normals: np.ndarray) -> NeuralField:
    """The function of least norm that vanishes at oriented points and has their normals as gradients.

    What `rs.surfaces.fit_oriented` finds, with the kernel that has the features added.
    """
    problem, centre, scale, *_ = oriented_problem(points, normals)
    cloud = cloud_of(problem.points, np.asarray(problem.gradients))
    dual, c = _coefficients(network, cloud, places_of(cloud, cloud.points), equations(problem.kernel, cloud))
    spline = rs.KernelSpline(problem.kernel, problem.points, np.asarray(dual).reshape(-1, 4))
    return NeuralField(network, cloud, spline, np.asarray(c), centre, scale)
