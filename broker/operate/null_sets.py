"""Sets of labelled light curves that are kept as nulls, each a file in the home."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from active_learning import nulls
from active_learning.nulls import LabelledObjects
from broker.operate.discoveries import NULLS_FOLDER
from broker.settings import Settings
from models.datasets import sources
from models.datasets.labelled import Labelled, last_alerts
from models.progress import Progress, silent
from models.scoring.abstention import n_detections
from models.training.extraction import extract_many
from schemas.taxonomy import NOT_CLASSIFIED

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def folder(settings: Settings) -> Path:
    """Where the sets lie."""
    return settings.home / NULLS_FOLDER


def add_set(settings: Settings, source: str, name: str | None, progress: Progress = silent) -> tuple[str, int]:
    """Measure a set (as :func:`models.datasets.sources.load` reads it) and keep it; returns its name and its number of
    objects. ValueError for a name that is none of a file, or where no object has a class."""
    chosen = name or Path(source).name.split(".")[0]
    if not _NAME.fullmatch(chosen):
        raise ValueError(
            f"a set's name must be 1 to 100 letters, digits, '.', '_' or '-', found {chosen!r}: give --name"
        )
    labelled = sources.load(source)
    with_class = np.flatnonzero(labelled.class_id != NOT_CLASSIFIED)
    if not len(with_class):
        raise ValueError(f"{source}: nulls need their classes, and no object there has one")
    objects = measured(labelled.select(with_class), progress=progress)
    nulls.keep(folder(settings), chosen, objects)
    return chosen, len(objects)


def measured(labelled: Labelled, until_mjd: float = np.inf, progress: Progress = silent) -> LabelledObjects:
    """The features of each object's last alert up to ``until_mjd``, as the stream would have it, with its class; an
    object without an alert by then is left out."""
    every = np.arange(len(labelled))
    last = last_alerts(labelled.light_curves, every, np.full(len(every), until_mjd))
    alerted = np.flatnonzero(n_detections(last) > 0)
    curves, labelled = last.select(alerted), labelled.select(alerted)
    return LabelledObjects(
        object_id=curves.object_id,
        class_id=np.asarray(labelled.class_id, np.int64),
        features=extract_many(curves, progress=progress).astype(np.float32),
        host_photoz=curves.host_photoz.astype(np.float32),
        host_photoz_err=curves.host_photoz_err.astype(np.float32),
    )


def sets(settings: Settings) -> dict[str, LabelledObjects]:
    """All sets by name."""
    return nulls.kept(folder(settings))


def remove_set(settings: Settings, name: str) -> None:
    """Remove a set; LookupError names those that there are."""
    file = folder(settings) / f"{name}.parquet"
    there = sorted(one.stem for one in folder(settings).glob("*.parquet"))
    if name not in there:
        raise LookupError(f"no set {name!r}; there are {', '.join(there) or 'none'}")
    file.unlink()
