"""What SNANA's text and FITS files have in common: the objects they tell of, and Labelled made from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.datasets.labelled import NJY_PER_FLUXCAL, Labelled
from models.datasets.truth import OWN_FAMILY, Truth
from models.hashing import scramble
from schemas.light_curves import BANDS, LightCurves
from schemas.photometry import is_detection
from schemas.surroundings import within

PHOTFLAG_DETECTION = 4096
"""The bit of PHOTFLAG that marks a detection: `PHOTFLAG_DETECT` of the simulator's search efficiency; 2048 is
the trigger, 1024 saturation."""

CLASS_ID = {
    "Ia": 2222,
    "Ib": 2223,
    "Ic": 2223,
    "Ibc": 2223,
    "Ib/c": 2223,
    "II": 2224,
    "IIn": 2224,
    "IIP": 2224,
    "IIL": 2224,
    "IIb": 2224,
    "Iax": 2225,
    "91bg": 2226,
    "Ia-91bg": 2226,
}
"""The simulated type, without the letters SN before it, to the taxonomy's class id."""

ID_SEED = 1001

POINT = np.dtype([("time", "f8"), ("flux", "f8"), ("error", "f8"), ("band", "i1")])


@dataclass(frozen=True, slots=True)
class Release:
    """One object of a release: its number, position in degrees, class id and points (time, flux and error in FLUXCAL,
    band), PHOTFLAG of each point or None, the host's photometric redshift and its error, and what Truth tells.
    """

    number: int
    ra_deg: float
    dec_deg: float
    class_id: int
    points: np.ndarray
    flags: np.ndarray | None = None
    photoz: float = np.nan
    photoz_err: float = np.nan
    type_name: str = ""
    redshift: float = np.nan
    template: int = -1
    spectroscopic: bool = False
    peak_mjd: float = np.nan
    trigger_mjd: float = np.nan
    is_simulated: bool = True

    @property
    def is_detection(self) -> NDArray[np.bool_]:
        """By PHOTFLAG where the object has any set, else by the signal-to-noise ratio."""
        if self.flags is not None and self.flags.any():
            return (self.flags & PHOTFLAG_DETECTION) > 0
        return is_detection(self.points["flux"], self.points["error"])


def first_known(values: Iterable[float]) -> float:
    """The first value greater than 0 (the format writes -9 for unknown); NaN where there is none."""
    return next((value for value in values if value > 0), np.nan)


def class_of(type_name: str) -> int | None:
    """The class id of a simulated type, such as Ibc or SNIIn; None where it is not known."""
    return CLASS_ID.get(re.sub(r"^SN[ -]?", "", type_name.strip()))


def band_of(filter_name: str) -> int:
    """Index into BANDS of a filter's name, of which the last letter tells (g, DES-z, Y); -1 for others."""
    letter = filter_name[-1:]
    return BANDS.find("y" if letter == "Y" else letter) if letter else -1


def template_of(index: float, number: int) -> int:
    """The template's number of an object, or one of its own where it was drawn from a continuous model (index 0)."""
    if index > 0:
        return int(index)
    return OWN_FAMILY + number if index == 0 else -1


def labelled_of(objects: Sequence[Release], source: str, fingerprint: str) -> Labelled:
    """The objects as :class:`Labelled`, fluxes in nJy, in the order given."""
    points = np.concatenate([found.points for found in objects])
    row = np.repeat(np.arange(len(objects)), [len(found.points) for found in objects])
    n = len(objects)
    photoz = np.array([found.photoz for found in objects])
    light_curves = LightCurves.from_points(
        alert=row,
        columns={
            "time_mjd": points["time"],
            "flux_njy": points["flux"] * NJY_PER_FLUXCAL,
            "flux_err_njy": points["error"] * NJY_PER_FLUXCAL,
            "band": points["band"],
            "is_detection": np.concatenate([found.is_detection for found in objects]),
        },
        alerts={
            "alert_id": np.arange(n),
            "object_id": scramble([found.number for found in objects], ID_SEED),
            "alert_mjd": [found.points["time"].max() for found in objects],
            "ra_deg": [found.ra_deg % 360 for found in objects],
            "dec_deg": [found.dec_deg for found in objects],
            "survey": np.zeros(n),
            "schema_id": np.zeros(n),
            "is_solar_system": np.zeros(n, bool),
            "reliability": np.full(n, np.nan),
            "host_photoz": within(photoz, np.nextafter(0, 1)),
            "host_photoz_err": within(np.array([found.photoz_err for found in objects]), np.nextafter(0, 1)),
        },
    )
    return Labelled(
        light_curves, np.array([found.class_id for found in objects], np.int64), source, fingerprint, _truth(objects)
    )


def _truth(objects: Sequence[Release]) -> Truth:
    return Truth.of(
        len(objects),
        name=[str(found.number) for found in objects],
        type_name=[found.type_name for found in objects],
        redshift=[found.redshift for found in objects],
        template=[found.template for found in objects],
        spectroscopic=[found.spectroscopic for found in objects],
        peak_mjd=[found.peak_mjd for found in objects],
        trigger_mjd=[found.trigger_mjd for found in objects],
        on_sky=[not found.is_simulated for found in objects],
    )
