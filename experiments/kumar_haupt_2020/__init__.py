"""Interpolation by the least atomic norm under several constraints on the neurons, in the plane and on the line."""
