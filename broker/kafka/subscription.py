"""A topic as a subscriber reads it: on and on from given offsets, alone or as one of a group that shares it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from broker.kafka import clients, reading
from broker.kafka.outage import Outage
from broker.settings import Settings

_TIMEOUT_S = 15.0

_POLL_S = 0.5
"""Short, so that Ctrl-C is heard."""

_FINAL = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError._AUTHENTICATION,
)
"""Codes of errors that waiting does not mend."""


class Subscription:
    """The messages of a topic from ``start`` (offset by partition) on; without ``wait`` to the ends that it has.

    With a ``group`` Kafka keeps what was noted as read, and shares the topic's partitions among the group's members
    whenever one comes or goes; then the end is that of the partitions that are ours.
    """

    def __init__(
        self, settings: Settings, topic: str, start: Mapping[int, int], group: str | None, *, wait: bool
    ) -> None:
        self._settings, self._topic, self._waits = settings, topic, wait
        self._next = dict(start)
        self._ours: set[int] | None = None
        """Our partitions; None while the group shares the topic anew."""
        self._at_end: set[int] = set()
        self._has_group = bool(group)
        self._consumer = clients.subscriber(settings, group, tell_ends=not wait)
        with self._consumer.translating(topic):
            if group:
                self._consumer.subscribe([topic], on_assign=self._join, on_revoke=self._leave, on_lost=self._leave)
            else:
                self._ours = set(self._next)
                self._consumer.assign([TopicPartition(topic, *place) for place in self._next.items()])

    def messages(self) -> Iterator[Message]:
        """Message by message. Raises KafkaFailure for what waiting does not mend; Kafka may be away for a while."""
        outage = Outage(self._settings, self._topic)
        while not self._is_done():
            with self._consumer.translating(self._topic):
                message: Any = self._consumer.poll(_POLL_S)
            if message is None:
                outage.look()
                continue
            if message.error() is None:
                outage.end()
                yield message
            elif message.error().code() == KafkaError._PARTITION_EOF:
                self._at_end.add(message.partition())
            elif message.error().fatal() or message.error().code() in _FINAL:
                raise self._consumer.failure(message.error(), self._topic)

    def note_read(self, message: Any) -> None:
        """A message counts as read, for the group and for :meth:`lag`."""
        self._next[message.partition()] = message.offset() + 1
        if self._has_group:
            self._consumer.store_offsets(message)

    def lag(self) -> int:
        """How many messages lie between those read and the present ends of the partitions that are ours."""
        limits = reading.bounds(self._settings, self._topic)
        ours = limits.keys() if self._ours is None else limits.keys() & self._ours
        return sum(max(0, limits[p][1] - max(limits[p][0], self._next.get(p, 0))) for p in ours)

    def close(self) -> None:
        """Leave Kafka, and the group."""
        self._consumer.close()

    def _is_done(self) -> bool:
        return not self._waits and self._ours is not None and self._ours <= self._at_end

    def _join(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Go on where the group left off; where it never read, at ``start``. Ends must be reached anew."""
        for place in consumer.committed(partitions, timeout=_TIMEOUT_S):
            self._next[place.partition] = place.offset if place.offset >= 0 else self._next.get(place.partition, 0)
        self._ours, self._at_end = {place.partition for place in partitions}, set()
        consumer.assign([TopicPartition(self._topic, p.partition, self._next[p.partition]) for p in partitions])

    def _leave(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._ours = None
