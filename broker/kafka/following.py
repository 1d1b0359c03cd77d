"""A topic of our own messages, followed as it grows, so that the page never reads a whole topic.

librdkafka says nothing while Kafka is away: it tries again for ever. So Kafka is asked every few seconds whether it is
there; while it does not answer, :attr:`FollowedLog.cut_off` says since when and why. Then it begins anew by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from confluent_kafka import KafkaError, TopicPartition

from active_learning.logs import CutOff
from broker.kafka import clients, reading
from broker.kafka.clients import KafkaAdmin, KafkaConsumer
from broker.kafka.errors import KafkaFailure
from broker.kafka.message_log import MessageLog
from broker.settings import Settings

CHECK_S = 2.0
"""Kafka is asked this often whether it is there, seconds."""

ANSWER_S = 5.0
"""It has so long to answer, seconds."""

_PAUSE_S = 0.5

log = logging.getLogger(__name__)


class FollowedLog:
    """All records of a message log, read by a thread from its beginning on, without end."""

    def __init__(self, settings: Settings, message_log: MessageLog, newest: int | None = None) -> None:
        """``message_log`` is used to append; nothing is read before :meth:`start`.

        ``newest``: so many messages of each partition are read and kept, the newest; by default all.
        """
        self.log, self._newest = message_log, newest
        self._settings = settings
        self._records: dict[tuple[int, int], dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._caught_up = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"follows {message_log.topic}", daemon=True)
        self._up_to_date_ms = 0
        self._why = ""

    @property
    def cut_off(self) -> CutOff | None:
        """Since when nothing can be read and why; None where all is well."""
        why = self._why
        return CutOff(self._up_to_date_ms, why) if why else None

    def start(self) -> None:
        """Begin to read."""
        self._up_to_date_ms = _now_ms()
        self._thread.start()

    def close(self) -> None:
        """Stop reading and end the connections."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(10)
        self.log.close()

    def wait_until_read(self, timeout_s: float) -> bool:
        """Wait until everything that was there at the start has been read; False where that takes longer."""
        return self._caught_up.wait(timeout_s)

    def records(self) -> list[dict[str, Any]]:
        """Everything read or appended so far, in order of partition and offset."""
        with self._lock:
            return [self._records[place] for place in sorted(self._records)]

    def append(self, record: dict[str, Any]) -> tuple[int, int]:
        """Store a record; when this returns, Kafka has it. Raises NotSaved."""
        (place,) = self.log.append([record])
        with self._lock:
            self._records[place] = record
        return place

    def _follow(self) -> None:
        while not self._ended.is_set():
            try:
                self._read_on()
            except KafkaFailure as error:
                self._why = str(error)
            except Exception as error:  # a thread that ends unseen would leave the page as it is for ever
                log.exception("%s cannot be followed", self.log.topic)
                self._why = f"{self.log.topic} cannot be read: {error}"
            self._ended.wait(_PAUSE_S)

    def _read_on(self) -> None:
        """Read from the beginning until the log is closed, is another one or has other partitions, or an error."""
        admin = clients.admin(self._settings)
        if self._partitions(admin) is None:
            return
        self.log.create()
        consumer = clients.log_reader(self._settings)
        try:
            limits = reading.bounds(self._settings, self.log.topic)
            consumer.assign([TopicPartition(self.log.topic, n, self._first(*ends)) for n, ends in limits.items()])
            behind = {number for number, (low, high) in limits.items() if low < high}
            next_check = 0.0
            while not self._ended.is_set():
                self._take(consumer, behind)
                if not behind:
                    self._caught_up.set()
                if time.monotonic() > next_check:
                    if self._partitions(admin) != limits.keys():
                        return  # to begin anew: Kafka may come back at another address, or with another topic
                    next_check = time.monotonic() + CHECK_S
        finally:
            consumer.close()

    def _partitions(self, admin: KafkaAdmin) -> set[int] | None:
        """The topic's partitions, when Kafka answers; None, and why is noted, when it does not."""
        try:
            with admin.translating(self.log.topic):  # of all topics: asking for one by name could make it
                described = admin.list_topics(timeout=ANSWER_S).topics.get(self.log.topic)
        except KafkaFailure as error:
            self._why = str(error)
            return None
        self._up_to_date_ms, self._why = _now_ms(), ""
        return set(described.partitions) if described is not None else set()

    def _take(self, consumer: KafkaConsumer, behind: set[int]) -> None:
        message: Any
        for message in consumer.consume(500, timeout=0.25):
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                behind.discard(message.partition())
            elif error is not None:
                raise consumer.failure(error, self.log.topic)
            elif stored := self.log.decoded(message.partition(), message.offset(), message.value()):
                with self._lock:
                    self._records[stored.partition, stored.offset] = stored.record
                    self._forget(stored.partition, stored.offset)

    def _first(self, low: int, high: int) -> int:
        """The offset to begin at in a partition that holds ``low`` to before ``high``."""
        return low if self._newest is None else max(low, high - self._newest)

    def _forget(self, partition: int, offset: int) -> None:
        """Drop what is no longer among the newest, now that ``offset`` has come."""
        if self._newest is not None:
            self._records.pop((partition, offset - self._newest), None)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
