"""Which commands are at work in a home is told by locks, which end with their holder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broker.local.at_work import FOLDER, Worker, at_work, others_at_work

WORKS_UNTIL_ITS_INPUT_ENDS = """
import sys
from pathlib import Path
from broker.local.at_work import at_work
with at_work(Path(sys.argv[1]), "label"):
    print("works", flush=True)
    sys.stdin.read()
"""


@contextmanager
def page(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", WORKS_UNTIL_ITS_INPUT_ENDS, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"works\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_home_that_nobody_uses(tmp_path: Path) -> None:
    assert others_at_work(tmp_path / "absent") == []
    with at_work(tmp_path, "demo"):
        assert others_at_work(tmp_path) == [], "oneself does not count"
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_every_command_at_work_is_named_with_its_process(tmp_path: Path) -> None:
    with page(tmp_path) as one, page(tmp_path) as other:
        assert sorted(others_at_work(tmp_path)) == sorted([Worker("label", one.pid), Worker("label", other.pid)])
        assert one.stdin is not None
        one.stdin.close()
        one.wait(30)
        assert others_at_work(tmp_path) == [Worker("label", other.pid)]


def test_a_killed_command_is_not_at_work(tmp_path: Path) -> None:
    with page(tmp_path) as process:
        process.kill()
        process.wait(30)
    assert [file.name for file in (tmp_path / FOLDER).iterdir()] == [f"label-{process.pid}"], "it left its file"
    assert others_at_work(tmp_path) == []
