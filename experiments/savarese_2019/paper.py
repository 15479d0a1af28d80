"""The experiments of savarese_2019."""

from __future__ import annotations

from experiments.savarese_2019.smooth import BOUNDED_BIASES, SMOOTH_FUNCTIONS
from experiments.savarese_2019.tilts import TILTS

EXPERIMENTS = (TILTS, SMOOTH_FUNCTIONS, BOUNDED_BIASES)
