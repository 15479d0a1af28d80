"""The total variation of a derivative in the Radon domain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.arrays import Array, namespace
from ridgesplines.oracles import Functionals, Neurons, Oracle, choose_measured_oracle, choose_oracle
from ridgesplines.regularizers.protocol import Regularizer


@dataclass(frozen=True)
class RadonTV(Regularizer):
    """RTV^m(f) = Σ_k |v_k| ‖w_k‖₂^(m−1): the total variation of the m-th derivative in the Radon domain.

    The gauge of a neuron is ‖w‖₂^(m−1), biases are free, and polynomials of degree < m cost nothing.

    Args:
        order: m: 2 (the ReLU), 3 or 4.

    Source: parhi_nowak_2021.
    """

    order: int = 2  # type: ignore[assignment] # a field implements the property

    def __post_init__(self) -> None:
        if self.order not in (2, 3, 4):
            raise ValueError(f"order must be 2 (ReLU networks), 3 or 4, got {self.order!r}.")

    def gauge(self, neurons: Neurons) -> Array:
        """‖w_k‖₂^(m−1)."""
        xp = namespace(neurons.weights)
        return xp.sqrt(xp.sum(neurons.weights**2, axis=1)) ** (self.order - 1)

    def gauge_gradient(self, neurons: Neurons) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(m − 1) ‖w‖₂^(m−3) w, and nothing by the biases; zero at w = 0."""
        lengths = np.linalg.norm(neurons.weights, axis=1)
        units = neurons.weights / np.where(lengths > 0, lengths, 1.0)[:, None]
        slopes = self.degree * lengths ** (self.degree - 1)
        return lengths**self.degree, slopes[:, None] * units, np.zeros(len(neurons))

    def cvxpy_gauge(self, weight: Any, bias: Any) -> Any:
        """‖w‖₂, for order 2; the others have none."""
        import cvxpy  # heavy, and only the reference programs need it

        return cvxpy.norm2(weight) if self.order == 2 else super().cvxpy_gauge(weight, bias)

    def cvxpy_gauges(self, weights: Any, biases: Any) -> Any:
        """The same of each row."""
        import cvxpy  # heavy, and only the reference programs need it

        return cvxpy.norm(weights, 2, axis=1) if self.order == 2 else super().cvxpy_gauges(weights, biases)

    def oracle(self, points: np.ndarray, outputs: int = 1) -> Oracle:
        """Exact where one exists, else the multi-start search; see `choose_oracle`."""
        return choose_oracle(points, self.order, outputs)

    def measured_oracle(self, functionals: Functionals, outputs: int = 1) -> Oracle:
        """A proven bound for averages and derivatives on the line and in the plane, else a search.

        See `choose_measured_oracle`.
        """
        return choose_measured_oracle(functionals, self.order)

    def reach(self, points: np.ndarray) -> float:
        """√N diameter^(m−1) / (m−1)!."""
        diameter = float(np.linalg.norm(np.ptp(points, axis=0)))
        return math.sqrt(len(points)) * diameter**self.degree / math.factorial(self.degree)


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
