"""Compare a data set with its card: SHA-256 of the files, objects by class, and invalid values in light curves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.datasets import plasticc
from models.datasets.cards import Card
from models.datasets.labelled import Labelled
from schemas.counts import counted

LONGEST_DAYS = 4_000.0
"""A light curve spans less than eleven years in all of these sets."""


@dataclass(frozen=True, slots=True)
class Checked:
    """``files``: by name "as published", "differs" or "no sum known"; ``objects``: by class id; ``faults``: in words;
    ``other_objects``: classes whose number differs from the published one, which is no fault in a user's folder."""

    files: dict[str, str]
    objects: dict[int, int]
    points: int
    other_objects: list[str]
    faults: list[str]


def check(card: Card | None, labelled: Labelled, path: Path | None) -> Checked:
    """Compare data with their card; without a card (a user's own data) look for faults only. ``path``: their folder or
    file; None for an installed set."""
    counts = {
        int(class_id): int(n) for class_id, n in zip(*np.unique(labelled.class_id, return_counts=True), strict=True)
    }
    other = [
        f"class {class_id}: {counts.get(class_id, 0):,} objects, published are {n:,}"
        for class_id, n in (card.objects.items() if card else ())
        if counts.get(class_id, 0) != n
    ]
    return Checked(
        _files(card, path) if card else {}, counts, len(labelled.light_curves.time_mjd), other, _faults(labelled)
    )


def _files(card: Card, path: Path | None) -> dict[str, str]:
    folder = plasticc.folder() if path is None else path
    files = [folder] if folder.is_file() else sorted(file for file in folder.iterdir() if file.is_file())
    wanted = [file for file in files if file.name in card.sha256] if path is None else files
    return {file.name: _as_published(file, card.sha256.get(file.name)) for file in wanted}


def _as_published(file: Path, wanted: str | None) -> str:
    if wanted is None:
        return "no sum known"
    with file.open("rb") as stream:
        return "as published" if hashlib.file_digest(stream, "sha256").hexdigest() == wanted else "differs"


def _faults(labelled: Labelled) -> list[str]:
    curves = labelled.light_curves
    length = np.array(
        [np.ptp(times) if len(times) else 0.0 for times in np.split(curves.time_mjd, curves.offsets[1:-1])]
    )
    detections = np.bincount(curves.alert_of_point[curves.is_detection], minlength=len(curves))
    dropped = int(curves.n_points_dropped.sum())
    counts = {
        "point|points| left out: not finite, without an error, or in no known band": dropped,
        "object has|objects have| no detection": int((detections == 0).sum()),
        f"light curve is|light curves are| longer than {LONGEST_DAYS:,.0f} days": int((length > LONGEST_DAYS).sum()),
        "object id occurs|object ids occur| twice": len(curves) - len(np.unique(curves.object_id)),
    }
    parted = ((text.split("|"), n) for text, n in counts.items() if n)
    return [counted(n, one, several) + rest for (one, several, rest), n in parted]
