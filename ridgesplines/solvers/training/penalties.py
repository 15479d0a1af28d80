"""The penalties that networks are trained with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ridgesplines.arrays import Array, namespace
from ridgesplines.oracles import Neurons
from ridgesplines.regularizers import Regularizer

# The gauge is ‖w‖₂^(m−1) if it is so, to this, for some neurons in general position.
_SAME = 1e-12


def _path_norm(regularizer: Regularizer, neurons: Neurons, coefficients: Array) -> Array:
    return regularizer.path_norm(neurons, coefficients)


def _weight_decay(regularizer: Regularizer, neurons: Neurons, coefficients: Array) -> Array:
    return regularizer.weight_decay(neurons, coefficients)


def _plain_weight_decay(regularizer: Regularizer, neurons: Neurons, coefficients: Array) -> Array:
    xp = namespace(coefficients)
    return 0.5 * (xp.sum(coefficients**2) + xp.sum(neurons.weights**2))


def _weight_decay_with_biases(regularizer: Regularizer, neurons: Neurons, coefficients: Array) -> Array:
    xp = namespace(coefficients)
    squares = xp.sum(neurons.weights**2, axis=1) + neurons.biases**2
    return 0.5 * (xp.sum(coefficients**2) + xp.sum(squares ** (regularizer.order - 1)))


def _none(regularizer: Regularizer, neurons: Neurons, coefficients: Array) -> Array:
    return namespace(coefficients).zeros((), dtype=coefficients.dtype)


# Each is multiplied by λ. The first two are the regularizer's own, and those with the optimum of the problem.
PENALTIES: dict[str, Callable[[Regularizer, Neurons, Array], Array]] = {
    "path norm": _path_norm,
    "weight decay": _weight_decay,
    "plain weight decay": _plain_weight_decay,
    "weight decay with biases": _weight_decay_with_biases,
    "none": _none,
}
_OF_EUCLIDEAN_GAUGES = ("plain weight decay", "weight decay with biases")


def is_euclidean(regularizer: Regularizer, dimension: int) -> bool:
    """Whether the gauge of a neuron is ‖w‖₂^(m−1), with free biases."""
    random = np.random.default_rng(0)
    neurons = Neurons(random.standard_normal((8, dimension)), 100 * random.standard_normal(8))
    admitted = regularizer.admit(neurons)
    expected = np.linalg.norm(neurons.weights, axis=1) ** (regularizer.order - 1)
    gauges = np.asarray(regularizer.gauge(neurons))
    same = bool(np.allclose(gauges, expected, rtol=_SAME, atol=0))
    return same and np.array_equal(np.asarray(admitted.biases), neurons.biases)


def check_penalty(penalty: str, regularizer: Regularizer, dimension: int) -> None:
    """Raise ValueError unless `penalty` has a meaning under `regularizer`."""
    if penalty in _OF_EUCLIDEAN_GAUGES and not is_euclidean(regularizer, dimension):
        known = ", ".join(f'"{name}"' for name in PENALTIES if name not in _OF_EUCLIDEAN_GAUGES)
        raise ValueError(
            f'{regularizer!r} does not know the penalty "{penalty}", which is one of ‖w‖₂ and free biases; it knows '
            f"{known}."
        )
