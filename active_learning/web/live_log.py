"""A topic of our own messages, followed as it grows, so that the page never reads a whole topic."""

from __future__ import annotations

import threading
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from active_learning import topic_log
from active_learning.message_log import MessageLog, NotSaved

_PAUSE_S = 0.5


class LiveLog:
    """All records of a message log, read by a thread from its beginning on, without end."""

    def __init__(self, log: MessageLog, kafka_client: dict[str, Any]) -> None:
        """``log`` is used to append; nothing is read before :meth:`start`."""
        self.log = log
        self._client = kafka_client
        self._records: dict[tuple[int, int], dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._caught_up = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"follows {log.topic}", daemon=True)
        self.trouble = ""
        """Why nothing can be read at the moment, in words; empty where all is well."""

    def start(self) -> None:
        """Begin to read."""
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
            except (KafkaException, LookupError, NotSaved, TimeoutError) as error:
                self.trouble = f"{self.log.topic} cannot be read: {error}"
                self._ended.wait(_PAUSE_S)

    def _read_on(self) -> None:
        self.log.create()
        limits = topic_log.bounds(self._client, self.log.topic)
        consumer = topic_log.reader(self._client)
        try:
            consumer.assign([TopicPartition(self.log.topic, number, low) for number, (low, _) in limits.items()])
            behind = {number for number, (low, high) in limits.items() if low < high}
            while not self._ended.is_set():
                self._take(consumer, behind)
                if not behind:
                    self._caught_up.set()
                    self.trouble = ""
        finally:
            consumer.close()

    def _take(self, consumer: Consumer, behind: set[int]) -> None:
        message: Any
        for message in consumer.consume(500, timeout=0.25):
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                behind.discard(message.partition())
            elif error is not None:
                raise KafkaException(error)
            elif stored := self.log.decoded(message.partition(), message.offset(), message.value()):
                with self._lock:
                    self._records[stored.partition, stored.offset] = stored.record
