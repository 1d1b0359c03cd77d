"""How far the job has come, by Spark's checkpoint, and a checkpoint that is damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broker.operate.checkpoint import committed
from broker.settings import Settings

OFFSET = json.dumps({"topics": {"alerts": {"id": "x", "partitions": {"0": 5}}}, "model": "5e", "tasks": 1})


def home_with(folder: Path, text: str) -> Settings:
    """A home whose job has committed one batch, with this text as its offsets."""
    for name, content in (("offsets", text), ("commits", "v1\n{}")):
        (folder / "checkpoint" / name).mkdir(parents=True)
        (folder / "checkpoint" / name / "0").write_text(content)
    return Settings(home=folder)


@pytest.mark.parametrize("last", [OFFSET, json.dumps(OFFSET)])
def test_the_offsets_of_the_last_committed_batch(tmp_path: Path, last: str) -> None:
    assert committed(home_with(tmp_path, f"v1\n{{}}\n{last}")) == {"alerts": {0: 5}}


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert committed(Settings(home=tmp_path)) is None


@pytest.mark.parametrize(
    "text", ["", OFFSET[:40], "v1\n{}\n[]", "\0\0", 'v1\n{"topics":{"alerts":{}}}', OFFSET.replace("5}", '"x"}')]
)
def test_a_damaged_checkpoint_is_named_and_not_taken_for_an_empty_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=rf"^{tmp_path}/checkpoint/offsets/0 is damaged: .* Restore it from a copy"):
        committed(home_with(tmp_path, text))


def test_a_source_of_files_has_no_offsets_in_kafka(tmp_path: Path) -> None:
    assert committed(home_with(tmp_path, 'v1\n{}\n{"logOffset":0}')) == {}
