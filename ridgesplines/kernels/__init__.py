"""The kernels of infinitely wide networks, and others beside them, with their derivatives in closed form."""

from ridgesplines.kernels.combination import ScaledKernel, SumKernel
from ridgesplines.kernels.description import describe, from_description
from ridgesplines.kernels.features import RandomFeatures, random_features
from ridgesplines.kernels.gaussian import GaussianKernel
from ridgesplines.kernels.matern import MaternKernel
from ridgesplines.kernels.neural_tangent import NeuralTangentKernel
from ridgesplines.kernels.polyharmonic import PolyharmonicKernel
from ridgesplines.kernels.protocol import Jet, Kernel, NetworkKernel
from ridgesplines.kernels.range_split import RangeSplit, SplitSum, split_serves
from ridgesplines.kernels.sums import hermite_sum, value_sum
from ridgesplines.kernels.uniform import UniformKernel, spike

__all__ = [
    "GaussianKernel",
    "Jet",
    "Kernel",
    "MaternKernel",
    "NetworkKernel",
    "NeuralTangentKernel",
    "PolyharmonicKernel",
    "RandomFeatures",
    "RangeSplit",
    "ScaledKernel",
    "SplitSum",
    "SumKernel",
    "UniformKernel",
    "describe",
    "from_description",
    "hermite_sum",
    "random_features",
    "spike",
    "split_serves",
    "value_sum",
]
