"""A tree of boxes over points or triangles: what is near is looked at one by one, what is far away as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Things in a leaf.
_LEAF = 8


@dataclass(frozen=True, eq=False)
class BoxTree:
    """Things in an order in which each node of a binary tree holds those from `start` to `stop`.

    Attributes:
        order: which thing stands where, (n,).
        start: (m,), of each node; the root comes first.
        stop: (m,).
        child: the first of a node's two children, which follow each other, or −1 for a leaf, (m,).
        low: the least corner of a node's box, (m, d).
        high: the largest.
    """

    order: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    child: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, low: np.ndarray, high: np.ndarray) -> BoxTree:
        """The tree over things in boxes from `low` to `high`, (n, d): halved along the longest side of the middles."""
        middles = (low + high) / 2
        order = np.arange(len(low))
        start, stop, child = [0], [len(low)], [-1]
        node = 0
        while node < len(start):
            first, last = start[node], stop[node]
            if last - first > _LEAF:
                part = middles[order[first:last]]
                axis = int(np.argmax(np.ptp(part, axis=0)))
                half = (last - first) // 2
                order[first:last] = order[first:last][np.argpartition(part[:, axis], half)]
                child[node] = len(start)
                start += [first, first + half]
                stop += [first + half, last]
                child += [-1, -1]
            node += 1
        starts = np.array(start)
        # Every node is a union of leaves, so that one pass over the leaves' boxes and one upward make all boxes.
        lows, highs = np.empty((len(start), low.shape[1])), np.empty((len(start), low.shape[1]))
        for node in range(len(start) - 1, -1, -1):
            if child[node] < 0:
                held = order[start[node] : stop[node]]
                lows[node], highs[node] = low[held].min(axis=0), high[held].max(axis=0)
            else:
                two = slice(child[node], child[node] + 2)
                lows[node], highs[node] = lows[two].min(axis=0), highs[two].max(axis=0)
        return cls(order, starts, np.array(stop), np.array(child), lows, highs)

    def sums(self, rows: np.ndarray) -> np.ndarray:
        """What `rows`, (n, …), of the things sum up to in each node, (m, …)."""
        running = np.concatenate([np.zeros((1, *rows.shape[1:])), np.cumsum(rows[self.order], axis=0)])
        return running[self.stop] - running[self.start]
