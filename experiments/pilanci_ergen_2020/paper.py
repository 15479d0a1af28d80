"""pilanci_ergen_2020: the program over activation patterns, the certified optimum and trained networks agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import ridgesplines as rs
from experiments.experiment import Experiment, Outcome
from experiments.style import COLOURS, figure_style, new_figure
from ridgesplines.arrangement import activation_patterns, most_patterns

_NOISE = 0.1


def planted(dimension: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Data of three neurons with noise: points of the cube (N, d), values (N,)."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (count, dimension))
    weights = rng.standard_normal((3, dimension))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    clean = np.maximum(x @ weights.T - rng.uniform(-0.5, 0.5, 3), 0) @ np.array([1.0, -1.0, 1.5])
    return x, clean + _NOISE * rng.standard_normal(count)


def parts(
    dimensions: list[int], counts: list[int], strengths: list[float], seed: int, networks: int, width: int, steps: int
) -> list[dict[str, Any]]:
    """One part for each problem."""
    shared = {"seed": seed, "networks": networks, "width": width, "steps": steps}
    return [
        {"dimension": dimension, "count": count, "strength": strength, **shared}
        for dimension, count, strength in zip(dimensions, counts, strengths, strict=True)
    ]


def solve(
    dimension: int, count: int, strength: float, seed: int, networks: int, width: int, steps: int
) -> dict[str, Any]:
    """One problem by the three methods: relative excesses over the proven bound, of each network for training.

    Weight decay on all parameters, biases included, and nothing free: the setting of the paper, whose data have a
    column of ones. Networks are trained by Adam alone, no second-order method comes after it: one half with weight
    decay, the other with the path norm, which has the same optimum.
    """
    x, y = planted(dimension, count, seed)
    norm = rs.AtomicNorm(weight_norm=2, bias="joint", skip="none")
    problem = rs.Problem(rs.Samples(x), y, rs.SquaredLoss(), norm, strength)
    certified = rs.solve(problem, rs.ColumnGeneration(gap=1e-8))
    program = rs.solve(problem, rs.ConvexProgram())
    training = rs.NetworkTraining(
        width=width, optimizer="adam", steps=steps, seeds=networks, seed=seed, dual=certified.dual
    )
    results = [replace(training, penalty=penalty).train(problem) for penalty in ("weight decay", "path norm")]
    trained = np.concatenate([result.objectives for result in results])
    bound = certified.certificate.bound
    found = {
        "objective": certified.objective,
        "certified": certified.objective / bound - 1,
        "program": program.objective / bound - 1,
        "program_gap": program.certificate.relative_gap,
        "trained": trained / bound - 1,
        "decayed": results[0].objectives / bound - 1,
        "proven": float(certified.certificate.proven),
        "neurons": certified.spline.width,
        "patterns": len(activation_patterns(x)),
        "most": most_patterns(x),
    }
    if dimension == 1:
        grid = np.linspace(-1.05, 1.05, 400)[:, None]
        best = min(results, key=lambda result: result.objectives.min())
        best = best.splines[int(np.argmin(best.objectives))]
        splines = {"certified": certified.spline, "program": program.spline, "trained": best}
        found |= {f"fit_{name}": np.asarray(spline(grid)) for name, spline in splines.items()}
        found |= {"x": x[:, 0], "y": y, "grid": grid[:, 0]}
    return found


def gather(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    """The worst of each method over the problems, and what each network of each problem came to."""
    numbers = {
        "certified_excess": max(result["certified"] for result in found),
        "program_excess": max(abs(result["program"]) for result in found),
        "program_gap": max(result["program_gap"] for result in found),
        "trained_excess": max(float(result["trained"].min()) for result in found),
        "weight_decay_excess": max(float(result["decayed"].min()) for result in found),
        "trained_undercut": max(-float(result["trained"].min()) for result in found),
        "pattern_ratio": max(abs(result["patterns"] / result["most"] - 1) for result in found),
        "proven": min(result["proven"] for result in found),
    }
    arrays = {f"trained_{i}": result["trained"] for i, result in enumerate(found)}
    for name in ("program", "certified", "patterns", "neurons", "objective"):
        arrays[name] = np.array([result[name] for result in found])
    for name in ("dimension", "count", "strength"):
        arrays[name] = np.array([part[name] for part in parts])
    on_line = next((result for result in found if "grid" in result), {})
    arrays |= {key: on_line[key] for key in on_line if key in ("x", "y", "grid") or key.startswith("fit_")}
    return Outcome(numbers, arrays)


def draw(outcome: Outcome) -> Figure:
    """The three fits on the line, and how far each network of each problem ends above the proven bound."""
    get = outcome.arrays
    with figure_style():
        figure = new_figure(height=2.7)
        left, right = figure.subplots(1, 2)
        left.plot(get["x"], get["y"], ".", color="0.3", label="data")
        styles = {"certified": ("-", 3.0), "program": ("-", 1.4), "trained": ((0, (4, 3)), 1.2)}
        labels = {"certified": "certified optimum", "program": "convex program", "trained": "best trained network"}
        for (name, (line, width)), colour in zip(styles.items(), (COLOURS[5], COLOURS[0], COLOURS[1]), strict=True):
            left.plot(get["grid"], get[f"fit_{name}"], ls=line, lw=width, color=colour, label=labels[name])
        left.set_xlabel("x")
        left.legend()
        floor = 1e-12
        places = np.arange(len(get["dimension"]))
        for i in places:
            heights = np.maximum(np.sort(get[f"trained_{i}"]), floor)
            spread = np.linspace(-0.25, 0.25, len(heights))
            label = "trained, each seed" if i == 0 else None
            right.semilogy(i + spread, heights, "o", color=COLOURS[1], ms=2.5, label=label)
        right.semilogy(places, np.maximum(get["certified"], floor), "_", color=COLOURS[5], ms=22, label="certified")
        program = np.maximum(np.abs(get["program"]), floor)
        right.semilogy(places, program, "_", color=COLOURS[0], ms=22, label="convex program")
        right.axhline(1e-6, color="0.6", lw=0.8, ls=":")
        facts = zip(get["dimension"], get["count"], get["patterns"], strict=True)
        right.set_xticks(places, [f"d = {d}, N = {n}\n{p} patterns" for d, n, p in facts])
        right.set_ylabel("relative distance to the proven bound")
        right.legend(loc="upper left")
    return figure


EXPERIMENTS = [
    Experiment(
        paper="pilanci_ergen_2020",
        name="three_optima",
        title="the program over all activation patterns, the certified optimum and trained networks",
        quick={
            "dimensions": [1, 2, 2],
            "counts": [12, 16, 20],
            "strengths": [0.1, 0.3, 0.3],
            "seed": 1,
            "networks": 8,
            "width": 64,
            "steps": 10_000,
        },
        full={
            "dimensions": [1, 1, 2, 2, 2],
            "counts": [12, 40, 20, 20, 40],
            "strengths": [0.1, 0.1, 0.3, 0.1, 0.3],
            "seed": 1,
            "networks": 32,
            "width": 64,
            "steps": 20_000,
        },
        parts=parts,
        solve=solve,
        gather=gather,
        draw=draw,
    )
]
