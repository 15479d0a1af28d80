"""The experiments of boursier_flammarion_2023."""

from __future__ import annotations

from experiments.boursier_flammarion_2023.sparsest import SPARSEST

EXPERIMENTS = (SPARSEST,)
