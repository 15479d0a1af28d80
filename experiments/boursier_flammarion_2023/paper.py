"""The experiments of boursier_flammarion_2023."""

from __future__ import annotations

from experiments.boursier_flammarion_2023.sparsest import SPARSEST
from experiments.boursier_flammarion_2023.trained import TRAINED
from experiments.boursier_flammarion_2023.uniqueness import UNIQUENESS

EXPERIMENTS = (SPARSEST, UNIQUENESS, TRAINED)
