"""Whether Kafka is there, for one who waits for messages: the client library tries again for ever and says nothing."""

from __future__ import annotations

import logging
import time

from broker.kafka import clients
from broker.kafka.errors import KafkaFailure
from broker.settings import Settings

CHECK_S = 10.0
"""How often Kafka is asked while no message comes, seconds."""

_ANSWER_S = 5.0
"""How long it may take to answer, seconds."""

log = logging.getLogger(__name__)


class Outage:
    """Tells the beginning and the end of each time in which Kafka does not answer, one warning each."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._admin, self._topic = clients.admin(settings), topic
        self._next_check = time.monotonic() + CHECK_S
        self._began: float | None = None

    def look(self) -> None:
        """Ask Kafka, where it was not asked for a while."""
        if time.monotonic() < self._next_check:
            return
        try:
            with self._admin.translating(self._topic):
                self._admin.list_topics(timeout=_ANSWER_S)
        except KafkaFailure as failure:
            if self._began is None:
                self._began = time.monotonic()
                log.warning("%s: waiting for it", failure)
        else:
            self.end()
        self._next_check = time.monotonic() + (CHECK_S if self._began is None else 1.0)

    def end(self) -> None:
        """A message came, or Kafka answered."""
        if self._began is not None:
            log.warning("Kafka answers again, after %.0f s", time.monotonic() - self._began)
            self._began = None
