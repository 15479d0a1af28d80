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

    return float(minimize_scalar(decay, bracket=(-1.0, 1.0), options={"xtol": 1e-10}).fun)


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
    assert trajectory.weights is not None and trajectory.coefficients is not None
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


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    pairs = list(zip(parts, found, strict=True))
    plain = [(part, row) for part, row in pairs if part["penalty"] == "plain weight decay"]
    other = {(part["dimension"], part["order"], part["fraction"]): row for part, row in pairs if part not in
             [own for own, _ in plain]}  # fmt: skip
    excess = np.concatenate([row["penalty"] / row["quasi_norm"] - 1 for _, row in plain])
    numbers = {
        "formula_error": float(max(row["formula"] for row in found)),
        "least_penalty_above_quasi_norm": float(excess.min()),
        "median_penalty_above_quasi_norm": float(np.median(excess)),
        "largest_penalty_above_quasi_norm": float(excess.max()),
    }
    arrays: dict[str, np.ndarray] = {}
    means = []
    for part, row in plain:
        own = (part["dimension"], part["order"], part["fraction"])
        key = f"d{own[0]}_order{own[1]}_fraction{own[2]:g}"
        numbers[f"{key}_plain"] = float(np.mean(row["distinct"]))
        numbers[f"{key}_order_m"] = float(np.mean(other[own]["distinct"]))
        means.append((row["misfit"].mean(), row["distinct"].mean(), other[own]["misfit"].mean(),
                      other[own]["distinct"].mean()))  # fmt: skip
        for kind, source in (("plain", row), ("order_m", other[own])):
            arrays[f"{key}_{kind}_misfit"], arrays[f"{key}_{kind}_distinct"] = source["misfit"], source["distinct"]
    # Quasi-norms of order 2/m count in units of their own, so that one λ fits closer with one penalty than with the
    # other: networks are compared at equal misfits, between those of the strengths that were tried.
    cases = [own for own in dict.fromkeys((part["dimension"], part["order"]) for part, _ in plain)]
    differences = []
    for dimension, order in cases:
        rows = np.array([mean for (part, _), mean in zip(plain, means, strict=True)
                         if (part["dimension"], part["order"]) == (dimension, order)])  # fmt: skip
        least = max(rows[:, 0].min(), rows[:, 2].min())
        most = min(rows[:, 0].max(), rows[:, 2].max())
        levels = np.linspace(least, most, 9)
        neurons = [
            np.interp(levels, *rows[np.argsort(rows[:, column])][:, [column, column + 1]].T) for column in (0, 2)
        ]
        differences.append(float(np.mean(neurons[1] - neurons[0])))
        numbers[f"fewer_neurons_d{dimension}_order{order}"] = differences[-1]
    numbers["fewer_neurons"] = float(min(differences))
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
            label_decades(ax)
            ax.legend(title="weight decay")
    return figure


PLAIN_DECAY = Experiment(
    paper="parhi_nowak_2021",
    name="plain_decay",
    title="plain weight decay of orders 3 and 4 is a quasi-norm of order 2/m; neurons of its networks",
    quick={"cases": [[2, 3], [2, 4]], "count": 40, "fractions": [0.1, 0.01], "width": 40, "steps": 4000, "seeds": 6},
    full={"cases": [[1, 4], [2, 3], [2, 4]], "count": 60, "fractions": [0.3, 0.1, 0.03, 0.01, 0.003], "width": 80,
          "steps": 30_000, "seeds": 24},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)  # fmt: skip
