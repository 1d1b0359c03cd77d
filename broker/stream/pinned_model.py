"""The model, and the table of recent scores, that the next micro-batch is pinned to."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from broker.records import score_tables
from broker.settings import Settings
from models.registry.versions import Registry

RE_READ_S = 1.0
"""The registry's alias and the newest table are asked for at most this often, seconds."""

log = logging.getLogger(__name__)


class NoModel(LookupError):
    """The registry has no model in production."""


class PinnedModel:
    """What stands in an offset about the scores: read again once a second, kept where the source of it is away."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._read_at = -np.inf
        self._registry: Registry | None = None
        self._pin: dict[str, Any] = {}

    def current(self, start: dict[str, Any]) -> dict[str, Any]:
        """``model``, ``ranks`` (SHA-256 of the model's table of recent scores; empty where there is none yet) and
        ``strange`` (how many alerts to mark) of the batch after ``start``; raises NoModel where there is no model."""
        now = self._clock()
        if now - self._read_at >= RE_READ_S:
            model = self._production() or self._pin.get("model") or start.get("model")
            if not model:
                raise NoModel(
                    f"no model is in production in the registry {self._settings.home / 'models'}: "
                    "train one with `gueststar train`, then `gueststar models promote VERSION`"
                )
            ranks = score_tables.current(self._settings.home).get(model, "")
            self._pin = {"model": model, "ranks": ranks, "strange": self._settings.strange_per_batch}
            self._read_at = now
        return dict(self._pin)

    def _production(self) -> str | None:
        try:
            if self._registry is None:
                self._registry = self._settings.registry()
            return str(self._registry.model("production").sha256)
        except Exception as error:  # a registry that is away must not stop the stream
            log.warning("the registry gives no model in production: %s", error)
            return None
