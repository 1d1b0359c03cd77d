"""The model and the novelty threshold that the next micro-batch is pinned to."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import redis
from models.scorer import Scorer

from broker.settings import Settings
from models.conformal import histogram_edges, threshold_from_histogram
from models.registry import Registry

RE_READ_S = 1.0
"""The registry's alias and the night's histogram are asked for at most this often, seconds."""

MJD_OF_1970 = 40_587

log = logging.getLogger(__name__)


class NoModel(LookupError):
    """The registry has no model in production."""


def night_mjd(time_s: float) -> int:
    """The night in which ``time_s`` (seconds since 1970 UTC) falls: the MJD of its evening, nights parted at 12:00 UTC.

    Rubin counts its days so (SITCOMTN-032): no night of its site, nor of Palomar, is cut in two.
    """
    return int(np.floor(time_s / 86_400 - 0.5)) + MJD_OF_1970


def histogram_key(night: int) -> str:
    """The Redis hash of a night's p-values: task → JSON list of counts between ``models.conformal.histogram_edges``."""
    return f"gueststar:night_histogram:{night}"


class PinnedModel:
    """What stands in an offset about the model: read again once a second, kept where the source of it is away."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._read_at = -np.inf
        self._registry: Registry | None = None
        self._redis: redis.Redis | None = None
        self._own_threshold: dict[str, float] = {}
        self._pin: dict[str, Any] = {}

    def current(self, start: dict[str, Any]) -> dict[str, Any]:
        """``model`` and ``novelty_threshold`` of the batch after ``start``; raises NoModel where there is none."""
        now = self._clock()
        if now - self._read_at >= RE_READ_S:
            model = self._production() or self._pin.get("model") or start.get("model")
            if not model:
                raise NoModel(
                    f"no model is in production in the registry {self._settings.registry_address()}: "
                    "train one with `gueststar train`, then `gueststar models promote VERSION`"
                )
            self._pin = {"model": model, "novelty_threshold": self._threshold(model, now)}
            self._read_at = now
        return dict(self._pin)

    def _production(self) -> str | None:
        try:
            if self._registry is None:
                self._registry = Registry(self._settings.registry_address(), self._settings.home / "models")
            return str(self._registry.model("production").sha256)
        except Exception as error:  # a registry that is away must not stop the stream
            log.warning("the registry gives no model in production: %s", error)
            return None

    def _threshold(self, model: str, now: float) -> float:
        counts = self._counts(night_mjd(now))
        edges = histogram_edges()
        if counts is not None and counts.shape == (len(edges) - 1,) and counts.sum() > 0:
            return threshold_from_histogram(counts, edges, self._settings.novelty_fdr)
        if model not in self._own_threshold:
            bundle = Scorer.load(self._settings.home / "models" / model, sha256=model)
            self._own_threshold[model] = float(bundle.novelty_threshold)
        return self._own_threshold[model]

    def _counts(self, night: int) -> np.ndarray | None:
        try:
            if self._redis is None:
                self._redis = redis.Redis.from_url(
                    self._settings.redis_address(), socket_timeout=1.0, socket_connect_timeout=1.0
                )
            tasks: Any = self._redis.hvals(histogram_key(night))
            return np.sum([json.loads(counts) for counts in tasks], axis=0) if tasks else None
        except (redis.RedisError, LookupError, ValueError, OSError) as error:
            log.warning("no histogram of the night's p-values, the bundle's own novelty threshold is used: %s", error)
            return None
