"""The problems on which ridgesplines meets its peers, and what is measured there.

The norm of the weights is penalised, the bias (the weight of a column of ones) included if there is one, and nothing is
free:

    (1/2N) Σ_n (f(x_n) − y_n)² + lam Σ_k |v_k| ‖w_k‖₂,        f(x) = Σ_k v_k max(w_k·x, 0),

which is what pyscnn minimises with its `NeuronGL1`, what weight decay is for a balanced network, and 1/N times a
`ridgesplines.Problem` with an `AtomicNorm` and λ = lam · N. Whoever trained it, its objective is evaluated here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

import ridgesplines as rs
from experiments.benchmarks.cases import ONCE, REPEATS, Case, Record
from experiments.benchmarks.peer_training import PEERS, Limits, Network, missing
from ridgesplines.oracles import Neurons
from ridgesplines.scaling import Scaling

# Hyperplanes whose normals and offsets agree to this count as one neuron: trained networks have many copies of each.
_SAME = 1e-3
# Neurons with a smaller share of the cost are not counted: weight decay makes them small, never zero.
_LEAST_SHARE = 1e-6
# After how many seconds it is noted what was reached.
_LOOKS = (10.0, 30.0, 60.0, 120.0)
_NOTE = (
    "The objective is (1/2N) Σ (f(x_n) − y_n)² + lam Σ |v_k| ‖w_k‖₂, and lam follows the name. Seconds are "
    "those of the optimisation, and for ridgesplines of the certificate, with everything imported and compiled before; "
    "beside them what the processors worked. PyTorch: the best of five networks of 200 neurons, which are trained at "
    "once; pyscnn: 1000 sampled gates, and its defaults. Neurons are different hyperplanes. The last columns: when "
    "ridgesplines reached the peer's objective (for a smaller gap if need be), and the peer's seconds over those."
)


def planted(count: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Data of a network of five neurons in the plane with a tenth of noise: (N, 2) and (N,) of standard deviation 1."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((count, 2))
    weights = rng.standard_normal((5, 3))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    coefficients = rng.choice([-1.0, 1.0], 5) * rng.uniform(0.5, 1.5, 5)
    clean = np.maximum(np.column_stack([points, np.ones(count)]) @ weights.T, 0) @ coefficients
    targets = clean + 0.1 * clean.std() * rng.standard_normal(count)
    return points, targets / targets.std()


def diabetes(count: int = 442) -> tuple[np.ndarray, np.ndarray]:
    """The first `count` rows of the diabetes data, standardised: (N, 10) and (N,)."""
    points, targets = rs.datasets.diabetes()
    points, targets = points[:count], targets[:count]
    return Scaling.standard(points, targets).apply(points, targets)


@dataclass(frozen=True)
class PeerProblem:
    """One of the problems.

    Attributes:
        name: of the data.
        data: points (N, d) and targets (N,), of any number of rows.
        bias: whether neurons have a bias, which is penalised like a weight.
        gap: the relative gap at which ridgesplines stops.
    """

    name: str
    data: Callable[[int], tuple[np.ndarray, np.ndarray]]
    bias: bool
    gap: float

    def build(self, count: int, lam: float) -> rs.Problem:
        """The problem as a sum over the data: N times as large."""
        points, targets = self.data(count)
        norm = rs.AtomicNorm(weight_norm=2, bias="joint" if self.bias else "none", slope=0, skip="none")
        return rs.Problem(rs.Samples(points), targets, rs.SquaredLoss(), norm, strength=lam * count)

    def inputs(self, count: int) -> np.ndarray:
        """The points as networks without biases see them: with a column of ones if there is a bias."""
        points, _ = self.data(count)
        return np.column_stack([points, np.ones(count)]) if self.bias else points

    def spline(self, network: Network) -> rs.RidgeSpline:
        """The function of a network that was trained on `inputs`."""
        weights, coefficients = network
        biases = weights[:, -1] if self.bias else np.zeros(len(weights))
        return rs.RidgeSpline.from_network(weights[:, :-1] if self.bias else weights, biases, coefficients)


PLANTED = PeerProblem("planted", planted, bias=True, gap=1e-6)
DIABETES = PeerProblem("diabetes", diabetes, bias=False, gap=1e-4)


def neurons(problem: rs.Problem, spline: rs.RidgeSpline) -> int:
    """How many hyperplanes carry more than a rounding of the cost."""
    merged = spline.canonical(_SAME)
    gauges = problem.regularizer.gauge(Neurons(np.asarray(merged.weights), np.asarray(merged.biases)))
    shares = np.abs(np.asarray(merged.coefficients)) * np.asarray(gauges)
    return int(np.sum(shares > _LEAST_SHARE * shares.sum()))


@dataclass(frozen=True)
class PeerCase(Case):
    """One problem at one strength, by ridgesplines and by each peer that can be imported; a record for each.

    Everything is warm: a run of ridgesplines and of each peer on a few data, which imports and compiles, comes before.
    Seconds are from the arrays to the answer, for ridgesplines with the final certificate, for networks all seeds.

    Attributes:
        problem: which.
        lam: λ / N.
        limits: how much work the peers may do.
    """

    problem: PeerProblem
    lam: float
    limits: Limits

    def records(self, limit: float, repeats: int = REPEATS) -> list[Record]:
        """Ours, then the peers, each with the seconds that ours takes to reach the peer's objective."""
        warming = replace(self, size=min(self.size, 20), limits=Limits.tiny())
        warming._solve(limit, 1)
        ours, solution = self._solve(limit, repeats)
        absent = missing()
        if absent:
            return [ours | {"notes": [*ours["notes"], absent]}]
        bound = solution.certificate.bound / self.size
        theirs = [self._compare(name, warming, limit, bound) for name in PEERS]
        trace = ours["trace"]
        if ours["status"] == "converged" and min(record["objective"] for record in theirs) < trace[-1][1]:
            # Ours stopped at its gap with a higher objective: how long would it have taken to go on?
            closer = replace(self, problem=replace(self.problem, gap=self.problem.gap / 10_000))
            trace += [row for row in closer._solve(limit, 1)[0]["trace"] if row[1] < trace[-1][1]]
        for record in theirs:
            reached = next((row[0] for row in trace if row[1] <= record["objective"]), None)
            if reached is not None:
                record |= {"reached": reached, "ratio": record["seconds"] / reached}
        return [ours, *theirs]

    def _series(self, method: str) -> str:
        return f"{self.problem.name}, {self.lam:g}: {method}"

    def _solve(self, limit: float, repeats: int) -> tuple[Record, rs.Solution]:
        runs: list[tuple[float, float, rs.Solution]] = []
        while not runs or (len(runs) < repeats and runs[-1][0] < ONCE):
            began, busy = time.perf_counter(), time.process_time()
            problem = self.problem.build(self.size, self.lam)
            solution = rs.solve(problem, rs.ColumnGeneration(self.problem.gap, limit), progress=False)
            runs.append((time.perf_counter() - began, time.process_time() - busy, solution))
            if solution.status is rs.Status.INTERRUPTED:
                raise KeyboardInterrupt
        wall, busy, solution = sorted(runs, key=lambda run: run[0])[(len(runs) - 1) // 2]
        certificate = solution.certificate
        problem = self.problem.build(self.size, self.lam)
        record: Record = {
            "series": self._series("ridgesplines"),
            "size": self.size,
            "objective": certificate.objective / self.size,
            "above": certificate.objective / certificate.bound - 1,
            "relative_gap": certificate.relative_gap,
            "kind": certificate.kind,
            "neurons": neurons(problem, solution.spline),
            "seconds": wall,
            "times": [run[0] for run in runs],
            "processor": busy,
            "processor_times": [run[1] for run in runs],
            "iterations": len(solution.trace),
            "status": solution.status.name.lower().replace("_", " "),
            "notes": [_NOTE],
            # That of the process says nothing: all methods run in it.
            "memory": None,
            "trace": [(row.seconds, row.objective / self.size, row.bound / self.size) for row in solution.trace],
        }
        if solution.status is rs.Status.TIME_LIMIT:
            record["notes"] = [_NOTE, f"{record['series']} reached {_looks(record)}."]
        return record, solution

    def _compare(self, name: str, warming: PeerCase, limit: float, bound: float) -> Record:
        problem, train = self.problem, PEERS[name]
        train(problem.inputs(warming.size), problem.data(warming.size)[1], self.lam, warming.limits, limit)
        inputs, targets = problem.inputs(self.size), problem.data(self.size)[1]
        began, busy = time.perf_counter(), time.process_time()
        networks = train(inputs, targets, self.lam, self.limits, limit)
        wall, busy = time.perf_counter() - began, time.process_time() - busy
        posed = problem.build(self.size, self.lam)
        splines = [problem.spline(network) for network in networks]
        objectives = [posed.objective(spline) / self.size for spline in splines]
        best = int(np.argmin(objectives))
        record: Record = {
            "series": self._series(name),
            "size": self.size,
            "objective": objectives[best],
            "objectives": objectives,
            "above": objectives[best] / bound - 1,
            "neurons": neurons(posed, splines[best]),
            "seconds": wall,
            "processor": busy,
            "memory": None,
        }
        return record | {"status": "time limit"} if wall > limit else record


def _looks(record: Record) -> str:
    """What a trace had reached after some seconds."""
    found = []
    for seconds in _LOOKS:
        before = [row for row in record["trace"] if row[0] <= seconds]
        if before:
            found.append(f"{before[-1][1]:.6g} after {seconds:g} s")
    found.append(f"{record['objective']:.6g} after {record['seconds']:.0f} s")
    return ", ".join(found)
