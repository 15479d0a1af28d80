"""The fewest knots of an interpolant of least TV(f'): by construction, by the formula, and by integer programs."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import Bounds, LinearConstraint, milp

import ridgesplines as rs
from experiments.debarre_2022.runs import knots_by_formula
from experiments.experiment import Experiment, Outcome
from experiments.style import figure_style, label_decades, new_figure

# The integer program allows the interpolant to cost this much more than the least, relatively, and to miss by as much.
_ALLOWED = 1e-7


def knots_by_program(x: np.ndarray, y: np.ndarray) -> int:
    """The fewest knots of any interpolant of least TV(f'), by a mixed-integer linear program.

    Knots may be at data, and where the lines through the two neighbours on either side of an interval cross in it: all
    kinks of an interpolant of least TV(f') can be moved to such places without more of them.

    Args:
        x: different points, ascending, (N,).
        y: the targets, (N,).
    """
    chords = np.diff(y) / np.diff(x)
    changes = np.diff(chords)
    least = float(np.abs(changes).sum())
    # Of chord k − 1, through data k − 1 and k, and chord k + 1, through data k + 1 and k + 2.
    inner = np.arange(1, len(chords) - 1)
    apart = chords[inner + 1] - chords[inner - 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = (y[inner] - y[inner + 1] + chords[inner + 1] * (x[inner + 1] - x[inner])) / apart
    inside = (shift > 0) & (shift < np.diff(x)[inner])
    knots = np.concatenate([x[1:-1], x[inner][inside] + shift[inside]])
    count, most = len(knots), 2 * least
    neurons = np.maximum(x[:, None] - knots, 0.0)
    nothing = np.zeros((len(x), count))
    # Variables: constant, slope, rising and falling changes, and whether there is a knot.
    limits: Any = LinearConstraint  # SciPy takes arrays of bounds and says floats
    interpolates = limits(np.column_stack([np.ones(len(x)), x, neurons, -neurons, nothing]), y, y)
    cost = np.concatenate([[0.0, 0.0], np.ones(2 * count), np.zeros(count)])
    cheap = LinearConstraint(cost[None], -np.inf, least * (1 + _ALLOWED))
    eye = np.eye(count)
    only_knots = LinearConstraint(np.column_stack([np.zeros((count, 2)), eye, eye, -most * eye]), -np.inf, 0.0)
    box: Any = Bounds  # likewise
    objective = np.concatenate([np.zeros(2 + 2 * count), np.ones(count)])
    lower = np.concatenate([[-np.inf] * 2, np.zeros(3 * count)])
    upper = np.concatenate([[np.inf] * (2 + 2 * count), np.ones(count)])
    program = milp(
        objective,
        constraints=[interpolates, cheap, only_knots],
        integrality=np.concatenate([np.zeros(2 + 2 * count), np.ones(count)]),
        bounds=box(lower, upper),
    )
    if program.status != 0:
        raise RuntimeError(f"HiGHS did not solve the integer program of fewest knots: {program.message}")
    return round(program.fun)


def data(count: int, seed: int, memory: float) -> tuple[np.ndarray, np.ndarray]:
    """Uniform points, ascending, and targets with neighbours alike (1) or not (0): longer or shorter runs."""
    rng = np.random.default_rng([2022, count, seed])
    x, noise = np.sort(rng.uniform(0, 1, count)), rng.standard_normal(count)
    changes = np.empty(count)
    changes[0] = noise[0]
    for i in range(1, count):
        changes[i] = memory * changes[i - 1] + (1 - memory**2) ** 0.5 * noise[i]
    if memory == 0:
        return x, noise
    slopes = np.cumsum(changes)[:-1] / count
    return x, np.append(0.0, np.cumsum(slopes * np.diff(x)))


def parts(counts: list[int], large: list[int], memories: list[float], seeds: int) -> list[dict[str, Any]]:
    return [
        {"count": count, "seed": seed, "memory": memory, "program": count in counts}
        for count in (*counts, *large)
        for memory in memories
        for seed in range(seeds)
    ]


def solve(count: int, seed: int, memory: float, program: bool) -> dict[str, Any]:
    x, y = data(count, seed, memory)
    problem = rs.Problem(rs.Samples(x[:, None]), y, rs.Interpolation())
    solution = rs.solve(problem, progress=False)
    solutions = rs.solution_set(problem, solution)
    sparse, connected = solutions.sparsest, solutions.canonical
    found: dict[str, Any] = {
        "sparsest": sparse.width,
        "connected": connected.width,
        "formula": knots_by_formula(x, y),
        "seminorm": abs(sparse.radon_tv() / connected.radon_tv() - 1),
        # A sum of slope changes times distances, each of which may be rounded.
        "misfit": float(np.abs(sparse(x) - y).max() / (np.finfo(float).eps * sparse.radon_tv() * np.ptp(x))),
        "gap": rs.certify(problem, sparse, dual=solution.dual).relative_gap,
    }
    if program:
        found["program"] = knots_by_program(x, y)
    return found


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    sparsest, connected, formula = (
        np.array([row[name] for row in found]) for name in ("sparsest", "connected", "formula")
    )
    programmed = np.array([row.get("program", -1) for row in found])
    known = programmed >= 0
    memories = np.array([part["memory"] for part in parts])
    numbers = {
        "data_sets": float(len(found)),
        "formula_missed_by": float(np.abs(sparsest - formula).max()),
        "program_missed_by": float(np.abs(sparsest - programmed)[known].max()),
        "seminorm_difference": float(max(row["seminorm"] for row in found)),
        "misfit_in_roundings": float(max(row["misfit"] for row in found)),
        "largest_gap": float(max(row["gap"] for row in found)),
        "share_of_knots": float(sparsest.sum() / connected.sum()),
    }
    for memory in sorted(set(memories.tolist())):
        rows = memories == memory
        numbers[f"share_of_knots_memory_{memory:g}"] = float(sparsest[rows].sum() / connected[rows].sum())
    arrays = {"sparsest": sparsest, "connected": connected, "formula": formula, "memories": memories}
    return Outcome(numbers, arrays | {"programmed": programmed})


def draw(outcome: Outcome) -> Figure:
    arrays = outcome.arrays
    with figure_style():
        figure = new_figure(columns=1, height=2.9)
        ax = figure.subplots()
        ends = np.array([1, 1.2 * arrays["connected"].max()])
        ax.loglog(ends, ends, color="0.7", linewidth=0.8, label="as many as the connected one")
        ax.loglog(ends, ends / 2, "--", color="0.7", linewidth=0.8, label="half as many")
        for i, memory in enumerate(sorted(set(arrays["memories"].tolist()))):
            rows = arrays["memories"] == memory
            ax.plot(arrays["connected"][rows], arrays["sparsest"][rows], "o", color=f"C{i}", alpha=0.6)
            share = outcome.numbers[f"share_of_knots_memory_{memory:g}"]
            kind = "independent values" if memory == 0 else f"slope changes correlated by {memory:g}"
            ax.plot([], [], "o", color=f"C{i}", label=f"{kind}: {share:.2f}")
        known = arrays["programmed"] >= 0
        ax.plot(
            arrays["connected"][known], arrays["programmed"][known], "x", color="black", markersize=2.5,
            label="integer program",
        )  # fmt: skip
        ax.set(xlabel="knots of the function that connects the dots", ylabel="knots of the sparsest solution")
        ax.legend()
        label_decades(figure)
    return figure


KNOT_COUNT = Experiment(
    paper="debarre_2022",
    name="knot_count",
    title="knots of the sparsest interpolants of least TV(f'), by construction, formula and integer program",
    quick={"counts": [5, 8, 12], "large": [100, 1000], "memories": [0.0, 0.9], "seeds": 6},
    full={"counts": [5, 8, 12, 16, 20], "large": [100, 1000, 10_000], "memories": [0.0, 0.5, 0.9], "seeds": 40},
    parts=parts,
    solve=solve,
    gather=gather,
    draw=draw,
)
