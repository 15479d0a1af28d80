"""The report: one page that works offline, of claims, numbers, figures, and certified paths to move along."""
