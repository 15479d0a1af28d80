"""Moving all neurons of a network at once: a descent in weights, biases and coefficients together."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from ridgesplines.norms import sizes
from ridgesplines.oracles import Neurons, ball
from ridgesplines.problem import Problem

# Kinks stop a descent early: a few steps gain nearly what many would.
_STEPS, _MEMORY = 50, 20
# A neuron that is a free polynomial at the data but for this fraction is one.
_UNSEEN = 1e-10


def slide(
    problem: Problem, neurons: Neurons, coefficients: np.ndarray, fit: np.ndarray
) -> tuple[Neurons, np.ndarray, np.ndarray]:
    """A network of the same width with a lower objective: all neurons and coefficients moved together.

    Column generation alone adds each neuron as if the others stayed where they are, and needs many rounds where many
    of them overlap. The objective of networks of one width is not convex, but any network that a descent leads to is
    another set of columns for the convex problem. L-BFGS minimises it in the form of weight decay,

        Σ_n s_n ℓ(y_n, f(x_n)) + λ/2 Σ_k (‖v_k‖² + gauge(w_k, b_k)²),

    which is the loss plus λ times the cost for a balanced network.

    Args:
        problem: of a smooth loss.
        neurons: K neurons of gauge 1.
        coefficients: (K,) or (K, D), not zero.
        fit: the measurements of the network and its free polynomial, (N,) or (N, D).

    Returns:
        Neurons of gauge 1, coefficients and fit; those given where the descent ends no lower, as it may where moving
        biases to admissible ones loses what was gained.

    Source: Denoyelle, Duval, Peyré & Soubies 2020 (the sliding Frank–Wolfe method).
    """
    network = _Network(problem, neurons, coefficients, fit)
    options = {"maxiter": _STEPS, "maxcor": _MEMORY, "maxfun": 2 * _STEPS}
    with np.errstate(over="ignore", invalid="ignore"):
        end = minimize(
            network.objective, network.start, jac=True, method="L-BFGS-B", bounds=network.bounds, options=options
        ).x
    given = neurons, coefficients, fit
    if not np.isfinite(end).all():
        return given
    found = network.result(end)
    return found if problem.objective_of(*found[1:]) < problem.objective_of(*given[1:]) else given


class _Network:
    """Networks of one width and a free polynomial as vectors of parameters of order one, near a given network.

    A neuron is w = w', b = w·centre + spread · b', so that moves of w' turn it about the data's centre.
    """

    def __init__(self, problem: Problem, neurons: Neurons, coefficients: np.ndarray, fit: np.ndarray) -> None:
        self._problem = problem
        if problem.sampled:
            points = problem.points
            centre = points.mean(axis=0)
            self._spread = float(np.sqrt(np.mean(np.sum((points - centre) ** 2, axis=1)))) or 1.0
        else:
            centre, radius = ball(problem.measurements)
            points, self._spread = centre[None], radius or 1.0
        # Where no bias is admissible, there is none to move.
        unbiased = not problem.regularizer.admit(Neurons(neurons.weights, np.ones(len(neurons)))).biases.any()
        self._centre = np.zeros_like(centre) if unbiased else centre
        self._points = points - self._centre
        self._biased = 0.0 if unbiased else self._spread
        self._shapes = [neurons.weights.shape, neurons.biases.shape, coefficients.shape]
        self._ends = np.cumsum([np.prod(shape, dtype=int) for shape in self._shapes])
        # Balanced: ‖v‖ = gauge.
        roots = np.sqrt(sizes(coefficients))
        scales = roots ** (1 / problem.regularizer.activation.homogeneity)
        weights = neurons.weights * scales[:, None]
        offsets = np.zeros(len(neurons)) if unbiased else neurons.biases * scales - weights @ centre
        basis = problem.free.basis
        self._basis = basis * (float(roots.mean()) * self._spread * np.sqrt(problem.measurements.count))
        remainder = fit - problem.measure_neurons(neurons) @ coefficients
        polynomial = np.linalg.lstsq(self._basis, remainder)[0] if basis.shape[1] else basis.T @ remainder
        values = (coefficients.T / roots).T
        parts = [weights, offsets / self._spread, values, polynomial]
        self.start = np.concatenate([part.ravel() for part in parts])
        self._polynomials = polynomial.shape
        self.bounds: list[tuple[float | None, float | None]] | None = None
        if problem.regularizer.nonnegative:
            anything: tuple[float | None, float | None] = (None, None)
            before = [anything] * (weights.size + offsets.size)
            self.bounds = [*before, *[(0.0, None)] * values.size, *[anything] * polynomial.size]

    def _network(self, parameters: np.ndarray) -> tuple[Neurons, np.ndarray, np.ndarray, np.ndarray]:
        """Neurons, w'·x − b' of each at samples, coefficients, and what the polynomial is at the data."""
        parts = np.split(parameters, self._ends)
        weights, offsets, values = (part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=False))
        arguments = self._points @ weights.T - self._biased * offsets
        biases = self._biased * offsets + weights @ self._centre
        return Neurons(weights, biases), arguments, values, self._basis @ parts[3].reshape(self._polynomials)

    def objective(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """The objective in the form of weight decay, and its gradient."""
        problem = self._problem
        neurons, arguments, values, polynomial = self._network(parameters)
        activation = problem.regularizer.activation
        features = activation(arguments) if problem.sampled else problem.measure_neurons(neurons)
        fit = features @ values + polynomial
        gauges, turns, shifts = problem.regularizer.gauge_gradient(neurons)
        strength = problem.dual_limit
        decay = 0.5 * strength * float(np.sum(values**2) + np.sum(gauges**2))
        pull = problem.weights * problem.loss.derivative(problem.targets, fit)
        back = np.outer(pull, values) if pull.ndim == 1 else pull @ values.T
        if problem.sampled:
            back = activation.derivative(arguments) * back
            turned, shifted = back.T @ self._points, -back.sum(axis=0)
        else:
            turned, shifted = problem.slopes(neurons, back)
            turned = turned + np.outer(shifted, self._centre)
        pushes = strength * gauges * shifts
        gradient = [
            turned + strength * gauges[:, None] * turns + np.outer(pushes, self._centre),
            self._biased * (pushes + shifted),
            features.T @ pull + strength * values,
            self._basis.T @ pull,
        ]
        return problem.loss_value(fit) + decay, np.concatenate([part.ravel() for part in gradient])

    def result(self, parameters: np.ndarray) -> tuple[Neurons, np.ndarray, np.ndarray]:
        """See `slide`."""
        neurons, _, values, polynomial = self._network(parameters)
        regularizer = self._problem.regularizer
        neurons = regularizer.admit(neurons)
        gauges = regularizer.gauge(neurons)
        kept = (gauges > 0) & (sizes(values) > 0)
        neurons, values = regularizer.normalize(neurons[kept], values[kept])
        columns = self._problem.measure_neurons(neurons)
        fit = columns @ values + polynomial
        # A neuron that has left the data measures nothing, or a free polynomial.
        off = np.linalg.norm(self._problem.free.project_off(columns), axis=0)
        seen = off > _UNSEEN * np.linalg.norm(columns, axis=0)
        return neurons[seen], values[seen], fit
