"""The topics of the broker: their names, and the one place where topics are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic

from broker.kafka import clients
from broker.settings import Settings
from schemas.taxonomy import NOT_CLASSIFIED, TAXONOMY, leaves, slug_of

DEAD_LETTER_OVERHEAD_BYTES = 1_000_000
"""Room in the dead-letter topic for the record around a packet of the largest size that is read."""

"""Characters of the longest topic name that Kafka takes."""

TIMEOUT_S = 15.0
"""How long an answer of Kafka may take, seconds."""


def classifications(settings: Settings) -> str:
    """Every classified alert."""
    return f"{settings.topic_prefix}.classifications"


def novel(settings: Settings) -> str:
    """Objects that a night's selection took for ones of no known class, kept for ever."""
    return f"{settings.topic_prefix}.novel"


def selections(settings: Settings) -> str:
    """One message a night: what its selection of novel objects took and rests on."""
    return f"{settings.topic_prefix}.selections"


def strange(settings: Settings) -> str:
    """The strangest alerts of each batch, at once: a fixed number, not controlled by an error rate."""
    return f"{settings.topic_prefix}.strange"


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


def votes(settings: Settings) -> str:
    """What people think of novel and strange objects, kept for ever."""
    return f"{settings.topic_prefix}.votes"


def of_class(settings: Settings, class_id: int) -> str:
    """Alerts whose most probable class is ``class_id``; an id outside the class tree counts as not classified."""
    return of_class_prefix(settings) + slug_of(class_id if class_id in TAXONOMY else NOT_CLASSIFIED)


def of_class_prefix(settings: Settings) -> str:
    """What the names of the topics of classes begin with."""
    return f"{settings.topic_prefix}.class."


def of_filter(settings: Settings, name: str) -> str:
    """Alerts that pass the subscriber's filter ``name``."""
    return f"{settings.topic_prefix}.filter.{name}"


def fixed(settings: Settings) -> list[str]:
    """The topics that always exist, whatever the classes and filters."""
    every = (classifications, strange, novel, selections, sample, dead_letters, requests, labels, votes)
    return [named(settings) for named in every]


def all_topics(settings: Settings, filters: Iterable[str]) -> list[str]:
    """The topics to make before the job starts: the fixed ones, one for each leaf of the class tree and each filter.

    A model may also choose a class higher in the tree: the sink makes its topic at the first such alert.
    """
    classes = [of_class(settings, leaf.class_id) for leaf in leaves()]
    return [*fixed(settings), *classes, *(of_filter(settings, name) for name in filters)]


def existing(settings: Settings) -> set[str]:
    """The names of all topics that there are. Raises KafkaFailure."""
    client = clients.admin(settings)
    with client.translating():
        return set(client.list_topics(timeout=TIMEOUT_S).topics)


def create(
    settings: Settings,
    names: Iterable[str],
    partitions: int = -1,
    config: Mapping[str, str] | None = None,
    *,
    timeout_s: float | None = None,
) -> list[str]:
    """Make those of the topics that are missing; returns the names made. This is the only place that makes topics.

    ``partitions`` is Kafka's own default where it is -1, as is the number of replicas; those of :func:`kept_for_ever`
    have one partition, so that they keep their order, and nothing is deleted from them. ``config`` adds to what
    :func:`configuration` says; ``timeout_s`` is how long each answer may take. Raises KafkaFailure where Kafka refuses
    or gives none.
    """
    timeout_s = TIMEOUT_S if timeout_s is None else timeout_s
    client = clients.admin(settings)
    with client.translating():
        present = client.list_topics(timeout=timeout_s).topics
    missing = [name for name in dict.fromkeys(names) if name not in present]
    if not missing:
        return []
    new = [
        NewTopic(
            name,
            1 if name in kept_for_ever(settings) else partitions,
            -1,
            config=configuration(settings, name) | dict(config or {}),
        )
        for name in missing
    ]
    for name, future in client.create_topics(new, operation_timeout=timeout_s).items():
        with client.translating(name):
            try:
                future.result(timeout_s)
            except KafkaException as refusal:  # another worker may have been faster
                if refusal.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
    return missing


def delete(settings: Settings, names: Iterable[str]) -> None:
    """Delete topics and wait until Kafka has done so. Raises KafkaFailure."""
    listed = list(names)
    client = clients.admin(settings)  # lives until all have been answered
    for name, future in client.delete_topics(listed).items() if listed else ():
        with client.translating(name):
            future.result(4 * TIMEOUT_S)


def kept_for_ever(settings: Settings) -> tuple[str, ...]:
    """The topics that nothing is ever deleted from."""
    return requests(settings), labels(settings), votes(settings), novel(settings), selections(settings)


def configuration(settings: Settings, name: str) -> dict[str, str]:
    """The topic's configuration in Kafka's terms."""
    if name in kept_for_ever(settings):
        return {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
    if name == dead_letters(settings):
        return {"max.message.bytes": str(dead_letter_limit_bytes(settings))}
    return {}


def dead_letter_limit_bytes(settings: Settings) -> int:
    """The longest message of the dead-letter topic, bytes: a packet of the largest size that is read fits in whole."""
    return settings.packet_size_limit_bytes + DEAD_LETTER_OVERHEAD_BYTES
