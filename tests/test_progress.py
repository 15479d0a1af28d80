"""Progress: silent where nobody watches, one line with the latest message where somebody does."""

from __future__ import annotations

import sys
import threading

import pytest

from ridgesplines.progress import Progress


class At:
    """A stand-in for `threading.Timer` that fires when told to."""

    latest: At

    def __init__(self, seconds: float, action) -> None:
        self.seconds, self.fire = seconds, action
        self.cancelled = False
        At.latest = self

    def start(self) -> None:
        pass

    def cancel(self) -> None:
        self.cancelled = True


@pytest.fixture(autouse=True)
def timer(monkeypatch):
    monkeypatch.setattr(threading, "Timer", At)


@pytest.mark.parametrize("enabled", [False, None])
def test_nothing_is_shown_to_nobody(enabled, capsys):
    with Progress(enabled) as show:
        show("working")
    assert capsys.readouterr() == ("", "")


def test_the_latest_message_is_shown_once_the_time_has_come():
    with Progress(True) as show:
        show("first")
        assert show._line is None
        At.latest.fire()
        assert show._line.status == "first"
        show("second")
        assert show._line.status == "second"
    assert At.latest.cancelled


def test_a_terminal_is_what_decides(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Progress() as show:
        assert show._timer is At.latest
