"""How often the searches find the supremum: `python -m experiments.benchmarks.search_quality [problems per family]`.

Truth is the exact oracle in the plane for order 2, elsewhere the best of all searches and of two much longer ones. No
search is given hints. `random` are dual vectors of Gaussian targets, `fitted` those of a column generation stopped
after a few iterations, whose many neurons all stand near the supremum.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import ridgesplines as rs
from ridgesplines.datasets import diabetes
from ridgesplines.oracles import AscentOracle, Oracle, PlaneOracle, SearchOracle
from ridgesplines.polynomials import PolynomialFit
from ridgesplines.scaling import Scaling


@dataclass(frozen=True)
class Family:
    """Problems of one kind.

    Attributes:
        order: m.
        dimension: d.
        count: N.
        outputs: 0 for a dual vector without that axis.
        strength: what part of λ_max fitted duals are made with; 0 for random ones.
    """

    order: int
    dimension: int
    count: int
    outputs: int = 0
    strength: float = 0.0

    @property
    def name(self) -> str:
        """The kind of the dual vectors."""
        return f"fitted, {self.strength:g} λ_max" if self.strength else "random"

    def problem(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, d) and a dual vector (N,) or (N, D)."""
        rng = np.random.default_rng([seed, self.count, self.dimension, self.order])
        points = rng.standard_normal((self.count, self.dimension))
        if self.strength:
            targets = np.sin(2 * points[:, 0]) + np.abs(points[:, 1]) + 0.3 * rng.standard_normal(self.count)
            return points, fitted_dual(points, targets, self.strength, int(rng.integers(2, 9)))
        noise = rng.standard_normal((self.count, self.outputs) if self.outputs else self.count)
        return points, PolynomialFit.at(points, self.order - 1).project_off(noise)


FAMILIES = (
    *(Family(2, d, n, 0, strength) for d in (2, 3) for n in (20, 60, 200) for strength in (0.0, 0.3, 0.03)),
    *(Family(2, d, n) for d, n in ((5, 100), (10, 100))),
    *(Family(2, d, 100, 3) for d in (3, 5)),
    *(Family(order, d, n) for order in (3, 4) for d, n in ((2, 60), (3, 60), (3, 200), (5, 200))),
)


def fitted_dual(points: np.ndarray, targets: np.ndarray, strength: float, iterations: int) -> np.ndarray:
    """The dual vector of the best bound after `iterations`, for `strength` times λ_max."""
    measurements = rs.Samples(points)
    largest = rs.Problem(measurements, targets, strength=1.0).strength_max
    problem = rs.Problem(measurements, targets, strength=strength * largest)
    solver = rs.ColumnGeneration(gap=1e-3, iteration_limit=iterations)
    return rs.solve(problem, solver, progress=False).dual


def searches(family: Family) -> dict[str, Callable[[np.ndarray], Oracle]]:
    """The searches that serve a family."""
    found: dict[str, Callable[[np.ndarray], Oracle]] = {"ascent": lambda points: AscentOracle(points, family.order)}
    if family.order == 2 and not family.outputs:
        found["search"] = SearchOracle
        found["search, 512 starts"] = lambda points: SearchOracle(points, 512)
    return found


def truth(family: Family, points: np.ndarray, dual: np.ndarray, values: list[float]) -> float:
    """The supremum, or the best that is known of it."""
    if family.order == 2 and family.dimension == 2 and not family.outputs:
        return PlaneOracle(points).supremum(dual).value
    longer = [AscentOracle(points, family.order, seed=1).supremum(dual, effort=4).value]
    if family.order == 2 and not family.outputs:
        longer.append(SearchOracle(points, seed=1).supremum(dual, effort=16).value)
    return max(values + longer)


def measure(family: Family, problems: int) -> Iterator[tuple[str, float, float, float]]:
    """For each search its name, the part of the problems it solves, its worst shortfall and median seconds."""
    names = list(searches(family))
    values = np.zeros((problems, len(names)))
    seconds, best = np.zeros_like(values), np.zeros(problems)
    for seed in range(problems):
        points, dual = family.problem(seed)
        for column, make in enumerate(searches(family).values()):
            oracle = make(points)
            began = time.perf_counter()
            values[seed, column] = oracle.supremum(dual).value
            seconds[seed, column] = time.perf_counter() - began
        best[seed] = truth(family, points, dual, list(values[seed]))
    shortfall = 1 - values / best[:, None]
    for column, name in enumerate(names):
        missed = shortfall[:, column]
        yield name, float(np.mean(missed <= 1e-9)), float(missed.max()), float(np.median(seconds[:, column]))


def print_table(families: tuple[Family, ...], problems: int) -> None:
    """One row per family and search."""
    print("| order | d | N | outputs | duals | search | found | worst shortfall | median s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for family in families:
        for name, rate, worst, seconds in measure(family, problems):
            print(
                f"| {family.order} | {family.dimension} | {family.count} | {family.outputs or 1} | {family.name} "
                f"| {name} | {rate:.1%} | {max(worst, 0):.0e} | {seconds:.3f} |",
                flush=True,
            )


def print_diabetes(seeds: int) -> None:
    """Ten inputs, 0.1 λ_max, near convergence: hundreds of maxima within 1% of the best."""
    data = diabetes()
    points, targets = Scaling.standard(data.x, data.y).apply(data.x, data.y)
    dual = fitted_dual(points, targets, 0.1, 30)
    print("\n| diabetes, 10 inputs: search | heights over the best known, sorted | seconds |")
    print("|---|---|---|")
    rows = {}
    for name, make in {
        "search, 128 starts": lambda seed: SearchOracle(points, 128, seed),
        "search, 1024 starts": lambda seed: SearchOracle(points, 1024, seed),
        "ascent, 1024 starts": lambda seed: AscentOracle(points, 2, 1024, seed),
        "ascent, 8192 starts": lambda seed: AscentOracle(points, 2, 8192, seed),
    }.items():
        make(seeds).supremum(dual)
        began = time.perf_counter()
        values = np.array([make(seed).supremum(dual).value for seed in range(seeds)])
        rows[name] = np.sort(values), (time.perf_counter() - began) / seeds
    best = max(values[-1] for values, _ in rows.values())
    for name, (values, seconds) in rows.items():
        print(f"| {name} | {' '.join(f'{value / best:.4f}' for value in values)} | {seconds:.2f} |", flush=True)


if __name__ == "__main__":
    problems = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print_table(FAMILIES, problems)
    print_diabetes(max(2, problems // 10))
