"""What Kafka has of topics: ids, partitions, first and last offsets."""

from __future__ import annotations

import logging
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import OffsetSpec

from broker.kafka import clients
from broker.kafka.clients import KafkaAdmin
from broker.kafka.errors import PATIENCE_S, NoSuchTopic, patiently
from broker.kafka.ranges import TopicState
from broker.settings import Settings

ANSWER_S = 10.0
"""How long an answer may take, seconds."""

Ranges = dict[str, dict[int, tuple[int, int]]]
"""Topic to partition to (first offset, end offset)."""

log = logging.getLogger(__name__)


class InputTopics:
    """Asks Kafka about the input topics over one connection."""

    def __init__(self, settings: Settings, *, patience_s: float = PATIENCE_S) -> None:
        self.names = list(settings.input_topics)
        self._patience_s = patience_s
        self._admin = clients.admin(settings, logger=log)

    def state(self) -> dict[str, TopicState]:
        """The topics as they are now; the last readable offset is that of read-committed consumers.

        Raises NoSuchTopic, and KafkaFailure where Kafka refuses or stays away.
        """
        return patiently(self._state, self._patience_s)

    def _state(self) -> dict[str, TopicState]:
        with self._admin.translating(", ".join(self.names)):
            answers = self._admin.describe_topics(TopicCollection(self.names), request_timeout=ANSWER_S)
            described = {name: _described(name, answer) for name, answer in answers.items()}
            places = [TopicPartition(name, part.id) for name, topic in described.items() for part in topic.partitions]
            low = _offsets(self._admin, places, OffsetSpec.earliest(), IsolationLevel.READ_COMMITTED)
            high = _offsets(self._admin, places, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED)
        return {
            name: TopicState(
                str(topic.topic_id),
                {part.id: low[name, part.id] for part in topic.partitions},
                {part.id: high[name, part.id] for part in topic.partitions},
            )
            for name, topic in described.items()
        }


def all_ranges(settings: Settings) -> Ranges:
    """First and end offset of every partition of every topic, Kafka's own topics aside. Raises KafkaFailure."""
    admin = clients.admin(settings)
    with admin.translating():
        listed = admin.list_topics(timeout=ANSWER_S / 2).topics
        partitions = {name: sorted(topic.partitions) for name, topic in listed.items() if not name.startswith("__")}
        places = [TopicPartition(name, number) for name, numbers in partitions.items() for number in numbers]
        low = _offsets(admin, places, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED)
        high = _offsets(admin, places, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)
    return {
        name: {number: (low[name, number], high[name, number]) for number in partitions[name]}
        for name in sorted(partitions)
    }


def _described(name: str, answer: Any) -> Any:
    try:
        return answer.result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise
        raise NoSuchTopic(
            f"Kafka has no topic {name}: send alerts with `gueststar replay PATH --topic {name}`, "
            "create it, or name another in the setting input_topics"
        ) from None


def _offsets(
    admin: KafkaAdmin, places: list[TopicPartition], spec: OffsetSpec, isolation: IsolationLevel
) -> dict[tuple[str, int], int]:
    if not places:
        return {}
    asked = dict.fromkeys(places, spec)
    answers = admin.list_offsets(asked, isolation_level=isolation, request_timeout=ANSWER_S)
    return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}
