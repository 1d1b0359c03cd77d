"""Topics of the test session's Kafka: made, filled and read."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from broker.kafka import clients
from broker.settings import Settings
from tests.waiting import wait_for


@dataclass(frozen=True)
class Topic:
    """One topic of a running Kafka, and what a test does with it."""

    name: str
    partitions: int
    client: dict[str, str]

    def produce(
        self,
        values: Iterable[bytes | None],
        *,
        partition: int | None = None,
        keys: Iterable[bytes] | None = None,
        timestamp_ms: int | None = None,
    ) -> None:
        """Send the values and wait until Kafka has them all; without `partition`, dealt to the partitions in turn."""
        failures: list[str] = []

        def delivered(error: object, _: Message) -> None:
            if error is not None:
                failures.append(str(error))

        producer = Producer(self.client | {"acks": "all", "message.max.bytes": "16777216", "linger.ms": "5"})
        names = iter(keys) if keys is not None else None
        for number, value in enumerate(values):
            where = {"partition": number % self.partitions if partition is None else partition}
            when = {} if timestamp_ms is None else {"timestamp": timestamp_ms}
            key = next(names) if names is not None else None
            while True:
                try:
                    producer.produce(self.name, value=value, key=key, on_delivery=delivered, **where, **when)
                    break
                except BufferError:
                    producer.poll(0.1)
        left = producer.flush(60)
        assert (left, failures) == (0, []), f"{left} messages undelivered to {self.name}, {failures[:3]}"

    def consume(self, deadline_s: float = 60.0) -> list[Message]:
        """All messages from each partition's beginning to its end as of now, by offset within each partition."""
        consumer = Consumer(self.client | {"group.id": "test", "enable.auto.commit": "false"})
        ranges = self._ranges(consumer)
        unread = {partition for partition, (start, end) in enumerate(ranges) if end > start}
        consumer.assign([TopicPartition(self.name, partition, ranges[partition][0]) for partition in unread])
        gathered: list[Message] = []
        stop = time.monotonic() + deadline_s
        while unread:
            for message in consumer.consume(500, timeout=0.2):
                if message.error() is None and message.offset() < ranges[message.partition()][1]:
                    gathered.append(message)
            # By position, not by count: some offsets hold no message.
            positions = consumer.position(consumer.assignment())
            unread = {at.partition for at in positions if at.offset < ranges[at.partition][1]}
            assert time.monotonic() < stop, f"could not read partitions {unread} of {self.name} in {deadline_s:g} s"
        consumer.close()
        return gathered

    def ends(self) -> list[int]:
        """The end offset of every partition."""
        consumer = Consumer(self.client | {"group.id": "test"})
        ranges = self._ranges(consumer)
        consumer.close()
        return [end for _, end in ranges]

    def _ranges(self, consumer: Consumer) -> list[tuple[int, int]]:
        places = [TopicPartition(self.name, partition) for partition in range(self.partitions)]
        return [wait_for(lambda place=place: _limits(consumer, place), 30, f"a leader of {place}") for place in places]

    def delete(self) -> None:
        """Delete the topic, if it is there, and wait until Kafka says so."""
        admin = AdminClient(self.client)
        if self.name not in admin.list_topics(timeout=10).topics:
            return
        for future in admin.delete_topics([self.name], operation_timeout=30).values():
            future.result()

    def add_partitions(self, total: int) -> Topic:
        """The same topic with more partitions."""
        admin = AdminClient(self.client)
        for future in admin.create_partitions([NewPartitions(self.name, total)]).values():
            future.result()
        return Topic(self.name, total, self.client)


def _limits(consumer: Consumer, place: TopicPartition) -> tuple[int, int] | None:
    """First and end offset; None while the partition has no leader, as after a start of Kafka."""
    try:
        low, high = consumer.get_watermark_offsets(place, timeout=30)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION:
            raise
        return None
    return low, high


def create_topic(settings: Settings, partitions: int = 2, name: str = "", **config: str) -> Topic:
    """Make a topic, of a unique name unless one is given, and wait for its leaders. `config`: retention_ms="1000" …"""
    client = clients.connection(settings)
    name = name or f"test-{uuid.uuid4().hex[:12]}"
    admin = AdminClient(client)
    options = {key.replace("_", "."): value for key, value in config.items()}
    for future in admin.create_topics([NewTopic(name, partitions, 1, config=options)], operation_timeout=30).values():
        future.result()

    def has_leaders() -> bool:
        listed = admin.list_topics(name, timeout=10).topics[name].partitions
        return len(listed) == partitions and all(p.leader >= 0 for p in listed.values())

    wait_for(has_leaders, 30, f"leaders of topic {name}")
    return Topic(name, partitions, client)
