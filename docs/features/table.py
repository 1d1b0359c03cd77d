"""``python docs/features/table.py``: write the table of docs/features.md anew from the catalogue."""

from __future__ import annotations

import math
from pathlib import Path

from features.blocks import BLOCKS
from features.catalogue import CATALOGUE, VERSION, Feature

PAGE = Path(__file__).resolve().parents[1] / "features.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def address(source: str) -> str:
    """A source as a link."""
    kind, _, number = source.partition(":")
    where = {"doi": "https://doi.org/", "arXiv": "https://arxiv.org/abs/"}
    return f"[{number}]({where[kind]}{number})" if source else ""


def interval(feature: Feature) -> str:
    """The range as people write it."""
    low, high = (f"{end:.4g}" if math.isfinite(end) else ("-∞" if end < 0 else "∞") for end in feature.range)
    return "any" if (low, high) == ("-∞", "∞") else f"{low} to {high}"


def table() -> str:
    """The tables of all blocks, in the order of the matrix."""
    lines = [f"{len(CATALOGUE)} features, version {VERSION} of the catalogue."]
    for block in BLOCKS:
        lines += ["", f"### {block.name}: {len(block.features)} features, {block.cost_us:.1f} µs an alert", ""]
        lines += ["| feature | unit | range | points | meaning | source |", "|---|---|---|---|---|---|"]
        for f in block.features:
            text = f.description.replace("|", "\\|")
            lines.append(f"| `{f.name}` | {f.unit} | {interval(f)} | {f.min_points} | {text} | {address(f.source)} |")
    return "\n".join(lines)


def with_table(page: str) -> str:
    """The page with the table between its marks replaced."""
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
