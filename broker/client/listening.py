"""A topic's alerts as a subscriber iterates over them."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from active_learning import topic_log
from broker.settings import Settings
from schemas import messages

Record = dict[str, Any]

KEYS_KEPT = 100_000
"""How many keys the client remembers to tell repeats: the alerts of many batches, in some 10 MB."""

_TIMEOUT_S = 15.0


class Alerts:
    """An iterator over a topic's records, without repeats, endless if it waits; a context manager. See
    :func:`listen`."""

    def __init__(
        self, settings: Settings, topic: str, start: str, limit: int | None, group: str | None, wait: bool = True
    ) -> None:
        self.topic = full_name(settings, topic)
        self.repeats = 0
        """How many repeats were passed over."""
        self._client = settings.kafka_client()
        self._limit, self._waits = limit, wait
        self._at_end: set[int] = set()
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        known = topics_of(settings)
        if self.topic not in known:
            raise LookupError(f"no topic {self.topic}; there are: {', '.join(known) or 'none: start the job first'}")
        self._places, self._history = _begin(self._client, self.topic, start)
        self._consumer = Consumer(
            {
                **self._client,
                "group.id": group or "gueststar-client",
                "enable.auto.commit": bool(group),
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "fetch.queue.backoff.ms": 5,
                "enable.partition.eof": not wait,  # tells of each partition when all of it has been read
            }
        )
        self._has_group = bool(group)
        if group:
            self._consumer.subscribe([self.topic], on_assign=self._join)
        else:
            self._consumer.assign([TopicPartition(self.topic, *place) for place in self._places.items()])

    def __iter__(self) -> Iterator[Record]:
        given = 0
        for key, value, message in self._messages():
            if self._is_repeat(key):
                self.repeats += 1
            else:
                yield messages.decode(value)[1]
                given += 1
            if message is not None:
                self._note(message)
            if self._limit is not None and given >= self._limit:
                return

    def __enter__(self) -> Alerts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave Kafka; with a group, what was given is noted as read."""
        self._consumer.close()

    def lag(self) -> int:
        """How many messages lie between the last one given and the topic's present ends."""
        ends = topic_log.bounds(self._client, self.topic)
        return sum(max(0, high - max(low, self._places.get(p, low))) for p, (low, high) in ends.items())

    def _messages(self) -> Iterator[tuple[bytes, bytes, Any]]:
        for entry in self._history:
            if entry.value is not None:
                yield entry.key or b"", entry.value, None
        while True:
            message: Any = self._consumer.poll(0.5)  # short, so that Ctrl-C is heard
            if message is None:
                continue
            if message.error() is not None:
                _raise_if_serious(message.error())
                if message.error().code() == KafkaError._PARTITION_EOF:
                    self._at_end.add(message.partition())
                if not self._waits and self._at_end >= self._places.keys():
                    return
            elif message.value() is not None:
                yield message.key() or b"", message.value(), message

    def _note(self, message: Any) -> None:
        """Only now, when the next record is asked for, is this one read."""
        self._places[message.partition()] = message.offset() + 1
        if self._has_group:
            self._consumer.store_offsets(message)

    def _is_repeat(self, key: bytes) -> bool:
        if not key:
            return False
        if key in self._seen:
            self._seen.move_to_end(key)
            return True
        self._seen[key] = None
        if len(self._seen) > KEYS_KEPT:
            self._seen.popitem(last=False)
        return False

    def _join(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Go on where the group left off; a group that is new begins at ``start``."""
        for place in consumer.committed(partitions, timeout=_TIMEOUT_S):
            offset = place.offset if place.offset >= 0 else self._places.get(place.partition, 0)
            self._places[place.partition] = offset
        consumer.assign([TopicPartition(self.topic, p.partition, self._places[p.partition]) for p in partitions])


def listen(
    topic: str,
    start: str = "now",
    limit: int | None = None,
    group: str | None = None,
    settings: Settings | None = None,
    wait: bool = True,
) -> Alerts:
    """Subscribe to a topic of alerts: iterate over the answer, one record (dict) at a time; it waits for new ones.

    - ``topic``: a whole name or a short one (``novel``, ``class.ia``, ``filter.mine``).
    - ``start``: "now" ("latest"), "earliest", a time in ISO 8601 (UTC unless it says otherwise), or "-N": the
      last N messages first.
    - ``limit``: stop after so many records.
    - ``group``: a name under which Kafka keeps what was read; ``start`` counts the first time only. A record counts
      as read when the next one is asked for.
    - ``wait``: for alerts yet to come; without it the iteration stops when all there is has been read.

    Repeats (a batch that was done again) are passed over by their key. Raises LookupError for an unknown topic,
    ValueError for an unknown ``start``.
    """
    return Alerts(settings or Settings(), topic, start, limit, group, wait)


def full_name(settings: Settings, topic: str) -> str:
    """The whole name of a topic that may be given without the prefix."""
    prefix = f"{settings.topic_prefix}."
    return topic if topic.startswith(prefix) else prefix + topic


def topics_of(settings: Settings) -> list[str]:
    """The broker's own topics that exist."""
    from confluent_kafka.admin import AdminClient

    try:
        known = AdminClient({**settings.kafka_client()}).list_topics(timeout=_TIMEOUT_S).topics
    except KafkaException as error:
        raise ConnectionError(
            f"Kafka does not answer at {settings.bootstrap_servers()}: {error.args[0].str()}"
        ) from error
    return sorted(name for name in known if name.startswith(f"{settings.topic_prefix}."))


def _begin(client: dict[str, str], topic: str, start: str) -> tuple[dict[int, int], list[topic_log.Entry]]:
    """Each partition's first offset, and what to give before it."""
    limits = topic_log.bounds(client, topic)
    ends = {partition: high for partition, (_, high) in limits.items()}
    if start in ("now", "latest"):
        return ends, []
    if start == "earliest":
        return {partition: low for partition, (low, _) in limits.items()}, []
    if re.fullmatch(r"-\d+", start):
        wanted = int(start[1:])
        begins = {partition: max(low, high - wanted) for partition, (low, high) in limits.items()}
        entries = sorted(topic_log.read(client, topic, begins, ends), key=lambda entry: entry.timestamp_ms)
        return ends, entries[len(entries) - min(wanted, len(entries)) :]
    return topic_log.offsets_at(client, topic, time_ms_of(start)), []


def time_ms_of(text: str) -> int:
    """A time in ISO 8601 as milliseconds since 1970 UTC; UTC where it names no zone. ValueError where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"a start must be now, earliest, -N or a time such as {datetime.now(UTC):%Y-%m-%dT%H:%M:%S}: {text!r}"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _raise_if_serious(error: KafkaError) -> None:
    """Kafka being away for a while is not: the consumer finds it again by itself."""
    if error.fatal() or error.code() in (
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
    ):
        raise KafkaException(error)
