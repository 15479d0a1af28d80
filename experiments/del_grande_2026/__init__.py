"""Dual regions, and how the neurons of sparse solutions move with noise and strength."""
