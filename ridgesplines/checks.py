"""Options checked before any work starts: one clear sentence for what is of the wrong type or out of range."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

import numpy as np


def is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a real number; truth values are none."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def check_number(name: str, value: Any, wanted: str, holds: Callable[[float], bool]) -> None:
    """Refuse what is no number, or one for which `holds` is false: "`name` must be `wanted`, got …".

    Raises:
        TypeError: if it is no number.
        ValueError: if it is out of range.
    """
    if not is_number(value):
        raise TypeError(f"{name} must be {wanted}, got {value!r}.")
    if not holds(value):
        raise ValueError(f"{name} must be {wanted}, got {value!r}.")


def check_gap(gap: Any) -> None:
    """The relative gap that a solver stops at."""
    check_number("gap", gap, "between 0 and 1, a fraction of the objective", lambda value: 0 < value < 1)


def check_seconds(name: str, seconds: Any) -> None:
    """A time, or None."""
    if seconds is not None:
        check_number(name, seconds, "a positive number of seconds or None", lambda value: value > 0)


def check_count(name: str, count: Any) -> None:
    """A whole number of at least 1."""
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, got {count!r}.")
    if count < 1:
        raise ValueError(f"{name} must be at least 1, got {count!r}.")


def is_one_of(value: Any, names: Iterable[str]) -> bool:
    """Whether it is one of the names; whatever it is, a list for instance, that is a question."""
    return isinstance(value, str) and value in tuple(names)
