"""Surfaces, and curves in the plane, from points with normals."""

from ridgesplines.surfaces.chunks import PartitionSolution
from ridgesplines.surfaces.distances import distance_to_mesh
from ridgesplines.surfaces.drawing import plot_curves
from ridgesplines.surfaces.edges import EdgeChoice
from ridgesplines.surfaces.files import Mesh, OrientedPoints, read_cloud, read_mesh, write_cloud, write_mesh
from ridgesplines.surfaces.implicit import ImplicitFunction, fit_oriented
from ridgesplines.surfaces.meshes import sample_mesh
from ridgesplines.surfaces.metrics import MeshErrors, ShapeErrors, mesh_errors, occupancy_agreement, shape_errors
from ridgesplines.surfaces.normals import estimate_normals
from ridgesplines.surfaces.partition import PartitionedSpline
from ridgesplines.surfaces.reconstruction import Reconstruction, ZeroSet, mesh_zero_set, reconstruct
from ridgesplines.surfaces.rendering import plot_mesh
from ridgesplines.surfaces.sign_repair import SignRepair, repair_signs
from ridgesplines.surfaces.winding import cloud_winding_number, winding_number

__all__ = [
    "EdgeChoice",
    "ImplicitFunction",
    "Mesh",
    "MeshErrors",
    "OrientedPoints",
    "PartitionSolution",
    "PartitionedSpline",
    "Reconstruction",
    "ShapeErrors",
    "SignRepair",
    "ZeroSet",
    "cloud_winding_number",
    "distance_to_mesh",
    "estimate_normals",
    "fit_oriented",
    "mesh_errors",
    "mesh_zero_set",
    "occupancy_agreement",
    "plot_curves",
    "plot_mesh",
    "read_cloud",
    "read_mesh",
    "reconstruct",
    "repair_signs",
    "sample_mesh",
    "shape_errors",
    "winding_number",
    "write_cloud",
    "write_mesh",
]
