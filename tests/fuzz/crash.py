"""A reader that ends its process, as a C library may: what the frame must outlive."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tests.fuzz.files import Kind


def _make(rng: np.random.Generator, folder: Path) -> Path:
    file = folder / "one.csv"
    file.write_text(str(rng.integers(1_000)))
    return file


def _read(path: Path) -> object:
    os.abort()


KIND = Kind(_make, _read)
