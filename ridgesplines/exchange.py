"""Weights of two-layer networks from and to other libraries, as plain arrays: none of them is imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from ridgesplines.arrays import finite_array
from ridgesplines.polynomials import monomial_count
from ridgesplines.spline import RidgeSpline

LAYOUTS = ("pytorch", "flax", "equinox")
# Names of the hidden, the output and the skip layer.
_NAMES = {
    "pytorch": ("fc1", "fc2", "skip"),
    "flax": ("Dense_0", "Dense_1", "Dense_2"),
    "equinox": (".layers[0]", ".layers[1]", ".skip"),
}
# The last part of a key, after whatever separates it from the layer.
_PART = re.compile(r"^(?P<layer>.*?)[./\[\]'\"]*(?P<part>weight|kernel|bias)['\"\]]*$")


def import_network(
    arrays: Mapping[str, Any], *, layers: tuple[str, ...] | None = None, skip: str | None = None, order: int = 2
) -> RidgeSpline:
    """The ridge spline that a two-layer network computes: x ↦ V ρ_m(W x + β) + A x + a, with ρ_m the ReLU for m = 2.

    Understands a mapping of layers: PyTorch's `module.state_dict()` (keys "fc1.weight", "fc1.bias", …, weights of
    shape (outputs, inputs)), Flax's variables (`{"params": {"Dense_0": {"kernel": …, "bias": …}, …}}`, kernels of shape
    (inputs, outputs)), and an Equinox module's leaves by their path
    (`{jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(module)}`, as PyTorch).
    Values are arrays, or tensors that NumPy can read (on the CPU, without gradient).

    Args:
        arrays: the mapping, nested or flat.
        layers: the names of the hidden and of the output layer; by default the only two, in the order of `arrays`.
        skip: the name of a linear layer from the inputs to the outputs, if there is one.
        order: m; ρ_m(t) = max(t, 0)^(m−1) / (m−1)!, so that a network of plain powers, `relu(x) ** 3`, wants its output
            weights multiplied by (m−1)! first.

    Returns:
        The spline, its neurons in the order of the network's; of one output if the network has one.

    Raises:
        TypeError: if `arrays` is no mapping, or a value is not numeric.
        ValueError: if the layers cannot be told, one is missing, or shapes do not fit together.
    """
    found = _layers(arrays)
    listed = ", ".join(found) or "none"
    if layers is None:
        rest = [name for name in found if name != skip]
        if len(rest) != 2:
            raise ValueError(f"a hidden and an output layer are needed, got {listed}; name them in layers and skip.")
        layers = (rest[0], rest[1])
    if len(layers) != 2:
        raise ValueError(f"layers must name a hidden and an output layer, got {layers!r}.")
    for name in (*layers, *(() if skip is None else (skip,))):
        if name not in found:
            raise ValueError(f"there is no layer {name!r}; there are {listed}.")
    (hidden, hidden_bias), (output, output_bias) = (found[name] for name in layers)
    width, dimension = hidden.shape
    outputs = len(output)
    biases = np.zeros(width) if hidden_bias is None else hidden_bias
    linear, constant = np.zeros((outputs, dimension)), np.zeros(outputs)
    if skip is not None:
        linear, skip_bias = found[skip]
        constant = constant if skip_bias is None else constant + skip_bias
    constant = constant if output_bias is None else constant + output_bias
    if output.shape[1] != width or linear.shape != (outputs, dimension):
        raise ValueError(
            f"the layers do not fit together: hidden {hidden.shape}, output {output.shape}"
            + (f", skip {linear.shape}" if skip is not None else "")
            + ", each (outputs, inputs)."
        )
    polynomial = np.zeros((monomial_count(dimension, order - 1), outputs))
    polynomial[0], polynomial[1 : dimension + 1] = constant, linear.T
    if outputs == 1:
        return RidgeSpline.from_network(hidden, biases, output[0], polynomial[:, 0], order)
    return RidgeSpline.from_network(hidden, biases, output, polynomial, order)


def export_network(
    spline: RidgeSpline,
    layout: Literal["pytorch", "flax", "equinox"] = "pytorch",
    *,
    skip: bool = True,
    balanced: bool = True,
    names: tuple[str, str, str] | None = None,
) -> dict[str, Any]:
    """The layers of a network that computes `spline`, as `import_network` reads them, in double precision.

    Args:
        spline: of order 2, or of a higher one whose polynomial is linear.
        layout: "pytorch": keys "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias" and weights (outputs, inputs);
            "flax": {"Dense_0": {"kernel": (inputs, outputs), "bias": …}, …}; "equinox": keys ".layers[0].weight", ….
        skip: write the linear part as a third layer, a skip connection from the inputs without a bias ("skip.weight");
            otherwise as two more neurons for each output, for libraries' plain two-layer networks (order 2 only).
            Where there is no linear part nothing is added.
        balanced: whether ‖v_k‖ = ‖w_k‖^(m−1), which is what weight decay leaves as it is; the neurons as they stand
            otherwise.
        names: of the hidden, the output and the skip layer, in place of those above.

    Returns:
        A dictionary of arrays, nested for Flax. As tensors, by `torch.as_tensor`, its values make a state dict.

    Raises:
        TypeError: if `spline` is none.
        ValueError: if the layout is unknown, or the polynomial is no linear layer.
    """
    if not isinstance(spline, RidgeSpline):
        raise TypeError(f"spline must be a RidgeSpline, got {type(spline).__name__}.")
    if layout not in LAYOUTS:
        known = ", ".join(f'"{name}"' for name in LAYOUTS)
        raise ValueError(f"unknown layout {layout!r}; the layouts are {known}.")
    network = spline.to_network(balanced=balanced)
    hidden, biases = np.asarray(network.hidden_weights, float), np.asarray(network.hidden_biases, float)
    output = np.asarray(network.output_weights, float).reshape(spline.outputs, -1)
    values = np.asarray(network.polynomial.coefficients, float).reshape(-1, spline.outputs)
    constant, linear, higher = values[0], values[1 : spline.dimension + 1].T, values[spline.dimension + 1 :]
    if higher.any():
        raise ValueError(
            f"the polynomial of this spline of order {spline.order} has terms of degree 2 or more, which are no linear "
            "layer; see RidgeSpline.to_network."
        )
    if not skip and linear.any():
        if spline.order != 2:
            raise ValueError(f"only ReLUs add up to a linear function, got order {spline.order}; use skip=True.")
        # a·x = max(a·x, 0) − max(−a·x, 0).
        roots = np.sqrt(np.linalg.norm(linear, axis=1))
        kept = roots > 0
        lines, signs = linear[kept] / roots[kept, None], np.diag(roots)[:, kept]
        hidden = np.concatenate([hidden, lines, -lines])
        biases = np.concatenate([biases, np.zeros(2 * len(lines))])
        output = np.concatenate([output, signs, -signs], axis=1)
        linear = np.zeros_like(linear)
    first, second, third = _NAMES[layout] if names is None else names
    layers: dict[str, tuple[np.ndarray, np.ndarray | None]] = {first: (hidden, biases), second: (output, constant)}
    if linear.any():
        layers[third] = (linear, None)
    if layout == "flax":
        return {name: _named(weight.T, bias, "kernel") for name, (weight, bias) in layers.items()}
    return {
        f"{name}.{part}": array
        for name, (weight, bias) in layers.items()
        for part, array in _named(weight, bias, "weight").items()
    }


def _named(weight: np.ndarray, bias: np.ndarray | None, name: str) -> dict[str, np.ndarray]:
    return {name: weight} if bias is None else {name: weight, "bias": bias}


def _layers(arrays: Any) -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
    """Weights (outputs, inputs) and biases of each layer, in the order of their weights."""
    if not isinstance(arrays, Mapping):
        raise TypeError(f"arrays must be a mapping from names to arrays, got {type(arrays).__name__}.")
    weights: dict[str, np.ndarray] = {}
    biases: dict[str, np.ndarray] = {}
    for key, value in _flat(arrays).items():
        match = _PART.match(key)
        if match is None:
            raise ValueError(f"{key!r} is no weight, kernel or bias of a linear layer; leave it out.")
        layer, part = match["layer"], match["part"]
        if part == "bias":
            biases[layer] = finite_array(key, value, dimensions=(1,))
        else:
            weight = finite_array(key, value, dimensions=(2,))
            weights[layer] = weight.T if part == "kernel" else weight
    for layer, bias in biases.items():
        if layer not in weights:
            raise ValueError(f"the layer {layer!r} has a bias but no weight.")
        if len(bias) != len(weights[layer]):
            raise ValueError(f"the layer {layer!r} has {len(weights[layer])} outputs, but {len(bias)} biases.")
    return {layer: (weight, biases.get(layer)) for layer, weight in weights.items()}


def _flat(arrays: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The leaves of nested mappings, joined by slashes; Flax's collection "params" is no part of a name."""
    leaves: dict[str, Any] = {}
    for key, value in arrays.items():
        if isinstance(value, Mapping):
            leaves |= _flat(value, prefix if key == "params" and not prefix else f"{prefix}{key}/")
        else:
            leaves[f"{prefix}{key}"] = value
    return leaves
