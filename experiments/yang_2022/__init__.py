"""Proximal training on the path norm beside gradient steps on weight decay."""
