"""Ridge splines on the line beside the classics: smoothing splines, ℓ1 trend filtering, P-splines, LOWESS."""
