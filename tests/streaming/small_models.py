"""A model small enough to be trained in a test session, and alerts it can score."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from models.datasets.labelled import Labelled
from models.training.train import train
from schemas import packets
from schemas.light_curves import LightCurves

CLASSES = (2222, 2223, 2224)
POINTS = 48


def light_curves(n: int, seed: int, width_days: np.ndarray | float = 15.0) -> LightCurves:
    """n transients of up to 48 points in all bands, two a night, bright enough to be detected often."""
    rng = np.random.default_rng(seed)
    alert = np.repeat(np.arange(n), POINTS)
    pair = np.tile(np.arange(POINTS), n) // 2  # two in a night and band
    time_mjd = 61_000.0 + 5 * pair + rng.uniform(0, 1, n * POINTS)
    width = (np.broadcast_to(width_days, (n,)) * np.exp(rng.normal(0, 0.4, n)))[alert]
    peak_njy, peak_mjd = rng.uniform(4_000, 30_000, n)[alert], rng.uniform(61_010, 61_090, n)[alert]
    flux_njy = peak_njy * np.exp(-0.5 * ((time_mjd - peak_mjd) / width) ** 2) + rng.normal(0, 150, n * POINTS)
    flux_njy[rng.uniform(0, 1, n * POINTS) < 0.04] -= 3_000  # so that no feature is the same for all
    observed = rng.uniform(0, 1, n * POINTS) < 0.8
    points: dict[str, Any] = {
        "time_mjd": time_mjd,
        "flux_njy": flux_njy,
        "flux_err_njy": np.full(n * POINTS, 150.0),
        "band": pair % 6,
        "is_detection": np.abs(flux_njy) > 750,
    }
    alerts: dict[str, Any] = {
        "alert_id": 1_000_000 * seed + np.arange(n) + 1,
        "object_id": 9_000_000 * seed + np.arange(n) + 1,
        "alert_mjd": np.full(n, 61_000.0 + 2.5 * POINTS + 5),
        "ra_deg": rng.uniform(0, 360, n),
        "dec_deg": rng.uniform(-60, 0, n),
        "survey": np.zeros(n),
        "schema_id": np.full(n, 1101),
        "is_solar_system": np.zeros(n),
        "reliability": np.full(n, 0.9),
    }
    points = {name: values[observed] for name, values in points.items()}
    return LightCurves.from_points(alert=alert[observed], columns=points, alerts=alerts)


def wire_messages(n: int, seed: int = 1) -> list[bytes]:
    """n alerts as they travel on a topic, no two alike."""
    return packets.write(light_curves(n, seed))


def train_small(folder: Path) -> None:
    """Train a bundle on 84 made-up objects and write it to ``folder``."""
    classes = np.repeat(CLASSES, 28)
    width = np.repeat([6.0, 14.0, 30.0], 28)
    labelled = Labelled(light_curves(len(classes), 100, width), classes, "made up", "0" * 64)
    train(labelled, out=folder, store=folder.parent / "store", seed=1, n_jobs=1)


def twin(bundle: Path, folder: Path) -> Path:
    """A bundle with the same models and another SHA-256."""
    shutil.copytree(bundle, folder)
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"created": "another time"}))
    return folder
