"""Oriented points of a surface fitted by kernels: all centres by conjugate gradients, and a Nyström approximation."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import cholesky, solve_triangular

import ridgesplines as rs
from experiments.benchmarks.cases import SEED, Record, TimedCase
from ridgesplines.kernels import UniformKernel, value_sum
from ridgesplines.surfaces.meshes import is_watertight

KERNEL = UniformKernel()
# Points of the surface, none of them data, at which errors are measured.
_TESTS = 2000


@jax.jit
def _radius(x: jax.Array) -> jax.Array:
    """The distance of a bumpy, star-shaped surface from the origin, in the direction of x."""
    u = x / jnp.linalg.norm(x)
    return 0.65 + 0.12 * jnp.sin(7 * u[0]) * jnp.sin(6 * u[1] + 1) + 0.06 * jnp.cos(11 * u[2] + 3 * u[0])


def bumpy(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random points (N, 3) of the surface, uniform in direction, and its unit normals."""
    directions = np.random.default_rng([SEED, seed, count]).standard_normal((count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    points = directions * np.asarray(jax.vmap(_radius)(directions))[:, None]
    slopes = np.asarray(jax.vmap(jax.grad(lambda x: jnp.linalg.norm(x) - _radius(x)))(points))
    return points, slopes / np.linalg.norm(slopes, axis=1, keepdims=True)


def distance(f: rs.KernelSpline | rs.surfaces.ImplicitFunction) -> float:
    """The mean distance of points of the surface from the zero set, to first order."""
    points, _ = bumpy(_TESTS, 1)
    values, gradients = f(points), f.gradient(points)
    return float(np.mean(np.abs(values) / np.linalg.norm(gradients, axis=1)))


@dataclass(frozen=True)
class KernelCase(TimedCase):
    """`ConjugateGradients` on all points and normals, to a relative residual of 1e-4."""

    def prepare(self) -> rs.KernelProblem:
        """The points and normals."""
        points, normals = bumpy(self.size, 0)
        return rs.KernelProblem(points, 0, normals, kernel=KERNEL)

    @property
    def tiny(self) -> TimedCase:
        """Both kinds of sums are to be compiled."""
        return KernelCase(self.series, min(self.size, 100))

    def run(self, prepared: rs.KernelProblem, limit: float) -> tuple[rs.KernelSolution, float]:
        """The solution, and the seconds of processors that it took."""
        began = time.process_time()
        # Sums split by range even where all pairs would do: one line of the figure is one algorithm.
        solution = rs.solve_kernel(prepared, rs.ConjugateGradients(tolerance=1e-4, accuracy=3e-5), progress=False)
        return solution, time.process_time() - began

    def report(self, prepared: rs.KernelProblem, outcome: tuple[rs.KernelSolution, float]) -> Record:
        """Time by stage, iterations, and how near the surface is."""
        solution, processor = outcome
        return {
            "processor": processor,
            "preconditioner": solution.seconds["preconditioner"],
            "iterating": solution.seconds["iterations"],
            "iterations": solution.iterations,
            "distance": distance(solution.spline),
            "status": solution.status.name.lower().replace("_", " "),
        }


@dataclass(frozen=True)
class ChunkedCase(TimedCase):
    """The same points in chunks, or as one system, from the arrays to the function; meshed on a grid, if asked for.

    Attributes:
        chunk: points of a chunk; at least as many as there are for one system.
        resolution: of the grid; 0 for no mesh.
    """

    chunk: int = 30_000
    resolution: int = 0

    def prepare(self) -> tuple[np.ndarray, np.ndarray]:
        """Points and their normals."""
        return bumpy(self.size, 0)

    @property
    def tiny(self) -> TimedCase:
        """Both kinds of sums, and all loops of both levels, are to be compiled."""
        return replace(self, size=300, chunk=150, resolution=min(self.resolution, 16))

    def run(self, prepared: tuple[np.ndarray, np.ndarray], limit: float) -> Record:
        """The function, its solution and, where it is meshed, the surface; and the seconds of processors."""
        began = time.process_time()
        # Sums split by range even in a tiny run, so that they are compiled.
        solver = rs.ConjugateGradients(accuracy=3e-5)
        f, solution = rs.surfaces.fit_oriented(*prepared, solver=solver, chunk=self.chunk, progress=False)
        fitted = time.process_time() - began
        made = None
        if self.resolution:
            made = rs.surfaces.mesh_zero_set(f, prepared[0], resolution=self.resolution, progress=False)
        processor = time.process_time() - began
        return {"function": f, "solution": solution, "mesh": made, "fitted": fitted, "processor": processor}

    def report(self, prepared: tuple[np.ndarray, np.ndarray], outcome: Record) -> Record:
        """Processors' seconds, iterations, how near the surface is, and what the mesh is."""
        f, solution, mesh = outcome["function"], outcome["solution"], outcome["mesh"]
        found = {
            "processor": outcome["processor"],
            "fitting": outcome["fitted"],
            "chunks": len(solution.chunks) if isinstance(solution, rs.surfaces.PartitionSolution) else 1,
            "iterations": solution.iterations,
            "distance": distance(f),
            "misfit": f.scale * solution.value_misfit,
            "status": solution.status.name.lower().replace("_", " "),
        }
        if mesh is not None:
            found |= {"faces": len(mesh.faces), "watertight": is_watertight(mesh.faces)}
        return found


@dataclass(frozen=True)
class NystromCase(TimedCase):
    """The paper's way: values at x and x ± εn, centres among these, and preconditioned normal equations (Falkon).

    min Σ (f(x_n) − y_n)² / n + λ ‖f‖² over f = Σ_j c_j K(·, z_j) with M centres z, by conjugate gradients, with the
    preconditioner from K_MM alone: K_MM = Tᵀ T, T Tᵀ / M + λ = Aᵀ A, and c = T⁻¹ A⁻¹ β. Sums are not stored.

    Attributes:
        centres: M.
        strength: λ.
        step: ε.
    """

    centres: int = 2000
    strength: float = 1e-10
    step: float = 1e-3

    def prepare(self) -> tuple[np.ndarray, np.ndarray]:
        """Points and their normals."""
        return bumpy(self.size, 0)

    def run(self, prepared: tuple[np.ndarray, np.ndarray], limit: float) -> tuple[rs.KernelSpline, int, float]:
        """The function, the iterations to a relative residual of 1e-5 or 20, and the processors' seconds."""
        began = time.process_time()
        problem = rs.finite_difference_problem(*prepared, step=self.step, kernel=KERNEL)
        points, values = problem.points, problem.values
        count = len(points)
        some = np.random.default_rng(SEED).choice(count, size=min(self.centres, count), replace=False)
        z = np.ascontiguousarray(points[some])
        gram = np.array(KERNEL(z, z))
        gram[np.diag_indices(len(z))] += 1e-13 * len(z)
        first: Any = cholesky(gram, overwrite_a=True)
        inner = first @ first.T / len(z)
        inner[np.diag_indices(len(z))] += self.strength
        second: Any = cholesky(inner, overwrite_a=True)

        def back(beta: np.ndarray) -> np.ndarray:
            return solve_triangular(first, solve_triangular(second, beta))

        def forth(c: np.ndarray) -> np.ndarray:
            return solve_triangular(second, solve_triangular(first, c, trans=1), trans=1)

        def apply(beta: np.ndarray) -> np.ndarray:
            inside = solve_triangular(second, beta)
            c = solve_triangular(first, inside)
            fitted = value_sum(KERNEL, points, value_sum(KERNEL, z, c, points), z)
            ridge = solve_triangular(second, inside, trans=1)
            return forth(fitted) / count + self.strength * ridge

        right = forth(value_sum(KERNEL, points, values, z)) / count
        beta, residual = np.zeros_like(right), right
        direction, size, iterations = residual, float(right @ right), 0
        while iterations < 20 and float(residual @ residual) > 1e-10 * float(right @ right):
            image = apply(direction)
            length = size / float(direction @ image)
            beta, residual = beta + length * direction, residual - length * image
            size, previous = float(residual @ residual), size
            direction = residual + size / previous * direction
            iterations += 1
        spline = rs.KernelSpline(KERNEL, z, back(beta))
        return spline, iterations, time.process_time() - began

    def report(self, prepared: tuple[np.ndarray, np.ndarray], outcome: tuple[rs.KernelSpline, int, float]) -> Record:
        """Iterations, and how near the surface is."""
        spline, iterations, processor = outcome
        return {"processor": processor, "iterations": iterations, "distance": distance(spline)}
