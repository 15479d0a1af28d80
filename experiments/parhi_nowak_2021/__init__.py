"""The representer theorem of ridge splines and what follows from it, number by number."""
