"""The log of micro-batches: what the job writes, and what `status` makes of it."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from broker.commands.status_tables import duration, show
from broker.stream import batch_log
from broker.stream.batch_log import BATCH_LOG, TAIL_BYTES, job_report, lag_of, rates_per_s, read_batches

NOW_S = 2_000_000_000.0


def batch(number: int, ended_ago_s: float, seconds: float = 1.0, **other: Any) -> dict[str, Any]:
    return {
        "batch": number,
        "end_time": datetime.fromtimestamp(NOW_S - ended_ago_s, UTC).isoformat(),
        "alerts_in": 120,
        "alerts_out": 118,
        "dead_letters": 2,
        "seconds": seconds,
        "offsets": {"alerts": {"0": 40, "1": 60}},
        "model": "ab" * 32,
        "pid": os.getpid(),
        **other,
    }


def written(home: Path, *lines: str) -> None:
    (home / BATCH_LOG).parent.mkdir(exist_ok=True)
    (home / BATCH_LOG).write_text("".join(lines))


def test_what_the_job_appends_is_read(tmp_path: Path) -> None:
    batches = [batch(number, 10.0 - number) for number in range(3)]
    for one in batches:
        batch_log.append(tmp_path, one)
    assert read_batches(tmp_path) == batches


def test_a_long_log_is_renamed_and_a_new_one_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_log, "SIZE_LIMIT_BYTES", 20)
    for number in range(4):
        batch_log.append(tmp_path, {"batch": number, "seconds": 1.0})
    texts = [(tmp_path / BATCH_LOG).with_name(name).read_text() for name in ("progress.jsonl.1", "progress.jsonl")]
    kept = [json.loads(line)["batch"] for text in texts for line in text.splitlines()]
    assert kept == [2, 3]


def test_no_job_is_reported_where_none_ran(tmp_path: Path) -> None:
    assert read_batches(tmp_path) == []
    assert job_report([], {}, NOW_S) is None


def test_a_line_still_being_written_is_left_out(tmp_path: Path) -> None:
    written(tmp_path, json.dumps(batch(0, 2)) + "\n", json.dumps(batch(1, 1))[:50])
    assert [one["batch"] for one in read_batches(tmp_path)] == [0]


def test_of_a_long_file_the_end_is_read(tmp_path: Path) -> None:
    line = json.dumps(batch(0, 2)) + "\n"
    count = TAIL_BYTES // len(line) + 100
    written(tmp_path, *(json.dumps(batch(number, 2)) + "\n" for number in range(count)))
    batches = read_batches(tmp_path)
    assert batches[-1]["batch"] == count - 1
    assert 0 < len(batches) < count


def test_the_lag_counts_partitions_that_the_job_has_not_met() -> None:
    assert lag_of({"0": 40, "1": 60}, {0: 50, 1: 60, 2: 7}) == 10 + 0 + 7


def test_rates_are_over_the_last_minute() -> None:
    batches = [batch(0, 500), batch(1, 59.5), batch(2, 30), batch(3, 0)]
    assert rates_per_s(batches, NOW_S) == pytest.approx({"alerts_in": 6.0, "alerts_out": 5.9, "dead_letters": 0.1})


def test_rates_of_a_young_job_are_over_its_life() -> None:
    assert rates_per_s([batch(0, 2.0, seconds=8.0)], NOW_S)["alerts_in"] == pytest.approx(12.0)


def test_a_job_silent_for_a_minute_has_no_rate() -> None:
    assert set(rates_per_s([batch(0, 61)], NOW_S).values()) == {0.0}


def test_the_report_tells_lag_by_topic_and_the_last_micro_batch() -> None:
    report = job_report([batch(0, 2), batch(1, 1)], {"alerts": {0: 50, 1: 60}, "other": {0: 9}}, NOW_S)
    assert report is not None
    assert report["running"]
    assert report["batch"] == 1
    assert report["lag"] == {"alerts": 10}
    assert "offsets" not in report


def test_another_process_with_the_same_id_is_not_the_job() -> None:
    long_ago = datetime.fromtimestamp(1_000_000_000, UTC).isoformat()
    report = job_report([batch(0, 1, end_time=long_ago)], {}, NOW_S)
    assert report is not None
    assert not report["running"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(42, "42 s"), (301, "5 min"), (12_000, "3 h 20 min"), (187_300, "2 d 4 h")]
)
def test_a_duration_is_told_as_a_person_would(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_tables_show_what_the_report_holds() -> None:
    service = {"running": True, "local": True, "address": "127.0.0.1:20001", "pid": 7, "uptime_s": 301.0}
    stopped = {"running": False, "local": True, "address": "", "pid": None, "uptime_s": None}
    topics = [{"topic": "alerts", "kind": "input", "partitions": 2, "messages": 12_345}]
    job = job_report([batch(41, 1)], {"alerts": {0: 50, 1: 60}}, NOW_S)
    text = io.StringIO()
    report = {"home": "/home/star", "kafka": service, "redis": stopped, "topics": topics, "job": job}
    show(report, Console(file=text, width=120))
    for word in ("127.0.0.1:20001", "5 min", "not running", "12,345", "number 41", "10 messages", "/home/star"):
        assert word in text.getvalue()


def test_a_lag_that_is_not_known_is_not_told_as_none() -> None:
    stopped = {"running": False, "local": True, "address": "", "pid": None, "uptime_s": None}
    text = io.StringIO()
    report = {
        "home": "/h",
        "kafka": stopped,
        "redis": stopped,
        "topics": [],
        "job": job_report([batch(1, 1)], {}, NOW_S),
    }
    show(report, Console(file=text, width=120))
    assert "unknown: Kafka does not answer" in text.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        "{}",
        "[]",
        "null",
        "5",
        "\0\0\0",
        '{"batch": 1',
        json.dumps(batch(1, 5.0, offsets=[])),
        json.dumps(batch(1, 5.0, end_time=5)),
    ],
)
def test_a_damaged_line_is_left_out(tmp_path: Path, damage: str) -> None:
    good = json.dumps(batch(2, 5.0)) + "\n"
    written(tmp_path, damage + "\n", good, damage + "\n")
    assert read_batches(tmp_path) == [batch(2, 5.0)]
    written(tmp_path, damage + "\n")
    assert job_report(read_batches(tmp_path), {}, NOW_S) is None
