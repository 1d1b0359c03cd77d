"""Copies of labelled objects by :mod:`features.augment`, on all processors; rarer classes get more."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from numpy.typing import NDArray

from features.augment import Copies, copies
from models.progress import Progress, silent
from schemas.light_curves import LightCurves

SPREAD = 3.0
"""The number of copies of an object is between the mean divided by this and the mean times this; rarer classes get
more."""

CHUNK = 100
"""Least number of objects copied in one call."""


def wanted(label: NDArray[np.int64], mean: float) -> NDArray[np.int64]:
    """Number of copies of each object, (n,): ``mean`` on average, similar totals for all classes; ``label`` from 0."""
    count = np.bincount(label)
    fair = mean * len(label) / (np.maximum(count, 1) * (count > 0).sum())
    return np.clip(np.round(fair), mean / SPREAD, mean * SPREAD).astype(np.int64)[label]


def made(
    parents: LightCurves,
    redshift: NDArray[np.float64],
    donors: LightCurves,
    number: NDArray[np.int64],
    seed: int,
    *,
    progress: Progress = silent,
    n_jobs: int | None = None,
    as_bright: bool = False,
    rough: bool = False,
) -> Copies:
    """``number`` (n,) copies of each parent, as :func:`features.augment.copies`, in portions."""
    jobs = n_jobs or len(os.sched_getaffinity(0))
    n_parts = max(1, min(len(parents) // CHUNK, 4 * jobs))
    portions = [np.arange(part, len(parents), n_parts) for part in range(n_parts)]
    tasks = [(parents.select(rows), redshift[rows], donors, number[rows], seed, as_bright, rough) for rows in portions]
    parts = []
    if jobs == 1 or n_parts == 1:
        for done, task in enumerate(tasks):
            parts.append(_portion(task))
            progress("copies", done + 1, n_parts)
    else:
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            for done, part in enumerate(pool.map(_portion, tasks)):
                parts.append(part)
                progress("copies", done + 1, n_parts)
    parent = [rows[part.parent] for rows, part in zip(portions, parts, strict=True)]
    curves = LightCurves.concatenate([part.light_curves for part in parts])
    return Copies(curves, np.concatenate(parent), np.concatenate([part.redshift for part in parts]))


def _portion(task: tuple[LightCurves, NDArray, LightCurves, NDArray, int, bool, bool]) -> Copies:
    return copies(*task[:5], as_bright=task[5], rough=task[6])
