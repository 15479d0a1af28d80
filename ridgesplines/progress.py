"""One line of progress on a terminal, for anything that takes longer than a second."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Any

# What to show while the supremum over all neurons is made ready.
PREPARING = "preparing the supremum over all neurons (compiled once per installation)"


class Progress:
    """A context that shows the latest message on standard error, from a second after its start on.

    Args:
        enabled: None shows it where standard error is a terminal.
    """

    def __init__(self, enabled: bool | None = None) -> None:
        self._message = ""
        self._line: Any = None
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        if sys.stderr.isatty() if enabled is None else enabled:
            self._timer = threading.Timer(1.0, self._start)
            self._timer.daemon = True

    def __enter__(self) -> Progress:
        if self._timer is not None:
            self._timer.start()
        return self

    def __call__(self, message: str) -> None:
        """Show `message` in place of the one before."""
        with self._lock:
            self._message = message
            if self._line is not None:
                self._line.update(message)

    def _start(self) -> None:
        from rich.console import Console  # only when there is something to show

        with self._lock:
            if self._timer is not None:
                self._line = Console(stderr=True).status(self._message)
                self._line.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._timer = None
            if self._line is not None:
                self._line.stop()
