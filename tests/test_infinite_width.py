"""The experiment on infinite width: its rates, its limits, and what it writes and draws."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ridgesplines as rs
from experiments.infinite_width import data, draw, features, kink, rates, trained


def test_rates_of_powers_are_their_exponents():
    widths = np.array([10, 100, 1000])
    distances = np.array([3.0, 7.0])[:, None] * widths**-0.5
    rate = rates.fitted_rate(widths, distances)
    assert rate.slope == pytest.approx(-0.5, abs=1e-12)
    assert rate.error == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["motorcycle", "elevation"])
def test_data_lie_in_the_ball(name):
    x, y, grid = data.load(name)
    assert np.linalg.norm(x, axis=1).max() == pytest.approx(0.9)
    assert y.mean() == pytest.approx(0, abs=1e-12)
    assert y.std() == pytest.approx(1)
    rs.kernels.UniformKernel().check_points(grid)


def test_the_flow_is_gradient_descent_with_the_kernel():
    rng = np.random.default_rng(0)
    x, grid = rng.uniform(-0.9, 0.9, (12, 1)), np.linspace(-0.9, 0.9, 9)[:, None]
    y = np.concatenate([np.sin(4 * x[:-1, 0]), [0.3]])
    x[-1] = x[0]  # the matrix is singular
    kernel = rs.kernels.NeuralTangentKernel()
    rate, steps = trained.step_size(x, 1.0)
    dual = np.zeros(12)
    for _ in range(steps):
        dual -= rate * (kernel(x, x) @ dual - y)
    # Sums of some hundred terms of size 1.
    np.testing.assert_allclose(trained.tangent_flow(x, y, grid, rate, steps), kernel(grid, x) @ dual, atol=1e-11)
    # Forever, it interpolates.
    fit = trained.tangent_flow(x[:-1], y[:-1], x[:-1], rate, 10**9)
    np.testing.assert_allclose(fit, y[:-1], atol=1e-6)


def test_networks_start_at_zero_with_the_tangent_kernel_and_descend():
    x = np.linspace(-0.8, 0.8, 7)[:, None]
    start = trained.initial(40_000, 1, seed=3)
    np.testing.assert_allclose(trained.values(start, jnp.asarray(x)), 0, atol=1e-12)
    jacobian = jax.jacrev(lambda p: trained.values(p, jnp.asarray(x)))(start)
    flat = np.concatenate([np.asarray(part).reshape(len(x), -1) for part in jacobian], axis=1)
    kernel = rs.kernels.NeuralTangentKernel()(x, x)
    # 20,000 different neurons, whose products have standard deviations of about 3.
    np.testing.assert_allclose(flat @ flat.T, kernel, atol=4 * 3 / 20_000**0.5)
    y = np.sin(3 * x[:, 0])
    rate, steps = trained.step_size(x, 0.5)
    fits = [trained.trained(width, 0, x, y, x, rate, steps) for width in (100, 6000)]
    limit = trained.tangent_flow(x, y, x, rate, steps)
    narrow, wide = (rates.root_mean_square(fit.fit - limit) for fit in fits)
    # K^(−1/2) says 7.7 times; one seed of either is good for a third of that.
    assert wide < narrow / 2.5
    assert fits[1].moved < fits[0].moved / 5


@pytest.mark.long
def test_tables_and_pictures(tmp_path, capsys):
    rows = features.run(tmp_path, widths=(50, 500, 5000), seeds=2, data=("motorcycle",))
    assert [row["neurons"] for row in rows] == ["Gaussian", "uniform"]
    for row in rows:
        distances = np.asarray(row["distances"])
        assert distances.shape == (2, 3)
        # A hundred times as wide: ten times nearer, within a factor of three for two seeds.
        assert 3 < np.mean(distances[:, 0]) / np.mean(distances[:, 2]) < 30
    (row,) = trained.run(tmp_path, widths=(50, 500, 2000), times=((0.1, 2),))
    assert row["slope"] < -0.2
    assert "time" in capsys.readouterr().out
    draw.draw(tmp_path, tmp_path)
    assert (tmp_path / "infinite_width.png").is_file()


def test_one_kink_is_for_the_ridge_spline(monkeypatch, tmp_path):
    monkeypatch.setattr(kink, "STRENGTHS", kink.STRENGTHS[1:4])
    monkeypatch.setattr(kink, "NUGGETS", kink.NUGGETS[::2])
    monkeypatch.setattr(kink, "KERNELS", {"uniform": kink.KERNELS["uniform"]})
    ridge_spline, uniform = kink.run(tmp_path, counts=(40, 160), seeds=2)
    assert (np.asarray(ridge_spline["errors"])[:, 1] < np.asarray(uniform["errors"])[:, 1]).all()
    facts = json.loads((tmp_path / "kink.json").read_text())
    assert facts["kinds"] == ["exact"]
    assert facts["largest_gap"] <= 1e-5
    draw.draw(tmp_path, tmp_path)
    assert (tmp_path / "infinite_width.png").is_file()
