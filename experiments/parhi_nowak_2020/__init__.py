"""Activations and their splines: networks of orders 2 and 4 on the line."""
