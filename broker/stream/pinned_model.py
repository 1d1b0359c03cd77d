"""The model and the novelty threshold that the next micro-batch is pinned to."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.settings import Settings
from broker.state import night_histogram
from broker.state.connection import RedisConnection
from broker.state.keys import Keys
from models.bundle import open_bundle
from models.registry.versions import Registry
from models.scoring.conformal import histogram_edges, threshold_from_histogram
from schemas.night import night_of_unix_ms

RE_READ_S = 1.0
"""The registry's alias and the night's histogram are asked for at most this often, seconds."""

log = logging.getLogger(__name__)


class NoModel(LookupError):
    """The registry has no model in production."""


class PinnedModel:
    """What stands in an offset about the model: read again once a second, kept where the source of it is away."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._read_at = -np.inf
        self._registry: Registry | None = None
        self._redis = RedisConnection.of(settings)
        self._threshold_of_bundle: dict[str, float] = {}
        self._pin: dict[str, Any] = {}

    def current(self, start: dict[str, Any]) -> dict[str, Any]:
        """``model`` and ``novelty_threshold`` of the batch after ``start``; raises NoModel where there is none."""
        now = self._clock()
        if now - self._read_at >= RE_READ_S:
            model = self._production() or self._pin.get("model") or start.get("model")
            if not model:
                raise NoModel(
                    f"no model is in production in the registry {self._settings.home / 'models'}: "
                    "train one with `gueststar train`, then `gueststar models promote VERSION`"
                )
            self._pin = {"model": model, "novelty_threshold": self._threshold(model, now)}
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

    def _threshold(self, model: str, now: float) -> float:
        counts = self._counts(now)
        if counts is not None and counts.sum() > 0:
            return threshold_from_histogram(counts, histogram_edges(), self._settings.novelty_fdr)
        if model not in self._threshold_of_bundle:
            manifest, _ = open_bundle(self._settings.home / "models" / model, model)
            self._threshold_of_bundle[model] = float(manifest["novelty"]["threshold"])
        return self._threshold_of_bundle[model]

    def _counts(self, now: float) -> NDArray[np.int64] | None:
        """The night's p-values so far; None while Redis is away: then the bundle's own threshold is used."""
        keys, night = Keys(self._settings.topic_prefix), int(night_of_unix_ms(1_000 * now))
        return self._redis.ask(lambda client: night_histogram.read(client, keys, night), None)
