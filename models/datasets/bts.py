"""Light curves of the Bright Transient Survey (arXiv:2009.01242) with their spectroscopic classes."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from models.datasets.checked import TIME_MJD, Place, numbers, object_names, positions, require
from models.datasets.labelled import Labelled, note_of_left_out
from models.datasets.reading import UnreadableError, reading
from models.datasets.sexagesimal import degrees
from models.datasets.truth import Truth
from schemas.identifiers import object_id_of
from schemas.light_curves import BANDS, LightCurves
from schemas.passbands import SURVEYS
from schemas.photometry import flux_of_magnitude

SOURCE = "BTS"
LABELS_FILE = "bts_labels.csv"
LIGHT_CURVES_FILE = "bts_light_curves.csv.gz"

CLASS_ID = {
    "SN Ia": 2222,
    "SN Ia-91T": 2222,
    "SN Ia-CSM": 2222,
    "SN Ia-91bg": 2226,
    "SN Ib": 2223,
    "SN Ic": 2223,
    "SN Ib/c": 2223,
    "SN Ic-BL": 2223,
    "SN II": 2224,
    "SN IIP": 2224,
    "SN IIn": 2224,
    "SN IIb": 2224,
    "SLSN-I": 2242,
    "SLSN-II": 2242,
    "TDE": 2243,
    "ILRT": 2244,
}
"""Class id of the taxonomy for each type of the catalogue; objects of other types are left out."""

BAND = {"g": BANDS.index("g"), "R": BANDS.index("r"), "r": BANDS.index("r"), "i": BANDS.index("i")}
TAI_MINUS_UTC_DAYS = 37 / 86_400
"""Since 2017 (IERS Bulletin C 52); the light curves begin in 2018."""
PEAK_ORIGIN_MJD = 57_999.5
"""The catalogue counts the time of the peak from JD 2458000: with this offset the brightest points agree with it
to seconds."""


def load(path: Path) -> Labelled:
    """Objects with a light curve and a known type; every point is a detection, difference fluxes in nJy.

    ``path``: the folder with the two files. Objects of unknown types and objects without points are left out and
    counted in ``notes``. Raises LookupError if a file is missing, UnreadableError with the file and the line if a value
    is invalid.
    """
    for name in (LABELS_FILE, LIGHT_CURVES_FILE):
        if not (path / name).is_file():
            raise LookupError(f"the data are {LABELS_FILE} and {LIGHT_CURVES_FILE}; {name} is not in {path}")
    points, labels = (_table(path / name) for name in (LIGHT_CURVES_FILE, LABELS_FILE))
    key = _key(points, labels, path)
    require(list(points), (key, "ant_mjd", "ant_passband", "ant_mag", "ant_magerr"), path / LIGHT_CURVES_FILE)
    require(list(labels), (key, "type", "RA", "Dec"), path / LABELS_FILE)
    object_names(labels[key].tolist(), key, _lines(path / LABELS_FILE, labels))
    labels = labels.drop_duplicates(key)
    points = points[points["ant_passband"].isin(list(BAND))]
    is_known, has_points = labels["type"].isin(list(CLASS_ID)), labels[key].isin(points[key])
    chosen = labels[is_known & has_points]
    points = points[points[key].isin(chosen[key])]
    labelled = Labelled(
        _light_curves(points, chosen, key, path),
        chosen["type"].map(CLASS_ID).to_numpy(np.int64),
        SOURCE,
        hashlib.sha256(b"".join((path / name).read_bytes() for name in (LABELS_FILE, LIGHT_CURVES_FILE))).hexdigest(),
        _truth(chosen, key),
        _types_left_out(labels["type"][~is_known]),
    )
    labelled = labelled.without(labelled.light_curves.n_points == 0, "without a magnitude that can be one")
    if not len(labelled):
        notes = "; ".join(labelled.notes)
        raise UnreadableError(f"{path}: there must be objects with a known type and points, found none ({notes})")
    return labelled


def _table(file: Path) -> pd.DataFrame:
    """The cells as text; row numbers count from 0 and are not changed."""
    with reading(file, "a CSV table"):
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
        return table.reset_index(drop=True)


def _key(points: pd.DataFrame, labels: pd.DataFrame, path: Path) -> str:
    """The column with the names of the objects, in both files."""
    names = [name for name in points if name.endswith("ID") and name in labels]
    if not names:
        raise UnreadableError(
            f"{path / LABELS_FILE}: a column whose name ends in ID must name the objects as {LIGHT_CURVES_FILE} does; "
            f"found {', '.join(labels)}"
        )
    return str(names[0])


def _types_left_out(types: pd.Series) -> tuple[str, ...]:
    return tuple(
        note_of_left_out(SOURCE, n, f"of the type {name[:40]!r}, which is not known" if name else "without a type")
        for name, n in Counter(types.tolist()).most_common()
    )


def _truth(labels: pd.DataFrame, key: str) -> Truth:
    """Names, types and peaks from the catalogue; every object has a spectrum."""
    n = len(labels)
    number = {}
    for name in ("redshift", "peakt"):
        column = labels[name] if name in labels else pd.Series([""] * n)
        number[name] = pd.to_numeric(column, errors="coerce").replace([np.inf, -np.inf], np.nan).to_numpy(np.float64)
    return Truth.of(
        n,
        name=labels[key].tolist(),
        other_name=labels["IAUID"].tolist() if "IAUID" in labels else [""] * n,
        type_name=labels["type"].tolist(),
        redshift=number["redshift"],
        spectroscopic=np.ones(n, bool),
        peak_mjd=number["peakt"] + PEAK_ORIGIN_MJD + TAI_MINUS_UTC_DAYS,
        on_sky=np.ones(n, bool),
    )


def _light_curves(points: pd.DataFrame, labels: pd.DataFrame, key: str, path: Path) -> LightCurves:
    place = _lines(path / LIGHT_CURVES_FILE, points)
    row = points[key].map(pd.Series(np.arange(len(labels)), index=labels[key])).to_numpy(np.int64)
    time = numbers(points["ant_mjd"].to_numpy(object), "ant_mjd", place, TIME_MJD) + TAI_MINUS_UTC_DAYS
    magnitude, error = (numbers(points[name].to_numpy(object), name, place) for name in ("ant_mag", "ant_magerr"))
    flux, flux_err = flux_of_magnitude(magnitude, error)
    last = np.full(len(labels), -np.inf)
    np.maximum.at(last, row, time)
    n = len(labels)
    place = _lines(path / LABELS_FILE, labels)
    ra, dec = (degrees(labels[name].tolist(), name, place, in_hours=name == "RA") for name in ("RA", "Dec"))
    ra, dec = positions(ra, dec, ("RA", "Dec"), place)
    named = [_survey_and_id(name, key, place, number) for number, name in enumerate(labels[key])]
    return LightCurves.from_points(
        alert=row,
        columns={
            "time_mjd": time,
            "flux_njy": flux,
            "flux_err_njy": flux_err,
            "band": points["ant_passband"].map(BAND).to_numpy(),
            "is_detection": np.ones(len(points), bool),
        },
        alerts={
            "alert_id": np.arange(n),
            "object_id": [object_id for _, object_id in named],
            "alert_mjd": last,
            "ra_deg": ra,
            "dec_deg": dec,
            "survey": [survey for survey, _ in named],
            "schema_id": np.zeros(n),
            "is_solar_system": np.zeros(n, bool),
            "reliability": np.full(n, np.nan),
        },
    )


def _lines(file: Path, table: pd.DataFrame) -> Place:
    """The line of a row in the file; the header is line 1."""
    return lambda row: f"{file}, line {int(table.index[row]) + 2}"


def _survey_and_id(name: str, key: str, place: Place, row: int) -> tuple[int, int]:
    """The survey, from the beginning of the object's name, and the 64-bit id."""
    survey = next((code for code, survey in enumerate(SURVEYS) if name.startswith(survey)), None)
    try:
        if survey is not None:
            return survey, object_id_of(name)
    except ValueError:
        pass
    raise UnreadableError(f"{place(row)}: {key} must be a name that the survey gives, found {name[:80]!r}")
