"""Where objects lie for the ranking by interest: alike objects lie close, by the features that the stream archived."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.records import archive, archived_features
from broker.settings import Settings
from features.catalogue import NAMES
from models.registry.versions import Registry
from models.scoring.scorer import Scorer
from schemas.night import night_of

Array = NDArray[np.float64]

ASKED_AGAIN_S = 60.0
"""The archive is asked again for an alert that it had not after this long, seconds."""

_N_DETECTIONS = NAMES.index("n_detections")


class ObjectVectors:
    """Vectors of the production model for messages about objects, and for votes on them.

    A message that has features is enough by itself; of others the archive is asked for those of their alert. What was
    found is kept until another model is in production. May be called from several threads at once.
    """

    def __init__(self, settings: Settings) -> None:
        """Neither registry nor archive is opened before the first call."""
        self._settings = settings
        self._lock = threading.Lock()
        self._registry: Registry | None = None
        self._scorer: Scorer | None = None
        self._kept: dict[int, Array] = {}
        self._absent_at: dict[int, float] = {}

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> Array:
        """The vectors, (n, d); a row of NaN where neither message nor archive has features of this program's catalogue.

        Raises LookupError without a model in production, BundleError (a ValueError) where it is damaged, OSError or
        ValueError where the archive cannot be read.
        """
        with self._lock:
            scorer = self._in_production()
            features = self._features({r["alert_id"]: r for r in records if r["alert_id"] not in self._kept})
            if features:
                matrix = np.stack(list(features.values()))
                detections = np.nan_to_num(matrix[:, _N_DETECTIONS]).astype(np.int64)
                near = scorer.object_vectors(matrix, detections).near.astype(np.float64)
                self._kept |= dict(zip(features, near, strict=True))
            d = len(next(iter(self._kept.values()), np.zeros(1)))
            rows = [self._kept.get(record["alert_id"], np.full(d, np.nan)) for record in records]
            return np.stack(rows) if rows else np.zeros((0, d))

    def _in_production(self) -> Scorer:
        if self._registry is None:
            self._registry = self._settings.registry()
        model = self._registry.model("production")
        if self._scorer is None or self._scorer.sha256 != model.sha256:
            self._scorer, self._kept = Scorer.load(model.path, model.sha256), {}
        return self._scorer

    def _features(self, records: Mapping[int, Mapping[str, Any]]) -> dict[int, NDArray[np.float32]]:
        """Of each alert, where they are to be had: from the record, else from the archive."""
        features = {alert: np.array(r["features"], np.float32) for alert, r in records.items() if r.get("features")}
        now = time.monotonic()
        by_night: dict[int, list[int]] = {}
        for alert, record in records.items():
            is_due = now - self._absent_at.get(alert, -np.inf) >= ASKED_AGAIN_S
            if alert not in features and is_due and np.isfinite(record["alert_mjd"]):
                by_night.setdefault(int(night_of(record["alert_mjd"])), []).append(alert)
        features |= archived_features.features_of(archive.folder(self._settings), by_night)
        self._absent_at |= {alert: now for alerts in by_night.values() for alert in alerts if alert not in features}
        return {alert: row for alert, row in features.items() if len(row) == len(NAMES)}
