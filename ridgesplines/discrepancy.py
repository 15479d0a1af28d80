"""Morozov's discrepancy principle: the strength at which the data are missed by their noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import root_scalar

from ridgesplines.checks import check_gap, check_number
from ridgesplines.measurements import Measurement
from ridgesplines.problem import Problem
from ridgesplines.progress import Progress
from ridgesplines.regularizers import Regularizer
from ridgesplines.solution import Solution, Status
from ridgesplines.solving import solver_for
from ridgesplines.spline import RidgeSpline

# The strengths tried go down by this factor until one is small enough, to this fraction of λ_max.
_PACE, _LEAST = 0.1, 1e-8


@dataclass(frozen=True, eq=False)
class DiscrepancySelection:
    """The solution that misses the data by their noise, of min R(f) subject to ‖ν(f) − y‖₂ ≤ δ.

    Attributes:
        strength: λ, the Lagrange multiplier: `solution` solves the squared loss with it.
        solution: with its certificate for that problem.
        noise_norm: δ.
        misfit_norm: ‖ν(f) − y‖₂, at most δ.
        regularization: R(f).
        bound: a lower bound of R over all networks of all widths that miss the data by at most δ, from the same dual
            vector, of the kind of the certificate.
        strengths: all that were tried, falling.
        misfit_norms: ‖ν(f) − y‖₂ for each of them.
        interrupted: whether Ctrl-C came before the misfit was within the tolerance.
    """

    strength: float
    solution: Solution
    noise_norm: float
    misfit_norm: float
    regularization: float
    bound: float
    strengths: np.ndarray
    misfit_norms: np.ndarray
    interrupted: bool

    @property
    def relative_gap(self) -> float:
        """(R(f) − bound) / R(f): how much smaller R of a function that misses the data by at most δ may be."""
        return max(self.regularization - self.bound, 0.0) / self.regularization if self.regularization else 0.0

    @property
    def kind(self) -> str:
        """That of the certificate."""
        return self.solution.certificate.kind

    def __str__(self) -> str:
        word = "proven" if self.solution.certificate.proven else "estimated"
        return (
            f"λ = {self.strength:.6g}: ‖ν(f) − y‖ = {self.misfit_norm:.6g} of {self.noise_norm:.6g}, "
            f"R = {self.regularization:.6g}, {word} to be at least {self.bound:.6g} ({self.kind})"
        )


def discrepancy_strength(
    measurements: Measurement,
    targets: Any,
    *,
    noise_norm: float,
    regularizer: Regularizer | None = None,
    tolerance: float = 1e-4,
    gap: float = 1e-6,
    progress: bool | None = None,
) -> DiscrepancySelection:
    """The smallest R(f) of a network that misses the data by no more than their noise: ‖ν(f) − y‖₂ ≤ δ.

    The solution of the squared loss whose misfit is δ solves it. The misfit does not fall as λ grows, and never grows
    faster than λ, so that log λ within `tolerance` is a misfit within it. A certified solution for each λ that is tried
    starts from the one before. For independent noise of variance σ², δ is about σ √N.

    Args:
        measurements: `Samples(x)`, or any other.
        targets: y, (N,) or (N, D).
        noise_norm: δ > 0.
        regularizer: as for `Problem`.
        tolerance: how far below δ the misfit may be, relative, besides what `gap` leaves open.
        gap: the relative gap of each solution.
        progress: show a line of progress; None shows it on a terminal.

    Returns:
        A `DiscrepancySelection`; on Ctrl-C, of the largest strength whose misfit was known to be at most δ.

    Raises:
        TypeError: if a number is none, or as `Problem` does.
        ValueError: if δ cannot be met: the best free polynomial misses the data by less, so that R = 0; or data of one
            measurement differ by more, or only strengths below 1e-8 λ_max come near it. Or as `Problem` does.
        KeyboardInterrupt: if interrupted before any misfit was at most δ.

    Source: Morozov 1966; parhi_nowak_2021 for the problem.
    """
    check_number("noise_norm", noise_norm, "positive and finite", lambda value: 0 < value < math.inf)
    check_number("tolerance", tolerance, "between 0 and 1", lambda value: 0 < value < 1)
    check_gap(gap)
    problem = Problem(measurements, targets, regularizer=regularizer, strength=1.0)
    _check_reachable(problem, noise_norm)
    tried: dict[float, tuple[Solution, float]] = {}
    interrupted = False
    with Progress(progress) as show:

        def excess(logarithm: float) -> float:
            """log of the misfit over δ at a strength."""
            strength = math.exp(logarithm)
            if strength not in tried:
                show(f"discrepancy: {len(tried) + 1} strengths (λ = {strength:.4g})")
                start = _nearest(tried, strength)
                posed = problem.with_strength(strength)
                solution = solver_for(posed, gap=gap, start=start).solve(posed, progress=False)
                if solution.status is Status.INTERRUPTED:
                    raise KeyboardInterrupt
                tried[strength] = solution, _misfit(problem, solution.spline)
            return math.log(max(tried[strength][1], 1e-300) / noise_norm)

        try:
            high = low = math.log(problem.strength_max)
            while excess(low + math.log(_PACE)) > 0:
                high = low = low + math.log(_PACE)
                if low < math.log(_LEAST * problem.strength_max):
                    raise ValueError(
                        f"noise_norm {noise_norm:g} is too small: strengths down to {math.exp(low):.3g}, {_LEAST:g} "
                        "times the largest, miss the data by more; use Interpolation() for data without noise."
                    )
            low += math.log(_PACE)
            # At λ_max the misfit is that of the best polynomial, above δ.
            if excess(high) > 0 and excess(low) < 0:
                root = root_scalar(excess, bracket=(low, high), method="brentq", xtol=0.5 * tolerance).root
                if excess(root) > 0:
                    excess(root - 0.5 * tolerance)
        except KeyboardInterrupt:
            interrupted = True
            if not any(misfit <= noise_norm for _, misfit in tried.values()):
                raise
    met = [strength for strength, (_, misfit) in tried.items() if misfit <= noise_norm]
    strength = max(met)
    solution, misfit = tried[strength]
    certificate = solution.certificate
    strengths = np.sort(np.array(list(tried)))[::-1]
    return DiscrepancySelection(
        strength=strength,
        solution=solution,
        noise_norm=float(noise_norm),
        misfit_norm=misfit,
        regularization=certificate.regularization,
        bound=problem.constrained_bound(certificate.dual, certificate.supremum, noise_norm),
        strengths=strengths,
        misfit_norms=np.array([tried[float(s)][1] for s in strengths]),
        interrupted=interrupted,
    )


def _check_reachable(problem: Problem, noise_norm: float) -> None:
    """Refuse a δ that the best polynomial meets, or that no function does."""
    targets = problem.targets.reshape(len(problem.targets), -1)
    most = float(np.linalg.norm(problem.free.project_off(targets)))
    if noise_norm >= most:
        raise ValueError(
            f"noise_norm {noise_norm:g} is too large: the best polynomial of degree {problem.regularizer.degree}, "
            f"which costs nothing, misses the data by {most:g} only; give less."
        )
    groups = problem.measurements.groups
    sums = np.stack([np.bincount(groups, column) for column in targets.T], axis=1)
    least = float(np.linalg.norm(targets - (sums.T / np.bincount(groups)).T[groups]))
    if noise_norm <= least:
        raise ValueError(
            f"noise_norm {noise_norm:g} is too small: targets of one measurement differ, so that every function misses "
            f"the data by {least:g} at least; give more."
        )


def _nearest(tried: dict[float, tuple[Solution, float]], strength: float) -> RidgeSpline | None:
    """The spline of the strength nearest in ratio."""
    if not tried:
        return None
    return tried[min(tried, key=lambda other: abs(math.log(other / strength)))][0].spline


def _misfit(problem: Problem, spline: RidgeSpline) -> float:
    return float(np.linalg.norm(problem.measure(spline)[1] - problem.targets))
