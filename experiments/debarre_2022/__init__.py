"""Sparsest solutions on the line: how many knots they have, that they cost no more, and the path in λ."""
