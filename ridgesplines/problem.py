"""The question: data, loss, regularizer and strength, checked once."""

from __future__ import annotations

import copy
import math
import warnings
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from scipy.optimize import linprog

from ridgesplines.arrays import finite_array
from ridgesplines.duality import best_scale, pairwise_sum, project_dual
from ridgesplines.losses import Loss, PiecewiseLinearLoss, SquaredLoss
from ridgesplines.measurements import Measurement, Samples
from ridgesplines.norms import sizes
from ridgesplines.oracles import Neurons, Oracle, Slopes, reach
from ridgesplines.polynomials import Polynomial, PolynomialFit, describe, monomial_count, rank_is_at_most
from ridgesplines.regularizers import RadonTV, Regularizer, VectorRadonTV
from ridgesplines.spline import RidgeSpline

_UNIT = np.finfo(float).eps
# A dual vector keeps this fraction of its size away from the outer ends of its domain, for the rounding of the scale.
_ROOM = 1e-14
# Entries of a dual vector below this fraction of the largest are not relied on to keep their sign.
_NEGLIGIBLE = 1e-8
# A linear program misses feasible data by less than this fraction of the largest target.
_UNREACHED = 1e-6
_SAMPLES_ONLY = "{0} needs samples, values at points, got {1!r}; solve and ColumnGeneration() serve others."


@dataclass(frozen=True, eq=False)
class Problem:
    """min_f J(f) = Σ_n s_n ℓ(y_n, ν_n(f)) + λ R(f) over all functions f, which is over all networks of all widths.

    The loss is a sum over the data, never a mean; `SquaredLoss` carries its ½. Under a constraint (`Interpolation`,
    `IntervalConstraint`, `HardMargin`) the problem is min R(f) subject to it, and there is no λ. A solution is a ridge
    spline with at most `representer_bound` neurons. With D outputs the loss is the sum over the outputs, too.

    Args:
        measurements: ν, for instance `Samples(x)` with x of shape (N, d), or any other `Measurement` under `RadonTV` or
            `VectorRadonTV`.
        targets: y, (N,) or (N, D).
        loss: `SquaredLoss()` by default.
        regularizer: `RadonTV(order=2)` by default, `VectorRadonTV(order=2)` for targets (N, D).
        strength: λ > 0; left out under a constraint.
        sample_weights: s, (N,), positive: how much each datum counts, 1 by default; left out under a constraint.

    Raises:
        TypeError: if an argument is of the wrong type, or the targets are not numbers.
        ValueError: if shapes disagree, entries are not finite, the targets are no labels where the loss wants them, the
            strength is missing or not positive, a weight is not positive, there are fewer data than free polynomials,
            a constraint contradicts itself at one point, or measurements other than samples do not go with the
            regularizer or do not see some free polynomial.

    Source: parhi_nowak_2021, the representer theorem; Parhi & Nowak 2022 for several outputs.
    """

    measurements: Measurement
    targets: np.ndarray
    loss: Loss
    regularizer: Regularizer
    strength: float | None
    sample_weights: np.ndarray | None

    def __init__(
        self,
        measurements: Measurement,
        targets: Any,
        loss: Loss | None = None,
        regularizer: Regularizer | None = None,
        strength: float | None = None,
        sample_weights: Any = None,
    ) -> None:
        loss = SquaredLoss() if loss is None else loss
        for name, value, kind, remedy in (
            ("measurements", measurements, Measurement, "wrap the points: Samples(x)"),
            ("loss", loss, Loss, "pass an instance such as SquaredLoss() or Interpolation()"),
            ("regularizer", regularizer or RadonTV(), Regularizer, "pass an instance such as RadonTV(order=2)"),
        ):
            if not isinstance(value, kind):
                got = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
                raise TypeError(f"{name} must be a {kind.__name__}, got {got}; {remedy}.")
        checked = _checked_targets(targets, measurements.count)
        if regularizer is None:
            regularizer = RadonTV() if checked.ndim == 1 or checked.shape[1] == 1 else VectorRadonTV()
        if checked.ndim == 2 and not regularizer.vector_valued:
            if checked.shape[1] != 1:
                raise ValueError(
                    f"targets must have one column under {regularizer!r}, got shape {checked.shape}; use "
                    "VectorRadonTV(), whose neurons are shared by all outputs, or solve one problem for each."
                )
            checked = checked[:, 0]
        loss.check_targets(checked)
        object.__setattr__(self, "measurements", measurements)
        object.__setattr__(self, "targets", checked)
        object.__setattr__(self, "loss", loss)
        object.__setattr__(self, "regularizer", regularizer)
        object.__setattr__(self, "strength", _checked_strength(strength, loss))
        object.__setattr__(self, "sample_weights", _checked_weights(sample_weights, loss, measurements.count))
        self._check_solvable()

    def _check_solvable(self) -> None:
        count, dimension = self.measurements.count, self.measurements.dimension
        free = monomial_count(dimension, self.regularizer.degree)
        if count < free:
            raise ValueError(
                f"{count} data in dimension {dimension} are too few: the polynomials of degree "
                f"{self.regularizer.degree}, which cost nothing, alone need {free}; add data or drop inputs."
            )
        if not self.sampled:
            self._check_measured(free)
        if isinstance(self.loss, PiecewiseLinearLoss) and not self.loss.needs_strength:
            lower, upper = (end.reshape(count, -1) for end in self.loss.interval(self.targets))
            groups, allowance = self.measurements.groups, self.loss.allowance(self.targets)
            same = "have the same inputs" if self.sampled else "are the same measurement"
            for output in range(lower.shape[1]):
                # Within each group of equal inputs: the one that asks for most, and the one that allows least.
                most = np.lexsort((-lower[:, output], groups))
                least = np.lexsort((upper[:, output], groups))
                first = np.append(True, np.diff(groups[most]) > 0)
                most, least = most[first], least[first]
                clashes = np.flatnonzero(lower[most, output] > upper[least, output] + allowance)
                if len(clashes):
                    pair = sorted((int(most[clashes[0]]), int(least[clashes[0]])))
                    y = self.targets.reshape(count, -1)[pair, output]
                    raise ValueError(
                        f"no function satisfies {self.loss!r} on these data: rows {pair[0]} and {pair[1]} (counted "
                        f"from 0) {same} but targets {y[0]:g} and {y[1]:g}; average such rows, or use "
                        "SquaredLoss() or another loss with a strength."
                    )

            if self.sampled:
                self._check_reachable(lower, upper, allowance)

    def _check_measured(self, free: int) -> None:
        """Refuse measurements that the regularizer does not serve, or that do not see some free polynomial."""
        measurements, regularizer = self.measurements, self.regularizer
        if regularizer.order < measurements.least_order:
            raise ValueError(
                f"{measurements!r} needs neurons of order {measurements.least_order} at least, got {regularizer!r}: of "
                "lower orders they are not continuous in the neuron, and the supremum is not attained."
            )
        _ = self.oracle
        if self.free.basis.shape[1] < free:
            degree = regularizer.degree
            raise ValueError(
                f"{measurements!r} does not determine the polynomials of degree {degree}, which cost nothing: "
                f"f = {unseen_polynomial(measurements, degree)} is measured as 0; add measurements that see it."
            )

    def _check_reachable(self, lower: np.ndarray, upper: np.ndarray, allowance: float) -> None:
        """Refuse constraints that no network of the regularizer satisfies, whatever its width."""
        span = self.regularizer.span(self.points)
        if span is None:
            return
        # The least that some datum is missed by: a linear program in the coefficients and that.
        scale = np.linalg.norm(span, axis=0)
        span = span[:, scale > 0] / scale[scale > 0]
        ends = [(sign * end[:, 0], -sign * span) for end, sign in ((lower, 1.0), (upper, -1.0))]
        rows = np.concatenate([columns[np.isfinite(end)] for end, columns in ends])
        values = np.concatenate([-end[np.isfinite(end)] for end, _ in ends])
        program = linprog(
            np.append(np.zeros(span.shape[1]), 1.0),
            A_ub=np.column_stack([rows, -np.ones(len(rows))]),
            b_ub=values,
            bounds=[(None, None)] * span.shape[1] + [(0, None)],
        )
        size = float(np.abs(self.targets).max()) or 1.0
        if program.status == 0 and program.fun > allowance + _UNREACHED * size:
            raise ValueError(
                f"no network under {self.regularizer!r} satisfies {self.loss!r} on these data, whatever its width: it "
                f'misses some datum by {program.fun:g} at least; allow biases (bias="free" or "joint"), or use '
                "SquaredLoss() or another loss with a strength."
            )

    @property
    def sampled(self) -> bool:
        """Whether the measurements are samples."""
        return isinstance(self.measurements, Samples)

    @property
    def points(self) -> np.ndarray:
        """The points of the samples, (N, d).

        Raises:
            ValueError: if the measurements are others.
        """
        if not isinstance(self.measurements, Samples):
            raise ValueError(_SAMPLES_ONLY.format("this", self.measurements))
        return self.measurements.points

    @property
    def outputs(self) -> int:
        """The number of outputs, D."""
        return 1 if self.targets.ndim == 1 else self.targets.shape[1]

    @property
    def dual_limit(self) -> float:
        """What sup |p_z| may be at most for a feasible dual vector z: λ, or 1 under a constraint."""
        return 1.0 if self.strength is None else self.strength

    @property
    def weights(self) -> np.ndarray:
        """s, the sample weights, in a shape that multiplies the targets."""
        weights = np.ones(len(self.targets)) if self.sample_weights is None else self.sample_weights
        return weights if self.targets.ndim == 1 else weights[:, None]

    @cached_property
    def free(self) -> PolynomialFit:
        """Least squares on the measured polynomials that cost nothing."""
        return self.measurements.fit_polynomials(self.regularizer.degree)

    @cached_property
    def oracle(self) -> Oracle:
        """The supremum over all neurons of gauge 1 that fits the measurements: exact where one exists."""
        if self.sampled:
            return self.regularizer.oracle(self.points, self.outputs)
        return self.regularizer.measured_oracle(self.measurements, self.outputs)

    @cached_property
    def slopes(self) -> Slopes:
        """The derivatives of measured neurons by their parameters."""
        return Slopes(self.measurements, self.regularizer.activation)

    @property
    def representer_bound(self) -> int:
        """N − dim of the free polynomials, N counting different measurements: no solution needs more neurons.

        Times D for D outputs.
        """
        return self.outputs * (self.measurements.distinct - self.free.basis.shape[1])

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
    def dual_domain(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the largest value of each dual variable for which the dual objective is finite."""
        least, largest = self.loss.conjugate_domain(self.targets)
        return -self.weights * largest, -self.weights * least

    @cached_property
    def best_polynomial(self) -> tuple[np.ndarray, np.ndarray]:
        """The measurements of the free polynomial with the least loss, and an optimal dual vector there.

        Under a constraint, of the best polynomial in least squares, with what it misses as the dual vector.
        """
        if (isinstance(self.loss, SquaredLoss) and self.sample_weights is None) or not self.loss.needs_strength:
            return self.targets - self.dual_targets, self.dual_targets
        if not self.free.basis.shape[1]:
            nothing = np.zeros(self.targets.shape)
            return nothing, self.feasible_dual(-self.weights * self.loss.derivative(self.targets, nothing))
        import cvxpy  # heavy, and the most common losses do without

        basis = self.free.basis
        predictions = cvxpy.Variable(self.targets.shape)
        multipliers = cvxpy.Variable((basis.shape[1], *self.targets.shape[1:]))
        loss, constraints = self.loss.cvxpy_expression(self.targets, predictions, self.weights)
        link = basis @ multipliers == predictions
        program = cvxpy.Problem(cvxpy.Minimize(loss), [link, *constraints])
        with warnings.catch_warnings():
            # What is a little inaccurate starts a solver just as well.
            warnings.filterwarnings("ignore", "Solution may be inaccurate")
            program.solve(solver=cvxpy.CLARABEL)
        coefficients = np.asarray(multipliers.value)
        if not self.loss.smooth:
            return basis @ coefficients, self.feasible_dual(-link.dual_value)
        coefficients = self._polished(coefficients)
        fit = basis @ coefficients
        return fit, self.feasible_dual(-self.weights * self.loss.derivative(self.targets, fit))

    def _polished(self, coefficients: np.ndarray) -> np.ndarray:
        """Newton steps from `coefficients` of the free polynomials, as long as they make the slope of the loss smaller.

        λ_max is of first order in what an interior point leaves of it.
        """
        basis, least = self.free.basis, np.inf
        if coefficients.ndim > 1:
            return coefficients
        trial = coefficients
        for _ in range(20):
            fit = basis @ trial
            slope = basis.T @ (self.weights * self.loss.derivative(self.targets, fit))
            size = float(np.linalg.norm(slope))
            if not size < least:
                break
            coefficients, least = trial, size
            curvature = basis.T @ ((self.weights * self.loss.curvature(self.targets, fit))[:, None] * basis)
            trial = coefficients - np.linalg.lstsq(curvature, slope, rcond=None)[0]
        return coefficients

    @cached_property
    def strength_max(self) -> float:
        """λ_max, from which on the solution is the best polynomial and has no neuron: sup |p_z| at its dual vector.

        Where the best polynomial has several dual vectors (losses with kinks), an upper estimate; under a heuristic
        oracle a lower one.
        """
        return self.oracle.supremum(self.best_polynomial[1]).upper

    def with_strength(self, strength: float) -> Problem:
        """The same problem with another λ, sharing what does not depend on λ, the oracle and its sorting above all."""
        checked = _checked_strength(strength, self.loss)
        # What both would make for themselves otherwise. No cached property may depend on the strength.
        _ = self.oracle, self.free
        if not self.sampled:
            _ = self.slopes
        other = copy.copy(self)
        object.__setattr__(other, "strength", checked)
        return other

    def unprepared(self, strength: float | None = None) -> Problem:
        """The same problem, with another λ if one is given, without the oracle and all else that was made ready for it.

        To keep: it holds on to its data only, and is made ready again when that is needed.
        """
        other = object.__new__(Problem)
        for field in fields(self):
            object.__setattr__(other, field.name, getattr(self, field.name))
        if strength is not None:
            object.__setattr__(other, "strength", _checked_strength(strength, self.loss))
        return other

    def measure(self, spline: RidgeSpline) -> tuple[RidgeSpline, np.ndarray]:
        """A spline of any origin in the shape of the targets, and its measurements, (N,) or (N, D).

        Raises:
            TypeError: if it is no `RidgeSpline`.
            ValueError: if it is of another order, dimension or number of outputs, or not finite at the data.
        """
        spline = self.fitting(spline)
        with np.errstate(over="ignore", invalid="ignore"):
            predictions = self.measurements(spline).reshape(self.targets.shape)
        if not np.isfinite(predictions).all():
            raise ValueError("spline must be finite at the data; its parameters overflow or hold NaN.")
        return spline, predictions

    def fitting(self, spline: RidgeSpline) -> RidgeSpline:
        """A spline of any origin in the shape of the targets; errors as `measure`, without looking at the data."""
        if not isinstance(spline, RidgeSpline):
            raise TypeError(f"spline must be a RidgeSpline, got {type(spline).__name__}; see RidgeSpline.from_network.")
        shape = (spline.order, spline.dimension, spline.outputs)
        wanted = (self.regularizer.order, self.measurements.dimension, self.outputs)
        if shape != wanted:
            raise ValueError(f"spline has (order, dimension, outputs) {shape}, but the problem needs {wanted}.")
        if np.ndim(spline.coefficients) == 2 and self.targets.ndim == 1:
            coefficients, polynomial = spline.coefficients[:, 0], spline.polynomial.coefficients[:, 0]
            spline = RidgeSpline(spline.weights, spline.biases, coefficients, polynomial, spline.order)
        return spline

    def measure_neurons(self, neurons: Neurons) -> np.ndarray:
        """ν_n of each neuron: (N, K)."""
        return self.measurements.of_neurons(neurons, self.regularizer.activation)

    def spline(self, neurons: Neurons, coefficients: np.ndarray, polynomial: np.ndarray | None = None) -> RidgeSpline:
        """The ridge spline with these neurons and a free polynomial given by its measurements (N,) or (N, D).

        Canonical where all polynomials of its order are free.

        Without them, the polynomial that then fits the targets best in least squares.
        """
        if polynomial is None:
            polynomial = self.targets - self.measure_neurons(neurons) @ coefficients
        return self.regularizer.spline(neurons, coefficients, self.free(polynomial))

    def loss_value(self, predictions: np.ndarray) -> float:
        """Σ_n s_n ℓ(y_n, t_n); infinite where a constraint is violated."""
        return float(np.sum(self.weights * self.loss.value(self.targets, predictions)))

    def objective_of(self, coefficients: np.ndarray, predictions: np.ndarray) -> float:
        """J of a network of neurons of gauge 1 with `coefficients` (K,) or (K, D), from its predictions at the data."""
        return self.loss_value(predictions) + self.dual_limit * float(sizes(coefficients).sum())

    def objective(self, spline: RidgeSpline) -> float:
        """J(f); infinite where a constraint is violated."""
        predictions = self.measurements(spline).reshape(self.targets.shape)
        return self.loss_value(predictions) + self.dual_limit * self.regularizer.cost(spline)

    def dual_value(self, dual: np.ndarray) -> float:
        """D(z) = −Σ_n s_n ℓ*(−z_n / s_n) of a z orthogonal to the free polynomials."""
        return -float(np.sum(self.weights * self.loss.conjugate(self.dual_targets, -dual / self.weights)))

    def checked_dual(self, dual: Any) -> np.ndarray:
        """A dual vector of any origin as an array in the shape of the targets.

        Raises:
            TypeError: if it does not hold numbers.
            ValueError: if it has another shape, or entries that are not finite.
        """
        dual = finite_array("dual", dual, dimensions=(1, 2))
        if dual.shape != self.targets.shape:
            raise ValueError(f"dual must have one entry per measurement, {self.targets.shape}, got {dual.shape}.")
        return dual

    def feasible_dual(self, dual: np.ndarray) -> np.ndarray:
        """The vector nearest to `dual` that is orthogonal to the free polynomials and where D is finite."""
        lower, upper = self.dual_domain
        if dual.ndim == 1:
            return project_dual(dual, self.free.basis, lower, upper)
        columns = [project_dual(*column, lower=lo, upper=up) for *column, lo, up in self._columns(dual, lower, upper)]
        return np.stack(columns, axis=1)

    def _columns(self, dual: np.ndarray, lower: np.ndarray, upper: np.ndarray):
        for output in range(dual.shape[1]):
            yield dual[:, output], self.free.basis, lower[:, output], upper[:, output]

    def bound(self, dual: np.ndarray, supremum: float) -> tuple[float, float]:
        """A lower bound of min J from any z of `feasible_dual`, and the scale s of s z that gives it.

        The bound is max_s D(s z) over s · `supremum` ≤ λ with s z in the domain of D, and never below zero; proven
        if `supremum` ≥ sup |p_z| over the neurons whose hyperplanes meet the data.

        Rounding: z is orthogonal to the free polynomials up to a few ε. An exactly orthogonal z' is near (see
        `_distance_to_orthogonal`), so the bound for z' is had from the one for z by allowing for ‖z − z'‖ in the
        supremum and in D (which is concave, with a derivative of `Loss.conjugate_derivative`), and for the rounding in
        evaluating D: a few ε for each operation on the terms z_n t_n and s_n ℓ(y_n, t_n) that −ℓ* is the sum of. Where
        D has a bounded domain, z keeps a little away from its outer ends, so that z' is inside; where there may be no
        z', the bound is zero.

        Source: Fenchel duality; see papers/parhi_nowak_2021.md.
        """
        defect, change = self._made_orthogonal(dual)
        if not np.isfinite(defect):
            return 0.0, 0.0
        supremum += change
        limit = self.dual_limit / supremum if supremum > 0 else np.inf
        lower, upper = self.dual_domain
        with np.errstate(divide="ignore", invalid="ignore"):
            above = np.where(upper > 0, upper / (np.maximum(dual, 0.0) + 2 * defect), np.inf)
            below = np.where(lower < 0, -lower / (np.maximum(-dual, 0.0) + 2 * defect), np.inf)
        limit = min(limit, float(min(above.min(), below.min())) * (1 - _ROOM))
        weights, targets = self.weights, self.dual_targets

        def slope(s: float) -> float:
            attained = self.loss.conjugate_derivative(targets, -s * dual / weights)
            return float(np.sum(np.where(dual != 0, dual * np.where(dual != 0, attained, 0.0), 0.0)))

        scale = best_scale(slope, limit) if dual.any() else 0.0
        if not np.isfinite(scale):
            return 0.0, 0.0
        scaled = scale * dual
        attained = self.loss.conjugate_derivative(targets, -scaled / weights)
        attained = np.where(np.isfinite(attained), attained, 0.0)
        losses = self.loss.value(targets, attained)
        terms = np.abs(scaled * attained) + weights * np.where(np.isfinite(losses), losses, 0.0)
        rounding = (len(targets) + 16) * _UNIT * float(np.sum(terms))
        # The targets' own projection is off by as much.
        sizes = np.linalg.norm(attained) + np.linalg.norm(self.targets)
        rounding += 2 * scale * defect * float(sizes + scale * defect)
        return max(0.0, self.dual_value(scaled) - rounding), float(scale)

    def constrained_bound(self, dual: np.ndarray, supremum: float, noise_norm: float) -> float:
        """A lower bound of min R(f) subject to ‖ν(f) − y‖₂ ≤ δ, from any z of `feasible_dual`: weak duality.

        (z·y − δ ‖z‖) / sup |p_z|, less what rounding may have added to it, and never below zero; proven if `supremum`
        is, see `bound`. For the squared loss, whose targets are y.
        """
        defect, change = self._made_orthogonal(dual)
        if not np.isfinite(defect) or not supremum + change > 0:
            return 0.0
        terms, size = dual * self.dual_targets, float(np.linalg.norm(dual))
        rounding = (len(dual) + 16) * _UNIT * (float(np.abs(terms).sum()) + noise_norm * size)
        shift = 2 * float(np.linalg.norm(self.dual_targets) + np.linalg.norm(self.targets)) + noise_norm
        value = float(terms.sum()) - noise_norm * size - rounding - defect * shift
        return max(0.0, value / (supremum + change) * (1 - 4 * _UNIT))

    def _made_orthogonal(self, dual: np.ndarray) -> tuple[float, float]:
        """How far from z, at most, an exactly orthogonal z' is, and by how much their profiles differ at most.

        In general by ‖z − z'‖ times the norm of a neuron's values. On the line z may be large where data are close, but
        its moments M_0 = Σ z and M_1 = Σ z (x − x_i) are small: changing it at two data i < j makes them zero, by at
        most |M_0| + 2 |M_1| / (x_j − x_i) in all, and the profile by at most |M_1| + |M_0| times the line's length.
        """
        defect = self._distance_to_orthogonal(dual)
        if not self.sampled:
            return defect, defect * reach(self.measurements, self.regularizer.order)
        points, degree = self.points, self.regularizer.degree
        change = defect * self.regularizer.reach(points)
        if points.shape[1] > 1 or degree != 1 or dual.ndim > 1 or not change > 0:
            return defect, change
        diameter = float(np.ptp(points))
        lower, upper = self.dual_domain
        size = float(np.abs(dual).max())
        x = np.where(((lower < 0) & (upper > 0)) | (np.abs(dual) > _NEGLIGIBLE * size), points[:, 0], np.nan)
        if np.isnan(x).all():
            return defect, change
        first, last = float(np.nanmin(x)), float(np.nanmax(x))
        precise = dual.astype(np.longdouble)
        distances = points[:, 0].astype(np.longdouble) - first
        rounding = (len(dual).bit_length() + 4) * float(np.finfo(np.longdouble).eps) * float(np.abs(dual).sum())
        level = abs(float(pairwise_sum(precise))) * (1 + 4 * _UNIT) + rounding
        tilt = abs(float(pairwise_sum(precise * distances))) * (1 + 4 * _UNIT) + rounding * diameter
        if not (last - first) * _NEGLIGIBLE * size > level * (last - first) + 2 * tilt:
            return defect, change
        moved = level + 2 * tilt / (last - first)
        return (moved, tilt + level * diameter) if tilt + level * diameter < change else (defect, change)

    def _distance_to_orthogonal(self, dual: np.ndarray) -> float:
        """How far from z, at most, a z' is that is exactly orthogonal to the free polynomials; infinite if unknown.

        z' may differ from z only where that leaves D finite: not where z is zero, or next to it, at the end of its
        domain. On those rows M the basis Q has a least positive singular value σ, and the distance is ‖Qᵀ z‖ / σ. It
        must be small beside z for the others to keep their signs.
        """
        lower, upper = (end.reshape(len(dual), -1).T for end in self.dual_domain)
        basis, total = self.free.basis, 0.0
        for z, lo, up in zip(dual.reshape(len(dual), -1).T, lower, upper, strict=True):
            size = float(np.abs(z).max())
            defect = self.free.defect * float(np.linalg.norm(z)) + float(np.linalg.norm(basis.T @ z))
            movable = ((lo < 0) & (up > 0)) | (np.abs(z) > _NEGLIGIBLE * size)
            if not movable.all():
                rows = basis[movable]
                values = np.linalg.svd(rows, compute_uv=False)
                # The singular values are themselves off by a few ε.
                values = values[values > 64 * _UNIT]
                if len(values) < basis.shape[1] and size:
                    # Data that coincide, or lie on a line, do so exactly or by rounding only.
                    degree = self.regularizer.degree
                    if not self.sampled or not rank_is_at_most(len(values), self.points[movable], degree):
                        return np.inf
                if len(values):
                    defect /= float(values[-1]) - 16 * _UNIT
                if defect > _NEGLIGIBLE * size:
                    return np.inf
            total += defect**2
        return math.sqrt(total)

    @cached_property
    def resolution(self) -> float:
        """Objectives smaller than this are zero: the price, summed, of rounding the best polynomial's terms.

        Half the rounding squared, or its multiple by the slope of a loss with kinks.
        """
        best = self.free(self.targets)
        centres, radii = self.measurements.supports()
        farthest = np.abs(centres) + radii[:, None]
        sizes = Polynomial(np.abs(best.coefficients), best.dimension, best.degree)(farthest)
        sizes = (sizes.T * self.measurements.masses).T
        size = max(float(sizes.max()), float(np.abs(self.targets).max()))
        rounding = 64 * _UNIT * size
        price = 0.5 * rounding**2
        if isinstance(self.loss, PiecewiseLinearLoss) and self.loss.needs_strength:
            price = max(self.loss.slopes()) * rounding
        return float(np.sum(self.weights)) * price

    def __repr__(self) -> str:
        strength = "" if self.strength is None else f", strength={self.strength:g}"
        weighted = "" if self.sample_weights is None else ", weighted"
        return f"Problem({self.measurements!r}, {self.loss!r}, {self.regularizer!r}{strength}{weighted})"


def check_problem(problem: Any) -> None:
    """Refuse what is no `Problem`.

    Raises:
        TypeError: if it is none.
    """
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a Problem, got {type(problem).__name__}.")


def check_samples(problem: Problem, name: str) -> None:
    """Refuse measurements that are no samples, for what `name` says needs points.

    Raises:
        ValueError: if they are others.
    """
    if not problem.sampled:
        raise ValueError(_SAMPLES_ONLY.format(name, problem.measurements))


def unseen_polynomial(measurements: Measurement, degree: int) -> str:
    """The polynomial of degree ≤ `degree` that the measurements see least of, in words."""
    dimension = measurements.dimension
    count = monomial_count(dimension, degree)
    nothing = RidgeSpline(np.zeros((0, dimension)), np.zeros(0), np.zeros((0, count)), np.eye(count), degree + 1)
    measured = measurements(nothing)
    scales = np.abs(measured).max(axis=0)
    row = np.linalg.svd(measured / np.where(scales > 0, scales, 1.0))[2][-1]
    return describe(row / np.where(scales > 0, scales, 1.0), dimension, degree)


def _checked_targets(targets: Any, count: int) -> np.ndarray:
    array = finite_array("targets", targets, dimensions=(1, 2))
    if len(array) != count:
        raise ValueError(f"targets must have one entry per measurement, got {len(array)} for {count} measurements.")
    if array.ndim == 2 and array.shape[1] == 0:
        raise ValueError(f"targets must have at least one column, got shape {array.shape}.")
    array.setflags(write=False)
    return array


def _checked_weights(weights: Any, loss: Loss, count: int) -> np.ndarray | None:
    if weights is None:
        return None
    if not loss.needs_strength:
        raise ValueError(f"sample_weights have no meaning under {loss!r}, which is a constraint; leave them out.")
    array = finite_array("sample_weights", weights, dimensions=(1,))
    if len(array) != count:
        raise ValueError(f"sample_weights must have one entry per measurement, got {len(array)} for {count}.")
    if not (array > 0).all():
        row = int(np.argmin(array > 0))
        raise ValueError(f"sample_weights must be positive, got {array[row]:g} in row {row}; drop rows of weight zero.")
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
