"""Regularizers: gauges of neurons, and the seminorms that they induce on functions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.oracles import Neurons, Oracle, choose_oracle
from ridgesplines.spline import SAME_HYPERPLANE, RidgeSpline


class Regularizer(ABC):
    """R(f) = inf Σ_k |v_k| · gauge(w_k, b_k) over all ways to write f, up to the free polynomials, as a network.

    The laws: the gauge is positively homogeneous of degree m − 1; `normalize` returns neurons of gauge 1 and the same
    function; `cost(f)` ≤ Σ_k |v_k| gauge(w_k, b_k); `cvxpy_expression` of normalised neurons' coefficients is that sum.
    """

    @property
    @abstractmethod
    def order(self) -> int:
        """m, the order of the truncated power."""

    @property
    def degree(self) -> int:
        """The degree m − 1 of the polynomials that cost nothing."""
        return self.order - 1

    @abstractmethod
    def gauge(self, neurons: Neurons) -> np.ndarray:
        """The cost (K,) of each neuron with coefficient 1."""

    @abstractmethod
    def normalize(self, neurons: Neurons, coefficients: np.ndarray) -> tuple[Neurons, np.ndarray]:
        """Neurons of gauge 1 and the coefficients that leave the function as it is."""

    @abstractmethod
    def cost(self, spline: RidgeSpline, tolerance: float = SAME_HYPERPLANE) -> float:
        """R(f); `tolerance` decides which hyperplanes are the same, see `RidgeSpline.canonical`."""

    @property
    def vector_valued(self) -> bool:
        """Whether neurons are shared by several outputs."""
        return False

    @property
    def nonnegative(self) -> bool:
        """Whether only coefficients v_k ≥ 0 are admissible."""
        return False

    @abstractmethod
    def oracle(self, points: np.ndarray, outputs: int = 1) -> Oracle:
        """The supremum of |p_z| over neurons of gauge 1, for samples at `points` (N, d) of that many outputs."""

    @abstractmethod
    def cvxpy_expression(self, coefficients: Any) -> Any:
        """The cost of a cvxpy expression of coefficients, (K,) or (K, D), of neurons of gauge 1."""


@dataclass(frozen=True)
class RadonTV(Regularizer):
    """RTV^m(f) = Σ_k |v_k| ‖w_k‖₂^(m−1): the total variation of the m-th derivative in the Radon domain.

    The gauge of a neuron is ‖w‖₂^(m−1), biases are free, and polynomials of degree < m cost nothing.

    Args:
        order: m: 2 (the ReLU), 3 or 4.

    Source: parhi_nowak_2021.
    """

    order: int = 2  # type: ignore[assignment] # a field implements the abstract property

    def __post_init__(self) -> None:
        if self.order not in (2, 3, 4):
            raise ValueError(f"order must be 2 (ReLU networks), 3 or 4, got {self.order!r}.")

    def gauge(self, neurons: Neurons) -> np.ndarray:
        """‖w_k‖₂^(m−1)."""
        return np.linalg.norm(neurons.weights, axis=1) ** (self.order - 1)

    def normalize(self, neurons: Neurons, coefficients: np.ndarray) -> tuple[Neurons, np.ndarray]:
        """Unit weights."""
        norms = np.linalg.norm(neurons.weights, axis=1)
        unit = Neurons(neurons.weights / norms[:, None], neurons.biases / norms)
        return unit, (coefficients.T * norms ** (self.order - 1)).T

    def cost(self, spline: RidgeSpline, tolerance: float = SAME_HYPERPLANE) -> float:
        """RTV^m(f)."""
        return spline.radon_tv(tolerance)

    def oracle(self, points: np.ndarray, outputs: int = 1) -> Oracle:
        """Exact where one exists, else the multi-start search; see `choose_oracle`."""
        return choose_oracle(points, self.order, outputs)

    def cvxpy_expression(self, coefficients: Any) -> Any:
        """The ℓ1 norm."""
        import cvxpy  # heavy, and only the reference programs need it

        return cvxpy.norm1(coefficients)


@dataclass(frozen=True)
class VectorRadonTV(RadonTV):
    """Σ_k ‖v_k‖₂ ‖w_k‖₂^(m−1) of a spline with D outputs: each hyperplane is paid for once and used by all outputs.

    It favours networks whose outputs share neurons, as weight decay does; for D = 1 it is `RadonTV`.

    Args:
        order: m: 2 (the ReLU), 3 or 4.

    Source: parhi_nowak_2021 for one output; Parhi & Nowak 2022 (SIAM J. Math. Data Sci. 4) for several.
    """

    @property
    def vector_valued(self) -> bool:
        """True."""
        return True

    def cvxpy_expression(self, coefficients: Any) -> Any:
        """The sum of the rows' Euclidean norms."""
        import cvxpy  # heavy, and only the reference programs need it

        if len(coefficients.shape) == 1:
            return cvxpy.norm1(coefficients)
        return cvxpy.sum(cvxpy.norm(coefficients, 2, axis=1))
