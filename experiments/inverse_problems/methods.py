"""The methods side by side: each turns the data of a case into a function."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.interpolate import CubicHermiteSpline, RegularGridInterpolator, make_interp_spline

import ridgesplines as rs
from experiments.inverse_problems.cases import Case
from experiments.inverse_problems.discretized import Function, GridFits, Nodes, quadrature

DISCREPANCY, BEST, TRAINED = "ridge spline, discrepancy", "ridge spline, best λ", "trained network"
# A strength that is best at an end of those tried is looked for beyond it, so often.
_BEYOND = 6


@dataclass(frozen=True, eq=False)
class Effort:
    """How much is spent.

    Attributes:
        gap: the relative gap of the ridge splines.
        path_gap: of those from which the best strength is taken.
        factors: of the discrepancy principle's strength, to make those.
        nodes: of the peers' grids, along the longest side in the plane; 8 times as many on the line.
        width: of the trained networks.
        steps: of their training.
        seeds: how many.
    """

    gap: float = 1e-5
    path_gap: float = 1e-4
    factors: np.ndarray = field(default_factory=lambda: np.array([4.0, 2.0, 0.5, 0.25]))
    nodes: int = 33
    width: int = 100
    steps: int = 4000
    seeds: int = 2


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a method made of a case.

    Attributes:
        function: from points (M, d) to values (M,).
        chosen: its parameter, in words.
        seconds: of the fits, all strengths included.
        problem: of a ridge spline or network: what its objective is.
        spline: likewise.
        certificate: likewise.
        selection: of the discrepancy principle.
        solution: that of a solver.
    """

    function: Function
    chosen: str
    seconds: float
    problem: rs.Problem | None = None
    spline: rs.RidgeSpline | None = None
    certificate: rs.Certificate | None = None
    selection: rs.DiscrepancySelection | None = None
    solution: rs.Solution | None = None


def by_discrepancy(case: Case, effort: Effort) -> Fitted:
    """The least seminorm of all networks that miss the data by no more than δ, certified, then made sparse."""
    return _by_discrepancy(case, effort, case.measurements, case.targets)


def _by_discrepancy(case: Case, effort: Effort, measurements: rs.Measurement, targets: np.ndarray) -> Fitted:
    began = time.perf_counter()
    selection = rs.discrepancy_strength(
        measurements, targets, noise_norm=case.noise_norm, regularizer=case.regularizer, gap=effort.gap
    )
    problem = rs.Problem(measurements, targets, regularizer=case.regularizer, strength=selection.strength)
    solution = selection.solution
    spline = rs.sparsify(problem, solution.spline)
    return Fitted(
        spline,
        f"λ = {selection.strength:.3g}",
        time.perf_counter() - began,
        problem,
        spline,
        solution.certificate,
        selection,
        solution,
    )


def best_of_path(case: Case, effort: Effort, certified: Fitted) -> Fitted:
    """Certified solutions for strengths about that of the discrepancy principle; the one nearest to the truth."""
    assert certified.problem is not None
    assert certified.problem.strength is not None
    began = time.perf_counter()
    problem = certified.problem
    path = rs.regularization_path(problem, certified.problem.strength * effort.factors, gap=effort.path_gap)
    fits = [certified]
    for strength, solution in zip(path.strengths, path, strict=True):
        spline = rs.sparsify(problem, solution.spline)
        posed = problem.with_strength(float(strength))
        fits.append(Fitted(spline, f"λ = {strength:.3g}", 0.0, posed, spline, solution.certificate))
    best = min(fits, key=lambda fit: case.error(np.asarray(fit.function(case.places))))
    return replace(best, seconds=time.perf_counter() - began, selection=None, solution=None)


def by_training(case: Case, effort: Effort, certified: Fitted) -> Fitted:
    """Networks trained on the problem of the discrepancy principle: the best, and its gap to the proven bound."""
    assert certified.problem is not None
    assert certified.certificate is not None
    began = time.perf_counter()
    trained = rs.train(
        certified.problem,
        width=effort.width,
        steps=effort.steps,
        seeds=effort.seeds,
        dual=certified.certificate.dual,
        progress=False,
    ).best
    seconds = time.perf_counter() - began
    return Fitted(
        trained.spline,
        f"width {effort.width}, best of {effort.seeds}",
        seconds,
        certified.problem,
        trained.spline,
        trained.certificate,
    )


def _least_error(case: Case, make: Callable[[float], Function], strengths: np.ndarray) -> Fitted:
    """Of functions for several strengths, geometric and falling, the one nearest to the truth."""
    began = time.perf_counter()
    ratio = float(strengths[1] / strengths[0])
    tried: dict[float, tuple[float, Function]] = {}

    def attempt(strength: float) -> None:
        function = make(strength)
        tried[strength] = case.error(function(case.places)), function

    for strength in strengths:
        attempt(float(strength))
    for _ in range(_BEYOND):
        best = min(tried, key=lambda strength: tried[strength][0])
        if best == max(tried):
            attempt(best / ratio)
        elif best == min(tried):
            attempt(best * ratio)
        else:
            break
    best = min(tried, key=lambda strength: tried[strength][0])
    return Fitted(tried[best][1], f"parameter {best:.2g}", time.perf_counter() - began)


def filtered_back_projection(case: Case, effort: Effort) -> Fitted:
    """The best smoothing, with the plane that fits the data best taken off before, or not."""
    assert case.beam is not None
    beam, case_places = case.beam, case.places
    shape = (len(beam.angles), len(beam.offsets))
    plane = case.measurements.fit_polynomials(1)(case.targets)
    nothing = rs.RidgeSpline(np.zeros((0, 2)), np.zeros(0), np.zeros(0), plane.coefficients)
    flat = rs.RidgeSpline(np.zeros((0, 2)), np.zeros(0), np.zeros(0), np.zeros(3))

    def make(off: rs.RidgeSpline, smoothing: float) -> Function:
        rows = np.zeros(shape)
        rows[:, 1:-1] = (case.targets - case.measurements(off)).reshape(len(beam.angles), -1)
        reach = float(np.abs(case_places).max())
        image = rs.filtered_back_projection(
            rs.Sinogram(rows, beam), region=reach, shape=(101, 101), smoothing=smoothing
        )
        interpolator = RegularGridInterpolator(tuple(image.axes()), image.values)
        return lambda x: interpolator(x) + np.asarray(off(x))

    smoothings = np.geomspace(0.4, 0.02, 6)
    fits = [_least_error(case, lambda s, off=off: make(off, s), smoothings) for off in (flat, nothing)]
    best = min(fits, key=lambda fit: case.error(fit.function(case.places)))
    return Fitted(best.function, best.chosen.replace("parameter", "smoothing"), sum(fit.seconds for fit in fits))


def _on_grid(case: Case, effort: Effort, order: int, squares: bool = False) -> Fitted:
    began = time.perf_counter()
    line = case.measurements.dimension == 1
    looked_at = quadrature(case.measurements)[0].reshape(-1, case.measurements.dimension)
    nodes = Nodes.over(np.concatenate([case.places, looked_at]), 8 * effort.nodes if line else effort.nodes)
    fits = GridFits(nodes, case.measurements, case.targets, order)
    solve = fits.squares if squares else fits.total_variation

    def make(strength: float) -> Function:
        values = solve(strength)
        return lambda x: nodes.matrix(x) @ values

    found = _least_error(case, make, np.geomspace(0.1, 1e-4, 5))
    return Fitted(found.function, found.chosen, time.perf_counter() - began)


def total_variation(case: Case, effort: Effort) -> Fitted:
    """Total variation of the function, by cvxpy."""
    return _on_grid(case, effort, 1)


def second_order(case: Case, effort: Effort) -> Fitted:
    """Total variation of the gradient, by cvxpy: what asks for pieces that are affine."""
    return _on_grid(case, effort, 2)


def tikhonov(case: Case, effort: Effort) -> Fitted:
    """The squares of the second derivatives."""
    return _on_grid(case, effort, 2, squares=True)


def wiener(case: Case, effort: Effort) -> Fitted:
    """Samples on a regular grid, blurred: each wave of the cosine transform, multiplied by H / (H² + α)."""
    assert isinstance(case.measurements, rs.BlurredSamples)
    points, width = case.measurements.locations, float(case.measurements.width[0])
    axes = [np.unique(points[:, i]) for i in range(points.shape[1])]
    spacing = [float(np.mean(np.diff(axis))) for axis in axes]
    frequencies = [np.pi * np.arange(len(axis)) / (h * len(axis)) for axis, h in zip(axes, spacing, strict=True)]

    def waves(x: np.ndarray) -> np.ndarray:
        total = np.ones((len(x), 1))
        for i, omega in enumerate(frequencies):
            factor = np.cos(omega * (x[:, i, None] - axes[i][0] + 0.5 * spacing[i]))
            total = (total[:, :, None] * factor[:, None, :]).reshape(len(x), -1)
        return total

    squares = np.add.outer(*[omega**2 for omega in frequencies]).ravel() if len(axes) == 2 else frequencies[0] ** 2
    response = np.exp(-0.5 * width**2 * squares)
    amplitudes = np.linalg.solve(waves(points), case.targets)

    def make(alpha: float) -> Function:
        filtered = amplitudes * response / (response**2 + alpha)
        return lambda x: waves(x) @ filtered

    return _least_error(case, make, np.geomspace(0.1, 1e-4, 7))


def averages_themselves(case: Case, effort: Effort) -> Fitted:
    """Constant on each box."""
    assert isinstance(case.measurements, rs.BoxAverages)
    boxes = case.measurements
    edges = [np.unique(boxes.lower[:, i]) for i in range(boxes.dimension)]

    def function(x: np.ndarray) -> np.ndarray:
        index = np.zeros(len(x), dtype=int)
        for i, edge in enumerate(edges):
            index = index * len(edge) + np.clip(np.searchsorted(edge, x[:, i], side="right") - 1, 0, len(edge) - 1)
        return case.targets[index]

    return Fitted(function, "", 0.0)


def histospline(case: Case, effort: Effort) -> Fitted:
    """The derivative of the cubic spline through the sums of the averages."""
    assert isinstance(case.measurements, rs.BoxAverages)
    began = time.perf_counter()
    edges = np.append(case.measurements.lower[:, 0], case.measurements.upper[-1, 0])
    sums = np.append(0.0, np.cumsum(np.diff(edges) * case.targets))
    spline = make_interp_spline(edges, sums, k=3, bc_type="natural").derivative()
    return Fitted(lambda x: spline(x[:, 0]), "", time.perf_counter() - began)


def samples_alone(case: Case, effort: Effort) -> Fitted:
    """The ridge spline of as many samples, with noise as strong."""
    assert case.samples is not None
    points, values = case.samples
    return _by_discrepancy(case, effort, rs.Samples(points), values)


def _values_and_slopes(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Points, values, gradients and the length that scales the slopes."""
    (samples, rows), *others = case.measurements.kinds()
    assert isinstance(samples, rs.Samples)
    columns, step = [], 1.0
    for slopes, where in others:
        assert isinstance(slopes, rs.Derivatives)
        step = float(np.linalg.norm(slopes.directions[0]))
        columns.append(case.targets[where] / step)
    return samples.points, case.targets[rows], np.column_stack(columns), step


def hermite(case: Case, effort: Effort) -> Fitted:
    """The cubic pieces with these values and slopes."""
    began = time.perf_counter()
    points, values, slopes, _ = _values_and_slopes(case)
    spline = CubicHermiteSpline(points[:, 0], values, slopes[:, 0])
    return Fitted(lambda x: spline(x[:, 0]), "", time.perf_counter() - began)


def polyharmonic(case: Case, effort: Effort) -> Fitted:
    """The smoothing spline of a Hilbert space, its nugget the best: the kernel −r⁴ log r for values and gradients."""
    points, values, slopes, step = _values_and_slopes(case)

    def make(nugget: float) -> Function:
        problem = rs.KernelProblem(
            points,
            values,
            slopes,
            kernel=rs.kernels.PolyharmonicKernel(4),
            value_nugget=nugget,
            gradient_nugget=nugget / step**2,
        )
        return rs.solve_kernel(problem, progress=False).spline

    return _least_error(case, make, np.geomspace(1e-1, 1e-5, 5))


PEERS: dict[str, Callable[[Case, Effort], Fitted]] = {
    "filtered back-projection": filtered_back_projection,
    "total variation": total_variation,
    "second-order total variation": second_order,
    "Wiener filter": wiener,
    "Tikhonov": tikhonov,
    "the averages": averages_themselves,
    "histospline": histospline,
    "samples alone": samples_alone,
    "Hermite spline": hermite,
    "polyharmonic spline": polyharmonic,
}
