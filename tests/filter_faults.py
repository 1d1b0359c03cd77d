"""Filters that once stopped a job or selected another id, from ``tests/data/faults/filters.txt``."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).parent / "data" / "faults" / "filters.txt"


def faults() -> dict[str, str]:
    """Name → expression. What the file only describes is written out."""
    lines = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    described = {"ors": " OR ".join(["n_points=1"] * 285), "sum": "+".join(["1"] * 1990) + " > 5"}
    return {name: described.get(name, expression.partition("->")[0].strip()) for name, expression in lines}
