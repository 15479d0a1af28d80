"""The rows of the table of benchmarks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import ridgesplines as rs
from experiments.benchmarks import search_quality
from experiments.benchmarks.cases import Case, OracleCase, ProgramCase, SearchCase, SolveCase
from experiments.benchmarks.kernels import ChunkedCase, KernelCase, NystromCase
from experiments.benchmarks.line import LineCase, SparsestCase, TrendFilterCase
from experiments.benchmarks.peer_training import Limits
from experiments.benchmarks.peers import DIABETES, PLANTED, PeerCase
from experiments.benchmarks.training import TrainingCase

# λ = SCALE √N: the dual profile of noise of standard deviation σ grows like σ √N. With σ = 0.1, 30 to 100 neurons.
SCALE = 0.006
# Orders 3 and 4 fit these smooth data with a few neurons unless λ is much smaller.
SCALE_3, SCALE_4 = 6e-5, 6e-6


@dataclass(frozen=True)
class Row:
    """One block of the table.

    Attributes:
        title: its heading.
        cases: what is measured.
        quick: the same at tiny sizes, to see that it works.
        compared: two series whose ratio of seconds is printed, the slower one first.
    """

    title: str
    cases: tuple[Case, ...]
    quick: tuple[Case, ...]
    compared: tuple[str, str] | None = None

    @classmethod
    def of(cls, title: str, kinds: Iterable[tuple[Case, Iterable[int], Iterable[int]]], **options) -> Row:
        """From one case of each kind, its sizes, and its quick sizes."""
        kinds = list(kinds)
        return cls(
            title,
            tuple(replace(case, size=size) for case, sizes, _ in kinds for size in sizes),
            tuple(replace(case, size=size) for case, _, sizes in kinds for size in sizes),
            **options,
        )


_REGRESSION = (
    ("squared", rs.SquaredLoss(), SCALE),
    ("absolute", rs.AbsoluteLoss(), 0.06),
    ("Huber", rs.HuberLoss(0.1), SCALE),
    ("quantile 0.9", rs.QuantileLoss(0.9), 0.03),
    ("ε-insensitive", rs.EpsilonInsensitiveLoss(0.1), 0.06),
    ("interpolation", rs.Interpolation(), None),
    ("interval", rs.IntervalConstraint(0.1), None),
)
_CLASSIFICATION = (
    ("logistic", rs.LogisticLoss(), 0.03),
    ("hinge", rs.HingeLoss(), 0.03),
    ("squared hinge", rs.SquaredHingeLoss(), 0.03),
    ("hard margin", rs.HardMargin(), None),
)
_LOSSES = (
    *(SolveCase(name, 0, loss=loss, scale=scale) for name, loss, scale in _REGRESSION),
    *(SolveCase(name, 0, loss=loss, scale=scale, labels=True) for name, loss, scale in _CLASSIFICATION),
)
_ORACLES = (
    (OracleCase("line", 0, 1), (10_000, 100_000, 1_000_000), (100, 1000)),
    (OracleCase("plane", 0, 2), (500, 1000, 2000, 4000), (40, 80)),
    (OracleCase("space", 0, 3), (100, 200, 400), (20, 30)),
    (OracleCase("search, d = 10", 0, 10), (1000, 10_000), (20,)),
    (OracleCase("plane, order 3", 0, 2, order=3), (100, 200, 400), (20,)),
    (OracleCase("plane, order 4", 0, 2, order=4), (100, 200, 400), (20,)),
    (OracleCase("branch and bound, d = 4", 0, 4, branching=True), (20, 30, 40, 50), (12,)),
)
_PROGRAM, _OURS = "exact convex program", "ridgesplines"
_TREND_FILTER = "ℓ1 trend filtering, Clarabel"
_QUICK_FAMILY = search_quality.Family(2, 2, 20, strength=0.3)

ROWS = {
    "plane-interpolation": Row.of(
        "Interpolation in the plane",
        [(SolveCase("plane", 0, loss=rs.Interpolation()), (100, 200, 400, 1000), (20, 30))],
    ),
    "plane-squared": Row.of(
        f"Squared loss in the plane, λ = {SCALE} √N",
        [(SolveCase("plane", 0, scale=SCALE), (200, 1000, 2000, 10_000), (30, 60))],
    ),
    "space-interpolation": Row.of(
        "Interpolation in space",
        [(SolveCase("space", 0, 3, rs.Interpolation()), (50, 100, 200), (15, 20))],
    ),
    "space-squared": Row.of(
        f"Squared loss in space, λ = {SCALE} √N",
        [(SolveCase("space", 0, 3, scale=SCALE), (50, 100, 200), (15, 20))],
    ),
    "losses": Row.of("Every loss, in the plane", [(case, (1000,), (25,)) for case in _LOSSES]),
    "convex-program": Row.of(
        f"The exact convex program, by cvxpy and Clarabel, in the plane, λ = {SCALE} √N",
        [
            (ProgramCase(_PROGRAM, 0, scale=SCALE), (20, 40, 60, 100), (10, 14)),
            (SolveCase(_OURS, 0, scale=SCALE), (20, 40, 60, 100), (10, 14)),
        ],
        compared=(_PROGRAM, _OURS),
    ),
    "line": Row.of(
        f"The line: squared loss, λ = {SCALE} √N, and the sparsest interpolant",
        [
            (TrendFilterCase(_TREND_FILTER, 0, scale=SCALE, even=True), (1000, 10_000, 100_000), (20, 40)),
            (LineCase(_OURS, 0, scale=SCALE, even=True), (1000, 10_000, 100_000, 1_000_000), (20, 40)),
            (LineCase("random points", 0, scale=SCALE), (1000, 10_000, 100_000, 1_000_000), (20, 40)),
            (SparsestCase("sparsest interpolant", 0), (1000, 10_000, 100_000, 1_000_000), (20, 40)),
        ],
        compared=(_TREND_FILTER, _OURS),
    ),
    "oracle": Row.of("One supremum over all neurons", _ORACLES),
    "orders": Row.of(
        f"Orders 3 and 4, and three outputs, squared loss, λ = {SCALE}, {SCALE_3} or {SCALE_4} √N for order 2, 3 or 4",
        [
            *(
                (SolveCase(f"order {order}, d = {d}", 0, d, scale=scale, order=order), (50, 100, 200, 400), (20,))
                for order, scale in ((3, SCALE_3), (4, SCALE_4))
                for d in (1, 2)
            ),
            (SolveCase("three outputs, d = 2", 0, 2, scale=SCALE, outputs=3), (100, 200, 400), (20,)),
        ],
    ),
    "peers": Row(
        "Against PyTorch and pyscnn, all weights penalised",
        (
            *(PeerCase("peers", 100, PLANTED, lam, Limits(steps=20_000)) for lam in (0.1, 0.01, 0.001)),
            *(PeerCase("peers", 442, DIABETES, lam, Limits(steps=8000)) for lam in (0.1, 0.01, 0.001)),
        ),
        (PeerCase("peers", 20, PLANTED, 0.1, Limits.tiny()),),
    ),
    "oriented-points": Row(
        "Oriented points in space, the kernel of uniform biases, to a residual of 1e-4; and the paper's Nyström way",
        (
            *(KernelCase(_OURS, size) for size in (2000, 5000, 10_000, 20_000, 50_000, 100_000)),
            *(NystromCase(f"Nyström, M = {centres}", 20_000, centres) for centres in (1000, 2000, 4000, 8000)),
        ),
        (KernelCase(_OURS, 100), KernelCase(_OURS, 200), NystromCase("Nyström, M = 50", 60, 50)),
    ),
    "large-clouds": Row(
        "Many oriented points in space, as one system and in chunks of 30,000; at last with a mesh on 448 grid steps",
        (
            ChunkedCase("one system", 100_000, 100_000),
            *(ChunkedCase("in chunks", size) for size in (100_000, 300_000)),
            ChunkedCase("in chunks, and mesh", 1_000_000, resolution=448),
        ),
        (ChunkedCase("one system", 300, 300), ChunkedCase("in chunks, and mesh", 400, 150, 16)),
    ),
    "search-quality": Row(
        "How often the searches find the supremum",
        tuple(SearchCase.of(family, 100) for family in search_quality.FAMILIES),
        (SearchCase.of(_QUICK_FAMILY, 2),),
    ),
    "training": Row(
        "A step of Adam on all data, 32 seeds of width 200: diabetes (442 × 10), and 10,000 points in the plane",
        (
            TrainingCase("diabetes, 64 bits", 442),
            TrainingCase("diabetes, 32 bits", 442, precision=32),
            TrainingCase("diabetes, 64 bits, PyTorch on one thread", 442, threads=1),
            TrainingCase("diabetes, 32 bits, PyTorch on one thread", 442, precision=32, threads=1),
            TrainingCase(
                "plane, 32 bits, PyTorch on one thread", 10_000, data="plane", precision=32, steps=4, threads=1
            ),
            TrainingCase("plane, 64 bits, PyTorch on one thread", 10_000, data="plane", steps=4, threads=1),
        ),
        (TrainingCase("64 bits", 20, width=4, seeds=2, steps=8),),
    ),
}
