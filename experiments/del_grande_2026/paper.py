"""del_grande_2026: dual regions hold one neuron, and the support is stable under small noise and strength."""

from __future__ import annotations

from typing import Any

import numpy as np

import ridgesplines as rs
from experiments.del_grande_2026.draw import draw_regions, draw_stability
from experiments.del_grande_2026.regions import (
    Expansion,
    lifted,
    most_per_region,
    network,
    nonlinearity,
    profile,
    sharpened,
    united,
    weights_of,
)
from experiments.experiment import Experiment, Outcome
from ridgesplines.arrangement import activation_patterns

# Teachers are left out whose profiles come nearer to ±1 elsewhere, for the theorem's condition would be in doubt, and
# those with a neuron at a smaller angle to the border of its region: it would leave for any but the least strengths.
_MARGIN, _ANGLE = 0.02, 0.02
_TEACHERS_TRIED = 10_000


def problem_of(x: np.ndarray, y: np.ndarray, bias: bool, strength: float) -> rs.Problem:
    """½ Σ (f(x_n) − y_n)² + λ ‖μ‖ for measures μ on the unit sphere of weights, biases included if there are any."""
    norm = rs.AtomicNorm(weight_norm=2, bias="joint" if bias else "none", skip="none")
    return rs.Problem(rs.Samples(x), y, rs.SquaredLoss(), norm, strength)


def region_parts(settings: list[list[Any]], strength: float, gap: float, seeds: int) -> list[dict[str, Any]]:
    """One part for each setting [dimension, bias, count] and seed."""
    return [
        {"dimension": d, "bias": bias, "count": n, "strength": strength, "gap": gap, "seed": seed}
        for d, bias, n in settings
        for seed in range(seeds)
    ]


def solve_regions(dimension: int, bias: bool, count: int, strength: float, gap: float, seed: int) -> dict[str, Any]:
    """The dual profile of an optimum for a noisy wave: is it linear in each region, and how many neurons are in one?"""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (count, dimension))
    y = np.sin(3 * x[:, 0]) + 0.1 * rng.standard_normal(count)
    problem = problem_of(x, y, bias, strength)
    solution = rs.solve(problem, rs.ColumnGeneration(gap=gap))
    inputs = lifted(x, bias)
    patterns = activation_patterns(x, None if bias else np.zeros(dimension))
    # A turn by δ costs δ² of the objective: directions are known to the root of the gap.
    touching = 10 * np.sqrt(gap)
    weights, coefficients = united(*weights_of(solution.spline, bias), touching)
    first, second = _pairs(rng, inputs)
    same = ((first @ inputs.T > 0) == (second @ inputs.T > 0)).all(axis=1)
    bent = nonlinearity(inputs, solution.dual, first, second)
    found: dict[str, Any] = {
        "gap": solution.certificate.relative_gap,
        "proven": float(solution.certificate.proven),
        "pairs": int(same.sum()),
        "within": float(bent[same].max()),
        "across": float(bent[~same].max()),
        "regions": len(patterns),
        "neurons": len(weights),
        "most": most_per_region(inputs, patterns, weights, np.sign(coefficients), touching),
    }
    if inputs.shape[1] == 2:
        angles = np.linspace(-np.pi, np.pi, 2001)
        circle = np.column_stack([np.cos(angles), np.sin(angles)])
        ends = np.arctan2(inputs[:, 0], -inputs[:, 1])
        found |= {
            "angles": angles,
            "profile": profile(inputs, solution.dual, circle) / strength,
            "ends": np.concatenate([ends, ends - np.sign(ends) * np.pi]),
            "contacts": np.arctan2(weights[:, 1], weights[:, 0]),
            "contact_values": profile(inputs, solution.dual, weights) / strength,
            "contact_heights": np.abs(weights @ inputs.T / np.linalg.norm(inputs, axis=1)).min(axis=1),
        }
    return found


def _pairs(rng: np.random.Generator, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of unit weights, near to each other and far apart."""
    first = rng.standard_normal((4000, inputs.shape[1]))
    second = first + 10.0 ** rng.uniform(-3, 1, (4000, 1)) * rng.standard_normal(first.shape)
    return first / np.linalg.norm(first, axis=1)[:, None], second / np.linalg.norm(second, axis=1)[:, None]


def gather_regions(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    """The worst over all cases; the profiles over a circle of weights."""
    numbers = {
        "nonlinearity_within": max(r["within"] for r in found),
        "nonlinearity_across": min(r["across"] for r in found),
        "fewest_pairs": float(min(r["pairs"] for r in found)),
        "most_per_region": float(max(r["most"] for r in found)),
        "neurons_per_region": max(r["neurons"] / r["regions"] for r in found),
        "largest_gap": max(r["gap"] for r in found),
        "proven": min(r["proven"] for r in found),
    }
    arrays: dict[str, np.ndarray] = {}
    for part, r in zip(parts, found, strict=True):
        if "angles" in r and part["seed"] == 0:
            key = f"{'with' if part['bias'] else 'without'} biases, d = {part['dimension']}"
            names = ("angles", "profile", "ends", "contacts", "contact_values", "contact_heights")
            arrays |= {f"{key}/{name}": r[name] for name in names}
    return Outcome(numbers, arrays)


def teacher(
    dimension: int, bias: bool, count: int, neurons: int, first_seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, int]:
    """A network for which the theorem's condition holds: points, its unit weights and coefficients, margin, seed.

    The condition: A (see `Expansion`) has full column rank, and the profile of the limiting dual vector is ±1 at the
    neurons and, of w and −w the larger, at most 1 − margin at its maxima off the closures of their regions. Each neuron
    is well inside its own.
    """
    for seed in range(first_seed, first_seed + _TEACHERS_TRIED):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((count, dimension))
        inputs = lifted(x, bias)
        weights = rng.standard_normal((neurons, inputs.shape[1]))
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        coefficients = rng.choice([-1.0, 1.0], neurons) * rng.uniform(0.5, 1.5, neurons)
        expansion = Expansion.around(inputs, weights, coefficients)
        scales = np.linalg.norm(inputs, axis=1)
        if not expansion.independent or (np.abs(weights @ inputs.T) < _ANGLE * scales).any():
            continue
        dual = expansion.dual
        oracle = problem_of(x, np.zeros(count), bias, 1.0).oracle
        answer = oracle.supremum(dual)
        if answer.upper > 1 + 1e-9:
            continue
        found = weights_of(network_of(answer.neurons), bias)[0]
        values = np.abs(profile(inputs, dual, found))
        # On the border of a region rounding says on which side a point is.
        sides, tie = np.sign(weights @ inputs.T), np.abs(found @ inputs.T) < 1e-12 * scales
        own = ((np.sign(found @ inputs.T)[:, None] == sides[None]) | tie[:, None]).all(axis=2).any(axis=1)
        elsewhere = float(values[~own].max(initial=0.0))
        if elsewhere <= 1 - _MARGIN:
            return x, weights, coefficients, 1 - elsewhere, seed
    raise ValueError(f"none of {_TEACHERS_TRIED} networks meets the condition; give fewer neurons.")


def network_of(neurons: Any) -> rs.RidgeSpline:
    """A ridge spline of neurons, all coefficients 1."""
    return rs.RidgeSpline(neurons.weights, neurons.biases, np.ones(len(neurons)))


def stability_parts(
    settings: list[list[Any]], teachers: int, strengths: list[float], noise: float, gap: float
) -> list[dict[str, Any]]:
    """One part for each setting [dimension, bias, count, neurons] and teacher."""
    return [
        {
            "dimension": d,
            "bias": bias,
            "count": n,
            "neurons": k,
            "first_seed": 10_000 * (i + 1),
            "strengths": strengths,
            "noise": noise,
            "gap": gap,
        }
        for d, bias, n, k in settings
        for i in range(teachers)
    ]


def solve_stability(
    dimension: int,
    bias: bool,
    count: int,
    neurons: int,
    first_seed: int,
    strengths: list[float],
    noise: float,
    gap: float,
) -> dict[str, Any]:
    """Solutions for falling λ, without noise and with noise of size `noise` · λ: where their neurons are.

    `strengths` are those of λ / λ₀, λ₀ the expansion's `unit_strength`.
    """
    x, weights, coefficients, margin, seed = teacher(dimension, bias, count, neurons, first_seed)
    inputs = lifted(x, bias)
    clean = np.maximum(inputs @ weights.T, 0) @ coefficients
    direction = np.random.default_rng(seed + 1).standard_normal(count)
    direction /= np.linalg.norm(direction)
    expansion = Expansion.around(inputs, weights, coefficients)
    moved, changed, unexplained, support, gaps, kinds = [], [], [], [], [], []
    for level in (0.0, noise):
        for strength in expansion.unit_strength * np.array(strengths):
            targets = clean + level * strength * direction
            problem = problem_of(x, targets, bias, strength)
            solution = rs.solve(problem, rs.ColumnGeneration(gap=gap))
            own, sizes = sharpened(inputs, targets, strength, *weights_of(solution.spline, bias))
            certificate = rs.certify(problem, network(own, sizes, bias), dual=solution.dual)
            gaps.append(certificate.relative_gap)
            kinds.append(float(certificate.proven))
            order = _matched(inputs, own, sizes, weights, coefficients)
            support.append(abs(len(own) - neurons) + (order is None))
            if order is None:
                moved.append(np.inf)
                changed.append(np.inf)
                unexplained.append(np.inf)
                continue
            turns = own[order] - weights
            predicted = expansion.turned(level * strength * direction, strength)
            moved.append(float(np.linalg.norm(turns, axis=1).max()))
            changed.append(float(np.abs(sizes[order] - coefficients).max()))
            unexplained.append(float(np.linalg.norm(turns - predicted, axis=1).max()))
    shape = (2, len(strengths))
    return {
        "margin": margin,
        "seed": seed,
        "moved": np.reshape(moved, shape),
        "changed": np.reshape(changed, shape),
        "unexplained": np.reshape(unexplained, shape),
        "support": np.reshape(support, shape),
        "gap": max(gaps),
        "proven": min(kinds),
    }


def _matched(
    inputs: np.ndarray, own: np.ndarray, sizes: np.ndarray, weights: np.ndarray, coefficients: np.ndarray
) -> np.ndarray | None:
    """The order of the solution's neurons in which regions and signs are the teacher's; None if they are others."""

    def keys(w: np.ndarray, v: np.ndarray) -> list[bytes]:
        return [row.tobytes() for row in np.column_stack([(inputs @ w.T > 0).T, v > 0])]

    found, wanted = keys(own, sizes), keys(weights, coefficients)
    if sorted(found) != sorted(wanted):
        return None
    return np.array([found.index(key) for key in wanted])


def gather_stability(parts: list[dict[str, Any]], found: list[dict[str, Any]]) -> Outcome:
    """Slopes of log distance over log λ / λ₀; each number the worst of all teachers."""
    strengths = np.array(parts[0]["strengths"])

    def slopes(name: str) -> np.ndarray:
        """(teachers, 2): without and with noise."""
        return np.array([[_slope(strengths, row) for row in r[name]] for r in found])

    turning, changing, rest = slopes("moved"), slopes("changed"), slopes("unexplained")
    numbers = {
        "teachers": float(len(found)),
        "support_changes": float(sum(r["support"].sum() for r in found)),
        "location_rate_without_noise": _farthest(turning[:, 0], 1),
        "location_rate_with_noise": _farthest(turning[:, 1], 1),
        "amplitude_rate_without_noise": _farthest(changing[:, 0], 1),
        "amplitude_rate_with_noise": _farthest(changing[:, 1], 1),
        "remainder_rate": _farthest(rest.ravel(), 2),
        "remainder": max(float((r["unexplained"] / r["moved"]).max()) for r in found),
        "remainder_at_least_strength": max(float((r["unexplained"] / r["moved"])[:, 0].max()) for r in found),
        "least_margin": min(r["margin"] for r in found),
        "largest_gap": max(r["gap"] for r in found),
        "proven": min(r["proven"] for r in found),
    }
    arrays = {"strengths": strengths}
    arrays |= {name: np.stack([r[name] for r in found]) for name in ("moved", "changed", "unexplained")}
    arrays["seeds"] = np.array([r["seed"] for r in found])
    return Outcome(numbers, arrays)


def _slope(strengths: np.ndarray, values: np.ndarray) -> float:
    return float(np.polyfit(np.log(strengths), np.log(values), 1)[0]) if np.isfinite(values).all() else np.inf


def _farthest(slopes: np.ndarray, expected: float) -> float:
    return float(slopes[np.argmax(np.abs(slopes - expected))])


EXPERIMENTS = [
    Experiment(
        paper="del_grande_2026",
        name="regions",
        title="the dual profile over the sphere of weights: linear in each region, one neuron of a sign in each",
        quick={
            "settings": [[1, True, 10], [2, False, 12], [2, True, 20]],
            "strength": 0.05,
            "gap": 1e-10,
            "seeds": 3,
        },
        full={
            "settings": [[1, True, 10], [2, False, 12], [1, True, 40], [2, False, 40], [2, True, 30], [3, False, 40]],
            "strength": 0.05,
            "gap": 1e-10,
            "seeds": 10,
        },
        parts=region_parts,
        solve=solve_regions,
        gather=gather_regions,
        draw=draw_regions,
        brief=True,
    ),
    Experiment(
        paper="del_grande_2026",
        name="stability",
        title="how far neurons move with the strength and the noise, beside the expansion of first order",
        quick={
            "settings": [[1, True, 20, 2], [2, False, 20, 3]],
            "teachers": 2,
            "strengths": [1e-5, 3e-5, 1e-4, 3e-4, 1e-3],
            "noise": 0.02,
            "gap": 1e-9,
        },
        full={
            "settings": [[1, True, 20, 2], [2, False, 20, 3], [2, False, 40, 4], [2, True, 24, 2]],
            "teachers": 4,
            "strengths": [1e-5, 3e-5, 1e-4, 3e-4, 1e-3],
            "noise": 0.02,
            "gap": 1e-9,
        },
        parts=stability_parts,
        solve=solve_stability,
        gather=gather_stability,
        draw=draw_stability,
        brief=True,
    ),
]
