"""What was measured of an object before its packet begins: kept as bytes, and joined to the packets of a batch.

Some surveys' packets reach back 30 days only, others a year. What a packet no longer holds can be kept elsewhere; this
module says how it is written, read and joined, and knows no store. Who keeps it does, for each batch:

1. For each object of the batch, fetch the bytes kept under a key of :data:`VERSION`, survey and object id (no object
   id: nothing is kept). All at once: one MGET, or one pipeline.
2. ``history = decode(kept)``, ``kept`` in the order of the alerts, None where there is nothing: one join and one view
   of the whole, no loop over points.
3. ``merged = merge(light_curves, history)``; extract and score ``merged``.
4. ``encode(merged)`` gives the bytes to keep, an entry for each alert. Of several alerts of one object in a batch keep
   those of the latest ``alert_mjd``; where the packet is older than what is kept (a replay), keep what is there.

Time to live: as long as features look back, a year after the last alert (longer than an object is behind the Sun),
renewed with each write. An object of 1,000 points takes 17 kB, most take under 1 kB. Losing the store loses no alert:
its light curve is then as long as its packet.

A replay gives what it gave, as long as it is no later than the next alert of the object: what was kept later is cut
at the alert's time, but points may by then have been thinned by :data:`MAX_POINTS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from schemas.light_curves import ALERT_COLUMNS, BANDS, FLUX_LIMIT_NJY, POINT_COLUMNS, LightCurves
from schemas.passbands import ZTF
from schemas.photometry import EARLIEST_MJD, LATEST_MJD, LEAST_FLUX_ERR_NJY

VERSION = 1
"""Belongs into the key: bytes of another version are never read as these."""

MAX_POINTS = 1_000
"""Most points kept of one object, the newest: the deepest fields give about so many a year."""

SHORT_PACKETS = (ZTF,)
"""Surveys whose packets reach back a month; the others' hold what features look at."""

POINT = np.dtype([("time_mjd", "<f8"), ("flux_njy", "<f4"), ("flux_err_njy", "<f4"), ("band", "u1")])
"""One point as it is kept: 17 bytes, without padding. The band's highest bit says that it is a detection. Times are
exact; fluxes and errors are single precision, as the largest survey's packets have them."""

_DETECTION = 128


@dataclass(frozen=True, slots=True)
class History:
    """Points kept of a batch's objects: those of alert ``i`` are ``points[offsets[i]:offsets[i + 1]]``.

    ``points`` has the type :data:`POINT`; ``n_refused`` is the number of entries that were no whole points.
    """

    offsets: NDArray[np.int64]
    points: NDArray[np.void]
    n_refused: int = 0

    def __len__(self) -> int:
        return len(self.offsets) - 1


def is_kept(light_curves: LightCurves) -> NDArray[np.bool_]:
    """Of which alerts a history is kept, shape (n,): those of an object, in packets that hold a month only."""
    return np.isin(light_curves.survey, SHORT_PACKETS) & (light_curves.object_id != 0)


def encode(light_curves: LightCurves) -> list[bytes]:
    """What to keep of each alert's light curve: its newest :data:`MAX_POINTS` points, ascending in time."""
    points = np.empty(len(light_curves.time_mjd), POINT)
    with np.errstate(over="ignore", under="ignore"):  # an error beyond single precision is refused when it is read
        for name in ("time_mjd", "flux_njy", "flux_err_njy"):
            points[name] = getattr(light_curves, name)
    points["band"] = light_curves.band.astype(np.uint8) | np.where(light_curves.is_detection, _DETECTION, 0)
    raw, size, ends = points.tobytes(), POINT.itemsize, light_curves.offsets[1:]
    starts = np.maximum(light_curves.offsets[:-1], ends - MAX_POINTS)
    return [raw[size * a : size * b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def decode(kept: Sequence[bytes | None]) -> History:
    """The points in bytes that :func:`encode` gave, an entry for each alert, None or empty where nothing is kept.

    An entry that is no whole number of points counts as nothing, and in ``n_refused``; never raises for any bytes.
    """
    size = POINT.itemsize
    whole = [entry if entry and len(entry) % size == 0 else b"" for entry in kept]
    lengths = np.fromiter(map(len, whole), np.int64, len(whole)) // size
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    n_refused = sum(bool(entry) for entry in kept) - int(np.count_nonzero(lengths))
    return History(offsets, np.frombuffer(b"".join(whole), POINT), n_refused)


def merge(light_curves: LightCurves, history: History, max_points: int = MAX_POINTS) -> LightCurves:
    """The light curves with what is older than their packets put before them.

    Only points before the packet's first are taken: from there on the packet is right, since it knows what the survey
    has withdrawn or measured anew. So they are the first ``n_points_from_history`` of a light curve, and
    the score says by this one number which points came from where; an alert without points takes all. None is later
    than ``alert_mjd``, none is out of range, and at most the newest ``max_points`` are taken. Alerts without an
    object take none. Merging the same history again changes nothing.

    Raises ValueError where the history has not one entry for each alert.
    """
    n = len(light_curves)
    if len(history) != n:
        raise ValueError(f"the history must have one entry for each of the {n} alerts, found {len(history)}")
    owner = np.repeat(np.arange(n), np.diff(history.offsets))
    kept = history.points
    first = np.where(light_curves.n_points > 0, _first_mjd(light_curves), np.inf)
    older = _is_sound(kept) & (kept["time_mjd"] < first[owner]) & (kept["time_mjd"] <= light_curves.alert_mjd[owner])
    older &= light_curves.object_id[owner] != 0
    room = np.maximum(max_points - light_curves.n_points_from_history, 0)
    older &= _newest(owner, older, room)
    if not older.any():
        return light_curves
    kept, owner = kept[older], owner[older]
    added = {
        **{name: kept[name] for name in ("time_mjd", "flux_njy", "flux_err_njy")},
        "band": kept["band"] & ~np.uint8(_DETECTION),
        "is_detection": kept["band"] >= _DETECTION,
    }
    joined = LightCurves.from_points(
        alert=np.concatenate([owner, light_curves.alert_of_point]),
        columns={name: np.concatenate([added[name], getattr(light_curves, name)]) for name in POINT_COLUMNS},
        alerts={name: getattr(light_curves, name) for name in ALERT_COLUMNS},
    )
    n_added = (joined.n_points - light_curves.n_points).astype(np.int32)  # less than given, where points coincide
    return replace(joined, n_points_from_history=light_curves.n_points_from_history + n_added)


def _first_mjd(light_curves: LightCurves) -> NDArray[np.float64]:
    """Time of each alert's first point, MJD TAI; of one without points any number."""
    times = np.append(light_curves.time_mjd, np.inf)
    return times[light_curves.offsets[:-1]]


def _is_sound(points: NDArray[np.void]) -> NDArray[np.bool_]:
    """Which points are measurements, whatever bytes they came from."""
    time, error = points["time_mjd"], points["flux_err_njy"]
    sound = (time >= EARLIEST_MJD) & (time <= LATEST_MJD) & (error >= LEAST_FLUX_ERR_NJY) & (error < FLUX_LIMIT_NJY)
    band = points["band"] & ~np.uint8(_DETECTION)
    return sound & (np.abs(points["flux_njy"]) < FLUX_LIMIT_NJY) & (band < len(BANDS))


def _newest(owner: NDArray, chosen: NDArray[np.bool_], room: NDArray) -> NDArray[np.bool_]:
    """Which of the chosen points are among the last ``room`` (n,) of their alert; each alert's stand in time order."""
    counts = np.bincount(owner[chosen], minlength=len(room))
    number = np.cumsum(chosen) - np.concatenate([[0], np.cumsum(counts)])[owner]  # 1 for an alert's first chosen
    return chosen & (number > (counts - room)[owner])
