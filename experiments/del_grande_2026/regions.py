"""Dual regions and the limit of small noise, in the space of weights (r,): neurons max(w·x, 0) without a bias.

A bias is the weight of a column of −1 (`lifted`), so that inputs on the line with biases are in the plane here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components

import ridgesplines as rs
from ridgesplines import oracles


def lifted(points: np.ndarray, bias: bool) -> np.ndarray:
    """The inputs (N, r) that weights with their bias multiply: the points, with a column of −1 if there is a bias."""
    return np.column_stack([points, -np.ones(len(points))]) if bias else points


def profile(inputs: np.ndarray, dual: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """p_z(w) = Σ_n z_n max(w·x_n, 0) at weights (K, r): (K,)."""
    return oracles.profile(inputs, dual, oracles.Neurons(weights, np.zeros(len(weights))))


def nonlinearity(inputs: np.ndarray, dual: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """|p(w + w') − p(w) − p(w')| / Σ_n |z_n| ‖x_n‖ for pairs of unit weights (K, r): 0 within one dual region."""
    bent = profile(inputs, dual, first + second) - profile(inputs, dual, first) - profile(inputs, dual, second)
    return np.abs(bent) / (np.abs(dual) @ np.linalg.norm(inputs, axis=1))


def most_per_region(
    inputs: np.ndarray, patterns: np.ndarray, weights: np.ndarray, signs: np.ndarray, touching: float
) -> int:
    """The most neurons of one sign in one closed dual region.

    Args:
        inputs: (N, r).
        patterns: (P, N) of bool: the regions.
        weights: of neurons, unit rows (K, r).
        signs: ±1, (K,), of their coefficients.
        touching: a datum with |w·x| ≤ touching · ‖x‖ is on the hyperplane, and the neuron in the regions on either
            side.
    """
    heights = weights @ inputs.T / np.linalg.norm(inputs, axis=1)
    least = 0
    for sign in (-1, 1):
        own = heights[signs == sign]
        inside = (own[:, None, :] >= -touching) | ~patterns
        outside = (own[:, None, :] <= touching) | patterns
        least = max(least, int((inside & outside).all(axis=2).sum(axis=0).max(initial=0)))
    return least


def united(weights: np.ndarray, coefficients: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Neurons of one sign whose unit weights (K, r) are within `tolerance` of each other as one, their sum."""
    near = np.linalg.norm(weights[:, None] - weights[None], axis=2) <= tolerance
    near &= np.sign(coefficients)[:, None] == np.sign(coefficients)[None]
    count, group = connected_components(near)
    masses = np.abs(coefficients)[:, None] * weights
    sums = np.stack([masses[group == k].sum(axis=0) for k in range(count)])
    signs = np.array([np.sign(coefficients[group == k][0]) for k in range(count)])
    sizes = np.linalg.norm(sums, axis=1)
    return sums / sizes[:, None], signs * sizes


@dataclass(frozen=True)
class Expansion:
    """The solution for targets y₀ + e and a small λ, to first order in e and λ, around the network that made y₀.

    Where the support stays in its open regions the network is linear in u_k = |v_k| w_k, f = A u, and

        u = u₀ + (AᵀA)⁻¹ (Aᵀ e − λ w₀) + O(λ²),        z = (y − A u) / λ → (Aᵀ)⁺ w₀ for e = 0,

    the dual vector of least norm that is ±1 and stationary at each neuron, which decides: if its profile is below 1
    elsewhere, the support is stable.

    Attributes:
        matrix: A, (N, K r): activation times input times sign, side by side.
        weights: w₀, unit rows (K, r).
        sizes: |v_k|, (K,).
        signs: ±1, (K,).
    """

    matrix: np.ndarray
    weights: np.ndarray
    sizes: np.ndarray
    signs: np.ndarray

    @classmethod
    def around(cls, inputs: np.ndarray, weights: np.ndarray, coefficients: np.ndarray) -> Expansion:
        """Around Σ_k v_k max(w_k·x, 0), unit rows w (K, r)."""
        signs = np.sign(coefficients)
        active = (inputs @ weights.T > 0) * signs
        matrix = (active[:, :, None] * inputs[:, None, :]).reshape(len(inputs), -1)
        return cls(matrix, weights, np.abs(coefficients), signs)

    @property
    def independent(self) -> bool:
        """Whether A has full column rank, well apart from rounding."""
        values = np.linalg.svd(self.matrix, compute_uv=False)
        return len(self.matrix) >= self.matrix.shape[1] and values[-1] > 1e-6 * values[0]

    @property
    def dual(self) -> np.ndarray:
        """The limit of the dual vectors without noise, (N,)."""
        return np.linalg.lstsq(self.matrix.T, self.weights.ravel(), rcond=None)[0]

    def change(self, noise: np.ndarray, strength: float) -> np.ndarray:
        """The change of u to first order, (K, r)."""
        right = self.matrix.T @ noise - strength * self.weights.ravel()
        return np.linalg.solve(self.matrix.T @ self.matrix, right).reshape(self.weights.shape)

    @property
    def unit_strength(self) -> float:
        """The λ that would change some neuron by its own size, to first order: far below it λ is small."""
        change = self.change(np.zeros(len(self.matrix)), 1.0)
        return float((self.sizes / np.linalg.norm(change, axis=1)).min())

    def turned(self, noise: np.ndarray, strength: float) -> np.ndarray:
        """The change of the unit weights to first order, (K, r)."""
        change = self.change(noise, strength)
        along = np.sum(change * self.weights, axis=1, keepdims=True)
        return (change - along * self.weights) / self.sizes[:, None]


def sharpened(
    inputs: np.ndarray, targets: np.ndarray, strength: float, weights: np.ndarray, coefficients: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The best network with the same regions and signs: unit weights (K, r) and coefficients (K,), to rounding.

    Neurons of one sign in one region are one neuron, their sum. Newton's method for ½ ‖A u − y‖² + λ Σ ‖u_k‖, whose
    solution is checked by whoever certifies it; column generation stops at a gap, and directions are known to its root.
    """
    heights = inputs @ weights.T
    keys = np.column_stack([(heights > 0).T, coefficients > 0])
    _, group = np.unique(keys, axis=0, return_inverse=True)
    masses = np.abs(coefficients)[:, None] * weights
    groups = np.arange(group.max() + 1)
    summed = np.stack([masses[group.ravel() == k].sum(axis=0) for k in groups])
    signs = np.array([np.sign(coefficients[group.ravel() == k][0]) for k in groups])
    # What is next to nothing is what a solver leaves of zero.
    kept = np.linalg.norm(summed, axis=1) > 1e-5 * np.linalg.norm(summed, axis=1).sum()
    summed, signs = summed[kept], signs[kept]
    start = Expansion.around(inputs, summed / np.linalg.norm(summed, axis=1, keepdims=True), signs)
    u, square = summed.ravel(), start.matrix.T @ start.matrix
    count, rank = summed.shape
    for _ in range(50):
        sizes = np.linalg.norm(u.reshape(count, rank), axis=1)
        units = u.reshape(count, rank) / sizes[:, None]
        slope = square @ u - start.matrix.T @ targets + strength * units.ravel()
        hessian = square.copy()
        for k in range(count):
            block = slice(k * rank, (k + 1) * rank)
            hessian[block, block] += strength / sizes[k] * (np.eye(rank) - np.outer(units[k], units[k]))
        step = np.linalg.solve(hessian, slope)
        u = u - step
        if np.linalg.norm(step) <= 1e-14 * np.linalg.norm(u):
            break
    sizes = np.linalg.norm(u.reshape(count, rank), axis=1)
    return u.reshape(count, rank) / sizes[:, None], signs * sizes


def network(weights: np.ndarray, coefficients: np.ndarray, bias: bool) -> rs.RidgeSpline:
    """The ridge spline of weights (K, r), the last of which is the bias if there is one."""
    if bias:
        return rs.RidgeSpline(weights[:, :-1], weights[:, -1], coefficients)
    return rs.RidgeSpline(weights, np.zeros(len(weights)), coefficients)


def weights_of(spline: rs.RidgeSpline, bias: bool) -> tuple[np.ndarray, np.ndarray]:
    """Unit weights (K, r), bias included if there is one, and coefficients (K,) of the same function."""
    weights = np.asarray(spline.weights)
    if bias:
        weights = np.column_stack([weights, spline.biases])
    sizes = np.linalg.norm(weights, axis=1)
    return weights / sizes[:, None], np.asarray(spline.coefficients) * sizes
