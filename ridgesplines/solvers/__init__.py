"""Solvers of a `Problem`, blind to each other."""
