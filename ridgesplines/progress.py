"""One line of progress on a terminal, for anything that takes longer than a second."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any


class Progress:
    """A context that shows the latest message on standard error, once a second has passed.

    Args:
        enabled: None shows it where standard error is a terminal.
    """

    def __init__(self, enabled: bool | None = None) -> None:
        self._enabled = sys.stderr.isatty() if enabled is None else enabled
        self._start = time.perf_counter()
        self._line: Any = None

    def __enter__(self) -> Progress:
        return self

    def __call__(self, message: str) -> None:
        """Show `message` in place of the one before."""
        if not self._enabled or time.perf_counter() - self._start < 1.0:
            return
        if self._line is None:
            from rich.console import Console  # only when there is something to show

            self._line = Console(stderr=True).status(message)
            self._line.start()
        else:
            self._line.update(message)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._line is not None:
            self._line.stop()
