"""The streaming data source: Kafka's input topics, decoded and scored in the worker that fetches them.

Its contract, in the words of the tests (tests/streaming/test_source*.py): each batch reads exactly [start, end);
what is gone is told, never skipped; what holds no message is passed, never waited for; a batch done again has the
same tasks, the same model, the same rows. Connection, limits and secrets come from the settings of each process,
never from Spark's options, which are seen in query plans.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import ReadLimit, ReadMaxRows, SupportsTriggerAvailableNow
from pyspark.sql.types import StructType

from broker.kafka.ranges import Range, TopicState
from broker.kafka.watermarks import InputTopics
from broker.settings import Settings
from broker.stream import offsets
from broker.stream.spark_schema import SPARK_SCHEMA

if TYPE_CHECKING:
    import pyarrow as pa

    from broker.stream.pinned_model import PinnedModel

# Spark imports this module in half a dozen planning processes: what takes seconds to import, workers import in `read`.

NAME = "gueststar_source"

CHUNK_MESSAGES = 500
"""Messages decoded and scored together: enough to spread fixed costs, few enough for the processor's cache."""

STOP_FILE = Path("run") / "stop"
"""In the home: while this file is there, no new batch begins."""


@dataclass(frozen=True)
class Slice(InputPartition):
    """What one task reads, and what it is scored with: the model, the table of recent scores, alerts to mark."""

    ranges: tuple[Range, ...]
    task: str
    model_sha256: str
    ranks_sha256: str
    n_strange: int


class GueststarSource(DataSource):
    """``spark.readStream.format("gueststar_source").option("home", …).option("cores", …)``."""

    @classmethod
    def name(cls) -> str:
        return NAME

    def schema(self) -> StructType:
        return SPARK_SCHEMA

    def streamReader(self, schema: StructType) -> GueststarReader:
        return GueststarReader(self.options["home"], int(self.options["cores"]))


class GueststarReader(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Plans batches in a process of its own beside the driver, and reads them in the workers."""

    def __init__(self, home: str, cores: int) -> None:
        self.home = home
        self.cores = cores
        self._topics: InputTopics | None = None
        self._pin: PinnedModel | None = None
        self._target: dict[str, TopicState] | None = None
        self._seen: dict[str, TopicState] | None = None

    # planning

    def initialOffset(self) -> dict[str, Any]:
        """Nothing: topics join at their first kept offset with the first batch, which the write-ahead log keeps."""
        return {"topics": {}}

    def getDefaultReadLimit(self) -> ReadLimit:
        return ReadMaxRows(self._settings().max_alerts_per_batch)

    def prepareForTriggerAvailableNow(self) -> None:
        self._target = self._state()

    def latestOffset(self, start: dict[str, Any], limit: ReadLimit) -> dict[str, Any]:
        """Where the next batch ends; ``start`` itself where there is nothing to do, or a stop is asked for."""
        if (Path(self.home) / STOP_FILE).exists():
            return start
        before = start.get("topics", {})
        after = offsets.advance(before, self._target or self._state(), getattr(limit, "max_rows", None))
        if after == before:
            return start
        if self._pin is None:
            from broker.stream.pinned_model import PinnedModel

            self._pin = PinnedModel(self._settings())
        tasks = offsets.task_count(offsets.ranges(before, after), self.cores)
        return {"topics": after, **self._pin.current(start), "tasks": tasks}

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> Sequence[InputPartition]:
        """The slices of a batch, from the two offsets alone: the same whenever the batch is done again."""
        ranges = offsets.ranges(start.get("topics", {}), end["topics"])
        if not ranges:
            return []
        offsets.check_same_topics(end["topics"], self._state())
        slices = offsets.split(ranges, end["tasks"])
        ranks, n_strange = end.get("ranks", ""), math.ceil(end.get("strange", 0) / len(slices))
        return [Slice(part, offsets.task_name(part), end["model"], ranks, n_strange) for part in slices]

    def reportLatestOffset(self) -> dict[str, Any] | None:
        """How far the topics go, for the lag in Spark's reports: as Kafka last said."""
        if self._seen is None:
            return None
        highs = {name: {str(p): high for p, high in state.high.items()} for name, state in self._seen.items()}
        return {"topics": {name: {"partitions": partitions} for name, partitions in highs.items()}}

    def commit(self, end: dict[str, Any]) -> None:
        """Nothing to do: Spark's checkpoint holds the offsets."""

    def _state(self) -> dict[str, TopicState]:
        if self._topics is None:
            self._topics = InputTopics(self._settings())
        self._seen = self._topics.state()
        return self._seen

    def _settings(self) -> Settings:
        return Settings(home=Path(self.home))

    # reading, in a worker

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        from broker.records.build import RowContext, lost_row
        from broker.stream.scoring import MessageScorer
        from broker.stream.strangest import Strangest
        from broker.stream.worker import worker_of

        assert isinstance(partition, Slice)
        worker = worker_of(self.home)
        limit = worker.settings.packet_size_limit_bytes
        context = RowContext(partition.model_sha256, partition.task, limit)
        recent = worker.recent_scores(partition.ranks_sha256, partition.model_sha256)
        scorer = MessageScorer(worker.scorer(partition.model_sha256), context, worker.history, recent)
        strangest = Strangest(partition.n_strange)
        with worker.fetcher() as fetcher:
            for part in fetcher.fetch(partition.ranges, CHUNK_MESSAGES):
                yield lost_row(part, context) if isinstance(part, Range) else strangest.passed(scorer.rows(part))
        yield from strangest.marked()
