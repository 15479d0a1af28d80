"""The methods: each takes data and returns a function, with what is to be said about it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import BSpline, make_smoothing_spline

import ridgesplines as rs
from experiments.experiment import Unavailable

Curve = Callable[[np.ndarray], np.ndarray]
# The strengths that are tried, as fractions of λ_max.
RATIO, COUNT = 1e-5, 40
# A gap at which the degrees of freedom of orders 3 and 4 are those of the optimum.
_GAP = 1e-8
# So often in a row the score may be above the best, by this factor, before smaller strengths are not tried.
_PATIENCE, _WORSE = 4, 1.05
# Nor are any from the first one on that takes longer than this.
_SECONDS = 6.0


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a method makes of data.

    Attributes:
        curve: the function.
        chosen: its parameter, in words.
        knots: how many, if that says something.
        gap: the certified relative gap, of a ridge spline.
        kind: of the certificate.
        seconds: without what only serves the comparison; None for all of them.
    """

    curve: Curve
    chosen: str
    knots: int | None = None
    gap: float | None = None
    kind: str | None = None
    seconds: float | None = None


def _spline(solution: rs.Solution, strength: float) -> Fitted:
    certificate = solution.certificate
    return Fitted(
        solution.spline, f"λ = {strength:.3g}", solution.spline.width, certificate.relative_gap, certificate.kind
    )


def _problem(x: np.ndarray, y: np.ndarray, order: int = 2) -> rs.Problem:
    return rs.Problem(rs.Samples(x), y, regularizer=rs.RadonTV(order), strength=1.0)


def by_cross_validation(x: np.ndarray, y: np.ndarray) -> Fitted:
    """Order 2, λ by five-fold cross-validation."""
    strength = rs.select_strength(rs.Samples(x), y, count=COUNT, ratio=RATIO, progress=False).strength
    return _spline(rs.solve(_problem(x, y).with_strength(strength)), strength)


def by_stein_risk(x: np.ndarray, y: np.ndarray) -> Fitted:
    """Order 2, λ by Stein's unbiased risk over all breakpoints."""
    return _best(x, y, rs.stein_risk)


def by_gcv(x: np.ndarray, y: np.ndarray) -> Fitted:
    """Order 2, λ by generalised cross-validation over all breakpoints."""
    return _best(x, y, rs.generalized_cross_validation)


def _best(x: np.ndarray, y: np.ndarray, score: Callable[[rs.Problem, rs.ExactPath], rs.StrengthScores]) -> Fitted:
    problem = _problem(x, y)
    path = rs.exact_path(problem, ratio=RATIO, progress=False)
    strength = score(problem, path).strength
    return _spline(path.at(strength), strength)


def quadratic(x: np.ndarray, y: np.ndarray) -> Fitted:
    """Order 3, λ by generalised cross-validation."""
    return _of_order(3, x, y)


def cubic(x: np.ndarray, y: np.ndarray) -> Fitted:
    """Order 4, λ by generalised cross-validation."""
    return _of_order(4, x, y)


def _of_order(order: int, x: np.ndarray, y: np.ndarray) -> Fitted:
    """Down from λ_max, each fit warm started, until the score has risen for some strengths, or fits take too long."""
    problem = _problem(x, y, order)
    # λ_max grows with the length of the line like its power m − 1.
    strengths = problem.strength_max * np.geomspace(1.0, RATIO ** ((order - 1) / 2 + 0.5), COUNT)
    solutions: list[rs.Solution] = []
    scores: list[float] = []
    slow = ""
    for strength in strengths:
        start = solutions[-1].spline if solutions else None
        there = problem.with_strength(strength)
        solution = rs.ColumnGeneration(gap=_GAP, start=start, time_limit=_SECONDS).solve(there, progress=False)
        if solution.status is rs.Status.TIME_LIMIT:
            slow = f", the next takes over {_SECONDS:g} s"
            break
        solutions.append(solution)
        path = rs.RegularizationPath(np.array([strength]), (solutions[-1],))
        scores.append(float(rs.generalized_cross_validation(problem, path).scores[0]))
        if len(scores) > _PATIENCE and min(scores[-_PATIENCE:]) > _WORSE * min(scores):
            break
    best = int(np.argmin(scores))
    fitted = _spline(solutions[best], float(strengths[best]))
    # Only where the best is the last one would more time have changed it.
    return replace(fitted, chosen=fitted.chosen + slow) if slow and best == len(scores) - 1 else fitted


def smoothing_spline(x: np.ndarray, y: np.ndarray) -> Fitted:
    """The cubic smoothing spline of SciPy, its parameter by generalised cross-validation."""
    points, means, weights = _merged(x, y)
    return Fitted(make_smoothing_spline(points, means, weights), "GCV")


def trend_filter(x: np.ndarray, y: np.ndarray) -> Fitted:
    """ℓ1 trend filtering of the values at the data, by cvxpy and Clarabel, at the λ of `by_gcv`."""
    import cvxpy  # heavy, and only this row needs it

    problem = _problem(x, y)
    path = rs.exact_path(problem, ratio=RATIO, progress=False)
    strength = rs.generalized_cross_validation(problem, path).strength
    began = time.perf_counter()
    points, means, weights = _merged(x, y)
    values = cvxpy.Variable(len(points))
    unit = float(points[-1] - points[0]) / len(points)
    slopes = cvxpy.multiply(cvxpy.diff(values), unit / np.diff(points))
    loss = 0.5 * cvxpy.sum_squares(cvxpy.multiply(np.sqrt(weights), values - means))
    cvxpy.Problem(cvxpy.Minimize(loss + strength / unit * cvxpy.norm1(cvxpy.diff(slopes)))).solve(solver=cvxpy.CLARABEL)
    if values.value is None:
        raise Unavailable("Clarabel found no solution")
    fit = np.asarray(values.value)
    seconds = time.perf_counter() - began
    return Fitted(lambda at: np.interp(at, points, fit), f"λ = {strength:.3g}", seconds=seconds)


def p_spline(x: np.ndarray, y: np.ndarray) -> Fitted:
    """Eilers and Marx's P-spline: cubic B-splines on even knots, squared second differences, by GCV."""
    pieces = int(min(200, max(20, len(x) // 4)))
    step = (x[-1] - x[0]) / pieces
    knots = x[0] + step * np.arange(-3, pieces + 4)
    design = BSpline.design_matrix(np.clip(x, knots[3], knots[-4]), knots, 3).toarray()
    differences = np.diff(np.eye(design.shape[1]), 2, axis=0)
    gram, penalty = design.T @ design, differences.T @ differences
    best, chosen, kept = np.inf, 0.0, np.zeros(design.shape[1])
    for weight in np.geomspace(1e-4, 1e6, 60):
        solved = np.linalg.solve(gram + weight * penalty, np.column_stack([design.T @ y, gram]))
        rest = y - design @ solved[:, 0]
        score = float(rest @ rest) / len(x) / (1 - float(np.trace(solved[:, 1:])) / len(x)) ** 2
        if score < best:
            best, chosen, kept = score, float(weight), solved[:, 0]
    return Fitted(BSpline(knots, kept, 3), f"{pieces} pieces, weight {chosen:.2g}")


def lowess(x: np.ndarray, y: np.ndarray) -> Fitted:
    """LOWESS of statsmodels, its fraction by five-fold cross-validation."""
    try:
        from statsmodels.nonparametric.smoothers_lowess import lowess as smooth  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise Unavailable("statsmodels is not installed (extra classics)") from error
    parts = np.random.default_rng(0).integers(0, 5, len(x))

    def curve(rows: np.ndarray, fraction: float) -> Curve:
        def smoothed(at: np.ndarray) -> np.ndarray:
            # Where all neighbours are at one point there is no line through them: NaN.
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(smooth(y[rows], x[rows], frac=fraction, xvals=np.asarray(at, dtype=float)))

        return smoothed

    def missed(fraction: float) -> float:
        held_out = sum(np.sum((curve(parts != k, fraction)(x[parts == k]) - y[parts == k]) ** 2) for k in range(5))
        return float(held_out) if np.isfinite(held_out) else np.inf

    fractions = np.geomspace(max(0.7, 5 / len(x)), 5 / len(x), 16)
    errors = [missed(fraction) for fraction in fractions]
    fraction = float(fractions[int(np.argmin(errors))])
    return Fitted(curve(np.ones(len(x), bool), fraction), f"fraction {fraction:.2g}")


def _merged(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Different points, mean targets and how many data there are at each."""
    points, group, counts = np.unique(x, return_inverse=True, return_counts=True)
    return points, np.bincount(group, y) / counts, counts.astype(float)


RIDGE_SPLINES: dict[str, Callable[[np.ndarray, np.ndarray], Fitted]] = {
    "order 2, λ by CV": by_cross_validation,
    "order 2, λ by SURE": by_stein_risk,
    "order 2, λ by GCV": by_gcv,
    "order 3, λ by GCV": quadratic,
    "order 4, λ by GCV": cubic,
}
CLASSICS: dict[str, Callable[[np.ndarray, np.ndarray], Fitted]] = {
    "smoothing spline (SciPy, GCV)": smoothing_spline,
    "ℓ1 trend filtering (cvxpy)": trend_filter,
    "P-spline (GCV)": p_spline,
    "LOWESS (statsmodels, CV)": lowess,
}
METHODS = RIDGE_SPLINES | CLASSICS
