"""Compiled sweeps over half circles of directions, and the ascents made of them.

One file, because compiled functions may call those of their own file only.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.oracles.compilation import compiled


@compiled
def sort_directions(differences, keys):  # pragma: no cover - compiled
    """Sort the directions of `differences` (n, 2) by their angle modulo π; fills `keys`, returns the order."""
    for j in range(differences.shape[0]):
        x, y = differences[j, 0], differences[j, 1]
        if y < 0.0 or (y == 0.0 and x < 0.0):
            x, y = -x, -y
        # Monotone in the angle on [0, π), with full relative precision near both ends.
        keys[j] = -x / (abs(x) + y)
    return np.argsort(keys)


@compiled
def sweep_half_circle(differences, masses, order, norm, best):  # pragma: no cover - compiled
    """The largest and the smallest value of g(w) = ½ Σ_j masses_j |w·u_j| over w in the plane of ‖w‖_p = 1.

    Where Σ_j masses_j u_j = 0, that is g(w) = Σ_j masses_j (w·u_j)₊. The directions w(t) = (−sin t, cos t), t ∈ [0, π),
    meet the kink of u_j where t is the angle of u_j modulo π. Between two kinks g(w) = a·w, whose extremes over the arc
    are ±‖a‖ where ±a/‖a‖ lies in it, and otherwise at an end; for p ≠ 2 at an end or at a corner of the unit ball.

    Args:
        differences: u, (n, 2), none of them zero; for p ≠ 2 those orthogonal to the corners among them.
        masses: (n,).
        order: from `sort_directions`.
        norm: p, 1, 2 or infinite.
        best: (2, 4) output: for the largest and the smallest value its (value, w1, w2, j), where j is the kink that
            attains it, or −1 inside an arc.

    Returns:
        Σ_j |masses_j| ‖u_j‖. The error of the values is at most 32 ε times that: the sums are compensated, and a kink
        sorted wrongly by rounding changes g by no more than its own rounding.
    """
    a1, a2, c1, c2, size = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(differences.shape[0]):
        x, y = differences[j, 0], differences[j, 1]
        size += abs(masses[j]) * np.sqrt(x * x + y * y)
        mass = 0.5 * masses[j] if y > 0.0 or (y == 0.0 and x > 0.0) else -0.5 * masses[j]
        a1, c1 = _add(a1, c1, mass * x)
        a2, c2 = _add(a2, c2, mass * y)
    # The half circle begins, and ends, at a direction that need not be a kink, but may well be an extreme.
    start1, start2 = 1.0, 0.0
    best[0, 0], best[1, 0] = -np.inf, np.inf
    beginning = a2 + c2
    if beginning > 0.0:
        best[0, 0], best[0, 1], best[0, 2], best[0, 3] = beginning, 0.0, 1.0, -1.0
    if beginning < 0.0:
        best[1, 0], best[1, 1], best[1, 2], best[1, 3] = beginning, 0.0, 1.0, -1.0
    x, y, positive = 0.0, 0.0, True
    for position in range(order.shape[0] + 1):
        if position < order.shape[0]:
            j = order[position]
            x, y = differences[j, 0], differences[j, 1]
            length = np.sqrt(x * x + y * y)
            positive = y > 0.0 or (y == 0.0 and x > 0.0)
            end1, end2 = (x / length, y / length) if positive else (-x / length, -y / length)
        else:
            j, end1, end2 = -1, -1.0, 0.0
        s1, s2 = a1 + c1, a2 + c2
        falls_at_start, falls_at_end = s1 * start1 + s2 * start2, s1 * end1 + s2 * end2
        if falls_at_start * falls_at_end < 0.0 and norm == 2.0:
            length = np.sqrt(s1 * s1 + s2 * s2)
            if falls_at_start < 0.0:
                if length > best[0, 0]:
                    best[0, 0], best[0, 1], best[0, 2], best[0, 3] = length, s1 / length, s2 / length, -1.0
            elif -length < best[1, 0]:
                best[1, 0], best[1, 1], best[1, 2], best[1, 3] = -length, -s1 / length, -s2 / length, -1.0
        if j >= 0:
            value = (-s1 * end2 + s2 * end1) / _length(end1, end2, 0.0, norm)
            if value > best[0, 0]:
                best[0, 0], best[0, 1], best[0, 2], best[0, 3] = value, -end2, end1, float(j)
            if value < best[1, 0]:
                best[1, 0], best[1, 1], best[1, 2], best[1, 3] = value, -end2, end1, float(j)
            mass = -masses[j] if positive else masses[j]
            a1, c1 = _add(a1, c1, mass * x)
            a2, c2 = _add(a2, c2, mass * y)
            start1, start2 = end1, end2
    return size


@compiled
def _length(x, y, z, norm):  # pragma: no cover - compiled
    """‖(x, y, z)‖_p, but 1 for p = 2, where directions are unit vectors."""
    if norm == 2.0:
        return 1.0
    if norm == 1.0:
        return abs(x) + abs(y) + abs(z)
    return max(abs(x), abs(y), abs(z))


@compiled
def sweep_half_circle_outputs(differences, masses, order, best, values):  # pragma: no cover - compiled
    """The largest norm of g(w) = Σ_j masses_j (w·u_j)₊ ∈ R^D over unit w in the plane, up to w → −w.

    As `sweep_half_circle`; between two kinks g(w) = A w, whose norm is largest at the top eigenvector of AᵀA if that
    lies in the arc, up to sign, and otherwise at an end (where the eigenvalues are equal, at both).

    Args:
        differences: u, (n, 2), none of them zero.
        masses: (n, D), with Σ_j masses_j u_jᵀ = 0 (so that g(−w) = g(w)).
        order: from `sort_directions`.
        best: (4,) output: (norm, w1, w2, j), where j is the kink that attains it, or −1 inside an arc.
        values: (D,) output: g(w).

    Returns:
        Σ_j ‖masses_j‖ ‖u_j‖. The error of the norm is at most 32 ε times that.
    """
    outputs = masses.shape[1]
    a, s1, s2 = np.zeros((2, outputs, 2)), np.empty(outputs), np.empty(outputs)
    size = 0.0
    for j in range(differences.shape[0]):
        x, y = differences[j, 0], differences[j, 1]
        square = 0.0
        for i in range(outputs):
            square += masses[j, i] * masses[j, i]
        size += np.sqrt(square * (x * x + y * y))
        if y > 0.0 or (y == 0.0 and x > 0.0):
            _add_outputs(a, masses[j], x, y, 1.0)
    start1, start2 = 1.0, 0.0
    best[0] = -1.0
    for i in range(outputs):
        s1[i], s2[i] = a[0, i, 0] + a[0, i, 1], a[1, i, 0] + a[1, i, 1]
    _keep_outputs(s1, s2, 0.0, 1.0, -1, best, values)
    for position in range(order.shape[0] + 1):
        j, x, y, end1, end2, positive = -1, 0.0, 0.0, -1.0, 0.0, True
        if position < order.shape[0]:
            j = order[position]
            x, y = differences[j, 0], differences[j, 1]
            norm = np.sqrt(x * x + y * y)
            positive = y > 0.0 or (y == 0.0 and x > 0.0)
            end1, end2 = (x / norm, y / norm) if positive else (-x / norm, -y / norm)
        m11, m12, m22 = 0.0, 0.0, 0.0
        for i in range(outputs):
            s1[i], s2[i] = a[0, i, 0] + a[0, i, 1], a[1, i, 0] + a[1, i, 1]
            m11 += s1[i] * s1[i]
            m12 += s1[i] * s2[i]
            m22 += s2[i] * s2[i]
        half, across = 0.5 * (m11 - m22), m12
        spread = np.sqrt(half * half + across * across)
        if 0.5 * (m11 + m22) + spread > best[0] * best[0] and spread > 0.0:
            # The column of M − (smaller eigenvalue) I that does not cancel.
            w1, w2 = (spread + half, across) if half > 0.0 else (across, spread - half)
            norm = np.sqrt(w1 * w1 + w2 * w2)
            w1, w2 = w1 / norm, w2 / norm
            if w1 > 0.0 or (w1 == 0.0 and w2 < 0.0):
                w1, w2 = -w1, -w2
            # w = (−sin t, cos t) with t from the start to the end?
            if start1 * -w1 - start2 * w2 >= 0.0 and w2 * end2 + w1 * end1 >= 0.0:
                _keep_outputs(s1, s2, w1, w2, -1, best, values)
        if j >= 0:
            _keep_outputs(s1, s2, -end2, end1, j, best, values)
            _add_outputs(a, masses[j], x, y, -1.0 if positive else 1.0)
            start1, start2 = end1, end2
    return size


@compiled
def _add_outputs(a, masses, x, y, sign):  # pragma: no cover - compiled
    for i in range(masses.shape[0]):
        mass = sign * masses[i]
        a[0, i, 0], a[0, i, 1] = _add(a[0, i, 0], a[0, i, 1], mass * x)
        a[1, i, 0], a[1, i, 1] = _add(a[1, i, 0], a[1, i, 1], mass * y)


@compiled
def _keep_outputs(s1, s2, w1, w2, j, best, values):  # pragma: no cover - compiled
    """Keep the direction if its norm is the largest so far."""
    square = 0.0
    for i in range(s1.shape[0]):
        value = s1[i] * w1 + s2[i] * w2
        square += value * value
    if np.sqrt(square) > best[0]:
        best[0], best[1], best[2], best[3] = np.sqrt(square), w1, w2, float(j)
        for i in range(s1.shape[0]):
            values[i] = s1[i] * w1 + s2[i] * w2


@compiled
def _add(total, correction, term):  # pragma: no cover - compiled
    """Neumaier's compensated sum: (total, correction) after adding `term`."""
    new = total + term
    if abs(total) >= abs(term):
        correction += (total - new) + term
    else:
        correction += (term - new) + total
    return new, correction


@compiled
def _differences(points, pivot, differences):  # pragma: no cover - compiled
    position = 0
    for j in range(points.shape[0]):
        if j != pivot:
            differences[position, 0] = points[j, 0] - points[pivot, 0]
            differences[position, 1] = points[j, 1] - points[pivot, 1]
            position += 1


@compiled
def fill_orders(points, start, stop, orders):  # pragma: no cover - compiled
    """The sorted directions from each of the pivots `start` to `stop` to the other points."""
    count = points.shape[0] - 1
    differences, keys = np.empty((count, 2)), np.empty(count)
    for pivot in range(start, stop):
        _differences(points, pivot, differences)
        order = sort_directions(differences, keys)
        for j in range(count):
            orders[pivot, j] = order[j]


@compiled
def sweep_pivots(points, masses, orders, pivots, start, stop, best, sizes):  # pragma: no cover - compiled
    """`sweep_half_circle` for `pivots[start:stop]`, into `best` and `sizes`, which have a row for each of `pivots`.

    Sorts where `orders` is empty.
    """
    count = points.shape[0] - 1
    differences, keys, others = np.empty((count, 2)), np.empty(count), np.empty(count)
    order = np.empty(count, dtype=np.int64)
    for k in range(start, stop):
        pivot = pivots[k]
        _differences(points, pivot, differences)
        for j in range(count):
            others[j] = masses[j if j < pivot else j + 1]
        if orders.shape[0] > 0:
            for j in range(count):
                order[j] = orders[pivot, j]
        else:
            order[:] = sort_directions(differences, keys)
        sizes[k] = sweep_half_circle(differences, others, order, 2.0, best[k])
        for side in range(2):
            if best[k, side, 3] >= pivot:
                best[k, side, 3] += 1.0


@compiled
def sweep_drifting_pivots(
    points, masses, drifts, drift_mass, corners, norm, start, stop, best, sizes
):  # pragma: no cover - compiled
    """The largest values of ±½ Σ_j m_j |w·(x_j − x_n)| + ½ M |w·s_n| for the pivots n from `start` to `stop`.

    Args:
        points: x, (N, 2), all different.
        masses: m, (N,).
        drifts: s, (N, 2).
        drift_mass: M ≥ 0.
        corners: (C, 2), the vectors orthogonal to the corners of the unit ball, for p ≠ 2.
        norm: p of ‖w‖_p = 1.
        start: the first pivot.
        stop: one after the last.
        best: (N, 2, 2, 4) output: for the upper and the lower sign the `best` of `sweep_half_circle`.
        sizes: (N,) output: S, see there.
    """
    count = points.shape[0]
    vectors, keys = np.empty((count + corners.shape[0], 2)), np.empty(count + corners.shape[0])
    rising, falling = np.zeros(len(keys)), np.zeros(len(keys))
    for pivot in range(start, stop):
        _differences(points, pivot, vectors)
        for j in range(count - 1):
            rising[j] = masses[j if j < pivot else j + 1]
            falling[j] = -rising[j]
        used = count - 1
        if drifts[pivot, 0] != 0.0 or drifts[pivot, 1] != 0.0:
            vectors[used] = drifts[pivot]
            rising[used] = falling[used] = drift_mass
            used += 1
        for corner in range(corners.shape[0]):
            vectors[used] = corners[corner]
            rising[used] = falling[used] = 0.0
            used += 1
        order = sort_directions(vectors[:used], keys[:used])
        sizes[pivot] = sweep_half_circle(vectors[:used], rising[:used], order, norm, best[pivot, 0])
        sweep_half_circle(vectors[:used], falling[:used], order, norm, best[pivot, 1])


@compiled
def sweep_vertices(vectors, masses, norm, start, stop, best):  # pragma: no cover - compiled
    """The largest value of ½ Σ_j m_j |w·u_j| over w in space, ‖w‖_p = 1, orthogonal to u_n, n from `start` to `stop`.

    For p ≠ 2, where it is attained orthogonal to two of the vectors: those orthogonal to the ridges of the unit ball
    are to be among them, with mass 0.

    Args:
        vectors: u, (n, 3), none of them zero.
        masses: (n,).
        norm: p, 1 or infinite.
        start: the first circle.
        stop: one after the last.
        best: (n, 4) output: value, w.
    """
    count = vectors.shape[0]
    plane, plane_masses, keys = np.empty((count, 2)), np.empty(count), np.empty(count)
    first, second = np.empty(3), np.empty(3)
    for circle in range(start, stop):
        best[circle, 0] = -np.inf
        _complete_frame(vectors[circle], first, second)
        used = 0
        for j in range(count):
            u = vectors[j]
            x, y = u @ first, u @ second
            if j != circle and x * x + y * y > 1e-28 * (u @ u):
                plane[used, 0], plane[used, 1], plane_masses[used] = x, y, masses[j]
                used += 1
        a1, c1, a2, c2 = 0.0, 0.0, 0.0, 0.0
        for j in range(used):
            x, y = plane[j]
            mass = 0.5 * plane_masses[j] if y > 0.0 or (y == 0.0 and x > 0.0) else -0.5 * plane_masses[j]
            a1, c1 = _add(a1, c1, mass * x)
            a2, c2 = _add(a2, c2, mass * y)
        for j in sort_directions(plane[:used], keys[:used]):
            x, y = plane[j]
            size = np.sqrt(x * x + y * y)
            positive = y > 0.0 or (y == 0.0 and x > 0.0)
            end1, end2 = (x / size, y / size) if positive else (-x / size, -y / size)
            w = end1 * second - end2 * first
            value = ((a2 + c2) * end1 - (a1 + c1) * end2) / _length(w[0], w[1], w[2], norm)
            if value > best[circle, 0]:
                best[circle, 0] = value
                best[circle, 1:] = w
            mass = -plane_masses[j] if positive else plane_masses[j]
            a1, c1 = _add(a1, c1, mass * x)
            a2, c2 = _add(a2, c2, mass * y)


@compiled
def _complete_frame(vector, first, second):  # pragma: no cover - compiled
    """Fill two unit vectors orthogonal to `vector` in space and to each other.

    Source: Duff et al. 2017, which has no cancellation.
    """
    x, y, z = vector / np.sqrt(vector @ vector)
    sign = 1.0 if z >= 0.0 else -1.0
    a = -1.0 / (sign + z)
    b = x * y * a
    first[0], first[1], first[2] = 1.0 + sign * x * x * a, sign * b, -sign * x
    second[0], second[1], second[2] = b, sign + y * y * a, -y


@compiled
def sweep_pivots_outputs(
    points, masses, orders, pivots, start, stop, best, values, sizes
):  # pragma: no cover - compiled
    """As `sweep_pivots`, by `sweep_half_circle_outputs`, into `best` (K, 4), `values` (K, D) and `sizes`."""
    count = points.shape[0] - 1
    differences, keys, others = np.empty((count, 2)), np.empty(count), np.empty((count, masses.shape[1]))
    order = np.empty(count, dtype=np.int64)
    for k in range(start, stop):
        pivot = pivots[k]
        _differences(points, pivot, differences)
        for j in range(count):
            others[j] = masses[j if j < pivot else j + 1]
        if orders.shape[0] > 0:
            for j in range(count):
                order[j] = orders[pivot, j]
        else:
            order[:] = sort_directions(differences, keys)
        sizes[k] = sweep_half_circle_outputs(differences, others, order, best[k], values[k])
        if best[k, 3] >= pivot:
            best[k, 3] += 1.0


@compiled
def ascend_all(points, masses, weights, biases, start, stop):  # pragma: no cover - compiled
    """Climb |p_z| from the directions `start` to `stop` of `weights`, in place, and set their biases."""
    still = np.zeros(points.shape[1])
    for k in range(start, stop):
        biases[k] = _ascend((points, masses, still, 0.0, False, False), weights[k])


@compiled
def climb_all(points, masses, drift, drift_mass, fixed, weights, biases, start, stop):  # pragma: no cover - compiled
    """Climb ½ Σ_j m_j |w·u_j| + ½ M |w·s| over unit w from the directions `start` to `stop` of `weights`, in place.

    Args:
        points: x, (N, d).
        masses: m, (N,); of sum zero unless `fixed`.
        drift: s, (d,), Σ_j m_j x_j up to a factor.
        drift_mass: M ≥ 0.
        fixed: whether u_j = x_j; otherwise u_j = x_j − x_n for the n of the largest value, and b = w·x_n.
        weights: (K, d), unit.
        biases: (K,) output.
        start: the first direction.
        stop: one after the last.
    """
    for k in range(start, stop):
        biases[k] = _ascend((points, masses, drift, drift_mass, fixed, True), weights[k])


@compiled
def ascend_all_outputs(points, masses, weights, biases, start, stop):  # pragma: no cover - compiled
    """As `ascend_all`, for ‖p_z‖ of D outputs, `masses` (N, D).

    For the unit vector q along p_z at the neuron reached, ‖p_z‖ ≥ q·p_z everywhere, with equality there: an ascent of
    the profile of z q is one of the norm.
    """
    still = np.zeros(points.shape[1])
    for k in range(start, stop):
        direction = weights[k].copy()
        biases[k], value = _best_pivot_outputs(points, masses, direction)
        highest = np.sqrt(np.sum(value * value))
        for _ in range(100):
            if highest == 0.0:
                break
            bias = _ascend((points, masses @ (value / highest), still, 0.0, False, False), direction)
            bias, value = _best_pivot_outputs(points, masses, direction)
            norm = np.sqrt(np.sum(value * value))
            if norm <= highest:
                break
            weights[k], biases[k] = direction, bias
            if norm <= highest * (1.0 + 1e-12):
                break
            highest = norm


@compiled
def _best_pivot_outputs(points, masses, w):  # pragma: no cover - compiled
    """The bias w·x_n that maximises ‖p_z(w, ·)‖, and p_z there."""
    t = points @ w
    order = np.argsort(t)
    value, tail, best = np.zeros(masses.shape[1]), np.zeros(masses.shape[1]), np.zeros(masses.shape[1])
    bias, highest = t[order[-1]], 0.0
    for position in range(order.shape[0] - 2, -1, -1):
        step = t[order[position + 1]] - t[order[position]]
        square = 0.0
        for i in range(masses.shape[1]):
            tail[i] += masses[order[position + 1], i]
            value[i] += tail[i] * step
            square += value[i] * value[i]
        if square > highest:
            highest, bias = square, t[order[position]]
            best[:] = value
    return bias, best


@compiled
def _best_pivot(terms, w):  # pragma: no cover - compiled
    """The datum n whose bias w·x_n maximises |p(w, ·)|, or p(w, ·) if `signed`, and p there; n = −1 if `fixed`."""
    points, masses, drift, drift_mass, fixed, signed = terms
    t = points @ w
    if fixed:
        value = drift_mass * abs(drift @ w)
        for j in range(points.shape[0]):
            value += masses[j] * abs(t[j])
        return -1, 0.5 * value
    order = np.argsort(t)
    value, tail, best, pivot = 0.0, 0.0, 0.0, order[-1]
    for position in range(order.shape[0] - 2, -1, -1):
        tail += masses[order[position + 1]]
        value += tail * (t[order[position + 1]] - t[order[position]])
        if value > best if signed else abs(value) > abs(best):
            best, pivot = value, order[position]
    if signed:
        # So far a sum over the data above the hyperplane.
        best += 0.5 * (drift_mass * abs(drift @ w) - masses @ t)
    return pivot, best


@compiled
def _remove(vector, basis, size):  # pragma: no cover - compiled
    """Remove from `vector`, in place, its components along the first `size` orthonormal rows of `basis`."""
    for _ in range(2):
        for i in range(size):
            vector -= (vector @ basis[i]) * basis[i]


@compiled
def _ascend(terms, w):  # pragma: no cover - compiled
    """Climb |p|, or p if `signed`, from the direction `w` (changed in place); returns the bias reached.

    `terms` are the arguments of `climb_all` up to `fixed`, and whether p is climbed instead of |p|.
    """
    points, masses, drift, drift_mass, fixed, signed = terms
    count, dimension = points.shape
    # The drift is one vector more.
    differences, norms = np.empty((count + 1, dimension)), np.empty(count + 1)
    weighted = np.append(masses, drift_mass)
    basis = np.empty((dimension, dimension))
    touching = np.empty(count + 1, dtype=np.int64)
    index = np.empty(count + 1, dtype=np.int64)
    room = np.empty((count + 1, 2)), np.empty(count + 1), np.empty(count + 1), np.empty((2, 4)), index
    pivot, value = _best_pivot(terms, w)
    for _ in range(200):
        _fill_differences(points, pivot, drift, drift_mass, differences, norms)
        gradient = np.zeros(dimension)
        touched = 0
        heights = differences @ w
        for j in range(count + 1):
            if norms[j] == 0.0:
                continue
            if abs(heights[j]) <= 1e-10 * norms[j]:
                touching[touched] = j
                touched += 1
            else:
                mass = 0.5 * weighted[j] if heights[j] > 0.0 else -0.5 * weighted[j]
                for i in range(dimension):
                    gradient[i] += mass * differences[j, i]
        sign = -1.0 if value < 0.0 and not signed else 1.0
        gradient *= sign
        scale = np.linalg.norm(gradient)
        # Within the face: the directions orthogonal to w and to all touching data.
        basis[0] = w
        dimensions = 1
        for k in range(touched):
            if dimensions < dimension:
                dimensions += _extend(basis, dimensions, differences[touching[k]], norms[touching[k]])
        direction = gradient.copy()
        _remove(direction, basis, dimensions)
        improved = False
        if np.linalg.norm(direction) > 1e-9 * scale:
            improved, pivot, value = _move(terms, differences, norms, w, direction, pivot, value, room)
        if not improved and touched > 0:
            # Off the face: let go of one touching datum, to either side.
            steepest = 1e-9 * scale
            for k in range(touched):
                dimensions = 1
                for other in range(touched):
                    if other != k and dimensions < dimension:
                        dimensions += _extend(basis, dimensions, differences[touching[other]], norms[touching[other]])
                if dimensions >= dimension:
                    continue
                release = differences[touching[k]].copy()
                _remove(release, basis, dimensions)
                length = np.linalg.norm(release)
                if length <= 1e-10 * norms[touching[k]]:
                    continue
                release /= length
                away = gradient.copy()
                _remove(away, basis, dimensions)
                # To either side the datum's term grows alike.
                bend = 0.5 * sign * weighted[touching[k]] * (release @ differences[touching[k]])
                slope = away @ release
                if slope + bend > steepest:
                    steepest, direction = slope + bend, release
                if bend - slope > steepest:
                    steepest, direction = bend - slope, -release
            if steepest > 1e-9 * scale:
                improved, pivot, value = _move(terms, differences, norms, w, direction, pivot, value, room)
        if not improved:
            # Nothing rises from here, but a circle may rise again beyond a fall.
            improved, pivot, value = _exchange(terms, touching[:touched], w, pivot, value, room)
        if not improved:
            break
    return 0.0 if fixed else points[pivot] @ w


@compiled
def _fill_differences(points, pivot, drift, drift_mass, differences, norms):  # pragma: no cover - compiled
    """The data seen from the pivot, or from the origin for the pivot −1, and the drift; and their norms."""
    count = points.shape[0]
    for j in range(count + 1):
        size = 0.0
        for i in range(points.shape[1]):
            if j == count:
                u = drift[i] if drift_mass > 0.0 else 0.0
            else:
                u = points[j, i] - (points[pivot, i] if pivot >= 0 else 0.0)
            differences[j, i] = u
            size += u * u
        norms[j] = np.sqrt(size)


@compiled
def _exchange(terms, touching, w, pivot, value, room):
    # pragma: no cover - compiled
    """Let go of one of the data touched, the pivot or another, for the best hyperplane through the rest of them."""
    points, _, drift, drift_mass, fixed, _ = terms
    count, dimension = points.shape
    # Among these the pivot counts; the drift, or the origin, cannot be held in its place.
    touched = touching if fixed else np.append(touching, pivot)
    differences, norms = np.empty((count + 1, dimension)), np.empty(count + 1)
    basis = np.empty((dimension, dimension))
    for k in range(len(touched) - 1, -1, -1):
        held = pivot
        if not fixed:
            if len(touched) == 1:
                break
            held = touched[0] if k > 0 else touched[1]
            if held == count:
                continue
        _fill_differences(points, held, drift, drift_mass, differences, norms)
        basis[0] = w
        dimensions = 1
        for other in touched:
            if other != held and other != touched[k] and dimensions < dimension:
                dimensions += _extend(basis, dimensions, differences[other], norms[other])
        if dimensions >= dimension:
            continue
        release = differences[touched[k]].copy()
        _remove(release, basis, dimensions)
        if np.linalg.norm(release) <= 1e-10 * norms[touched[k]]:
            continue
        improved, new_pivot, new_value = _move(terms, differences, norms, w, release, held, value, room)
        if improved:
            return True, new_pivot, new_value
    return False, pivot, value


@compiled
def _extend(basis, size, vector, norm):  # pragma: no cover - compiled
    """Append `vector` to the orthonormal rows of `basis` unless it depends on them; returns 1 or 0."""
    candidate = vector.copy()
    _remove(candidate, basis, size)
    length = np.linalg.norm(candidate)
    if length <= 1e-9 * norm:
        return 0
    basis[size] = candidate / length
    return 1


@compiled
def _move(terms, differences, norms, w, direction, pivot, value, room):
    # pragma: no cover - compiled
    """Go to the maximum for this pivot on the great circle of `w` and `direction`, then to the best pivot there."""
    points, masses, _, drift_mass, _, signed = terms
    plane, plane_masses, keys, best, index = room
    direction = direction / np.linalg.norm(direction)
    direction -= (direction @ w) * w
    direction /= np.linalg.norm(direction)
    size = 0
    along_w, along = differences @ w, differences @ direction
    for j in range(points.shape[0] + 1):
        x, y = along_w[j], along[j]
        if np.sqrt(x * x + y * y) > 1e-10 * norms[j]:
            plane[size, 0], plane[size, 1] = x, y
            plane_masses[size] = masses[j] if j < points.shape[0] else drift_mass
            index[size] = j
            size += 1
    if size == 0:
        return False, pivot, value
    order = sort_directions(plane[:size], keys[:size])
    sweep_half_circle(plane[:size], plane_masses[:size], order, 2.0, best)
    side = 0 if signed or best[0, 0] >= -best[1, 0] else 1
    reached = best[side, 0] if signed else abs(best[side, 0])
    height = value if signed else abs(value)
    if reached <= height + 1e-11 * abs(height):
        return False, pivot, value
    new = best[side, 1] * w + best[side, 2] * direction
    kink = int(best[side, 3])
    if kink >= 0:
        # Land on the datum exactly, so that it counts as touching.
        u = differences[index[kink]]
        slope = u @ direction * best[side, 1] - u @ w * best[side, 2]
        tangent = best[side, 1] * direction - best[side, 2] * w
        if slope != 0.0:
            new = new - (new @ u) / slope * tangent
    new /= np.linalg.norm(new)
    new_pivot, new_value = _best_pivot(terms, new)
    new_height = new_value if signed else abs(new_value)
    if new_height <= height + 1e-12 * abs(height):
        return False, pivot, value
    w[:] = new
    if new_height <= reached + 1e-9 * abs(reached):
        return True, pivot, best[side, 0]
    return True, new_pivot, new_value
