"""Networks of other libraries come in and go out as the functions that they are."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import EPS, magnitude, random_spline

import ridgesplines as rs
from ridgesplines.exchange import LAYOUTS


def spline_of(outputs, order=2, dimension=3):
    spline = random_spline(np.random.default_rng(order), order, dimension, outputs, 7)
    values = np.array(spline.polynomial.coefficients)
    values[dimension + 1 :] = 0.0
    return rs.RidgeSpline(spline.weights, spline.biases, spline.coefficients, values, order)


def evaluated(arrays, x, names, transpose):
    """The network as its library computes it: (n, D)."""
    first, second, third = names

    def layer(name, inputs):
        weight = arrays[name]["kernel"] if transpose else arrays[f"{name}.weight"].T
        bias = arrays[name].get("bias", 0.0) if transpose else arrays.get(f"{name}.bias", 0.0)
        return inputs @ weight + bias

    values = layer(second, np.maximum(layer(first, x), 0.0))
    with_skip = third in arrays if transpose else f"{third}.weight" in arrays
    return values + layer(third, x) if with_skip else values


NAMES = {
    "pytorch": ("fc1", "fc2", "skip"),
    "flax": ("Dense_0", "Dense_1", "Dense_2"),
    "equinox": (".layers[0]", ".layers[1]", ".skip"),
}


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("outputs", [None, 1, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_goes_out_is_the_function_and_comes_in_again(layout, outputs, skip, balanced):
    spline = spline_of(outputs)
    arrays = rs.export_network(spline, layout, skip=skip, balanced=balanced)
    x = np.random.default_rng(1).standard_normal((40, 3))
    tolerance = 256 * EPS * magnitude(spline, x)
    expected = spline(x).reshape(len(x), -1)
    shown = evaluated(arrays, x, NAMES[layout], layout == "flax")
    np.testing.assert_allclose(shown, expected, rtol=0, atol=tolerance)
    back = rs.import_network(arrays, skip=NAMES[layout][2] if skip else None)
    np.testing.assert_allclose(back(x).reshape(len(x), -1), expected, rtol=0, atol=tolerance)
    # No more neurons than it takes.
    assert back.width == 7 + (0 if skip else 2 * spline.outputs)
    assert back.radon_tv() == pytest.approx(spline.radon_tv(), rel=1e-9)


def test_flax_s_collection_and_lists_of_layers_are_understood():
    spline = spline_of(None)
    flax = rs.export_network(spline, "flax", skip=False)
    x = np.ones((1, 3))
    assert rs.import_network({"params": flax})(x) == rs.import_network(flax)(x)
    renamed = {}
    for name, layer in (("net.0", flax["Dense_0"]), ("net.2", flax["Dense_1"])):
        renamed |= {f"{name}.weight": layer["kernel"].T, f"{name}.bias": layer["bias"]}
    assert rs.import_network(renamed)(x) == rs.import_network(flax)(x)
    # More layers than two have to be named.
    with pytest.raises(ValueError, match="name them in layers and skip"):
        rs.import_network(renamed | {"other.weight": np.ones((1, 3))})
    named = rs.import_network(renamed | {"other.weight": np.ones((1, 3))}, layers=("net.0", "net.2"))
    assert named(x) == rs.import_network(flax)(x)


def test_leaves_of_a_jax_tree_are_understood_by_their_paths():
    class Linear:
        def __init__(self, weight, bias):
            self.weight, self.bias = weight, bias

    class Perceptron:
        def __init__(self, layers):
            self.layers = layers

    for kind, fields in ((Linear, ("weight", "bias")), (Perceptron, ("layers",))):
        jax.tree_util.register_pytree_with_keys(
            kind,
            lambda node, fields=fields: ([(jax.tree_util.GetAttrKey(f), getattr(node, f)) for f in fields], None),
            lambda _, children, kind=kind: kind(*children),
        )
    rng = np.random.default_rng(0)
    shapes = ((5, 2), (5,)), ((1, 5), (1,))
    module = Perceptron([Linear(*(jnp.asarray(rng.standard_normal(shape)) for shape in pair)) for pair in shapes])
    leaves = jax.tree_util.tree_leaves_with_path(module)
    spline = rs.import_network({jax.tree_util.keystr(path): leaf for path, leaf in leaves})
    x = rng.standard_normal((6, 2))
    hidden, output = module.layers
    expected = np.maximum(x @ hidden.weight.T + hidden.bias, 0) @ output.weight[0] + output.bias
    np.testing.assert_allclose(spline(x), expected, atol=1e-13)


def test_a_module_of_pytorch_comes_in_and_goes_out():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)).double()
    spline = rs.import_network(module.state_dict())
    x = np.random.default_rng(0).standard_normal((10, 3))
    np.testing.assert_allclose(spline(x), module(torch.as_tensor(x)).detach().numpy(), atol=1e-13)
    arrays = rs.export_network(spline, names=("0", "2", "skip"), balanced=False)
    other = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)).double()
    other.load_state_dict({name: torch.as_tensor(array) for name, array in arrays.items()})
    np.testing.assert_allclose(other(torch.as_tensor(x)).detach().numpy(), spline(x), atol=1e-13)


def test_higher_orders_keep_their_neurons_and_refuse_polynomials_that_are_no_layer():
    spline = spline_of(2, order=4)
    x = np.random.default_rng(2).standard_normal((10, 3))
    back = rs.import_network(rs.export_network(spline, balanced=False), skip="skip", order=4)
    np.testing.assert_allclose(back(x), spline(x), rtol=0, atol=256 * EPS * magnitude(spline, x))
    with pytest.raises(ValueError, match="only ReLUs add up to a linear function, got order 4"):
        rs.export_network(spline, skip=False, balanced=False)
    values = np.ones_like(spline.polynomial.coefficients)
    curved = rs.RidgeSpline(spline.weights, spline.biases, spline.coefficients, values, 4)
    with pytest.raises(ValueError, match="terms of degree 2 or more"):
        rs.export_network(curved, balanced=False)


GOOD = {"a.weight": np.ones((4, 2)), "a.bias": np.zeros(4), "b.weight": np.ones((1, 4)), "b.bias": np.zeros(1)}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a.weight": np.ones((4, 2))}, "a hidden and an output layer are needed, got a"),
        ({}, "got none"),
        (GOOD | {"b.weight": np.ones((1, 5))}, r"do not fit together: hidden \(4, 2\), output \(1, 5\)"),
        (GOOD | {"a.bias": np.zeros(3)}, "has 4 outputs, but 3 biases"),
        (GOOD | {"c.bias": np.zeros(3)}, "has a bias but no weight"),
        (GOOD | {"a.running_mean": np.zeros(3)}, "'a.running_mean' is no weight, kernel or bias"),
        (GOOD | {"a.bias": np.full(4, np.nan)}, "a.bias must be finite"),
    ],
)
def test_what_is_no_two_layer_network_is_refused(arrays, message):
    with pytest.raises(ValueError, match=message):
        rs.import_network(arrays)


def test_names_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="there is no layer 'skip'; there are a, b"):
        rs.import_network(GOOD, skip="skip")
    with pytest.raises(ValueError, match="must name a hidden and an output layer"):
        rs.import_network(GOOD, layers=("a",))
    with pytest.raises(TypeError, match="must be a mapping from names to arrays, got list"):
        rs.import_network([1])
    with pytest.raises(ValueError, match="unknown layout 'keras'"):
        rs.export_network(spline_of(None), "keras")
    with pytest.raises(TypeError, match="spline must be a RidgeSpline, got dict"):
        rs.export_network({})
