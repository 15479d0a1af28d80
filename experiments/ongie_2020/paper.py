"""The experiments of ongie_2020."""

from __future__ import annotations

from experiments.ongie_2020.pyramids import PYRAMIDS
from experiments.ongie_2020.radial_functions import RADIAL_FUNCTIONS, RANDOM_NETWORKS

EXPERIMENTS = (RADIAL_FUNCTIONS, RANDOM_NETWORKS, PYRAMIDS)
