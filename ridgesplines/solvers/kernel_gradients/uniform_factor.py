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
    show: Callable[[int], None],
) -> np.ndarray:
    """What `InverseCholesky` keeps, (n, s, size, size): the last block column of L⁻ᵀ for each local matrix L Lᵀ.

    Computed in double precision, returned in single.

    Args:
        kernel: `UniformKernel` of order 2.
        points: (N, d), ordered.
        sets: the points of each local matrix, (n, s), the point itself last; −1 for none.
        nuggets: of the points, (N, size, size); of size 1 without gradients.
        jitters: parts of the diagonal to add, in turn, where a local matrix is singular to working precision.
        show: is told how many are done.
    """
    count, dimension = len(sets), points.shape[1]
    columns = np.zeros((count, sets.shape[1], *nuggets.shape[1:]), dtype=np.float32)
    radius = float(kernel.radius)
    constants = np.array([radius**2 / 6, 1 / (2 * dimension), spike(2, dimension) / radius])
    steps = np.array([0.0, *jitters])
    points, nuggets = np.ascontiguousarray(points), np.ascontiguousarray(nuggets)

    for start in range(0, count, _BATCH):
        show(start)

        def work(first: int, last: int, start: int = start) -> None:
            _columns(points, sets, nuggets, constants, steps, columns, start + first, start + last)

        in_threads(work, min(_BATCH, count - start))
    return columns


@compiled_sums
def _factorized(matrix, rows, jitter, factor, inverse):  # type: ignore[no-untyped-def]
    """The Cholesky factor of the first `rows` rows, with `jitter` of the diagonal added to it; whether there is one.

    Four columns at once, whose sums keep the vector units busy.

    Args:
        matrix: its lower triangle counts.
        rows: how many.
        jitter: a part of each diagonal entry.
        factor: the lower triangle is written; what is right of it within four columns is spoilt.
        inverse: of its diagonal.
    """
    for a in range(rows):
        row, given = factor[a], matrix[a]
        for b in range(0, a + 1, 4):
            f0, f1, f2, f3 = factor[b], factor[b + 1], factor[b + 2], factor[b + 3]
            t0, t1, t2, t3 = given[b], given[b + 1], given[b + 2], given[b + 3]
            for k in range(b):
                value = row[k]
                t0 -= value * f0[k]
                t1 -= value * f1[k]
                t2 -= value * f2[k]
                t3 -= value * f3[k]
            if b + 3 < a:
                t0 *= inverse[b]
                t1 = (t1 - t0 * f1[b]) * inverse[b + 1]
                t2 = (t2 - t0 * f2[b] - t1 * f2[b + 1]) * inverse[b + 2]
                t3 = (t3 - t0 * f3[b] - t1 * f3[b + 1] - t2 * f3[b + 2]) * inverse[b + 3]
                row[b], row[b + 1], row[b + 2], row[b + 3] = t0, t1, t2, t3
                continue
            row[b], row[b + 1], row[b + 2], row[b + 3] = t0, t1, t2, t3
            for c in range(b, a + 1):
                total = row[c]
                for k in range(b, c):
                    total -= row[k] * factor[c, k]
                if c < a:
                    row[c] = total * inverse[c]
                    continue
                total += jitter * given[a]
                if not total > 0:
                    return False
                row[a] = math.sqrt(total)
                inverse[a] = 1 / row[a]
    return True


@compiled_sums
def _columns(points, sets, nuggets, constants, jitters, columns, begin, end):  # type: ignore[no-untyped-def]
    size, dimension = nuggets.shape[1], points.shape[1]
    most = sets.shape[1] * size
    # The factorization reads four rows and columns at once, of which it ignores what is too much.
    matrix, factor, inverse = np.zeros((most + 3, most + 3)), np.zeros((most + 3, most + 3)), np.zeros(most + 3)
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
                for m in range(k + 1):
                    matrix[a * size + k, a * size + m] += nuggets[sets[i, places[a]], k, m]
        positive = False
        for jitter in jitters:
            positive = _factorized(matrix, rows, jitter, factor, inverse)
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
                z[a] *= inverse[a]
                value = z[a]
                for b in range(a):
                    z[b] -= value * row[b]
            for a in range(last + 1):
                columns[i, places[a // size], a % size, column] = z[a]
