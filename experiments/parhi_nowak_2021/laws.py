"""How RTV changes under motions, scalings and added polynomials, and what ridges have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.style import figure_style, label_decades, new_figure

# Of the quadrature of smooth functions.
_TOLERANCE = 3e-4
ORDERS = (2, 3, 4)


def random_spline(order: int, dimension: int, width: int, rng: np.random.Generator) -> rs.RidgeSpline:
    """Gaussian directions of any length, biases near the origin, coefficients and a polynomial."""
    size = math.comb(dimension + order - 1, dimension)
    return rs.RidgeSpline(
        rng.standard_normal((width, dimension)),
        rng.uniform(-1, 1, width),
        rng.standard_normal(width),
        rng.standard_normal(size),
        order,
    )


def variation(values: np.ndarray, step: float, order: int) -> float:
    """TV(f^(m−1)) of a function on the line that is of degree < m in every cell of m − 1 steps, from its values there.

    The (m−1)-th difference within a cell, over the power of the step, is f^(m−1) there, exactly.

    Args:
        values: at equally spaced points, ((m − 1) · cells + 1,).
        step: their distance.
        order: m.
    """
    degree = order - 1
    cells = np.stack([values[i : len(values) - degree + i : degree] for i in range(order)])
    return float(np.abs(np.diff(np.diff(cells, degree, axis=0)[0] / step**degree)).sum())


def hills(x: np.ndarray) -> np.ndarray:
    """Two Gaussian hills and a hollow in the plane, no symmetry left."""
    centres, sizes = np.array([[0.5, 0.2], [-0.6, 0.3], [0.1, -0.7]]), np.array([0.5, 0.4, 0.45])
    squares = np.sum((x[:, None] - centres) ** 2, axis=2)
    return np.exp(-squares / (2 * sizes**2)) @ np.array([1.0, 0.8, -0.6])


def parts(splines: int, scales: list[float], smooth_orders: list[int]) -> list[dict[str, Any]]:
    exact = [
        {"kind": "spline", "order": order, "dimension": dimension, "seed": seed, "scales": scales}
        for order in ORDERS
        for dimension in (1, 2, 3)
        for seed in range(splines)
    ]
    return exact + [
        {"kind": "smooth", "order": order, "dimension": 2, "seed": 0, "scales": scales} for order in smooth_orders
    ]


def solve(kind: str, order: int, dimension: int, seed: int, scales: list[float]) -> dict[str, Any]:
    rng = np.random.default_rng([2021, order, dimension, seed])
    turn = np.linalg.qr(rng.standard_normal((dimension, dimension)))[0]
    shift = rng.standard_normal(dimension)
    if kind == "smooth":

        def seminorm(function: Any) -> float:
            return rs.radon_tv(function, dimension=2, order=order, tolerance=_TOLERANCE, progress=False).value

        plain = seminorm(hills)
        scaled = [seminorm(lambda x, s=scale: hills(s * x)) for scale in scales]
        return {
            "plain": plain,
            "moved": seminorm(lambda x: hills(x @ turn.T + 0.3 * shift)),
            "scaled": np.array(scaled),
        }
    spline = random_spline(order, dimension, 12, rng)
    plain = spline.radon_tv()
    polynomial = random_spline(order, dimension, 0, rng)
    # A ridge: a spline on the line along a unit vector. Its knots are multiples of 1/8, which cells of 1/8 do not mix.
    knots = rng.choice(np.arange(-16, 17), 6, replace=False) / 8
    profile = rs.RidgeSpline(rng.choice([-1.0, 1.0], (6, 1)), np.zeros(6), rng.standard_normal(6), order=order)
    profile = rs.RidgeSpline(
        profile.weights, profile.weights[:, 0] * knots, profile.coefficients, rng.standard_normal(order), order
    )
    direction = turn[0]
    ridge = profile.compose(direction[None], np.zeros(1))
    step = 1 / (8 * (order - 1))
    along = np.arange(-3 / step, 3 / step + 0.5) * step
    # The values of the ridge itself, along its direction.
    counted = variation(np.asarray(ridge(along[:, None] * direction)), step, order)
    return {
        "plain": plain,
        "moved": spline.compose(turn, shift).radon_tv(),
        "scaled": np.array(
            [spline.compose(scale * np.eye(dimension), np.zeros(dimension)).radon_tv() for scale in scales]
        ),
        "added": (spline + polynomial).radon_tv(),
        "ridge": abs(ridge.radon_tv() / counted - 1),
        "jumps": abs(counted / float(np.abs(profile.coefficients).sum()) - 1),
    }


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    scales = np.array(parts[0]["scales"])
    numbers: dict[str, float] = {}
    arrays: dict[str, np.ndarray] = {"scales": scales}
    for kind in ("spline", "smooth"):
        own = [(part, row) for part, row in zip(parts, found, strict=True) if part["kind"] == kind]
        ratios = np.array([row["scaled"] / row["plain"] for _, row in own])
        powers = np.array([part["order"] - 1 for part, _ in own])
        numbers[f"{kind}_motion"] = float(max(abs(row["moved"] / row["plain"] - 1) for _, row in own))
        numbers[f"{kind}_scaling"] = float(np.abs(ratios / scales ** powers[:, None] - 1).max())
        for order in ORDERS:
            chosen = powers == order - 1
            if chosen.any():
                arrays[f"{kind}_{order}"] = ratios[chosen]
    exact = [row for part, row in zip(parts, found, strict=True) if part["kind"] == "spline"]
    numbers["polynomial"] = float(max(abs(row["added"] / row["plain"] - 1) for row in exact))
    numbers["ridge"] = float(max(row["ridge"] for row in exact))
    numbers["line"] = float(max(row["jumps"] for row in exact))
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    scales = arrays["scales"]
    with figure_style():
        figure = new_figure(columns=1, height=2.7)
        ax = figure.subplots()
        fine = np.geomspace(scales.min(), scales.max(), 50)
        for i, order in enumerate(ORDERS):
            ax.loglog(fine, fine ** (order - 1), color=f"C{i}", linewidth=0.8, label=f"order {order}: s^{order - 1}")
            ax.loglog(scales, arrays[f"spline_{order}"].T, ".", color=f"C{i}")
            if f"smooth_{order}" in arrays:
                ax.loglog(scales, arrays[f"smooth_{order}"].T, "s", color=f"C{i}", markerfacecolor="none")
        ax.plot([], [], ".", color="0.5", label="ridge splines, d = 1, 2, 3")
        ax.plot([], [], "s", color="0.5", markerfacecolor="none", label="smooth, by quadrature, d = 2")
        ax.set(xlabel="s", ylabel="RTV of f(s·) over that of f")
        ax.legend()
        label_decades(figure)
        ax.set_xticks(scales, [f"{scale:g}" for scale in scales])
    return figure


LAWS = Experiment(
    paper="parhi_nowak_2021",
    name="laws",
    title="RTV under rigid motions, scalings and added polynomials, and of ridges",
    quick={"splines": 5, "scales": [0.5, 0.8, 1.25, 2.0], "smooth_orders": [2, 3]},
    full={"splines": 100, "scales": [0.25, 0.5, 0.8, 1.25, 2.0, 4.0], "smooth_orders": [2, 3, 4]},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)
