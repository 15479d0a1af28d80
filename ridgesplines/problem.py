"""The question: data, loss, regularizer and strength, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ridgesplines.arrays import finite_array
from ridgesplines.losses import Interpolation, Loss, SquaredLoss
from ridgesplines.measurements import Samples
from ridgesplines.oracles import Neurons, Oracle
from ridgesplines.polynomials import Polynomial, PolynomialFit, monomial_count
from ridgesplines.regularizers import RadonTV, Regularizer
from ridgesplines.spline import RidgeSpline

_UNIT = np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class Problem:
    """min_f J(f) = Σ_n ℓ(y_n, ν_n(f)) + λ R(f) over all functions f, which is over all networks of all widths.

    The loss is a sum over the data, never a mean; `SquaredLoss` carries its ½. With `loss=Interpolation()` the problem
    is min R(f) subject to ν_n(f) = y_n, and there is no λ. A solution is a ridge spline with at most
    `representer_bound` neurons.

    Args:
        measurements: ν, for instance `Samples(x)` with x of shape (N, d).
        targets: y, (N,).
        loss: `SquaredLoss()` by default.
        regularizer: `RadonTV(order=2)` by default.
        strength: λ > 0; left out under `Interpolation`.

    Raises:
        TypeError: if an argument is of the wrong type, or the targets are not numbers.
        ValueError: if shapes disagree, entries are not finite, the strength is missing or not positive, there are fewer
            data than free polynomials, or interpolation is asked for two targets at one point.

    Source: parhi_nowak_2021, the representer theorem.
    """

    measurements: Samples
    targets: np.ndarray
    loss: Loss
    regularizer: Regularizer
    strength: float | None

    def __init__(
        self,
        measurements: Samples,
        targets: Any,
        loss: Loss | None = None,
        regularizer: Regularizer | None = None,
        strength: float | None = None,
    ) -> None:
        loss = SquaredLoss() if loss is None else loss
        regularizer = RadonTV() if regularizer is None else regularizer
        for name, value, kind, remedy in (
            ("measurements", measurements, Samples, "wrap the points: Samples(x)"),
            ("loss", loss, Loss, "pass an instance such as SquaredLoss() or Interpolation()"),
            ("regularizer", regularizer, Regularizer, "pass an instance such as RadonTV(order=2)"),
        ):
            if not isinstance(value, kind):
                got = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
                raise TypeError(f"{name} must be a {kind.__name__}, got {got}; {remedy}.")
        object.__setattr__(self, "measurements", measurements)
        object.__setattr__(self, "targets", _checked_targets(targets, measurements.count))
        object.__setattr__(self, "loss", loss)
        object.__setattr__(self, "regularizer", regularizer)
        object.__setattr__(self, "strength", _checked_strength(strength, loss))
        self._check_solvable()

    def _check_solvable(self) -> None:
        count, dimension = self.measurements.count, self.measurements.dimension
        free = monomial_count(dimension, self.regularizer.degree)
        if count < free:
            raise ValueError(
                f"{count} data in dimension {dimension} are too few: the polynomials of degree "
                f"{self.regularizer.degree}, which cost nothing, alone need {free}; add data or drop inputs."
            )
        if isinstance(self.loss, Interpolation):
            groups = self.measurements.groups
            order = np.lexsort((self.targets, groups))
            together = np.diff(groups[order]) == 0
            apart = np.abs(np.diff(self.targets[order])) > self.loss.allowance(self.targets)
            clashes = np.flatnonzero(together & apart)
            if len(clashes):
                first, second = sorted(int(i) for i in order[clashes[0] : clashes[0] + 2])
                raise ValueError(
                    f"no function interpolates these data: rows {first} and {second} (counted from 0) have the same "
                    f"inputs but targets {self.targets[first]:g} and {self.targets[second]:g}; average such rows, or "
                    "use SquaredLoss() with a strength."
                )

    @property
    def dual_limit(self) -> float:
        """What sup |p_z| may be at most for a feasible dual vector z: λ, or 1 under interpolation."""
        return 1.0 if self.strength is None else self.strength

    @cached_property
    def free(self) -> PolynomialFit:
        """Least squares on the measured polynomials that cost nothing."""
        return self.measurements.fit_polynomials(self.regularizer.degree)

    @cached_property
    def oracle(self) -> Oracle:
        """The supremum over all neurons of gauge 1 that fits the points: exact where one exists."""
        return self.regularizer.oracle(self.measurements.points)

    @property
    def representer_bound(self) -> int:
        """N − dim of the free polynomials, N counting different measurements: no solution needs more neurons."""
        return self.measurements.distinct - self.free.basis.shape[1]

    @cached_property
    def dual_targets(self) -> np.ndarray:
        """Targets for the dual objective: less the best free polynomial, where the loss sees differences only.

        Dual vectors are orthogonal to those, so the dual objective is the same and rounds less.
        """
        if not self.loss.translation_invariant:
            return self.targets
        remainder = self.free.project_off(self.targets)
        noise = 64 * _UNIT * float(np.abs(self.targets).max())
        return remainder if np.abs(remainder).max() > noise else np.zeros_like(remainder)

    @cached_property
    def strength_max(self) -> float:
        """λ_max, from which on the solution is the best polynomial and has no neuron: sup |p_z| at its residual.

        For the squared loss; under a heuristic oracle a lower estimate.
        """
        return self.oracle.supremum(self.dual_targets).upper

    def measure_neurons(self, neurons: Neurons) -> np.ndarray:
        """ν_n of each neuron: (N, K)."""
        return self.measurements.of_neurons(neurons, self.regularizer.order)

    def spline(self, neurons: Neurons, coefficients: np.ndarray) -> RidgeSpline:
        """The ridge spline with these neurons and the free polynomial that then fits the targets best, canonical."""
        remainder = self.targets - self.measure_neurons(neurons) @ coefficients
        polynomial = self.free(remainder)
        order = self.regularizer.order
        return RidgeSpline(neurons.weights, neurons.biases, coefficients, polynomial, order).canonical()

    def objective(self, spline: RidgeSpline) -> float:
        """J(f); under interpolation infinite where the data are missed."""
        loss = self.loss.value(self.targets, self.measurements(spline))
        return loss + self.dual_limit * self.regularizer.cost(spline)

    def bound(self, dual: np.ndarray, supremum: float) -> tuple[float, float]:
        """A lower bound of min J from any z orthogonal to the free polynomials, and the scale s of s z that gives it.

        The bound is max_s D(s z) over s · `supremum` ≤ λ, and never below zero. It is proven if `supremum` ≥ sup |p_z|
        over the neurons whose hyperplanes meet the data.

        Rounding: z is orthogonal to the free polynomials up to `free.defect`, a few ε. An exactly orthogonal z' is that
        near, so the bound for z' is had from the one for z by allowing for ‖z − z'‖ in the supremum and in D, and for
        the rounding in evaluating D (`Loss.dual_rounding`).

        Source: Fenchel duality; see papers/parhi_nowak_2021.md.
        """
        points = self.measurements.points
        reach = float(np.sqrt(len(points)) * np.linalg.norm(np.ptp(points, axis=0)))
        defect = self.free.defect * float(np.linalg.norm(dual))
        supremum += defect * reach
        limit = self.dual_limit / supremum if supremum > 0 else np.inf
        scale = self.loss.best_scale(dual, self.dual_targets, limit)
        scaled = scale * dual
        rounding = self.loss.dual_rounding(scaled, self.dual_targets, scale * defect)
        # The targets' own projection is off by as much.
        rounding += scale * defect * float(np.linalg.norm(self.targets))
        return float(max(self.loss.dual_value(scaled, self.dual_targets) - rounding, 0.0)), float(scale)

    @cached_property
    def resolution(self) -> float:
        """Objectives smaller than this are zero: the squared rounding, summed, of the best polynomial's terms."""
        best = self.free(self.targets)
        sizes = Polynomial(np.abs(best.coefficients), best.dimension, best.degree)(np.abs(self.measurements.points))
        size = max(float(sizes.max()), float(np.abs(self.targets).max()))
        return 0.5 * len(self.targets) * (64 * _UNIT * size) ** 2

    def __repr__(self) -> str:
        strength = "" if self.strength is None else f", strength={self.strength:g}"
        return f"Problem({self.measurements!r}, {self.loss!r}, {self.regularizer!r}{strength})"


def _checked_targets(targets: Any, count: int) -> np.ndarray:
    array = finite_array("targets", targets, dimensions=(1, 2))
    if array.ndim == 2:
        if array.shape[1] != 1:
            raise ValueError(
                f"targets must have one column here, got shape {array.shape}; solve one problem for each output."
            )
        array = array[:, 0]
    if len(array) != count:
        raise ValueError(f"targets must have one entry per measurement, got {len(array)} for {count} measurements.")
    array.setflags(write=False)
    return array


def _checked_strength(strength: float | None, loss: Loss) -> float | None:
    if not loss.needs_strength:
        if strength is not None:
            raise ValueError(f"strength has no meaning under {loss!r}, got {strength!r}; leave it out.")
        return None
    if strength is None:
        raise ValueError(f"strength is missing: {loss!r} needs a λ > 0; or interpolate with loss=Interpolation().")
    try:
        value = float(strength)
    except (TypeError, ValueError) as error:
        raise TypeError(f"strength must be a positive number, got {strength!r}.") from error
    if not (0 < value < np.inf):
        raise ValueError(
            f"strength must be positive and finite, got {value:g}; for λ → 0 use loss=Interpolation() and no strength."
        )
    return value
