"""Finite convex programs, by cvxpy: the reference that column generation is checked against."""

from ridgesplines.solvers.convex_program.forms import NeuronForm, candidate_neurons
from ridgesplines.solvers.convex_program.program import CompiledProgram
from ridgesplines.solvers.convex_program.solver import ConvexProgram, solution_of

__all__ = ["CompiledProgram", "ConvexProgram", "NeuronForm", "candidate_neurons", "solution_of"]
