"""Small inputs of kinds that were once read wrongly: folders and files by their names."""

from __future__ import annotations

from pathlib import Path

FAULTS = Path(__file__).resolve().parents[3] / "data" / "faults"
