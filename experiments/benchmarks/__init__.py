"""Measurements of the package's parts, each a script that prints a table."""
