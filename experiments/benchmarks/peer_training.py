"""Networks by PyTorch and by pyscnn, for (1/2N) Σ (f(x_n) − y_n)² + lam Σ_k |v_k| ‖w_k‖₂ with f(x) = Σ_k v_k (w_k·x)₊.

Both are optional: `pip install "ridgesplines[peers]"`. They are imported where they are used.
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

_SEED = 0
# Of Adam: of 0.01, 0.03 and 0.1 the one that ended lowest; it falls along a cosine, which ended lower than powers did.
_RATE, _LAST_RATE = 0.03, 1e-6


class Network(NamedTuple):
    """w, (K, d), and v, (K,)."""

    weights: np.ndarray
    coefficients: np.ndarray


@dataclass(frozen=True)
class Limits:
    """How much work a peer may do.

    Attributes:
        width: of a PyTorch network.
        seeds: how many are trained.
        steps: of Adam.
        gates: how many gate vectors pyscnn samples: a ReLU network of it has twice as many neurons.
        iterations: of pyscnn's solvers, whose default is this number.
    """

    width: int = 200
    seeds: int = 5
    steps: int = 5000
    gates: int = 1000
    iterations: int = 10_000

    @classmethod
    def tiny(cls) -> Limits:
        """Hardly any."""
        return cls(width=10, seeds=2, steps=20, gates=10, iterations=20)


def missing() -> str:
    """What to install in order to compare, as a sentence; empty if all is there."""
    absent = [name for module, name in (("torch", "torch"), ("scnn", "pyscnn")) if not importlib.util.find_spec(module)]
    return f'To compare with peers install {" and ".join(absent)}: pip install "ridgesplines[peers]".' if absent else ""


def adam(points: np.ndarray, targets: np.ndarray, lam: float, limits: Limits, limit: float) -> list[Network]:
    """Networks from random weights by Adam on all data, with weight decay in the objective, in single precision.

    ½ lam Σ (v_k² + ‖w_k‖²) has the same minima as the path norm, which the networks are evaluated by, and is smooth.
    (As a penalty the path norm itself did no better, nor did double precision, which took longer.) All seeds are
    trained at once, as one tensor, which is faster than one after the other.
    """
    import torch  # pyright: ignore[reportMissingImports]  # optional

    torch.manual_seed(_SEED)
    x, y = (torch.tensor(array, dtype=torch.float32) for array in (points, targets))
    count, dimension = points.shape
    weights = torch.randn(limits.seeds, dimension, limits.width, requires_grad=True)
    coefficients = torch.randn(limits.seeds, limits.width, 1, requires_grad=True)
    with torch.no_grad():
        weights /= math.sqrt(dimension)
        coefficients /= math.sqrt(limits.width)
    optimizer = torch.optim.Adam([weights, coefficients], lr=_RATE)
    began = time.perf_counter()
    for step in range(limits.steps):
        # If time is short the rate falls faster, so that it has fallen in the end.
        progress = max(step / limits.steps, (time.perf_counter() - began) / limit)
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = _LAST_RATE + 0.5 * (_RATE - _LAST_RATE) * (1 + math.cos(math.pi * progress))
        optimizer.zero_grad()
        residuals = (torch.relu(x @ weights) @ coefficients)[..., 0] - y
        decay = (weights**2).sum() + (coefficients**2).sum()
        ((residuals**2).sum() / (2 * count) + 0.5 * lam * decay).backward()
        optimizer.step()
    trained = zip(weights.detach().numpy(), coefficients.detach().numpy(), strict=True)
    return [Network(w.T.astype(float), v[:, 0].astype(float)) for w, v in trained]


def augmented_lagrangian(
    points: np.ndarray, targets: np.ndarray, lam: float, limits: Limits, limit: float
) -> list[Network]:
    """The convex program of sampled activation patterns by pyscnn's augmented Lagrangian, with its defaults."""
    from scnn.models import ConvexReLU  # pyright: ignore[reportMissingImports]  # optional
    from scnn.solvers import AL  # pyright: ignore[reportMissingImports]  # optional

    model = ConvexReLU(_gates(points, limits))
    solver = AL(model, max_primal_iters=limits.iterations, max_dual_iters=limits.iterations)
    return [_by_pyscnn(model, solver, points, targets, lam, limit)]


def cone_decomposition(
    points: np.ndarray, targets: np.ndarray, lam: float, limits: Limits, limit: float
) -> list[Network]:
    """The gated network of sampled activation patterns, made a ReLU network by pyscnn's cone decomposition."""
    from scnn.models import ConvexGatedReLU  # pyright: ignore[reportMissingImports]  # optional
    from scnn.solvers import ApproximateConeDecomposition  # pyright: ignore[reportMissingImports]  # optional

    model = ConvexGatedReLU(_gates(points, limits))
    solver = ApproximateConeDecomposition(model, max_iters=limits.iterations, d_max_iters=limits.iterations)
    # It minimises twice.
    return [_by_pyscnn(model, solver, points, targets, lam, limit / 2)]


def _gates(points: np.ndarray, limits: Limits) -> np.ndarray:
    from scnn.activations import sample_gate_vectors  # pyright: ignore[reportMissingImports]  # optional

    return sample_gate_vectors(_SEED, points.shape[1], limits.gates)


def _by_pyscnn(model: Any, solver: Any, points: np.ndarray, targets: np.ndarray, lam: float, limit: float) -> Network:
    from scnn.metrics import Metrics  # pyright: ignore[reportMissingImports]  # optional
    from scnn.optimize import optimize_model  # pyright: ignore[reportMissingImports]  # optional
    from scnn.regularizers import NeuronGL1  # pyright: ignore[reportMissingImports]  # optional

    # With unit columns, its default, it would penalise other norms of the weights.
    with _stopping(limit):
        network, _ = optimize_model(
            model, solver, Metrics(), points, targets, regularizer=NeuronGL1(lam), unitize_data=False
        )
    weights, coefficients = (np.asarray(array, dtype=float) for array in network.get_parameters())
    return Network(weights, coefficients[0])


@contextlib.contextmanager
def _stopping(limit: float) -> Iterator[None]:
    """End each minimisation by pyscnn after `limit` seconds, for which it has no option, as if it had converged."""
    from scnn.private.methods import termination_criteria as criteria  # pyright: ignore[reportMissingImports]  # optional

    kinds = (criteria.GradientNorm, criteria.ConstrainedHeuristic)
    originals = [kind.__call__ for kind in kinds]
    deadlines: dict[Any, float] = {}

    def timed(original: Callable[..., bool]) -> Callable[..., bool]:
        def satisfied(self: Any, *arguments: Any, **named: Any) -> bool:
            now = time.perf_counter()
            return now > deadlines.setdefault(self, now + limit) or original(self, *arguments, **named)

        return satisfied

    for kind, original in zip(kinds, originals, strict=True):
        kind.__call__ = timed(original)
    try:
        yield
    finally:
        for kind, original in zip(kinds, originals, strict=True):
            kind.__call__ = original


Trainer = Callable[[np.ndarray, np.ndarray, float, Limits, float], list[Network]]

PEERS: dict[str, Trainer] = {
    "PyTorch, Adam": adam,
    "pyscnn, augmented Lagrangian": augmented_lagrangian,
    "pyscnn, cone decomposition": cone_decomposition,
}
