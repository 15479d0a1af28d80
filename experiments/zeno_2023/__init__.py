"""Minimum-norm denoisers: the closed forms beside certified interpolants (zeno_2023)."""
