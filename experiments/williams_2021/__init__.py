"""Surfaces from a thousand oriented points: Neural Splines beside screened Poisson reconstruction."""
