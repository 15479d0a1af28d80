"""Speed and scale: `python -m experiments.benchmarks` measures and prints the rows of one table."""
