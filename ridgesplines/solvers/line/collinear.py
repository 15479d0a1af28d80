"""Points on a line of R^d: the problem on the line that they stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.geometry import AffineFrame
from ridgesplines.measurements import Samples
from ridgesplines.problem import Problem
from ridgesplines.spline import RidgeSpline

# Points farther than this from the line through two of them, beside its length, are not worth a decomposition.
_FAR = 1e-9


@dataclass(frozen=True, eq=False)
class CollinearProblem:
    """A problem with samples on a line of R^d, in isometric coordinates on that line.

    A ridge has the RTV of its profile in every dimension, and restricting a neuron to the line makes it no dearer, so
    that both problems have the same optimum, and a solution of the one is the profile of one of the other.

    Attributes:
        problem: the one on the line.
        direction: a unit vector w along the line, (d,), its first coordinate that is not zero positive.
        origin: the point with coordinate zero, (d,).
    """

    problem: Problem
    direction: np.ndarray
    origin: np.ndarray

    @classmethod
    def of(cls, problem: Problem) -> CollinearProblem | None:
        """None where the points do not lie on a line, up to rounding, or all coincide."""
        points = problem.points
        offsets = points - points[0]
        far = offsets[int(np.argmax((offsets**2).sum(axis=1)))]
        length = float(np.linalg.norm(far))
        if length == 0:
            return None
        heights = offsets @ (far / length)
        if np.abs(offsets - heights[:, None] * (far / length)).max() > _FAR * length:
            return None
        frame = AffineFrame.of(points)
        if frame.rank != 1:
            return None
        direction = frame.basis[:, 0]
        sign = np.sign(direction[np.argmax(np.abs(direction) > _FAR)])
        # Equal points have equal coordinates, however products are rounded.
        groups = problem.measurements.groups
        first = np.unique(groups, return_index=True)[1]
        coordinates = sign * frame.coordinates[first, 0][groups]
        on_line = Problem(
            Samples(coordinates),
            problem.targets,
            problem.loss,
            problem.regularizer,
            problem.strength,
            problem.sample_weights,
        )
        return cls(on_line, sign * direction, frame.centre)

    def lift(self, spline: RidgeSpline) -> RidgeSpline:
        """The ridge spline on R^d whose profile along the line is `spline`, of order 2 and with unit weights."""
        shift = float(self.direction @ self.origin)
        constant, slope = np.asarray(spline.polynomial.coefficients)
        return RidgeSpline(
            np.tile(self.direction, (spline.width, 1)),
            np.asarray(spline.biases) + shift,
            spline.coefficients,
            np.concatenate([[constant - slope * shift], slope * self.direction]),
        )
