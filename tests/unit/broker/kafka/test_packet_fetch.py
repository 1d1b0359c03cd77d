"""A packet read again from a real Kafka."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from broker.kafka import clients
from broker.kafka.errors import PacketGone
from broker.kafka.packet_fetch import packet_at
from broker.settings import Settings
from tests.kafka_topics import Topic
from tests.waiting import wait_for

pytestmark = pytest.mark.services


def test_a_packet_is_read_where_it_lies(services: Settings, topic: Callable[..., Topic]) -> None:
    alerts = topic(partitions=2)
    alerts.produce([f"packet {i}".encode() for i in range(30)], partition=1)
    assert packet_at(services, alerts.name, 1, 0) == b"packet 0"
    assert packet_at(services, alerts.name, 1, 17) == b"packet 17"
    with pytest.raises(LookupError, match="ends before offset 30"):
        packet_at(services, alerts.name, 1, 30)
    with pytest.raises(LookupError, match="no partition 2"):
        packet_at(services, alerts.name, 2, 0)
    with pytest.raises(LookupError, match="Kafka has no partition 0 of a topic test-none"):
        packet_at(services, "test-none", 0, 0)


def test_a_packet_that_retention_removed_says_so(services: Settings, topic: Callable[..., Topic]) -> None:
    alerts = topic(partitions=1)
    alerts.produce([b"packet"] * 10, partition=0)
    admin = AdminClient(clients.connection(services))
    for future in admin.delete_records([TopicPartition(alerts.name, 0, 6)]).values():
        future.result(30)

    def removed() -> bool:
        try:
            packet_at(services, alerts.name, 0, 3)
        except PacketGone as gone:
            return "it now starts at 6" in str(gone)
        return False

    wait_for(removed, 10, "Kafka to remove the first packets")
    assert packet_at(services, alerts.name, 0, 6) == b"packet"
