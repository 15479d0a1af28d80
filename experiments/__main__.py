"""The command line of the papers' experiments."""

from __future__ import annotations

import os
import sys

from experiments.command import main

# Processes that are started from here import this file, and are not to do the same.
if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read, such as `head`, has enough; Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)
