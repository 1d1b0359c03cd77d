"""Dead letters on a real Kafka: counted by reason, and sent again byte by byte."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from broker.commands.deadletters import deadletters
from broker.kafka import topics
from broker.settings import Settings
from broker.stream.sink import GueststarWriter
from tests.kafka_topics import Topic
from tests.streaming.sink_rows import alert_rows, dead_rows, routed

pytestmark = pytest.mark.services

MakeTopic = Callable[..., Topic]


def bury(settings: Settings, source: Topic, payloads: list[bytes], **replaced: object) -> None:
    rows = dead_rows(payloads, input_topic=[source.name] * len(payloads), **replaced)
    GueststarWriter(str(settings.home)).write(iter([routed(rows, topics.dead_letters(settings))]))


def run(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(deadletters, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    report: dict[str, object] = json.loads(result.stdout)
    return report


def test_no_dead_letters(settings: Settings) -> None:
    assert run("list") == {"count": 0, "by_reason": {}, "groups": []}
    assert run("replay") == {"count": 0, "by_reason": {}, "gone": []}


def test_letters_are_counted_by_stage_and_reason(settings: Settings, topic: MakeTopic) -> None:
    source = topic(partitions=1)
    reasons = ["too short", "too short", "no point", "too short"]
    stages = ["decode", "decode", "light curve", "score"]
    for _ in range(2):  # a batch done again counts once
        bury(settings, source, [b"a", b"b", b"c", b"d"], dead_reason=reasons, dead_stage=stages)
    report = run("list")
    assert (report["count"], report["by_reason"]) == (4, {"too short": 3, "no point": 1})
    assert report["groups"] == [
        {"stage": "decode", "reason": "too short", "count": 2, "example": f"{source.name}:0:0"},
        {"stage": "light curve", "reason": "no point", "count": 1, "example": f"{source.name}:0:2"},
        {"stage": "score", "reason": "too short", "count": 1, "example": f"{source.name}:0:3"},
    ]
    assert run("list", "--stage", "decode")["count"] == 2
    assert run("list", "--reason", "POINT")["by_reason"] == {"no point": 1}


@pytest.mark.parametrize("command", ["list", "replay"])
def test_a_stage_that_is_none_is_refused_with_those_there_are(command: str) -> None:
    result = CliRunner().invoke(deadletters, [command, "--stage", "foo"])
    assert result.exit_code == 2
    assert "'foo' is not one of 'fetch', 'decode', 'light curve', 'features', 'score', 'deliver'" in result.output


def test_reasons_that_differ_in_numbers_are_one(settings: Settings, topic: MakeTopic) -> None:
    source = topic(partitions=1)
    reasons = [
        "the block at byte 18,549 ends with 0f104f5488f2",
        "the block at byte 7 ends with 36206aaa1a4d",
        "at 3.5",
    ]
    bury(settings, source, [b"a", b"b", b"c"], dead_reason=reasons)
    assert run("list")["by_reason"] == {"the block at byte # ends with #": 2, "at 3.5": 1}


def test_the_original_bytes_go_again_once(settings: Settings, topic: MakeTopic) -> None:
    source = topic(partitions=1)
    payloads = [b"\x00\x01", bytes(100_000), b"\xff"]
    source.produce(payloads)
    bury(settings, source, payloads, dead_reason=["old schema", "old schema", "other"])
    assert run("replay", "--reason", "schema", "--yes")["count"] == 2
    again = source.consume()[3:]
    assert sorted(message.value() or b"" for message in again) == sorted(payloads[:2])
    headers = {value for message in again for _, value in message.headers() or []}
    assert headers == {f"{source.name}:0:0".encode(), f"{source.name}:0:1".encode()}
    assert run("replay", "--yes")["count"] == 1, "what went before does not go twice"
    assert run("replay", "--yes", "--again")["count"] == 3
    assert len(source.consume()) == 3 + 2 + 1 + 3


def test_bytes_that_the_letter_lacks_come_from_the_input_topic(settings: Settings, topic: MakeTopic) -> None:
    source = topic(partitions=2)
    source.produce([b"first", b"second"], partition=1, keys=[b"k1", b"k2"])
    rows = alert_rows(1, first=1, band=[None], input_topic=[source.name], input_partition=[1])
    GueststarWriter(str(settings.home)).write(iter([routed(rows, topics.classifications(settings))]))
    bury(settings, source, [b"cut"], first=77, payload_length=[5_000_000])
    report = run("replay", "--yes")
    assert (report["count"], report["gone"]) == (1, [f"{source.name}:0:77"])
    (again,) = source.consume()[2:]
    assert (again.key(), again.value()) == (b"k2", b"second")


def test_it_asks_before_it_sends(settings: Settings, topic: MakeTopic) -> None:
    source = topic(partitions=1)
    bury(settings, source, [b"a", b"b"])
    result = CliRunner().invoke(deadletters, ["replay"])
    assert result.exit_code == 1
    assert "2 messages would be sent again: add --yes" in result.output
    assert source.ends() == [0]
