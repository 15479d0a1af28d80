"""Training networks on a problem by gradient methods, to set them beside the best network."""

from ridgesplines.solvers.training.options import NetworkTraining, train, train_grid
from ridgesplines.solvers.training.penalties import PENALTIES
from ridgesplines.solvers.training.result import TrainingGrid, TrainingResult, Trajectory
from ridgesplines.solvers.training.steps import OPTIMIZERS, SCHEDULES

__all__ = [
    "OPTIMIZERS",
    "PENALTIES",
    "SCHEDULES",
    "NetworkTraining",
    "TrainingGrid",
    "TrainingResult",
    "Trajectory",
    "train",
    "train_grid",
]
