"""The scores that a new model gives to recent alerts of the archive, whose features were measured for another."""

from __future__ import annotations

import json
import logging
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from broker.records import archive
from broker.records.archived_scores import ROW, NewFiles, Rows, newest_of_each, read_scores
from broker.settings import Settings
from models.bundle import MANIFEST, sha256_of

ROWS_RESCORED = 20_000
"""So many of the newest alerts are looked at; the latest of each object and phase is scored."""

ROWS_AT_A_TIME = 500

log = logging.getLogger(__name__)


def rescored(settings: Settings, model: str, manifest: dict[str, Any]) -> Rows:
    """Scores of the newest alerts that other models scored, from the same catalogue of features; none where there are
    no such alerts. ``manifest``: the new model's. Raises BundleError where its bundle is damaged."""
    rows, features, n_detections = _alerts_of_others(settings, model, manifest)
    if not len(rows):
        return rows
    from models.scoring.scorer import Scorer  # here: a job whose model is not new does without compiled code

    scorer = Scorer.load(settings.home / "models" / model, model)
    for begin in range(0, len(rows), ROWS_AT_A_TIME):
        part = slice(begin, begin + ROWS_AT_A_TIME)
        _, score, _ = scorer.evaluate(features[part].astype(np.float64), n_detections[part])
        rows["score"][part] = score
    log.info("model %s: %d recent alerts scored anew", model[:16], len(rows))
    return rows[np.isfinite(rows["score"])]


def _alerts_of_others(settings: Settings, model: str, manifest: dict[str, Any]) -> tuple[Rows, np.ndarray, np.ndarray]:
    """Rows, features (n, f) float32 and numbers of detections (n,) of the latest alert of each object and cell."""
    width = len(manifest["feature_names"])
    none = np.zeros(0, ROW), np.zeros((0, width), np.float32), np.zeros(0, np.int64)
    of_files, n_read = [none], 0

    @cache
    def has_same_features(other: str) -> bool:
        folder = settings.home / "models" / other
        return other != model and _fingerprint(folder, other) == manifest["feature_fingerprint"]

    for file in NewFiles(archive.folder(settings)):
        if n_read >= ROWS_RESCORED:
            break
        if (read := read_scores(file, ("features", "n_detections"))) is None:
            continue
        rows, columns = read
        n_read += len(rows)
        fits = columns["features"].combine_chunks().value_lengths().to_numpy() == width
        fits &= np.array([has_same_features(other) for other in columns["model_sha256"].to_pylist()], bool)
        places = np.flatnonzero(fits)
        if len(places):
            columns = columns.take(pa.array(places))
            values = columns["features"].combine_chunks().flatten().to_numpy().reshape(len(places), width)
            of_files.append((rows[places], values, columns["n_detections"].to_numpy().astype(np.int64)))
    rows, features, n_detections = (np.concatenate(parts) for parts in zip(*of_files, strict=True))
    newest = newest_of_each(rows)
    return rows[newest], features[newest], n_detections[newest]


def _fingerprint(folder: Path, sha256: str) -> str:
    """Of the catalogue of features that a bundle was trained on, whatever its format; empty where it is gone."""
    file = folder / MANIFEST
    try:
        return str(json.loads(file.read_bytes())["feature_fingerprint"]) if sha256_of(file) == sha256 else ""
    except (KeyError, OSError, TypeError, ValueError):
        return ""
