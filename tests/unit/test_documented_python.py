"""Python blocks of the pages run as they stand; those that need a broker run after the demonstration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documentation import blocks, pages
from tests.streaming.small_models import wire_messages

NEEDS_BROKER = "from broker import client"

BLOCKS = [(page.name, code) for page in pages() for code in blocks(page, "python")]


def test_there_are_blocks() -> None:
    assert {"packets.md", "gaussian-process.md", "tutorial.md"} <= {name for name, _ in BLOCKS}


@pytest.mark.parametrize(("name", "code"), [block for block in BLOCKS if NEEDS_BROKER not in block[1]])
def test_a_block_runs(name: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder with alerts in ``alerts/``, as the pages say."""
    (tmp_path / "alerts").mkdir()
    for number, message in enumerate(wire_messages(3)):
        (tmp_path / "alerts" / f"{number}.avro").write_bytes(message)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, name, "exec"), {"__name__": name})
