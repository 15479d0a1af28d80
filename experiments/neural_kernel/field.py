"""Kernel ridge regression on [x; φ(x)] with learned features φ of the cloud around x."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.spatial import KDTree

import ridgesplines as rs
from ridgesplines.archive import assembling, read_archive, write_archive

Layers = tuple[tuple[Any, Any], ...]

NEIGHBOURS = 8
FEATURES = 4
_HIDDEN = 16
# Values ± this at points this far along the normals stand for zeros with gradients.
OFFSET = 0.02
NUGGET = 1e-6
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


def cloud_of(points: np.ndarray, normals: np.ndarray) -> Cloud:
    """The cloud with its neighbourhoods."""
    distances, neighbours = KDTree(points).query(points, NEIGHBOURS + 1)
    return Cloud(points, normals, np.asarray(neighbours)[:, 1:], np.median(np.asarray(distances)[:, 1:]))


def places_of(cloud: Cloud, x: np.ndarray) -> Places:
    """Points with their neighbourhoods in the cloud."""
    return Places(x, KDTree(cloud.points).query(x, NEIGHBOURS + 1)[1])


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False)
class FeatureNetwork:
    """φ: R³ → R^`FEATURES`, from distances, slopes and angles in a cloud: moving and turning the cloud turns φ with it.

    Attributes:
        pairs: layers, (weights, biases), that see a point of the cloud beside a neighbour.
        places: layers that see x beside a point of the cloud and what `pairs` made of that.
    """

    pairs: Layers
    places: Layers

    @classmethod
    def initial(cls, seed: int) -> FeatureNetwork:
        """Random layers; the last one starts small, so that the kernel starts near to the one without features."""
        rng = np.random.default_rng(seed)

        def layers(*sizes: int) -> Layers:
            return tuple(
                (jnp.asarray(rng.standard_normal((a, b)) * (2 / a) ** 0.5), jnp.zeros(b)) for a, b in pairwise(sizes)
            )

        places = layers(_HIDDEN + 2, 2 * _HIDDEN, 2 * _HIDDEN, FEATURES)
        last, bias = places[-1]
        return cls(layers(4, _HIDDEN, _HIDDEN), (*places[:-1], (0.3 * last, bias)))

    def __call__(self, cloud: Cloud, places: Places) -> Any:
        """φ at the places, (n, `FEATURES`); continuous where the set of neighbours changes."""
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
        of_points = jax.nn.softplus(_apply(self.pairs, inputs)).mean(axis=1)
        chosen = places.neighbours[:, :-1]
        step = places.x[:, None] - points[chosen]
        distance = jnp.sqrt(jnp.sum(step**2, axis=-1) + 1e-24)
        # Those that leave the neighbourhood have no weight by then.
        edge = jnp.linalg.norm(places.x - points[places.neighbours[:, -1]], axis=-1, keepdims=True)
        weights = (1 - distance / edge) ** 2 + 1e-9
        height = jnp.sum(step * normals[chosen], axis=-1)
        sizes = jnp.stack([jnp.tanh(height / (2 * spacing)), jnp.tanh(distance / (4 * spacing))], axis=-1)
        of_places = _apply(self.places, jnp.concatenate([sizes, of_points[chosen]], axis=-1))
        # Lengths like x, whatever the cloud's density.
        return spacing * jnp.sum(weights[..., None] * of_places, axis=1) / jnp.sum(weights, axis=1, keepdims=True)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all layers to one `.npz` file; returns its path."""
        arrays = {
            f"{part}.{i}.{name}": np.asarray(array)
            for part, layers in (("pairs", self.pairs), ("places", self.places))
            for i, layer in enumerate(layers)
            for name, array in zip(("weights", "biases"), layer, strict=True)
        }
        return write_archive(path, arrays, {"kind": "FeatureNetwork", "sizes": [len(self.pairs), len(self.places)]})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FeatureNetwork:
        """Read what `save` wrote.

        Raises:
            ValueError: if the file is missing, damaged or of another kind.
        """
        arrays, metadata = read_archive(path, ("FeatureNetwork",))
        with assembling(path, "FeatureNetwork"):
            pairs, places = (
                tuple(
                    (jnp.asarray(arrays[f"{part}.{i}.weights"]), jnp.asarray(arrays[f"{part}.{i}.biases"]))
                    for i in range(size)
                )
                for part, size in zip(("pairs", "places"), metadata["sizes"], strict=True)
            )
        return cls(pairs, places)

    def tree_flatten(self) -> tuple[tuple[Layers, Layers], None]:
        """For JAX."""
        return (self.pairs, self.places), None

    @classmethod
    def tree_unflatten(cls, _: None, children: tuple[Layers, Layers]) -> FeatureNetwork:
        """For JAX."""
        return cls(*children)


def _apply(layers: Layers, x: Any) -> Any:
    for weights, biases in layers[:-1]:
        x = jax.nn.softplus(x @ weights + biases)
    weights, biases = layers[-1]
    return x @ weights + biases


def lifted(network: FeatureNetwork | None, cloud: Cloud, places: Places) -> Any:
    """[x; φ(x)], (n, 3 + `FEATURES`); x alone without a network."""
    x = jnp.asarray(places.x)
    return x if network is None else jnp.concatenate([x, network(cloud, places)], axis=1)


def gram(a: Any, b: Any) -> Any:
    """The kernel of random Gaussian neurons on the lifted points."""
    return rs.kernels.GaussianKernel().jet(a[:, None], b[None]).value


def solve(matrix: Any, right: Any) -> Any:
    """matrix⁻¹ right for a positive definite matrix; derivatives by the same factor, not through it."""
    factor = jax.scipy.linalg.cho_factor(jax.lax.stop_gradient(matrix), lower=True)
    return jax.lax.custom_linear_solve(
        lambda z: matrix @ z, right, lambda _, b: jax.scipy.linalg.cho_solve(factor, b), symmetric=True
    )


def centres_of(cloud: Cloud) -> tuple[Places, np.ndarray]:
    """The points ± `OFFSET` along the normals and the values there."""
    step = OFFSET * cloud.normals
    x = np.concatenate([cloud.points - step, cloud.points + step])
    return places_of(cloud, x), np.repeat([-OFFSET, OFFSET], len(cloud.points))


@jax.jit
def fitted(network: FeatureNetwork | None, cloud: Cloud, centres: Places, data: Any, places: Places) -> Any:
    """f at the places: the function of the kernel that is fitted to `data` at the centres."""
    z = lifted(network, cloud, centres)
    dual = solve(gram(z, z) + NUGGET * jnp.eye(len(data)), data)
    return gram(lifted(network, cloud, places), z) @ dual


def evaluate(network: FeatureNetwork | None, points: np.ndarray, normals: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The implicit function of an oriented cloud at points (n, 3), negative inside."""
    cloud = cloud_of(points, normals)
    centres, data = centres_of(cloud)
    z = lifted(network, cloud, centres)
    dual = solve(gram(z, z) + NUGGET * jnp.eye(len(data)), jnp.asarray(data))
    values = []
    for start in range(0, len(x), _BATCH):
        # Of one size, so that one program serves all.
        part = np.resize(x[start : start + _BATCH], (min(_BATCH, len(x)), 3))
        values.append(np.asarray(_combined(network, cloud, places_of(cloud, part), z, dual)))
    return np.concatenate(values)[: len(x)]


@jax.jit
def _combined(network: FeatureNetwork | None, cloud: Cloud, places: Places, z: Any, dual: Any) -> Any:
    return gram(lifted(network, cloud, places), z) @ dual
