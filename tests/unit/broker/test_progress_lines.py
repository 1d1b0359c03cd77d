"""Where no bar can be drawn, lines say how far work is, and that it still goes on."""

from __future__ import annotations

from broker.progress_lines import progress_lines
from tests.waiting import wait_for


def test_work_that_stands_is_told_again_and_again() -> None:
    lines: list[str] = []
    with progress_lines(lines.append, every_s=0.01) as progress:
        progress("learning", 2, 4)
        wait_for(lambda: len(lines) > 2, 20, "some lines")
        progress("metrics", 1_000, 2_000)
        wait_for(lambda: lines[-1].startswith("metrics"), 20, "a line on the next stage")
        progress("starting Spark", 0, 1)
        wait_for(lambda: lines[-1].startswith("starting Spark … after"), 20, "a line on what has no parts")
    assert lines[0].startswith("learning: 2 of 4 done after 0 s")
    assert any(line.startswith("metrics: 1,000 of 2,000 done after") for line in lines)
    written = len(lines)
    with progress_lines(lines.append, every_s=60) as progress:
        progress("short", 0, 1)
    assert len(lines) == written, "work that ends soon writes nothing"
