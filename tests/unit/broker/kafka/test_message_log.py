"""Labels, requests and packets in a real Kafka."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from active_learning import labels, requests
from broker.kafka import clients, topics
from broker.kafka.errors import NotStored
from broker.kafka.message_log import labels_log, requests_log
from broker.settings import Settings
from tests.kafka_topics import Topic

pytestmark = pytest.mark.services
RequestOf = Callable[..., dict[str, Any]]


@pytest.fixture
def sky(services: Settings) -> Settings:
    """Settings of the session's Kafka, with topics of the test's own."""
    return services.model_copy(
        update={"kafka_bootstrap_servers": services.bootstrap_servers(), "topic_prefix": f"test-{uuid4().hex[:10]}"}
    )


def test_what_is_saved_is_read_back_in_order(sky: Settings, request_of: RequestOf) -> None:
    with labels_log(sky) as log:
        assert log.read() == []
        records = [labels.label_of(request_of(i % 3 + 1), 2222 + i % 2, "ada", i) for i in range(20)]
        for record in records:
            ((_, offset),) = log.append([record])
            assert offset >= 0
        assert [stored.record for stored in log.read()] == records
    held = labels.answers(stored.record for stored in labels_log(sky).read())
    assert {object_id: answer.label_ids for object_id, answer in held.items()} == {
        i: [[r for r in records if r["object_id"] == i][-1]["label_id"]] for i in (1, 2, 3)
    }


def test_labels_are_kept_for_ever(sky: Settings, request_of: RequestOf) -> None:
    with labels_log(sky) as log:
        log.append([labels.label_of(request_of(1), 2222, "ada", 1)])
    resource = ConfigResource(ResourceType.TOPIC, topics.labels(sky))
    admin = AdminClient(clients.connection(sky))
    config = admin.describe_configs([resource])[resource].result(30)
    assert (config["retention.ms"].value, config["cleanup.policy"].value) == ("-1", "delete")


def test_requests_are_published_and_open_until_answered(sky: Settings, request_of: RequestOf) -> None:
    with requests_log(sky) as asked, labels_log(sky) as answered:
        asked.append([request_of(i) for i in (1, 2, 3)])
        answered.append([labels.label_of(request_of(2), 2243, "ada", 5)])
        held = labels.answers(stored.record for stored in answered.read())
        still_open = requests.unanswered((stored.record for stored in asked.read()), held)
    assert [request["object_id"] for request in still_open] == [1, 3]


def test_other_messages_in_the_topic_are_passed_over(
    sky: Settings, request_of: RequestOf, caplog: pytest.LogCaptureFixture
) -> None:
    with labels_log(sky) as log:
        label = labels.label_of(request_of(1), 2222, "ada", 1)
        log.append([label])
        Topic(log.topic, 1, clients.connection(sky)).produce([b"not a message", None])
        log.append([undo := labels.undo_of(label, "ada", 2)])
        assert [stored.record for stored in log.read()] == [label, undo]
    assert caplog.text.count("is passed over") == 4 - 2


def test_without_an_acknowledgement_the_label_is_not_saved(request_of: RequestOf) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        nowhere = Settings(kafka_bootstrap_servers=f"127.0.0.1:{nobody.getsockname()[1]}")
        with labels_log(nowhere, timeout_s=1.0) as log, pytest.raises(NotStored, match="label is NOT saved") as raised:
            log.append([labels.label_of(request_of(1), 2222, "ada", 1)])
    assert nowhere.kafka_bootstrap_servers in str(raised.value)
    assert "Connection refused" in str(raised.value)


def test_a_label_that_kafka_refuses_is_not_saved(
    sky: Settings, topic: Callable[..., Topic], request_of: RequestOf
) -> None:
    topic(partitions=1, name=topics.labels(sky), max_message_bytes="300")
    with labels_log(sky, timeout_s=5.0) as log:
        with pytest.raises(NotStored, match="NOT saved"):
            log.append([labels.label_of(request_of(1), 2222, "ada", 1, comment="a long comment " * 99)])
        assert log.read() == []
