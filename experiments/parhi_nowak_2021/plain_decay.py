"""Plain weight decay of orders above 2 is another problem: a quasi-norm, whose networks are sparser."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import minimize_scalar

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.parhi_nowak_2021.training import problem_of
from experiments.style import figure_style, label_decades, new_figure


def quasi_norm(masses: np.ndarray, order: int) -> np.ndarray:
    """m / (2 (m − 1)) ((m − 1) c²)^(1/m) for the masses c = |v| ‖w‖^(m−1), (K,): min of ½ (v² + ‖w‖²) over scalings."""
    return order / (2 * (order - 1)) * ((order - 1) * masses**2) ** (1 / order)


def least_decay(coefficient: float, length: float, order: int) -> float:
    """min over s > 0 of ½ (v² s^(−2(m−1)) + s² ‖w‖²), by a search."""

    def decay(log_scale: float) -> float:
        scale = np.exp(log_scale)
        return 0.5 * ((coefficient * scale ** (1 - order)) ** 2 + (length * scale) ** 2)

    found: Any = minimize_scalar(decay, bracket=(-1.0, 1.0), options={"xtol": 1e-10})
    return float(found.fun)


def parts(
    cases: list[list[int]], count: int, fractions: list[float], width: int, steps: int, seeds: int
) -> list[dict[str, Any]]:
    common = {"count": count, "width": width, "steps": steps, "seeds": seeds}
    return [
        {"dimension": dimension, "order": order, "penalty": penalty, "fraction": fraction, **common}
        for dimension, order in cases
        for fraction in fractions
        for penalty in ("plain weight decay", "weight decay")
    ]


def solve(
    dimension: int, order: int, penalty: str, fraction: float, count: int, width: int, steps: int, seeds: int
) -> dict[str, Any]:
    problem = problem_of(dimension, order, count, fraction)
    trained = rs.train(
        problem,
        width=width,
        penalty=penalty,
        steps=steps,
        seeds=seeds,
        seed=2021,
        keep_neurons=True,
        records=20,
        progress=False,
    )
    trajectory = trained.trajectory
    assert trajectory.weights is not None
    assert trajectory.coefficients is not None
    lengths = np.linalg.norm(trajectory.weights[:, -1], axis=-1)
    coefficients = np.abs(trajectory.coefficients[:, -1]).reshape(lengths.shape)
    rng = np.random.default_rng([2021, dimension, order])
    tried = np.exp(rng.uniform(-2, 2, (20, 2)))
    searched = np.array([least_decay(v, w, order) for v, w in tried])
    return {
        "misfit": np.sqrt(2 * trajectory.losses[:, -1] / count) / np.std(problem.targets),
        "distinct": trajectory.distinct[:, -1],
        "penalty": trajectory.penalties[:, -1] / problem.dual_limit,
        "quasi_norm": quasi_norm(coefficients * lengths ** (order - 1), order).sum(axis=1),
        "formula": float(np.abs(searched / quasi_norm(tried[:, 0] * tried[:, 1] ** (order - 1), order) - 1).max()),
    }


def fewer_neurons(plain: list[dict[str, Any]], other: list[dict[str, Any]], kept: np.ndarray) -> float:
    """How many neurons fewer the first have than the second at equal misfits, in the mean over those that both reach.

    Quasi-norms of order 2/m count in units of their own, so that one λ fits closer with one penalty than with the
    other; between the strengths that were tried, misfits and neurons are interpolated.

    Args:
        plain: one row for each strength, the seeds' misfits and distinct neurons.
        other: likewise.
        kept: the seeds that count.
    """
    curves = []
    for rows in (plain, other):
        misfits = np.array([row["misfit"][kept].mean() for row in rows])
        neurons = np.array([row["distinct"][kept].mean() for row in rows])
        order = np.argsort(misfits)
        curves.append((misfits[order], neurons[order]))
    least, most = max(curve[0][0] for curve in curves), min(curve[0][-1] for curve in curves)
    levels = np.linspace(least, most, 9) if least < most else np.array([0.5 * (least + most)])
    return float(np.mean(np.interp(levels, *curves[1]) - np.interp(levels, *curves[0])))


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    pairs = list(zip(parts, found, strict=True))
    excess = np.concatenate(
        [row["penalty"] / row["quasi_norm"] - 1 for part, row in pairs if part["penalty"] == "plain weight decay"]
    )
    numbers = {
        "formula_error": float(max(row["formula"] for row in found)),
        "least_penalty_above_quasi_norm": float(excess.min()),
        "median_penalty_above_quasi_norm": float(np.median(excess)),
        "largest_penalty_above_quasi_norm": float(excess.max()),
    }
    arrays: dict[str, np.ndarray] = {}
    for part, row in pairs:
        kind = "plain" if part["penalty"] == "plain weight decay" else "order_m"
        key = f"d{part['dimension']}_order{part['order']}_fraction{part['fraction']:g}_{kind}"
        numbers[f"{key}_neurons"] = float(np.mean(row["distinct"]))
        numbers[f"{key}_misfit"] = float(np.mean(row["misfit"]))
        arrays[f"{key}_misfit"], arrays[f"{key}_distinct"] = row["misfit"], row["distinct"]
    for dimension, order in dict.fromkeys((part["dimension"], part["order"]) for part in parts):
        plain, other = (
            [
                row
                for part, row in pairs
                if (part["dimension"], part["order"], part["penalty"]) == (dimension, order, penalty)
            ]
            for penalty in ("plain weight decay", "weight decay")
        )
        seeds = np.arange(parts[0]["seeds"])
        left_out = np.array([fewer_neurons(plain, other, seeds != seed) for seed in seeds])
        error = np.sqrt((len(seeds) - 1) * np.mean((left_out - left_out.mean()) ** 2))
        key = f"d{dimension}_order{order}"
        numbers[f"{key}_fewer_neurons"] = fewer_neurons(plain, other, seeds >= 0)
        numbers[f"{key}_fewer_neurons_error"] = float(error)
    numbers["fewer_neurons_in_standard_errors"] = min(
        numbers[name] / numbers[f"{name}_error"] for name in numbers if name.endswith("_fewer_neurons")
    )
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    keys = list(dict.fromkeys(name.split("_fraction")[0] for name in arrays))
    with figure_style():
        figure = new_figure(columns=2, height=2.7)
        axes = figure.subplots(1, 1 + len(keys))
        masses = np.geomspace(1e-3, 3, 200)
        for order, colour in ((2, "C0"), (3, "C1"), (4, "C2")):
            axes[0].plot(masses, quasi_norm(masses, order), color=colour, label=f"order {order}: c^(2/{order})")
        axes[0].set(xlabel="c = |v| ‖w‖^(m−1)", title="least ½ (v² + ‖w‖²)")
        axes[0].legend()
        for ax, key in zip(axes[1:], keys, strict=True):
            for kind, colour, label in (("plain", "C2", "plain"), ("order_m", "C0", "of order m")):
                own = [name for name in arrays if name.startswith(key) and name.endswith(f"{kind}_misfit")]
                means = []
                for name in own:
                    distinct = arrays[name.replace("misfit", "distinct")]
                    ax.plot(arrays[name], distinct, ".", color=colour, alpha=0.35)
                    means.append((arrays[name].mean(), distinct.mean()))
                ax.plot(*np.array(sorted(means)).T, "o-", color=colour, label=label)
            dimension, order = key.removeprefix("d").split("_order")
            ax.set(xlabel="misfit / spread of y", title=f"neurons, d = {dimension}, order {order}", xscale="log")
            ax.legend(title="weight decay")
        label_decades(figure)
    return figure


PLAIN_DECAY = Experiment(
    paper="parhi_nowak_2021",
    name="plain_decay",
    title="plain weight decay of orders 3 and 4 is a quasi-norm of order 2/m; neurons of its networks",
    quick={"cases": [[2, 4]], "count": 40, "fractions": [0.2, 0.06, 0.02], "width": 40, "steps": 4000, "seeds": 6},
    full={"cases": [[1, 4], [2, 3], [2, 4]], "count": 60, "fractions": [0.3, 0.1, 0.03, 0.01, 0.003], "width": 80,
          "steps": 30_000, "seeds": 24},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)  # fmt: skip
