"""The callable that long work reports its progress to."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (name of the stage, steps done, steps in all)."""


def silent(stage: str, done: int, of: int) -> None:
    """Report to nobody."""
