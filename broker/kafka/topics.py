"""The output topics: their names and how they are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from broker.settings import Settings
from schemas.taxonomy import NOT_CLASSIFIED, TAXONOMY, leaves, slug_of

DEAD_LETTER_OVERHEAD_BYTES = 1_000_000
"""Room in the dead-letter topic for the record around a packet of the largest size that is read."""

NAME_LIMIT = 249
"""Characters of the longest topic name that Kafka takes."""

_TIMEOUT_S = 30.0


def classifications(settings: Settings) -> str:
    """Every classified alert."""
    return f"{settings.topic_prefix}.classifications"


def novel(settings: Settings) -> str:
    """Alerts selected as novel at the stated false-discovery rate."""
    return f"{settings.topic_prefix}.novel"


def sample(settings: Settings) -> str:
    """An unbiased sample, by object."""
    return f"{settings.topic_prefix}.sample"


def dead_letters(settings: Settings) -> str:
    """What could not be decoded, scored or delivered."""
    return f"{settings.topic_prefix}.deadletters"


def requests(settings: Settings) -> str:
    """Spectra that are asked for."""
    return f"{settings.topic_prefix}.requests"


def labels(settings: Settings) -> str:
    """Answers of people, kept for ever."""
    return f"{settings.topic_prefix}.labels"


def of_class(settings: Settings, class_id: int) -> str:
    """Alerts whose most probable class is ``class_id``; an id outside the class tree counts as not classified."""
    return f"{settings.topic_prefix}.class.{slug_of(class_id if class_id in TAXONOMY else NOT_CLASSIFIED)}"


def of_filter(settings: Settings, name: str) -> str:
    """Alerts that pass the subscriber's filter ``name``."""
    return f"{settings.topic_prefix}.filter.{name}"


def fixed(settings: Settings) -> list[str]:
    """The topics that always exist, whatever the classes and filters."""
    return [named(settings) for named in (classifications, novel, sample, dead_letters, requests, labels)]


def all_topics(settings: Settings, filters: Iterable[str]) -> list[str]:
    """The topics to make before the job starts: the fixed ones, one for each leaf of the class tree and each filter.

    A model may also choose a class higher in the tree: the sink makes its topic at the first such alert.
    """
    classes = [of_class(settings, leaf.class_id) for leaf in leaves()]
    return [*fixed(settings), *classes, *(of_filter(settings, name) for name in filters)]


def existing(settings: Settings) -> set[str]:
    """The names of all topics that there are."""
    from confluent_kafka.admin import AdminClient

    return set(AdminClient({**settings.kafka_client()}).list_topics(timeout=_TIMEOUT_S).topics)


def create(
    settings: Settings,
    names: Iterable[str],
    retention_days: float | None = None,
    partitions: int = -1,
    config: Mapping[str, str] | None = None,
) -> list[str]:
    """Make those of the topics that are missing; returns the names made.

    ``retention_days`` (of Kafka, not of the archive) and ``partitions`` are the broker's own defaults where they are
    None and -1, as is the number of replicas; ``config`` adds to what :func:`configuration` says. Requests and labels
    are never deleted. Raises KafkaException where Kafka refuses.
    """
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({**settings.kafka_client()})
    existing = admin.list_topics(timeout=_TIMEOUT_S).topics
    missing = [name for name in dict.fromkeys(names) if name not in existing]
    if not missing:
        return []
    new = [
        NewTopic(name, partitions, -1, config=configuration(settings, name, retention_days) | dict(config or {}))
        for name in missing
    ]
    for future in admin.create_topics(new, operation_timeout=_TIMEOUT_S).values():
        try:
            future.result(_TIMEOUT_S)
        except KafkaException as refusal:  # another worker may have been faster
            if refusal.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return missing


def configuration(settings: Settings, name: str, retention_days: float | None = None) -> dict[str, str]:
    """The topic's configuration in Kafka's terms."""
    properties: dict[str, str] = {}
    if name in (requests(settings), labels(settings)):
        return {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
    if retention_days is not None:
        properties["retention.ms"] = str(round(retention_days * 86_400_000))
    if name == dead_letters(settings):
        properties["max.message.bytes"] = str(dead_letter_limit_bytes(settings))
    return properties


def dead_letter_limit_bytes(settings: Settings) -> int:
    """The longest message of the dead-letter topic, bytes: a packet of the largest size that is read fits in whole."""
    return settings.packet_size_limit_bytes + DEAD_LETTER_OVERHEAD_BYTES
