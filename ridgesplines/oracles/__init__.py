"""The supremum of a dual profile over all neurons: points and dual vector in; supremum and neurons out.

For z orthogonal to the polynomials of degree < m sampled at points x_n, the dual profile is
p_z(w, b) = Σ_n z_n ρ_m(w·x_n − b), and an oracle computes sup |p_z| over ‖w‖ = 1 and all b. Of other linear
measurements ν_n it is Σ_n z_n ν_n(ρ_m(w·x − b)).
"""

from ridgesplines.oracles.ascent import AscentOracle
from ridgesplines.oracles.atomic import AtomicOracle, Biases
from ridgesplines.oracles.atomic_search import AtomicSearchOracle
from ridgesplines.oracles.branch_and_bound import BranchAndBoundOracle
from ridgesplines.oracles.choice import EmbeddedOracle, choose_measured_oracle, choose_oracle
from ridgesplines.oracles.convexity import ConvexityOracle
from ridgesplines.oracles.functionals import Functionals, Slopes, ball, reach
from ridgesplines.oracles.gauge import GaugeOracle
from ridgesplines.oracles.line import LineOracle
from ridgesplines.oracles.measured_search import MeasuredSearchOracle
from ridgesplines.oracles.plane import PlaneOracle
from ridgesplines.oracles.protocol import CertificateKind, Neurons, Oracle, Supremum, profile
from ridgesplines.oracles.search import SearchOracle
from ridgesplines.oracles.sign_branching import SignBranchingOracle
from ridgesplines.oracles.space import SpaceOracle
from ridgesplines.oracles.subdivision import SubdivisionOracle

__all__ = [
    "AscentOracle",
    "AtomicOracle",
    "AtomicSearchOracle",
    "Biases",
    "BranchAndBoundOracle",
    "CertificateKind",
    "ConvexityOracle",
    "EmbeddedOracle",
    "Functionals",
    "GaugeOracle",
    "LineOracle",
    "MeasuredSearchOracle",
    "Neurons",
    "Oracle",
    "PlaneOracle",
    "SearchOracle",
    "SignBranchingOracle",
    "Slopes",
    "SpaceOracle",
    "SubdivisionOracle",
    "Supremum",
    "ball",
    "choose_measured_oracle",
    "choose_oracle",
    "profile",
    "reach",
]
