"""The estimators that are compared, each with its parameters chosen by cross-validation on its own training data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ridgesplines as rs

FOLDS = 5


@dataclass(frozen=True)
class Method:
    """One estimator.

    Attributes:
        name: in tables.
        make: a new one for a seed, that tunes itself when it is fitted.
        width: its number of neurons once fitted, where it has neurons.
    """

    name: str
    make: Callable[[int], Any]
    width: Callable[[Any], int] = lambda _: 0


def _scaled(estimator: Any) -> Any:
    """Inputs and targets standardised."""
    return TransformedTargetRegressor(make_pipeline(StandardScaler(), estimator), transformer=StandardScaler())


def _search(estimator: Any, grid: dict[str, list[Any]], seed: int, step: str | None = None) -> Any:
    folds = KFold(FOLDS, shuffle=True, random_state=seed)
    if step is None:
        return GridSearchCV(estimator, grid, cv=folds, scoring="neg_mean_squared_error")
    grid = {f"regressor__{step}__{name}": values for name, values in grid.items()}
    return GridSearchCV(_scaled(estimator), grid, cv=folds, scoring="neg_mean_squared_error")


def _kernel_ridge(seed: int) -> Any:
    grid = {"alpha": list(np.geomspace(1e-4, 10, 6)), "gamma": list(np.geomspace(1e-3, 1, 7))}
    return _search(KernelRidge(kernel="rbf"), grid, seed, "kernelridge")


def _boosting(seed: int) -> Any:
    grid = {"learning_rate": [0.03, 0.1], "max_leaf_nodes": [7, 15, 31], "max_iter": [100, 300]}
    return _search(HistGradientBoostingRegressor(random_state=seed), grid, seed)


def _perceptron(seed: int) -> Any:
    network = MLPRegressor(max_iter=3000, early_stopping=False, solver="lbfgs", tol=1e-5, random_state=seed)
    grid = {"hidden_layer_sizes": [(20,), (100,)], "alpha": [1e-2, 1e-1, 1.0, 10.0]}
    return _search(network, grid, seed, "mlpregressor")


def _linear(_: int) -> Any:
    return _scaled(RidgeCV(np.geomspace(1e-3, 1e4, 29)))


METHODS = (
    Method(
        "RidgeSplineRegressorCV",
        lambda seed: rs.RidgeSplineRegressorCV(random_state=seed, gap=1e-3),
        lambda fitted: fitted.spline_.width,
    ),
    Method("kernel ridge (RBF)", _kernel_ridge),
    Method("gradient boosting", _boosting),
    Method(
        "MLP",
        _perceptron,
        lambda fitted: fitted.best_params_["regressor__mlpregressor__hidden_layer_sizes"][0],
    ),
    Method("linear (ridge)", _linear),
)
