"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, done, of)."""


def silent(stage: str, done: int, of: int) -> None:
    """Progress that nobody watches."""
