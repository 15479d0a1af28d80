"""Experiments: each folder runs (solves and writes results) apart from drawing (figures from the results)."""
