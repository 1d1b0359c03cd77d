"""The common part of SNANA's text and FITS readers: the objects of a release, and Labelled from them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.datasets.labelled import NJY_PER_FLUXCAL, Labelled, note_of_left_out
from models.datasets.reading import UnreadableError
from models.datasets.truth import NO_TEMPLATE, OWN_FAMILY, Truth
from models.hashing import scramble
from schemas.light_curves import BANDS, LightCurves
from schemas.photometry import is_detection
from schemas.surroundings import within
from schemas.type_names import class_id_of_type

PHOTFLAG_DETECTION = 4096
"""The bit of PHOTFLAG that marks a detection: `PHOTFLAG_DETECT` of the simulator's search efficiency; 2048 is
the trigger, 1024 saturation."""

SOURCE = "SNANA"
ID_SEED = 1001

POINT = np.dtype([("time", "f8"), ("flux", "f8"), ("error", "f8"), ("band", "i1")])

_RUNNING_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class ReleasedObject:
    """One object of a release: its name, the file it is from, position in degrees, points (time, flux and error in
    FLUXCAL, band), PHOTFLAG of each point or None, photometric redshift of the host and its error, and the truth.
    ``template`` is the number that the file gives; 0 if the object was drawn from a continuous model.
    """

    name: str
    file: str
    ra_deg: float
    dec_deg: float
    points: np.ndarray
    flags: np.ndarray | None = None
    photoz: float = np.nan
    photoz_err: float = np.nan
    type_name: str = ""
    redshift: float = np.nan
    template: float = NO_TEMPLATE
    spectroscopic: bool = False
    peak_mjd: float = np.nan
    trigger_mjd: float = np.nan
    is_simulated: bool = True

    @property
    def class_id(self) -> int | None:
        """The class id of the simulated type; None if the type is unknown."""
        return class_id_of_type(self.type_name)

    @property
    def is_detection(self) -> NDArray[np.bool_]:
        """Detections by PHOTFLAG if any is set for the object, otherwise by the signal-to-noise ratio."""
        if self.flags is not None and self.flags.any():
            return (self.flags & PHOTFLAG_DETECTION) > 0
        return is_detection(self.points["flux"], self.points["error"])


def first_known(values: Iterable[float]) -> float:
    """The first value greater than 0 (the format has -9 for unknown); NaN if there is none."""
    return next((value for value in values if 0 < value < np.inf), np.nan)


def band_of(filter_name: str) -> int:
    """Index into BANDS from the last letter of a filter's name (g, DES-z, Y); -1 for others."""
    letter = filter_name[-1:]
    return BANDS.find("y" if letter == "Y" else letter) if letter else -1


def labelled_of(objects: Sequence[ReleasedObject], form: str, path: Path, fingerprint: str) -> Labelled:
    """The usable objects as :class:`Labelled`, fluxes in nJy, in the order given.

    Objects of unknown types and objects without a detection are left out and counted in ``notes``. Raises
    UnreadableError if no object remains or a file has two objects of one name.
    """
    notes = _types_left_out(objects)
    typed = [one for one in objects if one.class_id is not None]
    if typed:
        names, numbers = _names_and_numbers(typed, path)
        class_id, curves = np.array([one.class_id for one in typed], np.int64), _light_curves(typed, numbers)
        labelled = Labelled(curves, class_id, SOURCE, fingerprint, _truth(typed, names, numbers), notes)
        n_detections = np.bincount(curves.alert_of_point[curves.is_detection], minlength=len(typed))
        labelled = labelled.without(n_detections == 0, "without a detection")
        if len(labelled):
            return labelled
        notes = labelled.notes
    raise UnreadableError(
        f"{path}: {form} must hold objects with a simulated type and a detection, found none ({'; '.join(notes)})"
    )


def _types_left_out(objects: Sequence[ReleasedObject]) -> tuple[str, ...]:
    unknown = Counter(one.type_name for one in objects if one.class_id is None)
    return tuple(
        note_of_left_out(
            SOURCE, n, f"of the type {name[:40]!r}, which is not known" if name else "without a simulated type"
        )
        for name, n in unknown.most_common()
    )


def _names_and_numbers(objects: Sequence[ReleasedObject], path: Path) -> tuple[list[str], list[int]]:
    """A unique name and number for each object: files of one release may count their objects in the same way.

    A running number that occurs once is kept; other names get a number from their SHA-256.
    """
    count = Counter(one.name for one in objects)
    names = [one.name if count[one.name] == 1 else f"{one.file}/{one.name}" for one in objects]
    for name, repeats in Counter(names).items():
        if repeats > 1:
            raise UnreadableError(
                f"{path}: SNID must be another for each object of a file, found {name} {repeats} times"
            )
    numbers = [int(name) if _RUNNING_NUMBER.fullmatch(name) else _number_of(name) for name in names]
    return names, numbers


def _number_of(name: str) -> int:
    """A number from 0 to 2^62 for a name."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:8], "big") >> 2


def _light_curves(objects: Sequence[ReleasedObject], numbers: list[int]) -> LightCurves:
    points = np.concatenate([one.points for one in objects])
    n = len(objects)
    photoz, photoz_err = (np.array([getattr(one, name) for one in objects]) for name in ("photoz", "photoz_err"))
    return LightCurves.from_points(
        alert=np.repeat(np.arange(n), [len(one.points) for one in objects]),
        columns={
            "time_mjd": points["time"],
            "flux_njy": points["flux"] * NJY_PER_FLUXCAL,
            "flux_err_njy": points["error"] * NJY_PER_FLUXCAL,
            "band": points["band"],
            "is_detection": np.concatenate([one.is_detection for one in objects]),
        },
        alerts={
            "alert_id": np.arange(n),
            "object_id": scramble(numbers, ID_SEED),
            "alert_mjd": [one.points["time"].max(initial=-np.inf) for one in objects],
            "ra_deg": [one.ra_deg for one in objects],
            "dec_deg": [one.dec_deg for one in objects],
            "survey": np.zeros(n),
            "schema_id": np.zeros(n),
            "is_solar_system": np.zeros(n, bool),
            "reliability": np.full(n, np.nan),
            "host_photoz": within(photoz, np.nextafter(0, 1)),
            "host_photoz_err": within(photoz_err, np.nextafter(0, 1)),
        },
    )


def _truth(objects: Sequence[ReleasedObject], names: list[str], numbers: list[int]) -> Truth:
    return Truth.of(
        len(objects),
        name=names,
        type_name=[one.type_name for one in objects],
        redshift=[one.redshift for one in objects],
        template=[_template(one.template, number) for one, number in zip(objects, numbers, strict=True)],
        spectroscopic=[one.spectroscopic for one in objects],
        peak_mjd=[one.peak_mjd for one in objects],
        trigger_mjd=[one.trigger_mjd for one in objects],
        on_sky=[not one.is_simulated for one in objects],
    )


def _template(index: float, number: int) -> int:
    """The template number of an object, or a unique number if it was drawn from a continuous model (index 0)."""
    if 0 < index < OWN_FAMILY:
        return int(index)
    return OWN_FAMILY + number if index == 0 else NO_TEMPLATE
