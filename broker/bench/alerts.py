"""The alerts that the benchmarks measure with: made here, so that anybody can make the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.datasets import plasticc
from models.datasets.labelled import alerts_at, triggers
from schemas import packets
from schemas.light_curves import BANDS, LightCurves

SEED = 4

NIGHT_MJD = 61_000.0
"""A night of the survey's first year; any would do."""

CUTOUT_BYTES = 12_000
"""Of each of a packet's three images: brings the mean message to 58 kB, as real ones have."""


def simulated(n: int, seed: int = SEED) -> LightCurves:
    """``n`` alerts drawn from all those of PLAsTiCC's training objects, each with its history."""
    labelled = plasticc.load()
    all_triggers = triggers(labelled.light_curves)
    rng = np.random.default_rng(seed)
    total = len(all_triggers)
    if n > total:
        raise ValueError(f"PLAsTiCC's training objects have {total:,} alerts, {n:,} were asked for")
    chosen = np.sort(rng.choice(total, n, replace=False))
    return alerts_at(labelled.light_curves, all_triggers.select(chosen))


def on_one_night(light_curves: LightCurves) -> LightCurves:
    """The same alerts, each moved by whole days, so that all are made in the night of :data:`NIGHT_MJD`."""
    days = NIGHT_MJD - np.floor(light_curves.alert_mjd)
    return replace(
        light_curves,
        alert_mjd=light_curves.alert_mjd + days,
        time_mjd=light_curves.time_mjd + days[light_curves.alert_of_point],
    )


def messages(light_curves: LightCurves, seed: int = SEED) -> list[bytes]:
    """Wire messages as heavy as a telescope's: no field left empty, and three images, which don't compress."""
    return packets.write(light_curves, full=True, cutout=np.random.default_rng(seed).bytes(CUTOUT_BYTES))


def made_up(n: int, n_detections: int, n_forced: int, seed: int = SEED) -> LightCurves:
    """``n`` alerts of exactly so many points: a rise and fall with noise, one visit about every two days."""
    rng = np.random.default_rng(seed)
    size = n_detections + n_forced
    alert = np.repeat(np.arange(n), size)
    time_mjd = 60_000.0 + 2.0 * np.arange(size) + rng.uniform(0.0, 1.0, (n, size))
    detected = np.zeros((n, size), bool)
    detected[:, -n_detections:] = True
    phase = (time_mjd - time_mjd[:, [size // 2]]) / rng.uniform(10.0, 40.0, (n, 1))
    flux_njy = rng.uniform(1e3, 2e4, (n, 1)) / (np.exp(phase) + np.exp(-2.0 * phase)) + rng.normal(0, 200, (n, size))
    return LightCurves.from_points(
        alert=alert,
        columns={
            "time_mjd": time_mjd.ravel(),
            "flux_njy": flux_njy.astype(np.float32).ravel(),
            "flux_err_njy": rng.uniform(150, 250, n * size).astype(np.float32),
            "band": rng.integers(0, len(BANDS), n * size),
            "is_detection": detected.ravel(),
        },
        alerts={
            "alert_id": 1_000_000 + np.arange(n),
            "object_id": 1 + np.arange(n),
            "alert_mjd": time_mjd[:, -1],
            "ra_deg": rng.uniform(0, 360, n),
            "dec_deg": rng.uniform(-70, 10, n),
            "survey": np.zeros(n, int),
            "schema_id": np.full(n, 1101),
            "is_solar_system": np.zeros(n, bool),
            "reliability": rng.uniform(0.5, 1, n),
        },
    )
