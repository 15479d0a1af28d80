"""mishkin_2022: programs of sampled patterns around the certified optimum, and the paper's library beside it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import ridgesplines as rs
from experiments.benchmarks.peer_training import PEERS, Limits, missing
from experiments.benchmarks.peers import PLANTED
from experiments.experiment import Experiment, Outcome, Unavailable
from experiments.mishkin_2022.draw import draw_library, draw_patterns
from experiments.mishkin_2022.programs import gated_program, patterns_of, relu_program
from ridgesplines.arrangement import activation_patterns

_LIBRARY = ("pyscnn, augmented Lagrangian", "pyscnn, cone decomposition")
_GAP = 1e-8


def pattern_parts(counts: list[int], lams: list[float], patterns: list[int], seeds: int) -> list[dict[str, Any]]:
    """One part for each strength."""
    return [
        {"count": count, "lam": lam, "patterns": patterns, "seeds": seeds}
        for count, lam in zip(counts, lams, strict=True)
    ]


def solve_patterns(count: int, lam: float, patterns: list[int], seeds: int) -> dict[str, Any]:
    """Objectives per datum of the programs of sampled patterns, of all, and of those of the certified optimum."""
    problem, inputs = PLANTED.build(count, lam), PLANTED.inputs(count)
    y, strength = problem.targets, lam * count
    certified = rs.solve(problem, rs.ColumnGeneration(gap=_GAP))
    spline = certified.spline
    weights = np.column_stack([spline.weights, -np.asarray(spline.biases)])
    every = activation_patterns(problem.points)
    relu = np.empty((seeds, len(patterns)))
    gated = np.empty_like(relu)
    for seed in range(seeds):
        # The first of the same random gates, so that programs grow: more patterns cannot do worse.
        gates = np.random.default_rng(seed).standard_normal((max(patterns), inputs.shape[1]))
        for j, size in enumerate(patterns):
            chosen = patterns_of(inputs, gates[:size])
            relu[seed, j] = relu_program(inputs, y, strength, chosen)
            gated[seed, j] = gated_program(inputs, y, strength, chosen)
    return {
        "objective": certified.objective / count,
        "bound": certified.certificate.bound / count,
        "proven": float(certified.certificate.proven),
        "relu": relu / count,
        "gated": gated / count,
        "relu_of_all": relu_program(inputs, y, strength, every) / count,
        "gated_of_all": gated_program(inputs, y, strength, every) / count,
        "relu_of_optimum": relu_program(inputs, y, strength, patterns_of(inputs, weights)) / count,
        "all": len(every),
        "optimum": len(patterns_of(inputs, weights)),
    }


def gather_patterns(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    """The worst of each comparison over the strengths."""
    numbers = {
        "all_patterns": max(abs(r["relu_of_all"] / r["bound"] - 1) for r in found),
        "patterns_of_optimum": max(abs(r["relu_of_optimum"] / r["bound"] - 1) for r in found),
        "sampled_below_bound": max(1 - float(r["relu"].min()) / r["bound"] for r in found),
        "gated_above_optimum": max(r["gated_of_all"] / r["objective"] - 1 for r in found),
        "gated_below_optimum": max(1 - r["gated_of_all"] / r["objective"] for r in found),
        "gated_above_relu": max(float((r["gated"] / r["relu"]).max()) - 1 for r in found),
        "growing_programs_rise": max(float(np.diff(r["relu"] / r["bound"], axis=1).max()) for r in found),
        "sampled_excess": max(float(np.median(r["relu"][:, -1])) / r["bound"] - 1 for r in found),
        "proven": min(r["proven"] for r in found),
    }
    arrays = {"patterns": np.array(parts[0]["patterns"])}
    for key in ("bound", "gated_of_all", "all", "optimum"):
        arrays[key] = np.array([r[key] for r in found])
    for i, (part, r) in enumerate(zip(parts, found, strict=True)):
        arrays |= {f"{i}/relu": r["relu"], f"{i}/gated": r["gated"], f"{i}/lam": np.array(part["lam"])}
    return Outcome(numbers, arrays)


def library_parts(
    count: int, lams: list[float], gates: int, iterations: int, limit: float, gap: float
) -> list[dict[str, Any]]:
    """One part for each strength.

    Raises:
        Unavailable: without the library.
    """
    absent = missing()
    if absent:
        raise Unavailable(absent)
    shared = {"count": count, "gates": gates, "iterations": iterations, "limit": limit, "gap": gap}
    return [{"lam": lam, **shared} for lam in lams]


def solve_library(count: int, lam: float, gates: int, iterations: int, limit: float, gap: float) -> dict[str, Any]:
    """Objectives per datum and seconds of the certified solver and of the library's two; imports and compiling apart.

    The problem and the evaluation are those of the benchmarks (`experiments.benchmarks.peers`).
    """
    inputs = PLANTED.inputs(count)
    warm = PLANTED.build(20, lam)
    rs.solve(warm, rs.ColumnGeneration(gap=gap))
    problem = PLANTED.build(count, lam)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=gap))
    found: dict[str, Any] = {
        "objective": solution.objective / count,
        "bound": solution.certificate.bound / count,
        "seconds": solution.seconds,
        "proven": float(solution.certificate.proven),
    }
    limits = Limits(gates=gates, iterations=iterations)
    for name in _LIBRARY:
        PEERS[name](PLANTED.inputs(20), warm.targets, lam, Limits.tiny(), limit)
        began = time.perf_counter()
        (network,) = PEERS[name](inputs, problem.targets, lam, limits, limit)
        seconds = time.perf_counter() - began
        certificate = rs.certify(problem, PLANTED.spline(network), dual=solution.dual)
        found |= {f"objective of {name}": certificate.objective / count, f"seconds of {name}": seconds}
    return found


def gather_library(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    """Objectives and seconds of each strength; the least distance of the library's networks above ours."""
    theirs = np.array([[r[f"objective of {name}"] for name in _LIBRARY] for r in found])
    their_seconds = np.array([[r[f"seconds of {name}"] for name in _LIBRARY] for r in found])
    ours = np.array([r["objective"] for r in found])
    numbers = {
        "library_above": float((theirs / ours[:, None] - 1).min()),
        "library_above_at_most": float((theirs.min(axis=1) / ours - 1).max()),
        "certified_gap": max(r["objective"] / r["bound"] - 1 for r in found),
        "proven": min(r["proven"] for r in found),
    }
    for part, r, row, times in zip(parts, found, theirs, their_seconds, strict=True):
        numbers |= {f"objective_{part['lam']:g}": r["objective"], f"seconds_{part['lam']:g}": r["seconds"]}
        for name, value, seconds in zip(("lagrangian", "cones"), row, times, strict=True):
            numbers |= {f"{name}_objective_{part['lam']:g}": float(value), f"{name}_seconds_{part['lam']:g}": seconds}
    arrays = {
        "lams": np.array([part["lam"] for part in parts]),
        "bounds": np.array([r["bound"] for r in found]),
        "objectives": np.column_stack([ours, theirs]),
        "seconds": np.column_stack([[r["seconds"] for r in found], their_seconds]),
    }
    return Outcome(numbers, arrays)


EXPERIMENTS = [
    Experiment(
        paper="mishkin_2022",
        name="patterns",
        title="programs of sampled activation patterns, with cones and gated, around the certified optimum",
        quick={"counts": [16, 16], "lams": [0.1, 0.01], "patterns": [4, 8, 16, 32, 64], "seeds": 3},
        full={
            "counts": [30, 30, 30],
            "lams": [0.1, 0.01, 0.001],
            "patterns": [4, 8, 16, 32, 64, 128, 256, 512],
            "seeds": 10,
        },
        parts=pattern_parts,
        solve=solve_patterns,
        gather=gather_patterns,
        draw=draw_patterns,
        brief=True,
    ),
    Experiment(
        paper="mishkin_2022",
        name="library",
        title="the paper's library, pyscnn, beside the certified solver: objectives and seconds",
        quick={"count": 60, "lams": [0.1, 0.01], "gates": 100, "iterations": 2000, "limit": 8.0, "gap": 1e-6},
        full={
            "count": 100,
            "lams": [0.1, 0.01, 0.001],
            "gates": 1000,
            "iterations": 10_000,
            "limit": 120.0,
            "gap": 1e-6,
        },
        parts=library_parts,
        solve=solve_library,
        gather=gather_library,
        draw=draw_library,
    ),
]
