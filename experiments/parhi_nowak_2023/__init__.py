"""Rates of estimation from noisy samples: certified fits beside kernel ridge regression (parhi_nowak_2023)."""
