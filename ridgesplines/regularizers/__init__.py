"""Regularizers: gauges of neurons, and the seminorms that they induce on functions."""

from ridgesplines.regularizers.atomic_norm import AtomicNorm
from ridgesplines.regularizers.protocol import Regularizer
from ridgesplines.regularizers.radon_tv import RadonTV, VectorRadonTV

__all__ = ["AtomicNorm", "RadonTV", "Regularizer", "VectorRadonTV"]
