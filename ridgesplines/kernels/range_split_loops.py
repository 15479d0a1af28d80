"""The inner loops of sums that are split by range."""

from __future__ import annotations

import math

import numpy as np

from ridgesplines.oracles.compilation import compiled_sums

# Terms of the polynomial that continues r³ within the range; the loop below is unrolled for this many.
TERMS = 7


@compiled_sums
def near(sources, starts, shape, low, size, targets, sums, begin, end, reach, p, gradients):  # type: ignore[no-untyped-def]
    """Add Σ_j c φ + g·∇_z φ and its gradient over the sources within `reach`, φ = |r|³ − R³ Σ_k p_k (|r|²/R² − 1)^k.

    Args:
        sources: places, c and g as seven rows, sorted by cell.
        starts: where each cell's sources begin.
        shape: cells along each axis, the last one fastest.
        low: corner of the first cell, (3,).
        size: edge of a cell.
        targets: (3, n).
        sums: (4, n), added to.
        begin: first target.
        end: behind the last.
        reach: R.
        p: (TERMS,).
        gradients: whether gradients are wanted.
    """
    limit, inverse, cube = reach * reach, 1 / (reach * reach), reach**3
    p0, p1, p2, p3, p4, p5, p6 = p[0], p[1], p[2], p[3], p[4], p[5], p[6]
    q0, q1, q2, q3, q4, q5 = p1, 2 * p2, 3 * p3, 4 * p4, 5 * p5, 6 * p6
    h0, h1, h2, h3, h4 = q1, 2 * q2, 3 * q3, 4 * q4, 5 * q5
    buffer = np.empty((7, 256))
    held, here0, here1, here2 = 0, 0, 0, 0
    for i in range(begin, end):
        x, y, z = targets[0, i], targets[1, i], targets[2, i]
        cell0 = math.floor((x - low[0]) / size)
        cell1 = math.floor((y - low[1]) / size)
        cell2 = math.floor((z - low[2]) / size)
        if i == begin or cell0 != here0 or cell1 != here1 or cell2 != here2:
            # The sources within reach of the cell, side by side: long loops use the vector units.
            here0, here1, here2, held = cell0, cell1, cell2, 0
            around = math.ceil(reach / size)
            left, right = max(0, cell2 - around), min(shape[2] - 1, cell2 + around)
            middle0, middle1 = low[0] + (cell0 + 0.5) * size, low[1] + (cell1 + 0.5) * size
            middle2 = low[2] + (cell2 + 0.5) * size
            for a in range(max(0, cell0 - around), min(shape[0] - 1, cell0 + around) + 1):
                for b in range(max(0, cell1 - around), min(shape[1] - 1, cell1 + around) + 1):
                    if right < left:
                        continue
                    row = (a * shape[1] + b) * shape[2]
                    start, stop = starts[row + left], starts[row + right + 1]
                    while held + stop - start > buffer.shape[1]:
                        larger = np.empty((7, 2 * buffer.shape[1]))
                        larger[:, :held] = buffer[:, :held]
                        buffer = larger
                    for j in range(start, stop):
                        d0 = max(abs(sources[0, j] - middle0) - size / 2, 0.0)
                        d1 = max(abs(sources[1, j] - middle1) - size / 2, 0.0)
                        d2 = max(abs(sources[2, j] - middle2) - size / 2, 0.0)
                        if d0 * d0 + d1 * d1 + d2 * d2 < limit:
                            for k in range(7):
                                buffer[k, held] = sources[k, j]
                            held += 1
        zx, zy, zz, c = buffer[0], buffer[1], buffer[2], buffer[3]
        gx, gy, gz = buffer[4], buffer[5], buffer[6]
        value, sx, sy, sz = 0.0, 0.0, 0.0, 0.0
        if not gradients:
            for j in range(held):
                rx, ry, rz = zx[j] - x, zy[j] - y, zz[j] - z
                # Behind the range φ is 0, and so are its derivatives at the range.
                square = min(rx * rx + ry * ry + rz * rz, limit)
                r = math.sqrt(square)
                t = square * inverse - 1
                along = gx[j] * rx + gy[j] * ry + gz[j] * rz
                even = p0 + t * (p1 + t * (p2 + t * (p3 + t * (p4 + t * (p5 + t * p6)))))
                slope = q0 + t * (q1 + t * (q2 + t * (q3 + t * (q4 + t * q5))))
                value += c[j] * (square * r - cube * even) + (3 * r - 2 * reach * slope) * along
            sums[0, i] += value
            continue
        for j in range(held):
            rx, ry, rz = zx[j] - x, zy[j] - y, zz[j] - z
            square = min(rx * rx + ry * ry + rz * rz, limit)
            r = math.sqrt(square)
            t = square * inverse - 1
            along = gx[j] * rx + gy[j] * ry + gz[j] * rz
            even = p0 + t * (p1 + t * (p2 + t * (p3 + t * (p4 + t * (p5 + t * p6)))))
            slope = q0 + t * (q1 + t * (q2 + t * (q3 + t * (q4 + t * q5))))
            bend = h0 + t * (h1 + t * (h2 + t * (h3 + t * h4)))
            # φ's derivatives by |r|² times 2 and 4. Where points coincide, g·r is 0, and so is the quotient.
            first = 3 * r - 2 * reach * slope
            second = 3 / max(r, 1e-300) - 4 * bend / reach
            value += c[j] * (square * r - cube * even) + first * along
            pull = c[j] * first + second * along
            sx -= pull * rx + first * gx[j]
            sy -= pull * ry + first * gy[j]
            sz -= pull * rz + first * gz[j]
        sums[0, i] += value
        sums[1, i] += sx
        sums[2, i] += sy
        sums[3, i] += sz


@compiled_sums
def _weigh(places, i, low, step, tables, counts, w, dw, first):  # type: ignore[no-untyped-def]
    """Weights `w` (3, p) of the nodes about place i along each axis, from node `first` on, and their derivatives."""
    order = tables.shape[1]
    for axis in range(3):
        if counts[axis] == 1:
            w[axis, 0], dw[axis, 0], first[axis] = 1.0, 0.0, 0
            continue
        u = (places[axis, i] - low[axis]) / step
        left = math.floor(u)
        u -= left
        first[axis] = left - (order // 2 - 1)
        for k in range(order):
            value, slope = 0.0, 0.0
            for m in range(order):
                value = value * u + tables[0, k, m]
                slope = slope * u + tables[1, k, m]
            w[axis, k], dw[axis, k] = value, slope / step


@compiled_sums
def spread(sources, low, step, tables, counts, grid):  # type: ignore[no-untyped-def]
    """Add the sources to the nodes of the grid, with Lagrange weights and their derivatives: the transpose of `gather`.

    Args:
        sources: as in `near`, in any order.
        low: the first node.
        step: the grid's.
        tables: (2, p, p): coefficients of the weights of the p nodes, and of their derivatives, as polynomials in the
            distance from the left of the two middle nodes, the highest power first.
        counts: nodes along each axis, p or 1.
        grid: added to.
    """
    order = tables.shape[1]
    w, dw = np.zeros((3, order)), np.zeros((3, order))
    place = np.zeros(3, np.int64)
    for j in range(sources.shape[1]):
        _weigh(sources, j, low, step, tables, counts, w, dw, place)
        c, gx, gy, gz = sources[3, j], sources[4, j], sources[5, j], sources[6, j]
        for a in range(counts[0]):
            for b in range(counts[1]):
                plain = c * w[0, a] * w[1, b] + gx * dw[0, a] * w[1, b] + gy * w[0, a] * dw[1, b]
                sloped = gz * w[0, a] * w[1, b]
                row = grid[place[0] + a, place[1] + b]
                for k in range(counts[2]):
                    row[place[2] + k] += plain * w[2, k] + sloped * dw[2, k]


@compiled_sums
def gather(targets, low, step, tables, counts, grid, sums, begin, end, gradients):  # type: ignore[no-untyped-def]
    """Add the interpolant of the grid, and its gradient, at the targets from `begin` to `end` to `sums` (4, n)."""
    order = tables.shape[1]
    w, dw = np.zeros((3, order)), np.zeros((3, order))
    place = np.zeros(3, np.int64)
    for i in range(begin, end):
        _weigh(targets, i, low, step, tables, counts, w, dw, place)
        total, sx, sy, sz = 0.0, 0.0, 0.0, 0.0
        for a in range(counts[0]):
            for b in range(counts[1]):
                row = grid[place[0] + a, place[1] + b]
                plain, sloped = 0.0, 0.0
                if gradients:
                    for k in range(counts[2]):
                        plain += row[place[2] + k] * w[2, k]
                        sloped += row[place[2] + k] * dw[2, k]
                    sx += dw[0, a] * w[1, b] * plain
                    sy += w[0, a] * dw[1, b] * plain
                    sz += w[0, a] * w[1, b] * sloped
                else:
                    for k in range(counts[2]):
                        plain += row[place[2] + k] * w[2, k]
                total += w[0, a] * w[1, b] * plain
        sums[0, i] += total
        sums[1, i] += sx
        sums[2, i] += sy
        sums[3, i] += sz
