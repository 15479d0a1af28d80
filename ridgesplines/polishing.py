"""From a trained network to the certified optimum, step by step, and what each step gained."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.certificate import relative_gap
from ridgesplines.checks import check_gap, check_seconds
from ridgesplines.losses import SquaredLoss
from ridgesplines.norms import sizes
from ridgesplines.oracles import Neurons
from ridgesplines.problem import Problem, check_problem
from ridgesplines.progress import Progress
from ridgesplines.solution import Solution
from ridgesplines.solvers.column_generation import ColumnGeneration
from ridgesplines.solvers.sparsify import sparsify
from ridgesplines.solvers.training.merging import sparser
from ridgesplines.spline import RidgeSpline


@dataclass(frozen=True, eq=False)
class PolishStep:
    """A network on its way to the optimum.

    Attributes:
        name: "network", "canonical", "pruned", "sparse" or "refined".
        spline: what it is by then.
        objective: J(f); that of "network" counts its neurons as they stand, where they partly cancel, too.
        relative_gap: (objective − bound) / objective, by the bound of the refined one.
        seconds: that the step took.
    """

    name: str
    spline: RidgeSpline
    objective: float
    relative_gap: float
    seconds: float

    @property
    def width(self) -> int:
        """The number of neurons."""
        return self.spline.width


@dataclass(frozen=True, eq=False)
class Polish:
    """What `polish` returns: the steps, and the certified end.

    Attributes:
        steps: five, from the network as it was given.
        solution: the last one's, with its certificate and dual.
    """

    steps: tuple[PolishStep, ...]
    solution: Solution

    def __getitem__(self, name: str) -> PolishStep:
        """The step of that name."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(f"there is no step {name!r}; there are {', '.join(step.name for step in self.steps)}.")

    def _table(self) -> list[list[str]]:
        rows = [["step", "objective", "gained", "relative gap", "neurons", "seconds"]]
        before = None
        for step in self.steps:
            gained = "" if before is None or not np.isfinite(before) else f"{before - step.objective:.3g}"
            numbers = [f"{step.objective:.8g}", gained, f"{step.relative_gap:.1e}", str(step.width)]
            rows.append([step.name, *numbers, f"{step.seconds:.2f}"])
            before = step.objective
        return rows

    def __str__(self) -> str:
        rows = self._table()
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = []
        for row in rows:
            first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            lines.append("  ".join([row[0].ljust(len(first)), *others]))
        return "\n".join([*lines, f"{self.solution.certificate} – {self.solution.status.value}"])

    def __rich__(self) -> Any:
        """A table for rich: `rich.print(polish)`."""
        from rich.table import Table  # only when there is something to show

        head, *rows = self._table()
        table = Table(caption=str(self.solution.certificate))
        for i, name in enumerate(head):
            table.add_column(name, justify="right" if i else "left")
        for row in rows:
            table.add_row(*row)
        return table


def polish(
    problem: Problem,
    network: RidgeSpline,
    *,
    gap: float = 1e-6,
    time_limit: float | None = None,
    progress: bool | None = None,
) -> Polish:
    """Take a trained network to the certified optimum of min_f Σ_n s_n ℓ(y_n, ν_n(f)) + λ R(f), in four steps.

    * "canonical": unit weights, one neuron per hyperplane, none with coefficient zero; the same function.
    * "pruned": neurons that are rounding are dropped, those next to each other merged, as long as the objective does
      not rise by more than a millionth; the free polynomial fitted again for the squared loss.
    * "sparse": no more neurons than the representer theorem needs, the same values at the data, see `sparsify`.
    * "refined": column generation that starts from these neurons, to the gap asked for.

    What "refined" gains over "sparse" is what training missed; the neurons between them, what it spent too much.

    Args:
        problem: what the network was trained for.
        network: of any width and origin; see `import_network` for PyTorch, Flax and Equinox.
        gap: the relative gap to refine to.
        time_limit: seconds for the refinement, or None.
        progress: show a line of progress; None shows it on a terminal.

    Returns:
        A `Polish`; after Ctrl-C with the best by then.

    Raises:
        TypeError: if the problem or the network is none.
        ValueError: if the network does not fit the problem, or an option is out of range.

    Source: parhi_nowak_2021.
    """
    check_problem(problem)
    check_gap(gap)
    check_seconds("time_limit", time_limit)
    network, _ = problem.measure(network)
    full = problem.regularizer.degree == network.order - 1
    refit = isinstance(problem.loss, SquaredLoss)
    began = time.perf_counter()
    marks = [("network", network, _objective_as_it_stands(problem, network) if full else None, 0.0)]

    def go(name: str, act: Callable[[RidgeSpline], RidgeSpline]) -> None:
        began = time.perf_counter()
        marks.append((name, act(marks[-1][1]), None, time.perf_counter() - began))

    with Progress(progress) as show:
        show("polishing: making the network sparse")
        go("canonical", lambda spline: spline.canonical() if full else spline)
        go("pruned", lambda spline: sparser(problem, spline, refit)[0])
        go("sparse", lambda spline: sparsify(problem, spline))
    solver = ColumnGeneration(gap=gap, time_limit=time_limit, start=marks[-1][1])
    began = time.perf_counter()
    solution = solver.solve(problem, progress=progress)
    marks.append(("refined", solution.spline, solution.objective, time.perf_counter() - began))
    bound = solution.certificate.bound
    steps = []
    for name, spline, known, seconds in marks:
        objective = problem.objective(spline) if known is None else known
        steps.append(PolishStep(name, spline, objective, relative_gap(objective, bound, problem.resolution), seconds))
    return Polish(tuple(steps), solution)


def _objective_as_it_stands(problem: Problem, network: RidgeSpline) -> float:
    """Loss and λ times the path norm of the parameters, which is R(f) where no neurons share a hyperplane."""
    neurons = Neurons(np.asarray(network.weights), np.asarray(network.biases))
    predictions = problem.measurements(network).reshape(problem.targets.shape)
    scale = 1 - problem.regularizer.activation.slope
    costs = sizes(np.asarray(network.coefficients)) / scale * np.asarray(problem.regularizer.gauge(neurons))
    return problem.loss_value(predictions) + problem.dual_limit * float(costs.sum())
