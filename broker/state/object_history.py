"""The points of an object that its packets no longer hold: kept in Redis, joined to each new alert's light curve.

Only for surveys whose packets reach back a month (``schemas.history.is_kept``); a batch without such alerts costs
nothing. Redis that is away, or has lost everything, loses no alert: its light curve is then as long as its packet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import redis
from numpy.typing import NDArray

from broker.state.connection import RedisConnection
from broker.state.keys import Keys
from schemas import history
from schemas.light_curves import LightCurves

DAYS_KEPT = 400
"""After an object's last alert: features look back a year, and the Sun hides an object for months."""


@dataclass(frozen=True, slots=True)
class ObjectHistory:
    """The points kept of objects, and the connection that a worker reaches them by."""

    connection: RedisConnection
    keys: Keys

    def joined(self, light_curves: LightCurves) -> LightCurves:
        """The light curves with the older points of their objects, which are kept again with the new ones.

        Each row's place stays. An alert older than what is kept of its object (a replay) changes nothing there.
        """
        rows = np.flatnonzero(history.is_kept(light_curves))
        if not len(rows):
            return light_curves
        short = light_curves.select(rows)
        lengthened = self.connection.ask(lambda client: self._lengthened(client, short), None)
        return light_curves if lengthened is None else _replaced(light_curves, rows, lengthened)

    def _lengthened(self, client: redis.Redis, short: LightCurves) -> LightCurves:
        places = zip(short.survey.tolist(), short.object_id.tolist(), strict=True)
        names = [self.keys.points(survey, object_id) for survey, object_id in places]
        kept = history.decode(client.mget(names))  # type: ignore[arg-type]
        merged = history.merge(short, kept)
        self._keep(client, names, merged, kept)
        return merged

    def _keep(self, client: redis.Redis, names: list[str], merged: LightCurves, kept: history.History) -> None:
        newest: dict[str, int] = {}
        for row in np.argsort(merged.alert_mjd, kind="stable").tolist():
            newest[names[row]] = row
        kept_until_mjd = _last_mjd(kept)
        encoded = history.encode(merged)
        with client.pipeline(transaction=False) as pipeline:
            for name, row in newest.items():
                if encoded[row] and merged.alert_mjd[row] >= kept_until_mjd[row]:
                    pipeline.set(name, encoded[row], ex=DAYS_KEPT * 86_400)
            pipeline.execute()


def _last_mjd(kept: history.History) -> NDArray[np.float64]:
    """Time of the last point kept for each alert, MJD TAI; -infinity where nothing is."""
    last = np.full(len(kept), -np.inf)
    has_points = np.diff(kept.offsets) > 0
    last[has_points] = kept.points["time_mjd"][kept.offsets[1:][has_points] - 1]
    return last


def _replaced(light_curves: LightCurves, rows: NDArray[np.int64], others: LightCurves) -> LightCurves:
    """The light curves with those at ``rows`` exchanged for ``others``, row by row."""
    source = np.arange(len(light_curves))
    source[rows] = len(light_curves) + np.arange(len(rows))
    return LightCurves.concatenate([light_curves, others]).select(source)
