"""Linear measurements of a function: what the data are values of."""

from ridgesplines.measurements.blurred_samples import BlurredSamples
from ridgesplines.measurements.box_averages import BoxAverages
from ridgesplines.measurements.derivatives import Derivatives
from ridgesplines.measurements.line_integrals import LineIntegrals
from ridgesplines.measurements.protocol import Measurement
from ridgesplines.measurements.regions import BoxRegion, DiscRegion
from ridgesplines.measurements.samples import Samples
from ridgesplines.measurements.stack import Stack

__all__ = [
    "BlurredSamples",
    "BoxAverages",
    "BoxRegion",
    "Derivatives",
    "DiscRegion",
    "LineIntegrals",
    "Measurement",
    "Samples",
    "Stack",
]
