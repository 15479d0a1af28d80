"""Linear measurements of a function: what the data are values of."""

from ridgesplines.measurements.protocol import Measurement
from ridgesplines.measurements.samples import Samples

__all__ = ["Measurement", "Samples"]
