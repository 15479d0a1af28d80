"""Functions from few noisy integrals, averages, blurs and slopes: certified ridge splines beside the usual methods."""
