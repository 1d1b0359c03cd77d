"""Numbers of things as a person reads them."""

from __future__ import annotations


def counted(number: int, thing: str, things: str = "") -> str:
    """A number with the name of what it counts; ``things`` is the plural where it is not ``thing`` with an s.

    >>> counted(1, "alert"), counted(12_000, "alert"), counted(0, "class", "classes")
    ('1 alert', '12,000 alerts', '0 classes')
    """
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"
