"""The points of an object that its packets no longer hold: kept in Redis, joined to each new alert's light curve.

Only for surveys whose packets reach back a month (``schemas.history.is_kept``); a batch without such alerts costs
nothing. Redis that is away, or has lost everything, loses no alert: its light curve is then as long as its packet.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

import numpy as np
import redis
from numpy.typing import NDArray

from broker.settings import Settings
from schemas import history
from schemas.light_curves import LightCurves

DAYS_KEPT = 400
"""After an object's last alert: features look back a year, and the Sun hides an object for months."""

REST_S = 10.0
"""After a failure Redis is left alone for so long, seconds: a stream must not wait for it at every batch."""

TIMEOUT_S = 2.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ObjectHistory:
    """What a worker asks and tells Redis of objects' points, as ``<prefix>:points:<version>:<survey>:<object id>``."""

    settings: Settings
    _client: redis.Redis | None = None
    _rests_until: float = field(default=-np.inf)

    def joined(self, light_curves: LightCurves) -> LightCurves:
        """The light curves with the older points of their objects, which are kept again with the new ones.

        Each row's place stays. An alert older than what is kept of its object (a replay) changes nothing there.
        """
        rows = np.flatnonzero(history.is_kept(light_curves))
        if not len(rows) or time.monotonic() < self._rests_until:
            return light_curves
        own = light_curves.select(rows)
        try:
            client = self._connected()
            keys = self._keys(own)
            known = history.decode(client.mget(keys))  # type: ignore[arg-type]
            merged = history.merge(own, known)
            self._keep(client, keys, merged, known)
        except (redis.RedisError, LookupError, OSError) as error:
            self._rests_until = time.monotonic() + REST_S
            self._client = None
            log.warning("Redis is away: light curves are as long as their packets for %.0f s: %s", REST_S, error)
            return light_curves
        return _replaced(light_curves, rows, merged)

    def _keep(self, client: redis.Redis, keys: list[str], merged: LightCurves, known: history.History) -> None:
        newest: dict[str, int] = {}
        for row in np.argsort(merged.alert_mjd, kind="stable").tolist():
            newest[keys[row]] = row
        kept_until = _last_mjd(known)
        encoded = history.encode(merged)
        with client.pipeline(transaction=False) as pipeline:
            for key, row in newest.items():
                if encoded[row] and merged.alert_mjd[row] >= kept_until[row]:
                    pipeline.set(key, encoded[row], ex=DAYS_KEPT * 86_400)
            pipeline.execute()

    def _keys(self, light_curves: LightCurves) -> list[str]:
        prefix = f"{self.settings.topic_prefix}:points:{history.VERSION}"
        places = zip(light_curves.survey.tolist(), light_curves.object_id.tolist(), strict=True)
        return [f"{prefix}:{survey}:{object_id}" for survey, object_id in places]

    def _connected(self) -> redis.Redis:
        if self._client is None:
            address = self.settings.redis_address()
            self._client = redis.Redis.from_url(address, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        return self._client


def _last_mjd(known: history.History) -> NDArray[np.float64]:
    """Time of the last point kept for each alert, MJD TAI; -infinity where nothing is."""
    last = np.full(len(known), -np.inf)
    some = np.diff(known.offsets) > 0
    last[some] = known.points["time_mjd"][known.offsets[1:][some] - 1]
    return last


def _replaced(light_curves: LightCurves, rows: NDArray[np.int64], others: LightCurves) -> LightCurves:
    """The light curves with those at ``rows`` exchanged for ``others``, row by row."""
    source = np.arange(len(light_curves))
    source[rows] = len(light_curves) + np.arange(len(rows))
    return LightCurves.concatenate([light_curves, others]).select(source)
