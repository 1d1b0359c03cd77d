"""Light curves of the Bright Transient Survey (arXiv:2009.01242) with their spectroscopic classes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.datasets.labelled import Labelled
from models.datasets.truth import Truth
from schemas.identifiers import object_id_of
from schemas.light_curves import BANDS, LightCurves
from schemas.passbands import SURVEYS
from schemas.photometry import flux_of_magnitude

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
"""The catalogue's type to the taxonomy's class id; objects of other types are left out."""

BAND = {"g": BANDS.index("g"), "R": BANDS.index("r"), "r": BANDS.index("r"), "i": BANDS.index("i")}
TAI_MINUS_UTC_DAYS = 37 / 86_400
"""Since 2017 (IERS Bulletin C 52); the light curves begin in 2018."""
PEAK_ORIGIN_MJD = 57_999.5
"""The catalogue counts the time of the peak from JD 2458000; so the brightest points fall on it, to seconds."""


def load(path: Path) -> Labelled:
    """Objects with a light curve and a known type; every point is a detection, difference fluxes in nJy.

    ``path``: the folder with the two files. Raises LookupError where one is missing.
    """
    for name in (LABELS_FILE, LIGHT_CURVES_FILE):
        if not (path / name).is_file():
            raise LookupError(f"the data are {LABELS_FILE} and {LIGHT_CURVES_FILE}; {name} is not in {path}")
    points = pd.read_csv(path / LIGHT_CURVES_FILE)
    key = next(name for name in points.columns if name.endswith("ID"))
    labels = pd.read_csv(path / LABELS_FILE).drop_duplicates(key)
    labels = labels[labels["type"].isin(list(CLASS_ID)) & labels[key].isin(points[key])].reset_index(drop=True)
    points = points[points[key].isin(labels[key]) & points["ant_passband"].isin(list(BAND))]
    row = points[key].map(pd.Series(labels.index, index=labels[key])).to_numpy(np.int64)
    return Labelled(
        _light_curves(points, row, labels, key),
        labels["type"].map(CLASS_ID).to_numpy(np.int64),
        "BTS",
        hashlib.sha256(b"".join((path / name).read_bytes() for name in (LABELS_FILE, LIGHT_CURVES_FILE))).hexdigest(),
        _truth(labels, key),
    )


def _truth(labels: pd.DataFrame, key: str) -> Truth:
    """Names, types and peaks as the catalogue has them; every object has a spectrum."""
    n = len(labels)
    text = {name: labels[name].fillna("").astype(str).to_numpy() for name in (key, "type")}
    number = {
        name: pd.to_numeric(labels[name], errors="coerce").to_numpy(np.float64)
        if name in labels
        else np.full(n, np.nan)
        for name in ("redshift", "peakt")
    }
    return Truth.of(
        n,
        name=text[key],
        other_name=labels["IAUID"].fillna("").astype(str).to_numpy() if "IAUID" in labels else np.full(n, ""),
        type_name=text["type"],
        redshift=number["redshift"],
        spectroscopic=np.ones(n, bool),
        peak_mjd=number["peakt"] + PEAK_ORIGIN_MJD + TAI_MINUS_UTC_DAYS,
        on_sky=np.ones(n, bool),
    )


def _light_curves(points: pd.DataFrame, row: NDArray[np.int64], labels: pd.DataFrame, key: str) -> LightCurves:
    flux, flux_err = flux_of_magnitude(points["ant_mag"].to_numpy(), points["ant_magerr"].to_numpy())
    time = points["ant_mjd"].to_numpy() + TAI_MINUS_UTC_DAYS
    last = np.full(len(labels), -np.inf)
    np.maximum.at(last, row, time)
    n = len(labels)
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
            "object_id": [object_id_of(name) for name in labels[key]],
            "alert_mjd": last,
            "ra_deg": 15 * _sexagesimal(labels["RA"]),
            "dec_deg": _sexagesimal(labels["Dec"]),
            "survey": [_survey_of(name) for name in labels[key]],
            "schema_id": np.zeros(n),
            "is_solar_system": np.zeros(n, bool),
            "reliability": np.full(n, np.nan),
        },
    )


def _survey_of(name: str) -> int:
    """The survey whose name the object's name begins with."""
    return next(code for code, survey in enumerate(SURVEYS) if name.startswith(survey))


def _sexagesimal(text: pd.Series) -> NDArray[np.float64]:
    """Hours or degrees, as ±dd:mm:ss.s, to decimals; the sign holds for minutes and seconds too."""
    parts = text.str.lstrip("+-").str.split(":", expand=True).astype(np.float64)
    size = parts[0] + parts[1] / 60 + parts[2] / 3600
    return np.where(text.str.startswith("-"), -size, size)
