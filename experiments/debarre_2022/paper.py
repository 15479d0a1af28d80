"""The experiments of debarre_2022."""

from __future__ import annotations

from experiments.debarre_2022.knot_count import KNOT_COUNT
from experiments.debarre_2022.path import PATH

EXPERIMENTS = (KNOT_COUNT, PATH)
