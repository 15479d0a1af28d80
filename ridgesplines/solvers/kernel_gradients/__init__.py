"""Kernel problems by preconditioned conjugate gradients."""

from ridgesplines.solvers.kernel_gradients.nystrom import NystromGradients
from ridgesplines.solvers.kernel_gradients.solver import ConjugateGradients

__all__ = ["ConjugateGradients", "NystromGradients"]
