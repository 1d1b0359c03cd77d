"""Labels, requests and packets in a real Kafka."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from active_learning import labels, requests
from active_learning.message_log import NotSaved
from active_learning.packet_fetch import PacketGone, packet_at
from broker.settings import Settings
from tests.kafka_topics import Topic
from tests.waiting import wait_for

pytestmark = pytest.mark.services
RequestOf = Callable[..., dict[str, Any]]


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid4().hex[:10]}"


def test_what_is_saved_is_read_back_in_order(services: Settings, prefix: str, request_of: RequestOf) -> None:
    client = services.kafka_client()
    with labels.log_of(client, prefix) as log:
        assert log.read() == []
        records = [labels.label_of(request_of(i % 3 + 1), 2222 + i % 2, "ada", i) for i in range(20)]
        for record in records:
            ((_, offset),) = log.append([record])
            assert offset >= 0
        assert [stored.record for stored in log.read()] == records
    held = labels.answers(stored.record for stored in labels.log_of(client, prefix).read())
    assert {object_id: answer.label_ids for object_id, answer in held.items()} == {
        i: [[r for r in records if r["object_id"] == i][-1]["label_id"]] for i in (1, 2, 3)
    }


def test_labels_are_kept_for_ever(services: Settings, prefix: str, request_of: RequestOf) -> None:
    client = services.kafka_client()
    with labels.log_of(client, prefix) as log:
        log.append([labels.label_of(request_of(1), 2222, "ada", 1)])
    resource = ConfigResource(ResourceType.TOPIC, f"{prefix}.labels")
    admin = AdminClient(client)
    config = admin.describe_configs([resource])[resource].result(30)
    assert (config["retention.ms"].value, config["cleanup.policy"].value) == ("-1", "delete")


def test_requests_are_published_and_open_until_answered(services: Settings, prefix: str, request_of: RequestOf) -> None:
    client = services.kafka_client()
    with requests.log_of(client, prefix) as asked, labels.log_of(client, prefix) as answered:
        asked.append([request_of(i) for i in (1, 2, 3)])
        answered.append([labels.label_of(request_of(2), 2243, "ada", 5)])
        held = labels.answers(stored.record for stored in answered.read())
        still_open = requests.unanswered((stored.record for stored in asked.read()), held)
    assert [request["object_id"] for request in still_open] == [1, 3]


def test_other_messages_in_the_topic_are_passed_over(
    services: Settings, prefix: str, request_of: RequestOf, caplog: pytest.LogCaptureFixture
) -> None:
    client = services.kafka_client()
    with labels.log_of(client, prefix) as log:
        label = labels.label_of(request_of(1), 2222, "ada", 1)
        log.append([label])
        Topic(log.topic, 1, client).produce([b"not a message", None])
        log.append([undo := labels.undo_of(label, "ada", 2)])
        assert [stored.record for stored in log.read()] == [label, undo]
    assert caplog.text.count("is passed over") == 4 - 2


def test_without_an_acknowledgement_the_label_is_not_saved(request_of: RequestOf) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        client = {"bootstrap.servers": f"127.0.0.1:{nobody.getsockname()[1]}", "log_level": "0"}
        with labels.log_of(client, "none", timeout_s=1.0) as log, pytest.raises(NotSaved, match="label is NOT saved"):
            log.append([labels.label_of(request_of(1), 2222, "ada", 1)])


def test_a_label_that_kafka_refuses_is_not_saved(
    services: Settings, topic: Callable[..., Topic], request_of: RequestOf, prefix: str
) -> None:
    topic(partitions=1, name=f"{prefix}.labels", max_message_bytes="300")
    with labels.log_of(services.kafka_client(), prefix, timeout_s=5.0) as log:
        with pytest.raises(NotSaved, match="NOT saved"):
            log.append([labels.label_of(request_of(1), 2222, "ada", 1, comment="a long comment " * 99)])
        assert log.read() == []


def test_a_packet_is_read_where_it_lies(services: Settings, topic: Callable[..., Topic]) -> None:
    alerts = topic(partitions=2)
    alerts.produce([f"packet {i}".encode() for i in range(30)], partition=1)
    client = services.kafka_client()
    assert packet_at(client, alerts.name, 1, 0) == b"packet 0"
    assert packet_at(client, alerts.name, 1, 17) == b"packet 17"
    with pytest.raises(LookupError, match="ends before offset 30"):
        packet_at(client, alerts.name, 1, 30)
    with pytest.raises(LookupError, match="no partition 2"):
        packet_at(client, alerts.name, 2, 0)
    with pytest.raises(LookupError, match="Kafka has no partition 0 of a topic test-none"):
        packet_at(client, "test-none", 0, 0)


def test_a_packet_that_retention_removed_says_so(services: Settings, topic: Callable[..., Topic]) -> None:
    from confluent_kafka import TopicPartition

    alerts = topic(partitions=1)
    alerts.produce([b"packet"] * 10, partition=0)
    client = services.kafka_client()
    admin = AdminClient(client)
    for future in admin.delete_records([TopicPartition(alerts.name, 0, 6)]).values():
        future.result(30)

    def removed() -> bool:
        try:
            packet_at(client, alerts.name, 0, 3)
        except PacketGone as gone:
            return "it now starts at 6" in str(gone)
        return False

    wait_for(removed, 10, "Kafka to remove the first packets")
    assert packet_at(client, alerts.name, 0, 6) == b"packet"
