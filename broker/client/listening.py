"""A topic's alerts as a subscriber iterates over them."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from broker.kafka import reading, topics
from broker.kafka.errors import NoSuchTopic
from broker.kafka.subscription import Subscription
from broker.setting_errors import near
from broker.settings import Settings
from schemas import messages
from schemas.taxonomy import slug_of
from schemas.type_names import class_id_of_type

Record = dict[str, Any]

KEYS_KEPT = 100_000
"""How many keys the client remembers to tell repeats: the alerts of many batches, in some 10 MB."""


class Alerts:
    """An iterator over a topic's records, without repeats, endless if it waits; a context manager. See
    :func:`listen`."""

    def __init__(
        self, settings: Settings, topic: str, start: str, limit: int | None, group: str | None, wait: bool = True
    ) -> None:
        self.topic = full_name(settings, topic)
        self.repeats = 0
        """How many repeats were passed over."""
        self._limit = limit
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._has_repeats = self.topic not in topics.kept_for_ever(settings)
        present = topics_of(settings)
        if self.topic not in present:
            raise NoSuchTopic(no_topic(settings, self.topic, present))
        places, self._history = _begin(settings, self.topic, start)
        self._subscription = Subscription(settings, self.topic, places, group, wait=wait)

    def __iter__(self) -> Iterator[Record]:
        given = 0
        for key, value, message in self._messages():
            if self._is_repeat(key):
                self.repeats += 1
            else:
                yield messages.decode(value)[1]
                given += 1
            if message is not None:  # only now, when the next record is asked for, is this one read
                self._subscription.note_read(message)
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
        self._subscription.close()

    def lag(self) -> int:
        """How many messages lie between the last one given and the present ends of the partitions that are ours."""
        return self._subscription.lag()

    def _messages(self) -> Iterator[tuple[bytes, bytes, Any]]:
        for entry in self._history:
            if entry.value is not None:
                yield entry.key or b"", entry.value, None
        for message in self._subscription.messages():
            value = message.value()
            if value is not None:
                yield message.key() or b"", value, message

    def _is_repeat(self, key: bytes) -> bool:
        if not key or not self._has_repeats:  # in a log, several messages of an object have its key
            return False
        if key in self._seen:
            self._seen.move_to_end(key)
            return True
        self._seen[key] = None
        if len(self._seen) > KEYS_KEPT:
            self._seen.popitem(last=False)
        return False


def listen(
    topic: str,
    start: str = "latest",
    limit: int | None = None,
    group: str | None = None,
    settings: Settings | None = None,
    wait: bool = True,
) -> Alerts:
    """Subscribe to a topic of alerts: iterate over the answer, one record (dict) at a time; it waits for new ones.

    - ``topic``: a whole name or a short one (``novel``, ``class.ia``, ``filter.mine``).
    - ``start``: "latest" (or "now"), "earliest", a time in ISO 8601 (UTC unless it says otherwise), or "-N": the
      last N messages first.
    - ``limit``: stop after so many records.
    - ``group``: a name under which Kafka keeps what was read; ``start`` counts the first time only. A record counts
      as read when the next one is asked for.
    - ``wait``: for alerts yet to come; without it the iteration stops when all there is has been read: of the
      partitions that are this listener's, where others of the group have the rest.

    Repeats (a batch that was done again) are passed over by their key; logs (labels, requests, novel objects and
    selections) have none. Raises LookupError for an unknown topic,
    ValueError for an unknown ``start``, and KafkaFailure where Kafka does not answer or refuses.

    >>> with listen("sample", start="earliest", limit=1) as alerts:
    ...     for alert in alerts:
    ...         print(alert["object_name"], alert["band"], alert["novelty_p_value"])
    313000000000000000 r 0.0005
    """
    return Alerts(settings or Settings(), topic, start, limit, group, wait)


def full_name(settings: Settings, topic: str) -> str:
    """The whole name of a topic that may be given without the prefix."""
    prefix = f"{settings.topic_prefix}."
    return topic if topic.startswith(prefix) else prefix + topic


def no_topic(settings: Settings, topic: str, present: Sequence[str]) -> str:
    """What there is to tell of a topic (its whole name) that is not among those ``present``: whether it will come, what
    may be meant, and in few words what there is."""
    prefix = f"{settings.topic_prefix}."
    if topic in topics.all_topics(settings, ()):
        return f"no topic {topic} yet: it is made when the job first starts (`gueststar run`)"
    if topic.startswith(topics.of_filter(settings, "")):
        return (
            f"no topic {topic} yet: a filter's topic is made when the job next starts (`gueststar run`); `gueststar "
            "filters list` tells whether the filter is kept"
        )
    if not present:
        return f"no topic {topic}, and no other of {settings.topic_prefix}: start the job first (`gueststar run`)"
    short = [name.removeprefix(prefix) for name in present]
    is_class = topics.of_class_prefix(settings).removeprefix(prefix)
    several = {kind: sum(name.startswith(kind) for name in short) for kind in (is_class, "filter.")}
    listed = [name for name in short if not name.startswith(tuple(several))]
    listed += [f"{kind}NAME ({n})" for kind, n in several.items() if n]
    wanted = topic.removeprefix(prefix)
    class_id = class_id_of_type(wanted.removeprefix(is_class)) if wanted.startswith(is_class) else None
    meant = near(wanted, short)
    if wanted.startswith(is_class):  # else the beginning that all classes share would make any of them near
        meant = "" if class_id is None else f"; did you mean {is_class}{slug_of(class_id)}?"
    return f"no topic {topic}{meant or ';'} there are: {', '.join(listed)} (`gueststar status` lists them)"


def topics_of(settings: Settings) -> list[str]:
    """The broker's own topics that exist. Raises KafkaFailure."""
    return sorted(name for name in topics.existing(settings) if name.startswith(f"{settings.topic_prefix}."))


def _begin(settings: Settings, topic: str, start: str) -> tuple[dict[int, int], list[reading.Entry]]:
    """Each partition's first offset, and what to give before it."""
    limits = reading.bounds(settings, topic)
    ends = {partition: high for partition, (_, high) in limits.items()}
    if start in ("now", "latest"):
        return ends, []
    if start == "earliest":
        return {partition: low for partition, (low, _) in limits.items()}, []
    if re.fullmatch(r"-\d+", start):
        wanted = int(start[1:])
        begins = {partition: max(low, high - wanted) for partition, (low, high) in limits.items()}
        entries = sorted(reading.read(settings, topic, begins, ends), key=lambda entry: entry.timestamp_ms)
        return ends, entries[len(entries) - min(wanted, len(entries)) :]
    must_be = "a start must be latest, earliest, -N for the last N messages, or a time"
    return reading.offsets_at(settings, topic, time_ms_of(start, must_be)), []


def time_ms_of(text: str, must_be: str = "a time must be") -> int:
    """A time in ISO 8601 as milliseconds since 1970 UTC; UTC where it names no zone. ValueError where it is none, which
    begins with ``must_be``."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        example = f"{datetime.now(UTC):%Y-%m-%dT%H:%M}"
        raise ValueError(f"{must_be} in ISO 8601, UTC, such as {example}, found {text!r}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
