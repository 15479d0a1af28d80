"""The exact solver on the line."""

from ridgesplines.solvers.line.solver import LineSpline

__all__ = ["LineSpline"]
