"""Certified ridge splines, and their kernel counterpart, as scikit-learn estimators."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.model_selection import GroupKFold
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ridgesplines.arrays import unique_rows
from ridgesplines.certificate import Certificate
from ridgesplines.checks import check_number
from ridgesplines.kernel_problem import KernelProblem
from ridgesplines.kernel_solving import KernelSolver, solve_kernel
from ridgesplines.kernels import GaussianKernel, Kernel
from ridgesplines.losses import LogisticLoss, Loss, SquaredLoss
from ridgesplines.measurements import Samples
from ridgesplines.path import StrengthSelection, select_strength
from ridgesplines.polynomials import monomial_count
from ridgesplines.problem import Problem
from ridgesplines.regularizers import AtomicNorm, RadonTV, Regularizer, VectorRadonTV
from ridgesplines.solution import Solution
from ridgesplines.solving import Solver, solve, solver_for
from ridgesplines.spline import RidgeSpline

# Free polynomials are left free from so many data for each of them on.
_PLENTY = 2


class _Scaled:
    """Rows of positive weight in coordinates where inputs, and targets of a regression, have mean 0 and deviation 1.

    Equal rows become one whose weight is the sum of theirs, which is the same problem, and rows are sorted, so that
    what is fitted depends on neither. A constant column keeps its unit.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray, standardize: bool, regression: bool) -> None:
        kept = weights > 0
        rows, group, _ = unique_rows(np.column_stack([x, y])[kept])
        self.weights = np.bincount(group, weights[kept])
        x, y = rows[:, : x.shape[1]], rows[:, x.shape[1] :].reshape(len(rows), *y.shape[1:])
        self.centre, self.spread = _moments(x, self.weights, standardize)
        self.target_centre, self.target_spread = _moments(y, self.weights, standardize and regression)
        self.x, self.y = self.inputs(x), (y - self.target_centre) / self.target_spread

    def inputs(self, x: np.ndarray) -> np.ndarray:
        """Inputs of the caller in these coordinates."""
        return (x - self.centre) / self.spread

    @property
    def sample_weights(self) -> np.ndarray | None:
        """One for each row; None where all are 1."""
        return None if (self.weights == 1).all() else self.weights

    def original(self, spline: RidgeSpline) -> RidgeSpline:
        """The spline in the caller's coordinates that belongs to `spline` in these."""
        spline = spline.compose(np.diag(1 / self.spread), -self.centre / self.spread)
        polynomial = np.array(spline.polynomial.coefficients) * self.target_spread
        polynomial[0] += self.target_centre
        coefficients = np.asarray(spline.coefficients) * self.target_spread
        return RidgeSpline(spline.weights, spline.biases, coefficients, polynomial, spline.order)


def _moments(values: np.ndarray, weights: np.ndarray, standardize: bool) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of the columns, or 0 and 1."""
    if not standardize:
        return np.zeros(values.shape[1:]), np.ones(values.shape[1:])
    mean = np.average(values, axis=0, weights=weights)
    spread = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
    return mean, np.where(spread > 1e-10 * (np.abs(mean) + spread), spread, 1.0)


class _RidgeSplineEstimator(BaseEstimator):
    """What regressors and classifiers share."""

    spline_: RidgeSpline
    solutions_: tuple[Solution, ...]

    def __init__(
        self,
        order: int = 2,
        strength: float = 1.0,
        *,
        regularizer: Regularizer | None = None,
        loss: Loss | None = None,
        standardize: bool = True,
        solver: Solver | None = None,
        gap: float = 1e-4,
        time_limit: float | None = None,
        verbose: bool = False,
    ) -> None:
        self.order = order
        self.strength = strength
        self.regularizer = regularizer
        self.loss = loss
        self.standardize = standardize
        self.solver = solver
        self.gap = gap
        self.time_limit = time_limit
        self.verbose = verbose

    def _scaled(self, x: np.ndarray, y: np.ndarray, sample_weight: Any, regression: bool) -> _Scaled:
        # A negative weight would make the problem not convex.
        weights = _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
        if not (weights > 0).any():
            raise ValueError("sample_weight must be positive for one row at least.")
        return _Scaled(x, y, weights, self.standardize, regression)

    def _solve(self, problem: Problem) -> Solution:
        solver = self.solver
        if solver is None:
            solver = solver_for(problem, gap=self.gap, time_limit=self.time_limit)
        return solve(problem, solver, progress=self._progress)

    @property
    def _progress(self) -> bool | None:
        return None if self.verbose else False

    def _keep(self, spline: RidgeSpline, solutions: tuple[Solution, ...]) -> None:
        self.spline_, self.solutions_ = spline, solutions
        self.n_iter_ = max(len(solution.trace) for solution in solutions)

    @property
    def certificate_(self) -> Certificate:
        """Of the problem that was solved, in the standardised coordinates; of several, the one with the largest gap."""
        check_is_fitted(self)
        return max((solution.certificate for solution in self.solutions_), key=lambda proof: proof.relative_gap)

    def _values(self, x: Any) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(self.spline_(validate_data(self, x, dtype=np.float64, reset=False)))


class RidgeSplineRegressor(RegressorMixin, MultiOutputMixin, _RidgeSplineEstimator):
    """Fit the best shallow network of any width, with the proof of how good it is.

    Minimises Σ_n s_n ℓ(y_n, f(x_n)) + λ R(f) over all networks of all widths, for inputs and targets scaled to mean 0
    and standard deviation 1 (`standardize`): λ and `certificate_` refer to that problem, `spline_` to the units of the
    data. Several targets share their neurons.

    Args:
        order: m, of the spline: 2 is the ReLU.
        strength: λ, of the sum over the data, not their mean; `RidgeSplineRegressorCV` chooses it.
        regularizer: R. By default `RadonTV(order)`, where there are two data for each polynomial that costs nothing;
            with fewer these would be all of the fit, and for order 2 `AtomicNorm(skip="constant")`, under which only
            constants are free, takes its place. Several targets share neurons under `VectorRadonTV(order)`, and are one
            problem each under regularizers for one target.
        loss: ℓ, `SquaredLoss()` by default.
        standardize: whether to scale inputs and targets.
        solver: by default `LineSpline` or `ColumnGeneration` with the next two.
        gap: the relative gap to the best network to stop at.
        time_limit: seconds, or None.
        verbose: show a line of progress on a terminal.

    Attributes:
        spline_: the fit, a `RidgeSpline` in the units of the data.
        certificate_: the proof.
        solutions_: one `Solution` for each problem.
        n_iter_: iterations.
        n_features_in_: d.
        feature_names_in_: names of the inputs, if they came in a data frame.

    Source: parhi_nowak_2021.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit X (N, d) and y (N,) or (N, D), each datum counting `sample_weight` (N,) times.

        Raises:
            ValueError: as `Problem` does, or if a weight is negative or all are zero.
        """
        data = self._prepare(X, y, sample_weight)
        regularizer = self._regularizer(data, len(data.x))
        targets = _together(data.y, regularizer)
        return self._fit(data, targets, [self.strength] * len(targets), self.loss, regularizer)

    def predict(self, X: Any) -> np.ndarray:
        """f at X (N, d): (N,), or (N, D) as the targets were."""
        values = self._values(X)
        return values.reshape(len(values), *self._shape)

    def _prepare(self, X: Any, y: Any, sample_weight: Any) -> _Scaled:
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, ensure_min_samples=2)
        self._shape = y.shape[1:]
        y = y.astype(np.float64)
        return self._scaled(X, y[:, 0] if y.shape[1:] == (1,) else y, sample_weight, regression=True)

    def _regularizer(self, data: _Scaled, count: int) -> Regularizer:
        """For `count` of the data."""
        if self.regularizer is not None:
            return self.regularizer
        regularizer = RadonTV(self.order) if data.y.ndim == 1 else VectorRadonTV(self.order)
        if self.order == 2 and count < _PLENTY * monomial_count(data.x.shape[1], 1):
            return AtomicNorm(skip="constant")
        return regularizer

    def _fit(
        self,
        data: _Scaled,
        targets: list[np.ndarray],
        strengths: list[float],
        loss: Loss | None,
        regularizer: Regularizer,
    ) -> Self:
        solutions = tuple(
            self._solve(
                Problem(
                    Samples(data.x),
                    y,
                    loss=SquaredLoss() if loss is None else loss,
                    regularizer=regularizer,
                    strength=strength,
                    sample_weights=data.sample_weights,
                )
            )
            for y, strength in zip(targets, strengths, strict=True)
        )
        self._keep(data.original(_stacked([solution.spline for solution in solutions])), solutions)
        return self


def _together(y: np.ndarray, regularizer: Regularizer) -> list[np.ndarray]:
    """The targets that are fitted together: all, or one after the other."""
    return [y] if y.ndim == 1 or regularizer.vector_valued else list(y.T)


class RidgeSplineRegressorCV(RidgeSplineRegressor):
    """`RidgeSplineRegressor` under the squared loss, with λ chosen by cross-validation.

    Equal inputs are held out together.

    Args:
        order: m, of the spline: 2 is the ReLU.
        folds: parts that are held out in turn.
        count: the number of strengths tried, falling from λ_max, at which the fit has no neuron.
        ratio: the smallest strength over λ_max.
        regularizer: R, as for `RidgeSplineRegressor`.
        standardize: whether to scale inputs and targets.
        solver: of the final fit; by default the one that suits the problem, with the next two.
        gap: the relative gap of the final fit to the best network; the fits that are compared stop at 1e-3.
        time_limit: seconds for the final fit, or None.
        random_state: seed of the random parts.
        verbose: show a line of progress on a terminal.

    Attributes:
        paths_: one `StrengthSelection` for each problem: strengths, errors and their standard errors; None where the
            targets are a polynomial that the regularizer leaves free, which every λ gives.
        strengths_: the λ chosen for each; 1 where every λ gives the same.
    """

    def __init__(
        self,
        order: int = 2,
        *,
        folds: int = 5,
        count: int = 30,
        ratio: float = 1e-4,
        regularizer: Regularizer | None = None,
        standardize: bool = True,
        solver: Solver | None = None,
        gap: float = 1e-4,
        time_limit: float | None = None,
        random_state: int = 0,
        verbose: bool = False,
    ) -> None:
        self.order = order
        self.folds = folds
        self.count = count
        self.ratio = ratio
        self.regularizer = regularizer
        self.standardize = standardize
        self.solver = solver
        self.gap = gap
        self.time_limit = time_limit
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """See `RidgeSplineRegressor.fit`.

        Raises:
            ValueError: as there and as `select_strength` does.
        """
        check_number("folds", self.folds, "a whole number from 2", lambda value: value >= 2 and value % 1 == 0)
        data = self._prepare(X, y, sample_weight)
        samples = Samples(data.x)
        if samples.distinct < 2:
            raise ValueError(
                "X must have two different rows at least, to hold some out, got one; use RidgeSplineRegressor."
            )
        parts = list(
            GroupKFold(min(self.folds, samples.distinct), shuffle=True, random_state=self.random_state).split(
                data.x, groups=samples.groups
            )
        )
        regularizer = self._regularizer(data, min(len(train) for train, _ in parts))
        targets = _together(data.y, regularizer)
        self.paths_ = tuple(self._selection(samples, y, regularizer, data.sample_weights, parts) for y in targets)
        self.strengths_ = tuple(1.0 if path is None else path.strength for path in self.paths_)
        return self._fit(data, targets, list(self.strengths_), None, regularizer)

    def _selection(
        self,
        samples: Samples,
        y: np.ndarray,
        regularizer: Regularizer,
        weights: np.ndarray | None,
        parts: list[tuple[np.ndarray, np.ndarray]],
    ) -> StrengthSelection | None:
        problem = Problem(samples, y, regularizer=regularizer, strength=1.0, sample_weights=weights)
        if not problem.dual_targets.any():
            return None
        return select_strength(
            samples,
            y,
            regularizer=regularizer,
            sample_weights=weights,
            folds=parts,
            count=self.count,
            ratio=self.ratio,
            progress=self._progress,
        )

    @property
    def path_(self) -> StrengthSelection | None:
        """The only one of `paths_`."""
        check_is_fitted(self)
        (path,) = self.paths_
        return path

    @property
    def strength_(self) -> float:
        """The only one of `strengths_`."""
        check_is_fitted(self)
        (strength,) = self.strengths_
        return strength


class RidgeSplineClassifier(ClassifierMixin, _RidgeSplineEstimator):
    """Fit the best shallow network of any width to classes, with the proof of how good it is.

    Two classes are the labels −1 and 1 of `RidgeSplineRegressor`'s problem; of more, each is set against all others,
    one problem for each. Inputs are scaled (`standardize`).

    Args:
        order: m, of the spline: 2 is the ReLU.
        strength: λ, of the sum over the data, not their mean.
        regularizer: R, by default for order 2 `AtomicNorm(skip="constant")`, under which only constants are free: the
            logistic loss has no minimum where a free polynomial separates the classes; else `RadonTV(order)`.
        loss: `LogisticLoss()` by default.
        standardize: whether to scale the inputs.
        solver: by default the one that suits the problem, with the next two.
        gap: the relative gap to the best network to stop at.
        time_limit: seconds for each problem, or None.
        verbose: show a line of progress on a terminal.

    Attributes:
        classes_: the labels, sorted.
        spline_: the decision function, one output for each class if there are more than two.
        certificate_: the proof; of several the one with the largest gap.
        solutions_: one `Solution` for each problem.
        n_iter_: iterations.
        n_features_in_: d.
        feature_names_in_: names of the inputs, if they came in a data frame.

    Source: parhi_nowak_2021.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit X (N, d) and the labels y (N,), each datum counting `sample_weight` (N,) times.

        Raises:
            ValueError: as `Problem` does, if there is one class only, or a weight is negative.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y must have two classes at least, got one class, {self.classes_[0]!r}.")
        data = self._scaled(X, numbers.astype(float), sample_weight, regression=False)
        positive = [1] if len(self.classes_) == 2 else range(len(self.classes_))
        solutions = tuple(self._solve(self._problem(data, number)) for number in positive)
        self._keep(data.original(_stacked([solution.spline for solution in solutions])), solutions)
        return self

    def _problem(self, data: _Scaled, number: int) -> Problem:
        regularizer = self.regularizer
        if regularizer is None:
            regularizer = AtomicNorm(skip="constant") if self.order == 2 else RadonTV(self.order)
        return Problem(
            Samples(data.x),
            np.where(data.y == number, 1.0, -1.0),
            loss=LogisticLoss() if self.loss is None else self.loss,
            regularizer=regularizer,
            strength=self.strength,
            sample_weights=data.sample_weights,
        )

    def decision_function(self, X: Any) -> np.ndarray:
        """f at X (N, d): (N,), positive for `classes_[1]`; (N, C) for C > 2 classes."""
        return self._values(X)

    def predict(self, X: Any) -> np.ndarray:
        """The class of each row, (N,)."""
        values = self.decision_function(X)
        return self.classes_[(values > 0).astype(int) if values.ndim == 1 else values.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities (N, C) of the classes under the logistic loss; of more than two, scaled to the sum 1.

        Raises:
            AttributeError: under another loss.
        """
        if self.loss is not None and not isinstance(self.loss, LogisticLoss):
            raise AttributeError(f"probabilities are those of LogisticLoss(), but loss is {self.loss!r}.")
        # 1 / (1 + e^−t) without overflow.
        odds = 0.5 * (1 + np.tanh(0.5 * self.decision_function(X)))
        if odds.ndim == 1:
            return np.column_stack([1 - odds, odds])
        total = odds.sum(axis=1, keepdims=True)
        return np.where(total > 0, odds, 1.0) / np.where(total > 0, total, odds.shape[1])


def _stacked(splines: list[RidgeSpline]) -> RidgeSpline:
    """The spline whose outputs are `splines`, of one output each; itself if there is one."""
    if len(splines) == 1:
        return splines[0]
    widths = np.cumsum([0, *(spline.width for spline in splines)])
    coefficients = np.zeros((widths[-1], len(splines)))
    for output, spline in enumerate(splines):
        coefficients[widths[output] : widths[output + 1], output] = spline.coefficients
    return RidgeSpline(
        np.concatenate([spline.weights for spline in splines]),
        np.concatenate([spline.biases for spline in splines]),
        coefficients,
        np.column_stack([spline.polynomial.coefficients for spline in splines]),
        splines[0].order,
    )


class NeuralSplineRegressor(RegressorMixin, MultiOutputMixin, BaseEstimator):
    """Kernel ridge regression with the kernel of an infinitely wide network.

    Minimises Σ_n (y_n − f(x_n))² / α + ‖f‖² in the kernel's Hilbert space, for inputs and targets scaled to mean 0 and
    standard deviation 1 (`standardize`).

    Args:
        kernel: `kernels.GaussianKernel()` by default, of Gaussian weights and biases.
        nugget: α ≥ 0; 0 interpolates, which repeated inputs must allow.
        standardize: whether to scale inputs and targets.
        solver: see `solve_kernel`.
        verbose: show a line of progress on a terminal.

    Attributes:
        splines_: one `KernelSpline` for each target, in the scaled coordinates.
        n_features_in_: d.
        feature_names_in_: names of the inputs, if they came in a data frame.

    Source: williams_2021.
    """

    def __init__(
        self,
        kernel: Kernel | None = None,
        nugget: float = 1e-2,
        *,
        standardize: bool = True,
        solver: KernelSolver | None = None,
        verbose: bool = False,
    ) -> None:
        self.kernel = kernel
        self.nugget = nugget
        self.standardize = standardize
        self.solver = solver
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> Self:
        """Fit X (N, d) and y (N,) or (N, D).

        Raises:
            ValueError: as `KernelProblem` and `solve_kernel` do.
        """
        check_number("nugget", self.nugget, "at least 0 and finite", lambda value: 0 <= value < np.inf)
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, ensure_min_samples=2)
        self._shape = y.shape[1:]
        self._data = _Scaled(X, y.astype(np.float64), np.ones(len(X)), self.standardize, regression=True)
        # Rows that occur n times are one with an n-th of the nugget; what is left of that is not for one number.
        rows = np.repeat(np.arange(len(self._data.x)), self._data.weights.astype(int))
        kernel = GaussianKernel() if self.kernel is None else self.kernel
        columns = self._data.y.reshape(len(self._data.y), -1).T
        self.splines_ = tuple(
            solve_kernel(
                KernelProblem(self._data.x[rows], column[rows], kernel=kernel, value_nugget=self.nugget),
                self.solver,
                progress=None if self.verbose else False,
            ).spline
            for column in columns
        )
        return self

    def predict(self, X: Any) -> np.ndarray:
        """f at X (N, d): (N,), or (N, D) as the targets were."""
        check_is_fitted(self)
        inputs = self._data.inputs(np.asarray(validate_data(self, X, dtype=np.float64, reset=False)))
        values = np.column_stack([spline(inputs) for spline in self.splines_]).reshape(len(inputs), *self._shape)
        return values * self._data.target_spread + self._data.target_centre
