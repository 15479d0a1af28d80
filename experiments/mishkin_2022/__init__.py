"""Convex reformulations with sampled activation patterns, gated or not, and their library beside certified optima."""
