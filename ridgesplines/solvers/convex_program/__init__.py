"""Finite convex programs, by cvxpy: the reference that column generation is checked against."""

from ridgesplines.solvers.convex_program.forms import candidate_neurons
from ridgesplines.solvers.convex_program.program import CompiledProgram
from ridgesplines.solvers.convex_program.solver import ConvexProgram

__all__ = ["CompiledProgram", "ConvexProgram", "candidate_neurons"]
