"""The experiments of parhi_nowak_2021."""

from __future__ import annotations

from experiments.parhi_nowak_2021.classical import CLASSICAL_SPLINES
from experiments.parhi_nowak_2021.complexity import COMPLEXITY
from experiments.parhi_nowak_2021.laws import LAWS
from experiments.parhi_nowak_2021.pictures import PICTURES
from experiments.parhi_nowak_2021.plain_decay import PLAIN_DECAY
from experiments.parhi_nowak_2021.representer import REPRESENTER
from experiments.parhi_nowak_2021.training import TRAINING

EXPERIMENTS = (REPRESENTER, TRAINING, PLAIN_DECAY, CLASSICAL_SPLINES, LAWS, PICTURES, COMPLEXITY)
