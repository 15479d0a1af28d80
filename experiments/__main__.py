"""The command line of the papers' experiments."""

from __future__ import annotations

import sys

from experiments.command import main

# Processes that are started from here import this file, and are not to do the same.
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
