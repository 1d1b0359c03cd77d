"""Features of many light curves, optionally with their portraits, in portions on all processors."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed

import numpy as np
from numpy.typing import NDArray

from features import extract
from features.catalogue import NAMES
from features.portrait import PORTRAIT_SIZE, portraits
from models.progress import Progress, silent
from schemas.light_curves import LightCurves

Array = NDArray[np.float64]

CHUNK = 500
"""Light curves per call of the feature extraction."""


def extract_many(light_curves: LightCurves, *, progress: Progress = silent, n_jobs: int | None = None) -> Array:
    """Features of many light curves, shape (n, f), in chunks over ``n_jobs`` processes."""
    return _in_portions(_features, len(NAMES), light_curves, progress, n_jobs)


def extract_with_portraits(
    light_curves: LightCurves, *, progress: Progress = silent, n_jobs: int | None = None
) -> Array:
    """Features as :func:`extract_many`, followed by the portraits of the same fits: (n, f + p)."""
    return _in_portions(_features_and_portraits, len(NAMES) + PORTRAIT_SIZE, light_curves, progress, n_jobs)


def _in_portions(
    measure: Callable[[LightCurves], Array],
    size: int,
    light_curves: LightCurves,
    progress: Progress,
    n_jobs: int | None,
) -> Array:
    jobs = n_jobs or len(os.sched_getaffinity(0))
    parts = [
        light_curves.select(np.arange(i, min(i + CHUNK, len(light_curves)))) for i in range(0, len(light_curves), CHUNK)
    ]
    out = np.full((len(light_curves), size), np.nan)
    if jobs == 1 or len(parts) < 2 * jobs:
        for i, part in enumerate(parts):
            out[i * CHUNK : i * CHUNK + len(part)] = measure(part)
            progress("features", i + 1, len(parts))
        return out
    # Fresh processes: a fork of a process with threads may hang.
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        pending = {pool.submit(measure, part): i for i, part in enumerate(parts)}
        for done, future in enumerate(as_completed(pending)):
            i = pending[future]
            out[i * CHUNK : i * CHUNK + len(parts[i])] = future.result()
            progress("features", done + 1, len(parts))
    return out


def _features(light_curves: LightCurves) -> Array:
    return np.asarray(extract(light_curves).values, np.float64)


def _features_and_portraits(light_curves: LightCurves) -> Array:
    matrix = extract(light_curves)
    return np.concatenate([matrix.values, portraits(matrix.fits)], axis=1)
