"""Losses that are known by their conjugates, as terms of the interior point."""

from __future__ import annotations

import numpy as np

from ridgesplines.problem import Problem

# What part of the way to the end of its domain a dual variable may go, and how near to it they begin.
_FRACTION = 0.995
_ROOM = 1e-3


class SmoothTerms:
    """Σ_n s_n ℓ(y_n, t) with dual variables z_n of their own, tied to the values by t = (ℓ*)'(−z_n / s_n).

    Newton's method for z = −s ℓ'(t) overshoots, back and forth for ever, where ℓ' falls off exponentially as that of
    the logistic loss does. For the inverse equation it does not: z stays inside its domain, and grows by less than t
    asks.

    Attributes:
        dual: z, (N,).
    """

    def __init__(self, problem: Problem, group: np.ndarray, values: np.ndarray) -> None:
        self._problem, self._group, self._count = problem, group, len(values)
        self._lower, self._upper = problem.dual_domain
        slope = -problem.weights * problem.loss.derivative(problem.targets, values[group])
        room = np.where(np.isfinite(self._upper - self._lower), _ROOM * (self._upper - self._lower), 0.0)
        self.dual = np.clip(slope, self._lower + room, self._upper - room)
        self._steps = self._curvature = self._off = np.zeros(len(group))

    def system(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """q and l (n,) of the Newton system at t = `values`."""
        problem, group = self._problem, self._group
        attained = problem.loss.conjugate_derivative(problem.targets, -self.dual / problem.weights)
        self._curvature = problem.weights * problem.loss.curvature(problem.targets, attained)
        self._off = values[group] - attained
        pull = self.dual - self._curvature * self._off
        return np.bincount(group, self._curvature, minlength=self._count), np.bincount(
            group, pull, minlength=self._count
        )

    def reach(self, value_steps: np.ndarray) -> float:
        """The longest step for which z stays inside, if t changes by `value_steps` (n,)."""
        steps = self._steps = -self._curvature * (value_steps[self._group] + self._off)
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(steps > 0, self._upper - self.dual, self.dual - self._lower) / np.abs(steps)
        return _FRACTION * float(np.min(room, where=steps != 0, initial=np.inf))

    def move(self, length: float) -> None:
        """Go this length along the step."""
        self.dual = self.dual + length * self._steps
