"""The exact supremum in space, order 2."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ridgesplines.oracles.coincident import DistinctPoints
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Supremum
from ridgesplines.oracles.search import SearchOracle, distinct
from ridgesplines.oracles.space_sweeps import sweep_circles, sweep_circles_outputs
from ridgesplines.oracles.threads import in_threads

_UNIT = np.finfo(float).eps
# Up to so many points the supremum takes no longer than a search for it.
_CHEAP = 100


class SpaceOracle:
    """The exact supremum of |p_z| for points in space (N, 3) and order 2, in O(N³ log N) per dual vector.

    For fixed w the profile is piecewise linear in b with kinks at w·x_n and zero outside their range, so some pivot n
    has b = w·x_n at the supremum: p is one of g_n(w) = Σ_k z_k (w·u_k)₊, u_k = x_k − x_n, with g_n(−w) = g_n(w).
    The great circles w ⟂ u_k cut the sphere into cells where g_n(w) = a·w. So |g_n| is largest at a crossing of circles
    (a plane through three points), on an arc of one (through two), or inside a cell, at ±a/‖a‖ (through one).
    A sweep of each circle finds the first two; the circle of a pair of points serves both of them. Every cell has
    edges, so the arcs know every a: the sweep tries ±a/‖a‖ in the cells beside them, where ‖a‖ beats what was found.
    All of this holds for points on a plane or a line, too, where the circles have two points in common or coincide.

    Memory is O(N) per thread. `approximate` searches instead of sweeping where the points are many.

    Rounding: with ε the machine epsilon and S the largest Σ_k |z_k| ‖x_k − x_n‖ of any pivot, `upper` exceeds `value`
    by 64 ε S + 11 N ε `value`.

    * Crossings and arcs. Differences, the frame of a circle and the coordinates in it turn u_k by at most 12 ε ‖u_k‖,
      however close to parallel two differences are, for nothing divides by their angle; so the sweep is one of a
      function within 12 ε S of g_n on the circle, and adds at most 32 ε S as in the plane.
    * Cells that are tried. a is off by less than 48 ε S: its sums are compensated, and where the partner's is made of
      the pivot's, ‖x_j − x_n‖ Σ_k |z_k| ≤ 2 S. What counts is the profile at the direction tried. Should rounding put
      that outside a cell which holds the true one, then a·w is as large, up to rounding, where the way between
      them crosses an edge, and the sweep of that edge finds it.
    * Cells that are not. An edge may be lost among kinks sorted wrongly. The angle of a kink on its circle is off by at
      most 16 ε / τ if the two circles cross at an angle above τ. Circles closer than that are not told apart, which
      is right for cells that reach farther than 2τ from them (see `sweep_circles`). So a lost cell is
      one whose extreme is within 2τ of an edge, or all of whose edges, fewer than N, are shorter than 64 ε / τ: then it
      holds no disc of a radius r above 10.2 N ε / τ. On its nearest edge a·w is at least cos r times the extreme.
      With τ² = 5 N ε the supremum is missed by at most its 11 N ε-fold either way.
    """

    kind: CertificateKind = "exact"

    def __init__(self, points: np.ndarray) -> None:
        self._distinct = DistinctPoints(points)
        self._search = SearchOracle(points)

    def supremum(self, dual: np.ndarray, hints: Neurons | None = None, effort: int = 1) -> Supremum:
        """See `Oracle.supremum`."""
        points, masses = self._distinct.points, self._distinct.masses(dual)
        count = len(points)
        nearly, sizes = float(np.sqrt(5 * count * _UNIT)), np.zeros(count)
        if masses.ndim == 1:
            best = np.zeros((count, 2, 5))
            in_threads(lambda i, j: sweep_circles(points, masses, i, j, nearly, best, sizes), count, parts=8)
            found = best.reshape(-1, 5)
            values = found[:, 0]
        else:
            found, values = np.zeros((count, 5)), np.zeros(masses.shape)
            in_threads(
                lambda i, j: sweep_circles_outputs(points, masses, i, j, nearly, found, values, sizes), count, parts=8
            )
        heights = np.abs(found[:, 0])
        order = np.argsort(-heights, kind="stable")[: np.count_nonzero(heights)]
        weights = found[order, 1:4] / np.linalg.norm(found[order, 1:4], axis=1, keepdims=True)
        biases = np.einsum("kd,kd->k", weights, points[found[order, 4].astype(int)])
        neurons = Neurons(weights, biases)
        chosen = distinct(neurons)
        margin = 64 * _UNIT * float(sizes.max(initial=0.0)) + self._distinct.rounding(dual)
        margin += 11 * count * _UNIT * float(heights.max(initial=0.0))
        return Supremum.of(neurons[chosen], values[order[chosen]], margin)

    def approximate(self, dual: np.ndarray, hints: Neurons | None = None) -> Supremum:
        """See `Oracle.approximate`: of many points a search, so `upper` is infinite then."""
        if len(self._distinct) <= _CHEAP:
            return self.supremum(dual)
        return replace(self._search.supremum(dual, hints), upper=np.inf)
