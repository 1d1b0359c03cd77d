"""The page of the features is the catalogue's."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from features.blocks import BLOCKS
from features.catalogue import CATALOGUE

DOCS = Path(__file__).resolve().parents[3] / "docs"
PICTURE_BYTES = 80_000


def test_the_table_is_up_to_date() -> None:
    script = runpy.run_path(str(DOCS / "features" / "table.py"))
    page = (DOCS / "features.md").read_text()
    assert script["with_table"](page) == page, "run `python docs/features/table.py`"


def test_every_picture_is_there_and_small() -> None:
    named = re.findall(r"\]\((features/[\w-]+\.png)\)", (DOCS / "features.md").read_text())
    assert len(named) >= 5
    for name in named:
        assert 5_000 < (DOCS / name).stat().st_size < PICTURE_BYTES


def test_every_block_has_a_cost() -> None:
    assert all(block.cost_us > 0 for block in BLOCKS)


def test_a_hundred_features_without_context_and_repetition_by_band() -> None:
    families = {re.sub(r"_[ugrizy](_[ugrizy])?(?=_|$)", "", f.name) for f in CATALOGUE if f.block != "context"}
    assert len(families) >= 100
