"""Shallow networks as ridge splines, trained to a certified global optimum.

Importing the package turns on JAX's 64-bit mode: certificates are statements about double precision.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# In one place, and without importing JAX, so that `ridgesplines --help` is quick.
if "jax" in sys.modules:
    sys.modules["jax"].config.update("jax_enable_x64", True)
else:
    os.environ["JAX_ENABLE_X64"] = "1"

if TYPE_CHECKING:
    from ridgesplines import datasets, oracles, plotting, plotting_classes, plotting_training
    from ridgesplines.certificate import Certificate, certify
    from ridgesplines.comparison import Comparison, ComparisonRow, compare
    from ridgesplines.losses import (
        AbsoluteLoss,
        EpsilonInsensitiveLoss,
        HardMargin,
        HingeLoss,
        HuberLoss,
        Interpolation,
        IntervalConstraint,
        LogisticLoss,
        Loss,
        QuantileLoss,
        SquaredHingeLoss,
        SquaredLoss,
    )
    from ridgesplines.measurements import Measurement, Samples
    from ridgesplines.path import RegularizationPath, StrengthSelection, regularization_path, select_strength
    from ridgesplines.polynomials import Polynomial
    from ridgesplines.problem import Problem
    from ridgesplines.regularizers import AtomicNorm, RadonTV, Regularizer, VectorRadonTV
    from ridgesplines.reweighting import reweight
    from ridgesplines.solution import Solution, Status, TraceRow
    from ridgesplines.solvers.column_generation import ColumnGeneration
    from ridgesplines.solvers.convex_program import ConvexProgram
    from ridgesplines.solvers.line import LineSpline
    from ridgesplines.solvers.merging import merge_neurons
    from ridgesplines.solvers.solution_set import SolutionSet, solution_set, sparsest
    from ridgesplines.solvers.sparsify import sparsify
    from ridgesplines.solvers.training import NetworkTraining, TrainingResult, Trajectory, train
    from ridgesplines.solving import Solver, solve
    from ridgesplines.spline import Network, RidgeSpline

# The public names and where they live; modules load when a name is first used.
_HOMES = {
    "AbsoluteLoss": "losses",
    "AtomicNorm": "regularizers",
    "Certificate": "certificate",
    "ColumnGeneration": "solvers.column_generation",
    "Comparison": "comparison",
    "ComparisonRow": "comparison",
    "ConvexProgram": "solvers.convex_program",
    "EpsilonInsensitiveLoss": "losses",
    "HardMargin": "losses",
    "HingeLoss": "losses",
    "HuberLoss": "losses",
    "Interpolation": "losses",
    "IntervalConstraint": "losses",
    "LineSpline": "solvers.line.solver",
    "LogisticLoss": "losses",
    "Loss": "losses",
    "Measurement": "measurements",
    "Network": "spline",
    "NetworkTraining": "solvers.training.options",
    "Polynomial": "polynomials",
    "Problem": "problem",
    "QuantileLoss": "losses",
    "RadonTV": "regularizers",
    "RegularizationPath": "path",
    "Regularizer": "regularizers",
    "RidgeSpline": "spline",
    "Samples": "measurements",
    "Solution": "solution",
    "SolutionSet": "solvers.solution_set",
    "Solver": "solving",
    "SquaredHingeLoss": "losses",
    "SquaredLoss": "losses",
    "Status": "solution",
    "StrengthSelection": "path",
    "TraceRow": "solution",
    "TrainingResult": "solvers.training.result",
    "Trajectory": "solvers.training.result",
    "VectorRadonTV": "regularizers",
    "certify": "certificate",
    "compare": "comparison",
    "regularization_path": "path",
    "merge_neurons": "solvers.merging",
    "reweight": "reweighting",
    "select_strength": "path",
    "solution_set": "solvers.solution_set",
    "solve": "solving",
    "sparsest": "solvers.solution_set",
    "sparsify": "solvers.sparsify",
    "train": "solvers.training.options",
}
_MODULES = ("datasets", "oracles", "plotting", "plotting_classes", "plotting_training")

__all__ = [  # noqa: RUF022 - grouped by role: pyright wants it literal
    "Problem", "Samples", "Measurement", "RadonTV", "VectorRadonTV", "AtomicNorm", "Regularizer",
    "Loss", "SquaredLoss", "AbsoluteLoss", "HuberLoss", "QuantileLoss", "EpsilonInsensitiveLoss",
    "LogisticLoss", "HingeLoss", "SquaredHingeLoss", "Interpolation", "IntervalConstraint", "HardMargin",
    "solve", "Solver", "ColumnGeneration", "LineSpline", "ConvexProgram",
    "sparsify", "merge_neurons", "solution_set", "SolutionSet", "sparsest", "reweight",
    "train", "NetworkTraining", "TrainingResult", "Trajectory",
    "compare", "Comparison", "ComparisonRow",
    "regularization_path", "RegularizationPath", "select_strength", "StrengthSelection",
    "Solution", "Status", "TraceRow", "certify", "Certificate",
    "RidgeSpline", "Network", "Polynomial",
    "datasets", "oracles", "plotting", "plotting_classes", "plotting_training",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"ridgesplines.{name}")
    if name in _HOMES:
        value = getattr(importlib.import_module(f"ridgesplines.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'ridgesplines' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
