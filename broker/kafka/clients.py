"""Every client of Kafka is configured here: consumers, producers and the admin client, by what they are for.

A client keeps librdkafka's complaints about its connection, and :meth:`Connection.translating` turns what fails into
the errors of :mod:`broker.kafka.errors`, with the cause that a complaint names.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from broker.kafka import diagnosis
from broker.kafka.errors import KafkaFailure, Unreachable
from broker.settings import Settings

DELIVERY_TIMEOUT_MS = 120_000
"""After this long without an acknowledgement a message of the stream counts as undelivered."""

quiet = logging.getLogger("broker.kafka.librdkafka")
"""librdkafka's own lines, which no one sees unless this logger is given a handler: what fails is raised as an error."""
quiet.addHandler(logging.NullHandler())
quiet.propagate = False


class Connection:
    """What the clients of this room have beside their library's part."""

    poll: Any

    def prepare(self, settings: Settings, properties: dict[str, Any]) -> dict[str, Any]:
        """All properties of a client; remembers whom it speaks to and what librdkafka complains of."""
        common = connection(settings)
        self._peer = diagnosis.Peer(
            common["bootstrap.servers"],
            settings.kafka_username,
            settings.kafka_security_protocol,
            settings.kafka_ca_file,
        )
        self._complaints: deque[KafkaError] = deque(maxlen=50)
        return {"logger": quiet, **common, "error_cb": self._complaints.append, **properties}

    @contextmanager
    def translating(self, topic: str = "") -> Iterator[None]:
        """Within, a KafkaException and a future's time-out become errors of this room that name address and topic."""
        try:
            yield
        except KafkaException as error:
            raise self.failure(error.args[0], topic) from error
        except TimeoutError as error:  # of a future, without a word
            raise self.failure(KafkaError(KafkaError._TIMED_OUT), topic) from error

    def failure(self, error: KafkaError, topic: str = "") -> KafkaFailure:
        """The error of this room for one of librdkafka's. The client is at an end: its next message may be lost."""
        with suppress(RuntimeError):  # closed
            self.poll(0)  # hands over the complaints
        return diagnosis.failure(error, list(self._complaints), self._peer, topic)

    def silence(self, waited_s: float, what: str) -> Unreachable:
        """The error for a Kafka that answers nothing, not even with an error."""
        return Unreachable(
            f"Kafka at {self._peer.address} gave nothing for {waited_s:.0f} s, waiting for {what}; "
            "see whether its partitions have leaders (`gueststar status`), then try again"
        )


class KafkaConsumer(Connection, Consumer):
    """A consumer; see :class:`Connection`."""

    def __init__(self, settings: Settings, properties: dict[str, Any]) -> None:
        super().__init__(self.prepare(settings, properties))


class KafkaProducer(Connection, Producer):
    """A producer; see :class:`Connection`."""

    def __init__(self, settings: Settings, properties: dict[str, Any]) -> None:
        super().__init__(self.prepare(settings, properties))


class KafkaAdmin(Connection, AdminClient):
    """An admin client; see :class:`Connection`."""

    def __init__(self, settings: Settings, properties: dict[str, Any]) -> None:
        super().__init__(self.prepare(settings, properties))


def connection(settings: Settings) -> dict[str, Any]:
    """librdkafka's connection properties: the one security configuration of every client.

    Raises Unreachable where no Kafka runs in the home and the settings name none elsewhere.
    """
    try:
        address = settings.bootstrap_servers()
    except LookupError as error:
        raise Unreachable(str(error)) from None
    properties = {
        "bootstrap.servers": address,
        "security.protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        properties |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_username,
            "sasl.password": settings.kafka_password.get_secret_value(),
        }
    if settings.kafka_ca_file:
        properties["ssl.ca.location"] = settings.kafka_ca_file
    return properties


def answers_at(address: str) -> bool:
    """Whether a Kafka without encryption answers at ``host:port`` and has joined its own cluster."""
    try:
        client = AdminClient({"bootstrap.servers": address}, logger=quiet)
        return len(client.list_topics(timeout=5).brokers) > 0
    except KafkaException:
        return False


def admin(settings: Settings, **properties: Any) -> KafkaAdmin:
    """For names, offsets and creation of topics."""
    return KafkaAdmin(settings, properties)


def log_reader(settings: Settings, **properties: Any) -> KafkaConsumer:
    """For a topic as a log, read between given offsets; it joins no group and commits nothing."""
    fixed = {
        "group.id": "gueststar-topic-log",  # librdkafka wants a name
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,  # says where a partition ends when its last offsets hold no message
        "fetch.wait.max.ms": 20,
        "fetch.queue.backoff.ms": 5,
        "queued.max.messages.kbytes": 100_000,
    }
    return KafkaConsumer(settings, {**fixed, **properties})


def packet_reader(settings: Settings) -> KafkaConsumer:
    """For one message at a known offset."""
    fixed = {
        "group.id": "gueststar-packet-fetch",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "queued.max.messages.kbytes": 10_000,
        "fetch.message.max.bytes": 1_000_000,
    }
    return KafkaConsumer(settings, fixed)


def stream_reader(settings: Settings, logger: logging.Logger) -> KafkaConsumer:
    """For a Spark worker: exactly the ranges that its tasks were given."""
    fixed = {
        "group.id": f"{settings.topic_prefix}-source",
        "logger": logger,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",  # an offset that is gone is told, never skipped
        "isolation.level": "read_committed",
        "enable.partition.eof": True,  # tells that a range's end holds no message
        "fetch.wait.max.ms": 20,  # a task never waits for messages yet to come, only for that end
        "fetch.queue.backoff.ms": 5,  # the default sleeps a second when the queue is full
        "allow.auto.create.topics": False,
    }
    return KafkaConsumer(settings, fixed)


def subscriber(settings: Settings, group: str | None, *, tell_ends: bool) -> KafkaConsumer:
    """For a subscriber, in a ``group`` that keeps what was read or for itself; ``tell_ends``: of each partition."""
    fixed = {
        "group.id": group or "gueststar-client",
        "enable.auto.commit": bool(group),
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "fetch.queue.backoff.ms": 5,
        "enable.partition.eof": tell_ends,
    }
    return KafkaConsumer(settings, fixed)


def stream_producer(settings: Settings, longest_message_bytes: int, **properties: Any) -> KafkaProducer:
    """For many messages at a high rate: each acknowledged by all in-sync replicas, in order, once."""
    fixed = {
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",  # the same partitions as Java clients choose
        "compression.type": "lz4",
        "linger.ms": 5,
        "batch.size": 400_000,  # below any topic's limit, so that a message too large stands alone in its batch
        "message.max.bytes": longest_message_bytes,
        "queue.buffering.max.messages": 200_000,
        "queue.buffering.max.kbytes": 262_144,
        "delivery.timeout.ms": DELIVERY_TIMEOUT_MS,
        "log_level": 3,  # librdkafka's retries are no news: what fails for good, the writer raises
    }
    return KafkaProducer(settings, {**fixed, **properties})


def log_producer(settings: Settings, timeout_s: float) -> KafkaProducer:
    """For single records that a person waits for: stored or refused within ``timeout_s``."""
    fixed = {
        "acks": "all",
        "enable.idempotence": True,
        "delivery.timeout.ms": round(timeout_s * 1000),
        "linger.ms": 0,
        "log_level": 3,
    }
    return KafkaProducer(settings, fixed)
