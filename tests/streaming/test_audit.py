"""The audit on a real Kafka: it finds what was lost and names it, and is not misled by what only looks like loss."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from broker.commands.audit import audit as audit_command
from broker.kafka import topics
from broker.operate.audit import LostRange, audit
from broker.settings import Settings
from broker.stream.sink import GueststarWriter
from tests.kafka_topics import Topic
from tests.streaming.sink_rows import alert_rows, dead_rows, routed

pytestmark = pytest.mark.services

MakeTopic = Callable[..., Topic]


def publish(settings: Settings, source: Topic, offsets: list[int], dead: list[int] = [], partition: int = 0) -> None:  # noqa: B006
    """The output of a job that read these offsets, in however many pieces."""
    batches = []
    for offset in offsets:
        rows = alert_rows(
            1, first=offset, input_topic=[source.name], input_partition=[partition], alert_id=[offset * 10 + partition]
        )
        batches.append(routed(rows, topics.classifications(settings)))
    for offset in dead:
        rows = dead_rows([b"?"], first=offset, input_topic=[source.name], input_partition=[partition])
        batches.append(routed(rows, topics.dead_letters(settings)))
    GueststarWriter(str(settings.home)).write(iter(batches))


def commit_checkpoint(settings: Settings, source: Topic, ends: dict[str, int]) -> None:
    """A checkpoint as Spark leaves it after two batches, of which the first is committed."""
    for folder in ("offsets", "commits"):
        (settings.home / "checkpoint" / folder).mkdir(parents=True)
    for batch, partitions in enumerate((ends, dict.fromkeys(ends, 10**6))):
        offset = {"topics": {source.name: {"id": "x", "partitions": partitions}}, "model": "5e", "tasks": 1}
        text = f'v1\n{{"batchWatermarkMs":0}}\n{json.dumps(offset)}'
        (settings.home / "checkpoint" / "offsets" / str(batch)).write_text(text)
    (settings.home / "checkpoint" / "commits" / "0").write_text('v1\n{"nextBatchWatermarkMs":0}')


def of(settings: Settings, source: Topic) -> Settings:
    return settings.model_copy(update={"input_topics": [source.name]})


def test_all_there(settings: Settings, topic: MakeTopic) -> None:
    source = topic(partitions=2)
    source.produce([b"m"] * 10, partition=0)
    source.produce([b"m"] * 4, partition=1)
    publish(settings, source, list(range(8)), dead=[8, 9])
    publish(settings, source, list(range(4)), partition=1)
    report = audit(of(settings, source))
    assert (report.alerts_in, report.alerts_out, report.dead_letters) == (14, 12, 2)
    assert (report.lost, report.duplicates, report.pending) == (0, 0, 0)


def test_what_was_lost_is_named(settings: Settings, topic: MakeTopic) -> None:
    source = topic(partitions=2)
    source.produce([b"m" * 70_000] * 30, partition=1)
    kept = [offset for offset in range(30) if offset not in (3, 11, 12, 13, 29)]
    publish(settings, source, kept, partition=1)
    report = audit(of(settings, source))
    assert report.lost == 5
    assert report.lost_ranges == [
        LostRange(source.name, 1, 3, 3),
        LostRange(source.name, 1, 11, 13),
        LostRange(source.name, 1, 29, 29),
    ]
    assert report.lost_offsets(2) == [(source.name, 1, 3), (source.name, 1, 11)]
    assert report.alerts_in == 30


def test_repeats_are_duplicates_and_nothing_else(settings: Settings, topic: MakeTopic) -> None:
    source = topic(partitions=1)
    source.produce([b"m"] * 6)
    publish(settings, source, list(range(5)), dead=[5])
    publish(settings, source, list(range(3)), dead=[5])
    report = audit(of(settings, source))
    assert (report.alerts_in, report.alerts_out, report.dead_letters) == (6, 5, 1)
    assert (report.lost, report.duplicates) == (0, 3)
    assert (report.done_again, report.twice_in_input) == (3, 0)


def test_transaction_markers_are_no_loss(settings: Settings, topic: MakeTopic) -> None:
    source = topic(partitions=1)
    producer = Producer({**source.client, "transactional.id": uuid.uuid4().hex})
    producer.init_transactions(30)
    for transaction in range(4):
        producer.begin_transaction()
        for _ in range(3):
            producer.produce(source.name, b"m" * 1000, partition=0)
        producer.flush()
        if transaction == 2:
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    assert source.ends() == [16], "four transactions of three messages, each with a marker"
    publish(settings, source, [0, 1, 2, 4, 6, 12, 13, 14])
    report = audit(of(settings, source))
    assert report.lost_ranges == [LostRange(source.name, 0, 5, 5)], "markers and the aborted are no messages"
    assert report.alerts_in == 9


def test_what_the_job_has_not_passed_is_pending(settings: Settings, topic: MakeTopic) -> None:
    source = topic(partitions=2)
    source.produce([b"m"] * 10, partition=0)
    source.produce([b"m"] * 5, partition=1)
    publish(settings, source, [0, 1, 3, 4, 6])
    commit_checkpoint(settings, source, {"0": 5})
    report = audit(of(settings, source))
    assert report.lost_ranges == [LostRange(source.name, 0, 2, 2)]
    assert report.pending == 4 + 5, "offsets 5, 7, 8, 9 of one partition and all of the other"
    assert report.alerts_in == 6


def test_an_audit_since_a_time(settings: Settings, topic: MakeTopic) -> None:
    source = topic(partitions=1, retention_ms="-1")
    source.produce([b"m"] * 4, timestamp_ms=1_000_000_000_000)
    source.produce([b"m"] * 4, timestamp_ms=1_500_000_000_000)
    publish(settings, source, [5, 6])
    assert audit(of(settings, source), since_ms=900_000_000_000).lost == 6
    recent = audit(of(settings, source), since_ms=1_200_000_000_000)
    assert recent.lost_ranges == [LostRange(source.name, 0, 4, 4), LostRange(source.name, 0, 7, 7)]


def test_the_command_names_the_lost_and_fails(settings: Settings, topic: MakeTopic) -> None:
    source = topic(partitions=1)
    source.produce([b"m"] * 3)
    publish(settings, source, [0, 2])
    arguments = ["--home", str(settings.home), "--input-topics", source.name]
    result = CliRunner().invoke(audit_command, [*arguments, "--json"])
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert {name: report[name] for name in ("alerts_in", "alerts_out", "dead_letters", "lost", "duplicates")} == {
        "alerts_in": 3, "alerts_out": 2, "dead_letters": 0, "lost": 1, "duplicates": 0,
    }  # fmt: skip
    assert report["lost_offsets"] == [{"topic": source.name, "partition": 0, "offset": 1}]
    publish(settings, source, [1])
    result = CliRunner().invoke(audit_command, arguments)
    assert result.exit_code == 0, result.output
    assert "0  lost" in result.stdout


def test_a_mistyped_prefix_is_told(settings: Settings, topic: MakeTopic, monkeypatch: pytest.MonkeyPatch) -> None:
    source = topic(partitions=1)
    source.produce([b"m"] * 2)
    publish(settings, source, [0, 1])
    monkeypatch.setenv("GUESTSTAR_INPUT_TOPICS", source.name)
    done = CliRunner().invoke(audit_command, ["--topic-prefix", "mistyped", "--json"])
    assert done.exit_code == 1
    assert done.stderr == "gueststar: there is no topic mistyped.classifications: is its name right?\n"
    assert json.loads(done.stdout)["missing_topics"] == ["mistyped.classifications"]
    assert CliRunner().invoke(audit_command, []).stderr == ""
