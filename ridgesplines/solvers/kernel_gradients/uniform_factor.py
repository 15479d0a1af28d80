"""The local matrices of the uniform kernel, and the last columns of their inverse Cholesky factors, on all cores."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ridgesplines.kernels import UniformKernel, spike
from ridgesplines.oracles.compilation import compiled_sums
from ridgesplines.oracles.threads import in_threads

# Points between two messages of progress.
_BATCH = 2**14


def uniform_columns(
    kernel: UniformKernel,
    points: np.ndarray,
    sets: np.ndarray,
    nuggets: np.ndarray,
    jitters: tuple[float, ...],
    show: Callable[[str], None],
) -> np.ndarray:
    """What `InverseCholesky` keeps, (N, s, size, size): the last block column of L⁻ᵀ for each local matrix L Lᵀ.

    Args:
        kernel: `UniformKernel` of order 2.
        points: (N, d), ordered.
        sets: the points of each local matrix, (N, s), the point itself last; −1 for none.
        nuggets: (size,); of size 1 without gradients.
        jitters: parts of the diagonal to add, in turn, where a local matrix is singular to working precision.
        show: is told how far the work is.
    """
    count, dimension = points.shape
    columns = np.zeros((count, sets.shape[1], len(nuggets), len(nuggets)))
    radius = float(kernel.radius)
    constants = np.array([radius**2 / 6, 1 / (2 * dimension), spike(2, dimension) / radius])
    steps = np.array([0.0, *jitters])
    points = np.ascontiguousarray(points)

    for start in range(0, count, _BATCH):
        show(f"preconditioner: {start} of {count} points")

        def work(first: int, last: int, start: int = start) -> None:
            _columns(points, sets, nuggets, constants, steps, columns, start + first, start + last)

        in_threads(work, min(_BATCH, count - start))
    return columns


@compiled_sums
def _columns(points, sets, nuggets, constants, jitters, columns, begin, end):  # type: ignore[no-untyped-def]
    size, dimension = len(nuggets), points.shape[1]
    most = sets.shape[1] * size
    matrix, factor = np.zeros((most, most)), np.zeros((most, most))
    places = np.zeros(sets.shape[1], np.int64)
    r = np.zeros(dimension)
    level, inner, spike = constants[0], constants[1], constants[2]
    for i in range(begin, end):
        held = 0
        for k in range(sets.shape[1]):
            if sets[i, k] >= 0:
                places[held] = k
                held += 1
        rows = held * size
        for a in range(held):
            x = points[sets[i, places[a]]]
            for b in range(a + 1):
                y = points[sets[i, places[b]]]
                square, product = 0.0, 0.0
                for k in range(dimension):
                    r[k] = y[k] - x[k]
                    square += r[k] * r[k]
                    product += x[k] * y[k]
                distance = math.sqrt(square)
                matrix[a * size, b * size] = level + inner * product + spike * square * distance
                if size > 1:
                    slope = 3 * spike * distance
                    # Where the points coincide, r rᵀ is 0, and so is the quotient.
                    bend = 3 * spike / max(distance, 1e-300)
                    for k in range(dimension):
                        matrix[a * size, b * size + 1 + k] = inner * x[k] + slope * r[k]
                        matrix[a * size + 1 + k, b * size] = inner * y[k] - slope * r[k]
                        for m in range(dimension):
                            matrix[a * size + 1 + k, b * size + 1 + m] = -bend * r[k] * r[m]
                        matrix[a * size + 1 + k, b * size + 1 + k] += inner - slope
            for k in range(size):
                matrix[a * size + k, a * size + k] += nuggets[k]
        positive = False
        for jitter in jitters:
            positive = True
            for a in range(rows):
                row = factor[a]
                for b in range(a + 1):
                    other = factor[b]
                    total = matrix[a, b]
                    for k in range(b):
                        total -= row[k] * other[k]
                    if b < a:
                        row[b] = total / other[b]
                    else:
                        total += jitter * matrix[a, a]
                        positive = total > 0
                        row[a] = math.sqrt(max(total, 0.0))
                if not positive:
                    break
            if positive:
                break
        if not positive:
            continue
        for column in range(size):
            # Lᵀ z = e, from below; the matrix has served.
            last = rows - size + column
            z = matrix[0]
            for a in range(last + 1):
                z[a] = 0.0
            z[last] = 1.0
            for a in range(last, -1, -1):
                row = factor[a]
                z[a] /= row[a]
                value = z[a]
                for b in range(a):
                    z[b] -= value * row[b]
            for a in range(last + 1):
                columns[i, places[a // size], a % size, column] = z[a]
