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
    from ridgesplines import (
        datasets,
        kernels,
        oracles,
        plotting,
        plotting_classes,
        plotting_comparison,
        plotting_kernels,
        plotting_measurements,
        plotting_radon,
        plotting_selection,
        plotting_training,
        surfaces,
    )
    from ridgesplines.breakpoints import ExactPath, exact_path
    from ridgesplines.certificate import Certificate, certify
    from ridgesplines.comparing import compare
    from ridgesplines.comparison import Comparison, ComparisonRow
    from ridgesplines.discrepancy import DiscrepancySelection, discrepancy_strength
    from ridgesplines.estimators import (
        NeuralSplineRegressor,
        RidgeSplineClassifier,
        RidgeSplineRegressor,
        RidgeSplineRegressorCV,
    )
    from ridgesplines.exchange import export_network, import_network
    from ridgesplines.kernel_nuggets import NuggetChoice, choose_nuggets
    from ridgesplines.kernel_problem import KernelProblem, finite_difference_problem
    from ridgesplines.kernel_solution import KernelSolution, KernelStatus
    from ridgesplines.kernel_solving import KernelSolver, solve_kernel
    from ridgesplines.kernel_spline import KernelSpline
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
    from ridgesplines.measurements import (
        BlurredSamples,
        BoxAverages,
        BoxRegion,
        Derivatives,
        DiscRegion,
        LineIntegrals,
        Measurement,
        Samples,
        Stack,
    )
    from ridgesplines.opening import load
    from ridgesplines.path import RegularizationPath, StrengthSelection, regularization_path, select_strength
    from ridgesplines.plotting_any import plot
    from ridgesplines.plotting_interactive import plot_interactive
    from ridgesplines.polishing import Polish, PolishStep, polish
    from ridgesplines.polynomials import Polynomial
    from ridgesplines.problem import Problem
    from ridgesplines.radon.grid import GridFunction
    from ridgesplines.radon.measure import RadonMeasure, radon_density, radon_measure
    from ridgesplines.radon.total_variation import RadonTotalVariation, radon_tv
    from ridgesplines.radon.transform import ParallelBeam, Sinogram, filtered_back_projection, radon_transform
    from ridgesplines.regularizers import AtomicNorm, RadonTV, Regularizer, VectorRadonTV
    from ridgesplines.reweighting import reweight
    from ridgesplines.selection import (
        StrengthScores,
        degrees_of_freedom,
        generalized_cross_validation,
        noise_variance,
        stein_risk,
    )
    from ridgesplines.solution import Solution, Status, TraceRow
    from ridgesplines.solvers.column_generation import ColumnGeneration
    from ridgesplines.solvers.convex_program import ConvexProgram
    from ridgesplines.solvers.kernel_cholesky import DenseCholesky
    from ridgesplines.solvers.kernel_gradients import ConjugateGradients, NystromGradients
    from ridgesplines.solvers.kernel_regression import KernelFit, KernelRegression
    from ridgesplines.solvers.line import LineSpline
    from ridgesplines.solvers.merging import merge_neurons
    from ridgesplines.solvers.solution_set import SolutionSet, solution_set, sparsest
    from ridgesplines.solvers.sparsify import sparsify
    from ridgesplines.solvers.training import (
        NetworkTraining,
        TrainingGrid,
        TrainingResult,
        Trajectory,
        train,
        train_grid,
    )
    from ridgesplines.solving import Solver, solve, solver_for
    from ridgesplines.spline import Network, RidgeSpline

# The public names and where they live; modules load when a name is first used.
_HOMES = {
    "AbsoluteLoss": "losses",
    "AtomicNorm": "regularizers",
    "BlurredSamples": "measurements",
    "BoxAverages": "measurements",
    "BoxRegion": "measurements",
    "Certificate": "certificate",
    "ColumnGeneration": "solvers.column_generation",
    "Comparison": "comparison",
    "ComparisonRow": "comparison",
    "ConjugateGradients": "solvers.kernel_gradients.solver",
    "ConvexProgram": "solvers.convex_program",
    "DenseCholesky": "solvers.kernel_cholesky",
    "Derivatives": "measurements",
    "DiscRegion": "measurements",
    "DiscrepancySelection": "discrepancy",
    "EpsilonInsensitiveLoss": "losses",
    "ExactPath": "breakpoints",
    "GridFunction": "radon.grid",
    "HardMargin": "losses",
    "HingeLoss": "losses",
    "HuberLoss": "losses",
    "Interpolation": "losses",
    "IntervalConstraint": "losses",
    "KernelFit": "solvers.kernel_regression",
    "KernelProblem": "kernel_problem",
    "KernelRegression": "solvers.kernel_regression",
    "KernelSolution": "kernel_solution",
    "KernelSolver": "kernel_solving",
    "KernelSpline": "kernel_spline",
    "KernelStatus": "kernel_solution",
    "LineIntegrals": "measurements",
    "LineSpline": "solvers.line.solver",
    "LogisticLoss": "losses",
    "Loss": "losses",
    "Measurement": "measurements",
    "Network": "spline",
    "NetworkTraining": "solvers.training.options",
    "NeuralSplineRegressor": "estimators",
    "NuggetChoice": "kernel_nuggets",
    "NystromGradients": "solvers.kernel_gradients.nystrom",
    "ParallelBeam": "radon.transform",
    "Polish": "polishing",
    "PolishStep": "polishing",
    "Polynomial": "polynomials",
    "Problem": "problem",
    "QuantileLoss": "losses",
    "RadonMeasure": "radon.measure",
    "RadonTV": "regularizers",
    "RadonTotalVariation": "radon.total_variation",
    "RegularizationPath": "path",
    "Regularizer": "regularizers",
    "RidgeSpline": "spline",
    "RidgeSplineClassifier": "estimators",
    "RidgeSplineRegressor": "estimators",
    "RidgeSplineRegressorCV": "estimators",
    "Samples": "measurements",
    "Sinogram": "radon.transform",
    "Solution": "solution",
    "SolutionSet": "solvers.solution_set",
    "Solver": "solving",
    "SquaredHingeLoss": "losses",
    "SquaredLoss": "losses",
    "Stack": "measurements",
    "Status": "solution",
    "StrengthScores": "selection",
    "StrengthSelection": "path",
    "TraceRow": "solution",
    "TrainingGrid": "solvers.training.result",
    "TrainingResult": "solvers.training.result",
    "Trajectory": "solvers.training.result",
    "VectorRadonTV": "regularizers",
    "certify": "certificate",
    "choose_nuggets": "kernel_nuggets",
    "compare": "comparing",
    "degrees_of_freedom": "selection",
    "discrepancy_strength": "discrepancy",
    "exact_path": "breakpoints",
    "export_network": "exchange",
    "filtered_back_projection": "radon.transform",
    "finite_difference_problem": "kernel_problem",
    "generalized_cross_validation": "selection",
    "import_network": "exchange",
    "load": "opening",
    "merge_neurons": "solvers.merging",
    "noise_variance": "selection",
    "plot": "plotting_any",
    "plot_interactive": "plotting_interactive",
    "polish": "polishing",
    "radon_density": "radon.measure",
    "radon_measure": "radon.measure",
    "radon_transform": "radon.transform",
    "radon_tv": "radon.total_variation",
    "regularization_path": "path",
    "reweight": "reweighting",
    "select_strength": "path",
    "solution_set": "solvers.solution_set",
    "solve": "solving",
    "solve_kernel": "kernel_solving",
    "solver_for": "solving",
    "sparsest": "solvers.solution_set",
    "sparsify": "solvers.sparsify",
    "stein_risk": "selection",
    "train": "solvers.training.options",
    "train_grid": "solvers.training.options",
}
_MODULES = (
    "datasets",
    "kernels",
    "oracles",
    "plotting",
    "plotting_classes",
    "plotting_comparison",
    "plotting_kernels",
    "plotting_measurements",
    "plotting_radon",
    "plotting_selection",
    "plotting_training",
    "surfaces",
)

__all__ = [  # noqa: RUF022 - grouped by role: pyright wants it literal
    "Problem", "Samples", "Derivatives", "LineIntegrals", "BoxAverages", "BlurredSamples", "Stack", "Measurement",
    "BoxRegion", "DiscRegion", "RadonTV", "VectorRadonTV", "AtomicNorm", "Regularizer",
    "Loss", "SquaredLoss", "AbsoluteLoss", "HuberLoss", "QuantileLoss", "EpsilonInsensitiveLoss",
    "LogisticLoss", "HingeLoss", "SquaredHingeLoss", "Interpolation", "IntervalConstraint", "HardMargin",
    "solve", "solver_for", "Solver", "ColumnGeneration", "LineSpline", "ConvexProgram",
    "sparsify", "merge_neurons", "solution_set", "SolutionSet", "sparsest", "reweight",
    "train", "train_grid", "NetworkTraining", "TrainingGrid", "TrainingResult", "Trajectory",
    "KernelRegression", "KernelFit", "import_network", "export_network", "polish", "Polish", "PolishStep",
    "compare", "Comparison", "ComparisonRow",
    "regularization_path", "RegularizationPath", "exact_path", "ExactPath", "select_strength", "StrengthSelection",
    "discrepancy_strength", "DiscrepancySelection",
    "degrees_of_freedom", "noise_variance", "stein_risk", "generalized_cross_validation", "StrengthScores",
    "Solution", "Status", "TraceRow", "certify", "Certificate",
    "RidgeSpline", "Network", "Polynomial", "load",
    "radon_tv", "RadonTotalVariation", "radon_measure", "RadonMeasure", "radon_density",
    "radon_transform", "filtered_back_projection", "ParallelBeam", "Sinogram", "GridFunction",
    "KernelProblem", "KernelSpline", "KernelSolution", "KernelStatus", "finite_difference_problem",
    "solve_kernel", "KernelSolver", "DenseCholesky", "ConjugateGradients", "NystromGradients",
    "choose_nuggets", "NuggetChoice",
    "RidgeSplineRegressor", "RidgeSplineRegressorCV", "RidgeSplineClassifier", "NeuralSplineRegressor",
    "datasets", "kernels", "oracles", "surfaces",
    "plot", "plot_interactive", "plotting", "plotting_classes", "plotting_comparison", "plotting_kernels",
    "plotting_measurements", "plotting_radon", "plotting_selection", "plotting_training",
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
