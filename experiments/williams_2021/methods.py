"""The methods side by side: each turns oriented points into a mesh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import ridgesplines as rs
from experiments.experiment import Unavailable

# Steps of the grid along the longest side for kernels whose sums are slow; the default kernel has the default, too.
COARSE = 96
# The step of finite differences as a part of the diagonal of a grid cell: the default of the paper's program.
_STEP = 0.05
# The penalty of the paper's program, for each of its data.
_PENALTY = 1e-10


@dataclass(frozen=True)
class Meshed:
    """What a method made.

    Attributes:
        mesh: the surface.
        note: what it says of itself.
    """

    mesh: rs.surfaces.Mesh
    note: str = ""


Method = Callable[[np.ndarray, np.ndarray], Meshed]


def neural_spline(
    kernel: rs.kernels.Kernel | None = None,
    resolution: int = 128,
    *,
    noisy: bool = False,
    solver: rs.KernelSolver | None = None,
    chunk: int | None = None,
) -> Method:
    """What `reconstruct` does by default: values and gradients interpolated, the sign repaired.

    Args:
        kernel: see `reconstruct`.
        resolution: ditto.
        noisy: choose nuggets from the data instead of interpolating.
        solver: see `reconstruct`.
        chunk: ditto.
    """

    def method(points: np.ndarray, normals: np.ndarray) -> Meshed:
        nugget: Literal["automatic"] | float = "automatic" if noisy else 0.0
        made = rs.surfaces.reconstruct(
            points, normals, kernel=kernel, solver=solver, resolution=resolution, value_nugget=nugget,
            gradient_nugget=nugget, chunk=chunk,
        )  # fmt: skip
        solution, repair = made.solution, made.repair
        notes = [f"{len(repair.points)} values added"] if repair is not None and repair.rounds else []
        notes += [f"{solution.iterations} iterations"] if solution.iterations else []
        notes += [f"{len(solution.chunks)} chunks"] if isinstance(solution, rs.surfaces.PartitionSolution) else []
        notes += [f"nuggets {solution.nuggets[0]:.1e} and {solution.nuggets[1]:.1e}"] if noisy else []
        notes += [str(made.edges)] if made.edges is not None else []
        if solution.iterations:
            notes.append(", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in made.seconds.items()))
        return Meshed(rs.surfaces.Mesh(made.vertices, made.faces), "; ".join(notes))

    return method


def without_repair(points: np.ndarray, normals: np.ndarray) -> Meshed:
    """The same without repair and with all sheets."""
    made = rs.surfaces.reconstruct(points, normals, resolution=COARSE, sign_repair=False, trim=np.inf)
    return Meshed(rs.surfaces.Mesh(made.vertices, made.faces))


def finite_differences(points: np.ndarray, normals: np.ndarray) -> Meshed:
    """Values at points and beside them along the normals, with the Gaussian kernel: the paper's form, all centres."""
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    scale = float(np.linalg.norm(points - centre, axis=1).max()) / 0.9
    scaled = (points - centre) / scale
    step = _STEP * 3**0.5 * 1.1 * float(np.ptp(scaled, axis=0).max()) / COARSE
    # The program's kernel is twice this one.
    nugget = _PENALTY * 3 * len(points) / 2
    problem = rs.finite_difference_problem(
        scaled, normals, step=step, kernel=rs.kernels.GaussianKernel(), value_nugget=nugget
    )
    solution = rs.solve_kernel(problem, rs.DenseCholesky())
    f = rs.surfaces.ImplicitFunction(solution.spline, centre, scale)
    zero_set = rs.surfaces.mesh_zero_set(f, points, resolution=COARSE)
    return Meshed(rs.surfaces.Mesh(zero_set.vertices, zero_set.faces))


def screened_poisson(depth: int = 8, samples_per_node: float = 1.5, point_weight: float = 4.0) -> Method:
    """Screened Poisson surface reconstruction (Kazhdan and Hoppe, 2013) by PyMeshLab, its defaults if nothing is said.

    Raises:
        Unavailable: when called, where PyMeshLab is not installed.
    """

    def method(points: np.ndarray, normals: np.ndarray) -> Meshed:
        try:
            import pymeshlab  # type: ignore[import-not-found] # the extra `peers`
        except ImportError as error:
            raise Unavailable(f"PyMeshLab cannot be used ({error}): pip install 'ridgesplines[peers]'") from error
        library: Any = pymeshlab
        meshes = library.MeshSet()
        meshes.add_mesh(library.Mesh(vertex_matrix=points, v_normals_matrix=normals))
        # More threads are slower for so few points.
        meshes.generate_surface_reconstruction_screened_poisson(
            depth=depth, samplespernode=samples_per_node, pointweight=point_weight, threads=1
        )
        made = meshes.current_mesh()
        return Meshed(rs.surfaces.Mesh(np.array(made.vertex_matrix()), np.array(made.face_matrix(), dtype=np.int64)))

    return method


UNIFORM = "Neural Spline, uniform"
TUNED, DEFAULT = "Poisson, tuned", "Poisson, defaults"
# The quick ones first: results are written after each.
METHODS: dict[str, Method] = {
    UNIFORM: neural_spline(),
    TUNED: screened_poisson(samples_per_node=0.25, point_weight=400.0),
    DEFAULT: screened_poisson(),
    f"Neural Spline, uniform, grid {COARSE}": neural_spline(resolution=COARSE),
    f"without sign repair, grid {COARSE}": without_repair,
    f"Neural Spline, Gaussian, grid {COARSE}": neural_spline(rs.kernels.GaussianKernel(), COARSE),
    f"finite differences, grid {COARSE}": finite_differences,
}

AUTOMATIC, NOISE_TUNED = "Neural Spline, automatic nuggets", "Poisson, tuned to the noise"
NOISY_METHODS: dict[str, Method] = {
    AUTOMATIC: neural_spline(noisy=True),
    # The least Chamfer distance of ten settings on the first clouds of the armadillo and the bunny.
    NOISE_TUNED: screened_poisson(samples_per_node=0.5, point_weight=4.0),
    TUNED: METHODS[TUNED],
    DEFAULT: METHODS[DEFAULT],
    UNIFORM: METHODS[UNIFORM],
    f"Neural Spline, Gaussian, automatic nuggets, grid {COARSE}": neural_spline(
        rs.kernels.GaussianKernel(), COARSE, noisy=True
    ),
    # With the paper's penalty: to the likelihood of independent noise, what the three values of a point share is none.
    f"finite differences, grid {COARSE}": finite_differences,
}
FINE, LARGE_TUNED = "Neural Spline, grid 312", "Poisson, depth 9, tuned"
LARGE_METHODS: dict[str, Method] = {
    # A grid that leaves no more faces than Poisson's octree, on any of the shapes.
    FINE: neural_spline(resolution=312),
    "Neural Spline, grid 192": neural_spline(resolution=192),
    LARGE_TUNED: screened_poisson(depth=9, samples_per_node=0.25, point_weight=100.0),
    "Poisson, depth 8, tuned": screened_poisson(samples_per_node=1.0, point_weight=100.0),
    DEFAULT: METHODS[DEFAULT],
}
FINEST, LARGEST_TUNED = "Neural Spline, grid 448", "Poisson, depth 10, tuned"
LARGEST_METHODS: dict[str, Method] = {
    FINEST: neural_spline(resolution=448),
    "Neural Spline in chunks, grid 448": neural_spline(resolution=448, chunk=30_000),
    LARGEST_TUNED: screened_poisson(depth=10, samples_per_node=1.0, point_weight=20.0),
    DEFAULT: METHODS[DEFAULT],
}
