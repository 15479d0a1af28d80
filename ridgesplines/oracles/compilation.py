"""How the oracles' inner loops are compiled."""

from __future__ import annotations

from typing import Any

from numba import njit


def compiled(function: Any) -> Any:
    """Compile without the interpreter's lock, and keep the result on disk where a folder can be written.

    A compiled function may call those of its own file only: Numba's cache notices edits of the file that a function
    stands in, not of those that it calls into, so an old supremum could outlive its correction.
    """
    return _cached(function)


def compiled_sums(function: Any) -> Any:
    """As `compiled`, with sums in any order, for the vector units; NaN and infinity keep their meaning."""
    return _cached(function, fastmath={"reassoc", "contract", "arcp", "nsz"})


def _cached(function: Any, **options: Any) -> Any:
    try:
        return njit(nogil=True, cache=True, **options)(function)
    except RuntimeError:
        # Neither the package's folder nor the user's can hold the cache: compile anew in each process.
        return njit(nogil=True, **options)(function)
