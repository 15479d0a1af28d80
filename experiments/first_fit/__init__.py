"""The first fits: three real data sets, certified, with times and pictures."""
