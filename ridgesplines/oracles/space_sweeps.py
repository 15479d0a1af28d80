"""Compiled sweeps over the great circles of directions orthogonal to two of the points in space.

One file, because compiled functions may call those of their own file only.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.oracles.compilation import compiled

# How far outside an arc the foot of a cell's maximiser may come out by rounding, as a fraction of the radius.
_SLACK = 1e-3
# To how much of the radius a rough eigenvector is trusted.
_ROUGHLY = 1e-4
# The most keys in one bucket that are sorted by insertion.
_CROWDED = 32


@compiled
def sweep_circles(points, masses, start, stop, nearly, best, sizes):  # pragma: no cover - compiled
    """The extremes of p over the circles of the pivots `start` to `stop` and over the cells beside them.

    Pivot n takes its circles with the N/2 points that follow it, cyclically: each pair of points once.

    Args:
        points: x, (N, 3), all different.
        masses: z, (N,), orthogonal to the affine functions at the points.
        start: the first pivot.
        stop: the one after the last.
        nearly: τ, see `_sweep_circle`.
        best: (N, 2, 5) output, zero before: for the largest and the smallest value at each pivot's circles its
            (value, w1, w2, w3, n), where n is the point that the hyperplane passes through.
        sizes: (N,) output: Σ_k |z_k| ‖x_k − x_n‖ for each pivot n.
    """
    count = points.shape[0]
    differences, q, basis = np.empty((3, count)), np.empty((3, count)), np.empty((3, 3))
    keys, kinks = np.empty(count), np.empty(count, dtype=np.int64)
    order, offsets = np.empty(count, dtype=np.int64), np.empty(count + 1, dtype=np.int64)
    near, inside = np.empty((2, count), dtype=np.bool_), np.empty(count, dtype=np.bool_)
    total = np.abs(masses).sum()
    for pivot in range(start, stop):
        size = 0.0
        for k in range(count):
            for i in range(3):
                differences[i, k] = points[k, i] - points[pivot, i]
            size += abs(masses[k]) * _norm(differences[0, k], differences[1, k], differences[2, k])
        sizes[pivot] = size
        steps = count // 2 if count % 2 == 1 or pivot < count // 2 else count // 2 - 1
        for step in range(1, steps + 1):
            partner = (pivot + step) % count
            length = _frame(differences, partner, basis)
            near_any = _project(differences, basis, nearly, pivot, partner, length, q, near)
            found = _find_kinks(q, pivot, partner, keys, kinks)
            _sort(keys, kinks, found, offsets, order)
            blur = nearly * (size + length * total) if near_any else 0.0
            _sweep_circle(q, masses, pivot, partner, order[:found], near, near_any, inside, basis, blur, 2, best[pivot])


@compiled
def sweep_circles_of_one(vectors, masses, start, stop, nearly, best):  # pragma: no cover - compiled
    """The extremes of ½ Σ_k m_k |w·u_k| over unit w orthogonal to u_n, and over the cells beside, n from `start`.

    As `sweep_circles`, for the one pivot 0 with u_k and −u_k to share m_k.

    Args:
        vectors: (2n + 1, 3): u_0, …, u_(n−1), their negatives, none of them zero, and the zero vector.
        masses: (2n + 1,): m_k / 2 for u_k and for −u_k; 0.
        start: the first circle.
        stop: the one after the last, at most n.
        nearly: τ, see `_sweep_circle`.
        best: (n, 2, 5) output, zero before: for the largest and the smallest value at each circle its
            (value, w1, w2, w3, ·).
    """
    count = vectors.shape[0]
    pivot, half = count - 1, count // 2
    differences, q, basis = np.ascontiguousarray(vectors.T), np.empty((3, count)), np.empty((3, 3))
    keys, kinks = np.empty(count), np.empty(count, dtype=np.int64)
    order, offsets = np.empty(count, dtype=np.int64), np.empty(count + 1, dtype=np.int64)
    near, inside = np.empty((2, count), dtype=np.bool_), np.empty(count, dtype=np.bool_)
    total, size = np.abs(masses).sum(), 0.0
    for k in range(count):
        size += abs(masses[k]) * _norm(differences[0, k], differences[1, k], differences[2, k])
    for partner in range(start, stop):
        length = _frame(differences, partner, basis)
        _project(differences, basis, nearly, pivot, partner, length, q, near)
        # Exactly antiparallel, whatever rounding made of it.
        q[0, partner + half] = q[1, partner + half] = 0.0
        found = _find_kinks(q, pivot, partner, keys, kinks)
        _sort(keys, kinks, found, offsets, order)
        blur = nearly * (size + length * total)
        _sweep_circle(q, masses, pivot, partner, order[:found], near, True, inside, basis, blur, 1, best[partner])


@compiled
def _norm(x, y, z):  # pragma: no cover - compiled
    return np.sqrt(x * x + y * y + z * z)


@compiled
def _frame(differences, partner, basis):  # pragma: no cover - compiled
    """Fill `basis` with orthonormal rows, the third along the partner; returns its distance.

    Source: Duff et al. 2017, which has no cancellation.
    """
    x, y, z = differences[0, partner], differences[1, partner], differences[2, partner]
    length = _norm(x, y, z)
    x, y, z = x / length, y / length, z / length
    sign = 1.0 if z >= 0.0 else -1.0
    a = -1.0 / (sign + z)
    b = x * y * a
    basis[0, 0], basis[0, 1], basis[0, 2] = 1.0 + sign * x * x * a, sign * b, -sign * x
    basis[1, 0], basis[1, 1], basis[1, 2] = b, sign + y * y * a, -y
    basis[2, 0], basis[2, 1], basis[2, 2] = x, y, z
    return length


@compiled
def _project(differences, basis, nearly, pivot, partner, length, q, near):  # pragma: no cover - compiled
    """Fill `q` and `near`, see `_sweep_circle`; returns whether a third point is nearly collinear with the pair."""
    square = nearly * nearly
    found = 0
    for k in range(q.shape[1]):
        x, y, z = differences[0, k], differences[1, k], differences[2, k]
        q1 = basis[0, 0] * x + basis[0, 1] * y + basis[0, 2] * z
        q2 = basis[1, 0] * x + basis[1, 1] * y + basis[1, 2] * z
        q3 = basis[2, 0] * x + basis[2, 1] * y + basis[2, 2] * z
        q[0, k], q[1, k], q[2, k] = q1, q2, q3
        across = q1 * q1 + q2 * q2
        near[0, k] = across <= square * (q3 * q3)
        near[1, k] = across <= square * ((q3 - length) * (q3 - length))
        found += near[0, k] | near[1, k]
    # The pair itself is exactly collinear, whatever rounding made of it.
    found -= near[0, pivot] | near[1, pivot]
    found -= near[0, partner] | near[1, partner]
    for i in range(3):
        q[i, pivot] = q[i, partner] = 0.0
    q[2, partner] = length
    for view in range(2):
        near[view, pivot] = near[view, partner] = True
    return found > 0


@compiled
def _find_kinks(q, pivot, partner, keys, kinks):  # pragma: no cover - compiled
    """The points off the axis and their keys, monotone in the angle on [0, π), precise near both ends; how many."""
    found = 0
    for k in range(q.shape[1]):
        x, y = q[0, k], q[1, k]
        if y < 0.0 or (y == 0.0 and x < 0.0):
            x, y = -x, -y
        across = abs(x) + y
        if across > 0.0 and k != pivot and k != partner:
            keys[found] = -x / across
            kinks[found] = k
            found += 1
    return found


@compiled
def _sort(keys, labels, count, offsets, order):  # pragma: no cover - compiled
    """Put the first `count` labels into `order`, by their keys in [−1, 1]: buckets first, as keys are spread evenly."""
    for i in range(count + 1):
        offsets[i] = 0
    crowd = 0
    for i in range(count):
        bucket = min(int((keys[i] + 1.0) * (0.5 * count)), count - 1)
        offsets[bucket + 1] += 1
        crowd = max(crowd, offsets[bucket + 1])
    if crowd > _CROWDED:
        places = np.argsort(keys[:count])
        for i in range(count):
            order[i] = labels[places[i]]
        return
    for i in range(count):
        offsets[i + 1] += offsets[i]
    for i in range(count):
        bucket = min(int((keys[i] + 1.0) * (0.5 * count)), count - 1)
        order[offsets[bucket]] = i
        offsets[bucket] += 1
    for i in range(1, count):
        place, moved = i, order[i]
        while place > 0 and keys[order[place - 1]] > keys[moved]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = moved
    for i in range(count):
        order[i] = labels[order[i]]


@compiled
def _add(total, correction, term):  # pragma: no cover - compiled
    """A compensated sum: (total, correction) after adding `term`. Without branches, by Knuth's two-sum."""
    new = total + term
    part = new - total
    return new, correction + ((total - (new - part)) + (term - part))


@compiled
def _accumulate(sums, term):  # pragma: no cover - compiled
    sums[0], sums[1] = _add(sums[0], sums[1], term)


@compiled
def _accumulate_apart(apart, q, k, mass, length, near):  # pragma: no cover - compiled
    """The sums for the pivot's cells and for the partner's over points not nearly collinear, as one changes sides."""
    for view in range(2):
        if not near[view, k]:
            _accumulate(apart[view, 0], mass * q[0, k])
            _accumulate(apart[view, 1], mass * q[1, k])
            _accumulate(apart[view, 2], mass * (q[2, k] - view * length))


@compiled
def _sweep_circle(
    q, masses, pivot, partner, order, near, near_any, inside, basis, blur, views, best
):  # pragma: no cover - compiled
    """The extremes of p over the circle of directions orthogonal to x_j − x_n, and over the cells beside it.

    The directions w(t) = (−sin t, cos t, 0), t ∈ [0, π), of the frame meet the kink of a point where t is its angle
    modulo π. Between two kinks p(w) = s·w, whose extremes over the arc are ±‖s‖ where ±s/‖s‖ lies in it, and otherwise
    at an end. To either side of an arc lies a cell of the pivot's kinks, and one of the partner's; there p(w) = a·w,
    whose extreme ±‖a‖ counts if ±a/‖a‖ lies in the cell. Of the edges of a cell the one nearest to that direction has
    its foot, ±s/‖s‖, on the arc: other arcs need not try.

    Points nearly collinear with the pair, within the angle τ, need not have their kinks sorted truly among the others
    of the circle. Farther than 2τ from the circle each is on one side of its own to either side of this one: the cells
    take them so, all together.

    Args:
        q: (3, N) the differences x_k − x_n in the frame whose third axis is that of x_j − x_n.
        masses: z, (N,).
        pivot: n.
        partner: j.
        order: the points whose projections on the circle's plane are not zero, by their angles modulo π.
        near: (2, N) whether each point is nearly collinear, seen from the pivot and seen from the partner.
        near_any: whether a third point is.
        inside: (N,) room for the points with w·(x_k − x_n) > 0.
        basis: (3, 3) the frame's axes, as rows.
        blur: τ Σ_k |z_k| ‖x_k − x_n‖ or more, by which points nearly collinear may turn the foot; 0 if there are none.
        views: 2, or 1 for the pivot's cells alone.
        best: (2, 5) in and out: for the largest and the smallest value so far its (value, w1, w2, w3, n).
    """
    length = q[2, partner]
    # What points nearly collinear add to the cells of the pivot and of the partner, on the side of +q3 and of −q3.
    beside = np.zeros((2, 2, 3, 2))
    beside[0, 0, 2, 0], beside[1, 1, 2, 0] = masses[partner] * length, -masses[pivot] * length
    # The sums over active points that are not nearly collinear, seen from the pivot and seen from the partner.
    apart = np.zeros((2, 3, 2))
    if near_any:
        for k in range(q.shape[1]):
            for view in range(2):
                if near[view, k] and k != pivot and k != partner:
                    height = q[2, k] - view * length
                    side = 0 if height > 0.0 else 1
                    _accumulate(beside[view, side, 0], masses[k] * q[0, k])
                    _accumulate(beside[view, side, 1], masses[k] * q[1, k])
                    _accumulate(beside[view, side, 2], masses[k] * height)
    # The sums over all active points of z q and of z.
    a1, c1, a2, c2, a3, c3, mass, rest = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in order:
        inside[k] = q[1, k] > 0.0 or (q[1, k] == 0.0 and q[0, k] > 0.0)
        if inside[k]:
            a1, c1 = _add(a1, c1, masses[k] * q[0, k])
            a2, c2 = _add(a2, c2, masses[k] * q[1, k])
            a3, c3 = _add(a3, c3, masses[k] * q[2, k])
            mass, rest = _add(mass, rest, masses[k])
            if near_any:
                _accumulate_apart(apart, q, k, masses[k], length, near)
    # The half circle begins, and ends, at a direction that need not be a kink, but may well be an extreme.
    _record(best, a2 + c2, 0.0, 1.0, 0.0, basis, pivot)
    start1, start2 = 1.0, 0.0
    for position in range(order.shape[0] + 1):
        k, end1, end2 = -1, -1.0, 0.0
        if position < order.shape[0]:
            k = order[position]
            norm = np.sqrt(q[0, k] * q[0, k] + q[1, k] * q[1, k])
            if not (q[1, k] > 0.0 or (q[1, k] == 0.0 and q[0, k] > 0.0)):
                norm = -norm
            end1, end2 = q[0, k] / norm, q[1, k] / norm
        s1, s2 = a1 + c1, a2 + c2
        falls_at_start, falls_at_end = s1 * start1 + s2 * start2, s1 * end1 + s2 * end2
        if falls_at_start * falls_at_end < 0.0:
            norm = np.sqrt(s1 * s1 + s2 * s2)
            if falls_at_start > 0.0:
                norm = -norm
            if norm > best[0, 0] or norm < best[1, 0]:
                _record(best, norm, s1 / norm, s2 / norm, 0.0, basis, pivot)
        if k >= 0:
            value = -s1 * end2 + s2 * end1
            if value > best[0, 0] or value < best[1, 0]:
                _record(best, value, -end2, end1, 0.0, basis, pivot)
        slack = _SLACK * (abs(s1) + abs(s2)) + 4.0 * blur
        rises = falls_at_start <= slack and falls_at_end >= -slack
        sinks = falls_at_start >= -slack and falls_at_end <= slack
        if rises or sinks:
            s3 = a3 + c3
            for view in range(views):
                if near_any:
                    s1, s2 = apart[view, 0, 0] + apart[view, 0, 1], apart[view, 1, 0] + apart[view, 1, 1]
                    s3 = apart[view, 2, 0] + apart[view, 2, 1]
                elif view == 1:
                    s3 -= (mass + rest) * length
                _try_cells(
                    q,
                    masses,
                    pivot,
                    partner,
                    near[view],
                    inside,
                    view,
                    s1,
                    s2,
                    s3,
                    beside[view],
                    rises,
                    sinks,
                    basis,
                    best,
                )
        if k >= 0:
            change = -masses[k] if inside[k] else masses[k]
            a1, c1 = _add(a1, c1, change * q[0, k])
            a2, c2 = _add(a2, c2, change * q[1, k])
            a3, c3 = _add(a3, c3, change * q[2, k])
            mass, rest = _add(mass, rest, change)
            if near_any:
                _accumulate_apart(apart, q, k, change, length, near)
            inside[k] = not inside[k]
            start1, start2 = end1, end2


@compiled
def _try_cells(
    q, masses, pivot, partner, near, inside, view, s1, s2, s3, beside, rises, sinks, basis, best
):  # pragma: no cover - compiled
    """The extremes in the interiors of the two cells beside an arc, of the pivot (view 0) or the partner (view 1).

    Each is tried only where it would beat the best so far, and counts as the value of p at its direction.
    """
    length = q[2, partner]
    for side in range(2):
        a1, a2 = s1 + (beside[side, 0, 0] + beside[side, 0, 1]), s2 + (beside[side, 1, 0] + beside[side, 1, 1])
        a3 = s3 + (beside[side, 2, 0] + beside[side, 2, 1])
        # The direction ±a must lie on this side of the circle.
        upward = (a3 > 0.0) == (side == 0)
        record = best[0, 0] if upward else best[1, 0]
        square = a1 * a1 + a2 * a2 + a3 * a3
        if not (rises if upward else sinks) or not square > record * record:
            continue
        norm = np.sqrt(square) if upward else -np.sqrt(square)
        w1, w2, w3 = a1 / norm, a2 / norm, a3 / norm
        total, correction, belongs = 0.0, 0.0, True
        for k in range(q.shape[1]):
            height = q[2, k] - view * length
            within = (height > 0.0) == (side == 0) if near[k] else inside[k]
            h = w1 * q[0, k] + w2 * q[1, k] + w3 * height
            if (h < 0.0) if within else (h > 0.0):
                belongs = False
                break
            if h > 0.0:
                total, correction = _add(total, correction, masses[k] * h)
        if belongs:
            _record(best, total + correction, w1, w2, w3, basis, partner if view == 1 else pivot)


@compiled
def _record(best, value, w1, w2, w3, basis, pivot):  # pragma: no cover - compiled
    """Keep the value if it is the largest or the smallest so far."""
    row = 0 if value > 0.0 else 1
    if abs(value) > abs(best[row, 0]):
        best[row, 0] = value
        for i in range(3):
            best[row, 1 + i] = w1 * basis[0, i] + w2 * basis[1, i] + w3 * basis[2, i]
        best[row, 4] = pivot


@compiled
def sweep_circles_outputs(points, masses, start, stop, nearly, best, values, sizes):  # pragma: no cover - compiled
    """As `sweep_circles`, for the norm of p of D outputs.

    Args:
        points: x, (N, 3), all different.
        masses: z, (N, D), orthogonal to the affine functions at the points.
        start: the first pivot.
        stop: the one after the last.
        nearly: τ, see `_sweep_circle`.
        best: (N, 5) output, zero before: for the largest norm at each pivot's circles its (norm, w1, w2, w3, n).
        values: (N, D) output: p there.
        sizes: (N,) output: Σ_k ‖z_k‖ ‖x_k − x_n‖ for each pivot n.
    """
    count = points.shape[0]
    differences, q, basis = np.empty((3, count)), np.empty((3, count)), np.empty((3, 3))
    keys, kinks = np.empty(count), np.empty(count, dtype=np.int64)
    order, offsets = np.empty(count, dtype=np.int64), np.empty(count + 1, dtype=np.int64)
    near, inside = np.empty((2, count), dtype=np.bool_), np.empty(count, dtype=np.bool_)
    for pivot in range(start, stop):
        size = 0.0
        for k in range(count):
            for i in range(3):
                differences[i, k] = points[k, i] - points[pivot, i]
            mass = np.sqrt(np.sum(masses[k] * masses[k]))
            size += mass * _norm(differences[0, k], differences[1, k], differences[2, k])
        sizes[pivot] = size
        steps = count // 2 if count % 2 == 1 or pivot < count // 2 else count // 2 - 1
        for step in range(1, steps + 1):
            partner = (pivot + step) % count
            length = _frame(differences, partner, basis)
            _project(differences, basis, nearly, pivot, partner, length, q, near)
            found = _find_kinks(q, pivot, partner, keys, kinks)
            _sort(keys, kinks, found, offsets, order)
            _sweep_circle_outputs(
                q, masses, pivot, partner, order[:found], near, inside, basis, best[pivot], values[pivot]
            )


@compiled
def _sweep_circle_outputs(q, masses, pivot, partner, order, near, inside, basis, best, values):
    # pragma: no cover - compiled
    """As `_sweep_circle`, for the norm of p of D outputs: `masses` (N, D), `best` (5,), `values` (D,).

    On an arc and in a cell p(w) = A w, and its norm is largest at the top eigenvector of AᵀA, up to sign, where that
    lies in the arc or the cell; if eigenvalues are equal, an end of the arc or an edge of the cell does as well. Which
    edge of a cell is the nearest does not show: all arcs try their cells.
    """
    outputs, length = masses.shape[1], q[2, partner]
    beside = np.zeros((2, 2, 3, outputs, 2))
    for k in range(q.shape[1]):
        for view in range(2):
            height = q[2, k] - view * length
            if near[view, k] and height != 0.0:
                _accumulate_outputs(beside[view, 0 if height > 0.0 else 1], q[0, k], q[1, k], height, masses[k], 1.0)
    # On the circle, and over the points that are not nearly collinear, seen from the pivot and seen from the partner.
    sums = np.zeros((3, 3, outputs, 2))
    for k in order:
        inside[k] = q[1, k] > 0.0 or (q[1, k] == 0.0 and q[0, k] > 0.0)
        if inside[k]:
            _change_side_outputs(sums, q, k, masses[k], length, near, 1.0)
    s, a = np.empty((3, outputs)), np.empty((3, outputs))
    gram, vectors = np.empty((3, 3)), np.empty((3, 3))
    _total(sums[0], s)
    _record_outputs(best, values, s, 0.0, 1.0, 0.0, basis, pivot)
    start1, start2 = 1.0, 0.0
    for position in range(order.shape[0] + 1):
        k, end1, end2 = -1, -1.0, 0.0
        if position < order.shape[0]:
            k = order[position]
            norm = np.sqrt(q[0, k] * q[0, k] + q[1, k] * q[1, k])
            if not (q[1, k] > 0.0 or (q[1, k] == 0.0 and q[0, k] > 0.0)):
                norm = -norm
            end1, end2 = q[0, k] / norm, q[1, k] / norm
        _total(sums[0], s)
        m11, m12, m22 = 0.0, 0.0, 0.0
        for i in range(outputs):
            m11 += s[0, i] * s[0, i]
            m12 += s[0, i] * s[1, i]
            m22 += s[1, i] * s[1, i]
        half = 0.5 * (m11 - m22)
        spread = np.sqrt(half * half + m12 * m12)
        if 0.5 * (m11 + m22) + spread > best[0] * best[0] and spread > 0.0:
            # The column of M − (smaller eigenvalue) I that does not cancel.
            w1, w2 = (spread + half, m12) if half > 0.0 else (m12, spread - half)
            norm = np.sqrt(w1 * w1 + w2 * w2)
            if w1 > 0.0 or (w1 == 0.0 and w2 < 0.0):
                norm = -norm
            w1, w2 = w1 / norm, w2 / norm
            # w = (−sin t, cos t) with t from the start to the end?
            if -start1 * w1 - start2 * w2 >= 0.0 and w2 * end2 + w1 * end1 >= 0.0:
                _record_outputs(best, values, s, w1, w2, 0.0, basis, pivot)
        if k >= 0:
            _record_outputs(best, values, s, -end2, end1, 0.0, basis, pivot)
        for view in range(2):
            for side in range(2):
                for i in range(3):
                    for j in range(outputs):
                        total = sums[1 + view, i, j, 0] + sums[1 + view, i, j, 1]
                        a[i, j] = total + (beside[view, side, i, j, 0] + beside[view, side, i, j, 1])
                if _exceeds(a, best[0], gram):
                    _try_cell_outputs(
                        q, masses, pivot, partner, near[view], inside, view, side, gram, vectors, basis, best, values
                    )
        if k >= 0:
            _change_side_outputs(sums, q, k, masses[k], length, near, -1.0 if inside[k] else 1.0)
            inside[k] = not inside[k]
            start1, start2 = end1, end2


@compiled
def _accumulate_outputs(sums, x, y, z, masses, sign):  # pragma: no cover - compiled
    for i in range(masses.shape[0]):
        mass = sign * masses[i]
        sums[0, i, 0], sums[0, i, 1] = _add(sums[0, i, 0], sums[0, i, 1], mass * x)
        sums[1, i, 0], sums[1, i, 1] = _add(sums[1, i, 0], sums[1, i, 1], mass * y)
        sums[2, i, 0], sums[2, i, 1] = _add(sums[2, i, 0], sums[2, i, 1], mass * z)


@compiled
def _change_side_outputs(sums, q, k, masses, length, near, sign):  # pragma: no cover - compiled
    """A point becomes active, or with sign −1 inactive."""
    _accumulate_outputs(sums[0], q[0, k], q[1, k], q[2, k], masses, sign)
    for view in range(2):
        if not near[view, k]:
            _accumulate_outputs(sums[1 + view], q[0, k], q[1, k], q[2, k] - view * length, masses, sign)


@compiled
def _total(sums, s):  # pragma: no cover - compiled
    for i in range(3):
        for j in range(s.shape[1]):
            s[i, j] = sums[i, j, 0] + sums[i, j, 1]


@compiled
def _exceeds(a, record, gram):  # pragma: no cover - compiled
    """Whether ‖A w‖ exceeds `record` for some unit w, up to rounding; fills `gram`, AᵀA.

    It does not where record² I − AᵀA has a Cholesky factor.
    """
    for i in range(3):
        for j in range(i + 1):
            total = 0.0
            for d in range(a.shape[1]):
                total += a[i, d] * a[j, d]
            gram[i, j] = gram[j, i] = total
    level = record * record
    first = level - gram[0, 0]
    if not first > 0.0:
        return True
    l10, l20 = gram[1, 0] / first, gram[2, 0] / first
    second = level - gram[1, 1] - l10 * gram[1, 0]
    if not second > 0.0:
        return True
    cross = gram[2, 1] + l20 * gram[1, 0]
    return not level - gram[2, 2] - l20 * gram[2, 0] - cross * cross / second > 0.0


@compiled
def _lies_elsewhere(gram, q, near, inside, view, side, length):  # pragma: no cover - compiled
    """Whether the top eigenvector of `gram` is clearly outside the cell: most are, and this is quick to see."""
    a, b, c = gram[0, 0], gram[1, 1], gram[2, 2]
    d, e, f = gram[0, 1], gram[0, 2], gram[1, 2]
    trace = a + b + c
    minors = a * b + a * c + b * c - d * d - e * e - f * f
    determinant = a * (b * c - f * f) - d * (d * c - e * f) + e * (d * f - b * e)
    # Newton's method from above falls to the largest root of the characteristic polynomial.
    root = trace
    for _ in range(50):
        slope = (3.0 * root - 2.0 * trace) * root + minors
        if not slope > 0.0:
            return False
        step = (((root - trace) * root + minors) * root - determinant) / slope
        root -= step
        if step <= 1e-12 * root:
            break
    a, b, c = a - root, b - root, c - root
    # The adjugate of M − λ I is a multiple of w wᵀ.
    first, second, third = b * c - f * f, a * c - e * e, a * b - d * d
    if not first + second + third > 1e-5 * root * root:
        return False
    if third >= first and third >= second:
        w1, w2, w3 = d * f - b * e, d * e - a * f, third
    elif second >= first:
        w1, w2, w3 = e * f - c * d, second, d * e - a * f
    else:
        w1, w2, w3 = first, e * f - c * d, d * f - b * e
    norm = _norm(w1, w2, w3)
    if (w3 > 0.0) != (side == 0):
        norm = -norm
    w1, w2, w3 = w1 / norm, w2 / norm, w3 / norm
    if abs(w3) < _ROUGHLY:
        return False
    for k in range(q.shape[1]):
        height = q[2, k] - view * length
        within = (height > 0.0) == (side == 0) if near[k] else inside[k]
        h = w1 * q[0, k] + w2 * q[1, k] + w3 * height
        if abs(h) > _ROUGHLY * (abs(q[0, k]) + abs(q[1, k]) + abs(height)) and within != (h > 0.0):
            return True
    return False


@compiled
def _eigenvectors(matrix, vectors):  # pragma: no cover - compiled
    """Diagonalise a symmetric (3, 3) matrix in place by Jacobi rotations; the columns of `vectors`."""
    for i in range(3):
        for j in range(3):
            vectors[i, j] = 1.0 if i == j else 0.0
    for _ in range(12):
        off = matrix[0, 1] ** 2 + matrix[0, 2] ** 2 + matrix[1, 2] ** 2
        if off <= 1e-34 * (matrix[0, 0] ** 2 + matrix[1, 1] ** 2 + matrix[2, 2] ** 2):
            break
        for p in range(2):
            for r in range(p + 1, 3):
                if matrix[p, r] == 0.0:
                    continue
                theta = (matrix[r, r] - matrix[p, p]) / (2.0 * matrix[p, r])
                t = (1.0 if theta >= 0.0 else -1.0) / (abs(theta) + np.sqrt(theta * theta + 1.0))
                c = 1.0 / np.sqrt(t * t + 1.0)
                s = t * c
                for i in range(3):
                    matrix[i, p], matrix[i, r] = (
                        c * matrix[i, p] - s * matrix[i, r],
                        s * matrix[i, p] + c * matrix[i, r],
                    )
                for i in range(3):
                    matrix[p, i], matrix[r, i] = (
                        c * matrix[p, i] - s * matrix[r, i],
                        s * matrix[p, i] + c * matrix[r, i],
                    )
                for i in range(3):
                    vectors[i, p], vectors[i, r] = (
                        c * vectors[i, p] - s * vectors[i, r],
                        s * vectors[i, p] + c * vectors[i, r],
                    )


@compiled
def _try_cell_outputs(
    q, masses, pivot, partner, near, inside, view, side, gram, vectors, basis, best, values
):  # pragma: no cover - compiled
    """As `_try_cells`, for the cell on one side."""
    if _lies_elsewhere(gram, q, near, inside, view, side, q[2, partner]):
        return
    _eigenvectors(gram, vectors)
    top = 0
    for i in range(1, 3):
        if gram[i, i] > gram[top, top]:
            top = i
    w1, w2, w3 = vectors[0, top], vectors[1, top], vectors[2, top]
    norm = _norm(w1, w2, w3)
    if (w3 > 0.0) != (side == 0):
        norm = -norm
    w1, w2, w3 = w1 / norm, w2 / norm, w3 / norm
    length = q[2, partner]
    for k in range(q.shape[1]):
        height = q[2, k] - view * length
        within = (height > 0.0) == (side == 0) if near[k] else inside[k]
        h = w1 * q[0, k] + w2 * q[1, k] + w3 * height
        if (h < 0.0) if within else (h > 0.0):
            return
    p = np.zeros((3, masses.shape[1], 2))
    for k in range(q.shape[1]):
        h = w1 * q[0, k] + w2 * q[1, k] + w3 * (q[2, k] - view * length)
        if h > 0.0:
            _accumulate_outputs(p, 0.0, 0.0, h, masses[k], 1.0)
    s = np.empty((3, masses.shape[1]))
    _total(p, s)
    square = np.sum(s[2] * s[2])
    if np.sqrt(square) > best[0]:
        _set_outputs(best, np.sqrt(square), w1, w2, w3, basis, partner if view == 1 else pivot)
        values[:] = s[2]


@compiled
def _record_outputs(best, values, s, w1, w2, w3, basis, pivot):  # pragma: no cover - compiled
    """Keep p = s w if its norm is the largest so far."""
    square = 0.0
    for i in range(s.shape[1]):
        value = s[0, i] * w1 + s[1, i] * w2 + s[2, i] * w3
        square += value * value
    if square > 0.0 and np.sqrt(square) > best[0]:
        _set_outputs(best, np.sqrt(square), w1, w2, w3, basis, pivot)
        for i in range(s.shape[1]):
            values[i] = s[0, i] * w1 + s[1, i] * w2 + s[2, i] * w3


@compiled
def _set_outputs(best, value, w1, w2, w3, basis, pivot):  # pragma: no cover - compiled
    best[0] = value
    for i in range(3):
        best[1 + i] = w1 * basis[0, i] + w2 * basis[1, i] + w3 * basis[2, i]
    best[4] = pivot
