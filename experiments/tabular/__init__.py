"""Ridge splines on tables beside scikit-learn's estimators: test errors over five folds, everything tuned inside."""
