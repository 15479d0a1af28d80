"""The exact suprema for atomic norms: above every neuron, attained, on generic, degenerate and badly scaled points."""

from __future__ import annotations

import itertools

import cvxpy
import numpy as np
import pytest
from helpers import EPS

from ridgesplines import AtomicNorm
from ridgesplines.arrangement import activation_patterns
from ridgesplines.oracles import AtomicOracle, Biases, Neurons, Supremum, profile
from ridgesplines.polynomials import PolynomialFit

pytestmark = pytest.mark.thinned(4)


def generic(rng, dimension):
    return rng.standard_normal((12, dimension))


def lattice(rng, dimension):
    return rng.integers(-2, 3, (14, dimension)).astype(float)


def duplicated(rng, dimension):
    points = generic(rng, dimension)
    return np.concatenate([points[:8], points[:5]])


def collinear(rng, dimension):
    return rng.integers(-40, 40, (10, 1)) / 8.0 * np.arange(1.0, dimension + 1)


def off_the_origin(rng, dimension):
    return collinear(rng, dimension) + 1.0


def far_away(rng, dimension):
    return generic(rng, dimension) + 1e4


def tiny(rng, dimension):
    return 1e-6 * generic(rng, dimension)


def huge(rng, dimension):
    return 1e6 * generic(rng, dimension)


def anisotropic(rng, dimension):
    return generic(rng, dimension) * np.geomspace(1e-6, 1e6, dimension) if dimension > 1 else huge(rng, 1)


CLOUDS = (generic, lattice, duplicated, collinear, off_the_origin, far_away, tiny, huge, anisotropic)
every_cloud = pytest.mark.parametrize("cloud", CLOUDS, ids=lambda f: f.__name__)
SLOPES = ((0.0, False), (0.3, False), (0.0, True), (0.3, True))
KINDS = list(itertools.product((1, 2, np.inf), ("none", "free", "joint", "bounded")))
every_kind = pytest.mark.parametrize(("norm", "bias"), KINDS)
DUAL = {1: np.inf, 2: 2, np.inf: 1}


def make(norm: float, bias: str, slope: float, nonnegative: bool, points: np.ndarray) -> AtomicNorm:
    farthest = float(np.linalg.norm(points, DUAL[norm], axis=1).max())
    value = 1.5 * farthest if bias == "bounded" else bias
    return AtomicNorm(norm, value, slope, "constant", nonnegative)


def serves(norm: float, bias: str, dimension: int) -> bool:
    """Where an exact supremum is promised."""
    return {"none": dimension <= 3, "joint": dimension <= 2}.get(bias, dimension <= 2 or norm == 2)


def lifted(points: np.ndarray, regularizer: AtomicNorm) -> np.ndarray:
    return points if regularizer.bias == "none" else np.column_stack([points, -np.ones(len(points))])


def vertices(rng: np.random.Generator, points: np.ndarray, regularizer: AtomicNorm, count: int) -> np.ndarray:
    """Neurons (w, b), or w, that as many data as may be, or facets of the gauge's ball, hold in place."""
    rows = lifted(points, regularizer)
    rows = rows / np.abs(rows).max(axis=0).clip(1e-300)
    scales = np.abs(lifted(points, regularizer)).max(axis=0).clip(1e-300)
    width, dimension = rows.shape[1], points.shape[1]
    coordinates = np.eye(width)[: width if regularizer.bias == "joint" else dimension]
    facets = [a - s * b for a, b in itertools.combinations(coordinates, 2) for s in (1, -1)]
    # In the units of the rows.
    facets = np.array([*coordinates, *facets]) / scales
    pool = np.concatenate([rows, facets / np.linalg.norm(facets, axis=1, keepdims=True)])
    found = []
    for _ in range(count):
        chosen = pool[rng.choice(len(pool), width - 1, replace=False)]
        found.append(np.linalg.svd(np.concatenate([chosen, np.zeros((1, width))]))[2][-1])
    return np.array(found) / scales


def neurons_of(parameters: np.ndarray, regularizer: AtomicNorm) -> Neurons:
    """Admissible neurons of gauge 1, of both orientations."""
    if regularizer.bias == "none":
        parameters = np.column_stack([parameters, np.zeros(len(parameters))])
    parameters = np.concatenate([parameters, -parameters])
    neurons = regularizer.admit(Neurons(parameters[:, :-1], parameters[:, -1]))
    gauges = regularizer.gauge(neurons)
    # Weights that vanish beside the bias by rounding would be blown up to gauge 1.
    neurons = neurons[gauges > 1e-9 * np.abs(parameters).max(axis=1)]
    return regularizer.normalize(neurons, np.ones(len(neurons)))[0]


def sampled(rng: np.random.Generator, points: np.ndarray, regularizer: AtomicNorm) -> Neurons:
    """Random neurons, isotropic in the data's units or not, through data, at vertices, and at ends of the biases."""
    dimension = points.shape[1]
    spread = np.ptp(points, axis=0)
    weights = rng.standard_normal((1500, dimension))
    weights[::2] /= np.where(spread > 0, spread, 1.0)
    through = np.einsum("kd,kd->k", weights, points[rng.integers(len(points), size=1500)])
    sizes = np.abs(weights) @ np.abs(points).max(axis=0)
    far = 3 * sizes * rng.choice([-1.0, 1.0], 1500)
    biases = [through, sizes * rng.standard_normal(1500), far]
    if regularizer.bias == "none":
        blocks = [weights]
    else:
        blocks = [np.column_stack([weights, b]) for b in biases]
        blocks.append(np.append(np.zeros(dimension), 1.0)[None] * (regularizer.bias == "joint"))
    blocks.append(vertices(rng, points, regularizer, 400))
    return neurons_of(np.concatenate([block for block in blocks if block.any()]), regularizer)


def dual_of(rng: np.random.Generator, points: np.ndarray, regularizer: AtomicNorm) -> np.ndarray:
    """Any vector, but orthogonal to the constants where biases are free."""
    dual = rng.standard_normal(len(points))
    return PolynomialFit.at(points, 0).project_off(dual) if regularizer.bias == "free" else dual


def rounding(points: np.ndarray, dual: np.ndarray, neurons: Neurons) -> np.ndarray:
    """Of evaluating p_z in plain sums, per neuron."""
    sizes = np.abs(points) @ np.abs(neurons.weights).T + np.abs(neurons.biases)
    return 8 * len(points) * EPS * (np.abs(dual) @ sizes)


def answers(norm, bias, dimension, cloud, slope, nonnegative, seed=0):
    rng = np.random.default_rng([seed, dimension])
    points = cloud(rng, dimension)
    regularizer = make(norm, bias, slope, nonnegative, points)
    dual = dual_of(rng, points, regularizer)
    oracle = regularizer.oracle(points)
    assert oracle.kind == "exact"
    return points, regularizer, dual, oracle.supremum(dual)


def check(points: np.ndarray, regularizer: AtomicNorm, dual: np.ndarray, answer: Supremum) -> None:
    slope = regularizer.slope
    rng = np.random.default_rng(1)
    neurons = sampled(rng, points, regularizer)
    values = profile(points, dual, neurons, slope=slope)
    heights = values if regularizer.nonnegative else np.abs(values)
    excess = heights - answer.upper - rounding(points, dual, neurons)
    assert excess.max() <= 0, (neurons.weights[excess.argmax()], neurons.biases[excess.argmax()], excess.max())
    # The value is attained, by an admissible neuron of gauge 1.
    assert answer.upper >= answer.value >= 0
    if len(answer.neurons):
        np.testing.assert_allclose(regularizer.gauge(answer.neurons), 1, rtol=64 * EPS)
        assert regularizer.admits(answer.neurons)
        attained = profile(points, dual, answer.neurons, slope=slope)
        assert np.all(np.abs(attained - answer.values) <= rounding(points, dual, answer.neurons))
        assert answer.value == (answer.values[0] if regularizer.nonnegative else abs(answer.values[0]))
        assert answer.value == np.abs(answer.values).max()
    # And found: the upper end is above it by rounding alone, of sums of terms as large as the data.
    size = np.abs(points).max() + (0 if regularizer.bias in ("none", "free") else 1)
    bound = regularizer.bias if isinstance(regularizer.bias, float) else 0.0
    assert answer.upper - answer.value <= 1e5 * EPS * float(np.abs(dual).sum()) * (size + bound)


@every_cloud
@pytest.mark.parametrize("dimension", [1, 2, 3])
@every_kind
def test_no_neuron_beats_the_supremum_which_is_attained(norm, bias, dimension, cloud):
    if not serves(norm, bias, dimension):
        pytest.skip("no exact supremum is promised")
    for slope, nonnegative in SLOPES:
        check(*answers(norm, bias, dimension, cloud, slope, nonnegative))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 11))
@every_cloud
@pytest.mark.parametrize("dimension", [1, 2, 3])
@every_kind
def test_nor_on_other_points(norm, bias, dimension, cloud, seed):
    if serves(norm, bias, dimension):
        for slope, nonnegative in SLOPES:
            check(*answers(norm, bias, dimension, cloud, slope, nonnegative, seed))


def largest_in_any_cell(points: np.ndarray, regularizer: AtomicNorm, dual: np.ndarray) -> float:
    """The supremum by one convex program for each activation pattern: p_z is linear in (w, b) there."""
    count, dimension = points.shape
    pole = np.zeros(dimension) if regularizer.bias == "none" else None
    patterns = activation_patterns(points, pole)
    w, b = cvxpy.Variable(dimension), cvxpy.Variable()
    side, slopes = cvxpy.Parameter(count), cvxpy.Parameter((1, dimension + 1))
    constraints = [regularizer.cvxpy_gauge(w, b) <= 1, cvxpy.multiply(side, points @ w - b) >= 0]
    if pole is not None:
        constraints.append(b == 0)
    elif regularizer.bias == "free":
        # What is constant beyond the data need not be looked for there.
        constraints.append(cvxpy.abs(b) <= 2 * float(np.abs(points).max()) * dimension)
    program = cvxpy.Problem(cvxpy.Maximize(slopes @ cvxpy.hstack([w, b])), constraints)
    best = 0.0
    for pattern, sign in itertools.product(patterns, (1,) if regularizer.nonnegative else (1, -1)):
        side.value = np.where(pattern, 1.0, -1.0)
        weighted = sign * dual * np.where(pattern, 1.0, regularizer.slope)
        slopes.value = np.append(weighted @ points, -weighted.sum())[None]
        best = max(best, float(program.solve(solver=cvxpy.CLARABEL)))
    return best


@pytest.mark.parametrize(("slope", "nonnegative"), [(0.0, False), (0.3, True)])
@pytest.mark.parametrize("dimension", [1, 2])
@every_kind
def test_the_supremum_is_the_largest_over_all_cells(norm, bias, dimension, slope, nonnegative):
    rng = np.random.default_rng([2, dimension])
    points = rng.standard_normal((6, dimension))
    regularizer = make(norm, bias, slope, nonnegative, points)
    dual = dual_of(rng, points, regularizer)
    answer = regularizer.oracle(points).supremum(dual)
    # Clarabel is accurate to 1e-8 or so.
    assert answer.value == pytest.approx(largest_in_any_cell(points, regularizer, dual), rel=1e-6)


@every_kind
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_scaling_the_dual_scales_the_supremum_and_its_sign_does_not_matter(norm, bias, dimension):
    if not serves(norm, bias, dimension):
        pytest.skip("no exact supremum is promised")
    points, regularizer, dual, answer = answers(norm, bias, dimension, generic, 0.3, False)
    oracle = regularizer.oracle(points)
    assert oracle.supremum(4 * dual).value == 4 * answer.value
    assert oracle.supremum(-dual).value == pytest.approx(answer.value, rel=1e-12)
    assert oracle.supremum(np.zeros(len(points))).value == 0
    repeated = regularizer.oracle(np.concatenate([points, points]))
    split = repeated.supremum(np.concatenate([dual - 1, np.ones(len(points))]))
    assert split.value == pytest.approx(answer.value, rel=1e-11)


@pytest.mark.parametrize(("norm", "bias"), [(1, "joint"), (np.inf, "free"), (2, "joint")])
def test_where_no_exact_supremum_is_known_none_is_claimed(norm, bias):
    points = np.random.default_rng(3).standard_normal((10, 3))
    regularizer = make(norm, bias, 0.0, False, points)
    assert regularizer.oracle(points).kind == "heuristic"
    with pytest.raises(ValueError, match="no exact supremum is known"):
        AtomicOracle(points, norm, Biases(bias == "joint", np.inf))
