"""Names and settings of the output topics."""

from __future__ import annotations

import re

import pytest

from broker.kafka import topics
from broker.settings import Settings
from schemas.taxonomy import NOT_CLASSIFIED, TAXONOMY, leaves


@pytest.fixture
def settings() -> Settings:
    return Settings(topic_prefix="sky")


def test_every_topic_is_under_the_prefix_and_a_name_kafka_takes(settings: Settings) -> None:
    names = topics.all_topics(settings, {"mine": "is_strange"})
    assert len(names) == len(set(names)) == 9 + len(leaves()) + 1
    for name in names:
        assert re.fullmatch(r"sky\.[a-z0-9._-]{1,200}", name)
    assert "sky.filter.mine" in names
    short = (
        "classifications",
        "strange",
        "novel",
        "sample",
        "deadletters",
        "requests",
        "labels",
        "votes",
        "selections",
    )
    assert {f"sky.{name}" for name in short} < set(names)


def test_a_class_has_a_topic_of_its_own(settings: Settings) -> None:
    named = {topics.of_class(settings, class_id) for class_id in TAXONOMY}
    assert len(named) == len(TAXONOMY)
    assert topics.of_class(settings, 2222) == "sky.class.ia"
    assert topics.of_class(settings, 987) == topics.of_class(settings, NOT_CLASSIFIED)


@pytest.mark.parametrize("name", ["labels", "votes", "novel", "selections"])
def test_logs_are_kept_for_ever(settings: Settings, name: str) -> None:
    kept = topics.configuration(settings, f"sky.{name}")
    assert (kept["retention.ms"], kept["retention.bytes"], kept["cleanup.policy"]) == ("-1", "-1", "delete")
    assert "retention.ms" not in topics.configuration(settings, "sky.sample")


def test_the_largest_packet_fits_in_a_dead_letter(settings: Settings) -> None:
    limit = int(topics.configuration(settings, "sky.deadletters")["max.message.bytes"])
    assert limit > settings.packet_size_limit_bytes + 10_000
