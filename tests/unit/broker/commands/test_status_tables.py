"""What `gueststar status` prints."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from broker.commands import status_tables
from broker.kafka import topics
from broker.operate.status import kind_of
from broker.settings import Settings


def printed(held: dict[str, int], home: str = "/home", **kafka: Any) -> str:
    """The text for a Kafka with these topics and their numbers of messages."""
    settings = Settings(topic_prefix="sky", input_topics=["alerts"])
    service = {"running": True, "local": True, "address": "127.0.0.1:1", "pid": 1, "uptime_s": 1.0}
    report = {
        "home": home,
        "kafka": service | kafka,
        "redis": service,
        "topics": [
            {"topic": name, "kind": kind_of(settings, name), "partitions": 4, "messages": held[name]}
            for name in sorted(held)
        ],
        "job": None,
    }
    text = io.StringIO()
    status_tables.show(report, Console(file=text, width=120))
    return text.getvalue()


def test_topics_with_messages_and_inputs_come_first_and_empty_classes_are_one_line() -> None:
    names = topics.all_topics(Settings(topic_prefix="sky"), {"mine": "is_strange"})
    text = printed(dict.fromkeys([*names, "alerts", "zzz"], 0) | {"sky.novel": 7, "sky.class.ia": 5, "zzz": 1})
    rows = [line.split()[1] for line in text.splitlines() if line.startswith("│") and "127.0.0.1" not in line]
    assert rows[:4] == ["alerts", "sky.class.ia", "sky.novel", "zzz"]
    assert set(rows[4:]) == {*topics.fixed(Settings(topic_prefix="sky")), "sky.filter.mine"} - {"sky.novel"}
    classes = [name for name in names if name.startswith("sky.class.")]
    assert f"{len(classes) - 1} class topics are empty" in text


def test_one_empty_class_is_one() -> None:
    assert "1 class topic is empty" in printed({"sky.class.ia": 0, "sky.novel": 0})
    assert "class topic" not in printed({"sky.class.ia": 1})


def test_why_kafka_does_not_answer_is_told() -> None:
    assert "no TLS connection to Kafka" in printed({}, running=False, why="no TLS connection to Kafka at a:1 [x]")


def test_a_home_is_no_markup_and_steers_no_terminal() -> None:
    text = printed({}, home="/a[b]c/[/x]\x1b[31m:cat:", why="at [red]")
    assert "/a[b]c/[/x]\\u001b[31m:cat:" in text
    assert "at [red]" in text
