"""The command line of the benchmarks."""

from __future__ import annotations

import sys

from experiments.benchmarks.command import main

sys.exit(main(sys.argv[1:]))
