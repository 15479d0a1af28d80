"""What a restricted problem is."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

import numpy as np

from ridgesplines.norms import sizes
from ridgesplines.problem import Problem


class OutOfTime(Exception):
    """The deadline of a restricted problem has passed; what it holds is consistent, and not optimal."""


class RestrictedProblem(ABC):
    """A `Problem` over a growing set of neurons and the free polynomials, as column generation sees it.

        min_(v, q)  Σ_n s_n ℓ(y_n, (Φ v)_n + q_n) + λ Σ_k ‖v_k‖,        q in the span of the free polynomials.

    The K columns of Φ (N, K) are the measured neurons in the order in which they were added, v is (K,) or (K, D). Some
    regularizers admit only v ≥ 0, of one output; an inactive column is then as it should be if p_z ≤ λ.

    Attributes:
        deadline: when `solve` gives up, by `time.perf_counter`.
        tolerance: how large a violation of |p_z| ≤ λ, relative to λ, is still rounding of `solve`.
    """

    deadline: float = np.inf
    tolerance: float = 1e-11

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def check_deadline(self) -> None:
        """Raise OutOfTime if the deadline has passed."""
        if time.perf_counter() >= self.deadline:
            raise OutOfTime

    @property
    @abstractmethod
    def columns(self) -> np.ndarray:
        """Φ, (N, K), up to free polynomials."""

    @property
    @abstractmethod
    def coefficients(self) -> np.ndarray:
        """v, (K,) or (K, D)."""

    @property
    @abstractmethod
    def active(self) -> np.ndarray:
        """The indices of the columns with non-zero coefficients."""

    @property
    @abstractmethod
    def fit(self) -> np.ndarray | None:
        """Φ v + q, (N,) or (N, D); None if q is the polynomial that then fits the targets best in least squares."""

    @property
    @abstractmethod
    def dual(self) -> np.ndarray:
        """z, (N,) or (N, D), orthogonal to the free polynomials up to rounding, optimal for the present columns."""

    @property
    def admissible(self) -> bool:
        """Whether the present fit satisfies the constraints, if any, up to rounding."""
        return True

    @property
    def batch(self) -> int:
        """How many neurons are best added at once."""
        return 50

    @property
    def crowd(self) -> int:
        """From how many columns on the idle ones are a burden."""
        return 500 + 10 * len(self.active)

    @abstractmethod
    def add(self, columns: np.ndarray) -> None:
        """Append measured neurons (N, k) with coefficients zero."""

    @abstractmethod
    def keep(self, kept: np.ndarray) -> None:
        """Forget the columns where the boolean mask `kept` is false; active ones must stay."""

    def restart(self, coefficients: np.ndarray, fit: np.ndarray) -> None:
        """Go on from `coefficients` of the present columns, (K,) or (K, D), and the `fit` that they and q give.

        Only where the loss is smooth.
        """
        raise NotImplementedError

    @abstractmethod
    def solve(self) -> bool:
        """Minimise over the present columns, from the present coefficients; whether that changed anything.

        Raises:
            OutOfTime: if the deadline passes before.
        """

    def satisfied(self, violation: float) -> bool:
        """Whether sup |p_z| / λ − 1 = `violation` is small enough to `advance` rather than to add neurons."""
        return violation <= self.tolerance

    def advance(self) -> bool:
        """Tighten an approximation of constraints; False if there is nothing left to tighten."""
        return False

    def correlations(self) -> np.ndarray:
        """How far each column is from λ, (K,): |p_z|, or p_z where v ≥ 0."""
        products = self.columns.T @ self.dual
        return products if self._problem.regularizer.nonnegative else sizes(products)
