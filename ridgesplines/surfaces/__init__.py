"""Surfaces, and curves in the plane, from points with normals."""

from ridgesplines.surfaces.drawing import plot_curves
from ridgesplines.surfaces.implicit import ImplicitFunction, fit_oriented
from ridgesplines.surfaces.metrics import ShapeErrors, occupancy_agreement, sample_mesh, shape_errors, winding_number
from ridgesplines.surfaces.reconstruction import Reconstruction, reconstruct

__all__ = [
    "ImplicitFunction",
    "Reconstruction",
    "ShapeErrors",
    "fit_oriented",
    "occupancy_agreement",
    "plot_curves",
    "reconstruct",
    "sample_mesh",
    "shape_errors",
    "winding_number",
]
