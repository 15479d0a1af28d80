"""Several kinds of measurements together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.activations import Activation
from ridgesplines.arrays import Array, namespace
from ridgesplines.measurements.protocol import Measurement
from ridgesplines.oracles.functionals import Bends, Kinks
from ridgesplines.oracles.protocol import Neurons


@dataclass(frozen=True, eq=False)
class Stack(Measurement):
    """Several measurements of one function, one kind after the other: samples and derivatives, pixels and rays.

    Args:
        measurements: at least one, all of the same dimension; stacks are unpacked.

    Raises:
        TypeError: if one of them is no measurement.
        ValueError: if there is none, or their dimensions differ.
    """

    # The largest of the kinds.
    ROUNDING: ClassVar[float] = 64.0

    measurements: tuple[Measurement, ...]
    _order: np.ndarray

    def __init__(self, *measurements: Measurement) -> None:
        if not measurements:
            raise ValueError("a Stack needs at least one measurement, got none.")
        for measurement in measurements:
            if not isinstance(measurement, Measurement):
                raise TypeError(f"a Stack holds measurements such as Samples, got {measurement!r}.")
        dimensions = sorted({measurement.dimension for measurement in measurements})
        if len(dimensions) > 1:
            raise ValueError(f"the measurements of a Stack must share their dimension, got {dimensions}.")
        parts: list[Measurement] = []
        orders: list[np.ndarray] = []
        for measurement in measurements:
            before = sum(part.count for part in parts)
            if isinstance(measurement, Stack):
                orders.append(before + measurement._order)
                parts += measurement.measurements
            else:
                orders.append(before + np.arange(measurement.count))
                parts.append(measurement)
        object.__setattr__(self, "measurements", tuple(parts))
        object.__setattr__(self, "_order", np.concatenate(orders))

    def _joined(self, pieces: list[Array]) -> Array:
        """What the measurements say of each functional, in the order of the stack."""
        return namespace(*pieces).concatenate(pieces)[self._order]

    @property
    def centres(self) -> np.ndarray:
        """Where each functional looks, (N, d)."""
        return self._joined([part.centres for part in self.measurements])

    @property
    def radii(self) -> np.ndarray:
        """(N,)."""
        return self._joined([part.radii for part in self.measurements])

    @property
    def masses(self) -> np.ndarray:
        """(N,)."""
        return self._joined([part.masses for part in self.measurements])

    @property
    def averaging(self) -> bool:
        """Whether all of them average."""
        return all(part.averaging for part in self.measurements)

    @property
    def least_order(self) -> int:
        """The highest that one of them asks for."""
        return max(part.least_order for part in self.measurements)

    @property
    def identities(self) -> np.ndarray:
        """(N, 2 + 4d): across the kinds, so that a box without thickness is a sample."""
        return self._joined([part.identities for part in self.measurements])

    @property
    def places(self) -> np.ndarray:
        """Those of all."""
        return np.concatenate([part.places for part in self.measurements])

    def kinds(self) -> list[tuple[Measurement, np.ndarray]]:
        """Its measurements, and the rows of the stack that are theirs, in the order of theirs."""
        ends = np.cumsum([part.count for part in self.measurements])
        return list(zip(self.measurements, np.split(np.argsort(self._order), ends[:-1]), strict=True))

    def of_neurons(self, neurons: Neurons, activation: Activation) -> Array:
        """ν_n(σ(w_k·x − b_k)): (N, K)."""
        return self._joined([part.of_neurons(neurons, activation) for part in self.measurements])

    def of_monomials(self, degree: int, centre: np.ndarray, axes: np.ndarray) -> np.ndarray:
        """(N, P)."""
        return self._joined([part.of_monomials(degree, centre, axes) for part in self.measurements])

    def rounding(self, neurons: Neurons, activation: Activation) -> np.ndarray:
        """(N, K), each kind's own."""
        return self._joined([part.rounding(neurons, activation) for part in self.measurements])

    @property
    def has_bends(self) -> bool:
        """Whether they are known of all."""
        return all(part.has_bends for part in self.measurements)

    def bends(self, values: np.ndarray, neurons: Neurons, order: int) -> Bends:
        """See `Functionals.bends`."""
        parts = [part.bends(values[rows], neurons, order) for part, rows in self.kinds()]
        rising, falling = self._joined([p.rising for p in parts]), self._joined([p.falling for p in parts])
        if all(part.kinks is None for part in parts):
            return Bends(rising, falling)
        none = [np.zeros((part.count, *values.shape[1:])) for part in self.measurements]
        kinks = [part.kinks or Kinks(zero, zero[:, 0], zero[:, 0]) for part, zero in zip(parts, none, strict=True)]
        joined = (self._joined([getattr(k, name) for k in kinks]) for name in ("levels", "lift", "fall"))
        return Bends(rising, falling, Kinks(*joined))

    def limits(self, height: float, order: int) -> np.ndarray:
        """See `Measurement.limits`: (N,), each kind's own."""
        return self._joined([part.limits(height, order) for part in self.measurements])

    def select(self, rows: Any) -> Stack:
        """These rows, in their order."""
        chosen = self._order[self._indices(rows)]
        ends = np.cumsum([part.count for part in self.measurements])
        owner = np.searchsorted(ends, chosen, side="right")
        order = np.argsort(np.argsort(owner, kind="stable"), kind="stable")
        kept = [int(i) for i in np.unique(owner)]
        parts = [self.measurements[i].select(chosen[owner == i] - (ends[i] - self.measurements[i].count)) for i in kept]
        selected = Stack(*parts)
        object.__setattr__(selected, "_order", order)
        return selected

    def __repr__(self) -> str:
        return f"Stack({', '.join(map(repr, self.measurements))})"
