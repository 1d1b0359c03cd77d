"""Damage: bytes changed, cut, doubled or taken out; cells of a text table replaced by what no reader likes."""

from __future__ import annotations

import numpy as np

HOSTILE_BYTES = (
    b"\xff" * 8, b"\x00" * 8, b"\x7f" + b"\xff" * 7, b"\x80" * 8, b"\n", b'"', b"\r\n\x00", b",,,,", b"\xc3",
)  # fmt: skip
"""Numbers that claim too much or are negative, and ends of lines, quotes and letters that are not expected."""

HOSTILE_CELLS = (
    "", " ", "nan", "NaN", "inf", "-inf", "1e400", "-1e400", "1_000", "0x10", "1e5", "000651", "NA", "None", "null",
    "--", "-99", "99", "9223372036854775808", "-1", "²", "१", "δ Cep", "J0123−4500", "a,b", '"', "'", "\t", "a\nb",
    "\x00", "True", "2222.5", "1" * 400, "q", "Y", "g ",
)  # fmt: skip
"""Texts in place of a number, a name, a band or a class."""


def damaged(good: bytes, rng: np.random.Generator) -> bytes:
    """Bytes with one to four places turned over, cut off, doubled, taken out or overwritten."""
    data = bytearray(good)
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(len(data) + 1))
        way = rng.integers(12)
        if way < 6 and at < len(data):
            data[at] ^= 1 << int(rng.integers(8))
        elif way == 6:
            del data[at:]
        elif way == 7:
            data[at:at] = data[at : at + int(rng.integers(100))]
        elif way == 8:
            del data[at : at + int(rng.integers(100))]
        else:
            data[at : at + 8] = HOSTILE_BYTES[rng.integers(len(HOSTILE_BYTES))]
    return bytes(data)


def damaged_cells(text: str, separator: str | None, rng: np.random.Generator) -> str:
    """A text table with one to three of its cells replaced, swapped or taken out; ``separator`` None: blanks."""
    lines = text.split("\n")
    for _ in range(rng.integers(1, 4)):
        row = int(rng.integers(len(lines)))
        cells = lines[row].split(separator) or [""]
        at = int(rng.integers(len(cells)))
        way = rng.integers(8)
        if way == 0:
            del cells[at]
        elif way == 1:
            other = int(rng.integers(len(cells)))
            cells[at], cells[other] = cells[other], cells[at]
        else:
            cells[at] = HOSTILE_CELLS[rng.integers(len(HOSTILE_CELLS))]
        lines[row] = (separator or " ").join(cells)
    return "\n".join(lines)
