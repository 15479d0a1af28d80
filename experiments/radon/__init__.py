"""The neurons of certified fits over the density of a smooth target, and over angle and offset for real data."""
