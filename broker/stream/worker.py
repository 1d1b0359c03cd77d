"""All that a process of Spark's keeps between its tasks, for each home: settings, clients, loaded models.

Making any of it takes from a tenth of a second to seconds, so a worker makes it once. Nothing connects before it is
asked for: a process may be forked from one that already holds a :class:`Worker`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from broker.kafka import clients
from broker.kafka.fetching import Fetcher
from broker.kafka.writing import KafkaWriter
from broker.records import score_tables
from broker.settings import Settings
from broker.state.connection import RedisConnection
from broker.state.keys import Keys
from broker.state.object_history import ObjectHistory
from models.scoring.recent_scores import RecentScores
from models.scoring.scorer import Scorer

MODELS_KEPT = 3
"""The model in production, the one before it, and one that a replay may ask for."""

log = logging.getLogger(__name__)


class Worker:
    """What this process keeps for a home. Ask :func:`worker_of` for it."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self.keys = Keys(self.settings.topic_prefix)
        self.redis = RedisConnection.of(self.settings)
        self.history = ObjectHistory(self.redis, self.keys)
        self.scorer = lru_cache(maxsize=MODELS_KEPT)(self._load)
        self._table = lru_cache(maxsize=MODELS_KEPT)(self._read_table)
        self._fetcher: Fetcher | None = None
        self._fetcher_reaches: dict[str, str] = {}
        self._writer: KafkaWriter | None = None

    def recent_scores(self, sha256: str, model_sha256: str) -> RecentScores:
        """The table of recent scores of this SHA-256, if it is of the model; an empty one where none is named.

        Where it cannot be read the log says so, and the p-values of the batch are the training's: no alert is lost.
        """
        try:
            table = self._table(sha256) if sha256 else RecentScores()
        except score_tables.DamagedTable as error:
            log.warning("this batch has the p-values of the training: %s", error)
            return RecentScores()
        return table if table.model_sha256 == model_sha256 else RecentScores()

    @contextmanager
    def fetcher(self) -> Iterator[Fetcher]:
        """The consumer of this process. After an error, or where Kafka has another address, a new one is made."""
        properties = clients.connection(self.settings)
        if self._fetcher is None or self._fetcher_reaches != properties:
            self._leave_fetcher()
            self._fetcher = Fetcher(self.settings)
            self._fetcher_reaches = properties
        try:
            yield self._fetcher
        except BaseException:  # a task that is killed leaves its partitions assigned
            self._leave_fetcher()
            raise

    @contextmanager
    def writer(self) -> Iterator[KafkaWriter]:
        """The producer of this process. After an error a new one is made: what is left in its queue goes with it."""
        if self._writer is None:
            self._writer = KafkaWriter(self.settings)
        try:
            yield self._writer
        except BaseException:
            self._writer = None
            raise

    def close(self) -> None:
        """Leave Kafka and Redis."""
        self._leave_fetcher()
        self._writer = None
        self.redis.close()

    def _load(self, sha256: str) -> Scorer:
        """The scorer of a bundle in the registry's store; its hash is checked."""
        return Scorer.load(self.settings.home / "models" / sha256, sha256=sha256)

    def _read_table(self, sha256: str) -> RecentScores:
        return score_tables.read(self.settings.home, sha256)

    def _leave_fetcher(self) -> None:
        fetcher, self._fetcher = self._fetcher, None
        if fetcher is not None:
            fetcher.close()


_workers: dict[Path, Worker] = {}


def worker_of(home: Path | str) -> Worker:
    """What this process keeps for the home; made with the first task."""
    home = Path(home)
    if home not in _workers:
        _workers[home] = Worker(home)
    return _workers[home]


def close(home: Path | str) -> None:
    """Close what this process keeps for the home, and forget it: the next task reads the settings anew."""
    worker = _workers.pop(Path(home), None)
    if worker is not None:
        worker.close()
