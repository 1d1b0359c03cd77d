"""The demonstration's figures, read from the output topic and the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from broker.kafka import reading
from broker.settings import Settings
from schemas import messages

Record = dict[str, Any]


@dataclass(slots=True)
class Figures:
    """What the stream did with the demonstration's objects.

    - ``latency_s``: of each alert, from its Kafka time in the input to that in the output, seconds.
    - ``first_model``: SHA-256 of the model that scored first; ``alerts_by_model``: alerts per SHA-256.
    - ``confusion``: (true class id, class id given) → objects, by each object's last alert under the first model.
    """

    latency_s: np.ndarray
    first_model: str
    alerts_by_model: Counter[str]
    confusion: Counter[tuple[int, int]]
    class_ids: list[int] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        """The fraction of objects of known classes that were given their true class."""
        counted = {pair: n for pair, n in self.confusion.items() if pair[0] in self.class_ids}
        right = sum(n for (true, given), n in counted.items() if true == given)
        return right / max(1, sum(counted.values()))


def messages_of(settings: Settings, topic: str) -> list[tuple[int, Record]]:
    """(Kafka time in ms, record) of each message of an output topic, without repeats, in time order."""
    seen: dict[bytes | None, tuple[int, Record]] = {}
    for entry in reading.read(settings, topic):
        if entry.value is not None and entry.key not in seen:
            seen[entry.key] = (entry.timestamp_ms, messages.decode(entry.value)[1])
    return sorted(seen.values(), key=lambda pair: pair[0])


def figures(rows: Iterable[tuple[int, Record]], truth: Mapping[int, int]) -> Figures:
    """The figures of the objects in ``truth`` (object id → true class id), from the messages of the topic of
    classifications as :func:`messages_of` gives them."""
    mine = [(time_ms, record) for time_ms, record in rows if record["object_id"] in truth]
    if not mine:
        raise LookupError("none of the demonstration's alerts came out of the stream: see logs/job.log in the home")
    first_model = mine[0][1]["model_sha256"]
    last: dict[int, Record] = {}
    for _, record in mine:
        if record["model_sha256"] == first_model:
            held = last.get(record["object_id"])
            if held is None or record["alert_mjd"] >= held["alert_mjd"]:
                last[record["object_id"]] = record
    return Figures(
        latency_s=np.array([time_ms - record["input_time_ms"] for time_ms, record in mine]) / 1000,
        first_model=first_model,
        alerts_by_model=Counter(record["model_sha256"] for _, record in mine),
        confusion=Counter((truth[object_id], record["class_id"]) for object_id, record in last.items()),
        class_ids=list(mine[0][1]["class_ids"]),
    )
