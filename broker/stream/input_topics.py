"""What Kafka has of the input topics: ids, partitions, first and last readable offsets."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from broker.stream.offsets import TopicState

PATIENCE_S = 120.0
"""How long a Kafka that does not answer is waited for, seconds: longer than a broker's restart."""

PASSING = {
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._RESOLVE,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.REPLICA_NOT_AVAILABLE,
}
"""Errors that pass by themselves when a broker comes back or a leader is elected."""

log = logging.getLogger(__name__)

T = TypeVar("T")


class MissingTopic(LookupError):
    """A topic that should be read does not exist."""


class InputTopics:
    """Asks Kafka about ``names`` over one connection. ``properties`` are librdkafka's."""

    def __init__(self, names: Sequence[str], properties: dict[str, str], *, patience_s: float = PATIENCE_S) -> None:
        self.names = list(names)
        self._patience_s = patience_s
        configuration: dict[str, Any] = {**properties, "logger": log}
        self._admin = AdminClient(configuration)

    def state(self) -> dict[str, TopicState]:
        """The topics as they are now; the last readable offset is that of read-committed consumers.

        Raises MissingTopic, or KafkaException where Kafka stays away.
        """
        return patiently(self._state, self._patience_s)

    def _state(self) -> dict[str, TopicState]:
        described = {name: self._describe(name, answer) for name, answer in self._ask_topics().items()}
        places = [TopicPartition(name, part.id) for name, found in described.items() for part in found.partitions]
        low = self._offsets(places, OffsetSpec.earliest())
        high = self._offsets(places, OffsetSpec.latest())
        return {
            name: TopicState(
                str(found.topic_id),
                {part.id: low[name, part.id] for part in found.partitions},
                {part.id: high[name, part.id] for part in found.partitions},
            )
            for name, found in described.items()
        }

    def _ask_topics(self) -> dict[str, Any]:
        answers: dict[str, Any] = self._admin.describe_topics(TopicCollection(self.names), request_timeout=10)
        return answers

    def _describe(self, name: str, answer: Any) -> Any:
        try:
            return answer.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
            raise MissingTopic(
                f"Kafka has no topic {name}: send alerts with `gueststar replay PATH --topic {name}`, "
                "create it, or name another in the setting input_topics"
            ) from None

    def _offsets(self, places: list[TopicPartition], spec: OffsetSpec) -> dict[tuple[str, int], int]:
        answers = self._admin.list_offsets(
            dict.fromkeys(places, spec), isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=10
        )
        return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}


def patiently(ask: Callable[[], T], patience_s: float) -> T:
    """Ask until Kafka answers: errors that pass by themselves are retried for ``patience_s`` seconds, others raised."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in PASSING or time.monotonic() > deadline:
                raise
            log.warning("Kafka does not answer (%s); asking again", error.args[0].str())
            time.sleep(1)
