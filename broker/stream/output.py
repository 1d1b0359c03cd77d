"""One task's rows on their way out: to Kafka, the archive and Redis, and what is told of it."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from active_learning.candidates import FIELDS as CANDIDATE_FIELDS
from broker.kafka import topics
from broker.kafka.writing import INPUT_HEADER, KEY_HEADER, Headers, KafkaWriter, RefusedMessage
from broker.records import archive, dead_letter
from broker.records.avro import AvroColumns
from broker.records.fields import ALERT_FIELDS, NULLABLE, arrow_schema
from broker.settings import Settings
from broker.state.candidates import CandidateStore
from broker.state.connection import RedisConnection
from broker.state.keys import Keys
from broker.stream.delivered import Delivered
from schemas import messages

_MESSAGES_BETWEEN_REPORTS = 500
_SHORT_PAYLOAD_BYTES = 10_000


class RowDelivery:
    """Deliver the rows of one task: :meth:`take` every batch, then :meth:`finish`."""

    def __init__(self, settings: Settings, writer: KafkaWriter, redis: RedisConnection) -> None:
        self._settings, self._kafka, self._redis = settings, writer, redis
        self._keys = Keys(settings.topic_prefix)
        self._alerts: list[pa.RecordBatch] = []
        self._counts: Counter[str] = Counter()
        self._topics: Counter[str] = Counter()
        self._ends: dict[str, int] = {}
        self._tasks: dict[str, None] = {}

    def take(self, batch: pa.RecordBatch) -> None:
        """Send a batch of rows to their topics; they are on their way when this returns."""
        if not batch.num_rows:
            return
        self._note_input(batch)
        is_alert = batch.column("alert_id").is_valid()
        alerts, dead = batch.filter(is_alert), batch.filter(pc.invert(is_alert))
        if dead.num_rows:
            self._send_dead(dead)
        if alerts.num_rows:
            self._send_alerts(alerts)

    def finish(self) -> Delivered:
        """Wait until Kafka has everything; write the archive meanwhile."""
        if self._alerts:
            archive.write(self._settings, pa.Table.from_batches(self._alerts))
        for refused in self._kafka.finish():
            self._bury_refused(refused)
        still_refused = self._kafka.finish()
        if still_refused:
            first = still_refused[0]
            raise RuntimeError(f"topic {first.topic} refuses a dead letter, even a short one: {first.error.str()}")
        return Delivered(
            tasks=tuple(self._tasks),
            alerts=self._counts["alerts"],
            dead_letters=self._counts["dead_letters"],
            inputs=self._counts["inputs"],
            strange=self._counts["strange"],
            not_offered=self._counts["not_offered"],
            topics=+self._topics,
            ends=self._ends,
        )

    def _send_alerts(self, alerts: pa.RecordBatch) -> None:
        complete = _classification().complete(alerts)
        if not complete.all():
            for row in alerts.filter(pa.array(~complete)).to_pylist():
                self._bury_unwritable(row)
            alerts = alerts.filter(pa.array(complete))
        values = _classification().encode(alerts)
        keys, inputs = output_keys(alerts), input_names(alerts)
        for i, (value, key, place, names) in enumerate(
            zip(values, keys, inputs, alerts.column("topics").to_pylist(), strict=True)
        ):
            headers: Headers = [(KEY_HEADER, key), (INPUT_HEADER, place)]
            for name in names:
                self._kafka.send(name, key, value, headers)
            if i % _MESSAGES_BETWEEN_REPORTS == 0:
                self._kafka.serve()
        for counted in pc.value_counts(alerts.column("topics").flatten()).to_pylist():
            self._topics[counted["values"]] += counted["counts"]
        self._counts["alerts"] += alerts.num_rows
        self._counts["strange"] += pc.sum(alerts.column("is_strange")).as_py() or 0
        self._alerts.append(alerts)
        self._offer(alerts, values)

    def _send_dead(self, dead: pa.RecordBatch) -> None:
        for row in dead.to_pylist():
            self._bury(dead_letter.record_of(row))

    def _bury(self, record: dict[str, Any], subject: str = "") -> None:
        topic = topics.dead_letters(self._settings)
        key, value, place = dead_letter.message_of(record, subject, topics.dead_letter_limit_bytes(self._settings))
        self._kafka.send(topic, key, value, [(KEY_HEADER, key), (INPUT_HEADER, place)])
        self._topics[topic] += 1
        self._counts["dead_letters"] += 1

    def _bury_unwritable(self, row: dict[str, Any]) -> None:
        missing = [name for name in ALERT_FIELDS if row[name] is None and name not in NULLABLE]
        reason = f"a classification must have a value in every field, found none in {', '.join(missing)}"
        self._bury(dead_letter.record_of(row, "deliver", reason), str(row["alert_id"]))

    def _bury_refused(self, refused: RefusedMessage) -> None:
        """A message refused for its size or form becomes a dead letter; a dead letter is cut shorter."""
        self._topics[refused.topic] -= 1
        kind, record = messages.decode(refused.value)
        if kind == "dead_letter":
            self._counts["dead_letters"] -= 1
            shorter = len(record["payload"]) > _SHORT_PAYLOAD_BYTES
            self._bury({**record, "payload": record["payload"][:_SHORT_PAYLOAD_BYTES] if shorter else b""})
            return
        self._counts["alerts"] -= refused.topic == topics.classifications(self._settings)
        reason = f"topic {refused.topic} refused a classification of {len(refused.value)} bytes: {refused.error.str()}"
        self._bury(dead_letter.record_of(record, "deliver", reason), f"{record['alert_id']}:{refused.topic}")

    def _note_input(self, batch: pa.RecordBatch) -> None:
        self._tasks.update(dict.fromkeys(batch.column("task").unique().to_pylist()))
        self._counts["inputs"] += pc.sum(batch.column("is_first_of_message")).as_py() or 0
        places = pa.Table.from_batches([batch.select(["input_topic", "input_partition", "input_offset"])])
        for end in places.group_by(["input_topic", "input_partition"]).aggregate([("input_offset", "max")]).to_pylist():
            name = f"{end['input_topic']}:{end['input_partition']}"
            self._ends[name] = max(end["input_offset_max"] + 1, self._ends.get(name, 0))

    def _offer(self, alerts: pa.RecordBatch, values: list[bytes]) -> None:
        """Tell Redis of the objects; what it can't be told is counted, and the stream goes on."""
        offered = alerts.select(list(CANDIDATE_FIELDS))
        if self._redis.ask(lambda client: CandidateStore(client, self._keys).offer(offered, values), None) is None:
            self._counts["not_offered"] += alerts.num_rows


def output_keys(alerts: pa.RecordBatch) -> list[bytes]:
    """The key of each alert's messages, the same whenever the batch is done: ``<alert_id>:<model_sha256[:16]>``."""
    shas = alerts.column("model_sha256").to_pylist()
    return [f"{i}:{sha[:16]}".encode() for i, sha in zip(alerts.column("alert_id").to_pylist(), shas, strict=True)]


def input_names(rows: pa.RecordBatch) -> list[bytes]:
    """Where each row came from: ``topic:partition:offset``."""
    columns = [rows.column(name).to_pylist() for name in ("input_topic", "input_partition", "input_offset")]
    return [f"{topic}:{partition}:{offset}".encode() for topic, partition, offset in zip(*columns, strict=True)]


def warm() -> None:
    """Load the compiled code that a task needs; connects to nothing, so that a process may do it before it forks."""
    _classification().encode(pa.RecordBatch.from_pylist([], schema=arrow_schema()))


@cache
def _classification() -> AvroColumns:
    return AvroColumns("classification")
