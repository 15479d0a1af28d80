"""From a trained network to a ridge spline of few neurons."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from ridgesplines.oracles import Neurons
from ridgesplines.polynomials import PolynomialFit
from ridgesplines.problem import Problem
from ridgesplines.solvers.training.network import centre_and_spread, sights
from ridgesplines.spline import RidgeSpline

# Neurons nearer than this are tried to be merged, in angle and in the spread of the data, the nearest ones first.
_DISTANCES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
# A hyperplane farther from the centre of the data than this, in their size, parts none of them.
_FAR = 1e12
# Measured neurons that are nearer than this to polynomials, relative, are such.
_STRAIGHT = 1e-10
# A neuron with a smaller share of the seminorm is rounding.
_NOTHING = 1e-14
# By this fraction the objective may rise for it.
_DEARER = 1e-6


def spline_of(
    problem: Problem, neurons: Neurons, coefficients: np.ndarray, polynomial: np.ndarray | None
) -> RidgeSpline:
    """The function that a network is, at the data; where polynomials are free, without neurons that are such there.

    Training leaves neurons that died with hyperplanes so far away that powers of their offsets overflow.

    Args:
        problem: that it was trained on.
        neurons: in the problem's units.
        coefficients: (K,) or (K, D).
        polynomial: values of the free polynomial at the data, or None for those that fit best in (weighted) least
            squares.
    """
    if problem.regularizer.degree == problem.regularizer.order - 1:
        far = _far(problem, neurons)
        if polynomial is not None:
            polynomial = polynomial + problem.measure_neurons(neurons[far]) @ coefficients[far]
        neurons, coefficients = neurons[~far], coefficients[~far]
    if polynomial is None:
        missed = problem.targets - problem.measure_neurons(neurons) @ coefficients
        polynomial = _weighted_fit(problem, missed)
    return problem.spline(neurons, coefficients, polynomial)


def _far(problem: Problem, neurons: Neurons) -> np.ndarray:
    """Which neurons, (K,), have no hyperplane within a distance of the data that their coordinates can tell apart."""
    centre, spread = centre_and_spread(sights(problem.measurements))
    offsets = np.abs(neurons.biases - neurons.weights @ centre)
    return offsets > _FAR * (spread + float(np.linalg.norm(centre))) * np.linalg.norm(neurons.weights, axis=1)


def sparser(problem: Problem, spline: RidgeSpline, refit: bool) -> tuple[RidgeSpline, float]:
    """`spline` with neurons merged that training left next to each other, and its objective.

    What no measurement sees bend is a polynomial to all of them, which costs nothing, and taken for that.
    Neurons on nearly one hyperplane, of coefficients of one sign, become one in their middle as long as the objective
    does not rise by more than a millionth. Only where orientation does not matter, which is where all polynomials are
    free.

    Args:
        problem: the problem.
        spline: canonical.
        refit: whether the free polynomial is fitted again, in least squares.
    """
    objective = problem.objective(spline)
    if problem.regularizer.degree != spline.order - 1 or not spline.width or not np.isfinite(objective):
        return spline, objective
    seen = _bending(problem, spline)
    if seen.width < spline.width and (value := problem.objective(seen)) <= objective:
        spline, objective = seen, value
    centre, spread = centre_and_spread(sights(problem.measurements))
    limit = objective * (1 + _DEARER)
    for distance in _DISTANCES:
        if not spline.width:
            break
        merged = _merged(spline, centre, spread, distance)
        if merged.width == spline.width:
            continue
        if refit:
            merged = _refitted(problem, merged)
        value = problem.objective(merged)
        if value > limit:
            break
        spline, objective = merged, value
    return spline, objective


def _bending(problem: Problem, spline: RidgeSpline) -> RidgeSpline:
    """The spline without the neurons that are polynomials to the measurements, which are measured as before."""
    spline, predictions = problem.measure(spline)
    weights, biases, coefficients = (np.asarray(part) for part in (spline.weights, spline.biases, spline.coefficients))
    columns = problem.measure_neurons(Neurons(weights, biases))
    bends = np.linalg.norm(problem.free.project_off(columns), axis=0) > _STRAIGHT * np.linalg.norm(columns, axis=0)
    if bends.all():
        return spline
    nothing = np.zeros_like(np.asarray(spline.polynomial.coefficients))
    left = RidgeSpline(weights[bends], biases[bends], coefficients[bends], nothing, spline.order)
    polynomial = problem.free(predictions - problem.measurements(left).reshape(predictions.shape))
    return RidgeSpline(left.weights, left.biases, left.coefficients, polynomial.raised(spline.order - 1), spline.order)


def _merged(spline: RidgeSpline, centre: np.ndarray, spread: float, distance: float) -> RidgeSpline:
    masses = np.linalg.norm(np.asarray(spline.coefficients).reshape(spline.width, -1), axis=1)
    kept = masses > _NOTHING * masses.sum()
    weights, biases, coefficients = (
        np.asarray(values)[kept] for values in (spline.weights, spline.biases, spline.coefficients)
    )
    offsets = (biases - weights @ centre) / spread
    pairs = KDTree(np.column_stack([weights, offsets])).query_pairs(distance, output_type="ndarray")
    rows = coefficients.reshape(len(coefficients), -1)
    pairs = pairs[np.einsum("kd,kd->k", rows[pairs[:, 0]], rows[pairs[:, 1]]) > 0]
    count = len(weights)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    groups, group = connected_components(graph, directed=False)
    masses = np.linalg.norm(rows, axis=1)
    total = np.bincount(group, masses, minlength=groups)

    def middle(values: np.ndarray) -> np.ndarray:
        sums = np.zeros((groups, *values.shape[1:]))
        np.add.at(sums, group, (values.T * masses).T)
        return (sums.T / total).T

    sums = np.zeros((groups, *coefficients.shape[1:]))
    np.add.at(sums, group, coefficients)
    directions, places = middle(weights), middle(offsets)
    # A middle of unit vectors is shorter by the square of their distance.
    lengths = np.linalg.norm(directions, axis=1)
    directions, places = directions / lengths[:, None], places / lengths
    biases = spread * places + directions @ centre
    return RidgeSpline(directions, biases, sums, spline.polynomial, spline.order).canonical()


def _refitted(problem: Problem, spline: RidgeSpline) -> RidgeSpline:
    """The spline with the free polynomial that fits best."""
    nothing = np.zeros_like(np.asarray(spline.polynomial.coefficients))
    without = RidgeSpline(spline.weights, spline.biases, spline.coefficients, nothing, spline.order)
    missed = problem.targets - problem.measurements(without).reshape(problem.targets.shape)
    polynomial = problem.free(_weighted_fit(problem, missed)).raised(spline.order - 1)
    return RidgeSpline(spline.weights, spline.biases, spline.coefficients, polynomial, spline.order)


def _weighted_fit(problem: Problem, values: np.ndarray) -> np.ndarray:
    """The measurements of the free polynomial nearest to `values` in weighted least squares."""
    free: PolynomialFit = problem.free
    if problem.sample_weights is None:
        return values - free.project_off(values)
    roots = np.sqrt(problem.sample_weights)
    solution = np.linalg.lstsq(roots[:, None] * free.basis, (values.T * roots).T, rcond=None)[0]
    return free.basis @ solution
