"""The convex program over all activation patterns beside the certified optimum and trained networks."""
