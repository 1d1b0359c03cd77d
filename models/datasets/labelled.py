"""Labelled: whole light curves with the class of each object, and the alerts that they would trigger."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.datasets import same_objects
from models.datasets.truth import Truth
from models.hashing import scramble
from schemas.light_curves import ALERT_COLUMNS, POINT_COLUMNS, LightCurves
from schemas.photometry import NJY_PER_FLUXCAL as NJY_PER_FLUXCAL

FORCED_DAYS_BEFORE_FIRST_DETECTION = 30.0
"""An alert has forced photometry from this many days before the first detection of the object on
(the Data Products Definition Document of the survey, LSE-163)."""

HISTORY_DAYS = 365.0
"""An alert has at most the last twelve months of points (LSE-163)."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Whole light curves of ``n`` objects and their true classes.

    - ``light_curves``: one row per object, all its points; ``alert_mjd`` is the time of the last point.
      ``object_id`` is scrambled, so that it carries no information on its source.
    - ``class_id``: taxonomy ids, shape (n,), int64.
    - ``source``: the name of the data set; ``fingerprint``: SHA-256 of what was read, hexadecimal.
    - ``truth``: other facts about the objects, which no feature and no score may use; all unknown by default.
    - ``notes``: what the reader left out or changed, one line each, for the user.

    The truth is separate from ``light_curves``. These have the photometric redshift of the host if the set gives one,
    but never a spectroscopic or true redshift. Flags of the field are not kept at all.
    """

    light_curves: LightCurves
    class_id: NDArray[np.int64]
    source: str
    fingerprint: str
    truth: Truth = field(default_factory=lambda: Truth.of(0))
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.class_id.shape != (len(self.light_curves),):
            n = len(self.light_curves)
            raise ValueError(f"class_id must have one entry per object ({n}), found {self.class_id.shape}")
        if not len(self.truth):
            object.__setattr__(self, "truth", Truth.of(len(self)))
        if len(self.truth) != len(self):
            raise ValueError(f"truth must have one entry per object ({len(self)}), found {len(self.truth)}")

    def __len__(self) -> int:
        return len(self.light_curves)

    def select(self, which: ArrayLike) -> Labelled:
        """The chosen objects: row numbers or a boolean mask of shape (n,)."""
        curves, class_id = self.light_curves.select(which), self.class_id[np.asarray(which)]
        return replace(self, light_curves=curves, class_id=class_id, truth=self.truth.select(which))

    def without(self, rows: NDArray[np.bool_], which: str) -> Labelled:
        """The objects without those of a boolean mask (n,), with a note that says how many and ``which`` these are."""
        if not rows.any():
            return self
        note = note_of_left_out(self.source, int(rows.sum()), which)
        return replace(self.select(~rows), notes=(*self.notes, note))


def note_of_left_out(source: str, n: int, which: str) -> str:
    """A note on ``n`` objects of the data set ``source`` that its reader left out."""
    return f"{source}: left out {n:,} object{'' if n == 1 else 's'} {which}"


def concatenate(parts: Sequence[Labelled]) -> Labelled:
    """Join the objects of several data sets; of an object in two sets the first is kept.

    :func:`models.datasets.same_objects.groups` decides which rows are the same object. Raises ValueError if ``parts``
    is empty.
    """
    if not parts:
        raise ValueError("training data must name at least one source, found none")
    if len(parts) == 1:
        return parts[0]
    curves = LightCurves.concatenate([part.light_curves for part in parts])
    digest = hashlib.sha256("".join(part.fingerprint for part in parts).encode()).hexdigest()
    source = " + ".join(part.source for part in parts)
    truth = Truth.concatenate([part.truth for part in parts])
    notes = tuple(note for part in parts for note in part.notes)
    whole = Labelled(curves, np.concatenate([part.class_id for part in parts]), source, digest, truth, notes)
    set_number = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    group = same_objects.groups(curves.object_id, set_number, curves.ra_deg, curves.dec_deg, truth)
    return whole.select(np.sort(np.unique(group, return_index=True)[1]))


@dataclass(frozen=True, slots=True)
class Triggers:
    """The detections that trigger an alert, in time order within each object.

    - ``row``: the object's row, shape (m,); ``number``: 0 for the object's first detection, and so on.
    - ``start``, ``end``: the alert has the points ``start:end`` of the whole light curves.
    """

    row: NDArray[np.int64]
    number: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)

    def select(self, which: ArrayLike) -> Triggers:
        """The chosen triggers: row numbers or a boolean mask of shape (m,)."""
        index = np.asarray(which)
        return Triggers(self.row[index], self.number[index], self.start[index], self.end[index])


def triggers(light_curves: LightCurves) -> Triggers:
    """Every detection of every object, with the range of points that its alert has.

    Two detections at the same time (in two bands) are one trigger.
    """
    owner = light_curves.alert_of_point
    point = np.flatnonzero(light_curves.is_detection)
    row, time = owner[point], light_curves.time_mjd[point]
    last_of_instant = np.ones(len(point), bool)
    last_of_instant[:-1] = (row[1:] != row[:-1]) | (time[1:] != time[:-1])
    row, time = row[last_of_instant], time[last_of_instant]
    first_of_row = np.searchsorted(row, np.arange(len(light_curves)))
    number = np.arange(len(row)) - first_of_row[row]
    first_time = time[first_of_row[row]] if len(row) else time
    oldest = np.maximum(first_time - FORCED_DAYS_BEFORE_FIRST_DETECTION, time - HISTORY_DAYS)
    start, end = _spans(light_curves, row, oldest, time)
    return Triggers(row, number, start, end)


def alerts_at(light_curves: LightCurves, chosen: Triggers) -> LightCurves:
    """The alerts of the chosen triggers: an alert at time t has only points at or before t.

    Training snapshots and the replayed stream both come from this function, so that they agree.
    ``alert_id`` is a hash of object and detection number; ``alert_mjd`` is the detection's time.
    """
    lengths = chosen.end - chosen.start
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    take = np.repeat(chosen.start - offsets[:-1], lengths) + np.arange(offsets[-1])
    points = {name: getattr(light_curves, name)[take] for name in POINT_COLUMNS}
    rows = {name: getattr(light_curves, name)[chosen.row] for name in ALERT_COLUMNS}
    rows["alert_mjd"] = light_curves.time_mjd[chosen.end - 1]
    # scramble the object's id first: ids that are scrambled counts themselves could cancel against the number
    rows["alert_id"] = scramble(scramble(rows["object_id"], 3) ^ scramble(chosen.number, 1), 2)
    rows["packet_index"] = np.arange(len(chosen))
    return LightCurves(offsets=offsets, **points, **rows)


def alerts(labelled: Labelled, which: ArrayLike | None = None) -> LightCurves:
    """The stream of the chosen objects (row numbers or mask; all by default): an alert per detection, in time order."""
    curves = labelled.light_curves if which is None else labelled.light_curves.select(which)
    stream = alerts_at(curves, triggers(curves))
    return stream.select(np.lexsort((stream.alert_id, stream.alert_mjd)))


def last_alerts(light_curves: LightCurves, row: NDArray[np.int64], mjd: NDArray[np.float64]) -> LightCurves:
    """The last alert of each object in ``row`` (m,) up to ``mjd`` (m,); without an alert, its points up to then."""
    all_triggers = triggers(light_curves)
    time = light_curves.time_mjd[all_triggers.end - 1]
    begin, end = (np.searchsorted(all_triggers.row, row, side=side) for side in ("left", "right"))
    place = np.array(
        [b + np.searchsorted(time[b:e], t, side="right") for b, e, t in zip(begin, end, mjd, strict=True)], np.int64
    )
    raised = place > begin
    none = np.flatnonzero(~raised)
    parts = [
        alerts_at(light_curves, all_triggers.select(place[raised] - 1)),
        light_curves.select(row[none]).before(mjd[none]),
    ]
    order = np.argsort(np.concatenate([np.flatnonzero(raised), none]), kind="stable")
    return LightCurves.concatenate(parts).select(order)


def _spans(
    light_curves: LightCurves, row: NDArray[np.int64], oldest: NDArray[np.float64], newest: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each trigger: the first point at or after ``oldest``, and one past the last at or before ``newest``."""
    start = np.empty(len(row), np.int64)
    end = np.empty(len(row), np.int64)
    begin_of_row = np.searchsorted(row, np.arange(len(light_curves) + 1))
    for i in range(len(light_curves)):
        mine = slice(begin_of_row[i], begin_of_row[i + 1])
        first, last = light_curves.offsets[i], light_curves.offsets[i + 1]
        times = light_curves.time_mjd[first:last]
        start[mine] = first + np.searchsorted(times, oldest[mine], side="left")
        end[mine] = first + np.searchsorted(times, newest[mine], side="right")
    return start, end
