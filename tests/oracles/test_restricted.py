"""The active set against the optimality conditions of its problem, on generic, dependent and degenerate columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgesplines.solvers.restricted import ActiveSetLasso

EPS = np.finfo(float).eps


def columns_of(rng: np.random.Generator, kind: str, count: int, width: int) -> np.ndarray:
    columns = rng.standard_normal((count, width))
    match kind:
        case "dependent":
            columns[:, width // 2 :] = columns[:, : width // 2] @ rng.standard_normal((width // 2, width - width // 2))
        case "repeated":
            columns = columns[:, rng.integers(0, max(width // 2, 1), width)]
        case "integer":
            columns = rng.integers(-1, 2, (count, width)).astype(float)
            columns[0] = 1.0
        case "scaled":
            columns = columns * 10.0 ** rng.uniform(-4, 4, width)
    return columns


def assert_optimal(lasso: ActiveSetLasso) -> None:
    """|φ_k·z| ≤ 1, with φ_k·z = sign v_k where v_k ≠ 0, and λ z is the residual."""
    products = lasso.columns.T @ lasso.dual
    norms = np.linalg.norm(lasso.columns, axis=0)
    active = lasso.active
    condition = np.linalg.cond(lasso.columns[:, active] / norms[active]) if len(active) else 1.0
    # Two triangular solves with the active columns, whose condition is that of the normalised ones.
    slack = 1e-10 + 1e3 * EPS * condition * norms * np.linalg.norm(lasso.dual)
    assert (np.abs(products) <= 1 + slack).all()
    np.testing.assert_array_less(np.abs(products[active] - np.sign(lasso.coefficients[active])), slack[active])
    residual = lasso.targets + lasso.strength * lasso.centre - lasso.columns @ lasso.coefficients
    size = np.abs(lasso.columns) @ np.abs(lasso.coefficients) + np.abs(lasso.targets)
    np.testing.assert_array_less(
        np.abs(lasso.strength * lasso.dual - residual), 1e3 * EPS * condition * size.max() + 1e-300
    )
    assert np.count_nonzero(lasso.coefficients) == len(active)
    assert np.linalg.matrix_rank(lasso.columns[:, active] / norms[active], tol=1e-12) == len(active)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["generic", "dependent", "repeated", "integer", "scaled"]),
    st.integers(2, 12),
    st.integers(2, 20),
    st.floats(-4, 1),
)
def test_solutions_are_optimal_and_stay_so_as_columns_come_and_the_strength_falls(seed, kind, count, width, exponent):
    rng = np.random.default_rng(seed)
    columns = columns_of(rng, kind, count, width)
    lasso = ActiveSetLasso(rng.standard_normal(count), 10.0**exponent)
    lasso.add(columns[:, : width // 2])
    lasso.solve()
    assert_optimal(lasso)
    lasso.add(columns[:, width // 2 :])
    lasso.strength *= 0.1
    lasso.solve()
    assert_optimal(lasso)
    # A larger strength empties the active set again, one column at a time.
    lasso.strength = 2 * float(np.abs(columns.T @ lasso.targets).max()) + 1.0
    lasso.solve()
    assert not len(lasso.active)
    np.testing.assert_allclose(lasso.dual, lasso.targets / lasso.strength)


@pytest.mark.parametrize("seed", range(10))
def test_forgetting_idle_columns_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    lasso = ActiveSetLasso(rng.standard_normal(20), 0.5)
    lasso.add(rng.standard_normal((20, 40)))
    lasso.solve()
    dual, width = lasso.dual.copy(), len(lasso.active)
    kept = rng.random(40) < 0.5
    kept[lasso.active] = True
    lasso.keep(kept)
    assert lasso.solve() == 0
    assert len(lasso.active) == width < kept.sum()
    np.testing.assert_allclose(lasso.dual, dual, atol=64 * EPS * np.abs(dual).max())
